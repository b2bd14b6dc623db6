//! Events sent to a receiver, signed as HeyGen signs them.

use std::{
    fmt::Write as _,
    net::SocketAddr,
    pin::pin,
    time::{Duration, SystemTime},
};

use axum::{
    body::Body,
    http::{Request, Uri, header},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::Sha256;
use tokio::net::TcpStream;

use super::store::Endpoint;

/// HeyGen waits so long for a receiver.
const LONGEST_ANSWER: Duration = Duration::from_secs(10);

/// More attempts than this are not made.
const MOST_ATTEMPTS: u32 = 10;

/// An event to be delivered.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// Whose current secret signs it.
    pub endpoint_id: String,
    /// Where it is really sent: an `http` URL of a loopback address. The endpoint's own URL is a
    /// public one that nobody answers here.
    pub via: String,
    /// Such as `avatar_video.success`.
    pub event_type: String,
    /// The event itself.
    #[serde(default)]
    pub event_data: Map<String, Value>,
    /// Echoed as `event_data.callback_id`, as for the one-off callbacks of a video.
    #[serde(default)]
    pub callback_id: Option<String>,
    /// Seconds added to the timestamp; negative is in the past.
    #[serde(default)]
    pub clock_skew: i64,
    /// The body is changed after it was signed.
    #[serde(default)]
    pub tampered: bool,
    /// It goes without its signature: HeyGen documents none for callbacks.
    #[serde(default)]
    pub unsigned: bool,
    /// How often it is tried until the receiver answers 2xx; 1 to 10.
    #[serde(default = "one")]
    pub attempts: u32,
}

/// An event to be delivered to every endpoint that receives it: the enabled ones that want its type, of its entity or of
/// none. The switch `event_ids` decides whether they all get it with one id.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryToAll {
    /// Where it is really sent: an `http` URL of a loopback address without a path. Path and query are those of each
    /// endpoint's own URL.
    pub via: String,
    /// Such as `avatar_video.success`.
    pub event_type: String,
    /// The event itself.
    #[serde(default)]
    pub event_data: Map<String, Value>,
    /// What the event is about. Endpoints of another entity do not receive it.
    #[serde(default)]
    pub entity_id: Option<String>,
    /// How often each delivery is tried until the receiver answers 2xx; 1 to 10.
    #[serde(default = "one")]
    pub attempts: u32,
}

/// What a receiver made of a delivery.
#[derive(Clone, Debug, Serialize)]
pub struct Delivered {
    /// Whose delivery it was.
    pub endpoint_id: String,
    /// `Heygen-Event-Id`, the same in every attempt.
    pub event_id: String,
    /// What was sent, to the byte.
    pub body: String,
    /// `Heygen-Signature`, also where it was not sent.
    pub signature: String,
    /// Whether the last attempt was answered with 2xx.
    pub accepted: bool,
    /// One per attempt.
    pub attempts: Vec<Attempt>,
}

/// One attempt of a delivery.
#[derive(Clone, Debug, Serialize)]
pub struct Attempt {
    /// What the receiver answered.
    pub status: Option<u16>,
    /// Why there is no answer.
    pub error: Option<String>,
}

/// A delivery ready to be sent.
#[derive(Debug)]
pub struct Signed {
    endpoint_id: String,
    event_id: String,
    body: String,
    signature: String,
    unsigned: bool,
    clock_skew: i64,
    attempts: u32,
    receiver: Receiver,
}

#[derive(Debug)]
struct Receiver {
    address: SocketAddr,
    path: String,
}

impl Delivery {
    /// What goes to the receiver as `event_data`.
    pub fn event_data(&self) -> Map<String, Value> {
        let mut data = self.event_data.clone();
        if let Some(callback_id) = &self.callback_id {
            data.insert("callback_id".to_owned(), json!(callback_id));
        }
        data
    }

    /// Writes and signs the body. An error says why `via` is no address of a receiver.
    pub fn sign(&self, event_id: String, secret: &str) -> Result<Signed, String> {
        let receiver = Receiver::parse(&self.via)?;
        let body = json!({ "event_type": self.event_type, "event_data": self.event_data() });
        let body = body.to_string();
        let signature = signature(secret.as_bytes(), body.as_bytes());
        let sent = if self.tampered {
            body.replacen(&self.event_type, "tampered", 1)
        } else {
            body
        };
        Ok(Signed {
            endpoint_id: self.endpoint_id.clone(),
            event_id,
            body: sent,
            signature,
            unsigned: self.unsigned,
            clock_skew: self.clock_skew,
            attempts: self.attempts.clamp(1, MOST_ATTEMPTS),
            receiver,
        })
    }
}

