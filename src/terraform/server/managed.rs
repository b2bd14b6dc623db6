//! The calls about managed resources: decode once, ask the resource, encode once.

use std::sync::Arc;

use super::isolate::FromDiagnostics;
use super::{Inner, decode_config, protocol_error};
use crate::terraform::resource::AnyStored;
use crate::terraform::upgrade::{decode_stored_object, unsupported_version};
use crate::terraform::wire::{WireError, convert};
use crate::terraform::{
    AnyResource, Diagnostic, Diagnostics, ImportTarget, Object, Outcome, Provider, Type, Value, Walk, proto,
};

impl<P: Provider> Inner<P> {
    pub(super) fn validate_resource(
        &self,
        request: &proto::validate_resource_config::Request,
    ) -> proto::validate_resource_config::Response {
        FromDiagnostics::from_diagnostics(
            self.resource(&request.type_name)
                .and_then(|resource| {
                    let config = decode_config(request.config.as_ref(), resource.schema())?;
                    Ok(resource.validate(config))
                })
                .unwrap_or_else(Diagnostics::from)
                .into(),
        )
    }

    pub(super) fn upgrade_resource_state(
        &self,
        request: &proto::upgrade_resource_state::Request,
    ) -> proto::upgrade_resource_state::Response {
        let upgraded = self.resource(&request.type_name).and_then(|resource| {
            let state = resource.upgrade(request.version, raw_json(request.raw_state.as_ref()))?;
            convert::encode_object(Some(state), resource.schema().object_type())
                .map_err(|e| protocol_error("state", &e))
        });
        match upgraded {
            Ok(state) => proto::upgrade_resource_state::Response {
                upgraded_state: Some(state),
                diagnostics: Vec::new(),
            },
            Err(problem) => FromDiagnostics::from_diagnostic(problem),
        }
    }

    /// Only called for another identity version than ours, and there has been only one.
    pub(super) fn upgrade_resource_identity(
        &self,
        request: &proto::upgrade_resource_identity::Request,
    ) -> proto::upgrade_resource_identity::Response {
        let upgraded = self.resource(&request.type_name).and_then(|resource| {
            let schema = resource.identity_schema();
            if request.version != schema.version() {
                let name = &request.type_name;
                return Err(unsupported_version("Identity", name, request.version, schema.version()));
            }
            let ty = schema.object_type();
            let identity = decode_stored_object(&request.type_name, raw_json(request.raw_identity.as_ref()), ty)?;
            encode_identity(Some(identity), ty)
        });
        match upgraded {
            Ok(identity) => proto::upgrade_resource_identity::Response {
                upgraded_identity: identity,
                diagnostics: Vec::new(),
            },
            Err(problem) => FromDiagnostics::from_diagnostic(problem),
        }
    }

    /// On any error the state is answered as it came: a response without state would mean that the object is gone.
    pub(super) async fn read_resource(&self, request: proto::read_resource::Request) -> proto::read_resource::Response {
        let token = self.stop.token();
        let encoded = EncodedState::from_read_request(&request);
        let read = async {
            let resource = self.resource(&request.type_name)?;
            let prior = encoded.decode(resource)?;
            let outcome = resource.read(prior, &token).await;
            EncodedState::encode(resource, outcome.value).map(|encoded| (encoded, outcome.diagnostics))
        };
        let (encoded, diagnostics) = match read.await {
            Ok(read) => read,
            Err(problem) => (self.with_identity(&request.type_name, encoded), problem.into()),
        };
        encoded.into_read_response(diagnostics)
    }

