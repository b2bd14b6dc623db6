//! The provider under faults: whatever happens between `HeyGen`'s answer and the state file, state tells the truth and
//! no endpoint is left that no state knows, or the user is told of it.
//!
//! Which engine drives matters only where a run is interrupted; all else runs with one.

mod creation;
mod deletion;
mod exposure;
mod interruption;
mod lost_creation;
mod odd_answers;
mod slow_list;
mod update;

use std::time::Duration;

use crate::fake_heygen::{BodyShape, Effect, FakeHeygen, Fault, Wait};
use crate::support::account::{ADDRESS, endpoint, id_in_state, named, with_account};
use crate::support::engine::Engine;
use crate::support::terraform::Workspace;

const URL: &str = "https://hooks.example.com/heygen";

/// What an endpoint is older than that is gone as soon as two walks have lacked it.
const PAST_ALL_LAG: Duration = Duration::from_mins(3);

/// Longer than any request takes to arrive on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The answer never comes, and the work was done.
const LOST: Fault = Fault::Reset { effect: Effect::Done };

/// The answer never comes, and no work was done.
const UNHEARD: Fault = Fault::Reset { effect: Effect::None };

/// Beyond the request timeout of [`provider`], after the work.
const LATE: Fault = Fault::Delay {
    ms: 3000,
    wait: Wait::After,
};

/// A workspace with an empty account of its own.
fn start() -> (Workspace, FakeHeygen) {
    with_account(Workspace::new(Engine::from_path()))
}

/// A provider that repeats a call so often, and waits shortly for an answer.
fn provider(max_retries: u32) -> String {
    format!("provider \"heygen\" {{\n  max_retries = {max_retries}\n  request_timeout = \"1500ms\"\n}}\n")
}

/// So many endpoints `a[0]`, `a[1]`, …, each with a URL of its own.
fn several(count: usize) -> String {
    endpoint(&format!(
        "count = {count}\nurl = \"https://hooks.example.com/${{count.index}}\""
    ))
}

fn url(value: &str) -> String {
    format!("url = \"{value}\"")
}

fn status(status: u16, effect: Effect) -> Fault {
    Fault::Status {
        status,
        body: BodyShape::Json,
        effect,
    }
}

/// Fails unless state and server hold the same endpoints, each with the secret that `HeyGen` signs with.
#[track_caller]
fn expect_state_is_true(tf: &Workspace, heygen: &FakeHeygen) {
    let state = tf.state();
    let mut in_state: Vec<(String, String)> = state
        .instances()
        .map(|(_, it)| (it.text("id").to_owned(), it.text("secret").to_owned()))
        .collect();
    let mut at_heygen: Vec<(String, String)> = heygen
        .endpoints()
        .into_iter()
        .map(|it| (it.endpoint_id, it.secret))
        .collect();
    in_state.sort();
    at_heygen.sort();
    assert_eq!(in_state, at_heygen);
}
