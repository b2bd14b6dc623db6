//! `data.heygen_webhook_endpoint`: one endpoint, by its id or its URL.

use std::sync::LazyLock;

use async_trait::async_trait;

use super::{SharedSession, failed, field, text, unreadable};
use crate::heygen::{Client, Endpoint, EndpointId, ListItem, Stop};
use crate::provider::endpoint_url;
use crate::provider::failed_calls;
use crate::provider::summaries;
use crate::provider::webhook_endpoint::{TYPE_NAME, quoted};
use crate::terraform::{Attr, Attribute, DataSource, Diagnostic, Diagnostics, Outcome, Schema, Set, Type, model};

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
        /// `enabled`, `disabled`, or a status that `HeyGen` adds later.
        pub status: String,
        /// As received.
        pub created_at: String,
    }
}

impl From<&ListItem> for EndpointData {
    fn from(item: &ListItem) -> Self {
        let id = item.id.as_ref().map_or(Attr::Null, |id| text(id.as_str()));
        Self::new(id, item)
    }
}

impl From<&Endpoint> for EndpointData {
    fn from(endpoint: &Endpoint) -> Self {
        Self::new(text(endpoint.id.as_str()), endpoint)
    }
}

impl EndpointData {
    /// The attributes of an endpoint. One that is missing or malformed in the list is null.
    fn new<Id>(id: Attr<String>, endpoint: &Endpoint<Id>) -> Self {
        let events = endpoint.events.as_ref().map(Option::as_ref);
        Self {
            id,
            url: field(&endpoint.url),
            events: Attr::from(
                events
                    .unwrap_or_default()
                    .map(|names| names.iter().map(|name| text(name)).collect()),
            ),
            status: field(&endpoint.status),
            created_at: field(&endpoint.created_at),
        }
    }
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let looked_up_by = [
        Attribute::optional_computed(
            "id",
            Type::String,
            "HeyGen's `endpoint_id` of the endpoint. Exactly one of `id` and `url` must be set.",
        ),
        Attribute::optional_computed(
            "url",
            Type::String,
            "The URL that HeyGen delivers events to. Exactly one of `id` and `url` must be set. Where no endpoint has it in \
             this spelling, another spelling of the same URL (the case of the host, `:443`, a slash at the end) is found \
             as well. It is an error if several endpoints have it.",
        ),
    ];
    Schema::new(
        0,
        "One of the account's webhook endpoints, looked up by `id` or by `url`. Its signing secret cannot \
         be read.",
        looked_up_by.into_iter().chain(what_else_is_known()).collect(),
    )
});

/// The attributes of an endpoint among others.
pub(super) fn attributes_in_a_list() -> Vec<Attribute> {
    let which = [
        Attribute::computed("id", Type::String, "HeyGen's `endpoint_id` of the endpoint."),
        Attribute::computed("url", Type::String, "The URL that HeyGen delivers events to."),
    ];
    which.into_iter().chain(what_else_is_known()).collect()
}

fn what_else_is_known() -> [Attribute; 3] {
    [
        Attribute::computed(
            "events",
            Type::set(Type::String),
            "The event types that HeyGen delivers, or null if it delivers all of them. Null as well, with a warning, where \
             they cannot be read.",
        ),
        Attribute::computed(
            "status",
            Type::String,
            "Whether HeyGen delivers events to the endpoint: `enabled` or `disabled`.",
        ),
        Attribute::computed(
            "created_at",
            Type::String,
            "When the endpoint was created, as HeyGen writes it.",
        ),
    ]
}

pub(super) struct WebhookEndpoint(pub(super) SharedSession);

#[async_trait]
impl DataSource for WebhookEndpoint {
    type Model = EndpointData;

    fn type_name(&self) -> &'static str {
        TYPE_NAME
    }

    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn validate(&self, config: &EndpointData) -> Diagnostics {
        Lookup::of(config).err().into_iter().collect()
    }

    async fn read(&self, config: EndpointData, stop: &Stop) -> Result<Outcome<EndpointData>, Diagnostics> {
        let lookup = Lookup::of(&config)?.ok_or_else(neither)?;
        let client = self.0.client(DOING)?;
        let endpoint = lookup.find(&client, &self.0, stop).await?;
        self.0.mark_shown(&endpoint.id);
        let mut data = EndpointData::from(&endpoint);
        if let Some(url) = lookup.url() {
            // Another spelling of the same URL stays as it was asked for.
            data.url = text(url);
        }
        let warning = unreadable::warning(&[&ListItem::from(endpoint)], &[]);
        Ok(Outcome::new(data, warning.into_iter().collect::<Diagnostics>()))
    }
}

