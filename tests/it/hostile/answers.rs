//! Answers of an API that is broken, or not HeyGen's: the client fails or succeeds, in time, and takes nothing of it
//! for the end of an endpoint.

use std::time::Duration;

use axum::body::Bytes;
use futures_util::future::join_all;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use terraform_provider_heygen::heygen::{
    BaseUrl, Client, CreateEndpoint, Credential, EndpointId, EndpointPatch, EventFilter, Failure, Fault, Settings,
    Stop, Timing,
};

use super::{Canned, RUNTIME, cases, corpus, serve, spoiled, spoils};

const ID: &str = "ep_0123456789";
const SECRET: &str = "whsec_never_to_be_shown_to_anybody";

fn client(base_url: &str, number: usize) -> Client {
    Client::new(Settings {
        base_url: BaseUrl::parse(&format!("{base_url}/{number}")).unwrap(),
        credential: Credential::api_key("key".to_owned(), "a test").unwrap(),
        max_retries: 0,
        request_timeout: Duration::from_secs(20),
        user_agent: "hostile".to_owned(),
        timing: Timing::default(),
    })
}

/// All calls, each answered the same.
async fn call_everything(client: Client, answer: &Canned) {
    let (stop, id) = (Stop::new(), EndpointId::parse(ID).unwrap());
    let found = client.find(&id, None, &stop).await;
    if let Ok(None) = &found {
        assert!(is_last_page(answer), "taken for gone: {answer:?}");
    }
    let mut pages = client.list_pages();
    let unread = loop {
        match pages.next_page(&stop).await {
            Ok(Some(_)) => {}
            Ok(None) => {
                assert!(is_last_page(answer), "taken for the end of the list: {answer:?}");
                break None;
            }
            Err(failure) => break Some(failure),
        }
    };
    let event_types = client.event_types(&stop).await;
    let events = client.events(&EventFilter::default(), 150, &stop).await;
    if event_types.is_ok() || events.is_ok() {
        assert!(is_last_page(answer), "taken for the end of a list: {answer:?}");
    }
    let failures = [
        unread,
        event_types.err(),
        events.err(),
        found.err(),
        client.list_at(tokio::time::Instant::now(), &stop).await.err(),
        client.create(&create(), &stop).await.err().map(|failed| failed.failure),
        client.update(&id, &EndpointPatch::default(), &stop).await.err(),
        client.rotate_secret(&id, &stop).await.err(),
        client.delete(&id, &stop).await.err(),
    ];
    for failure in failures.into_iter().flatten() {
        quotes_no_secret(&failure);
    }
}

fn create() -> CreateEndpoint {
    CreateEndpoint {
        url: "https://hooks.example.com/heygen".to_owned(),
        events: None,
        entity_id: None,
    }
}

fn quotes_no_secret(failure: &Failure) {
    let text = format!("{failure} {failure:?}");
    assert!(!text.contains(SECRET), "{text}");
    assert!(text.len() < 16 * 1024, "{} bytes of error", text.len());
}

/// Whether an answer says outright that it is the end of a list. Text in it need not be Unicode.
fn is_last_page(answer: &Canned) -> bool {
    let text = String::from_utf8_lossy(&answer.body);
    let text = text.trim_start_matches('\u{feff}');
    let says_so = if let Ok(body) = serde_json::from_str::<Json>(text) {
        body["data"].is_array() && body["has_more"] == json!(false)
    } else {
        // It may be JSON with half a surrogate pair, or nested deeper than is read here.
        let dense: String = text.split_whitespace().collect();
        dense.contains("\"data\":[") && dense.contains("\"has_more\":false")
    };
    (200..300).contains(&answer.status) && says_so
}

fn endpoint() -> Json {
    json!({
        "endpoint_id": ID,
        "url": "https://hooks.example.com/heygen",
        "events": ["batch.finished"],
        "status": "enabled",
        "created_at": "2026-11-24T00:00:00Z",
        "secret": SECRET,
    })
}

