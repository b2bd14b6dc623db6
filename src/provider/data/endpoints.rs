//! `data.heygen_webhook_endpoints`: all endpoints, or those that match the filters.

use std::sync::LazyLock;

use async_trait::async_trait;

use super::endpoint::{EndpointData, attributes_in_a_list};
use super::{SharedSession, failed, unreadable};
use crate::heygen::{ListItem, Stop};
use crate::provider::filters::{EndpointFilter, Wanted, refuse_empty};
use crate::terraform::{Attr, Attribute, DataSource, Diagnostics, Outcome, Schema, Type, model};

const DOING: &str = "Listing the webhook endpoints";

model! {
    /// The filters, and the endpoints that match them.
    pub(super) struct EndpointList {
        /// How the URLs begin.
        pub url_prefix: String,
        /// An event type that is delivered.
        pub event: String,
        /// In `HeyGen`'s order.
        pub endpoints: Vec<Attr<EndpointData>>,
    }
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        0,
        "The account's webhook endpoints, whoever made them. Their signing secrets cannot be read.",
        vec![
            Attribute::optional(
                "url_prefix",
                Type::String,
                "Only endpoints whose URL, as HeyGen spells it, begins with this text.",
            ),
            Attribute::optional(
                "event",
                Type::String,
                "Only endpoints that receive this event type, those that receive all events included. Must not be empty.",
            ),
            Attribute::computed_list(
                "endpoints",
                attributes_in_a_list(),
                "The endpoints that the filters let through, in HeyGen's order.",
            ),
        ],
    )
});

pub(super) struct WebhookEndpoints(pub(super) SharedSession);

#[async_trait]
impl DataSource for WebhookEndpoints {
    type Model = EndpointList;

    fn type_name(&self) -> &'static str {
        "heygen_webhook_endpoints"
    }

    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn validate(&self, config: &EndpointList) -> Diagnostics {
        refuse_empty(&config.event, "event").into_iter().collect()
    }

    async fn read(&self, config: EndpointList, stop: &Stop) -> Result<Outcome<EndpointList>, Diagnostics> {
        let client = self.0.client(DOING)?;
        let listed = client.list(stop).await.map_err(failed)?;
        let Judged { let_through, left_out } = config.judge(&listed);
        for id in let_through.iter().filter_map(|endpoint| endpoint.id.as_ref().ok()) {
            self.0.mark_shown(id);
        }
        let warning = unreadable::warning(&let_through, &left_out);
        let endpoints = let_through.into_iter().map(|endpoint| Attr::Known(endpoint.into()));
        Ok(Outcome::new(
            EndpointList {
                endpoints: Attr::Known(endpoints.collect()),
                ..config
            },
            warning.into_iter().collect::<Diagnostics>(),
        ))
    }
}

/// Endpoints after the filters.
struct Judged<'a> {
    let_through: Vec<&'a ListItem>,
    /// Those of which a filter asks for what cannot be read.
    left_out: Vec<&'a ListItem>,
}

impl EndpointList {
    /// What cannot be read does not pass a filter that asks for it.
    fn judge<'a>(&self, listed: &'a [ListItem]) -> Judged<'a> {
        let filter = EndpointFilter::default()
            .url_prefix(&self.url_prefix)
            .event(&self.event);
        let mut judged = Judged {
            let_through: Vec::new(),
            left_out: Vec::new(),
        };
        for endpoint in listed {
            match filter.wants(endpoint) {
                Wanted::Yes => judged.let_through.push(endpoint),
                Wanted::NotKnown(_) => judged.left_out.push(endpoint),
                Wanted::No => {}
            }
        }
        judged
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heygen::{Endpoint, FieldError};
    use crate::terraform::Model;

    #[test]
    fn what_cannot_be_read_passes_no_filter_that_asks_for_it() {
        let odd = Endpoint {
            id: Err(FieldError::Missing),
            url: Err(FieldError::Missing),
            events: Ok(None),
            status: Err(FieldError::Malformed),
            created_at: Err(FieldError::Malformed),
        };
        let by = |url_prefix: &str, event: &str| EndpointList {
            url_prefix: Attr::Known(url_prefix.to_owned()),
            event: Attr::Known(event.to_owned()),
            ..EndpointList::null()
        };
        let listed = [odd];
        let judged = by("", "batch.finished").judge(&listed);
        assert_eq!((judged.let_through.len(), judged.left_out.len()), (1, 0));
        let judged = by("https://", "batch.finished").judge(&listed);
        assert_eq!((judged.let_through.len(), judged.left_out.len()), (0, 1));
    }
}
