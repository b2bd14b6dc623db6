//! Decodes answers. It is lenient about what is new or optional, and strict only about what a call was made for.
//!
//! All text is in Unicode's form NFC.
//!
//! The reasons given here name fields and never quote what is in them: an answer may hold a secret.

use std::fmt;

use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization;

use secrecy::SecretString;

use super::redact::Redactor;
use super::{CreatedEndpoint, Endpoint, EndpointId, Event, EventType, Events, Fault, Field, FieldError, ListItem};

/// A longer cursor is refused: it has to fit into a URL.
const MAX_CURSOR_BYTES: usize = 4096;

/// What is wrong with an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DecodeError(String);

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

type Decoded<T> = Result<T, DecodeError>;
type Object = Map<String, Value>;

/// One page of a list.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    /// The cursor of the next page; `None` on the last one.
    pub(super) next: Option<String>,
}

/// The answer to a creation: the endpoint, and its secret if there is one. Nothing but the id is needed.
pub(super) fn created(body: &[u8]) -> Decoded<CreatedEndpoint> {
    let data = object(envelope(body)?.1, "data")?;
    Ok(CreatedEndpoint {
        endpoint: endpoint_in(id_in(&data, "data")?, &data),
        secret: secret_in(&data),
    })
}

/// The secret in an answer to a creation that is otherwise of no use.
pub(super) fn secret_of_unidentified(body: &[u8]) -> Option<SecretString> {
    secret_in(&object(envelope(body).ok()?.1, "data").ok()?)
}

/// Decodes the answer to an update of `id`, which may be empty or any JSON object, into what it says of the events.
pub(super) fn updated(body: &[u8], id: &EndpointId) -> Decoded<Field<Events>> {
    let mut answer = confirmation(body)?;
    let Some(Value::Object(data)) = answer.remove("data") else {
        return Ok(Err(FieldError::Missing));
    };
    check_id(&data, id)?;
    Ok(match data.get("events") {
        None => Err(FieldError::Missing),
        Some(_) => events_in(&data),
    })
}

/// The answer to a rotation of the secret of `id`.
pub(super) fn rotated(body: &[u8], id: &EndpointId) -> Decoded<SecretString> {
    let data = object(envelope(body)?.1, "data")?;
    check_id(&data, id)?;
    secret_in(&data).ok_or_else(|| DecodeError("`data.secret` is missing, or not text".to_owned()))
}

/// The answer to a delete: nothing, or any JSON object.
pub(super) fn deleted(body: &[u8]) -> Decoded<()> {
    confirmation(body).map(drop)
}

/// An answer that says that something was done. A page of HTML with status 200 confirms nothing, and neither does an
/// error with that status.
fn confirmation(body: &[u8]) -> Decoded<Object> {
    if body.trim_ascii().is_empty() {
        return Ok(Object::new());
    }
    let answer = object(json(body)?, "the answer")?;
    match answer.get("error") {
        None | Some(Value::Null) => Ok(answer),
        Some(_) => Err(DecodeError("it says \"done\" and holds an error".to_owned())),
    }
}

/// One page of the list of endpoints. Only creating and rotating answer a secret: what a list may hold in its place is
/// not looked at.
pub(super) fn endpoints(body: &[u8]) -> Decoded<Page<ListItem>> {
    page(body, |item| match item {
        Value::Object(object) => endpoint_in(id_field(&object), &object),
        _ => ListItem::unreadable(),
    })
}

/// One page of the list of event types.
pub(super) fn event_types(body: &[u8]) -> Decoded<Page<EventType>> {
    page(body, |item| EventType {
        name: text_in(&item, "event_type"),
        description: text_in(&item, "description"),
    })
}

/// One page of the history of events.
pub(super) fn events(body: &[u8]) -> Decoded<Page<Event>> {
    page(body, |item| Event {
        id: text_in(&item, "event_id"),
        event_type: text_in(&item, "event_type"),
        data: match item.get("event_data") {
            Some(data @ Value::Object(_)) => Ok(nfc(&data.to_string())),
            None | Some(Value::Null) => Err(FieldError::Missing),
            Some(_) => Err(FieldError::Malformed),
        },
        created_at: text_in(&item, "created_at"),
    })
}

/// One page of a list. It must say whether there are more pages, so that a part of a list is never taken for the whole.
/// Items are read as far as they can be; whoever needs a field decides what to do if it is missing or malformed.
fn page<T>(body: &[u8], item_in: impl Fn(Value) -> T) -> Decoded<Page<T>> {
    let (rest, data) = envelope(body)?;
    let Value::Array(items) = data else {
        return Err(DecodeError("`data` is not a list".to_owned()));
    };
    let items = items.into_iter().map(item_in).collect();
    let next = match (rest.get("has_more"), rest.get("next_token")) {
        (Some(Value::Bool(false)), _) => None,
        (Some(Value::Bool(true)), Some(Value::String(token))) if !token.is_empty() => {
            if token.len() > MAX_CURSOR_BYTES {
                return Err(DecodeError(
                    "`next_token` is longer than a cursor has reason to be".to_owned(),
                ));
            }
            Some(token.clone())
        }
        (Some(Value::Bool(true)), _) => {
            return Err(DecodeError(
                "`has_more` is true, but there is no `next_token`".to_owned(),
            ));
        }
        _ => return Err(DecodeError("`has_more` is missing".to_owned())),
    };
    Ok(Page { items, next })
}

