//! How quickly the process may send under HeyGen's rate limit. The limit is the account's and nobody tells how high it
//! is, so it is learned from the refusals: one refused request makes all of them wait.
//!
//! Nothing is kept up until the first answer 429. Then nobody sends before the wait is over that the answer asks for,
//! and after it requests go out one by one, evenly spaced: at first at the rate that was accepted before the refusal.
//! The rate grows as long as requests are accepted, quickly until it has been refused as well and slowly from then on.
//! Refused, it falls to a third, but not below what was accepted on average since the refusal before: so much the limit
//! is known to let through, whatever other processes take of it. After a while without a refusal all of it is forgotten.
//!
//! A request that was refused has fewer attempts left than others, and goes before them.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::pin;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::retry::MAX_WAIT;

/// Requests are never spaced wider, whatever was learned.
const WIDEST_SPACING: Duration = Duration::from_secs(2);

/// By what factor the rate grows in a second of accepted requests: until it was refused as well, and after that. What
/// this and the next are was found by simulating one to three processes of ten requests at once, under limits of 2 to 50
/// calls a second with bursts of 1 to 50.
const FIRST_GROWTH: f64 = 2.0;
const LATER_GROWTH: f64 = 1.3;

/// How many times as wide a refusal makes the spacing that was refused, at most.
const SLOWDOWN: f64 = 3.0;

/// After so many refusals without an accepted request between them there is no rate to keep: then spacing would only
/// put off what ends in the same failure.
const BARREN_REFUSALS: u32 = 2;

/// The pace is forgotten when so much time has gone by without a refusal.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(30);

/// When the first in the queue lets its turn pass for so long, the others go without it: its future may be one that nobody
/// polls at the moment.
const PATIENCE: Duration = Duration::from_secs(1);

/// So many accepted requests are remembered to learn from.
const REMEMBERED: usize = 256;

/// The pace of all requests of a client.
#[derive(Debug)]
pub(super) struct Pace {
    /// What accepted requests are counted in at the first refusal, where the answer does not ask for a longer wait.
    /// Where it is zero and the answer asks for none, there is no spacing.
    window: Duration,
    state: Mutex<State>,
    /// Notified when somebody else may have come to the head of the queue, or its turn may have moved.
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// When requests were accepted lately, the latest last, while nothing is slowed down.
    accepted: VecDeque<Instant>,
    slowed: Option<Slowed>,
    /// Those who wait for their turn, the first of them first.
    queue: BTreeSet<Place>,
    last_number: u64,
}

/// What has been learned from refusals.
#[derive(Debug)]
struct Slowed {
    /// When a refusal slowed things down last. What was sent before tells nothing more.
    since: Instant,
    /// Nobody sends before.
    not_before: Instant,
    /// The earliest moment for the next request.
    next: Instant,
    /// How far requests are apart; zero where nothing is known to learn it from.
    spacing: Duration,
    /// By how much the rate grows in a second.
    growth: f64,
    /// Until when growing is accounted for.
    grown_until: Instant,
    /// The requests accepted since.
    accepted: u32,
    /// The refusals in a row between which nothing was accepted.
    barren: u32,
}

/// A place in the queue: who was refused most often goes first, then who came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    attempts_left: std::cmp::Reverse<u32>,
    number: u64,
}

/// What one in the queue has to do.
enum Move {
    Send,
    WaitUntil(Instant),
}

impl Pace {
    /// `first_wait` is the longest wait after a first failed attempt.
    pub(super) fn new(first_wait: Duration) -> Self {
        Self {
            window: first_wait * 2,
            state: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// Returns when a request may be sent that failed `failed_attempts` times before, at once where nothing is slowed
    /// down. It waits for its turn no longer than until `latest`. Dropping the future gives the place in the queue up.
    pub(super) async fn turn(&self, failed_attempts: u32, latest: Option<Instant>) {
        let Some(waiting) = self.join(failed_attempts) else {
            return;
        };
        loop {
            let changed = self.changed.notified();
            pin!(changed);
            // From here on no change is missed.
            changed.as_mut().enable();
            let step = self.state().step(waiting.place, latest);
            match step {
                Move::Send => return,
                Move::WaitUntil(turn) => tokio::select! {
                    () = changed => {}
                    () = sleep_until(turn) => {}
                },
            }
        }
    }

    /// Learns that a request was accepted.
    pub(super) fn accepted(&self) {
        self.state().accept(Instant::now());
    }

    /// Learns that a request of this moment was refused because of its rate. `asked` is what the answer asks for, and
    /// `wait` how long the request itself waits.
    pub(super) fn refused(&self, sent: Instant, asked: Option<Duration>, wait: Duration) {
        let asked = asked.map(|asked| asked.min(MAX_WAIT));
        let window = self.window.max(asked.unwrap_or_default());
        let spacing = self.state().refuse(Instant::now(), sent, asked, wait, window);
        self.changed.notify_waiters();
        tracing::debug!(
            wait_ms = millis(asked.unwrap_or(wait)),
            spacing_ms = millis(spacing),
            "HeyGen limits the rate of calls"
        );
    }

    fn join(&self, failed_attempts: u32) -> Option<Waiting<'_>> {
        let mut state = self.state();
        state.forget(Instant::now());
        state.slowed.as_ref()?;
        state.last_number += 1;
        let place = Place {
            attempts_left: std::cmp::Reverse(failed_attempts),
            number: state.last_number,
        };
        state.queue.insert(place);
        Some(Waiting { pace: self, place })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One in the queue, until it is dropped.
struct Waiting<'a> {
    pace: &'a Pace,
    place: Place,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.pace.state().queue.remove(&self.place);
        self.pace.changed.notify_waiters();
    }
}

impl State {
    /// What the one at this place has to do now. Sending takes the turn.
    fn step(&mut self, place: Place, latest: Option<Instant>) -> Move {
        let now = Instant::now();
        let is_first = self.queue.first() == Some(&place);
        self.forget(now);
        let Some(slowed) = &mut self.slowed else {
            return Move::Send;
        };
        let turn = slowed.not_before.max(slowed.next);
        let own = if is_first { turn } else { turn + PATIENCE };
        let own = latest.map_or(own, |latest| latest.min(own));
        if own > now {
            return Move::WaitUntil(own);
        }
        // A timer that is late must not slow the rate down; but what was not used is not made up for.
        let kept = now.checked_sub(slowed.spacing).unwrap_or(now);
        slowed.next = turn.max(kept) + slowed.spacing;
        Move::Send
    }

