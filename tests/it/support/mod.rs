//! What tests stand on: a plugin host of our own, the engines with a working directory for each test, the provider in the
//! test's own process, servers that are not `HeyGen`'s, and the example receiver.

pub mod account;
pub mod certificates;
pub mod diagnostics;
pub mod engine;
pub mod host;
pub mod http;
pub mod in_process;
pub mod plan;
pub mod process;
pub mod query;
pub mod receiver;
pub mod state;
pub mod terraform;
