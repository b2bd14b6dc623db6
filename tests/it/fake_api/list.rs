//! The list, page by page, and what may be wrong with it.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::client::{Client, ENDPOINTS};
use crate::fake_heygen::NewEndpoint;

#[tokio::test]
async fn ten_thousand_endpoints_are_walked_in_a_hundred_pages() {
    let client = Client::start();
    client.fake.put_many(10_000, "many");
    let walked = client.walk(100).await;
    let unique: HashSet<_> = ids(&walked).into_iter().collect();
    assert_eq!((walked.len(), unique.len()), (10_000, 10_000));
    assert_eq!(client.fake.requests().len(), 100);
    assert_eq!(walked[0]["url"], "https://many-0.example.com/hook");
}

#[tokio::test]
async fn a_page_holds_ten_unless_asked_otherwise_and_says_whether_there_is_more() {
    let client = Client::start();
    client.fake.put_many(10, "few");
    let page = client.get(ENDPOINTS).await.json();
    assert_eq!(page["data"].as_array().unwrap().len(), 10);
    assert_eq!((&page["has_more"], &page["next_token"]), (&json!(false), &Value::Null));
    client.fake.put_many(1, "one-more");
    let page = client.get(ENDPOINTS).await.json();
    assert_eq!(page["data"].as_array().unwrap().len(), 10);
    assert_eq!(page["has_more"], true);
    assert!(page["next_token"].is_string());
}

#[tokio::test]
async fn a_bad_limit_cursor_or_parameter_is_refused_by_name() {
    let client = Client::start();
    for (query, param) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("token=", "token"),
        ("token=cursor", "token"),
        ("token=!", "token"),
        ("page=2", "page"),
    ] {
        for list in ["endpoints", "events", "event-types"] {
            let got = client.get(&format!("/v3/webhooks/{list}?{query}")).await;
            let answer = (got.status, got.code(), got.param());
            let expected = (400, "invalid_parameter".to_owned(), param.to_owned());
            assert_eq!(answer, expected, "{list}?{query}");
        }
    }
    assert_eq!(client.get(&format!("{ENDPOINTS}?limit=1")).await.status, 200);
    assert_eq!(client.get(&format!("{ENDPOINTS}?limit=100")).await.status, 200);
}

#[tokio::test]
async fn a_walk_survives_the_removal_of_what_it_has_passed() {
    let client = Client::start();
    client.fake.put_many(4, "walk");
    let first = client.get(&format!("{ENDPOINTS}?limit=2")).await.json();
    for item in first["data"].as_array().unwrap() {
        let id = item["endpoint_id"].as_str().unwrap();
        client.fake.remove_endpoint(id).unwrap();
    }
    let token = first["next_token"].as_str().unwrap();
    let second = client.get(&format!("{ENDPOINTS}?limit=2&token={token}")).await;
    let second = second.json();
    assert_eq!(second["data"][0]["url"], "https://walk-2.example.com/hook");
    assert_eq!(second["data"][1]["url"], "https://walk-3.example.com/hook");
}

#[tokio::test]
async fn the_order_can_be_turned_round() {
    let client = Client::start();
    client.fake.put_many(25, "order");
    let mut oldest_first = ids(&client.walk(4).await);
    client.fake.behave(|it| it.newest_first = true);
    let newest_first = ids(&client.walk(4).await);
    oldest_first.reverse();
    assert_eq!(oldest_first, newest_first);
}

#[tokio::test]
async fn a_created_endpoint_can_be_missed_by_the_next_walks() {
    let client = Client::start();
    client.fake.behave(|it| it.list_lag_walks = 2);
    client.create(&json!({ "url": "https://late.example.com/" })).await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(client.walk(100).await.len());
    }
    assert_eq!(seen, [0, 0, 1, 1]);

    client.fake.behave(|it| it.list_lag_ms = 3_600_000);
    client.create(&json!({ "url": "https://later.example.com/" })).await;
    for _ in 0..4 {
        assert_eq!(client.walk(100).await.len(), 1);
    }
    assert_eq!(client.fake.endpoints().len(), 2);
}

