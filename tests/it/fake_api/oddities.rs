//! Items of the list that are odd, for one request or until they are mended, and answers that tell nothing.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, ENDPOINTS, WithJson as _};
use crate::fake_heygen::{BodyShape, Effect, Fault, Oddity, Route, Rule, SuccessBody};

const URL: &str = "https://hooks.example.com/heygen";

#[tokio::test]
async fn an_item_stays_odd_until_it_is_mended_and_its_endpoint_is_sound() {
    let client = Client::start();
    client.fake.put_many(3, "odd");
    let whole = client.walk(100).await;
    let endpoints = client.fake.endpoints();
    let id = endpoints[1].endpoint_id.clone();
    let mut without_id = whole[1].clone();
    without_id.as_object_mut().unwrap().remove("endpoint_id");
    let with = |field: &str, value: Value| {
        let mut item = whole[1].clone();
        item[field] = value;
        item
    };
    for (oddity, item) in [
        (Oddity::without("endpoint_id"), without_id),
        (
            Oddity::with("endpoint_id", "../elsewhere"),
            with("endpoint_id", json!("../elsewhere")),
        ),
        (Oddity::with("url", Value::Null), with("url", Value::Null)),
        (Oddity::with("events", 7), with("events", json!(7))),
        (Oddity::instead(17), json!(17)),
        (Oddity::instead("an endpoint"), json!("an endpoint")),
        (Oddity::instead(json!([])), json!([])),
    ] {
        assert!(client.fake.make_odd(&id, Some(oddity)));
        for _ in 0..2 {
            let walked = client.walk(2).await;
            assert_eq!(walked, [whole[0].clone(), item.clone(), whole[2].clone()]);
        }
        assert_eq!(client.fake.endpoints(), endpoints);
    }
    let renamed = client.patch(&id, &json!({ "url": URL })).await;
    assert_eq!(renamed.json()["data"]["endpoint_id"], id);
    client.fake.make_odd(&id, None);
    assert_eq!(client.walk(2).await[1]["url"], URL);
    assert!(!client.fake.make_odd("ep_1", None));
}

#[tokio::test]
async fn an_item_is_made_odd_and_mended_over_the_control_path() {
    let client = Client::start();
    client.fake.put_many(1, "odd");
    let whole = client.walk(100).await;
    let id = whole[0]["endpoint_id"].as_str().unwrap();
    let path = format!("/_control/endpoints/{id}/oddity");
    let put = async |path: &str, oddity| client.send(Method::PUT, path, &oddity).await.status;
    for (oddity, shown) in [
        (json!({ "without": { "field": "status" } }), json!(null)),
        (json!({ "with": { "field": "status", "value": 1.5 } }), json!(1.5)),
        (json!({ "instead": { "value": { "status": [] } } }), json!([])),
    ] {
        assert_eq!(put(&path, oddity).await, 200);
        assert_eq!(client.walk(100).await[0]["status"], shown);
    }
    assert_eq!(client.send(Method::DELETE, &path, &json!({})).await.status, 200);
    assert_eq!(client.walk(100).await, whole);
    assert_eq!(
        put(
            "/_control/endpoints/ep_1/oddity",
            json!({ "without": { "field": "url" } })
        )
        .await,
        404
    );
    assert!((400..500).contains(&put(&path, json!({ "without": { "filed": "url" } })).await));
}

#[tokio::test]
async fn one_item_of_one_page_can_be_odd() {
    let client = Client::start();
    client.fake.put_many(3, "odd");
    let whole = client.walk(100).await;
    let endpoint_id = whole[1]["endpoint_id"].as_str().unwrap().to_owned();
    let odd = Fault::OddItem {
        endpoint_id,
        oddity: Oddity::with("created_at", 7),
    };
    // The first of three pages has not got it.
    client.fake.inject(Rule::on(Route::List, odd.clone()).times(2));
    let walked = client.walk(1).await;
    assert_eq!((&walked[0], &walked[2]), (&whole[0], &whole[2]));
    assert_eq!(walked[1]["created_at"], 7);
    assert_eq!(walked[1]["url"], whole[1]["url"]);
    assert_eq!(client.walk(1).await, whole);
    assert_eq!(client.fake.faults_by_kind()["odd_item"], 2);

    let rule = json!({ "fault": odd, "routes": ["list"] });
    client.send(Method::POST, "/_control/faults", &rule).await;
    assert_eq!(client.walk(100).await[1]["created_at"], 7);
}

