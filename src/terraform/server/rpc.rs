//! The RPCs in the order of the protocol, each handed on to the function that answers it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::Stream;
use futures_util::stream;
use tonic::{Request, Response, Status, Streaming};

use super::isolate::{FromDiagnostics, run_isolated};
use super::{Inner, Service, no_such};
use crate::terraform::wire::state::EncodedState;
use crate::terraform::{Diagnostic, Diagnostics, FunctionError, Outcome, Provider, proto};

type RpcResult<T> = Result<Response<T>, Status>;
type ResponseStream<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[async_trait]
impl<P: Provider> proto::provider_server::Provider for Service<P> {
    async fn get_metadata(
        &self,
        _request: Request<proto::get_metadata::Request>,
    ) -> RpcResult<proto::get_metadata::Response> {
        let resources = self.inner.resources.keys();
        Ok(Response::new(proto::get_metadata::Response {
            server_capabilities: Some(CAPABILITIES),
            resources: resources
                .map(|name| proto::get_metadata::ResourceMetadata {
                    type_name: (*name).to_owned(),
                })
                .collect(),
            data_sources: self
                .inner
                .data_sources
                .keys()
                .map(|name| proto::get_metadata::DataSourceMetadata {
                    type_name: (*name).to_owned(),
                })
                .collect(),
            functions: self
                .inner
                .functions
                .keys()
                .map(|name| proto::get_metadata::FunctionMetadata {
                    name: (*name).to_owned(),
                })
                .collect(),
            ..Default::default()
        }))
    }

    async fn get_provider_schema(
        &self,
        _request: Request<proto::get_provider_schema::Request>,
    ) -> RpcResult<proto::get_provider_schema::Response> {
        let resources = self.inner.resources.values();
        Ok(Response::new(proto::get_provider_schema::Response {
            server_capabilities: Some(CAPABILITIES),
            provider: Some(self.inner.provider.schema().into()),
            resource_schemas: resources
                .map(|resource| (resource.type_name().to_owned(), (resource.schema()).into()))
                .collect(),
            data_source_schemas: self.inner.data_source_schemas(),
            functions: self.inner.function_signatures(),
            ..Default::default()
        }))
    }

    async fn get_resource_identity_schemas(
        &self,
        _request: Request<proto::get_resource_identity_schemas::Request>,
    ) -> RpcResult<proto::get_resource_identity_schemas::Response> {
        let resources = self.inner.resources.values();
        Ok(Response::new(proto::get_resource_identity_schemas::Response {
            identity_schemas: resources
                .map(|resource| (resource.type_name().to_owned(), resource.identity_schema().into()))
                .collect(),
            ..Default::default()
        }))
    }

    async fn validate_provider_config(
        &self,
        request: Request<proto::validate_provider_config::Request>,
    ) -> RpcResult<proto::validate_provider_config::Response> {
        self.run_isolated(request, FromDiagnostics::from_diagnostic, |inner, request| async move {
            let checked = inner.validate_provider(request.config.as_ref());
            FromDiagnostics::from_diagnostics(checked.unwrap_or_else(Diagnostics::from).into())
        })
        .await
    }

    async fn configure_provider(
        &self,
        request: Request<proto::configure_provider::Request>,
    ) -> RpcResult<proto::configure_provider::Response> {
        self.run_isolated(request, FromDiagnostics::from_diagnostic, |inner, request| async move {
            let configured = inner.configure(request).await;
            FromDiagnostics::from_diagnostics(configured.unwrap_or_else(Diagnostics::from).into())
        })
        .await
    }

    async fn validate_resource_config(
        &self,
        request: Request<proto::validate_resource_config::Request>,
    ) -> RpcResult<proto::validate_resource_config::Response> {
        self.run_isolated(request, FromDiagnostics::from_diagnostic, |inner, request| async move {
            inner.validate_resource(&request)
        })
        .await
    }

