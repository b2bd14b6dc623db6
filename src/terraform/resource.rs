//! What a managed resource implements, and the same without its types.

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use super::model::decode_model;
use super::private::{self, PrivateDataError, UnrecognizedMembers};
use super::upgrade::{self, EarlierVersion};
use super::{
    Diagnostic, Diagnostics, IdentitySchema, Model, Object, Outcome, Path, Plan, Proposal, Schema, Stored, Walk,
};

/// A managed resource over a typed model.
///
/// `stop` is cancelled when the user interrupts: no new call may start then and waits end at once, but a change already
/// sent is given its answer, and whatever came back is returned as usual.
#[async_trait]
pub trait Resource: Send + Sync + 'static {
    /// Configuration, plan and state of it.
    type Model: Model;
    /// The provider's own data beside the state; kept by Terraform, never shown. A struct, stored as a JSON object beside
    /// its version, in which no member is named `version`. Members that are missing in what is stored take their default.
    type Private: Serialize + DeserializeOwned + Default + Clone + Send + Sync + 'static;

    /// The full name, such as `heygen_webhook_endpoint`.
    fn type_name(&self) -> &'static str;

    /// The schema of [`Self::Model`]: one for the life of the process, built when it is first needed.
    fn schema(&self) -> &'static Schema;

    /// The schema of what [`Self::identity`] answers.
    fn identity_schema(&self) -> &'static IdentitySchema;

    /// The identity of the object in this state; none while it is not known. It never changes for one object.
    fn identity(&self, state: &Self::Model) -> Option<Object>;

    /// Checks a configuration; anything in it may be unknown. Called on an unconfigured provider too. Who may set what is
    /// checked already, by the schema.
    fn validate(&self, config: &Self::Model) -> Diagnostics;

    /// Plans a change. Pure: the same proposal gives the same plan, without a call, a clock or chance. Terraform asks
    /// again during apply, with what was unknown now known, and holds the answers against each other: what was known
    /// stays as it was.
    fn plan(&self, proposal: Proposal<Self::Model, Self::Private>) -> Plan<Self::Model>;

    /// Reads the object anew. `None` says that it is gone for certain; on an error, answer the state as it was.
    async fn read(
        &self,
        stored: Stored<Self::Model, Self::Private>,
        stop: &CancellationToken,
    ) -> Outcome<Option<Stored<Self::Model, Self::Private>>>;

    /// Creates the object. A state beside an error is saved as tainted; `None` saves nothing, so anything that may exist
    /// must be in the state, or named in the error.
    async fn create(
        &self,
        planned: Self::Model,
        stop: &CancellationToken,
    ) -> Outcome<Option<Stored<Self::Model, Self::Private>>>;

    /// Brings the object from its state to the plan. Answers what is true afterwards: beside an error, the steps done
    /// and the prior values of the steps not done.
    async fn update(
        &self,
        prior: Stored<Self::Model, Self::Private>,
        planned: Self::Model,
        stop: &CancellationToken,
    ) -> Outcome<Stored<Self::Model, Self::Private>>;

    /// Deletes the object. An error keeps it in state.
    async fn delete(&self, prior: Stored<Self::Model, Self::Private>, stop: &CancellationToken) -> Diagnostics;

    /// Takes an existing object over. Terraform reads it right after.
    async fn import(
        &self,
        target: ImportTarget,
        stop: &CancellationToken,
    ) -> Outcome<Option<Stored<Self::Model, Self::Private>>>;

    /// The schema versions that came before the present one.
    fn earlier_versions(&self) -> Vec<EarlierVersion<Self::Model>> {
        Vec::new()
    }

    /// What it means for the user to lose [`Self::Private`], in whole sentences.
    fn loss_of_private_data(&self) -> &'static str;
}

/// What the user asked to import.
#[derive(Clone, Debug, PartialEq)]
pub enum ImportTarget {
    /// By the ID string of `terraform import` or an import block.
    Id(String),
    /// By identity, complete and known.
    Identity(Object),
}

/// An object in state without its types: the private data is as stored, the identity beside it.
#[derive(Clone, Debug, Default)]
pub struct AnyStored {
    /// The state, or nothing.
    pub state: Option<Object>,
    /// The private data, as stored.
    pub private: Vec<u8>,
    /// The identity, where known.
    pub identity: Option<Object>,
}

/// A plan without its types.
#[derive(Clone, Debug)]
pub struct AnyPlan {
    /// The state to be.
    pub planned: Object,
    /// See [`Plan::requires_replace`].
    pub requires_replace: Vec<Path>,
    /// See [`Plan::diagnostics`].
    pub diagnostics: Diagnostics,
}