#[tokio::test]
async fn the_answer_to_an_update_or_a_rotation_can_lack_any_field() {
    let client = Client::start();
    let created = client.create(&json!({ "url": URL })).await;
    let id = created["endpoint_id"].as_str().unwrap();
    for field in ["endpoint_id", "url", "events", "status", "created_at"] {
        let named = Some(field.to_owned());
        client
            .fake
            .inject(Rule::on(Route::Update, Fault::MissingField { field: named.clone() }));
        client
            .fake
            .inject(Rule::on(Route::Update, Fault::WrongType { field: named }));
        let updated = async || client.patch(id, &json!({ "url": URL })).await.json()["data"].take();
        let (missing, wrong) = (updated().await, updated().await);
        assert!(
            missing.get(field).is_none() && missing.as_object().unwrap().len() == 5,
            "{missing}"
        );
        assert!(wrong[field].is_number(), "{wrong}");
    }
    let field = Some("secret".to_owned());
    client.fake.inject(Rule::on(Route::Rotate, Fault::NullField { field }));
    let rotated = client.rotate(id).await.json();
    assert_eq!(
        (&rotated["data"]["secret"], &rotated["data"]["endpoint_id"]),
        (&Value::Null, &json!(id))
    );
    assert_ne!(
        client.fake.endpoint(id).unwrap().secret,
        created["secret"].as_str().unwrap()
    );
}

#[tokio::test]
async fn a_success_can_tell_nothing_and_is_one_all_the_same() {
    let client = Client::start();
    for (body, status, begins) in [
        (SuccessBody::NoContent, 204, ""),
        (SuccessBody::Empty, 200, ""),
        (SuccessBody::EmptyObject, 200, "{}"),
        (SuccessBody::Html, 200, "<html>"),
    ] {
        client.fake.inject(Rule::on(Route::Create, Fault::BareSuccess { body }));
        let got = client.try_create(URL).await.unwrap();
        assert_eq!(got.status, status);
        assert!(got.text.starts_with(begins) && got.text.is_empty() == begins.is_empty());
    }
    assert_eq!(client.fake.endpoints().len(), 4);
    let ordered = json!({ "fault": { "bare_success": { "body": "no_content" } } });
    client.send(Method::POST, "/_control/faults", &ordered).await;
    assert_eq!(client.get(ENDPOINTS).await.status, 204);
    assert_eq!(client.fake.faults_by_kind()["bare_success"], 5);
}

#[tokio::test]
async fn every_update_can_be_answered_with_nothing() {
    let client = Client::start();
    let created = client.create(&json!({ "url": URL })).await;
    let id = created["endpoint_id"].as_str().unwrap();
    let body = json!({ "update_answers": "empty_object" });
    let turned = client.bare(Method::PATCH, "/_control/behaviour").with_json(&body);
    assert_eq!(turned.send().await.unwrap().status(), 200);
    client.fake.inject(Rule::on(Route::Update, Fault::NullEventsIgnored));
    let moved = "https://hooks.example.com/moved";
    for _ in 0..2 {
        let got = client.patch(id, &json!({ "url": moved })).await;
        assert_eq!((got.status, got.text.as_str()), (200, "{}"));
    }
    assert_eq!(client.fake.endpoint(id).unwrap().url, moved);
    assert_eq!(client.walk(100).await[0]["url"], moved);
    let refused = client.patch(id, &json!({ "url": 7 })).await;
    assert_eq!((refused.status, refused.param()), (400, "url".into()));
    let gone = client.patch("ep_1", &json!({ "url": moved })).await;
    assert_eq!((gone.status, gone.code()), (404, "webhook_not_found".into()));
}

#[tokio::test]
async fn a_404_can_be_a_gateways_on_any_route_before_or_after_the_effect() {
    let client = Client::start();
    let not_found = |effect| Fault::Status {
        status: 404,
        body: BodyShape::Html,
        effect,
    };
    client.fake.put_many(1, "gone");
    let id = client.fake.endpoints()[0].endpoint_id.clone();
    for effect in [Effect::None, Effect::Done] {
        client.fake.inject(Rule::on_any(not_found(effect)).times(4));
        for got in [
            client.get(ENDPOINTS).await,
            client.patch(&id, &json!({ "url": URL })).await,
            client.rotate(&id).await,
            client.delete(&id).await,
        ] {
            assert_eq!(got.status, 404);
            assert!(got.text.starts_with("<html>"));
        }
        assert_eq!(client.fake.endpoint(&id).is_none(), effect == Effect::Done);
    }
    let kinds = client.fake.faults_by_kind();
    assert_eq!(
        (kinds["gateway_not_found"], kinds["gateway_not_found_after_effect"]),
        (4, 4)
    );
}
