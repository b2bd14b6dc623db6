//! The RPCs in the order of the protocol, each handed on to the function that answers it. Those that are refused come last.

use std::future::{Future, ready};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use futures_util::stream;
use tokio::sync::mpsc;
use tonic::{Request, Response, Status, Streaming};

use super::from_diagnostics::{FromDiagnostics, Messages, ResponseStream};
use super::isolate::{run_guarded, run_isolated};
use super::{Inner, Service, no_such, not_in_this_version};
use crate::terraform::wire::state::EncodedState;
use crate::terraform::{Diagnostic, Diagnostics, FunctionError, Outcome, Provider, proto, summaries};

type RpcResult<T> = Result<Response<T>, Status>;

/// Writes an RPC about a kind of thing that this provider has none of: it answers a diagnostic that says so. Its arguments
/// are the RPC, the module of its messages, the kind of thing, and the field of the request that names the one asked for.
///
/// Hosts ask only for what the schema declares. The default methods that `tonic-prost-build` can generate would do, but for
/// answering with a gRPC status, where this service answers every problem as a diagnostic. The methods are written as
/// `async_trait` would rewrite them, because it does not see inside a macro.
macro_rules! refuse {
    ($rpc:ident($messages:ident), $kind:literal $name:ident) => {
        refuse!(@ $rpc(proto::$messages::Request) -> proto::$messages::Response, |it| no_such($kind, &it.$name));
    };
    (server_streaming $rpc:ident($messages:ident) -> $message:ident, $kind:literal $name:ident) => {
        refuse!(
            @ $rpc(proto::$messages::Request) -> ResponseStream<proto::$messages::$message>,
            |it| no_such($kind, &it.$name)
        );
    };
    (client_streaming $rpc:ident($messages:ident) <- $message:ident, $kind:literal) => {
        refuse!(
            @ $rpc(Streaming<proto::$messages::$message>) -> proto::$messages::Response,
            |_| not_in_this_version($kind)
        );
    };
    (@ $rpc:ident($request:ty) -> $response:ty, $problem:expr) => {
        fn $rpc<'life0, 'async_trait>(
            &'life0 self,
            request: Request<$request>,
        ) -> BoxFuture<'async_trait, RpcResult<$response>>
        where
            'life0: 'async_trait,
            Self: 'async_trait,
        {
            let problem: fn(&$request) -> Diagnostic = $problem;
            let response = FromDiagnostics::from_diagnostic(problem(request.get_ref()));
            Box::pin(ready(Ok(Response::new(response))))
        }
    };
}

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
            list_resources: self
                .inner
                .list_resources
                .keys()
                .map(|name| proto::get_metadata::ListResourceMetadata {
                    type_name: (*name).to_owned(),
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
            list_resource_schemas: self.inner.list_resource_schemas(),
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
        Ok(self.answer(request, |inner, request| {
            let checked = inner.validate_provider(request.config.as_ref());
            FromDiagnostics::from_diagnostics(checked.unwrap_or_else(Diagnostics::from).into())
        }))
    }

    async fn configure_provider(
        &self,
        request: Request<proto::configure_provider::Request>,
    ) -> RpcResult<proto::configure_provider::Response> {
        self.run(request, |inner, request| async move {
            let configured = inner.configure(request).await;
            FromDiagnostics::from_diagnostics(configured.unwrap_or_else(Diagnostics::from).into())
        })
        .await
    }

    async fn validate_resource_config(
        &self,
        request: Request<proto::validate_resource_config::Request>,
    ) -> RpcResult<proto::validate_resource_config::Response> {
        Ok(self.answer(request, |inner, request| inner.validate_resource(&request)))
    }

    async fn upgrade_resource_state(
        &self,
        request: Request<proto::upgrade_resource_state::Request>,
    ) -> RpcResult<proto::upgrade_resource_state::Response> {
        Ok(self.answer(request, |inner, request| inner.upgrade_resource_state(&request)))
    }

    async fn upgrade_resource_identity(
        &self,
        request: Request<proto::upgrade_resource_identity::Request>,
    ) -> RpcResult<proto::upgrade_resource_identity::Response> {
        Ok(self.answer(request, |inner, request| inner.upgrade_resource_identity(&request)))
    }

    async fn read_resource(
        &self,
        request: Request<proto::read_resource::Request>,
    ) -> RpcResult<proto::read_resource::Response> {
        let request = Arc::new(request.into_inner());
        let on_panic = self.unchanged_on_panic(Arc::clone(&request), |request| &request.type_name);
        self.run_or_else(on_panic, |inner| async move { inner.read_resource(&request).await })
            .await
    }

    async fn plan_resource_change(
        &self,
        request: Request<proto::plan_resource_change::Request>,
    ) -> RpcResult<proto::plan_resource_change::Response> {
        Ok(self.answer(request, Inner::plan_resource_change))
    }

    async fn apply_resource_change(
        &self,
        request: Request<proto::apply_resource_change::Request>,
    ) -> RpcResult<proto::apply_resource_change::Response> {
        let request = Arc::new(request.into_inner());
        let on_panic = self.unchanged_on_panic(Arc::clone(&request), |request| &request.type_name);
        self.run_or_else(
            on_panic,
            |inner| async move { inner.apply_resource_change(&request).await },
        )
        .await
    }

    async fn import_resource_state(
        &self,
        request: Request<proto::import_resource_state::Request>,
    ) -> RpcResult<proto::import_resource_state::Response> {
        self.run(request, |inner, request| async move {
            inner.import_resource_state(request).await
        })
        .await
    }

    async fn move_resource_state(
        &self,
        request: Request<proto::move_resource_state::Request>,
    ) -> RpcResult<proto::move_resource_state::Response> {
        Ok(self.answer(request, Inner::move_resource_state))
    }

    async fn generate_resource_config(
        &self,
        request: Request<proto::generate_resource_config::Request>,
    ) -> RpcResult<proto::generate_resource_config::Response> {
        Ok(self.answer(request, |inner, request| inner.generate_resource_config(&request)))
    }

    async fn validate_data_resource_config(
        &self,
        request: Request<proto::validate_data_resource_config::Request>,
    ) -> RpcResult<proto::validate_data_resource_config::Response> {
        Ok(self.answer(request, |inner, request| inner.validate_data_source(&request)))
    }

    async fn read_data_source(
        &self,
        request: Request<proto::read_data_source::Request>,
    ) -> RpcResult<proto::read_data_source::Response> {
        self.run(request, |inner, request| async move {
            inner.read_data_source(request).await
        })
        .await
    }

    type ListResourceStream = ResponseStream<proto::list_resource::Event>;

    async fn list_resource(
        &self,
        request: Request<proto::list_resource::Request>,
    ) -> RpcResult<Self::ListResourceStream> {
        Ok(self.run_streaming(request, |inner, request, events| async move {
            inner.list(request, events).await;
        }))
    }

    async fn validate_list_resource_config(
        &self,
        request: Request<proto::validate_list_resource_config::Request>,
    ) -> RpcResult<proto::validate_list_resource_config::Response> {
        Ok(self.answer(request, |inner, request| inner.validate_list_resource(&request)))
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
        Ok(self.answer_or_else(request, on_panic, |inner, request| inner.call_function(&request)))
    }

    /// Answers at once. The calls under way then end soon, each with its own answer.
    async fn stop_provider(
        &self,
        _request: Request<proto::stop_provider::Request>,
    ) -> RpcResult<proto::stop_provider::Response> {
        self.inner.stop.stop();
        tracing::info!("told to stop what is under way");
        Ok(Response::new(proto::stop_provider::Response::default()))
    }

    refuse!(validate_ephemeral_resource_config(validate_ephemeral_resource_config), "ephemeral resource" type_name);
    refuse!(open_ephemeral_resource(open_ephemeral_resource), "ephemeral resource" type_name);
    refuse!(renew_ephemeral_resource(renew_ephemeral_resource), "ephemeral resource" type_name);
    refuse!(close_ephemeral_resource(close_ephemeral_resource), "ephemeral resource" type_name);

    refuse!(validate_state_store_config(validate_state_store), "state store" type_name);
    refuse!(configure_state_store(configure_state_store), "state store" type_name);
    refuse!(server_streaming read_state_bytes(read_state_bytes) -> Response, "state store" type_name);
    refuse!(client_streaming write_state_bytes(write_state_bytes) <- RequestChunk, "state store");
    refuse!(lock_state(lock_state), "state store" type_name);
    refuse!(unlock_state(unlock_state), "state store" type_name);
    refuse!(get_states(get_states), "state store" type_name);
    refuse!(delete_state(delete_state), "state store" type_name);

    refuse!(plan_action(plan_action), "action" action_type);
    refuse!(server_streaming invoke_action(invoke_action) -> Event, "action" action_type);
    refuse!(validate_action_config(validate_action_config), "action" type_name);

    type ReadStateBytesStream = ResponseStream<proto::read_state_bytes::Response>;
    type InvokeActionStream = ResponseStream<proto::invoke_action::Event>;
}

