//! What a run may meet beyond calls that fail: one table, each entry drawn by itself.

use std::collections::BTreeSet;
use std::env;

/// Something that not every run meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    /// Answers carry no `Date`.
    NoDate,
    /// HeyGen's clock is up to an hour ahead of ours or behind it.
    ClockOff,
    /// The list lags behind creations by time, up to five seconds.
    LateList,
    /// Pages of the list take up to two seconds.
    SlowPages,
    /// Fields of answers are missing, null or of another type, and successes tell nothing.
    OddAnswers,
    /// Other runs' endpoints whose items in the list are odd.
    OddNeighbours,
    /// Other runs' endpoints of the same URL and events, made before a creation.
    TwinsBefore,
    /// The same, made while a creation is under way.
    TwinsDuring,
    /// A gateway answers 404 by itself.
    GatewayNotFound,
    /// Values of the configuration are not known in the plan.
    UnknownValues,
    /// Some endpoints have the URL and the events of another of the same configuration.
    OwnTwins,
    /// Some answers come later than the provider waits for them.
    LateAnswers,
    /// HeyGen limits the rate of calls.
    LimitedRate,
    /// Two servers answer in turn, whose clocks are five seconds apart.
    ///
    /// Nothing needs to be kept out for it, twins least of all: two requests in a row show both clocks, a search for a
    /// lost creation reads the list twice at least, and what is new by one of two clocks is named and not adopted.
    /// Without dates five seconds are well within the minute that is allowed then.
    TwoClocks,
    /// For the rest of a command every page of the list holds an error, or does not say whether it is the last.
    UnclearLists,
}

/// How often: in one of so many runs.
const TABLE: [(Trouble, u64); 15] = [
    (Trouble::NoDate, 10),
    (Trouble::ClockOff, 2),
    (Trouble::LateList, 4),
    (Trouble::SlowPages, 8),
    (Trouble::OddAnswers, 3),
    (Trouble::OddNeighbours, 4),
    (Trouble::TwinsBefore, 3),
    (Trouble::TwinsDuring, 3),
    (Trouble::GatewayNotFound, 2),
    (Trouble::UnknownValues, 2),
    (Trouble::OwnTwins, 3),
    (Trouble::LateAnswers, 8),
    (Trouble::LimitedRate, 6),
    (Trouble::TwoClocks, 4),
    (Trouble::UnclearLists, 5),
];

/// What one run meets.
#[derive(Clone, Debug)]
pub(super) struct Troubles(BTreeSet<Trouble>);

impl Troubles {
    /// What the run of this seed meets, of what is switched on.
    pub(super) fn of(seed: u64) -> Self {
        Self::among(seed, switched_on)
    }

    /// What the run of this seed meets, of these. An earlier entry of the table keeps out a later one.
    pub(super) fn among(seed: u64, switched_on: impl Fn(Trouble) -> bool) -> Self {
        let mut drawn: Vec<Trouble> = Vec::new();
        for (place, (trouble, one_in)) in (1..).zip(TABLE) {
            // A chance of its own for each, so that switching one off leaves the others as they are.
            let mut random = fastrand::Rng::with_seed(!seed ^ (place << 48));
            let comes = random.u64(0..one_in) == 0;
            if comes && switched_on(trouble) && !drawn.iter().any(|earlier| earlier.keeps_out(trouble)) {
                drawn.push(trouble);
            }
        }
        Self(drawn.into_iter().collect())
    }

    pub(super) fn meet(&self, trouble: Trouble) -> bool {
        self.0.contains(&trouble)
    }

    /// Leaves one out.
    pub(super) fn without(mut self, trouble: Trouble) -> Self {
        self.0.remove(&trouble);
        self
    }
}

impl Trouble {
    /// Whether the two together are beyond what can be seen through.
    fn keeps_out(self, later: Self) -> bool {
        match self {
            // Without a date nothing tells how old an endpoint is by HeyGen's clock: neither that it is too young to be
            // missed, nor that it was there before a call.
            Self::NoDate => matches!(
                later,
                Self::ClockOff | Self::LateList | Self::TwinsBefore | Self::TwinsDuring
            ),
            // An endpoint whose `created_at` was answered by nobody counts as old, and an old one that two walks miss
            // is gone. And what a call does after its answer was given up, and the list shows later still, may show
            // only when a search for it has ended.
            Self::LateList => matches!(later, Self::OddAnswers | Self::LateAnswers),
            // The other run's endpoint is as new as both of ours: beside one that was answered, the other one may have
            // done nothing.
            Self::TwinsDuring => later == Self::OwnTwins,
            _ => false,
        }
    }
}

/// `TROUBLES=no_date,late_list` in the environment leaves these of the table and no others, each as often as the table
/// says; an empty list leaves none. Without it all are left.
fn switched_on(trouble: Trouble) -> bool {
    match env::var("TROUBLES") {
        Ok(list) => list.split(',').any(|name| name.trim() == trouble.name()),
        Err(_) => true,
    }
}

impl Trouble {
    fn name(self) -> &'static str {
        match self {
            Self::NoDate => "no_date",
            Self::ClockOff => "clock_off",
            Self::LateList => "late_list",
            Self::SlowPages => "slow_pages",
            Self::OddAnswers => "odd_answers",
            Self::OddNeighbours => "odd_neighbours",
            Self::TwinsBefore => "twins_before",
            Self::TwinsDuring => "twins_during",
            Self::GatewayNotFound => "gateway_not_found",
            Self::UnknownValues => "unknown_values",
            Self::OwnTwins => "own_twins",
            Self::LateAnswers => "late_answers",
            Self::LimitedRate => "limited_rate",
            Self::TwoClocks => "two_clocks",
            Self::UnclearLists => "unclear_lists",
        }
    }
}

#[test]
fn each_trouble_is_met_and_none_beside_one_that_keeps_it_out() {
    let runs: Vec<Troubles> = (0..2_000).map(|seed| Troubles::among(seed, |_| true)).collect();
    for (trouble, one_in) in TABLE {
        let alone = (0..2_000).filter(|&seed| Troubles::among(seed, |it| it == trouble).meet(trouble));
        let (alone, expected) = (alone.count(), 2_000 / usize::try_from(one_in).unwrap());
        assert!(alone.abs_diff(expected) < expected / 4, "{trouble:?}: {alone}");
        assert!(runs.iter().any(|run| run.meet(trouble)), "{trouble:?}");
    }
    for run in &runs {
        for (one, _) in TABLE {
            let beside = |other: Trouble| one.keeps_out(other) && run.meet(one) && run.meet(other);
            assert!(!TABLE.iter().any(|(other, _)| beside(*other)), "{run:?}");
        }
    }
}
