//! What goes out on the wire: an answer as it is, or spoiled by a fault.

use std::{io, time::SystemTime};

use axum::{
    body::{Body, Bytes},
    http::{
        HeaderName, HeaderValue, Response, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION},
    },
};
use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::{
    answer::{Answer, Refusal},
    faults::{BodyShape, Creation, Fault, HasMore, Replay, RetryAfter, SuccessBody},
    route::Route,
    schedule::Injected,
    undecodable::{self, written},
};

/// What becomes of a call.
#[derive(Debug)]
pub enum Outcome {
    /// An answer is sent.
    Reply(Reply),
    /// The connection is reset.
    Reset,
}

/// An answer, ready to be sent.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Empty,
    Json(Value),
    /// Almost JSON.
    Malformed(Vec<u8>),
    Html(&'static str),
    /// The first half of a JSON text whose whole length is announced.
    Half(Vec<u8>),
    /// JSON without end, as far as a client that keeps to its limit can see.
    Padding {
        chunks: usize,
    },
}

const PADDING: &[u8] = &[b'x'; 64 * 1024];
const CHUNKS_PER_MIB: usize = 1024 * 1024 / PADDING.len();

impl Outcome {
    /// The status that is answered; none for a connection that is reset.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Reply(reply) => Some(reply.status.as_u16()),
            Self::Reset => None,
        }
    }

    /// Whether an answer is sent that has a secret in its place, and can be read.
    pub fn tells_secret(&self) -> bool {
        match self {
            Self::Reply(Reply {
                content: Content::Json(body),
                ..
            }) => {
                let secret = &body["data"]["secret"];
                secret.is_string() && !undecodable::is_stand_in(secret)
            }
            _ => false,
        }
    }
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self {
            status: answer.status,
            headers: answer.headers,
            content: Content::Json(answer.body),
        }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        Answer::from(refusal).into()
    }
}

