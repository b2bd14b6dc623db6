//! The calls core makes, with values on one side and messages on the other.

use terraform_provider_heygen::terraform::proto::{self, provider_client::ProviderClient};
use tonic::transport::Channel;

use super::msgpack;
use super::report::{Findings, Rule, path_of};
use super::schema::Resource;
use super::types::Type;
use super::value::{Path, Value};

/// What the model tells providers it is.
const TERRAFORM_VERSION: &str = "1.15.5";

/// A resource type: its name, and its schema.
#[derive(Clone, Copy)]
pub(crate) struct Kind<'a> {
    pub(crate) name: &'a str,
    pub(crate) schema: &'a Resource,
}

impl Kind<'_> {
    pub(crate) fn object_type(&self) -> Type {
        self.schema.block.object_type()
    }

    pub(crate) fn identity_version(&self) -> i64 {
        self.schema.identity.as_ref().map_or(0, |identity| identity.version)
    }
}

/// In which of its two walks core asks for a plan. It announces other capabilities in each.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Walk {
    Plan,
    Apply,
}

pub(crate) struct PlanQuestion<'a> {
    pub(crate) walk: Walk,
    pub(crate) prior: &'a Value,
    pub(crate) proposed: &'a Value,
    pub(crate) config: &'a Value,
    pub(crate) prior_private: &'a [u8],
    pub(crate) prior_identity: Option<&'a Value>,
    /// What the first plan said, when the apply walk asks again.
    pub(crate) planned_private: &'a [u8],
}

pub(crate) struct PlanAnswer {
    pub(crate) planned: Value,
    pub(crate) requires_replace: Vec<Path>,
    pub(crate) private: Vec<u8>,
    pub(crate) identity: Option<Value>,
}

pub(crate) struct ApplyQuestion<'a> {
    pub(crate) prior: &'a Value,
    pub(crate) planned: &'a Value,
    pub(crate) config: &'a Value,
    pub(crate) planned_private: &'a [u8],
    pub(crate) planned_identity: Option<&'a Value>,
}

/// What is left of an answer to an apply, which core has to make do with whatever it is.
#[derive(Default)]
pub(crate) struct ApplyAnswer {
    /// `None` where there was no answer, or none that can be read.
    pub(crate) state: Option<Value>,
    pub(crate) private: Vec<u8>,
    pub(crate) identity: Option<Value>,
}

pub(crate) struct ReadAnswer {
    pub(crate) state: Value,
    pub(crate) private: Vec<u8>,
    pub(crate) identity: Option<Value>,
}

#[derive(Clone, Debug)]
pub(crate) struct Wire {
    client: ProviderClient<Channel>,
    announces_deferral: bool,
}

impl Wire {
    pub(crate) fn new(client: ProviderClient<Channel>) -> Self {
        Self {
            client: client
                .max_decoding_message_size(usize::MAX)
                .max_encoding_message_size(usize::MAX),
            announces_deferral: true,
        }
    }

    /// The same, without the one sign by which a provider can tell the walks apart.
    pub(crate) fn without_deferral(self) -> Self {
        Self {
            announces_deferral: false,
            ..self
        }
    }

    fn capabilities(&self, walk: Walk) -> proto::ClientCapabilities {
        proto::ClientCapabilities {
            // Announced in every apply walk, and no licence to defer there.
            deferral_allowed: self.announces_deferral && walk == Walk::Apply,
            write_only_attributes_allowed: true,
            store_planned_private: true,
            computed_blocks_allowed: true,
        }
    }

    /// Both schema calls, as core makes them one after the other.
    pub(crate) async fn schemas(
        &self,
        findings: &mut Findings,
    ) -> Option<(
        proto::get_provider_schema::Response,
        proto::get_resource_identity_schemas::Response,
    )> {
        let mut client = self.client.clone();
        let request = proto::get_provider_schema::Request {};
        let mut schemas = received(client.get_provider_schema(request).await, findings)?;
        findings.diagnose(&Type::Object([].into()), std::mem::take(&mut schemas.diagnostics));
        let request = proto::get_resource_identity_schemas::Request {};
        let mut identities = match client.get_resource_identity_schemas(request).await {
            // The one call a provider may lack.
            Err(status) if status.code() == tonic::Code::Unimplemented => {
                proto::get_resource_identity_schemas::Response::default()
            }
            answer => received(answer, findings)?,
        };
        findings.diagnose(&Type::Object([].into()), std::mem::take(&mut identities.diagnostics));
        Some((schemas, identities))
    }

    pub(crate) async fn validate_provider(&self, ty: &Type, config: &Value, findings: &mut Findings) {
        let request = proto::validate_provider_config::Request {
            config: Some(dynamic(config, ty)),
        };
        let answer = self.client.clone().validate_provider_config(request).await;
        if let Some(answer) = received(answer, findings) {
            findings.diagnose(ty, answer.diagnostics);
        }
    }

