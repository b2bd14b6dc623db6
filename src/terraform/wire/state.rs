//! Objects in the encoded form in which Terraform keeps them.

use super::{WireError, convert};
use crate::terraform::{Object, Outcome, Type, Value, proto};

/// An object as Terraform keeps it: its state, the provider's private data beside it, and its identity. Requests and
/// responses carry it in this form.
#[derive(Clone)]
pub struct EncodedState {
    pub(in crate::terraform) state: Option<proto::DynamicValue>,
    /// JSON, or nothing.
    pub(in crate::terraform) private: Vec<u8>,
    pub(in crate::terraform) identity: Option<proto::ResourceIdentityData>,
}

impl EncodedState {
    /// No object.
    pub(in crate::terraform) fn null() -> Self {
        Self {
            state: Some(convert::null()),
            private: Vec::new(),
            identity: None,
        }
    }

    /// An object with this state, of the type `state_type`.
    pub(in crate::terraform) fn encode(state: Object, state_type: &Type, private: Vec<u8>) -> Result<Self, WireError> {
        Ok(Self {
            state: Some(convert::encode_object(Some(state), state_type)?),
            private,
            identity: None,
        })
    }

    /// The same with this identity, of the type `identity_type`, in place of the one it has.
    pub(in crate::terraform) fn with_identity(
        self,
        identity: Option<Object>,
        identity_type: &Type,
    ) -> Result<Self, WireError> {
        Ok(Self {
            identity: convert::encode_identity(identity, identity_type)?,
            ..self
        })
    }

    /// The state; `None` where there is no object.
    pub(in crate::terraform) fn decode_state(&self, ty: &Type) -> Result<Option<Object>, WireError> {
        convert::decode_object(self.state.as_ref(), ty)
    }

    /// The identity; `None` where there is none, and where it is planned and still unknown.
    pub(in crate::terraform) fn decode_identity(&self, ty: &Type) -> Result<Option<Object>, WireError> {
        let identity = convert::decode_identity(self.identity.as_ref(), ty)?;
        Ok(identity.filter(|identity| identity.values().all(is_known)))
    }
}

fn is_known(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Unknown)
}

impl From<&proto::read_resource::Request> for EncodedState {
    fn from(request: &proto::read_resource::Request) -> Self {
        Self {
            state: request.current_state.clone(),
            private: request.private.clone(),
            identity: request.current_identity.clone(),
        }
    }
}

impl From<&proto::plan_resource_change::Request> for EncodedState {
    fn from(request: &proto::plan_resource_change::Request) -> Self {
        Self {
            state: request.prior_state.clone(),
            private: request.prior_private.clone(),
            identity: request.prior_identity.clone(),
        }
    }
}

impl From<&proto::apply_resource_change::Request> for EncodedState {
    fn from(request: &proto::apply_resource_change::Request) -> Self {
        Self {
            state: request.prior_state.clone(),
            private: request.planned_private.clone(),
            identity: request.planned_identity.clone(),
        }
    }
}

impl From<Outcome<EncodedState>> for proto::read_resource::Response {
    fn from(Outcome { value, diagnostics }: Outcome<EncodedState>) -> Self {
        Self {
            new_state: value.state,
            private: value.private,
            new_identity: value.identity,
            diagnostics: diagnostics.into(),
            deferred: None,
        }
    }
}

impl From<Outcome<EncodedState>> for proto::apply_resource_change::Response {
    fn from(Outcome { value, diagnostics }: Outcome<EncodedState>) -> Self {
        Self {
            new_state: value.state,
            private: value.private,
            new_identity: value.identity,
            diagnostics: diagnostics.into(),
            legacy_type_system: false,
        }
    }
}
