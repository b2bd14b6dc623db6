//! The client: the calls the rest of the program makes.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use time::OffsetDateTime;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use secrecy::SecretString;

use super::call::Caller;
use super::clock::{ServerClock, Window};
use super::list_cache::{EndpointPages, Items, ListCache, ListSnapshot, Lookup};
use super::pace::Pace;
use super::pages::{CursorGuard, Extent, read_pages};
use super::redact::Redactor;
use super::request::{IdempotencyKey, NoRandomness, Operation, Request};
use super::response;
use super::retry::Backoff;
use super::transport::HttpTransport;
use super::{
    CreateEndpoint, CreateFailure, CreatedEndpoint, Endpoint, EndpointId, EndpointPatch, Event, EventFilter, EventType,
    Events, Failure, Fault, Field, ListItem, LookupKey, Settings, Timing,
};

/// Tells a call to stop. Once it is cancelled, no new attempt of a call starts and no wait between attempts goes on; a
/// read under way ends at once, and a mutation under way may still wait for its answer, within the time of one attempt.
pub type Stop = CancellationToken;

/// By how much the `created_at` of an endpoint may lie before the earliest moment at which the call that made it can
/// have begun.
const CLOCK_SLACK: time::Duration = time::Duration::seconds(2);

/// How far HeyGen's clock and this machine's may differ, where no answer has had a `Date`.
const CLOCK_SKEW: time::Duration = time::Duration::minutes(1);

/// Calls HeyGen's webhook API for one caller. Clones share everything: connections, and what is known of the list.
#[derive(Clone)]
pub struct Client {
    caller: Arc<Caller>,
    list: Arc<ListCache>,
    new_key: Arc<dyn Fn() -> Result<IdempotencyKey, NoRandomness> + Send + Sync>,
}

/// The moment a call began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallStart {
    moment: Instant,
    /// The same moment by this machine's clock, which is used where HeyGen's is not known.
    date: SystemTime,
}

/// Whether an endpoint was created since a call began, by HeyGen's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreatedSince {
    /// In or after the second in which the call can first have begun.
    Yes,
    /// Within the two seconds before that, or at a moment that cannot be read or is still to come.
    Perhaps,
    /// Before that.
    No,
}

impl CallStart {
    /// A call that begins now.
    pub fn now() -> Self {
        Self {
            moment: Instant::now(),
            date: SystemTime::now(),
        }
    }

    /// Whether the call began before this moment.
    pub fn is_before(&self, moment: Instant) -> bool {
        self.moment < moment
    }
}

impl Client {
    /// A client that has not connected to anything yet, and costs nothing until it does.
    pub fn new(settings: Settings) -> Self {
        let caller = Caller {
            redactor: Redactor::new(settings.credential.secret().clone()),
            credential_origin: settings.credential.origin().clone(),
            backoff: Backoff::new(settings.timing, fastrand::f64),
            pace: Pace::new(settings.timing.first_wait),
            max_retries: settings.max_retries,
            request_timeout: settings.request_timeout,
            timing: settings.timing,
            clock: ServerClock::new(),
            transport: Box::new(HttpTransport::new(settings)),
        };
        Self::with_parts(caller, IdempotencyKey::random)
    }

    pub(super) fn with_parts(
        caller: Caller,
        new_key: impl Fn() -> Result<IdempotencyKey, NoRandomness> + Send + Sync + 'static,
    ) -> Self {
        let caller = Arc::new(caller);
        Self {
            list: Arc::new(ListCache::new(caller.clone())),
            caller,
            new_key: Arc::new(new_key),
        }
    }

    /// Makes an endpoint. Every repetition carries the same key: an answer that got lost is replayed, and the endpoint
    /// is not made twice. The answer needs an id and nothing else; a secret that came without one is in the failure, or
    /// joins the id that a later answer has.
    pub async fn create(&self, endpoint: &CreateEndpoint, stop: &Stop) -> Result<CreatedEndpoint, CreateFailure> {
        let _invalidation = self.list.invalidate();
        let secret = Mutex::new(None);
        let created = async {
            let key = self.key();
            let key = key.map_err(|fault| Failure::without_attempt(Operation::Create, fault))?;
            let request = Request::create(endpoint, key);
            let decode = |body: &[u8]| {
                response::created(body).inspect_err(|_| {
                    if let Some(found) = response::secret_of_unidentified(body) {
                        *secret.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
                    }
                })
            };
            self.caller.call(&request, stop, decode).await
        };
        let created = created.await;
        let unidentified = secret.into_inner().unwrap_or_else(PoisonError::into_inner);
        match created {
            Ok(created) => Ok(CreatedEndpoint {
                secret: created.secret.or(unidentified),
                ..created
            }),
            Err(failure) => Err(CreateFailure {
                failure,
                secret: unidentified,
            }),
        }
    }

