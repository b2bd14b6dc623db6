//! Values that no decoder can read, in answers that are sound but for them.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, ENDPOINTS, WithJson as _};
use crate::fake_heygen::{Fault, Oddity, RandomFaults, Route, Rule, Undecodable};

const URL: &str = "https://hooks.example.com/heygen";

/// How a value goes over the wire.
fn wire(value: Undecodable) -> Vec<u8> {
    match value {
        Undecodable::HalfSurrogatePair => b"\"launch \\ud83d\"".to_vec(),
        Undecodable::NoUtf8 => b"\"caf\xe9\"".to_vec(),
        Undecodable::DeepNesting => ["[".repeat(200), "]".repeat(200)].concat().into_bytes(),
    }
}

/// The answer to one call as it came, which no decoder can read, and the answer that it would be with `""` in place of
/// each of these values; and how many of them there are.
async fn answer(
    client: &Client,
    method: Method,
    path: &str,
    body: Option<&Value>,
    value: Undecodable,
) -> (Value, usize) {
    let request = client.request(method, path);
    let request = match body {
        Some(body) => request.with_json(body),
        None => request,
    };
    let sent = request.send().await.unwrap();
    assert_eq!(sent.status(), 200);
    let bytes = sent.bytes().await.unwrap();
    serde_json::from_slice::<Value>(&bytes).expect_err("a value in it cannot be read");
    let wire = wire(value);
    let places: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(&wire)).collect();
    let (mut readable, mut from) = (Vec::new(), 0);
    for &at in &places {
        readable.extend(&bytes[from..at]);
        readable.extend(b"\"\"");
        from = at + wire.len();
    }
    readable.extend(&bytes[from..]);
    (
        serde_json::from_slice(&readable).expect("all else is sound"),
        places.len(),
    )
}

#[tokio::test]
async fn a_field_that_is_named_can_be_undecodable_and_be_a_new_one() {
    let client = Client::start();
    let id = client.create(&json!({ "url": URL })).await["endpoint_id"].clone();
    let of_endpoint = format!("{ENDPOINTS}/{}", id.as_str().unwrap());
    let rotation = format!("{of_endpoint}/rotate-secret");
    let create = json!({ "url": URL, "events": ["batch.finished"] });
    let update = json!({ "url": URL });
    for value in Undecodable::ALL {
        for (route, method, path, body, fields) in [
            (
                Route::Create,
                Method::POST,
                ENDPOINTS,
                Some(&create),
                &["url", "remark"][..],
            ),
            (
                Route::Update,
                Method::PATCH,
                &of_endpoint,
                Some(&update),
                &["events", "remark"],
            ),
            (Route::Rotate, Method::POST, &rotation, None, &["secret", "remark"]),
            (Route::List, Method::GET, ENDPOINTS, None, &["status", "remark"]),
        ] {
            for field in fields {
                let named = Some((*field).to_owned());
                let fault = Fault::UndecodableValue { value, field: named };
                client.fake.inject(Rule::on(route, fault));
                let (read, count) = answer(&client, method.clone(), path, body, value).await;
                let data = if route == Route::List {
                    &read["data"][0]
                } else {
                    &read["data"]
                };
                assert_eq!((count, &data[field]), (1, &json!("")), "{route:?} {field}: {read}");
                assert!(data["endpoint_id"].is_string());
            }
        }
    }
    // Each of the creations took effect, and the next answers are sound.
    assert_eq!(client.walk(100).await.len(), 7);
    assert_eq!(client.fake.faults_by_kind()["undecodable_value"], 24);
}

#[tokio::test]
async fn by_chance_any_field_is_undecodable_or_an_event_or_a_new_field() {
    let client = Client::start();
    client
        .create(&json!({ "url": URL, "events": ["batch.finished"] }))
        .await;
    let whole = client.get(ENDPOINTS).await.json();
    client.fake.inject_randomly(RandomFaults {
        seed: 5,
        rate: 1.0,
        routes: vec![Route::List],
        faults: vec![Fault::UndecodableValue {
            value: Undecodable::NoUtf8,
            field: None,
        }],
    });
    let mut seen = BTreeSet::new();
    for _ in 0..200 {
        let (read, count) = answer(&client, Method::GET, ENDPOINTS, None, Undecodable::NoUtf8).await;
        assert_eq!(count, 1);
        let mut parts = vec![("", &read, &whole)];
        if read["data"].is_array() {
            parts.push(("item ", &read["data"][0], &whole["data"][0]));
        }
        for (of, read, sound) in parts {
            for (name, value) in read.as_object().unwrap() {
                if value == "" && sound[name] != "" {
                    seen.insert(format!("{of}{name}"));
                }
                if *value == json!([""]) {
                    seen.insert("an event".to_owned());
                }
            }
        }
    }
    let expected = [
        "an event",
        "data",
        "has_more",
        "item created_at",
        "item endpoint_id",
        "item events",
        "item remark",
        "item status",
        "item url",
        "remark",
    ];
    assert_eq!(seen, BTreeSet::from(expected.map(str::to_owned)));
}

