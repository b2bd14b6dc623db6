//! A plugin host in miniature: does to the real binary what Terraform does, and looks closer.
//!
//! ```ignore
//! let plugin = Host::new().start().await;
//! let mut client = ProviderClient::new(plugin.channel().await);
//! …
//! plugin.shutdown().await;
//! ```
//!
//! The environment is exactly what the host passes: nothing leaks in from the test's own. A plugin
//! that is dropped is killed, by its own process id; what it wrote to stderr is in every failure.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hyper_util::rt::TokioIo;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SignatureScheme};
use terraform_provider_heygen::plugin::proto::Empty;
use terraform_provider_heygen::plugin::proto::grpc_controller_client::GrpcControllerClient;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, DuplexStream, Lines};
use tokio::net::{TcpStream, UnixStream};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};

use super::certificates::ClientIdentity;

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_terraform-provider-heygen");

/// The variable and value by which the plugin knows its host.
pub const COOKIE: (&str, &str) = (
    "TF_PLUGIN_MAGIC_COOKIE",
    "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
);

/// Nothing here takes that long; a test that waits longer has failed.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How to start a plugin. Begins as Terraform would.
#[derive(Clone)]
pub struct Host {
    environment: BTreeMap<OsString, OsString>,
    arguments: Vec<String>,
    identity: Option<ClientIdentity>,
    launcher: Vec<String>,
}

impl Host {
    /// Terraform's environment, with a fresh client certificate.
    pub fn new() -> Self {
        let identity = ClientIdentity::generate();
        let mut host = Self {
            environment: BTreeMap::new(),
            arguments: Vec::new(),
            identity: None,
            launcher: Vec::new(),
        }
        .env(COOKIE.0, COOKIE.1)
        .env("PLUGIN_PROTOCOL_VERSIONS", "5,6")
        .env("PLUGIN_MIN_PORT", "10000")
        .env("PLUGIN_MAX_PORT", "25000")
        .env("PLUGIN_CLIENT_CERT", identity.pem());
        host.identity = Some(identity);
        host
    }

    /// Sets a variable of the plugin's environment.
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Removes a variable from the plugin's environment.
    pub fn without(mut self, name: &str) -> Self {
        self.environment.remove(&OsString::from(name));
        self
    }

    /// As with `TF_DISABLE_PLUGIN_TLS`.
    pub fn without_tls(mut self) -> Self {
        self.identity = None;
        self.without("PLUGIN_CLIENT_CERT")
    }

    /// Adds an argument.
    pub fn arg(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Starts the plugin through another program, which gets the plugin's command line appended.
    pub fn launched_by(mut self, command: &[&str]) -> Self {
        self.launcher = command.iter().map(ToString::to_string).collect();
        self
    }

    /// Starts the plugin and reads its handshake.
    pub async fn start(self) -> Plugin {
        let identity = self.identity.clone();
        let mut process = self.spawn();
        let line = process.line().await;
        let line = line.unwrap_or_else(|| panic!("no handshake; stderr:\n{}", process.stderr()));
        Plugin {
            handshake: Handshake::parse(&line),
            identity,
            process,
        }
    }

    /// Starts the process without expecting anything of it.
    pub fn spawn(&self) -> Process {
        let mut line = self.launcher.clone();
        line.push(BINARY.to_owned());
        line.extend(self.arguments.clone());
        let mut child = Command::new(&line[0])
            .args(&line[1..])
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut pipe = child.stderr.take().unwrap();
        let (collected, stderr) = watch::channel(Vec::new());
        let collector = tokio::spawn(async move {
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
                collected.send_modify(|all| all.extend_from_slice(&buffer[..count]));
            }
        });
        Process {
            child,
            stdout,
            stderr,
            collector,
        }
    }
}

/// A running process, killed when dropped.
pub struct Process {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    stderr: watch::Receiver<Vec<u8>>,
    collector: JoinHandle<()>,
}

/// How a process ended.
pub struct Ended {
    /// Its status.
    pub status: ExitStatus,
    /// What it wrote to stdout and nobody had read.
    pub stdout: String,
    /// All it wrote to stderr.
    pub stderr: String,
}

