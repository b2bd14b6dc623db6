//! What the user is told about an endpoint, beyond a plain failed call.

use std::fmt::Write;

use super::lost_create::Candidates;
use super::plan::Rotation;
use super::schema::{EndpointModel, TYPE_NAME};
use super::{NotConfirmed, Sources};
use crate::heygen::{Effect, EndpointId, Failure, Fault, InvalidEndpointId, excerpt};
use crate::provider::endpoint_url;
use crate::provider::failed_calls;
use crate::provider::filters::Unreadable;
use crate::provider::summaries;
use crate::terraform::{Diagnostic, Severity};

/// The provider cannot call yet.
pub(super) fn not_refreshed(state: &EndpointModel, attributes: &[&str]) -> Diagnostic {
    Diagnostic::warning(
        summaries::NOT_REFRESHED,
        format!(
            "{} of the provider block will be known only during apply, so HeyGen could not be asked about {}. This plan \
             goes by what state says and may miss changes made elsewhere.",
            attributes.join(", "),
            name(state)
        ),
    )
}

/// The list has the endpoint no more.
pub(super) fn gone(id: &EndpointId) -> Diagnostic {
    Diagnostic::warning(
        summaries::ENDPOINT_GONE,
        format!(
            "HeyGen's list has no endpoint {id} any more. State lets go of it, and unless the configuration does so too, \
             applying it creates another, with a new id and a new secret. If the credentials are of the wrong account, do not apply: \
             correct them first."
        ),
    )
}

/// The list has the endpoint, and says nothing readable about some of its attributes.
pub(super) fn unreadable_in_list(id: &EndpointId, attributes: &[&str]) -> Option<Diagnostic> {
    (!attributes.is_empty()).then(|| {
        Diagnostic::warning(
            summaries::ENDPOINT_NOT_READ_COMPLETELY,
            format!(
                "HeyGen's list has {id}, but what it says about {} is missing or malformed. State keeps the value that it \
                 had; changes made there elsewhere are not seen.",
                attributes.join(", ")
            ),
        )
    })
}

/// The same about an endpoint that is being imported, of which state has nothing yet.
pub(super) fn unreadable_at_import(id: &EndpointId, attributes: &[&str]) -> Option<Diagnostic> {
    (!attributes.is_empty()).then(|| {
        Diagnostic::warning(
            summaries::ENDPOINT_NOT_READ_COMPLETELY,
            format!(
                "HeyGen's list has {id}, but what it says about {} is missing or malformed. State has null there; a refresh \
                 that can read it puts that right, so plan again before you apply.",
                attributes.join(", ")
            ),
        )
    })
}

/// HeyGen has switched the endpoint off. What configuration says now is not known to a read.
pub(super) fn disabled(state: &EndpointModel) -> Diagnostic {
    Diagnostic::warning(
        summaries::ENDPOINT_DISABLED,
        format!(
            "HeyGen has disabled {} and delivers nothing to it. HeyGen cannot re-enable an endpoint through its API. Unless \
             replace_when_disabled is true in the configuration, which plans the replacement by itself, replace it to get \
             events again: terraform apply -replace=ADDRESS. The new endpoint has a new id and a new secret.",
            name(state)
        ),
    )
    .at("status")
}

pub(super) fn created_without_secret(id: &EndpointId) -> Diagnostic {
    Diagnostic::error(
        summaries::CREATED_WITHOUT_SECRET,
        format!(
            "HeyGen created {id} and did not answer its signing secret, which it shows only once. The endpoint is in state, \
             marked as tainted: the next apply replaces it."
        ),
    )
}

