//! Events reach a receiver signed as documented.

use std::sync::atomic::{AtomicUsize, Ordering};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::fake_heygen::{Delivery, FakeHeygen, NewEndpoint};
use crate::support::http::{Request, Server, response};

/// A receiver that refuses its first requests, as many as it is told.
fn receiver(refusals: usize) -> Server {
    let received = AtomicUsize::new(0);
    Server::answering(move |_| {
        let refused = received.fetch_add(1, Ordering::Relaxed) < refusals;
        response(if refused { 503 } else { 204 }, "")
    })
}

fn delivery(fake: &FakeHeygen, via: &str, more: &Value) -> Delivery {
    let endpoint = fake.put_endpoint(NewEndpoint {
        url: "https://hooks.example.com/heygen".into(),
        events: None,
        entity_id: Some("project-1".into()),
    });
    let mut order = json!({
        "endpoint_id": endpoint.endpoint_id,
        "via": via,
        "event_type": "avatar_video.success",
        "event_data": { "video_id": "v-1", "title": "Grüße" },
    });
    for (name, value) in more.as_object().unwrap() {
        order[name] = value.clone();
    }
    serde_json::from_value(order).unwrap()
}

#[tokio::test]
async fn a_delivery_is_signed_over_its_raw_body_with_the_whole_secret() {
    let (fake, receiver) = (FakeHeygen::start(), receiver(0));
    let order = delivery(&fake, &receiver.url(), &json!({ "callback_id": "mine-1" }));
    let delivered = fake.deliver(&order).await.unwrap();
    assert!(delivered.accepted);
    assert_eq!(delivered.attempts[0].status, Some(204));

    let request = receiver.requests().remove(0);
    assert_eq!(request.body, delivered.body.as_bytes());
    assert_eq!(request.header("heygen-signature"), Some(delivered.signature.as_str()));
    let event: Value = serde_json::from_slice(&request.body).unwrap();
    let data = json!({ "video_id": "v-1", "title": "Grüße", "callback_id": "mine-1" });
    assert_eq!(
        event,
        json!({ "event_type": "avatar_video.success", "event_data": data })
    );
    let secret = fake.endpoints()[0].secret.clone();
    assert!(signature_fits(&request, &secret));
    assert_eq!(request.header("heygen-event-id"), Some(delivered.event_id.as_str()));
    let sent_at: u64 = request.header("heygen-timestamp").unwrap().parse().unwrap();
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    assert!(now.abs_diff(sent_at) < 60);
    assert_eq!(request.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn a_tampered_or_old_delivery_can_be_told() {
    let (fake, receiver) = (FakeHeygen::start(), receiver(0));
    let order = delivery(&fake, &receiver.url(), &json!({ "tampered": true, "clock_skew": -600 }));
    fake.deliver(&order).await.unwrap();
    let request = receiver.requests().remove(0);
    assert!(!signature_fits(&request, &fake.endpoints()[0].secret));
    let sent_at: u64 = request.header("heygen-timestamp").unwrap().parse().unwrap();
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    assert!(now - sent_at >= 600);
}

#[tokio::test]
async fn a_delivery_may_go_without_its_signature() {
    let (fake, receiver) = (FakeHeygen::start(), receiver(0));
    let order = delivery(&fake, &receiver.url(), &json!({ "unsigned": true }));
    assert!(fake.deliver(&order).await.unwrap().accepted);
    let request = receiver.requests().remove(0);
    assert_eq!(request.header("heygen-signature"), None);
    assert!(request.header("heygen-event-id").is_some());
}

#[tokio::test]
async fn rotation_signs_with_the_new_secret_at_once() {
    let (fake, receiver) = (FakeHeygen::start(), receiver(0));
    let order = delivery(&fake, &receiver.url(), &json!({}));
    let old = fake.endpoints()[0].secret.clone();
    let new = fake.rotate(&order.endpoint_id).unwrap();
    fake.deliver(&order).await.unwrap();
    let request = receiver.requests().remove(0);
    assert!(signature_fits(&request, &new));
    assert!(!signature_fits(&request, &old));
}

#[tokio::test]
async fn a_refused_delivery_is_repeated_with_the_same_event_id() {
    let fake = FakeHeygen::start();
    let receiver = receiver(1);
    let order = delivery(&fake, &receiver.url(), &json!({ "attempts": 3 }));
    let delivered = fake.deliver(&order).await.unwrap();
    let statuses: Vec<_> = delivered.attempts.iter().map(|it| it.status).collect();
    assert_eq!((delivered.accepted, statuses), (true, vec![Some(503), Some(204)]));
    let requests = receiver.requests();
    assert_eq!(
        requests[0].header("heygen-event-id"),
        requests[1].header("heygen-event-id")
    );
}

#[tokio::test]
async fn a_receiver_that_answers_and_hangs_up_has_accepted() {
    let (fake, receiver) = (FakeHeygen::start(), receiver(0));
    let order = delivery(&fake, &receiver.url(), &json!({}));
    for _ in 0..20 {
        let delivered = fake.deliver(&order).await.unwrap();
        assert!(delivered.accepted, "{delivered:?}");
    }
}

#[tokio::test]
async fn a_delivery_is_in_the_history_of_its_entity() {
    let (fake, receiver) = (FakeHeygen::start(), receiver(0));
    let order = delivery(&fake, &receiver.url(), &json!({}));
    let delivered = fake.deliver(&order).await.unwrap();
    let client = super::client::Client::of(fake);
    let events = client.get("/v3/webhooks/events?entity_id=project-1").await.json();
    assert_eq!(events["data"][0]["event_id"], delivered.event_id);
    assert_eq!(events["data"][0]["event_data"]["video_id"], "v-1");
}

#[tokio::test]
async fn deliveries_go_to_loopback_addresses_only() {
    let fake = FakeHeygen::start();
    for via in [
        "https://127.0.0.1/",
        "http://192.0.2.1/",
        "http://example.com/",
        "127.0.0.1",
    ] {
        let order = delivery(&fake, via, &json!({}));
        fake.deliver(&order).await.expect_err(via);
    }
    let unknown = Delivery {
        endpoint_id: "ep_1".into(),
        ..delivery(&fake, "http://127.0.0.1:1/", &json!({}))
    };
    fake.deliver(&unknown).await.expect_err("no such endpoint");
    let nobody = delivery(&fake, "http://127.0.0.1:1/", &json!({}));
    let delivered = fake.deliver(&nobody).await.unwrap();
    assert!(!delivered.accepted && delivered.attempts[0].error.is_some());
}

fn signature_fits(request: &Request, secret: &str) -> bool {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(&request.body);
    let hex: Vec<_> = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|it| format!("{it:02x}"))
        .collect();
    request.header("heygen-signature") == Some(&hex.concat())
}
