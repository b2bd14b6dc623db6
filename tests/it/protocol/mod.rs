//! The provider in the test's own process, walked by the model of Terraform's core, against the fake API.

mod import;
mod list;
mod quoted;
mod stored;
mod unknown;

use terraform_provider_heygen::provider::Environment;

use crate::core::{Attributes, Config, Core, State, Value, applied, expect_nothing_to_do, planned};
use crate::fake_heygen::FakeHeygen;
use crate::support::account::ADDRESS;
use crate::support::in_process;

const URL: &str = "https://hooks.example.com/heygen";

/// A model that panics on whatever core would call a bug of the provider, on a provider that is configured for an empty
/// account.
async fn with_account() -> (Core, FakeHeygen) {
    let heygen = FakeHeygen::start();
    let core = in_process::core(Environment::default()).await;
    let report = core.configure(&settings(&heygen)).await;
    assert!(!report.errored(), "{report:?}");
    (core, heygen)
}

/// The provider block for this account.
fn settings(heygen: &FakeHeygen) -> Attributes {
    attributes([
        ("api_key", heygen.api_key().into()),
        ("base_url", heygen.base_url().as_str().into()),
        ("max_retries", 0.into()),
    ])
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

fn id_in(state: &State) -> String {
    let id = state[ADDRESS].value.attribute("id");
    id.as_str().expect("what is in state has an id").to_owned()
}
