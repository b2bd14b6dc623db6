//! `data.heygen_webhook_endpoint`: one endpoint, by its id or its URL.

use async_trait::async_trait;

use super::{Asker, attribute, failed, text};
use crate::heygen::{Client, Endpoint, EndpointId, Stop};
use crate::provider::report;
use crate::provider::webhook_endpoint::{TYPE_NAME, url};
use crate::terraform::{
    Attr, Attribute, DataSource, Diagnostic, Diagnostics, Existence, Schema, Set, Type, model, normalized,
};

const DOING: &str = "Reading a webhook endpoint";

model! {
    /// An endpoint as `HeyGen` lists it.
    pub(super) struct EndpointData {
        /// `endpoint_id` at `HeyGen`.
        pub id: String,
        /// Where events are delivered.
        pub url: String,
        /// The event types delivered; null for all.
        pub events: Set<String>,
        /// `enabled`, `disabled`, or whatever `HeyGen` thinks of next.
        pub status: String,
        /// As received.
        pub created_at: String,
    }
}

impl From<&Endpoint> for EndpointData {
    /// Without the secret, if there should be one: it is nobody's business here.
    fn from(endpoint: &Endpoint) -> Self {
        let events = endpoint.events.as_ref();
        Self {
            id: text(endpoint.id.as_str()),
            url: text(&endpoint.url),
            events: Attr::from(events.map(|names| names.iter().map(|name| text(name)).collect())),
            status: text(&endpoint.status),
            created_at: text(&endpoint.created_at),
        }
    }
}

pub(super) struct WebhookEndpoint(pub(super) Asker);

#[async_trait]
impl DataSource for WebhookEndpoint {
    type Model = EndpointData;

    fn type_name(&self) -> &'static str {
        TYPE_NAME
    }

    fn schema(&self) -> Schema {
        Schema {
            version: 0,
            description: "One of the account's webhook endpoints, looked up by `id` or by `url`. Its signing secret cannot \
                          be read.",
            attributes: attributes(),
        }
    }

    fn validate(&self, config: &EndpointData) -> Diagnostics {
        Lookup::of(config).err().into_iter().collect()
    }

    async fn read(&self, config: EndpointData, stop: &Stop) -> Result<EndpointData, Diagnostics> {
        let lookup = Lookup::of(&config)?.ok_or_else(neither)?;
        let client = self.0.client(DOING)?;
        let endpoint = lookup.find(&client, stop).await?;
        self.0.shown(&endpoint);
        Ok(EndpointData {
            // Another spelling of the same URL stays as it was asked for.
            url: lookup.url().map_or_else(|| text(&endpoint.url), text),
            ..EndpointData::from(&endpoint)
        })
    }
}

/// What the endpoint is looked up by.
#[derive(Debug, PartialEq)]
enum Lookup {
    Id(EndpointId),
    Url(String),
}

impl Lookup {
    /// `None` while it is not known.
    fn of(config: &EndpointData) -> Result<Option<Self>, Diagnostic> {
        match (&config.id, &config.url) {
            (Attr::Null, Attr::Null) => Err(neither()),
            (Attr::Known(_), Attr::Known(_)) => Err(Diagnostic::error(
                "Both id and url are set",
                "The endpoint is looked up by one of them. Remove the other.",
            )
            .at("url")),
            (Attr::Known(id), _) => match EndpointId::parse(id) {
                Ok(id) => Ok(Some(Lookup::Id(id))),
                Err(why) => Err(Diagnostic::error(
                    "Not an endpoint id",
                    format!("HeyGen cannot have an endpoint of this id: {why}."),
                )
                .at("id")),
            },
            (_, Attr::Known(url)) => Ok(Some(Lookup::Url(url.clone()))),
            (Attr::Unknown, _) | (_, Attr::Unknown) => Ok(None),
        }
    }

    fn url(&self) -> Option<&str> {
        match self {
            Lookup::Id(_) => None,
            Lookup::Url(url) => Some(url),
        }
    }

    async fn find(&self, client: &Client, stop: &Stop) -> Result<Endpoint, Diagnostics> {
        match self {
            Lookup::Id(id) => {
                let found = client.find(id, stop).await.map_err(failed)?;
                found.ok_or_else(|| report::no_such_endpoint(id).at("id").into())
            }
            Lookup::Url(url) => {
                let all = client.list(stop).await.map_err(failed)?;
                Ok(only_one(all, url)?)
            }
        }
    }
}

/// The one endpoint with this URL, in whatever spelling. Messages do not quote the URL: it may hold a password.
fn only_one(mut all: Vec<Endpoint>, url: &str) -> Result<Endpoint, Diagnostic> {
    all.retain(|endpoint| url::equivalent(url, &normalized(&endpoint.url)));
    match all.as_slice() {
        [] => Err(Diagnostic::error(
            "No such webhook endpoint",
            "HeyGen's list has no endpoint with this URL. Check the URL, and that the credentials are of its account.",
        )
        .at("url")),
        [endpoint] => Ok(endpoint.clone()),
        several => {
            let ids: Vec<&str> = several.iter().map(|endpoint| endpoint.id.as_str()).collect();
            Err(Diagnostic::error(
                "Several webhook endpoints have this URL",
                format!("They are {}. Look the one you mean up by its id.", ids.join(", ")),
            )
            .at("url"))
        }
    }
}