impl Process {
    /// The next line of stdout; `None` at its end.
    pub async fn line(&mut self) -> Option<String> {
        let next = tokio::time::timeout(PATIENCE, self.stdout.next_line()).await;
        let next = next.unwrap_or_else(|_| panic!("silent; stderr:\n{}", self.stderr()));
        next.unwrap()
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it has ended already")
    }

    /// What was written to stderr up to now.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr.borrow()).into_owned()
    }

    /// Waits until `text` was written to stderr.
    pub async fn wrote(&self, text: &str) {
        let mut stderr = self.stderr.clone();
        let written = stderr.wait_for(|all| String::from_utf8_lossy(all).contains(text));
        let found = matches!(tokio::time::timeout(PATIENCE, written).await, Ok(Ok(_)));
        assert!(found, "`{text}` is not in stderr:\n{}", self.stderr());
    }

    /// Sends a signal, by the name `kill` knows.
    pub async fn signal(&self, name: &str) {
        signal(name, self.pid()).await;
    }

    /// Whether the process is still there.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the exit and for both streams' ends, as the host does.
    pub async fn ended(mut self) -> Ended {
        let waited = tokio::time::timeout(PATIENCE, async {
            let mut stdout = String::new();
            while let Some(line) = self.stdout.next_line().await.unwrap() {
                stdout.push_str(&line);
                stdout.push('\n');
            }
            (&mut self.collector).await.unwrap();
            (self.child.wait().await.unwrap(), stdout)
        })
        .await;
        let (status, stdout) = waited.unwrap_or_else(|_| panic!("it does not end; stderr:\n{}", self.stderr()));
        Ended {
            status,
            stdout,
            stderr: self.stderr(),
        }
    }
}

/// Sends a signal to a process that the caller started.
pub async fn signal(name: &str, pid: u32) {
    let sent = Command::new("kill").args(["-s", name, &pid.to_string()]).status();
    assert!(sent.await.unwrap().success(), "cannot send {name} to {pid}");
}

/// The handshake line, taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Handshake {
    /// The line itself.
    pub line: String,
    /// Of the handshake, always 1.
    pub core_version: String,
    /// Of the services.
    pub protocol_version: String,
    /// Where to connect.
    pub address: Address,
    /// Always `grpc`.
    pub protocol: String,
    /// The certificate to pin.
    pub certificate: Option<CertificateDer<'static>>,
    /// The answer about multiplexing.
    pub multiplexing: Option<String>,
}

/// Where to connect.
#[derive(Clone, Debug, PartialEq)]
pub enum Address {
    /// A socket's path.
    Unix(PathBuf),
    /// Host and port.
    Tcp(String),
}

impl Address {
    /// From a network's name and an address in it.
    pub fn parse(network: &str, address: &str) -> Self {
        match network {
            "unix" => Self::Unix(address.into()),
            "tcp" => Self::Tcp(address.to_owned()),
            other => panic!("unknown network {other}"),
        }
    }

    /// The socket's path, where it must be one.
    pub fn path(&self) -> &std::path::Path {
        match self {
            Self::Unix(path) => path,
            Self::Tcp(address) => panic!("{address} is no path"),
        }
    }

    /// A raw connection.
    pub async fn connect(&self) -> std::io::Result<Box<dyn Duplex>> {
        Ok(match self {
            Self::Unix(path) => Box::new(UnixStream::connect(path).await?),
            Self::Tcp(address) => Box::new(TcpStream::connect(address).await?),
        })
    }

    /// A channel without TLS.
    pub async fn plain_channel(&self) -> Result<Channel, tonic::transport::Error> {
        let address = self.clone();
        connect(move || {
            let address = address.clone();
            async move { address.connect().await }
        })
        .await
    }
}

/// Bytes both ways.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

