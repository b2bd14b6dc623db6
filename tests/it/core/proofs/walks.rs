//! The walks themselves, with a provider that behaves.

use terraform_provider_heygen::terraform::proto;

use super::*;
use crate::core::scripted::{attribute_path, error, object_in, set, strict_core};
use crate::core::{Action, Attributes, Change, Diagnostic, ImportTarget, Instance, Path, Severity};

#[tokio::test]
async fn what_is_created_plans_empty_with_and_without_refresh() {
    let (core, _) = strict_core(Script::default()).await;
    let config = config([("events", Value::set(["b".into(), "a".into()]))]);
    let mut state = State::new();
    let plan = core.plan(&state, &config).await;
    assert_eq!(plan.change(ADDRESS).action, Action::Create);
    assert!(plan.change(ADDRESS).after.attribute("secret").is_unknown());
    assert!(!plan.is_empty());
    core.apply(&mut state, plan, &config).await;
    assert_attribute(&state, "id", "id given");
    assert_eq!(
        state[ADDRESS].identity,
        Some(Value::object([("id", "id given".into())]))
    );
    assert!(core.plan(&state, &config).await.is_empty());
    assert!(core.plan_without_refresh(&state, &config).await.is_empty());
}

#[tokio::test]
async fn a_no_op_is_not_planned_again_and_not_applied() {
    let mut state = created(&bare()).await;
    let (core, script) = strict_core(Script::default()).await;
    let plan = core.plan(&state, &bare()).await;
    core.apply(&mut state, plan, &bare()).await;
    let asked = script.asked();
    assert_eq!((asked.plans.len(), asked.applies.len()), (1, 0));
}

#[tokio::test]
async fn an_update_keeps_what_is_computed_and_asks_for_a_plan_twice() {
    let mut state = created(&bare()).await;
    let (core, script) = strict_core(Script::default()).await;
    let config = config([("size", Value::number("0.1"))]);
    let plan = core.plan(&state, &config).await;
    assert_eq!(plan.change(ADDRESS).action, Action::Update);
    core.apply(&mut state, plan, &config).await;
    assert_attribute(&state, "secret", "secret given");
    assert_eq!(state[ADDRESS].value.attribute("size"), Value::number("0.1"));
    let asked = script.asked();
    assert_eq!((asked.plans.len(), asked.applies.len()), (2, 1));
    let deferral = |index: usize| {
        asked.plans[index]
            .client_capabilities
            .as_ref()
            .unwrap()
            .deferral_allowed
    };
    assert_eq!((deferral(0), deferral(1)), (false, true));
}

#[tokio::test]
async fn a_number_reaches_the_provider_as_terraform_sends_it() {
    let (core, script) = strict_core(Script::default()).await;
    applied(&core, &mut State::new(), &config([("size", Value::number("0.1"))])).await;
    let asked = script.asked();
    let message = &asked.plans[0].config.as_ref().unwrap().msgpack;
    assert!(message.windows(9).any(|part| part == b"\xa4size\xa30.1"), "{message:?}");
}

#[tokio::test]
async fn everything_in_state_is_upgraded_and_read_in_every_plan() {
    let state = created(&bare()).await;
    let (core, script) = strict_core(Script::default()).await;
    assert!(core.plan(&state, &bare()).await.is_empty());
    let asked = script.asked();
    assert_eq!((asked.upgrades.len(), asked.reads.len()), (1, 1));
    let json: serde_json::Value = serde_json::from_slice(&asked.upgrades[0].raw_state.as_ref().unwrap().json).unwrap();
    assert_eq!(json["id"], "id given");
    assert_eq!(json["events"], serde_json::Value::Null);
    assert_eq!(asked.upgrades[0].version, 0);
}

