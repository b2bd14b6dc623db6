//! Calls over a scripted transport, with a clock that jumps to the next thing to happen.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use secrecy::ExposeSecret;
use serde_json::json;
use tokio::time::Instant;

use super::{Act, Scripted, TIMEOUT, endpoint, endpoint_with_secret, id};
use crate::heygen::request::NoRandomness;
use crate::heygen::{
    CallStart, CreateEndpoint, CreatedSince, Effect, Endpoint, EndpointPatch, Failure, Fault, FieldError, Stop,
};

fn some_endpoint() -> CreateEndpoint {
    CreateEndpoint {
        url: "https://a.example/".into(),
        events: None,
        entity_id: None,
    }
}

fn some_patch() -> EndpointPatch {
    EndpointPatch {
        url: Some("https://b.example/".into()),
        events: None,
    }
}

fn dropped() -> Act {
    Act::Fail(Fault::Dropped("reset".into()))
}

fn unreachable() -> Act {
    Act::Fail(Fault::Unreachable("refused".into()))
}

fn garbled() -> Act {
    Act::Answer(200, Vec::new(), b"{\"data\": {\"endp".to_vec())
}

/// Creates an endpoint with four retries, and answers how that failed.
async fn failed_create(acts: Vec<Act>) -> Failure {
    Scripted::acts(acts)
        .client(4)
        .create(&some_endpoint(), &Stop::new())
        .await
        .unwrap_err()
        .failure
}

#[tokio::test(start_paused = true)]
async fn a_lost_create_answer_is_replayed_under_its_key() {
    let server = Scripted::acts([
        dropped(),
        garbled(),
        Act::error(409, "request_in_progress"),
        Act::Hang,
        Act::ok(&endpoint_with_secret("ep_1")),
    ]);
    let client = server.client(4);
    let made = client.create(&some_endpoint(), &Stop::new()).await.unwrap();
    assert_eq!(made.secret.unwrap().expose_secret(), "whsec_first");

    let keys = |requests: &[crate::heygen::request::Request]| -> BTreeSet<String> {
        requests
            .iter()
            .map(|request| request.idempotency_key().unwrap().as_str().to_owned())
            .collect()
    };
    assert_eq!(server.calls(), 5);
    assert_eq!(
        keys(&server.asked()).len(),
        1,
        "every repetition carries the key of the first"
    );

    let _ = client.create(&some_endpoint(), &Stop::new()).await;
    assert_eq!(keys(&server.asked()).len(), 2, "another create has another key");
}

