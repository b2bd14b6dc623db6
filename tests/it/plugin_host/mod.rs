//! The host's contract, seen from the host's side: every test starts the real binary.
#![allow(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

mod command_line;
mod debugger;
mod ending;
mod handshake;
mod logging;
mod sockets;
mod tls;
