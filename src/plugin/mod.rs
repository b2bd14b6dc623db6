//! The host's contract: how a plugin process is started, found, spoken to and ended.
//!
//! The host starts this binary with a cookie in the environment, reads one handshake line from our
//! stdout, and connects to the address it names. From there on everything is gRPC, over mutual TLS
//! pinned on both sides. This room knows that contract and nothing of what is served: the cookie, the
//! protocol versions and the services are handed in.
//!
//! [`serve`] runs the whole life of the process, and guarantees:
//! * stdout carries the handshake line and nothing else;
//! * if the host gives a client certificate, nobody without its private key is served;
//! * an interrupt does nothing, because the host gets it too and decides what follows;
//! * SIGTERM stops the calls under way, and ends the process once the host has every answer;
//! * Shutdown and the host's death end the process at once;
//! * no end leaves a socket behind.

mod error;
mod handshake;
mod lifecycle;
mod listener;
mod logs;
mod panics;
pub mod proto;
mod reattach;
mod server;
mod services;
mod tls;

use std::io::{self, Write};

pub use error::Error;
pub use handshake::Cookie;
pub use listener::Network;
pub use logs::Logs;
pub use panics::report_panics;
pub use reattach::Debugger;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use self::handshake::HostRequest;
use self::lifecycle::Lifecycle;
use self::listener::Listener;

/// What is served, and what the host is expected to bring.
pub struct Plugin<S> {
    /// Tells a host, which sets it, from a person who starts the program in a shell.
    pub cookie: Cookie,
    /// The protocol versions spoken, in any order; at least one.
    pub protocol_versions: &'static [u32],
    /// Where the log's threshold comes from.
    pub logs: Logs,
    /// Builds the services. Called once, after the handshake, so that the host does not wait for it. The token it is
    /// given is cancelled when the process is told to terminate: calls under way should then end soon, and later ones
    /// should begin nothing. The process ends once they are answered.
    pub services: S,
}

/// How this process was asked to run.
pub struct Options {
    /// The kind of socket to listen on.
    pub network: Network,
    /// Serve for a debugger: no cookie, no TLS, many clients, until interrupted.
    pub debugger: Option<Debugger>,
}

/// Serves `plugin` until the host is done with it.
///
/// Returns once the process should end: after Shutdown, SIGTERM or the host's death, and after an
/// interrupt when serving for a debugger.
pub fn serve<S>(plugin: Plugin<S>, options: Options) -> Result<(), Error>
where
    S: FnOnce(CancellationToken) -> Routes,
{
    match options.debugger {
        None => serve_host(plugin, options.network),
        Some(debugger) => serve_debugger(plugin, options.network, &debugger),
    }
}

fn serve_host<S>(plugin: Plugin<S>, network: Network) -> Result<(), Error>
where
    S: FnOnce(CancellationToken) -> Routes,
{
    let variable = |name: &str| std::env::var_os(name);
    let request = HostRequest::read(&plugin.cookie, variable)?;
    let version = request.negotiated_version(plugin.protocol_versions)?;
    let identity = request
        .client_certificate
        .as_deref()
        .map(tls::Identity::pinned_to)
        .transpose()?;
    let runtime = server::runtime()?;
    let _context = runtime.enter();
    let lifecycle = Lifecycle::for_host()?;
    let listener = Listener::bind(network, request.ports, &request.socket)?;
    // The host connects as soon as it has read the line, and only once, so the socket has to listen by now.
    let line = handshake::HandshakeLine {
        version,
        address: listener.address(),
        certificate: identity.as_ref().map(tls::Identity::certificate),
        multiplexing_requested: request.multiplexing_requested,
    };
    write_to_stdout(&format!("{line}\n"))?;

    logs::install(&plugin.logs, logs::DefaultThreshold::Off);
    server::run(runtime.handle(), listener, identity, lifecycle, plugin.services)?;
    // Calls that still run are dropped: the host waits for no more answers.
    runtime.shutdown_background();
    Ok(())
}

fn serve_debugger<S>(plugin: Plugin<S>, network: Network, debugger: &Debugger) -> Result<(), Error>
where
    S: FnOnce(CancellationToken) -> Routes,
{
    let version = handshake::highest_version(plugin.protocol_versions)?;
    let runtime = server::runtime()?;
    let _context = runtime.enter();
    let lifecycle = Lifecycle::for_debugger()?;
    let listener = Listener::bind(network, None, &listener::SocketOptions::default())?;
    write_to_stdout(&format!("{}\n", debugger.reattach_line(version, listener.address())))?;

    logs::install(&plugin.logs, logs::DefaultThreshold::Trace);
    let served = server::run(runtime.handle(), listener, None, lifecycle, plugin.services);
    runtime.shutdown_background();
    served
}

/// Writes to stdout in one piece: the one place of the crate that does.
fn write_to_stdout(line: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(line.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(Error::Handshake)
}
