//! How long the host waits for us: from spawning the release binary to its handshake line, strict
//! mutual TLS on.
//!
//! `make bench` names the binary that `scripts/build` makes in `PROVIDER_BINARY`; without that variable, it is the one
//! that Cargo built with this program. Fails if the median misses the promise.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

#[allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "shared with the tests, which use all of it"
)]
#[path = "../tests/it/support/certificates.rs"]
mod certificates;

/// Runs that count, after [`WARM_UPS`] that bring the binary into the page cache.
const RUNS: usize = 20;
const WARM_UPS: usize = 3;

/// What the median is held to.
const PROMISE: Duration = Duration::from_millis(5);

fn main() -> ExitCode {
    let binary = std::env::var_os("PROVIDER_BINARY").unwrap_or(env!("CARGO_BIN_EXE_terraform-provider-heygen").into());
    let certificate = certificates::ClientIdentity::generate().pem();
    let mut times: Vec<Duration> = (0..WARM_UPS + RUNS)
        .map(|_| spawn_to_handshake(&binary, &certificate))
        .skip(WARM_UPS)
        .collect();
    times.sort();
    let median = (times[RUNS / 2 - 1] + times[RUNS / 2]) / 2;
    let report = format!(
        "{}: spawn to handshake line, {RUNS} runs: median {median:.2?}, min {:.2?}, max {:.2?}\n",
        binary.display(),
        times[0],
        times[RUNS - 1],
    );
    std::io::stdout().write_all(report.as_bytes()).expect("stdout is open");
    if median < PROMISE {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn spawn_to_handshake(binary: &OsStr, certificate: &str) -> Duration {
    let mut command = Command::new(binary);
    command
        .env_clear()
        .env(
            "TF_PLUGIN_MAGIC_COOKIE",
            "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
        )
        .env("PLUGIN_PROTOCOL_VERSIONS", "5,6")
        .env("PLUGIN_CLIENT_CERT", certificate)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    let mut line = String::new();
    let started = Instant::now();
    let mut child = command.spawn().expect("the binary is there");
    let stdout = child.stdout.take().expect("stdout is piped");
    BufReader::new(stdout).read_line(&mut line).expect("a handshake");
    let took = started.elapsed();
    assert!(line.starts_with("1|6|unix|"), "no handshake: {line}");
    assert!(line.len() > 400, "no certificate: {line}");
    end(&mut child);
    took
}

/// As the host would not, but gently: the socket's directory is removed.
fn end(child: &mut std::process::Child) {
    let asked = Command::new("kill").arg(child.id().to_string()).status();
    assert!(asked.expect("kill is there").success());
    child.wait().expect("it ends");
}
