//! Reports panics in the form in which the host shows them to its user.

use std::backtrace::Backtrace;
use std::fmt;
use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::thread;

/// Makes every later panic be reported on stderr in the form that hosts look for. They keep what follows a line that
/// begins with `panic: `, as a Go program writes it, and show it when the run has failed. They do not recognise Rust's
/// own report.
pub fn report_panics() {
    report_panics_to(|report| {
        // In one write, so that no log line of another thread gets in between.
        let _ = io::stderr().lock().write_all(report.as_bytes());
    });
}

fn report_panics_to(write: impl Fn(&str) + Send + Sync + 'static) {
    panic::set_hook(Box::new(move |info| {
        let report = PanicReport {
            message: message(info),
            location: info.location().map(ToString::to_string),
            thread: thread::current().name().map(str::to_owned),
            backtrace: Backtrace::force_capture().to_string(),
        };
        write(&report.to_string());
    }));
}

fn message(info: &PanicHookInfo<'_>) -> String {
    // Only a text is shown. A payload of another type was not meant to be read, and may hold anything.
    info.payload_as_str().unwrap_or("(no message)").to_owned()
}

struct PanicReport {
    message: String,
    location: Option<String>,
    thread: Option<String>,
    backtrace: String,
}

impl fmt::Display for PanicReport {
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use super::*;

    /// What is reported of a thread that does `what`.
    fn reported(what: impl FnOnce() + Send + 'static) -> String {
        // There is one hook for all tests of the process.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);

        let reports = Arc::new(Mutex::new(String::new()));
        let collected = Arc::clone(&reports);
        report_panics_to(move |report| collected.lock().unwrap().push_str(report));
        let named = thread::Builder::new().name("a worker".to_owned());
        let panicked = named.spawn(what).unwrap().join();
        drop(panic::take_hook());
        assert!(panicked.is_err());
        reports.lock().unwrap().clone()
    }

    #[test]
    fn a_panic_begins_a_line_with_panic_and_says_where_it_happened() {
        let number = 7;
        let report = reported(move || panic!("no such thing: {number}"));
        let mut lines = report.lines();
        assert_eq!(lines.next(), Some("panic: no such thing: 7"));
        assert_eq!(lines.next(), Some(""));
        let place = lines.next().unwrap();
        assert!(
            place.starts_with("thread 'a worker' at src/plugin/panics.rs:"),
            "{place}"
        );
        assert!(lines.next().is_some(), "a backtrace follows");
        assert!(report.ends_with('\n'));
    }

    #[test]
    fn a_payload_that_is_no_message_is_not_shown() {
        #[derive(Debug)]
        struct Secret(#[expect(dead_code, reason = "shown by Debug, which must not happen")] &'static str);

        let report = reported(|| panic::panic_any(Secret("hunter2")));
        assert!(report.starts_with("panic: (no message)\n"), "{report}");
        assert!(!report.contains("hunter2"));
    }
}
