//! The resource as its users meet it: the real terraform drives the real binary against the fake API.
//!
//! Every `apply()` proves by itself that nothing is left to do, with and without a refresh.

mod data_sources;
mod functions;
mod hygiene;
mod import;
mod lifecycle;
mod query;
mod quirks;
mod rotation;
mod stored;
mod unknown;
mod validation;

use crate::fake_heygen::FakeHeygen;
use crate::support::account::{ADDRESS, endpoint, id_in_state, with_account};
use crate::support::terraform::Workspace;

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
