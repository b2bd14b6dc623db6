//! Runs each call in a task of its own, so that a panic in one call ends no other.

use std::future::Future;
use std::panic::AssertUnwindSafe;

/// Runs `call` in a task of its own; if it panics, the response is that of `on_panic`.
///
/// Calls share one connection. A panic in the connection's task would end every other call with it, perhaps a creation
/// whose response is just coming in. And when the host goes away its calls are dropped, which must not interrupt a
/// change half-way.
pub(super) async fn run_isolated<T: Send + 'static>(
    call: impl Future<Output = T> + Send + 'static,
    on_panic: impl FnOnce() -> T,
) -> T {
    tokio::spawn(call).await.unwrap_or_else(|_| on_panic())
}

/// Runs a call that waits for nothing; if it panics, the response is that of `on_panic`. It needs no task of its own: nothing
/// can interrupt it half-way.
pub(super) fn run_guarded<T>(call: impl FnOnce() -> T, on_panic: impl FnOnce() -> T) -> T {
    // What the call was changing when it panicked is dropped with it, but for what is behind locks, and each of those is
    // taken also after a panic.
    std::panic::catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| on_panic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_in_one_call_is_answered() {
        let call = async { panic!("on purpose") };
        assert_eq!(run_isolated(call, || "it crashed").await, "it crashed");
    }

    #[test]
    fn a_panic_in_a_call_that_waits_for_nothing_is_answered() {
        assert_eq!(run_guarded(|| panic!("on purpose"), || "it crashed"), "it crashed");
        assert_eq!(run_guarded(|| "it went well", || "it crashed"), "it went well");
    }

    #[tokio::test]
    async fn a_call_goes_on_when_the_host_has_gone_away() {
        let (done, finished) = tokio::sync::oneshot::channel();
        let (go, started) = tokio::sync::oneshot::channel();
        let call = async move {
            started.await.unwrap();
            done.send(()).unwrap();
        };
        let mut response = Box::pin(run_isolated(call, || ()));
        assert!(futures_util::poll!(response.as_mut()).is_pending());
        drop(response);
        go.send(()).unwrap();
        finished.await.unwrap();
    }
}
