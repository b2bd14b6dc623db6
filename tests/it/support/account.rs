//! An account at the fake API and one endpoint in it, which most tests with a real engine begin with.

use super::terraform::Workspace;
use crate::fake_heygen::FakeHeygen;

/// Where most tests have their one endpoint.
pub const ADDRESS: &str = "heygen_webhook_endpoint.a";

/// Points a workspace at an empty account of its own.
pub fn with_account(tf: Workspace) -> (Workspace, FakeHeygen) {
    let heygen = FakeHeygen::start();
    let tf = tf.against(&heygen.base_url(), heygen.api_key());
    (tf, heygen)
}

/// The endpoint `a`, with these arguments.
pub fn endpoint(arguments: &str) -> String {
    named("a", arguments)
}

/// An endpoint of this name, with these arguments.
pub fn named(name: &str, arguments: &str) -> String {
    format!("resource \"heygen_webhook_endpoint\" \"{name}\" {{\n{arguments}\n}}\n")
}

/// The id of the endpoint `a` in state.
pub fn id_in_state(tf: &Workspace) -> String {
    tf.state().instance(ADDRESS).text("id").to_owned()
}