impl Reply {
    /// As a response that carries this request id under this name.
    pub fn into_response(self, (name, id): (HeaderName, HeaderValue)) -> Response<Body> {
        let (content_type, length, body) = match self.content {
            Content::Empty => (None, None, Body::empty()),
            Content::Json(body) => (Some(JSON), None, Body::from(written(&body))),
            Content::Malformed(text) => (Some(JSON), None, Body::from(text)),
            Content::Html(text) => (Some(HTML), None, Body::from(text)),
            Content::Half(text) => (Some(JSON), Some(text.len()), half(text)),
            Content::Padding { chunks } => (Some(JSON), None, padding(chunks)),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(name, id);
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if let Some(length) = length {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        for (name, value) in self.headers {
            // A header that cannot be written is one no server could send.
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
        response
    }
}

/// What a fault answers where the API's own answer plays no part. `now` is the time at HeyGen's.
pub fn in_place_of_answer(fault: &Fault, route: Route, now: OffsetDateTime) -> Option<Outcome> {
    let reply = match fault {
        Fault::RateLimit { retry_after } => Refusal::rate_limited(retry_after.text(now)).into(),
        Fault::InProgress => Refusal::in_progress().into(),
        Fault::Unauthorized => Refusal::unauthorized().into(),
        Fault::NotFound => Refusal::no_endpoint().into(),
        Fault::Reset { .. }
        | Fault::TwinBefore {
            creation: Creation::Lost | Creation::Undone,
            ..
        }
        | Fault::TwinDuring {
            creation: Creation::Lost | Creation::Undone,
        } => return Some(Outcome::Reset),
        Fault::Redirect { location } => Reply {
            status: StatusCode::TEMPORARY_REDIRECT,
            headers: vec![(LOCATION, location.clone())],
            content: Content::Empty,
        },
        Fault::Status { status, body, .. } => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY);
            from_the_edge(status, *body)
        }
        Fault::ErrorInSuccess { .. } => Answer::error_in_success(route).into(),
        _ => return None,
    };
    Some(Outcome::Reply(reply))
}

/// A success that tells nothing, in place of one that does. An error stays what it is.
pub fn bare(body: SuccessBody, reply: Reply) -> Reply {
    if !reply.status.is_success() {
        return reply;
    }
    let (status, content) = match body {
        SuccessBody::NoContent => (StatusCode::NO_CONTENT, Content::Empty),
        SuccessBody::Empty => (StatusCode::OK, Content::Empty),
        SuccessBody::EmptyObject => (StatusCode::OK, Content::Json(json!({}))),
        SuccessBody::Html => (StatusCode::OK, Content::Html(PAGE)),
    };
    Reply {
        status,
        content,
        headers: reply.headers,
    }
}

/// The API's answer, of this body, after the fault has been at it. `now` is the time at HeyGen's.
pub fn spoiled(injected: &Injected, route: Route, mut body: Value, mut reply: Reply, now: OffsetDateTime) -> Outcome {
    let salt = injected.salt;
    match &injected.fault {
        Fault::Truncated => reply.content = Content::Half(written(&body)),
        Fault::MalformedJson => {
            let mut text = written(&body);
            while text.pop_if(|last| *last == b'}').is_some() {}
            text.extend(b"}]");
            reply.content = Content::Malformed(text);
        }
        Fault::MissingField { field } => {
            alter(&mut body, field.as_deref(), salt, |_| None);
            reply.content = Content::Json(body);
        }
        Fault::NullField { field } => {
            alter(&mut body, field.as_deref(), salt, |_| Some(Value::Null));
            reply.content = Content::Json(body);
        }
        Fault::WrongType { field } => {
            alter(&mut body, field.as_deref(), salt, |value| Some(other_type(value)));
            reply.content = Content::Json(body);
        }
        Fault::UndecodableValue { value, field } => {
            put(&mut body, field.as_deref(), salt, value.stand_in());
            reply.content = Content::Json(body);
        }
        Fault::UnclearPage { has_more } => {
            match has_more {
                HasMore::Missing => alter(&mut body, Some("has_more"), salt, |_| None),
                HasMore::Null => alter(&mut body, Some("has_more"), salt, |_| Some(Value::Null)),
                HasMore::Text => alter(&mut body, Some("has_more"), salt, |_| Some(json!("false"))),
            }
            reply.content = Content::Json(body);
        }
        Fault::SecretWithoutId { .. } => {
            take_apart(&mut body, Replay::SecretAlone);
            reply.content = Content::Json(body);
        }
        Fault::BareSuccess { body } => reply = bare(*body, reply),
        Fault::OddItem { endpoint_id, oddity } => {
            if let Some(item) = item(&mut body, endpoint_id) {
                oddity.apply(item);
            }
            reply.content = Content::Json(body);
        }
        Fault::Oversized { mib } => {
            let chunks = CHUNKS_PER_MIB * usize::try_from(*mib).unwrap_or(64).min(64);
            reply.content = Content::Padding { chunks };
        }
        fault => {
            if let Some(outcome) = in_place_of_answer(fault, route, now) {
                return outcome;
            }
        }
    }
    Outcome::Reply(reply)
}

/// Leaves the id or the secret in the answer to a creation, and not both.
pub fn take_apart(body: &mut Value, replay: Replay) {
    if let Some(Value::Object(data)) = body.get_mut("data") {
        match replay {
            Replay::IdAlone => drop(data.insert("secret".to_owned(), Value::Null)),
            Replay::SecretAlone => drop(data.remove("endpoint_id")),
        }
    }
}

const JSON: &str = "application/json";
const HTML: &str = "text/html";
const PAGE: &str = "<html><head><title>Error</title></head><body><h1>The server had a moment</h1></body></html>\n";

/// The fields that chance changes: all that tell a client something.
const FIELDS: [&str; 13] = [
    "code",
    "created_at",
    "data",
    "endpoint_id",
    "error",
    "event_data",
    "events",
    "event_type",
    "has_more",
    "next_token",
    "secret",
    "status",
    "url",
];

fn from_the_edge(status: StatusCode, body: BodyShape) -> Reply {
    let content = match body {
        BodyShape::Json => return Refusal::server_error(status).into(),
        BodyShape::Html => Content::Html(PAGE),
        BodyShape::Empty => Content::Empty,
    };
    Reply {
        status,
        headers: Vec::new(),
        content,
    }
}

impl RetryAfter {
    fn text(&self, now: OffsetDateTime) -> Option<String> {
        match self {
            Self::Absent => None,
            Self::Seconds(seconds) => Some(seconds.to_string()),
            Self::Text(text) => Some(text.clone()),
            Self::DateIn(seconds) => {
                let at = now.saturating_add(Duration::seconds(*seconds));
                // The format begins with 1970 and ends with 9999.
                let at = at.max(OffsetDateTime::UNIX_EPOCH);
                Some(httpdate::fmt_http_date(SystemTime::from(at)))
            }
        }
    }
}

/// The item of a list that is this endpoint's.
fn item<'a>(body: &'a mut Value, endpoint_id: &str) -> Option<&'a mut Value> {
    let items = body.get_mut("data")?.as_array_mut()?;
    items.iter_mut().find(|item| item["endpoint_id"] == endpoint_id)
}

