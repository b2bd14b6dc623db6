//! `data.heygen_webhook_events`: the history of deliveries.

use std::sync::LazyLock;

use async_trait::async_trait;

use super::{SharedSession, failed, field};
use crate::heygen::{Event, EventFilter, Stop};
use crate::provider::filters::refuse_empty;
use crate::provider::summaries;
use crate::terraform::{Attr, Attribute, DataSource, Diagnostic, Diagnostics, Number, Outcome, Schema, Type, model};

const DOING: &str = "Listing the webhook events";

/// How many events are read where configuration does not say.
const DEFAULT_LIMIT: usize = 100;

/// The highest `limit`: state has to hold all these events, and each hundred of them cost a call.
const HIGHEST_LIMIT: usize = 10_000;

model! {
    /// One event.
    pub(super) struct HistoryEvent {
        /// `HeyGen`'s name for it.
        pub event_id: String,
        /// What happened.
        pub event_type: String,
        /// What is known about it, as JSON.
        pub event_data: String,
        /// As received.
        pub created_at: String,
    }
}

model! {
    /// The filters, and the events that match them.
    pub(super) struct EventList {
        /// Only this type.
        pub event_type: String,
        /// Only this entity.
        pub entity_id: String,
        /// How many at most.
        pub limit: Number,
        /// In `HeyGen`'s order.
        pub events: Vec<Attr<HistoryEvent>>,
    }
}

impl From<&Event> for HistoryEvent {
    fn from(event: &Event) -> Self {
        Self {
            event_id: field(&event.id),
            event_type: field(&event.event_type),
            event_data: field(&event.data),
            created_at: field(&event.created_at),
        }
    }
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let filter = |name, description| Attribute::optional(name, Type::String, description);
    Schema::new(
        0,
        "The history of the account's webhook events. It is another one at every refresh, so what is made of it changes \
         as well.",
        vec![
            filter("event_type", "Only events of this type. Must not be empty."),
            filter("entity_id", "Only events of this entity. Must not be empty."),
            Attribute::optional(
                "limit",
                Type::Number,
                "How many events are read at most. Must be a whole number from 1 to 10000. Defaults to `100`.",
            ),
            Attribute::computed_list(
                "events",
                vec![
                    Attribute::computed("event_id", Type::String, "HeyGen's id of the event."),
                    Attribute::computed(
                        "event_type",
                        Type::String,
                        "The type of the event, such as `avatar_video.success`.",
                    ),
                    Attribute::computed(
                        "event_data",
                        Type::String,
                        "The particulars of the event as JSON, for `jsondecode`.",
                    ),
                    Attribute::computed(
                        "created_at",
                        Type::String,
                        "When the event happened, as HeyGen writes it.",
                    ),
                ],
                "The events that the filters let through, in HeyGen's order.",
            ),
        ],
    )
});

pub(super) struct WebhookEvents(pub(super) SharedSession);

#[async_trait]
impl DataSource for WebhookEvents {
    type Model = EventList;

    fn type_name(&self) -> &'static str {
        "heygen_webhook_events"
    }

    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn validate(&self, config: &EventList) -> Diagnostics {
        let mut diagnostics = Diagnostics::none();
        diagnostics.extend(refuse_empty(&config.event_type, "event_type"));
        diagnostics.extend(refuse_empty(&config.entity_id, "entity_id"));
        diagnostics.extend(limit(&config.limit).err());
        diagnostics
    }

    async fn read(&self, config: EventList, stop: &Stop) -> Result<Outcome<EventList>, Diagnostics> {
        let most = limit(&config.limit)?;
        let filter = EventFilter {
            event_type: config.event_type.known().cloned(),
            entity_id: config.entity_id.known().cloned(),
        };
        let client = self.0.client(DOING)?;
        let events = client.events(&filter, most, stop).await.map_err(failed)?;
        let events = events.iter().map(|event| Attr::Known(event.into()));
        Ok(Outcome::ok(EventList {
            events: Attr::Known(events.collect()),
            ..config
        }))
    }
}

fn limit(limit: &Attr<Number>) -> Result<usize, Diagnostic> {
    let Attr::Known(number) = limit else {
        return Ok(DEFAULT_LIMIT);
    };
    let count = number.to_i64().and_then(|count| usize::try_from(count).ok());
    count
        .filter(|count| (1..=HIGHEST_LIMIT).contains(count))
        .ok_or_else(|| {
            Diagnostic::error(
                summaries::NOT_A_NUMBER_OF_EVENTS,
                format!("limit must be a whole number from 1 to {HIGHEST_LIMIT}."),
            )
            .at("limit")
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terraform::Path;

    #[test]
    fn the_limit_is_described_as_it_is() {
        let limit = SCHEMA.attributes().iter().find(|attribute| attribute.name == "limit");
        let says = format!("Must be a whole number from 1 to {HIGHEST_LIMIT}. Defaults to `{DEFAULT_LIMIT}`.");
        assert!(limit.unwrap().description.contains(&says), "{says}");
    }

    #[test]
    fn a_limit_is_a_count_within_reason_and_a_hundred_if_not_given() {
        let of = |text: &str| limit(&Attr::Known(text.parse().unwrap()));
        assert_eq!(limit(&Attr::Null), Ok(100));
        assert_eq!((of("1"), of("250"), of("10000")), (Ok(1), Ok(250), Ok(10_000)));
        for wrong in ["0", "-1", "1.5", "10001", "1e30"] {
            let problem = of(wrong).unwrap_err();
            assert_eq!(problem.path, Some(Path::attribute("limit")), "{wrong}");
        }
    }
}