    pub(crate) async fn configure(&self, ty: &Type, config: &Value, findings: &mut Findings) {
        let request = proto::configure_provider::Request {
            terraform_version: TERRAFORM_VERSION.to_owned(),
            config: Some(dynamic(config, ty)),
            client_capabilities: Some(self.capabilities(Walk::Plan)),
        };
        let answer = self.client.clone().configure_provider(request).await;
        if let Some(answer) = received(answer, findings) {
            findings.diagnose(ty, answer.diagnostics);
        }
    }

    pub(crate) async fn validate(&self, kind: Kind<'_>, walk: Walk, config: &Value, findings: &mut Findings) {
        let ty = kind.object_type();
        let request = proto::validate_resource_config::Request {
            type_name: kind.name.to_owned(),
            config: Some(dynamic(config, &ty)),
            client_capabilities: Some(self.capabilities(walk)),
        };
        let answer = self.client.clone().validate_resource_config(request).await;
        if let Some(answer) = received(answer, findings) {
            findings.diagnose(&ty, answer.diagnostics);
        }
    }

    pub(crate) async fn upgrade(
        &self,
        kind: Kind<'_>,
        version: i64,
        json: Vec<u8>,
        findings: &mut Findings,
    ) -> Option<Value> {
        let ty = kind.object_type();
        let request = proto::upgrade_resource_state::Request {
            type_name: kind.name.to_owned(),
            version,
            raw_state: Some(proto::RawState {
                json,
                flatmap: [].into(),
            }),
        };
        let answer = received(self.client.clone().upgrade_resource_state(request).await, findings)?;
        findings.diagnose(&ty, answer.diagnostics);
        value(answer.upgraded_state, &ty, findings)
    }

    pub(crate) async fn upgrade_identity(
        &self,
        kind: Kind<'_>,
        version: i64,
        json: Vec<u8>,
        findings: &mut Findings,
    ) -> Option<Value> {
        let request = proto::upgrade_resource_identity::Request {
            type_name: kind.name.to_owned(),
            version,
            raw_identity: Some(proto::RawState {
                json,
                flatmap: [].into(),
            }),
        };
        let answer = received(self.client.clone().upgrade_resource_identity(request).await, findings)?;
        findings.diagnose(&Type::Object([].into()), answer.diagnostics);
        identity(answer.upgraded_identity, kind, findings)?
    }

    pub(crate) async fn read(
        &self,
        kind: Kind<'_>,
        state: &Value,
        private: &[u8],
        current: Option<&Value>,
        findings: &mut Findings,
    ) -> Option<ReadAnswer> {
        let ty = kind.object_type();
        let request = proto::read_resource::Request {
            type_name: kind.name.to_owned(),
            current_state: Some(dynamic(state, &ty)),
            private: private.to_vec(),
            provider_meta: None,
            client_capabilities: Some(self.capabilities(Walk::Plan)),
            current_identity: identity_message(current, kind),
        };
        let answer = received(self.client.clone().read_resource(request).await, findings)?;
        findings.diagnose(&ty, answer.diagnostics);
        refuse_deferral(answer.deferred.as_ref(), findings)?;
        Some(ReadAnswer {
            state: value(answer.new_state, &ty, findings)?,
            private: answer.private,
            identity: identity(answer.new_identity, kind, findings)?,
        })
    }

    pub(crate) async fn plan(
        &self,
        kind: Kind<'_>,
        question: PlanQuestion<'_>,
        findings: &mut Findings,
    ) -> Option<PlanAnswer> {
        let ty = kind.object_type();
        let request = proto::plan_resource_change::Request {
            type_name: kind.name.to_owned(),
            prior_state: Some(dynamic(question.prior, &ty)),
            proposed_new_state: Some(dynamic(question.proposed, &ty)),
            config: Some(dynamic(question.config, &ty)),
            prior_private: question.prior_private.to_vec(),
            provider_meta: None,
            client_capabilities: Some(self.capabilities(question.walk)),
            prior_identity: identity_message(question.prior_identity, kind),
            planned_private: question.planned_private.to_vec(),
        };
        let answer = received(self.client.clone().plan_resource_change(request).await, findings)?;
        findings.diagnose(&ty, answer.diagnostics);
        if answer.legacy_type_system {
            findings.violate(Rule::Form, &Path::root(), "the plan claims the legacy type system");
        }
        refuse_deferral(answer.deferred.as_ref(), findings)?;
        Some(PlanAnswer {
            planned: value(answer.planned_state, &ty, findings)?,
            requires_replace: answer.requires_replace.iter().map(path_of).collect(),
            private: answer.planned_private,
            identity: identity(answer.planned_identity, kind, findings)?,
        })
    }

