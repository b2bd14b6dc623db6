//! What can go wrong with a call, when it does, and how often it did.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
};

use serde::{Deserialize, Serialize};

use super::route::Route;

/// Chance forgets its counts beyond this many different calls.
const CALLS_COUNTED: usize = 100_000;

/// Something that goes wrong with one call.
///
/// In JSON a fault is its name (`"truncated"`) or its name and its particulars
/// (`{"reset": {"effect": "done"}}`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// 429 `rate_limit_exceeded`. No effect.
    RateLimit {
        /// What `Retry-After` says.
        retry_after: RetryAfter,
    },
    /// An answer of this status in place of the API's, as an edge or a gateway gives it.
    Status {
        /// 400 to 599.
        status: u16,
        /// What the body is.
        body: BodyShape,
        /// Whether the API had done the work.
        effect: Effect,
    },
    /// 409 `request_in_progress`. No effect.
    InProgress,
    /// 401, as for a revoked key. No effect.
    Unauthorized,
    /// 404 `webhook_not_found`. No effect.
    NotFound,
    /// 307 to another address. No effect.
    Redirect {
        /// The `Location`.
        location: String,
    },
    /// The connection is reset without an answer.
    Reset {
        /// Whether the API had done the work.
        effect: Effect,
    },
    /// Half of the answer is sent, then the connection ends. Takes effect.
    Truncated,
    /// The call waits. Takes effect, even if the caller goes away.
    Delay {
        /// For so many milliseconds; bounded by a minute.
        ms: u64,
        /// Before or after the work.
        wait: Wait,
    },
    /// The call waits until it is released, for a minute at most. Takes effect.
    Held {
        /// Before or after the work.
        wait: Wait,
    },
    /// The body is not JSON. Takes effect.
    MalformedJson,
    /// A required field is left out. Takes effect.
    MissingField {
        /// Which one; any, if not named.
        #[serde(default)]
        field: Option<String>,
    },
    /// A required field is `null`. Takes effect.
    NullField {
        /// Which one; any, if not named.
        #[serde(default)]
        field: Option<String>,
    },
    /// A required field has a value of another type. Takes effect.
    WrongType {
        /// Which one; any, if not named.
        #[serde(default)]
        field: Option<String>,
    },
    /// The answer goes on for so many MiB (64 at most). Takes effect.
    Oversized {
        /// 9 is more than a client should take.
        mib: u32,
    },
}

/// Whether the API had done the work before the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It never heard of the request.
    None,
    /// It did what was asked; only the answer is lost.
    Done,
}

/// Where a call waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// Before the work: its idempotency key is in progress meanwhile.
    Before,
    /// After the work: the answer stands and is only late.
    After,
}

/// What the body of a [`Fault::Status`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyShape {
    /// The documented envelope with `internal_error`.
    Json,
    /// A page for people.
    Html,
    /// Nothing.
    Empty,
}

/// What `Retry-After` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// There is no such header.
    Absent,
    /// So many seconds.
    Seconds(u64),
    /// The HTTP date so many seconds from now; negative is in the past.
    DateIn(i64),
    /// This text, sensible or not: `-5`, `1e30`, `soon`.
    Text(String),
}

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
    /// What happens to them; everything of [`Fault::palette`], if empty.
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
pub struct Faults {
    rules: Vec<Rule>,
    random: Option<RandomFaults>,
    calls: HashMap<u64, u64>,
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

    fn matches(&self, route: Route, endpoint_id: &str) -> bool {
        (self.routes.is_empty() || self.routes.contains(&route))
            && self.endpoint_id.as_deref().is_none_or(|id| id == endpoint_id)
    }
}

