//! The control path offers over HTTP what the handle offers in process.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, ENDPOINTS, Got, WithJson as _};

const URL: &str = "https://hooks.example.com/heygen";

impl Client {
    /// An order to the control path, which wants no key.
    async fn order(&self, method: Method, path: &str, body: Value) -> Got {
        let request = self.bare(method, &format!("/_control/{path}"));
        let request = match body {
            Value::Null => request,
            body => request.with_json(&body),
        };
        let sent = request.send().await.expect("an answer");
        Got::read(sent).await.expect("a body")
    }
}

#[tokio::test]
async fn endpoints_are_seen_and_changed_behind_the_clients_back() {
    let client = Client::start();
    let order = async |method, path: &str, body| client.order(method, path, body).await.json();
    let put = json!({ "url": URL, "events": ["batch.finished"], "entity_id": "project-1" });
    let put = order(Method::POST, "endpoints", put).await;
    let path = format!("endpoints/{}", put["endpoint_id"].as_str().unwrap());
    assert_eq!(put["entity_id"], "project-1");

    let edited = order(Method::PATCH, &path, json!({ "status": "disabled" })).await;
    assert_eq!(
        (&edited["status"], &edited["events"]),
        (&json!("disabled"), &put["events"])
    );
    let edited = order(Method::PATCH, &path, json!({ "events": null })).await;
    assert_eq!(edited["events"], Value::Null);
    assert_eq!(client.walk(10).await[0]["status"], "disabled");

    let rotated = order(Method::POST, &format!("{path}/rotate"), Value::Null).await;
    assert_ne!(rotated["secret"], put["secret"]);
    order(Method::POST, &format!("{path}/hide"), json!({ "walks": 1 })).await;
    assert!(client.walk(10).await.is_empty());
    let all = order(Method::GET, "endpoints", Value::Null).await;
    assert_eq!(all, json!([rotated]));

    order(Method::DELETE, &path, Value::Null).await;
    order(Method::POST, "seed", json!({ "count": 3 })).await;
    assert_eq!(client.fake.endpoints().len(), 3);
    assert!(client.fake.requests().iter().all(|it| it.path == ENDPOINTS));
}

#[tokio::test]
async fn requests_and_faults_are_told() {
    let client = Client::start();
    let order = async |method, path: &str, body| client.order(method, path, body).await.json();
    let rule = json!({ "fault": "in_progress", "routes": ["list"] });
    order(Method::POST, "faults", rule).await;
    client.get(ENDPOINTS).await;
    let requests = order(Method::GET, "requests", Value::Null).await;
    assert_eq!(requests[0]["fault"], "in_progress");
    assert_eq!(requests[0]["credentials"]["api_key"], "right");
    assert!(!requests.to_string().contains(client.fake.api_key()));
    let faults = order(Method::GET, "faults", Value::Null).await;
    assert_eq!(faults, json!({ "rules": [], "by_kind": { "in_progress": 1 } }));
    order(Method::DELETE, "requests", Value::Null).await;
    assert!(client.fake.requests().is_empty());
}

#[tokio::test]
async fn every_fault_can_be_ordered_by_name() {
    let client = Client::start();
    for (fault, status) in [
        (json!({ "rate_limit": { "retry_after": { "date_in": -5 } } }), Some(429)),
        (json!({ "rate_limit": { "retry_after": "absent" } }), Some(429)),
        (
            json!({ "status": { "status": 503, "body": "html", "effect": "none" } }),
            Some(503),
        ),
        (json!("unauthorized"), Some(401)),
        (json!("not_found"), Some(404)),
        (
            json!({ "redirect": { "location": "https://elsewhere.example.com/" } }),
            Some(307),
        ),
        (json!({ "reset": { "effect": "done" } }), None),
        (json!("truncated"), None),
        (json!({ "delay": { "ms": 1, "wait": "before" } }), Some(200)),
        (json!("malformed_json"), Some(200)),
        (json!({ "missing_field": {} }), Some(200)),
        (json!({ "null_field": { "field": "data" } }), Some(200)),
        (json!({ "wrong_type": {} }), Some(200)),
        (json!({ "oversized": { "mib": 1 } }), Some(200)),
    ] {
        let body = json!({ "fault": fault, "times": 1 });
        let ordered = client.order(Method::POST, "faults", body).await;
        assert_eq!(ordered.status, 200, "{ordered:?}");
        let got = client.try_get(ENDPOINTS).await;
        assert_eq!(got.ok().map(|got| got.status), status, "{fault}");
    }
    let random = json!({ "seed": 1, "rate": 1.0, "faults": ["in_progress"] });
    client.order(Method::PUT, "faults/random", random).await;
    assert_eq!(client.try_create(URL).await.unwrap().status, 409);
    client.order(Method::DELETE, "faults", Value::Null).await;
    assert_eq!(client.try_create(URL).await.unwrap().status, 200);
}

#[tokio::test]
async fn switches_are_turned_one_by_one_or_all_at_once() {
    let client = Client::start();
    let turn = json!({ "newest_first": true, "urls": { "lower_case_host": true } });
    let turned = client.order(Method::PATCH, "behaviour", turn).await.json();
    assert_eq!(turned["newest_first"], true);
    client
        .order(Method::PATCH, "behaviour", json!({ "page_shift": 2 }))
        .await;
    let all = client.order(Method::GET, "behaviour", Value::Null).await.json();
    assert_eq!((&all["newest_first"], &all["page_shift"]), (&json!(true), &json!(2)));
    client.order(Method::PUT, "behaviour", json!({})).await;
    let all = client.order(Method::GET, "behaviour", Value::Null).await.json();
    assert_eq!((&all["newest_first"], &all["page_shift"]), (&json!(false), &json!(0)));
}

#[tokio::test]
async fn an_order_that_makes_no_sense_is_refused() {
    let client = Client::start();
    for (method, path, body) in [
        (Method::PATCH, "behaviour", json!({ "newest_frist": true })),
        (Method::PUT, "behaviour", json!({ "newest_frist": true })),
        (
            Method::PATCH,
            "behaviour",
            json!({ "rate_limit": { "per_second": 0, "burst": 1 } }),
        ),
        (
            Method::PUT,
            "behaviour",
            json!({ "rate_limit": { "per_second": 1, "burst": 0 } }),
        ),
        (
            Method::PATCH,
            "behaviour",
            json!({ "rate_limit": { "per_second": 1, "burst": 1, "retry": 1 } }),
        ),
        (Method::POST, "faults", json!({ "fault": "earthquake" })),
        (Method::POST, "faults", json!({ "fault": "truncated", "time": 2 })),
        (Method::POST, "endpoints", json!({ "events": null })),
        (Method::POST, "seed", json!({ "count": 1_000_000 })),
        (Method::DELETE, "endpoints/ep_1", Value::Null),
        (Method::GET, "nothing", Value::Null),
        (
            Method::POST,
            "faults",
            json!({ "fault": { "status": { "status": 99, "body": "json", "effect": "none" } } }),
        ),
    ] {
        let got = client.order(method, path, body.clone()).await;
        assert!((400..500).contains(&got.status), "{path} {body}: {got:?}");
    }
}

#[tokio::test]
async fn connections_are_refused_for_a_while() {
    let client = Client::start();
    let ordered = client.order(Method::POST, "refuse", json!({ "ms": 60_000 })).await;
    assert_eq!(ordered.status, 200);
    assert!(client.try_get(ENDPOINTS).await.unwrap_err().is_connect());
    client.fake.accept_connections();
    assert_eq!(client.get(ENDPOINTS).await.status, 200);
}
