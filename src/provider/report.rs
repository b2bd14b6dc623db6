//! From a failed call to the one message that the user sees.

use crate::heygen::{Effect, EndpointId, Failure, Fault, Operation};
use crate::terraform::Diagnostic;

/// Says what was being done to which endpoint, what HeyGen answered, and what to do next; at the attribute that the
/// answer blames, if it blames one.
pub(super) fn failure(failure: &Failure) -> Diagnostic {
    let detail = format!("{}. {}", capitalised(&failure.to_string()), next_step(failure));
    let diagnostic = Diagnostic::error(summary(failure), detail);
    match blamed_attribute(failure) {
        Some(attribute) => diagnostic.at(attribute),
        None => diagnostic,
    }
}

/// An id that was asked for, and that no endpoint has.
pub(super) fn no_such_endpoint(id: &EndpointId) -> Diagnostic {
    Diagnostic::error(
        "No such webhook endpoint",
        format!(
            "HeyGen's list, read twice, has no endpoint {id}. Check the id, and that the credentials are of its account."
        ),
    )
}

fn summary(failure: &Failure) -> &'static str {
    match &failure.fault {
        Fault::Refused { status: 401, .. } => "HeyGen does not accept the credentials",
        Fault::Refused { status: 402, .. } => "HeyGen asks for payment",
        Fault::Refused { status: 403, .. } => "HeyGen does not allow this",
        Fault::Refused { status: 404, .. } if asks_for_an_endpoint(&failure.operation) => {
            "HeyGen does not know this endpoint"
        }
        Fault::Refused { status: 429, .. } => "HeyGen limits the rate of calls",
        Fault::Refused { status: 500.., .. } => "HeyGen failed",
        Fault::Refused { .. } => "HeyGen refused the request",
        Fault::Unreachable(_) => "HeyGen cannot be reached",
        Fault::Dropped(_) | Fault::TimedOut(_) => "HeyGen's answer did not arrive",
        Fault::Garbled(_) | Fault::TooLarge | Fault::CursorRepeats => "HeyGen's answer cannot be understood",
        Fault::Redirected { .. } => "HeyGen's answer points to another place",
        Fault::Stopped => "Interrupted",
        Fault::Unusable(_) => "No HTTP client on this machine",
    }
}

/// What the user can do about it.
fn next_step(failure: &Failure) -> &'static str {
    match &failure.fault {
        Fault::Refused { code: Some(code), .. } if code == "resource_limit_reached" => {
            "The account has as many webhook endpoints as its plan allows: delete some, or raise the limit."
        }
        Fault::Refused { status: 401, .. } => {
            "Check the API key or access token in the provider block, in HEYGEN_API_KEY or HEYGEN_ACCESS_TOKEN, or in the \
             credentials file of HeyGen's CLI."
        }
        Fault::Refused { status: 400 | 409, .. } if may_be_about_the_url(failure) => {
            "HeyGen calls the URL when it is registered: the receiver must be up by then, publicly reachable, and answer \
             an OPTIONS request within a second over TLS 1.2 or later. A receiver that is not up yet is the commonest \
             reason for this."
        }
        Fault::Refused { status: 402, .. } => "Look at the account's plan and balance at HeyGen, then apply again.",
        Fault::Refused { status: 403, .. } => "The credentials are valid but may not do this; ask the account's owner.",
        Fault::Refused { status: 404, .. } if asks_for_an_endpoint(&failure.operation) => {
            "Plan again: a refresh finds out whether the endpoint is gone."
        }
        Fault::Refused { status: 404, .. } => "Check that base_url leads to HeyGen's API.",
        Fault::Refused { status: 429, .. } => "Wait and apply again, or lower -parallelism, or raise max_retries.",
        Fault::Refused { status: 500.., .. } | Fault::Dropped(_) | Fault::TimedOut(_) => {
            "Apply again later; if it goes on, raise max_retries or request_timeout."
        }
        Fault::Unreachable(_) => "Check the network, the proxy variables and base_url.",
        Fault::Garbled(_) | Fault::TooLarge | Fault::CursorRepeats => {
            "Check that base_url leads to HeyGen's API; if it does, HeyGen's API has changed or is failing."
        }
        Fault::Redirected { .. } => "Set base_url to where the API really is.",
        Fault::Stopped if failure.effect == Effect::None => "Nothing was changed by this call.",
        Fault::Stopped => "Whether it took effect is not known; plan again to see.",
        Fault::Unusable(_) => "Check the system's certificates and the proxy variables.",
        Fault::Refused { .. } => {
            "Correct what it complains of. If your configuration has no part in it, look for a newer version of the \
             provider, or report it."
        }
    }
}

