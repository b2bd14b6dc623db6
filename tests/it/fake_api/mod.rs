//! The fake API does what the facts about HeyGen's say: the other tests stand on it.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod client;

mod behaviour;
mod control;
mod deliveries;
mod faults;
mod idempotency;
mod list;
mod requests;
mod spoiled_answers;
