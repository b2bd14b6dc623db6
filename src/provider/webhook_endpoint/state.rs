//! From an answer of the API to state: one function for read, create, update and import.

use std::collections::BTreeSet;

use secrecy::SecretString;

use super::schema::{EndpointModel, Private};
use super::url;
use super::validate::KNOWN_EVENTS;
use crate::heygen::{Endpoint, Secret};
use crate::terraform::{Attr, Set, Stored, normalized};

/// What an answer says, in the light of what was there before it.
///
/// `before` is the state that is being read anew, or the plan that was carried out: it has what `HeyGen` never answers
/// (`entity_id`, `rotate_trigger`, `replace_when_disabled`, the secret) and how the URL is spelled.
pub(super) fn from_answer(
    answer: &Endpoint,
    before: &Stored<EndpointModel, Private>,
) -> Stored<EndpointModel, Private> {
    let state = &before.state;
    let answered_url = normalized(&answer.url);
    let url = match state.url.known() {
        Some(given) if url::equivalent(given, &answered_url) => given.clone(),
        _ => answered_url,
    };
    let secret = match &answer.secret {
        Some(secret) => Attr::Known(hidden(secret)),
        None => state.secret.clone(),
    };
    let all_were_asked_for = state.events.is_null();
    Stored {
        state: EndpointModel {
            id: text(answer.id.as_str()),
            url: Attr::Known(url),
            events: events(answer, all_were_asked_for, &before.private),
            secret,
            status: text(&answer.status),
            created_at: text(&answer.created_at),
            ..state.clone()
        },
        private: before.private.clone(),
    }
}

/// `HeyGen` may answer *all events* as null or as the list of all; the list it answered when all was asked for is
/// remembered, and as long as it stays that list it means null.
fn events(answer: &Endpoint, all_were_asked_for: bool, private: &Private) -> Attr<Set<String>> {
    let Some(answered) = normalized_events(answer) else {
        return Attr::Null;
    };
    if all_were_asked_for && private.all_events.as_ref() == Some(&answered) {
        return Attr::Null;
    }
    Attr::Known(answered.into())
}

/// The events of an answer as Terraform would hand them back; `None` for all.
pub(super) fn normalized_events(answer: &Endpoint) -> Option<BTreeSet<String>> {
    let events = answer.events.as_ref()?;
    Some(events.iter().map(|name| normalized(name)).collect())
}

/// Whether a list of events can be *all events*, spelled out: it has at least those that have long been known.
pub(super) fn spells_out_all(events: &BTreeSet<String>) -> bool {
    KNOWN_EVENTS.iter().all(|name| events.contains(*name))
}

/// Holds an answer to the plan: what the plan kept known is answered as planned, and a difference is for the next
/// refresh to find.
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

/// A secret on its way into state.
pub(super) fn hidden(secret: &Secret) -> SecretString {
    SecretString::from(secret.expose())
}

fn text(text: &str) -> Attr<String> {
    Attr::Known(normalized(text))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::heygen::EndpointId;

    fn answer() -> Endpoint {
        Endpoint {
            id: EndpointId::parse("ep_1").unwrap(),
            url: "https://example.com/hook".to_owned(),
            events: None,
            status: "enabled".to_owned(),
            created_at: "2026-07-01T00:00:00".to_owned(),
            secret: None,
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

    #[test]
    fn what_heygen_never_answers_is_kept() {
        let state = from_answer(&answer(), &before()).state;
        assert_eq!(state.entity_id, text("entity"));
        assert_eq!(state.rotate_trigger, text("1"));
        assert_eq!(state.replace_when_disabled, Attr::Known(true));
        assert_eq!(state.secret.known().unwrap().expose_secret(), "whsec_1");
    }

    #[test]
    fn what_heygen_answers_is_drift_where_it_differs() {
        let answered = Endpoint {
            url: "https://example.com/other".to_owned(),
            events: Some(set(["a"].as_slice())),
            status: "disabled".to_owned(),
            ..answer()
        };
        let state = from_answer(&answered, &before()).state;
        assert_eq!(state.url, text("https://example.com/other"));
        assert_eq!(state.events, members(&["a"]));
        assert_eq!(state.status, text("disabled"));
    }

    #[test]
    fn another_spelling_of_the_url_keeps_the_configured_one() {
        let answered = Endpoint {
            url: "https://EXAMPLE.com:443/hook/".to_owned(),
            ..answer()
        };
        assert_eq!(
            from_answer(&answered, &before()).state.url,
            text("https://example.com/hook")
        );
    }

    #[test]
    fn the_list_remembered_for_all_events_means_null_and_any_other_is_drift() {
        let mut before = before();
        before.private.all_events = Some(set(&["a", "b"]));
        let mut answered = answer();
        answered.events = Some(set(&["b", "a"]));
        assert!(from_answer(&answered, &before).state.events.is_null());
        answered.events = Some(set(&["a", "b", "c"]));
        assert_eq!(from_answer(&answered, &before).state.events, members(&["a", "b", "c"]));
        answered.events = None;
        assert!(from_answer(&answered, &before).state.events.is_null());
        before.state.events = members(&["a", "b"]);
        answered.events = Some(set(&["a", "b"]));
        assert_eq!(from_answer(&answered, &before).state.events, members(&["a", "b"]));
    }

    #[test]
    fn the_plan_wins_wherever_it_was_known() {
        let answered = from_answer(
            &Endpoint {
                url: "https://elsewhere.example/".to_owned(),
                status: "disabled".to_owned(),
                created_at: "later".to_owned(),
                ..answer()
            },
            &before(),
        );
        let mut planned = before().state;
        planned.created_at = Attr::Unknown;
        let state = as_planned(answered.state, planned);
        assert_eq!(state.url, text("https://example.com/hook"));
        assert_eq!(state.status, text("enabled"));
        assert_eq!(state.created_at, text("later"));
    }
}
