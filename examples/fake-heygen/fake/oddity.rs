//! Items of the list that are not as documented.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::undecodable::Undecodable;

/// How one item of the list is odd. The endpoint itself is as sound as any other.
///
/// In JSON: `{"without": {"field": "url"}}`, `{"with": {"field": "events", "value": 7}}`, `{"instead": {"value": 17}}`,
/// `{"undecodable": {"field": "url", "value": "no_utf8"}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Oddity {
    /// A field is left out.
    Without {
        /// Which one.
        field: String,
    },
    /// A field has this value.
    With {
        /// Which one.
        field: String,
        /// `null` is one.
        value: Value,
    },
    /// The item is this instead, an object or not.
    Instead {
        /// Any JSON.
        value: Value,
    },
    /// A field has a value that no decoder can read.
    Undecodable {
        /// Which one, be it one that the item has not got; the item itself, if none is named.
        #[serde(default)]
        field: Option<String>,
        /// Which value.
        value: Undecodable,
    },
}

impl Oddity {
    /// A field that is left out.
    pub fn without(field: &str) -> Self {
        let field = field.to_owned();
        Self::Without { field }
    }

    /// A field with this value.
    pub fn with(field: &str, value: impl Into<Value>) -> Self {
        let (field, value) = (field.to_owned(), value.into());
        Self::With { field, value }
    }

    /// Something else in place of the item.
    pub fn instead(value: impl Into<Value>) -> Self {
        let value = value.into();
        Self::Instead { value }
    }

    /// A field with a value that no decoder can read.
    pub fn undecodable(field: &str, value: Undecodable) -> Self {
        let field = Some(field.to_owned());
        Self::Undecodable { field, value }
    }

    /// Makes an item odd.
    pub fn apply(&self, item: &mut Value) {
        match (self, item) {
            (Self::Instead { value }, item) => *item = value.clone(),
            (Self::Undecodable { field: None, value }, item) => *item = value.stand_in(),
            (
                Self::Undecodable {
                    field: Some(field),
                    value,
                },
                Value::Object(item),
            ) => drop(item.insert(field.clone(), value.stand_in())),
            (Self::Without { field }, Value::Object(item)) => drop(item.remove(field)),
            (Self::With { field, value }, Value::Object(item)) => drop(item.insert(field.clone(), value.clone())),
            // What is no object has no fields.
            (Self::Without { .. } | Self::With { .. } | Self::Undecodable { .. }, _) => {}
        }
    }
}
