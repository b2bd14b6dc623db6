//! Reads stored states by the schema of the version that wrote them, and upgrades them to the present one.

use std::fmt::Display;

use super::model::decode_model;
use super::wire::decode_json;
use super::{Diagnostic, Model, Object, Schema, Summary, Type, Value, summaries};

/// A version of a resource's schema that came before the present one, and the step from its states to the present
/// model.
pub struct EarlierVersion<M> {
    version: i64,
    ty: Type,
    upgrade: Box<dyn Fn(Object) -> Result<M, Diagnostic> + Send + Sync>,
}

impl<M> EarlierVersion<M> {
    /// The version of `schema`, whose states fit the model `Old`. Attributes that are
    /// missing in a stored state are null, and those that the schema does not have are left out.
    pub fn new<Old: Model>(
        schema: &Schema,
        upgrade: impl Fn(Old) -> Result<M, Diagnostic> + Send + Sync + 'static,
    ) -> Self {
        Self {
            version: schema.version(),
            ty: schema.object_type().clone(),
            upgrade: Box::new(move |state| upgrade(decode_model(state)?)),
        }
    }
}

/// Brings a stored state of any known version to the present schema.
pub(super) fn upgrade_state<M: Model>(
    type_name: &str,
    schema: &Schema,
    earlier_versions: impl FnOnce() -> Vec<EarlierVersion<M>>,
    version: i64,
    stored: &[u8],
) -> Result<Object, Diagnostic> {
    if version == schema.version() {
        return decode_stored_object(type_name, stored, schema.object_type());
    }
    let mut earlier_versions = earlier_versions().into_iter();
    let Some(earlier) = earlier_versions.find(|earlier| earlier.version == version) else {
        let summary = summaries::STATE_OF_UNKNOWN_VERSION;
        return Err(unsupported_version(
            summary,
            "state",
            type_name,
            version,
            schema.version(),
        ));
    };
    let state = decode_stored_object(type_name, stored, &earlier.ty)?;
    (earlier.upgrade)(state).map(Model::into_object)
}

/// Reads an object in the JSON that Terraform stores.
pub(super) fn decode_stored_object(type_name: &str, stored: &[u8], ty: &Type) -> Result<Object, Diagnostic> {
    match decode_json(stored, ty) {
        Ok(Value::Mapping(object)) => Ok(object),
        Ok(_) => Err(unreadable_state(type_name, &"it is not an object")),
        Err(error) => Err(unreadable_state(type_name, &error)),
    }
}

/// What is stored (`what`: the state or the identity) has a version that this provider has no shape for.
pub(super) fn unsupported_version(
    summary: Summary,
    what: &str,
    type_name: &str,
    version: i64,
    ours: i64,
) -> Diagnostic {
    let then = if version > ours {
        "A newer provider has written it: use that one, or newer."
    } else {
        "This provider cannot read it. Restore a backup of the state, or use the version of the provider that wrote it."
    };
    Diagnostic::error(
        summary,
        format!("The {what} of this {type_name} has version {version}, and this provider knows version {ours}. {then}"),
    )
}

fn unreadable_state(type_name: &str, why: &dyn Display) -> Diagnostic {
    Diagnostic::error(
        summaries::UNREADABLE_STATE,
        format!(
            "What Terraform has stored of this {type_name} does not fit this provider's schema: {why}. Restore a backup of \
             the state (terraform.tfstate.backup beside a local state, an earlier version in a backend), or use the version \
             of the provider that wrote it. If you have neither, remove the resource from state (terraform state rm) and \
             import it again."
        ),
    )
}
