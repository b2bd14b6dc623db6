//! What a provider implements.

use std::sync::Arc;

use async_trait::async_trait;

use super::{AnyDataSource, AnyListResource, AnyResource, Diagnostics, Function, Model, Schema};

/// The version of the Terraform (or `OpenTofu`) that started the provider, such as `1.11.4`; empty if it did not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostVersion(pub String);

/// A provider: its own configuration, and the resources, data sources, list resources and functions it serves.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// What messages call the system whose objects the provider manages, such as `GitHub`.
    const API_NAME: &'static str;

    /// The configuration of the provider block.
    type Config: Model;

    /// The schema of [`Self::Config`]: one for the life of the process, built when it is first needed. It must not set
    /// anything up, because hosts may keep the schema and never ask for it again.
    fn schema(&self) -> &'static Schema;

    /// The managed resources.
    fn resources(&self) -> Vec<Arc<dyn AnyResource>>;

    /// The data sources.
    fn data_sources(&self) -> Vec<Arc<dyn AnyDataSource>>;

    /// The list resources, each of the name of a managed resource.
    fn list_resources(&self) -> Vec<Arc<dyn AnyListResource>>;

    /// The functions.
    fn functions(&self) -> Vec<Box<dyn Function>>;

    /// Checks a configuration; anything in it may be unknown. Called before [`Self::configure`], or without it. Who may
    /// set what is checked already, by the schema.
    fn validate(&self, config: &Self::Config) -> Diagnostics;

    /// A message as the host may have it, who shows and logs it. All of them pass through here, whatever they quote: this
    /// takes out what is secret.
    fn shown(&self, message: &str) -> String {
        message.to_owned()
    }

    /// Takes the configuration over for the calls that follow. During plan anything in it may be unknown. Under a
    /// debugger one process is configured many times; the last configuration counts.
    async fn configure(&self, config: Self::Config, host: HostVersion) -> Diagnostics;
}
