//! Idempotency keys: one outcome per key, route and path, for as long as it is kept.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use super::{answer::Answer, route::Route};

/// The oldest keys are forgotten beyond this many.
const KEPT: usize = 50_000;

/// How long HeyGen keeps a key.
pub const A_DAY: Duration = Duration::from_hours(24);

/// What a key belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Slot {
    /// The route it came on.
    pub route: Route,
    /// The path, with the endpoint's id.
    pub path: String,
    /// The key itself.
    pub key: String,
}

/// What to do with a request that carries a key.
#[derive(Debug)]
pub enum Claim {
    /// It is the first: do it, then call [`Keys::finish`].
    Fresh,
    /// The first one is still running.
    Running,
    /// The first one's answer.
    Replay(Answer),
}

/// The keys seen. What is `now` to its methods is what [`Clock::elapsed`](super::clock::Clock::elapsed) says.
#[derive(Debug, Default)]
pub struct Keys {
    slots: HashMap<Slot, State>,
    order: VecDeque<Slot>,
}

#[derive(Debug)]
enum State {
    Running,
    Answered { answer: Answer, at: Duration },
}

impl Keys {
    /// Looks a key up, and claims it if it is new or has expired.
    pub fn claim(&mut self, slot: &Slot, kept_for: Duration, now: Duration) -> Claim {
        match self.slots.get(slot) {
            Some(State::Running) => return Claim::Running,
            Some(State::Answered { answer, at }) if now.saturating_sub(*at) < kept_for => {
                return Claim::Replay(answer.clone());
            }
            Some(State::Answered { .. }) => {}
            None => self.order.push_back(slot.clone()),
        }
        self.slots.insert(slot.clone(), State::Running);
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.slots.remove(&oldest);
        }
        Claim::Fresh
    }

    /// Records the outcome of a fresh request; an answer that is not final frees the key.
    pub fn finish(&mut self, slot: &Slot, answer: &Answer, now: Duration) {
        if answer.is_final() {
            let answered = State::Answered {
                answer: answer.clone(),
                at: now,
            };
            self.slots.insert(slot.clone(), answered);
        } else {
            self.slots.remove(slot);
            self.order.retain(|kept| kept != slot);
        }
    }
}
