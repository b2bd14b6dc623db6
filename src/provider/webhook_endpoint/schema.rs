//! The schema of `heygen_webhook_endpoint`, its model, and its private data.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::terraform::{Attribute, IdentityAttribute, IdentitySchema, Schema, Set, Type, model};

/// The resource's full name.
pub(crate) const TYPE_NAME: &str = "heygen_webhook_endpoint";

model! {
    /// The attributes of [`SCHEMA`].
    pub(crate) struct EndpointModel {
        /// `endpoint_id` at `HeyGen`.
        pub id: String,
        /// Where events are delivered, in the spelling of the configuration.
        pub url: String,
        /// The event types delivered; null for all.
        pub events: Set<String>,
        /// What the endpoint is scoped to; `HeyGen` never answers it.
        pub entity_id: String,
        /// Any change to a new value rotates the secret.
        pub rotate_trigger: String,
        /// What deliveries are signed with; `HeyGen` answers it once.
        pub secret: SecretString,
        /// `enabled`, `disabled`, or a status that `HeyGen` adds later.
        pub status: String,
        /// As received.
        pub created_at: String,
        /// Whether to replace the endpoint once it is disabled.
        pub replace_when_disabled: bool,
    }
}

/// What the provider stores about an endpoint beside its state. Missing fields take their default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Private {
    /// The list that `HeyGen` answered when all events were asked for, if it answered one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all_events: Option<BTreeSet<String>>,
    /// All events were asked for, and it is not known yet how HeyGen's list shows that, because its answer could not be
    /// read or did not spell them out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub all_events_not_answered: bool,
    /// The endpoint was imported: a null `entity_id` says "not known" and not "none".
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub entity_id_not_known: bool,
    /// A rotation was sent and its answer did not arrive, so the secret in state may have stopped working.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rotation_unsettled: bool,
}

/// What the user loses with [`Private`], for the message about private data that cannot be read.
pub(super) const LOSS_OF_PRIVATE_DATA: &str = "Without it an endpoint that was imported would be replaced when entity_id is set, where that is only recorded today; a \
     list of all events would be taken for a change; and a secret that an unanswered rotation may have ended would pass for \
     a valid one. Importing does not bring a secret back.";

/// The schema of the configuration and the state.
pub(super) static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        0,
        "A webhook endpoint: a URL that HeyGen delivers events to, signed with a secret of its own.",
        vec![
            Attribute::computed("id", Type::String, "HeyGen's `endpoint_id` of the endpoint."),
            Attribute::required(
                "url",
                Type::String,
                "The public `https` URL that HeyGen delivers events to. Must be absolute, without user name and fragment. \
                 HeyGen calls it when it is registered, so the receiver must be up by then. Updated in place.",
            ),
            Attribute::optional(
                "events",
                Type::set(Type::String),
                "The event types that HeyGen delivers, such as `avatar_video.success`. Must not be empty. Defaults to all \
                 events, those that HeyGen will add later included. Updated in place.",
            ),
            Attribute::optional(
                "entity_id",
                Type::String,
                "The resource at HeyGen that the endpoint is scoped to. HeyGen never answers it, so it is not known after \
                 an import: setting it then only records it. Any other change replaces the endpoint.",
            ),
            Attribute::optional(
                "rotate_trigger",
                Type::String,
                "Any text; a change to a new value rotates the signing secret in place, and the old secret stops working \
                 at once. Removing it does nothing, and at creation it is only recorded.",
            ),
            Attribute::computed(
                "secret",
                Type::String,
                "The secret that HeyGen signs deliveries with (HMAC-SHA256). HeyGen shows it only once, at creation \
                 and at rotation, so it is null after an import until it is rotated. Terraform's state holds it in \
                 clear text.",
            )
            .sensitive(),
            Attribute::computed(
                "status",
                Type::String,
                "Whether HeyGen delivers events to the endpoint: `enabled` or `disabled`. HeyGen disables endpoints by \
                 itself and cannot enable one again through its API: replace it.",
            ),
            Attribute::computed(
                "created_at",
                Type::String,
                "When the endpoint was created, as HeyGen writes it.",
            ),
            Attribute::optional(
                "replace_when_disabled",
                Type::Bool,
                "Whether an endpoint that HeyGen has disabled is planned to be replaced, with a new id and a new secret. \
                 Otherwise there is only a warning, also while the value is known only during apply. Defaults to `false`.",
            ),
        ],
    )
});

/// The schema of the identity.
pub(super) static IDENTITY_SCHEMA: LazyLock<IdentitySchema> = LazyLock::new(|| {
    let id = IdentityAttribute {
        name: "id",
        ty: Type::String,
        description: "HeyGen's endpoint_id of the endpoint.",
    };
    IdentitySchema::new(0, vec![id])
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terraform::Model;

    #[test]
    fn the_model_has_the_attributes_of_the_schema() {
        let mut names: Vec<&str> = SCHEMA.attributes().iter().map(|a| a.name).collect();
        let mut modelled = EndpointModel::ATTRIBUTES.to_vec();
        names.sort_unstable();
        modelled.sort_unstable();
        assert_eq!(names, modelled);
    }

    #[test]
    fn the_secret_and_nothing_else_is_sensitive() {
        let sensitive: Vec<&str> = SCHEMA
            .attributes_at_any_depth()
            .iter()
            .filter(|a| a.sensitive)
            .map(|a| a.name)
            .collect();
        assert_eq!(sensitive, ["secret"]);
    }

    #[test]
    fn private_data_survives_a_round_trip_and_unknown_fields() {
        let private = Private {
            all_events: Some(BTreeSet::from(["a".to_owned()])),
            all_events_not_answered: true,
            entity_id_not_known: true,
            rotation_unsettled: true,
        };
        let json = serde_json::to_string(&private).unwrap();
        assert_eq!(serde_json::from_str::<Private>(&json).unwrap(), private);
        assert_eq!(
            serde_json::from_str::<Private>(r#"{"later":1}"#).unwrap(),
            Private::default()
        );
        assert_eq!(serde_json::to_string(&Private::default()).unwrap(), "{}");
    }
}
