//! Endpoints that another run makes: the same URL, the same events, an id and a secret of their own.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, ENDPOINTS};
use crate::fake_heygen::{Creation, Endpoint, Fault, Route, Rule};

const URL: &str = "https://hooks.example.com/heygen";

/// What a create that has a twin leaves in the account: the twin, and the endpoint itself where there is one.
async fn created(client: &Client, fault: Fault) -> (Option<u16>, Endpoint, Option<Endpoint>) {
    let before = client.fake.endpoints().len();
    client.fake.inject(Rule::on(Route::Create, fault));
    let body = json!({ "url": URL, "events": ["batch.finished"], "entity_id": "project-1" });
    let answered = client.try_send(Method::POST, ENDPOINTS, &body).await;
    let mut made = client.fake.endpoints().split_off(before).into_iter();
    let twin = made.next().expect("a twin");
    let own = made.next();
    assert!(made.next().is_none());
    assert_eq!(client.fake.twins().last(), Some(&twin));
    (answered.ok().map(|got| got.status), twin, own)
}

#[tokio::test]
async fn a_twin_is_made_during_a_creation_whatever_comes_of_that() {
    let client = Client::start();
    for (creation, status, takes_effect) in [
        (Creation::Answered, Some(200), true),
        (Creation::Lost, None, true),
        (Creation::Undone, None, false),
    ] {
        let began = client.fake.now();
        let (answered, twin, own) = created(&client, Fault::TwinDuring { creation }).await;
        assert_eq!((answered, own.is_some()), (status, takes_effect), "{creation:?}");
        assert!(twin.created_at >= began && twin.created_at <= client.fake.now());
        assert_eq!(twin.url, URL);
        assert_eq!(twin.events, Some(vec!["batch.finished".to_owned()]));
        if let Some(own) = own {
            assert!(own.created_at >= twin.created_at);
            assert_ne!((own.endpoint_id, own.secret), (twin.endpoint_id, twin.secret));
        }
    }
    let log = client.fake.requests();
    let took_effect: Vec<_> = log.iter().map(|request| request.took_effect).collect();
    assert_eq!(took_effect, [true, true, false]);
    assert_eq!(client.fake.faults_by_kind()["twin_during"], 3);
}

#[tokio::test]
async fn a_twin_made_before_is_older_by_so_much() {
    let client = Client::start();
    client.fake.behave(|it| it.clock_offset_ms = -600_000);
    let fault = Fault::TwinBefore {
        ms: 20_000,
        creation: Creation::Undone,
    };
    let (answered, twin, own) = created(&client, fault).await;
    assert_eq!((answered, own), (None, None));
    let age = client.fake.now() - twin.created_at;
    assert!(age >= Duration::from_secs(20) && age < Duration::from_secs(40), "{age}");
}

#[tokio::test]
async fn a_twin_is_in_the_list_while_the_list_still_lags_behind_the_creation() {
    let client = Client::start();
    client.fake.behave(|it| it.list_lag_ms = 3_600_000);
    let creation = Creation::Lost;
    let (_, twin, own) = created(&client, Fault::TwinDuring { creation }).await;
    assert!(own.is_some());
    let walked = client.walk(100).await;
    assert_eq!((walked.len(), &walked[0]["endpoint_id"]), (1, &json!(twin.endpoint_id)));
}

#[tokio::test]
async fn a_creation_that_is_refused_has_no_twin() {
    let client = Client::start();
    let creation = Creation::Answered;
    client
        .fake
        .inject(Rule::on(Route::Create, Fault::TwinDuring { creation }));
    assert_eq!(client.try_create("http://example.com/").await.unwrap().status, 400);
    assert!(client.fake.twins().is_empty() && client.fake.endpoints().is_empty());
}

#[tokio::test]
async fn a_twin_stays_told_as_it_was_made() {
    let client = Client::start();
    let creation = Creation::Answered;
    let rule = json!({ "fault": { "twin_during": { "creation": "answered" } }, "routes": ["create"] });
    client.send(Method::POST, "/_control/faults", &rule).await;
    client.try_create(URL).await.unwrap();
    let twins = client.fake.twins();
    client
        .patch(&twins[0].endpoint_id, &json!({ "url": "https://taken.example.com/" }))
        .await;
    assert_eq!(client.fake.twins(), twins);
    let told = client.get("/_control/twins").await.json();
    assert_eq!((&told[0]["url"], &told[1]), (&json!(URL), &Value::Null));
    let (_, other, _) = created(&client, Fault::TwinBefore { ms: 1, creation }).await;
    assert_eq!(client.fake.twins(), [twins, vec![other]].concat());
}