    pub(super) fn plan_resource_change(
        &self,
        request: proto::plan_resource_change::Request,
    ) -> proto::plan_resource_change::Response {
        let prior = EncodedState {
            state: request.prior_state,
            private: request.prior_private,
            identity: request.prior_identity,
        };
        let walk = walk(request.client_capabilities.as_ref());
        let planned = self.resource(&request.type_name).and_then(|resource| {
            let ty = resource.schema().object_type();
            let proposed = convert::decode_object(request.proposed_new_state.as_ref(), ty);
            if proposed.map_err(|e| protocol_error("proposed state", &e))?.is_none() {
                // A destruction needs no plan of ours.
                return Ok(proto::plan_resource_change::Response {
                    planned_state: Some(encode_null(ty)?),
                    planned_identity: prior.with_identity(resource).identity,
                    ..Default::default()
                });
            }
            let config = decode_config(request.config.as_ref(), resource.schema())?;
            let before = prior.decode(resource)?;
            // In a replacement the old object's identity comes along, and the new one is another.
            let identity = before.identity.clone().filter(|_| before.state.is_some());
            let plan = resource.plan(before, config, walk)?;
            Ok(proto::plan_resource_change::Response {
                planned_state: Some(
                    convert::encode_object(Some(plan.planned), ty).map_err(|e| protocol_error("planned state", &e))?,
                ),
                planned_identity: encode_identity(identity, resource.identity_schema().object_type())?,
                requires_replace: plan.requires_replace.iter().map(Into::into).collect(),
                diagnostics: plan.diagnostics.into(),
                ..Default::default()
            })
        });
        match planned {
            // Private data goes through as it came: in a replacement it is the old object's, which its destruction will
            // need.
            Ok(response) => proto::plan_resource_change::Response {
                planned_private: prior.private,
                ..response
            },
            Err(problem) => FromDiagnostics::from_diagnostic(problem),
        }
    }

    pub(super) async fn apply_resource_change(
        &self,
        request: proto::apply_resource_change::Request,
    ) -> proto::apply_resource_change::Response {
        let token = self.stop.token();
        let prior = EncodedState::from_apply_request(&request);
        let applied = async {
            let resource = self.resource(&request.type_name)?;
            let planned = convert::decode_object(request.planned_state.as_ref(), resource.schema().object_type())
                .map_err(|e| protocol_error("planned state", &e))?;
            let outcome = resource.apply(prior.decode(resource)?, planned, &token).await;
            EncodedState::encode(resource, outcome.value).map(|encoded| (encoded, outcome.diagnostics))
        };
        let (encoded, diagnostics) = match applied.await {
            Ok(applied) => applied,
            Err(problem) => (self.with_identity(&request.type_name, prior), problem.into()),
        };
        encoded.into_apply_response(diagnostics)
    }

    pub(super) async fn import_resource_state(
        &self,
        request: proto::import_resource_state::Request,
    ) -> proto::import_resource_state::Response {
        let token = self.stop.token();
        let imported = async {
            let resource = self.resource(&request.type_name)?;
            let target = import_target(&request, resource)?;
            let Outcome { value, diagnostics } = resource.import(target, &token).await;
            let imported = match value.state {
                Some(_) if !diagnostics.has_errors() => {
                    let encoded = EncodedState::encode(resource, value)?;
                    vec![proto::import_resource_state::ImportedResource {
                        type_name: request.type_name.clone(),
                        state: encoded.state,
                        private: encoded.private,
                        identity: encoded.identity,
                    }]
                }
                _ => Vec::new(),
            };
            Ok(proto::import_resource_state::Response {
                imported_resources: imported,
                diagnostics: diagnostics.into(),
                deferred: None,
            })
        };
        imported.await.unwrap_or_else(FromDiagnostics::from_diagnostic)
    }

    /// What is answered as it came, with its identity. See [`EncodedState::with_identity`].
    pub(super) fn with_identity(&self, type_name: &str, encoded: EncodedState) -> EncodedState {
        match self.resource(type_name) {
            Ok(resource) => encoded.with_identity(resource),
            Err(_) => encoded,
        }
    }
}

/// Terraform allows to defer, whatever is asked, in its apply walk, and in a plan only as an experiment (`-allow-deferral`).
/// Other engines never do.
fn walk(capabilities: Option<&proto::ClientCapabilities>) -> Walk {
    match capabilities {
        Some(capabilities) if capabilities.deferral_allowed => Walk::Apply,
        _ => Walk::Plan,
    }
}

/// An object as Terraform keeps it: state, private data and identity, still encoded.
#[derive(Clone)]
pub(super) struct EncodedState {
    pub(super) state: Option<proto::DynamicValue>,
    pub(super) private: Vec<u8>,
    pub(super) identity: Option<proto::ResourceIdentityData>,
}

impl EncodedState {
    pub(super) fn from_read_request(request: &proto::read_resource::Request) -> Self {
        Self {
            state: request.current_state.clone(),
            private: request.private.clone(),
            identity: request.current_identity.clone(),
        }
    }

