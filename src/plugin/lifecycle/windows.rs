//! Console events, sorted into interrupts and terminations as Go does it, in which the hosts are written.
//!
//! As long as somebody listens to an event, tokio keeps the system from acting on it. After a closing console, a logoff
//! or a shutdown the system waits for some seconds, and then ends the process whatever it does.

use std::io;

use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlLogoff, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown,
};
use tokio_util::sync::CancellationToken;

/// Ctrl-C and Ctrl-Break.
pub(super) struct Interrupts {
    ctrl_c: CtrlC,
    ctrl_break: CtrlBreak,
}

/// A closing console, a logoff, a shutdown.
pub(super) struct Terminations {
    close: CtrlClose,
    logoff: CtrlLogoff,
    shutdown: CtrlShutdown,
}

pub(super) fn interrupts() -> io::Result<Interrupts> {
    Ok(Interrupts {
        ctrl_c: ctrl_c()?,
        ctrl_break: ctrl_break()?,
    })
}

pub(super) fn terminations() -> io::Result<Terminations> {
    Ok(Terminations {
        close: ctrl_close()?,
        logoff: ctrl_logoff()?,
        shutdown: ctrl_shutdown()?,
    })
}

impl Interrupts {
    /// The next one.
    pub(super) async fn recv(&mut self) -> Option<()> {
        tokio::select! {
            event = self.ctrl_c.recv() => event,
            event = self.ctrl_break.recv() => event,
        }
    }
}

impl Terminations {
    /// The next one.
    pub(super) async fn recv(&mut self) -> Option<()> {
        tokio::select! {
            event = self.close.recv() => event,
            event = self.logoff.recv() => event,
            event = self.shutdown.recv() => event,
        }
    }
}

/// Does nothing. On Windows the parent that a process knows does not change when that parent ends, and waiting for its
/// end takes unsafe code. So a host that is killed leaves the plugin behind there.
pub(super) fn on_end_of_parent(_end_at_once: CancellationToken) {}
