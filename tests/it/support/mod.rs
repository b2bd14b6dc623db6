//! What tests stand on: a plugin host of our own, and the engines with a working directory for each test.
#![allow(
    dead_code,
    reason = "what a reader of plans and states offers is the whole of what terraform tells"
)]

pub mod certificates;
pub mod diagnostics;
pub mod engine;
pub mod host;
pub mod plan;
pub mod process;
pub mod state;
pub mod terraform;
