//! Requests are taken as documented, and refused by name otherwise.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, ENDPOINTS, Got, WithJson as _};
use crate::fake_heygen::{Credential, Route};

const URL: &str = "https://hooks.example.com/heygen";

#[tokio::test]
async fn an_endpoint_is_created_listed_changed_rotated_and_deleted() {
    let client = Client::start();
    let events = json!(["avatar_video.success", "avatar_video.fail"]);
    let created = client
        .create(&json!({ "url": URL, "events": events, "entity_id": "project-1" }))
        .await;
    let id = created["endpoint_id"].as_str().unwrap();
    assert_eq!(created["url"], URL);
    assert_eq!(created["events"], events);
    assert_eq!(created["status"], "enabled");
    let secret = created["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_"));

    let listed = client.get(ENDPOINTS).await.json();
    assert_eq!(listed["data"][0]["endpoint_id"], id);
    assert_eq!(listed["data"][0]["secret"], Value::Null);
    assert_eq!(listed["has_more"], false);
    assert_eq!(listed["next_token"], Value::Null);

    let changed = client
        .patch(id, &json!({ "url": "https://new.example.com/", "events": null }))
        .await
        .json();
    assert_eq!(changed["data"]["url"], "https://new.example.com/");
    assert_eq!(changed["data"]["events"], Value::Null);
    assert_eq!(changed["data"]["secret"], Value::Null);

    let rotated = client.rotate(id).await.json();
    assert_eq!(rotated["data"]["endpoint_id"], id);
    assert_ne!(rotated["data"]["secret"], secret);
    let kept = client.fake.endpoint(id).unwrap();
    assert_eq!(rotated["data"]["secret"], kept.secret);
    assert_eq!(kept.entity_id.as_deref(), Some("project-1"));

    let deleted = client.delete(id).await;
    assert_eq!((deleted.status, deleted.json()), (200, json!({"data": {}})));
    assert!(client.fake.endpoints().is_empty());
    for gone in [
        client.delete(id).await,
        client.rotate(id).await,
        client.patch(id, &json!({})).await,
    ] {
        assert_eq!((gone.status, gone.code()), (404, "webhook_not_found".into()));
    }
}

#[tokio::test]
async fn entity_id_is_in_no_answer() {
    let client = Client::start();
    let created = client.create(&json!({ "url": URL, "entity_id": "project-1" })).await;
    let id = created["endpoint_id"].as_str().unwrap();
    let changed = client.patch(id, &json!({ "url": URL })).await;
    let listed = client.get(ENDPOINTS).await;
    for text in [created.to_string(), changed.text, listed.text] {
        assert!(!text.contains("entity_id"), "{text}");
        assert!(!text.contains("project-1"), "{text}");
    }
}

#[tokio::test]
async fn an_update_changes_only_what_it_names() {
    let client = Client::start();
    let events = json!(["batch.finished"]);
    let created = client.create(&json!({ "url": URL, "events": events })).await;
    let id = created["endpoint_id"].as_str().unwrap();
    for nothing in [json!({}), json!({ "url": null })] {
        let answer = client.patch(id, &nothing).await.json();
        assert_eq!(answer["data"]["url"], URL);
        assert_eq!(answer["data"]["events"], events);
    }
    let more = json!(["personalized_video", "batch.finished"]);
    let answer = client.patch(id, &json!({ "events": more })).await.json();
    assert_eq!(answer["data"]["url"], URL);
    assert_eq!(answer["data"]["events"], more);
}

#[tokio::test]
async fn what_a_body_may_not_say_is_refused_by_name() {
    let client = Client::start();
    let created = client.create(&json!({ "url": URL })).await;
    let path = format!("{ENDPOINTS}/{}", created["endpoint_id"].as_str().unwrap());
    let long = format!("https://example.com/{}", "x".repeat(3000));
    let both = [
        (json!({ "url": URL, "colour": 1 }), "colour"),
        (json!({ "url": URL, "status": "enabled" }), "status"),
        (json!({ "url": 7 }), "url"),
        (json!({ "url": "http://example.com/" }), "url"),
        (json!({ "url": "/relative" }), "url"),
        (json!({ "url": "https://" }), "url"),
        (json!({ "url": long }), "url"),
        (json!({ "url": URL, "events": [] }), "events"),
        (json!({ "url": URL, "events": "batch.finished" }), "events"),
        (json!({ "url": URL, "events": ["batch.begun"] }), "events"),
        (json!({ "url": URL, "events": [null] }), "events"),
    ];
    let create = [
        (json!({}), "url"),
        (json!({ "url": null }), "url"),
        (json!({ "url": URL, "entity_id": 1 }), "entity_id"),
    ];
    let update = [(json!({ "entity_id": "project-1" }), "entity_id")];

    let posts = both.iter().chain(&create);
    let posts = posts.map(|(body, param)| (Method::POST, ENDPOINTS, body, param));
    let patches = both.iter().chain(&update);
    let patches = patches.map(|(body, param)| (Method::PATCH, path.as_str(), body, param));
    for (method, path, body, param) in posts.chain(patches) {
        let got = client.send(method.clone(), path, body).await;
        let answer = (got.status, got.code(), got.param());
        let expected = (400, "invalid_parameter".to_owned(), (*param).to_owned());
        assert_eq!(answer, expected, "{method} {body}");
    }
    let kept = client.fake.endpoints();
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].url.as_str(), &kept[0].events), (URL, &None));
}

