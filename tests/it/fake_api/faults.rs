//! Each fault as a client sees it, and whether the call took effect.

use std::{
    io::{ErrorKind, Read as _},
    net::TcpStream,
    time::Duration,
};

use reqwest::Method;
use serde_json::json;

use super::client::{Client, ENDPOINTS};
use crate::fake_heygen::{BodyShape, Effect, FakeHeygen, Fault, RandomFaults, RetryAfter, Route, Rule, Wait};

const URL: &str = "https://hooks.example.com/heygen";
/// Longer than anything here takes, shorter than the server's own patience.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_rate_limit_says_when_to_come_back_or_something_absurd() {
    let client = Client::start();
    for (retry_after, says) in [
        (RetryAfter::Absent, ""),
        (RetryAfter::Seconds(7), "7"),
        (RetryAfter::Text("-5".into()), "-5"),
        (RetryAfter::Text("1e30".into()), "1e30"),
        (RetryAfter::Text("soon".into()), "soon"),
        (RetryAfter::DateIn(i64::MAX), "Fri, 31 Dec 9999 23:59:59 GMT"),
        (RetryAfter::DateIn(i64::MIN), "Thu, 01 Jan 1970 00:00:00 GMT"),
    ] {
        let fault = Fault::RateLimit { retry_after };
        client.fake.inject(Rule::on(Route::Create, fault));
        let got = client.try_create(URL).await.unwrap();
        assert_eq!((got.status, got.code()), (429, "rate_limit_exceeded".into()));
        assert_eq!(got.header("retry-after"), says);
        assert!(!got.header("x-request-id").is_empty());
    }
    let in_a_minute = RetryAfter::DateIn(60);
    let fault = Fault::RateLimit {
        retry_after: in_a_minute,
    };
    client.fake.inject(Rule::on(Route::List, fault));
    let got = client.get(ENDPOINTS).await;
    let at = httpdate::parse_http_date(got.header("retry-after")).unwrap();
    let left = at.duration_since(std::time::SystemTime::now()).unwrap();
    assert!(left <= Duration::from_mins(1) && left > Duration::from_secs(30));
    assert!(client.fake.endpoints().is_empty());
    assert_eq!(client.fake.faults_by_kind()["rate_limit"], 8);
}

#[tokio::test]
async fn a_server_error_has_any_body_and_happens_before_or_after_the_effect() {
    let client = Client::start();
    for (status, body, begins) in [
        (500, BodyShape::Json, "{\"error\""),
        (502, BodyShape::Html, "<html>"),
        (503, BodyShape::Empty, ""),
        (504, BodyShape::Html, "<html>"),
    ] {
        for effect in [Effect::None, Effect::Done] {
            let before = client.fake.endpoints().len();
            let fault = Fault::Status { status, body, effect };
            client.fake.inject(Rule::on(Route::Create, fault));
            let got = client.try_create(URL).await.unwrap();
            assert_eq!(got.status, status);
            assert!(got.text.starts_with(begins));
            assert_eq!(got.text.is_empty(), begins.is_empty());
            let made = client.fake.endpoints().len() - before;
            assert_eq!(made, usize::from(effect == Effect::Done));
            let log = client.fake.requests();
            assert_eq!(log.last().unwrap().took_effect, effect == Effect::Done);
        }
    }
    assert_eq!(client.fake.faults_by_kind()["status"], 4);
    assert_eq!(client.fake.faults_by_kind()["status_after_effect"], 4);
}

#[tokio::test]
async fn some_faults_answer_for_an_api_that_never_heard_of_the_request() {
    let client = Client::start();
    let elsewhere = "https://elsewhere.example.com/";
    let redirect = Fault::Redirect {
        location: elsewhere.into(),
    };
    for (fault, status, code) in [
        (Fault::InProgress, 409, "request_in_progress"),
        (Fault::Unauthorized, 401, "unauthorized"),
        (Fault::NotFound, 404, "webhook_not_found"),
    ] {
        client.fake.inject(Rule::on_any(fault));
        let got = client.try_create(URL).await.unwrap();
        assert_eq!((got.status, got.code()), (status, code.to_owned()));
    }
    client.fake.inject(Rule::on_any(redirect));
    let got = client.try_create(URL).await.unwrap();
    assert_eq!((got.status, got.header("location")), (307, elsewhere));
    assert!(client.fake.endpoints().is_empty());
}

