//! Two hundred calls at once on one process.

use std::time::Instant;

use futures_util::future::join_all;
use terraform_provider_heygen::terraform::Value;

use super::{Caller, Provider, report, text};
use crate::fake_heygen::FakeHeygen;
use crate::support::process::resident_memory;

const AT_ONCE: usize = 200;

/// More than a round can leave behind, and far less than it would leave if it left anything behind by rule.
const GROWTH: usize = 32 << 20;

/// One resource's life: checked, planned, created, read, changed, read, planned to nothing, destroyed.
async fn live(mut caller: Caller, number: usize) {
    let config_for = |path: &str| {
        let url = Value::String(format!("https://hooks.example.com/{path}/{number}"));
        [("url", url)]
    };
    let config = caller.object(&config_for("one"));
    caller.validate(&config).await;
    let planned = caller.plan(&Value::Null, &config, &config).await;
    let created = caller.apply(&Value::Null, &planned, &config).await;
    assert!(text(&created, "secret").starts_with("whsec_"));
    let read = caller.read(&created).await;
    assert!(read == created, "read differs");

    let config = caller.object(&config_for("two"));
    let Value::Mapping(mut proposed) = read.clone() else {
        panic!("gone")
    };
    proposed.extend(config_for("two").map(|(name, value)| (name.to_owned(), value)));
    let proposed = Value::Mapping(proposed);
    let planned = caller.plan(&read, &proposed, &config).await;
    let updated = caller.apply(&read, &planned, &config).await;
    assert_eq!(text(&updated, "secret"), text(&created, "secret"));
    let read = caller.read(&updated).await;
    let planned = caller.plan(&read, &read, &config).await;
    assert!(planned == read, "something is left to do");

    let gone = caller.apply(&read, &Value::Null, &Value::Null).await;
    assert!(gone == Value::Null, "still there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_calls_at_once_are_all_answered_and_leave_nothing_behind() {
    const ROUNDS: usize = 2;
    const CALLS: usize = 9;
    let heygen = FakeHeygen::start();
    let provider = Provider::start(&heygen).await;
    let began = Instant::now();
    let mut sizes = Vec::new();
    for _ in 0..=ROUNDS {
        let lives = (0..AT_ONCE).map(|number| tokio::spawn(live(provider.caller(), number)));
        for life in join_all(lives).await {
            life.expect("all calls of a life succeed");
        }
        assert!(heygen.endpoints().is_empty());
        sizes.push(resident_memory(provider.plugin.process.pid()));
    }
    let calls = (ROUNDS + 1) * AT_ONCE * CALLS;
    report(&format!(
        "{calls} calls, {AT_ONCE} at once, in {:?}; resident after each round: {:?} MiB",
        began.elapsed(),
        sizes.iter().map(|size| size >> 20).collect::<Vec<_>>()
    ));
    // The first round is what the process needs to do it at all.
    assert!(sizes[ROUNDS] < sizes[0] + GROWTH, "it grows: {sizes:?}");
    provider.shutdown().await;
}
