//! The client over real sockets: what a scripted transport cannot show.

use std::iter;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{KEY, endpoint, endpoint_with_secret, id};
use crate::heygen::{
    BaseUrl, Client, CreateEndpoint, Credential, Effect, EndpointPatch, Failure, Fault, Settings, Stop,
};

const LARGEST: usize = 8 * 1024 * 1024;

/// A server that gives its n-th connection the n-th of `answers`, raw, and closes it. An empty answer is a reset.
pub(super) struct Server {
    pub(super) port: u16,
    /// The requests as they came, head and body.
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(super) async fn start<A>(answers: A) -> Self
    where
        A: IntoIterator<Item = Vec<u8>>,
        A::IntoIter: Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (received, answers) = (requests.clone(), answers.into_iter());
        tokio::spawn(async move {
            for answer in answers {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, answer, received.clone()));
            }
        });
        Self { port, requests }
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    fn client(&self, max_retries: u32) -> Client {
        client(
            &format!("http://127.0.0.1:{}/api", self.port),
            max_retries,
            Duration::from_secs(20),
        )
    }
}

async fn serve(mut stream: TcpStream, answer: Vec<u8>, received: Arc<Mutex<Vec<String>>>) {
    let request = read_request(&mut stream).await;
    received.lock().unwrap().push(request);
    if answer.is_empty() {
        stream.set_zero_linger().unwrap();
    } else {
        // The client may hang up on what it does not want to read.
        let _ = stream.write_all(&answer).await;
        let _ = stream.shutdown().await;
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    }
}

pub(super) fn client(base: &str, max_retries: u32, request_timeout: Duration) -> Client {
    Client::new(Settings {
        base_url: BaseUrl::parse(base).unwrap(),
        credential: Credential::api_key(KEY.to_owned(), "a test").unwrap(),
        max_retries,
        request_timeout,
        user_agent: "terraform-provider-heygen/0 (terraform/1)\r\nX-Evil: 1".into(),
        timing: crate::heygen::Timing::default(),
    })
}

pub(super) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length: ")?
                    .parse::<usize>()
                    .ok()
            });
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        let read = stream.read(&mut chunk).await.unwrap();
        assert!(read > 0, "the request ended early: {text:?}");
        request.extend_from_slice(&chunk[..read]);
    }
}

pub(super) fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}",
        body.len()
    )
    .into_bytes()
}

pub(super) fn ok(data: &Value) -> Vec<u8> {
    answer("200 OK", "", &json!({"data": data}).to_string())
}

fn truncated(mut answer: Vec<u8>) -> Vec<u8> {
    answer.truncate(answer.len() - 20);
    answer
}

fn reset() -> Vec<u8> {
    Vec::new()
}

fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    request.lines().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then_some(value)
    })
}

async fn deleted(server: &Server, max_retries: u32) -> Result<(), Failure> {
    server.client(max_retries).delete(&id("ep_1"), &Stop::new()).await
}

#[tokio::test]
async fn a_request_on_the_wire_is_what_heygen_documents() {
    let server = Server::start(vec![
        ok(&endpoint_with_secret("ep_1")),
        ok(&endpoint("ep_1")),
        ok(&json!({})),
        ok(&endpoint_with_secret("ep_1")),
    ])
    .await;
    let (client, stop, ep) = (server.client(0), Stop::new(), id("ep_1"));
    let create = CreateEndpoint {
        url: "https://a.example/".into(),
        events: None,
        entity_id: None,
    };
    client.create(&create, &stop).await.unwrap();
    client
        .update(
            &ep,
            &EndpointPatch {
                url: None,
                events: Some(None),
            },
            &stop,
        )
        .await
        .unwrap()
        .unwrap();
    client.delete(&ep, &stop).await.unwrap();
    client.rotate_secret(&ep, &stop).await.unwrap();

    let requests = server.requests();
    for (request, line, body) in [
        (
            &requests[0],
            "POST /api/v3/webhooks/endpoints HTTP/1.1\r\n",
            r#"{"url":"https://a.example/"}"#,
        ),
        (
            &requests[1],
            "PATCH /api/v3/webhooks/endpoints/ep_1 HTTP/1.1\r\n",
            r#"{"events":null}"#,
        ),
        (&requests[2], "DELETE /api/v3/webhooks/endpoints/ep_1 HTTP/1.1\r\n", ""),
        (
            &requests[3],
            "POST /api/v3/webhooks/endpoints/ep_1/rotate-secret HTTP/1.1\r\n",
            "",
        ),
    ] {
        assert!(request.starts_with(line), "{request}");
        assert!(request.ends_with(&format!("\r\n\r\n{body}")), "{request}");
        assert_eq!(header(request, "x-api-key"), Some(KEY));
        assert_eq!(header(request, "authorization"), None);
        assert_eq!(
            header(request, "user-agent"),
            Some("terraform-provider-heygen/0 (terraform/1)X-Evil: 1")
        );
        assert_eq!(
            header(request, "idempotency-key").is_some(),
            line.starts_with("POST"),
            "{request}"
        );
        assert_eq!(
            header(request, "content-type"),
            (!body.is_empty()).then_some("application/json")
        );
    }
}

#[tokio::test]
async fn resets_and_truncated_answers_are_repeated_under_the_same_key() {
    let good = ok(&endpoint_with_secret("ep_1"));
    let server = Server::start(vec![reset(), truncated(good.clone()), good]).await;
    let create = CreateEndpoint {
        url: "https://a.example/".into(),
        events: None,
        entity_id: None,
    };
    let made = server.client(2).create(&create, &Stop::new()).await.unwrap();
    assert_eq!(made.secret.unwrap().expose_secret(), "whsec_first");
    let keys: Vec<_> = server
        .requests()
        .iter()
        .map(|request| header(request, "idempotency-key").unwrap().to_owned())
        .collect();
    assert_eq!(keys, [keys[0].clone(), keys[0].clone(), keys[0].clone()]);
}

