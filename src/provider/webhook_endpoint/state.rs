//! From an answer of the API to state: one function for read, create, update and import.

use std::collections::BTreeSet;

use super::schema::{EndpointModel, Private};
use super::validate::KNOWN_EVENTS;
use crate::heygen::Endpoint;
use crate::provider::endpoint_url;
use crate::terraform::{Attr, Set, Stored};

/// The state of an endpoint after an answer.
pub(super) struct FromAnswer {
    pub(super) stored: Stored<EndpointModel, Private>,
    /// The attributes that are missing or malformed in the answer. State keeps the values that it had.
    pub(super) unreadable: Vec<&'static str>,
}

/// Makes state of an answer and of what was known before it.
///
/// `before` is the state that is being read anew, or the plan that was carried out: it has what `HeyGen` never answers
/// (`entity_id`, `rotate_trigger`, `replace_when_disabled`, the secret) and how the URL is spelled.
pub(super) fn from_answer(answer: &Endpoint, before: &Stored<EndpointModel, Private>) -> FromAnswer {
    let Stored { mut state, mut private } = before.clone();
    let mut unreadable = Vec::new();
    state.id = text(answer.id.as_str());
    match &answer.url {
        Ok(answered) => state.url = Attr::Known(spelled_as_before(&before.state.url, answered)),
        Err(_) => unreadable.push("url"),
    }
    match &answer.events {
        Ok(answered) => state.events = events(answered.clone(), &before.state.events, &mut private),
        Err(_) => unreadable.push("events"),
    }
    match &answer.status {
        Ok(status) => state.status = text(status),
        Err(_) => unreadable.push("status"),
    }
    match &answer.created_at {
        Ok(created_at) => state.created_at = text(created_at),
        Err(_) => unreadable.push("created_at"),
    }
    FromAnswer {
        stored: Stored { state, private },
        unreadable,
    }
}

fn spelled_as_before(before: &Attr<String>, answered: &str) -> String {
    match before.known() {
        Some(given) if endpoint_url::equivalent(given, answered) => given.clone(),
        _ => answered.to_owned(),
    }
}

/// Reads `events` of an answer. `HeyGen` may answer *all events* as null or as the list of all. The list that it
/// answered when all events were asked for is kept in private data, and the same list means null from then on.
fn events(answered: Option<BTreeSet<String>>, before: &Attr<Set<String>>, private: &mut Private) -> Attr<Set<String>> {
    let Some(answered) = answered else {
        return Attr::Null;
    };
    if before.is_null() && private.all_events_not_answered && lists_every_known_event(&answered) {
        private.all_events_not_answered = false;
        private.all_events = Some(answered);
        return Attr::Null;
    }
    if before.is_null() && private.all_events.as_ref() == Some(&answered) {
        return Attr::Null;
    }
    Attr::Known(answered.into())
}

/// Whether a list of events can mean *all events*: it has at least those of [`KNOWN_EVENTS`].
pub(super) fn lists_every_known_event(events: &BTreeSet<String>) -> bool {
    KNOWN_EVENTS.iter().all(|name| events.contains(*name))
}

/// Whether a list of events may mean *all events* although it lacks some of [`KNOWN_EVENTS`], which `HeyGen` may have given
/// up since: it has more than half as many.
pub(super) fn may_list_all_events(events: &BTreeSet<String>) -> bool {
    events.len() > KNOWN_EVENTS.len() / 2
}

/// The answer as Terraform accepts it after a plan: a value that was known in the plan stays as planned. If the answer
/// has another one, the next refresh finds it.
pub(super) fn as_planned(answered: EndpointModel, planned: EndpointModel) -> EndpointModel {
    fn pick<T>(planned: Attr<T>, answered: Attr<T>) -> Attr<T> {
        match planned {
            Attr::Unknown => answered,
            settled => settled,
        }
    }
    EndpointModel {
        id: pick(planned.id, answered.id),
        url: pick(planned.url, answered.url),
        events: pick(planned.events, answered.events),
        entity_id: pick(planned.entity_id, answered.entity_id),
        rotate_trigger: pick(planned.rotate_trigger, answered.rotate_trigger),
        secret: pick(planned.secret, answered.secret),
        status: pick(planned.status, answered.status),
        created_at: pick(planned.created_at, answered.created_at),
        replace_when_disabled: pick(planned.replace_when_disabled, answered.replace_when_disabled),
    }
}

fn text(text: &str) -> Attr<String> {
    Attr::Known(text.to_owned())
}

#[cfg(test)]
mod tests {
    use secrecy::{ExposeSecret, SecretString};

    use super::*;
    use crate::heygen::{EndpointId, FieldError};
    use crate::terraform::Model;

