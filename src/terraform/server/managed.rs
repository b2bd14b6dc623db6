//! The calls about managed resources: decode once, ask the resource, encode once.

use std::sync::Arc;

use super::isolate::Report;
use super::{Inner, required, unreadable};
use crate::terraform::resource::AnyStored;
use crate::terraform::upgrade::{stored_object, unknown_version};
use crate::terraform::wire::{WireError, convert};
use crate::terraform::{
    AnyResource, Diagnostic, Diagnostics, ImportTarget, Object, Outcome, Provider, Type, Value, Walk, proto,
};

impl<P: Provider> Inner<P> {
    pub(super) fn validate_resource(
        &self,
        request: &proto::validate_resource_config::Request,
    ) -> proto::validate_resource_config::Response {
        Report::report(
            self.resource(&request.type_name)
                .and_then(|resource| {
                    let config = required(request.config.as_ref(), &resource.schema())?;
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
            let state = resource.upgrade(request.version, stored_json(request.raw_state.as_ref()))?;
            convert::dynamic(Some(state), &resource.schema().object_type()).map_err(|e| unreadable("state", &e))
        });
        match upgraded {
            Ok(state) => proto::upgrade_resource_state::Response {
                upgraded_state: Some(state),
                diagnostics: Vec::new(),
            },
            Err(problem) => Report::problem(problem),
        }
    }

    /// Only called for another identity version than ours, and there has been only one.
    pub(super) fn upgrade_resource_identity(
        &self,
        request: &proto::upgrade_resource_identity::Request,
    ) -> proto::upgrade_resource_identity::Response {
        let upgraded = self.resource(&request.type_name).and_then(|resource| {
            let schema = resource.identity_schema();
            if request.version != schema.version {
                let name = &request.type_name;
                return Err(unknown_version("Identity", name, request.version, schema.version));
            }
            let ty = schema.object_type();
            let identity = stored_object(&request.type_name, stored_json(request.raw_identity.as_ref()), &ty)?;
            identity_message(Some(identity), &ty)
        });
        match upgraded {
            Ok(identity) => proto::upgrade_resource_identity::Response {
                upgraded_identity: identity,
                diagnostics: Vec::new(),
            },
            Err(problem) => Report::problem(problem),
        }
    }

    /// On any error the state is answered as it came: a response without state would mean that the object is gone.
    pub(super) async fn read_resource(&self, request: proto::read_resource::Request) -> proto::read_resource::Response {
        let token = self.stop.token();
        let kept = EncodedState::to_read(&request);
        let read = async {
            let resource = self.resource(&request.type_name)?;
            let prior = kept.decode(resource)?;
            let outcome = resource.read(prior, &token).await;
            EncodedState::encode(resource, outcome.value).map(|kept| (kept, outcome.diagnostics))
        };
        let (answer, diagnostics) = match read.await {
            Ok(read) => read,
            Err(problem) => (self.identified(&request.type_name, kept), problem.into()),
        };
        answer.read(diagnostics)
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
            let proposed = convert::object(request.proposed_new_state.as_ref(), &ty);
            if proposed.map_err(|e| unreadable("proposed state", &e))?.is_none() {
                // A destruction needs no plan of ours.
                return Ok(proto::plan_resource_change::Response {
                    planned_state: Some(proto_null(&ty)?),
                    planned_identity: prior.identified(resource).identity,
                    ..Default::default()
                });
            }
            let config = required(request.config.as_ref(), &resource.schema())?;
            let before = prior.decode(resource)?;
            // In a replacement the old object's identity comes along, and the new one is another.
            let identity = before.identity.clone().filter(|_| before.state.is_some());
            let plan = resource.plan(before, config, walk)?;
            Ok(proto::plan_resource_change::Response {
                planned_state: Some(
                    convert::dynamic(Some(plan.planned), &ty).map_err(|e| unreadable("planned state", &e))?,
                ),
                planned_identity: identity_message(identity, &resource.identity_schema().object_type())?,
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
            Err(problem) => Report::problem(problem),
        }
    }

    pub(super) async fn apply_resource_change(
        &self,
        request: proto::apply_resource_change::Request,
    ) -> proto::apply_resource_change::Response {
        let token = self.stop.token();
        let prior = EncodedState::to_apply(&request);
        let applied = async {
            let resource = self.resource(&request.type_name)?;
            let planned = convert::object(request.planned_state.as_ref(), &resource.schema().object_type())
                .map_err(|e| unreadable("planned state", &e))?;
            let outcome = resource.apply(prior.decode(resource)?, planned, &token).await;
            EncodedState::encode(resource, outcome.value).map(|kept| (kept, outcome.diagnostics))
        };
        let (answer, diagnostics) = match applied.await {
            Ok(applied) => applied,
            Err(problem) => (self.identified(&request.type_name, prior), problem.into()),
        };
        answer.applied(diagnostics)
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
                    let kept = EncodedState::encode(resource, value)?;
                    vec![proto::import_resource_state::ImportedResource {
                        type_name: request.type_name.clone(),
                        state: kept.state,
                        private: kept.private,
                        identity: kept.identity,
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
        imported.await.unwrap_or_else(Report::problem)
    }

    /// What is answered as it came, with its identity. See [`EncodedState::identified`].
    pub(super) fn identified(&self, type_name: &str, kept: EncodedState) -> EncodedState {
        match self.resource(type_name) {
            Ok(resource) => kept.identified(resource),
            Err(_) => kept,
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
    pub(super) fn to_read(request: &proto::read_resource::Request) -> Self {
        Self {
            state: request.current_state.clone(),
            private: request.private.clone(),
            identity: request.current_identity.clone(),
        }
    }

    pub(super) fn to_apply(request: &proto::apply_resource_change::Request) -> Self {
        Self {
            state: request.prior_state.clone(),
            private: request.planned_private.clone(),
            identity: request.planned_identity.clone(),
        }
    }

    /// Where no identity came along (an engine without identities has written the state, or an object is destroyed), it is
    /// what the state says.
    fn decode(&self, resource: &Arc<dyn AnyResource>) -> Result<AnyStored, Diagnostic> {
        let state = convert::object(self.state.as_ref(), &resource.schema().object_type())
            .map_err(|e| unreadable("state", &e))?;
        let identity = self
            .identity
            .as_ref()
            .and_then(|identity| identity.identity_data.as_ref());
        let identity = convert::object(identity, &resource.identity_schema().object_type())
            .map_err(|e| unreadable("identity", &e))?;
        // A planned identity may still be unknown, which tells nothing.
        let identity = identity.filter(|identity| identity.values().all(is_known));
        Ok(AnyStored {
            identity: identity.or_else(|| resource.identity(state.as_ref()?)),
            state,
            private: self.private.clone(),
        })
    }

    /// The same as it came, with its identity, as far as both can be read.
    fn identified(&self, resource: &Arc<dyn AnyResource>) -> Self {
        let identity = self.decode(resource).and_then(|stored| {
            let ty = resource.identity_schema().object_type();
            identity_message(stored.identity, &ty)
        });
        Self {
            identity: identity.unwrap_or_else(|_| self.identity.clone()),
            ..self.clone()
        }
    }

    fn encode(resource: &Arc<dyn AnyResource>, stored: AnyStored) -> Result<Self, Diagnostic> {
        let ty = resource.schema().object_type();
        Ok(Self {
            state: Some(convert::dynamic(stored.state, &ty).map_err(|e| unreadable("state", &e))?),
            private: stored.private,
            identity: identity_message(stored.identity, &resource.identity_schema().object_type())?,
        })
    }

    /// The answer to a read that ended like this.
    pub(super) fn read(self, diagnostics: Diagnostics) -> proto::read_resource::Response {
        proto::read_resource::Response {
            new_state: self.state,
            private: self.private,
            new_identity: self.identity,
            diagnostics: diagnostics.into(),
            deferred: None,
        }
    }

    /// The answer to an apply that ended like this.
    pub(super) fn applied(self, diagnostics: Diagnostics) -> proto::apply_resource_change::Response {
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
    match convert::object(Some(data), &ty).map_err(|e| unreadable("identity", &e))? {
        Some(identity) => Ok(ImportTarget::Identity(identity)),
        None => Ok(ImportTarget::Id(request.id.clone())),
    }
}

fn identity_message(identity: Option<Object>, ty: &Type) -> Result<Option<proto::ResourceIdentityData>, Diagnostic> {
    let Some(identity) = identity else {
        return Ok(None);
    };
    let data = convert::dynamic(Some(identity), ty).map_err(|e| unreadable("identity", &e))?;
    Ok(Some(proto::ResourceIdentityData {
        identity_data: Some(data),
    }))
}

fn proto_null(ty: &Type) -> Result<proto::DynamicValue, Diagnostic> {
    convert::dynamic(None, ty).map_err(|e: WireError| unreadable("null", &e))
}

fn stored_json(raw: Option<&proto::RawState>) -> &[u8] {
    raw.map_or(&[], |raw| &raw.json)
}
