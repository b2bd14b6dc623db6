//! The form of values in the state file, which `UpgradeResourceState` receives.

use serde_json::{Map, Number, Value as Json};

use super::value::Value;

/// A wholly known value as the state file holds it: every attribute present, nulls included,
/// numbers in full decimal text. Panics on an unknown: state never holds one.
pub(crate) fn encode(value: &Value) -> Vec<u8> {
    serde_json::to_vec(&to_json(value)).expect("JSON trees serialise")
}

fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Unknown(_) => panic!("an unknown value cannot be stored"),
        Value::String(text) => Json::String(text.clone()),
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Number(text) => Json::Number(text.parse::<Number>().expect("canonical numbers are JSON numbers")),
        Value::List(items) | Value::Set(items) => items.iter().map(to_json).collect(),
        Value::Map(items) | Value::Object(items) => Json::Object(
            items
                .iter()
                .map(|(key, item)| (key.clone(), to_json(item)))
                .collect::<Map<_, _>>(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nulls_are_written_and_numbers_keep_their_digits() {
        let value = Value::object([
            ("big", Value::number("18446744073709551616")),
            ("none", Value::Null),
            ("tenth", Value::number("0.10")),
            ("words", Value::set(["b".into(), "a".into()])),
        ]);
        assert_eq!(
            String::from_utf8(encode(&value)).unwrap(),
            r#"{"big":18446744073709551616,"none":null,"tenth":0.1,"words":["a","b"]}"#,
        );
    }
}
