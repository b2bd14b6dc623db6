//! Tests of the client as a whole: over a scripted transport with a paused clock, and over real sockets.

mod calling;
mod environment;
mod list_cache;
mod listing;
mod pace;
mod responses;
mod wire;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use http::HeaderMap;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::call::Caller;
use super::clock::ServerClock;
use super::pace::Pace;
use super::redact::Redactor;
use super::request::{IdempotencyKey, NoRandomness, Request};
use super::retry::Backoff;
use super::transport::{Reply, Transport};
use super::{Client, EndpointId, Fault, Timing};

/// The time one attempt has in these tests.
const TIMEOUT: Duration = Duration::from_secs(30);
const KEY: &str = "key-0123456789";

/// What the other side does with one request.
enum Act {
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    Fail(Fault),
    /// Answers after a while.
    After(Duration, Box<Act>),
    /// Never answers.
    Hang,
}

impl Act {
    fn json(status: u16, body: &Value) -> Self {
        Self::Answer(status, Vec::new(), body.to_string().into_bytes())
    }

    fn ok(data: &Value) -> Self {
        Self::json(200, &json!({"data": data}))
    }

    fn error(status: u16, code: &str) -> Self {
        Self::json(status, &json!({"error": {"code": code, "message": "so it is"}}))
    }

    fn after(self, wait: Duration) -> Self {
        Self::After(wait, Box::new(self))
    }

    fn with_header(self, name: &'static str, value: impl Into<String>) -> Self {
        match self {
            Self::Answer(status, mut headers, body) => {
                headers.push((name, value.into()));
                Self::Answer(status, headers, body)
            }
            Self::After(wait, next) => next.with_header(name, value).after(wait),
            other => other,
        }
    }
}

type Script = dyn FnMut(&Request) -> Act + Send;

/// The other side, and everything it was asked.
#[derive(Clone)]
struct Scripted {
    script: Arc<Mutex<Script>>,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Scripted {
    fn new(script: impl FnMut(&Request) -> Act + Send + 'static) -> Self {
        Self {
            script: Arc::new(Mutex::new(script)),
            asked: Arc::default(),
        }
    }

    /// Plays `acts` in their order, and has no answer after them.
    fn acts(acts: impl IntoIterator<Item = Act>) -> Self {
        let mut acts = acts.into_iter().collect::<Vec<_>>().into_iter();
        Self::new(move |_| acts.next().unwrap_or_else(|| Act::error(418, "one_call_too_many")))
    }

    fn client(&self, max_retries: u32) -> Client {
        Client::with_parts(self.caller(max_retries), IdempotencyKey::random)
    }

    fn client_with_keys(&self, new_key: fn() -> Result<IdempotencyKey, NoRandomness>) -> Client {
        Client::with_parts(self.caller(0), new_key)
    }

    fn caller(&self, max_retries: u32) -> Caller {
        Caller {
            transport: Box::new(self.clone()),
            redactor: Redactor::new(SecretString::from(KEY)),
            backoff: Backoff::new(Timing::default(), || 1.0),
            pace: Pace::new(Timing::default().first_wait),
            max_retries,
            request_timeout: TIMEOUT,
            timing: Timing::default(),
            clock: ServerClock::new(),
            credential_origin: "a test".into(),
        }
    }

    fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }

    fn calls(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

#[async_trait]
impl Transport for Scripted {
    async fn send(&self, request: &Request) -> Result<Reply, Fault> {
        self.asked.lock().unwrap().push(request.clone());
        let mut act = (self.script.lock().unwrap())(request);
        loop {
            match act {
                Act::Answer(status, headers, body) => {
                    let mut map = HeaderMap::new();
                    for (name, value) in headers {
                        map.append(name, value.parse().unwrap());
                    }
                    return Ok(Reply {
                        status,
                        headers: map,
                        body: Ok(body.into()),
                    });
                }
                Act::Fail(fault) => return Err(fault),
                Act::After(wait, next) => {
                    tokio::time::sleep(wait).await;
                    act = *next;
                }
                Act::Hang => std::future::pending().await,
            }
        }
    }
}

/// A certificate as files hold it.
pub(super) fn pem(certificate: &rcgen::Certificate) -> String {
    let text = BASE64_STANDARD.encode(certificate.der());
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

fn id(text: &str) -> EndpointId {
    EndpointId::parse(text).unwrap()
}

fn endpoint(id: &str) -> Value {
    json!({
        "endpoint_id": id,
        "url": format!("https://{id}.example/"),
        "events": ["avatar_video.success"],
        "status": "enabled",
        "created_at": "2026-07-01T12:00:00Z",
        "secret": null,
    })
}

fn endpoint_with_secret(id: &str) -> Value {
    let mut endpoint = endpoint(id);
    endpoint["secret"] = json!("whsec_first");
    endpoint
}