/// Nothing says of a new endpoint what was asked for.
pub(super) fn created_and_not_described(id: &EndpointId, attributes: &[&str], sources: &Sources) -> Option<Diagnostic> {
    let attributes = Some(attributes.join(", ")).filter(|names| !names.is_empty())?;
    let what = match sources {
        Sources::AnswerAndList => format!("neither its answer nor its list has a readable value for {attributes}"),
        Sources::List => format!("its list has no readable value for {attributes}"),
        Sources::Answer { unlisted: None } => {
            format!("its answer has no readable value for {attributes}, and its list does not show the endpoint yet")
        }
        Sources::Answer {
            unlisted: Some(failure),
        } => {
            format!(
                "its answer has no readable value for {attributes}, and the list could not be read to complete it ({})",
                failed_calls::with_origin(failure)
            )
        }
    };
    Some(Diagnostic::warning(
        summaries::CREATED_NOT_DESCRIBED,
        format!("HeyGen created {id}, and {what}. State has null there; the next refresh reads it again."),
    ))
}

/// A creation failed without telling whether it happened, and exactly one endpoint can be its own.
pub(super) fn created_without_answer(failure: &Failure, id: &EndpointId) -> Diagnostic {
    let secret = match &failure.fault {
        Fault::Dropped(_) | Fault::TimedOut(_) => "its secret was only in the answer that did not arrive",
        _ => "HeyGen shows its secret only in the answer to the creation",
    };
    Diagnostic::error(
        summaries::CREATED_SECRET_LOST,
        format!(
            "{}. {id} is the one endpoint in HeyGen's list with this URL and these events that was created since this call \
             began, so it is taken for the one that this call made; {secret}. It is in state, marked as tainted: the next \
             apply deletes it and creates another. If another run made it, take it out of state first: terraform state rm \
             ADDRESS.",
            sentence(failure)
        ),
    )
}

/// The same, where an answer had the secret and no id.
pub(super) fn created_and_id_found(failure: &Failure, id: &EndpointId) -> Diagnostic {
    Diagnostic::warning(
        summaries::CREATED_ID_FOUND,
        format!(
            "{}. The answer had a signing secret and no id. {id} is the one endpoint in HeyGen's list with this URL and these \
             events that was created since this call began, so it is in state now, with that secret. If deliveries do not \
             verify with it, rotate the secret: set rotate_trigger to another value.",
            sentence(failure)
        ),
    )
}

/// A creation failed without telling whether it happened, and nobody can tell. `has_secret`: an answer had a secret, and
/// no id to save it with.
pub(super) fn perhaps_created(failure: &Failure, has_secret: bool, url: &str, candidates: &Candidates) -> Diagnostic {
    let url = endpoint_url::without_query(url);
    let mut what = match candidates.ids.as_slice() {
        [] => format!(
            "HeyGen's list shows no new endpoint with the URL {url} that is not in state, but it may lag behind: look again \
             later."
        ),
        ids => format!("HeyGen's list holds endpoints that may be it: {}.", listed(ids)),
    };
    let unidentified = match candidates.unidentified {
        0 => None,
        1 => Some("One of its items, whose id cannot be read,".to_owned()),
        count => Some(format!("{count} of its items, whose ids cannot be read,")),
    };
    if let Some(unidentified) = unidentified {
        let _ = write!(
            what,
            " {unidentified} may be it as well: look at HeyGen for a new endpoint with the URL {url}."
        );
    }
    let (failed, effect) = (unconfirmed(failure), effect_of_create(has_secret));
    Diagnostic {
        detail: format!("{} {effect} {what} {}", failed.detail, either_way()),
        ..failed
    }
}

/// The beginning of what is said of a creation that failed without telling whether it happened. What is to be done about
/// the failure is said as well, unless that is to try again: then it has to be known first whether it happened.
fn unconfirmed(failure: &Failure) -> Diagnostic {
    let try_again = match &failure.fault {
        Fault::Dropped(_) | Fault::TimedOut(_) | Fault::Stopped { .. } => true,
        Fault::Refused { status, .. } => *status >= 500 || matches!(status, 408 | 429),
        _ => false,
    };
    if try_again {
        return Diagnostic::error(summaries::PERHAPS_CREATED, format!("{}.", sentence(failure)));
    }
    Diagnostic {
        summary: summaries::PERHAPS_CREATED,
        ..failed_calls::diagnostic(failure)
    }
}