/// Decodes an error answer: HeyGen's envelope, or, where it is none, whatever explanation the body has.
pub(super) fn refusal(status: u16, body: &[u8], redactor: &Redactor) -> Fault {
    let envelope = serde_json::from_slice::<Value>(body).ok();
    let error = envelope.as_ref().and_then(|envelope| envelope.get("error"));
    let text = |key| error.and_then(|error| error.get(key)).and_then(Value::as_str);
    let message = text("message").or_else(|| error.and_then(Value::as_str));
    Fault::Refused {
        status,
        code: text("code").and_then(|code| redactor.name(code)),
        message: match message {
            Some(message) => redactor.explanation(message),
            None if envelope.is_some() => String::new(),
            None => redactor.explanation(&explanation_in(body)),
        },
        param: text("param").and_then(|param| redactor.name(param)),
    }
}

/// The explanation in a body that is not JSON: the title of a page of HTML, or the text itself.
fn explanation_in(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if !text.starts_with('<') {
        return text.to_owned();
    }
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title>").map(|at| at + "<title>".len()).and_then(|start| {
        let length = lower[start..].find('<')?;
        Some(&text[start..start + length])
    });
    title.unwrap_or("a page instead of an explanation").to_owned()
}

fn endpoint_in<Id>(id: Id, object: &Object) -> Endpoint<Id> {
    Endpoint {
        id,
        url: text_field(object.get("url")),
        events: events_in(object),
        status: text_field(object.get("status")),
        created_at: text_field(object.get("created_at")),
    }
}

/// Reads `events`, in which null and a missing field both mean all events.
fn events_in(object: &Object) -> Field<Events> {
    match object.get("events") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(events)) => {
            let names = events.iter().map(|event| event.as_str().map(nfc));
            names.collect::<Option<_>>().map(Some).ok_or(FieldError::Malformed)
        }
        Some(_) => Err(FieldError::Malformed),
    }
}

fn id_in(object: &Object, at: &str) -> Decoded<EndpointId> {
    match object.get("endpoint_id") {
        Some(Value::String(text)) => EndpointId::parse(text)
            .map_err(|reason| DecodeError(format!("`{at}.endpoint_id` is not an endpoint id: {reason}"))),
        None | Some(Value::Null) => Err(DecodeError(format!("`{at}.endpoint_id` is missing"))),
        Some(_) => Err(DecodeError(format!("`{at}.endpoint_id` is not text"))),
    }
}

fn id_field(object: &Object) -> Field<EndpointId> {
    match object.get("endpoint_id") {
        Some(Value::String(text)) => EndpointId::parse(text).map_err(|_| FieldError::Malformed),
        None | Some(Value::Null) => Err(FieldError::Missing),
        Some(_) => Err(FieldError::Malformed),
    }
}

/// The secret, if there is one: a text that is not empty.
fn secret_in(object: &Object) -> Option<SecretString> {
    match object.get("secret") {
        Some(Value::String(secret)) if !secret.is_empty() => Some(SecretString::from(nfc(secret))),
        _ => None,
    }
}

/// A member of an item of a list; an item that is no object has none.
fn text_in(item: &Value, key: &str) -> Field<String> {
    text_field(item.get(key))
}

fn text_field(value: Option<&Value>) -> Field<String> {
    match value {
        Some(Value::String(text)) => Ok(nfc(text)),
        None | Some(Value::Null) => Err(FieldError::Missing),
        Some(_) => Err(FieldError::Malformed),
    }
}

/// Text in Unicode's form NFC, in which Terraform keeps it: what is compared later with what Terraform hands back has
/// to be in that form. An id is not brought to it, because it is also sent back to HeyGen: one in another form is
/// malformed.
fn nfc(text: &str) -> String {
    // Most text is ASCII, which is in every normal form as it is.
    if text.is_ascii() {
        text.to_owned()
    } else {
        text.nfc().collect()
    }
}

/// Refuses an answer about another endpoint than the one that was asked for. An answer without an id is accepted.
fn check_id(data: &Object, requested: &EndpointId) -> Decoded<()> {
    match data.get("endpoint_id") {
        Some(Value::String(answered)) if answered != requested.as_str() => {
            Err(DecodeError("it is about another endpoint".to_owned()))
        }
        _ => Ok(()),
    }
}

/// Opens the envelope of an answer that reports success: its other members, and its `data`.
fn envelope(body: &[u8]) -> Decoded<(Object, Value)> {
    let mut rest = object(json(body)?, "the answer")?;
    let data = rest
        .remove("data")
        .ok_or_else(|| DecodeError("`data` is missing".to_owned()))?;
    Ok((rest, data))
}

fn object(value: Value, at: &str) -> Decoded<Object> {
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(DecodeError(format!("`{at}` is not an object"))),
    }
}

// serde_json's own message may quote the text it stumbled over.
fn json(body: &[u8]) -> Decoded<Value> {
    serde_json::from_slice(body).map_err(|error| {
        DecodeError(format!(
            "it is not JSON (line {}, column {})",
            error.line(),
            error.column()
        ))
    })
}