/// What the endpoint is looked up by.
#[derive(Debug, PartialEq)]
enum Lookup {
    Id(EndpointId),
    Url(String),
}

impl Lookup {
    /// What a configuration asks for; `None` while that is not known.
    fn of(config: &EndpointData) -> Result<Option<Self>, Diagnostic> {
        match (&config.id, &config.url) {
            (Attr::Null, Attr::Null) => Err(neither()),
            (Attr::Known(_), Attr::Known(_)) => Err(Diagnostic::error(
                summaries::BOTH_ID_AND_URL,
                "The endpoint is looked up by one of them. Remove the other.",
            )
            .at("url")),
            (Attr::Known(id), _) => match EndpointId::parse(id) {
                Ok(id) => Ok(Some(Lookup::Id(id))),
                Err(why) => Err(Diagnostic::error(
                    summaries::NOT_AN_ENDPOINT_ID,
                    format!("HeyGen cannot have an endpoint of the id {}: {why}.", quoted(id)),
                )
                .at("id")),
            },
            (_, Attr::Known(url)) => match endpoint_url::refusal(url) {
                Some(problem) => Err(problem),
                None => Ok(Some(Lookup::Url(url.clone()))),
            },
            (Attr::Unknown, _) | (_, Attr::Unknown) => Ok(None),
        }
    }

    fn url(&self) -> Option<&str> {
        match self {
            Lookup::Id(_) => None,
            Lookup::Url(url) => Some(url),
        }
    }

    /// Finds the endpoint. One that this process has just created is not missing while the list lags behind.
    async fn find(&self, client: &Client, session: &SharedSession, stop: &Stop) -> Result<Endpoint, Diagnostics> {
        match self {
            Lookup::Id(id) => {
                let created_at = session.created_at(|created, _| created == id);
                let found = client.find(id, created_at.as_deref(), stop).await.map_err(failed)?;
                found.ok_or_else(|| failed_calls::no_such_endpoint(id).at("id").into())
            }
            Lookup::Url(url) => {
                let is_it = |listed: &str| endpoint_url::equivalent(url, listed);
                let created_at = session.created_at(|_, created| is_it(created));
                let found = client
                    .find_by_url(is_it, created_at.as_deref(), stop)
                    .await
                    .map_err(failed)?;
                Ok(only_one(url, &found)?)
            }
        }
    }
}

/// The one endpoint that was found by its URL. One that has it in the same spelling goes before those that have it in
/// another. Messages do not quote the URL: its path or its query may hold a token of the receiver.
fn only_one(url: &str, found: &[ListItem]) -> Result<Endpoint, Diagnostic> {
    let is_same = |item: &&ListItem| item.url.as_ref().is_ok_and(|found| found == url);
    let same: Vec<&ListItem> = found.iter().filter(is_same).collect();
    let spelling = if same.is_empty() {
        " None of them has it in exactly this spelling."
    } else {
        ""
    };
    let found = if same.iter().any(|item| item.id.is_ok()) {
        same
    } else {
        found.iter().collect()
    };
    let identified: Vec<Endpoint> = found.iter().filter_map(|item| item.identified()).collect();
    match identified.as_slice() {
        [] => Err(Diagnostic::error(
            summaries::NO_SUCH_ENDPOINT,
            "HeyGen's list, read twice, has no endpoint with this URL. Check the URL, and that the credentials are of its \
             account.",
        )
        .at("url")),
        [endpoint] if found.len() == 1 => Ok(endpoint.clone()),
        several => {
            let ids: Vec<String> = several.iter().map(|endpoint| endpoint.id.to_string()).collect();
            let others = match found.len() - several.len() {
                0 => String::new(),
                1 => ", and one whose id cannot be read".to_owned(),
                count => format!(", and {count} whose ids cannot be read"),
            };
            Err(Diagnostic::error(
                summaries::SEVERAL_ENDPOINTS,
                format!(
                    "They are {}{others}.{spelling} Look the one you mean up by its id.",
                    ids.join(", ")
                ),
            )
            .at("url"))
        }
    }
}