    /// Changes what `patch` names about an endpoint, and answers what HeyGen says of its events, if it says anything.
    pub async fn update(&self, id: &EndpointId, patch: &EndpointPatch, stop: &Stop) -> Result<Field<Events>, Failure> {
        let _invalidation = self.list.invalidate();
        self.caller
            .call(&Request::update(id, patch), stop, |body| response::updated(body, id))
            .await
    }

    /// Removes an endpoint. One that is not there is a failure ([`Failure::is_not_found`]), also where an earlier
    /// attempt of this call has removed it and the answer was lost.
    pub async fn delete(&self, id: &EndpointId, stop: &Stop) -> Result<(), Failure> {
        let _invalidation = self.list.invalidate();
        self.caller
            .call(&Request::delete(id), stop, |body| response::deleted(body, id))
            .await
    }

    /// Gives an endpoint a new secret; the old one is invalid from then on.
    pub async fn rotate_secret(&self, id: &EndpointId, stop: &Stop) -> Result<SecretString, Failure> {
        let _invalidation = self.list.invalidate();
        let operation = || Operation::RotateSecret(id.clone());
        let key = self.key();
        let key = key.map_err(|fault| Failure::without_attempt(operation(), fault))?;
        let request = Request::rotate_secret(id, key);
        self.caller
            .call(&request, stop, |body| response::rotated(body, id))
            .await
    }

    /// Finds one endpoint in the list, as it was at most half a minute ago and after the last change made here. `None`
    /// only if the list lacks it twice, or, if it was created less than two minutes ago by HeyGen's clock, for as long
    /// as a list may lag. Concurrent readers share the reading.
    pub async fn find(
        &self,
        id: &EndpointId,
        created_at: Option<&str>,
        stop: &Stop,
    ) -> Result<Option<Endpoint>, Failure> {
        let found = self.list.find(&ById(id), created_at, stop).await;
        found.map_err(|failure| Failure {
            operation: Operation::Find(id.clone()),
            ..failure
        })
    }

    /// Finds the endpoints whose URL `fits`, those whose ids cannot be read included. The result is empty only after two
    /// reads of the list that agree, or, if one was created less than two minutes ago by HeyGen's clock, after as long as
    /// a list may lag; and only if the id and the URL of every item can be read.
    pub async fn find_by_url(
        &self,
        fits: impl Fn(&str) -> bool + Sync,
        created_at: Option<&str>,
        stop: &Stop,
    ) -> Result<Vec<ListItem>, Failure> {
        let found = self.list.find(&ByUrl(fits), created_at, stop).await?;
        Ok(found.unwrap_or_default())
    }

    /// Looks for one endpoint in the list with a single attempt for each page, without waiting, and for no longer in
    /// all than one attempt may take.
    pub async fn find_once(&self, id: &EndpointId, stop: &Stop) -> Result<Option<Endpoint>, Failure> {
        let operation = || Operation::Find(id.clone());
        let limit = self.caller.request_timeout;
        let found = match timeout(limit, self.find_on_pages(id, stop)).await {
            Ok(found) => found,
            Err(_) => Err(Failure::without_attempt(operation(), Fault::TimedOut(limit))),
        };
        found.map_err(|failure| Failure {
            operation: operation(),
            ..failure
        })
    }

    async fn find_on_pages(&self, id: &EndpointId, stop: &Stop) -> Result<Option<Endpoint>, Failure> {
        let mut guard = CursorGuard::default();
        let mut cursor = None;
        loop {
            let request = Request::list(cursor.as_deref());
            let page = self.caller.call_once(&request, stop, response::endpoints).await?;
            let mut endpoints = page.items.iter().filter_map(ListItem::identified);
            if let Some(found) = endpoints.find(|endpoint| endpoint.id == *id) {
                return Ok(Some(found));
            }
            cursor = guard
                .follow(&page.next)
                .map_err(|fault| Failure::without_attempt(Operation::List, fault))?;
            if cursor.is_none() {
                return Ok(None);
            }
        }
    }

    /// All endpoints, in HeyGen's order and each once, as they were at most half a minute ago and after the last change
    /// made here.
    pub async fn list(&self, stop: &Stop) -> Result<Vec<ListItem>, Failure> {
        Ok(self.list.list(stop).await?.endpoints())
    }

    /// The same page by page, for somebody who may not need them all. An endpoint may come twice.
    pub fn list_pages(&self) -> EndpointPages {
        EndpointPages::begin(Arc::clone(&self.list))
    }

    /// All endpoints, as they are at `moment` or shortly after: those who read at about the same time share the
    /// reading.
    pub async fn list_at(&self, moment: Instant, stop: &Stop) -> Result<Vec<ListItem>, Failure> {
        Ok(self.list.list_requested_since(moment, stop).await?.endpoints())
    }

    /// The same, given up at `deadline`.
    pub async fn list_at_before(
        &self,
        moment: Instant,
        deadline: Instant,
        stop: &Stop,
    ) -> Result<Vec<ListItem>, Failure> {
        let limit = deadline.saturating_duration_since(Instant::now());
        match timeout_at(deadline, self.list_at(moment, stop)).await {
            Ok(read) => read,
            Err(_) => Err(Failure::without_attempt(Operation::List, Fault::TimedOut(limit))),
        }
    }

