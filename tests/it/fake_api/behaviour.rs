//! Each switch does what it says, and nothing else.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, ENDPOINTS};
use crate::fake_heygen::{AllEvents, Behaviour, Fault, RateLimit, Route, Rule, Timestamps, TrailingSlash, UrlSpelling};

const URL: &str = "https://hooks.example.com/heygen";

#[tokio::test]
async fn events_can_be_shuffled_and_doubled() {
    let client = Client::start();
    let events = json!([
        "avatar_video.success",
        "avatar_video.fail",
        "batch.finished",
        "video_agent.success",
        "video_agent.fail",
        "live_avatar.success",
        "live_avatar.fail",
        "ai_clipping.success"
    ]);
    client.create(&json!({ "url": URL, "events": events })).await;
    let answered = async || client.walk(100).await[0]["events"].clone();
    assert_eq!(answered().await, events);

    client.fake.behave(|it| it.shuffle_events = true);
    let (one, other) = (answered().await, answered().await);
    assert_ne!(one, other);
    assert_eq!(sorted(&one), sorted(&events));

    client.fake.set_behaviour(Behaviour {
        duplicate_events: true,
        ..Behaviour::default()
    });
    let doubled = answered().await;
    assert_eq!(doubled.as_array().unwrap().len(), 9);
    assert_eq!(doubled[0], doubled[8]);
}

#[tokio::test]
async fn all_events_can_be_answered_in_three_ways() {
    let client = Client::start();
    client.create(&json!({ "url": URL, "events": null })).await;
    let answered = async || client.walk(100).await[0].clone();
    assert_eq!(answered().await["events"], Value::Null);
    client.fake.behave(|it| it.all_events = AllEvents::Listed);
    assert_eq!(answered().await["events"].as_array().unwrap().len(), 30);
    client.fake.behave(|it| it.all_events = AllEvents::Omitted);
    assert!(answered().await.get("events").is_none());
    assert_eq!(client.fake.endpoints()[0].events, None);
}

#[tokio::test]
async fn null_events_can_be_ignored_by_an_update() {
    let client = Client::start();
    let events = json!(["batch.finished"]);
    let created = client.create(&json!({ "url": URL, "events": events })).await;
    let id = created["endpoint_id"].as_str().unwrap();
    client.fake.behave(|it| it.patch_ignores_null_events = true);
    let answer = client.patch(id, &json!({ "events": null })).await.json();
    assert_eq!(answer["data"]["events"], events);
    client.fake.behave(|it| it.patch_ignores_null_events = false);
    let answer = client.patch(id, &json!({ "events": null })).await.json();
    assert_eq!(answer["data"]["events"], Value::Null);
}

#[tokio::test]
async fn urls_can_be_spelled_differently() {
    let client = Client::start();
    client
        .create(&json!({ "url": "https://Hooks.Example.COM:443/Path?Q=A/" }))
        .await;
    let spelled = async |spelling: UrlSpelling| {
        client.fake.behave(|it| it.urls = spelling);
        client.walk(100).await[0]["url"].clone()
    };
    let plain = UrlSpelling::default();
    assert_eq!(spelled(plain).await, "https://Hooks.Example.COM:443/Path?Q=A/");
    let lower = UrlSpelling {
        lower_case_host: true,
        ..plain
    };
    assert_eq!(spelled(lower).await, "https://hooks.example.com:443/Path?Q=A/");
    let portless = UrlSpelling {
        no_default_port: true,
        ..plain
    };
    assert_eq!(spelled(portless).await, "https://Hooks.Example.COM/Path?Q=A/");
    let added = UrlSpelling {
        trailing_slash: TrailingSlash::Added,
        ..plain
    };
    assert_eq!(spelled(added).await, "https://Hooks.Example.COM:443/Path/?Q=A/");

    let id = client.fake.endpoints()[0].endpoint_id.clone();
    let bare = "https://hooks.example.com/";
    client.fake.edit_endpoint(&id, |it| it.url = bare.into());
    let removed = UrlSpelling {
        trailing_slash: TrailingSlash::Removed,
        ..plain
    };
    assert_eq!(spelled(removed).await, "https://hooks.example.com");
    assert_eq!(client.fake.endpoints()[0].url, bare);
}

#[tokio::test]
async fn timestamps_can_be_written_in_many_ways() {
    let client = Client::start();
    let created = client.create(&json!({ "url": URL })).await;
    let seconds = created["created_at"].as_str().unwrap().to_owned();
    let naked = seconds.trim_end_matches('Z');
    assert_eq!((seconds.len(), naked.len()), (20, 19));
    let written = async |timestamps| {
        client.fake.behave(|it| it.timestamps = timestamps);
        let walked = client.walk(100).await;
        walked[0]["created_at"].as_str().unwrap().to_owned()
    };
    assert_eq!(written(Timestamps::Naked).await, naked);
    assert_eq!(written(Timestamps::Offset).await, format!("{naked}+00:00"));
    assert_eq!(
        written(Timestamps::LowerCase).await,
        format!("{}z", naked.to_ascii_lowercase())
    );
    assert_eq!(
        written(Timestamps::Spaced).await,
        format!("{}Z", naked.replace('T', " "))
    );
    let micro = written(Timestamps::Microseconds).await;
    assert!(micro.starts_with(&format!("{naked}.")) && micro.len() == 27, "{micro}");
    assert_eq!(
        written(Timestamps::NakedMicroseconds).await,
        micro.trim_end_matches('Z')
    );
}

