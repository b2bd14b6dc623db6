//! Decodes answers. It is lenient about what is new or optional, and strict only about what a call was made for: also a
//! value that no decoder can read, such as half a surrogate pair, makes nothing unreadable but itself.
//!
//! All text is in Unicode's form NFC.
//!
//! The reasons given here name fields and never quote what is in them: an answer may hold a secret.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::value::RawValue;
use serde_json::{Deserializer, Map, Value};
use unicode_normalization::UnicodeNormalization;

use secrecy::SecretString;

use super::redact::Redactor;
use super::{CreatedEndpoint, Endpoint, EndpointId, Event, EventType, Events, Fault, Field, FieldError, ListItem};

/// A longer cursor is refused: it has to fit into a URL.
const MAX_CURSOR_BYTES: usize = 4096;

/// What is wrong with an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// The cursor of the next page; `None` on the last one. An error where the page does not say which it is: that
    /// matters only to those who have not found what they look for.
    pub(super) next: Result<Option<String>, DecodeError>,
}

/// The answer to a creation: the endpoint, and its secret if there is one. Nothing but the id is needed.
pub(super) fn created(body: &[u8]) -> Decoded<CreatedEndpoint> {
    let data = secret_answer(body)?;
    Ok(CreatedEndpoint {
        endpoint: endpoint_in(id_in(&data, "data")?, &data),
        secret: secret_in(&data),
    })
}

/// The secret in an answer to a creation that is otherwise of no use.
pub(super) fn secret_of_unidentified(body: &[u8]) -> Option<SecretString> {
    secret_in(&secret_answer(body).ok()?)
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
    let data = secret_answer(body)?;
    check_id(&data, id)?;
    secret_in(&data).ok_or_else(|| DecodeError("`data.secret` is missing, or not text".to_owned()))
}

/// The answer to the deletion of `id`: nothing, or any JSON object that is not about another endpoint.
pub(super) fn deleted(body: &[u8], id: &EndpointId) -> Decoded<()> {
    match confirmation(body)?.get("data") {
        Some(Value::Object(data)) => check_id(data, id),
        _ => Ok(()),
    }
}

/// An answer that says that something was done. A page of HTML with status 200 confirms nothing, and neither does an
/// error with that status.
fn confirmation(body: &[u8]) -> Decoded<Object> {
    if body.trim_ascii().is_empty() {
        return Ok(Object::new());
    }
    let answer = object(json(body)?, "the answer")?;
    holds_no_error(&answer)?;
    Ok(answer)
}

/// Refuses an answer whose status says that all is well, and which has an error in it.
fn holds_no_error(answer: &Object) -> Decoded<()> {
    match answer.get("error") {
        None | Some(Value::Null) => Ok(()),
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

/// One page of a list. Items are read as far as they can be; whoever needs a field decides what to do if it is missing or
/// malformed.
fn page<T>(body: &[u8], item_in: impl Fn(Value) -> T) -> Decoded<Page<T>> {
    let (rest, data) = envelope(body)?;
    holds_no_error(&rest)?;
    let Value::Array(items) = data else {
        return Err(DecodeError("`data` is not a list".to_owned()));
    };
    let items = items.into_iter().map(item_in).collect();
    let next = next_in(&rest).map_err(|why| DecodeError(why.to_owned()));
    Ok(Page { items, next })
}

/// The cursor of the page after this one. The page must say whether there is one, so that a part of a list is never
/// taken for the whole.
fn next_in(page: &Object) -> Result<Option<String>, &'static str> {
    match (page.get("has_more"), page.get("next_token")) {
        (Some(Value::Bool(false)), _) => Ok(None),
        (Some(Value::Bool(true)), Some(Value::String(token))) if !token.is_empty() => {
            if token.len() > MAX_CURSOR_BYTES {
                return Err("`next_token` is longer than a cursor has reason to be");
            }
            Ok(Some(token.clone()))
        }
        (Some(Value::Bool(true)), _) => Err("`has_more` is true, but there is no `next_token`"),
        (None, _) => Err("`has_more` is missing"),
        (Some(_), _) => Err("`has_more` is neither true nor false"),
    }
}

/// Decodes an error answer: HeyGen's envelope, or, where it is none, whatever explanation the body has.
pub(super) fn refusal(status: u16, body: &[u8], redactor: &Redactor) -> Fault {
    let envelope = json(body).ok();
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

/// The `data` of an answer that has a secret, which nobody can ask for again: it is read whatever follows it.
fn secret_answer(body: &[u8]) -> Decoded<Object> {
    let answer = json(body).or_else(|error| readable_part(body, Rest::Ignored).ok_or(error))?;
    object(data_of(answer)?.1, "`data`")
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

/// Refuses an answer about another endpoint than the one that was asked for. An answer without an id, or with one that
/// cannot be read, is accepted.
fn check_id(data: &Object, requested: &EndpointId) -> Decoded<()> {
    match id_field(data) {
        Ok(answered) if answered != *requested => Err(DecodeError("it is about another endpoint".to_owned())),
        _ => Ok(()),
    }
}

/// Opens the envelope of an answer that reports success: its other members, and its `data`.
fn envelope(body: &[u8]) -> Decoded<(Object, Value)> {
    data_of(json(body)?)
}

fn data_of(answer: Value) -> Decoded<(Object, Value)> {
    let mut rest = object(answer, "the answer")?;
    let data = rest
        .remove("data")
        .ok_or_else(|| DecodeError("`data` is missing".to_owned()))?;
    Ok((rest, data))
}

fn object(value: Value, at: &str) -> Decoded<Object> {
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(DecodeError(format!("{at} is not an object"))),
    }
}

// serde_json's own message may quote the text it stumbled over.
fn json(body: &[u8]) -> Decoded<Value> {
    serde_json::from_slice(body).or_else(|error| {
        readable_part(body, Rest::Refused).ok_or_else(|| {
            DecodeError(format!(
                "it is not JSON (line {}, column {})",
                error.line(),
                error.column()
            ))
        })
    })
}

/// How deep below the whole answer the fields of an endpoint can be, and the members of one of them: in the members of
/// an item of `data`.
const FIELD_DEPTH: u8 = 4;

/// What to do about text that follows a JSON value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    Refused,
    Ignored,
}

/// Reads JSON in which some values cannot be decoded: text that is not Unicode, or nesting without an end. They are
/// replaced by a number, which no field that is asked for can be. A byte order mark is skipped. `None` if it is not JSON
/// at all.
fn readable_part(body: &[u8], rest: Rest) -> Option<Value> {
    let mut text = String::with_capacity(body.len());
    for chunk in body.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            // Half a surrogate pair, which is JSON and no text.
            text.push_str("\\ud800");
        }
    }
    let mut values = Deserializer::from_str(text.trim_start_matches('\u{feff}')).into_iter::<&RawValue>();
    let answer = values.next()?.ok()?;
    let is_all = rest == Rest::Ignored || values.next().is_none();
    is_all.then(|| decoded(answer, FIELD_DEPTH))
}

fn decoded(raw: &RawValue, depth: u8) -> Value {
    if let Ok(value) = serde_json::from_str(raw.get()) {
        return value;
    }
    if depth > 0 {
        let below = |value: &RawValue| decoded(value, depth - 1);
        if let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(raw.get()) {
            let members = members.into_iter().map(|(name, value)| (name, below(value)));
            return Value::Object(members.collect());
        }
        if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) {
            return Value::Array(items.into_iter().map(below).collect());
        }
    }
    Value::from(0)
}
