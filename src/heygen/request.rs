//! Requests as plain values: what would be sent, decided without sending it.

use std::collections::BTreeSet;
use std::fmt::{self, Write};

use http::Method;
use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;
use serde_json::Value;
use url::Url;

use secrecy::SecretString;

use super::{BaseUrl, Endpoint, EndpointId, EventFilter, Events};

/// How many items to ask for in a page: the most that HeyGen gives.
pub(super) const PAGE_SIZE: usize = 100;

/// What a new endpoint is to be.
#[derive(Clone, Debug, Serialize)]
pub struct CreateEndpoint {
    /// An absolute https URL.
    pub url: String,
    /// The event types to deliver; all of them if this is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Events,
    /// The entity whose events are meant. No answer ever repeats it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<String>,
}

/// What a creation answered.
#[derive(Clone, Debug)]
pub struct CreatedEndpoint {
    /// The new endpoint, as far as the answer describes it.
    pub endpoint: Endpoint,
    /// Its signing secret, unless HeyGen failed to give one.
    pub secret: Option<SecretString>,
}

/// What is to change about an endpoint. A field that is `None` is not sent, and HeyGen does not change it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EndpointPatch {
    /// The new URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The new events, replacing the old ones whole; `Some(None)` = all, sent as an explicit null.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<Option<BTreeSet<String>>>,
}

impl EndpointPatch {
    /// Whether nothing is to change.
    pub fn is_empty(&self) -> bool {
        self.url.is_none() && self.events.is_none()
    }
}

/// What a call does, and to which endpoint: `creating a webhook endpoint`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Making a new endpoint.
    Create,
    /// Reading the list of endpoints.
    List,
    /// Reading one endpoint, out of the list.
    Find(EndpointId),
    /// Changing an endpoint in place.
    Update(EndpointId),
    /// Removing an endpoint.
    Delete(EndpointId),
    /// Giving an endpoint a new secret.
    RotateSecret(EndpointId),
    /// Reading the list of event types.
    EventTypes,
    /// Reading the history of events.
    Events,
}

impl Operation {
    /// The endpoint that the call is about; `None` for a list, and for a creation, which has no id yet.
    pub fn endpoint(&self) -> Option<&EndpointId> {
        match self {
            Self::Create | Self::List | Self::EventTypes | Self::Events => None,
            Self::Find(id) | Self::Update(id) | Self::Delete(id) | Self::RotateSecret(id) => Some(id),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create => write!(f, "creating a webhook endpoint"),
            Self::List => write!(f, "listing the webhook endpoints"),
            Self::Find(id) => write!(f, "reading webhook endpoint {id}"),
            Self::Update(id) => write!(f, "updating webhook endpoint {id}"),
            Self::Delete(id) => write!(f, "deleting webhook endpoint {id}"),
            Self::RotateSecret(id) => write!(f, "rotating the secret of webhook endpoint {id}"),
            Self::EventTypes => write!(f, "listing the webhook event types"),
            Self::Events => write!(f, "listing the webhook events"),
        }
    }
}

/// One call, ready to be sent as often as it takes.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) operation: Operation,
    pub(super) verb: Verb,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
}

/// The HTTP method. A `Post` always has a key, because only the key makes it safe to repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Patch,
    Delete,
    Post(IdempotencyKey),
}

/// Ties the repetitions of one `POST` together for 24 hours: HeyGen acts on the first and replays its answer to the
/// others. 1 to 255 of `[A-Za-z0-9_:.-]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IdempotencyKey(String);

