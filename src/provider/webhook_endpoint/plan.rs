//! Plans what a change of the configuration will do. Pure: without a call, a clock or chance.

use super::messages;
use super::schema::{EndpointModel, Private};
use crate::provider::endpoint_url;
use crate::provider::summaries;
use crate::terraform::{Attr, Diagnostic, Diagnostics, Path, Plan, Proposal, Stored, Walk};

/// Plans a creation or an update; a replacement comes here as an update first and then as a creation.
pub(super) fn plan(proposal: Proposal<EndpointModel, Private>) -> Plan<EndpointModel> {
    match proposal {
        Proposal::Create { config } => Plan {
            planned: EndpointModel {
                id: Attr::Unknown,
                secret: Attr::Unknown,
                status: Attr::Unknown,
                created_at: Attr::Unknown,
                ..config
            },
            requires_replace: Vec::new(),
            diagnostics: Diagnostics::none(),
        },
        Proposal::Update { prior, config, walk } => plan_update(&prior, config, walk),
    }
}

fn plan_update(prior: &Stored<EndpointModel, Private>, config: EndpointModel, walk: Walk) -> Plan<EndpointModel> {
    let Stored { state, private } = prior;
    let rotation = Rotation::between(prior, &config.rotate_trigger);
    let mut planned = EndpointModel {
        id: state.id.clone(),
        secret: state.secret.clone(),
        status: state.status.clone(),
        created_at: state.created_at.clone(),
        ..config
    };
    if let (Attr::Known(before), Attr::Known(now)) = (&state.url, &planned.url)
        && endpoint_url::identical(before, now)
    {
        planned.url = state.url.clone();
    }

    let mut requires_replace = Vec::new();
    if replaces_for_entity(&state.entity_id, &planned.entity_id, private) {
        requires_replace.push(Path::attribute("entity_id"));
    }
    let when_disabled = WhenDisabled::of(state, planned.replace_when_disabled, walk);
    if when_disabled == WhenDisabled::Replace {
        // Terraform replaces only for an attribute that changes, and the status of the new endpoint is not known yet.
        planned.status = Attr::Unknown;
        requires_replace.push(Path::attribute("status"));
    }

    let mut diagnostics = Diagnostics::none();
    if requires_replace.is_empty() {
        diagnostics.extend(when_disabled.warning(state));
        if rotation != Rotation::None {
            planned.secret = Attr::Unknown;
        }
        diagnostics.extend(rotation.warning(state));
    }
    Plan {
        planned,
        requires_replace,
        diagnostics,
    }
}

/// Whether an update rotates the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rotation {
    /// The secret stays.
    None,
    /// The trigger is not known yet; apply will see whether it changed.
    Perhaps,
    /// The trigger changed to a new value.
    Due,
    /// An earlier rotation failed without telling whether it happened. Only another one gives state a secret that is
    /// valid for certain.
    Unsettled,
}

impl Rotation {
    /// Whether to rotate. Plan and apply use the same rule.
    pub(super) fn between(prior: &Stored<EndpointModel, Private>, trigger: &Attr<String>) -> Self {
        match (&prior.state.rotate_trigger, trigger) {
            (_, Attr::Unknown) => Rotation::Perhaps,
            (before, Attr::Known(now)) if before.known() != Some(now) => Rotation::Due,
            _ if prior.private.rotation_unsettled => Rotation::Unsettled,
            _ => Rotation::None,
        }
    }

    fn warning(self, state: &EndpointModel) -> Option<Diagnostic> {
        let id = messages::name(state);
        let then = "Deliveries are signed with the new secret from that moment on; receivers that still hold the old one \
                    will refuse them until they have the new one.";
        let warning = match self {
            Rotation::None => return None,
            Rotation::Perhaps => Diagnostic::warning(
                summaries::ROTATION_PERHAPS_PLANNED,
                format!(
                    "rotate_trigger is known only during apply. If its value has changed by then, the secret of {id} \
                     is rotated, and the old one stops working at once. {then}"
                ),
            ),
            Rotation::Due => Diagnostic::warning(
                summaries::ROTATION_PLANNED,
                format!("Applying this rotates the secret of {id}, and the old one stops working at once. {then}"),
            ),
            Rotation::Unsettled => Diagnostic::warning(
                summaries::ROTATION_PLANNED_AGAIN,
                format!(
                    "An earlier rotation of the secret of {id} failed without telling whether it happened, so the secret in \
                     state may have stopped working. Applying this rotates it once more. {then}"
                ),
            ),
        };
        Some(warning.at("rotate_trigger"))
    }
}

