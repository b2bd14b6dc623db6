//! What a plan may not be.

use terraform_provider_heygen::terraform::proto;

use super::*;
use crate::core::scripted::{attribute_path, identity_of, object_in, raw, set};
use crate::core::{Action, Path};

#[tokio::test]
async fn a_normalised_text_for_a_configured_value_is_an_invalid_plan() {
    let script = Script::default().plan(|_, answer| {
        set(&mut answer.planned_state, "url", "https://example.org/hook/".into());
    });
    let plan = creation_planned(script, &bare()).await;
    assert_violates(&plan.report.violations, Rule::Plan, ".url");
    assert!(plan.changes.is_empty() && plan.report.errored());
}

#[tokio::test]
async fn the_prior_spelling_of_a_configured_value_is_a_valid_plan() {
    let script = Script::default().plan(|question, answer| {
        let prior = object_in(question.prior_state.as_ref()).attribute("url");
        set(&mut answer.planned_state, "url", prior);
    });
    let mut other = bare();
    other
        .get_mut(ADDRESS)
        .unwrap()
        .insert("url".to_owned(), "https://EXAMPLE.org/hook".into());
    assert!(change_planned(script, &bare(), &other).await.is_empty());
}

#[tokio::test]
async fn a_default_for_an_unknown_configured_value_is_an_invalid_plan() {
    let script = Script::default().plan(|_, answer| set(&mut answer.planned_state, "note", "default".into()));
    let plan = creation_planned(script, &config([("note", Value::unknown())])).await;
    assert_violates(&plan.report.violations, Rule::Plan, ".note");
}

#[tokio::test]
async fn a_default_for_an_unset_optional_and_computed_value_is_a_valid_plan() {
    let script = Script::default().plan(|_, answer| set(&mut answer.planned_state, "note", "default".into()));
    assert_sound(&creation_planned(script, &bare()).await.report);
}

#[tokio::test]
async fn a_value_for_an_unset_attribute_that_is_not_computed_is_an_invalid_plan() {
    for value in [Value::from(""), Value::unknown()] {
        let script = Script::default().plan(move |_, answer| set(&mut answer.planned_state, "kind", value.clone()));
        let plan = creation_planned(script, &bare()).await;
        assert_violates(&plan.report.violations, Rule::Plan, ".kind");
    }
    let script = Script::default().plan(|_, answer| set(&mut answer.planned_state, "events", Value::set([])));
    let plan = creation_planned(script, &bare()).await;
    assert_violates(&plan.report.violations, Rule::Plan, ".events");
}

#[tokio::test]
async fn a_number_in_a_short_float_is_an_invalid_plan_and_in_a_long_one_is_not() {
    let planned = |float: Vec<u8>| {
        let script = Script::default().plan(move |_, answer| {
            let message = &mut answer.planned_state.as_mut().unwrap().msgpack;
            let text = b"\xa4size\xa30.1";
            let at = message.windows(text.len()).position(|part| part == text).unwrap();
            let tail = message.split_off(at + text.len());
            message.truncate(at + 5);
            message.extend(&float);
            message.extend(tail);
        });
        async {
            creation_planned(script, &config([("size", Value::number("0.1"))]))
                .await
                .report
        }
    };
    let short = planned([&[0xca][..], &0.1_f32.to_be_bytes()].concat()).await;
    assert_violates(&short.violations, Rule::Plan, ".size");
    assert_sound(&planned([&[0xcb][..], &0.1_f64.to_be_bytes()].concat()).await);
}

#[tokio::test]
async fn a_missing_attribute_fails_the_whole_answer() {
    let script = Script::default().plan(|_, answer| answer.planned_state = Some(raw(b"\x81\xa2id\xc0".to_vec())));
    let plan = creation_planned(script, &bare()).await;
    assert_violates(&plan.report.violations, Rule::Undecodable, "");
    assert!(
        plan.report.violations[0]
            .problem
            .contains("9 attributes required, 1 given")
    );
}

#[tokio::test]
async fn planning_nothing_for_a_configuration_is_an_invalid_plan() {
    let script = Script::default().plan(|_, answer| answer.planned_state = None);
    let plan = creation_planned(script, &bare()).await;
    assert_violates(&plan.report.violations, Rule::Plan, "");
}

#[tokio::test]
async fn a_planned_write_only_value_is_an_invalid_plan() {
    let script = Script::default().plan(|_, answer| set(&mut answer.planned_state, "password", "p".into()));
    let plan = creation_planned(script, &config([("password", "p".into())])).await;
    assert_violates(&plan.report.violations, Rule::Plan, ".password");
}

#[tokio::test]
async fn a_replacement_for_an_unchanged_path_is_no_replacement() {
    let script = Script::default().plan(|_, answer| {
        answer.requires_replace = vec![attribute_path(&["kind"]), attribute_path(&["url"])];
    });
    let plan = change_planned(script, &bare(), &config([("size", 1.into())])).await;
    assert_sound(&plan.report);
    assert_eq!(plan.change(ADDRESS).action, Action::Update);
}

#[tokio::test]
async fn a_replacement_is_kept_for_the_path_that_changes_alone() {
    let script = Script::default().plan(|_, answer| {
        answer.requires_replace = vec![attribute_path(&["kind"]), attribute_path(&["url"])];
    });
    let plan = change_planned(script, &bare(), &config([("kind", "y".into())])).await;
    assert_eq!(plan.change(ADDRESS).action, Action::Replace);
    assert_eq!(plan.change(ADDRESS).requires_replace, [Path::of("kind")]);
}

