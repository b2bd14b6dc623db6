//! Values of any Terraform type, as they travel between the host and the provider.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use unicode_normalization::UnicodeNormalization;

use super::{Number, Type};

/// The name of an attribute, or a key of a map. Names that a schema declares are never copied.
pub type Name = Cow<'static, str>;

/// The attributes of an object, by name. Complete: a null attribute is there, as [`Value::Null`].
pub type Object = BTreeMap<Name, Value>;

/// A value whose type is known from elsewhere (a schema), except for [`Value::Dynamic`], which brings its own.
///
/// `Debug` shows the shape and never the content: configuration and state hold secrets.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// A value that is known only after apply.
    Unknown,
    /// A boolean.
    Bool(bool),
    /// A number of any precision.
    Number(Number),
    /// Text, in Unicode's NFC as Terraform keeps it.
    String(String),
    /// The elements of a list, set or tuple, in the order received.
    Sequence(Vec<Value>),
    /// The elements of a map or the attributes of an object.
    Mapping(Object),
    /// A value of a type that the schema leaves open.
    Dynamic(Box<(Type, Value)>),
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("Null"),
            Value::Unknown => f.write_str("Unknown"),
            Value::Bool(_) => f.write_str("Bool(..)"),
            Value::Number(_) => f.write_str("Number(..)"),
            Value::String(_) => f.write_str("String(..)"),
            Value::Sequence(elements) => f.debug_list().entries(elements).finish(),
            Value::Mapping(attributes) => f.debug_map().entries(attributes).finish(),
            Value::Dynamic(inner) => f.debug_tuple("Dynamic").field(&inner.1).finish(),
        }
    }
}

/// The text in Unicode's form NFC, in which Terraform keeps it. Text from elsewhere has to be in this form before it is
/// compared with Terraform's.
pub fn normalized(text: &str) -> String {
    // Most text is ASCII, which is in every normal form as it is.
    if text.is_ascii() {
        text.to_owned()
    } else {
        text.nfc().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_shape_and_never_the_content() {
        let secret = Value::String("whsec_do_not_show".to_owned());
        let value = Value::Mapping(BTreeMap::from([
            ("secret".into(), secret.clone()),
            ("n".into(), Value::Number(4711_i64.into())),
            ("all".into(), Value::Sequence(vec![secret, Value::Unknown])),
        ]));
        let shown = format!("{value:?}");
        assert!(!shown.contains("whsec") && !shown.contains("4711"), "{shown}");
        assert!(shown.contains("secret") && shown.contains("Unknown"), "{shown}");
    }

    #[test]
    fn text_is_compared_in_nfc() {
        assert_eq!(normalized("cafe\u{301}"), "caf\u{e9}");
        assert_eq!(normalized("cafe"), "cafe");
    }
}
