//! Answers that arrive and are wrong: the call took effect all the same.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, ENDPOINTS};
use crate::fake_heygen::{Effect, Fault, HasMore, RandomFaults, Replay, Route, Rule};

const URL: &str = "https://hooks.example.com/heygen";

#[tokio::test]
async fn an_answer_can_be_no_json() {
    let client = Client::start();
    for route in [Route::Create, Route::List, Route::Delete] {
        client.fake.inject(Rule::on(route, Fault::MalformedJson));
    }
    let created = client.try_create(URL).await.unwrap();
    let id = client.fake.endpoints()[0].endpoint_id.clone();
    let listed = client.get(ENDPOINTS).await;
    let deleted = client.delete(&id).await;
    for got in [created, listed, deleted] {
        assert_eq!(got.status, 200);
        serde_json::from_str::<Value>(&got.text).expect_err("no JSON");
    }
    assert!(client.fake.endpoints().is_empty());
}

#[tokio::test]
async fn a_named_field_can_be_missing_null_or_of_another_type() {
    let client = Client::start();
    let field = |name: &str| Some(name.to_owned());
    let answered = async |fault| {
        client.fake.inject(Rule::on(Route::Create, fault));
        let got = client.try_create(URL).await.unwrap();
        assert_eq!(got.status, 200);
        got.json()["data"].take()
    };
    let missing = answered(Fault::MissingField { field: field("secret") }).await;
    assert!(missing.get("secret").is_none() && missing["url"] == URL);
    let null = answered(Fault::NullField {
        field: field("endpoint_id"),
    })
    .await;
    assert_eq!(null["endpoint_id"], Value::Null);
    let wrong = answered(Fault::WrongType { field: field("url") }).await;
    assert_eq!(wrong["url"], 17);
    assert_eq!(client.fake.endpoints().len(), 3);
}

#[tokio::test]
async fn by_chance_any_field_that_is_not_null_can_be_hit_and_no_other() {
    let client = Client::start();
    client.fake.put_many(3, "spoiled");
    let events = json!({ "url": URL, "events": ["batch.finished"] });
    client.create(&events).await;
    let whole = client.get(ENDPOINTS).await.json();
    let fields = ["created_at", "endpoint_id", "events", "status", "url"].map(str::to_owned);
    let fields = std::collections::BTreeSet::from(fields);
    for fault in [
        Fault::MissingField { field: None },
        Fault::NullField { field: None },
        Fault::WrongType { field: None },
    ] {
        client.fake.inject_randomly(RandomFaults {
            seed: 5,
            rate: 1.0,
            routes: vec![Route::List],
            faults: vec![fault],
        });
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let spoiled = client.get(ENDPOINTS).await.json();
            assert_ne!(spoiled, whole);
            let items = spoiled["data"].as_array().into_iter().flatten();
            for (item, sound) in items.zip(whole["data"].as_array().unwrap()) {
                for (field, sound) in sound.as_object().unwrap() {
                    if item.get(field) != Some(sound) {
                        assert!(!sound.is_null(), "{item}");
                        seen.insert(field.clone());
                    }
                }
            }
        }
        assert_eq!(seen, fields);
    }
}

#[tokio::test]
async fn an_error_can_be_spoiled_too() {
    let client = Client::start();
    let fault = Fault::MissingField {
        field: Some("code".into()),
    };
    client.fake.inject(Rule::on(Route::Update, fault));
    let got = client.patch("ep_1", &json!({})).await;
    assert_eq!((got.status, got.code()), (404, String::new()));
    assert!(got.json()["error"]["message"].is_string());
}

#[tokio::test]
async fn an_answer_can_be_larger_than_anyone_should_read() {
    let client = Client::start();
    client.fake.inject(Rule::on(Route::Create, Fault::Oversized { mib: 9 }));
    let request = client.request(Method::POST, ENDPOINTS);
    let request = request.header("Content-Type", "application/json");
    let sent = request.body(json!({ "url": URL }).to_string()).send().await;
    let response = sent.unwrap();
    assert_eq!(response.content_length(), None);
    let text = response.text().await.unwrap();
    assert!(text.len() > 9 * 1024 * 1024);
    serde_json::from_str::<Value>(&text).expect("JSON, so that only its size is wrong");
    assert_eq!(client.fake.endpoints().len(), 1);
}

