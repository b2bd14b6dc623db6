//! Terraform's types and their JSON form, such as `["set","string"]`.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value as Json, json};

use super::Name;

/// The type of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// `bool`
    Bool,
    /// `number`
    Number,
    /// `string`
    String,
    /// Any type; the value says which.
    Dynamic,
    /// `list(T)`
    List(Box<Type>),
    /// `set(T)`: unordered, without duplicates.
    Set(Box<Type>),
    /// `map(T)`
    Map(Box<Type>),
    /// `tuple([T…])`
    Tuple(Vec<Type>),
    /// `object({name = T…})`
    Object(BTreeMap<Name, Type>),
}

/// How deep a type received from outside may be nested. Values are decoded along their type, so this bounds every
/// recursion over them too.
const MAX_DEPTH: usize = 64;

/// Text that describes no type.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidType {
    /// Not JSON, or not the JSON form of a type.
    #[error("not a type")]
    Malformed,
    /// Nested deeper than any real type.
    #[error("the type is nested more than {MAX_DEPTH} levels deep")]
    TooDeep,
}

impl Type {
    /// A set of this type.
    #[must_use]
    pub fn set(element: Type) -> Type {
        Type::Set(Box::new(element))
    }

    /// The JSON form, as schemas and dynamic values carry it.
    pub fn to_json(&self) -> Json {
        match self {
            Type::Bool => json!("bool"),
            Type::Number => json!("number"),
            Type::String => json!("string"),
            Type::Dynamic => json!("dynamic"),
            Type::List(element) => json!(["list", element.to_json()]),
            Type::Set(element) => json!(["set", element.to_json()]),
            Type::Map(element) => json!(["map", element.to_json()]),
            Type::Tuple(elements) => {
                let elements: Vec<Json> = elements.iter().map(Type::to_json).collect();
                json!(["tuple", elements])
            }
            Type::Object(attributes) => {
                let attributes: serde_json::Map<String, Json> = attributes
                    .iter()
                    .map(|(name, ty)| (name.to_string(), ty.to_json()))
                    .collect();
                json!(["object", attributes])
            }
        }
    }

    /// The JSON form as text.
    pub fn to_json_bytes(&self) -> Vec<u8> {
        self.to_json().to_string().into_bytes()
    }

    /// Reads the JSON form received from the host.
    pub fn from_json_bytes(json: &[u8]) -> Result<Self, InvalidType> {
        let json: Json = serde_json::from_slice(json).map_err(|_| InvalidType::Malformed)?;
        Self::parse(&json, 0)
    }

    pub(super) fn from_json(json: &Json) -> Result<Self, InvalidType> {
        Self::parse(json, 0)
    }

    fn parse(json: &Json, depth: usize) -> Result<Self, InvalidType> {
        if depth > MAX_DEPTH {
            return Err(InvalidType::TooDeep);
        }
        let inner = |json: &Json| Self::parse(json, depth + 1);
        match json {
            Json::String(name) => match name.as_str() {
                "bool" => Ok(Type::Bool),
                "number" => Ok(Type::Number),
                "string" => Ok(Type::String),
                "dynamic" => Ok(Type::Dynamic),
                _ => Err(InvalidType::Malformed),
            },
            Json::Array(parts) => match parts.as_slice() {
                [Json::String(kind), Json::Array(elements)] if kind == "tuple" => {
                    Ok(Type::Tuple(elements.iter().map(inner).collect::<Result<_, _>>()?))
                }
                [Json::String(kind), Json::Object(attributes)] if kind == "object" => {
                    let typed = attributes
                        .iter()
                        .map(|(name, ty)| Ok((name.clone().into(), inner(ty)?)));
                    Ok(Type::Object(typed.collect::<Result<_, _>>()?))
                }
                [Json::String(kind), element] => {
                    let element = Box::new(inner(element)?);
                    match kind.as_str() {
                        "list" => Ok(Type::List(element)),
                        "set" => Ok(Type::Set(element)),
                        "map" => Ok(Type::Map(element)),
                        _ => Err(InvalidType::Malformed),
                    }
                }
                _ => Err(InvalidType::Malformed),
            },
            _ => Err(InvalidType::Malformed),
        }
    }
}

/// In Terraform's words, as its own messages name types: `set of string`. Of an object or a tuple that is all.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Bool => f.write_str("bool"),
            Type::Number => f.write_str("number"),
            Type::String => f.write_str("string"),
            Type::Dynamic => f.write_str("dynamic"),
            Type::List(element) => write!(f, "list of {element}"),
            Type::Set(element) => write!(f, "set of {element}"),
            Type::Map(element) => write!(f, "map of {element}"),
            Type::Tuple(_) => f.write_str("tuple"),
            Type::Object(_) => f.write_str("object"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_named_in_terraforms_words() {
        for (json, name) in [
            (r#""bool""#, "bool"),
            (r#""number""#, "number"),
            (r#""dynamic""#, "dynamic"),
            (r#"["set","string"]"#, "set of string"),
            (r#"["list",["object",{"a":"string"}]]"#, "list of object"),
            (r#"["map",["set","number"]]"#, "map of set of number"),
            (r#"["tuple",["string"]]"#, "tuple"),
        ] {
            assert_eq!(Type::from_json_bytes(json.as_bytes()).unwrap().to_string(), name);
        }
    }

    #[test]
    fn the_json_form_survives_a_round_trip() {
        for json in [
            r#""string""#,
            r#""number""#,
            r#""bool""#,
            r#""dynamic""#,
            r#"["list","string"]"#,
            r#"["set","string"]"#,
            r#"["map",["set","dynamic"]]"#,
            r#"["tuple",["string","number"]]"#,
            r#"["tuple",[]]"#,
            r#"["object",{"a":"string","b":["list","number"]}]"#,
        ] {
            let ty = Type::from_json_bytes(json.as_bytes()).unwrap();
            assert_eq!(ty.to_json().to_string(), json);
        }
    }

    #[test]
    fn what_is_not_the_json_form_of_a_type_is_refused() {
        for text in [
            "",
            "null",
            "1",
            r#""text""#,
            "[]",
            r#"["list"]"#,
            r#"["list","string","string"]"#,
            r#"["tuple","string"]"#,
            r#"["object",["string"]]"#,
            r#"["heap","string"]"#,
        ] {
            assert_eq!(
                Type::from_json_bytes(text.as_bytes()),
                Err(InvalidType::Malformed),
                "{text}"
            );
        }
    }

    #[test]
    fn a_type_nested_too_deep_is_refused() {
        let nested = |levels| format!("{}\"string\"{}", "[\"list\",".repeat(levels), "]".repeat(levels));
        assert!(Type::from_json_bytes(nested(MAX_DEPTH).as_bytes()).is_ok());
        let refused = Type::from_json_bytes(nested(MAX_DEPTH + 1).as_bytes());
        assert_eq!(refused, Err(InvalidType::TooDeep));
        assert!(Type::from_json_bytes(nested(100_000).as_bytes()).is_err());
    }
}
