//! The fake's own clock: every `Date`, every `created_at`, and how long an idempotency key is kept.

use std::time::{Duration, Instant};

use time::OffsetDateTime;

/// The machine's clock, moved forward on demand. How far it is off besides is a matter of behaviour.
#[derive(Debug)]
pub struct Clock {
    started: Instant,
    moved: Duration,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            moved: Duration::ZERO,
        }
    }
}

impl Clock {
    /// The time of day.
    pub fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + self.moved
    }

    /// How long it has run, by itself: what is measured with it does not depend on how far it is off.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed() + self.moved
    }

    /// How long the fake has run, by the machine's time.
    pub fn running(&self) -> Duration {
        self.started.elapsed()
    }

    /// Moves it forward.
    pub fn advance(&mut self, by: Duration) {
        self.moved += by;
    }
}
