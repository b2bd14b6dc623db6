//! Accepting connections and serving them until the end.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{Notify, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::io::InspectWriter;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::Connected;
use tower::util::MapFutureLayer;

use super::Error;
use super::lifecycle::Lifecycle;
use super::listener::{Acceptor, Listener, Socket};
use super::services;
use super::tls::Identity;

/// How long a peer may take for its TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an immediate end waits for responses that are being written, above all the one to Shutdown. Calls that take
/// longer are dropped: the host asks for this end when it needs no more answers.
const SHUTDOWN_GRACE: Duration = Duration::from_millis(50);

/// How long the process, once the last call has ended, waits for a host that reads none of the responses that are still
/// to be written.
const STALLED_WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// The pause after an accept that failed, because the reason, such as too many open files, usually lasts for a while.
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
    plugin_services: impl FnOnce(CancellationToken) -> Routes,
) -> Result<(), Error> {
    let Lifecycle {
        shutdown,
        end_at_once,
        terminated,
    } = lifecycle;
    let (acceptor, _socket_file) = listener.into_parts().map_err(Error::Start)?;
    runtime.block_on(async {
        let (sender, connections) = mpsc::channel(1);
        let tls = identity.map(|identity| identity.acceptor());
        let closing = end_at_once.child_token();
        let writes = Arc::new(Notify::new());
        let accepting = accept(acceptor, tls, Arc::clone(&writes), sender);
        tokio::spawn(closing.clone().run_until_cancelled_owned(accepting));

        let calls = TaskTracker::new();
        let routes = track_calls(plugin_services(terminated.clone()), calls.clone());
        let routes = services::add_host_services(routes, shutdown, closing.clone()).await;
        let serving = Server::builder().add_routes(routes).serve_with_incoming_shutdown(
            ReceiverStream::new(connections).map(Ok::<_, Infallible>),
            closing.cancelled(),
        );
        let immediate_end = async {
            end_at_once.cancelled().await;
            tokio::time::sleep(SHUTDOWN_GRACE).await;
        };
        let end_without_reader = async {
            terminated.cancelled().await;
            calls.close();
            calls.wait().await;
            // Serving ends by itself from here on: once the hosts have every answer.
            closing.cancel();
            while tokio::time::timeout(STALLED_WRITE_TIMEOUT, writes.notified())
                .await
                .is_ok()
            {}
            tracing::warn!("ending without the answers that the host does not read");
        };
        tokio::select! {
            served = serving => served.map_err(Error::Serve),
            () = immediate_end => Ok(()),
            () = end_without_reader => Ok(()),
        }
    })
}

/// The same services, where each call holds a token of `calls` until its response is ready to be sent.
fn track_calls(routes: Routes, calls: TaskTracker) -> Routes {
    let tracking = MapFutureLayer::new(move |answer| {
        let under_way = calls.token();
        async move {
            let answer = answer.await;
            drop(under_way);
            answer
        }
    });
    routes.into_axum_router().layer(tracking).into()
}