#[tokio::test]
async fn a_reset_comes_before_or_after_the_effect() {
    let client = Client::start();
    for effect in [Effect::None, Effect::Done] {
        client.fake.inject(Rule::on(Route::Create, Fault::Reset { effect }));
        client.try_create(URL).await.expect_err("no answer");
        let made = client.fake.endpoints().len();
        assert_eq!(made, usize::from(effect == Effect::Done));
    }
    let log = client.fake.requests();
    assert_eq!(
        (log[0].fault, log[1].fault),
        (Some("reset"), Some("reset_after_effect"))
    );
    assert_eq!((log[0].status, log[1].status), (None, None));
    assert!(log.iter().all(|request| request.finished));
}

#[test]
fn a_reset_is_a_reset_and_not_an_end() {
    let client = Client::start();
    let reset = Fault::Reset { effect: Effect::None };
    client.fake.inject(Rule::on(Route::List, reset));
    let (text, end) = client.raw_get(ENDPOINTS);
    assert_eq!(
        (text.as_str(), end.unwrap_err().kind()),
        ("", ErrorKind::ConnectionReset)
    );
}

#[test]
fn a_truncated_answer_ends_half_way() {
    let client = Client::start();
    let (whole, _) = client.raw_get(ENDPOINTS);
    let whole = whole.split_once("\r\n\r\n").unwrap().1.to_owned();
    client.fake.inject(Rule::on(Route::List, Fault::Truncated));
    let (cut, _) = client.raw_get(ENDPOINTS);
    let (head, half) = cut.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}", whole.len())), "{head}");
    assert_eq!(half, &whole[..whole.len() / 2]);
}

#[tokio::test]
async fn a_truncated_answer_takes_effect_and_cannot_be_read() {
    let client = Client::start();
    client.fake.inject(Rule::on(Route::Create, Fault::Truncated));
    client.try_create(URL).await.expect_err("half an answer");
    assert_eq!(client.fake.endpoints().len(), 1);
}

#[tokio::test]
async fn an_answer_can_come_too_late_although_the_call_took_effect() {
    let client = Client::start().impatient(Duration::from_millis(200));
    let late = Fault::Delay {
        ms: 60_000,
        wait: Wait::After,
    };
    client.fake.inject(Rule::on(Route::Create, late));
    let error = client.try_create(URL).await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!(client.fake.endpoints().len(), 1);
}

#[test]
fn the_work_goes_on_when_the_caller_has_gone() {
    let client = Client::start();
    let held = Fault::Held { wait: Wait::Before };
    client.fake.inject(Rule::on(Route::Create, held));
    let body = json!({ "url": URL }).to_string();
    let socket = client.raw(&format!("POST {ENDPOINTS} HTTP/1.1"), &body);
    let fake = &client.fake;
    fake.wait_for_request(PATIENCE, |_| true).expect("it arrives");
    drop(socket);
    // By the time it has answered somebody else, the server knows that the caller has gone.
    for _ in 0..2 {
        let (answer, _) = client.raw_get(ENDPOINTS);
        assert!(answer.starts_with("HTTP/1.1 200"));
    }
    assert!(fake.endpoints().is_empty());
    fake.release();
    let done = fake.wait_for_request(PATIENCE, |request| {
        request.finished && request.route == Some(Route::Create)
    });
    assert!(done.expect("it ends").took_effect);
    assert_eq!(fake.endpoints().len(), 1);
}

#[tokio::test]
async fn an_answer_can_be_held_until_it_is_released() {
    let client = Client::start();
    let held = Fault::Held { wait: Wait::After };
    client.fake.inject(Rule::on(Route::Create, held));
    let (got, ()) = tokio::join!(client.try_create(URL), async {
        let fake = &client.fake;
        let done = fake.see_request(PATIENCE, |request| request.finished);
        assert!(done.await.expect("the work is done").took_effect);
        fake.release();
    });
    assert_eq!(got.unwrap().status, 200);
}

#[tokio::test]
async fn connections_are_refused_and_accepted_again_on_the_same_port() {
    let client = Client::start();
    let before = client.fake.base_url();
    for _ in 0..5 {
        assert_eq!(client.get(ENDPOINTS).await.status, 200);
        client.fake.refuse_connections();
        let error = client.try_get(ENDPOINTS).await.unwrap_err();
        assert!(error.is_connect(), "{error:?}");
        client.fake.accept_connections();
    }
    assert_eq!(client.get(ENDPOINTS).await.status, 200);
    assert_eq!(client.fake.base_url(), before);
}