#[tokio::test]
async fn every_object_can_carry_a_field_that_is_undecodable() {
    let client = Client::start();
    let first = client.create(&json!({ "url": URL })).await;
    let of_endpoint = format!("{ENDPOINTS}/{}", first["endpoint_id"].as_str().unwrap());
    let rotation = format!("{of_endpoint}/rotate-secret");
    let body = json!({ "url": URL });
    for value in Undecodable::ALL {
        client.fake.behave(|it| it.undecodable_extra = Some(value));
        for (method, path, body) in [
            (Method::POST, ENDPOINTS, Some(&body)),
            (Method::PATCH, &of_endpoint, Some(&body)),
            (Method::POST, &rotation, None),
            (Method::GET, "/v3/webhooks/event-types?limit=1", None),
        ] {
            let (read, count) = answer(&client, method, path, body, value).await;
            assert_eq!((count, &read["remark"]), (2, &json!("")), "{path}: {read}");
        }
        let count = client.fake.endpoints().len();
        let (read, undecodable) = answer(&client, Method::GET, ENDPOINTS, None, value).await;
        assert_eq!(
            (read["data"].as_array().unwrap().len(), undecodable),
            (count, count + 1)
        );
    }
    let gone = client.delete("ep_1").await;
    assert_eq!(gone.status, 404);
    assert!(gone.text.contains("\"code\":\"webhook_not_found\",") && gone.text.matches("[[").count() > 0);
    client.fake.behave(|it| it.undecodable_extra = None);
    assert_eq!(client.delete("ep_1").await.code(), "webhook_not_found");
}

#[tokio::test]
async fn an_item_can_have_a_field_that_is_undecodable_or_be_it() {
    let client = Client::start();
    client.fake.put_many(2, "odd");
    let whole = client.get(ENDPOINTS).await.json();
    let id = client.fake.endpoints()[1].endpoint_id.clone();
    for value in Undecodable::ALL {
        for field in ["url", "endpoint_id", "remark"] {
            client.fake.make_odd(&id, Some(Oddity::undecodable(field, value)));
            let (read, count) = answer(&client, Method::GET, ENDPOINTS, None, value).await;
            let mut expected = whole.clone();
            expected["data"][1][field] = json!("");
            assert_eq!((read, count), (expected, 1));
        }
        let itself = Oddity::Undecodable { field: None, value };
        client.fake.make_odd(&id, Some(itself));
        let (read, _) = answer(&client, Method::GET, ENDPOINTS, None, value).await;
        assert_eq!(read["data"], json!([whole["data"][0], ""]));
    }
    client.fake.make_odd(&id, None);
    assert_eq!(client.get(ENDPOINTS).await.json(), whole);
}

#[tokio::test]
async fn the_log_says_whose_secret_was_told_where_it_can_be_read() {
    let client = Client::start();
    let told = || client.fake.requests().pop().unwrap().secret_of;
    let field = |name: &str| Some(name.to_owned());
    for (fault, is_told) in [
        (None, true),
        (Some(Fault::MissingField { field: field("url") }), true),
        (
            Some(Fault::MissingField {
                field: field("endpoint_id"),
            }),
            true,
        ),
        (Some(Fault::NullField { field: field("secret") }), false),
        (Some(Fault::WrongType { field: field("data") }), false),
        (Some(Fault::MalformedJson), false),
        (Some(Fault::Truncated), false),
        (
            Some(Fault::UndecodableValue {
                value: Undecodable::NoUtf8,
                field: field("secret"),
            }),
            false,
        ),
        (
            Some(Fault::UndecodableValue {
                value: Undecodable::NoUtf8,
                field: field("url"),
            }),
            true,
        ),
    ] {
        if let Some(fault) = fault.clone() {
            client.fake.inject(Rule::on(Route::Create, fault));
        }
        let _ = client
            .request(Method::POST, ENDPOINTS)
            .with_json(&json!({ "url": URL }))
            .send()
            .await;
        let id = client.fake.endpoints().pop().unwrap().endpoint_id;
        assert_eq!(told(), is_told.then_some(id), "{fault:?}");
    }
    let id = client.fake.endpoints()[0].endpoint_id.clone();
    client.rotate(&id).await;
    assert_eq!(told(), Some(id));
    client.walk(100).await;
    assert_eq!(told(), None);
}
