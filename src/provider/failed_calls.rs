//! From a failed call to the one message that the user sees.

use std::borrow::Cow;

use crate::heygen::{CredentialOrigin, Effect, EndpointId, Failure, Fault, Operation};
use crate::provider::summaries;
use crate::terraform::{Diagnostic, Summary};

/// Says what was being done to which endpoint, what HeyGen answered, and what to do next; at the attribute that the
/// answer blames, if it blames one.
pub(super) fn diagnostic(failure: &Failure) -> Diagnostic {
    let detail = format!("{}. {}", capitalised(&failure.to_string()), next_step(failure));
    let diagnostic = Diagnostic::error(summary(failure), detail);
    match blamed_attribute(failure) {
        Some(attribute) => diagnostic.at(attribute),
        None => diagnostic,
    }
}

/// HeyGen's code for an account that is full.
const ACCOUNT_FULL: &str = "resource_limit_reached";

/// HeyGen's code for a call whose first attempt is still under way.
const IN_PROGRESS: &str = "request_in_progress";

/// An id that was asked for, and that no endpoint has.
pub(super) fn no_such_endpoint(id: &EndpointId) -> Diagnostic {
    Diagnostic::error(
        summaries::NO_SUCH_ENDPOINT,
        format!(
            "HeyGen's list, read twice, has no endpoint {id}. Check the id, and that the credentials are of its account."
        ),
    )
}

/// A failure that is only a part of what is said, with the place that a rejected credential came from.
pub(super) fn with_origin(failure: &Failure) -> String {
    match &failure.rejected_credential {
        Some(origin) => format!("{failure}; the credential came from {}", origin.place),
        None => failure.to_string(),
    }
}

fn summary(failure: &Failure) -> Summary {
    match &failure.fault {
        Fault::Refused { code: Some(code), .. } if code == ACCOUNT_FULL => summaries::ACCOUNT_FULL,
        Fault::Refused { status: 401, .. } => summaries::CREDENTIALS_REJECTED,
        Fault::Refused { status: 402, .. } => summaries::PAYMENT_NEEDED,
        Fault::Refused { status: 403, .. } => summaries::NOT_ALLOWED,
        Fault::Refused {
            status: 404,
            code: None,
            ..
        } => summaries::FOREIGN_404,
        Fault::Refused { status: 404, .. } if asks_for_an_endpoint(&failure.operation) => summaries::ENDPOINT_NOT_KNOWN,
        Fault::Refused { status: 429, .. } => summaries::RATE_LIMITED,
        Fault::Refused { status: 500.., .. } => summaries::HEYGEN_FAILED,
        Fault::Refused { .. } => summaries::REFUSED,
        Fault::Unreachable(_) => summaries::UNREACHABLE,
        Fault::Untrusted(_) => summaries::UNTRUSTED,
        Fault::UntrustedProxy(_) => summaries::UNTRUSTED_PROXY,
        Fault::ClientCertificateWanted(_) => summaries::CLIENT_CERTIFICATE_WANTED,
        Fault::Dropped(_) | Fault::TimedOut(_) => summaries::NO_ANSWER,
        Fault::Garbled(_) | Fault::TooLarge | Fault::CursorRepeats | Fault::UnidentifiedItems { .. } => {
            summaries::UNINTELLIGIBLE_ANSWER
        }
        fault @ Fault::Redirected { .. } if !fault.is_redirect() => summaries::UNINTELLIGIBLE_ANSWER,
        Fault::Redirected { .. } => summaries::REDIRECTED,
        Fault::Stopped { .. } => summaries::INTERRUPTED,
        Fault::NoRootCertificates(_) => summaries::NO_ROOT_CERTIFICATES,
        Fault::NoNamedRootCertificates(_) => summaries::NO_NAMED_ROOT_CERTIFICATES,
        Fault::Unusable(_) => summaries::NO_HTTP_CLIENT,
    }
}

/// What the user can do about it.
fn next_step(failure: &Failure) -> Cow<'static, str> {
    match failure.rejected_credential.as_deref() {
        Some(CredentialOrigin {
            place,
            remedy: Some(remedy),
        }) => format!("The credential came from {place}. {remedy}").into(),
        Some(CredentialOrigin { place, remedy: None }) => {
            format!("The credential came from {place}: check it there, and that it has not been revoked.").into()
        }
        None => next_step_after(failure).into(),
    }
}

