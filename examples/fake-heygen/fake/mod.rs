//! A fake of HeyGen's webhook API: strict about requests, and as troublesome as it is told to be.
//!
//! It runs on a loopback port with a thread of its own, stops when the handle is dropped, and can
//! be looked at and meddled with through the handle ([`FakeHeygen`]) or over HTTP (`/_control/`,
//! see [`control`]).

pub mod answer;
pub mod api;
pub mod behaviour;
pub mod clock;
pub mod control;
pub mod deliveries;
pub mod faults;
pub mod idempotency;
pub mod log;
pub mod oddity;
pub mod rate_limit;
pub mod reply;
pub mod request;
pub mod route;
pub mod schedule;
pub mod serve;
pub mod store;
pub mod tls;
pub mod transport;
pub mod undecodable;
pub mod world;

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use rustls::ServerConfig;
use time::OffsetDateTime;

pub use self::{
    behaviour::{AllEvents, Behaviour, EventIds, Timestamps, TrailingSlash, UrlSpelling},
    deliveries::{Delivered, Delivery, DeliveryToAll},
    faults::{BodyShape, Creation, Effect, Fault, HasMore, Replay, RetryAfter, SuccessBody, Wait},
    log::Request,
    oddity::Oddity,
    rate_limit::RateLimit,
    request::Credential,
    route::Route,
    schedule::{RandomFaults, Rule},
    store::{Endpoint, Event, NewEndpoint},
    undecodable::Undecodable,
};
use self::{
    control::Control,
    serve::{Api, Keyring},
    transport::Server,
    world::{Shared, World},
};

/// What a fake is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// A port of 127.0.0.1; 0 is any.
    pub port: u16,
    /// Decides ids, secrets and what is shuffled.
    pub seed: u64,
    /// What `X-Api-Key` must hold.
    pub api_key: String,
    /// What `Authorization: Bearer` must hold.
    pub access_token: String,
    /// What it serves `https` with; `http` if not set.
    pub tls: Option<Arc<ServerConfig>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            seed: 0,
            api_key: "fake-api-key".to_owned(),
            access_token: "fake-access-token".to_owned(),
            tls: None,
        }
    }
}

/// A running fake. Its methods act behind the back of whoever uses the API.
#[derive(Debug)]
pub struct FakeHeygen {
    shared: Arc<Shared>,
    keyring: Keyring,
    server: Server,
}

impl FakeHeygen {
    /// Starts an empty account on any port.
    pub fn start() -> Self {
        Self::start_with(Options::default()).expect("a loopback port can be listened on")
    }

    /// Starts an empty account.
    pub fn start_with(options: Options) -> io::Result<Self> {
        let shared = Arc::new(Shared::new(World::new(options.seed)));
        let keyring = Keyring {
            api_key: options.api_key,
            access_token: options.access_token,
        };
        let server = Server::start(options.port, options.tls, |door| {
            Arc::new(Api {
                shared: shared.clone(),
                keyring: keyring.clone(),
                control: Control::new(shared.clone(), door),
            })
        })?;
        Ok(Self {
            shared,
            keyring,
            server,
        })
    }

    /// `http://127.0.0.1:PORT`, or `https`
    pub fn base_url(&self) -> String {
        let scheme = if self.server.is_encrypted() { "https" } else { "http" };
        format!("{scheme}://{}", self.server.address())
    }

    /// The key this account expects.
    pub fn api_key(&self) -> &str {
        &self.keyring.api_key
    }

    /// The token this account expects.
    pub fn access_token(&self) -> &str {
        &self.keyring.access_token
    }

