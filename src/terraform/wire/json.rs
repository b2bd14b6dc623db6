//! The JSON form in which Terraform stores state and hands it to be upgraded.

use std::cell::RefCell;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;

use super::WireError;
use crate::terraform::{Name, Number, Object, Type, Value, normalized};

/// Reads stored JSON along its type. In an object, attributes that are missing are null, and attributes that the type
/// does not have are left out: a newer provider of the same schema version may have added them. The parser refuses what
/// is nested deeper than 127 levels.
pub fn decode(json: &[u8], ty: &Type) -> Result<Value, WireError> {
    let mismatch = RefCell::new(None);
    let mut parser = serde_json::Deserializer::from_slice(json);
    let read = Typed {
        ty,
        mismatch: &mismatch,
    }
    .deserialize(&mut parser);
    match read.and_then(|value| parser.end().map(|()| value)) {
        Ok(value) => Ok(value),
        Err(error) if error.is_data() => Err(mismatch.into_inner().unwrap_or_else(|| WireError::type_mismatch(ty))),
        Err(_) => Err(WireError::new("not JSON")),
    }
}

/// Reads a value of this type straight from the text, without a tree of JSON between.
#[derive(Clone, Copy)]
struct Typed<'a> {
    ty: &'a Type,
    /// What does not fit, and where. The parser's own errors cannot say that without quoting what they found.
    mismatch: &'a RefCell<Option<WireError>>,
}

impl<'a> Typed<'a> {
    /// The same for a part of the value.
    fn part(self, ty: &'a Type) -> Self {
        Self { ty, ..self }
    }

    /// The type of the element at this place of a sequence; `None` behind the last one of a tuple.
    fn element(self, index: usize) -> Option<&'a Type> {
        match self.ty {
            Type::List(element) | Type::Set(element) => Some(element),
            Type::Tuple(types) => types.get(index),
            _ => None,
        }
    }

    /// Notes what does not fit, unless that is in a part of this value and noted already.
    fn note(self, found: impl FnOnce() -> WireError) {
        self.mismatch.borrow_mut().get_or_insert_with(found);
    }

    /// Notes that what does not fit is at this place of the value.
    fn note_place(self, step: impl FnOnce() -> String) {
        let inner = self.mismatch.take();
        self.mismatch.replace(inner.map(|error| error.inside(&step())));
    }

    /// The value of what the parser has taken for it, or a failure of the kind that the parser has.
    fn checked<E: serde::de::Error>(self, value: Result<Value, WireError>) -> Result<Value, E> {
        value.map_err(|error| {
            self.note(|| error);
            E::custom("see what was noted")
        })
    }
}

