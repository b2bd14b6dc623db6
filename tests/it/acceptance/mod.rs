//! The resource as its users meet it: the real terraform drives the real binary against the fake API.
//!
//! Every `apply()` proves by itself that nothing is left to do, with and without a refresh.

mod data_sources;
mod functions;
mod hygiene;
mod import;
mod lifecycle;
mod quirks;
mod rotation;
mod stored;
mod unknown;
mod validation;

use crate::fake_heygen::FakeHeygen;
use crate::support::terraform::Workspace;

/// Where most tests have their one endpoint.
const ADDRESS: &str = "heygen_webhook_endpoint.a";

/// Points a workspace at an empty account of its own.
fn with_account(tf: Workspace) -> (Workspace, FakeHeygen) {
    let heygen = FakeHeygen::start();
    let tf = tf.against(&heygen.base_url(), heygen.api_key());
    (tf, heygen)
}

/// The endpoint `a`, with these arguments.
fn endpoint(arguments: &str) -> String {
    format!("resource \"heygen_webhook_endpoint\" \"a\" {{\n{arguments}\n}}\n")
}

/// The id of the endpoint `a` in state.
fn id_in_state(tf: &Workspace) -> String {
    tf.state().instance(ADDRESS).text("id").to_owned()
}

/// Fails unless the secret in state is the one that `HeyGen` signs with.
#[track_caller]
fn expect_current_secret(tf: &Workspace, heygen: &FakeHeygen) {
    let state = tf.state();
    let a = state.instance(ADDRESS);
    let current = heygen
        .endpoint(a.text("id"))
        .expect("the endpoint in state exists")
        .secret;
    assert_eq!(a.text("secret"), current);
}
