//! Type signatures as they travel in schemas: `"string"`, `["set","string"]`, `["object",{…}]`.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::value::{Path, Step};

/// The types the model knows. Tuples and the dynamic type are refused by name, never guessed at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    String,
    Number,
    Bool,
    List(Box<Type>),
    Set(Box<Type>),
    Map(Box<Type>),
    Object(BTreeMap<String, Type>),
}

impl Type {
    /// Reads a signature from a schema. A malformed one would crash Terraform.
    pub(crate) fn parse(signature: &[u8]) -> Result<Self, String> {
        let json =
            serde_json::from_slice(signature).map_err(|error| format!("the type signature is not JSON: {error}"))?;
        Self::from_json(&json)
    }

    pub(crate) fn is_primitive(&self) -> bool {
        matches!(self, Self::String | Self::Number | Self::Bool)
    }

    /// Whether a path can lead to something in a value of this type. Elements of sets have none.
    pub(crate) fn holds(&self, path: &Path) -> bool {
        let mut ty = self;
        path.0.iter().all(|step| {
            let next = match (ty, step) {
                (Self::Object(attributes), Step::Attribute(name)) => attributes.get(name),
                (Self::List(inner), Step::Index(_)) | (Self::Map(inner), Step::Key(_)) => Some(&**inner),
                _ => None,
            };
            next.is_some_and(|next| {
                ty = next;
                true
            })
        })
    }

    fn from_json(json: &Json) -> Result<Self, String> {
        match json {
            Json::String(name) => match name.as_str() {
                "string" => Ok(Self::String),
                "number" => Ok(Self::Number),
                "bool" => Ok(Self::Bool),
                other => Err(format!("type {other:?} is malformed, or not modelled")),
            },
            Json::Array(parts) => match parts.as_slice() {
                [Json::String(kind), inner] => Self::compound(kind, inner),
                _ => Err(format!("type signature {json} is malformed, or not modelled")),
            },
            other => Err(format!("type signature {other} is malformed")),
        }
    }

    fn compound(kind: &str, inner: &Json) -> Result<Self, String> {
        match kind {
            "list" => Ok(Self::List(Box::new(Self::from_json(inner)?))),
            "set" => Ok(Self::Set(Box::new(Self::from_json(inner)?))),
            "map" => Ok(Self::Map(Box::new(Self::from_json(inner)?))),
            "object" => match inner {
                Json::Object(attributes) => attributes
                    .iter()
                    .map(|(name, ty)| Ok((name.clone(), Self::from_json(ty)?)))
                    .collect::<Result<_, String>>()
                    .map(Self::Object),
                other => Err(format!("object type over {other} is malformed")),
            },
            other => Err(format!("type constructor {other:?} is malformed, or not modelled")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_modelled_signature_is_read() {
        let signature = br#"["object",{"a":["set","string"],"b":["map",["list","number"]],"c":"bool"}]"#;
        let Ok(Type::Object(attributes)) = Type::parse(signature) else {
            panic!("the signature was refused");
        };
        assert_eq!(attributes["a"], Type::Set(Box::new(Type::String)));
        assert_eq!(attributes["b"], Type::Map(Box::new(Type::List(Box::new(Type::Number)))));
        assert_eq!(attributes["c"], Type::Bool);
    }

    #[test]
    fn a_path_exists_in_a_type_or_it_does_not() {
        let ty = Type::parse(br#"["object",{"l":["list","string"],"s":["set","string"]}]"#).unwrap();
        assert!(ty.holds(&Path::root()));
        assert!(ty.holds(&Path::of("l").index(3)));
        assert!(!ty.holds(&Path::of("s").index(0)));
        assert!(!ty.holds(&Path::of("absent")));
    }

    #[test]
    fn a_signature_that_is_malformed_or_not_modelled_is_refused() {
        for signature in [
            "",
            "string",
            r#""dynamic""#,
            r#"["tuple",["string"]]"#,
            r#"["set"]"#,
            "7",
        ] {
            assert!(Type::parse(signature.as_bytes()).is_err(), "{signature}");
        }
    }
}
