//! The RPCs about managed resources: each decodes its request, calls the resource, and encodes the answer.

use std::sync::Arc;

use super::from_diagnostics::FromDiagnostics;
use super::{Inner, decode_config};
use crate::terraform::upgrade::{decode_stored_object, unsupported_version};
use crate::terraform::wire::convert;
use crate::terraform::wire::state::EncodedState;
use crate::terraform::{AnyResource, Diagnostic, Diagnostics, ImportTarget, Outcome, Provider, Walk, proto, summaries};

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
                .map_err(|e| Diagnostic::protocol_error("state", &e))
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
                let summary = summaries::IDENTITY_OF_UNKNOWN_VERSION;
                return Err(unsupported_version(
                    summary,
                    "identity",
                    name,
                    request.version,
                    schema.version(),
                ));
            }
            let ty = schema.object_type();
            let identity = decode_stored_object(&request.type_name, raw_json(request.raw_identity.as_ref()), ty)?;
            convert::encode_identity(Some(identity), ty).map_err(|e| Diagnostic::protocol_error("identity", &e))
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
    pub(super) async fn read_resource(
        &self,
        request: &proto::read_resource::Request,
    ) -> proto::read_resource::Response {
        let token = self.stop.token();
        let prior = EncodedState::from(request);
        let outcome = match self.resource(&request.type_name) {
            Ok(resource) => resource.read(prior, &token).await,
            Err(problem) => Outcome::new(prior, problem),
        };
        outcome.into()
    }

    pub(super) fn plan_resource_change(
        &self,
        request: proto::plan_resource_change::Request,
    ) -> proto::plan_resource_change::Response {
        match self.try_plan_resource_change(&request) {
            // Private data goes through as it came: in a replacement it is the old object's, which its destruction will
            // need.
            Ok(response) => proto::plan_resource_change::Response {
                planned_private: request.prior_private,
                ..response
            },
            Err(problem) => FromDiagnostics::from_diagnostic(problem),
        }
    }

    fn try_plan_resource_change(
        &self,
        request: &proto::plan_resource_change::Request,
    ) -> Result<proto::plan_resource_change::Response, Diagnostic> {
        let resource = self.resource(&request.type_name)?;
        let ty = resource.schema().object_type();
        let prior = EncodedState::from(request);
        let proposed = convert::decode_object(request.proposed_new_state.as_ref(), ty);
        if proposed
            .map_err(|e| Diagnostic::protocol_error("proposed state", &e))?
            .is_none()
        {
            // A destruction needs no plan of ours.
            return Ok(proto::plan_resource_change::Response {
                planned_state: Some(convert::null()),
                planned_identity: resource.unchanged(prior).identity,
                ..Default::default()
            });
        }
        let config = decode_config(request.config.as_ref(), resource.schema())?;
        let plan = resource.plan(&prior, config, walk(request.client_capabilities.as_ref()))?;
        let planned_state = convert::encode_object(Some(plan.planned), ty);
        let planned_identity = convert::encode_identity(plan.identity, resource.identity_schema().object_type());
        Ok(proto::plan_resource_change::Response {
            planned_state: Some(planned_state.map_err(|e| Diagnostic::protocol_error("planned state", &e))?),
            planned_identity: planned_identity.map_err(|e| Diagnostic::protocol_error("identity", &e))?,
            requires_replace: plan.requires_replace.iter().map(Into::into).collect(),
            diagnostics: plan.diagnostics.into(),
            ..Default::default()
        })
    }

    pub(super) async fn apply_resource_change(
        &self,
        request: &proto::apply_resource_change::Request,
    ) -> proto::apply_resource_change::Response {
        let token = self.stop.token();
        let prior = EncodedState::from(request);
        let resource = match self.resource(&request.type_name) {
            Ok(resource) => resource,
            Err(problem) => return Outcome::new(prior, problem).into(),
        };
        let planned = convert::decode_object(request.planned_state.as_ref(), resource.schema().object_type())
            .map_err(|e| Diagnostic::protocol_error("planned state", &e));
        let outcome = match planned {
            Ok(planned) => resource.apply(prior, planned, &token).await,
            Err(problem) => Outcome::new(resource.unchanged(prior), problem),
        };
        outcome.into()
    }

    /// No object of another type can become one of ours. One of our own comes here if it is moved while the provider gets
    /// another source address: it is read as it was stored. OpenTofu asks although no moves are declared.
    pub(super) fn move_resource_state(
        &self,
        request: proto::move_resource_state::Request,
    ) -> proto::move_resource_state::Response {
        let (source, target) = (&request.source_type_name, &request.target_type_name);
        if source != target {
            return FromDiagnostics::from_diagnostic(no_move(source, target));
        }
        let moved = self.resource(target).and_then(|resource| {
            let stored = raw_json(request.source_state.as_ref());
            let state = resource.upgrade(request.source_schema_version, stored)?;
            let moved = EncodedState::encode(state, resource.schema().object_type(), request.source_private)
                .map_err(|e| Diagnostic::protocol_error("state", &e))?;
            Ok(resource.unchanged(moved))
        });
        match moved {
            Ok(moved) => proto::move_resource_state::Response {
                target_state: moved.state,
                target_private: moved.private,
                target_identity: moved.identity,
                diagnostics: Vec::new(),
            },
            Err(problem) => FromDiagnostics::from_diagnostic(problem),
        }
    }

    pub(super) async fn import_resource_state(
        &self,
        request: proto::import_resource_state::Request,
    ) -> proto::import_resource_state::Response {
        let token = self.stop.token();
        let target = self
            .resource(&request.type_name)
            .and_then(|resource| Ok((resource, import_target(&request, resource)?)));
        let Outcome { value, diagnostics } = match target {
            Ok((resource, target)) => resource.import(target, &token).await,
            Err(problem) => Outcome::new(None, problem),
        };
        let imported = value.filter(|_| !diagnostics.has_errors()).map(|imported| {
            proto::import_resource_state::ImportedResource {
                type_name: request.type_name,
                state: imported.state,
                private: imported.private,
                identity: imported.identity,
            }
        });
        proto::import_resource_state::Response {
            imported_resources: imported.into_iter().collect(),
            diagnostics: diagnostics.into(),
            deferred: None,
        }
    }

    /// The configuration of an object in this state; null for none.
    pub(super) fn generate_resource_config(
        &self,
        request: &proto::generate_resource_config::Request,
    ) -> proto::generate_resource_config::Response {
        let generated = self.resource(&request.type_name).and_then(|resource| {
            let schema = resource.schema();
            let state = convert::decode_object(request.state.as_ref(), schema.object_type())
                .map_err(|e| Diagnostic::protocol_error("state", &e))?;
            let config = state.map(|state| schema.configuration_of(state));
            convert::encode_object(config, schema.object_type())
                .map_err(|e| Diagnostic::protocol_error("configuration", &e))
        });
        match generated {
            Ok(config) => proto::generate_resource_config::Response {
                config: Some(config),
                diagnostics: Vec::new(),
            },
            Err(problem) => FromDiagnostics::from_diagnostic(problem),
        }
    }

    /// See [`AnyResource::unchanged`]. An object of a type that this provider does not have is answered just as it
    /// came.
    pub(super) fn unchanged(&self, type_name: &str, prior: EncodedState) -> EncodedState {
        match self.resource(type_name) {
            Ok(resource) => resource.unchanged(prior),
            Err(_) => prior,
        }
    }
}

