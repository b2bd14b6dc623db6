//! What the runs of one test came to.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Instant;

use crate::fake_heygen::FakeHeygen;

/// Counts, and what must be none. The seed stands with each, to see it again.
pub(super) struct Figures {
    name: String,
    began: Instant,
    runs: u64,
    requests: u64,
    /// Calls that a limit of their rate refused.
    limited: u64,
    /// Endpoints that other runs made.
    foreign: u64,
    faults: BTreeMap<&'static str, u64>,
    pub(super) plans_failed: u64,
    pub(super) applies: u64,
    pub(super) applies_failed: u64,
    /// Errors about a creation nobody can tell the outcome of.
    pub(super) perhaps_created: u64,
    /// Endpoints such an error led to, and that were deleted by hand.
    pub(super) deleted_by_hand: u64,
    /// Endpoints such an error led to, and that were imported.
    pub(super) imported: u64,
    /// In state, and not at HeyGen.
    pub(super) lost: Vec<(u64, String)>,
    /// At HeyGen, and in no state.
    pub(super) orphaned: Vec<(u64, String)>,
    /// In state with another secret than HeyGen signs with.
    pub(super) stale: Vec<(u64, String)>,
    /// Another run's, and changed or deleted all the same.
    pub(super) taken: Vec<(u64, String)>,
    /// Created with a secret that an answer told, and in state without it.
    pub(super) wasted: Vec<(u64, String)>,
}

impl Figures {
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            began: Instant::now(),
            runs: 0,
            requests: 0,
            limited: 0,
            foreign: 0,
            faults: BTreeMap::new(),
            plans_failed: 0,
            applies: 0,
            applies_failed: 0,
            perhaps_created: 0,
            deleted_by_hand: 0,
            imported: 0,
            lost: Vec::new(),
            orphaned: Vec::new(),
            stale: Vec::new(),
            taken: Vec::new(),
            wasted: Vec::new(),
        }
    }

    /// Adds what the account of a run has seen, and how many endpoints of other runs there were.
    pub(super) fn run_ended(&mut self, heygen: &FakeHeygen, foreign: usize) {
        self.runs += 1;
        self.foreign += u64::try_from(foreign).unwrap_or(u64::MAX);
        let requests = heygen.requests();
        self.requests += u64::try_from(requests.len()).unwrap_or(u64::MAX);
        let limited = requests
            .iter()
            .filter(|it| it.status == Some(429) && it.fault.is_none());
        self.limited += u64::try_from(limited.count()).unwrap_or(u64::MAX);
        for (kind, count) in heygen.faults_by_kind() {
            *self.faults.entry(kind).or_default() += count;
        }
    }

    /// Reports, and fails where something is lost, orphaned, stale, taken or wasted, or where nothing ever went wrong.
    #[allow(clippy::print_stdout, reason = "the figures are what the test is run for")]
    pub(super) fn conclude(self) {
        println!("{self}");
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("convergence-{}.txt", self.name));
        fs::write(file, format!("{self}\n")).expect("the target folder is writable");
        assert!(self.runs > 0 && !self.faults.is_empty(), "nothing went wrong: {self}");
        let none = [&self.lost, &self.orphaned, &self.stale, &self.taken, &self.wasted];
        assert!(
            none.iter().all(|none| none.is_empty()),
            "(seed, endpoint) lost: {:?}, orphaned: {:?}, stale: {:?}, taken: {:?}, wasted: {:?}",
            self.lost,
            self.orphaned,
            self.stale,
            self.taken,
            self.wasted
        );
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: u64 = self.faults.values().sum();
        writeln!(
            f,
            "{}: {} runs in {:.1} s",
            self.name,
            self.runs,
            self.began.elapsed().as_secs_f64()
        )?;
        writeln!(
            f,
            "requests {}, faults {faults}, refused by a limit {}",
            self.requests, self.limited
        )?;
        for (kind, count) in &self.faults {
            writeln!(f, "  {kind} {count}")?;
        }
        writeln!(f, "other runs' endpoints {}", self.foreign)?;
        writeln!(f, "plans failed {}", self.plans_failed)?;
        writeln!(f, "applies {}, of them failed {}", self.applies, self.applies_failed)?;
        writeln!(
            f,
            "perhaps created {}: {} imported, {} deleted by hand",
            self.perhaps_created, self.imported, self.deleted_by_hand
        )?;
        write!(
            f,
            "endpoints lost {}, orphaned {}, secrets stale {}, others' endpoints taken {}, secrets wasted {}",
            self.lost.len(),
            self.orphaned.len(),
            self.stale.len(),
            self.taken.len(),
            self.wasted.len()
        )
    }
}
