//! Values that no decoder can read, in answers that are otherwise sound.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How deep [`Undecodable::DeepNesting`] is: decoders give up at 128 or less.
const DEPTH: usize = 200;

/// Stands around the name of a value in its place, until a body is written: a character that no text has.
const MARK: char = '\u{10fffd}';

/// A value that no decoder can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undecodable {
    /// Text with one half of a surrogate pair, which the grammar of JSON allows and Unicode does not.
    HalfSurrogatePair,
    /// Text with a byte that is no UTF-8.
    NoUtf8,
    /// Lists in lists, deeper than a decoder follows.
    DeepNesting,
}

impl Undecodable {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::HalfSurrogatePair, Self::NoUtf8, Self::DeepNesting];

    /// What stands in its place in a body until that is [`written`].
    pub fn stand_in(self) -> Value {
        Value::String(format!("{MARK}{self:?}{MARK}"))
    }

    fn bytes(self) -> Vec<u8> {
        match self {
            Self::HalfSurrogatePair => br#""launch \ud83d""#.to_vec(),
            Self::NoUtf8 => b"\"caf\xe9\"".to_vec(),
            Self::DeepNesting => ["[".repeat(DEPTH), "]".repeat(DEPTH)].concat().into_bytes(),
        }
    }
}

/// Whether something stands in the place of this value.
pub fn is_stand_in(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with(MARK))
}

/// A body as it goes out.
pub fn written(body: &Value) -> Vec<u8> {
    let text = body.to_string();
    let mut rest = text.as_str();
    let mut written = Vec::with_capacity(text.len());
    while let Some((before, from)) = rest.split_once(&format!("\"{MARK}")) {
        let (name, after) = from.split_once(&format!("{MARK}\"")).unwrap_or((from, ""));
        written.extend(before.as_bytes());
        let value = Undecodable::ALL.into_iter().find(|it| format!("{it:?}") == name);
        written.extend(value.map(Undecodable::bytes).unwrap_or_default());
        rest = after;
    }
    written.extend(rest.as_bytes());
    written
}
