//! What the user is told about an endpoint, beyond a plain failed call.

use std::fmt::Display;

use super::schema::{EndpointModel, TYPE_NAME};
use super::url;
use crate::heygen::{Effect, EndpointId, Failure};
use crate::provider::report;
use crate::terraform::{Diagnostic, Severity};

/// The provider cannot call yet.
pub(super) fn not_refreshed(state: &EndpointModel, attributes: &[&str]) -> Diagnostic {
    Diagnostic::warning(
        "Webhook endpoint not refreshed",
        format!(
            "{} of the provider block will be known only during apply, so HeyGen could not be asked about {}. This plan \
             goes by what state says and may miss changes made elsewhere.",
            attributes.join(", "),
            name(state)
        ),
    )
}

/// HeyGen has switched the endpoint off.
pub(super) fn disabled(state: &EndpointModel) -> Diagnostic {
    let then = if state.replace_when_disabled.known() == Some(&true) {
        "replace_when_disabled is set, so it will be planned to be replaced, with a new id and a new secret."
    } else {
        "To get events again, replace it: terraform apply -replace=ADDRESS, or set replace_when_disabled = true. The new \
         endpoint has a new id and a new secret."
    };
    Diagnostic::warning(
        "Webhook endpoint is disabled",
        format!(
            "HeyGen has disabled {} and delivers nothing to it. HeyGen cannot re-enable an endpoint through its API. {then}",
            name(state)
        ),
    )
    .at("status")
}

pub(super) fn created_without_secret(id: &EndpointId) -> Diagnostic {
    Diagnostic::error(
        "Webhook endpoint created without a secret",
        format!(
            "HeyGen created {id} and did not answer its signing secret, which it shows only once. The endpoint is in state, \
             marked as tainted: the next apply replaces it."
        ),
    )
}

/// The answer to a creation got lost, and the endpoint was found.
pub(super) fn created_and_lost(lost: &Failure, id: &EndpointId) -> Diagnostic {
    Diagnostic::error(
        "Webhook endpoint created, but its secret was lost",
        format!(
            "{}. HeyGen's list shows that it was created as {id}, but its secret was only in the answer that did not arrive. \
             The endpoint is in state, marked as tainted: the next apply replaces it.",
            sentence(lost)
        ),
    )
}

/// The answer to a creation got lost, and nobody can tell whether it happened.
pub(super) fn perhaps_created(lost: &Failure, url: &str, candidates: &[EndpointId]) -> Diagnostic {
    let what = if candidates.is_empty() {
        format!(
            "HeyGen's list shows no new endpoint with the URL {} now that is not in state, but it may lag behind: look again \
             later.",
            url::without_query(url)
        )
    } else {
        let ids: Vec<String> = candidates.iter().map(ToString::to_string).collect();
        format!("HeyGen's list holds endpoints that may be it: {}.", ids.join(", "))
    };
    Diagnostic::error(
        "Webhook endpoint perhaps created",
        format!(
            "{}. Whether it took effect is not known. {what} {}",
            sentence(lost),
            either_way()
        ),
    )
}

/// The same, and the list could not be read.
pub(super) fn perhaps_created_and_unlisted(lost: &Failure, url: &str, unlisted: &Failure) -> Diagnostic {
    Diagnostic::error(
        "Webhook endpoint perhaps created",
        format!(
            "{}. Whether it took effect is not known, and the list could not be read to see ({unlisted}). Look at HeyGen for \
             a new endpoint with the URL {}. {}",
            sentence(lost),
            url::without_query(url),
            either_way()
        ),
    )
}

fn either_way() -> String {
    format!(
        "If it was created, no state has it: make sure of that (terraform state list -id=ENDPOINT_ID), and either import it \
         (terraform import {TYPE_NAME}.NAME ENDPOINT_ID) or delete it (DELETE /v3/webhooks/endpoints/ENDPOINT_ID). Then apply \
         again."
    )
}

pub(super) fn update_failed(failure: &Failure) -> Diagnostic {
    if failure.is_not_found() {
        return Diagnostic::error(
            "Webhook endpoint has vanished",
            format!(
                "{}. It was there when this was planned. State keeps it; plan again, and a refresh will find out whether it \
                 is gone for certain.",
                sentence(failure)
            ),
        );
    }
    let diagnostic = report::failure(failure);
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

/// HeyGen kept its list when it was told to deliver all events.
pub(super) fn events_kept(id: &EndpointId) -> Diagnostic {
    Diagnostic::error(
        "HeyGen kept the list of events",
        format!(
            "{id} was told to receive all events (events = null), and HeyGen's answer still has the old list, so that is \
             what state has too. Replace the endpoint to receive all events: terraform apply -replace=ADDRESS. It gets a \
             new id and a new secret."
        ),
    )
    .at("events")
}

/// A rotation failed. `unsettled`: this one, or one before it, may have happened all the same.
pub(super) fn rotation_failed(failure: &Failure, unsettled: bool) -> Diagnostic {
    let diagnostic = report::failure(failure);
    let secret = match (unsettled, failure.effect) {
        (false, _) if failure.is_not_found() => "The secret was not rotated.",
        (false, _) => "The secret was not rotated and is still valid.",
        (true, Effect::Unknown) => "The secret may have been rotated, and then the one in state has stopped working.",
        (true, Effect::None) => {
            "An earlier rotation was never answered and may have happened, and then the secret in state has stopped working."
        }
    };
    let then = if unsettled {
        "the next apply rotates the secret once more."
    } else {
        "the next apply rotates the secret."
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

pub(super) fn secret_not_imported(id: &EndpointId) -> Diagnostic {
    Diagnostic::warning(
        "The signing secret cannot be imported",
        format!(
            "HeyGen shows the secret of {id} only when it is created or rotated, so secret is null in state. To mint a new \
             one, set rotate_trigger to any value and apply; the old secret stops working at that moment."
        ),
    )
}

pub(super) fn not_an_id(why: &dyn Display) -> Diagnostic {
    Diagnostic::error(
        "Not an endpoint id",
        format!("This cannot be imported: {why}. Give HeyGen's endpoint_id."),
    )
}

pub(super) fn bad_id_in_state(why: &dyn Display) -> Diagnostic {
    Diagnostic::error(
        "Not an endpoint id in state",
        format!(
            "State does not hold an id that HeyGen could have given: {why}. Remove the resource from state (terraform state \
             rm) and import it again."
        ),
    )
}

fn name(state: &EndpointModel) -> &str {
    state.id.known().map_or("this endpoint", String::as_str)
}

fn sentence(failure: &Failure) -> String {
    report::capitalised(&failure.to_string())
}
