//! Two hundred calls at once on one process.

use std::time::Instant;

use futures_util::future::join_all;

use super::{Provider, report};
use crate::core::{Config, Core, State, applied, expect_nothing_to_do};
use crate::fake_heygen::FakeHeygen;
use crate::support::account::ADDRESS;
use crate::support::process::resident_memory;

const AT_ONCE: usize = 200;

/// More than a round can leave behind, and far less than it would leave if it left anything behind by rule.
const GROWTH: usize = 32 << 20;

/// One endpoint's life: created, read, changed, planned to nothing, destroyed.
async fn live(core: &Core, number: usize) {
    let config = |path: &str| {
        let url = format!("https://hooks.example.com/{path}/{number}");
        Config::from([(ADDRESS.to_owned(), [("url".to_owned(), url.as_str().into())].into())])
    };
    let secret = |state: &State| state[ADDRESS].value.attribute("secret");
    let mut state = State::new();
    applied(core, &mut state, &config("one")).await;
    let created = secret(&state);
    assert!(created.as_str().is_some_and(|secret| secret.starts_with("whsec_")));
    expect_nothing_to_do(core, &state, &config("one")).await;

    applied(core, &mut state, &config("two")).await;
    assert_eq!(secret(&state), created);
    expect_nothing_to_do(core, &state, &config("two")).await;

    applied(core, &mut state, &Config::new()).await;
    assert!(state.is_empty(), "still there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_calls_at_once_are_all_answered_and_leave_nothing_behind() {
    const ROUNDS: usize = 2;
    let heygen = FakeHeygen::start();
    let provider = Provider::start(&heygen).await;
    let began = Instant::now();
    let mut sizes = Vec::new();
    for _ in 0..=ROUNDS {
        join_all((0..AT_ONCE).map(|number| live(&provider.core, number))).await;
        assert!(heygen.endpoints().is_empty());
        sizes.push(resident_memory(provider.plugin.process.pid()));
    }
    report(&format!(
        "{} endpoints' lives, {AT_ONCE} at once, in {:?}; resident after each round: {:?} MiB",
        (ROUNDS + 1) * AT_ONCE,
        began.elapsed(),
        sizes.iter().map(|size| size >> 20).collect::<Vec<_>>()
    ));
    // The first round is what the process needs to do it at all.
    assert!(sizes[ROUNDS] < sizes[0] + GROWTH, "it grows: {sizes:?}");
    provider.shutdown().await;
}