#[tokio::test]
async fn a_replacement_for_a_path_that_does_not_exist_is_an_invalid_plan() {
    let script = || Script::default().plan(|_, answer| answer.requires_replace.push(attribute_path(&["absent"])));
    let plan = change_planned(script(), &bare(), &bare()).await;
    assert_violates(&plan.report.violations, Rule::Plan, ".absent");
    assert_sound(&creation_planned(script(), &bare()).await.report);
}

#[tokio::test]
async fn a_changed_mind_in_the_second_plan_is_an_inconsistent_final_plan() {
    let script = Script::default().plan(|question, answer| {
        let first = !question.client_capabilities.as_ref().unwrap().deferral_allowed;
        if first {
            set(&mut answer.planned_state, "note", "settled".into());
        }
    });
    let (core, script) = core(script).await;
    let mut state = State::new();
    let report = applied(&core, &mut state, &bare()).await;
    assert_violates(&report.violations, Rule::FinalPlan, ".note");
    assert!(state.is_empty());
    assert!(script.asked().applies.is_empty());
}

#[tokio::test]
async fn another_action_in_the_second_plan_is_an_inconsistent_final_plan() {
    let mut state = created(&bare()).await;
    let (core, script) = core(Script::default()).await;
    let plan = core.plan(&state, &config([("kind", Value::unknown())])).await;
    assert_eq!(plan.change(ADDRESS).action, Action::Replace);
    // What was planned as a replacement turns out to change nothing.
    let report = core.apply(&mut state, plan, &config([("kind", "y".into())])).await;
    assert_sound(&report);
    assert_eq!(script.asked().applies.len(), 2);

    let script = Script::default().plan(|question, answer| {
        if question.client_capabilities.as_ref().unwrap().deferral_allowed {
            answer.requires_replace.push(attribute_path(&["size"]));
        }
    });
    let (core, script) = super::core(script).await;
    let before = state.clone();
    let report = applied(&core, &mut state, &config([("kind", "y".into()), ("size", 2.into())])).await;
    let violation = &report.violations[0];
    assert_eq!(violation.rule, Rule::FinalPlan);
    assert!(violation.problem.contains("from Update to Replace"), "{violation}");
    assert_eq!(state, before);
    assert!(script.asked().applies.is_empty());
}

#[tokio::test]
async fn an_unknown_identity_is_an_invalid_plan_of_an_update_and_a_valid_one_of_a_creation() {
    let script = || Script::default().plan(|_, answer| answer.planned_identity = identity_of(Value::unknown()));
    assert_sound(&creation_planned(script(), &bare()).await.report);
    let plan = change_planned(script(), &bare(), &config([("size", 1.into())])).await;
    assert_eq!(plan.report.violations[0].rule, Rule::Identity);
    assert!(plan.changes.is_empty());
}

#[tokio::test]
async fn another_identity_in_the_plan_of_an_update_is_reported() {
    let script = Script::default().plan(|_, answer| answer.planned_identity = identity_of("other".into()));
    let plan = change_planned(script, &bare(), &config([("size", 1.into())])).await;
    assert_violates(&plan.report.violations, Rule::IdentityKept, "");
}

#[tokio::test]
async fn the_legacy_type_system_is_reported() {
    let script = Script::default().plan(|_, answer| answer.legacy_type_system = true);
    let plan = creation_planned(script, &bare()).await;
    assert_violates(&plan.report.violations, Rule::Form, "");
}

#[tokio::test]
async fn deferring_is_refused_in_the_plan_and_in_the_apply() {
    let defer = |answer: &mut proto::plan_resource_change::Response| {
        answer
            .deferred
            .get_or_insert_default()
            .set_reason(proto::deferred::Reason::AbsentPrereq);
    };
    let plan = creation_planned(Script::default().plan(move |_, answer| defer(answer)), &bare()).await;
    assert_violates(&plan.report.violations, Rule::Deferral, "");
    let script = Script::default().plan(move |question, answer| {
        if question.client_capabilities.as_ref().unwrap().deferral_allowed {
            defer(answer);
        }
    });
    let (core, _) = core(script).await;
    let report = applied(&core, &mut State::new(), &bare()).await;
    assert_violates(&report.violations, Rule::Deferral, "");
}

#[tokio::test]
async fn a_status_instead_of_a_plan_is_reported() {
    let script = Script::default().plan(|_, _| Err(tonic::Status::internal("lost")));
    let plan = creation_planned(script, &bare()).await;
    assert_violates(&plan.report.violations, Rule::Rpc, "");
    assert!(plan.report.errored());
}

#[tokio::test]
async fn planning_a_destruction_as_something_is_an_invalid_plan() {
    let script = Script::default()
        .schema(|(), answer| {
            answer.server_capabilities.get_or_insert_default().plan_destroy = true;
        })
        .plan(|question, answer| answer.planned_state = question.prior_state.clone());
    let plan = change_planned(script, &bare(), &Config::new()).await;
    assert_violates(&plan.report.violations, Rule::Plan, "");
}

#[tokio::test]
async fn a_diagnostic_about_nothing_is_reported() {
    let script = Script::default().validate(|_, answer| {
        let attribute = Some(attribute_path(&["uri"]));
        let diagnostic = crate::core::scripted::error("bad uri");
        answer.diagnostics.push(proto::Diagnostic {
            attribute,
            ..diagnostic
        });
    });
    let plan = creation_planned(script, &bare()).await;
    assert_violates(&plan.report.violations, Rule::Form, ".uri");
}