    pub(super) fn from_apply_request(request: &proto::apply_resource_change::Request) -> Self {
        Self {
            state: request.prior_state.clone(),
            private: request.planned_private.clone(),
            identity: request.planned_identity.clone(),
        }
    }

    /// Where no identity came along (an engine without identities has written the state, or an object is destroyed), it is
    /// what the state says.
    fn decode(&self, resource: &Arc<dyn AnyResource>) -> Result<AnyStored, Diagnostic> {
        let state = convert::decode_object(self.state.as_ref(), resource.schema().object_type())
            .map_err(|e| protocol_error("state", &e))?;
        let identity = self
            .identity
            .as_ref()
            .and_then(|identity| identity.identity_data.as_ref());
        let identity = convert::decode_object(identity, resource.identity_schema().object_type())
            .map_err(|e| protocol_error("identity", &e))?;
        // A planned identity may still be unknown, which tells nothing.
        let identity = identity.filter(|identity| identity.values().all(is_known));
        Ok(AnyStored {
            identity: identity.or_else(|| resource.identity(state.as_ref()?)),
            state,
            private: self.private.clone(),
        })
    }

    /// The same as it came, with its identity, as far as both can be read.
    fn with_identity(&self, resource: &Arc<dyn AnyResource>) -> Self {
        let identity = self.decode(resource).and_then(|stored| {
            let ty = resource.identity_schema().object_type();
            encode_identity(stored.identity, ty)
        });
        Self {
            identity: identity.unwrap_or_else(|_| self.identity.clone()),
            ..self.clone()
        }
    }

    fn encode(resource: &Arc<dyn AnyResource>, stored: AnyStored) -> Result<Self, Diagnostic> {
        let ty = resource.schema().object_type();
        Ok(Self {
            state: Some(convert::encode_object(stored.state, ty).map_err(|e| protocol_error("state", &e))?),
            private: stored.private,
            identity: encode_identity(stored.identity, resource.identity_schema().object_type())?,
        })
    }

    /// The answer to a read that ended like this.
    pub(super) fn into_read_response(self, diagnostics: Diagnostics) -> proto::read_resource::Response {
        proto::read_resource::Response {
            new_state: self.state,
            private: self.private,
            new_identity: self.identity,
            diagnostics: diagnostics.into(),
            deferred: None,
        }
    }

    /// The answer to an apply that ended like this.
    pub(super) fn into_apply_response(self, diagnostics: Diagnostics) -> proto::apply_resource_change::Response {
        proto::apply_resource_change::Response {
            new_state: self.state,
            private: self.private,
            new_identity: self.identity,
            diagnostics: diagnostics.into(),
            legacy_type_system: false,
        }
    }
}

fn is_known(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Unknown)
}

fn import_target(
    request: &proto::import_resource_state::Request,
    resource: &Arc<dyn AnyResource>,
) -> Result<ImportTarget, Diagnostic> {
    let Some(data) = request
        .identity
        .as_ref()
        .and_then(|identity| identity.identity_data.as_ref())
    else {
        return Ok(ImportTarget::Id(request.id.clone()));
    };
    let ty = resource.identity_schema().object_type();
    match convert::decode_object(Some(data), ty).map_err(|e| protocol_error("identity", &e))? {
        Some(identity) => Ok(ImportTarget::Identity(identity)),
        None => Ok(ImportTarget::Id(request.id.clone())),
    }
}

fn encode_identity(identity: Option<Object>, ty: &Type) -> Result<Option<proto::ResourceIdentityData>, Diagnostic> {
    let Some(identity) = identity else {
        return Ok(None);
    };
    let data = convert::encode_object(Some(identity), ty).map_err(|e| protocol_error("identity", &e))?;
    Ok(Some(proto::ResourceIdentityData {
        identity_data: Some(data),
    }))
}

fn encode_null(ty: &Type) -> Result<proto::DynamicValue, Diagnostic> {
    convert::encode_object(None, ty).map_err(|e: WireError| protocol_error("null", &e))
}

fn raw_json(raw: Option<&proto::RawState>) -> &[u8] {
    raw.map_or(&[], |raw| &raw.json)
}
