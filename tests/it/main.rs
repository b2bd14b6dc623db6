//! One integration binary: linking it once is cheaper than linking one per file.

mod core;