/// In which walk Terraform asks. Its apply walk always allows a provider to defer changes, and its plan walk does so
/// only as an experiment (`-allow-deferral`). Other engines never do.
fn walk(capabilities: Option<&proto::ClientCapabilities>) -> Walk {
    match capabilities {
        Some(capabilities) if capabilities.deferral_allowed => Walk::Apply,
        _ => Walk::Plan,
    }
}

fn no_move(source: &str, target: &str) -> Diagnostic {
    Diagnostic::error(
        summaries::NO_MOVE,
        format!(
            "A moved block turns a {source} into a {target}, and this provider cannot read the state of the one as that of \
             the other. Take the old one out of state with a removed block (lifecycle {{ destroy = false }}) in place of the \
             moved block, and take what the {target} shall manage over with an import block."
        ),
    )
}

fn import_target(
    request: &proto::import_resource_state::Request,
    resource: &Arc<dyn AnyResource>,
) -> Result<ImportTarget, Diagnostic> {
    let identity = convert::decode_identity(request.identity.as_ref(), resource.identity_schema().object_type())
        .map_err(|e| Diagnostic::protocol_error("identity", &e))?;
    Ok(match identity {
        Some(identity) => ImportTarget::Identity(identity),
        None => ImportTarget::Id(request.id.clone()),
    })
}

fn raw_json(raw: Option<&proto::RawState>) -> &[u8] {
    raw.map_or(&[], |raw| &raw.json)
}