/// Whether a change of `entity_id` replaces the endpoint. After an import the entity is not known, and the configured
/// value is recorded without a replacement. A value that is known only during apply may be another one, and replaces.
fn replaces_for_entity(before: &Attr<String>, now: &Attr<String>, private: &Private) -> bool {
    let not_known = before.is_null() && private.entity_id_not_known;
    before != now && !not_known
}

pub(super) fn is_disabled(state: &EndpointModel) -> bool {
    state.status.known().is_some_and(|status| status == "disabled")
}

/// Whether an endpoint is replaced because it is disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WhenDisabled {
    /// It stays because it is not disabled, or because it is not to be replaced.
    Keep,
    /// It stays for now, because `replace_when_disabled` is known only during apply.
    KeepWhileUnknown,
    /// It stays for now, because only what was planned to be replaced is replaced during apply.
    KeepDuringApply,
    /// It is replaced.
    Replace,
}

impl WhenDisabled {
    /// Decides for a disabled endpoint. It is not replaced while the setting is unknown, and apply does not replace it
    /// if the plan that the user approved did not. An engine that does not say whether it is planning or applying gets
    /// the same answer in both; it refuses by itself to replace what it has not planned to replace.
    fn of(state: &EndpointModel, setting: Attr<bool>, walk: Walk) -> Self {
        match (is_disabled(state), setting, walk) {
            (true, Attr::Known(true), Walk::Plan) => WhenDisabled::Replace,
            (true, Attr::Known(true), Walk::Apply) => WhenDisabled::KeepDuringApply,
            (true, Attr::Unknown, _) => WhenDisabled::KeepWhileUnknown,
            _ => WhenDisabled::Keep,
        }
    }

    fn warning(self, state: &EndpointModel) -> Option<Diagnostic> {
        let id = messages::name(state);
        let detail = match self {
            WhenDisabled::Keep | WhenDisabled::Replace => return None,
            WhenDisabled::KeepWhileUnknown => format!(
                "replace_when_disabled is known only during apply, so {id} is not replaced now, and gets no events. If the \
                 value turns out to be true, the next plan replaces it. OpenTofu does not tell providers that it is applying: \
                 it then ends the apply with errors that call this a bug, and nothing is changed; plan again."
            ),
            WhenDisabled::KeepDuringApply => format!(
                "replace_when_disabled is true, but {id} is not replaced now, and gets no events: the engine says that it is \
                 applying, and an apply replaces only what its plan does. Plan again. If it is not replaced then either, \
                 replace it: terraform apply -replace=ADDRESS."
            ),
        };
        Some(Diagnostic::warning(summaries::PERHAPS_REPLACED, detail).at("replace_when_disabled"))
    }
}

#[cfg(test)]
mod tests {
    use secrecy::{ExposeSecret, SecretString};

    use super::*;
    use crate::terraform::{Model, Set};

    fn text(text: &str) -> Attr<String> {
        Attr::Known(text.to_owned())
    }

    fn events(names: &[&str]) -> Attr<Set<String>> {
        Attr::Known(names.iter().map(|name| text(name)).collect())
    }

    fn config() -> EndpointModel {
        EndpointModel {
            url: text("https://example.com/hook"),
            events: events(&["avatar_video.success"]),
            ..EndpointModel::null()
        }
    }

    fn prior() -> Stored<EndpointModel, Private> {
        Stored {
            state: EndpointModel {
                id: text("ep_1"),
                secret: Attr::Known(SecretString::from("whsec_1")),
                status: text("enabled"),
                created_at: text("2026-07-01T00:00:00Z"),
                ..config()
            },
            private: Private::default(),
        }
    }

    fn update(prior: &Stored<EndpointModel, Private>, config: EndpointModel) -> Plan<EndpointModel> {
        update_in(Walk::Plan, prior, config)
    }

    fn update_in(walk: Walk, prior: &Stored<EndpointModel, Private>, config: EndpointModel) -> Plan<EndpointModel> {
        plan(Proposal::Update {
            prior: prior.clone(),
            config,
            walk,
        })
    }

