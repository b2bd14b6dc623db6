//! The provider in the test's own process, walked by the model of Terraform's core, against the fake API.

mod stored;
mod unknown;

use terraform_provider_heygen::provider::{Environment, HeygenProvider};
use terraform_provider_heygen::terraform::Service;

use crate::core::{Attributes, Config, Core, PlanSet, State, Value};
use crate::fake_heygen::FakeHeygen;
use crate::support::in_process::client_of;

/// Where the one endpoint of a test is.
const ADDRESS: &str = "heygen_webhook_endpoint.a";

const URL: &str = "https://hooks.example.com/heygen";

/// A model that panics on whatever core would call a bug of the provider, on a provider that is configured for an empty
/// account.
async fn with_account() -> (Core, FakeHeygen) {
    let heygen = FakeHeygen::start();
    let provider = Service::new(HeygenProvider::new(Environment::default()));
    let core = Core::connect(client_of(provider.into_server())).await.unwrap();
    let settings = attributes([
        ("api_key", heygen.api_key().into()),
        ("base_url", heygen.base_url().as_str().into()),
        ("max_retries", 0.into()),
    ]);
    let report = core.configure(&settings).await;
    assert!(!report.errored(), "{report:?}");
    (core, heygen)
}

/// A configuration with the endpoint, its URL, and these attributes.
fn config<const N: usize>(more: [(&str, Value); N]) -> Config {
    let mut endpoint = attributes([("url", URL.into())]);
    endpoint.extend(attributes(more));
    [(ADDRESS.to_owned(), endpoint)].into()
}

fn attributes<const N: usize>(attributes: [(&str, Value); N]) -> Attributes {
    attributes.map(|(name, value)| (name.to_owned(), value)).into()
}

/// Plans, expecting no error.
async fn planned(core: &Core, state: &State, config: &Config) -> PlanSet {
    let plan = core.plan(state, config).await;
    assert!(!plan.report.errored(), "{:?}", plan.report);
    plan
}

/// Plans and applies, expecting no error.
async fn applied(core: &Core, state: &mut State, config: &Config) {
    let plan = planned(core, state, config).await;
    let report = core.apply(state, plan, config).await;
    assert!(!report.errored(), "{report:?}");
}

/// Fails unless plans with and without a refresh are empty.
async fn expect_nothing_to_do(core: &Core, state: &State, config: &Config) {
    assert!(planned(core, state, config).await.is_empty());
    assert!(core.plan_without_refresh(state, config).await.is_empty());
}

fn id_in(state: &State) -> String {
    let id = state[ADDRESS].value.attribute("id");
    id.as_str().expect("what is in state has an id").to_owned()
}
