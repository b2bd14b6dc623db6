//! Why a plugin process could not start, or had to end.

use std::io;
use std::path::PathBuf;

/// Why the process ends with a failure. Every message is meant for a person reading stderr.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No host started us: the cookie is missing or wrong.
    #[error(
        "this program is a plugin: its host starts it and speaks to it over gRPC, \
         and run by hand it has nothing to do"
    )]
    NoHost,
    /// The plugin speaks no protocol version at all.
    #[error("the plugin offers no protocol version")]
    NoVersion,
    /// `PLUGIN_MIN_PORT` and `PLUGIN_MAX_PORT` are not a range of ports.
    #[error("PLUGIN_MIN_PORT and PLUGIN_MAX_PORT hold no range of ports: {0}")]
    Ports(String),
    /// The host asked for mutual TLS in a way we cannot honour. There is no fall-back to plaintext.
    #[error("PLUGIN_CLIENT_CERT holds no usable certificate: {0}")]
    ClientCertificate(String),
    /// Our own side of mutual TLS could not be set up.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
    /// The group that should own the socket does not exist or may not be given.
    #[error("cannot give the socket to the group `{group}` of PLUGIN_UNIX_SOCKET_GROUP: {reason}")]
    SocketGroup {
        /// The group as it was named.
        group: String,
        /// Why not.
        reason: String,
    },
    /// No Unix socket could be made in a directory.
    #[error("cannot listen on a Unix socket in {}: {source}", .directory.display())]
    UnixSocket {
        /// The directory tried last.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There are no Unix sockets here.
    #[error("this system has no Unix sockets; serve on `tcp`")]
    NoUnixSockets,
    /// No port of the range could be listened on.
    #[error("cannot listen on 127.0.0.1 in ports {min} to {max}: {source}")]
    TcpPort {
        /// The lowest port tried.
        min: u16,
        /// The highest port tried.
        max: u16,
        /// What the system said of the last one.
        source: io::Error,
    },
    /// The handshake line did not reach the host.
    #[error("cannot write the handshake to stdout: {0}")]
    Handshake(io::Error),
    /// The process could not be set up to serve.
    #[error("cannot start serving: {0}")]
    Start(io::Error),
    /// Serving ended with an error.
    #[error("serving failed: {0}")]
    Serve(#[from] tonic::transport::Error),
}
