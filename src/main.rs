//! Wiring and flags only.

fn main() {}
