//! Events reach a receiver signed as documented.

use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::fake_heygen::{Delivery, FakeHeygen, NewEndpoint};

/// Keeps what it receives, and refuses as many times as it is told.
#[derive(Clone, Default)]
struct Hook {
    received: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    refusals: usize,
}

impl Hook {
    /// Listens, and answers the address of its hook.
    async fn listen(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().route("/hook", post(receive)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        format!("http://{address}/hook")
    }

    fn received(&self) -> Vec<(HeaderMap, Bytes)> {
        self.received.lock().unwrap().clone()
    }
}

async fn receive(State(hook): State<Hook>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut received = hook.received.lock().unwrap();
    received.push((headers, body));
    if received.len() > hook.refusals {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
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
    let (fake, hook) = (FakeHeygen::start(), Hook::default());
    let via = hook.listen().await;
    let order = delivery(&fake, &via, &json!({ "callback_id": "mine-1" }));
    let delivered = fake.deliver(&order).await.unwrap();
    assert!(delivered.accepted);
    assert_eq!(delivered.attempts[0].status, Some(204));

    let (headers, body) = hook.received().remove(0);
    assert_eq!(body, delivered.body);
    assert_eq!(headers["heygen-signature"], delivered.signature);
    let event: Value = serde_json::from_slice(&body).unwrap();
    let data = json!({ "video_id": "v-1", "title": "Grüße", "callback_id": "mine-1" });
    assert_eq!(
        event,
        json!({ "event_type": "avatar_video.success", "event_data": data })
    );
    let secret = fake.endpoints()[0].secret.clone();
    assert!(signature_fits(&headers, &secret, &body));
    assert_eq!(headers["heygen-event-id"], delivered.event_id);
    let sent_at: u64 = headers["heygen-timestamp"].to_str().unwrap().parse().unwrap();
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    assert!(now.abs_diff(sent_at) < 60);
    assert_eq!(headers["content-type"], "application/json");
}

#[tokio::test]
async fn a_tampered_or_old_delivery_can_be_told() {
    let (fake, hook) = (FakeHeygen::start(), Hook::default());
    let via = hook.listen().await;
    let order = delivery(&fake, &via, &json!({ "tampered": true, "clock_skew": -600 }));
    fake.deliver(&order).await.unwrap();
    let (headers, body) = hook.received().remove(0);
    assert!(!signature_fits(&headers, &fake.endpoints()[0].secret, &body));
    let sent_at: u64 = headers["heygen-timestamp"].to_str().unwrap().parse().unwrap();
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    assert!(now - sent_at >= 600);
}

#[tokio::test]
async fn rotation_signs_with_the_new_secret_at_once() {
    let (fake, hook) = (FakeHeygen::start(), Hook::default());
    let via = hook.listen().await;
    let order = delivery(&fake, &via, &json!({}));
    let old = fake.endpoints()[0].secret.clone();
    let new = fake.rotate(&order.endpoint_id).unwrap();
    fake.deliver(&order).await.unwrap();
    let (headers, body) = hook.received().remove(0);
    assert!(signature_fits(&headers, &new, &body));
    assert!(!signature_fits(&headers, &old, &body));
}

#[tokio::test]
async fn a_refused_delivery_is_repeated_with_the_same_event_id() {
    let fake = FakeHeygen::start();
    let hook = Hook {
        refusals: 1,
        ..Hook::default()
    };
    let via = hook.listen().await;
    let order = delivery(&fake, &via, &json!({ "attempts": 3 }));
    let delivered = fake.deliver(&order).await.unwrap();
    let statuses: Vec<_> = delivered.attempts.iter().map(|it| it.status).collect();
    assert_eq!((delivered.accepted, statuses), (true, vec![Some(503), Some(204)]));
    let received = hook.received();
    assert_eq!(received[0].0["heygen-event-id"], received[1].0["heygen-event-id"]);
}

#[tokio::test]
async fn a_receiver_that_answers_and_hangs_up_has_accepted() {
    let fake = FakeHeygen::start();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let order = delivery(
        &fake,
        &format!("http://{}/", listener.local_addr().unwrap()),
        &json!({}),
    );
    let rounds = 20;
    let receiver = std::thread::spawn(move || {
        for mut stream in listener.incoming().take(rounds).flatten() {
            let mut seen = Vec::new();
            // All of it, or hanging up would be a reset.
            while !seen.ends_with(b"}") {
                let mut chunk = [0; 4096];
                let length = stream.read(&mut chunk).unwrap();
                seen.extend_from_slice(&chunk[..length]);
            }
            stream
                .write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
                .unwrap();
        }
    });
    for _ in 0..rounds {
        let delivered = fake.deliver(&order).await.unwrap();
        assert!(delivered.accepted, "{delivered:?}");
    }
    receiver.join().unwrap();
}

#[tokio::test]
async fn a_delivery_is_in_the_history_of_its_entity() {
    let (fake, hook) = (FakeHeygen::start(), Hook::default());
    let via = hook.listen().await;
    let order = delivery(&fake, &via, &json!({}));
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

fn signature_fits(headers: &HeaderMap, secret: &str, body: &[u8]) -> bool {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    let hex: Vec<_> = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|it| format!("{it:02x}"))
        .collect();
    headers["heygen-signature"] == hex.concat()
}
