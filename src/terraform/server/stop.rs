//! Cancels the calls under way on `StopProvider` and at the end of the process.

use std::sync::{Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

/// Gives each call the token that `StopProvider` cancels. Calls that come after that get a new token, because under a
/// debugger one process serves many operations. Once the process is told to terminate, every token is cancelled.
pub(super) struct StopSwitch {
    terminated: CancellationToken,
    current: Mutex<CancellationToken>,
}

impl StopSwitch {
    pub(super) fn new(terminated: CancellationToken) -> Self {
        let current = Mutex::new(terminated.child_token());
        Self { terminated, current }
    }

    /// The token for an operation that starts now.
    pub(super) fn token(&self) -> CancellationToken {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn stop(&self) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, self.terminated.child_token()).cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_ends_what_runs_and_not_what_comes_after() {
        let switch = StopSwitch::new(CancellationToken::new());
        let running = switch.token();
        switch.stop();
        assert!(running.is_cancelled());
        assert!(!switch.token().is_cancelled());
    }

    #[test]
    fn termination_ends_what_runs_and_what_comes_after() {
        let terminated = CancellationToken::new();
        let switch = StopSwitch::new(terminated.clone());
        switch.stop();
        let running = switch.token();
        terminated.cancel();
        assert!(running.is_cancelled());
        assert!(switch.token().is_cancelled());
        switch.stop();
        assert!(switch.token().is_cancelled());
    }
}
