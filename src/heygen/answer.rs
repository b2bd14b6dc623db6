//! Answers, understood. Lenient about what is new or optional, strict about what the rest of the program stands on.
//!
//! The reasons given here name fields and never quote what is in them: an answer may hold a secret.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

use super::redact::Redactor;
use super::{Endpoint, EndpointId, Event, EventType, Fault, Secret};

/// No cursor has reason to be longer, and it has to fit into a URL.
const LONGEST_CURSOR: usize = 4096;

/// What is wrong with an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

type Read<T> = Result<T, Unreadable>;
type Object = Map<String, Value>;

/// One page of a list.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    /// Where the next page is to be had; `None` = this was the last.
    pub(super) next: Option<String>,
}

/// The answer to a create or an update.
pub(super) fn endpoint(body: &[u8]) -> Read<Endpoint> {
    endpoint_in(&object(data(body)?.1, "data")?, "data")
}

/// The answer to an update of `id`.
pub(super) fn updated(body: &[u8], id: &EndpointId) -> Read<Endpoint> {
    endpoint(body).and_then(|endpoint| same(&endpoint.id, id).map(|()| endpoint))
}

/// The answer to a rotation of the secret of `id`.
pub(super) fn rotated(body: &[u8], id: &EndpointId) -> Read<Secret> {
    let data = object(data(body)?.1, "data")?;
    same(&id_in(&data, "data")?, id)?;
    secret_in(&data, "data")?.ok_or_else(|| Unreadable("`data.secret` is missing".to_owned()))
}

/// The answer to a delete: nothing, or any JSON object. A page of HTML with status 200 confirms nothing.
pub(super) fn deleted(body: &[u8]) -> Read<()> {
    if body.trim_ascii().is_empty() {
        return Ok(());
    }
    match object(json(body)?, "the answer")?.get("error") {
        None | Some(Value::Null) => Ok(()),
        Some(_) => Err(Unreadable("it says \"done\" and holds an error".to_owned())),
    }
}

/// One page of the list of endpoints.
pub(super) fn endpoints(body: &[u8]) -> Read<Page<Endpoint>> {
    page(body, |object, at| {
        let endpoint = endpoint_in(object, at)?;
        // Only creating and rotating answer a secret. What a list may hold in its place is none.
        Ok(Endpoint {
            secret: None,
            ..endpoint
        })
    })
}

/// One page of the list of event types.
pub(super) fn event_types(body: &[u8]) -> Read<Page<EventType>> {
    page(body, |object, at| {
        Ok(EventType {
            name: text_in(object, at, "event_type")?.to_owned(),
            description: match object.get("description") {
                None | Some(Value::Null) => None,
                Some(_) => Some(text_in(object, at, "description")?.to_owned()),
            },
        })
    })
}

/// One page of the history of events.
pub(super) fn events(body: &[u8]) -> Read<Page<Event>> {
    page(body, |object, at| {
        Ok(Event {
            id: text_in(object, at, "event_id")?.to_owned(),
            event_type: text_in(object, at, "event_type")?.to_owned(),
            data: match object.get("event_data") {
                Some(data @ Value::Object(_)) => data.to_string(),
                None | Some(Value::Null) => return Err(Unreadable(format!("`{at}.event_data` is missing"))),
                Some(_) => return Err(Unreadable(format!("`{at}.event_data` is not an object"))),
            },
            created_at: text_in(object, at, "created_at")?.to_owned(),
        })
    })
}