impl<'de> DeserializeSeed<'de> for Typed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<Value, D::Error> {
        parser.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Typed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value of type {}", self.ty)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, parser: D) -> Result<Value, D::Error> {
        let read = match self.ty {
            Type::Bool => parser.deserialize_bool(self),
            Type::String => parser.deserialize_str(self),
            Type::List(_) | Type::Set(_) | Type::Tuple(_) => parser.deserialize_seq(self),
            Type::Map(_) | Type::Object(_) => parser.deserialize_map(self),
            Type::Number => Json::deserialize(parser).and_then(|json| self.checked(number(&json))),
            Type::Dynamic => Json::deserialize(parser).and_then(|json| self.checked(dynamic(json))),
        };
        read.inspect_err(|_| self.note(|| WireError::type_mismatch(self.ty)))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(normalized(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(ty) = self.element(values.len()) {
            let element = elements.next_element_seed(self.part(ty));
            match element.inspect_err(|_| self.note_place(|| format!("[{}]", values.len())))? {
                Some(value) => values.push(value),
                None => break,
            }
        }
        match self.ty {
            Type::Tuple(types) if values.len() < types.len() || elements.next_element::<IgnoredAny>()?.is_some() => {
                self.checked(Err(WireError::type_mismatch(self.ty)))
            }
            _ => Ok(Value::Sequence(values)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = match self.ty {
            Type::Object(types) => types.keys().map(|name| (name.clone(), Value::Null)).collect(),
            _ => Object::new(),
        };
        while let Some(declared) = entries.next_key_seed(Key(self.ty))? {
            let Some((name, ty)) = declared else {
                entries.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = entries.next_value_seed(self.part(ty));
            let value = value.inspect_err(|_| self.note_place(|| name.to_string()))?;
            object.insert(name, value);
        }
        Ok(Value::Mapping(object))
    }
}

/// Reads the key of an entry of this type: the name under which the entry is kept, and its type. `None` where the type
/// has no such entry.
struct Key<'a>(&'a Type);

impl<'a, 'de> DeserializeSeed<'de> for Key<'a> {
    type Value = Option<(Name, &'a Type)>;

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<Self::Value, D::Error> {
        parser.deserialize_str(self)
    }
}

impl<'a> Visitor<'_> for Key<'a> {
    type Value = Option<(Name, &'a Type)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(match self.0 {
            Type::Map(element) => Some((normalized(key).into(), element.as_ref())),
            Type::Object(types) => types.get_key_value(key).map(|(name, ty)| (name.clone(), ty)),
            _ => None,
        })
    }
}

fn number(json: &Json) -> Result<Value, WireError> {
    match json {
        Json::Number(number) => number_from(&number.to_string()),
        // Terraform writes numbers that no float holds as strings.
        Json::String(text) => number_from(text),
        _ => Err(WireError::type_mismatch(&Type::Number)),
    }
}

/// A value that brings its type, in either order.
fn dynamic(json: Json) -> Result<Value, WireError> {
    let Json::Object(mut entries) = json else {
        return Err(WireError::type_mismatch(&Type::Dynamic));
    };
    let (Some(value), Some(ty)) = (entries.remove("value"), entries.remove("type")) else {
        return Err(WireError::new("a dynamic value without its type"));
    };
    let ty = Type::from_json(&ty).map_err(|e| WireError::new(e.to_string()))?;
    let value = decode(value.to_string().as_bytes(), &ty)?;
    Ok(Value::Dynamic(Box::new((ty, value))))
}

fn number_from(text: &str) -> Result<Value, WireError> {
    let number: Number = text.parse().map_err(|_| WireError::new("not a decimal number"))?;
    Ok(Value::Number(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(json: &str, ty: &str) -> Result<Value, WireError> {
        decode(json.as_bytes(), &Type::from_json_bytes(ty.as_bytes()).unwrap())
    }

    #[test]
    fn missing_attributes_are_null_and_extra_ones_left_out() {
        let value = decoded(r#"{"a":"x","z":1}"#, r#"["object",{"a":"string","b":"number"}]"#).unwrap();
        let expected = Object::from([("a".into(), Value::String("x".to_owned())), ("b".into(), Value::Null)]);
        assert_eq!(value, Value::Mapping(expected));
    }

    #[test]
    fn numbers_keep_every_digit() {
        for text in ["0.1", "18446744073709551616", "123456789012345678901234567890.5"] {
            let expected = Value::Number(text.parse().unwrap());
            assert_eq!(decoded(text, r#""number""#).unwrap(), expected);
            assert_eq!(decoded(&format!("\"{text}\""), r#""number""#).unwrap(), expected);
        }
    }

    #[test]
    fn collections_and_dynamic_values_are_read_along_their_type() {
        let list = decoded(r#"["a",null]"#, r#"["set","string"]"#).unwrap();
        assert_eq!(list, Value::Sequence(vec![Value::String("a".to_owned()), Value::Null]));
        let dynamic = decoded(r#"{"value":true,"type":"bool"}"#, r#""dynamic""#).unwrap();
        assert_eq!(dynamic, Value::Dynamic(Box::new((Type::Bool, Value::Bool(true)))));
        let map = decoded(r#"{"k":1}"#, r#"["map","number"]"#).unwrap();
        assert_eq!(map, Value::Mapping([("k".into(), Value::Number(1_i64.into()))].into()));
    }

    #[test]
    fn an_error_says_where_and_not_what() {
        let error = decoded(r#"{"a":["whsec_x",7]}"#, r#"["object",{"a":["list","string"]}]"#).unwrap_err();
        assert_eq!(error.to_string(), "not a value of type string at a[1]");
        for (json, why) in [
            ("\"x", "not JSON"),
            ("\"x\" 1", "not JSON"),
            ("7", "not a value of type string"),
            ("{\"x\":1}", "not a value of type string"),
            ("[]", "not a value of type string"),
        ] {
            assert_eq!(decoded(json, r#""string""#).unwrap_err().to_string(), why, "{json}");
        }
        let tuple = r#"["tuple",["string","bool"]]"#;
        assert!(decoded(r#"["a",true]"#, tuple).is_ok());
        for json in [r#"["a"]"#, r#"["a",true,1]"#, "[]", "{}", "1"] {
            let why = decoded(json, tuple).unwrap_err().to_string();
            assert!(why.starts_with("not a value of type tuple"), "{json}: {why}");
        }
        let why = |json| decoded(json, r#"["map",["list","number"]]"#).unwrap_err().to_string();
        assert_eq!(why(r#"{"k":[1,"2",true]}"#), "not a value of type number at k[2]");
        assert_eq!(why("1"), "not a value of type map of list of number");
        assert!(decoded(&"[".repeat(100_000), r#""dynamic""#).is_err());
    }
}