/// Accepts connections for ever. Each one does its TLS handshake in a task of its own, so that a silent peer delays no
/// other, and one that is refused is logged. `writes` is notified of each write that a peer has taken.
async fn accept(acceptor: Acceptor, tls: Option<TlsAcceptor>, writes: Arc<Notify>, sender: mpsc::Sender<Connection>) {
    loop {
        let socket = match acceptor.accept().await {
            Ok(socket) => socket,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let writes = Arc::clone(&writes);
        let socket = Box::pin(InspectWriter::new(socket, move |_: &[u8]| writes.notify_one()));
        let (tls, sender) = (tls.clone(), sender.clone());
        tokio::spawn(async move {
            match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls_handshake(socket, tls)).await {
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

async fn tls_handshake(socket: Socket, tls: Option<TlsAcceptor>) -> io::Result<Connection> {
    Ok(Connection(match tls {
        Some(tls) => Box::pin(tls.accept(socket).await?),
        None => socket,
    }))
}

/// A connection that is ready to be served: plain, or after its TLS handshake.
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

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::time::Instant;

    use hyper_util::rt::TokioIo;
    use tonic::body::Body;
    use tonic::codegen::{BoxFuture, Service};
    use tonic::server::{Grpc, NamedService, UnaryService};
    use tonic::transport::{Channel, Endpoint, Uri};
    use tonic::{Request, Response, Status};
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_client::HealthClient;
    use tonic_prost::ProstCodec;

    use super::super::listener::{Network, SocketOptions};
    use super::super::proto::Empty;
    use super::*;

    const BUSY: Duration = Duration::from_secs(1);

    /// Computes for [`BUSY`] without ever letting go of its thread.
    #[derive(Clone)]
    struct Busy;

    impl UnaryService<Empty> for Busy {
        type Response = Empty;
        type Future = BoxFuture<Response<Empty>, Status>;

        fn call(&mut self, _: Request<Empty>) -> Self::Future {
            Box::pin(async {
                let started = Instant::now();
                while started.elapsed() < BUSY {
                    std::hint::spin_loop();
                }
                Ok(Response::new(Empty {}))
            })
        }
    }

    impl Service<http::Request<Body>> for Busy {
        type Response = http::Response<Body>;
        type Error = Infallible;
        type Future = BoxFuture<Self::Response, Infallible>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: http::Request<Body>) -> Self::Future {
            let mut grpc = Grpc::new(ProstCodec::default());
            Box::pin(async move { Ok(grpc.unary(Busy, request).await) })
        }
    }

    impl NamedService for Busy {
        const NAME: &'static str = "test.Busy";
    }

    async fn call(channel: Channel, path: &'static str) -> Result<Response<Empty>, Status> {
        let mut grpc = tonic::client::Grpc::new(channel);
        grpc.ready().await.unwrap();
        let path = http::uri::PathAndQuery::from_static(path);
        let codec = ProstCodec::default();
        grpc.unary(Request::new(Empty {}), path, codec).await
    }

    async fn channel(path: String) -> Channel {
        let connector = tower::service_fn(move |_: Uri| {
            let stream = tokio::net::UnixStream::connect(path.clone());
            async move { stream.await.map(TokioIo::new) }
        });
        let endpoint = Endpoint::from_static("http://localhost");
        endpoint.connect_with_connector(connector).await.unwrap()
    }

    #[test]
    fn one_busy_call_stalls_no_other() {
        let runtime = runtime().unwrap();
        let _context = runtime.enter();
        let listener = Listener::bind(Network::Unix, None, &SocketOptions::default()).unwrap();
        let path = listener.address().to_string();
        let end_at_once = CancellationToken::new();
        let lifecycle = Lifecycle {
            shutdown: end_at_once.clone(),
            end_at_once: end_at_once.clone(),
            terminated: CancellationToken::new(),
        };
        let serve = |_| Routes::new(Busy);
        let client = std::thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            let slowest = runtime.block_on(async {
                let channel = channel(path).await;
                let busy = tokio::spawn(call(channel.clone(), "/test.Busy/Call"));
                let mut health = HealthClient::new(channel);
                let mut slowest = Duration::ZERO;
                let started = Instant::now();
                let mut answered = 0;
                while !busy.is_finished() {
                    let asked = Instant::now();
                    let request = HealthCheckRequest::default();
                    health.check(request).await.unwrap();
                    slowest = slowest.max(asked.elapsed());
                    answered += 1;
                }
                busy.await.unwrap().unwrap();
                assert!(started.elapsed() >= BUSY);
                println!("{answered} answers, slowest {slowest:?}");
                slowest
            });
            end_at_once.cancel();
            slowest
        });
        run(runtime.handle(), listener, None, lifecycle, serve).unwrap();
        let slowest = client.join().unwrap();
        assert!(slowest < BUSY / 2, "{slowest:?}");
    }

    /// Serves one call, asks for an end while that is held, and lets it go after a while. Answers how long serving went on
    /// after it was asked to end, and what the client was told.
    fn end_while_a_call_is_held(
        held_for: Duration,
        end: impl FnOnce(&Lifecycle) -> CancellationToken,
    ) -> (Duration, Result<Response<Empty>, Status>) {
        const HELD: &str = "/test.Held/Call";
        let runtime = runtime().unwrap();
        let _context = runtime.enter();
        let listener = Listener::bind(Network::Unix, None, &SocketOptions::default()).unwrap();
        let path = listener.address().to_string();
        let end_at_once = CancellationToken::new();
        let lifecycle = Lifecycle {
            shutdown: end_at_once.clone(),
            end_at_once,
            terminated: CancellationToken::new(),
        };
        let end = end(&lifecycle);
        let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (has_begun, may_go) = (Arc::clone(&begun), Arc::clone(&go));
        let held = move || async move {
            has_begun.notify_one();
            may_go.notified().await;
            Status::not_found("it was let go").into_http::<Body>()
        };
        let client = std::thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let answer = tokio::spawn(call(channel(path).await, HELD));
                begun.notified().await;
                let asked = Instant::now();
                end.cancel();
                tokio::time::sleep(held_for).await;
                go.notify_one();
                (asked, answer.await.unwrap())
            })
        });
        let serve = |_| axum::Router::new().route(HELD, axum::routing::post(held)).into();
        run(runtime.handle(), listener, None, lifecycle, serve).unwrap();
        let ended = Instant::now();
        drop(runtime);
        let (asked, answer) = client.join().unwrap();
        (ended - asked, answer)
    }

    #[test]
    fn at_a_termination_a_call_under_way_is_waited_for_longer_than_a_host_that_reads_nothing() {
        let held_for = STALLED_WRITE_TIMEOUT + Duration::from_millis(500);
        let (took, answer) = end_while_a_call_is_held(held_for, |lifecycle| lifecycle.terminated.clone());
        assert!(took >= held_for, "{took:?}");
        assert_eq!(answer.unwrap_err().message(), "it was let go");
    }

    #[test]
    fn at_a_shutdown_a_call_under_way_is_not_waited_for() {
        let held_for = Duration::from_secs(2);
        let (took, _) = end_while_a_call_is_held(held_for, |lifecycle| lifecycle.shutdown.clone());
        assert!(took < held_for / 2, "{took:?}");
    }
}