    async fn upgrade_resource_state(
        &self,
        request: Request<proto::upgrade_resource_state::Request>,
    ) -> RpcResult<proto::upgrade_resource_state::Response> {
        self.run_isolated(request, FromDiagnostics::from_diagnostic, |inner, request| async move {
            inner.upgrade_resource_state(&request)
        })
        .await
    }

    async fn upgrade_resource_identity(
        &self,
        request: Request<proto::upgrade_resource_identity::Request>,
    ) -> RpcResult<proto::upgrade_resource_identity::Response> {
        self.run_isolated(request, FromDiagnostics::from_diagnostic, |inner, request| async move {
            inner.upgrade_resource_identity(&request)
        })
        .await
    }

    async fn read_resource(
        &self,
        request: Request<proto::read_resource::Request>,
    ) -> RpcResult<proto::read_resource::Response> {
        // An answer without a state would say that the object is gone.
        let inner = Arc::clone(&self.inner);
        let (type_name, prior) = (
            request.get_ref().type_name.clone(),
            EncodedState::from(request.get_ref()),
        );
        let on_panic = move |problem: Diagnostic| Outcome::new(inner.unchanged(&type_name, prior), problem).into();
        self.run_isolated(request, on_panic, |inner, request| async move {
            inner.read_resource(request).await
        })
        .await
    }

    async fn plan_resource_change(
        &self,
        request: Request<proto::plan_resource_change::Request>,
    ) -> RpcResult<proto::plan_resource_change::Response> {
        self.run_isolated(request, FromDiagnostics::from_diagnostic, |inner, request| async move {
            inner.plan_resource_change(request)
        })
        .await
    }

    async fn apply_resource_change(
        &self,
        request: Request<proto::apply_resource_change::Request>,
    ) -> RpcResult<proto::apply_resource_change::Response> {
        // An answer without a state would say that the object is gone, and without private data that there is none.
        let inner = Arc::clone(&self.inner);
        let (type_name, prior) = (
            request.get_ref().type_name.clone(),
            EncodedState::from(request.get_ref()),
        );
        let on_panic = move |problem: Diagnostic| Outcome::new(inner.unchanged(&type_name, prior), problem).into();
        self.run_isolated(request, on_panic, |inner, request| async move {
            inner.apply_resource_change(request).await
        })
        .await
    }

    async fn import_resource_state(
        &self,
        request: Request<proto::import_resource_state::Request>,
    ) -> RpcResult<proto::import_resource_state::Response> {
        self.run_isolated(request, FromDiagnostics::from_diagnostic, |inner, request| async move {
            inner.import_resource_state(request).await
        })
        .await
    }

    async fn move_resource_state(
        &self,
        request: Request<proto::move_resource_state::Request>,
    ) -> RpcResult<proto::move_resource_state::Response> {
        // No other type's object can become one of ours. OpenTofu asks although no move is declared.
        let proto::move_resource_state::Request {
            source_type_name,
            target_type_name,
            ..
        } = request.get_ref();
        Ok(Response::new(FromDiagnostics::from_diagnostic(no_move(
            source_type_name,
            target_type_name,
        ))))
    }

    async fn generate_resource_config(
        &self,
        request: Request<proto::generate_resource_config::Request>,
    ) -> RpcResult<proto::generate_resource_config::Response> {
        let problem = Diagnostic::error(
            "No configuration can be generated",
            format!(
                "This provider generates no configuration for resources such as {}. Write it by hand.",
                request.get_ref().type_name
            ),
        );
        Ok(Response::new(FromDiagnostics::from_diagnostic(problem)))
    }

    async fn validate_data_resource_config(
        &self,
        request: Request<proto::validate_data_resource_config::Request>,
    ) -> RpcResult<proto::validate_data_resource_config::Response> {
        self.run_isolated(request, FromDiagnostics::from_diagnostic, |inner, request| async move {
            inner.validate_data_source(&request)
        })
        .await
    }