    /// Every endpoint, oldest first, with its current secret.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.shared.world().store.endpoints().cloned().collect()
    }

    /// The endpoint of this id.
    pub fn endpoint(&self, id: &str) -> Option<Endpoint> {
        self.shared.world().store.endpoint(id).cloned()
    }

    /// Adds an endpoint that is created now.
    pub fn put_endpoint(&self, new: NewEndpoint) -> Endpoint {
        let mut world = self.shared.world();
        let now = world.now();
        world.put(new, now)
    }

    /// Adds an endpoint that was created at this moment, by the fake's clock.
    pub fn put_endpoint_created_at(&self, new: NewEndpoint, created_at: OffsetDateTime) -> Endpoint {
        self.shared.world().put(new, created_at)
    }

    /// The endpoints that [`Fault::TwinBefore`] and [`Fault::TwinDuring`] have made, as they were made.
    pub fn twins(&self) -> Vec<Endpoint> {
        self.shared.world().twins.clone()
    }

    /// Adds many endpoints, `https://PREFIX-N.example.com/hook` with N from 0.
    pub fn put_many(&self, count: usize, prefix: &str) {
        self.shared.world().put_many(count, prefix);
    }

    /// Changes an endpoint. Answers whether there is one of this id.
    pub fn edit_endpoint(&self, id: &str, edit: impl FnOnce(&mut Endpoint)) -> bool {
        self.shared.world().store.endpoint_mut(id).map(edit).is_some()
    }

    /// Disables an endpoint, as HeyGen does after failed deliveries.
    pub fn disable_endpoint(&self, id: &str) -> bool {
        self.edit_endpoint(id, |endpoint| "disabled".clone_into(&mut endpoint.status))
    }

    /// Removes an endpoint and answers what it was.
    pub fn remove_endpoint(&self, id: &str) -> Option<Endpoint> {
        self.shared.world().store.remove(id)
    }

    /// Leaves an endpoint out of the next `walks` walks of the list.
    pub fn hide_endpoint(&self, id: &str, walks: u64) -> bool {
        self.shared.world().store.hide(id, walks)
    }

    /// Makes an endpoint's item in the list odd, or (with `None`) as documented again. Answers whether there is one of
    /// this id.
    pub fn make_odd(&self, id: &str, oddity: Option<Oddity>) -> bool {
        self.shared.world().store.make_odd(id, oddity)
    }

    /// Shows everything in the list from now on that it lags behind.
    pub fn catch_up(&self) {
        self.shared.world().store.catch_up();
    }

    /// What time it is, by the fake's clock.
    pub fn now(&self) -> OffsetDateTime {
        self.shared.world().now()
    }

    /// Moves the fake's clock forward. Endpoints and idempotency keys grow older by it; lags and latencies are of the
    /// machine's time and go on as they are.
    pub fn advance(&self, by: Duration) {
        self.shared.world().clock.advance(by);
    }

    /// Gives an endpoint a new secret and answers it.
    pub fn rotate(&self, id: &str) -> Option<String> {
        let mut world = self.shared.world();
        world.store.rotate(id).map(|it| it.secret.clone())
    }

    /// Adds to the history of events.
    pub fn record_event(
        &self,
        event_type: &str,
        event_data: serde_json::Map<String, serde_json::Value>,
        entity_id: Option<&str>,
    ) -> Event {
        let entity_id = entity_id.map(str::to_owned);
        self.shared.world().record(event_type.to_owned(), event_data, entity_id)
    }

    /// Delivers a signed event and says what the receiver made of it. An error says what is wrong
    /// with the order.
    pub async fn deliver(&self, delivery: &Delivery) -> Result<Delivered, String> {
        control::deliver(&self.shared, delivery).await
    }

    /// Delivers one event to every endpoint that receives it, and says for each what the receiver made of it. An error
    /// says what is wrong with the order.
    pub async fn deliver_to_all(&self, order: &DeliveryToAll) -> Result<Vec<Delivered>, String> {
        control::deliver_to_all(&self.shared, order).await
    }

    /// Replaces the switches.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.shared.world().behaviour = behaviour;
    }

    /// Turns some of the switches.
    pub fn behave(&self, turn: impl FnOnce(&mut Behaviour)) {
        turn(&mut self.shared.world().behaviour);
    }

    /// Puts a fault in front of certain calls.
    pub fn inject(&self, rule: Rule) {
        self.shared.world().faults.inject(rule);
    }

    /// Begins faults by chance.
    pub fn inject_randomly(&self, random: RandomFaults) {
        self.shared.world().faults.randomly(Some(random));
    }

    /// No more faults, neither by rule nor by chance.
    pub fn clear_faults(&self) {
        self.shared.world().faults.clear();
    }

    /// How many faults there were, by kind.
    pub fn faults_by_kind(&self) -> BTreeMap<&'static str, u64> {
        self.shared.world().faults.counts().clone()
    }

    /// Lets go of the calls that [`Fault::Held`] holds.
    pub fn release(&self) {
        self.shared.release();
    }

    /// Every request received, in order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.world().log.requests().cloned().collect()
    }

    /// The requests of one kind.
    pub fn requests_to(&self, route: Route) -> Vec<Request> {
        let mut requests = self.requests();
        requests.retain(|request| request.route == Some(route));
        requests
    }

    /// Forgets the requests received.
    pub fn clear_requests(&self) {
        self.shared.world().log.clear();
    }

    /// Blocks until a request of this kind is there, for `time` at most.
    pub fn wait_for_request(&self, time: Duration, wanted: impl Fn(&Request) -> bool) -> Option<Request> {
        self.shared.wait(time, |world| {
            let found = world.log.requests().find(|request| wanted(request));
            found.cloned()
        })
    }

    /// Resolves when a request of this kind is there, `None` after `time`.
    pub async fn see_request(&self, time: Duration, wanted: impl Fn(&Request) -> bool) -> Option<Request> {
        let seen = self.shared.find(|world| {
            let found = world.log.requests().find(|request| wanted(request));
            found.cloned()
        });
        tokio::time::timeout(time, seen).await.ok()
    }

    /// Resolves when the account is done with every request received, those included whose caller
    /// has gone. Answers whether that was so within `time`.
    pub async fn see_all_done(&self, time: Duration) -> bool {
        let done = self
            .shared
            .find(|world| world.log.requests().all(|request| request.finished).then_some(()));
        tokio::time::timeout(time, done).await.is_ok()
    }

    /// Refuses connections from now on; answers under way are still given.
    pub fn refuse_connections(&self) {
        self.server.door().close();
    }

    /// Accepts connections again, on the same port.
    pub fn accept_connections(&self) {
        self.server.door().open();
    }

    /// Waits for the server's end, which only a failure brings.
    pub fn serve(self) {
        self.server.join();
    }
}
