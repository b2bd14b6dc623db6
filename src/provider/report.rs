//! From a failed call to the one message that the user sees.

use crate::heygen::{Effect, Failure, Fault, Operation};
use crate::terraform::Diagnostic;

/// Says what was being done to which endpoint, what HeyGen answered, and what to do next; at the attribute that the
/// answer blames, if it blames one.
pub(super) fn failure(failure: &Failure) -> Diagnostic {
    let detail = match next_step(failure) {
        "" => format!("{}.", capitalised(&failure.to_string())),
        next => format!("{}. {next}", capitalised(&failure.to_string())),
    };
    let diagnostic = Diagnostic::error(summary(failure), detail);
    match blamed_attribute(failure) {
        Some(attribute) => diagnostic.at(attribute),
        None => diagnostic,
    }
}

fn summary(failure: &Failure) -> &'static str {
    match &failure.fault {
        Fault::Refused { status: 401, .. } => "HeyGen does not accept the credentials",
        Fault::Refused { status: 402, .. } => "HeyGen asks for payment",
        Fault::Refused { status: 403, .. } => "HeyGen does not allow this",
        Fault::Refused { status: 404, .. } if failure.operation.endpoint().is_some() => {
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
        Fault::Refused { status: 400 | 409, .. } if failure.operation == Operation::Create => {
            "HeyGen calls the URL when it is registered: the receiver must be up by then, publicly reachable, and answer \
             an OPTIONS request within a second over TLS 1.2 or later. A receiver that is not up yet is the commonest \
             reason for this."
        }
        Fault::Refused { status: 404, .. } if failure.operation.endpoint().is_none() => {
            "Check that base_url leads to HeyGen's API."
        }
        Fault::Refused { status: 403, .. } => "The credentials are valid but may not do this; ask the account's owner.",
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
        _ => "",
    }
}

/// Those of the call's parameters that are attributes of ours by the same name.
fn blamed_attribute(failure: &Failure) -> Option<&'static str> {
    let Fault::Refused { param: Some(param), .. } = &failure.fault else {
        return None;
    };
    let attributes: &[&str] = match failure.operation {
        Operation::Create | Operation::Update(_) => &["url", "events", "entity_id"],
        Operation::Events => &["event_type", "entity_id"],
        Operation::List | Operation::EventTypes | Operation::Delete(_) | Operation::RotateSecret(_) => &[],
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
    use crate::heygen::EndpointId;
    use crate::terraform::Path;

    fn refused(operation: Operation, param: &str) -> Diagnostic {
        failure(&Failure {
            operation,
            fault: Fault::Refused {
                status: 400,
                code: Some("invalid_parameter".to_owned()),
                message: String::new(),
                param: Some(param.to_owned()),
            },
            request_id: None,
            attempts: 1,
            effect: Effect::None,
        })
    }

    #[test]
    fn a_parameter_is_blamed_where_the_call_has_an_attribute_of_that_name() {
        let update = || Operation::Update(EndpointId::parse("ep_1").unwrap());
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
            let path = refused(operation.clone(), param).path;
            assert_eq!(path, attribute.map(Path::attribute), "{operation}: {param}");
        }
    }

    #[test]
    fn what_is_not_found_is_an_endpoint_only_where_one_was_named() {
        let not_found = |operation| {
            let fault = Fault::Refused {
                status: 404,
                code: None,
                message: String::new(),
                param: None,
            };
            failure(&Failure {
                operation,
                fault,
                request_id: None,
                attempts: 1,
                effect: Effect::None,
            })
        };
        let named = not_found(Operation::RotateSecret(EndpointId::parse("ep_1").unwrap()));
        assert_eq!(named.summary, "HeyGen does not know this endpoint");
        for operation in [Operation::List, Operation::EventTypes, Operation::Events] {
            let list = not_found(operation);
            assert_eq!(list.summary, "HeyGen refused the request");
            assert!(list.detail.contains("base_url"), "{}", list.detail);
        }
    }

    #[test]
    fn only_a_creation_is_told_of_a_receiver_that_is_not_up() {
        let tells = |operation| refused(operation, "").detail.contains("receiver must be up");
        assert!(tells(Operation::Create));
        assert!(!tells(Operation::Events) && !tells(Operation::List));
    }
}