#[tokio::test]
async fn what_is_only_in_state_is_destroyed_without_asking_for_a_plan() {
    let mut state = created(&bare()).await;
    let (core, script) = strict_core(Script::default()).await;
    let plan = core.plan(&state, &Config::new()).await;
    assert_eq!(plan.change(ADDRESS).action, Action::Delete);
    core.apply(&mut state, plan, &Config::new()).await;
    assert!(state.is_empty());
    let asked = script.asked();
    assert!(asked.plans.is_empty());
    assert_eq!(asked.applies[0].planned_private, b"born");
    assert_eq!(asked.applies[0].planned_identity, None);
}

#[tokio::test]
async fn a_provider_that_plans_destruction_is_asked_for_it() {
    let script = Script::default().schema(|(), answer| {
        answer.server_capabilities.get_or_insert_default().plan_destroy = true;
    });
    let mut state = created(&bare()).await;
    let (core, script) = strict_core(script).await;
    applied(&core, &mut state, &Config::new()).await;
    assert!(state.is_empty());
    assert_eq!(script.asked().plans.len(), 1);
    assert!(object_in(script.asked().plans[0].config.as_ref()).is_null());
}

#[tokio::test]
async fn an_unknown_configuration_is_planned_unknown_and_applied_known() {
    let mut state = created(&bare()).await;
    let (core, _) = strict_core(Script::default()).await;
    let unknown = config([("size", Value::unknown())]);
    let plan = core.plan(&state, &unknown).await;
    assert!(plan.change(ADDRESS).after.attribute("size").is_unknown());
    core.apply(&mut state, plan, &config([("size", 7.into())])).await;
    assert_attribute(&state, "size", 7);
}

#[tokio::test]
async fn an_update_that_turns_out_to_change_nothing_is_not_applied() {
    let before = config([("size", 7.into())]);
    let mut state = created(&before).await;
    let (core, script) = strict_core(Script::default()).await;
    let plan = core.plan(&state, &config([("size", Value::unknown())])).await;
    assert_eq!(plan.change(ADDRESS).action, Action::Update);
    core.apply(&mut state, plan, &before).await;
    assert!(script.asked().applies.is_empty());
    assert_attribute(&state, "size", 7);
}

#[tokio::test]
async fn a_replacement_is_planned_as_if_there_were_nothing_and_destroys_first() {
    let mut state = created(&config([("kind", "x".into())])).await;
    let (core, script) = strict_core(Script::default()).await;
    let config = config([("kind", "y".into())]);
    let plan = core.plan(&state, &config).await;
    let change: &Change = plan.change(ADDRESS);
    assert_eq!(change.action, Action::Replace);
    assert_eq!(change.requires_replace, [Path::of("kind")]);
    assert!(change.after.attribute("id").is_unknown());
    assert_eq!(change.before.attribute("id"), "id given".into());
    core.apply(&mut state, plan, &config).await;
    assert_attribute(&state, "kind", "y");
    let asked = script.asked();
    let [destruction, creation] = asked.applies.as_slice() else {
        panic!("two calls")
    };
    assert!(object_in(destruction.planned_state.as_ref()).is_null());
    assert!(object_in(destruction.config.as_ref()).is_null());
    assert!(object_in(creation.prior_state.as_ref()).is_null());
    assert_eq!(asked.plans.len(), 3);
}

#[tokio::test]
async fn a_failed_destruction_stops_the_replacement_and_keeps_the_old_object() {
    let mut state = created(&config([("kind", "x".into())])).await;
    let before = state.clone();
    let script = Script::default().apply(|_, answer| {
        answer.diagnostics.push(error("not today"));
    });
    let (core, script) = strict_core(script).await;
    let report = applied(&core, &mut state, &config([("kind", "y".into())])).await;
    assert!(report.errored());
    assert_eq!(state, before);
    assert_eq!(script.asked().applies.len(), 1);
}

