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
    bounds: Mutex<Option<Bounds>>,
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
            bounds: Mutex::new(None),
        }
    }

    /// Takes note of the `Date` of an answer to a request that was sent and answered at these moments.
    pub(super) fn observe(&self, date: SystemTime, sent: Instant, received: Instant) {
        let date = OffsetDateTime::from(date);
        let Some(observed) = self.bounds_of(date, sent, received) else {
            return;
        };
        let mut bounds = self.bounds.lock().unwrap_or_else(PoisonError::into_inner);
        *bounds = Some(match *bounds {
            Some(known) => known.intersection(observed).unwrap_or(observed),
            None => observed,
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
        let bounds = (*self.bounds.lock().unwrap_or_else(PoisonError::into_inner))?;
        Some(Bounds {
            earliest: shifted(bounds.earliest, self.origin, moment)?,
            latest: shifted(bounds.latest, self.origin, moment)?,
        })
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
    async fn a_date_at_the_end_of_time_tells_nothing_and_breaks_nothing() {
        let (start, clock) = (Instant::now(), ServerClock::new());
        let last = httpdate::parse_http_date("Fri, 31 Dec 9999 23:59:59 GMT").unwrap();
        clock.observe(last, start, start + millis(10));
        assert_eq!(clock.at(start + Duration::from_hours(1)), None);
    }
}