fn effect_of_create(has_secret: bool) -> &'static str {
    if has_secret {
        "An answer had the signing secret of a new endpoint and no id, so it seems to have taken effect; without the id the \
         secret could not be saved, so set rotate_trigger once the endpoint is imported."
    } else {
        "Whether it took effect is not known."
    }
}

/// The same, and the list could not be read at last.
pub(super) fn perhaps_created_and_unlisted(
    failure: &Failure,
    has_secret: bool,
    url: &str,
    seen: &Candidates,
    unlisted: &Failure,
) -> Diagnostic {
    let seen = match seen.ids.as_slice() {
        [] => String::new(),
        ids => format!(" Before that it had endpoints that may be it: {}.", listed(ids)),
    };
    let (failed, effect) = (unconfirmed(failure), effect_of_create(has_secret));
    Diagnostic {
        detail: format!(
            "{} {effect} The list could not be read to see ({}).{seen} Look at HeyGen for a new endpoint with the URL {}. {}",
            failed.detail,
            failed_calls::with_origin(unlisted),
            endpoint_url::without_query(url),
            either_way()
        ),
        ..failed
    }
}

fn listed(ids: &[EndpointId]) -> String {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    ids.join(", ")
}

fn either_way() -> String {
    format!(
        "If it was created, no state has it: make sure of that (terraform state list -id=ENDPOINT_ID), and either import it \
         (terraform import {TYPE_NAME}.NAME ENDPOINT_ID) or delete it (DELETE /v3/webhooks/endpoints/ENDPOINT_ID). Then apply \
         again."
    )
}

pub(super) fn update_failed(failure: &Failure, rotation: Rotation) -> Diagnostic {
    let failed = what_became_of_update(failure);
    Diagnostic {
        detail: failed.detail + rotation_waits(rotation),
        ..failed
    }
}

/// What is to be said of a rotation that was to follow a change that failed.
fn rotation_waits(rotation: Rotation) -> &'static str {
    match rotation {
        Rotation::None | Rotation::Perhaps => "",
        Rotation::Due | Rotation::Unsettled => {
            " The secret was not rotated either; the apply in which the change succeeds does that as well."
        }
    }
}

fn what_became_of_update(failure: &Failure) -> Diagnostic {
    if failure.is_not_found() {
        return Diagnostic::error(
            summaries::ENDPOINT_VANISHED,
            format!(
                "{}. The plan went by a state that has it. State keeps it; plan again, and a refresh will find out whether it \
                 is gone for certain.",
                sentence(failure)
            ),
        );
    }
    let diagnostic = failed_calls::diagnostic(failure);
    match failure.effect {
        Effect::None => diagnostic,
        Effect::Unknown => Diagnostic {
            detail: format!(
                "{} The change may have been made all the same; state keeps the old values, and the next refresh shows which \
                 it is.",
                diagnostic.detail
            ),
            ..diagnostic
        },
    }
}

/// HeyGen was told to deliver all events, and nobody said whether it does.
pub(super) fn all_events_not_confirmed(id: &EndpointId, why: &NotConfirmed) -> Diagnostic {
    let why = match why {
        NotConfirmed::NotAnswered => {
            "neither its answer nor its list has said yet what the endpoint receives now".to_owned()
        }
        NotConfirmed::Unlisted(failure) => format!(
            "its answer does not say what the endpoint receives now, and the list could not be read to see ({})",
            failed_calls::with_origin(failure)
        ),
        NotConfirmed::TypesUnread(failure) => {
            let failure = failure
                .as_ref()
                .map(|failure| format!(" ({})", failed_calls::with_origin(failure)));
            format!(
                "the endpoint has a list of events now, and HeyGen's event types could not be read to see whether these are \
                 all{}",
                failure.unwrap_or_default()
            )
        }
    };
    Diagnostic::warning(
        summaries::ALL_EVENTS_NOT_CONFIRMED,
        format!(
            "{id} was told to receive all events (events = null). HeyGen accepted that, but {why}. The next refresh shows what \
             it receives."
        ),
    )
    .at("events")
}

