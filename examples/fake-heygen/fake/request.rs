//! Strict reading of requests: everything the API would refuse is refused here, by name.

use axum::http::{HeaderMap, HeaderName, header::AUTHORIZATION, header::CONTENT_TYPE};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use url::Url;

use super::{answer::Refusal, behaviour::Behaviour};

/// The longest URL that is taken, in bytes.
const LONGEST_URL: usize = 2048;

/// What a body says about a field that may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Given<T> {
    /// The field is not there.
    #[default]
    Absent,
    /// It is `null`.
    Null,
    /// It has a value.
    Value(T),
}

impl<T> Given<T> {
    /// The value, if there is one.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// Puts what was given in the place of what is there; nothing, if the field is not there.
    pub fn replace(self, there: &mut Option<T>) {
        match self {
            Self::Absent => {}
            Self::Null => *there = None,
            Self::Value(value) => *there = Some(value),
        }
    }
}

/// A field that is there is null or a value; that it is absent is its default.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Option::deserialize(deserializer)?;
        Ok(given.map_or(Self::Null, Self::Value))
    }
}

/// The body of a create or an update.
#[derive(Clone, Debug)]
pub struct EndpointBody {
    /// An absolute `https` URL.
    pub url: Given<String>,
    /// Known event types, each once, in the order given; never empty.
    pub events: Given<Vec<String>>,
    /// Only a create may name it.
    pub entity_id: Given<String>,
}

/// Which body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyOf {
    /// `url`, `events`, `entity_id`.
    Create,
    /// `url`, `events`.
    Update,
}

/// The query of a list.
#[derive(Debug)]
pub struct Paging<const FILTERS: usize> {
    /// 1 to 100.
    pub limit: usize,
    /// The place a cursor stands for.
    pub after: Option<u64>,
    /// The cursor as it came.
    pub token: Option<String>,
    /// The filters, in the order of the names asked for.
    pub filters: [Option<String>; FILTERS],
}

/// How a request stands to one kind of credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Credential {
    /// The header is not there.
    Absent,
    /// It holds what this account expects.
    Right,
    /// It holds something else.
    Wrong,
}

/// The two kinds of credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Credentials {
    /// `X-Api-Key`
    pub api_key: Credential,
    /// `Authorization: Bearer`
    pub bearer: Credential,
}

impl Credentials {
    /// Compares what a request carries with what the account expects.
    pub fn of(headers: &HeaderMap, api_key: &str, access_token: &str) -> Self {
        let bearer = format!("Bearer {access_token}");
        Self {
            api_key: credential(headers, &HeaderName::from_static("x-api-key"), api_key),
            bearer: credential(headers, &AUTHORIZATION, &bearer),
        }
    }

    /// Exactly one kind, and that one right.
    pub fn check(self) -> Result<(), Refusal> {
        match (self.api_key, self.bearer) {
            (Credential::Right, Credential::Absent) | (Credential::Absent, Credential::Right) => Ok(()),
            (_, Credential::Absent) | (Credential::Absent, _) => Err(Refusal::unauthorized()),
            _ => Err(Refusal::two_credentials()),
        }
    }
}

fn credential(headers: &HeaderMap, name: &HeaderName, expected: &str) -> Credential {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Credential::Absent,
        (Some(value), None) if value.as_bytes() == expected.as_bytes() => Credential::Right,
        _ => Credential::Wrong,
    }
}

/// The key of a `POST`: 1 to 255 of `[A-Za-z0-9_:.-]`.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let mut keys = headers.get_all("idempotency-key").iter();
    let Some(key) = keys.next() else {
        return Ok(None);
    };
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"_:.-".contains(byte);
    match key.to_str() {
        Ok(text) if (1..=255).contains(&text.len()) && text.as_bytes().iter().all(allowed) && keys.next().is_none() => {
            Ok(Some(text.to_owned()))
        }
        _ => Err(Refusal::invalid(
            "Idempotency-Key",
            "Idempotency-Key must be 1 to 255 of A-Z a-z 0-9 _ : . -",
        )),
    }
}

/// Whether the query of a list asks for a page that follows another.
pub fn has_cursor(query: &str) -> bool {
    url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "token")
}

/// Whether a body says `"events": null`.
pub fn nulls_events(body: &Value) -> bool {
    body.get("events").is_some_and(Value::is_null)
}