#[tokio::test]
async fn a_tainted_object_is_replaced_and_planned_without_its_private_data() {
    let mut state = created(&bare()).await;
    state.get_mut(ADDRESS).unwrap().tainted = true;
    let (core, script) = strict_core(Script::default()).await;
    let plan = core.plan(&state, &bare()).await;
    assert_eq!(plan.change(ADDRESS).action, Action::Replace);
    core.apply(&mut state, plan, &bare()).await;
    assert!(!state[ADDRESS].tainted);
    let asked = script.asked();
    assert!(object_in(asked.plans[0].prior_state.as_ref()).is_null());
    assert!(asked.plans[0].prior_private.is_empty());
    assert_eq!(asked.plans[0].prior_identity, None);
    assert_eq!(asked.reads[0].private, b"born");
}

#[tokio::test]
async fn a_provider_diagnostic_is_data_with_its_path() {
    let script = Script::default().validate(|_, answer| {
        let attribute = Some(attribute_path(&["url"]));
        answer.diagnostics.push(proto::Diagnostic {
            attribute,
            ..error("bad url")
        });
    });
    let (core, script) = strict_core(script).await;
    let plan = core.plan(&State::new(), &bare()).await;
    let said: &[Diagnostic] = plan.report.about(ADDRESS);
    let [diagnostic] = said else { panic!("one diagnostic") };
    assert_eq!(
        (diagnostic.severity, diagnostic.summary.as_str()),
        (Severity::Error, "bad url")
    );
    assert_eq!(diagnostic.path, Path::of("url"));
    assert!(plan.report.errored() && !plan.is_empty());
    assert!(script.asked().plans.is_empty());
    assert!(core.validate(&bare()).await.errored());
}

#[tokio::test]
async fn what_is_required_and_not_written_never_reaches_the_provider() {
    let (core, script) = strict_core(Script::default()).await;
    let mut config = bare();
    config.get_mut(ADDRESS).unwrap().remove("url");
    let plan = core.plan(&State::new(), &config).await;
    let said: &[Diagnostic] = plan.report.about(ADDRESS);
    let [diagnostic] = said else { panic!("one diagnostic") };
    assert_eq!(diagnostic.summary, "Missing required argument");
    assert_eq!(diagnostic.path, Path::of("url"));
    assert!(script.asked().plans.is_empty());
}

#[tokio::test]
async fn a_null_for_what_is_required_and_a_value_for_what_is_computed_are_the_providers_to_refuse() {
    let script = Script::default().validate(|question, answer| {
        let config = object_in(question.config.as_ref());
        assert!(config.attribute("url").is_null());
        assert_eq!(config.attribute("id"), "mine".into());
        answer.diagnostics.push(error("not so"));
    });
    let (core, script) = strict_core(script).await;
    let plan = core
        .plan(&State::new(), &config([("url", Value::Null), ("id", "mine".into())]))
        .await;
    assert!(plan.report.errored());
    assert!(script.asked().plans.is_empty());
}

#[tokio::test]
async fn an_engine_that_announces_no_deferral_asks_alike_in_both_walks() {
    let mut state = created(&bare()).await;
    let (core, script) = strict_core(Script::default()).await;
    assert_sound(&applied(&core.without_deferral(), &mut state, &config([("size", 1.into())])).await);
    let asked = script.asked();
    assert_eq!(asked.plans.len(), 2);
    let announced = asked.plans.iter().map(|plan| plan.client_capabilities.unwrap());
    assert!(announced.into_iter().all(|announced| !announced.deferral_allowed));
}

#[tokio::test]
async fn what_is_gone_leaves_the_state_and_is_planned_anew() {
    let mut state = created(&bare()).await;
    let script = Script::default().read(|_, answer| {
        answer.new_state = None;
    });
    let (core, _) = strict_core(script).await;
    let plan = core.plan(&state, &bare()).await;
    assert_eq!(plan.change(ADDRESS).action, Action::Create);
    assert!(plan.prior.is_empty());
    assert!(core.plan(&state, &Config::new()).await.is_empty());
    assert_sound(&core.refresh(&mut state).await);
    assert!(state.is_empty());
}

