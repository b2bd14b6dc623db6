//! HeyGen's clock, as far as its answers tell it.
//!
//! Every answer carries a `Date` of whole seconds. It was written between the moment the request was sent and the
//! moment the answer had arrived, so each answer bounds the difference between HeyGen's clock and the monotonic one of
//! this process, and all of them together bound it more closely. This machine's own date has no part in it.

use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use time::OffsetDateTime;
use tokio::time::Instant;

/// What is known of HeyGen's clock. Shared by all calls of a client.
#[derive(Debug)]
pub(super) struct ServerClock {
    /// The moment of the monotonic clock to which the bounds apply.
    origin: Instant,
    known: Mutex<Option<Known>>,
}

/// What the answers so far have told.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// By all answers since the last contradiction.
    bounds: Bounds,
    /// The other bounds that there have been, where an answer has contradicted those before it.
    contradicted: Option<Extremes>,
}

/// The extremes of bounds that contradict each other.
#[derive(Clone, Copy, Debug)]
struct Extremes {
    lowest_earliest: OffsetDateTime,
    highest_earliest: OffsetDateTime,
    highest_latest: OffsetDateTime,
}

/// Which times of HeyGen's clock can lie between two moments of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// What is not before this is certainly not before the first moment.
    pub(super) certainly_since: OffsetDateTime,
    /// What is before this is certainly before the first moment.
    pub(super) possibly_since: OffsetDateTime,
    /// What is after this is certainly after the second moment.
    pub(super) until: OffsetDateTime,
}

/// The earliest and the latest time that HeyGen's clock can have shown at a moment of the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) earliest: OffsetDateTime,
    pub(super) latest: OffsetDateTime,
}

impl ServerClock {
    pub(super) fn new() -> Self {
        Self {
            origin: Instant::now(),
            known: Mutex::new(None),
        }
    }

