//! A plain client: it repeats nothing, follows nothing, and reads whole answers.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use reqwest::{Method, Response, header::HeaderMap};
use serde_json::{Value, json};

use crate::fake_heygen::FakeHeygen;

/// Talks to one fake with the right key.
pub(crate) struct Client {
    pub(crate) fake: FakeHeygen,
    http: reqwest::Client,
}

/// An answer that arrived whole.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

pub(crate) const ENDPOINTS: &str = "/v3/webhooks/endpoints";

impl Client {
    /// A fake of its own, and a client of it.
    pub(crate) fn start() -> Self {
        Self::of(FakeHeygen::start())
    }

    pub(crate) fn of(fake: FakeHeygen) -> Self {
        let http = http(Duration::from_secs(30));
        Self { fake, http }
    }

    /// The same fake through a client that waits only so long.
    pub(crate) fn impatient(self, patience: Duration) -> Self {
        Self {
            http: http(patience),
            ..self
        }
    }

    /// A request with the right key, to be completed.
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.bare(method, path).header("X-Api-Key", self.fake.api_key())
    }

    /// A request without credentials, to be completed.
    pub(crate) fn bare(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.fake.base_url());
        self.http.request(method, url)
    }

    pub(crate) async fn try_get(&self, path: &str) -> reqwest::Result<Got> {
        Got::read(self.request(Method::GET, path).send().await?).await
    }

    pub(crate) async fn get(&self, path: &str) -> Got {
        self.try_get(path).await.expect("an answer")
    }

    pub(crate) async fn try_send(&self, method: Method, path: &str, body: &Value) -> reqwest::Result<Got> {
        let request = self.request(method, path);
        Got::read(request.with_json(body).send().await?).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> Got {
        let got = self.try_send(method, path, body).await;
        got.expect("an answer")
    }

    pub(crate) async fn try_create(&self, url: &str) -> reqwest::Result<Got> {
        let body = json!({ "url": url });
        self.try_send(Method::POST, ENDPOINTS, &body).await
    }

    /// Creates an endpoint and answers its `data`.
    pub(crate) async fn create(&self, body: &Value) -> Value {
        let got = self.send(Method::POST, ENDPOINTS, body).await;
        assert_eq!(got.status, 200, "{got:?}");
        got.json()["data"].take()
    }

    /// A create that carries this key.
    pub(crate) async fn create_with_key(&self, url: &str, key: &str) -> Got {
        let request = self.request(Method::POST, ENDPOINTS);
        let request = request.header("Idempotency-Key", key);
        let sent = request.with_json(&json!({ "url": url })).send().await;
        Got::read(sent.expect("an answer")).await.expect("a body")
    }

    pub(crate) async fn rotate(&self, id: &str) -> Got {
        let path = format!("{ENDPOINTS}/{id}/rotate-secret");
        let sent = self.request(Method::POST, &path).send().await;
        Got::read(sent.expect("an answer")).await.expect("a body")
    }

    pub(crate) async fn delete(&self, id: &str) -> Got {
        let path = format!("{ENDPOINTS}/{id}");
        let sent = self.request(Method::DELETE, &path).send().await;
        Got::read(sent.expect("an answer")).await.expect("a body")
    }

    pub(crate) async fn patch(&self, id: &str, body: &Value) -> Got {
        let path = format!("{ENDPOINTS}/{id}");
        self.send(Method::PATCH, &path, body).await
    }

    /// The `data` of every page, walked with this limit.
    pub(crate) async fn walk(&self, limit: usize) -> Vec<Value> {
        let mut items = Vec::new();
        let mut query = format!("?limit={limit}");
        for _ in 0..1000 {
            let mut page = self.get(&format!("{ENDPOINTS}{query}")).await.json();
            match page["data"].take() {
                Value::Array(data) => items.extend(data),
                other => panic!("no list of endpoints: {other}"),
            }
            match page["next_token"].as_str() {
                Some(token) => query = format!("?limit={limit}&token={token}"),
                None => return items,
            }
        }
        panic!("a walk without end");
    }

    /// Sends `GET path` over a bare socket and reads to the end, whatever that is.
    pub(crate) fn raw_get(&self, path: &str) -> (String, std::io::Result<usize>) {
        let line = format!("GET {path} HTTP/1.1\r\nConnection: close");
        let mut socket = self.raw(&line, "");
        let mut bytes = Vec::new();
        let read = socket.read_to_end(&mut bytes);
        (String::from_utf8_lossy(&bytes).into_owned(), read)
    }

    /// A bare socket on which a request has been sent: its first line (and more headers).
    pub(crate) fn raw(&self, line: &str, body: &str) -> TcpStream {
        let address = self.fake.base_url();
        let address = address.trim_start_matches("http://");
        let mut socket = TcpStream::connect(address).expect("a connection");
        // Shorter than the server's own patience with an idle connection.
        let patience = Some(Duration::from_secs(20));
        socket.set_read_timeout(patience).expect("a patience");
        let key = self.fake.api_key();
        let length = body.len();
        write!(
            socket,
            "{line}\r\nHost: {address}\r\nX-Api-Key: {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\
             \r\n{body}"
        )
        .expect("the request goes out");
        socket
    }
}

impl Got {
    pub(crate) async fn read(response: Response) -> reqwest::Result<Self> {
        Ok(Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await?,
        })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("JSON")
    }

    /// The error's code.
    pub(crate) fn code(&self) -> String {
        self.error("code")
    }

    /// The error's param.
    pub(crate) fn param(&self) -> String {
        self.error("param")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("text"))
    }

    fn error(&self, field: &str) -> String {
        let text = self.json()["error"][field].as_str().map(str::to_owned);
        text.unwrap_or_default()
    }
}

/// `reqwest`'s `json` feature is off.
pub(crate) trait WithJson {
    fn with_json(self, body: &Value) -> Self;
}

impl WithJson for reqwest::RequestBuilder {
    fn with_json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json").body(body.to_string())
    }
}

fn http(patience: Duration) -> reqwest::Client {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has the default versions")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        // A connection kept open would hide that new ones are refused.
        .pool_max_idle_per_host(0)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .timeout(patience)
        .build()
        .expect("a client")
}
