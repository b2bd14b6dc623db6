//! Makes responses that carry diagnostics and nothing else.

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

macro_rules! from_diagnostics {
    ($($message:ident),* $(,)?) => {
        $(impl FromDiagnostics for proto::$message::Response {
            fn from_diagnostics(diagnostics: Vec<proto::Diagnostic>) -> Self {
                let mut response = Self::default();
                response.diagnostics = diagnostics;
                response
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
