//! One outcome per key, route and path.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::client::{Client, ENDPOINTS, Got};
use crate::fake_heygen::{BodyShape, Effect, Fault, Route, Rule, Wait};

const URL: &str = "https://hooks.example.com/heygen";
/// Longer than anything here takes, shorter than the server's own patience.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn the_same_key_replays_the_first_answer_even_if_the_body_differs() {
    let client = Client::start();
    client.fake.behave(|it| it.shuffle_events = true);
    let first = client.create_with_key(URL, "key-1").await;
    let again = client.create_with_key("https://other.example.com/", "key-1").await;
    assert_eq!(first.text, again.text);
    assert_ne!(first.header("x-request-id"), again.header("x-request-id"));
    assert_eq!(client.fake.endpoints().len(), 1);
    let log = client.fake.requests();
    assert!(log[0].took_effect && !log[0].replayed);
    assert!(!log[1].took_effect && log[1].replayed);

    let other = client.create_with_key(URL, "key-2").await;
    assert_ne!(first.text, other.text);
    assert_eq!(client.fake.endpoints().len(), 2);
}

#[tokio::test]
async fn a_refusal_is_replayed_too() {
    let client = Client::start();
    let first = client.create_with_key("http://example.com/", "key-1").await;
    let again = client.create_with_key(URL, "key-1").await;
    assert_eq!((first.status, again.status), (400, 400));
    assert_eq!(first.text, again.text);
}

#[tokio::test]
async fn keys_of_different_paths_are_different_keys() {
    let client = Client::start();
    let mut secrets = Vec::new();
    for id in [
        client.create(&json!({ "url": URL })).await,
        client.create(&json!({ "url": URL })).await,
    ] {
        let id = id["endpoint_id"].as_str().unwrap().to_owned();
        let path = format!("{ENDPOINTS}/{id}/rotate-secret");
        for _ in 0..2 {
            let request = client.request(Method::POST, &path);
            let sent = request.header("Idempotency-Key", "key-1").send().await;
            let got = Got::read(sent.unwrap()).await.unwrap();
            secrets.push(got.json()["data"]["secret"].as_str().unwrap().to_owned());
        }
        assert_eq!(client.fake.endpoint(&id).unwrap().secret, secrets[secrets.len() - 1]);
    }
    assert_eq!(secrets[0], secrets[1]);
    assert_eq!(secrets[2], secrets[3]);
    assert_ne!(secrets[0], secrets[2]);
}

#[tokio::test]
async fn without_a_key_every_create_is_another_endpoint() {
    let client = Client::start();
    client.create(&json!({ "url": URL })).await;
    client.create(&json!({ "url": URL })).await;
    assert_eq!(client.fake.endpoints().len(), 2);
}

#[tokio::test]
async fn a_key_expires() {
    let client = Client::start();
    client.fake.behave(|it| it.idempotency_ms = Some(0));
    client.create_with_key(URL, "key-1").await;
    client.create_with_key(URL, "key-1").await;
    assert_eq!(client.fake.endpoints().len(), 2);
}

#[tokio::test]
async fn a_key_is_1_to_255_of_its_alphabet() {
    let client = Client::start();
    let longest = "k".repeat(255);
    for key in ["A:z_0.9-", longest.as_str()] {
        assert_eq!(client.create_with_key(URL, key).await.status, 200);
    }
    let longer = "k".repeat(256);
    for key in ["", "a b", "a/b", "ä", longer.as_str()] {
        let got = client.create_with_key(URL, key).await;
        let expected = (400, "Idempotency-Key".to_owned());
        assert_eq!((got.status, got.param()), expected, "{key}");
    }
}

#[tokio::test]
async fn while_the_first_request_runs_its_key_is_in_progress() {
    let client = Client::start();
    let held = Fault::Held { wait: Wait::Before };
    client.fake.inject(Rule::on(Route::Create, held));
    let (first, during) = tokio::join!(client.create_with_key(URL, "key-1"), async {
        let fake = &client.fake;
        fake.see_request(PATIENCE, |_| true).await.expect("it arrives");
        let during = client.create_with_key(URL, "key-1").await;
        assert!(fake.endpoints().is_empty());
        fake.release();
        during
    });
    assert_eq!((during.status, during.code()), (409, "request_in_progress".into()));
    assert_eq!(first.status, 200);
    let after = client.create_with_key(URL, "key-1").await;
    assert_eq!(first.text, after.text);
    assert_eq!(client.fake.endpoints().len(), 1);
}

#[tokio::test]
async fn a_fault_after_the_effect_leaves_the_answer_to_be_replayed() {
    let client = Client::start();
    let lost = Fault::Status {
        status: 502,
        body: BodyShape::Html,
        effect: Effect::Done,
    };
    client.fake.inject(Rule::on(Route::Create, lost));
    let first = client.create_with_key(URL, "key-1").await;
    assert_eq!(first.status, 502);
    let endpoints = client.fake.endpoints();
    assert_eq!(endpoints.len(), 1);
    let again = client.create_with_key(URL, "key-1").await.json();
    assert_eq!(again["data"]["endpoint_id"], endpoints[0].endpoint_id);
    assert_eq!(again["data"]["secret"], endpoints[0].secret);
    assert_eq!(client.fake.endpoints(), endpoints);
}

#[tokio::test]
async fn a_fault_before_the_effect_does_not_spend_the_key() {
    let client = Client::start();
    let lost = Fault::Reset { effect: Effect::None };
    client.fake.inject(Rule::on(Route::Create, lost));
    let request = client.request(Method::POST, ENDPOINTS);
    let sent = request.header("Idempotency-Key", "key-1").body("{}").send();
    sent.await.expect_err("a reset");
    assert_eq!(client.create_with_key(URL, "key-1").await.status, 200);
}