impl DeliveryToAll {
    /// Whether this endpoint receives the event.
    pub fn reaches(&self, endpoint: &Endpoint) -> bool {
        let wants = endpoint.events.as_ref();
        let same_entity = endpoint.entity_id.is_none() || endpoint.entity_id == self.entity_id;
        endpoint.status == "enabled" && same_entity && wants.is_none_or(|events| events.contains(&self.event_type))
    }

    /// The delivery to one endpoint, at the path and query of its own URL. An error says why that cannot be.
    pub fn to(&self, endpoint: &Endpoint) -> Result<Delivery, String> {
        let receiver: Uri = self.via.parse().map_err(|_| refusal(&self.via))?;
        if receiver.path() != "/" || receiver.query().is_some() {
            return Err(format!("via must be without a path and a query, not {}", self.via));
        }
        let own = endpoint.url.parse::<Uri>();
        let own = own.map_err(|error| format!("the URL of {}: {error}", endpoint.endpoint_id))?;
        let own = own.path_and_query().map_or("/", |path| path.as_str());
        Ok(Delivery {
            endpoint_id: endpoint.endpoint_id.clone(),
            via: format!("{}{own}", self.via.trim_end_matches('/')),
            event_type: self.event_type.clone(),
            event_data: self.event_data.clone(),
            callback_id: None,
            clock_skew: 0,
            tampered: false,
            unsigned: false,
            attempts: self.attempts,
        })
    }
}

impl Signed {
    /// Sends it until it is accepted or the attempts are used up, with growing pauses.
    pub async fn send(self) -> Delivered {
        let mut attempts = Vec::new();
        let mut pause = Duration::from_millis(50);
        loop {
            let sent = tokio::time::timeout(LONGEST_ANSWER, self.attempt()).await;
            let sent = sent.unwrap_or_else(|_| Err("no answer within 10 seconds".into()));
            let accepted = matches!(sent, Ok(200..300));
            attempts.push(match sent {
                Ok(status) => Attempt {
                    status: Some(status),
                    error: None,
                },
                Err(error) => Attempt {
                    status: None,
                    error: Some(error.to_string()),
                },
            });
            if accepted || attempts.len() >= self.attempts as usize {
                return Delivered {
                    endpoint_id: self.endpoint_id,
                    event_id: self.event_id,
                    body: self.body,
                    signature: self.signature,
                    accepted,
                    attempts,
                };
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    async fn attempt(&self) -> Result<u16, Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(self.receiver.address).await?;
        let (mut sender, connection) = http1::handshake::<_, Body>(TokioIo::new(stream)).await?;
        let now = SystemTime::UNIX_EPOCH.elapsed()?.as_secs();
        let timestamp = now.saturating_add_signed(self.clock_skew);
        let mut request = Request::post(self.receiver.path.as_str())
            .header(header::HOST, self.receiver.address.to_string())
            .header(header::CONTENT_TYPE, "application/json")
            .header("Heygen-Timestamp", timestamp)
            .header("Heygen-Event-Id", &self.event_id);
        if !self.unsigned {
            request = request.header("Heygen-Signature", &self.signature);
        }
        let request = request.body(Body::from(self.body.clone()))?;
        let mut answered = pin!(sender.send_request(request));
        tokio::select! {
            // The connection only makes progress while it is polled; mostly it outlasts the answer.
            biased;
            response = &mut answered => Ok(response?.status().as_u16()),
            // An answer that came before its end is there by now, and if there is none, this says so.
            _ = connection => Ok(answered.await?.status().as_u16()),
        }
    }
}

impl Receiver {
    fn parse(via: &str) -> Result<Self, String> {
        let refuse = || refusal(via);
        let uri: Uri = via.parse().map_err(|_| refuse())?;
        let host = uri.host().filter(|_| uri.scheme_str() == Some("http"));
        let host = match host {
            Some("localhost") => "127.0.0.1",
            host => host.ok_or_else(refuse)?,
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let address: std::net::IpAddr = host.parse().map_err(|_| refuse())?;
        if !address.is_loopback() {
            return Err(refuse());
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            address: SocketAddr::new(address, uri.port_u16().unwrap_or(80)),
            path: path.to_owned(),
        })
    }
}

fn refusal(via: &str) -> String {
    format!("via must be an http URL of a loopback address, not {via}")
}

/// Hex HMAC-SHA256 of the raw body, keyed with the secret as it was given.
pub fn signature(secret: &[u8], body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(body);
    let mut hex = String::with_capacity(64);
    for byte in mac.finalize().into_bytes() {
        write!(hex, "{byte:02x}").expect("a string takes what is written to it");
    }
    hex
}

fn one() -> u32 {
    1
}
