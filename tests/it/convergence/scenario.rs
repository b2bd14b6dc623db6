//! What a run wants, and how that changes: all of it by the seed.

use std::collections::{BTreeMap, BTreeSet};

use crate::fake_heygen::{AllEvents, Behaviour, Endpoint, FakeHeygen, Timestamps, TrailingSlash, UrlSpelling};

const EVENTS: [&str; 5] = [
    "avatar_video.success",
    "avatar_video.fail",
    "video_translate.success",
    "live_avatar.fail",
    "batch.finished",
];

const MOST_ENDPOINTS: usize = 5;

/// The configuration of one endpoint. What is `None` is not set.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wanted {
    pub(super) url: String,
    pub(super) events: Option<BTreeSet<&'static str>>,
    pub(super) rotate_trigger: Option<String>,
    pub(super) entity_id: Option<String>,
    pub(super) replace_when_disabled: Option<bool>,
    /// Whether HeyGen's `entity_id` need not be the one wanted: an import adopts whatever is configured.
    pub(super) adopted: bool,
}

/// A run to be.
pub(super) struct Scenario {
    random: fastrand::Rng,
    seed: u64,
    lists: Lists,
    twins: bool,
    wanted: BTreeMap<String, Wanted>,
    made: u32,
}

/// How the list misleads those who walk it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Lists {
    /// It lags behind every creation.
    Lag,
    /// It lags behind some creations.
    LagAtTimes,
    /// Its pages shift.
    Shift,
}

