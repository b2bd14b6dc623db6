//! A list whose pages take their time: it is read once, however many ask and however late they come.

use std::env;
use std::fmt::Write as _;

use super::start;
use crate::fake_heygen::{FakeHeygen, Fault, NewEndpoint, RetryAfter, Route, Rule};
use crate::support::terraform::Workspace;

/// How long a page takes, in milliseconds. `make soak` sets `SLOW_PAGE_MS` to what was seen once, seven seconds.
fn page_takes() -> u64 {
    env::var("SLOW_PAGE_MS").map_or(300, |text| {
        text.parse().expect("SLOW_PAGE_MS is a number of milliseconds")
    })
}

/// Imports of 21 endpoints on the sixth page of seven.
fn twenty_one_on_the_sixth_page() -> (Workspace, FakeHeygen) {
    let (tf, heygen) = start();
    heygen.put_many(540, "before");
    let mut configuration = "provider \"heygen\" {}\n".to_owned();
    for number in 0..21 {
        let url = format!("https://hooks.example.com/{number}");
        let new = NewEndpoint {
            url: url.clone(),
            ..NewEndpoint::default()
        };
        let id = heygen.put_endpoint(new).endpoint_id;
        let _ = write!(
            configuration,
            "import {{\n  to = heygen_webhook_endpoint.a{number}\n  id = \"{id}\"\n}}\nresource \
             \"heygen_webhook_endpoint\" \"a{number}\" {{\n  url = \"{url}\"\n}}\n"
        );
    }
    heygen.put_many(60, "after");
    tf.write("main.tf", &configuration);
    tf.apply_unchecked();
    assert_eq!(tf.state().addresses().len(), 21);
    heygen.clear_requests();
    (tf, heygen)
}

#[test]
fn twenty_one_readers_of_endpoints_on_its_sixth_page_read_each_page_once() {
    let (tf, heygen) = twenty_one_on_the_sixth_page();
    heygen.behave(|it| it.page_latency_ms = page_takes());
    tf.plan_with(&["-parallelism=10"]).expect_empty();
    assert_eq!(heygen.requests_to(Route::List).len(), 6);
}

#[test]
fn readers_of_a_slow_list_share_what_a_rate_limit_asks_them_to_wait() {
    let (tf, heygen) = twenty_one_on_the_sixth_page();
    heygen.behave(|it| it.page_latency_ms = 100);
    for page in [0, 3] {
        let retry_after = RetryAfter::Seconds(1);
        heygen.inject(Rule::on(Route::List, Fault::RateLimit { retry_after }).after(page));
    }
    tf.plan_with(&["-parallelism=10"]).expect_empty();
    assert_eq!(heygen.requests_to(Route::List).len(), 8, "two were refused");
}
