//! Two processes under one limit of the rate, as two aliases of the provider are.

use std::collections::BTreeMap;
use std::time::Instant;

use futures_util::StreamExt as _;
use futures_util::future::join;
use futures_util::stream;

use super::{Provider, report};
use crate::core::{Config, Core, State, applied};
use crate::fake_heygen::{FakeHeygen, RateLimit, Route};
use crate::support::account::ADDRESS;

/// In each process.
const ENDPOINTS: usize = 30;

/// As Terraform does it.
const AT_ONCE: usize = 10;

async fn create_all(core: &Core, name: &str) {
    let created = (0..ENDPOINTS).map(|number| async move {
        let url = format!("https://hooks.example.com/{name}/{number}");
        let config = Config::from([(ADDRESS.to_owned(), [("url".to_owned(), url.as_str().into())].into())]);
        applied(core, &mut State::new(), &config).await;
    });
    stream::iter(created).buffer_unordered(AT_ONCE).collect::<()>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_share_a_limit_and_no_creation_fails() {
    let heygen = FakeHeygen::start();
    heygen.behave(|it| {
        it.rate_limit = Some(RateLimit {
            per_second: 20.0,
            burst: 10,
            retry_after: Some(1),
        });
    });
    let (one, other) = join(Provider::start(&heygen), Provider::start(&heygen)).await;
    let began = Instant::now();
    join(create_all(&one.core, "one"), create_all(&other.core, "other")).await;
    let took = began.elapsed();
    assert_eq!(heygen.endpoints().len(), 2 * ENDPOINTS);

    let mut attempts: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for request in heygen.requests_to(Route::Create) {
        let key = request.idempotency_key.expect("a creation has a key");
        attempts.entry(key).or_default().push(request.arrived_ms);
    }
    let refused: usize = attempts.values().map(|tries| tries.len() - 1).sum();
    report(&format!(
        "{ENDPOINTS} creations in each of two processes under a limit: {took:?}, {refused} refused"
    ));
    // Not many more than were under way when the first one was.
    assert!((1..=ENDPOINTS).contains(&refused), "{refused} refused: {attempts:?}");
    for tries in attempts.values() {
        assert!(tries.len() <= 4, "refused too often: {tries:?}");
        for (before, after) in tries.iter().zip(&tries[1..]) {
            assert!(after - before >= 990, "sooner than it was asked for: {tries:?}");
        }
    }
    one.shutdown().await;
    other.shutdown().await;
}
