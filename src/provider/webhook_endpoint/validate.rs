//! The rules for a configuration, each reported at its attribute.

use super::messages::quoted;
use super::schema::EndpointModel;
use crate::provider::endpoint_url;
use crate::provider::summaries;
use crate::terraform::{Attr, Diagnostic, Diagnostics};

/// Checks what is known of a configuration.
pub(super) fn validate(config: &EndpointModel) -> Diagnostics {
    let mut diagnostics = Diagnostics::none();
    diagnostics.extend(config.url.known().and_then(|text| endpoint_url::validate(text)));
    if let Attr::Known(events) = &config.events {
        if events.is_empty() {
            diagnostics.push(
                Diagnostic::error(
                    summaries::NO_EVENTS,
                    "An empty set would deliver nothing. Omit the attribute to receive all events, or name at least one.",
                )
                .at("events"),
            );
        }
        if events.has_null() || events.known().contains("") {
            diagnostics.push(
                Diagnostic::error(
                    summaries::NOT_AN_EVENT_TYPE,
                    "One of the events is null or empty. Each must be a name.",
                )
                .at("events"),
            );
        }
        let named = events.known().iter();
        diagnostics.extend(
            named
                .filter(|name| !name.is_empty())
                .filter_map(|name| unknown_event(name)),
        );
    }
    diagnostics
}

fn unknown_event(name: &str) -> Option<Diagnostic> {
    let known = KNOWN_EVENTS.contains(&name);
    (!known).then(|| {
        Diagnostic::warning(
            summaries::UNKNOWN_EVENT_TYPE,
            format!(
                "{} was not among HeyGen's event types in July 2026. The list grows, so this may well be right; HeyGen \
                 refuses a name that it does not know.",
                quoted(name)
            ),
        )
        .at("events")
    })
}

/// The event types of July 2026. HeyGen adds others, so the list serves only for a warning, and to recognise a list of
/// all events.
pub(super) const KNOWN_EVENTS: [&str; 30] = [
    "ai_clipping.fail",
    "ai_clipping.success",
    "avatar_video.fail",
    "avatar_video.success",
    "avatar_video_caption.fail",
    "avatar_video_caption.success",
    "avatar_video_gif.fail",
    "avatar_video_gif.success",
    "batch.finished",
    "hyperframes_video.fail",
    "hyperframes_video.success",
    "instant_avatar.fail",
    "instant_avatar.success",
    "live_avatar.fail",
    "live_avatar.success",
    "personalized_video",
    "photo_avatar_add_motion.fail",
    "photo_avatar_add_motion.success",
    "photo_avatar_generation.fail",
    "photo_avatar_generation.success",
    "photo_avatar_train.fail",
    "photo_avatar_train.success",
    "proofread_creation.fail",
    "proofread_creation.success",
    "video_agent.fail",
    "video_agent.success",
    "video_translate.fail",
    "video_translate.preflight.download_failed",
    "video_translate.preflight.validation_failed",
    "video_translate.success",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terraform::{Model, Path, Set, Severity};

    fn of_events(events: Attr<Set<String>>) -> Vec<(Severity, String)> {
        let config = EndpointModel {
            url: Attr::Unknown,
            events,
            ..EndpointModel::null()
        };
        let found = validate(&config);
        assert!(found.iter().all(|d| d.path == Some(Path::attribute("events"))));
        found.into_iter().map(|d| (d.severity, d.summary.to_string())).collect()
    }

    fn set(members: impl IntoIterator<Item = Attr<String>>) -> Attr<Set<String>> {
        Attr::Known(members.into_iter().collect())
    }

    fn name(name: &str) -> Attr<String> {
        Attr::Known(name.to_owned())
    }

    #[test]
    fn no_events_attribute_or_one_not_known_yet_is_fine() {
        assert!(of_events(Attr::Null).is_empty());
        assert!(of_events(Attr::Unknown).is_empty());
        assert!(of_events(set([Attr::Unknown, name("batch.finished")])).is_empty());
        assert!(of_events(set([Attr::Unknown, Attr::Unknown])).is_empty());
        assert!(of_events(set(KNOWN_EVENTS.map(name))).is_empty());
    }

    #[test]
    fn an_empty_set_is_an_error() {
        assert_eq!(of_events(set([])), [(Severity::Error, "No events".to_owned())]);
    }

    #[test]
    fn null_and_empty_members_are_errors() {
        let error = [(Severity::Error, "Not an event type".to_owned())];
        assert_eq!(of_events(set([Attr::Null])), error);
        assert_eq!(of_events(set([name(""), name("batch.finished")])), error);
    }

    #[test]
    fn an_unknown_name_is_a_warning() {
        let warning = (Severity::Warning, "Event type unknown to this provider".to_owned());
        assert_eq!(of_events(set([name("avatar_video.done")])), [warning]);
    }
}