#[tokio::test]
async fn an_endpoint_can_be_left_out_of_so_many_walks() {
    let client = Client::start();
    client.fake.put_many(2, "hide");
    let hidden = client.fake.endpoints()[0].endpoint_id.clone();
    assert!(client.fake.hide_endpoint(&hidden, 1));
    assert!(!ids(&client.walk(1).await).contains(&hidden));
    assert!(ids(&client.walk(1).await).contains(&hidden));
}

#[tokio::test]
async fn pages_can_shift_while_they_are_walked() {
    let client = Client::start();
    client.fake.put_many(9, "shift");
    for newest_first in [false, true] {
        client.fake.behave(|it| {
            it.newest_first = newest_first;
            it.page_shift = 0;
        });
        let all = ids(&client.walk(3).await);
        client.fake.behave(|it| it.page_shift = 1);
        let lost = ids(&client.walk(3).await);
        assert_eq!(lost, [&all[0..3], &all[4..7], &all[8..9]].concat());
        client.fake.behave(|it| it.page_shift = -1);
        let repeated = ids(&client.walk(3).await);
        assert_eq!(repeated[..6], [&all[0..3], &all[2..5]].concat());
        let unique: HashSet<_> = repeated.iter().collect();
        assert_eq!(unique.len(), 9);
    }
}

#[tokio::test]
async fn a_page_can_hold_less_than_was_asked_for() {
    let client = Client::start();
    client.fake.put_many(5, "short");
    let all = client.walk(100).await;
    client.fake.behave(|it| it.most_per_page = Some(2));
    client.fake.clear_requests();
    assert_eq!(client.walk(100).await, all);
    assert_eq!(client.fake.requests().len(), 3);
}

#[tokio::test]
async fn a_cursor_can_repeat() {
    let client = Client::start();
    client.fake.put_many(5, "repeat");
    client.fake.behave(|it| it.cursor_repeats = true);
    let first = client.get(&format!("{ENDPOINTS}?limit=2")).await.json();
    let token = first["next_token"].as_str().unwrap();
    let second = client.get(&format!("{ENDPOINTS}?limit=2&token={token}")).await;
    assert_eq!(second.json()["next_token"], token);
    assert_eq!(second.json()["has_more"], true);
}

#[tokio::test]
async fn events_are_listed_newest_first_and_filtered() {
    let client = Client::start();
    for number in 0..5 {
        let data = json!({ "number": number }).as_object().unwrap().clone();
        let (kind, entity) = match number % 2 {
            0 => ("avatar_video.success", Some("project-1")),
            _ => ("avatar_video.fail", None),
        };
        client.fake.record_event(kind, data, entity);
    }
    let numbers = async |query: &str| {
        let page = client.get(&format!("/v3/webhooks/events{query}")).await.json();
        let data = page["data"].as_array().unwrap().clone();
        assert!(
            data.iter()
                .all(|it| it["event_id"].is_string() && it["created_at"].is_string())
        );
        let numbers = data.iter().map(|it| it["event_data"]["number"].as_u64().unwrap());
        (
            numbers.collect::<Vec<_>>(),
            page["next_token"].as_str().map(str::to_owned),
        )
    };
    assert_eq!(numbers("").await, (vec![4, 3, 2, 1, 0], None));
    assert_eq!(numbers("?event_type=avatar_video.fail").await.0, [3, 1]);
    assert_eq!(numbers("?entity_id=project-1").await.0, [4, 2, 0]);
    let (first, token) = numbers("?limit=2&entity_id=project-1").await;
    assert_eq!(first, [4, 2]);
    let query = format!("?limit=2&entity_id=project-1&token={}", token.unwrap());
    assert_eq!(numbers(&query).await, (vec![0], None));
}

#[tokio::test]
async fn two_endpoints_may_share_a_url() {
    let client = Client::start();
    for _ in 0..2 {
        client.fake.put_endpoint(NewEndpoint {
            url: "https://shared.example.com/".into(),
            ..NewEndpoint::default()
        });
    }
    let ids = ids(&client.walk(100).await);
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1]);
}

fn ids(items: &[Value]) -> Vec<String> {
    let ids = items.iter().map(|item| item["endpoint_id"].as_str().unwrap());
    ids.map(str::to_owned).collect()
}
