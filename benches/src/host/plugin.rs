//! A provider's process, from its start to its end.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use terraform_provider_heygen::plugin::proto::Empty;
use terraform_provider_heygen::plugin::proto::grpc_controller_client::GrpcControllerClient;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tonic::transport::{Channel, Endpoint, Uri};

use crate::certificates::ClientIdentity;
use crate::{Failure, tls};

/// What the processes keep of this program's environment: what they need, and nothing that would be another start.
const KEPT_VARIABLES: [&str; 6] = [
    "HEYGEN_API_BASE",
    "HEYGEN_API_KEY",
    "HOME",
    "PATH",
    "SSL_CERT_FILE",
    "TMPDIR",
];

/// How long a process may take to end once it was asked to.
const PATIENCE: Duration = Duration::from_secs(10);

/// A process that has written its first line, or has ended without one.
pub(crate) struct Started {
    process: Process,
    /// Its first line; empty if it has ended without one.
    pub(crate) line: String,
    /// How long after the start of the spawning that line was there, or the end of the output.
    pub(crate) took: Duration,
    /// When the spawning began.
    pub(crate) spawned_at: Instant,
}

/// Starts a program as an engine starts a provider, and waits for its first line.
pub(crate) fn start(binary: &Path, identity: &ClientIdentity) -> Result<Started, Failure> {
    let kept = KEPT_VARIABLES
        .iter()
        .filter_map(|name| Some((name, env::var_os(name)?)));
    let mut command = Command::new(binary);
    command
        .env_clear()
        .envs(kept)
        .env(
            "TF_PLUGIN_MAGIC_COOKIE",
            "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
        )
        .env("PLUGIN_PROTOCOL_VERSIONS", "5,6")
        .env("PLUGIN_MIN_PORT", "10000")
        .env("PLUGIN_MAX_PORT", "25000")
        .env("PLUGIN_CLIENT_CERT", identity.pem())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let spawned_at = Instant::now();
    let mut child = command
        .spawn()
        .map_err(|error| format!("cannot start {}: {error}", binary.display()))?;
    let stdout = child.stdout.take().ok_or("stdout is piped")?;
    let mut process = Process {
        child,
        stdout: BufReader::new(stdout),
    };
    let mut line = String::new();
    process.stdout.read_line(&mut line)?;
    Ok(Started {
        took: spawned_at.elapsed(),
        spawned_at,
        process,
        line,
    })
}

impl Started {
    /// Waits for the end of a program that ends by itself.
    pub(crate) fn ended(mut self) -> Result<(), Failure> {
        self.process.end_within(PATIENCE)
    }

    /// Connects to the provider.
    pub(crate) async fn connect(self, identity: &ClientIdentity) -> Result<Plugin, Failure> {
        let handshake = Handshake::parse(&self.line).ok_or_else(|| format!("no handshake: {}", self.line))?;
        let channel = handshake.channel(identity).await?;
        Ok(Plugin {
            process: self.process,
            protocol: handshake.protocol,
            channel,
        })
    }
}

/// A provider that is connected to.
pub(crate) struct Plugin {
    process: Process,
    /// The version of Terraform's protocol that it speaks.
    pub(crate) protocol: u32,
    /// The connection.
    pub(crate) channel: Channel,
}

impl Plugin {
    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.child.id()
    }

    /// The most memory that it has had, in bytes.
    pub(crate) fn peak_memory(&self) -> Result<u64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kilobytes: u64 = kilobytes.ok_or("the system tells no memory")?.parse()?;
        Ok(kilobytes * 1024)
    }

    /// Asks it to end, and waits until it has. Says how long that took.
    pub(crate) async fn shut_down(mut self) -> Result<Duration, Failure> {
        let asked = Instant::now();
        // The answer may or may not make it out; an engine does not look at it either.
        let _ = GrpcControllerClient::new(self.channel).shutdown(Empty {}).await;
        // On a thread of its own, because the connection is to be closed meanwhile.
        tokio::task::spawn_blocking(move || self.process.end_within(PATIENCE)).await??;
        Ok(asked.elapsed())
    }
}

/// A process, killed when it is dropped.
struct Process {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Process {
    /// Waits for the end without asking at every moment, which would take a processor from the process itself.
    fn end_within(&mut self, patience: Duration) -> Result<(), Failure> {
        let began = Instant::now();
        loop {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(status.to_string().into()),
                None if began.elapsed() > patience => return Err("it does not end".into()),
                None => thread::sleep(Duration::from_micros(100)),
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail for a process that has ended, which is the rule.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a provider says in its first line.
struct Handshake {
    protocol: u32,
    address: Address,
    certificate: CertificateDer<'static>,
}

#[derive(Clone)]
enum Address {
    Unix(String),
    Tcp(String),
}

impl Handshake {
    fn parse(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.trim_end().split('|').collect();
        let &["1", protocol, network, address, "grpc", certificate, ..] = fields.as_slice() else {
            return None;
        };
        Some(Self {
            protocol: protocol.parse().ok()?,
            address: match network {
                "unix" => Address::Unix(address.to_owned()),
                "tcp" => Address::Tcp(address.to_owned()),
                _ => return None,
            },
            certificate: STANDARD_NO_PAD.decode(certificate).ok()?.into(),
        })
    }

    /// A connection as an engine opens it.
    async fn channel(&self, identity: &ClientIdentity) -> Result<Channel, Failure> {
        let connector = tls::connector(self.certificate.clone(), identity)?;
        let address = self.address.clone();
        let name = ServerName::try_from("localhost")?;
        let dial = tower::service_fn(move |_: Uri| {
            let (connector, address, name) = (connector.clone(), address.clone(), name.clone());
            async move {
                let stream = connector.connect(name, address.connect().await?).await?;
                Ok::<_, std::io::Error>(TokioIo::new(stream))
            }
        });
        // The name is only for the `:authority` of requests.
        Ok(Endpoint::from_static("http://localhost")
            .connect_with_connector(dial)
            .await?)
    }
}

/// Bytes both ways.
trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

impl Address {
    async fn connect(&self) -> std::io::Result<Box<dyn Duplex>> {
        Ok(match self {
            Self::Unix(path) => Box::new(UnixStream::connect(path).await?),
            Self::Tcp(address) => Box::new(TcpStream::connect(address).await?),
        })
    }
}