#[tokio::test]
async fn a_create_can_come_without_a_secret_and_with_more_than_is_documented() {
    let client = Client::start();
    client.fake.set_behaviour(Behaviour {
        create_without_secret: true,
        extra_fields: true,
        status_of_new: Some("warming_up".into()),
        ..Behaviour::default()
    });
    let created = client.create(&json!({ "url": URL })).await;
    assert_eq!(created["secret"], Value::Null);
    assert_eq!(created["status"], "warming_up");
    assert_eq!(created["api_version"], "v9");
    assert!(client.fake.endpoints()[0].secret.starts_with("whsec_"));
}

#[tokio::test]
async fn urls_can_be_required_to_differ() {
    let client = Client::start();
    client.fake.behave(|it| it.unique_urls = true);
    let created = client.create(&json!({ "url": URL })).await;
    let id = created["endpoint_id"].as_str().unwrap();
    let again = client.try_create(URL).await.unwrap();
    assert_eq!((again.status, again.code()), (409, "conflict".into()));
    assert_eq!(client.patch(id, &json!({ "url": URL })).await.status, 200);
}

#[tokio::test]
async fn the_number_of_endpoints_can_be_limited() {
    let client = Client::start();
    client.fake.behave(|it| it.resource_limit = Some(1));
    client.create(&json!({ "url": URL })).await;
    let refused = client.try_create(URL).await.unwrap();
    assert_eq!((refused.status, refused.code()), (429, "resource_limit_reached".into()));
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(client.fake.endpoints().len(), 1);
}

#[tokio::test]
async fn a_rate_can_be_limited() {
    let client = Client::start();
    let limit = RateLimit {
        per_second: 0.001,
        burst: 2,
        retry_after: Some(7),
    };
    client.fake.behave(|it| it.rate_limit = Some(limit));
    client.fake.inject(Rule::on(Route::List, Fault::NotFound).after(1));
    client.create(&json!({ "url": URL })).await;
    // Who is not let in takes no token, and neither does a call of nothing.
    for stranger in [ENDPOINTS, "/nothing"] {
        let request = client.bare(Method::GET, stranger);
        assert_eq!(request.send().await.unwrap().status().as_u16(), 401);
    }
    assert_eq!(client.get("/nothing").await.status, 404);
    assert_eq!(client.get(ENDPOINTS).await.status, 200);
    for refused in [client.try_create(URL).await.unwrap(), client.get(ENDPOINTS).await] {
        assert_eq!((refused.status, refused.code()), (429, "rate_limit_exceeded".into()));
        assert_eq!(refused.header("retry-after"), "7");
    }
    assert_eq!(client.fake.endpoints().len(), 1);
    let logged = client.fake.requests();
    assert!(logged.iter().all(|it| it.fault.is_none()), "{logged:?}");
    assert!(logged.is_sorted_by_key(|it| it.arrived_ms));

    // The bucket of another limit is full, and the fault has waited.
    let unsaid = RateLimit {
        retry_after: None,
        ..limit
    };
    client.fake.behave(|it| it.rate_limit = Some(unsaid));
    assert_eq!(client.get(ENDPOINTS).await.code(), "webhook_not_found");
    assert_eq!(client.get(ENDPOINTS).await.status, 200);
    let refused = client.get(ENDPOINTS).await;
    assert_eq!((refused.status, refused.headers.get("retry-after")), (429, None));
}

#[tokio::test]
async fn a_limited_rate_is_kept_by_the_machines_time() {
    let client = Client::start();
    client.fake.behave(|it| {
        it.rate_limit = Some(RateLimit {
            per_second: 20.0,
            burst: 3,
            retry_after: None,
        });
    });
    let began = std::time::Instant::now();
    let mut let_through = 0;
    while let_through < 13 {
        client.fake.advance(std::time::Duration::from_secs(1));
        let_through += u32::from(client.get(ENDPOINTS).await.status == 200);
    }
    let took = began.elapsed().as_secs_f64();
    // Three at once and ten more, 50 ms each.
    assert!((0.49..5.0).contains(&took), "{took}");
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_can_be_refused() {
    let client = Client::start();
    let created = client.create(&json!({ "url": URL })).await;
    let id = created["endpoint_id"].as_str().unwrap();
    let down = "https://down.example.com/";
    client.fake.behave(|it| it.unreachable_receivers = vec![down.into()]);
    for refused in [
        client.try_create(down).await.unwrap(),
        client.patch(id, &json!({ "url": down })).await,
    ] {
        assert_eq!((refused.status, refused.param()), (400, "url".into()));
        assert!(refused.text.contains("OPTIONS"));
    }
    assert_eq!(client.try_create(URL).await.unwrap().status, 200);
}

#[tokio::test]
async fn the_request_id_can_come_from_amazon() {
    let client = Client::start();
    assert_eq!(client.get(ENDPOINTS).await.header("x-request-id"), "req_00000001");
    client.fake.behave(|it| it.amazon_request_id = true);
    let got = client.send(Method::GET, "/", &json!({})).await;
    assert_eq!(got.header("x-request-id"), "");
    assert_eq!(got.header("x-amzn-request-id"), "req_00000002");
}

#[tokio::test]
async fn two_fakes_of_one_seed_give_the_same_ids_and_secrets() {
    let (one, other) = (Client::start(), Client::start());
    let body = json!({ "url": URL });
    let (mut left, mut right) = (one.create(&body).await, other.create(&body).await);
    // The time is the only thing they do not share.
    left["created_at"].take();
    right["created_at"].take();
    assert_eq!(left, right);
}

fn sorted(list: &Value) -> Vec<String> {
    let items = list.as_array().unwrap().iter();
    let mut items: Vec<_> = items.map(|it| it.as_str().unwrap().to_owned()).collect();
    items.sort();
    items
}