    /// The names of what is unknown in the plan.
    fn unknown_in(plan: &Plan<EndpointModel>) -> Vec<&'static str> {
        plan.planned.clone().null_unknowns()
    }

    fn replaces(plan: &Plan<EndpointModel>, attribute: &str) -> bool {
        plan.requires_replace == [Path::attribute(attribute)]
    }

    #[test]
    fn creating_leaves_what_heygen_decides_unknown() {
        let plan = plan(Proposal::Create { config: config() });
        assert_eq!(unknown_in(&plan), ["id", "secret", "status", "created_at"]);
        assert!(plan.requires_replace.is_empty() && plan.diagnostics.is_empty());
    }

    #[test]
    fn the_same_configuration_plans_nothing() {
        let plan = update(&prior(), config());
        assert!(unknown_in(&plan).is_empty() && plan.requires_replace.is_empty() && plan.diagnostics.is_empty());
        let secret = plan.planned.secret.into_known().unwrap();
        assert_eq!(secret.expose_secret(), "whsec_1");
    }

    #[test]
    fn editing_url_and_events_is_done_in_place_and_keeps_the_secret() {
        let edited = EndpointModel {
            url: text("https://example.com/other"),
            events: Attr::Null,
            ..config()
        };
        let plan = update(&prior(), edited);
        assert!(unknown_in(&plan).is_empty() && plan.requires_replace.is_empty());
        assert_eq!(plan.planned.url, text("https://example.com/other"));
        assert!(plan.planned.events.is_null());
    }

    #[test]
    fn another_spelling_of_the_same_url_plans_nothing() {
        let respelled = EndpointModel {
            url: text("https://EXAMPLE.com:443/hook"),
            ..config()
        };
        assert_eq!(update(&prior(), respelled).planned.url, prior().state.url);
        let other = EndpointModel {
            url: text("https://example.com/hook/"),
            ..config()
        };
        assert_eq!(update(&prior(), other).planned.url, text("https://example.com/hook/"));
    }

    #[test]
    fn rotation_is_planned_for_any_change_to_a_new_value_and_for_nothing_else() {
        let (a, b) = (text("a"), text("b"));
        for (before, now, expected) in [
            (Attr::Null, a.clone(), Rotation::Due),
            (a.clone(), b.clone(), Rotation::Due),
            (a.clone(), a.clone(), Rotation::None),
            (a.clone(), Attr::Null, Rotation::None),
            (Attr::Null, Attr::Null, Rotation::None),
            (Attr::Null, text(""), Rotation::Due),
            (a.clone(), Attr::Unknown, Rotation::Perhaps),
        ] {
            let mut prior = prior();
            prior.state.rotate_trigger = before.clone();
            assert_eq!(Rotation::between(&prior, &now), expected, "{before:?} -> {now:?}");
            let plan = update(
                &prior,
                EndpointModel {
                    rotate_trigger: now,
                    ..config()
                },
            );
            let secret_is_unknown = unknown_in(&plan).contains(&"secret");
            assert_eq!(secret_is_unknown, expected != Rotation::None);
            assert_eq!(plan.diagnostics.is_empty(), expected == Rotation::None);
        }
    }

    #[test]
    fn a_rotation_plans_only_the_secret_as_unknown_and_warns() {
        let rotated = EndpointModel {
            rotate_trigger: text("1"),
            ..config()
        };
        let plan = update(&prior(), rotated);
        assert_eq!(unknown_in(&plan), ["secret"]);
        let warning = plan.diagnostics.iter().next().unwrap();
        assert!(
            warning.detail.contains("the old one stops working at once"),
            "{warning:?}"
        );
        assert_eq!(warning.path, Some(Path::attribute("rotate_trigger")));
    }

    #[test]
    fn a_rotation_that_was_never_answered_is_done_again_whatever_became_of_the_trigger() {
        let mut prior = prior();
        prior.private.rotation_unsettled = true;
        prior.state.rotate_trigger = text("a");
        for trigger in [text("a"), Attr::Null] {
            assert_eq!(Rotation::between(&prior, &trigger), Rotation::Unsettled);
            let config = EndpointModel {
                rotate_trigger: trigger,
                ..config()
            };
            let plan = update(&prior, config);
            assert_eq!(unknown_in(&plan), ["secret"]);
            assert!(!plan.diagnostics.is_empty());
        }
    }

    #[test]
    fn a_change_of_entity_replaces() {
        let mut prior = prior();
        for (before, now) in [
            (Attr::Null, text("x")),
            (text("x"), text("y")),
            (text("x"), Attr::Null),
            (text("x"), Attr::Unknown),
        ] {
            prior.state.entity_id = before;
            let config = EndpointModel {
                entity_id: now,
                rotate_trigger: text("1"),
                ..config()
            };
            let plan = update(&prior, config);
            assert!(replaces(&plan, "entity_id"));
            // The new endpoint has a new secret anyway: nothing is rotated.
            assert!(plan.diagnostics.is_empty());
        }
    }

    #[test]
    fn an_entity_that_is_not_known_is_adopted() {
        let mut prior = prior();
        prior.private.entity_id_not_known = true;
        for now in [text("x"), Attr::Unknown, Attr::Null] {
            let config = EndpointModel {
                entity_id: now.clone(),
                ..config()
            };
            let plan = update(&prior, config);
            assert!(plan.requires_replace.is_empty());
            assert_eq!(plan.planned.entity_id, now);
        }
    }

    #[test]
    fn a_disabled_endpoint_is_replaced_only_where_configuration_says_so() {
        let mut disabled = prior();
        disabled.state.status = text("disabled");
        for (setting, expected) in [
            (Attr::Known(true), true),
            (Attr::Unknown, false),
            (Attr::Known(false), false),
            (Attr::Null, false),
        ] {
            let config = EndpointModel {
                replace_when_disabled: setting,
                ..config()
            };
            let plan = update(&disabled, config.clone());
            assert_eq!(replaces(&plan, "status"), expected, "{setting:?}");
            assert_eq!(plan.planned.status.is_unknown(), expected);
            assert!(update(&prior(), config).requires_replace.is_empty());
        }
    }

    #[test]
    fn a_disabled_endpoint_is_kept_with_a_warning_while_the_setting_is_not_known() {
        let mut disabled = prior();
        disabled.state.status = text("disabled");
        let unknown = EndpointModel {
            replace_when_disabled: Attr::Unknown,
            ..config()
        };
        let plan = update(&disabled, unknown.clone());
        assert_eq!(unknown_in(&plan), ["replace_when_disabled"]);
        let warnings: Vec<_> = plan.diagnostics.iter().collect();
        assert_eq!(warnings.len(), 1);
        assert_eq!(warnings[0].path, Some(Path::attribute("replace_when_disabled")));
        assert_eq!(
            warnings[0].detail,
            "replace_when_disabled is known only during apply, so ep_1 is not replaced now, and gets no events. If the value \
             turns out to be true, the next plan replaces it. OpenTofu does not tell providers that it is applying: it then \
             ends the apply with errors that call this a bug, and nothing is changed; plan again."
        );
        assert!(update(&prior(), unknown.clone()).diagnostics.is_empty(), "not disabled");
        let moved = EndpointModel {
            entity_id: text("other"),
            ..unknown
        };
        let plan = update(&disabled, moved);
        assert!(
            replaces(&plan, "entity_id") && plan.diagnostics.is_empty(),
            "replaced anyway"
        );
    }

    #[test]
    fn apply_does_not_replace_a_disabled_endpoint_that_the_plan_kept() {
        let mut disabled = prior();
        disabled.state.status = text("disabled");
        let config = EndpointModel {
            replace_when_disabled: Attr::Known(true),
            ..config()
        };
        let plan = update_in(Walk::Apply, &disabled, config.clone());
        assert!(plan.requires_replace.is_empty());
        assert_eq!(plan.planned.status, text("disabled"));
        let details: Vec<_> = plan.diagnostics.iter().map(|warning| warning.detail.as_str()).collect();
        assert_eq!(
            details,
            [
                "replace_when_disabled is true, but ep_1 is not replaced now, and gets no events: the engine says that it is \
                 applying, and an apply replaces only what its plan does. Plan again. If it is not replaced then either, \
                 replace it: terraform apply -replace=ADDRESS."
            ]
        );
        // What else forces a replacement goes by Terraform's own convention.
        let moved = EndpointModel {
            entity_id: text("other"),
            ..config
        };
        assert!(replaces(&update_in(Walk::Apply, &disabled, moved), "entity_id"));
    }
}