fn event() -> Json {
    json!({
        "event_id": "evt_0123456789",
        "event_type": "batch.finished",
        "event_data": {"secret": SECRET},
        "description": "Sent when it is done.",
        "created_at": "2026-11-24T00:00:00Z",
    })
}

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let good = proptest::sample::select(vec![
        json!({"data": [endpoint()], "has_more": false, "next_token": null}).to_string(),
        json!({"data": [endpoint()], "has_more": true, "next_token": "c1"}).to_string(),
        json!({"data": endpoint()}).to_string(),
        json!({"data": [event(), event()], "has_more": false}).to_string(),
        json!({"data": [event()], "has_more": true, "next_token": "c1"}).to_string(),
        json!({"error": {"code": "not_found", "message": format!("no {SECRET}"), "param": "endpoint_id"}}).to_string(),
    ]);
    prop_oneof![
        3 => (good, spoils()).prop_map(|(good, spoils)| spoiled(good.into_bytes(), &spoils)),
        2 => json_values().prop_map(|json| json.to_string().into_bytes()),
        1 => vec(any::<u8>(), 0..256),
    ]
}

/// Any JSON, with the names that answers use.
fn json_values() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<String>().prop_map(Json::from),
        Just(json!(ID)),
        Just(endpoint()),
        Just(event()),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let key = prop_oneof![
            4 => proptest::sample::select(vec!["data", "has_more", "next_token", "error", "endpoint_id", "secret", "code"])
                .prop_map(str::to_owned),
            1 => any::<String>(),
        ];
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Json::from),
            vec((key, inner), 0..5).prop_map(|entries| entries.into_iter().collect()),
        ]
    })
}

fn answers() -> impl Strategy<Value = Canned> {
    let status = prop_oneof![4 => Just(200_u16), 1 => Just(201), 2 => 202..600_u16];
    (status, bodies()).prop_map(|(status, body)| Canned {
        status,
        body: Bytes::from(body),
    })
}

/// Plays all answers to clients of their own, at once.
fn play(answers: &[Canned]) {
    RUNTIME.block_on(async {
        let url = serve(answers.to_vec());
        let calls = answers.iter().enumerate();
        let calls = calls.map(|(number, answer)| call_everything(client(&url, number), answer));
        let done = tokio::time::timeout(Duration::from_mins(2), join_all(calls)).await;
        assert!(done.is_ok(), "it hangs");
    });
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn no_answer_breaks_the_client_or_passes_for_gone(answers in vec(answers(), 24)) {
        play(&answers);
    }
}

#[test]
fn the_corpus_as_answers_neither_breaks_the_client_nor_passes_for_gone() {
    for status in [200, 404, 500] {
        let answers: Vec<_> = corpus()
            .into_iter()
            .map(|(_, body)| Canned {
                status,
                body: body.into(),
            })
            .collect();
        play(&answers);
    }
}

#[test]
fn what_is_nested_deep_passes_for_nothing_else_and_what_is_too_large_is_refused() {
    let page = |inner: String| format!("{{\"data\":[{inner}],\"has_more\":false}}").into_bytes();
    let deep = page("[".repeat(200_000) + &"]".repeat(200_000));
    let large = page(format!("\"{}\"", "x".repeat(9 << 20)));
    let answers = [deep, large].map(|body| Canned {
        status: 200,
        body: body.into(),
    });
    RUNTIME.block_on(async {
        let url = serve(answers.to_vec());
        let id = EndpointId::parse(ID).unwrap();
        let deep = client(&url, 0).find(&id, None, &Stop::new()).await.unwrap_err();
        assert!(
            matches!(deep.fault, Fault::UnidentifiedItems { count: 1, .. }),
            "{deep:?}"
        );
        let large = client(&url, 1).find(&id, None, &Stop::new()).await.unwrap_err();
        assert_eq!(large.fault, Fault::TooLarge);
    });
}
