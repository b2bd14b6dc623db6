//! Panics, told so that the host shows them to its user.

use std::backtrace::Backtrace;
use std::fmt;
use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::thread;

/// From now on a panic is reported on stderr in the form hosts look for: they keep what follows a line
/// that begins with `panic: `, as Go's do, and show it when the run has failed. Rust's own report
/// would pass unnoticed.
pub fn report_panics() {
    panic::set_hook(Box::new(|info| {
        let report = Report {
            message: message(info),
            location: info.location().map(ToString::to_string),
            thread: thread::current().name().map(str::to_owned),
            backtrace: Backtrace::force_capture().to_string(),
        };
        // In one write, that no log line of another thread gets in between.
        let _ = io::stderr().lock().write_all(report.to_string().as_bytes());
    }));
}

fn message(info: &PanicHookInfo<'_>) -> String {
    // Only what was said. A payload of another type was thrown by a program to itself, and may hold
    // anything.
    info.payload_as_str().unwrap_or("(no message)").to_owned()
}

struct Report {
    message: String,
    location: Option<String>,
    thread: Option<String>,
    backtrace: String,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "panic: {}", self.message)?;
        writeln!(f)?;
        writeln!(
            f,
            "thread '{}' at {}:",
            self.thread.as_deref().unwrap_or("unnamed"),
            self.location.as_deref().unwrap_or("an unknown place"),
        )?;
        writeln!(f, "{}", self.backtrace.trim_end())
    }
}
