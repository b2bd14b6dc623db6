//! Events reach a receiver signed as documented.

use std::sync::atomic::{AtomicUsize, Ordering};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::fake_heygen::{Delivery, DeliveryToAll, Endpoint, EventIds, FakeHeygen, NewEndpoint};
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

fn endpoint(fake: &FakeHeygen, url: &str, events: Option<&str>, entity_id: Option<&str>) -> Endpoint {
    fake.put_endpoint(NewEndpoint {
        url: url.into(),
        events: events.map(|event| vec![event.to_owned()]),
        entity_id: entity_id.map(str::to_owned),
    })
}

fn to_all(more: &Value) -> DeliveryToAll {
    let mut order = json!({
        "event_type": "avatar_video.success",
        "event_data": { "video_id": "v-1" },
    });
    for (name, value) in more.as_object().unwrap() {
        order[name] = value.clone();
    }
    serde_json::from_value(order).unwrap()
}

#[tokio::test]
async fn one_event_reaches_every_endpoint_that_receives_it_and_no_other() {
    let (fake, receiver) = (FakeHeygen::start(), receiver(0));
    let reached = [
        endpoint(&fake, "https://hooks.example.com/a?generation=1", None, None),
        endpoint(
            &fake,
            "https://elsewhere.example.com",
            Some("avatar_video.success"),
            Some("project-1"),
        ),
    ];
    endpoint(
        &fake,
        "https://hooks.example.com/other-type",
        Some("avatar_video.fail"),
        None,
    );
    endpoint(&fake, "https://hooks.example.com/other-entity", None, Some("project-2"));
    let disabled = endpoint(&fake, "https://hooks.example.com/disabled", None, None);
    fake.disable_endpoint(&disabled.endpoint_id);

    let order = to_all(&json!({ "via": receiver.url(), "entity_id": "project-1" }));
    let delivered = fake.deliver_to_all(&order).await.unwrap();
    let ids = |them: &[Endpoint]| them.iter().map(|it| it.endpoint_id.clone()).collect::<Vec<_>>();
    let delivered_to: Vec<_> = delivered.iter().map(|it| it.endpoint_id.clone()).collect();
    assert_eq!(delivered_to, ids(&reached));
    assert!(delivered.iter().all(|it| it.accepted));

    let requests = receiver.requests();
    let paths: Vec<_> = requests.iter().map(Request::path).collect();
    assert_eq!(
        paths,
        ["/a?generation=1", "/"],
        "path and query of each endpoint's own URL"
    );
    for (request, endpoint) in requests.iter().zip(&reached) {
        assert!(signature_fits(request, &endpoint.secret));
    }
    assert!(!signature_fits(&requests[0], &reached[1].secret));
    assert_eq!(requests[0].body, requests[1].body);

    // An event of no entity does not go to an endpoint of one.
    let order = to_all(&json!({ "via": receiver.url() }));
    let delivered = fake.deliver_to_all(&order).await.unwrap();
    assert_eq!(delivered.len(), 1);
    assert_eq!(delivered[0].endpoint_id, reached[0].endpoint_id);
}

#[tokio::test]
async fn one_event_has_one_id_at_all_endpoints_or_one_at_each() {
    let (fake, receiver) = (FakeHeygen::start(), receiver(0));
    for generation in 1..=2 {
        let url = format!("https://hooks.example.com/heygen?generation={generation}");
        endpoint(&fake, &url, None, None);
    }
    let order = to_all(&json!({ "via": receiver.url() }));
    let ids = async || {
        let delivered = fake.deliver_to_all(&order).await.unwrap();
        let ids: Vec<String> = delivered.into_iter().map(|it| it.event_id).collect();
        assert_eq!(ids.len(), 2);
        let requests = receiver.requests();
        let sent: Vec<_> = requests.iter().rev().take(2).rev().collect();
        for (request, id) in sent.into_iter().zip(&ids) {
            assert_eq!(request.header("heygen-event-id"), Some(id.as_str()));
        }
        ids
    };
    let one = ids().await;
    assert_eq!(one[0], one[1], "the plainest reading: it is the event's id");

    fake.behave(|it| it.event_ids = EventIds::PerEndpoint);
    let own = ids().await;
    assert_ne!(own[0], own[1]);

    // The history knows the event by each of its ids.
    let client = super::client::Client::of(fake);
    let events = client.get("/v3/webhooks/events").await.json();
    let known = events["data"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|it| it["event_id"].as_str().unwrap());
    assert_eq!(known.collect::<Vec<_>>(), [&one[0], &own[0], &own[1]]);
}

#[tokio::test]
async fn a_delivery_to_all_says_what_is_wrong_with_its_order() {
    let (fake, receiver) = (FakeHeygen::start(), receiver(0));
    endpoint(&fake, "https://hooks.example.com/a", None, None);
    let with_path = format!("{}/path", receiver.url());
    for via in [with_path.as_str(), "https://127.0.0.1", "http://192.0.2.1", "nonsense"] {
        let order = to_all(&json!({ "via": via }));
        fake.deliver_to_all(&order).await.expect_err(via);
    }
    assert!(receiver.requests().is_empty());
}

/// Whether a delivery is signed over its raw body with this secret.
pub fn signature_fits(request: &Request, secret: &str) -> bool {
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
