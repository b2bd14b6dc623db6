//! Connections, in the clear or over TLS: a listener that can be closed and opened again on the same port, and sockets
//! that can be reset. This needs to sit below the router, which always answers.

use std::{
    any::Any,
    convert::Infallible,
    future::poll_fn,
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::{Pin, pin},
    sync::{Arc, mpsc as blocking},
    task::Poll,
    thread,
    time::Duration,
};

use axum::{body::Body, http::Response};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    runtime,
    sync::{Notify, broadcast, mpsc, oneshot},
    task::JoinSet,
    time::{Instant, timeout},
};
use tokio_rustls::TlsAcceptor;

/// A TLS handshake takes no longer.
const LONGEST_HANDSHAKE: Duration = Duration::from_secs(10);

/// Which connection a request came on, in its extensions.
#[derive(Clone, Copy, Debug)]
pub struct Connection(pub u64);

/// What the connections are served with.
pub trait Service: Send + Sync + 'static {
    /// Answers one request, or resets the connection it came on.
    fn call(self: Arc<Self>, request: hyper::Request<Incoming>) -> impl Future<Output = Served> + Send;
}

/// What a service makes of a request.
#[derive(Debug)]
pub enum Served {
    /// An answer.
    Response(Response<Body>),
    /// TCP's RST, without an answer.
    Reset,
}

/// A server with a thread of its own, so that a test that blocks does not block its server.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    encrypted: bool,
    door: Door,
    thread: Option<thread::JoinHandle<()>>,
}

/// Opens and closes the listener.
#[derive(Clone, Debug)]
pub struct Door(mpsc::UnboundedSender<Order>);

enum Order {
    Close { reopen_after: Option<Duration>, done: Done },
    Open { done: Done },
    Stop,
}

/// Dropped when an order has been carried out: the sender of a channel, whichever kind suits
/// who gave the order.
type Done = Box<dyn Any + Send>;

