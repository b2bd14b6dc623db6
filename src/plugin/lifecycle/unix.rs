//! Signals, and the end of the parent process.

use std::io;
use std::os::unix::process::parent_id;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How often to check whether the host is still there. The signal that the kernel can send when a parent dies does not
/// serve: it comes when the *thread* that started this process ends, and the host's threads come and go.
const PARENT_CHECK: Duration = Duration::from_millis(500);

/// SIGINT, which Ctrl-C sends.
pub(super) fn interrupts() -> io::Result<Signal> {
    signal(SignalKind::interrupt())
}

/// SIGTERM.
pub(super) fn terminations() -> io::Result<Signal> {
    signal(SignalKind::terminate())
}

/// Cancels `end_at_once` when the parent process is gone.
///
/// Call it before the handshake. After a host has died, this process has another parent, and a later call would take
/// that one for the host. A host that has died before the call is noticed when nobody reads the handshake.
pub(super) fn on_end_of_parent(end_at_once: CancellationToken) {
    let parent = parent_id();
    tokio::spawn(async move {
        // Not compared with 1, the usual parent of orphans: in a container the host may be process 1.
        let mut ticks = tokio::time::interval(PARENT_CHECK);
        while parent_id() == parent {
            ticks.tick().await;
        }
        tracing::info!("the host is gone: ending");
        end_at_once.cancel();
    });
}
