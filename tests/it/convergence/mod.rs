//! Randomised runs: whatever goes wrong on the way, once it stops going wrong one apply brings everything in order.
//!
//! A run is a few steps of random changes to a configuration, each applied while a fifth of the calls fails in some way,
//! while HeyGen's clock, its list and its answers are not what they should be, and while other runs make endpoints too.
//! Then the faults stop. One apply must succeed, the next plan must be empty, the account must hold exactly what state
//! holds and what the other runs made, every secret in state must be the current one, no endpoint of another run may
//! have been touched, and no secret that HeyGen answered may have been thrown away on the way. The same seed makes the same run: at the level of the protocol, upon the model of Terraform's core,
//! call by call where the run is sequential and nothing goes by time; with a real engine, as far as its own concurrency
//! lets it.
//!
//! At the level of the protocol everything that takes seconds at HeyGen takes a fiftieth of them (see [`Tempo`]), the
//! provider's patience included, so that a list which lags by five seconds lags by a tenth of one.
//!
//! `make soak` runs other seeds, and more of them; `SEEDS=START..END` chooses which at the level of the protocol,
//! `ENGINE_SEEDS=START..END` which with engines, and `TROUBLES=no_date,late_list` what of the table in `troubles` they meet. Each test leaves its figures in the folder of temporary files of the target
//! folder, as `convergence-NAME.txt`.

mod engines;
mod figures;
mod hidden;
mod protocol;
mod scenario;
mod troubles;

use std::collections::BTreeMap;
use std::env;
use std::ops::Range;
use std::time::Duration;

use self::figures::Figures;
use self::scenario::{Lists, Scenario};
use self::troubles::{Trouble, Troubles};
use crate::fake_heygen::{Endpoint, FakeHeygen, Fault, Options, RandomFaults, Route, Rule};

/// The share of calls that something happens to.
const RATE: f64 = 0.2;

/// The seeds that the environment gives in `variable` as START..END, or else `usual`. Each of the tests that share them has
/// something to do.
fn seeds(variable: &str, usual: Range<u64>, tests: u64) -> Range<u64> {
    let Ok(given) = env::var(variable) else {
        return usual;
    };
    let range = given.split_once("..").and_then(|(start, end)| {
        let range = start.trim().parse().ok()?..end.trim().parse().ok()?;
        (range.end >= tests + range.start).then_some(range)
    });
    range.unwrap_or_else(|| panic!("{variable}={given} is not START..END with at least {tests} seeds"))
}

/// One instance in state, as far as the promises go.
#[derive(Clone, Debug)]
struct Held {
    id: String,
    /// `None` after an import, until a rotation makes one known.
    secret: Option<String>,
    tainted: bool,
}

/// What is in state, by name.
type Holdings = BTreeMap<String, Held>;

/// How long things take that HeyGen or the provider takes time for.
#[derive(Clone, Copy, Debug)]
enum Tempo {
    /// As long as in the world, for a provider that nobody can tell to hurry.
    Real,
    /// A fiftieth, for a provider that has been told to be fifty times as quick.
    Fiftieth,
}

impl Tempo {
    /// What takes so long in the world.
    fn of(self, time: Duration) -> Duration {
        match self {
            Self::Real => time,
            Self::Fiftieth => time / 50,
        }
    }

    /// The same in whole milliseconds, of which there is at least one.
    fn ms(self, time: Duration) -> u64 {
        u64::try_from(self.of(time).as_millis()).unwrap_or(u64::MAX).max(1)
    }
}

/// The account of one run, with what other runs have made in it already.
fn account(seed: u64, scenario: &mut Scenario) -> FakeHeygen {
    let heygen = FakeHeygen::start_with(Options {
        seed,
        ..Options::default()
    })
    .expect("a loopback port can be listened on");
    heygen.set_behaviour(scenario.behaviour());
    scenario.add_neighbours(&heygen);
    heygen
}

/// What chance brings in one run.
struct Chance {
    seed: u64,
    faults: Vec<Fault>,
}

impl Chance {
    /// No old endpoint may be missing from two walks in a row: that is how the provider tells what is gone, and a list that
    /// lies twice is not to be seen through. A lag by walks hides an endpoint from one walk. So does a shift, and chance
    /// loses endpoints by a shift once in a step, so in no two walks of one command, and nothing that one command read of
    /// the list serves the next. But the walk that misses a new endpoint may be followed by one that loses it. Therefore a
    /// list lags in some runs and shifts in others.
    fn new(scenario: &Scenario) -> Self {
        let (troubles, lists, tempo) = (scenario.troubles(), scenario.lists(), scenario.tempo());
        let comes = |fault: &Fault| match fault {
            Fault::Delay { .. } => troubles.meet(Trouble::LateAnswers),
            Fault::ListLags { .. } => lists == Lists::LagAtTimes,
            Fault::ListLagsFor { .. } => lists == Lists::LateAtTimes,
            Fault::PageShifts { .. } => lists == Lists::Shift,
            Fault::SlowPage { .. } => troubles.meet(Trouble::SlowPages),
            Fault::TwinBefore { .. } => troubles.meet(Trouble::TwinsBefore),
            Fault::TwinDuring { .. } => troubles.meet(Trouble::TwinsDuring),
            Fault::MissingField { .. }
            | Fault::NullField { .. }
            | Fault::WrongType { .. }
            | Fault::UndecodableValue { .. }
            | Fault::SecretWithoutId { .. }
            | Fault::BareSuccess { .. } => troubles.meet(Trouble::OddAnswers),
            Fault::Status { status: 404, .. } => troubles.meet(Trouble::GatewayNotFound),
            _ => true,
        };
        let in_tempo = |fault| match fault {
            Fault::ListLagsFor { .. } => Fault::ListLagsFor {
                ms: tempo.ms(Duration::from_secs(5)),
            },
            Fault::SlowPage { .. } => Fault::SlowPage {
                ms: tempo.ms(Duration::from_secs(2)),
            },
            fault => fault,
        };
        Self {
            seed: scenario.seed(),
            faults: Fault::palette().into_iter().filter(comes).map(in_tempo).collect(),
        }
    }