#[tokio::test]
async fn a_failed_read_keeps_the_state_and_fails_the_plan() {
    let mut state = created(&bare()).await;
    let before = state.clone();
    let script = Script::default().read(|_, answer| {
        answer.new_state = None;
        answer.diagnostics.push(error("list failed"));
    });
    let (core, _) = strict_core(script).await;
    let plan = core.plan(&state, &bare()).await;
    assert!(plan.report.errored() && plan.changes.is_empty());
    assert!(core.refresh(&mut state).await.errored());
    assert_eq!(state, before);
}

#[tokio::test]
async fn drift_is_planned_back() {
    let mut state = created(&bare()).await;
    let script = Script::default().read(|_, answer| {
        set(&mut answer.new_state, "url", "https://elsewhere.example".into());
    });
    let (core, _) = strict_core(script).await;
    let plan = core.plan(&state, &bare()).await;
    assert_eq!(plan.change(ADDRESS).action, Action::Update);
    core.apply(&mut state, plan, &bare()).await;
    assert_attribute(&state, "url", "https://example.org/hook");
}

#[tokio::test]
async fn an_import_by_id_and_by_identity_reads_what_it_imports() {
    let (core, script) = strict_core(Script::default()).await;
    let mut state = State::new();
    core.import(&mut state, ADDRESS, &ImportTarget::Id("ep_1".to_owned()))
        .await;
    assert_attribute(&state, "id", "ep_1");
    let identity = Value::object([("id", "ep_2".into())]);
    core.import(&mut state, "thing.b", &ImportTarget::Identity(identity.clone()))
        .await;
    assert_eq!(state["thing.b"].identity, Some(identity));
    assert_eq!(script.asked().reads.len(), 2);
}

#[tokio::test]
async fn an_import_of_nothing_is_an_error_and_leaves_no_state() {
    let script = Script::default().read(|_, answer| {
        answer.new_state = None;
    });
    let (core, _) = strict_core(script).await;
    let mut state = State::new();
    let report = core
        .import(&mut state, ADDRESS, &ImportTarget::Id("gone".to_owned()))
        .await;
    assert_eq!(
        report.about(ADDRESS)[0].summary,
        "Cannot import non-existent remote object"
    );
    assert!(state.is_empty());
}

#[tokio::test]
async fn instances_are_walked_ten_at_a_time_or_one_by_one() {
    let one = created(&bare()).await.remove(ADDRESS).unwrap();
    let mut state: State = (0..25)
        .map(|n| (format!("thing.n{n}"), Instance::clone(&one)))
        .collect();
    let (core, script) = strict_core(Script::default()).await;
    assert_sound(&core.refresh(&mut state).await);
    assert_eq!(script.asked().most_in_flight, 10);
    let (core, script) = strict_core(Script::default()).await;
    assert_sound(&core.sequential().refresh(&mut state).await);
    assert_eq!(script.asked().most_in_flight, 1);
}

#[tokio::test]
async fn configuring_and_stopping_reach_the_provider() {
    let script = Script::default().configure(|question, answer| {
        answer.diagnostics.push(error(&question.terraform_version));
    });
    let (core, _) = strict_core(script).await;
    let report = core
        .configure(&Attributes::from([("key".to_owned(), "k".into())]))
        .await;
    assert_eq!(report.about("the provider")[0].summary, "1.15.5");
    assert_eq!(core.stop().await.unwrap(), "");
}

#[tokio::test]
#[should_panic(expected = "Provider produced invalid plan: thing.a.url")]
async fn a_model_that_does_not_record_panics_by_the_name_terraform_would_give() {
    let script = Script::default().plan(|_, answer| {
        set(&mut answer.planned_state, "url", "https://normalised.example/".into());
    });
    let (core, _) = strict_core(script).await;
    let _ = core.plan(&State::new(), &bare()).await;
}
