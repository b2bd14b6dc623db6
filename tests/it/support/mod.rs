//! What tests stand on.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    reason = "a public face for every test to come; and an unwrap that fails is a test that fails"
)]

pub mod certificates;
pub mod host;
