//! HTTP servers that are not `HeyGen`'s: webhook receivers, proxies, and APIs that answer anything at all.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

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

impl Server {
    /// Listens on a port of its own. `answer` is called by as many threads as there are requests at once.
    pub fn answering(answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::default();
        let (answer, received) = (Arc::new(answer), Arc::clone(&requests));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, received) = (Arc::clone(&answer), Arc::clone(&received));
                thread::spawn(move || serve(&stream, &*answer, &received));
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

    /// The first request on a connection, where one comes whole and in time.
    fn read(mut stream: &TcpStream) -> Option<Self> {
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
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

fn serve(mut stream: &TcpStream, answer: &impl Fn(&Request) -> Vec<u8>, received: &Mutex<Vec<Request>>) {
    if let Some(request) = Request::read(stream) {
        // Noted before it is answered: who has the answer finds the request.
        received.lock().unwrap().push(request.clone());
        let _ = stream.write_all(&answer(&request));
    }
}
