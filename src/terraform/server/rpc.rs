//! The RPCs, one after the other in the order of the protocol, each handed on to where it is answered.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::Stream;
use futures_util::stream;
use tonic::{Request, Response, Status, Streaming};

use super::isolate::{Report, isolated};
use super::managed::EncodedState;
use super::{Inner, Service, absent};
use crate::terraform::{Diagnostic, Diagnostics, FunctionError, Provider, proto};

type Answer<T> = Result<Response<T>, Status>;
type Events<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[async_trait]
impl<P: Provider> proto::provider_server::Provider for Service<P> {
    async fn get_metadata(
        &self,
        _request: Request<proto::get_metadata::Request>,
    ) -> Answer<proto::get_metadata::Response> {
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
    ) -> Answer<proto::get_provider_schema::Response> {
        let resources = self.inner.resources.values();
        Ok(Response::new(proto::get_provider_schema::Response {
            server_capabilities: Some(CAPABILITIES),
            provider: Some((&self.inner.provider.schema()).into()),
            resource_schemas: resources
                .map(|resource| (resource.type_name().to_owned(), (&resource.schema()).into()))
                .collect(),
            data_source_schemas: self.inner.data_source_schemas(),
            functions: self.inner.function_signatures(),
            ..Default::default()
        }))
    }

    async fn get_resource_identity_schemas(
        &self,
        _request: Request<proto::get_resource_identity_schemas::Request>,
    ) -> Answer<proto::get_resource_identity_schemas::Response> {
        let resources = self.inner.resources.values();
        Ok(Response::new(proto::get_resource_identity_schemas::Response {
            identity_schemas: resources
                .map(|resource| (resource.type_name().to_owned(), (&resource.identity_schema()).into()))
                .collect(),
            ..Default::default()
        }))
    }

    async fn validate_provider_config(
        &self,
        request: Request<proto::validate_provider_config::Request>,
    ) -> Answer<proto::validate_provider_config::Response> {
        self.isolated(request, Report::problem, |inner, request| async move {
            let checked = inner.validate_provider(request.config.as_ref());
            Report::report(checked.unwrap_or_else(Diagnostics::from).into())
        })
        .await
    }

    async fn configure_provider(
        &self,
        request: Request<proto::configure_provider::Request>,
    ) -> Answer<proto::configure_provider::Response> {
        self.isolated(request, Report::problem, |inner, request| async move {
            let configured = inner.configure(request).await;
            Report::report(configured.unwrap_or_else(Diagnostics::from).into())
        })
        .await
    }

    async fn validate_resource_config(
        &self,
        request: Request<proto::validate_resource_config::Request>,
    ) -> Answer<proto::validate_resource_config::Response> {
        self.isolated(request, Report::problem, |inner, request| async move {
            inner.validate_resource(&request)
        })
        .await
    }

    async fn upgrade_resource_state(
        &self,
        request: Request<proto::upgrade_resource_state::Request>,
    ) -> Answer<proto::upgrade_resource_state::Response> {
        self.isolated(request, Report::problem, |inner, request| async move {
            inner.upgrade_resource_state(&request)
        })
        .await
    }

    async fn upgrade_resource_identity(
        &self,
        request: Request<proto::upgrade_resource_identity::Request>,
    ) -> Answer<proto::upgrade_resource_identity::Response> {
        self.isolated(request, Report::problem, |inner, request| async move {
            inner.upgrade_resource_identity(&request)
        })
        .await
    }

    async fn read_resource(
        &self,
        request: Request<proto::read_resource::Request>,
    ) -> Answer<proto::read_resource::Response> {
        // An answer without a state would say that the object is gone.
        let inner = Arc::clone(&self.inner);
        let (type_name, prior) = (
            request.get_ref().type_name.clone(),
            EncodedState::to_read(request.get_ref()),
        );
        let on_panic = move |problem: Diagnostic| inner.identified(&type_name, prior).read(problem.into());
        self.isolated(request, on_panic, |inner, request| async move {
            inner.read_resource(request).await
        })
        .await
    }

    async fn plan_resource_change(
        &self,
        request: Request<proto::plan_resource_change::Request>,
    ) -> Answer<proto::plan_resource_change::Response> {
        self.isolated(request, Report::problem, |inner, request| async move {
            inner.plan_resource_change(request)
        })
        .await
    }

