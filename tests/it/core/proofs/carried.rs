//! Private data and identity, carried from call to call as core carries them.

use super::*;
use crate::core::scripted::identity_of;

/// Tags private data with each call it went through.
fn tagging() -> Script {
    let tag = |private: &mut Vec<u8>, tag: &[u8]| private.extend_from_slice(tag);
    Script::default()
        .read(move |_, answer| tag(&mut answer.private, b"+read"))
        .plan(move |question, answer| {
            if !question.planned_private.is_empty() {
                answer.planned_private.clone_from(&question.planned_private);
            }
            tag(&mut answer.planned_private, b"+plan");
        })
        .apply(move |_, answer| tag(&mut answer.private, b"+apply"))
}

#[tokio::test]
async fn a_creation_carries_the_planned_private_data_through_both_plans() {
    let (core, script) = core(tagging()).await;
    let mut state = State::new();
    assert_sound(&applied(&core, &mut state, &bare()).await);
    assert_eq!(state[ADDRESS].private, b"+plan+plan+apply");
    let asked = script.asked();
    assert_eq!(asked.plans[1].planned_private, b"+plan");
    assert!(asked.plans[1].prior_private.is_empty());
}

#[tokio::test]
async fn an_update_carries_the_private_data_of_the_read_into_the_plan() {
    let mut state = created(&bare()).await;
    let (core, script) = core(tagging()).await;
    assert_sound(&applied(&core, &mut state, &config([("size", 1.into())])).await);
    let asked = script.asked();
    assert_eq!(asked.reads[0].private, b"born");
    assert_eq!(asked.plans[0].prior_private, b"born+read");
    assert_eq!(asked.plans[1].prior_private, b"born+read");
    assert_eq!(asked.plans[1].planned_private, b"born+read+plan");
    assert_eq!(state[ADDRESS].private, b"born+read+plan+plan+apply");
}

#[tokio::test]
async fn a_replacement_plans_anew_on_what_the_first_plan_answered_and_destroys_with_that() {
    let mut state = created(&config([("kind", "x".into())])).await;
    let (core, script) = core(tagging()).await;
    assert_sound(&applied(&core, &mut state, &config([("kind", "y".into())])).await);
    let asked = script.asked();
    assert_eq!(asked.plans[0].prior_private, b"born+read");
    assert_eq!(asked.plans[1].prior_private, b"born+read+plan");
    assert!(asked.plans[1].planned_private.is_empty());
    assert_eq!(asked.plans[1].prior_identity, identity_of("id given".into()));
    // The third is the apply walk's, after the destruction.
    assert!(asked.plans[2].prior_private.is_empty());
    assert_eq!(asked.plans[2].planned_private, b"born+read+plan+plan");
    assert_eq!(asked.applies[0].planned_private, b"born+read+plan+plan");
    assert_eq!(asked.applies[0].planned_identity, None);
}

#[tokio::test]
async fn private_data_dropped_when_planning_anew_is_reported_and_starves_the_destruction() {
    let mut state = created(&config([("kind", "x".into())])).await;
    let script = Script::default().plan(|question, answer| {
        let anew = question.prior_state == crate::core::scripted::message_of(&Value::Null);
        if anew {
            answer.planned_private.clear();
        }
    });
    let (core, script) = core(script).await;
    let plan = core.plan(&state, &config([("kind", "y".into())])).await;
    assert_violates(&plan.report.violations, Rule::PrivateAnswered, "");
    core.apply(&mut state, plan, &config([("kind", "y".into())])).await;
    assert!(script.asked().applies[0].planned_private.is_empty());
}

#[tokio::test]
async fn the_planned_identity_goes_into_the_apply() {
    let mut state = created(&bare()).await;
    let (core, script) = core(Script::default()).await;
    assert_sound(&applied(&core, &mut state, &config([("size", 1.into())])).await);
    assert_eq!(
        script.asked().applies[0].planned_identity,
        identity_of("id given".into())
    );
}

#[tokio::test]
async fn a_no_op_keeps_the_private_data_of_the_read_and_not_of_the_plan() {
    let mut state = created(&bare()).await;
    let (core, _) = core(tagging()).await;
    assert_sound(&applied(&core, &mut state, &bare()).await);
    assert_eq!(state[ADDRESS].private, b"born+read");
}

#[tokio::test]
async fn what_a_read_says_of_a_gone_object_still_reaches_its_plan() {
    let state = created(&bare()).await;
    let script = Script::default().read(|_, answer| {
        answer.new_state = None;
        answer.private = b"gone".to_vec();
    });
    let (core, script) = core(script).await;
    assert_sound(&core.plan(&state, &bare()).await.report);
    assert_eq!(script.asked().plans[0].prior_private, b"gone");
}