impl Scenario {
    /// Two to five endpoints to begin with. With `twins`, some have the URL and the events of another.
    pub(super) fn new(seed: u64, twins: bool) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut scenario = Self {
            lists: match random.u8(0..3) {
                0 => Lists::Lag,
                1 => Lists::LagAtTimes,
                _ => Lists::Shift,
            },
            random,
            seed,
            twins,
            wanted: BTreeMap::new(),
            made: 0,
        };
        for _ in 0..scenario.random.usize(2..=MOST_ENDPOINTS) {
            scenario.add();
        }
        scenario
    }

    pub(super) fn chance(&mut self, share: f64) -> bool {
        self.random.f64() < share
    }

    pub(super) fn between(&mut self, least: u64, most: u64) -> u64 {
        self.random.u64(least..=most)
    }

    pub(super) fn lists(&self) -> Lists {
        self.lists
    }

    pub(super) fn wanted(&self) -> &BTreeMap<String, Wanted> {
        &self.wanted
    }

    pub(super) fn names(&self) -> Vec<&String> {
        self.wanted.keys().collect()
    }

    /// The quirks of HeyGen's in this run: those that leave every configuration within reach.
    pub(super) fn behaviour(&mut self) -> Behaviour {
        let random = &mut self.random;
        let lists = self.lists;
        let mut one_of = |n: u8| random.u8(0..n);
        Behaviour {
            shuffle_events: one_of(2) == 0,
            duplicate_events: one_of(4) == 0,
            all_events: match one_of(3) {
                0 => AllEvents::Null,
                1 => AllEvents::Listed,
                _ => AllEvents::Omitted,
            },
            urls: UrlSpelling {
                lower_case_host: one_of(2) == 0,
                no_default_port: one_of(2) == 0,
                trailing_slash: TrailingSlash::Kept,
            },
            timestamps: match one_of(5) {
                0 => Timestamps::Seconds,
                1 => Timestamps::Microseconds,
                2 => Timestamps::Naked,
                3 => Timestamps::NakedMicroseconds,
                _ => Timestamps::Offset,
            },
            newest_first: one_of(2) == 0,
            // A few endpoints make several pages then.
            most_per_page: [None, None, Some(1), Some(2)][usize::from(one_of(4))],
            list_lag_walks: u64::from(lists == Lists::Lag),
            extra_fields: one_of(2) == 0,
            amazon_request_id: one_of(2) == 0,
            ..Behaviour::default()
        }
    }

    /// One to three changes, of any endpoints.
    pub(super) fn change(&mut self) {
        for _ in 0..self.random.usize(1..=3) {
            match self.random.u8(0..10) {
                0 if self.wanted.len() < MOST_ENDPOINTS => self.add(),
                1 if self.wanted.len() > 1 => {
                    let name = self.any();
                    self.wanted.remove(&name);
                }
                _ => self.edit(),
            }
        }
    }

    /// What happens to an endpoint behind Terraform's back, once in a while.
    pub(super) fn meddle(&mut self, heygen: &FakeHeygen) {
        let endpoints = heygen.endpoints();
        let Some(endpoint) = self.random.choice(&endpoints) else {
            return;
        };
        let id = &endpoint.endpoint_id;
        match self.random.u8(0..12) {
            0 => drop(heygen.remove_endpoint(id)),
            1 => drop(heygen.disable_endpoint(id)),
            2 => drop(heygen.edit_endpoint(id, |endpoint| endpoint.events = Some(vec![EVENTS[0].to_owned()]))),
            3 => drop(heygen.edit_endpoint(id, |endpoint| endpoint.url.push_str("/meddled"))),
            _ => {}
        }
    }

    /// Has a new secret minted, as the user of an import would.
    pub(super) fn rotate(&mut self, name: &str) {
        let trigger = self.unique("t");
        if let Some(wanted) = self.wanted.get_mut(name) {
            wanted.rotate_trigger = Some(trigger);
        }
    }

    /// Notes that an endpoint was imported.
    pub(super) fn adopted(&mut self, name: &str) {
        if let Some(wanted) = self.wanted.get_mut(name) {
            wanted.adopted = true;
        }
    }

    /// Fails unless HeyGen has what is wanted.
    pub(super) fn expect(&self, seed: u64, name: &str, endpoint: &Endpoint) {
        let wanted = &self.wanted[name];
        let mut events: Option<BTreeSet<&str>> = endpoint
            .events
            .as_ref()
            .map(|events| events.iter().map(String::as_str).collect());
        if wanted.events.is_none() && events.as_ref().is_some_and(|events| events.len() > EVENTS.len()) {
            // All of them, by name, mean all of them.
            events = None;
        }
        assert_eq!(
            (&endpoint.url, events),
            (&wanted.url, wanted.events.clone()),
            "seed {seed}: HeyGen's {name} is not what was wanted"
        );
        if !wanted.adopted {
            assert_eq!(
                endpoint.entity_id, wanted.entity_id,
                "seed {seed}: {name} is scoped otherwise"
            );
        }
    }

    fn add(&mut self) {
        let name = self.unique("e");
        let twin = self.random.choice(self.wanted.values()).cloned();
        let twin = twin.filter(|_| self.twins && self.chance(0.5));
        let (url, events) = match twin {
            Some(twin) => (twin.url, twin.events),
            None => (self.url(), self.events()),
        };
        let wanted = Wanted {
            url,
            events,
            rotate_trigger: self.trigger(),
            entity_id: self.entity(),
            replace_when_disabled: self.replacing(),
            adopted: false,
        };
        self.wanted.insert(name, wanted);
    }

    fn edit(&mut self) {
        let name = self.any();
        let mut wanted = self.wanted[&name].clone();
        match self.random.u8(0..8) {
            0 | 1 => wanted.url = self.url(),
            2 | 3 => wanted.events = self.events(),
            // A few values only, so that a trigger also goes back to one it had.
            4..=6 => wanted.rotate_trigger = self.trigger(),
            _ if self.chance(0.5) => {
                let entity_id = self.entity();
                wanted.adopted &= wanted.entity_id == entity_id;
                wanted.entity_id = entity_id;
            }
            _ => wanted.replace_when_disabled = self.replacing(),
        }
        self.wanted.insert(name, wanted);
    }

    fn any(&mut self) -> String {
        let names: Vec<String> = self.wanted.keys().cloned().collect();
        self.random.choice(names).expect("there always is one")
    }

    fn url(&mut self) -> String {
        let path = self.unique("hook");
        match self.random.u8(0..4) {
            0 => format!("https://Hooks.Example.com:443/{}/{path}", self.seed),
            1 => format!("https://hooks.example.com/{}/{path}/", self.seed),
            _ => format!("https://hooks.example.com/{}/{path}", self.seed),
        }
    }

    fn events(&mut self) -> Option<BTreeSet<&'static str>> {
        let count = self.random.usize(0..=3);
        let events: BTreeSet<_> = (0..count).filter_map(|_| self.random.choice(EVENTS)).collect();
        (!events.is_empty()).then_some(events)
    }

    fn trigger(&mut self) -> Option<String> {
        self.random
            .choice([None, Some("1"), Some("2"), Some("3")])?
            .map(str::to_owned)
    }

    fn entity(&mut self) -> Option<String> {
        self.random
            .choice([None, None, Some("one"), Some("two")])?
            .map(str::to_owned)
    }

    fn replacing(&mut self) -> Option<bool> {
        self.random.choice([None, Some(false), Some(true)])?
    }

    fn unique(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}{}", self.made)
    }
}