impl Handshake {
    /// Takes a line apart as the host does.
    pub fn parse(line: &str) -> Self {
        let fields: Vec<&str> = line.split('|').collect();
        assert!(matches!(fields.len(), 6 | 7), "no handshake: {line}");
        let certificate = (!fields[5].is_empty()).then(|| {
            let der = STANDARD_NO_PAD.decode(fields[5]);
            der.unwrap_or_else(|e| panic!("{e}: {line}")).into()
        });
        Self {
            line: line.to_owned(),
            core_version: fields[0].to_owned(),
            protocol_version: fields[1].to_owned(),
            address: Address::parse(fields[2], fields[3]),
            protocol: fields[4].to_owned(),
            certificate,
            multiplexing: fields.get(6).map(ToString::to_string),
        }
    }
}

/// A plugin that has shaken hands.
pub struct Plugin {
    /// What it said.
    pub handshake: Handshake,
    /// The certificate and key it was told to expect.
    pub identity: Option<ClientIdentity>,
    /// The process.
    pub process: Process,
}

impl Plugin {
    /// A channel as Terraform opens it.
    pub async fn channel(&self) -> Channel {
        match &self.identity {
            Some(identity) => self.channel_with(&TlsClient::showing(identity)).await,
            None => self.handshake.address.plain_channel().await,
        }
        .unwrap_or_else(|e| panic!("cannot connect: {e:?}; stderr:\n{}", self.process.stderr()))
    }

    /// A channel over TLS with another client than Terraform's.
    pub async fn channel_with(&self, client: &TlsClient) -> Result<Channel, tonic::transport::Error> {
        let (address, client) = (self.handshake.address.clone(), client.clone());
        let pinned = self.handshake.certificate.clone();
        let pinned = pinned.expect("the plugin printed no certificate");
        connect(move || {
            let (address, client, pinned) = (address.clone(), client.clone(), pinned.clone());
            async move { client.connect(&address, pinned).await }
        })
        .await
    }

    /// A channel as Terraform opens it, through which no more of what the plugin sends gets than `tap` lets through.
    pub async fn channel_through(&self, tap: &Tap) -> Channel {
        let client = TlsClient::showing(self.identity.as_ref().expect("without TLS there is no need"));
        let (address, tap) = (self.handshake.address.clone(), tap.clone());
        let pinned = self.handshake.certificate.clone().expect("a certificate");
        let connected = connect(move || {
            let (address, client, pinned, tap) = (address.clone(), client.clone(), pinned.clone(), tap.clone());
            async move { Ok(tap.let_through(client.connect(&address, pinned).await?)) }
        });
        connected.await.expect("the plugin serves")
    }

    /// Asks for the end and waits for it: exit, and both streams closed. Fails on any other status than
    /// success and on any byte of stdout beyond the handshake.
    pub async fn shutdown(self) -> Duration {
        let channel = self.channel().await;
        self.shutdown_over(channel).await
    }

    /// The same on a channel already open. The time is counted from the request.
    pub async fn shutdown_over(self, channel: Channel) -> Duration {
        let asked = Instant::now();
        // The answer may or may not make it out; the host does not look at it either.
        let _ = GrpcControllerClient::new(channel).shutdown(Empty {}).await;
        let ended = self.process.ended().await;
        let took = asked.elapsed();
        assert!(ended.status.success(), "{}\n{}", ended.status, ended.stderr);
        assert_eq!(ended.stdout, "", "more than the handshake on stdout");
        took
    }
}

/// How much a host reads of what a plugin sends.
#[derive(Clone)]
pub struct Tap {
    allowed: watch::Sender<usize>,
    taken: watch::Sender<usize>,
}

impl Tap {
    /// A tap that closes after so many bytes.
    pub fn open_for(bytes: usize) -> Self {
        Self {
            allowed: watch::Sender::new(bytes),
            taken: watch::Sender::new(0),
        }
    }

    /// Lets through all that follows.
    pub fn open(&self) {
        self.allowed.send_replace(usize::MAX);
    }