#[tokio::test]
async fn a_success_can_hold_an_error_and_nothing_that_was_asked_for() {
    let client = Client::start();
    client.fake.put_many(3, "error");
    let id = client.fake.endpoints()[0].endpoint_id.clone();
    let secret = client.fake.endpoints()[0].secret.clone();
    let error = json!({ "code": "internal_error", "message": "Something went wrong." });
    for (effect, is_done) in [(Effect::None, false), (Effect::Done, true)] {
        let rule = Rule::on_any(Fault::ErrorInSuccess { effect }).times(6);
        client.fake.inject(rule);
        let page = json!({ "error": error, "data": [], "has_more": false, "next_token": null });
        for path in [ENDPOINTS, "/v3/webhooks/event-types"] {
            let got = client.get(path).await;
            assert_eq!((got.status, got.json()), (200, page.clone()));
        }
        for got in [
            client.patch(&id, &json!({ "url": URL })).await,
            client.rotate(&id).await,
            client.create_with_key(URL, "key").await,
            client.delete(&id).await,
        ] {
            assert_eq!((got.status, got.json()), (200, json!({ "error": error, "data": {} })));
        }
        let endpoints = client.fake.endpoints();
        assert_eq!(endpoints.iter().any(|it| it.url == URL), is_done);
        assert_eq!(endpoints.iter().any(|it| it.secret == secret), !is_done);
        let took_effect = client.fake.requests().iter().filter(|it| it.took_effect).count();
        assert_eq!(took_effect, if is_done { 4 } else { 0 });
    }
    let made = client.fake.endpoints().pop().unwrap().endpoint_id;
    let replayed = client.create_with_key(URL, "key").await.json();
    assert_eq!(replayed["data"]["endpoint_id"], made);
    let kinds = client.fake.faults_by_kind();
    assert_eq!(
        (kinds["error_in_success"], kinds["error_in_success_after_effect"]),
        (6, 6)
    );
}

#[tokio::test]
async fn a_page_can_leave_open_whether_it_is_the_last() {
    let client = Client::start();
    client.fake.put_many(3, "unclear");
    for (has_more, says) in [
        (HasMore::Missing, None),
        (HasMore::Null, Some(Value::Null)),
        (HasMore::Text, Some(json!("false"))),
    ] {
        for query in ["?limit=2", "?limit=3"] {
            let path = format!("{ENDPOINTS}{query}");
            let sound = client.get(&path).await.json();
            client
                .fake
                .inject(Rule::on(Route::List, Fault::UnclearPage { has_more }));
            let unclear = client.get(&path).await.json();
            assert_eq!(unclear.get("has_more"), says.as_ref());
            assert_eq!(
                (&unclear["data"], &unclear["next_token"]),
                (&sound["data"], &sound["next_token"])
            );
        }
        client
            .fake
            .inject(Rule::on_any(Fault::UnclearPage { has_more }).times(2));
        for list in ["event-types", "events"] {
            let unclear = client.get(&format!("/v3/webhooks/{list}")).await.json();
            assert_eq!(unclear.get("has_more"), says.as_ref());
        }
    }
    assert_eq!(client.fake.faults_by_kind()["unclear_page"], 12);
}

#[tokio::test]
async fn a_creation_can_be_answered_with_the_secret_first_and_with_the_id_later_or_never() {
    let client = Client::start();
    for (replay, has_id, has_secret) in [(Replay::IdAlone, true, false), (Replay::SecretAlone, false, true)] {
        let rule = Rule::on(Route::Create, Fault::SecretWithoutId { replay });
        client.fake.inject(rule);
        let key = format!("{replay:?}");
        let first = client.create_with_key(URL, &key).await;
        let made = client.fake.endpoints().pop().unwrap();
        let data = &first.json()["data"];
        assert_eq!((first.status, data.get("endpoint_id")), (200, None));
        assert_eq!((&data["secret"], &data["url"]), (&json!(made.secret), &json!(URL)));
        for _ in 0..2 {
            let data = client.create_with_key(URL, &key).await.json()["data"].take();
            assert_eq!(data.get("endpoint_id"), has_id.then_some(&json!(made.endpoint_id)));
            assert_eq!(data["secret"], json!(has_secret.then_some(&made.secret)));
        }
        // Another key is answered as always.
        let other = client.create_with_key(URL, &format!("{key}-2")).await.json();
        assert!(other["data"]["secret"].is_string() && other["data"]["endpoint_id"].is_string());
    }
    assert_eq!(client.fake.endpoints().len(), 4);
    assert_eq!(client.fake.faults_by_kind()["secret_without_id"], 2);
}
