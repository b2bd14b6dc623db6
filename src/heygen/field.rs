//! One field of an answer. That it is missing or malformed matters only where its value is needed.

use std::fmt;

/// A field of an object that HeyGen answered: its value, or why there is none. An item of a list is not refused as a
/// whole for one odd field, which may matter to nobody.
pub type Field<T> = Result<T, FieldError>;

/// Why a field of an answer has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldError {
    /// It is not there, or null.
    Missing,
    /// It has another type, or a value that it cannot have.
    Malformed,
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
        })
    }
}