/// How many messages of a stream are made before the host has taken them.
const MESSAGES_AHEAD: usize = 16;

/// Hosts may keep the schema: nothing is set up when it is asked for.
const CAPABILITIES: proto::ServerCapabilities = proto::ServerCapabilities {
    plan_destroy: false,
    get_provider_schema_optional: true,
    move_resource_state: false,
    generate_resource_config: true,
};

impl<P: Provider> Service<P> {
    /// Answers with what `call` answers, which waits for nothing, or with a diagnostic if it panics.
    fn answer<Q, A: FromDiagnostics + Messages>(
        &self,
        request: Request<Q>,
        call: impl FnOnce(&Inner<P>, Q) -> A,
    ) -> Response<A> {
        self.answer_or_else(request, FromDiagnostics::from_diagnostic, call)
    }

    /// The same with what `on_panic` makes of the diagnostic.
    fn answer_or_else<Q, A: Messages>(
        &self,
        request: Request<Q>,
        on_panic: impl FnOnce(Diagnostic) -> A,
        call: impl FnOnce(&Inner<P>, Q) -> A,
    ) -> Response<A> {
        let call = || call(&self.inner, request.into_inner());
        let answer = run_guarded(call, || on_panic(crashed(P::API_NAME)));
        Response::new(self.inner.shown(answer))
    }

