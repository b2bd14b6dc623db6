//! Accepting connections and serving them until the end.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::Connected;

use super::Error;
use super::lifecycle::Lifecycle;
use super::listener::{Acceptor, Listener, Socket};
use super::services;
use super::tls::Identity;

/// How long a peer may take to prove who it is.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// How long the end waits for answers on their way out, the one to Shutdown above all. Calls that need
/// longer have lost their reader: the host asks for the end when it is done with us.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// The pause after an accept that failed: the reason, too many open files say, lasts.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Two workers, so that one call busy computing stalls no other.
pub(super) fn runtime() -> Result<Runtime, Error> {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(Error::Start)
}

/// Serves until `lifecycle` ends, with TLS if there is an `identity`.
pub(super) fn run(
    runtime: &Handle,
    listener: Listener,
    identity: Option<Identity>,
    lifecycle: Lifecycle,
    plugin_services: impl FnOnce() -> Routes,
) -> Result<(), Error> {
    let Lifecycle { shutdown, ended } = lifecycle;
    let (acceptor, _socket_file) = listener.into_parts().map_err(Error::Start)?;
    runtime.block_on(async {
        let (sender, connections) = mpsc::channel(1);
        let tls = identity.map(|identity| identity.acceptor());
        let accepting = tokio::spawn(accept(acceptor, tls, sender));
        let routes = services::add_to(plugin_services(), shutdown, ended.clone()).await;
        let serving = Server::builder().add_routes(routes).serve_with_incoming_shutdown(
            ReceiverStream::new(connections).map(Ok::<_, Infallible>),
            ended.cancelled(),
        );
        let over = async {
            ended.cancelled().await;
            accepting.abort();
            tokio::time::sleep(LAST_WORDS).await;
        };
        tokio::select! {
            served = serving => served.map_err(Error::Serve),
            () = over => Ok(()),
        }
    })
}

/// Accepts for ever. Each connection proves itself in a task of its own, so that a silent one keeps
/// nobody waiting, and a refused one is a line in the log.
async fn accept(acceptor: Acceptor, tls: Option<TlsAcceptor>, sender: mpsc::Sender<Connection>) {
    loop {
        let socket = match acceptor.accept().await {
            Ok(socket) => socket,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (tls, sender) = (tls.clone(), sender.clone());
        tokio::spawn(async move {
            match tokio::time::timeout(HANDSHAKE_LIMIT, secured(socket, tls)).await {
                // Serving ends before accepting does: a connection too late is dropped with it.
                Ok(Ok(connection)) => drop(sender.send(connection).await),
                Ok(Err(error)) => tracing::warn!(%error, "refused a connection"),
                Err(_) => {
                    tracing::warn!("gave up on a connection that never finished its handshake");
                }
            }
        });
    }
}

async fn secured(socket: Socket, tls: Option<TlsAcceptor>) -> io::Result<Connection> {
    Ok(Connection(match tls {
        Some(tls) => Box::pin(tls.accept(socket).await?),
        None => socket,
    }))
}

/// A connection ready to be served, whatever it is made of.
struct Connection(Socket);

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.as_mut().poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_shutdown(cx)
    }
}
