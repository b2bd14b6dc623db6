//! Typed models of objects: a struct in which each field is an [`Attr`], in place of a map of [`Value`]s.

use secrecy::{ExposeSecret, SecretString};

use super::{Attr, Diagnostic, Number, Object, Value};

/// A struct that stands for an object of a schema, attribute by attribute. Made with the `model!` macro.
pub trait Model: Clone + Send + Sync + 'static {
    /// The names of the attributes, which are the schema's.
    const ATTRIBUTES: &'static [&'static str];

    /// The object in which every attribute is null.
    fn null() -> Self;

    /// Reads an object; attributes the model does not have are an error, missing ones are null.
    fn from_object(object: Object) -> Result<Self, Mismatch>;

    /// The object, complete.
    fn into_object(self) -> Object;

    /// Turns whatever is still unknown into null, and says which attributes that were.
    fn null_unknowns(&mut self) -> Vec<&'static str>;
}

/// A value that is not of the model's type. Values are decoded by their schema before, so this tells of a model that
/// does not fit its schema.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("attribute `{attribute}` is not {expected}")]
pub struct Mismatch {
    /// The attribute at the root.
    pub attribute: String,
    /// What it should have been.
    pub expected: &'static str,
}

/// Reads an object that was decoded by a schema. A mismatch is a bug: the schema is not the model's.
pub(super) fn decode_model<M: Model>(object: Object) -> Result<M, Diagnostic> {
    M::from_object(object).map_err(|mismatch| Diagnostic::provider_bug("schema", &mismatch.to_string()))
}

/// A type that a known value can be read as.
pub trait FromValue: Sized {
    /// Reads a value that is neither null nor unknown; the error says what was expected.
    fn from_known(value: Value) -> Result<Self, &'static str>;
}

/// A type that stands for a known value.
pub trait IntoValue {
    /// The value.
    fn into_value(self) -> Value;
}

impl<T: FromValue> Attr<T> {
    /// Reads a value of any of the three kinds.
    pub fn from_value(value: Value) -> Result<Self, &'static str> {
        match value {
            Value::Null => Ok(Attr::Null),
            Value::Unknown => Ok(Attr::Unknown),
            known => T::from_known(known).map(Attr::Known),
        }
    }
}

impl<T: IntoValue> IntoValue for Attr<T> {
    fn into_value(self) -> Value {
        match self {
            Attr::Null => Value::Null,
            Attr::Unknown => Value::Unknown,
            Attr::Known(value) => value.into_value(),
        }
    }
}

impl FromValue for bool {
    fn from_known(value: Value) -> Result<Self, &'static str> {
        match value {
            Value::Bool(value) => Ok(value),
            _ => Err("a bool"),
        }
    }
}

impl IntoValue for bool {
    fn into_value(self) -> Value {
        Value::Bool(self)
    }
}

impl FromValue for Number {
    fn from_known(value: Value) -> Result<Self, &'static str> {
        match value {
            Value::Number(value) => Ok(value),
            _ => Err("a number"),
        }
    }
}

impl IntoValue for Number {
    fn into_value(self) -> Value {
        Value::Number(self)
    }
}

impl FromValue for String {
    fn from_known(value: Value) -> Result<Self, &'static str> {
        match value {
            Value::String(value) => Ok(value),
            _ => Err("a string"),
        }
    }
}

impl IntoValue for String {
    fn into_value(self) -> Value {
        Value::String(self)
    }
}

impl FromValue for SecretString {
    fn from_known(value: Value) -> Result<Self, &'static str> {
        String::from_known(value).map(SecretString::from)
    }
}

impl IntoValue for SecretString {
    fn into_value(self) -> Value {
        Value::String(self.expose_secret().to_owned())
    }
}

/// A list; its elements may be null or unknown each.
impl<T: FromValue> FromValue for Vec<Attr<T>> {
    fn from_known(value: Value) -> Result<Self, &'static str> {
        match value {
            Value::Sequence(elements) => elements.into_iter().map(Attr::from_value).collect(),
            _ => Err("a list"),
        }
    }
}

impl<T: IntoValue> IntoValue for Vec<Attr<T>> {
    fn into_value(self) -> Value {
        Value::Sequence(self.into_iter().map(IntoValue::into_value).collect())
    }
}

/// A model inside another one.
impl<M: Model> FromValue for M {
    fn from_known(value: Value) -> Result<Self, &'static str> {
        match value {
            Value::Mapping(object) => M::from_object(object).map_err(|mismatch| mismatch.expected),
            _ => Err("an object"),
        }
    }
}

impl<M: Model> IntoValue for M {
    fn into_value(self) -> Value {
        Value::Mapping(self.into_object())
    }
}