fn next_step_after(failure: &Failure) -> &'static str {
    match &failure.fault {
        Fault::Refused { code: Some(code), .. } if code == ACCOUNT_FULL => {
            "It has as many webhook endpoints as its plan allows: delete some, or raise the limit, then apply again."
        }
        Fault::Refused { code: Some(code), .. } if code == IN_PROGRESS => {
            "An earlier attempt is still under way at HeyGen. Try again later."
        }
        Fault::Refused { status: 409, .. } if may_be_about_the_url(failure) => {
            "An endpoint with this URL may exist already. Look for it with the data source heygen_webhook_endpoint, by url; \
             if no other state manages it, import it."
        }
        Fault::Refused { status: 400, .. } if may_be_about_the_url(failure) => {
            "HeyGen calls the URL when it is registered: the receiver must be up by then, publicly reachable, and answer \
             an OPTIONS request within a second over TLS 1.2 or later. A receiver that is not up yet is the commonest \
             reason for this."
        }
        Fault::Refused { status: 402, .. } => "Look at the account's plan and balance at HeyGen, then try again.",
        Fault::Refused {
            status: 403,
            code: None,
            ..
        } => {
            "The answer has no error code of HeyGen's, so it may be a gateway's or a proxy's: check base_url, and what stands \
             between. If it is HeyGen's own, the credentials may not do this; ask the account's owner."
        }
        Fault::Refused { status: 403, .. } => "The credentials are valid but may not do this; ask the account's owner.",
        Fault::Refused {
            status: 404,
            code: None,
            ..
        } => {
            "The answer has no error code of HeyGen's, so it may be a gateway's or a proxy's: check base_url, and what stands \
             between."
        }
        Fault::Refused { status: 404, .. } if asks_for_an_endpoint(&failure.operation) => {
            "Plan again: a refresh finds out whether the endpoint is gone."
        }
        Fault::Refused { status: 404, .. } => {
            "Correct what HeyGen does not find; if this call names nothing that could be missing, check that base_url leads \
             to HeyGen's API."
        }
        Fault::Refused { status: 408, .. } => {
            "HeyGen, or a gateway or a proxy before it, gave up waiting. Try again later; if it goes on, check what stands \
             between."
        }
        Fault::Refused { status: 429, .. } => "Wait and try again, or lower -parallelism, or raise max_retries.",
        Fault::Refused { status: 500.., .. } => {
            "Try again later, or raise max_retries; if it goes on, report it to HeyGen."
        }
        Fault::Dropped(_) | Fault::TimedOut(_) => {
            "Try again later; if it goes on, raise max_retries or request_timeout."
        }
        Fault::Unreachable(_) => "Check the network, the proxy variables and base_url.",
        Fault::Untrusted(_) | Fault::UntrustedProxy(_) if failure.attempts > 1 => {
            "Nothing was sent in the last attempt."
        }
        Fault::Untrusted(_) | Fault::UntrustedProxy(_) => "Nothing was sent.",
        Fault::ClientCertificateWanted(_) => {
            "HeyGen's API asks for none: check that base_url leads to it, and what the proxy variables say."
        }
        Fault::Garbled(_) | Fault::TooLarge | Fault::CursorRepeats => {
            "Check that base_url leads to HeyGen's API; if it does, HeyGen's API has changed or is failing."
        }
        Fault::UnidentifiedItems { .. } => {
            "So the list does not show whether what was looked for is among them. Try again later; if it goes on, report \
             it to HeyGen."
        }
        fault @ Fault::Redirected { .. } if !fault.is_redirect() => {
            "Check that base_url leads to HeyGen's API, and what stands between."
        }
        Fault::Redirected { .. } => "Set base_url to where the API really is.",
        Fault::Stopped { .. } if failure.effect == Effect::None => "Nothing was changed by this call.",
        Fault::Stopped { .. } if matches!(failure.operation, Operation::RotateSecret(_)) => {
            "Whether it took effect is not known."
        }
        Fault::Stopped { .. } => "Whether it took effect is not known; plan again to see.",
        Fault::NoRootCertificates(_) => {
            "Install the system's CA certificates (the package is called ca-certificates on most systems), or name a file of \
             them in SSL_CERT_FILE or a folder in SSL_CERT_DIR."
        }
        Fault::NoNamedRootCertificates(_) => {
            "Correct what is named, or unset it: without SSL_CERT_FILE and SSL_CERT_DIR the system's certificates are used."
        }
        Fault::Unusable(_) => "Check the proxy variables, and that this machine has a source of randomness.",
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
    let Fault::Refused { param, .. } = &failure.fault else {
        return false;
    };
    matches!(failure.operation, Operation::Create | Operation::Update(_))
        && (param.is_none() || blamed_attribute(failure) == Some("url"))
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
    // Such as `url`, `events[0]` and `body.url`.
    let mut names = param.split(['.', '[', ']']);
    names.find_map(|name| attributes.iter().copied().find(|attribute| *attribute == name))
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
        diagnostic(&failed(operation, status, param))
    }

    /// An answer without HeyGen's code: a gateway's, or one of HeyGen's that is not in its usual form.
    fn failed(operation: Operation, status: u16, param: Option<&str>) -> Failure {
        let fault = Fault::Refused {
            status,
            code: None,
            message: String::new(),
            param: param.map(str::to_owned),
        };
        Failure {
            operation,
            fault,
            request_id: None,
            rejected_credential: None,
            attempts: 1,
            effect: Effect::None,
            in_doubt_from: None,
            earlier_fault: None,
        }
    }

    fn update() -> Operation {
        Operation::Update(EndpointId::parse("ep_1").unwrap())
    }

    fn rotation() -> Operation {
        Operation::RotateSecret(EndpointId::parse("ep_1").unwrap())
    }

    /// HeyGen's own answer, with this code.
    fn coded(operation: Operation, status: u16, code: &str) -> Diagnostic {
        diagnostic(&Failure {
            fault: Fault::Refused {
                status,
                code: Some(code.to_owned()),
                message: String::new(),
                param: None,
            },
            ..failed(operation, status, None)
        })
    }

    #[test]
    fn the_receiver_is_suspected_where_a_url_is_registered_and_nothing_else_is_blamed() {
        const HINT: &str = "HeyGen calls the URL when it is registered: the receiver must be up by then, publicly reachable, \
                            and answer an OPTIONS request within a second over TLS 1.2 or later. A receiver that is not up \
                            yet is the commonest reason for this.";
        let suspects = |refused: Diagnostic| refused.detail.ends_with(HINT);
        assert!(suspects(refused(Operation::Create, 400, None)));
        assert!(suspects(refused(update(), 400, Some("url"))));
        assert!(suspects(refused(Operation::Create, 400, Some("body.url"))));
        let innocent = |refused: Diagnostic| !refused.detail.contains("receiver");
        assert!(innocent(refused(update(), 400, Some("events"))));
        assert!(innocent(refused(Operation::Create, 400, Some("name"))));
        assert!(innocent(refused(Operation::List, 400, None)));
        assert!(innocent(refused(Operation::Events, 400, None)));
        assert!(innocent(refused(Operation::Create, 402, None)));
    }

    #[test]
    fn a_conflict_where_a_url_is_registered_leads_to_the_endpoint_that_has_it() {
        for operation in [Operation::Create, update()] {
            let detail = refused(operation, 409, None).detail;
            let next = "An endpoint with this URL may exist already. Look for it with the data source \
                        heygen_webhook_endpoint, by url; if no other state manages it, import it.";
            assert!(detail.ends_with(next), "{detail}");
        }
        let elsewhere = refused(Operation::List, 409, None).detail;
        assert!(!elsewhere.contains("may exist already"), "{elsewhere}");
    }

    #[test]
    fn an_account_that_is_full_is_not_said_to_limit_calls() {
        let full = diagnostic(&Failure {
            fault: Fault::Refused {
                status: 429,
                code: Some("resource_limit_reached".to_owned()),
                message: "at most 10".to_owned(),
                param: None,
            },
            ..failed(Operation::Create, 429, None)
        });
        assert_eq!(full.summary, "The account has no room for another endpoint");
        for status in [400, 402, 403, 409] {
            let full = coded(Operation::Create, status, ACCOUNT_FULL);
            assert_eq!(full.summary, "The account has no room for another endpoint");
        }
        assert_eq!(
            full.detail,
            "Creating a webhook endpoint: the API answered 429 resource_limit_reached: at most 10. It has as many webhook \
             endpoints as its plan allows: delete some, or raise the limit, then apply again."
        );
    }

    #[test]
    fn a_rejected_credential_is_looked_for_where_it_came_from() {
        let rejected = diagnostic(&Failure {
            rejected_credential: Some(Box::new("HEYGEN_API_KEY".into())),
            ..failed(Operation::List, 401, None)
        });
        assert_eq!(
            rejected.detail,
            "Listing the webhook endpoints: the API answered 401. The credential came from HEYGEN_API_KEY: check it there, \
             and that it has not been revoked."
        );
    }

    #[test]
    fn a_rejected_credential_of_which_more_is_known_comes_with_what_to_do() {
        let rejected = diagnostic(&Failure {
            rejected_credential: Some(Box::new(CredentialOrigin {
                place: "a file".to_owned(),
                remedy: Some("Renew it."),
            })),
            ..failed(Operation::List, 401, None)
        });
        assert_eq!(
            rejected.detail,
            "Listing the webhook endpoints: the API answered 401. The credential came from a file. Renew it."
        );
    }

    #[test]
    fn what_the_environment_names_in_vain_is_to_be_corrected_or_unset() {
        let named = diagnostic(&Failure {
            fault: Fault::NoNamedRootCertificates("SSL_CERT_FILE names /a.pem, which does not exist".to_owned()),
            ..failed(Operation::List, 0, None)
        });
        assert_eq!(named.summary, "No root certificates where the environment names them");
        assert_eq!(
            named.detail,
            "Listing the webhook endpoints: there is nothing to check the API's certificate with: SSL_CERT_FILE names \
             /a.pem, which does not exist. Correct what is named, or unset it: without SSL_CERT_FILE and SSL_CERT_DIR the \
             system's certificates are used."
        );
        let none = diagnostic(&Failure {
            fault: Fault::NoRootCertificates("No CA certificates were loaded from the system".to_owned()),
            ..failed(Operation::List, 0, None)
        });
        assert_eq!(
            none.detail,
            "Listing the webhook endpoints: no certificates of authorities were found on this machine: No CA certificates \
             were loaded from the system. Install the system's CA certificates (the package is called ca-certificates on \
             most systems), or name a file of them in SSL_CERT_FILE or a folder in SSL_CERT_DIR."
        );
    }

    #[test]
    fn who_asks_for_a_client_certificate_is_not_said_to_be_heygen() {
        let asked = diagnostic(&Failure {
            fault: Fault::ClientCertificateWanted("the proxy p.example:3128".to_owned()),
            ..failed(Operation::List, 0, None)
        });
        assert_eq!(asked.summary, "A certificate of the client is asked for");
        assert_eq!(
            asked.detail,
            "Listing the webhook endpoints: the proxy p.example:3128 wants a certificate of its clients, and the provider \
             has none. HeyGen's API asks for none: check that base_url leads to it, and what the proxy variables say."
        );
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
    fn only_heygens_own_403_is_said_to_be_about_what_the_credentials_may_do() {
        let foreign = refused(Operation::List, 403, None);
        assert!(!foreign.detail.contains("are valid"), "{}", foreign.detail);
        assert!(foreign.detail.contains("base_url"), "{}", foreign.detail);
        let own = coded(Operation::List, 403, "forbidden").detail;
        assert!(own.contains("The credentials are valid but may not do this"), "{own}");
    }

    #[test]
    fn a_call_whose_first_attempt_is_under_way_is_not_said_to_meet_another_endpoint() {
        for operation in [update(), rotation()] {
            let detail = coded(operation, 409, IN_PROGRESS).detail;
            assert!(
                detail.ends_with("An earlier attempt is still under way at HeyGen. Try again later."),
                "{detail}"
            );
        }
    }

    #[test]
    fn nothing_was_sent_is_said_of_no_more_attempts_than_it_is_known_of() {
        let untrusted = |attempts| {
            let failure = Failure {
                fault: Fault::Untrusted("it has expired".to_owned()),
                attempts,
                ..failed(update(), 0, None)
            };
            diagnostic(&failure).detail
        };
        assert!(untrusted(1).ends_with(" Nothing was sent."), "{}", untrusted(1));
        let later = untrusted(2);
        assert!(later.ends_with(" Nothing was sent in the last attempt."), "{later}");
    }

    #[test]
    fn no_plan_is_said_to_show_whether_a_rotation_took_effect() {
        let interrupted = |operation| {
            let failure = Failure {
                fault: Fault::Stopped { before: None },
                effect: Effect::Unknown,
                ..failed(operation, 0, None)
            };
            diagnostic(&failure).detail
        };
        assert!(interrupted(update()).ends_with("Whether it took effect is not known; plan again to see."));
        assert!(interrupted(rotation()).ends_with("Whether it took effect is not known."));
    }

    #[test]
    fn what_fails_in_a_plan_as_well_is_not_to_be_applied_again() {
        for status in [402, 429, 500, 503] {
            let detail = refused(Operation::List, status, None).detail;
            assert!(!detail.to_lowercase().contains("apply again"), "{detail}");
        }
    }

    #[test]
    fn a_404_of_a_gateway_says_nothing_about_endpoints() {
        let foreign = refused(update(), 404, None);
        assert_eq!(foreign.summary, "A 404 without HeyGen's error code");
        assert!(
            foreign
                .detail
                .contains("it may be a gateway's or a proxy's: check base_url")
                && !foreign.detail.contains("gone"),
            "{}",
            foreign.detail
        );
    }

    #[test]
    fn a_status_that_is_neither_an_answer_nor_a_redirect_points_nowhere() {
        let answered = |status, to: Option<&str>| {
            let fault = Fault::Redirected {
                status,
                to: to.map(str::to_owned),
            };
            diagnostic(&Failure {
                fault,
                ..failed(Operation::List, 0, None)
            })
        };
        let redirect = answered(302, Some("login.example.com"));
        assert_eq!(redirect.summary, "HeyGen's answer points to another place");
        assert_eq!(
            redirect.detail,
            "Listing the webhook endpoints: the API answered 302, a redirect to login.example.com, which is never followed. \
             Set base_url to where the API really is."
        );
        let not_modified = answered(304, None);
        assert_eq!(not_modified.summary, "HeyGen's answer cannot be understood");
        assert_eq!(
            not_modified.detail,
            "Listing the webhook endpoints: the API answered 304, which is no answer to this call. Check that base_url leads \
             to HeyGen's API, and what stands between."
        );
    }

    #[test]
    fn somebody_who_gave_up_waiting_has_nothing_to_complain_of() {
        let detail = refused(Operation::List, 408, None).detail;
        assert!(
            detail.contains("Try again later") && !detail.contains("complains"),
            "{detail}"
        );
    }

    #[test]
    fn a_parameter_is_blamed_where_the_call_has_an_attribute_of_that_name() {
        for (operation, param, attribute) in [
            (Operation::Create, "entity_id", Some("entity_id")),
            (update(), "events[0]", Some("events")),
            (update(), "body.events[0]", Some("events")),
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
        let refused = |operation| {
            let own = Fault::Refused {
                status: 404,
                code: Some("not_found".to_owned()),
                message: String::new(),
                param: None,
            };
            diagnostic(&Failure {
                fault: own,
                ..failed(operation, 404, None)
            })
        };
        let named = refused(update());
        assert_eq!(named.summary, "HeyGen does not know this endpoint");
        let find = Operation::Find(EndpointId::parse("ep_1").unwrap());
        for operation in [find, Operation::List, Operation::EventTypes, Operation::Events] {
            let list = refused(operation);
            assert_eq!(list.summary, "HeyGen refused the request");
            assert!(list.detail.contains("base_url"), "{}", list.detail);
        }
    }
}
