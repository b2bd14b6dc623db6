//! The fake API does what the facts about HeyGen's say: the other tests stand on it.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod client;

mod behaviour;
mod clock;
mod control;
pub mod deliveries;
mod faults;
mod idempotency;
mod list;
mod oddities;
mod readme;
mod requests;
mod spoiled_answers;
mod tls;
mod twins;
mod undecodable;

use crate::fake_heygen::NewEndpoint;

/// An endpoint for all events.
fn of_url(url: &str) -> NewEndpoint {
    NewEndpoint {
        url: url.to_owned(),
        ..NewEndpoint::default()
    }
}