#[tokio::test(start_paused = true)]
async fn attempts_are_counted_and_end() {
    for retries in [0, 1, 4] {
        let server = Scripted::new(|_| Act::error(503, "busy"));
        let failure = server
            .client(retries)
            .delete(&id("ep_1"), &Stop::new())
            .await
            .unwrap_err();
        assert_eq!(failure.attempts, retries + 1);
        assert_eq!(server.calls(), retries as usize + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_final_and_keeps_its_request_id() {
    let refusal = json!({"error": {"code": "not_found", "message": "gone", "param": "endpoint_id"}});
    for header in ["x-request-id", "X-Amzn-Request-Id"] {
        let server = Scripted::acts([Act::json(404, &refusal).with_header(header, "req-7")]);
        let failure = server
            .client(4)
            .update(&id("ep_1"), &some_patch(), &Stop::new())
            .await
            .unwrap_err();
        assert!(failure.is_not_found());
        assert_eq!(failure.request_id.as_deref(), Some("req-7"));
        assert_eq!(failure.effect, Effect::None);
        assert_eq!(
            failure.to_string(),
            "updating webhook endpoint ep_1: the API answered 404 not_found: gone (parameter endpoint_id) \
             (request id req-7)"
        );
    }
    let failure = failed_create(vec![Act::error(401, "unauthorized")]).await;
    assert!(matches!(failure.fault, Fault::Refused { status: 401, .. }));
    assert_eq!(failure.attempts, 1);
}

#[tokio::test(start_paused = true)]
async fn one_attempt_in_doubt_leaves_the_whole_call_in_doubt() {
    let refused = || Act::error(401, "unauthorized");
    assert_eq!(failed_create(vec![unreachable(), refused()]).await.effect, Effect::None);
    assert_eq!(
        failed_create(vec![Act::error(429, "slow_down"), refused()])
            .await
            .effect,
        Effect::None
    );
    for doubtful in [
        dropped(),
        garbled(),
        Act::Hang,
        Act::error(500, "oops"),
        Act::error(409, "request_in_progress"),
    ] {
        let failure = failed_create(vec![doubtful, unreachable(), refused()]).await;
        assert_eq!((failure.attempts, failure.effect), (3, Effect::Unknown));
        assert!(matches!(failure.fault, Fault::Refused { status: 401, .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn jitter_is_above_retry_after_in_seconds_and_as_a_date_and_the_sum_is_capped() {
    let date = |ahead: u64| httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(ahead));
    for (header, at_least, at_most) in [
        ("7".to_owned(), 7.5, 7.51),
        ("0".to_owned(), 0.5, 0.51),
        ("-5".to_owned(), 0.5, 0.51),
        ("later".to_owned(), 0.5, 0.51),
        ("99999999999999999999".to_owned(), 30.0, 30.01),
        (date(20), 10.0, 20.51), // whole seconds of a real clock, on a machine that may be busy
        (date(100_000), 30.0, 30.01),
        ("Mon, 01 Jan 2001 00:00:00 GMT".to_owned(), 0.5, 0.51),
    ] {
        let server = Scripted::acts([
            Act::error(429, "rate_limit_exceeded").with_header("retry-after", header.clone()),
            Act::ok(&json!({})),
        ]);
        let began = Instant::now();
        server.client(1).delete(&id("ep_1"), &Stop::new()).await.unwrap();
        let waited = began.elapsed().as_secs_f64();
        assert!((at_least..=at_most).contains(&waited), "{header:?} waited {waited} s");
    }
}

#[tokio::test(start_paused = true)]
async fn every_attempt_has_its_own_time() {
    let server = Scripted::acts([Act::Hang, Act::ok(&json!({})).after(TIMEOUT * 9 / 10)]);
    let began = Instant::now();
    server.client(1).delete(&id("ep_1"), &Stop::new()).await.unwrap();
    assert!(began.elapsed() >= TIMEOUT * 19 / 10);

    let failure = Scripted::new(|_| Act::Hang)
        .client(0)
        .delete(&id("ep_1"), &Stop::new())
        .await
        .unwrap_err();
    assert_eq!(failure.fault, Fault::TimedOut(TIMEOUT));
    assert_eq!(
        failure.to_string(),
        "deleting webhook endpoint ep_1: no complete answer within 30s"
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_starts_after_a_stop() {
    let server = Scripted::new(|_| Act::ok(&json!({})));
    let stop = Stop::new();
    stop.cancel();
    let failure = server.client(4).delete(&id("ep_1"), &stop).await.unwrap_err();
    assert_eq!(
        (failure.fault, failure.attempts, failure.effect),
        (Fault::STOPPED, 0, Effect::None)
    );
    let failure = server.client(4).find(&id("ep_1"), None, &stop).await.unwrap_err();
    assert_eq!(failure.fault, Fault::STOPPED);
    assert_eq!(server.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_wait_between_attempts_at_once() {
    for (act, effect) in [
        (Act::error(429, "slow_down"), Effect::None),
        (dropped(), Effect::Unknown),
    ] {
        let server = Scripted::acts([act.with_header("retry-after", "25")]);
        let (client, stop) = (server.client(4), Stop::new());
        let began = Instant::now();
        let stopping = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            stop.cancel();
        };
        let endpoint = some_endpoint();
        let (outcome, ()) = tokio::join!(client.create(&endpoint, &stop), stopping);
        let failure = outcome.unwrap_err().failure;
        let Fault::Stopped { before: Some(before) } = failure.fault else {
            panic!("{failure}");
        };
        assert!(matches!(
            *before,
            Fault::Refused { status: 429, .. } | Fault::Dropped(_)
        ));
        assert_eq!((failure.attempts, failure.effect), (1, effect));
        assert_eq!(began.elapsed().as_millis(), 100);
    }
}

#[tokio::test(start_paused = true)]
async fn a_mutation_under_way_is_given_its_answer_and_a_read_is_not() {
    let slow = Duration::from_secs(20);
    let server = Scripted::new(move |request| {
        if request.is_read_only() {
            Act::Hang
        } else {
            Act::ok(&endpoint_with_secret("ep_1")).after(slow)
        }
    });
    let (client, stop) = (server.client(4), Stop::new());
    let began = Instant::now();
    let stopping = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        stop.cancel();
    };
    let read = async {
        let failure = client.list(&stop).await.unwrap_err();
        assert_eq!(failure.fault, Fault::STOPPED);
        began.elapsed().as_secs()
    };
    let ep = id("ep_1");
    let ((), created, updated, rotated, read) = tokio::join!(
        stopping,
        async { client.create(&some_endpoint(), &stop).await },
        async { client.update(&ep, &some_patch(), &stop).await },
        async { client.rotate_secret(&ep, &stop).await },
        read
    );
    assert_eq!(created.unwrap().endpoint.id, ep);
    updated.unwrap().unwrap();
    assert_eq!(rotated.unwrap().expose_secret(), "whsec_first");
    assert_eq!(read, 1);
    assert_eq!(began.elapsed(), slow);
}

#[tokio::test(start_paused = true)]
async fn a_mutation_that_misses_its_answer_after_a_stop_is_not_repeated() {
    let server = Scripted::acts([Act::Hang]);
    let (client, stop) = (server.client(4), Stop::new());
    let stopping = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        stop.cancel();
    };
    let ep = id("ep_1");
    let (outcome, ()) = tokio::join!(client.rotate_secret(&ep, &stop), stopping);
    let failure = outcome.unwrap_err();
    assert_eq!(
        (failure.fault.stopped_after(), failure.attempts, failure.effect),
        (Fault::TimedOut(TIMEOUT).stopped_after(), 1, Effect::Unknown)
    );
    assert_eq!(server.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_create_without_a_secret_and_a_rotation_without_one_differ() {
    let server = Scripted::new(|_| Act::ok(&endpoint("ep_1")));
    let client = server.client(1);
    assert!(
        client
            .create(&some_endpoint(), &Stop::new())
            .await
            .unwrap()
            .secret
            .is_none()
    );
    let failure = client.rotate_secret(&id("ep_1"), &Stop::new()).await.unwrap_err();
    assert_eq!(
        failure.fault,
        Fault::Garbled("`data.secret` is missing, or not text".into())
    );
    assert_eq!((failure.attempts, failure.effect), (2, Effect::Unknown));
}

#[tokio::test(start_paused = true)]
async fn redirects_and_odd_statuses_are_not_answers() {
    let to = |location: &str| Act::Answer(307, vec![("location", location.into())], Vec::new());
    let failure = failed_create(vec![to("https://user:pw@evil.example/v3?key=1")]).await;
    assert_eq!(
        failure.fault,
        Fault::Redirected {
            status: 307,
            to: Some("evil.example".into())
        }
    );
    let failure = failed_create(vec![to("/elsewhere")]).await;
    assert_eq!(failure.fault, Fault::Redirected { status: 307, to: None });
    let failure = failed_create((0..5).map(|_| Act::Answer(199, Vec::new(), b"{}".to_vec())).collect()).await;
    assert_eq!(failure.fault, Fault::Garbled("status 199 is not an answer".into()));
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_date_counts_from_the_date_of_its_own_answer() {
    let server = Scripted::acts([
        Act::error(429, "rate_limit_exceeded")
            .with_header("date", "Mon, 01 Jan 2001 00:00:00 GMT")
            .with_header("retry-after", "Mon, 01 Jan 2001 00:00:09 GMT"),
        Act::ok(&json!({})),
    ]);
    let began = Instant::now();
    server.client(1).delete(&id("ep_1"), &Stop::new()).await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 9);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_date_without_a_date_beside_it_counts_by_heygens_clock() {
    let page = json!({"data": [], "has_more": false});
    let server = Scripted::acts([
        Act::json(200, &page).with_header("date", "Mon, 01 Jan 2001 00:00:00 GMT"),
        Act::error(429, "rate_limit_exceeded").with_header("retry-after", "Mon, 01 Jan 2001 00:00:09 GMT"),
        Act::ok(&json!({})),
    ]);
    let client = server.client(1);
    client.list(&Stop::new()).await.unwrap();
    let began = Instant::now();
    client.delete(&id("ep_1"), &Stop::new()).await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 9);
}

#[tokio::test(start_paused = true)]
async fn a_stop_keeps_the_failure_before_it_also_for_those_who_share_a_read() {
    let server = Scripted::new(|_| Act::error(503, "busy").with_header("x-request-id", "req-3"));
    let (client, stop) = (server.client(100), Stop::new());
    let stopping = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        stop.cancel();
    };
    let ep = id("ep_1");
    let (outcome, ()) = tokio::join!(client.find(&ep, None, &stop), stopping);
    assert_eq!(
        outcome.unwrap_err().to_string(),
        "reading webhook endpoint ep_1: interrupted; before that: the API answered 503 busy: so it is (request id req-3)"
    );
}

#[tokio::test(start_paused = true)]
async fn a_read_that_is_abandoned_keeps_the_failure_before_it_and_its_request_id() {
    let server = Scripted::acts([Act::error(503, "busy").with_header("x-request-id", "req-3"), Act::Hang]);
    let (client, stop) = (server.client(4), Stop::new());
    let stopping = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        stop.cancel();
    };
    let (outcome, ()) = tokio::join!(client.event_types(&stop), stopping);
    assert_eq!(
        outcome.unwrap_err().to_string(),
        "listing the webhook event types: interrupted; before that: the API answered 503 busy: so it is (after 2 attempts) \
         (request id req-3)"
    );
}

#[tokio::test(start_paused = true)]
async fn a_creation_needs_an_id_and_nothing_else() {
    let bare = json!({"endpoint_id": "ep_1", "secret": "whsec_first"});
    let odd = json!({
        "endpoint_id": "ep_1", "secret": "whsec_first",
        "url": null, "events": "all", "status": 7, "created_at": ["now"],
    });
    for data in [bare, odd] {
        let made = Scripted::acts([Act::ok(&data)])
            .client(0)
            .create(&some_endpoint(), &Stop::new())
            .await
            .unwrap();
        assert_eq!(made.endpoint.id, id("ep_1"));
        assert_eq!(made.secret.unwrap().expose_secret(), "whsec_first");
        assert!(made.endpoint.url.is_err() && made.endpoint.status.is_err() && made.endpoint.created_at.is_err());
    }
    let no_text = json!({"endpoint_id": "ep_1", "secret": 7});
    let made = Scripted::acts([Act::ok(&no_text)])
        .client(0)
        .create(&some_endpoint(), &Stop::new())
        .await
        .unwrap();
    assert!(made.secret.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_comes_without_an_id_is_kept_whatever_follows() {
    let secret_alone = json!({"secret": "whsec_first", "url": "https://a.example/"});
    let server = Scripted::acts([Act::ok(&secret_alone), Act::error(500, "internal_error")]);
    let failed = server
        .client(1)
        .create(&some_endpoint(), &Stop::new())
        .await
        .unwrap_err();
    assert_eq!(failed.failure.effect, Effect::Unknown);
    assert_eq!(failed.secret.unwrap().expose_secret(), "whsec_first");
    assert!(!format!("{}", failed.failure).contains("whsec"));
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_comes_without_an_id_joins_the_id_of_a_later_answer() {
    let (secret_alone, id_alone) = (
        json!({"secret": "whsec_first"}),
        json!({"endpoint_id": "ep_1", "secret": null}),
    );
    let server = Scripted::acts([Act::ok(&secret_alone), Act::ok(&id_alone)]);
    let made = server.client(1).create(&some_endpoint(), &Stop::new()).await.unwrap();
    assert_eq!(made.endpoint.id, id("ep_1"));
    assert_eq!(made.secret.unwrap().expose_secret(), "whsec_first");
}

#[tokio::test(start_paused = true)]
async fn doubt_begins_with_the_first_attempt_that_may_have_had_an_effect_and_names_it() {
    let refused = || Act::error(429, "rate_limit_exceeded").with_header("retry-after", "8");
    let began = CallStart::now();
    let failure = failed_create(vec![
        refused(),
        Act::error(500, "x"),
        Act::error(400, "invalid_parameter"),
    ])
    .await;
    let doubt = failure.in_doubt_from.unwrap();
    let moment = Instant::now();
    assert!(began.is_before(moment) && doubt.is_before(moment));
    assert!(
        !doubt.is_before(moment - Duration::from_secs(2)),
        "the first attempt did nothing"
    );
    assert_eq!(
        failure.to_string(),
        "creating a webhook endpoint: the API answered 400 invalid_parameter: so it is (after 3 attempts; before that: the API \
         answered 500 x: so it is)"
    );
    let certain = failed_create(vec![refused(), Act::error(400, "invalid_parameter")]).await;
    assert_eq!((certain.in_doubt_from, certain.earlier_fault), (None, None));
}

#[tokio::test(start_paused = true)]
async fn an_update_is_confirmed_by_anything_but_a_page_and_another_endpoint() {
    let update = async |act: Act| {
        let server = Scripted::acts([act]);
        server.client(0).update(&id("ep_1"), &some_patch(), &Stop::new()).await
    };
    let empty = || Act::Answer(204, Vec::new(), Vec::new());
    assert_eq!(update(empty()).await, Ok(Err(FieldError::Missing)));
    assert_eq!(update(Act::json(200, &json!({}))).await, Ok(Err(FieldError::Missing)));
    assert_eq!(
        update(Act::ok(&json!({"status": 7}))).await,
        Ok(Err(FieldError::Missing))
    );
    assert_eq!(
        update(Act::ok(&json!({"events": 7}))).await,
        Ok(Err(FieldError::Malformed))
    );
    assert_eq!(update(Act::ok(&json!({"events": null}))).await, Ok(Ok(None)));
    let page = Act::Answer(200, Vec::new(), b"<html>sign in</html>".to_vec());
    for refused in [
        page,
        Act::ok(&endpoint("ep_2")),
        Act::json(200, &json!({"error": {"code": "x"}})),
    ] {
        assert!(matches!(update(refused).await.unwrap_err().fault, Fault::Garbled(_)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_without_randomness_gets_an_error_and_sends_nothing() {
    let server = Scripted::acts([]);
    let client = server.client_with_keys(|| Err(NoRandomness));
    let failure = client.create(&some_endpoint(), &Stop::new()).await.unwrap_err().failure;
    assert_eq!((failure.attempts, failure.effect), (0, Effect::None));
    assert!(failure.to_string().contains("no source of randomness"), "{failure}");
    let failure = client.rotate_secret(&id("ep_1"), &Stop::new()).await.unwrap_err();
    assert!(matches!(failure.fault, Fault::Unusable(_)));
    assert_eq!(server.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn whether_an_endpoint_was_created_since_goes_by_heygens_clock() {
    let dated = |date: &str| {
        let page = json!({"data": [], "has_more": false});
        Scripted::acts([Act::json(200, &page).with_header("date", date)])
    };
    let created = |text: &str| Endpoint {
        id: id("ep_1"),
        url: Err(FieldError::Missing),
        events: Ok(None),
        status: Err(FieldError::Missing),
        created_at: Ok(text.to_owned()),
    };
    // HeyGen lives twenty-five years behind this machine.
    let client = dated("Mon, 01 Jan 2001 12:00:10 GMT").client(0);
    let start = CallStart::now();
    tokio::time::advance(Duration::from_millis(3500)).await;
    client.list(&Stop::new()).await.unwrap();
    // The call began 3.5 s before this answer, in 12:00:06.5 at the earliest.
    for (text, since) in [
        ("2001-01-01T12:00:09Z", CreatedSince::Yes),
        ("2001-01-01T12:00:06Z", CreatedSince::Yes),
        ("2001-01-01T12:00:05.9Z", CreatedSince::Perhaps),
        ("2001-01-01T12:00:04Z", CreatedSince::Perhaps),
        ("2001-01-01T12:00:03.9Z", CreatedSince::No),
        ("2001-01-01T11:59:40Z", CreatedSince::No),
        ("2001-01-01T12:00:13Z", CreatedSince::Yes),
        ("2001-01-01T12:00:14Z", CreatedSince::Perhaps),
        ("2001-01-01T13:00:09Z", CreatedSince::Perhaps),
        ("just now", CreatedSince::Perhaps),
    ] {
        assert_eq!(client.created_since(&created(text), &start), since, "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn heygens_clock_is_known_from_any_answer_also_one_that_refuses() {
    let date = "Mon, 01 Jan 2001 12:00:10 GMT";
    let refused = Act::error(401, "unauthorized").with_header("date", date);
    let client = Scripted::acts([refused]).client(0);
    let start = CallStart::now();
    client.list(&Stop::new()).await.unwrap_err();
    let long_ago = Endpoint {
        id: id("ep_1"),
        url: Err(FieldError::Missing),
        events: Ok(None),
        status: Err(FieldError::Missing),
        created_at: Ok("2001-01-01T12:00:10Z".to_owned()),
    };
    assert_eq!(client.created_since(&long_ago, &start), CreatedSince::Yes);
}

#[tokio::test]
async fn where_no_answer_has_a_date_a_minute_of_skew_is_allowed() {
    let client = Scripted::acts([]).client(0);
    let start = CallStart::now();
    let ago = |age: Duration| {
        let moment = time::OffsetDateTime::from(SystemTime::now() - age);
        let created_at = moment.format(&time::format_description::well_known::Rfc3339).unwrap();
        let endpoint = Endpoint {
            id: id("ep_1"),
            url: Err(FieldError::Missing),
            events: Ok(None),
            status: Err(FieldError::Missing),
            created_at: Ok(created_at),
        };
        client.created_since(&endpoint, &start)
    };
    assert_eq!(ago(Duration::from_secs(50)), CreatedSince::Yes);
    assert_eq!(ago(Duration::from_secs(70)), CreatedSince::No);
}

#[tokio::test(start_paused = true)]
async fn what_only_one_of_two_clocks_calls_new_is_perhaps_new() {
    let page = json!({"data": [], "has_more": false});
    let dated = |date: &str| Act::json(200, &page).with_header("date", date);
    let server = Scripted::acts([
        dated("Mon, 01 Jan 2001 12:00:10 GMT"),
        dated("Mon, 01 Jan 2001 12:00:05 GMT"),
    ]);
    let (client, stop) = (server.client(0), Stop::new());
    let start = CallStart::now();
    client.list(&stop).await.unwrap();
    client
        .list_at(Instant::now() + Duration::from_millis(10), &stop)
        .await
        .unwrap();
    let created = |text: &str| Endpoint {
        id: id("ep_1"),
        url: Err(FieldError::Missing),
        events: Ok(None),
        status: Err(FieldError::Missing),
        created_at: Ok(text.to_owned()),
    };
    for (text, since) in [
        ("2001-01-01T12:00:10Z", CreatedSince::Yes),
        ("2001-01-01T12:00:06Z", CreatedSince::Perhaps),
        ("2001-01-01T12:00:01Z", CreatedSince::No),
    ] {
        assert_eq!(client.created_since(&created(text), &start), since, "{text}");
    }
}