/// HeyGen kept its list when it was told to deliver all events.
pub(super) fn events_kept(id: &EndpointId, rotation: Rotation) -> Diagnostic {
    Diagnostic::error(
        summaries::EVENTS_KEPT,
        format!(
            "{id} was told to receive all events (events = null), and HeyGen still has a list of some for it, so that is \
             what state has too. Replace the endpoint to receive all events: terraform apply -replace=ADDRESS. It gets a \
             new id and a new secret.{}",
            rotation_waits(rotation)
        ),
    )
    .at("events")
}

/// A rotation failed. `unsettled`: this one, or one before it, may have happened all the same.
pub(super) fn rotation_failed(failure: &Failure, unsettled: bool) -> Diagnostic {
    let diagnostic = failed_calls::diagnostic(failure);
    let secret = match (unsettled, failure.effect) {
        (false, _) if failure.is_not_found() => "The secret was not rotated.",
        (false, _) => "The secret was not rotated and is still valid.",
        (true, Effect::Unknown) => "The secret may have been rotated, and then the one in state has stopped working.",
        (true, Effect::None) => {
            "An earlier rotation failed without telling whether it happened, and then the secret in state may have stopped \
             working."
        }
    };
    let then = match unsettled {
        true => "the next apply rotates the secret once more.",
        false if failure.is_not_found() => "if the endpoint is there, the next apply rotates the secret.",
        false => "the next apply rotates the secret.",
    };
    Diagnostic {
        severity: Severity::Error,
        detail: format!(
            "{} {secret} Everything else in this update is done; {then}",
            diagnostic.detail
        ),
        ..diagnostic
    }
}

pub(super) fn delete_failed(failure: &Failure) -> Diagnostic {
    let diagnostic = failed_calls::diagnostic(failure);
    match (failure.effect, &failure.fault) {
        // An interruption says so by itself.
        (Effect::None, _) | (Effect::Unknown, Fault::Stopped { .. }) => diagnostic,
        (Effect::Unknown, _) => Diagnostic {
            detail: format!(
                "{} The endpoint may be gone all the same; state keeps it, and the next refresh shows which it is.",
                diagnostic.detail
            ),
            ..diagnostic
        },
    }
}

/// A deletion was answered 404 by somebody on the way, and HeyGen's list still has the endpoint.
pub(super) fn not_deleted(failure: &Failure) -> Diagnostic {
    still_in_state(
        failure,
        "HeyGen's list still has the endpoint, so this 404 is not HeyGen's word that it is gone",
    )
}

/// The same, and the list could not be read.
pub(super) fn perhaps_deleted(failure: &Failure, unread: &Failure) -> Diagnostic {
    still_in_state(
        failure,
        &format!(
            "Whether the endpoint is gone is not known: this 404 is not HeyGen's word for it, and the list could not be read \
             to see ({})",
            failed_calls::with_origin(unread)
        ),
    )
}

fn still_in_state(failure: &Failure, why: &str) -> Diagnostic {
    let diagnostic = failed_calls::diagnostic(failure);
    Diagnostic {
        detail: format!(
            "{} {why}. State keeps the endpoint; apply again to delete it.",
            diagnostic.detail
        ),
        ..diagnostic
    }
}

