//! Responses as what carries messages to the user: those that carry nothing else are made here.

use std::pin::Pin;

use futures_util::{Stream, stream};
use tonic::Status;

use crate::terraform::{Diagnostic, proto};

/// The response of an RPC that streams.
pub(super) type ResponseStream<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// A response, or a message of a streamed one, that can carry diagnostics and nothing else.
pub(super) trait FromDiagnostics {
    fn from_diagnostics(diagnostics: Vec<proto::Diagnostic>) -> Self;

    fn from_diagnostic(diagnostic: Diagnostic) -> Self
    where
        Self: Sized,
    {
        Self::from_diagnostics(vec![diagnostic.into()])
    }
}

/// A response, or a message of a streamed one, that can carry messages to the user.
pub(super) trait Messages {
    /// Their texts, but for the summaries, which are the same in all cases.
    fn messages(&mut self) -> impl Iterator<Item = &mut String>;
}

macro_rules! from_diagnostics {
    ($($message:ident),* $(,)?) => {
        $(impl FromDiagnostics for proto::$message::Response {
            fn from_diagnostics(diagnostics: Vec<proto::Diagnostic>) -> Self {
                let mut response = Self::default();
                response.diagnostics = diagnostics;
                response
            }
        }

        impl Messages for proto::$message::Response {
            fn messages(&mut self) -> impl Iterator<Item = &mut String> {
                details(&mut self.diagnostics)
            }
        })*
    };
}

from_diagnostics!(
    apply_resource_change,
    close_ephemeral_resource,
    configure_provider,
    configure_state_store,
    delete_state,
    generate_resource_config,
    get_functions,
    get_metadata,
    get_provider_schema,
    get_resource_identity_schemas,
    get_states,
    import_resource_state,
    lock_state,
    move_resource_state,
    open_ephemeral_resource,
    plan_action,
    plan_resource_change,
    read_data_source,
    read_resource,
    read_state_bytes,
    renew_ephemeral_resource,
    unlock_state,
    upgrade_resource_identity,
    upgrade_resource_state,
    validate_action_config,
    validate_data_resource_config,
    validate_ephemeral_resource_config,
    validate_list_resource_config,
    validate_provider_config,
    validate_resource_config,
    validate_state_store,
    write_state_bytes,
);

impl FromDiagnostics for proto::list_resource::Event {
    fn from_diagnostics(diagnostics: Vec<proto::Diagnostic>) -> Self {
        Self {
            diagnostic: diagnostics,
            ..Default::default()
        }
    }
}

impl Messages for proto::list_resource::Event {
    fn messages(&mut self) -> impl Iterator<Item = &mut String> {
        details(&mut self.diagnostic)
    }
}

impl Messages for proto::call_function::Response {
    fn messages(&mut self) -> impl Iterator<Item = &mut String> {
        self.error.iter_mut().map(|error| &mut error.text)
    }
}

fn details(diagnostics: &mut [proto::Diagnostic]) -> impl Iterator<Item = &mut String> {
    diagnostics.iter_mut().map(|diagnostic| &mut diagnostic.detail)
}

impl FromDiagnostics for proto::invoke_action::Event {
    fn from_diagnostics(diagnostics: Vec<proto::Diagnostic>) -> Self {
        use proto::invoke_action::event::{Completed, Type};
        Self {
            r#type: Some(Type::Completed(Completed { diagnostics })),
        }
    }
}

/// A stream of one message.
impl<T: FromDiagnostics + Send + 'static> FromDiagnostics for ResponseStream<T> {
    fn from_diagnostics(diagnostics: Vec<proto::Diagnostic>) -> Self {
        Box::pin(stream::iter([Ok(T::from_diagnostics(diagnostics))]))
    }
}
