//! The JSON form in which Terraform stores state and hands it to be upgraded.

use serde_json::Value as Json;

use super::WireError;
use crate::terraform::{Number, Object, Type, Value, normalized};

/// Reads stored JSON along its type. In an object, attributes that are missing are null, and attributes that the type
/// does not have are left out: a newer provider of the same schema version may have added them. The parser refuses what
/// is nested deeper than 127 levels.
pub fn decode(json: &[u8], ty: &Type) -> Result<Value, WireError> {
    let json = serde_json::from_slice(json).map_err(|_| WireError::new("not JSON"))?;
    read(json, ty)
}

fn read(json: Json, ty: &Type) -> Result<Value, WireError> {
    match (ty, json) {
        (_, Json::Null) => Ok(Value::Null),
        (Type::Bool, Json::Bool(value)) => Ok(Value::Bool(value)),
        (Type::Number, Json::Number(number)) => number_from(&number.to_string()),
        // Terraform writes numbers that no float holds as strings.
        (Type::Number, Json::String(text)) => number_from(&text),
        (Type::String, Json::String(text)) => Ok(Value::String(normalized(&text))),
        (Type::List(element) | Type::Set(element), Json::Array(elements)) => {
            read_all(elements.into_iter().map(|json| (json, element.as_ref())))
        }
        (Type::Tuple(types), Json::Array(elements)) if types.len() == elements.len() => {
            read_all(elements.into_iter().zip(types))
        }
        (Type::Map(element), Json::Object(entries)) => {
            let entries = entries.into_iter().map(|(key, json)| {
                let value = read(json, element).map_err(|e| e.inside(&key))?;
                Ok((normalized(&key), value))
            });
            Ok(Value::Mapping(entries.collect::<Result<_, _>>()?))
        }
        (Type::Object(types), Json::Object(mut entries)) => {
            let attributes = types.iter().map(|(name, ty)| {
                let json = entries.remove(name).unwrap_or(Json::Null);
                let value = read(json, ty).map_err(|e| e.inside(name))?;
                Ok((name.clone(), value))
            });
            Ok(Value::Mapping(attributes.collect::<Result<Object, _>>()?))
        }
        (Type::Dynamic, Json::Object(mut entries)) => {
            let (Some(value), Some(ty)) = (entries.remove("value"), entries.remove("type")) else {
                return Err(WireError::new("a dynamic value without its type"));
            };
            let ty = Type::from_json(&ty).map_err(|e| WireError::new(e.to_string()))?;
            let value = read(value, &ty)?;
            Ok(Value::Dynamic(Box::new((ty, value))))
        }
        (expected, _) => Err(WireError::new(format!("not a value of type {expected}"))),
    }
}

fn read_all<'t>(elements: impl Iterator<Item = (Json, &'t Type)>) -> Result<Value, WireError> {
    let values = elements
        .enumerate()
        .map(|(index, (json, ty))| read(json, ty).map_err(|e| e.inside(&format!("[{index}]"))));
    Ok(Value::Sequence(values.collect::<Result<_, _>>()?))
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
        let expected = Object::from([
            ("a".to_owned(), Value::String("x".to_owned())),
            ("b".to_owned(), Value::Null),
        ]);
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
        assert_eq!(
            map,
            Value::Mapping([("k".to_owned(), Value::Number(1_i64.into()))].into())
        );
    }

    #[test]
    fn an_error_says_where_and_not_what() {
        let error = decoded(r#"{"a":["whsec_x",7]}"#, r#"["object",{"a":["list","string"]}]"#).unwrap_err();
        assert_eq!(error.to_string(), "not a value of type string at a[1]");
        assert!(decoded("{", r#""string""#).is_err());
        assert!(decoded(&"[".repeat(100_000), r#""dynamic""#).is_err());
    }
}
