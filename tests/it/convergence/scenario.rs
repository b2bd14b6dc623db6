//! What a run wants, and how that changes: all of it by the seed.

mod others;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Tempo;
use super::hidden::Hidden;
use super::troubles::{Trouble, Troubles};
use crate::fake_heygen::{
    AllEvents, Behaviour, Effect, Endpoint, FakeHeygen, Fault, HasMore, NewEndpoint, RateLimit, Route, Rule,
    SuccessBody, Timestamps, TrailingSlash, Undecodable, UrlSpelling,
};

const EVENTS: [&str; 5] = [
    "avatar_video.success",
    "avatar_video.fail",
    "video_translate.success",
    "live_avatar.fail",
    "batch.finished",
];

const MOST_ENDPOINTS: usize = 5;

/// How far two clocks are apart.
const CLOCKS_APART_MS: i64 = 5_000;

/// The configuration of one endpoint. What is `None` is not set.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wanted {
    pub(super) url: String,
    pub(super) events: Option<BTreeSet<&'static str>>,
    pub(super) rotate_trigger: Option<String>,
    pub(super) entity_id: Option<String>,
    pub(super) replace_when_disabled: Option<bool>,
    /// The endpoint that was imported, if one was: its `entity_id` need not be the one wanted, because whatever is
    /// configured is adopted.
    pub(super) imported: Option<String>,
}

/// A run to be.
pub(super) struct Scenario {
    random: fastrand::Rng,
    seed: u64,
    tempo: Tempo,
    troubles: Troubles,
    lists: Lists,
    wanted: BTreeMap<String, Wanted>,
    hidden: BTreeMap<String, Hidden>,
    /// What other runs have made, as they made it; not the twins that faults bring.
    neighbours: Vec<Endpoint>,
    made: u32,
}

/// How the list misleads those who walk it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Lists {
    /// It lags behind every creation.
    Lag,
    /// It lags behind some creations.
    LagAtTimes,
    /// It lags behind every creation by time.
    Late,
    /// It lags behind some creations by time.
    LateAtTimes,
    /// Its pages shift.
    Shift,
}

impl Lists {
    fn draw(troubles: &Troubles, random: &mut fastrand::Rng) -> Self {
        let (one, other) = (random.bool(), random.u8(0..3));
        match (troubles.meet(Trouble::LateList), one) {
            (true, true) => Self::Late,
            (true, false) => Self::LateAtTimes,
            // A page that shifts away what was created leaves its twin to be taken for it.
            (false, one) if troubles.meet(Trouble::TwinsBefore) || troubles.meet(Trouble::TwinsDuring) => {
                if one {
                    Self::Lag
                } else {
                    Self::LagAtTimes
                }
            }
            (false, _) => [Self::Lag, Self::LagAtTimes, Self::Shift][usize::from(other)],
        }
    }
}

impl Scenario {
    /// Two to five endpoints to begin with.
    pub(super) fn new(seed: u64, tempo: Tempo, troubles: Troubles) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut scenario = Self {
            lists: Lists::draw(&troubles, &mut random),
            random,
            seed,
            tempo,
            troubles,
            wanted: BTreeMap::new(),
            hidden: BTreeMap::new(),
            neighbours: Vec::new(),
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

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    pub(super) fn tempo(&self) -> Tempo {
        self.tempo
    }

    pub(super) fn troubles(&self) -> &Troubles {
        &self.troubles
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
        let rate_limit = self.rate_limit();
        let (random, lists, tempo) = (&mut self.random, self.lists, self.tempo);
        let mut seconds = |least: f64, most: f64| Duration::from_secs_f64(least + random.f64() * (most - least));
        let list_lag = seconds(0.0, 5.0);
        let page_latency = seconds(0.2, 1.0);
        let clock_offset_ms = random.i64(-3_600_000..=3_600_000);
        let mut one_of = |n: u8| random.u8(0..n);
        let bare = [SuccessBody::NoContent, SuccessBody::Empty, SuccessBody::EmptyObject];
        let bare = bare.get(usize::from(one_of(9))).copied();
        let slow = one_of(2) == 0;
        let undecodable = Undecodable::ALL.get(usize::from(one_of(9))).copied();
        let clocks_apart_ms = [-CLOCKS_APART_MS, CLOCKS_APART_MS][usize::from(one_of(2))];
        let meet = |trouble| self.troubles.meet(trouble);
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
            timestamps: match one_of(7) {
                0 => Timestamps::Seconds,
                1 => Timestamps::Microseconds,
                2 => Timestamps::Naked,
                3 => Timestamps::NakedMicroseconds,
                4 => Timestamps::LowerCase,
                5 => Timestamps::Spaced,
                _ => Timestamps::Offset,
            },
            newest_first: one_of(2) == 0,
            // A few endpoints make several pages then.
            most_per_page: [None, None, Some(1), Some(2)][usize::from(one_of(4))],
            list_lag_walks: u64::from(lists == Lists::Lag),
            list_lag_ms: if lists == Lists::Late { tempo.ms(list_lag) } else { 0 },
            page_latency_ms: if slow && meet(Trouble::SlowPages) {
                tempo.ms(page_latency)
            } else {
                0
            },
            update_answers: bare.filter(|_| meet(Trouble::OddAnswers)),
            clock_offset_ms: if meet(Trouble::ClockOff) { clock_offset_ms } else { 0 },
            no_date: meet(Trouble::NoDate),
            rate_limit: meet(Trouble::LimitedRate).then_some(rate_limit),
            extra_fields: one_of(2) == 0,
            amazon_request_id: one_of(2) == 0,
            undecodable_extra: undecodable.filter(|_| meet(Trouble::OddAnswers)),
            // Not in the tempo of the run: a `Date` is of whole seconds.
            clocks_apart_ms: if meet(Trouble::TwoClocks) { clocks_apart_ms } else { 0 },
            ..Behaviour::default()
        }
    }

