//! What a result may not be, and what is left in state of each way an apply can end.

use super::*;
use crate::core::Refinement;
use crate::core::scripted::{error, identity_of, message_of, object_in, raw, set};

/// Applies a creation with a provider that follows a script.
async fn creation(script: Script) -> (State, Report) {
    creation_of(script, &bare()).await
}

async fn creation_of(script: Script, config: &Config) -> (State, Report) {
    let (core, _) = core(script).await;
    let mut state = State::new();
    let report = applied(&core, &mut state, config).await;
    (state, report)
}

/// Applies an update of `size` from nothing to 7.
async fn update(script: Script) -> (State, Report) {
    let mut state = created(&bare()).await;
    let (core, _) = core(script).await;
    let report = applied(&core, &mut state, &config([("size", 7.into())])).await;
    (state, report)
}

/// Applies a destruction.
async fn destruction(script: Script) -> (State, Report) {
    let mut state = created(&bare()).await;
    let (core, _) = core(script).await;
    let report = applied(&core, &mut state, &Config::new()).await;
    (state, report)
}

#[tokio::test]
async fn a_changed_planned_value_is_an_inconsistent_result_and_saved() {
    let script = Script::default().apply(|_, answer| set(&mut answer.new_state, "url", "https://other".into()));
    let (state, report) = creation(script).await;
    assert_violates(&report.violations, Rule::Result, ".url");
    assert_attribute(&state, "url", "https://other");
    assert!(state[ADDRESS].tainted);
}

#[tokio::test]
async fn empty_text_and_empty_sets_for_planned_nulls_are_inconsistent_results() {
    for (name, value) in [("kind", Value::from("")), ("events", Value::set([]))] {
        let script = Script::default().apply(move |_, answer| set(&mut answer.new_state, name, value.clone()));
        let (_, report) = creation(script).await;
        assert_violates(&report.violations, Rule::Result, &format!(".{name}"));
    }
}

#[tokio::test]
async fn a_lost_set_element_is_an_inconsistent_result() {
    let script = Script::default().apply(|_, answer| set(&mut answer.new_state, "events", Value::set(["a".into()])));
    let (_, report) = creation_of(script, &config([("events", Value::set(["a".into(), "b".into()]))])).await;
    assert_violates(&report.violations, Rule::Result, ".events");
}

#[tokio::test]
async fn an_inconsistent_secret_is_reported_without_its_text() {
    let script = Script::default().apply(|_, answer| set(&mut answer.new_state, "secret", "whsec_1".into()));
    let (_, report) = update(script).await;
    assert_violates(&report.violations, Rule::Result, ".secret");
    assert_eq!(
        report.violations[0].problem,
        "inconsistent values for sensitive attribute"
    );
}

#[tokio::test]
async fn what_was_said_of_an_unknown_binds_its_result() {
    let script = Script::default().plan(|question, answer| {
        if object_in(question.prior_state.as_ref()).is_null() {
            let prefix = Some("whsec_".to_owned());
            let refinement = Refinement {
                prefix,
                ..Refinement::default()
            };
            set(&mut answer.planned_state, "secret", Value::Unknown(refinement));
        }
    });
    let (state, report) = creation(script).await;
    assert_violates(&report.violations, Rule::Result, ".secret");
    assert_eq!(state[ADDRESS].value.attribute("secret").as_str(), Some("secret given"));
}

#[tokio::test]
async fn an_unknown_left_after_apply_is_reported_and_saved_as_null() {
    let script = Script::default().apply(|_, answer| set(&mut answer.new_state, "secret", Value::unknown()));
    let (state, report) = creation(script).await;
    assert_violates(&report.violations, Rule::ResultObject, ".secret");
    assert_attribute(&state, "secret", Value::Null);
    assert_attribute(&state, "id", "id given");
    assert!(state[ADDRESS].tainted);
}

#[tokio::test]
async fn a_returned_write_only_value_is_an_invalid_object_and_not_saved() {
    let script = Script::default().apply(|_, answer| set(&mut answer.new_state, "password", "p".into()));
    let (state, report) = creation(script).await;
    assert_violates(&report.violations, Rule::Object, ".password");
    assert!(state.is_empty());
}

#[tokio::test]
async fn a_failed_creation_that_answers_its_state_is_saved_tainted() {
    let script = Script::default().apply(|_, answer| {
        answer.diagnostics.push(error("half done"));
        set(&mut answer.new_state, "secret", Value::Null);
    });
    let (state, report) = creation(script).await;
    assert!(report.errored() && report.violations.is_empty(), "{report:?}");
    let instance = &state[ADDRESS];
    assert!(instance.tainted);
    assert_eq!(instance.private, b"born");
    assert_eq!(instance.identity, Some(Value::object([("id", "id given".into())])));
    assert_attribute(&state, "id", "id given");
}

#[tokio::test]
async fn a_failed_creation_that_answers_nothing_leaves_nothing() {
    let script = Script::default().apply(|_, answer| {
        answer.diagnostics.push(error("refused"));
        answer.new_state = None;
    });
    let (state, report) = creation(script).await;
    assert!(report.errored() && report.violations.is_empty());
    assert!(state.is_empty());
}

