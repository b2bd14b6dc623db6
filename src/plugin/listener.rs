//! The socket that the host connects to: a Unix socket that only this user can reach, or a loopback port.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::pin::Pin;
use std::str::FromStr;

use tokio::io::{AsyncRead, AsyncWrite};

use super::Error;

#[cfg(unix)]
mod unix;

/// The kind of socket to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// A Unix socket. The file system keeps other users away.
    Unix,
    /// A port on 127.0.0.1, for systems without Unix sockets.
    Tcp,
}

impl Default for Network {
    /// The one hosts expect on this system.
    fn default() -> Self {
        if cfg!(unix) { Self::Unix } else { Self::Tcp }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            // A variable set to nothing is as good as unset.
            "" => Ok(Self::default()),
            "unix" => Ok(Self::Unix),
            "tcp" => Ok(Self::Tcp),
            _ => Err("expected `unix` or `tcp`".to_owned()),
        }
    }
}

/// Where the host wants the Unix socket, and which group may connect to it; each may be left open.
#[derive(Debug, Default)]
#[cfg_attr(not(unix), expect(dead_code, reason = "there are no Unix sockets to place"))]
pub(super) struct SocketOptions {
    /// The directory that holds the socket itself. Hosts that set it find the plugin in a container by
    /// the socket's name in this very directory, so the directory's protection is theirs.
    pub(super) directory: Option<PathBuf>,
    /// The group, by name or number, that may connect besides our user.
    pub(super) group: Option<String>,
}

/// Where the plugin listens, as the handshake spells it.
#[derive(Clone, Debug)]
pub(super) enum Address {
    /// A socket's path.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there are no Unix sockets to listen on"))]
    Unix(String),
    /// A loopback port.
    Tcp(SocketAddr),
}

impl Address {
    /// The network's name in a handshake.
    pub(super) fn network(&self) -> &'static str {
        match self {
            Self::Unix(_) => "unix",
            Self::Tcp(_) => "tcp",
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => f.write_str(path),
            Self::Tcp(address) => address.fmt(f),
        }
    }
}

/// A socket that is bound and listens already: connections queue up before the first is accepted.
pub(super) struct Listener {
    address: Address,
    kind: BoundSocket,
}

enum BoundSocket {
    #[cfg(unix)]
    Unix(unix::SocketFile),
    Tcp(TcpListener),
}

/// The files of a Unix socket, removed when this is dropped.
#[derive(Default)]
pub(super) struct SocketFiles {
    #[cfg(unix)]
    _socket: Option<unix::SocketFiles>,
}

impl Listener {
    /// Listens on a new Unix socket as `options` say, or on a port in `ports`, or any port if there is no range.
    pub(super) fn bind(
        network: Network,
        ports: Option<RangeInclusive<u16>>,
        options: &SocketOptions,
    ) -> Result<Self, Error> {
        match network {
            #[cfg(unix)]
            Network::Unix => {
                let socket = unix::SocketFile::bind(options)?;
                Ok(Self {
                    address: Address::Unix(socket.path()),
                    kind: BoundSocket::Unix(socket),
                })
            }
            #[cfg(not(unix))]
            Network::Unix => {
                let _ = options;
                Err(Error::NoUnixSockets)
            }
            Network::Tcp => {
                let (listener, address) = bind_loopback(ports.unwrap_or(0..=0))?;
                Ok(Self {
                    address: Address::Tcp(address),
                    kind: BoundSocket::Tcp(listener),
                })
            }
        }
    }

    /// Where the host should connect.
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// The acceptor of connections, and the guard that removes the socket's file when it is dropped. Needs a runtime's
    /// context.
    pub(super) fn into_parts(self) -> io::Result<(Acceptor, SocketFiles)> {
        match self.kind {
            #[cfg(unix)]
            BoundSocket::Unix(socket) => {
                let (listener, file) = socket.into_parts();
                listener.set_nonblocking(true)?;
                let listener = tokio::net::UnixListener::from_std(listener)?;
                Ok((Acceptor::Unix(listener), SocketFiles { _socket: Some(file) }))
            }
            BoundSocket::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                let listener = tokio::net::TcpListener::from_std(listener)?;
                Ok((Acceptor::Tcp(listener), SocketFiles::default()))
            }
        }
    }
}

fn bind_loopback(ports: RangeInclusive<u16>) -> Result<(TcpListener, SocketAddr), Error> {
    let (min, max) = (*ports.start(), *ports.end());
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for port in ports {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .and_then(|listener| listener.local_addr().map(|address| (listener, address)))
        {
            Ok(bound) => return Ok(bound),
            Err(error) => last = error,
        }
    }
    Err(Error::TcpPort { min, max, source: last })
}

/// A connection of either kind.
pub(super) type Socket = Pin<Box<dyn Duplex>>;

/// A stream of bytes that is read and written.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> Duplex for T {}

/// Accepts connections.
pub(super) enum Acceptor {
    /// On a Unix socket.
    #[cfg(unix)]
    Unix(tokio::net::UnixListener),
    /// On a loopback port.
    Tcp(tokio::net::TcpListener),
}

impl Acceptor {
    /// The next connection.
    pub(super) async fn accept(&self) -> io::Result<Socket> {
        match self {
            #[cfg(unix)]
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok(Box::pin(stream))
            }
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // Small frames both ways: waiting to fill a packet only adds latency.
                stream.set_nodelay(true)?;
                Ok(Box::pin(stream))
            }
        }
    }
}
