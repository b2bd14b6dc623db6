//! `data.heygen_webhook_endpoints`: all endpoints, or those that match the filters.

use std::sync::LazyLock;

use async_trait::async_trait;

use super::endpoint::EndpointData;
use super::{SharedSession, failed, refuse_empty};
use crate::heygen::{ListItem, Stop};
use crate::terraform::{Attr, Attribute, DataSource, Diagnostics, Schema, Type, model};

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
                "Only endpoints whose URL, as HeyGen spells it, begins with this.",
            ),
            Attribute::optional(
                "event",
                Type::String,
                "Only endpoints that receive this event type, those that receive all events included.",
            ),
            Attribute::computed(
                "endpoints",
                Type::list_of_objects([
                    ("id", Type::String),
                    ("url", Type::String),
                    ("events", Type::set(Type::String)),
                    ("status", Type::String),
                    ("created_at", Type::String),
                ]),
                "The endpoints in HeyGen's order, each with `id`, `url`, `events` (null for all events), `status` and \
                 `created_at`.",
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
        endpoints.retain(|endpoint| config.matches(endpoint));
        for id in endpoints.iter().filter_map(|endpoint| endpoint.id.as_ref().ok()) {
            self.0.mark_known(id);
        }
        let endpoints = endpoints.iter().map(|endpoint| Attr::Known(endpoint.into()));
        Ok(EndpointList {
            endpoints: Attr::Known(endpoints.collect()),
            ..config
        })
    }
}

impl EndpointList {
    /// Whether an endpoint matches the filters. A field that cannot be read matches no filter.
    fn matches(&self, endpoint: &ListItem) -> bool {
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
        assert!(filters(None, Some("x")).matches(&without_url));
        assert!(!filters(Some("https://"), None).matches(&without_url));
        let without_events = endpoint(Ok("https://a.example/".to_owned()), Err(FieldError::Malformed));
        assert!(filters(Some("https://"), None).matches(&without_events));
        assert!(!filters(None, Some("x")).matches(&without_events));
    }

    fn matches(prefix: Option<&str>, event: Option<&str>, events: Option<&str>) -> bool {
        filters(prefix, event).matches(&endpoint(Ok("https://a.example/hook".to_owned()), Ok(events)))
    }

    #[test]
    fn each_filter_lets_through_what_fits_and_both_what_fits_both() {
        let (fits, fits_not) = (Some("https://a.example/"), Some("https://b.example/"));
        assert!(matches(None, None, Some("x")));
        assert!(matches(fits, None, None));
        assert!(!matches(fits_not, None, None));
        assert!(!matches(Some("a.example"), None, None), "a prefix is no part");
        assert!(matches(None, Some("x"), Some("x")));
        assert!(!matches(None, Some("y"), Some("x")));
        assert!(matches(None, Some("y"), None), "no list of events is all events");
        assert!(matches(fits, Some("x"), Some("x")));
        assert!(!matches(fits, Some("y"), Some("x")));
        assert!(!matches(fits_not, Some("x"), Some("x")));
    }
}
