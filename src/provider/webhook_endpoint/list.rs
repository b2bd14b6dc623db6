//! The list resource `heygen_webhook_endpoint`: the account's endpoints, whoever made them, for `terraform query`.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;

use super::schema::{EndpointModel, TYPE_NAME};
use super::state::{self, FromAnswer};
use super::{before_import, identity_of, messages, validate};
use crate::heygen::{Client, Endpoint, ListItem, Stop};
use crate::provider::failed_calls;
use crate::provider::filters::{EndpointFilter, Wanted, refuse_empty};
use crate::provider::session::Session;
use crate::terraform::{
    Attribute, Diagnostic, Diagnostics, ListResource, ListResult, Listed, Results, Schema, Severity, Type, model,
};

const DOING: &str = "Listing the webhook endpoints";

model! {
    /// The filters of a list block.
    pub(crate) struct Filters {
        /// How the URLs begin.
        pub url_prefix: String,
        /// An event type that is delivered.
        pub event: String,
        /// `enabled` or `disabled`.
        pub status: String,
    }
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let filter = |name, description| Attribute::optional(name, Type::String, description);
    Schema::new(
        0,
        "The account's webhook endpoints, whoever made them, in HeyGen's order. Their signing secrets cannot be read.",
        vec![
            filter(
                "url_prefix",
                "Only endpoints whose URL, as HeyGen spells it, begins with this.",
            ),
            filter(
                "event",
                "Only endpoints that receive this event type, those that receive all events included.",
            ),
            filter("status", "Only endpoints of this status: `enabled` or `disabled`."),
        ],
    )
});

pub(in crate::provider) struct WebhookEndpointList(Arc<Session>);

impl WebhookEndpointList {
    pub(in crate::provider) fn new(session: Arc<Session>) -> Self {
        Self(session)
    }
}

impl Filters {
    fn filter(&self) -> EndpointFilter<'_> {
        EndpointFilter::default()
            .url_prefix(&self.url_prefix)
            .event(&self.event)
            .status(&self.status)
    }
}

#[async_trait]
impl ListResource for WebhookEndpointList {
    type Config = Filters;
    type Model = EndpointModel;

    fn type_name(&self) -> &'static str {
        TYPE_NAME
    }

    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn validate(&self, config: &Filters) -> Diagnostics {
        let mut diagnostics = Diagnostics::none();
        diagnostics.extend(refuse_empty(&config.event, "event"));
        diagnostics.extend(refuse_empty(&config.status, "status"));
        diagnostics
    }

    fn is_filtered(&self, config: &Filters) -> bool {
        !config.filter().is_empty()
    }

    fn left_out(&self, known_as: &[Option<String>]) -> Diagnostic {
        messages::left_out_without_id(known_as)
    }

    async fn list(
        &self,
        config: Filters,
        results: &mut Results<'_, EndpointModel>,
        stop: &Stop,
    ) -> Result<(), Diagnostics> {
        let client = self.0.client().map_err(|no_client| no_client.into_error(DOING))?;
        let filter = config.filter();
        let mut pages = client.list_pages();
        while let Some(page) = pages
            .next_page(stop)
            .await
            .map_err(|failure| failed_calls::diagnostic(&failure))?
        {
            let include_object = results.include_object();
            let judged = page.items.iter().map(|item| (item, filter.wants(item)));
            let wanted = judged.filter(|(_, wanted)| *wanted != Wanted::No);
            let found: Vec<_> = wanted
                .map(|(item, wanted)| self.result(item, wanted, &client, include_object))
                .collect();
            if results.page(found, page.has_more).await?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl WebhookEndpointList {
    /// An endpoint that is wanted, or of which nobody can tell that it is not.
    fn result(
        &self,
        item: &ListItem,
        wanted: Wanted,
        client: &Client,
        include_object: bool,
    ) -> Listed<ListResult<EndpointModel>> {
        let shown_url = item.url.as_ref().ok().map(|url| client.shown_url(url));
        let Some(endpoint) = item.identified() else {
            return Listed::Unidentified { known_as: shown_url };
        };
        self.0.mark_shown(&endpoint.id);
        let mut warnings = Diagnostics::none();
        if let Wanted::NotKnown(unreadable) = wanted {
            warnings.push(messages::listed_without_filter(&endpoint.id, unreadable));
        }
        let FromAnswer { stored, unreadable } = state::from_answer(&endpoint, &before_import());
        let problems = validate::validate(&stored.state);
        let refused: Vec<_> = problems.iter().filter(|it| it.severity == Severity::Error).collect();
        if !refused.is_empty() {
            warnings.push(messages::not_configurable(&endpoint.id, &refused));
        }
        // Null would be another value: all events, or no URL.
        let is_complete = endpoint.url.is_ok() && endpoint.events.is_ok();
        if include_object && !unreadable.is_empty() {
            warnings.push(messages::listed_incompletely(&endpoint.id, &unreadable, is_complete));
        }
        Listed::Object(ListResult {
            identity: identity_of(endpoint.id.as_str()),
            display_name: client.redacted(&display_name(shown_url.as_deref(), &endpoint)),
            object: (include_object && is_complete).then_some(stored.state),
            warnings,
        })
    }
}

/// By what a person tells an endpoint from others. Those with one URL have their ids beside it.
fn display_name(shown_url: Option<&str>, endpoint: &Endpoint) -> String {
    let url = shown_url.unwrap_or("URL not readable");
    let events = match &endpoint.events {
        Ok(None) => "all events".to_owned(),
        Ok(Some(names)) => match names.len() {
            0 => "no events".to_owned(),
            1 => "1 event".to_owned(),
            count => format!("{count} events"),
        },
        Err(_) => "events not readable".to_owned(),
    };
    let status = match endpoint.status.as_deref() {
        Ok("enabled") | Err(_) => String::new(),
        Ok(status) if is_plain(status) => format!(", {status}"),
        Ok(_) => ", of an unusual status".to_owned(),
    };
    format!("{url} ({events}){status}")
}

/// Whether a word of HeyGen's can be shown as it is.
fn is_plain(word: &str) -> bool {
    (1..=32).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terraform::Model;

    #[test]
    fn the_filters_are_those_of_the_schema_described_and_never_sensitive() {
        let names: Vec<&str> = SCHEMA.attributes().iter().map(|filter| filter.name).collect();
        assert_eq!(names, Filters::ATTRIBUTES);
        assert!(!SCHEMA.description().is_empty());
        for filter in SCHEMA.attributes() {
            assert!(!filter.description.is_empty() && !filter.sensitive, "{}", filter.name);
        }
    }
}