/// Said once for all endpoints that a process imports: engines show it once for each time it is said.
pub(super) fn secrets_not_imported() -> Diagnostic {
    Diagnostic::warning(
        summaries::SECRET_NOT_IMPORTED,
        "HeyGen shows the secret of an endpoint only when it is created or rotated. So secret is null in state for every \
         endpoint that is imported in this run. To mint a new one, set rotate_trigger to any value and apply (where the \
         configuration sets it already, the next apply does so); the old secret stops working at that moment. Unless you \
         need the secret in Terraform, leave it as it is: deliveries go on.",
    )
}

/// Endpoints that a list had to leave out. `urls`: their own as they may be shown, where they can be read.
pub(super) fn left_out_without_id(urls: &[Option<String>]) -> Diagnostic {
    const MOST_SHOWN: usize = 3;
    let shown: Vec<&str> = urls.iter().flatten().map(String::as_str).take(MOST_SHOWN).collect();
    let which = match (shown.len(), urls.len()) {
        (0, _) => String::new(),
        (1, 1) => format!(" (its URL: {})", shown[0]),
        (some, all) if some == all => format!(" (their URLs: {})", shown.join(", ")),
        _ => format!(" (URLs of some: {})", shown.join(", ")),
    };
    let what = match urls.len() {
        1 => format!(
            "HeyGen's list has an endpoint whose id is missing or malformed{which}. It can be neither named nor imported, so \
             it is missing here."
        ),
        count => format!(
            "HeyGen's list has {count} endpoints whose ids are missing or malformed{which}. They can be neither named nor \
             imported, so they are missing here."
        ),
    };
    Diagnostic::warning(
        summaries::LISTED_WITHOUT_ID,
        format!("{what} Try again later; if it goes on, report it to HeyGen."),
    )
}

/// An endpoint of which nobody can tell whether it matches.
pub(super) fn listed_without_filter(id: &EndpointId, unreadable: Unreadable) -> Diagnostic {
    let Unreadable { filter, attribute } = unreadable;
    Diagnostic::warning(
        summaries::PERHAPS_NO_MATCH,
        format!(
            "HeyGen's list has {id}, but what it says about {attribute} is missing or malformed, so {filter} cannot tell \
             whether it matches. It is listed all the same: look at it at HeyGen."
        ),
    )
    .at(filter)
}

/// The list says nothing readable about some attributes of an endpoint. `is_included`: its object has the others.
pub(super) fn listed_incompletely(id: &EndpointId, attributes: &[&str], is_included: bool) -> Diagnostic {
    let what = if is_included && attributes.len() == 1 {
        "It is null here."
    } else if is_included {
        "They are null here."
    } else {
        "So it is listed without any of its attributes, and what is generated for it is not complete: write its url and \
         events yourself, or leave it out."
    };
    Diagnostic::warning(
        summaries::ENDPOINT_NOT_READ_COMPLETELY,
        format!(
            "HeyGen's list has {id}, but what it says about {} is missing or malformed. {what}",
            attributes.join(", ")
        ),
    )
}

/// HeyGen has an endpoint with values that no configuration may have.
pub(super) fn not_configurable(id: &EndpointId, problems: &[&Diagnostic]) -> Diagnostic {
    let problems: Vec<_> = problems
        .iter()
        .map(|problem| format!("{}: {}", problem.summary, problem.detail))
        .collect();
    Diagnostic::warning(
        summaries::NOT_CONFIGURABLE,
        format!(
            "HeyGen has {id} with a value that a configuration must not have. {} It can be imported; a configuration that is \
             generated for it is refused until this is corrected.",
            problems.join(" ")
        ),
    )
}

pub(super) fn not_an_id(text: &str, why: InvalidEndpointId) -> Diagnostic {
    Diagnostic::error(
        summaries::NOT_AN_ENDPOINT_ID,
        format!("{} cannot be imported: {why}. Give HeyGen's endpoint_id.", quoted(text)),
    )
}

pub(super) fn id_not_known() -> Diagnostic {
    Diagnostic::error(
        summaries::NOT_AN_ENDPOINT_ID,
        "This cannot be imported: the id is not known. Give HeyGen's endpoint_id.",
    )
}

