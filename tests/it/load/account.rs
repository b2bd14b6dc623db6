//! A large account, of which the configuration knows a few endpoints.

use std::time::Instant;

use futures_util::future::join_all;

use super::{Provider, report};
use crate::core::{Core, Instance, State, Value};
use crate::fake_heygen::{Endpoint, FakeHeygen, Route};
use crate::support::account::ADDRESS;

const ENDPOINTS: usize = 10_000;
/// At a hundred to a page.
const PAGES: usize = 100;

/// Reads one endpoint, of which state knows the id and the secret, and nothing else that is still true.
async fn read(core: &Core, endpoint: &Endpoint) {
    let attributes = [
        ("id", endpoint.endpoint_id.as_str().into()),
        ("url", "https://before.example.com/".into()),
        ("events", Value::Null),
        ("entity_id", Value::Null),
        ("rotate_trigger", Value::Null),
        ("replace_when_disabled", Value::Null),
        ("secret", "whsec_kept".into()),
        ("status", "enabled".into()),
        ("created_at", "2026-11-24T00:00:00Z".into()),
    ];
    let instance = Instance {
        value: Value::object(attributes),
        private: Vec::new(),
        identity: None,
        tainted: false,
        schema_version: 0,
        identity_version: 0,
    };
    let mut state = State::from([(ADDRESS.to_owned(), instance)]);
    let report = core.refresh(&mut state).await;
    assert!(!report.errored(), "{report:?}");
    let read = &state[ADDRESS].value;
    assert_eq!(read.attribute("url").as_str(), Some(endpoint.url.as_str()));
    assert_eq!(read.attribute("secret").as_str(), Some("whsec_kept"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_of_ten_thousand_is_walked_once_however_many_read() {
    let heygen = FakeHeygen::start();
    heygen.put_many(ENDPOINTS, "many");
    let endpoints = heygen.endpoints();
    assert_eq!(endpoints.len(), ENDPOINTS);
    // The one that the list shows last, whichever way round it is.
    let (first, last) = (&endpoints[0], &endpoints[ENDPOINTS - 1]);

    let provider = Provider::start(&heygen).await;
    let began = Instant::now();
    for endpoint in [first, last] {
        read(&provider.core, endpoint).await;
    }
    let alone = began.elapsed();
    assert_eq!(heygen.requests_to(Route::List).len(), PAGES);
    provider.shutdown().await;

    heygen.clear_requests();
    let provider = Provider::start(&heygen).await;
    let began = Instant::now();
    let step = ENDPOINTS / 200;
    let readers = endpoints.iter().step_by(step).chain([first, last]);
    let readers = readers.map(|endpoint| read(&provider.core, endpoint));
    let count = join_all(readers).await.len();
    assert_eq!(heygen.requests_to(Route::List).len(), PAGES);
    report(&format!(
        "{ENDPOINTS} endpoints: the first and the last read in {alone:?}, {count} at once in {:?}, {PAGES} list calls each time",
        began.elapsed()
    ));
    #[cfg(target_os = "linux")]
    {
        let most = provider.memory("VmHWM");
        report(&format!("resident at most: {} MiB", most >> 20));
        assert!(most < 256 << 20, "{most} bytes");
    }
    provider.shutdown().await;
}
