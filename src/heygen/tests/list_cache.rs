//! Reading the list together, counted in calls.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::{Instant, advance, sleep};

use super::{Act, Scripted, endpoint, id};
use crate::heygen::request::Request;
use crate::heygen::{Client, EndpointPages, EndpointPatch, Fault, ListItem, LookupKey, Stop};

/// How long the list server takes for a page.
const LATENCY: Duration = Duration::from_millis(20);

/// A list of endpoints, served in pages of 100; everything else succeeds.
#[derive(Clone)]
struct List(Arc<Mutex<Vec<String>>>);

impl List {
    /// `ep_0`, `ep_1` and so on.
    fn of(total: usize) -> Self {
        Self(Arc::new(Mutex::new((0..total).map(|n| format!("ep_{n}")).collect())))
    }

    fn remove(&self, id: &str) {
        self.0.lock().unwrap().retain(|known| known != id);
    }

    fn put(&self, id: &str) {
        self.0.lock().unwrap().push(id.to_owned());
    }

    fn page(&self, request: &Request) -> Act {
        let query: HashMap<_, _> = request.query.iter().cloned().collect();
        assert_eq!(query["limit"], "100");
        let from: usize = query
            .get("token")
            .map_or(0, |token| token.strip_prefix("after ").unwrap().parse().unwrap());
        let ids = self.0.lock().unwrap();
        let rest = &ids[from.min(ids.len())..];
        let page: Vec<_> = rest.iter().take(100).map(|id| endpoint(id)).collect();
        let next = (rest.len() > 100).then(|| format!("after {}", from + 100));
        Act::json(
            200,
            &json!({"data": page, "has_more": next.is_some(), "next_token": next}),
        )
    }

    fn served(&self) -> Scripted {
        let list = self.clone();
        Scripted::new(move |request| {
            if request.is_read_only() {
                list.page(request).after(LATENCY)
            } else {
                Act::ok(&endpoint("ep_0"))
            }
        })
    }
}

async fn found(client: &Client, name: &str) -> bool {
    client
        .find(&id(name), None, &Stop::new())
        .await
        .unwrap()
        .is_some_and(|endpoint| endpoint.id == id(name))
}