    /// Answers with what `call` answers, or with a diagnostic if it panics. The call is a task of its own.
    async fn run<Q, A, F>(&self, request: Request<Q>, call: impl FnOnce(Arc<Inner<P>>, Q) -> F) -> RpcResult<A>
    where
        A: FromDiagnostics + Messages + Send + 'static,
        F: Future<Output = A> + Send + 'static,
    {
        let request = request.into_inner();
        self.run_or_else(FromDiagnostics::from_diagnostic, |inner| call(inner, request))
            .await
    }

    /// Makes the answer of a call about an object that panics: the diagnostic, and the object as it was in the request. An
    /// answer without a state would say that the object is gone, and one without private data that there is none.
    fn unchanged_on_panic<Q, A>(
        &self,
        request: Arc<Q>,
        type_name: impl FnOnce(&Q) -> &str,
    ) -> impl FnOnce(Diagnostic) -> A
    where
        for<'a> EncodedState: From<&'a Q>,
        A: From<Outcome<EncodedState>>,
    {
        let inner = Arc::clone(&self.inner);
        move |problem| {
            let prior = EncodedState::from(&*request);
            Outcome::new(inner.unchanged(type_name(&request), prior), problem).into()
        }
    }

    /// Answers with what `call` answers, or with what `on_panic` makes of a diagnostic if it panics.
    async fn run_or_else<A, F>(
        &self,
        on_panic: impl FnOnce(Diagnostic) -> A,
        call: impl FnOnce(Arc<Inner<P>>) -> F,
    ) -> RpcResult<A>
    where
        A: Messages + Send + 'static,
        F: Future<Output = A> + Send + 'static,
    {
        let call = call(Arc::clone(&self.inner));
        let response = run_isolated(call, || on_panic(crashed(P::API_NAME))).await;
        Ok(Response::new(self.inner.shown(response)))
    }

    /// Answers with the messages that `call` sends, and with a diagnostic after them if it panics. A host that wants no
    /// more of them ends the call.
    fn run_streaming<Q, M, F>(
        &self,
        request: Request<Q>,
        call: impl FnOnce(Arc<Inner<P>>, Q, mpsc::Sender<M>) -> F,
    ) -> Response<ResponseStream<M>>
    where
        M: FromDiagnostics + Messages + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let (messages, mut sent) = mpsc::channel(MESSAGES_AHEAD);
        let call = call(Arc::clone(&self.inner), request.into_inner(), messages.clone());
        let unwanted = messages.clone();
        let call = async move {
            tokio::select! {
                biased;
                () = unwanted.closed() => tracing::debug!("the host wants no more of what it asked for"),
                () = call => {}
            }
            None
        };
        tokio::spawn(async move {
            if let Some(problem) = run_isolated(call, || Some(crashed(P::API_NAME))).await {
                let _ = messages.send(FromDiagnostics::from_diagnostic(problem)).await;
            }
        });
        let inner = Arc::clone(&self.inner);
        let answered = stream::poll_fn(move |context| {
            let message = sent.poll_recv(context);
            message.map(|message| message.map(|message| Ok(inner.shown(message))))
        });
        Response::new(Box::pin(answered))
    }
}

fn crashed(api_name: &str) -> Diagnostic {
    Diagnostic::error(
        summaries::CRASHED,
        format!(
            "The provider panicked in this call and went on with the others. This is a bug; please report it with the panic \
             message, which Terraform shows or logs. If something was being created, look for it at {api_name} before you \
             apply again."
        ),
    )
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use tokio::sync::oneshot;

    use super::super::tests::House;
    use super::*;

    type Event = proto::list_resource::Event;

    fn named(name: &str) -> Event {
        Event {
            display_name: name.to_owned(),
            ..Event::default()
        }
    }

    #[tokio::test]
    async fn a_host_that_wants_no_more_ends_the_call() {
        let (ended, sees_end) = oneshot::channel::<()>();
        let service = Service::new(House);
        let answered = service.run_streaming(Request::new(()), |_, (), messages| async move {
            messages.send(named("one")).await.unwrap();
            std::future::pending::<()>().await;
            drop(ended);
        });
        let mut answered = answered.into_inner();
        assert_eq!(answered.next().await.unwrap().unwrap(), named("one"));
        drop(answered);
        // The sender went with the call.
        assert!(sees_end.await.is_err());
    }

    #[tokio::test]
    async fn a_panic_is_answered_after_what_was_sent() {
        let service = Service::new(House);
        let answered = service.run_streaming(Request::new(()), |_, (), messages| async move {
            messages.send(named("one")).await.unwrap();
            panic!("on purpose");
        });
        let events: Vec<Event> = answered.into_inner().map(|event| event.unwrap()).collect().await;
        assert_eq!(events[0], named("one"));
        assert_eq!(events[1].diagnostic[0].summary, "The provider crashed");
        assert_eq!(events.len(), 2);
    }
}