    pub(crate) async fn apply(
        &self,
        kind: Kind<'_>,
        question: ApplyQuestion<'_>,
        findings: &mut Findings,
    ) -> ApplyAnswer {
        let ty = kind.object_type();
        let request = proto::apply_resource_change::Request {
            type_name: kind.name.to_owned(),
            prior_state: Some(dynamic(question.prior, &ty)),
            planned_state: Some(dynamic(question.planned, &ty)),
            config: Some(dynamic(question.config, &ty)),
            planned_private: question.planned_private.to_vec(),
            provider_meta: None,
            planned_identity: identity_message(question.planned_identity, kind),
        };
        let Some(answer) = received(self.client.clone().apply_resource_change(request).await, findings) else {
            return ApplyAnswer::default();
        };
        findings.diagnose(&ty, answer.diagnostics);
        if answer.legacy_type_system {
            findings.violate(Rule::Form, &Path::root(), "the result claims the legacy type system");
        }
        let state = value(answer.new_state, &ty, findings);
        // Core reads the parts in this order, and stops at the first it cannot read.
        let identity = state
            .as_ref()
            .and_then(|_| identity(answer.new_identity, kind, findings))
            .flatten();
        ApplyAnswer {
            state,
            private: answer.private,
            identity,
        }
    }

    pub(crate) async fn import(
        &self,
        kind: Kind<'_>,
        id: &str,
        by_identity: Option<&Value>,
        findings: &mut Findings,
    ) -> Option<Vec<(String, ReadAnswer)>> {
        let ty = kind.object_type();
        let request = proto::import_resource_state::Request {
            type_name: kind.name.to_owned(),
            id: id.to_owned(),
            client_capabilities: Some(self.capabilities(Walk::Plan)),
            identity: identity_message(by_identity, kind),
        };
        let answer = received(self.client.clone().import_resource_state(request).await, findings)?;
        findings.diagnose(&Type::Object([].into()), answer.diagnostics);
        refuse_deferral(answer.deferred.as_ref(), findings)?;
        let mut imported = Vec::new();
        for resource in answer.imported_resources {
            let read = ReadAnswer {
                state: value(resource.state, &ty, findings)?,
                private: resource.private,
                identity: identity(resource.identity, kind, findings)?,
            };
            imported.push((resource.type_name, read));
        }
        Some(imported)
    }

    /// The provider's complaint about being stopped; empty in good order.
    pub(crate) async fn stop(&self) -> Result<String, tonic::Status> {
        let answer = self
            .client
            .clone()
            .stop_provider(proto::stop_provider::Request {})
            .await?;
        Ok(answer.into_inner().error)
    }
}

fn received<T>(answer: Result<tonic::Response<T>, tonic::Status>, findings: &mut Findings) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer.into_inner()),
        Err(status) => {
            let problem = format!("gRPC status {:?}: {}", status.code(), status.message());
            findings.violate(Rule::Rpc, &Path::root(), problem);
            None
        }
    }
}

fn dynamic(value: &Value, ty: &Type) -> proto::DynamicValue {
    proto::DynamicValue {
        msgpack: msgpack::encode(value, ty),
        json: Vec::new(),
    }
}

/// Reads a value; an absent or empty one is null.
fn value(message: Option<proto::DynamicValue>, ty: &Type, findings: &mut Findings) -> Option<Value> {
    let message = message.unwrap_or_default();
    if message.msgpack.is_empty() {
        if message.json.is_empty() {
            return Some(Value::Null);
        }
        findings.violate(Rule::Undecodable, &Path::root(), "an answer in JSON is not modelled");
        return None;
    }
    msgpack::decode(&message.msgpack, ty)
        .map_err(|error| findings.violate(Rule::Undecodable, &error.path, error.problem))
        .ok()
}

fn identity_message(identity: Option<&Value>, kind: Kind<'_>) -> Option<proto::ResourceIdentityData> {
    let identity = identity?;
    let schema = kind
        .schema
        .identity
        .as_ref()
        .expect("an identity is held only where there is a schema");
    Some(proto::ResourceIdentityData {
        identity_data: Some(dynamic(identity, &schema.object_type())),
    })
}

/// Reads an identity: `Some(None)` where there is none, `None` where it cannot be read.
#[expect(clippy::option_option, reason = "absent and unreadable are two things")]
fn identity(
    message: Option<proto::ResourceIdentityData>,
    kind: Kind<'_>,
    findings: &mut Findings,
) -> Option<Option<Value>> {
    let Some(data) = message.and_then(|message| message.identity_data) else {
        return Some(None);
    };
    let Some(schema) = &kind.schema.identity else {
        findings.violate(Rule::Identity, &Path::root(), "an identity without an identity schema");
        return None;
    };
    let identity = value(Some(data), &schema.object_type(), findings)?;
    Some((!identity.is_null()).then_some(identity))
}

fn refuse_deferral(deferred: Option<&proto::Deferred>, findings: &mut Findings) -> Option<()> {
    let Some(deferred) = deferred else {
        return Some(());
    };
    findings.violate(
        Rule::Deferral,
        &Path::root(),
        format!("deferred for {:?}", deferred.reason()),
    );
    None
}