/// A [`Resource`] without its types, as the service holds them. Implemented for every [`Resource`].
#[async_trait]
pub trait AnyResource: Send + Sync {
    /// See [`Resource::type_name`].
    fn type_name(&self) -> &'static str;
    /// See [`Resource::schema`].
    fn schema(&self) -> &'static Schema;
    /// See [`Resource::identity_schema`].
    fn identity_schema(&self) -> &'static IdentitySchema;
    /// See [`Resource::validate`].
    fn validate(&self, config: Object) -> Diagnostics;
    /// See [`Resource::identity`]; none for a state that does not fit the model.
    fn identity(&self, state: &Object) -> Option<Object>;
    /// Reads a stored state, JSON of this schema version, and brings it to the present one.
    fn upgrade(&self, version: i64, stored: &[u8]) -> Result<Object, Diagnostic>;
    /// See [`Resource::plan`]; a `prior` without state is a creation.
    fn plan(&self, prior: AnyStored, config: Object, walk: Walk) -> Result<AnyPlan, Diagnostic>;
    /// See [`Resource::read`].
    async fn read(&self, prior: AnyStored, stop: &CancellationToken) -> Outcome<AnyStored>;
    /// Sorts into create, update and delete, once; `planned` of `None` is a deletion.
    async fn apply(&self, prior: AnyStored, planned: Option<Object>, stop: &CancellationToken) -> Outcome<AnyStored>;
    /// See [`Resource::import`].
    async fn import(&self, target: ImportTarget, stop: &CancellationToken) -> Outcome<AnyStored>;
}

#[async_trait]
impl<R: Resource> AnyResource for R {
    fn type_name(&self) -> &'static str {
        Resource::type_name(self)
    }

    fn schema(&self) -> &'static Schema {
        Resource::schema(self)
    }

    fn identity_schema(&self) -> &'static IdentitySchema {
        Resource::identity_schema(self)
    }

    fn validate(&self, config: Object) -> Diagnostics {
        let mut diagnostics = Resource::schema(self).check_configuration(&config);
        match decode_model(config) {
            Ok(config) => diagnostics.extend(Resource::validate(self, &config)),
            Err(mismatch) => diagnostics.push(mismatch),
        }
        diagnostics
    }

    fn identity(&self, state: &Object) -> Option<Object> {
        let state = decode_model(state.clone()).ok()?;
        Resource::identity(self, &state)
    }

    fn upgrade(&self, version: i64, stored: &[u8]) -> Result<Object, Diagnostic> {
        let schema = Resource::schema(self);
        let earlier = || Resource::earlier_versions(self);
        upgrade::upgrade_state(Resource::type_name(self), schema, earlier, version, stored)
    }

    fn plan(&self, prior: AnyStored, config: Object, walk: Walk) -> Result<AnyPlan, Diagnostic> {
        let config = decode_model(config)?;
        let proposal = match decode_stored(self, &prior)? {
            Some(DecodedState { stored: prior, .. }) => Proposal::Update { prior, config, walk },
            None => Proposal::Create { config },
        };
        let plan = Resource::plan(self, proposal);
        Ok(AnyPlan {
            planned: plan.planned.into_object(),
            requires_replace: plan.requires_replace,
            diagnostics: plan.diagnostics,
        })
    }

    async fn read(&self, prior: AnyStored, stop: &CancellationToken) -> Outcome<AnyStored> {
        match decode_stored(self, &prior) {
            Ok(Some(DecodedState { stored, unrecognized })) => {
                encode_outcome(self, &prior, unrecognized, Resource::read(self, stored, stop).await)
            }
            Ok(None) => Outcome::ok(prior),
            Err(problem) => Outcome::new(prior, problem),
        }
    }

    async fn apply(&self, prior: AnyStored, planned: Option<Object>, stop: &CancellationToken) -> Outcome<AnyStored> {
        let applied = match planned {
            None => delete(self, &prior, stop).await,
            Some(planned) => create_or_update(self, &prior, planned, stop).await,
        };
        applied.unwrap_or_else(|problem| Outcome::new(prior, problem))
    }

    async fn import(&self, target: ImportTarget, stop: &CancellationToken) -> Outcome<AnyStored> {
        let imported = Resource::import(self, target, stop).await;
        encode_outcome(self, &AnyStored::default(), UnrecognizedMembers::default(), imported)
    }
}

type StoredOf<R> = Stored<<R as Resource>::Model, <R as Resource>::Private>;

/// An object in state, decoded.
struct DecodedState<R: Resource> {
    stored: StoredOf<R>,
    unrecognized: UnrecognizedMembers,
}

