//! What the fake account holds: endpoints and the history of events. Pure state, no HTTP.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    ops::Bound,
    time::{Duration, Instant},
};

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::oddity::Oddity;

/// The oldest events are forgotten beyond this many.
const HISTORY: usize = 10_000;

/// One endpoint as the server knows it, `entity_id` and the current secret included.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Endpoint {
    /// `ep_…`, never used twice.
    pub endpoint_id: String,
    /// As it was given; how it is answered is a matter of behaviour.
    pub url: String,
    /// `None`: all events.
    pub events: Option<Vec<String>>,
    /// `enabled`, `disabled`, or whatever a test sets.
    pub status: String,
    /// Accepted at creation and answered by no call of the API.
    pub entity_id: Option<String>,
    /// UTC. In JSON: RFC 3339.
    #[serde(serialize_with = "rfc3339")]
    pub created_at: OffsetDateTime,
    /// The current one, `whsec_…`. It guards nothing: no endpoint of a fake is real.
    pub secret: String,
}

/// What a caller chooses of a new endpoint.
#[derive(Clone, Debug, Default)]
pub struct NewEndpoint {
    /// Stored as it is.
    pub url: String,
    /// `None`: all events.
    pub events: Option<Vec<String>>,
    /// Kept, never answered.
    pub entity_id: Option<String>,
}

/// What the account decides of a new endpoint.
#[derive(Clone, Debug)]
pub struct Registration {
    /// `enabled`, if nothing else is wanted.
    pub status: String,
    /// By the fake's clock.
    pub created_at: OffsetDateTime,
    /// How long it stays out of the list.
    pub lag: Lag,
}

/// One event of the delivery history.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// `evt_…`, unique.
    pub event_id: String,
    /// Such as `avatar_video.success`.
    pub event_type: String,
    /// What `event_data` of the delivery held.
    pub event_data: Map<String, Value>,
    /// What the history can be filtered by.
    pub entity_id: Option<String>,
    /// UTC. In JSON: RFC 3339.
    #[serde(serialize_with = "rfc3339")]
    pub created_at: OffsetDateTime,
}

/// What happened.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Such as `avatar_video.success`.
    pub event_type: String,
    /// Any object.
    pub event_data: Map<String, Value>,
    /// What the history can be filtered by.
    pub entity_id: Option<String>,
    /// By the fake's clock.
    pub created_at: OffsetDateTime,
}

/// How long a new endpoint stays out of the list: until both have passed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lag {
    /// Walks (requests without a cursor) that still miss it.
    pub walks: u64,
    /// Time during which every walk misses it.
    pub time: Duration,
}

/// An endpoint as it stands in the list.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'a> {
    /// What the server knows.
    pub endpoint: &'a Endpoint,
    /// How its item is odd.
    pub oddity: Option<&'a Oddity>,
}

/// One page of the list.
#[derive(Debug)]
pub struct Page<T> {
    /// At most as many as were asked for.
    pub items: Vec<T>,
    /// The place of the last item, if more follow.
    pub next: Option<u64>,
}

/// In which order, and how steadily, the list is walked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Walking {
    /// Otherwise the oldest comes first.
    pub newest_first: bool,
    /// Between two pages so many endpoints are lost (positive) or repeated (negative).
    pub shift: i64,
}

/// The account. Endpoints are found by id in constant and listed in logarithmic time.
#[derive(Debug)]
pub struct Store {
    endpoints: BTreeMap<u64, Kept>,
    places: HashMap<String, u64>,
    last_place: u64,
    walks: u64,
    events: VecDeque<(u64, Event)>,
    random: fastrand::Rng,
}

#[derive(Debug)]
struct Kept {
    endpoint: Endpoint,
    /// The last walk that misses it; 0 for none.
    missed_until_walk: u64,
    /// By the machine's clock: a list does not catch up because the fake's clock is moved.
    seen_from: Instant,
    oddity: Option<Oddity>,
}

impl Kept {
    fn is_seen(&self, walk: u64, now: Instant) -> bool {
        let walked = self.missed_until_walk == 0 || self.missed_until_walk < walk;
        walked && self.seen_from <= now
    }

    fn listed(&self) -> Listed<'_> {
        Listed {
            endpoint: &self.endpoint,
            oddity: self.oddity.as_ref(),
        }
    }
}

impl Store {
    /// An empty account. The seed decides every id and secret to come.
    pub fn new(seed: u64) -> Self {
        Self {
            endpoints: BTreeMap::new(),
            places: HashMap::new(),
            last_place: 0,
            walks: 0,
            events: VecDeque::new(),
            random: fastrand::Rng::with_seed(seed),
        }
    }

    /// Adds an endpoint with a fresh id and secret.
    pub fn insert(&mut self, new: NewEndpoint, registration: Registration) -> Endpoint {
        let Registration {
            status,
            created_at,
            lag,
        } = registration;
        let endpoint = Endpoint {
            endpoint_id: self.token("ep_", 20),
            url: new.url,
            events: new.events,
            status,
            entity_id: new.entity_id,
            created_at,
            secret: self.token("whsec_", 32),
        };
        self.last_place += 1;
        self.places.insert(endpoint.endpoint_id.clone(), self.last_place);
        self.endpoints.insert(
            self.last_place,
            Kept {
                endpoint: endpoint.clone(),
                missed_until_walk: self.missed_until(lag.walks),
                seen_from: Instant::now() + lag.time,
                oddity: None,
            },
        );
        endpoint
    }