    fn accept(&mut self, now: Instant) {
        match &mut self.slowed {
            None => {
                self.accepted.push_back(now);
                if self.accepted.len() > REMEMBERED {
                    self.accepted.pop_front();
                }
            }
            Some(slowed) => slowed.accept(now),
        }
    }

    /// Slows down, and answers how far requests are apart from now on.
    fn refuse(
        &mut self,
        now: Instant,
        sent: Instant,
        asked: Option<Duration>,
        wait: Duration,
        window: Duration,
    ) -> Duration {
        let not_before = now + asked.unwrap_or(wait);
        self.forget(now);
        match &mut self.slowed {
            None => {
                let spacing = self.spacing_so_far(now, window);
                self.accepted.clear();
                self.slowed = Some(Slowed {
                    since: now,
                    not_before,
                    next: not_before,
                    spacing,
                    growth: FIRST_GROWTH,
                    grown_until: not_before,
                    accepted: 0,
                    barren: 0,
                });
            }
            // It was on its way when the others were told to wait. Where it asks for a wait, that begins later.
            Some(slowed) if sent <= slowed.since => {
                if asked.is_some() {
                    slowed.not_before = slowed.not_before.max(not_before);
                }
            }
            Some(slowed) => slowed.slow_down(now, not_before),
        }
        self.slowed.as_ref().map_or(Duration::ZERO, |slowed| slowed.spacing)
    }

    /// How far the requests were apart that were accepted lately; zero if there were none.
    fn spacing_so_far(&self, now: Instant, window: Duration) -> Duration {
        // Where there were more than are remembered, it is over a shorter time that they are known.
        let remembered = self.accepted.front().filter(|_| self.accepted.len() == REMEMBERED);
        let window = remembered.map_or(window, |first| window.min(now.duration_since(*first)));
        let lately = self.accepted.iter().rev();
        let lately = lately.take_while(|accepted| now.duration_since(**accepted) <= window);
        let count = u32::try_from(lately.count()).unwrap_or(u32::MAX);
        (window.checked_div(count).unwrap_or_default()).min(WIDEST_SPACING)
    }

    fn forget(&mut self, now: Instant) {
        if self.slowed.as_ref().is_some_and(|slowed| slowed.is_over(now)) {
            self.slowed = None;
        }
    }
}

impl Slowed {
    fn accept(&mut self, now: Instant) {
        self.accepted = self.accepted.saturating_add(1);
        self.barren = 0;
        // Where nothing was sent there is nothing to conclude from.
        let time = now
            .saturating_duration_since(self.grown_until)
            .min(Duration::from_secs(1));
        self.grown_until = self.grown_until.max(now);
        self.spacing = self.spacing.div_f64(self.growth.powf(time.as_secs_f64()));
    }

    fn slow_down(&mut self, now: Instant, not_before: Instant) {
        let slower = self.spacing.mul_f64(SLOWDOWN);
        let on_average = now.duration_since(self.since).checked_div(self.accepted);
        self.spacing = match on_average {
            None => {
                self.barren += 1;
                if self.barren < BARREN_REFUSALS {
                    slower
                } else {
                    Duration::ZERO
                }
            }
            Some(average) if self.spacing.is_zero() => average,
            Some(average) => slower.min(average),
        }
        .min(WIDEST_SPACING);
        self.growth = LATER_GROWTH;
        (self.since, self.accepted) = (now, 0);
        (self.not_before, self.next, self.grown_until) = (not_before, not_before, not_before);
    }

    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.not_before) >= FORGOTTEN_AFTER
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