#[tokio::test]
async fn a_broken_answer_leaves_the_effect_open_and_a_refused_connection_does_not() {
    for answer in [
        reset(),
        truncated(ok(&json!({"padding": "x".repeat(100)}))),
        b"\x16\x03\x01 not http\r\n\r\n".to_vec(),
    ] {
        let server = Server::start(vec![answer]).await;
        let failure = deleted(&server, 0).await.unwrap_err();
        assert!(matches!(failure.fault, Fault::Dropped(_)), "{failure}");
        assert_eq!(failure.effect, Effect::Unknown);
    }

    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let client = client(&format!("http://{closed}"), 1, Duration::from_secs(5));
    let failure = client.delete(&id("ep_1"), &Stop::new()).await.unwrap_err();
    assert_eq!(
        failure.fault,
        Fault::Unreachable("127.0.0.1: connection refused".into())
    );
    assert_eq!((failure.attempts, failure.effect), (2, Effect::None));
}

#[tokio::test]
async fn a_truncated_conflict_is_repeated_because_it_does_not_say_what_it_is_about() {
    let conflict = answer(
        "409 Conflict",
        "",
        &json!({"error": {"code": "request_in_progress"}}).to_string(),
    );
    let server = Server::start(vec![truncated(conflict), ok(&json!({}))]).await;
    deleted(&server, 1).await.unwrap();
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_key_stays_here() {
    let elsewhere = Server::start(vec![ok(&json!({}))]).await;
    for status in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 Temporary",
        "308 Permanent",
    ] {
        let location = format!("location: http://localhost:{}/v3\r\n", elsewhere.port);
        let server = Server::start(vec![answer(status, &location, "")]).await;
        let failure = deleted(&server, 4).await.unwrap_err();
        let status = status[..3].parse().unwrap();
        assert_eq!(
            failure.fault,
            Fault::Redirected {
                status,
                to: Some("localhost".into())
            }
        );
        assert_eq!(failure.attempts, 1);
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn an_oversized_answer_is_refused_announced_or_not() {
    let announced = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", LARGEST + 1).into_bytes();
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, " ".repeat(1 << 20));
    let streamed = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}",
        chunk.repeat(9)
    )
    .into_bytes();
    for answer in [announced, streamed] {
        let server = Server::start(vec![answer]).await;
        let failure = deleted(&server, 4).await.unwrap_err();
        assert_eq!((failure.fault, failure.attempts), (Fault::TooLarge, 1));
    }
    let largest = answer("200 OK", "", &format!("{{{}}}", " ".repeat(LARGEST - 2)));
    deleted(&Server::start(vec![largest]).await, 0).await.unwrap();
}

#[tokio::test]
async fn a_status_counts_even_when_its_body_is_too_large() {
    let head = format!("HTTP/1.1 401 Unauthorized\r\ncontent-length: {}\r\n\r\n", LARGEST + 1);
    let failure = deleted(&Server::start(vec![head.into_bytes()]).await, 4)
        .await
        .unwrap_err();
    assert!(matches!(failure.fault, Fault::Refused { status: 401, .. }));
}

#[tokio::test]
async fn an_answer_that_dribbles_is_cut_off_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{")
            .await
            .unwrap();
        std::future::pending::<()>().await;
    });
    let limit = Duration::from_millis(300);
    let failure = client(&base, 0, limit)
        .delete(&id("ep_1"), &Stop::new())
        .await
        .unwrap_err();
    assert_eq!(
        (failure.fault, failure.effect),
        (Fault::TimedOut(limit), Effect::Unknown)
    );
}

#[tokio::test]
async fn no_failure_shows_what_the_server_echoes() {
    let echo = json!({"error": {
        "code": format!("bad_{KEY}"),
        "message": format!("Key {KEY} may not use https://user:hunter2@h.example/?token=hunter2 or whsec_hunter2"),
        "param": "url",
    }});
    let headers = format!("x-request-id: req-{KEY}\r\n");
    let page = format!("<title>{KEY} whsec_hunter2</title>");
    let location = format!("location: https://user:hunter2@{KEY}.example/?hunter2\r\n");
    for answer in [
        answer("400 Bad Request", &headers, &echo.to_string()),
        answer("502 Bad Gateway", &headers, &page),
        answer("307 Temporary", &location, ""),
        answer("200 OK", &headers, &format!("{{\"data\": \"whsec_hunter2 {KEY}")),
        answer(
            "200 OK",
            &headers,
            &json!({"data": {"endpoint_id": "whsec_hunter2!", "secret": KEY}}).to_string(),
        ),
    ] {
        let server = Server::start(vec![answer]).await;
        let client = server.client(0);
        let failure = client.rotate_secret(&id("ep_1"), &Stop::new()).await.unwrap_err();
        let shown = format!("{failure} {failure:?} {client:?}");
        assert!(!shown.contains(KEY) && !shown.contains("hunter2"), "{shown}");
    }
}

#[tokio::test]
async fn two_hundred_calls_at_once_all_end() {
    let client = Server::start(iter::repeat(ok(&json!({})))).await.client(0);
    let calls = (0..200).map(|n| {
        let client = client.clone();
        tokio::spawn(async move { client.delete(&id(&format!("ep_{n}")), &Stop::new()).await })
    });
    for call in futures_util::future::join_all(calls).await {
        call.unwrap().unwrap();
    }
}