    /// Takes note of the `Date` of an answer to a request that was sent and answered at these moments.
    pub(super) fn observe(&self, date: SystemTime, sent: Instant, received: Instant) {
        let date = OffsetDateTime::from(date);
        let Some(observed) = self.bounds_of(date, sent, received) else {
            return;
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some(match *known {
            Some(known) => known.and(observed),
            None => Known {
                bounds: observed,
                contradicted: None,
            },
        });
    }

    /// A `Date` is cut to whole seconds: the clock stood anywhere in the second that it names.
    fn bounds_of(&self, date: OffsetDateTime, sent: Instant, received: Instant) -> Option<Bounds> {
        Some(Bounds {
            earliest: shifted(date, received, self.origin)?,
            latest: shifted(date.checked_add(time::Duration::SECOND)?, sent, self.origin)?,
        })
    }

    /// What HeyGen's clock showed, or will show, at `moment`; `None` while no answer has had a `Date`.
    pub(super) fn at(&self, moment: Instant) -> Option<Bounds> {
        let Known { bounds, .. } = self.known()?;
        Some(Bounds {
            earliest: shifted(bounds.earliest, self.origin, moment)?,
            latest: shifted(bounds.latest, self.origin, moment)?,
        })
    }

    /// The times between two moments; `None` while no answer has had a `Date`. Where answers contradict each other, the
    /// clock that writes `created_at` may be any of those that they come from.
    pub(super) fn between(&self, first: Instant, second: Instant) -> Option<Window> {
        let known = self.known()?;
        let extremes = Extremes::of(known.bounds).and(known.contradicted);
        Some(Window {
            certainly_since: shifted(extremes.highest_earliest, self.origin, first)?,
            possibly_since: shifted(extremes.lowest_earliest, self.origin, first)?,
            until: shifted(extremes.highest_latest, self.origin, second)?,
        })
    }

    fn known(&self) -> Option<Known> {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// What is known after one more answer.
    fn and(self, observed: Bounds) -> Self {
        if let Some(bounds) = self.bounds.intersection(observed) {
            return Self { bounds, ..self };
        }
        let before = Extremes::of(self.bounds).and(self.contradicted);
        Self {
            bounds: observed,
            contradicted: Some(Extremes::of(observed).and(Some(before))),
        }
    }
}

impl Extremes {
    fn of(bounds: Bounds) -> Self {
        Self {
            lowest_earliest: bounds.earliest,
            highest_earliest: bounds.earliest,
            highest_latest: bounds.latest,
        }
    }

    fn and(self, others: Option<Self>) -> Self {
        let others = others.unwrap_or(self);
        Self {
            lowest_earliest: self.lowest_earliest.min(others.lowest_earliest),
            highest_earliest: self.highest_earliest.max(others.highest_earliest),
            highest_latest: self.highest_latest.max(others.highest_latest),
        }
    }
}

impl Window {
    /// The times between two dates of this machine, whose clock may differ from HeyGen's by so much.
    pub(super) fn around(first: SystemTime, second: SystemTime, skew: time::Duration) -> Self {
        let (first, second) = (OffsetDateTime::from(first), OffsetDateTime::from(second));
        let since = first.checked_sub(skew).unwrap_or(first);
        Self {
            certainly_since: since,
            possibly_since: since,
            until: second.checked_add(skew).unwrap_or(second),
        }
    }
}

impl Bounds {
    /// The bounds that hold if both are right. `None` where they contradict each other, because a clock was set
    /// meanwhile.
    fn intersection(self, other: Self) -> Option<Self> {
        let earliest = self.earliest.max(other.earliest);
        let latest = self.latest.min(other.latest);
        (earliest <= latest).then_some(Self { earliest, latest })
    }
}

/// What a clock that shows `date` at `from` shows at `to`; `None` outside the range of dates.
fn shifted(date: OffsetDateTime, from: Instant, to: Instant) -> Option<OffsetDateTime> {
    let (ahead, back) = (to.saturating_duration_since(from), from.saturating_duration_since(to));
    date.checked_add(ahead.try_into().ok()?)?
        .checked_sub(back.try_into().ok()?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// 2026-07-01T12:00:00Z
    fn noon() -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_782_907_200).unwrap()
    }

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[tokio::test(start_paused = true)]
    async fn each_answer_bounds_the_clock_and_all_together_bound_it_more_closely() {
        let (start, clock) = (Instant::now(), ServerClock::new());
        assert_eq!(clock.at(start), None);

        // HeyGen's clock is at 12:00:00.4 when this process is at its start.
        clock.observe(noon().into(), start, start + millis(100));
        let bounds = clock.at(start).unwrap();
        assert_eq!(
            (bounds.earliest, bounds.latest),
            (noon() - millis(100), noon() + millis(1000))
        );

        // The answer of 700 ms later already says 12:00:01.
        clock.observe((noon() + millis(1000)).into(), start + millis(650), start + millis(700));
        let bounds = clock.at(start).unwrap();
        assert_eq!(
            (bounds.earliest, bounds.latest),
            (noon() + millis(300), noon() + millis(1000))
        );
        let later = clock.at(start + millis(5000)).unwrap();
        assert_eq!(later.earliest, noon() + millis(5300));
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_was_set_is_believed_as_it_is_now() {
        let (start, clock) = (Instant::now(), ServerClock::new());
        clock.observe(noon().into(), start, start);
        clock.observe((noon() - Duration::from_hours(1)).into(), start, start);
        let bounds = clock.at(start).unwrap();
        assert_eq!(bounds.earliest, noon() - Duration::from_hours(1));
    }

    #[tokio::test(start_paused = true)]
    async fn of_clocks_that_contradict_each_other_any_may_be_right() {
        let (start, clock) = (Instant::now(), ServerClock::new());
        let (slow, fast) = (noon(), noon() + millis(5000));
        let later = start + millis(700);
        assert_eq!(clock.between(start, later), None);
        clock.observe(slow.into(), start, start);
        let one = Window {
            certainly_since: slow,
            possibly_since: slow,
            until: slow + millis(1700),
        };
        assert_eq!(clock.between(start, later), Some(one));
        for date in [fast, fast, slow] {
            clock.observe(date.into(), start, start);
            let both = Window {
                certainly_since: fast,
                possibly_since: slow,
                until: fast + millis(1700),
            };
            assert_eq!(clock.between(start, later), Some(both));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_date_at_the_end_of_time_tells_nothing_and_breaks_nothing() {
        let (start, clock) = (Instant::now(), ServerClock::new());
        let last = httpdate::parse_http_date("Fri, 31 Dec 9999 23:59:59 GMT").unwrap();
        clock.observe(last, start, start + millis(10));
        assert_eq!(clock.at(start + Duration::from_hours(1)), None);
    }
}
