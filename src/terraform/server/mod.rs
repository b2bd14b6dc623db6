//! The tonic service `tfplugin6.Provider` over any [`Provider`].
//!
//! Problems are answered as diagnostics and never as a gRPC status: a failed status would make Terraform forget a
//! created object, or its private data.

mod data_sources;
mod from_diagnostics;
mod functions;
mod isolate;
mod list_resources;
mod managed;
mod rpc;
mod stop;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use self::from_diagnostics::Messages;
use self::stop::StopSwitch;
use super::proto::provider_server::ProviderServer;
use super::wire::convert;
use super::{
    AnyDataSource, AnyListResource, AnyResource, Diagnostic, Diagnostics, Function, HostVersion, Model, Object,
    Provider, Schema, proto, summaries,
};

/// The largest message in either direction, in bytes: what every Go plugin allows. The host's own limits are above it.
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
    /// By type name.
    list_resources: BTreeMap<&'static str, Arc<dyn AnyListResource>>,
    /// By name.
    functions: BTreeMap<&'static str, Box<dyn Function>>,
    stop: StopSwitch,
}

impl<P: Provider> Service<P> {
    /// Serves this provider.
    pub fn new(provider: P) -> Self {
        Self::with_termination(provider, CancellationToken::new())
    }

    /// Serves this provider until `terminated` is cancelled. That stops the calls under way, as `StopProvider` does,
    /// and also every call that comes later.
    pub fn with_termination(provider: P, terminated: CancellationToken) -> Self {
        let resources = provider.resources();
        let resources = resources.into_iter().map(|r| (r.type_name(), r)).collect();
        let data_sources = provider.data_sources();
        let data_sources = data_sources.into_iter().map(|d| (d.type_name(), d)).collect();
        let list_resources = provider.list_resources();
        let list_resources = list_resources.into_iter().map(|l| (l.type_name(), l)).collect();
        let functions = provider.functions();
        let functions = functions.into_iter().map(|f| (f.name(), f)).collect();
        Self {
            inner: Arc::new(Inner {
                provider,
                resources,
                data_sources,
                list_resources,
                functions,
                stop: StopSwitch::new(terminated),
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
            .ok_or_else(|| no_such("resource", type_name))
    }

    /// A response whose messages are as [`Provider::shown`] has them.
    fn shown<A: Messages>(&self, mut response: A) -> A {
        for message in response.messages() {
            *message = self.provider.shown(message);
        }
        response
    }

    fn validate_provider(&self, config: Option<&proto::DynamicValue>) -> Result<Diagnostics, Diagnostic> {
        let schema = self.provider.schema();
        let config = decode_config(config, schema)?;
        let mut diagnostics = schema.check_configuration(&config);
        diagnostics.extend(self.provider.validate(&provider_config::<P>(config)?));
        Ok(diagnostics)
    }

    async fn configure(&self, request: proto::configure_provider::Request) -> Result<Diagnostics, Diagnostic> {
        let config = decode_config(request.config.as_ref(), self.provider.schema())?;
        let host = HostVersion(request.terraform_version);
        Ok(self.provider.configure(provider_config::<P>(config)?, host).await)
    }
}

fn provider_config<P: Provider>(config: Object) -> Result<P::Config, Diagnostic> {
    P::Config::from_object(config).map_err(|mismatch| Diagnostic::protocol_error("provider configuration", &mismatch))
}

/// Decodes a configuration, in which every attribute of the schema is present.
fn decode_config(message: Option<&proto::DynamicValue>, schema: &Schema) -> Result<Object, Diagnostic> {
    let object =
        convert::decode_object(message, schema.object_type()).map_err(|e| Diagnostic::protocol_error("value", &e))?;
    // A block without any setting may arrive as null: all its attributes are.
    Ok(object.unwrap_or_else(|| {
        let names = schema.attributes().iter();
        names.map(|a| (a.name.into(), super::Value::Null)).collect()
    }))
}

fn no_such(kind: &str, name: &str) -> Diagnostic {
    not_in_this_version(&format!("{kind} named \"{name}\""))
}

/// There is no `what`, which may be a kind of thing as a whole.
fn not_in_this_version(what: &str) -> Diagnostic {
    Diagnostic::error(
        summaries::NOT_IN_THIS_VERSION,
        format!("This provider has no {what}. A newer version of it may have one."),
    )
}

#[cfg(test)]
mod tests;