fn neither() -> Diagnostic {
    Diagnostic::error(
        summaries::NEITHER_ID_NOR_URL,
        "The endpoint is looked up by one of them. Set either.",
    )
    .at("id")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heygen::FieldError;
    use crate::terraform::{Model, Path, Value};

    fn listed(id: &str, url: &str) -> ListItem {
        ListItem {
            id: Ok(EndpointId::parse(id).unwrap()),
            url: Ok(url.to_owned()),
            events: Ok(None),
            status: Ok("enabled".to_owned()),
            created_at: Ok("2026-07-01T12:00:00".to_owned()),
        }
    }

    fn asked(id: Attr<&str>, url: Attr<&str>) -> Result<Option<Lookup>, Diagnostic> {
        Lookup::of(&EndpointData {
            id: id.map(str::to_owned),
            url: url.map(str::to_owned),
            ..EndpointData::null()
        })
    }

    #[test]
    fn the_model_has_the_attributes_of_the_schema() {
        for attributes in [SCHEMA.attributes(), &attributes_in_a_list()] {
            let names: Vec<&str> = attributes.iter().map(|attribute| attribute.name).collect();
            assert_eq!(names, EndpointData::ATTRIBUTES);
        }
    }

    #[test]
    fn exactly_one_of_id_and_url_is_asked_with() {
        use Attr::{Known, Null, Unknown};
        let id = Lookup::Id(EndpointId::parse("ep_1").unwrap());
        assert_eq!(asked(Known("ep_1"), Null), Ok(Some(id)));
        // Of a host near by only the resource warns.
        let url = "https://localhost/";
        assert_eq!(asked(Null, Known(url)), Ok(Some(Lookup::Url(url.to_owned()))));
        for not_known_yet in [(Unknown, Null), (Null, Unknown), (Unknown, Unknown)] {
            assert_eq!(asked(not_known_yet.0, not_known_yet.1), Ok(None));
        }
        for (id, url, at) in [
            (Null, Null, "id"),
            (Known("ep_1"), Known(url), "url"),
            (Known("../ep_1"), Null, "id"),
            (Known(""), Null, "id"),
            (Null, Known(""), "url"),
            (Null, Known("http://a.example/"), "url"),
            (Null, Known("https://jane:hunter22@a.example/"), "url"),
        ] {
            let problem = asked(id, url).unwrap_err();
            assert_eq!(problem.path, Some(Path::attribute(at)), "{problem:?}");
            assert!(!problem.detail.contains("hunter22"), "{problem:?}");
        }
    }

    #[test]
    fn a_url_that_none_or_several_have_is_an_error_at_the_url() {
        const URL: &str = "https://a.example/hook";
        let one = listed("ep_1", URL);
        assert_eq!(only_one(URL, std::slice::from_ref(&one)).unwrap().id.as_str(), "ep_1");
        let none = only_one(URL, &[]).unwrap_err();
        assert_eq!(none.path, Some(Path::attribute("url")));
        let several = only_one(URL, &[one.clone(), listed("ep_2", URL)]).unwrap_err();
        assert_eq!(several.path, Some(Path::attribute("url")));
        assert_eq!(
            several.detail,
            "They are ep_1, ep_2. Look the one you mean up by its id."
        );

        let unidentified = ListItem {
            id: Err(FieldError::Missing),
            ..one.clone()
        };
        let ambiguous = only_one(URL, &[one, unidentified]).unwrap_err();
        assert_eq!(
            ambiguous.detail,
            "They are ep_1, and one whose id cannot be read. Look the one you mean up by its id."
        );
    }

    #[test]
    fn the_same_spelling_of_a_url_goes_before_another() {
        let (plain, slash) = ("https://a.example/hook", "https://a.example/hook/");
        let both = [listed("ep_1", plain), listed("ep_2", slash)];
        for (url, id) in [(plain, "ep_1"), (slash, "ep_2")] {
            assert_eq!(only_one(url, &both).unwrap().id.as_str(), id);
        }
        let ambiguous = only_one("https://A.example/hook", &both).unwrap_err();
        assert_eq!(
            ambiguous.detail,
            "They are ep_1, ep_2. None of them has it in exactly this spelling. Look the one you mean up by its id."
        );
        let [plain_one, slash_one] = both;
        let unidentified = ListItem {
            id: Err(FieldError::Missing),
            ..plain_one
        };
        let ambiguous = only_one(plain, &[unidentified, slash_one]).unwrap_err();
        assert!(
            ambiguous
                .detail
                .starts_with("They are ep_2, and one whose id cannot be read.")
        );
    }

    #[test]
    fn what_the_list_says_is_answered_and_what_it_does_not_say_is_null() {
        let endpoint = ListItem {
            events: Ok(Some(["b".to_owned(), "a".to_owned()].into())),
            status: Err(FieldError::Missing),
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
                ("status", Value::Null),
                ("created_at", text("2026-07-01T12:00:00")),
            ]
            .map(|(name, value)| (name.into(), value))
            .into()
        );
        let all_events = EndpointData::from(&listed("ep_1", "https://a.example/"));
        assert!(all_events.events.is_null());
    }
}
