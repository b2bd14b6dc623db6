//! What the tests stand on: the engines, and a working directory for each test to drive one of them in.

#![allow(
    dead_code,
    reason = "what a reader of plans and states offers is the whole of what terraform tells"
)]

pub mod diagnostics;
pub mod engine;
pub mod plan;
pub mod process;
pub mod state;
pub mod terraform;
