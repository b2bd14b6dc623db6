//! What state holds: identities that were not stored, ids that cannot be, private data that cannot be used.

use super::{ADDRESS, URL, applied, config, id_in, planned, with_account};
use crate::core::{Action, Config, State, Value};

fn identity(id: &str) -> Value {
    Value::object([("id", id.into())])
}

#[tokio::test]
async fn a_state_without_identity_gets_it_from_whatever_is_asked_first() {
    let (core, heygen) = with_account().await;
    let mut state = State::new();
    applied(&core, &mut state, &config([])).await;
    let id = id_in(&state);
    let mut written_without = state.clone();
    written_without.get_mut(ADDRESS).unwrap().identity = None;

    let mut refreshed = written_without.clone();
    assert!(!core.refresh(&mut refreshed).await.errored());
    assert_eq!(refreshed[ADDRESS].identity, Some(identity(&id)));

    let other = config([("url", "https://hooks.example.com/v2".into())]);
    let mut updated = written_without.clone();
    let plan = core.plan_without_refresh(&updated, &other).await;
    assert_eq!(plan.change(ADDRESS).identity, Some(identity(&id)));
    assert!(!core.apply(&mut updated, plan, &other).await.errored());
    assert_eq!(updated[ADDRESS].identity, Some(identity(&id)));

    // The endpoint vanishes between plan and apply, and the update fails.
    let mut failed = written_without.clone();
    let plan = core
        .plan_without_refresh(&failed, &config([("url", URL.into()), ("rotate_trigger", "1".into())]))
        .await;
    heygen.remove_endpoint(&id);
    let report = core
        .apply(
            &mut failed,
            plan,
            &config([("url", URL.into()), ("rotate_trigger", "1".into())]),
        )
        .await;
    assert!(report.errored());
    assert_eq!(failed[ADDRESS].identity, Some(identity(&id)));
}

#[tokio::test]
async fn a_bad_id_in_state_is_one_error() {
    let (core, _heygen) = with_account().await;
    let mut state = State::new();
    applied(&core, &mut state, &config([])).await;
    for (bad, known) in [("../ep", true), ("../ep", false), ("", true)] {
        let mut broken = state.clone();
        let instance = broken.get_mut(ADDRESS).unwrap();
        let Value::Object(attributes) = &mut instance.value else {
            panic!("an object")
        };
        attributes.insert("id".to_owned(), bad.into());
        if !known {
            instance.identity = None;
        }
        let report = core.refresh(&mut broken.clone()).await;
        let said = report.about(ADDRESS);
        assert_eq!(said.len(), 1, "{said:?}");
        assert_eq!(said[0].summary, "Not an endpoint id in state");
    }
}

#[tokio::test]
async fn private_data_that_cannot_be_used_stops_all_but_a_destruction() {
    let (core, heygen) = with_account().await;
    let mut state = State::new();
    applied(&core, &mut state, &config([])).await;
    for private in [&b"\xff"[..], br#"{"version":2}"#, br#"{"all_events":"batch.finished"}"#] {
        state.get_mut(ADDRESS).unwrap().private = private.to_vec();
        for plan in [
            core.plan(&state, &config([])).await,
            core.plan_without_refresh(&state, &config([])).await,
        ] {
            assert_eq!(plan.report.about(ADDRESS).len(), 1, "{:?}", plan.report);
            assert!(plan.report.errored());
        }
        assert_eq!(heygen.endpoints().len(), 1);
    }
    let plan = core.plan_without_refresh(&state, &Config::new()).await;
    assert_eq!(plan.change(ADDRESS).action, Action::Delete);
    assert!(!core.apply(&mut state, plan, &Config::new()).await.errored());
    assert!(state.is_empty() && heygen.endpoints().is_empty());
}

#[tokio::test]
async fn members_of_a_later_provider_stay_with_their_endpoint_and_do_not_come_to_the_next() {
    let (core, _heygen) = with_account().await;
    let mut state = State::new();
    let of = |entity: &str, trigger: &str| config([("entity_id", entity.into()), ("rotate_trigger", trigger.into())]);
    applied(&core, &mut state, &of("one", "1")).await;
    state.get_mut(ADDRESS).unwrap().private = br#"{"later":[1],"version":1}"#.to_vec();
    applied(&core, &mut state, &of("one", "2")).await;
    assert_eq!(state[ADDRESS].private, br#"{"later":[1],"version":1}"#);

    let plan = planned(&core, &state, &of("two", "2")).await;
    assert_eq!(plan.change(ADDRESS).action, Action::Replace);
    assert!(!core.apply(&mut state, plan, &of("two", "2")).await.errored());
    assert_eq!(
        state[ADDRESS].private,
        br#"{"all_events_not_answered":true,"version":1}"#
    );
}
