//! Signals, and the end of the parent process.

use std::io;
use std::os::unix::process::parent_id;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How often to look whether the host is still there. The kernel's own notice (a signal at the
/// parent's death) is tied to the *thread* that forked us, and the host's threads come and go.
const PARENT_CHECK: Duration = Duration::from_millis(500);

/// SIGINT, which Ctrl-C sends.
pub(super) fn interrupts() -> io::Result<Signal> {
    signal(SignalKind::interrupt())
}

/// SIGTERM.
pub(super) fn terminations() -> io::Result<Signal> {
    signal(SignalKind::terminate())
}

/// Cancels `ended` when the parent process is gone.
///
/// To be called before the handshake: looked up any later, the parent could be who took over a host that
/// died meanwhile. A host that died before that is noticed by the handshake, which nobody reads.
pub(super) fn on_end_of_parent(ended: CancellationToken) {
    let parent = parent_id();
    tokio::spawn(async move {
        // Compared with what it was and not with 1: in a container the host may well be process 1.
        let mut ticks = tokio::time::interval(PARENT_CHECK);
        while parent_id() == parent {
            ticks.tick().await;
        }
        tracing::info!("the host is gone: ending");
        ended.cancel();
    });
}