    /// Waits until it has let through all that it may: then somebody waits behind it.
    pub async fn has_closed(&self) {
        let allowed = *self.allowed.borrow();
        let mut taken = self.taken.subscribe();
        let closed = taken.wait_for(|taken| *taken >= allowed);
        let closed = tokio::time::timeout(PATIENCE, closed).await;
        closed.expect("it is never used up").expect("the sender is here");
    }

    fn let_through(&self, plugin: impl Duplex + 'static) -> DuplexStream {
        let (near, far) = tokio::io::duplex(1 << 12);
        let (mut from_plugin, mut to_plugin) = tokio::io::split(plugin);
        let (mut from_host, mut to_host) = tokio::io::split(far);
        tokio::spawn(async move { tokio::io::copy(&mut from_host, &mut to_plugin).await });
        let taken = self.taken.clone();
        let mut allowed = self.allowed.subscribe();
        tokio::spawn(async move {
            let mut chunk = [0; 1 << 12];
            loop {
                let count = *taken.borrow();
                if allowed.wait_for(|allowed| *allowed > count).await.is_err() {
                    break;
                }
                let Ok(length @ 1..) = from_plugin.read(&mut chunk).await else {
                    break;
                };
                if to_host.write_all(&chunk[..length]).await.is_err() {
                    break;
                }
                taken.send_modify(|taken| *taken += length);
            }
            // Its end is an end for the host as well.
            let _ = to_host.shutdown().await;
        });
        near
    }
}

/// How a client behaves in the TLS handshake.
#[derive(Clone, Debug)]
pub struct TlsClient {
    certificate: Option<Arc<CertifiedKey>>,
    protocols: Vec<Vec<u8>>,
    newest: Version,
}

#[derive(Clone, Copy, Debug)]
enum Version {
    Tls12,
    Tls13,
}

impl TlsClient {
    /// Terraform's way, with `identity`'s certificate.
    pub fn showing(identity: &ClientIdentity) -> Self {
        Self {
            certificate: Some(identity.certified_key()),
            ..Self::anonymous()
        }
    }

    /// Shows no certificate.
    pub fn anonymous() -> Self {
        Self {
            certificate: None,
            protocols: vec![b"h2".to_vec()],
            newest: Version::Tls13,
        }
    }

    /// Speaks nothing newer than TLS 1.2.
    pub fn up_to_tls12(mut self) -> Self {
        self.newest = Version::Tls12;
        self
    }

    /// Offers other protocols than `h2`.
    pub fn offering(mut self, protocols: &[&str]) -> Self {
        self.protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        self
    }

    /// Connects to a server that must show `pinned`. In TLS 1.3 a client that was refused learns it
    /// only when it reads.
    pub async fn connect(
        &self,
        address: &Address,
        pinned: CertificateDer<'static>,
    ) -> std::io::Result<tokio_rustls::client::TlsStream<Box<dyn Duplex>>> {
        let mut roots = RootCertStore::empty();
        roots.add(pinned).map_err(std::io::Error::other)?;
        let versions = match self.newest {
            Version::Tls12 => &[&TLS12][..],
            Version::Tls13 => &[&TLS12, &TLS13],
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_client_cert_resolver(Arc::new(Shown(self.certificate.clone())));
        config.alpn_protocols.clone_from(&self.protocols);
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, address.connect().await?).await
    }
}

/// Shows its certificate whatever the server says it would accept.
#[derive(Debug)]
struct Shown(Option<Arc<CertifiedKey>>);

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.clone()
    }

    fn has_certs(&self) -> bool {
        self.0.is_some()
    }
}

async fn connect<F, Fut, IO>(dial: F) -> Result<Channel, tonic::transport::Error>
where
    F: Fn() -> Fut + Send + 'static,
    Fut: Future<Output = std::io::Result<IO>> + Send + 'static,
    IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let connector = tower::service_fn(move |_: Uri| {
        let dialled = dial();
        async move { dialled.await.map(TokioIo::new) }
    });
    // The name is only for the `:authority` of requests.
    let endpoint = Endpoint::from_static("http://localhost");
    let connected = tokio::time::timeout(PATIENCE, endpoint.connect_with_connector(connector)).await;
    connected.expect("the handshake hangs")
}
