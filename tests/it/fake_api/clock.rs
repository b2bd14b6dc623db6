//! The fake's clock: `Date`, what follows it, and what does not.

use std::time::{Duration, SystemTime};

use reqwest::Method;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::client::{Client, ENDPOINTS, Got};
use crate::fake_heygen::{BodyShape, Creation, Effect, Fault, RetryAfter, Route, Rule};

const URL: &str = "https://hooks.example.com/heygen";
const HOUR: i64 = 3_600_000;

#[tokio::test]
async fn every_answer_carries_one_date() {
    let client = Client::start();
    let page = Fault::Status {
        status: 502,
        body: BodyShape::Html,
        effect: Effect::None,
    };
    client.fake.inject(Rule::on(Route::Events, page));
    for got in [
        client.get(ENDPOINTS).await,
        client.try_create(URL).await.unwrap(),
        client.try_create("http://example.com/").await.unwrap(),
        client.delete("ep_1").await,
        client.get("/v3/webhooks/events").await,
        client.get("/nothing").await,
        client.get("/_control/clock").await,
    ] {
        assert_eq!(got.headers.get_all("date").iter().count(), 1, "{got:?}");
        assert!(away(date(&got), SystemTime::now()) < Duration::from_secs(20), "{got:?}");
    }
}

#[tokio::test]
async fn the_clock_can_be_off_by_an_hour_at_most_and_created_at_is_too() {
    let client = Client::start();
    for (offset, seen) in [(-HOUR, -HOUR), (90_000, 90_000), (2 * HOUR, HOUR), (i64::MIN, -HOUR)] {
        client.fake.behave(|it| it.clock_offset_ms = offset);
        let expected = OffsetDateTime::now_utc() + time::Duration::milliseconds(seen);
        let created = client.create(&json!({ "url": URL })).await;
        let created = OffsetDateTime::parse(created["created_at"].as_str().unwrap(), &Rfc3339).unwrap();
        let dated = date(&client.get(ENDPOINTS).await);
        for at in [created.into(), dated, client.fake.now().into()] {
            assert!(away(at, expected.into()) < Duration::from_secs(20), "{offset}: {at:?}");
        }
    }
}

#[tokio::test]
async fn two_servers_whose_clocks_are_apart_can_answer_in_turn() {
    let client = Client::start();
    for (apart, seen) in [(5_000, 5_000), (-90_000, -90_000), (2 * HOUR, HOUR)] {
        client.fake.behave(|it| it.clocks_apart_ms = apart);
        let mut turns = Vec::new();
        for _ in 0..2 {
            let created = client.try_create(URL).await.unwrap();
            let listed = client.get(ENDPOINTS).await;
            let ahead = |at: SystemTime| {
                let ahead = time::OffsetDateTime::from(at) - client.fake.now();
                // What is neither server's clock would be in between.
                match ahead.whole_milliseconds() - i128::from(seen) {
                    -3_000..=3_000 => 1,
                    _ if ahead.abs() <= Duration::from_secs(3) => 0,
                    _ => panic!("{ahead}"),
                }
            };
            let at = created.json()["data"]["created_at"].as_str().unwrap().to_owned();
            let at = OffsetDateTime::parse(&at, &Rfc3339).unwrap();
            assert_eq!(ahead(at.into()), ahead(date(&created)));
            turns.extend([ahead(date(&created)), ahead(date(&listed))]);
        }
        assert_eq!(
            turns,
            [0, 1, 0, 1].map(|turn| if turns[0] == 0 { turn } else { 1 - turn })
        );
        assert!(away(date(&client.get("/_control/clock").await), client.fake.now().into()) < Duration::from_secs(3));
    }
}

#[tokio::test]
async fn a_twin_is_made_by_the_server_that_does_not_answer_the_creation() {
    let client = Client::start();
    client.fake.behave(|it| it.clocks_apart_ms = 60_000);
    for expected in [56, -64] {
        let creation = Creation::Answered;
        client
            .fake
            .inject(Rule::on(Route::Create, Fault::TwinBefore { ms: 4_000, creation }));
        client.try_create(URL).await.unwrap();
        let made = client.fake.endpoints();
        let [.., twin, own] = made.as_slice() else {
            panic!("{made:?}");
        };
        let apart = (twin.created_at - own.created_at).as_seconds_f64();
        assert!((apart - f64::from(expected)).abs() < 2.0, "{apart}");
        // The other server's turn is over.
        client.walk(100).await;
        client.walk(100).await;
    }
}

