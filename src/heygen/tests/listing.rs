//! Event types and the history of events: lists read for one question.

use serde_json::{Value, json};

use super::{Act, Scripted};
use crate::heygen::request::Request;
use crate::heygen::{Effect, EventFilter, Fault, Operation, Stop};

fn page(data: &[Value], next: Option<&str>) -> Act {
    Act::json(
        200,
        &json!({"data": data, "has_more": next.is_some(), "next_token": next}),
    )
}

fn event(number: usize) -> Value {
    json!({
        "event_id": format!("evt_{number}"),
        "event_type": "batch.finished",
        "event_data": {"n": number},
        "created_at": "2026-07-01T12:00:00",
    })
}

fn asked_for(request: &Request, name: &str) -> Option<usize> {
    let value = request.query.iter().find(|(key, _)| *key == name);
    value.map(|(_, value)| value.parse().unwrap())
}

/// A history of so many events, in pages as they are asked for.
fn history(total: usize) -> Scripted {
    Scripted::new(move |request| {
        let from = asked_for(request, "token").unwrap_or(0);
        let size = asked_for(request, "limit").unwrap_or(10);
        assert!((1..=100).contains(&size), "{size}");
        let to = total.min(from + size);
        let events: Vec<_> = (from..to).map(event).collect();
        page(&events, (to < total).then(|| to.to_string()).as_deref())
    })
}

async fn read(server: &Scripted, most: usize) -> Vec<String> {
    let client = server.client(0);
    let events = client.events(&EventFilter::default(), most, &Stop::new()).await;
    events.unwrap().into_iter().map(|event| event.id.unwrap()).collect()
}

#[tokio::test]
async fn as_many_events_are_read_as_are_wanted_and_no_page_too_many() {
    for (total, most, calls, read_in_all) in [
        (0, 100, 1, 0),
        (7, 100, 1, 7),
        (100, 100, 1, 100),
        (1000, 5, 1, 5),
        (1000, 100, 1, 100),
        (1000, 101, 2, 101),
        (250, 1000, 3, 250),
    ] {
        let server = history(total);
        let events = read(&server, most).await;
        let expected: Vec<_> = (0..read_in_all).map(|n| format!("evt_{n}")).collect();
        assert_eq!(events, expected, "{most} of {total}");
        assert_eq!(server.calls(), calls, "{most} of {total}");
    }
}

#[tokio::test]
async fn a_server_that_gives_more_than_it_was_asked_for_is_cut_short() {
    let all: Vec<_> = (0..20).map(event).collect();
    let server = Scripted::acts([page(&all, Some("t"))]);
    assert_eq!(read(&server, 3).await, ["evt_0", "evt_1", "evt_2"]);
    assert_eq!(server.calls(), 1);
}

#[tokio::test]
async fn an_event_that_comes_again_on_the_next_page_is_the_same_one() {
    let server = Scripted::acts([
        page(&[event(1), event(2)], Some("a")),
        page(&[event(2), event(3)], Some("b")),
        page(&[event(4), event(5)], None),
    ]);
    assert_eq!(read(&server, 4).await, ["evt_1", "evt_2", "evt_3", "evt_4"]);
    let limits: Vec<_> = server
        .asked()
        .iter()
        .map(|request| asked_for(request, "limit"))
        .collect();
    assert_eq!(limits, [Some(4), Some(2), Some(1)]);
}

#[tokio::test]
async fn events_without_an_id_are_events_of_their_own() {
    let odd = || json!({"event_type": "batch.finished"});
    let server = Scripted::acts([page(&[odd(), event(1), odd()], Some("t")), page(&[odd()], None)]);
    let events = server
        .client(0)
        .events(&EventFilter::default(), 100, &Stop::new())
        .await;
    let with_id: Vec<_> = events.unwrap().iter().map(|event| event.id.is_ok()).collect();
    assert_eq!(with_id, [false, true, false, false]);
}

#[tokio::test]
async fn a_history_that_never_ends_is_an_error() {
    let server = Scripted::new(|_| page(&[event(1)], Some("same")));
    let client = server.client(0);
    let failure = client.events(&EventFilter::default(), 100, &Stop::new()).await;
    let failure = failure.unwrap_err();
    assert_eq!(
        (failure.operation, failure.fault, failure.effect),
        (Operation::Events, Fault::CursorRepeats, Effect::None)
    );
    assert_eq!(server.calls(), 2);

    let mut pages = 0;
    let server = Scripted::new(move |_| {
        pages += 1;
        page(&[], Some(&pages.to_string()))
    });
    let failure = server.client(0).event_types(&Stop::new()).await.unwrap_err();
    assert_eq!(failure.operation, Operation::EventTypes);
    assert_eq!(
        failure.fault,
        Fault::Garbled("the list goes on after 1000 pages".to_owned())
    );
    assert_eq!(server.calls(), 1000);
}

#[tokio::test]
async fn a_failure_on_any_page_is_a_failure_and_no_shorter_list() {
    let server = Scripted::acts([page(&[event(1)], Some("t")), Act::error(401, "unauthorized")]);
    let client = server.client(4);
    let failure = client.events(&EventFilter::default(), 100, &Stop::new()).await;
    assert!(matches!(failure.unwrap_err().fault, Fault::Refused { status: 401, .. }));

    let types = [json!({"event_type": "batch.finished"})];
    let server = Scripted::acts([page(&types, Some("t")), Act::json(200, &json!({"data": []}))]);
    let failure = server.client(0).event_types(&Stop::new()).await.unwrap_err();
    assert_eq!(failure.fault, Fault::Garbled("`has_more` is missing".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_page_is_asked_for_again_as_any_other_read_and_not_once_stopped() {
    let types = [json!({"event_type": "batch.finished", "description": "Done."})];
    let server = Scripted::acts([Act::error(503, "busy"), page(&types, None)]);
    let read = server.client(1).event_types(&Stop::new()).await.unwrap();
    assert_eq!(
        (read[0].name.as_deref(), read[0].description.as_deref()),
        (Ok("batch.finished"), Ok("Done."))
    );
    assert_eq!(asked_for(&server.asked()[0], "limit"), None, "it has no such parameter");

    let stop = Stop::new();
    stop.cancel();
    let failure = server.client(1).event_types(&stop).await.unwrap_err();
    assert_eq!(failure.fault, Fault::STOPPED);
    assert_eq!(server.calls(), 2);
}