fn neither() -> Diagnostic {
    Diagnostic::error(
        "Neither id nor url is set",
        "The endpoint is looked up by one of them. Set either.",
    )
    .at("id")
}

fn attributes() -> Vec<Attribute> {
    use Existence::{Computed, OptionalComputed};
    vec![
        attribute(
            "id",
            Type::String,
            OptionalComputed,
            "HeyGen's `endpoint_id`. Exactly one of `id` and `url` must be set.",
        ),
        attribute(
            "url",
            Type::String,
            OptionalComputed,
            "Where events are delivered. Another spelling of the same URL (the case of the host, the default port, a slash \
             at the end) is found as well. It is an error if several endpoints have it.",
        ),
        attribute(
            "events",
            Type::set(Type::String),
            Computed,
            "The event types delivered; null for all events.",
        ),
        attribute("status", Type::String, Computed, "`enabled` or `disabled`."),
        attribute(
            "created_at",
            Type::String,
            Computed,
            "When the endpoint was created, as HeyGen writes it.",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heygen::Secret;
    use crate::terraform::{Model, Path, Value};

    fn listed(id: &str, url: &str) -> Endpoint {
        Endpoint {
            id: EndpointId::parse(id).unwrap(),
            url: url.to_owned(),
            events: None,
            status: "enabled".to_owned(),
            created_at: "2026-07-01T12:00:00".to_owned(),
            secret: None,
        }
    }

    fn asked(id: Attr<&str>, url: Attr<&str>) -> Result<Option<Lookup>, Diagnostic> {
        Lookup::of(&EndpointData {
            id: id.map(str::to_owned),
            url: url.map(str::to_owned),
            events: Attr::Null,
            status: Attr::Null,
            created_at: Attr::Null,
        })
    }

    #[test]
    fn the_model_has_the_attributes_of_the_schema() {
        let names: Vec<&str> = attributes().iter().map(|attribute| attribute.name).collect();
        assert_eq!(names, EndpointData::ATTRIBUTES);
    }

    #[test]
    fn exactly_one_of_id_and_url_is_asked_with() {
        use Attr::{Known, Null, Unknown};
        let id = Lookup::Id(EndpointId::parse("ep_1").unwrap());
        assert_eq!(asked(Known("ep_1"), Null), Ok(Some(id)));
        let url = "https://a.example/";
        assert_eq!(asked(Null, Known(url)), Ok(Some(Lookup::Url(url.to_owned()))));
        for not_known_yet in [(Unknown, Null), (Null, Unknown), (Unknown, Unknown)] {
            assert_eq!(asked(not_known_yet.0, not_known_yet.1), Ok(None));
        }
        for (id, url, at) in [
            (Null, Null, "id"),
            (Known("ep_1"), Known(url), "url"),
            (Known("../ep_1"), Null, "id"),
            (Known(""), Null, "id"),
        ] {
            let problem = asked(id, url).unwrap_err();
            assert_eq!(problem.path, Some(Path::attribute(at)), "{problem:?}");
        }
    }

    #[test]
    fn a_url_finds_the_one_endpoint_that_has_it_in_any_spelling() {
        let all = || {
            vec![
                listed("ep_1", "https://a.example/hook"),
                listed("ep_2", "https://b.example/hook"),
                listed("ep_3", "https://b.example/hook/"),
            ]
        };
        let found = only_one(all(), "https://A.example:443/hook/").unwrap();
        assert_eq!(found.id.as_str(), "ep_1");
        let none = only_one(all(), "https://jane:hunter22@c.example/").unwrap_err();
        assert_eq!(none.path, Some(Path::attribute("url")));
        assert!(!none.detail.contains("hunter22"), "{}", none.detail);
        let several = only_one(all(), "https://b.example/hook").unwrap_err();
        assert_eq!(several.path, Some(Path::attribute("url")));
        assert!(several.detail.contains("ep_2, ep_3"), "{}", several.detail);
        assert!(!several.detail.contains("ep_1"), "{}", several.detail);
    }

    #[test]
    fn an_answer_is_mapped_without_its_secret() {
        let endpoint = Endpoint {
            events: Some(["b".to_owned(), "a".to_owned()].into()),
            secret: Some(Secret::new("whsec_never")),
            ..listed("ep_1", "https://a.example/")
        };
        let object = EndpointData::from(&endpoint).into_object();
        let text = |text: &str| Value::String(text.to_owned());
        assert_eq!(
            object,
            [
                ("id", text("ep_1")),
                ("url", text("https://a.example/")),
                ("events", Value::Sequence(vec![text("a"), text("b")])),
                ("status", text("enabled")),
                ("created_at", text("2026-07-01T12:00:00")),
            ]
            .map(|(name, value)| (name.to_owned(), value))
            .into()
        );
        let all_events = EndpointData::from(&listed("ep_1", "https://a.example/"));
        assert!(all_events.events.is_null());
    }
}
