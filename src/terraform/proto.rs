//! The generated messages and services of `proto/tfplugin6.proto`.
#![allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated code")]

use std::fmt;

tonic::include_proto!("tfplugin6");

/// Configuration and state travel in here, secrets included: only sizes are shown.
impl fmt::Debug for DynamicValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "DynamicValue(msgpack {} bytes, json {} bytes)",
            self.msgpack.len(),
            self.json.len()
        )
    }
}

/// Stored state, secrets included: only its size is shown.
impl fmt::Debug for RawState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "RawState(json {} bytes, flatmap {} entries)",
            self.json.len(),
            self.flatmap.len()
        )
    }
}
