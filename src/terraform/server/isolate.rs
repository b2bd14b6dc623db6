//! Runs each call in a task of its own, so that a panic in one call ends no other.

use std::future::Future;

use tonic::{Response, Status};

use crate::terraform::{Diagnostic, proto};

/// Runs `call` in a task of its own; if it panics, the response is what `on_panic` makes of a diagnostic about that.
///
/// Calls share one connection: a panic inside the connection's task would take every other call with it, a creation
/// whose answer is just coming in among them. And a host that goes away drops the call, which must not drop a change
/// half-way.
pub(super) async fn run_isolated<T: Send + 'static>(
    call: impl Future<Output = T> + Send + 'static,
    on_panic: impl FnOnce(Diagnostic) -> T,
) -> Result<Response<T>, Status> {
    let answer = tokio::spawn(call).await.unwrap_or_else(|_| {
        on_panic(Diagnostic::error(
            "The provider crashed",
            "The provider panicked in this call and went on with the others. This is a bug; please report it with \
             the panic message, which Terraform shows or logs. If something was being created, look for it at HeyGen \
             before you apply again.",
        ))
    });
    Ok(Response::new(answer))
}

/// A response that can carry diagnostics and nothing else.
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
                let mut answer = Self::default();
                answer.diagnostics = diagnostics;
                answer
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_in_one_call_is_answered_as_a_diagnostic() {
        let call = async { panic!("on purpose") };
        let answer: proto::read_resource::Response = run_isolated(call, FromDiagnostics::from_diagnostic)
            .await
            .unwrap()
            .into_inner();
        assert_eq!(answer.diagnostics[0].summary, "The provider crashed");
    }

    #[tokio::test]
    async fn a_call_goes_on_when_the_host_has_gone_away() {
        let (done, finished) = tokio::sync::oneshot::channel();
        let (go, started) = tokio::sync::oneshot::channel();
        let call = async move {
            started.await.unwrap();
            done.send(()).unwrap();
            proto::read_resource::Response::default()
        };
        let mut answer = Box::pin(run_isolated(call, FromDiagnostics::from_diagnostic));
        assert!(futures_util::poll!(answer.as_mut()).is_pending());
        drop(answer);
        go.send(()).unwrap();
        finished.await.unwrap();
    }
}