/// Creates the object where there is none, and else updates it.
async fn create_or_update<R: Resource>(
    resource: &R,
    prior: &AnyStored,
    planned: Object,
    stop: &CancellationToken,
) -> Result<Outcome<AnyStored>, Diagnostic> {
    let planned = decode_model(planned)?;
    let Some(DecodedState { stored, unrecognized }) = decode_stored(resource, prior)? else {
        // The private data of a replaced object arrives here too; it is not the new one's.
        let created = Resource::create(resource, planned, stop).await;
        return Ok(encode_outcome(
            resource,
            &AnyStored::default(),
            UnrecognizedMembers::default(),
            created,
        ));
    };
    let Outcome { value, diagnostics } = Resource::update(resource, stored, planned, stop).await;
    Ok(encode_outcome(
        resource,
        prior,
        unrecognized,
        Outcome::new(Some(value), diagnostics),
    ))
}

/// Deletes the object, if there is one. What cannot be read of its private data is no obstacle.
async fn delete<R: Resource>(
    resource: &R,
    prior: &AnyStored,
    stop: &CancellationToken,
) -> Result<Outcome<AnyStored>, Diagnostic> {
    let Some(object) = prior.state.clone() else {
        return Ok(Outcome::ok(AnyStored::default()));
    };
    let (private, _) = private::decode(&prior.private).unwrap_or_default();
    let state = decode_model(object)?;
    let diagnostics = Resource::delete(resource, Stored { state, private }, stop).await;
    let kept = if diagnostics.has_errors() {
        prior.clone()
    } else {
        AnyStored::default()
    };
    Ok(Outcome::new(kept, diagnostics))
}

/// Encodes what a resource answered, and holds it to what every answer must keep: no unknown value, one identity. An
/// answer with an error says already what is wrong.
fn encode_outcome<R: Resource>(
    resource: &R,
    prior: &AnyStored,
    unrecognized: UnrecognizedMembers,
    outcome: Outcome<Option<StoredOf<R>>>,
) -> Outcome<AnyStored> {
    let Outcome { value, mut diagnostics } = outcome;
    let Some(Stored { mut state, private }) = value else {
        let gone = AnyStored {
            identity: prior.identity.clone(),
            ..AnyStored::default()
        };
        return Outcome::new(gone, diagnostics);
    };
    let unknown = state.null_unknowns();
    let identity = Resource::identity(resource, &state);
    if !diagnostics.has_errors() {
        let mistake = |did: &str| Diagnostic::provider_bug(Resource::type_name(resource), did);
        if !unknown.is_empty() {
            diagnostics.push(mistake(&format!("left {} unknown", unknown.join(", "))));
        }
        if prior.identity.is_some() && identity.is_some() && prior.identity != identity {
            diagnostics.push(mistake("changed the object's identity"));
        }
    }
    let stored = AnyStored {
        state: Some(state.into_object()),
        private: private::encode(&private, unrecognized).unwrap_or_else(|| prior.private.clone()),
        identity: prior.identity.clone().or(identity),
    };
    Outcome::new(stored, diagnostics)
}

/// Decodes what Terraform has stored; `None` where that is nothing.
fn decode_stored<R: Resource>(resource: &R, any: &AnyStored) -> Result<Option<DecodedState<R>>, Diagnostic> {
    let Some(object) = any.state.clone() else {
        return Ok(None);
    };
    let state = decode_model(object)?;
    let (private, unrecognized) = private::decode(&any.private).map_err(|why| private_data_error(resource, why))?;
    Ok(Some(DecodedState {
        stored: Stored { state, private },
        unrecognized,
    }))
}

fn private_data_error<R: Resource>(resource: &R, why: PrivateDataError) -> Diagnostic {
    let type_name = Resource::type_name(resource);
    match why {
        PrivateDataError::NewerVersion(version) => Diagnostic::error(
            "Private data of a newer provider",
            format!(
                "What a provider has stored beside the state of this {type_name} has version {version}, and this provider \
                 knows version {}. A newer provider has written it: use that one, or newer.",
                PrivateDataError::SUPPORTED_VERSION
            ),
        ),
        PrivateDataError::Malformed(why) => Diagnostic::error(
            "The private data in state cannot be read",
            format!(
                "What the provider has stored beside the state of this {type_name} cannot be used: {why}. Restore a backup \
                 of the state (terraform.tfstate.backup beside a local state, an earlier version in a backend). {} Only if \
                 there is no backup: remove the resource from state (terraform state rm) and import it again.",
                resource.loss_of_private_data()
            ),
        ),
    }
}
