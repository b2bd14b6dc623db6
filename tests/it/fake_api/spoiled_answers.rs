//! Answers that arrive and are wrong: the call took effect all the same.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, ENDPOINTS};
use crate::fake_heygen::{Fault, RandomFaults, Route, Rule};

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