/// Declares a [`Model`]: the field names are the attribute names, each field is an [`Attr`].
macro_rules! model {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        $vis struct $name {
            $($(#[$field_meta])* $field_vis $field: $crate::terraform::Attr<$type>,)*
        }

        impl $crate::terraform::Model for $name {
            const ATTRIBUTES: &'static [&'static str] = &[$(stringify!($field)),*];

            fn null() -> Self {
                Self { $($field: $crate::terraform::Attr::Null,)* }
            }

            fn from_object(
                mut object: $crate::terraform::Object,
            ) -> Result<Self, $crate::terraform::Mismatch> {
                let model = Self {
                    $($field: {
                        let value = object.remove(stringify!($field));
                        $crate::terraform::Attr::from_value(
                            value.unwrap_or($crate::terraform::Value::Null),
                        )
                        .map_err(|expected| $crate::terraform::Mismatch {
                            attribute: stringify!($field).to_owned(),
                            expected,
                        })?
                    },)*
                };
                match object.into_keys().next() {
                    Some(attribute) => Err($crate::terraform::Mismatch {
                        attribute: attribute.into_owned(),
                        expected: "part of the model",
                    }),
                    None => Ok(model),
                }
            }

            fn into_object(self) -> $crate::terraform::Object {
                use $crate::terraform::IntoValue as _;
                [$((stringify!($field).into(), self.$field.into_value())),*].into()
            }

            fn null_unknowns(&mut self) -> Vec<&'static str> {
                let mut unknown = Vec::new();
                $(if self.$field.is_unknown() {
                    self.$field = $crate::terraform::Attr::Null;
                    unknown.push(stringify!($field));
                })*
                unknown
            }
        }
    };
}
pub(crate) use model;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terraform::Set;

    model! {
        /// A model for the tests.
        struct Door {
            /// Text.
            name: String,
            /// Not for show.
            code: SecretString,
            /// Members.
            keys: Set<String>,
            /// Flag.
            open: bool,
        }
    }

    fn object() -> Object {
        Object::from([
            ("name".into(), Value::String("front".to_owned())),
            ("code".into(), Value::String("4711".to_owned())),
            (
                "keys".into(),
                Value::Sequence(vec![
                    Value::Null,
                    Value::Unknown,
                    Value::Unknown,
                    Value::String("a".to_owned()),
                ]),
            ),
            ("open".into(), Value::Unknown),
        ])
    }

    #[test]
    fn a_model_survives_a_round_trip() {
        let door = Door::from_object(object()).unwrap();
        assert_eq!(door.name, Attr::Known("front".to_owned()));
        assert_eq!(door.open, Attr::Unknown);
        assert_eq!(door.into_object(), object());
    }

    model! {
        /// A model with others inside.
        struct House {
            /// Elements.
            doors: Vec<Attr<Door>>,
        }
    }

    #[test]
    fn a_model_inside_another_survives_a_round_trip_in_its_place() {
        let of = |doors: &[Value]| Object::from([("doors".into(), Value::Sequence(doors.to_vec()))]);
        let doors = of(&[
            Value::Mapping(object()),
            Value::Null,
            Value::Null,
            Value::Unknown,
            Value::Unknown,
        ]);
        let house = House::from_object(doors.clone()).unwrap();
        assert_eq!(house.into_object(), doors);
        let refused = |element| House::from_object(of(&[element])).unwrap_err().to_string();
        assert_eq!(refused(Value::Bool(true)), "attribute `doors` is not an object");
    }

    #[test]
    fn every_attribute_of_the_null_object_is_null() {
        let object = Door::null().into_object();
        assert!(object.keys().eq(["code", "keys", "name", "open"]));
        assert!(object.values().all(|value| *value == Value::Null));
    }

    #[test]
    fn a_missing_attribute_is_null() {
        let mut short = object();
        short.remove("open");
        assert!(Door::from_object(short).unwrap().open.is_null());
    }

    #[test]
    fn what_does_not_fit_names_the_attribute() {
        let mut wrong = object();
        wrong.insert("open".into(), Value::String("yes".to_owned()));
        let error = Door::from_object(wrong).unwrap_err();
        assert_eq!(error.to_string(), "attribute `open` is not a bool");
        let mut extra = object();
        extra.insert("window".into(), Value::Null);
        assert_eq!(Door::from_object(extra).unwrap_err().attribute, "window");
    }

    #[test]
    fn a_secret_does_not_show_in_debug() {
        let door = Door::from_object(object()).unwrap();
        assert!(!format!("{door:?}").contains("4711"));
    }

    #[test]
    fn null_unknowns_nulls_what_is_unknown_and_names_it() {
        let mut door = Door::from_object(object()).unwrap();
        assert_eq!(door.null_unknowns(), ["open"]);
        assert!(door.open.is_null());
        assert_eq!(Door::ATTRIBUTES, ["name", "code", "keys", "open"]);
    }
}
