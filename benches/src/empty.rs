//! A program that does nothing: what the system itself takes to start one and to see it end.

fn main() {}
