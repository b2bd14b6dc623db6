//! One integration binary: linking it once is cheaper than linking one per file.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    reason = "all of this is test code, of one crate that nothing links to"
)]

mod harness;
mod plugin_host;
mod support;
mod wire_contract;
