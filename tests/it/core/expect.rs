//! The walks of a test that expects them to succeed.

use super::model::{Config, Core, PlanSet, State};

/// Plans, and fails the test where that ends with an error.
pub(crate) async fn planned(core: &Core, state: &State, config: &Config) -> PlanSet {
    let plan = core.plan(state, config).await;
    assert!(!plan.report.errored(), "{:?}", plan.report);
    plan
}

/// Plans and applies, and fails the test where either ends with an error.
pub(crate) async fn applied(core: &Core, state: &mut State, config: &Config) {
    let plan = planned(core, state, config).await;
    let report = core.apply(state, plan, config).await;
    assert!(!report.errored(), "{report:?}");
}

/// Fails the test unless plans with and without a refresh are empty.
pub(crate) async fn expect_nothing_to_do(core: &Core, state: &State, config: &Config) {
    assert!(planned(core, state, config).await.is_empty());
    assert!(core.plan_without_refresh(state, config).await.is_empty());
}