impl IdempotencyKey {
    /// A new random key; an error where this machine has no source of randomness.
    pub(super) fn random() -> Result<Self, NoRandomness> {
        let mut bytes = [0; 16];
        SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
        let uuid = uuid::Builder::from_random_bytes(bytes).into_uuid();
        Ok(Self(uuid.hyphenated().to_string()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// This machine's source of randomness gives none.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoRandomness;

impl Request {
    pub(super) fn create(endpoint: &CreateEndpoint, key: IdempotencyKey) -> Self {
        Self::new(Operation::Create, Verb::Post(key)).with_body(endpoint)
    }

    /// One page of the list, the first without a cursor.
    pub(super) fn list(cursor: Option<&str>) -> Self {
        Self::new(Operation::List, Verb::Get).page(Some(PAGE_SIZE), cursor)
    }

    /// The list of event types. The documentation knows of no parameter for its first page.
    pub(super) fn event_types() -> Self {
        Self::new(Operation::EventTypes, Verb::Get)
    }

    /// The history of events, as far as it matches the filter.
    pub(super) fn events(filter: &EventFilter) -> Self {
        let mut request = Self::new(Operation::Events, Verb::Get);
        let filters = [("event_type", &filter.event_type), ("entity_id", &filter.entity_id)];
        let filters = filters
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.clone()?)));
        request.query.extend(filters);
        request
    }

    /// One page of the list that this asks for: of `size` items, or as many as HeyGen likes; the first without a
    /// cursor.
    pub(super) fn page(&self, size: Option<usize>, cursor: Option<&str>) -> Self {
        let mut request = self.clone();
        request.query.extend(size.map(|size| ("limit", size.to_string())));
        request.query.extend(cursor.map(|cursor| ("token", cursor.to_owned())));
        request
    }

    pub(super) fn update(id: &EndpointId, patch: &EndpointPatch) -> Self {
        Self::new(Operation::Update(id.clone()), Verb::Patch).with_body(patch)
    }

    pub(super) fn delete(id: &EndpointId) -> Self {
        Self::new(Operation::Delete(id.clone()), Verb::Delete)
    }

    pub(super) fn rotate_secret(id: &EndpointId, key: IdempotencyKey) -> Self {
        Self::new(Operation::RotateSecret(id.clone()), Verb::Post(key))
    }

    pub(super) fn method(&self) -> Method {
        match self.verb {
            Verb::Get => Method::GET,
            Verb::Patch => Method::PATCH,
            Verb::Delete => Method::DELETE,
            Verb::Post(_) => Method::POST,
        }
    }

    pub(super) fn idempotency_key(&self) -> Option<&IdempotencyKey> {
        match &self.verb {
            Verb::Post(key) => Some(key),
            Verb::Get | Verb::Patch | Verb::Delete => None,
        }
    }

    /// Whether it changes nothing at HeyGen, so that it may be abandoned at any moment.
    pub(super) fn is_read_only(&self) -> bool {
        self.verb == Verb::Get
    }

    /// Where it goes; the base may have a path of its own.
    pub(super) fn url(&self, base: &BaseUrl) -> Url {
        let mut url = base.as_url().clone();
        let mut path = url.path().strip_suffix('/').unwrap_or(url.path()).to_owned();
        for segment in self.segments() {
            path.push('/');
            push_segment(&mut path, segment);
        }
        url.set_path(&path);
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        url
    }

    /// The path with a placeholder in place of the endpoint's id, for log lines.
    pub(super) fn path_template(&self) -> &'static str {
        match self.operation {
            Operation::Create | Operation::List | Operation::Find(_) => "/v3/webhooks/endpoints",
            Operation::Update(_) | Operation::Delete(_) => "/v3/webhooks/endpoints/{endpoint_id}",
            Operation::RotateSecret(_) => "/v3/webhooks/endpoints/{endpoint_id}/rotate-secret",
            Operation::EventTypes => "/v3/webhooks/event-types",
            Operation::Events => "/v3/webhooks/events",
        }
    }

    fn segments(&self) -> impl Iterator<Item = &str> {
        let id = self.operation.endpoint().map(EndpointId::as_str);
        self.path_template().split('/').skip(1).map(move |segment| {
            if segment == "{endpoint_id}" {
                id.unwrap_or(segment)
            } else {
                segment
            }
        })
    }

    fn new(operation: Operation, verb: Verb) -> Self {
        Self {
            operation,
            verb,
            query: Vec::new(),
            body: None,
        }
    }

    fn with_body(mut self, body: &impl Serialize) -> Self {
        // Strings, sets and options cannot fail to become JSON.
        self.body = serde_json::to_value(body).ok();
        self
    }
}