#[tokio::test]
async fn a_connection_kept_open_is_closed_before_the_next_are_refused() {
    let client = Client::start();
    let mut kept = client.raw(&format!("GET {ENDPOINTS} HTTP/1.1"), "");
    client.fake.see_request(PATIENCE, |_| true).await.expect("it arrives");
    let held = Fault::Held { wait: Wait::After };
    client.fake.inject(Rule::on(Route::EventTypes, held));
    let mut busy = client.raw("GET /v3/webhooks/event-types HTTP/1.1", "");
    client
        .fake
        .see_request(PATIENCE, |it| it.route == Some(Route::EventTypes) && it.finished)
        .await
        .expect("it arrives");
    client.fake.refuse_connections();
    let answered = read_to_end(&mut kept);
    assert_eq!(answered.matches("HTTP/1.1 200").count(), 1, "{answered}");
    client.fake.release();
    assert!(read_to_end(&mut busy).starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn one_page_can_come_with_the_cursor_it_was_asked_with() {
    let client = Client::start();
    client.fake.put_many(5, "repeat");
    client.fake.inject(Rule::on(Route::List, Fault::CursorRepeats).after(1));
    let page = async |token: &str| client.get(&format!("{ENDPOINTS}?limit=2{token}")).await.json();
    let first = page("").await;
    let token = first["next_token"].as_str().unwrap();
    let second = format!("&token={token}");
    let repeated = page(&second).await;
    assert_eq!(
        (&repeated["next_token"], &repeated["has_more"]),
        (&json!(token), &json!(true))
    );
    let again = page(&second).await;
    assert_eq!(again["data"], repeated["data"]);
    assert_ne!(again["next_token"], token);
    assert_eq!(client.fake.faults_by_kind()["cursor_repeats"], 1);
}

#[tokio::test]
async fn the_pages_can_shift_once_while_they_are_walked() {
    let client = Client::start();
    client.fake.put_many(9, "shift");
    let all = client.walk(3).await;
    for (by, walked) in [
        (1, [&all[0..3], &all[4..7], &all[7..9]].concat()),
        (-1, [&all[0..3], &all[2..5], &all[5..8], &all[8..9]].concat()),
    ] {
        client
            .fake
            .inject(Rule::on(Route::List, Fault::PageShifts { by }).after(1));
        assert_eq!(client.walk(3).await, walked);
        assert_eq!(client.walk(3).await, all);
    }
    let kinds = client.fake.faults_by_kind();
    assert_eq!((kinds["page_shifts_on"], kinds["page_shifts_back"]), (1, 1));
}

#[tokio::test]
async fn the_list_can_lag_behind_one_creation() {
    let client = Client::start();
    client
        .fake
        .inject(Rule::on(Route::Create, Fault::ListLags { walks: 2 }));
    let late = client.create(&json!({ "url": URL })).await["endpoint_id"].take();
    let seen = client.create(&json!({ "url": URL })).await["endpoint_id"].take();
    for expected in [vec![&seen], vec![&seen], vec![&late, &seen]] {
        let walked = client.walk(1).await;
        let walked: Vec<_> = walked.iter().map(|it| &it["endpoint_id"]).collect();
        assert_eq!(walked, expected);
    }
    assert_eq!(client.fake.faults_by_kind()["list_lags"], 1);
}

#[tokio::test]
async fn a_fault_does_not_shorten_the_lag_all_creations_have() {
    let client = Client::start();
    client.fake.behave(|it| it.list_lag_walks = 2);
    client
        .fake
        .inject(Rule::on(Route::Create, Fault::ListLags { walks: 1 }));
    client.create(&json!({ "url": URL })).await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(client.walk(100).await.len());
    }
    assert_eq!(seen, [0, 0, 1]);
}

#[tokio::test]
async fn the_list_can_lag_behind_one_creation_for_a_while() {
    let client = Client::start();
    let a_while = Fault::ListLagsFor { ms: 3_600_000 };
    client.fake.inject(Rule::on(Route::Create, a_while));
    client.fake.behave(|it| it.list_lag_ms = 1);
    client.create(&json!({ "url": URL })).await;
    client.fake.behave(|it| it.list_lag_ms = 0);
    let seen = client.create(&json!({ "url": URL })).await["endpoint_id"].take();
    for _ in 0..3 {
        let walked = client.walk(1).await;
        assert_eq!((walked.len(), &walked[0]["endpoint_id"]), (1, &seen));
    }
    client.fake.catch_up();
    assert_eq!(client.walk(1).await.len(), 2);
    assert_eq!(client.fake.faults_by_kind()["list_lags_for"], 1);
}

#[tokio::test]
async fn a_lag_ends_by_itself() {
    let client = Client::start();
    client.fake.behave(|it| it.list_lag_ms = 50);
    client.create(&json!({ "url": URL })).await;
    let seen = async { while client.walk(100).await.is_empty() {} };
    tokio::time::timeout(PATIENCE, seen).await.expect("it is listed");
}

#[tokio::test]
async fn one_page_can_be_slow_or_all_of_them_and_nothing_else() {
    let client = Client::start().impatient(Duration::from_millis(300));
    let slow = Fault::SlowPage { ms: 60_000 };
    client.fake.inject(Rule::on(Route::List, slow));
    assert!(client.try_get(ENDPOINTS).await.unwrap_err().is_timeout());
    assert_eq!(client.get(ENDPOINTS).await.status, 200);
    assert_eq!(client.fake.faults_by_kind()["slow_page"], 1);

    client.fake.behave(|it| it.page_latency_ms = 60_000);
    assert_eq!(client.try_create(URL).await.unwrap().status, 200);
    assert_eq!(client.get("/v3/webhooks/event-types").await.status, 200);
    assert!(client.try_get(ENDPOINTS).await.unwrap_err().is_timeout());
}

#[tokio::test]
async fn one_update_can_ignore_null_events_and_heed_everything_else() {
    let client = Client::start();
    let events = json!(["batch.finished"]);
    let created = client.create(&json!({ "url": URL, "events": events })).await;
    let id = created["endpoint_id"].as_str().unwrap();
    client.fake.inject(Rule::on(Route::Update, Fault::NullEventsIgnored));
    let moved = "https://hooks.example.com/moved";
    for expected in [&events, &json!(null)] {
        let answer = client.patch(id, &json!({ "url": moved, "events": null })).await.json();
        assert_eq!(
            (&answer["data"]["url"], &answer["data"]["events"]),
            (&json!(moved), expected)
        );
    }
    assert_eq!(client.fake.faults_by_kind()["null_events_ignored"], 1);
}

#[tokio::test]
async fn all_is_done_when_the_work_for_callers_who_have_gone_is_done() {
    let client = Client::start().impatient(Duration::from_millis(200));
    let held = Fault::Held { wait: Wait::Before };
    client.fake.inject(Rule::on(Route::Create, held));
    client.try_create(URL).await.expect_err("no answer yet");
    assert!(!client.fake.see_all_done(Duration::ZERO).await);
    client.fake.release();
    assert!(client.fake.see_all_done(PATIENCE).await);
    assert_eq!(client.fake.endpoints().len(), 1);
}

#[tokio::test]
async fn a_rule_strikes_the_calls_it_names_as_often_as_it_says() {
    let client = Client::start();
    let first = client.create(&json!({ "url": URL })).await;
    let second = client.create(&json!({ "url": URL })).await;
    let first = first["endpoint_id"].as_str().unwrap();
    let second = second["endpoint_id"].as_str().unwrap();
    let rule = Rule::on(Route::Update, Fault::NotFound);
    client.fake.inject(rule.naming(second).after(1).times(2));
    let mut seen = Vec::new();
    for id in [first, second, first, second, second, second] {
        seen.push(client.patch(id, &json!({ "url": URL })).await.status);
    }
    assert_eq!(seen, [200, 200, 200, 404, 404, 200]);

    client.fake.inject(Rule::on_any(Fault::Unauthorized).always());
    for _ in 0..3 {
        assert_eq!(client.get(ENDPOINTS).await.status, 401);
    }
    client.fake.clear_faults();
    assert_eq!(client.get(ENDPOINTS).await.status, 200);
    assert_eq!(client.fake.faults_by_kind()["unauthorized"], 3);
}

#[tokio::test]
async fn a_request_without_the_right_key_meets_no_fault() {
    let client = Client::start();
    client.fake.inject(Rule::on_any(Fault::InProgress));
    let stranger = client.bare(Method::GET, ENDPOINTS).send().await.unwrap();
    assert_eq!(stranger.status(), 401);
    assert!(client.fake.faults_by_kind().is_empty());
}

#[tokio::test]
async fn chance_is_decided_by_the_seed() {
    let one = struck_by_chance(1).await;
    assert_eq!(one, struck_by_chance(1).await);
    assert_ne!(one, struck_by_chance(2).await);
    let struck = one.iter().filter(|fault| fault.is_some()).count();
    assert!((20..=60).contains(&struck), "{struck} of 200 calls");
    let kinds: std::collections::BTreeSet<_> = one.into_iter().flatten().collect();
    assert!(kinds.len() >= 8, "{kinds:?}");
}

#[tokio::test]
async fn chance_tells_no_lie_that_no_client_can_see_through() {
    let client = Client::start();
    client.fake.inject_randomly(RandomFaults {
        seed: 3,
        rate: 1.0,
        routes: vec![Route::Delete],
        faults: Fault::palette(),
    });
    for _ in 0..100 {
        // Answers of every kind may come, or none.
        let path = format!("{ENDPOINTS}/ep_1");
        let _ = client.request(Method::DELETE, &path).send().await;
    }
    let kinds = client.fake.faults_by_kind();
    assert_eq!(kinds.values().sum::<u64>(), 100);
    for kind in ["not_found", "in_progress", "missing_field"] {
        assert!(!kinds.contains_key(kind), "{kinds:?}");
    }
}

#[tokio::test]
async fn chance_brings_what_a_call_shows_and_loses_endpoints_in_one_page_only() {
    let client = Client::start();
    client.fake.put_many(2, "page");
    let id = client.fake.endpoints()[0].endpoint_id.clone();
    client.fake.inject_randomly(RandomFaults {
        seed: 4,
        rate: 1.0,
        routes: Vec::new(),
        faults: vec![
            Fault::CursorRepeats,
            Fault::PageShifts { by: 1 },
            Fault::NullEventsIgnored,
            Fault::ListLags { walks: 1 },
        ],
    });
    let first = client.get(&format!("{ENDPOINTS}?limit=1")).await.json();
    client.patch(&id, &json!({ "url": URL })).await;
    client.delete("ep_1").await;
    assert!(client.fake.faults_by_kind().is_empty());

    client.try_create(URL).await.unwrap();
    client.patch(&id, &json!({ "events": null })).await;
    let second = format!("{ENDPOINTS}?limit=1&token={}", first["next_token"].as_str().unwrap());
    for _ in 0..20 {
        client.get(&second).await;
    }
    let kinds = client.fake.faults_by_kind();
    assert_eq!((kinds["list_lags"], kinds["null_events_ignored"]), (1, 1));
    assert_eq!((kinds["page_shifts_on"], kinds["cursor_repeats"]), (1, 19));
}

#[tokio::test]
async fn chance_draws_a_kind_first_and_then_one_of_its_entries() {
    let client = Client::start();
    let rate_limit = |seconds| Fault::RateLimit {
        retry_after: RetryAfter::Seconds(seconds),
    };
    let mut faults: Vec<Fault> = (0..9).map(rate_limit).collect();
    faults.push(Fault::Unauthorized);
    client.fake.inject_randomly(RandomFaults {
        seed: 1,
        rate: 1.0,
        routes: Vec::new(),
        faults,
    });
    let mut entries = std::collections::BTreeSet::new();
    for _ in 0..200 {
        entries.insert(client.get(ENDPOINTS).await.header("retry-after").to_owned());
    }
    let kinds = client.fake.faults_by_kind();
    assert!((70..=130).contains(&kinds["unauthorized"]), "{kinds:?}");
    assert_eq!(entries.len(), 10, "{entries:?}");
}

fn read_to_end(socket: &mut TcpStream) -> String {
    let mut text = String::new();
    socket.read_to_string(&mut text).unwrap();
    text
}

async fn struck_by_chance(seed: u64) -> Vec<Option<&'static str>> {
    let client = Client::of(FakeHeygen::start());
    let mut faults = Fault::palette();
    faults.retain(|fault| !matches!(fault, Fault::Delay { .. }));
    client.fake.inject_randomly(RandomFaults {
        seed,
        rate: 0.2,
        routes: Vec::new(),
        faults,
    });
    for _ in 0..100 {
        let _ = client.try_create(URL).await;
        let _ = client.try_get(ENDPOINTS).await;
    }
    let log = client.fake.requests();
    log.iter().map(|request| request.fault).collect()
}