    /// How many calls HeyGen lets through where it limits them: few enough to refuse some of a command's.
    fn rate_limit(&self) -> RateLimit {
        // A chance of its own, so that the rest of the run is what it would be without.
        let mut random = fastrand::Rng::with_seed(self.seed ^ (1 << 40));
        // A header cannot ask for a fiftieth of a second.
        let longest = u64::from(matches!(self.tempo, Tempo::Real));
        RateLimit {
            per_second: f64::from(random.u32(2..=5)) / self.tempo.of(Duration::from_secs(1)).as_secs_f64(),
            burst: random.u32(1..=3),
            retry_after: random.bool().then(|| random.u64(0..=longest)),
        }
    }

    /// What strikes calls of the next command beside chance. Where the list tells nothing, nobody can tell twins apart.
    pub(super) fn rules(&mut self) -> Vec<Rule> {
        match self.unclear_list() {
            Some(rule) => vec![rule],
            None => self.twins(),
        }
    }

    /// From some call on the list tells nothing, or not how long it is, once in a while: chance alone would hardly ever
    /// bring that in two walks in a row, after which what they lack is gone.
    fn unclear_list(&mut self) -> Option<Rule> {
        if !self.troubles.meet(Trouble::UnclearLists) || !self.chance(0.4) {
            return None;
        }
        let unclear = |has_more| Fault::UnclearPage { has_more };
        let fault = if self.random.bool() {
            Fault::ErrorInSuccess { effect: Effect::None }
        } else {
            unclear(self.random.choice([HasMore::Missing, HasMore::Null, HasMore::Text])?)
        };
        Some(Rule::on(Route::List, fault).after(self.random.u32(0..=6)).always())
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
    ///
    /// Mostly an endpoint is old by HeyGen's clock by the time that somebody deletes it by hand: a young one is missed
    /// only after a while, because the list may lag behind its creation.
    pub(super) fn meddle(&mut self, heygen: &FakeHeygen) {
        let mut endpoints = heygen.endpoints();
        let foreign = self.foreign(heygen);
        endpoints.retain(|endpoint| {
            foreign
                .iter()
                .all(|foreign| foreign.endpoint_id != endpoint.endpoint_id)
        });
        let Some(endpoint) = self.random.choice(&endpoints) else {
            return;
        };
        let id = &endpoint.endpoint_id;
        match self.random.u8(0..12) {
            0 => {
                if !self.troubles.meet(Trouble::NoDate) && self.chance(0.9) {
                    heygen.advance(Duration::from_secs(self.between(130, 200)));
                    // No list lags for minutes.
                    heygen.catch_up();
                }
                heygen.remove_endpoint(id);
            }
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

    /// Notes that this endpoint was imported.
    pub(super) fn imported(&mut self, name: &str, id: &str) {
        if let Some(wanted) = self.wanted.get_mut(name) {
            wanted.imported = Some(id.to_owned());
        }
    }

    /// Another command begins: HeyGen's clock goes on by some seconds.
    ///
    /// Not where answers have no date: ours would then be wrong, and nothing tells.
    pub(super) fn time_passes(&mut self, heygen: &FakeHeygen) {
        if !self.troubles.meet(Trouble::NoDate) {
            heygen.advance(Duration::from_millis(self.between(4_000, 10_000)));
        }
    }

    /// Draws anew what is not known while the next command plans.
    ///
    /// `settles`: it must succeed and leave nothing to do. A value of `replace_when_disabled` that was not known
    /// replaces nothing in the command that gets to know it, so that is known then.
    pub(super) fn hide(&mut self, settles: bool) {
        self.hidden.clear();
        if self.troubles.meet(Trouble::UnknownValues) {
            for (name, wanted) in &self.wanted {
                let mut hidden = Hidden::draw(wanted, &mut self.random);
                hidden.replace_when_disabled &= !settles;
                self.hidden.insert(name.clone(), hidden);
            }
        }
    }

    /// What is not known of this endpoint's configuration while the command plans.
    pub(super) fn hidden(&self, name: &str) -> Hidden {
        self.hidden.get(name).cloned().unwrap_or_default()
    }

    /// Whether `replace_when_disabled` turns out true for this endpoint and the plan did not know it. It replaces
    /// nothing then, and if the endpoint is disabled and the engine gives no sign that it is applying, a provider that
    /// is asked to plan again cannot know that it must not replace it now: the apply fails, nothing has changed, the
    /// next plan replaces.
    pub(super) fn may_not_replace(&self, name: &str) -> bool {
        let turned_out = |wanted: &Wanted| wanted.replace_when_disabled == Some(true);
        self.hidden(name).replace_when_disabled && self.wanted.get(name).is_some_and(turned_out)
    }

    /// The same, of any endpoint.
    pub(super) fn may_fail_to_replace(&self) -> bool {
        self.wanted.keys().any(|name| self.may_not_replace(name))
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
        if wanted.imported.as_ref() != Some(&endpoint.endpoint_id) {
            assert_eq!(
                endpoint.entity_id, wanted.entity_id,
                "seed {seed}: {name} is scoped otherwise"
            );
        }
    }

    fn add(&mut self) {
        let name = self.unique("e");
        let twin = self.random.choice(self.wanted.values()).cloned();
        let twin = twin.filter(|_| self.troubles.meet(Trouble::OwnTwins) && self.chance(0.5));
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
            imported: None,
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
            _ if self.chance(0.5) => wanted.entity_id = self.entity(),
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

#[test]
fn clocks_lists_and_pages_are_off_by_as_much_as_they_can_be() {
    let behaviours = (0..2_000).map(|seed| {
        let troubles = Troubles::among(seed, |_| true);
        Scenario::new(seed, Tempo::Real, troubles).behaviour()
    });
    let behaviours: Vec<Behaviour> = behaviours.collect();
    let clocks = behaviours.iter().map(|it| it.clock_offset_ms / 60_000);
    let (behind, ahead) = (clocks.clone().min(), clocks.max());
    assert!(
        (Some(-60)..=Some(-55)).contains(&behind) && (Some(55)..=Some(60)).contains(&ahead),
        "by minutes: {behind:?} to {ahead:?}"
    );
    let lag = behaviours.iter().map(|it| it.list_lag_ms).max();
    assert!((Some(4_500)..=Some(5_000)).contains(&lag), "{lag:?}");
    let page = behaviours.iter().map(|it| it.page_latency_ms).max();
    assert!((Some(900)..=Some(1_000)).contains(&page), "{page:?}");
}

#[test]
fn heygens_clock_goes_on_by_seconds_between_commands() {
    let heygen = FakeHeygen::start();
    let troubles = Troubles::among(0, |it| it != Trouble::NoDate);
    let mut scenario = Scenario::new(0, Tempo::Fiftieth, troubles);
    for _ in 0..200 {
        let before = heygen.now();
        scenario.time_passes(&heygen);
        assert!(heygen.now() - before >= Duration::from_secs(3));
    }
}

#[test]
fn what_is_deleted_by_hand_is_mostly_old_by_then_but_not_always() {
    let heygen = FakeHeygen::start();
    let troubles = Troubles::among(0, |it| it != Trouble::NoDate);
    let mut scenario = Scenario::new(0, Tempo::Fiftieth, troubles);
    let (mut young, mut old) = (0, 0);
    for _ in 0..2_000 {
        let made = heygen.now();
        let endpoint = heygen.put_endpoint(NewEndpoint {
            url: "https://hooks.example.com/".to_owned(),
            ..NewEndpoint::default()
        });
        scenario.meddle(&heygen);
        if heygen.remove_endpoint(&endpoint.endpoint_id).is_none() {
            let is_old = heygen.now() - made > Duration::from_mins(2);
            *(if is_old { &mut old } else { &mut young }) += 1;
        }
    }
    assert!(
        young > 0 && old > 100 && young * 4 < old,
        "{young} were young and {old} old"
    );
}
