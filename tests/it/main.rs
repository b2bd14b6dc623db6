//! One integration binary: linking it once is cheaper than linking one per file.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    reason = "all of this is test code, of one crate that nothing links to"
)]

mod acceptance;
mod convergence;
mod core;
mod docs;
mod errors_page;
mod fake_api;
#[allow(
    dead_code,
    unused_imports,
    reason = "the example program uses more of it than the tests do"
)]
#[path = "../../examples/fake-heygen/fake/mod.rs"]
pub mod fake_heygen;
mod faults;
mod guides;
mod harness;
mod hostile;
mod load;
mod modules;
mod pages;
mod plugin_host;
mod protocol;
mod receiver;
mod release;
mod support;
mod tidy;
mod wire_contract;