#[tokio::test]
async fn a_body_must_be_a_json_object_sent_as_json() {
    let client = Client::start();
    let post = || client.request(Method::POST, ENDPOINTS);
    let body = json!({ "url": URL });
    for request in [
        post().body(body.to_string()),
        post().with_json(&json!([body])),
        post().header("Content-Type", "application/json").body("{"),
        post().header("Content-Type", "text/plain").body(body.to_string()),
    ] {
        let got = Got::read(request.send().await.unwrap()).await.unwrap();
        assert_eq!((got.status, got.code()), (400, "invalid_parameter".into()));
    }
    assert!(client.fake.endpoints().is_empty());
}

#[tokio::test]
async fn rotation_takes_no_fields() {
    let client = Client::start();
    let created = client.create(&json!({ "url": URL })).await;
    let id = created["endpoint_id"].as_str().unwrap();
    let path = format!("{ENDPOINTS}/{id}/rotate-secret");
    let refused = client.send(Method::POST, &path, &json!({ "force": true })).await;
    assert_eq!((refused.status, refused.param()), (400, "force".into()));
    let taken = client.send(Method::POST, &path, &json!({})).await;
    assert_eq!(taken.status, 200);
}

#[tokio::test]
async fn a_missing_and_a_wrong_credential_are_answered_byte_for_byte_the_same() {
    let client = Client::start();
    let bare = || client.bare(Method::GET, ENDPOINTS);
    let mut texts = Vec::new();
    for request in [
        bare(),
        bare().header("X-Api-Key", "wrong"),
        bare().header("X-Api-Key", ""),
        bare().header("Authorization", "Bearer wrong"),
        bare().header("Authorization", client.fake.access_token()),
    ] {
        let got = Got::read(request.send().await.unwrap()).await.unwrap();
        assert_eq!((got.status, got.code()), (401, "unauthorized".into()));
        texts.push(got.text);
    }
    texts.dedup();
    assert_eq!(texts.len(), 1);
}

#[tokio::test]
async fn exactly_one_kind_of_credential_is_taken() {
    let client = Client::start();
    let bearer = format!("Bearer {}", client.fake.access_token());
    let alone = client.bare(Method::GET, ENDPOINTS).header("Authorization", &bearer);
    assert_eq!(alone.send().await.unwrap().status(), 200);
    let both = client.request(Method::GET, ENDPOINTS).header("Authorization", &bearer);
    let got = Got::read(both.send().await.unwrap()).await.unwrap();
    assert_eq!((got.status, got.code()), (401, "authentication_failed".into()));
    let logged = client.fake.requests()[1].credentials;
    assert_eq!(logged.api_key, Credential::Right);
    assert_eq!(logged.bearer, Credential::Right);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let client = Client::start();
    for (method, path) in [
        (Method::GET, "/"),
        (Method::GET, "/v3/webhooks/endpoints/ep_1"),
        (Method::PUT, ENDPOINTS),
        (Method::PATCH, "/v3/webhooks/endpoints/"),
        (Method::POST, "/v3/webhooks/endpoints/ep_1/rotate"),
    ] {
        let got = client.send(method, path, &json!({})).await;
        assert_eq!((got.status, got.code()), (404, "not_found".into()), "{path}");
    }
}

#[tokio::test]
async fn the_log_tells_what_arrived_and_what_became_of_it() {
    let client = Client::start();
    let request = client
        .request(Method::POST, ENDPOINTS)
        .header("Idempotency-Key", "key-1")
        .header("User-Agent", "it/1");
    let sent = request.with_json(&json!({ "url": URL })).send();
    let created = Got::read(sent.await.unwrap()).await.unwrap();
    client.get(&format!("{ENDPOINTS}?limit=3")).await;

    let log = client.fake.requests();
    assert_eq!(log.len(), 2);
    assert_eq!((log[0].sequence, log[1].sequence), (1, 2));
    assert_eq!((log[0].method.as_str(), log[0].path.as_str()), ("POST", ENDPOINTS));
    assert_eq!(log[0].idempotency_key.as_deref(), Some("key-1"));
    assert_eq!(log[0].user_agent.as_deref(), Some("it/1"));
    assert_eq!(log[0].body, Some(json!({ "url": URL })));
    assert_eq!(log[0].status, Some(200));
    assert_eq!(log[0].request_id, created.header("x-request-id"));
    assert!(log[0].took_effect && !log[1].took_effect);
    assert_eq!(log[1].query, "limit=3");
    assert_eq!(client.fake.requests_to(Route::List).len(), 1);

    client.fake.clear_requests();
    client.get(ENDPOINTS).await;
    let log = client.fake.requests();
    assert_eq!((log.len(), log[0].sequence, log[0].status), (1, 3, Some(200)));
}

#[tokio::test]
async fn event_types_are_listed_with_a_description() {
    let client = Client::start();
    let types = client.get("/v3/webhooks/event-types").await.json();
    let names: Vec<_> = types["data"].as_array().unwrap().iter().collect();
    assert_eq!(names.len(), 30);
    assert!(names.iter().all(|it| it["description"].is_string()));
    assert!(names.iter().any(|it| it["event_type"] == "batch.finished"));
    assert_eq!(types["has_more"], false);

    client
        .fake
        .behave(|it| it.more_event_types = vec!["avatar_hologram.success".into()]);
    let types = client.get("/v3/webhooks/event-types").await.text;
    assert!(types.contains("avatar_hologram.success"));
    client
        .create(&json!({ "url": URL, "events": ["avatar_hologram.success"] }))
        .await;
}
