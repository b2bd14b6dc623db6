//! Values on the wire: `MessagePack` both ways, and the JSON in which Terraform keeps state.
//!
//! Everything is read along the type that the schema gives it, so whatever comes out fits the schema, and recursion is
//! bounded by the type, and by a depth of its own where a value brings its type along. Input may be hostile: nothing
//! here panics, recurses without a bound, or takes more memory than a small multiple of the input.

pub(super) mod convert;
mod json;
mod msgpack;
pub(super) mod state;

use crate::terraform::Type;

pub use json::decode as decode_json;
pub use msgpack::{decode as decode_msgpack, encode as encode_msgpack};

/// Why bytes are not a value of the expected type. It names the place and never quotes the value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}{}", if path.is_empty() { String::new() } else { format!(" at {path}") })]
pub struct WireError {
    problem: String,
    path: String,
}

impl WireError {
    fn new(problem: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
            path: String::new(),
        }
    }

    /// The value is none of this type.
    fn type_mismatch(ty: &Type) -> Self {
        Self::new(format!("not a value of type {ty}"))
    }

    /// The same error, seen from one level further out.
    fn inside(mut self, step: &str) -> Self {
        self.path = match self.path.as_str() {
            "" => step.to_owned(),
            inner if inner.starts_with('[') => format!("{step}{inner}"),
            inner => format!("{step}.{inner}"),
        };
        self
    }
}