impl Server {
    /// Listens on this loopback port (0: any), for TLS where it is given what to serve it with. `service` is given the
    /// door of its own server.
    pub fn start<S: Service>(
        port: u16,
        tls: Option<Arc<ServerConfig>>,
        service: impl FnOnce(Door) -> Arc<S>,
    ) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (sender, orders) = mpsc::unbounded_channel();
        let door = Door(sender);
        let service = service(door.clone());
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let port = {
            let _entered = runtime.enter();
            Port::hold(address)?
        };
        let address = port.address;
        let encrypted = tls.is_some();
        let thread = thread::Builder::new()
            .name("fake-heygen".to_owned())
            .spawn(move || runtime.block_on(serve(port, orders, tls.map(TlsAcceptor::from), service)))?;
        Ok(Self {
            address,
            encrypted,
            door,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it speaks TLS.
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Its door.
    pub fn door(&self) -> &Door {
        &self.door
    }

    /// Waits for its end, which only a failure brings.
    pub fn join(mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.door.0.send(Order::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Door {
    /// Refuses connections until [`Door::open`]; answers under way are still given. When this
    /// returns, connections are refused.
    pub fn close(&self) {
        self.order(|done| Order::Close {
            reopen_after: None,
            done,
        });
    }

    /// The same from within the server, which must not block, and for a while only.
    pub async fn close_for(&self, time: Duration) {
        let (done, wait) = oneshot::channel::<()>();
        let order = Order::Close {
            reopen_after: Some(time),
            done: Box::new(done),
        };
        if self.0.send(order).is_ok() {
            let _ = wait.await;
        }
    }

    /// Accepts connections again, on the same port.
    pub fn open(&self) {
        self.order(|done| Order::Open { done });
    }

    fn order(&self, order: impl FnOnce(Done) -> Order) {
        let (done, wait) = blocking::channel::<()>();
        if self.0.send(order(Box::new(done))).is_ok() {
            // An error says that the server is gone, and its listener with it.
            let _ = wait.recv();
        }
    }
}

/// A port that stays ours while nobody listens on it: a bound socket that never listens refuses
/// connections, and keeps others from being given the port.
struct Port {
    address: SocketAddr,
    _held: TcpSocket,
    listener: Option<TcpListener>,
}

impl Port {
    fn hold(address: SocketAddr) -> io::Result<Self> {
        let held = socket(address)?;
        let mut port = Self {
            address: held.local_addr()?,
            _held: held,
            listener: None,
        };
        port.listen()?;
        Ok(port)
    }

    fn listen(&mut self) -> io::Result<()> {
        if self.listener.is_none() {
            self.listener = Some(socket(self.address)?.listen(1024)?);
        }
        Ok(())
    }

    async fn accept(&self) -> io::Result<TcpStream> {
        match &self.listener {
            Some(listener) => Ok(listener.accept().await?.0),
            None => std::future::pending().await,
        }
    }
}

fn socket(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn serve<S: Service>(
    mut port: Port,
    mut orders: mpsc::UnboundedReceiver<Order>,
    tls: Option<TlsAcceptor>,
    service: Arc<S>,
) {
    let mut connections = JoinSet::new();
    let mut number = 0;
    let mut reopen_at = None;
    let closing = broadcast::Sender::new(1);
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Close { reopen_after, done }) => {
                    port.listener = None;
                    reopen_at = reopen_after.map(|after| Instant::now() + after);
                    close_idle(&closing).await;
                    drop(done);
                }
                Some(Order::Open { done }) => {
                    reopen_at = None;
                    reopen(&mut port);
                    drop(done);
                }
                Some(Order::Stop) | None => return,
            },
            () = until(reopen_at) => {
                reopen_at = None;
                reopen(&mut port);
            }
            accepted = port.accept() => match accepted {
                Ok(stream) => {
                    number += 1;
                    let calls = Calls::new(service.clone(), Connection(number));
                    match tls.clone() {
                        None => connections.spawn(converse(stream, calls, closing.subscribe())),
                        Some(tls) => connections.spawn(converse_over_tls(stream, tls, calls, closing.subscribe())),
                    };
                }
                // Out of descriptors: there will be some when connections have ended.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

/// Returns when every connection is closed or has a last request to answer.
async fn close_idle(closing: &broadcast::Sender<Seen>) {
    let (seen, mut all_seen) = mpsc::channel(1);
    if closing.send(seen).is_ok() {
        let _: Option<()> = all_seen.recv().await;
    }
}

/// Dropped by a connection that has seen that the server closes.
type Seen = mpsc::Sender<()>;

fn reopen(port: &mut Port) {
    port.listen().expect("the port is held for nobody else");
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// The calls of one connection.
struct Calls<S> {
    service: Arc<S>,
    connection: Connection,
    /// Notified by a call that resets the connection.
    reset: Arc<Notify>,
}

impl<S: Service> Calls<S> {
    fn new(service: Arc<S>, connection: Connection) -> Self {
        Self {
            service,
            connection,
            reset: Arc::default(),
        }
    }

    fn answer(
        &self,
        mut request: hyper::Request<Incoming>,
    ) -> impl Future<Output = Result<Response<Body>, Infallible>> + Send + use<S> {
        request.extensions_mut().insert(self.connection);
        let (service, reset) = (self.service.clone(), self.reset.clone());
        async move {
            match service.call(request).await {
                Served::Response(response) => Ok(response),
                Served::Reset => {
                    reset.notify_one();
                    std::future::pending().await
                }
            }
        }
    }
}

/// How a connection has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// By its peer, or with the last answer after the server closed.
    Closed,
    /// A call resets it: the socket is still open.
    Reset,
}

/// One connection in the clear, until its peer ends it, the server closes, or a call resets it.
async fn converse<S: Service>(stream: TcpStream, calls: Calls<S>, mut closing: broadcast::Receiver<Seen>) {
    // Answers are short and awaited one by one.
    let _ = stream.set_nodelay(true);
    let reset = calls.reset.clone();
    let mut connection =
        http1().serve_connection(TokioIo::new(stream), service_fn(move |request| calls.answer(request)));
    let shut = |connection: Pin<&mut http1::Connection<_, _>>| connection.graceful_shutdown();
    if run(Pin::new(&mut connection), shut, &reset, &mut closing).await == End::Reset {
        // Without lingering, closing a socket sends RST instead of FIN.
        let _ = connection.into_parts().io.into_inner().set_zero_linger();
    }
}

/// The same over TLS, in the version of HTTP that the peer asks for.
async fn converse_over_tls<S: Service>(
    stream: TcpStream,
    tls: TlsAcceptor,
    calls: Calls<S>,
    mut closing: broadcast::Receiver<Seen>,
) {
    let _ = stream.set_nodelay(true);
    // HTTP/2 does not give its socket back, so that lingering is switched off at another handle of it.
    let Ok((stream, socket)) = two_handles(stream) else {
        return;
    };
    let Ok(Ok(stream)) = timeout(LONGEST_HANDSHAKE, tls.accept(stream)).await else {
        return;
    };
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let reset = calls.reset.clone();
    let (stream, answer) = (TokioIo::new(stream), service_fn(move |request| calls.answer(request)));
    let end = if is_http2 {
        let mut connection = pin!(
            http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .auto_date_header(false)
                .serve_connection(stream, answer)
        );
        let shut = |connection: Pin<&mut http2::Connection<_, _, _>>| connection.graceful_shutdown();
        run(connection.as_mut(), shut, &reset, &mut closing).await
    } else {
        let mut connection = http1().serve_connection(stream, answer);
        let shut = |connection: Pin<&mut http1::Connection<_, _>>| connection.graceful_shutdown();
        run(Pin::new(&mut connection), shut, &reset, &mut closing).await
    };
    if end == End::Reset {
        let _ = socket.set_zero_linger();
    }
}

fn two_handles(stream: TcpStream) -> io::Result<(TcpStream, TcpStream)> {
    let stream = stream.into_std()?;
    let other = stream.try_clone()?;
    Ok((TcpStream::from_std(stream)?, TcpStream::from_std(other)?))
}

fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    // The service has a clock of its own.
    builder.timer(TokioTimer::new()).auto_date_header(false);
    builder
}

/// Runs a connection to its end. `shut` has it give its last answer.
async fn run<C: Future>(
    mut connection: Pin<&mut C>,
    shut: impl Fn(Pin<&mut C>),
    reset: &Notify,
    closing: &mut broadcast::Receiver<Seen>,
) -> End {
    loop {
        let seen = tokio::select! {
            biased;
            () = reset.notified() => return End::Reset,
            // An error here is the peer's doing, or a fault's.
            _ = connection.as_mut() => return End::Closed,
            Ok(seen) = closing.recv() => seen,
        };
        shut(connection.as_mut());
        let ended = poll_fn(|context| Poll::Ready(connection.as_mut().poll(context)));
        if ended.await.is_ready() {
            return End::Closed;
        }
        drop(seen);
    }
}