/// The body of a create or an update.
pub fn endpoint_body(
    of: BodyOf,
    headers: &HeaderMap,
    body: &[u8],
    behaviour: &Behaviour,
) -> Result<EndpointBody, Refusal> {
    let fields: &[&str] = match of {
        BodyOf::Create => &["url", "events", "entity_id"],
        BodyOf::Update => &["url", "events"],
    };
    let mut body = json_object(headers, body)?;
    known_fields_only(&body, fields)?;
    let url = string(&mut body, "url")?;
    if let Given::Value(url) = &url {
        check_url(url, behaviour)?;
    }
    let body = EndpointBody {
        url,
        events: events(&mut body, behaviour)?,
        entity_id: string(&mut body, "entity_id")?,
    };
    if of == BodyOf::Create && !matches!(body.url, Given::Value(_)) {
        return Err(Refusal::invalid("url", "url is required."));
    }
    Ok(body)
}

/// The body of a call that has none: nothing, or an object without fields.
pub fn no_body(body: &[u8]) -> Result<(), Refusal> {
    if body.is_empty() {
        return Ok(());
    }
    known_fields_only(&parse_object(body)?, &[])
}

/// The query of a list: `limit`, `token`, and the filters it may have.
pub fn paging<const FILTERS: usize>(
    query: &str,
    default_limit: usize,
    filters: [&str; FILTERS],
) -> Result<Paging<FILTERS>, Refusal> {
    let mut paging = Paging {
        limit: default_limit,
        after: None,
        token: None,
        filters: [const { None }; FILTERS],
    };
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if let Some(filter) = filters.iter().position(|filter| *filter == name) {
            paging.filters[filter] = Some(value.into_owned());
        } else if name == "limit" {
            let limit = value.parse().ok().filter(|limit| (1..=100).contains(limit));
            paging.limit = limit.ok_or_else(|| Refusal::invalid("limit", "limit must be between 1 and 100."))?;
        } else if name == "token" {
            let place = cursor_place(&value);
            paging.after = Some(place.ok_or_else(|| Refusal::invalid("token", "token is not a valid cursor."))?);
            paging.token = Some(value.into_owned());
        } else {
            return Err(Refusal::invalid(&name, "Unknown query parameter."));
        }
    }
    Ok(paging)
}

/// The opaque cursor of a place.
pub fn cursor(place: u64) -> String {
    URL_SAFE_NO_PAD.encode(format!("cursor/1/{place}"))
}

fn cursor_place(token: &str) -> Option<u64> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    text.strip_prefix("cursor/1/")?.parse().ok()
}

fn json_object(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next());
    if !essence.is_some_and(|value| value.trim().eq_ignore_ascii_case("application/json")) {
        let message = "The body must be sent as application/json.";
        return Err(Refusal::invalid_body(message));
    }
    parse_object(body)
}

fn parse_object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(Refusal::invalid_body("The body must be a JSON object.")),
    }
}

fn known_fields_only(body: &Map<String, Value>, known: &[&str]) -> Result<(), Refusal> {
    match body.keys().find(|field| !known.contains(&field.as_str())) {
        Some(field) => Err(Refusal::invalid(field, format!("Unknown field {field}."))),
        None => Ok(()),
    }
}

fn string(body: &mut Map<String, Value>, field: &str) -> Result<Given<String>, Refusal> {
    match body.remove(field) {
        None => Ok(Given::Absent),
        Some(Value::Null) => Ok(Given::Null),
        Some(Value::String(text)) => Ok(Given::Value(text)),
        Some(_) => Err(Refusal::invalid(field, format!("{field} must be a string."))),
    }
}

fn events(body: &mut Map<String, Value>, behaviour: &Behaviour) -> Result<Given<Vec<String>>, Refusal> {
    let list = match body.remove("events") {
        None => return Ok(Given::Absent),
        Some(Value::Null) => return Ok(Given::Null),
        Some(Value::Array(list)) if !list.is_empty() => list,
        Some(_) => {
            let message = "events must be null or a list of event types.";
            return Err(Refusal::invalid("events", message));
        }
    };
    let mut events: Vec<String> = Vec::with_capacity(list.len());
    for event in list {
        let known = event.as_str().filter(|event| {
            let mut types = behaviour.event_types();
            types.any(|known| known == *event)
        });
        let Some(known) = known else {
            let message = format!("{event} is not an event type.");
            return Err(Refusal::invalid("events", message));
        };
        if !events.iter().any(|event| event == known) {
            events.push(known.to_owned());
        }
    }
    Ok(Given::Value(events))
}

fn check_url(url: &str, behaviour: &Behaviour) -> Result<(), Refusal> {
    let refuse = |message: &str| Err(Refusal::invalid("url", message));
    if url.len() > LONGEST_URL {
        return refuse("url is too long.");
    }
    match Url::parse(url) {
        Ok(parsed) if parsed.scheme() == "https" && parsed.has_host() => {}
        _ => return refuse("url must be an absolute https URL."),
    }
    if behaviour.unreachable_receivers.iter().any(|it| it == url) {
        return refuse("The webhook URL did not answer an OPTIONS request within one second.");
    }
    Ok(())
}
