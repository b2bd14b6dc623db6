//! The provider: Terraform's protocol on one side, `HeyGen`'s API on the other.

mod config;
mod credentials;
mod data;
mod endpoint_url;
mod environment;
mod failed_calls;
mod filters;
mod session;
mod summaries;
mod webhook_endpoint;
mod webhook_signature;

use std::sync::Arc;

use async_trait::async_trait;

pub use config::ProviderConfig;
pub use environment::Environment;
pub use summaries::SUMMARIES;

use crate::terraform::{
    AnyDataSource, AnyListResource, AnyResource, Diagnostics, Function, HostVersion, Provider, Schema,
};
use session::Session;
use webhook_endpoint::{WebhookEndpoint, WebhookEndpointList};
use webhook_signature::{VerifyWebhookSignature, WebhookSignature};

/// The `heygen` provider.
pub struct HeygenProvider {
    environment: Environment,
    session: Arc<Session>,
}

impl HeygenProvider {
    /// A provider that takes from this environment what its configuration leaves out.
    pub fn new(environment: Environment) -> Self {
        Self {
            environment,
            session: Arc::new(Session::default()),
        }
    }
}

#[async_trait]
impl Provider for HeygenProvider {
    const API_NAME: &'static str = "HeyGen";

    type Config = ProviderConfig;

    fn schema(&self) -> &'static Schema {
        &config::SCHEMA
    }

    fn resources(&self) -> Vec<Arc<dyn AnyResource>> {
        vec![Arc::new(WebhookEndpoint::new(Arc::clone(&self.session)))]
    }

    fn data_sources(&self) -> Vec<Arc<dyn AnyDataSource>> {
        data::all(&self.session)
    }

    fn list_resources(&self) -> Vec<Arc<dyn AnyListResource>> {
        vec![Arc::new(WebhookEndpointList::new(Arc::clone(&self.session)))]
    }

    fn functions(&self) -> Vec<Box<dyn Function>> {
        vec![Box::new(WebhookSignature), Box::new(VerifyWebhookSignature)]
    }

    fn validate(&self, config: &ProviderConfig) -> Diagnostics {
        config::validate(config)
    }

    fn shown(&self, message: &str) -> String {
        self.session.shown(message)
    }

    async fn configure(&self, config: ProviderConfig, host: HostVersion) -> Diagnostics {
        let (connection, diagnostics) = config::resolve(&config, &self.environment, &host);
        self.session.connect(connection);
        diagnostics
    }
}