    async fn read_data_source(
        &self,
        request: Request<proto::read_data_source::Request>,
    ) -> RpcResult<proto::read_data_source::Response> {
        self.run_isolated(request, FromDiagnostics::from_diagnostic, |inner, request| async move {
            inner.read_data_source(request).await
        })
        .await
    }

    async fn validate_ephemeral_resource_config(
        &self,
        request: Request<proto::validate_ephemeral_resource_config::Request>,
    ) -> RpcResult<proto::validate_ephemeral_resource_config::Response> {
        Ok(refused("ephemeral resource", &request.get_ref().type_name))
    }

    async fn open_ephemeral_resource(
        &self,
        request: Request<proto::open_ephemeral_resource::Request>,
    ) -> RpcResult<proto::open_ephemeral_resource::Response> {
        Ok(refused("ephemeral resource", &request.get_ref().type_name))
    }

    async fn renew_ephemeral_resource(
        &self,
        request: Request<proto::renew_ephemeral_resource::Request>,
    ) -> RpcResult<proto::renew_ephemeral_resource::Response> {
        Ok(refused("ephemeral resource", &request.get_ref().type_name))
    }

    async fn close_ephemeral_resource(
        &self,
        request: Request<proto::close_ephemeral_resource::Request>,
    ) -> RpcResult<proto::close_ephemeral_resource::Response> {
        Ok(refused("ephemeral resource", &request.get_ref().type_name))
    }

    type ListResourceStream = ResponseStream<proto::list_resource::Event>;

    async fn list_resource(
        &self,
        request: Request<proto::list_resource::Request>,
    ) -> RpcResult<Self::ListResourceStream> {
        let problem = no_such("list resource", &request.get_ref().type_name);
        Ok(single_event(proto::list_resource::Event {
            diagnostic: vec![problem.into()],
            ..Default::default()
        }))
    }

    async fn validate_list_resource_config(
        &self,
        request: Request<proto::validate_list_resource_config::Request>,
    ) -> RpcResult<proto::validate_list_resource_config::Response> {
        Ok(refused("list resource", &request.get_ref().type_name))
    }

    async fn get_functions(
        &self,
        _request: Request<proto::get_functions::Request>,
    ) -> RpcResult<proto::get_functions::Response> {
        Ok(Response::new(proto::get_functions::Response {
            functions: self.inner.function_signatures(),
            diagnostics: Vec::new(),
        }))
    }

    async fn call_function(
        &self,
        request: Request<proto::call_function::Request>,
    ) -> RpcResult<proto::call_function::Response> {
        let on_panic = |problem: Diagnostic| FunctionError::from(problem).into();
        self.run_isolated(request, on_panic, |inner, request| async move {
            inner.call_function(&request)
        })
        .await
    }

    async fn validate_state_store_config(
        &self,
        request: Request<proto::validate_state_store::Request>,
    ) -> RpcResult<proto::validate_state_store::Response> {
        Ok(refused("state store", &request.get_ref().type_name))
    }

    async fn configure_state_store(
        &self,
        request: Request<proto::configure_state_store::Request>,
    ) -> RpcResult<proto::configure_state_store::Response> {
        Ok(refused("state store", &request.get_ref().type_name))
    }

    type ReadStateBytesStream = ResponseStream<proto::read_state_bytes::Response>;

    async fn read_state_bytes(
        &self,
        request: Request<proto::read_state_bytes::Request>,
    ) -> RpcResult<Self::ReadStateBytesStream> {
        let problem = no_such("state store", &request.get_ref().type_name);
        Ok(single_event(proto::read_state_bytes::Response {
            diagnostics: vec![problem.into()],
            ..Default::default()
        }))
    }

    async fn write_state_bytes(
        &self,
        _request: Request<Streaming<proto::write_state_bytes::RequestChunk>>,
    ) -> RpcResult<proto::write_state_bytes::Response> {
        Ok(refused("state store", ""))
    }