#[tokio::test]
async fn the_date_can_be_left_out() {
    let client = Client::start();
    client.fake.behave(|it| it.no_date = true);
    for path in [ENDPOINTS, "/nothing", "/_control/clock"] {
        let got = client.get(path).await;
        assert!(got.headers.get("date").is_none(), "{got:?}");
    }
    client.fake.behave(|it| it.no_date = false);
    assert!(client.get(ENDPOINTS).await.headers.contains_key("date"));
}

#[tokio::test]
async fn the_clock_can_be_moved_forward_and_what_there_is_grows_older() {
    let client = Client::start();
    let before = client.fake.put_endpoint(super::of_url(URL));
    client.fake.advance(Duration::from_mins(3));
    client.fake.advance(Duration::from_mins(2));
    let after = client.create(&json!({ "url": URL })).await;
    let after = after["endpoint_id"].as_str().unwrap();
    let after = client.fake.endpoint(after).unwrap().created_at;
    let apart = after - before.created_at;
    assert!(apart >= time::Duration::minutes(5) && apart < time::Duration::minutes(6));
    assert_eq!(client.fake.endpoint(&before.endpoint_id), Some(before));

    let in_a_minute = RetryAfter::DateIn(60);
    client.fake.inject(Rule::on(
        Route::List,
        Fault::RateLimit {
            retry_after: in_a_minute,
        },
    ));
    let limited = client.get(ENDPOINTS).await;
    let retry = httpdate::parse_http_date(limited.header("retry-after")).unwrap();
    assert!(away(retry, date(&limited)) >= Duration::from_secs(59));
    assert!(away(retry, date(&limited)) <= Duration::from_secs(61));
}

#[tokio::test]
async fn the_clock_is_told_and_moved_over_the_control_path() {
    let client = Client::start();
    let told = async |got: Got| OffsetDateTime::parse(got.json()["now"].as_str().unwrap(), &Rfc3339).unwrap();
    let advance = async |ms| {
        let path = "/_control/clock/advance";
        client.send(Method::POST, path, &json!({ "ms": ms })).await
    };
    let before = told(client.get("/_control/clock").await).await;
    let after = told(advance(120_000_u64).await).await;
    assert!(after - before >= time::Duration::minutes(2));
    assert!(client.fake.now() >= after);
    assert_eq!(advance(u64::MAX).await.status, 400);
}

#[tokio::test]
async fn a_key_expires_by_the_clock_that_is_moved_and_not_by_how_far_it_is_off() {
    let client = Client::start();
    let made = async || {
        client.create_with_key(URL, "key-1").await;
        client.fake.endpoints().len()
    };
    assert_eq!(made().await, 1);
    client.fake.behave(|it| it.clock_offset_ms = HOUR);
    client.fake.advance(Duration::from_hours(23));
    assert_eq!(made().await, 1);
    client.fake.advance(Duration::from_hours(1));
    assert_eq!(made().await, 2);
}

#[tokio::test]
async fn a_lag_does_not_end_because_the_clock_is_moved() {
    let client = Client::start();
    client.fake.behave(|it| it.list_lag_ms = 3_600_000);
    client.create(&json!({ "url": URL })).await;
    client.fake.advance(Duration::from_hours(2));
    assert!(client.walk(100).await.is_empty());
    client.fake.catch_up();
    assert_eq!(client.walk(100).await.len(), 1);

    client.fake.behave(|it| it.list_lag_walks = 9);
    client.create(&json!({ "url": URL })).await;
    assert_eq!(client.walk(100).await.len(), 1);
    let caught_up = client.send(Method::POST, "/_control/catch_up", &json!({})).await;
    assert_eq!((caught_up.status, client.walk(100).await.len()), (200, 2));
}

#[tokio::test]
async fn an_endpoint_can_be_given_with_the_moment_of_its_creation() {
    let client = Client::start();
    let body = json!({ "url": URL, "created_at": "2026-07-01T12:00:00Z" });
    let put = async |body| client.send(Method::POST, "/_control/endpoints", &body).await;
    assert_eq!(put(body).await.json()["created_at"], "2026-07-01T12:00:00Z");
    let earlier = client.fake.now() - Duration::from_secs(20);
    let given = client.fake.put_endpoint_created_at(super::of_url(URL), earlier);
    assert_eq!(given.created_at, earlier);
    assert_eq!(client.walk(100).await[0]["created_at"], "2026-07-01T12:00:00Z");
    let wrong = json!({ "url": URL, "created_at": "yesterday" });
    assert_eq!(put(wrong).await.status, 400);
}

fn date(got: &Got) -> SystemTime {
    httpdate::parse_http_date(got.header("date")).expect("a date")
}

fn away(one: SystemTime, other: SystemTime) -> Duration {
    one.duration_since(other).unwrap_or_else(|other| other.duration())
}
