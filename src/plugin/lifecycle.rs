//! When the process ends, and what must not end it.

use std::io;

use tokio_util::sync::CancellationToken;

use super::Error;

/// How often to look whether the host is still there. The kernel's own notice (a signal at the
/// parent's death) is tied to the *thread* that forked us, and the host's threads come and go.
#[cfg(unix)]
const PARENT_CHECK: std::time::Duration = std::time::Duration::from_millis(500);

/// How the process ends: one token for each way.
pub(super) struct Lifecycle {
    /// Cancelled by the controller service when the host calls Shutdown.
    pub(super) shutdown: CancellationToken,
    /// Cancelled when the process is to end at once.
    pub(super) ended: CancellationToken,
    /// Cancelled when the process is to end once the calls under way are answered.
    pub(super) terminated: CancellationToken,
}

impl Lifecycle {
    /// Of a process that a host started: ends on Shutdown and with its parent at once, and after SIGTERM once the calls
    /// under way are answered. It ignores interrupts: Ctrl-C reaches the whole process group, but what it
    /// means is for the host to say, and dying of it would lose whatever call is in flight.
    ///
    /// Needs a runtime's context.
    pub(super) fn for_host() -> Result<Self, Error> {
        let (ended, terminated) = (CancellationToken::new(), CancellationToken::new());
        ignore_interrupts().map_err(Error::Start)?;
        on_termination(terminated.clone()).map_err(Error::Start)?;
        #[cfg(unix)]
        tokio::spawn(end_with_parent(std::os::unix::process::parent_id(), ended.clone()));
        Ok(Self {
            shutdown: ended.clone(),
            ended,
            terminated,
        })
    }

    /// Of a process that serves for a debugger: ends on Ctrl-C at once, and after SIGTERM once the calls under way are
    /// answered. Hosts attach and detach; that one of them shuts down ends nothing here.
    ///
    /// Needs a runtime's context.
    pub(super) fn for_debugger() -> Result<Self, Error> {
        let (ended, terminated) = (CancellationToken::new(), CancellationToken::new());
        on_interrupt(ended.clone()).map_err(Error::Start)?;
        on_termination(terminated.clone()).map_err(Error::Start)?;
        Ok(Self {
            shutdown: CancellationToken::new(),
            ended,
            terminated,
        })
    }
}

/// `parent` is who it was before the handshake: looked up any later, it could be who took over a host
/// that died meanwhile. A host that died before that is noticed by the handshake, which nobody reads.
#[cfg(unix)]
async fn end_with_parent(parent: u32, ended: CancellationToken) {
    use std::os::unix::process::parent_id;

    // Compared with what it was and not with 1: in a container the host may well be process 1.
    let mut ticks = tokio::time::interval(PARENT_CHECK);
    while parent_id() == parent {
        ticks.tick().await;
    }
    tracing::info!("the host is gone: ending");
    ended.cancel();
}

#[cfg(unix)]
fn ignore_interrupts() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    // Once a handler was registered the default action never comes back, even when nobody listens.
    signal(SignalKind::interrupt()).map(drop)
}

#[cfg(unix)]
fn on_interrupt(ended: CancellationToken) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupts = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        interrupts.recv().await;
        ended.cancel();
    });
    Ok(())
}

#[cfg(unix)]
fn on_termination(terminated: CancellationToken) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminations = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        terminations.recv().await;
        terminate(&terminated);
    });
    Ok(())
}

fn terminate(terminated: &CancellationToken) {
    tracing::info!("told to terminate: stopping, and ending once the calls under way are answered");
    terminated.cancel();
}

#[cfg(windows)]
fn ignore_interrupts() -> io::Result<()> {
    tokio::signal::windows::ctrl_c().map(drop)
}

#[cfg(windows)]
fn on_interrupt(ended: CancellationToken) -> io::Result<()> {
    let mut interrupts = tokio::signal::windows::ctrl_c()?;
    tokio::spawn(async move {
        interrupts.recv().await;
        ended.cancel();
    });
    Ok(())
}

#[cfg(windows)]
fn on_termination(terminated: CancellationToken) -> io::Result<()> {
    let mut closings = tokio::signal::windows::ctrl_close()?;
    tokio::spawn(async move {
        closings.recv().await;
        terminate(&terminated);
    });
    Ok(())
}