/// Changes (or with `None` removes) one field: the one named, or any that is not null.
fn alter(body: &mut Value, named: Option<&str>, salt: u64, change: impl FnOnce(&Value) -> Option<Value>) {
    let mut places = Vec::new();
    find_fields(body, "", named, &mut places);
    let chosen = usize::try_from(salt).unwrap_or(usize::MAX) % places.len().max(1);
    let Some((parent, field)) = places.into_iter().nth(chosen) else {
        *body = json!({});
        return;
    };
    let Some(Value::Object(object)) = body.pointer_mut(&parent) else {
        return;
    };
    match object.get(&field).and_then(change) {
        Some(value) => object.insert(field, value),
        None => object.remove(&field),
    };
}

/// Gives one field this value: the one named, be it new, or else any that is not null, an event, or a new one.
fn put(body: &mut Value, named: Option<&str>, salt: u64, value: Value) {
    let mut places = Vec::new();
    find_fields(body, "", named, &mut places);
    if named.is_none() || places.is_empty() {
        find_new_places(body, "", named, &mut places);
    }
    let chosen = usize::try_from(salt).unwrap_or(usize::MAX) % places.len().max(1);
    let Some((parent, field)) = places.into_iter().nth(chosen) else {
        return;
    };
    match body.pointer_mut(&parent) {
        Some(Value::Object(object)) => drop(object.insert(field, value)),
        Some(parent) => {
            if let Some(member) = parent.pointer_mut(&format!("/{field}")) {
                *member = value;
            }
        }
        None => {}
    }
}

/// Collects the places of fields that are not there yet, the innermost objects first, and, where none is named, of events.
fn find_new_places(value: &Value, at: &str, named: Option<&str>, places: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                find_new_places(value, &format!("{at}/{name}"), named, places);
            }
            places.push((at.to_owned(), named.unwrap_or("remark").to_owned()));
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find_new_places(item, &format!("{at}/{index}"), named, places);
                if named.is_none() && item.is_string() {
                    places.push((at.to_owned(), index.to_string()));
                }
            }
        }
        _ => {}
    }
}

/// Collects (pointer to the object, name) of the candidates, depth first.
fn find_fields(value: &Value, at: &str, named: Option<&str>, places: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let wanted = match named {
                    Some(named) => name == named,
                    None => FIELDS.contains(&name.as_str()) && !value.is_null(),
                };
                if wanted {
                    places.push((at.to_owned(), name.clone()));
                }
                find_fields(value, &format!("{at}/{name}"), named, places);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find_fields(item, &format!("{at}/{index}"), named, places);
            }
        }
        _ => {}
    }
}

fn other_type(value: &Value) -> Value {
    match value {
        Value::String(_) | Value::Null => json!(17),
        Value::Bool(_) => json!("yes"),
        Value::Number(_) => json!([]),
        Value::Array(_) => json!({ "items": "none" }),
        Value::Object(_) => json!("an object"),
    }
}

/// The first half is on its way before the connection ends: the pause lets it be flushed.
fn half(mut text: Vec<u8>) -> Body {
    text.truncate(text.len() / 2);
    let first = Bytes::from(text);
    let end = async {
        tokio::task::yield_now().await;
        Err(io::Error::other("the answer ends here"))
    };
    Body::from_stream(stream::iter([Ok(first)]).chain(stream::once(end)))
}

fn padding(chunks: usize) -> Body {
    let begin = stream::iter([Bytes::from_static(b"{\"data\":\"")]);
    let middle = stream::repeat(Bytes::from_static(PADDING)).take(chunks);
    let end = stream::iter([Bytes::from_static(b"\"}")]);
    Body::from_stream(begin.chain(middle).chain(end).map(Ok::<_, io::Error>))
}