#[tokio::test]
async fn a_status_at_a_creation_loses_the_object() {
    let script = Script::default().apply(|_, _| Err(tonic::Status::internal("lost")));
    let (state, report) = creation(script).await;
    assert_violates(&report.violations, Rule::Rpc, "");
    assert!(state.is_empty());
}

#[tokio::test]
async fn an_undecodable_answer_at_a_creation_loses_the_object() {
    let script = Script::default().apply(|_, answer| answer.new_state = Some(raw(vec![0x80])));
    let (state, report) = creation(script).await;
    assert_violates(&report.violations, Rule::Undecodable, "");
    assert!(state.is_empty());
}

#[tokio::test]
async fn a_failed_update_that_answers_its_state_is_saved_untainted() {
    let script = Script::default().apply(|_, answer| {
        answer.diagnostics.push(error("half done"));
        set(&mut answer.new_state, "size", Value::Null);
    });
    let (state, report) = update(script).await;
    assert!(report.errored() && report.violations.is_empty());
    assert!(!state[ADDRESS].tainted);
    assert_attribute(&state, "size", Value::Null);
    let (core, _) = core(Script::default()).await;
    assert!(!core.plan(&state, &config([("size", 7.into())])).await.is_empty());
}

#[tokio::test]
async fn echoing_the_plan_after_a_failed_update_hides_the_failure() {
    let script = Script::default().apply(|_, answer| answer.diagnostics.push(error("not done")));
    let (state, report) = update(script).await;
    assert!(report.errored());
    let (core, _) = core(Script::default()).await;
    assert!(core.plan(&state, &config([("size", 7.into())])).await.is_empty());
}

#[tokio::test]
async fn a_failed_update_that_answers_nothing_keeps_everything() {
    let script = Script::default().apply(|_, answer| {
        answer.diagnostics.push(error("not done"));
        answer.new_state = None;
        answer.private = Vec::new();
    });
    let (state, _) = update(script).await;
    assert_eq!(state, created(&bare()).await);
}

#[tokio::test]
async fn a_status_at_an_update_keeps_the_values_and_erases_private_data_and_identity() {
    let script = Script::default().apply(|_, _| Err(tonic::Status::internal("lost")));
    let (state, report) = update(script).await;
    assert_violates(&report.violations, Rule::Rpc, "");
    let before = created(&bare()).await;
    assert_eq!(state[ADDRESS].value, before[ADDRESS].value);
    assert_eq!(state[ADDRESS].private, b"");
    assert_eq!(state[ADDRESS].identity, None);
}

#[tokio::test]
async fn a_destruction_that_fails_keeps_the_object_whether_it_answers_it_or_not() {
    for echo in [true, false] {
        let script = Script::default().apply(move |question, answer| {
            answer.diagnostics.push(error("still in use"));
            if echo {
                answer.new_state = question.prior_state.clone();
                answer.new_identity = identity_of("id given".into());
            }
        });
        let (state, report) = destruction(script).await;
        assert!(report.errored() && report.violations.is_empty());
        assert_eq!(state, created(&bare()).await);
    }
}

#[tokio::test]
async fn a_status_at_a_destruction_keeps_everything() {
    let script = Script::default().apply(|_, _| Err(tonic::Status::internal("lost")));
    let (state, report) = destruction(script).await;
    assert_violates(&report.violations, Rule::Rpc, "");
    assert_eq!(state, created(&bare()).await);
}

#[tokio::test]
async fn an_object_left_after_a_destruction_is_reported_and_kept() {
    let script = Script::default().apply(|question, answer| answer.new_state = question.prior_state.clone());
    let (state, report) = destruction(script).await;
    assert_violates(&report.violations, Rule::ResultObject, "");
    assert!(state.contains_key(ADDRESS));
}

#[tokio::test]
async fn nothing_left_after_an_update_is_an_inconsistent_result_and_keeps_the_object() {
    let script = Script::default().apply(|_, answer| answer.new_state = message_of(&Value::Null));
    let (state, report) = update(script).await;
    assert_violates(&report.violations, Rule::Result, "");
    assert_attribute(&state, "id", "id given");
}

#[tokio::test]
async fn an_unknown_identity_after_apply_is_an_invalid_identity() {
    let script = Script::default().apply(|_, answer| answer.new_identity = identity_of(Value::unknown()));
    let (state, report) = creation(script).await;
    assert_violates(&report.violations, Rule::Identity, ".id");
    assert!(state[ADDRESS].tainted);
}

#[tokio::test]
async fn another_identity_after_an_update_is_reported() {
    let script = Script::default().apply(|_, answer| answer.new_identity = identity_of("other".into()));
    let (_, report) = update(script).await;
    assert_violates(&report.violations, Rule::IdentityKept, "");
}

#[tokio::test]
async fn an_omitted_identity_after_apply_is_reported_and_erased() {
    let script = Script::default().apply(|_, answer| answer.new_identity = None);
    let (state, report) = update(script).await;
    assert_violates(&report.violations, Rule::IdentityAnswered, "");
    assert_eq!(state[ADDRESS].identity, None);
    assert!(!report.errored(), "core itself does not mind");
}
