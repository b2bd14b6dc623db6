//! Everything the fake knows, behind one lock, and the waiting for it to change.

use std::{
    borrow::Cow,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use time::OffsetDateTime;
use tokio::sync::watch;

use super::{
    api::{Account, Call},
    behaviour::Behaviour,
    clock::Clock,
    faults::Fault,
    idempotency::Keys,
    log::Log,
    rate_limit::Bucket,
    schedule::Schedule,
    store::{Endpoint, Event, Lag, NewEndpoint, NewEvent, Registration, Store},
};

/// Everything the fake knows.
#[derive(Debug)]
pub struct World {
    /// Endpoints and events.
    pub store: Store,
    /// The switches.
    pub behaviour: Behaviour,
    /// What time it is at HeyGen's, but for what the switches add.
    pub clock: Clock,
    /// The twins that faults have made, as they were made.
    pub twins: Vec<Endpoint>,
    /// What will go wrong.
    pub faults: Schedule,
    /// The idempotency keys seen.
    pub keys: Keys,
    /// The calls that the rate limit still lets through.
    pub bucket: Bucket,
    /// The requests received.
    pub log: Log,
    /// For what is shuffled.
    pub random: fastrand::Rng,
}

/// The world, shared by the calls that run and by whoever looks on.
#[derive(Debug)]
pub struct Shared {
    world: Mutex<World>,
    changed: Condvar,
    changes: watch::Sender<()>,
    releases: watch::Sender<()>,
}

impl World {
    /// A new account; the seed decides its ids, its secrets and its chance.
    pub fn new(seed: u64) -> Self {
        Self {
            store: Store::new(seed),
            behaviour: Behaviour::default(),
            clock: Clock::default(),
            twins: Vec::new(),
            faults: Schedule::default(),
            keys: Keys::default(),
            bucket: Bucket::default(),
            log: Log::default(),
            random: fastrand::Rng::with_seed(seed),
        }
    }

    /// Adds many endpoints, `https://PREFIX-N.example.com/hook` with N from 0.
    pub fn put_many(&mut self, count: usize, prefix: &str) {
        let created_at = self.now();
        for number in 0..count {
            let new = NewEndpoint {
                url: format!("https://{prefix}-{number}.example.com/hook"),
                ..NewEndpoint::default()
            };
            self.put(new, created_at);
        }
    }

    /// Adds an endpoint that was created at this moment and is in the list at once.
    pub fn put(&mut self, new: NewEndpoint, created_at: OffsetDateTime) -> Endpoint {
        let registration = Registration {
            status: self.behaviour.status_of_new(),
            created_at,
            lag: Lag::default(),
        };
        self.store.insert(new, registration)
    }

    /// Adds to the history of events.
    pub fn record(
        &mut self,
        event_type: String,
        event_data: serde_json::Map<String, serde_json::Value>,
        entity_id: Option<String>,
    ) -> Event {
        let created_at = self.now();
        self.store.record(NewEvent {
            event_type,
            event_data,
            entity_id,
            created_at,
        })
    }

    /// Makes the endpoint that a create asks for, as another run that was `earlier` by so much would
    /// have: with an id and a secret of its own. A create that would be refused has no twin.
    pub fn make_twin(&mut self, create: &Call, earlier: Duration) {
        if let Ok(new) = create.new_endpoint(&self.behaviour) {
            let twin = self.put(new, self.now_at_server_of(create.sequence + 1) - earlier);
            self.twins.push(twin);
        }
    }

    /// The time at HeyGen's.
    pub fn now(&self) -> OffsetDateTime {
        self.clock.now() + self.behaviour.clock_offset()
    }

    /// The same by the clock of the server that answers the request of this number.
    pub fn now_at_server_of(&self, sequence: u64) -> OffsetDateTime {
        self.now() + self.behaviour.server_ahead(sequence)
    }

    /// The part that the call of this number works on, struck by this fault.
    pub fn account(&mut self, sequence: u64, fault: Option<&Fault>) -> Account<'_> {
        let turned = fault.and_then(|fault| fault.turned(&self.behaviour));
        let now = self.now_at_server_of(sequence);
        Account {
            now,
            store: &mut self.store,
            behaviour: turned.map_or(Cow::Borrowed(&self.behaviour), Cow::Owned),
            random: &mut self.random,
        }
    }
}

impl Shared {
    /// Shares a world.
    pub fn new(world: World) -> Self {
        Self {
            world: Mutex::new(world),
            changed: Condvar::new(),
            changes: watch::Sender::new(()),
            releases: watch::Sender::new(()),
        }
    }

    /// The world, for a moment. A call that panicked does not take the others with it.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells those who wait that something has changed.
    pub fn notify(&self) {
        self.changed.notify_all();
        self.changes.send_replace(());
    }

    /// Blocks until `look` finds what it looks for, or the time is over.
    pub fn wait<T>(&self, time: Duration, look: impl Fn(&World) -> Option<T>) -> Option<T> {
        let end = Instant::now() + time;
        let mut world = self.world();
        loop {
            if let Some(found) = look(&world) {
                return Some(found);
            }
            let left = end.checked_duration_since(Instant::now())?;
            let waited = self.changed.wait_timeout(world, left);
            world = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The same without blocking. It ends when `look` finds what it looks for.
    pub async fn find<T>(&self, look: impl Fn(&World) -> Option<T>) -> T {
        let mut changes = self.changes.subscribe();
        loop {
            let found = look(&self.world());
            if let Some(found) = found {
                return found;
            }
            // An error would mean that this world has ended while we look at it.
            let _ = changes.changed().await;
        }
    }

    /// Lets go of every call that has arrived until now.
    pub fn release(&self) {
        self.releases.send_replace(());
    }

    /// Changes at the next [`Shared::release`].
    pub fn releases(&self) -> watch::Receiver<()> {
        self.releases.subscribe()
    }
}
