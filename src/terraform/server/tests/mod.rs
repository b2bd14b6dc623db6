//! The service over a made-up provider: a house of doors.

mod house;
mod identity;
mod lists;
mod private;
mod refusals;
mod upgrade;

pub(super) use self::house::House;
use self::house::{DOOR, door};
use super::Service;
use crate::terraform::proto::provider_server::Provider as _;
use crate::terraform::wire::{convert, decode_json};
use crate::terraform::{Object, Type, Value, proto};

/// Asks the service for one thing, named as in the protocol.
macro_rules! ask {
    ($call:ident, $module:ident { $($field:ident: $value:expr),* $(,)? }) => {{
        #[allow(clippy::needless_update, reason = "some requests have no other field")]
        let request = proto::$module::Request { $($field: $value,)* ..Default::default() };
        let answer = Service::new(House).$call(tonic::Request::new(request)).await;
        answer.unwrap().into_inner()
    }};
}
use ask;

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn ty() -> &'static Type {
    door().schema().object_type()
}

/// A door of this name, with its number.
fn state(name: &str) -> Option<proto::DynamicValue> {
    message(Some(object(&[("name", text(name)), ("number", text("7"))])))
}

/// A door of which these attributes are set.
fn object(set: &[(&str, Value)]) -> Object {
    complete(ty(), set)
}

/// An object of this type of which these attributes are set.
fn complete(ty: &Type, set: &[(&str, Value)]) -> Object {
    let Type::Object(attributes) = ty else {
        panic!("an object")
    };
    let mut object: Object = attributes.keys().map(|name| (name.clone(), Value::Null)).collect();
    object.extend(
        set.iter()
            .map(|(name, value)| ((*name).to_owned().into(), value.clone())),
    );
    object
}

#[expect(clippy::unnecessary_wraps, reason = "as messages hold it")]
fn message(object: Option<Object>) -> Option<proto::DynamicValue> {
    Some(convert::encode_object(object, ty()).unwrap())
}

fn object_in(message: Option<&proto::DynamicValue>) -> Option<Object> {
    convert::decode_object(message, ty()).unwrap()
}

/// The number in an identity, which is all there is to it.
fn number_in(identity: Option<&proto::ResourceIdentityData>) -> Option<String> {
    let ty = door().identity_schema().object_type();
    let identity = convert::decode_object(identity?.identity_data.as_ref(), ty).unwrap()?;
    match &identity["number"] {
        Value::String(number) => Some(number.clone()),
        _ => None,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "as messages hold it")]
fn identity(number: Value) -> Option<proto::ResourceIdentityData> {
    let ty = door().identity_schema().object_type();
    let identity = Object::from([("number".into(), number)]);
    Some(proto::ResourceIdentityData {
        identity_data: Some(convert::encode_object(Some(identity), ty).unwrap()),
    })
}

fn summaries(diagnostics: &[proto::Diagnostic]) -> Vec<&str> {
    diagnostics
        .iter()
        .map(|diagnostic| diagnostic.summary.as_str())
        .collect()
}

/// What a JSON document says, whatever the order in which it says it.
fn json(bytes: &[u8]) -> serde_json::Value {
    serde_json::from_slice(bytes).unwrap()
}
