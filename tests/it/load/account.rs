//! An account of ten thousand endpoints, of which the configuration knows a few.

use std::time::Instant;

use futures_util::future::join_all;
use terraform_provider_heygen::terraform::Value;

use super::{Caller, Provider, report, text};
use crate::fake_heygen::{FakeHeygen, Route};

const ENDPOINTS: usize = 10_000;
/// At a hundred to a page.
const PAGES: usize = 100;

fn state(caller: &Caller, id: &str) -> Value {
    caller.object(&[
        ("id", Value::String(id.to_owned())),
        ("url", Value::String("https://before.example.com/".to_owned())),
        ("secret", Value::String("whsec_kept".to_owned())),
        ("status", Value::String("enabled".to_owned())),
        ("created_at", Value::String("2026-11-24T00:00:00Z".to_owned())),
    ])
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
        let mut caller = provider.caller();
        let read = caller.read(&state(&caller, &endpoint.endpoint_id)).await;
        assert_eq!(text(&read, "url"), endpoint.url);
    }
    let alone = began.elapsed();
    assert_eq!(heygen.requests_to(Route::List).len(), PAGES);
    provider.shutdown().await;

    heygen.clear_requests();
    let provider = Provider::start(&heygen).await;
    let began = Instant::now();
    let step = ENDPOINTS / 200;
    let readers = endpoints.iter().step_by(step).chain([first, last]).map(|endpoint| {
        let (mut caller, id, url) = (provider.caller(), endpoint.endpoint_id.clone(), endpoint.url.clone());
        tokio::spawn(async move {
            let read = caller.read(&state(&caller, &id)).await;
            assert_eq!(text(&read, "url"), url);
            assert_eq!(text(&read, "secret"), "whsec_kept");
        })
    });
    let readers = join_all(readers).await;
    let count = readers.len();
    assert!(readers.into_iter().all(|reader| reader.is_ok()));
    assert_eq!(heygen.requests_to(Route::List).len(), PAGES);
    report(&format!(
        "{ENDPOINTS} endpoints: the first and the last read in {alone:?}, {count} at once in {:?}, {PAGES} list calls each time",
        began.elapsed()
    ));
    #[cfg(target_os = "linux")]
    {
        let most = crate::support::process::memory(provider.plugin.process.pid(), "VmHWM");
        report(&format!("resident at most: {} MiB", most >> 20));
        assert!(most < 256 << 20, "{most} bytes");
    }
    provider.shutdown().await;
}
