//! When the process ends, and what must not end it.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use tokio_util::sync::CancellationToken;

#[cfg(unix)]
use self::unix as system;
#[cfg(windows)]
use self::windows as system;
use super::Error;

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
        ignore_interrupts()?;
        on_termination(terminated.clone())?;
        system::on_end_of_parent(ended.clone());
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
        on_interrupt(ended.clone())?;
        on_termination(terminated.clone())?;
        Ok(Self {
            shutdown: CancellationToken::new(),
            ended,
            terminated,
        })
    }
}

/// Listens to interrupts as long as the process lives. On Windows the system ends a process that hears of one and has
/// nobody listening, even if somebody listened before.
fn ignore_interrupts() -> Result<(), Error> {
    let mut interrupts = system::interrupts().map_err(Error::Start)?;
    tokio::spawn(async move { while interrupts.recv().await.is_some() {} });
    Ok(())
}

fn on_interrupt(ended: CancellationToken) -> Result<(), Error> {
    let mut interrupts = system::interrupts().map_err(Error::Start)?;
    tokio::spawn(async move {
        interrupts.recv().await;
        ended.cancel();
    });
    Ok(())
}

fn on_termination(terminated: CancellationToken) -> Result<(), Error> {
    let mut terminations = system::terminations().map_err(Error::Start)?;
    tokio::spawn(async move {
        terminations.recv().await;
        tracing::info!("told to terminate: stopping, and ending once the calls under way are answered");
        terminated.cancel();
    });
    Ok(())
}