pub(super) fn bad_id_in_state(text: &str, why: InvalidEndpointId) -> Diagnostic {
    Diagnostic::error(
        summaries::ID_IN_STATE_UNUSABLE,
        format!(
            "State holds {}, which HeyGen could not have given: {why}. Remove the resource from state (terraform state rm) \
             and import it again.",
            quoted(text)
        ),
    )
}

/// What was given for an id or for another name, as a message shows it: see [`excerpt`], and so that every character can be
/// seen.
pub(in crate::provider) fn quoted(text: &str) -> String {
    format!("\"{}\"", excerpt(text).escape_debug())
}

/// What the endpoint in this state is called in a message.
pub(super) fn name(state: &EndpointModel) -> String {
    match state.id.known().map(|id| EndpointId::parse(id).map_err(|_| id)) {
        None => "this endpoint".to_owned(),
        Some(Ok(id)) => id.to_string(),
        Some(Err(text)) => quoted(text),
    }
}

fn sentence(failure: &Failure) -> String {
    failed_calls::capitalised(&failure.to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::heygen::Operation;
    use crate::terraform::{Attr, Model};

    fn deletion_failed(fault: Fault, effect: Effect) -> String {
        let failure = Failure {
            operation: Operation::Delete(EndpointId::parse("ep_1").unwrap()),
            fault,
            request_id: None,
            rejected_credential: None,
            attempts: 1,
            effect,
            in_doubt_from: None,
            earlier_fault: None,
        };
        delete_failed(&failure).detail
    }

    fn refused(operation: Operation, status: u16, code: Option<&str>) -> Failure {
        Failure {
            operation,
            fault: Fault::Refused {
                status,
                code: code.map(str::to_owned),
                message: String::new(),
                param: None,
            },
            request_id: None,
            rejected_credential: None,
            attempts: 1,
            effect: Effect::None,
            in_doubt_from: None,
            earlier_fault: None,
        }
    }

    fn ep_1() -> EndpointId {
        EndpointId::parse("ep_1").unwrap()
    }

    #[test]
    fn a_refresh_that_finds_an_endpoint_disabled_does_not_know_what_is_configured() {
        for replace_when_disabled in [Attr::Null, Attr::Known(false), Attr::Known(true)] {
            let state = EndpointModel {
                id: Attr::Known("ep_1".to_owned()),
                replace_when_disabled,
                ..EndpointModel::null()
            };
            assert_eq!(
                disabled(&state).detail,
                "HeyGen has disabled ep_1 and delivers nothing to it. HeyGen cannot re-enable an endpoint through its API. \
                 Unless replace_when_disabled is true in the configuration, which plans the replacement by itself, replace \
                 it to get events again: terraform apply -replace=ADDRESS. The new endpoint has a new id and a new secret."
            );
        }
    }

    #[test]
    fn an_id_in_state_that_no_endpoint_can_have_is_quoted_with_what_is_wrong_with_it() {
        for (text, quoted, why) in [
            ("../ep", "\"../ep\"", "it holds the character `/`, which no id can have"),
            ("", "\"\"", "it is empty"),
        ] {
            assert_eq!(
                bad_id_in_state(text, EndpointId::parse(text).unwrap_err()).detail,
                format!(
                    "State holds {quoted}, which HeyGen could not have given: {why}. Remove the resource from state \
                     (terraform state rm) and import it again."
                )
            );
        }
    }

    #[test]
    fn an_endpoint_has_vanished_only_if_heygen_says_so() {
        let update = || Operation::Update(ep_1());
        let vanished = update_failed(&refused(update(), 404, Some("not_found")), Rotation::None);
        assert_eq!(vanished.summary, "Webhook endpoint has vanished");
        assert_eq!(
            vanished.detail,
            "Updating webhook endpoint ep_1: the API answered 404 not_found. The plan went by a state that has it. State keeps \
             it; plan again, and a refresh will find out whether it is gone for certain."
        );
        let foreign = update_failed(&refused(update(), 404, None), Rotation::None);
        assert_eq!(foreign.summary, "A 404 without HeyGen's error code");
        let with_rotation = update_failed(&refused(update(), 500, None), Rotation::Due).detail;
        assert!(
            with_rotation.ends_with(
                " The secret was not rotated either; the apply in which the change succeeds does that as well."
            ),
            "{with_rotation}"
        );
    }

    #[test]
    fn no_more_is_claimed_of_a_failed_rotation_than_is_known() {
        let rotation = || Operation::RotateSecret(ep_1());
        let timed_out = Failure {
            fault: Fault::TimedOut(Duration::from_secs(30)),
            effect: Effect::Unknown,
            ..refused(rotation(), 0, None)
        };
        let invalid = || refused(rotation(), 400, Some("invalid_parameter"));
        for (failure, unsettled, said) in [
            (
                invalid(),
                false,
                "The secret was not rotated and is still valid. Everything else in this update is done; the next apply rotates \
                 the secret.",
            ),
            (
                refused(rotation(), 404, Some("not_found")),
                false,
                "The secret was not rotated. Everything else in this update is done; if the endpoint is there, the next apply \
                 rotates the secret.",
            ),
            (
                timed_out,
                true,
                "The secret may have been rotated, and then the one in state has stopped working. Everything else in this \
                 update is done; the next apply rotates the secret once more.",
            ),
            (
                invalid(),
                true,
                "An earlier rotation failed without telling whether it happened, and then the secret in state may have \
                 stopped working. Everything else in this update is done; the next apply rotates the secret once more.",
            ),
        ] {
            let expected = format!("{} {said}", failed_calls::diagnostic(&failure).detail);
            assert_eq!(rotation_failed(&failure, unsettled).detail, expected);
        }
    }

    #[test]
    fn what_a_list_leaves_out_is_counted_and_some_urls_are_shown() {
        let said = |urls: &[Option<&str>]| {
            let urls: Vec<_> = urls.iter().map(|url| url.map(str::to_owned)).collect();
            left_out_without_id(&urls).detail
        };
        assert_eq!(
            said(&[Some("https://a.example/")]),
            "HeyGen's list has an endpoint whose id is missing or malformed (its URL: https://a.example/). It can be neither \
             named nor imported, so it is missing here. Try again later; if it goes on, report it to HeyGen."
        );
        for (urls, what) in [
            (&[None][..], "an endpoint whose id is missing or malformed. It"),
            (&[None, None], "2 endpoints whose ids are missing or malformed. They"),
            (
                &[Some("a"), Some("b")],
                "2 endpoints whose ids are missing or malformed (their URLs: a, b). They",
            ),
            (
                &[Some("a"), None],
                "2 endpoints whose ids are missing or malformed (URLs of some: a). They",
            ),
            (
                &[Some("a"), Some("b"), Some("c"), Some("d")],
                "4 endpoints whose ids are missing or malformed (URLs of some: a, b, c). They",
            ),
        ] {
            let said = said(urls);
            assert!(said.starts_with(&format!("HeyGen's list has {what}")), "{said}");
        }
    }

    #[test]
    fn a_deletion_that_may_have_happened_says_so_once() {
        let timed_out = || Fault::TimedOut(Duration::from_secs(30));
        let unknown = deletion_failed(timed_out(), Effect::Unknown);
        assert!(unknown.contains("The endpoint may be gone all the same"), "{unknown}");
        let none = deletion_failed(timed_out(), Effect::None);
        assert!(!none.contains("may be gone"), "{none}");
        let stopped = deletion_failed(Fault::Stopped { before: None }, Effect::Unknown);
        assert!(stopped.contains("Whether it took effect is not known"), "{stopped}");
        assert!(!stopped.contains("may be gone"), "{stopped}");
    }
}