impl Faults {
    /// Adds a rule behind the others. The first that matches a call decides.
    pub fn inject(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    /// Begins (or with `None` ends) faults by chance.
    pub fn randomly(&mut self, random: Option<RandomFaults>) {
        self.calls.clear();
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
    pub fn strike(&mut self, route: Route, endpoint_id: &str) -> Option<Injected> {
        let injected = match self.scripted(route, endpoint_id) {
            Some(fault) => Some(Injected { fault, salt: 0 }),
            None => self.by_chance(route, endpoint_id),
        }?;
        *self.counts.entry(injected.fault.kind()).or_default() += 1;
        Some(injected)
    }

    fn scripted(&mut self, route: Route, endpoint_id: &str) -> Option<Fault> {
        let mut struck = None;
        for (index, rule) in self.rules.iter_mut().enumerate() {
            if !rule.matches(route, endpoint_id) {
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
    fn by_chance(&mut self, route: Route, endpoint_id: &str) -> Option<Injected> {
        let random = self.random.as_ref()?;
        if !random.routes.is_empty() && !random.routes.contains(&route) {
            return None;
        }
        if self.calls.len() > CALLS_COUNTED {
            self.calls.clear();
        }
        let call = hash(&(random.seed, route, endpoint_id));
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
        let fitting: Vec<_> = palette.into_iter().filter(|it| it.fits(route)).collect();
        Some(Injected {
            fault: draw.choice(fitting)?,
            salt: draw.u64(..),
        })
    }
}

impl Fault {
    /// The name it is counted and logged by.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::RateLimit { .. } => "rate_limit",
            Self::Status {
                effect: Effect::None, ..
            } => "status",
            Self::Status {
                effect: Effect::Done, ..
            } => "status_after_effect",
            Self::InProgress => "in_progress",
            Self::Unauthorized => "unauthorized",
            Self::NotFound => "not_found",
            Self::Redirect { .. } => "redirect",
            Self::Reset { effect: Effect::None } => "reset",
            Self::Reset { effect: Effect::Done } => "reset_after_effect",
            Self::Truncated => "truncated",
            Self::Delay { .. } => "delay",
            Self::Held { .. } => "held",
            Self::MalformedJson => "malformed_json",
            Self::MissingField { .. } => "missing_field",
            Self::NullField { .. } => "null_field",
            Self::WrongType { .. } => "wrong_type",
            Self::Oversized { .. } => "oversized",
        }
    }

    /// Whether the API does the work that is asked.
    pub fn effect(&self) -> Effect {
        match self {
            Self::Status { effect, .. } | Self::Reset { effect } => *effect,
            Self::RateLimit { .. } | Self::InProgress | Self::Unauthorized | Self::NotFound | Self::Redirect { .. } => {
                Effect::None
            }
            Self::Truncated
            | Self::Delay { .. }
            | Self::Held { .. }
            | Self::MalformedJson
            | Self::MissingField { .. }
            | Self::NullField { .. }
            | Self::WrongType { .. }
            | Self::Oversized { .. } => Effect::Done,
        }
    }

    /// Whether chance may bring it on this call. A false 404 on a delete, for one, would be a lie
    /// no client can see through; a test that wants it says so by a rule.
    pub fn fits(&self, route: Route) -> bool {
        match self {
            Self::NotFound => matches!(route, Route::Update | Route::Rotate),
            Self::InProgress => route.takes_key(),
            Self::MissingField { .. } | Self::NullField { .. } | Self::WrongType { .. } => route != Route::Delete,
            _ => true,
        }
    }

    /// One of everything that needs no long wait and nobody to release it.
    pub fn palette() -> Vec<Self> {
        let status = |status, body, effect| Self::Status { status, body, effect };
        let rate_limit = |retry_after| Self::RateLimit { retry_after };
        vec![
            rate_limit(RetryAfter::Absent),
            rate_limit(RetryAfter::Seconds(0)),
            rate_limit(RetryAfter::DateIn(-60)),
            rate_limit(RetryAfter::Text("soon".to_owned())),
            rate_limit(RetryAfter::Text("-1".to_owned())),
            status(500, BodyShape::Json, Effect::None),
            status(502, BodyShape::Html, Effect::Done),
            status(503, BodyShape::Empty, Effect::None),
            status(504, BodyShape::Html, Effect::Done),
            Self::InProgress,
            Self::Unauthorized,
            Self::NotFound,
            Self::Redirect {
                location: "http://127.0.0.1:1/elsewhere".to_owned(),
            },
            Self::Reset { effect: Effect::None },
            Self::Reset { effect: Effect::Done },
            Self::Truncated,
            Self::MalformedJson,
            Self::MissingField { field: None },
            Self::NullField { field: None },
            Self::WrongType { field: None },
            Self::Oversized { mib: 9 },
        ]
    }
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
