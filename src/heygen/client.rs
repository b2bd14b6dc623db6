//! The client: the calls the rest of the program makes.

use std::fmt;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::answer;
use super::call::Caller;
use super::pages::{Extent, gather};
use super::redact::Redactor;
use super::request::{IdempotencyKey, Operation, Request};
use super::retry::Backoff;
use super::transport::Http;
use super::walk::Walks;
use super::{
    CreateEndpoint, Endpoint, EndpointId, EndpointPatch, Event, EventFilter, EventType, Failure, Pace, Secret, Settings,
};

/// Says when to stop. Once cancelled, no new attempt of a call starts and no wait between attempts goes on; a read under
/// way ends at once, and a mutation under way is given its answer, within the time of one attempt.
pub type Stop = CancellationToken;

/// Calls HeyGen's webhook API for one caller. Clones share everything: connections, and what is known of the list.
#[derive(Clone)]
pub struct Client {
    caller: Arc<Caller>,
    walks: Arc<Walks>,
    new_key: Arc<dyn Fn() -> IdempotencyKey + Send + Sync>,
}

impl Client {
    /// A client that has not connected to anything yet, and costs nothing until it does.
    pub fn new(settings: Settings) -> Self {
        let caller = Caller {
            redactor: Redactor::new(settings.credential.secret().clone()),
            backoff: Backoff::new(settings.pace, fastrand::f64),
            max_retries: settings.max_retries,
            request_timeout: settings.request_timeout,
            pace: settings.pace,
            transport: Box::new(Http::new(settings)),
        };
        Self::with_parts(caller, IdempotencyKey::fresh)
    }

    pub(super) fn with_parts(caller: Caller, new_key: impl Fn() -> IdempotencyKey + Send + Sync + 'static) -> Self {
        let caller = Arc::new(caller);
        Self {
            walks: Arc::new(Walks::new(caller.clone())),
            caller,
            new_key: Arc::new(new_key),
        }
    }

    /// Makes an endpoint. The answer has its secret, unless HeyGen failed to give one. Every repetition carries the same
    /// key: an answer that got lost is replayed, and the endpoint is not made twice.
    pub async fn create(&self, endpoint: &CreateEndpoint, stop: &Stop) -> Result<Endpoint, Failure> {
        let _changing = self.walks.changing();
        self.caller
            .call(&Request::create(endpoint, (self.new_key)()), stop, answer::endpoint)
            .await
    }

    /// Changes what `patch` names about an endpoint, and answers what it is now.
    pub async fn update(&self, id: &EndpointId, patch: &EndpointPatch, stop: &Stop) -> Result<Endpoint, Failure> {
        let _changing = self.walks.changing();
        self.caller
            .call(&Request::update(id, patch), stop, |body| answer::updated(body, id))
            .await
    }

    /// Removes an endpoint. One that is not there is a failure ([`Failure::is_not_found`]), also where it was a lost
    /// answer that removed it.
    pub async fn delete(&self, id: &EndpointId, stop: &Stop) -> Result<(), Failure> {
        let _changing = self.walks.changing();
        self.caller.call(&Request::delete(id), stop, answer::deleted).await
    }

    /// Gives an endpoint a new secret; the old one is invalid from then on.
    pub async fn rotate_secret(&self, id: &EndpointId, stop: &Stop) -> Result<Secret, Failure> {
        let _changing = self.walks.changing();
        let request = Request::rotate_secret(id, (self.new_key)());
        self.caller.call(&request, stop, |body| answer::rotated(body, id)).await
    }

    /// Finds one endpoint in the list, as it was at most half a minute ago and after the last change made here. `None`
    /// only if two whole walks over the list agree that it is not there. Concurrent readers share the walking.
    pub async fn find(&self, id: &EndpointId, stop: &Stop) -> Result<Option<Endpoint>, Failure> {
        self.walks.find(id, stop).await.map_err(|failure| Failure {
            operation: Operation::Find(id.clone()),
            ..failure
        })
    }

    /// All endpoints, in HeyGen's order, known as [`Client::find`] knows them.
    pub async fn list(&self, stop: &Stop) -> Result<Vec<Endpoint>, Failure> {
        self.walks.list(stop).await
    }

    /// All endpoints, in HeyGen's order, from a walk that begins after this call does.
    pub async fn list_afresh(&self, stop: &Stop) -> Result<Vec<Endpoint>, Failure> {
        self.walks.list_afresh(stop).await
    }

    /// All event types that HeyGen knows, in its order.
    pub async fn event_types(&self, stop: &Stop) -> Result<Vec<EventType>, Failure> {
        let list = Request::event_types();
        gather(
            &self.caller,
            &list,
            Extent::Whole,
            stop,
            answer::event_types,
            |event_type| &event_type.name,
        )
        .await
    }

    /// The first `most` events of the history that the filter lets through, in HeyGen's order, or all if there are fewer.
    /// Costs a call for every hundred of them, and at least one.
    pub async fn events(&self, filter: &EventFilter, most: usize, stop: &Stop) -> Result<Vec<Event>, Failure> {
        let list = Request::events(filter);
        gather(
            &self.caller,
            &list,
            Extent::AtMost(most),
            stop,
            answer::events,
            |event| &event.id,
        )
        .await
    }

    /// How patient this client is.
    pub fn pace(&self) -> Pace {
        self.caller.pace
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
