//! Values that are known only during apply.

use super::{ADDRESS, applied, config, expect_nothing_to_do, id_in, planned, with_account};
use crate::core::{Action, Config, Path, Rule, State, Value};
use crate::fake_heygen::Route;

fn events<const N: usize>(members: [Value; N]) -> Config {
    config([("events", Value::set(members))])
}

#[tokio::test]
async fn several_unknown_members_of_a_set_are_planned_as_many_as_they_are() {
    let known = || Value::from("batch.finished");
    let later = |names: &[&str]| Value::set(names.iter().map(|name| Value::from(*name)));
    let (a, b, c) = ("avatar_video.success", "avatar_video.fail", "video_agent.fail");
    for (unknown, turn_out) in [
        (events([Value::unknown(), Value::unknown()]), later(&[a, b])),
        (events([Value::unknown(), Value::unknown()]), later(&[a])),
        (
            events([Value::unknown(), Value::unknown(), Value::unknown()]),
            later(&[a, b, c]),
        ),
        (
            events([known(), Value::unknown(), Value::unknown()]),
            later(&["batch.finished", b, c]),
        ),
        (
            events([known(), Value::unknown(), Value::unknown()]),
            later(&["batch.finished"]),
        ),
    ] {
        let (core, heygen) = with_account().await;
        let turned_out = config([("events", turn_out)]);
        // As a creation, and as an update of what all events are delivered to.
        for before in [None, Some(config([]))] {
            let mut state = State::new();
            if let Some(before) = before {
                applied(&core, &mut state, &before).await;
            }
            let plan = planned(&core, &state, &unknown).await;
            let planned = plan.change(ADDRESS).after.attribute("events");
            assert_eq!(planned, unknown[ADDRESS]["events"]);
            let report = core.apply(&mut state, plan, &turned_out).await;
            assert!(!report.errored(), "{report:?}");
            expect_nothing_to_do(&core, &state, &turned_out).await;
        }
        assert_eq!(heygen.requests_to(Route::Update).len(), 1);
    }
}

#[tokio::test]
async fn unknown_members_that_turn_out_to_be_nothing_are_refused_during_apply() {
    let (core, heygen) = with_account().await;
    let mut state = State::new();
    let plan = planned(&core, &state, &events([Value::unknown(), Value::unknown()])).await;
    let report = core
        .apply(&mut state, plan, &events([Value::Null, "batch.finished".into()]))
        .await;
    assert_eq!(report.about(ADDRESS)[0].summary, "Not an event type");
    assert!(state.is_empty() && heygen.endpoints().is_empty());
}

/// A disabled endpoint in state, and the setting that decides what becomes of it.
fn when_disabled(setting: impl Into<Value>) -> Config {
    config([("replace_when_disabled", setting.into())])
}

#[tokio::test]
async fn a_disabled_endpoint_is_not_replaced_on_a_guess_whatever_the_setting_turns_out_to_be() {
    for (setting, then) in [
        (Value::from(false), None),
        (Value::Null, None),
        (true.into(), Some(Action::Replace)),
    ] {
        let (core, heygen) = with_account().await;
        let mut state = State::new();
        applied(&core, &mut state, &config([])).await;
        let id = id_in(&state);
        heygen.disable_endpoint(&id);

        let plan = planned(&core, &state, &when_disabled(Value::unknown())).await;
        assert_eq!(plan.change(ADDRESS).action, Action::Update);
        let said = plan.report.about(ADDRESS);
        let warning = said.iter().find(|said| said.path == Path::of("replace_when_disabled"));
        assert_eq!(
            warning.unwrap().summary,
            "The disabled endpoint may have to be replaced"
        );
        let known = when_disabled(setting);
        let report = core.apply(&mut state, plan, &known).await;
        assert!(!report.errored(), "{report:?}");
        assert_eq!(id_in(&state), id);
        assert!(heygen.requests_to(Route::Delete).is_empty());

        let plan = planned(&core, &state, &known).await;
        let Some(action) = then else {
            assert!(plan.is_empty());
            continue;
        };
        assert_eq!(plan.change(ADDRESS).action, action);
        let report = core.apply(&mut state, plan, &known).await;
        assert!(!report.errored(), "{report:?}");
        assert_ne!(id_in(&state), id);
        expect_nothing_to_do(&core, &state, &known).await;
    }
}

#[tokio::test]
async fn an_engine_that_does_not_tell_its_walks_apart_fails_the_apply_and_nothing_has_changed() {
    let (core, heygen) = with_account().await;
    let core = core.without_deferral().recording();
    let mut state = State::new();
    applied(&core, &mut state, &config([])).await;
    let id = id_in(&state);
    heygen.disable_endpoint(&id);

    let plan = planned(&core, &state, &when_disabled(Value::unknown())).await;
    assert_eq!(plan.change(ADDRESS).action, Action::Update);
    let report = core.apply(&mut state, plan, &when_disabled(true)).await;
    assert!(
        report
            .violations
            .iter()
            .all(|violation| violation.rule == Rule::FinalPlan)
    );
    assert!(
        report.violations[0].problem.contains("from Update to Replace"),
        "{report:?}"
    );
    assert_eq!(id_in(&state), id);
    assert_eq!(heygen.endpoints().len(), 1);
    assert!(heygen.requests_to(Route::Delete).is_empty());

    let plan = planned(&core, &state, &when_disabled(true)).await;
    assert_eq!(plan.change(ADDRESS).action, Action::Replace);
    let report = core.apply(&mut state, plan, &when_disabled(true)).await;
    assert!(!report.errored() && report.violations.is_empty(), "{report:?}");
    assert_ne!(id_in(&state), id);
}

#[tokio::test]
async fn an_unknown_entity_keeps_terraforms_convention() {
    let (core, _heygen) = with_account().await;
    let mut state = State::new();
    let of = |entity: Value| config([("entity_id", entity)]);
    applied(&core, &mut state, &of("one".into())).await;
    let plan = planned(&core, &state, &of(Value::unknown())).await;
    assert_eq!(plan.change(ADDRESS).action, Action::Replace);
    let report = core.apply(&mut state, plan, &of("one".into())).await;
    assert!(!report.errored(), "{report:?}");
}
