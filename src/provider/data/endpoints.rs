//! `data.heygen_webhook_endpoints`: all endpoints, or those that filters let through.

use std::sync::LazyLock;

use async_trait::async_trait;

use super::endpoint::{EndpointData, attributes_in_a_list};
use super::{SharedSession, failed, refuse_empty};
use crate::heygen::{ListItem, Stop};
use crate::terraform::{Attr, Attribute, DataSource, Diagnostics, Schema, Type, model};

const DOING: &str = "Listing the webhook endpoints";

model! {
    /// The filters, and what they let through.
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

    async fn read(&self, config: EndpointList, stop: &Stop) -> Result<EndpointList, Diagnostics> {
        let client = self.0.client(DOING)?;
        let mut endpoints = client.list(stop).await.map_err(failed)?;
        endpoints.retain(|endpoint| config.lets_through(endpoint));
        for id in endpoints.iter().filter_map(|endpoint| endpoint.id.as_ref().ok()) {
            self.0.shown(id);
        }
        let endpoints = endpoints.iter().map(|endpoint| Attr::Known(endpoint.into()));
        Ok(EndpointList {
            endpoints: Attr::Known(endpoints.collect()),
            ..config
        })
    }
}

impl EndpointList {
    /// What cannot be read does not pass a filter that asks for it.
    fn lets_through(&self, endpoint: &ListItem) -> bool {
        let begins_with = |prefix: &String| endpoint.url.as_ref().is_ok_and(|url| url.starts_with(prefix.as_str()));
        self.url_prefix.known().is_none_or(begins_with)
            && self.event.known().is_none_or(|event| receives(endpoint, event))
    }
}

fn receives(endpoint: &ListItem, event: &str) -> bool {
    let Ok(events) = &endpoint.events else {
        return false;
    };
    let mut names = events.iter().flatten();
    events.is_none() || names.any(|name| name == event)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heygen::{Endpoint, EndpointId, Field, FieldError};
    use crate::terraform::Model;

    fn endpoint(url: Field<String>, events: Field<Option<&str>>) -> ListItem {
        Endpoint {
            id: Ok(EndpointId::parse("ep_1").unwrap()),
            url,
            events: events.map(|events| events.map(|name| [name.to_owned()].into())),
            status: Ok("enabled".to_owned()),
            created_at: Ok("2026-07-01T12:00:00".to_owned()),
        }
    }

    fn filters(prefix: Option<&str>, event: Option<&str>) -> EndpointList {
        EndpointList {
            url_prefix: Attr::from(prefix.map(str::to_owned)),
            event: Attr::from(event.map(str::to_owned)),
            ..EndpointList::null()
        }
    }

    #[test]
    fn what_cannot_be_read_passes_no_filter_that_asks_for_it() {
        let without_url = endpoint(Err(FieldError::Missing), Ok(None));
        assert!(filters(None, Some("x")).lets_through(&without_url));
        assert!(!filters(Some("https://"), None).lets_through(&without_url));
        let without_events = endpoint(Ok("https://a.example/".to_owned()), Err(FieldError::Malformed));
        assert!(filters(Some("https://"), None).lets_through(&without_events));
        assert!(!filters(None, Some("x")).lets_through(&without_events));
    }

    fn lets_through(prefix: Option<&str>, event: Option<&str>, events: Option<&str>) -> bool {
        filters(prefix, event).lets_through(&endpoint(Ok("https://a.example/hook".to_owned()), Ok(events)))
    }

    #[test]
    fn each_filter_lets_through_what_fits_and_both_what_fits_both() {
        let (fits, fits_not) = (Some("https://a.example/"), Some("https://b.example/"));
        assert!(lets_through(None, None, Some("x")));
        assert!(lets_through(fits, None, None));
        assert!(!lets_through(fits_not, None, None));
        assert!(!lets_through(Some("a.example"), None, None), "a prefix is no part");
        assert!(lets_through(None, Some("x"), Some("x")));
        assert!(!lets_through(None, Some("y"), Some("x")));
        assert!(lets_through(None, Some("y"), None), "no list of events is all events");
        assert!(lets_through(fits, Some("x"), Some("x")));
        assert!(!lets_through(fits, Some("y"), Some("x")));
        assert!(!lets_through(fits_not, Some("x"), Some("x")));
    }
}
