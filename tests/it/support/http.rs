//! HTTP servers that are not `HeyGen`'s: webhook receivers, proxies, and APIs that answer anything at all.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use x509_cert::der::pem::{self, LineEnding};

/// Nobody here takes so long to send a request.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest request that is read.
const LONGEST: usize = 1 << 20;

/// A server on loopback that answers every request with the bytes that a function makes of it, HTTP or not, and then
/// closes the connection. It serves until the test's process ends.
pub struct Server {
    address: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

/// What a server was sent.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its first line and its headers, as they came.
    pub head: String,
    /// As many bytes as its `Content-Length` says.
    pub body: Vec<u8>,
}

/// A certificate that vouches for itself, and the key it belongs to.
pub struct Identity {
    /// The certificate, for a file of those that are trusted.
    pub pem: String,
    /// The key, as a file of it.
    pub key_pem: String,
    config: Arc<ServerConfig>,
}

impl Identity {
    /// A fresh one, for these names and addresses.
    pub fn of(names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
        let key_pem = pem::encode_string("PRIVATE KEY", LineEnding::LF, signing_key.serialized_der()).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        Self {
            pem: pem::encode_string("CERTIFICATE", LineEnding::LF, cert.der()).unwrap(),
            key_pem,
            config: Arc::new(config),
        }
    }
}

impl Server {
    /// Listens on a port of its own. `answer` is called by as many threads as there are requests at once.
    pub fn answering(answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::on("127.0.0.1:0", None, answer)
    }

    /// As [`answering`](Self::answering), on this address and with this certificate.
    pub fn answering_over_tls(
        address: &str,
        identity: &Identity,
        answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        Self::on(address, Some(Arc::clone(&identity.config)), answer)
    }

    fn on(
        address: &str,
        tls: Option<Arc<ServerConfig>>,
        answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::default();
        let (answer, received) = (Arc::new(answer), Arc::clone(&requests));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, received, tls) = (Arc::clone(&answer), Arc::clone(&received), tls.clone());
                thread::spawn(move || {
                    // Beyond this time a request does not come.
                    let _ = stream.set_read_timeout(Some(PATIENCE));
                    match tls {
                        None => serve(stream, &*answer, &received),
                        Some(config) => {
                            let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
                            serve(&mut stream, &*answer, &received);
                            stream.conn.send_close_notify();
                            let _ = stream.flush();
                        }
                    }
                });
            }
        });
        Self { address, requests }
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where it serves, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it was sent so far, in the order in which it came.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Request {
    /// What is asked for: the first line without the method and the version.
    pub fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// The value of the header of this name, which is found in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let headers = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        let mut values = headers.filter(|(header, _)| header.eq_ignore_ascii_case(name));
        values.next().map(|(_, value)| value)
    }

    /// What another server answers to this request, byte for byte.
    pub fn forwarded(&self, address: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(address).unwrap();
        let (first, headers) = self.head.split_once("\r\n").unwrap_or((&self.head, ""));
        let head = format!("{first}\r\nConnection: close\r\n{headers}\r\n\r\n");
        stream.write_all(&[head.as_bytes(), &self.body].concat()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer
    }

    /// The first request on a connection, where one comes whole and in time.
    fn read(stream: &mut impl io::Read) -> Option<Self> {
        let mut bytes = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            if let Some(request) = Self::parse(&bytes) {
                return Some(request);
            }
            match stream.read(&mut chunk) {
                Ok(length @ 1..) if bytes.len() < LONGEST => bytes.extend_from_slice(&chunk[..length]),
                _ => return None,
            }
        }
    }

    /// A request, once all of it is there.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|end| end == b"\r\n\r\n")?;
        let (head, body) = (&bytes[..end], &bytes[end + 4..]);
        let mut request = Self {
            head: String::from_utf8_lossy(head).into_owned(),
            body: Vec::new(),
        };
        let length = request
            .header("content-length")
            .map_or(Some(0), |length| length.parse().ok())?;
        request.body = body.get(..length)?.to_vec();
        Some(request)
    }
}

/// An answer in good order, with the status and body given, after which the connection is closed.
pub fn response(status: u16, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!(
        "HTTP/1.1 {status} \r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn serve(mut stream: impl io::Read + io::Write, answer: &impl Fn(&Request) -> Vec<u8>, received: &Mutex<Vec<Request>>) {
    if let Some(request) = Request::read(&mut stream) {
        // Noted before it is answered: who has the answer finds the request.
        received.lock().unwrap().push(request.clone());
        let _ = stream.write_all(&answer(&request));
    }
}