    async fn lock_state(&self, request: Request<proto::lock_state::Request>) -> RpcResult<proto::lock_state::Response> {
        Ok(refused("state store", &request.get_ref().type_name))
    }

    async fn unlock_state(
        &self,
        request: Request<proto::unlock_state::Request>,
    ) -> RpcResult<proto::unlock_state::Response> {
        Ok(refused("state store", &request.get_ref().type_name))
    }

    async fn get_states(&self, request: Request<proto::get_states::Request>) -> RpcResult<proto::get_states::Response> {
        Ok(refused("state store", &request.get_ref().type_name))
    }

    async fn delete_state(
        &self,
        request: Request<proto::delete_state::Request>,
    ) -> RpcResult<proto::delete_state::Response> {
        Ok(refused("state store", &request.get_ref().type_name))
    }

    async fn plan_action(
        &self,
        request: Request<proto::plan_action::Request>,
    ) -> RpcResult<proto::plan_action::Response> {
        Ok(refused("action", &request.get_ref().action_type))
    }

    type InvokeActionStream = ResponseStream<proto::invoke_action::Event>;

    async fn invoke_action(
        &self,
        request: Request<proto::invoke_action::Request>,
    ) -> RpcResult<Self::InvokeActionStream> {
        use proto::invoke_action::event::{Completed, Type};
        let problem = no_such("action", &request.get_ref().action_type);
        Ok(single_event(proto::invoke_action::Event {
            r#type: Some(Type::Completed(Completed {
                diagnostics: vec![problem.into()],
            })),
        }))
    }

    async fn validate_action_config(
        &self,
        request: Request<proto::validate_action_config::Request>,
    ) -> RpcResult<proto::validate_action_config::Response> {
        Ok(refused("action", &request.get_ref().type_name))
    }

    /// Answers at once; what is under way ends by itself and is answered where it was asked.
    async fn stop_provider(
        &self,
        _request: Request<proto::stop_provider::Request>,
    ) -> RpcResult<proto::stop_provider::Response> {
        self.inner.stop.stop();
        tracing::info!("told to stop what is under way");
        Ok(Response::new(proto::stop_provider::Response::default()))
    }
}

/// Hosts may keep the schema: nothing is set up when it is asked for.
const CAPABILITIES: proto::ServerCapabilities = proto::ServerCapabilities {
    plan_destroy: false,
    get_provider_schema_optional: true,
    move_resource_state: false,
    generate_resource_config: false,
};

impl<P: Provider> Service<P> {
    async fn run_isolated<Q, A, F>(
        &self,
        request: Request<Q>,
        on_panic: impl FnOnce(Diagnostic) -> A,
        call: impl FnOnce(Arc<Inner<P>>, Q) -> F,
    ) -> RpcResult<A>
    where
        A: Send + 'static,
        F: Future<Output = A> + Send + 'static,
    {
        run_isolated(call(Arc::clone(&self.inner), request.into_inner()), on_panic).await
    }
}

/// The response to a call about something that this provider does not have. Hosts ask only for what the schema declares.
fn refused<T: FromDiagnostics>(kind: &str, name: &str) -> Response<T> {
    Response::new(T::from_diagnostic(no_such(kind, name)))
}

fn no_move(source: &str, target: &str) -> Diagnostic {
    Diagnostic::error(
        "Objects of another type cannot be moved here",
        format!(
            "A moved block turns a {source} into a {target}, and this provider cannot read the state of the one as that of \
             the other. Take the old one out of state with a removed block (lifecycle {{ destroy = false }}) in place of the \
             moved block, and take what the {target} shall manage over with an import block."
        ),
    )
}

fn single_event<T: Send + 'static>(event: T) -> Response<ResponseStream<T>> {
    Response::new(Box::pin(stream::iter([Ok(event)])))
}
