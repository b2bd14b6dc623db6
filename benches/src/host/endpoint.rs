//! The resource that calls are about, an endpoint, as both providers have it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use terraform_provider_heygen::terraform::proto::DynamicValue;
use terraform_provider_heygen::terraform::wire::{WireError, decode_msgpack, encode_msgpack};
use terraform_provider_heygen::terraform::{Object, Type, Value};

/// The attributes to which only the provider gives a value.
const COMPUTED: [&str; 4] = ["created_at", "id", "secret", "status"];

/// The type of an endpoint's state.
static TYPE: LazyLock<Type> = LazyLock::new(|| {
    let attributes = [
        ("created_at", Type::String),
        ("entity_id", Type::String),
        ("events", Type::set(Type::String)),
        ("id", Type::String),
        ("replace_when_disabled", Type::Bool),
        ("rotate_trigger", Type::String),
        ("secret", Type::String),
        ("status", Type::String),
        ("url", Type::String),
    ];
    Type::Object(attributes.map(|(name, ty)| (name.into(), ty)).into())
});

/// The configuration of an endpoint.
pub(crate) fn configuration(number: usize, rotate_trigger: Option<&str>) -> Object {
    let text = |text: &str| Value::String(text.to_owned());
    let events = ["avatar_video.fail", "avatar_video.success"].map(text);
    let Type::Object(attributes) = &*TYPE else {
        return BTreeMap::new();
    };
    let mut configuration: Object = attributes.keys().map(|name| (name.clone(), Value::Null)).collect();
    configuration.insert("url".into(), text(&format!("https://hooks.example.com/{number}")));
    configuration.insert("events".into(), Value::Sequence(events.into()));
    configuration.insert("rotate_trigger".into(), rotate_trigger.map_or(Value::Null, text));
    configuration
}

/// What Terraform proposes as the new state: the configuration, with what the provider computed before.
pub(crate) fn proposed(configuration: &Object, prior: &Object) -> Object {
    let computed = prior.iter().filter(|(name, _)| COMPUTED.contains(&name.as_ref()));
    let mut proposed = configuration.clone();
    proposed.extend(computed.map(|(name, value)| (name.clone(), value.clone())));
    proposed
}

/// No object.
pub(crate) fn null() -> DynamicValue {
    DynamicValue {
        msgpack: vec![0xc0],
        json: Vec::new(),
    }
}

pub(crate) fn encode(object: &Object) -> Result<DynamicValue, WireError> {
    Ok(DynamicValue {
        msgpack: encode_msgpack(&Value::Mapping(object.clone()), &TYPE)?,
        json: Vec::new(),
    })
}

/// Decodes an object that must be there.
pub(crate) fn decode(value: Option<&DynamicValue>) -> Result<Object, &'static str> {
    let bytes = &value.ok_or("a value is missing")?.msgpack;
    match decode_msgpack(bytes, &TYPE) {
        Ok(Value::Mapping(object)) => Ok(object),
        _ => Err("a value is not an endpoint"),
    }
}

/// The JSON as which Terraform stores a state.
pub(crate) fn stored(object: &Object) -> Vec<u8> {
    let members: serde_json::Map<_, _> = object
        .iter()
        .map(|(name, value)| (name.to_string(), json(value)))
        .collect();
    serde_json::Value::Object(members).to_string().into_bytes()
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Bool(value) => (*value).into(),
        Value::String(value) => value.clone().into(),
        Value::Sequence(elements) => elements.iter().map(json).collect(),
        // An endpoint has nothing else.
        _ => serde_json::Value::Null,
    }
}