/// Whether the call has an endpoint in its path: reading one reads the list.
fn asks_for_an_endpoint(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::Update(_) | Operation::Delete(_) | Operation::RotateSecret(_)
    )
}

/// Whether a call that registers a URL was refused, and for nothing else that the answer would name.
fn may_be_about_the_url(failure: &Failure) -> bool {
    matches!(failure.operation, Operation::Create | Operation::Update(_))
        && matches!(blamed_attribute(failure), None | Some("url"))
}

/// Those of the call's parameters that are attributes of ours by the same name.
fn blamed_attribute(failure: &Failure) -> Option<&'static str> {
    let Fault::Refused { param: Some(param), .. } = &failure.fault else {
        return None;
    };
    let attributes: &[&str] = match failure.operation {
        Operation::Create | Operation::Update(_) => &["url", "events", "entity_id"],
        Operation::Events => &["event_type", "entity_id"],
        Operation::List
        | Operation::EventTypes
        | Operation::Find(_)
        | Operation::Delete(_)
        | Operation::RotateSecret(_) => &[],
    };
    let root = param.split(['.', '[']).next()?;
    attributes.iter().copied().find(|attribute| *attribute == root)
}

pub(super) fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terraform::Path;

    fn refused(operation: Operation, status: u16, param: Option<&str>) -> Diagnostic {
        let fault = Fault::Refused {
            status,
            code: None,
            message: String::new(),
            param: param.map(str::to_owned),
        };
        failure(&Failure {
            operation,
            fault,
            request_id: None,
            attempts: 1,
            effect: Effect::None,
        })
    }

    fn update() -> Operation {
        Operation::Update(EndpointId::parse("ep_1").unwrap())
    }

    #[test]
    fn the_receiver_is_suspected_where_a_url_is_registered_and_nothing_else_is_blamed() {
        let suspects = |refused: Diagnostic| refused.detail.contains("the receiver must be up");
        assert!(suspects(refused(Operation::Create, 400, None)));
        assert!(suspects(refused(Operation::Create, 409, Some("url"))));
        assert!(suspects(refused(update(), 400, Some("url"))));
        assert!(!suspects(refused(update(), 400, Some("events"))));
        assert!(!suspects(refused(Operation::List, 400, None)));
        assert!(!suspects(refused(Operation::Events, 400, None)));
        assert!(!suspects(refused(Operation::Create, 402, None)));
    }

    #[test]
    fn every_refusal_comes_with_a_next_step() {
        for status in 400..=599 {
            let detail = refused(Operation::List, status, None).detail;
            let (_, next) = detail.split_once(". ").unwrap();
            assert!(next.len() > 20, "{status}: {detail}");
        }
    }

    #[test]
    fn a_parameter_is_blamed_where_the_call_has_an_attribute_of_that_name() {
        for (operation, param, attribute) in [
            (Operation::Create, "entity_id", Some("entity_id")),
            (update(), "events[0]", Some("events")),
            (update(), "event_type", None),
            (Operation::Events, "event_type", Some("event_type")),
            (Operation::Events, "entity_id", Some("entity_id")),
            (Operation::Events, "events", None),
            (Operation::List, "url", None),
            (Operation::EventTypes, "token", None),
        ] {
            let path = refused(operation.clone(), 400, Some(param)).path;
            assert_eq!(path, attribute.map(Path::attribute), "{operation}: {param}");
        }
    }

    #[test]
    fn what_is_not_found_is_an_endpoint_only_where_one_was_named() {
        let named = refused(update(), 404, None);
        assert_eq!(named.summary, "HeyGen does not know this endpoint");
        let find = Operation::Find(EndpointId::parse("ep_1").unwrap());
        for operation in [find, Operation::List, Operation::EventTypes, Operation::Events] {
            let list = refused(operation, 404, None);
            assert_eq!(list.summary, "HeyGen refused the request");
            assert!(list.detail.contains("base_url"), "{}", list.detail);
        }
    }
}
