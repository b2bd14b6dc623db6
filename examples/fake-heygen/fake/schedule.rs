//! When something goes wrong: by rule or by chance; and how often it did.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
};

use serde::{Deserialize, Serialize};

use super::{
    faults::{Fault, Target},
    route::Route,
};

/// Chance forgets its counts beyond this many different calls.
const CALLS_COUNTED: usize = 100_000;

/// A fault put in front of certain calls, for so many times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What happens.
    pub fault: Fault,
    /// To which calls; all, if empty.
    #[serde(default)]
    pub routes: Vec<Route>,
    /// To calls that name this endpoint; to any, if not set.
    #[serde(default)]
    pub endpoint_id: Option<String>,
    /// So many matching calls are let through first.
    #[serde(default)]
    pub skip: u32,
    /// How often; in JSON once if left out, and without end if `null`.
    #[serde(default = "once")]
    pub times: Option<u32>,
}

/// Faults by chance: the same seed and the same calls bring the same faults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomFaults {
    /// Decides which calls are hit, and by what.
    pub seed: u64,
    /// The share of calls that are hit, 0 to 1.
    pub rate: f64,
    /// Which calls; all, if empty.
    #[serde(default)]
    pub routes: Vec<Route>,
    /// What happens to them, drawn by kind and then by entry; everything of [`Fault::palette`], if empty.
    #[serde(default)]
    pub faults: Vec<Fault>,
}

/// A fault chosen for one call.
#[derive(Clone, Debug)]
pub struct Injected {
    /// What happens.
    pub fault: Fault,
    /// Decides what the fault itself leaves open.
    pub salt: u64,
}

/// All faults to come, and the count of those that came.
#[derive(Debug, Default)]
pub struct Schedule {
    rules: Vec<Rule>,
    random: Option<RandomFaults>,
    calls: HashMap<u64, u64>,
    /// Chance has brought what it brings once only.
    hidden: bool,
    counts: BTreeMap<&'static str, u64>,
}

impl Rule {
    /// This fault, once, on the next call of this kind.
    pub fn on(route: Route, fault: Fault) -> Self {
        Self {
            fault,
            routes: vec![route],
            endpoint_id: None,
            skip: 0,
            times: once(),
        }
    }

    /// This fault, once, on the next call of any kind.
    pub fn on_any(fault: Fault) -> Self {
        Self {
            routes: Vec::new(),
            ..Self::on(Route::List, fault)
        }
    }

    /// Only on calls that name this endpoint.
    #[must_use]
    pub fn naming(self, endpoint_id: impl Into<String>) -> Self {
        let endpoint_id = Some(endpoint_id.into());
        Self { endpoint_id, ..self }
    }

    /// Lets this many matching calls through first.
    #[must_use]
    pub fn after(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    /// So many times in a row.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        let times = Some(times);
        Self { times, ..self }
    }

    /// Until the faults are cleared.
    #[must_use]
    pub fn always(self) -> Self {
        Self { times: None, ..self }
    }

    fn matches(&self, target: Target<'_>) -> bool {
        (self.routes.is_empty() || self.routes.contains(&target.route))
            && self.endpoint_id.as_deref().is_none_or(|id| id == target.endpoint_id)
    }
}

impl Schedule {
    /// Adds a rule behind the others. The first that matches a call decides.
    pub fn inject(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    /// Begins (or with `None` ends) faults by chance.
    pub fn randomly(&mut self, random: Option<RandomFaults>) {
        self.calls.clear();
        self.hidden = false;
        self.random = random;
    }

    /// No more faults; the counts stay.
    pub fn clear(&mut self) {
        self.rules.clear();
        self.randomly(None);
    }

    /// How many faults there were, by kind.
    pub fn counts(&self) -> &BTreeMap<&'static str, u64> {
        &self.counts
    }

    /// The rules that have not been used up.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What goes wrong with this call, if anything.
    pub fn strike(&mut self, target: Target<'_>) -> Option<Injected> {
        let injected = match self.scripted(target) {
            Some(fault) => Some(Injected { fault, salt: 0 }),
            None => self.by_chance(target),
        }?;
        *self.counts.entry(injected.fault.kind()).or_default() += 1;
        Some(injected)
    }

    fn scripted(&mut self, target: Target<'_>) -> Option<Fault> {
        let mut struck = None;
        for (index, rule) in self.rules.iter_mut().enumerate() {
            if !rule.matches(target) {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            struck = Some(index);
            break;
        }
        let index = struck?;
        let rule = &mut self.rules[index];
        let fault = rule.fault.clone();
        if let Some(times) = &mut rule.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.rules.remove(index);
            }
        }
        Some(fault)
    }

    /// Draws by the call and its own count, not by the order in which concurrent calls happen to
    /// arrive: otherwise a seed would not bring the same faults twice.
    fn by_chance(&mut self, target: Target<'_>) -> Option<Injected> {
        let random = self.random.as_ref()?;
        if !random.routes.is_empty() && !random.routes.contains(&target.route) {
            return None;
        }
        if self.calls.len() > CALLS_COUNTED {
            self.calls.clear();
        }
        let call = hash(&(random.seed, target.route, target.endpoint_id));
        let count = self.calls.entry(call).or_default();
        *count += 1;
        let mut draw = fastrand::Rng::with_seed(hash(&(call, *count)));
        if draw.f64() >= random.rate {
            return None;
        }
        let palette = match random.faults.as_slice() {
            [] => Fault::palette(),
            faults => faults.to_vec(),
        };
        let fits = |fault: &Fault| fault.fits(target) && !(self.hidden && fault.hides());
        let fault = drawn(palette.into_iter().filter(fits), &mut draw)?;
        self.hidden |= fault.hides();
        Some(Injected {
            fault,
            salt: draw.u64(..),
        })
    }
}

/// By kind first, and then by entry: a kind of many entries is no likelier than one of a single entry.
fn drawn(faults: impl Iterator<Item = Fault>, draw: &mut fastrand::Rng) -> Option<Fault> {
    let mut kinds: BTreeMap<&'static str, Vec<Fault>> = BTreeMap::new();
    for fault in faults {
        kinds.entry(fault.kind()).or_default().push(fault);
    }
    draw.choice(kinds.into_values())
        .and_then(|entries| draw.choice(entries))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape serde's default asks for")]
fn once() -> Option<u32> {
    Some(1)
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