    /// The endpoint of this id.
    pub fn endpoint(&self, id: &str) -> Option<&Endpoint> {
        let place = self.places.get(id)?;
        self.endpoints.get(place).map(|kept| &kept.endpoint)
    }

    /// The same, to be changed.
    pub fn endpoint_mut(&mut self, id: &str) -> Option<&mut Endpoint> {
        let place = self.places.get(id)?;
        self.endpoints.get_mut(place).map(|kept| &mut kept.endpoint)
    }

    /// Removes an endpoint and answers what it was.
    pub fn remove(&mut self, id: &str) -> Option<Endpoint> {
        let place = self.places.remove(id)?;
        self.endpoints.remove(&place).map(|kept| kept.endpoint)
    }

    /// Gives an endpoint a new secret; the old one is forgotten at once.
    pub fn rotate(&mut self, id: &str) -> Option<&Endpoint> {
        let secret = self.token("whsec_", 32);
        let endpoint = self.endpoint_mut(id)?;
        endpoint.secret = secret;
        Some(endpoint)
    }

    /// Leaves an endpoint out of the next `walks` walks.
    pub fn hide(&mut self, id: &str, walks: u64) -> bool {
        let until = self.missed_until(walks);
        let kept = self.places.get(id).and_then(|p| self.endpoints.get_mut(p));
        kept.map(|kept| kept.missed_until_walk = until).is_some()
    }

    /// Shows everything in the list from now on that it lags behind.
    pub fn catch_up(&mut self) {
        let now = Instant::now();
        for kept in self.endpoints.values_mut() {
            kept.missed_until_walk = 0;
            kept.seen_from = kept.seen_from.min(now);
        }
    }

    /// Makes an endpoint's item in the list odd, or (with `None`) as documented again.
    pub fn make_odd(&mut self, id: &str, oddity: Option<Oddity>) -> bool {
        let kept = self.places.get(id).and_then(|p| self.endpoints.get_mut(p));
        kept.map(|kept| kept.oddity = oddity).is_some()
    }

    /// Every endpoint, oldest first, hidden ones too.
    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.values().map(|kept| &kept.endpoint)
    }

    /// How many endpoints there are.
    pub fn count(&self) -> usize {
        self.endpoints.len()
    }

    /// A list request without a cursor begins a walk.
    pub fn begin_walk(&mut self) {
        self.walks += 1;
    }

    /// The page that follows the place of a cursor, or the first one.
    pub fn page(&self, after: Option<u64>, limit: usize, how: Walking) -> Page<Listed<'_>> {
        let after = after.map(|place| self.step_back(place, how));
        let skipped = match after {
            Some(_) => usize::try_from(how.shift).unwrap_or(0),
            None => 0,
        };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let kept: Box<dyn Iterator<Item = (&u64, &Kept)>> = if how.newest_first {
            Box::new(self.endpoints.range((Bound::Unbounded, from)).rev())
        } else {
            Box::new(self.endpoints.range((from, Bound::Unbounded)))
        };
        let now = Instant::now();
        let seen = kept
            .filter(|(_, kept)| kept.is_seen(self.walks, now))
            .skip(skipped)
            .map(|(place, kept)| (*place, kept.listed()));
        paged(seen, limit)
    }

    /// Adds to the history of events.
    pub fn record(&mut self, new: NewEvent) -> Event {
        let event = Event {
            event_id: self.token("evt_", 20),
            event_type: new.event_type,
            event_data: new.event_data,
            entity_id: new.entity_id,
            created_at: new.created_at,
        };
        self.last_place += 1;
        self.events.push_back((self.last_place, event.clone()));
        if self.events.len() > HISTORY {
            self.events.pop_front();
        }
        event
    }

    /// A page of the history, newest first, of the events that `wanted` lets through.
    pub fn events(&self, after: Option<u64>, limit: usize, wanted: impl Fn(&Event) -> bool) -> Page<&Event> {
        let events = self.events.iter().rev();
        let seen = events
            .filter(|(place, event)| after.is_none_or(|after| *place < after) && wanted(event))
            .map(|(place, event)| (*place, event));
        paged(seen, limit)
    }

    fn missed_until(&self, walks: u64) -> u64 {
        if walks == 0 { 0 } else { self.walks + walks }
    }

    fn step_back(&self, place: u64, how: Walking) -> u64 {
        let Ok(steps @ 1..) = usize::try_from(-how.shift) else {
            return place;
        };
        let repeated = if how.newest_first {
            self.endpoints.range(place..).nth(steps - 1)
        } else {
            self.endpoints.range(..=place).rev().nth(steps - 1)
        };
        match (repeated, how.newest_first) {
            (Some((first, _)), true) => first + 1,
            (Some((first, _)), false) => first - 1,
            (None, true) => u64::MAX,
            (None, false) => 0,
        }
    }

    fn token(&mut self, prefix: &str, length: usize) -> String {
        let mut token = String::with_capacity(prefix.len() + length);
        token.push_str(prefix);
        token.extend((0..length).map(|_| self.random.alphanumeric()));
        token
    }
}

/// Cuts a page off an ordered sequence of places.
pub fn paged<T>(mut items: impl Iterator<Item = (u64, T)>, limit: usize) -> Page<T> {
    let (places, page): (Vec<_>, Vec<_>) = items.by_ref().take(limit).unzip();
    let more = items.next().is_some();
    Page {
        items: page,
        next: places.last().copied().filter(|_| more),
    }
}

fn rfc3339<S: Serializer>(at: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    let text = at.format(&Rfc3339).map_err(serde::ser::Error::custom)?;
    serializer.serialize_str(&text)
}
