//! The tonic service `tfplugin6.Provider` over any [`Provider`].
//!
//! Problems are answered as diagnostics and never as a gRPC status: a failed status would make Terraform forget a
//! created object, or its private data.

mod data_sources;
mod functions;
mod isolate;
mod managed;
mod rpc;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::proto::provider_server::ProviderServer;
use super::wire::convert;
use super::{
    AnyDataSource, AnyResource, Diagnostic, Diagnostics, Function, HostVersion, Model, Object, Provider, Schema, proto,
};

/// What other providers allow in either direction; the host's own limits are above it.
const MESSAGE_LIMIT: usize = 256 * 1024 * 1024;

/// A [`Provider`] as a gRPC service.
pub struct Service<P> {
    inner: Arc<Inner<P>>,
}

struct Inner<P> {
    provider: P,
    /// By type name.
    resources: BTreeMap<&'static str, Arc<dyn AnyResource>>,
    /// By type name.
    data_sources: BTreeMap<&'static str, Arc<dyn AnyDataSource>>,
    /// By name.
    functions: BTreeMap<&'static str, Box<dyn Function>>,
    stop: StopSwitch,
}

impl<P: Provider> Service<P> {
    /// Serves this provider.
    pub fn new(provider: P) -> Self {
        Self::stopped_by(provider, CancellationToken::new())
    }

    /// Serves this provider until `terminated` is cancelled. That stops what is under way, as `StopProvider` does, and
    /// what is asked later begins nothing.
    pub fn stopped_by(provider: P, terminated: CancellationToken) -> Self {
        let resources = provider.resources();
        let resources = resources.into_iter().map(|r| (r.type_name(), r)).collect();
        let data_sources = provider.data_sources();
        let data_sources = data_sources.into_iter().map(|d| (d.type_name(), d)).collect();
        let functions = provider.functions();
        let functions = functions.into_iter().map(|f| (f.name(), f)).collect();
        Self {
            inner: Arc::new(Inner {
                provider,
                resources,
                data_sources,
                functions,
                stop: StopSwitch::under(terminated),
            }),
        }
    }

    /// The tonic service, with the protocol's message limits.
    pub fn into_server(self) -> ProviderServer<Self> {
        ProviderServer::new(self)
            .max_decoding_message_size(MESSAGE_LIMIT)
            .max_encoding_message_size(MESSAGE_LIMIT)
    }
}

impl<P> Clone for Service<P> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<P: Provider> Inner<P> {
    fn resource(&self, type_name: &str) -> Result<&Arc<dyn AnyResource>, Diagnostic> {
        self.resources
            .get(type_name)
            .ok_or_else(|| absent("resource", type_name))
    }

    fn provider_config(&self, config: Option<&proto::DynamicValue>) -> Result<P::Config, Diagnostic> {
        let object = required(config, &self.provider.schema())?;
        P::Config::from_object(object).map_err(|mismatch| unreadable("provider configuration", &mismatch))
    }

    fn validate_provider(&self, config: Option<&proto::DynamicValue>) -> Diagnostics {
        match self.provider_config(config) {
            Ok(config) => self.provider.validate(&config),
            Err(problem) => problem.into(),
        }
    }

    async fn configure(&self, request: proto::configure_provider::Request) -> Diagnostics {
        match self.provider_config(request.config.as_ref()) {
            Ok(config) => {
                let host = HostVersion(request.terraform_version);
                self.provider.configure(config, host).await
            }
            Err(problem) => problem.into(),
        }
    }
}

/// Stops what is under way and nothing that comes later: under a debugger one process outlives many operations. Only
/// the end of the process stops for good.
struct StopSwitch {
    terminated: CancellationToken,
    current: Mutex<CancellationToken>,
}

impl StopSwitch {
    fn under(terminated: CancellationToken) -> Self {
        let current = Mutex::new(terminated.child_token());
        Self { terminated, current }
    }

    /// The token for an operation that starts now.
    fn token(&self) -> CancellationToken {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn stop(&self) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, self.terminated.child_token()).cancel();
    }
}

/// Reads an object that must be there.
fn required(message: Option<&proto::DynamicValue>, schema: &Schema) -> Result<Object, Diagnostic> {
    let object = convert::object(message, &schema.object_type()).map_err(|e| unreadable("value", &e))?;
    // A block without any setting may arrive as null: all its attributes are.
    Ok(object.unwrap_or_else(|| {
        let names = schema.attributes.iter();
        names.map(|a| (a.name.to_owned(), super::Value::Null)).collect()
    }))
}

fn unreadable(what: &str, error: &dyn std::error::Error) -> Diagnostic {
    Diagnostic::error(
        "Terraform and the provider do not understand each other",
        format!("A {what} cannot be read: {error}. This is a bug in the provider or in Terraform; please report it."),
    )
}

fn absent(kind: &str, name: &str) -> Diagnostic {
    Diagnostic::error(
        format!("No such {kind}"),
        format!("This provider has no {kind} named \"{name}\". A newer version of it may have one."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_ends_what_runs_and_not_what_comes_after() {
        let switch = StopSwitch::under(CancellationToken::new());
        let running = switch.token();
        switch.stop();
        assert!(running.is_cancelled());
        assert!(!switch.token().is_cancelled());
    }

    #[test]
    fn termination_ends_what_runs_and_what_comes_after() {
        let terminated = CancellationToken::new();
        let switch = StopSwitch::under(terminated.clone());
        switch.stop();
        let running = switch.token();
        terminated.cancel();
        assert!(running.is_cancelled());
        assert!(switch.token().is_cancelled());
        switch.stop();
        assert!(switch.token().is_cancelled());
    }
}
