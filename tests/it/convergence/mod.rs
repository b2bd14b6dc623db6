//! Randomised runs: whatever goes wrong on the way, once it stops going wrong one apply brings everything in order.
//!
//! A run is a few steps of random changes to a configuration, each applied while a fifth of the calls fails in some way.
//! Then the faults stop. One apply must succeed, the next plan must be empty, the account must hold exactly what state
//! holds, and every secret in state must be the current one. The same seed makes the same run: at the level of the
//! protocol, upon the model of Terraform's core, call by call where the run is sequential; with a real engine, as far as
//! its own concurrency lets it.
//!
//! `make soak` runs other seeds, and more of them. Each test leaves its figures in the folder of temporary files of the
//! target folder, as `convergence-NAME.txt`.

mod engines;
mod figures;
mod protocol;
mod scenario;

use std::collections::BTreeMap;

use self::figures::Figures;
use self::scenario::{Lists, Scenario};
use crate::fake_heygen::{FakeHeygen, Fault, Options, RandomFaults};

/// The share of calls that something happens to.
const RATE: f64 = 0.2;

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

/// The account of one run.
fn account(seed: u64, scenario: &mut Scenario) -> FakeHeygen {
    let heygen = FakeHeygen::start_with(Options {
        seed,
        ..Options::default()
    })
    .expect("a loopback port can be listened on");
    heygen.set_behaviour(scenario.behaviour());
    heygen
}

/// What chance brings in one run.
struct Chance {
    seed: u64,
    faults: Vec<Fault>,
}

impl Chance {
    /// `late` says whether answers come later than the provider waits for them.
    ///
    /// No endpoint may be missing from two walks in a row: that is how the provider tells what is gone, and a list that
    /// lies twice is not to be seen through. A lag hides an endpoint from one walk. So does a shift, and chance loses
    /// endpoints by a shift once in a step, so in no two walks of one command, and nothing that one command read of the
    /// list serves the next. But the walk that misses a new endpoint may be followed by one that loses it. Therefore a
    /// list lags in some runs and shifts in others.
    fn new(seed: u64, lists: Lists, late: bool) -> Self {
        let mut faults = Fault::palette();
        faults.retain(|fault| match fault {
            Fault::Delay { .. } => late,
            Fault::ListLags { .. } => lists == Lists::LagAtTimes,
            Fault::PageShifts { .. } => lists == Lists::Shift,
            Fault::BareSuccess { .. }
            | Fault::ListLagsFor { .. }
            | Fault::SlowPage { .. }
            | Fault::TwinBefore { .. }
            | Fault::TwinDuring { .. }
            | Fault::Status { status: 404, .. } => false,
            _ => true,
        });
        Self { seed, faults }
    }

    /// Lets it strike, in one step of the run.
    fn begin(&self, heygen: &FakeHeygen, step: u64) {
        heygen.inject_randomly(RandomFaults {
            seed: self.seed.wrapping_mul(1_000).wrapping_add(step),
            rate: RATE,
            routes: Vec::new(),
            faults: self.faults.clone(),
        });
    }
}

/// What a user is told of a creation nobody can tell the outcome of: the error, and what it tells to look at.
const PERHAPS_CREATED: &str = "Webhook endpoint perhaps created";

/// The endpoints that such an error leads its reader to, by what it says and nothing else: the ids it names or, where it
/// names none, those with the URL it tells to look for. What is in state already is none of them.
fn named_by(detail: &str, heygen: &FakeHeygen, held: &Holdings) -> Vec<String> {
    let mut named: Vec<String> = detail
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("ep_"))
        .map(str::to_owned)
        .collect();
    if named.is_empty() {
        let (_, after) = detail.split_once("with the URL ").expect("it names ids or a URL");
        let word = after.split_whitespace().next().unwrap_or_default();
        let url = word.trim_end_matches(['.', ',']);
        let listed = heygen.endpoints().into_iter().filter(|endpoint| endpoint.url == url);
        named.extend(listed.map(|endpoint| endpoint.endpoint_id));
    }
    named.retain(|id| held.values().all(|held| held.id != *id));
    named
}

/// Compares what is in state with what is in the account and with what was wanted, when all is done.
fn judge(seed: u64, scenario: &Scenario, heygen: &FakeHeygen, held: &Holdings, figures: &mut Figures) {
    let endpoints = heygen.endpoints();
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
    figures.run_ended(heygen);
}
