//! What ends the process, and what does not.

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
    pub(super) end_at_once: CancellationToken,
    /// Cancelled when the process is to end once the calls under way are answered.
    pub(super) terminated: CancellationToken,
}

impl Lifecycle {
    /// The lifecycle of a process that a host has started. It ends at once on Shutdown and when its parent ends, and
    /// after SIGTERM once the calls under way are answered. It ignores interrupts: Ctrl-C reaches the whole process
    /// group, and the host, which gets it too, decides what the plugin is to do. Ending by itself would lose the
    /// answers under way.
    ///
    /// Needs a runtime's context.
    pub(super) fn for_host() -> Result<Self, Error> {
        let (end_at_once, terminated) = (CancellationToken::new(), CancellationToken::new());
        ignore_interrupts()?;
        on_termination(terminated.clone())?;
        system::on_end_of_parent(end_at_once.clone());
        Ok(Self {
            shutdown: end_at_once.clone(),
            end_at_once,
            terminated,
        })
    }

    /// The lifecycle of a process that serves for a debugger. It ends at once on Ctrl-C, and after SIGTERM once the
    /// calls under way are answered. It goes on after Shutdown, because hosts attach and detach.
    ///
    /// Needs a runtime's context.
    pub(super) fn for_debugger() -> Result<Self, Error> {
        let (end_at_once, terminated) = (CancellationToken::new(), CancellationToken::new());
        on_interrupt(end_at_once.clone())?;
        on_termination(terminated.clone())?;
        Ok(Self {
            shutdown: CancellationToken::new(),
            end_at_once,
            terminated,
        })
    }
}

/// Listens to interrupts for as long as the process lives. On Windows it is not enough to have listened once: the
/// system ends a process that gets an interrupt while nobody listens.
fn ignore_interrupts() -> Result<(), Error> {
    let mut interrupts = system::interrupts().map_err(Error::Start)?;
    tokio::spawn(async move { while interrupts.recv().await.is_some() {} });
    Ok(())
}

fn on_interrupt(end_at_once: CancellationToken) -> Result<(), Error> {
    let mut interrupts = system::interrupts().map_err(Error::Start)?;
    tokio::spawn(async move {
        interrupts.recv().await;
        end_at_once.cancel();
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