    fn answer() -> Endpoint {
        Endpoint {
            id: EndpointId::parse("ep_1").unwrap(),
            url: Ok("https://example.com/hook".to_owned()),
            events: Ok(None),
            status: Ok("enabled".to_owned()),
            created_at: Ok("2026-07-01T00:00:00".to_owned()),
        }
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn members(names: &[&str]) -> Attr<Set<String>> {
        Attr::Known(set(names).into())
    }

    fn before() -> Stored<EndpointModel, Private> {
        Stored {
            state: EndpointModel {
                id: text("ep_1"),
                url: text("https://example.com/hook"),
                events: Attr::Null,
                entity_id: text("entity"),
                rotate_trigger: text("1"),
                secret: Attr::Known(SecretString::from("whsec_1")),
                status: text("enabled"),
                created_at: text("2026-07-01T00:00:00"),
                replace_when_disabled: Attr::Known(true),
            },
            private: Private::default(),
        }
    }

    /// The state that a complete answer makes.
    fn read(answer: &Endpoint, before: &Stored<EndpointModel, Private>) -> EndpointModel {
        let FromAnswer { stored, unreadable } = from_answer(answer, before);
        assert!(unreadable.is_empty());
        stored.state
    }

    #[test]
    fn a_field_that_cannot_be_read_keeps_the_value_of_state_and_is_named() {
        let odd = Endpoint {
            url: Err(FieldError::Missing),
            events: Err(FieldError::Malformed),
            status: Err(FieldError::Missing),
            created_at: Err(FieldError::Malformed),
            ..answer()
        };
        let mut before = before();
        before.state.events = members(&["a"]);
        let FromAnswer { stored, unreadable } = from_answer(&odd, &before);
        assert_eq!(unreadable, ["url", "events", "status", "created_at"]);
        assert_eq!(stored.state.into_object(), before.state.into_object());
    }

    #[test]
    fn all_events_spelled_out_are_recognised_once_where_the_creation_did_not_tell() {
        let mut before = before();
        let all = set(&KNOWN_EVENTS);
        let answered = Endpoint {
            events: Ok(Some(all.clone())),
            ..answer()
        };
        assert!(!read(&answered, &before).events.is_null());
        before.private.all_events_not_answered = true;
        let FromAnswer { stored, .. } = from_answer(&answered, &before);
        assert!(stored.state.events.is_null());
        assert_eq!(stored.private.all_events, Some(all));
        assert!(!stored.private.all_events_not_answered);
    }

    #[test]
    fn what_heygen_never_answers_is_kept() {
        let state = read(&answer(), &before());
        assert_eq!(state.entity_id, text("entity"));
        assert_eq!(state.rotate_trigger, text("1"));
        assert_eq!(state.replace_when_disabled, Attr::Known(true));
        assert_eq!(state.secret.known().unwrap().expose_secret(), "whsec_1");
    }

    #[test]
    fn what_heygen_answers_is_drift_where_it_differs() {
        let answered = Endpoint {
            url: Ok("https://example.com/other".to_owned()),
            events: Ok(Some(set(["a"].as_slice()))),
            status: Ok("disabled".to_owned()),
            ..answer()
        };
        let state = read(&answered, &before());
        assert_eq!(state.url, text("https://example.com/other"));
        assert_eq!(state.events, members(&["a"]));
        assert_eq!(state.status, text("disabled"));
    }

    #[test]
    fn another_spelling_of_the_url_keeps_the_configured_one() {
        let answered = Endpoint {
            url: Ok("https://EXAMPLE.com:443/hook/".to_owned()),
            ..answer()
        };
        assert_eq!(read(&answered, &before()).url, text("https://example.com/hook"));
    }

    #[test]
    fn the_list_remembered_for_all_events_means_null_and_any_other_is_drift() {
        let mut before = before();
        before.private.all_events = Some(set(&["a", "b"]));
        let mut answered = answer();
        answered.events = Ok(Some(set(&["b", "a"])));
        assert!(read(&answered, &before).events.is_null());
        answered.events = Ok(Some(set(&["a", "b", "c"])));
        assert_eq!(read(&answered, &before).events, members(&["a", "b", "c"]));
        answered.events = Ok(None);
        assert!(read(&answered, &before).events.is_null());
        before.state.events = members(&["a", "b"]);
        answered.events = Ok(Some(set(&["a", "b"])));
        assert_eq!(read(&answered, &before).events, members(&["a", "b"]));
    }

    #[test]
    fn the_plan_wins_wherever_it_was_known() {
        let answered = read(
            &Endpoint {
                url: Ok("https://elsewhere.example/".to_owned()),
                status: Ok("disabled".to_owned()),
                created_at: Ok("later".to_owned()),
                ..answer()
            },
            &before(),
        );
        let mut planned = before().state;
        planned.created_at = Attr::Unknown;
        let state = as_planned(answered, planned);
        assert_eq!(state.url, text("https://example.com/hook"));
        assert_eq!(state.status, text("enabled"));
        assert_eq!(state.created_at, text("later"));
    }
}