    async fn apply_resource_change(
        &self,
        request: Request<proto::apply_resource_change::Request>,
    ) -> Answer<proto::apply_resource_change::Response> {
        // An answer without a state would say that the object is gone, and without private data that there is none.
        let inner = Arc::clone(&self.inner);
        let (type_name, prior) = (
            request.get_ref().type_name.clone(),
            EncodedState::to_apply(request.get_ref()),
        );
        let on_panic = move |problem: Diagnostic| inner.identified(&type_name, prior).applied(problem.into());
        self.isolated(request, on_panic, |inner, request| async move {
            inner.apply_resource_change(request).await
        })
        .await
    }

    async fn import_resource_state(
        &self,
        request: Request<proto::import_resource_state::Request>,
    ) -> Answer<proto::import_resource_state::Response> {
        self.isolated(request, Report::problem, |inner, request| async move {
            inner.import_resource_state(request).await
        })
        .await
    }

    async fn move_resource_state(
        &self,
        request: Request<proto::move_resource_state::Request>,
    ) -> Answer<proto::move_resource_state::Response> {
        // No other type's object can become one of ours. OpenTofu asks although no move is declared.
        let proto::move_resource_state::Request {
            source_type_name,
            target_type_name,
            ..
        } = request.get_ref();
        Ok(Response::new(Report::problem(no_move(
            source_type_name,
            target_type_name,
        ))))
    }

    async fn generate_resource_config(
        &self,
        request: Request<proto::generate_resource_config::Request>,
    ) -> Answer<proto::generate_resource_config::Response> {
        let problem = Diagnostic::error(
            "No configuration can be generated",
            format!(
                "This provider generates no configuration for resources such as {}. Write it by hand.",
                request.get_ref().type_name
            ),
        );
        Ok(Response::new(Report::problem(problem)))
    }

    async fn validate_data_resource_config(
        &self,
        request: Request<proto::validate_data_resource_config::Request>,
    ) -> Answer<proto::validate_data_resource_config::Response> {
        self.isolated(request, Report::problem, |inner, request| async move {
            inner.validate_data_source(&request)
        })
        .await
    }

    async fn read_data_source(
        &self,
        request: Request<proto::read_data_source::Request>,
    ) -> Answer<proto::read_data_source::Response> {
        self.isolated(request, Report::problem, |inner, request| async move {
            inner.read_data_source(request).await
        })
        .await
    }

    async fn validate_ephemeral_resource_config(
        &self,
        request: Request<proto::validate_ephemeral_resource_config::Request>,
    ) -> Answer<proto::validate_ephemeral_resource_config::Response> {
        Ok(refused("ephemeral resource", &request.get_ref().type_name))
    }

    async fn open_ephemeral_resource(
        &self,
        request: Request<proto::open_ephemeral_resource::Request>,
    ) -> Answer<proto::open_ephemeral_resource::Response> {
        Ok(refused("ephemeral resource", &request.get_ref().type_name))
    }

    async fn renew_ephemeral_resource(
        &self,
        request: Request<proto::renew_ephemeral_resource::Request>,
    ) -> Answer<proto::renew_ephemeral_resource::Response> {
        Ok(refused("ephemeral resource", &request.get_ref().type_name))
    }

    async fn close_ephemeral_resource(
        &self,
        request: Request<proto::close_ephemeral_resource::Request>,
    ) -> Answer<proto::close_ephemeral_resource::Response> {
        Ok(refused("ephemeral resource", &request.get_ref().type_name))
    }

    type ListResourceStream = Events<proto::list_resource::Event>;

    async fn list_resource(&self, request: Request<proto::list_resource::Request>) -> Answer<Self::ListResourceStream> {
        let problem = absent("list resource", &request.get_ref().type_name);
        Ok(once(proto::list_resource::Event {
            diagnostic: vec![problem.into()],
            ..Default::default()
        }))
    }

    async fn validate_list_resource_config(
        &self,
        request: Request<proto::validate_list_resource_config::Request>,
    ) -> Answer<proto::validate_list_resource_config::Response> {
        Ok(refused("list resource", &request.get_ref().type_name))
    }

    async fn get_functions(
        &self,
        _request: Request<proto::get_functions::Request>,
    ) -> Answer<proto::get_functions::Response> {
        Ok(Response::new(proto::get_functions::Response {
            functions: self.inner.function_signatures(),
            diagnostics: Vec::new(),
        }))
    }

