//! `data.heygen_webhook_event_types`: what can be delivered.

use std::sync::LazyLock;

use async_trait::async_trait;

use super::{SharedSession, failed, field};
use crate::heygen::{EventType, Stop};
use crate::terraform::{Attr, Attribute, DataSource, Diagnostics, Outcome, Schema, Type, model};

const DOING: &str = "Listing the webhook event types";

model! {
    /// One event type.
    pub(super) struct EventTypeData {
        /// Its name.
        pub event_type: String,
        /// What it means, in `HeyGen`'s words.
        pub description: String,
    }
}

model! {
    /// All event types.
    pub(super) struct EventTypeList {
        /// In `HeyGen`'s order.
        pub event_types: Vec<Attr<EventTypeData>>,
    }
}

impl From<&EventType> for EventTypeData {
    fn from(event_type: &EventType) -> Self {
        Self {
            event_type: field(&event_type.name),
            description: field(&event_type.description),
        }
    }
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        0,
        "The event types that HeyGen can deliver. The list grows.",
        vec![Attribute::computed_list(
            "event_types",
            vec![
                Attribute::computed(
                    "event_type",
                    Type::String,
                    "The name of the event type, such as `avatar_video.success`.",
                ),
                Attribute::computed(
                    "description",
                    Type::String,
                    "When events of this type are sent, in HeyGen's words.",
                ),
            ],
            "The event types, in HeyGen's order.",
        )],
    )
});

pub(super) struct WebhookEventTypes(pub(super) SharedSession);

#[async_trait]
impl DataSource for WebhookEventTypes {
    type Model = EventTypeList;

    fn type_name(&self) -> &'static str {
        "heygen_webhook_event_types"
    }

    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn validate(&self, _config: &EventTypeList) -> Diagnostics {
        Diagnostics::none()
    }

    async fn read(&self, _config: EventTypeList, stop: &Stop) -> Result<Outcome<EventTypeList>, Diagnostics> {
        let client = self.0.client(DOING)?;
        let event_types = client.event_types(stop).await.map_err(failed)?;
        let event_types = event_types.iter().map(|event_type| Attr::Known(event_type.into()));
        Ok(Outcome::ok(EventTypeList {
            event_types: Attr::Known(event_types.collect()),
        }))
    }
}
