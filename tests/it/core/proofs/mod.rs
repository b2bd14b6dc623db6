//! Proofs that the model walks as core walks and catches what core catches: a scripted provider
//! behaves, or misbehaves in one way, and the model must say so by name.

mod applying;
mod carried;
mod planning;
mod reading;
mod schemas;
mod walks;

use std::fmt::Debug;

use crate::core::scripted::{ADDRESS, Script, config, core};
use crate::core::{Config, Core, PlanSet, Report, Rule, State, Value, Violation};

/// The state after a good provider created the instance.
async fn created(config: &Config) -> State {
    let (core, _) = core(Script::default()).await;
    let mut state = State::new();
    let plan = core.plan(&state, config).await;
    let report = core.apply(&mut state, plan, config).await;
    assert!(report.violations.is_empty() && !report.errored(), "{report:?}");
    state
}

/// Plans and applies in one go, and expects no trouble before the apply.
async fn applied(core: &Core, state: &mut State, config: &Config) -> Report {
    let plan = core.plan(state, config).await;
    assert!(plan.report.violations.is_empty(), "{:?}", plan.report);
    core.apply(state, plan, config).await
}

/// Plans the creation of the one instance with a provider that follows a script.
async fn creation_planned(script: Script, config: &Config) -> PlanSet {
    let (core, _) = core(script).await;
    core.plan(&State::new(), config).await
}

/// Plans a change of an instance that a good provider created.
async fn change_planned(script: Script, before: &Config, after: &Config) -> PlanSet {
    let state = created(before).await;
    let (core, _) = core(script).await;
    core.plan(&state, after).await
}

/// Asserts that exactly one rule was broken, at one place.
#[track_caller]
fn assert_violates(violations: &[Violation], rule: Rule, path: &str) {
    let [violation] = violations else {
        panic!("expected one violation of {rule:?}, not {violations:#?}");
    };
    assert_eq!(
        (violation.rule, violation.path.to_string().as_str()),
        (rule, path),
        "{violation}"
    );
}

/// Asserts that everything went as it should.
#[track_caller]
fn assert_sound(report: &Report) {
    assert!(report.violations.is_empty() && !report.errored(), "{report:#?}");
}

#[track_caller]
fn assert_attribute(state: &State, name: &str, expected: impl Into<Value> + Debug) {
    assert_eq!(state[ADDRESS].value.attribute(name), expected.into());
}

fn bare() -> Config {
    config([])
}