    async fn call_function(
        &self,
        request: Request<proto::call_function::Request>,
    ) -> Answer<proto::call_function::Response> {
        let on_panic = |problem: Diagnostic| FunctionError::from(problem).into();
        self.isolated(request, on_panic, |inner, request| async move {
            inner.call_function(&request)
        })
        .await
    }

    async fn validate_state_store_config(
        &self,
        request: Request<proto::validate_state_store::Request>,
    ) -> Answer<proto::validate_state_store::Response> {
        Ok(refused("state store", &request.get_ref().type_name))
    }

    async fn configure_state_store(
        &self,
        request: Request<proto::configure_state_store::Request>,
    ) -> Answer<proto::configure_state_store::Response> {
        Ok(refused("state store", &request.get_ref().type_name))
    }

    type ReadStateBytesStream = Events<proto::read_state_bytes::Response>;

    async fn read_state_bytes(
        &self,
        request: Request<proto::read_state_bytes::Request>,
    ) -> Answer<Self::ReadStateBytesStream> {
        let problem = absent("state store", &request.get_ref().type_name);
        Ok(once(proto::read_state_bytes::Response {
            diagnostics: vec![problem.into()],
            ..Default::default()
        }))
    }

    async fn write_state_bytes(
        &self,
        _request: Request<Streaming<proto::write_state_bytes::RequestChunk>>,
    ) -> Answer<proto::write_state_bytes::Response> {
        Ok(refused("state store", ""))
    }

    async fn lock_state(&self, request: Request<proto::lock_state::Request>) -> Answer<proto::lock_state::Response> {
        Ok(refused("state store", &request.get_ref().type_name))
    }

    async fn unlock_state(
        &self,
        request: Request<proto::unlock_state::Request>,
    ) -> Answer<proto::unlock_state::Response> {
        Ok(refused("state store", &request.get_ref().type_name))
    }

    async fn get_states(&self, request: Request<proto::get_states::Request>) -> Answer<proto::get_states::Response> {
        Ok(refused("state store", &request.get_ref().type_name))
    }

    async fn delete_state(
        &self,
        request: Request<proto::delete_state::Request>,
    ) -> Answer<proto::delete_state::Response> {
        Ok(refused("state store", &request.get_ref().type_name))
    }

    async fn plan_action(&self, request: Request<proto::plan_action::Request>) -> Answer<proto::plan_action::Response> {
        Ok(refused("action", &request.get_ref().action_type))
    }

    type InvokeActionStream = Events<proto::invoke_action::Event>;

    async fn invoke_action(&self, request: Request<proto::invoke_action::Request>) -> Answer<Self::InvokeActionStream> {
        use proto::invoke_action::event::{Completed, Type};
        let problem = absent("action", &request.get_ref().action_type);
        Ok(once(proto::invoke_action::Event {
            r#type: Some(Type::Completed(Completed {
                diagnostics: vec![problem.into()],
            })),
        }))
    }

    async fn validate_action_config(
        &self,
        request: Request<proto::validate_action_config::Request>,
    ) -> Answer<proto::validate_action_config::Response> {
        Ok(refused("action", &request.get_ref().type_name))
    }

    /// Answers at once; what is under way ends by itself and is answered where it was asked.
    async fn stop_provider(
        &self,
        _request: Request<proto::stop_provider::Request>,
    ) -> Answer<proto::stop_provider::Response> {
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
    async fn isolated<Q, A, F>(
        &self,
        request: Request<Q>,
        on_panic: impl FnOnce(Diagnostic) -> A,
        call: impl FnOnce(Arc<Inner<P>>, Q) -> F,
    ) -> Answer<A>
    where
        A: Send + 'static,
        F: Future<Output = A> + Send + 'static,
    {
        isolated(call(Arc::clone(&self.inner), request.into_inner()), on_panic).await
    }
}

/// The answer to a call about something that this provider does not have. Hosts ask only for what the schema declares.
fn refused<T: Report>(kind: &str, name: &str) -> Response<T> {
    Response::new(T::problem(absent(kind, name)))
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

fn once<T: Send + 'static>(event: T) -> Response<Events<T>> {
    Response::new(Box::pin(stream::iter([Ok(event)])))
}
