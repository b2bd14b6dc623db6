//! One integration binary: linking it once is cheaper than linking one per file.

#[allow(
    dead_code,
    reason = "the fake is whole, whatever the tests use of it today"
)]
#[path = "../../examples/fake-heygen/fake/mod.rs"]
pub mod fake_heygen;

mod fake_api;