/// Appends one segment of a path. What RFC 3986 does not allow in one is percent-encoded; the `url` crate goes by another
/// standard, which leaves some of it (`|`, `^`, `[`, `]`) as it is.
fn push_segment(path: &mut String, segment: &str) {
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte) {
            path.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(path, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn id(text: &str) -> EndpointId {
        EndpointId::parse(text).unwrap()
    }

    fn sent_to(request: &Request, base: &str) -> String {
        request.url(&BaseUrl::parse(base).unwrap()).to_string()
    }

    fn set(events: &[&str]) -> BTreeSet<String> {
        events.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_create_says_only_what_was_given() {
        let all = CreateEndpoint {
            url: "https://a.example/".into(),
            events: None,
            entity_id: None,
        };
        let request = Request::create(&all, IdempotencyKey::random().unwrap());
        assert_eq!(request.body, Some(json!({"url": "https://a.example/"})));
        assert_eq!(request.method(), Method::POST);
        assert_eq!(
            sent_to(&request, "https://api.heygen.com"),
            "https://api.heygen.com/v3/webhooks/endpoints"
        );

        let some = CreateEndpoint {
            events: Some(set(&["b", "a"])),
            entity_id: Some("e".into()),
            ..all
        };
        let request = Request::create(&some, IdempotencyKey::random().unwrap());
        assert_eq!(
            request.body,
            Some(json!({"url": "https://a.example/", "events": ["a", "b"], "entity_id": "e"}))
        );
    }

    #[test]
    fn a_patch_tells_absent_from_null() {
        let body = |patch| Request::update(&id("ep_1"), &patch).body;
        let url = Some("https://a.example/".to_owned());
        assert_eq!(body(EndpointPatch::default()), Some(json!({})));
        assert_eq!(
            body(EndpointPatch {
                url: url.clone(),
                events: None
            }),
            Some(json!({"url": "https://a.example/"}))
        );
        assert_eq!(
            body(EndpointPatch {
                url: None,
                events: Some(None)
            }),
            Some(json!({"events": null}))
        );
        assert_eq!(
            body(EndpointPatch {
                url: None,
                events: Some(Some(set(&["x"])))
            }),
            Some(json!({"events": ["x"]}))
        );
    }

    #[test]
    fn every_post_has_its_own_key() {
        let keys: BTreeSet<_> = (0..100)
            .map(|_| Request::rotate_secret(&id("ep_1"), IdempotencyKey::random().unwrap()))
            .map(|request| {
                let key = request.idempotency_key().unwrap().as_str().to_owned();
                assert!((1..=255).contains(&key.len()));
                assert!(
                    key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_:.-".contains(&b)),
                    "{key}"
                );
                key
            })
            .collect();
        assert_eq!(keys.len(), 100);
        assert!(Request::delete(&id("ep_1")).idempotency_key().is_none());
    }

    #[test]
    fn paths_hang_below_the_base_and_ids_and_cursors_are_encoded() {
        assert_eq!(
            sent_to(&Request::delete(&id("ep:1~x")), "http://127.0.0.1:8080/api/heygen/"),
            "http://127.0.0.1:8080/api/heygen/v3/webhooks/endpoints/ep:1~x"
        );
        assert_eq!(
            sent_to(
                &Request::rotate_secret(&id("ep_1"), IdempotencyKey::random().unwrap()),
                "https://h.example/p"
            ),
            "https://h.example/p/v3/webhooks/endpoints/ep_1/rotate-secret"
        );
        assert_eq!(
            sent_to(&Request::delete(&id("é\"<終>")), "https://h.example"),
            "https://h.example/v3/webhooks/endpoints/%C3%A9%22%3C%E7%B5%82%3E"
        );
        assert_eq!(
            sent_to(&Request::list(Some("a&b=c#d /?é")), "https://h.example"),
            "https://h.example/v3/webhooks/endpoints?limit=100&token=a%26b%3Dc%23d+%2F%3F%C3%A9"
        );
        assert_eq!(
            sent_to(&Request::list(None), "https://h.example"),
            "https://h.example/v3/webhooks/endpoints?limit=100"
        );
    }

    #[test]
    fn an_id_of_odd_characters_is_one_segment_that_stands_for_it() {
        let every: String = ('\u{21}'..'\u{250}')
            .filter(|c| EndpointId::parse(&format!("a{c}")).is_ok())
            .collect();
        let odd = ["|^[]\"<>`{}", "!$&'()*+,;=:@-._~", "..a", "a..", "é終点🎬"];
        let longest = ["|", "[", "é", "終", "🎬", "'"].map(|one| one.repeat(255));
        let cut: Vec<String> = every
            .chars()
            .collect::<Vec<_>>()
            .chunks(255)
            .map(|some| some.iter().collect())
            .collect();
        let ids = odd.iter().copied().chain(longest.iter().map(String::as_str));
        for text in ids.chain(cut.iter().map(String::as_str)) {
            let key = IdempotencyKey::random().unwrap();
            let url = sent_to(&Request::rotate_secret(&id(text), key), "https://h.example/p/");
            let segment = url.strip_prefix("https://h.example/p/v3/webhooks/endpoints/").unwrap();
            let segment = segment.strip_suffix("/rotate-secret").unwrap();
            let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%".contains(&byte);
            assert!(segment.bytes().all(is_allowed), "{segment}");
            assert_eq!(decoded(segment), text);
        }
        assert_eq!(
            sent_to(&Request::delete(&id("a|^[b]")), "https://h.example"),
            "https://h.example/v3/webhooks/endpoints/a%7C%5E%5Bb%5D"
        );
    }

    /// What a server makes of a segment.
    fn decoded(segment: &str) -> String {
        let mut pieces = segment.split('%');
        let mut bytes = pieces.next().unwrap().as_bytes().to_vec();
        for piece in pieces {
            bytes.push(u8::from_str_radix(&piece[..2], 16).unwrap());
            bytes.extend(piece[2..].bytes());
        }
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_page_of_a_list_asks_for_what_the_list_does() {
        let to = |request: &Request| sent_to(request, "https://h.example/p");
        assert_eq!(
            to(&Request::event_types().page(None, None)),
            "https://h.example/p/v3/webhooks/event-types"
        );
        assert_eq!(
            to(&Request::event_types().page(None, Some("t&"))),
            "https://h.example/p/v3/webhooks/event-types?token=t%26"
        );
        let all = Request::events(&EventFilter::default());
        assert_eq!(to(&all), "https://h.example/p/v3/webhooks/events");
        let some = Request::events(&EventFilter {
            event_type: Some("batch.finished".into()),
            entity_id: Some("a b".into()),
        });
        assert_eq!(
            to(&some.page(Some(7), Some("t"))),
            "https://h.example/p/v3/webhooks/events?event_type=batch.finished&entity_id=a+b&limit=7&token=t"
        );
        assert!(some.is_read_only() && some.operation.endpoint().is_none());
    }
}