    /// Lets it strike, in one step of the run, and has `rules` strike before it.
    fn begin(&self, heygen: &FakeHeygen, step: u64, rules: Vec<Rule>) {
        heygen.clear_faults();
        for rule in rules {
            heygen.inject(rule);
        }
        heygen.inject_randomly(RandomFaults {
            seed: self.seed.wrapping_mul(1_000).wrapping_add(step),
            rate: RATE,
            routes: Vec::new(),
            faults: self.faults.clone(),
        });
    }
}

/// From now on nothing goes wrong, and as many calls as there are get through.
fn calm_down(heygen: &FakeHeygen) {
    heygen.clear_faults();
    heygen.behave(|it| it.rate_limit = None);
}

/// What a user is told of a creation nobody can tell the outcome of: the error, and what it tells to look at.
const PERHAPS_CREATED: &str = "Webhook endpoint perhaps created";

/// The endpoints that such an error leads its reader to, by what it says and nothing else: the ids it names, and
/// those with the URL where it tells to look for one. What is in this state already is none of them, and what is in
/// another's, as the error says to make sure.
fn named_by(detail: &str, heygen: &FakeHeygen, held: &Holdings, foreign: &[Endpoint]) -> Vec<String> {
    let mut named: Vec<String> = detail
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("ep_"))
        .map(str::to_owned)
        .collect();
    let url = detail.split_once("with the URL ");
    assert!(!named.is_empty() || url.is_some(), "it names ids or a URL: {detail}");
    if let Some((_, after)) = url {
        let word = after.split_whitespace().next().unwrap_or_default();
        let url = word.trim_end_matches(['.', ',']);
        let listed = heygen.endpoints().into_iter().filter(|endpoint| endpoint.url == url);
        named.extend(listed.map(|endpoint| endpoint.endpoint_id));
    }
    named.retain(|id| held.values().all(|held| held.id != *id));
    named.retain(|id| foreign.iter().all(|foreign| foreign.endpoint_id != *id));
    named
}

/// Looks, after a command, for endpoints that were created with a secret which an answer told and state has not.
fn look_for_wasted(seed: u64, scenario: &Scenario, heygen: &FakeHeygen, held: &Holdings, figures: &mut Figures) {
    if scenario.troubles().meet(Trouble::LateAnswers) {
        // What was told need not have been heard.
        return;
    }
    let created = heygen.requests_to(Route::Create);
    let told: Vec<String> = created.into_iter().filter_map(|request| request.secret_of).collect();
    for held in held.values() {
        if held.tainted && held.secret.is_none() && told.contains(&held.id) {
            figures.wasted.push((seed, held.id.clone()));
        }
    }
}

/// Compares what is in state with what is in the account and with what was wanted, when all is done.
fn judge(seed: u64, scenario: &Scenario, heygen: &FakeHeygen, held: &Holdings, figures: &mut Figures) {
    let mut endpoints = heygen.endpoints();
    let foreign = scenario.foreign(heygen);
    let others = foreign.len();
    for foreign in foreign {
        match endpoints.iter().position(|now| now.endpoint_id == foreign.endpoint_id) {
            Some(place) if endpoints[place] == foreign => drop(endpoints.swap_remove(place)),
            _ => figures.taken.push((seed, foreign.endpoint_id)),
        }
    }
    for endpoint in &endpoints {
        if held.values().all(|held| held.id != endpoint.endpoint_id) {
            figures.orphaned.push((seed, endpoint.endpoint_id.clone()));
        }
    }
    for (name, held) in held {
        assert!(!held.tainted, "seed {seed}: {name} is still tainted");
        match endpoints.iter().find(|endpoint| endpoint.endpoint_id == held.id) {
            None => figures.lost.push((seed, held.id.clone())),
            Some(endpoint) if Some(&endpoint.secret) != held.secret.as_ref() => {
                figures.stale.push((seed, held.id.clone()));
            }
            Some(endpoint) => scenario.expect(seed, name, endpoint),
        }
    }
    let names: Vec<&String> = held.keys().collect();
    assert_eq!(
        names,
        scenario.names(),
        "seed {seed}: what is in state is not what was wanted"
    );
    figures.run_ended(heygen, others);
}