/// One page of a list. Whether there is more must be said outright, so that half a list never passes for a whole one.
fn page<T>(body: &[u8], item_in: impl Fn(&Object, &str) -> Read<T>) -> Read<Page<T>> {
    let (rest, data) = data(body)?;
    let Value::Array(items) = data else {
        return Err(Unreadable("`data` is not a list".to_owned()));
    };
    let items = items
        .into_iter()
        .enumerate()
        .map(|(n, item)| {
            let at = format!("data[{n}]");
            item_in(&object(item, &at)?, &at)
        })
        .collect::<Read<_>>()?;
    let next = match (rest.get("has_more"), rest.get("next_token")) {
        (Some(Value::Bool(false)), _) => None,
        (Some(Value::Bool(true)), Some(Value::String(token))) if !token.is_empty() => {
            if token.len() > LONGEST_CURSOR {
                return Err(Unreadable(
                    "`next_token` is longer than a cursor has reason to be".to_owned(),
                ));
            }
            Some(token.clone())
        }
        (Some(Value::Bool(true)), _) => {
            return Err(Unreadable(
                "`has_more` is true, but there is no `next_token`".to_owned(),
            ));
        }
        _ => return Err(Unreadable("`has_more` is missing".to_owned())),
    };
    Ok(Page { items, next })
}

/// An error answer: HeyGen's envelope where it is one, and whatever can be made of it where it is not.
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
            None => redactor.explanation(&note(body)),
        },
        param: text("param").and_then(|param| redactor.name(param)),
    }
}

/// What a body that is not JSON has to say: the title of a page, or the text itself.
fn note(body: &[u8]) -> String {
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

fn endpoint_in(object: &Object, at: &str) -> Read<Endpoint> {
    Ok(Endpoint {
        id: id_in(object, at)?,
        url: text_in(object, at, "url")?.to_owned(),
        events: match object.get("events") {
            None | Some(Value::Null) => None,
            Some(Value::Array(events)) => Some(
                events
                    .iter()
                    .map(|event| event.as_str().map(str::to_owned))
                    .collect::<Option<BTreeSet<_>>>()
                    .ok_or_else(|| Unreadable(format!("`{at}.events` holds something besides text")))?,
            ),
            Some(_) => return Err(Unreadable(format!("`{at}.events` is not a list"))),
        },
        status: text_in(object, at, "status")?.to_owned(),
        created_at: text_in(object, at, "created_at")?.to_owned(),
        secret: secret_in(object, at)?,
    })
}

fn id_in(object: &Object, at: &str) -> Read<EndpointId> {
    let text = text_in(object, at, "endpoint_id")?;
    EndpointId::parse(text).map_err(|reason| Unreadable(format!("`{at}.endpoint_id`: {reason}")))
}

/// The secret, if there is one; an empty one is none.
fn secret_in(object: &Object, at: &str) -> Read<Option<Secret>> {
    match object.get("secret") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(secret)) if secret.is_empty() => Ok(None),
        Some(Value::String(secret)) => Ok(Some(Secret::new(secret.as_str()))),
        Some(_) => Err(Unreadable(format!("`{at}.secret` is not text"))),
    }
}

fn text_in<'a>(object: &'a Object, at: &str, key: &str) -> Read<&'a str> {
    match object.get(key) {
        Some(Value::String(text)) => Ok(text),
        None | Some(Value::Null) => Err(Unreadable(format!("`{at}.{key}` is missing"))),
        Some(_) => Err(Unreadable(format!("`{at}.{key}` is not text"))),
    }
}

fn same(answered: &EndpointId, asked: &EndpointId) -> Read<()> {
    if answered == asked {
        Ok(())
    } else {
        Err(Unreadable("it is about another endpoint".to_owned()))
    }
}

/// What every good answer wraps: `data`, and what stands beside it.
fn data(body: &[u8]) -> Read<(Object, Value)> {
    let mut rest = object(json(body)?, "the answer")?;
    let data = rest
        .remove("data")
        .ok_or_else(|| Unreadable("`data` is missing".to_owned()))?;
    Ok((rest, data))
}

fn object(value: Value, at: &str) -> Read<Object> {
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(Unreadable(format!("`{at}` is not an object"))),
    }
}

// serde_json's own message may quote the text it stumbled over.
fn json(body: &[u8]) -> Read<Value> {
    serde_json::from_slice(body).map_err(|error| {
        Unreadable(format!(
            "it is not JSON (line {}, column {})",
            error.line(),
            error.column()
        ))
    })
}
