//! Converts between the generated messages and this room's own types.

use super::msgpack::NULL;
use super::{WireError, decode_json, decode_msgpack, encode_msgpack};
use crate::terraform::proto;
use crate::terraform::{
    Attribute, Configurability, Diagnostic, Diagnostics, FunctionSignature, IdentitySchema, Object, Path, Schema,
    Severity, Step, Type, Value,
};

/// Reads a value in either encoding; an absent one is null.
pub(in crate::terraform) fn decode_value(message: Option<&proto::DynamicValue>, ty: &Type) -> Result<Value, WireError> {
    match message {
        None => Ok(Value::Null),
        Some(message) if message.msgpack.is_empty() && !message.json.is_empty() => decode_json(&message.json, ty),
        Some(message) => decode_msgpack(&message.msgpack, ty),
    }
}

/// Reads an object; `None` is null. An object that is unknown as a whole does not occur.
pub(in crate::terraform) fn decode_object(
    message: Option<&proto::DynamicValue>,
    ty: &Type,
) -> Result<Option<Object>, WireError> {
    match decode_value(message, ty)? {
        Value::Null => Ok(None),
        Value::Mapping(object) => Ok(Some(object)),
        _ => Err(WireError::new("not an object")),
    }
}

/// Null, which is written alike for every type.
pub(in crate::terraform) fn null() -> proto::DynamicValue {
    proto::DynamicValue {
        msgpack: vec![NULL],
        json: Vec::new(),
    }
}

/// Reads an identity; `None` where there is none.
pub(in crate::terraform) fn decode_identity(
    message: Option<&proto::ResourceIdentityData>,
    ty: &Type,
) -> Result<Option<Object>, WireError> {
    decode_object(message.and_then(|message| message.identity_data.as_ref()), ty)
}

/// Writes an identity, where there is one.
pub(in crate::terraform) fn encode_identity(
    identity: Option<Object>,
    ty: &Type,
) -> Result<Option<proto::ResourceIdentityData>, WireError> {
    let Some(identity) = identity else {
        return Ok(None);
    };
    Ok(Some(proto::ResourceIdentityData {
        identity_data: Some(encode_object(Some(identity), ty)?),
    }))
}

/// Writes an object, or null.
pub(in crate::terraform) fn encode_object(object: Option<Object>, ty: &Type) -> Result<proto::DynamicValue, WireError> {
    encode_value(&object.map_or(Value::Null, Value::Mapping), ty)
}

/// Writes a value.
pub(in crate::terraform) fn encode_value(value: &Value, ty: &Type) -> Result<proto::DynamicValue, WireError> {
    Ok(proto::DynamicValue {
        msgpack: encode_msgpack(value, ty)?,
        json: Vec::new(),
    })
}

impl From<Diagnostics> for Vec<proto::Diagnostic> {
    fn from(diagnostics: Diagnostics) -> Self {
        diagnostics.into_iter().map(Into::into).collect()
    }
}

impl From<Diagnostic> for proto::Diagnostic {
    fn from(diagnostic: Diagnostic) -> Self {
        let severity = match diagnostic.severity {
            Severity::Error => proto::diagnostic::Severity::Error,
            Severity::Warning => proto::diagnostic::Severity::Warning,
        };
        proto::Diagnostic {
            severity: severity.into(),
            summary: diagnostic.summary.to_string(),
            detail: diagnostic.detail,
            attribute: diagnostic.path.as_ref().map(Into::into),
        }
    }
}

impl From<&Path> for proto::AttributePath {
    fn from(path: &Path) -> Self {
        use proto::attribute_path::step::Selector;
        let steps = path.steps().iter().map(|step| {
            let selector = match step {
                Step::Attribute(name) => Selector::AttributeName(name.clone()),
                Step::Key(key) => Selector::ElementKeyString(key.clone()),
                Step::Index(index) => Selector::ElementKeyInt(*index),
            };
            proto::attribute_path::Step {
                selector: Some(selector),
            }
        });
        proto::AttributePath { steps: steps.collect() }
    }
}

impl From<&Schema> for proto::Schema {
    fn from(schema: &Schema) -> Self {
        proto::Schema {
            version: schema.version(),
            block: Some(proto::schema::Block {
                version: schema.version(),
                attributes: schema.attributes().iter().map(Into::into).collect(),
                description: schema.description().to_owned(),
                description_kind: proto::StringKind::Markdown.into(),
                ..Default::default()
            }),
        }
    }
}

impl From<&Attribute> for proto::schema::Attribute {
    fn from(attribute: &Attribute) -> Self {
        proto::schema::Attribute {
            name: attribute.name.to_owned(),
            r#type: attribute.ty.to_json_bytes(),
            description: attribute.description.to_owned(),
            description_kind: proto::StringKind::Markdown.into(),
            required: attribute.configurability == Configurability::Required,
            optional: matches!(
                attribute.configurability,
                Configurability::Optional | Configurability::OptionalComputed
            ),
            computed: matches!(
                attribute.configurability,
                Configurability::Computed | Configurability::OptionalComputed
            ),
            sensitive: attribute.sensitive,
            ..Default::default()
        }
    }
}

impl From<&FunctionSignature> for proto::Function {
    fn from(signature: &FunctionSignature) -> Self {
        let parameters = signature.parameters.iter().map(|parameter| proto::function::Parameter {
            name: parameter.name.to_owned(),
            r#type: parameter.ty.to_json_bytes(),
            allow_null_value: false,
            allow_unknown_values: false,
            description: parameter.description.to_owned(),
            description_kind: proto::StringKind::Markdown.into(),
        });
        proto::Function {
            parameters: parameters.collect(),
            variadic_parameter: None,
            r#return: Some(proto::function::Return {
                r#type: signature.returns.to_json_bytes(),
            }),
            summary: signature.summary.to_owned(),
            description: signature.description.to_owned(),
            description_kind: proto::StringKind::Markdown.into(),
            deprecation_message: String::new(),
        }
    }
}

impl From<&IdentitySchema> for proto::ResourceIdentitySchema {
    fn from(schema: &IdentitySchema) -> Self {
        let attributes =
            schema
                .attributes()
                .iter()
                .map(|attribute| proto::resource_identity_schema::IdentityAttribute {
                    name: attribute.name.to_owned(),
                    r#type: attribute.ty.to_json_bytes(),
                    required_for_import: true,
                    optional_for_import: false,
                    description: attribute.description.to_owned(),
                });
        proto::ResourceIdentitySchema {
            version: schema.version(),
            identity_attributes: attributes.collect(),
        }
    }
}