    /// Whether an endpoint was created since a call began, by HeyGen's clock as its answers tell it. Where no answer
    /// has had a `Date`, this machine's clock decides, and a minute is allowed for the difference.
    pub fn created_since<Id>(&self, endpoint: &Endpoint<Id>, start: &CallStart) -> CreatedSince {
        let Some(created) = endpoint.created() else {
            return CreatedSince::Perhaps;
        };
        let window = match self.caller.clock.between(start.moment, Instant::now()) {
            Some(window) => {
                // HeyGen writes `created_at` in whole seconds.
                let second = |date: OffsetDateTime| date.replace_nanosecond(0).unwrap_or(date);
                let possibly_since = second(window.possibly_since);
                Window {
                    certainly_since: second(window.certainly_since),
                    possibly_since: possibly_since.checked_sub(CLOCK_SLACK).unwrap_or(possibly_since),
                    until: window.until.checked_add(CLOCK_SLACK).unwrap_or(window.until),
                }
            }
            None => Window::around(start.date, SystemTime::now(), CLOCK_SKEW),
        };
        // What no clock can have shown yet was written by one that is not known.
        if created < window.possibly_since {
            CreatedSince::No
        } else if created < window.certainly_since || created > window.until {
            CreatedSince::Perhaps
        } else {
            CreatedSince::Yes
        }
    }

    /// All event types that HeyGen knows, in its order.
    pub async fn event_types(&self, stop: &Stop) -> Result<Vec<EventType>, Failure> {
        let list = Request::event_types();
        read_pages(
            &self.caller,
            &list,
            Extent::Whole,
            stop,
            response::event_types,
            |event_type| &event_type.name,
        )
        .await
    }

    /// The first `most` events of the history that match the filter, in HeyGen's order, or all if there are fewer.
    /// Costs a call for every hundred of them, and at least one.
    pub async fn events(&self, filter: &EventFilter, most: usize, stop: &Stop) -> Result<Vec<Event>, Failure> {
        let list = Request::events(filter);
        read_pages(
            &self.caller,
            &list,
            Extent::AtMost(most),
            stop,
            response::events,
            |event| &event.id,
        )
        .await
    }

    /// How long this client waits between attempts and between reads of the list.
    pub fn timing(&self) -> Timing {
        self.caller.timing
    }

    /// The same text without the credential of this client, and without anything that looks like a signing secret.
    pub fn redacted(&self, text: &str) -> String {
        self.caller.redactor.message(text)
    }

    /// A URL of HeyGen's as it may be shown: on one line, with no more than its beginning where it is long, and without
    /// what may be secret in it.
    pub fn shown_url(&self, url: &str) -> String {
        self.caller.redactor.url(url)
    }

    fn key(&self) -> Result<IdempotencyKey, Fault> {
        (self.new_key)().map_err(|NoRandomness| {
            Fault::Unusable("this machine has no source of randomness, which idempotency keys and TLS need".to_owned())
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// Looks up the endpoint with this id.
struct ById<'a>(&'a EndpointId);

impl Lookup for ById<'_> {
    type Found = Endpoint;

    fn find_on_page(&self, page: &Items<'_>) -> Option<Endpoint> {
        page.by_id(self.0)?.identified()
    }

    fn find_in_list(&self, list: &ListSnapshot) -> Option<Endpoint> {
        list.by_id(self.0)?.identified()
    }

    fn could_be(&self, item: &ListItem) -> bool {
        item.id.is_err()
    }

    fn key(&self) -> LookupKey {
        LookupKey::Id
    }

    fn id(&self) -> Option<&EndpointId> {
        Some(self.0)
    }
}

/// Looks up the endpoints whose URL this function accepts.
struct ByUrl<F>(F);

impl<F: Fn(&str) -> bool + Sync> Lookup for ByUrl<F> {
    type Found = Vec<ListItem>;

    fn find_on_page(&self, _page: &Items<'_>) -> Option<Vec<ListItem>> {
        None
    }

    /// Items without a readable id are found where another one is. Alone they may be what a list shows that is being
    /// changed.
    fn find_in_list(&self, list: &ListSnapshot) -> Option<Vec<ListItem>> {
        let fits = |item: &ListItem| item.url.as_ref().is_ok_and(|url| (self.0)(url));
        let fitting: Vec<ListItem> = list.endpoints().into_iter().filter(fits).collect();
        fitting.iter().any(|item| item.id.is_ok()).then_some(fitting)
    }

    fn could_be(&self, item: &ListItem) -> bool {
        item.id.is_err() || item.url.is_err()
    }

    fn key(&self) -> LookupKey {
        LookupKey::Url
    }

    fn id(&self) -> Option<&EndpointId> {
        None
    }
}