async fn rename(client: &Client) {
    client
        .update(&id("ep_0"), &EndpointPatch::default(), &Stop::new())
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn readers_pay_only_for_the_pages_they_need() {
    let server = List::of(1000).served();
    let client = server.client(0);
    for (name, calls) in [
        ("ep_7", 1),
        ("ep_99", 1),
        ("ep_150", 2),
        ("ep_3", 2),
        ("ep_999", 10),
        ("ep_500", 10),
    ] {
        assert!(found(&client, name).await);
        assert_eq!(server.calls(), calls, "after {name}");
    }
    assert_eq!(client.list(&Stop::new()).await.unwrap().len(), 1000);
    assert_eq!(server.calls(), 10);
}

#[tokio::test(start_paused = true)]
async fn two_hundred_readers_cost_one_pass_of_ten_thousand() {
    let server = List::of(10_000).served();
    let client = server.client(0);
    let readers = (0..200).map(|n| {
        let client = client.clone();
        tokio::spawn(async move { found(&client, &format!("ep_{}", n * 50 + 49)).await })
    });
    assert!(join_all(readers).await.into_iter().all(|found| found.unwrap()));
    assert_eq!(server.calls(), 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_on_many_threads_share_all_the_same() {
    let list = List::of(1000);
    let server = Scripted::new(move |request| list.page(request).after(Duration::from_millis(1)));
    let client = server.client(0);
    let readers = (0..200).map(|n| {
        let client = client.clone();
        tokio::spawn(async move { found(&client, &format!("ep_{}", n * 5 + 4)).await })
    });
    assert!(join_all(readers).await.into_iter().all(|found| found.unwrap()));
    assert_eq!(server.calls(), 10);
}

#[tokio::test(start_paused = true)]
async fn the_whole_list_keeps_its_order_and_names_each_endpoint_once() {
    let pages = [
        ("ep_3", "ep_1", Some("a")),
        ("ep_1", "ep_2", Some("b")),
        ("ep_3", "ep_0", None),
    ];
    let server = Scripted::acts(pages.map(|(one, two, next)| {
        let data = [endpoint(one), endpoint(two)];
        Act::json(
            200,
            &json!({"data": data, "has_more": next.is_some(), "next_token": next}),
        )
    }));
    let list = server.client(0).list(&Stop::new()).await.unwrap();
    let ids: Vec<_> = list
        .iter()
        .map(|endpoint| endpoint.id.as_ref().unwrap().as_str())
        .collect();
    assert_eq!(ids, ["ep_3", "ep_1", "ep_2", "ep_0"]);
}

#[tokio::test(start_paused = true)]
async fn gone_takes_two_passes_and_readers_share_both() {
    let server = List::of(250).served();
    let client = server.client(0);
    let readers: Vec<_> = (0..50).map(|n| format!("gone_{n}")).collect();
    let found_any = join_all(readers.iter().map(|name| found(&client, name))).await;
    assert!(!found_any.contains(&true));
    assert_eq!(server.calls(), 6);

    // Both passes are still known, and agree about the next one too.
    assert!(!found(&client, "gone_50").await);
    assert_eq!(server.calls(), 6);
    assert!(found(&client, "ep_249").await);
    assert_eq!(server.calls(), 6);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_is_not_found_on_a_page_that_was_read_again_without_it() {
    let list = List::of(3);
    let server = list.served();
    let client = server.client(0);
    assert!(found(&client, "ep_2").await);
    list.remove("ep_2");
    // The pass that confirms it reads the page once more.
    assert!(!found(&client, "ep_gone").await);
    assert!(!found(&client, "ep_2").await);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_lags_does_not_make_an_endpoint_gone() {
    let list = List::of(3);
    let server = list.served();
    let client = server.client(0);
    let reader = {
        let client = client.clone();
        tokio::spawn(async move { found(&client, "ep_late").await })
    };
    sleep(LATENCY + Duration::from_millis(100)).await;
    assert_eq!(server.calls(), 1, "the first pass is over");
    list.put("ep_late");
    assert!(reader.await.unwrap());
    assert_eq!(server.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_shifts_does_not_make_an_endpoint_gone() {
    let list = List::of(150);
    let server = {
        let list = list.clone();
        Scripted::new(move |request| {
            let page = list.page(request);
            // With this one gone, ep_100 moves to the first page, which has been read.
            list.remove("ep_0");
            page
        })
    };
    assert!(found(&server.client(0), "ep_100").await);
    assert_eq!(server.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_failing_pass_never_means_gone() {
    let answered = |data: serde_json::Value, more: serde_json::Value| {
        let mut body = json!({"data": data});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Act::json(200, &body)
    };
    let spoiled: [Box<dyn Fn() -> Act>; 6] = [
        Box::new(|| Act::error(401, "unauthorized")),
        Box::new(|| Act::error(404, "not_found")),
        Box::new(|| Act::error(500, "internal_error")),
        Box::new(move || answered(json!([]), json!({"has_more": true, "next_token": null}))),
        Box::new(move || answered(json!([]), json!({}))),
        Box::new(|| Act::Fail(Fault::TooLarge)),
    ];
    // Whichever of the four pages of two passes is spoilt.
    for bad in 0..4 {
        for spoil in &spoiled {
            let (list, mut page, mut act) = (List::of(150), 0, Some(spoil()));
            let server = Scripted::new(move |request| {
                page += 1;
                if page == bad + 1 {
                    act.take().unwrap()
                } else {
                    list.page(request)
                }
            });
            let client = server.client(0);
            let failure = client.find(&id("gone"), None, &Stop::new()).await.unwrap_err();
            assert_eq!(server.calls(), bad + 1, "{failure}");
            assert!(
                found(&client, "ep_149").await,
                "the next reader tries anew after {failure}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn readers_share_a_failed_page_and_the_next_one_tries_anew() {
    let list = List::of(10);
    let mut calls = 0;
    let server = Scripted::new(move |request| {
        calls += 1;
        if calls <= 5 {
            Act::error(502, "edge").after(LATENCY)
        } else {
            list.page(request).after(LATENCY)
        }
    });
    let client = server.client(4);
    let readers = (0..10).map(|n| {
        let client = client.clone();
        tokio::spawn(async move { client.find(&id(&format!("ep_{n}")), None, &Stop::new()).await })
    });
    for outcome in join_all(readers).await {
        let failure = outcome.unwrap().unwrap_err();
        assert!(matches!(failure.fault, Fault::Refused { status: 502, .. }));
        assert_eq!(failure.attempts, 5);
    }
    assert_eq!(server.calls(), 5, "one call with its four repetitions for all of them");
    assert!(found(&client, "ep_9").await);
    assert_eq!(server.calls(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_cursor_that_repeats_is_an_error_and_not_a_loop() {
    let cursors = ["a", "b", "c", "a"];
    let server =
        Scripted::acts(cursors.map(|next| Act::json(200, &json!({"data": [], "has_more": true, "next_token": next}))));
    let failure = server
        .client(4)
        .find(&id("ep_1"), None, &Stop::new())
        .await
        .unwrap_err();
    assert_eq!(failure.fault, Fault::CursorRepeats);
    assert_eq!(server.calls(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_list_of_more_endpoints_than_anybody_has_is_refused() {
    let endpoints: Vec<_> = (0..=100_000).map(|n| endpoint(&format!("ep_{n}"))).collect();
    let server = Scripted::acts([Act::json(200, &json!({"data": endpoints, "has_more": false}))]);
    let failure = server.client(0).list(&Stop::new()).await.unwrap_err();
    assert_eq!(
        failure.fault,
        Fault::Garbled("the list has more than 100000 endpoints".into())
    );
}

#[tokio::test(start_paused = true)]
async fn a_failed_look_for_an_endpoint_names_it() {
    let server = Scripted::acts([Act::error(401, "unauthorized")]);
    let failure = server
        .client(0)
        .find(&id("ep_7"), None, &Stop::new())
        .await
        .unwrap_err();
    assert!(
        failure.to_string().starts_with("reading webhook endpoint ep_7: "),
        "{failure}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_list_without_an_end_ends() {
    let mut page = 0;
    let server = Scripted::new(move |_| {
        page += 1;
        Act::json(
            200,
            &json!({"data": [], "has_more": true, "next_token": page.to_string()}),
        )
    });
    let failure = server.client(0).list(&Stop::new()).await.unwrap_err();
    assert_eq!(
        failure.fault,
        Fault::Garbled("the list goes on after 1000 pages".into())
    );
    assert_eq!(server.calls(), 1000);
}

#[tokio::test(start_paused = true)]
async fn what_is_known_is_dropped_by_changes_and_by_age() {
    let server = List::of(150).served();
    let client = server.client(0);
    let lists = || server.asked().iter().filter(|request| request.is_read_only()).count();
    assert!(found(&client, "ep_149").await);
    assert_eq!(lists(), 2);

    rename(&client).await;
    assert!(found(&client, "ep_149").await);
    assert_eq!(lists(), 4);

    advance(Duration::from_secs(29)).await;
    assert!(found(&client, "ep_5").await);
    assert_eq!(lists(), 4);
    advance(Duration::from_secs(1)).await;
    assert!(found(&client, "ep_5").await);
    assert_eq!(lists(), 5);

    let all = client.list_at(Instant::now(), &Stop::new()).await.unwrap();
    assert_eq!((all.len(), lists()), (150, 7));
    assert_eq!(client.list(&Stop::new()).await.unwrap().len(), 150);
    assert_eq!(lists(), 7);
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_change_drops_what_is_known_even_when_it_fails() {
    let list = List::of(1);
    let server = Scripted::new(move |request| {
        if request.is_read_only() {
            list.page(request)
        } else {
            Act::error(400, "invalid_parameter")
        }
    });
    let client = server.client(0);
    let (ep, stop) = (id("ep_0"), Stop::new());
    let create = crate::heygen::CreateEndpoint {
        url: String::new(),
        events: None,
        entity_id: None,
    };
    for calls in [1, 3, 5, 7, 9] {
        assert!(found(&client, "ep_0").await);
        assert_eq!(server.calls(), calls);
        match calls {
            1 => drop(client.create(&create, &stop).await.unwrap_err()),
            3 => drop(client.update(&ep, &EndpointPatch::default(), &stop).await.unwrap_err()),
            5 => drop(client.delete(&ep, &stop).await.unwrap_err()),
            _ => drop(client.rotate_secret(&ep, &stop).await.unwrap_err()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_read_while_something_changed_is_not_kept() {
    let list = List::of(2);
    let server = Scripted::new(move |request| {
        let act = if request.is_read_only() {
            list.page(request)
        } else {
            Act::ok(&endpoint("ep_0"))
        };
        act.after(Duration::from_secs(if request.is_read_only() { 1 } else { 5 }))
    });
    let client = server.client(0);
    let read_meanwhile = async {
        sleep(Duration::from_secs(2)).await;
        assert!(found(&client, "ep_1").await);
    };
    tokio::join!(rename(&client), read_meanwhile);
    assert_eq!(server.calls(), 2);
    assert!(found(&client, "ep_1").await);
    assert_eq!(server.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_was_known_before_a_change_is_not_told_to_those_who_ask_during_it() {
    let list = List::of(2);
    let server = {
        let list = list.clone();
        Scripted::new(move |request| {
            if request.is_read_only() {
                list.page(request)
            } else {
                Act::ok(&json!({})).after(LATENCY)
            }
        })
    };
    let client = server.client(0);
    assert!(found(&client, "ep_1").await);
    list.remove("ep_1");
    let (ep, stop) = (id("ep_1"), Stop::new());
    let read_meanwhile = async {
        sleep(LATENCY / 2).await;
        assert!(!found(&client, "ep_1").await);
    };
    let (outcome, ()) = tokio::join!(client.delete(&ep, &stop), read_meanwhile);
    outcome.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_page_that_failed_for_others_is_asked_for_anew() {
    let list = List::of(150);
    let mut calls = 0;
    let server = Scripted::new(move |request| {
        calls += 1;
        if calls == 2 {
            Act::error(403, "forbidden")
        } else {
            list.page(request).after(LATENCY)
        }
    });
    let client = server.client(0);
    let (ep, stop) = (id("ep_149"), Stop::new());
    let mut late = pin!(client.find(&ep, None, &stop));
    assert!(late.as_mut().now_or_never().is_none(), "it waits for the first page");
    client.find(&id("ep_120"), None, &Stop::new()).await.unwrap_err();
    assert!(late.await.unwrap().is_some());
    assert_eq!(server.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_change_drops_what_was_read_meanwhile() {
    let list = List::of(2);
    let server = Scripted::new(move |request| {
        if request.is_read_only() {
            list.page(request)
        } else {
            Act::Hang
        }
    });
    let client = server.client(0);
    let abandoned = tokio::time::timeout(Duration::from_secs(1), rename(&client));
    let (outcome, found_meanwhile) = tokio::join!(abandoned, found(&client, "ep_1"));
    assert!(outcome.is_err() && found_meanwhile);
    assert!(found(&client, "ep_1").await);
    assert_eq!(server.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_reader_who_leaves_takes_nothing_away_from_the_others() {
    let server = List::of(300).served();
    let client = server.client(0);
    let leaving = {
        let client = client.clone();
        tokio::spawn(async move { found(&client, "ep_250").await })
    };
    let (stop, staying, stopped) = (Stop::new(), client.clone(), client.clone());
    let stopping = stop.clone();
    let staying = tokio::spawn(async move { found(&staying, "ep_299").await });
    let stopped = tokio::spawn(async move { stopped.find(&id("ep_250"), None, &stopping).await });
    sleep(LATENCY / 2).await;
    assert_eq!(server.calls(), 1);
    leaving.abort();
    stop.cancel();
    assert_eq!(stopped.await.unwrap().unwrap_err().fault, Fault::STOPPED);
    assert!(staying.await.unwrap());
    assert_eq!(server.calls(), 3, "no page was read twice");
}

#[tokio::test(start_paused = true)]
async fn a_page_nobody_waits_for_any_more_is_not_read_on() {
    let server = Scripted::new(|_| Act::error(503, "busy"));
    let (client, stop) = (server.client(100), Stop::new());
    let stopping = async {
        sleep(Duration::from_secs(3)).await;
        stop.cancel();
    };
    let ep = id("ep_1");
    let (outcome, ()) = tokio::join!(client.find(&ep, None, &stop), stopping);
    assert!(matches!(outcome.unwrap_err().fault, Fault::Stopped { before: Some(_) }));
    let calls = server.calls();
    sleep(Duration::from_mins(5)).await;
    assert_eq!(server.calls(), calls);
    assert!(
        !client
            .find(&ep, None, &Stop::new())
            .await
            .is_ok_and(|found| found.is_none())
    );
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_pause_before_the_second_look() {
    let server = List::of(1).served();
    let (client, stop) = (server.client(0), Stop::new());
    let began = Instant::now();
    let stopping = async {
        sleep(LATENCY * 2).await;
        stop.cancel();
    };
    let ep = id("gone");
    let (outcome, ()) = tokio::join!(client.find(&ep, None, &stop), stopping);
    assert_eq!(outcome.unwrap_err().fault, Fault::STOPPED);
    assert_eq!((server.calls(), began.elapsed()), (1, LATENCY * 2));
}

/// A list whose answers carry HeyGen's date: one in 2001, which goes on with the clock of the test.
fn dated(list: &List, latency: Duration) -> Scripted {
    let (list, start) = (list.clone(), Instant::now());
    Scripted::new(move |request| {
        let act = if request.is_read_only() {
            list.page(request).after(latency)
        } else {
            Act::ok(&endpoint("ep_0"))
        };
        let now = SystemTime::UNIX_EPOCH + HEYGENS_START + start.elapsed();
        act.with_header("date", httpdate::fmt_http_date(now))
    })
}

/// 2001-01-01T00:00:00Z, since the Unix epoch.
const HEYGENS_START: Duration = Duration::from_hours(271_752);

/// When an endpoint was created that has just been made, by HeyGen's clock.
const JUST_NOW: &str = "2000-12-31T23:59:59Z";

/// When an endpoint was created that is young, and older than every look at the list, however late that is answered.
const BEFORE_ALL_LOOKS: &str = "2000-12-31T23:59:30Z";

async fn found_young(client: &Client, name: &str) -> bool {
    found_of(client, name, JUST_NOW).await
}

/// Finds an endpoint that was created at this moment.
async fn found_of(client: &Client, name: &str, created_at: &str) -> bool {
    let found = client.find(&id(name), Some(created_at), &Stop::new()).await;
    found.unwrap().is_some()
}

#[tokio::test(start_paused = true)]
async fn a_young_endpoint_is_gone_only_when_the_list_has_lacked_it_for_ten_seconds() {
    let server = dated(&List::of(3), LATENCY);
    let client = server.client(0);
    let began = Instant::now();
    assert!(!found_young(&client, "ep_new").await);
    let took = began.elapsed();
    assert!(
        took >= Duration::from_secs(10) && took < Duration::from_secs(11),
        "{took:?}"
    );
    assert_eq!(
        server.calls(),
        7,
        "the first look and those at 0.5, 1, 2, 4, 8 and 10 s"
    );
}

#[tokio::test(start_paused = true)]
async fn a_young_endpoint_is_found_as_soon_as_the_list_shows_it() {
    let list = List::of(3);
    let server = dated(&list, LATENCY);
    let client = server.client(0);
    let began = Instant::now();
    let late = async {
        sleep(Duration::from_millis(3500)).await;
        list.put("ep_new");
    };
    let (found, ()) = tokio::join!(found_young(&client, "ep_new"), late);
    assert!(
        found && began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn fifty_missing_young_endpoints_wait_together() {
    let server = dated(&List::of(250), LATENCY);
    let client = server.client(0);
    let began = Instant::now();
    // As Terraform asks: ten at a time.
    for batch in 0..5 {
        let names: Vec<_> = (0..10).map(|n| format!("gone_{batch}_{n}")).collect();
        let found = join_all(names.iter().map(|name| found_young(&client, name))).await;
        assert!(!found.contains(&true));
    }
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert_eq!(server.calls(), 7 * 3);
}

#[tokio::test(start_paused = true)]
async fn who_comes_in_the_middle_of_a_look_shares_the_pages_that_it_has_read() {
    let server = dated(&List::of(150), Duration::from_secs(5));
    let client = server.client(0);
    let late = async {
        // The third look, which is the last, has read its first page and waits for its second.
        sleep(Duration::from_secs(27)).await;
        assert_eq!(server.calls(), 6);
        found_of(&client, "gone_2", BEFORE_ALL_LOOKS).await
    };
    let first = found_of(&client, "gone_1", BEFORE_ALL_LOOKS);
    assert_eq!(tokio::join!(first, late), (false, false));
    assert_eq!(server.calls(), 6);
}

#[tokio::test(start_paused = true)]
async fn looks_from_before_a_change_say_nothing_about_what_came_of_it() {
    let server = dated(&List::of(3), LATENCY);
    let client = server.client(0);
    assert!(!found_young(&client, "ep_new").await);
    rename(&client).await;
    let began = Instant::now();
    assert!(!found_young(&client, "ep_new").await);
    assert!(began.elapsed() >= Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_look_under_way_while_something_changed_says_nothing_to_those_who_come_later() {
    let server = dated(&List::of(3), Duration::from_secs(2));
    let client = server.client(0);
    let lists = || server.asked().iter().filter(|request| request.is_read_only()).count();
    let change = async {
        sleep(Duration::from_secs(1)).await;
        rename(&client).await;
    };
    assert!(!tokio::join!(found_of(&client, "gone_1", BEFORE_ALL_LOOKS), change).0);
    let before = lists();
    // The looks since then have lacked it for less than ten seconds.
    assert!(!found_of(&client, "gone_2", BEFORE_ALL_LOOKS).await);
    assert!(lists() > before);
}

#[tokio::test(start_paused = true)]
async fn looks_from_before_an_endpoint_was_made_have_not_lacked_it() {
    let server = dated(&List::of(3), LATENCY);
    let client = server.client(0);
    assert!(!found_young(&client, "ep_other").await);
    let began = Instant::now();
    let made_by_another_run = Some("2001-01-01T00:00:10Z");
    let found = client.find(&id("ep_new"), made_by_another_run, &Stop::new()).await;
    assert_eq!(found.unwrap(), None);
    assert!(began.elapsed() >= Duration::from_secs(9), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn after_two_minutes_an_endpoint_is_gone_at_the_second_look_and_so_is_one_of_unknown_age() {
    for created_at in [None, Some("2000-12-31T23:58:00Z"), Some("lately")] {
        let server = dated(&List::of(3), LATENCY);
        let found = server.client(0).find(&id("gone"), created_at, &Stop::new()).await;
        assert_eq!((found, server.calls()), (Ok(None), 2), "{created_at:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn until_two_minutes_are_over_an_endpoint_is_young() {
    for created_at in ["2000-12-31T23:58:01Z", "2001-01-01T01:00:00Z"] {
        let server = dated(&List::of(3), LATENCY);
        let found = server.client(0).find(&id("gone"), Some(created_at), &Stop::new()).await;
        assert_eq!((found, server.calls()), (Ok(None), 7), "{created_at}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_list_is_read_once_however_late_its_readers_come() {
    const PAGE_TAKES: Duration = Duration::from_secs(7);
    let list = List::of(600);
    let server = Scripted::new(move |request| list.page(request).after(PAGE_TAKES));
    let client = server.client(0);
    let readers = Arc::new(tokio::sync::Semaphore::new(10));
    let reading = (0..21).map(|n| {
        let (client, readers) = (client.clone(), readers.clone());
        tokio::spawn(async move {
            let _one_of_ten = readers.acquire().await.unwrap();
            found(&client, &format!("ep_{}", 550 + n)).await
        })
    });
    assert!(join_all(reading).await.into_iter().all(|found| found.unwrap()));
    assert_eq!(server.calls(), 6);
}

#[tokio::test(start_paused = true)]
async fn who_comes_while_a_slow_list_is_read_reads_no_page_again() {
    let list = List::of(600);
    let server = Scripted::new(move |request| list.page(request).after(Duration::from_secs(7)));
    let client = server.client(0);
    let readers = (0..6).map(|n| {
        let client = client.clone();
        tokio::spawn(async move {
            sleep(Duration::from_secs(6 * n)).await;
            found(&client, "ep_599").await
        })
    });
    assert!(join_all(readers).await.into_iter().all(|found| found.unwrap()));
    assert_eq!(server.calls(), 6);
}

#[tokio::test(start_paused = true)]
async fn readers_under_a_rate_limit_share_its_waits() {
    let list = List::of(300);
    let mut calls = 0;
    let server = Scripted::new(move |request| {
        calls += 1;
        if calls % 2 == 1 {
            Act::error(429, "rate_limit_exceeded").with_header("retry-after", "25")
        } else {
            list.page(request)
        }
    });
    let client = server.client(1);
    let readers = (0..10).map(|n| {
        let client = client.clone();
        tokio::spawn(async move {
            sleep(Duration::from_secs(5 * n)).await;
            found(&client, "ep_299").await
        })
    });
    assert!(join_all(readers).await.into_iter().all(|found| found.unwrap()));
    assert_eq!(server.calls(), 6, "three pages, each refused once");
}

#[tokio::test(start_paused = true)]
async fn a_page_that_leads_elsewhere_when_it_is_read_again_drops_what_followed() {
    let mut first_pages = ["a", "b"].into_iter();
    let mut takes = [20, 20].map(Duration::from_secs).into_iter();
    let server = Scripted::new(move |request| {
        let cursor = request.query.iter().find(|(name, _)| *name == "token");
        let (name, next) = match cursor.map(|(_, cursor)| cursor.as_str()) {
            None => ("ep_first", first_pages.next()),
            Some("a") => ("ep_old", None),
            _ => ("ep_new", None),
        };
        Act::json(
            200,
            &json!({"data": [endpoint(name)], "has_more": next.is_some(), "next_token": next}),
        )
        .after(takes.next().unwrap_or_default())
    });
    let client = server.client(0);
    assert!(found(&client, "ep_old").await);
    // The first page is stale by now, and the second is not.
    sleep(Duration::from_secs(15)).await;
    assert!(found(&client, "ep_new").await);
    assert_eq!(server.calls(), 4);
    assert!(
        !found(&client, "ep_old").await,
        "its page is fresh, and no part of the list any more"
    );
}

#[tokio::test(start_paused = true)]
async fn all_pages_that_followed_are_dropped_and_not_only_the_next_one() {
    let mut first_pages = ["a", "c"].into_iter();
    let mut takes = [20, 20].map(Duration::from_secs).into_iter();
    let server = Scripted::new(move |request| {
        let cursor = request.query.iter().find(|(name, _)| *name == "token");
        let (name, next) = match cursor.map(|(_, cursor)| cursor.as_str()) {
            None => ("ep_first", first_pages.next()),
            Some("a") => ("ep_old", Some("b")),
            Some("b") => ("ep_oldest", None),
            _ => ("ep_new", None),
        };
        Act::json(
            200,
            &json!({"data": [endpoint(name)], "has_more": next.is_some(), "next_token": next}),
        )
        .after(takes.next().unwrap_or_default())
    });
    let client = server.client(0);
    assert!(found(&client, "ep_oldest").await);
    sleep(Duration::from_secs(15)).await;
    assert!(found(&client, "ep_new").await);
    assert!(!found(&client, "ep_oldest").await);
}

#[tokio::test(start_paused = true)]
async fn each_page_ages_by_itself() {
    let list = List::of(150);
    let server = Scripted::new(move |request| list.page(request).after(Duration::from_secs(20)));
    let client = server.client(0);
    assert!(found(&client, "ep_149").await);
    sleep(Duration::from_secs(15)).await;
    // Only the first page is stale.
    assert!(found(&client, "ep_149").await);
    assert_eq!(server.calls(), 2);
    assert!(found(&client, "ep_7").await);
    assert_eq!(server.calls(), 3);
    // Only the second one is.
    assert!(found(&client, "ep_7").await);
    assert_eq!(server.calls(), 3);
    assert!(found(&client, "ep_149").await);
    assert_eq!(server.calls(), 4);
}

#[tokio::test(start_paused = true)]
async fn who_is_on_a_pass_takes_a_page_that_was_fresh_when_it_began() {
    let list = List::of(250);
    let mut takes = [0, 0, 20].map(Duration::from_secs).into_iter();
    let server = Scripted::new(move |request| list.page(request).after(takes.next().unwrap_or_default()));
    let client = server.client(0);
    assert!(found(&client, "ep_7").await);
    sleep(Duration::from_secs(20)).await;
    assert!(found(&client, "ep_149").await);
    sleep(Duration::from_secs(11)).await;
    // While this reader waits for the first page, which is stale, the second one becomes so too.
    assert!(found(&client, "ep_249").await);
    assert_eq!(server.calls(), 4, "the first page twice, the others once");
}

#[tokio::test(start_paused = true)]
async fn a_pass_is_as_old_as_its_oldest_page() {
    let list = List::of(150);
    let server = Scripted::new(move |request| {
        let is_first = request.query.iter().all(|(name, _)| *name != "token");
        let takes = if is_first { 0 } else { 20 };
        list.page(request).after(Duration::from_secs(takes))
    });
    let client = server.client(0);
    assert!(!found(&client, "gone").await);
    assert_eq!(server.calls(), 4);
    // Of the second pass, the first page is stale by now and the second is not.
    sleep(Duration::from_secs(12)).await;
    assert!(!found(&client, "gone").await);
    assert_eq!(server.calls(), 7, "the stale page, and a whole pass that confirms it");
}

#[tokio::test(start_paused = true)]
async fn a_cursor_that_repeats_is_no_error_for_those_who_have_found_what_they_look_for() {
    let cursors = ["a", "a", "a"];
    let mut number = 0;
    let server = Scripted::acts(cursors.map(|next| {
        number += 1;
        let data = [endpoint(&format!("ep_{number}"))];
        Act::json(200, &json!({"data": data, "has_more": true, "next_token": next}))
    }));
    let client = server.client(0);
    assert!(found(&client, "ep_2").await);
    assert!(found(&client, "ep_1").await);
    let failure = client.find(&id("ep_9"), None, &Stop::new()).await.unwrap_err();
    assert_eq!(failure.fault, Fault::CursorRepeats);
}

fn page_of(items: &[serde_json::Value]) -> Act {
    Act::json(200, &json!({"data": items, "has_more": false}))
}

#[tokio::test(start_paused = true)]
async fn an_odd_item_matters_to_nobody_who_asks_for_another_one() {
    let odd = [
        json!({"endpoint_id": "ep_1"}),
        json!({"endpoint_id": 7, "url": "https://a.example/"}),
        json!({"endpoint_id": "a/b"}),
        json!({}),
        json!("ep_2"),
        json!(null),
        endpoint("ep_3"),
    ];
    let server = Scripted::new(move |_| page_of(&odd));
    let client = server.client(0);
    assert!(found(&client, "ep_3").await);
    let items = client.list(&Stop::new()).await.unwrap();
    assert_eq!(items.len(), 7);
    assert_eq!(items.iter().filter(|item| item.id.is_err()).count(), 5);

    let failure = client.find(&id("ep_4"), None, &Stop::new()).await.unwrap_err();
    let unidentified = Fault::UnidentifiedItems {
        count: 5,
        lookup_key: LookupKey::Id,
    };
    assert_eq!(failure.fault, unidentified);
    assert_eq!(
        failure.to_string(),
        "reading webhook endpoint ep_4: the list has 5 items whose ids cannot be read"
    );
}

#[tokio::test(start_paused = true)]
async fn an_item_without_an_id_in_either_pass_is_in_the_way_of_gone() {
    for odd_pass in 0..2 {
        let mut pass = 0;
        let server = Scripted::new(move |_| {
            pass += 1;
            let odd = (pass == odd_pass + 1).then(|| json!({}));
            page_of(&odd.into_iter().chain([endpoint("ep_1")]).collect::<Vec<_>>())
        });
        let failure = server.client(0).find(&id("ep_2"), None, &Stop::new()).await;
        let unidentified = Fault::UnidentifiedItems {
            count: 1,
            lookup_key: LookupKey::Id,
        };
        assert_eq!((failure.unwrap_err().fault, server.calls()), (unidentified, 2));
    }
}

/// Finds endpoints by their URL, as the data source does.
async fn by_url(client: &Client, url: &str) -> Result<Vec<String>, Fault> {
    let found = client.find_by_url(|listed| listed == url, None, &Stop::new()).await;
    let name = |item: &ListItem| item.id.as_ref().map_or("unidentified".to_owned(), ToString::to_string);
    let ids = |found: Vec<ListItem>| found.iter().map(name).collect();
    found.map(ids).map_err(|failure| failure.fault)
}

#[tokio::test(start_paused = true)]
async fn that_no_endpoint_has_a_url_takes_two_looks_and_items_that_can_be_read() {
    let list = List::of(3);
    let server = list.served();
    let client = server.client(0);
    assert_eq!(
        by_url(&client, "https://ep_1.example/").await,
        Ok(vec!["ep_1".to_owned()])
    );
    assert_eq!(server.calls(), 1);
    assert_eq!(by_url(&client, "https://none.example/").await, Ok(vec![]));
    assert_eq!(server.calls(), 2);

    for odd in [
        json!({"endpoint_id": "ep_9"}),
        json!({"url": "https://a.example/"}),
        json!(7),
    ] {
        let server = Scripted::new(move |_| page_of(&[odd.clone(), endpoint("ep_1")]));
        let client = server.client(0);
        assert_eq!(
            by_url(&client, "https://ep_1.example/").await,
            Ok(vec!["ep_1".to_owned()])
        );
        let none = by_url(&client, "https://none.example/").await.unwrap_err();
        assert_eq!(none.to_string(), "the list has an item whose id or URL cannot be read");
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_without_a_readable_id_counts_beside_another_of_its_url() {
    let mut unidentified = endpoint("ep_1");
    unidentified["endpoint_id"] = json!(null);
    let server = Scripted::new(move |_| page_of(&[endpoint("ep_1"), unidentified.clone()]));
    assert_eq!(
        by_url(&server.client(0), "https://ep_1.example/").await,
        Ok(vec!["ep_1".to_owned(), "unidentified".to_owned()])
    );
}

#[tokio::test(start_paused = true)]
async fn a_page_that_does_not_say_whether_it_is_the_last_serves_who_finds_what_they_look_for() {
    let server = Scripted::new(|_| Act::json(200, &json!({"data": [endpoint("ep_1")], "next_token": null})));
    let client = server.client(4);
    let stop = Stop::new();
    assert!(client.find(&id("ep_1"), None, &stop).await.unwrap().is_some());
    let unclear = Fault::Garbled("`has_more` is missing".to_owned());
    for failed in [
        client.find(&id("ep_2"), None, &stop).await.unwrap_err(),
        client.list(&stop).await.unwrap_err(),
        client.find_once(&id("ep_2"), &stop).await.unwrap_err(),
    ] {
        assert_eq!(failed.fault, unclear);
    }
    assert!(client.find_once(&id("ep_1"), &stop).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn of_two_items_of_one_id_the_first_counts() {
    let mut second = endpoint("ep_1");
    second["url"] = json!("https://second.example/");
    let server = Scripted::new(move |_| page_of(&[endpoint("ep_1"), second.clone()]));
    let client = server.client(0);
    let found = client.find(&id("ep_1"), None, &Stop::new()).await.unwrap().unwrap();
    assert_eq!(found.url.as_deref(), Ok("https://ep_1.example/"));
    let listed = client.list(&Stop::new()).await.unwrap();
    assert_eq!(listed[0].url.as_deref(), Ok("https://ep_1.example/"));
}

#[tokio::test(start_paused = true)]
async fn those_who_read_at_about_the_same_time_share_the_reading() {
    let server = List::of(150).served();
    let client = server.client(0);
    sleep(Duration::from_millis(120)).await;
    let readings = (0..10).map(|n| {
        let client = client.clone();
        tokio::spawn(async move {
            sleep(Duration::from_millis(30 * n)).await;
            let began = Instant::now();
            let list = client.list_at(began, &Stop::new()).await.unwrap();
            assert!(began.elapsed() < Duration::from_millis(600));
            list.len()
        })
    });
    assert!(join_all(readings).await.into_iter().all(|len| len.unwrap() == 150));
    assert_eq!(server.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn looking_once_makes_one_attempt_a_page_and_takes_no_longer_than_one_may() {
    let list = List::of(250);
    let server = list.served();
    let found = server.client(4).find_once(&id("ep_240"), &Stop::new()).await.unwrap();
    assert_eq!((found.unwrap().id, server.calls()), (id("ep_240"), 3));

    let server = Scripted::new(|_| Act::error(503, "busy"));
    server.client(4).find_once(&id("ep_1"), &Stop::new()).await.unwrap_err();
    assert_eq!(server.calls(), 1);

    let list = List::of(1000);
    let server = Scripted::new(move |request| list.page(request).after(Duration::from_secs(20)));
    let began = Instant::now();
    server
        .client(4)
        .find_once(&id("ep_999"), &Stop::new())
        .await
        .unwrap_err();
    assert_eq!(began.elapsed(), super::TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn looking_once_waits_for_no_turn_and_begins_nothing_after_a_stop() {
    let list = List::of(1);
    let mut calls = 0;
    let server = Scripted::new(move |request| {
        calls += 1;
        if calls == 1 {
            Act::error(429, "rate_limit_exceeded").with_header("retry-after", "20")
        } else {
            list.page(request)
        }
    });
    let client = server.client(0);
    client.find(&id("ep_0"), None, &Stop::new()).await.unwrap_err();
    let began = Instant::now();
    assert!(client.find_once(&id("ep_0"), &Stop::new()).await.unwrap().is_some());
    assert_eq!(began.elapsed(), Duration::ZERO);

    let stop = Stop::new();
    stop.cancel();
    let failure = client.find_once(&id("ep_0"), &stop).await.unwrap_err();
    assert_eq!((failure.fault, server.calls()), (Fault::STOPPED, 2));
}

/// The next page of a list that is read page by page: how many items it has, and whether there is another.
async fn next_page(pages: &mut EndpointPages) -> Option<(usize, bool)> {
    let page = pages.next_page(&Stop::new()).await.unwrap()?;
    Some((page.items.len(), page.has_more))
}

#[tokio::test(start_paused = true)]
async fn page_by_page_nothing_is_read_before_it_is_asked_for() {
    let server = List::of(250).served();
    let client = server.client(0);
    let mut pages = client.list_pages();
    assert_eq!(server.calls(), 0);
    for (page, calls) in [
        (Some((100, true)), 1),
        (Some((100, true)), 2),
        (Some((50, false)), 3),
        (None, 3),
        (None, 3),
    ] {
        assert_eq!(next_page(&mut pages).await, page);
        assert_eq!(server.calls(), calls);
    }
    let list = List::of(100).served();
    let mut pages = list.client(0).list_pages();
    assert_eq!(next_page(&mut pages).await, Some((100, false)));
    assert_eq!(next_page(&mut pages).await, None);
    assert_eq!(list.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn page_by_page_pages_are_shared_with_everybody_who_reads() {
    let server = List::of(250).served();
    let client = server.client(0);
    assert!(found(&client, "ep_7").await);
    advance(Duration::from_secs(1)).await;
    let (mut one, mut other) = (client.list_pages(), client.list_pages());
    for calls in 1..=3 {
        let (one, other) = tokio::join!(next_page(&mut one), next_page(&mut other));
        assert!(one.is_some() && one == other);
        assert_eq!(server.calls(), calls);
    }
    assert!(found(&client, "ep_249").await);
    assert_eq!(server.calls(), 3);
    advance(Duration::from_secs(30)).await;
    // Who is on a pass finishes it, and who begins one reads what is fresh.
    assert_eq!(next_page(&mut one).await, None);
    assert_eq!(next_page(&mut client.list_pages()).await, Some((100, true)));
    assert_eq!(server.calls(), 4);
}

#[tokio::test(start_paused = true)]
async fn page_by_page_a_stop_or_a_failure_ends_the_reading() {
    let server = Scripted::new(|_| Act::Hang);
    let client = server.client(4);
    let (mut pages, stop) = (client.list_pages(), Stop::new());
    let (read, ()) = tokio::join!(pages.next_page(&stop), async { stop.cancel() });
    assert_eq!(read.unwrap_err().fault, Fault::STOPPED);

    let page = |next| Act::json(200, &json!({"data": [], "has_more": true, "next_token": next}));
    let server = Scripted::acts([page("a"), page("a")]);
    let mut pages = server.client(0).list_pages();
    for _ in 0..2 {
        assert_eq!(
            next_page(&mut pages).await,
            Some((0, true)),
            "nobody has followed it yet"
        );
    }
    let failure = pages.next_page(&Stop::new()).await.unwrap_err();
    assert_eq!(failure.fault, Fault::CursorRepeats);
    assert_eq!(server.calls(), 2);
}
