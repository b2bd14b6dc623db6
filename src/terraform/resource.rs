//! What a managed resource implements, and the same without its types.

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use super::model::decode_model;
use super::private::{self, PrivateDataError};
use super::upgrade::{self, EarlierVersion};
use super::wire::state::EncodedState;
use super::{
    Diagnostic, Diagnostics, IdentitySchema, Model, Object, Outcome, Path, Plan, Proposal, Schema, Stored, Walk,
    summaries,
};

/// A managed resource over a typed model.
///
/// `stop` is cancelled when the user interrupts: no new call may start then and waits end at once, but a change already
/// sent is given its answer, and whatever came back is returned as usual.
#[async_trait]
pub trait Resource: Send + Sync + 'static {
    /// Configuration, plan and state of it.
    type Model: Model;
    /// The provider's own data beside the state; kept by Terraform, never shown. A struct, stored as a JSON object
    /// beside its version, in which no member is named `version`. Members that are missing in what is stored take their
    /// default.
    type Private: Serialize + DeserializeOwned + Default + Clone + Send + Sync + 'static;

    /// The full name, such as `heygen_webhook_endpoint`.
    fn type_name(&self) -> &'static str;

    /// The schema of [`Self::Model`]: one for the life of the process, built when it is first needed.
    fn schema(&self) -> &'static Schema;

    /// The schema of what [`Self::identity`] answers.
    fn identity_schema(&self) -> &'static IdentitySchema;

    /// The identity of the object in this state; none while it is not known. It never changes for one object.
    fn identity(&self, state: &Self::Model) -> Option<Object>;

    /// Checks a configuration; anything in it may be unknown. Called on an unconfigured provider too. Who may set what
    /// is checked already, by the schema.
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

    /// Creates the object. A state beside an error is saved as tainted; `None` saves nothing, so anything that may
    /// exist must be in the state, or named in the error.
    async fn create(
        &self,
        planned: Self::Model,
        stop: &CancellationToken,
    ) -> Outcome<Option<Stored<Self::Model, Self::Private>>>;

    /// Brings the object from its state to the plan. Returns what is true afterwards: beside an error, the new values
    /// of the steps that are done, and the prior values of those that are not.
    async fn update(
        &self,
        prior: Stored<Self::Model, Self::Private>,
        planned: Self::Model,
        stop: &CancellationToken,
    ) -> Outcome<Stored<Self::Model, Self::Private>>;

    /// Deletes the object. An error keeps it in state.
    async fn delete(&self, prior: Stored<Self::Model, Self::Private>, stop: &CancellationToken) -> Diagnostics;

    /// Imports an existing object. Terraform reads it right after.
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

/// A plan without its types.
#[derive(Clone, Debug)]
pub struct AnyPlan {
    /// The state to be.
    pub planned: Object,
    /// The identity of the object; none where the plan creates it.
    pub identity: Option<Object>,
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
    /// Reads a stored state, JSON of this schema version, and brings it to the present one.
    fn upgrade(&self, version: i64, stored: &[u8]) -> Result<Object, Diagnostic>;
    /// The object as it came, with its identity, as far as both can be read: what a call answers that has failed.
    fn unchanged(&self, prior: EncodedState) -> EncodedState;
    /// See [`Resource::plan`]; a `prior` without state is a creation.
    fn plan(&self, prior: &EncodedState, config: Object, walk: Walk) -> Result<AnyPlan, Diagnostic>;
    /// See [`Resource::read`].
    async fn read(&self, prior: EncodedState, stop: &CancellationToken) -> Outcome<EncodedState>;
    /// Calls [`Resource::create`], [`Resource::update`] or [`Resource::delete`]. A `planned` of `None` is a deletion.
    async fn apply(
        &self,
        prior: EncodedState,
        planned: Option<Object>,
        stop: &CancellationToken,
    ) -> Outcome<EncodedState>;
    /// See [`Resource::import`].
    async fn import(&self, target: ImportTarget, stop: &CancellationToken) -> Outcome<Option<EncodedState>>;
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

    fn upgrade(&self, version: i64, stored: &[u8]) -> Result<Object, Diagnostic> {
        let schema = Resource::schema(self);
        let earlier = || Resource::earlier_versions(self);
        upgrade::upgrade_state(Resource::type_name(self), schema, earlier, version, stored)
    }

    fn unchanged(&self, prior: EncodedState) -> EncodedState {
        let identified =
            decode_state(self, &prior).and_then(|(_, identity)| with_identity(self, prior.clone(), identity));
        identified.unwrap_or(prior)
    }

    fn plan(&self, prior: &EncodedState, config: Object, walk: Walk) -> Result<AnyPlan, Diagnostic> {
        let config = decode_model(config)?;
        let (proposal, identity) = match decode_stored(self, prior)? {
            Some((prior, identity)) => (Proposal::Update { prior, config, walk }, identity),
            // In a replacement Terraform passes the old object's identity, which is not the new one's.
            None => (Proposal::Create { config }, None),
        };
        let plan = Resource::plan(self, proposal);
        Ok(AnyPlan {
            planned: plan.planned.into_object(),
            identity,
            requires_replace: plan.requires_replace,
            diagnostics: plan.diagnostics,
        })
    }

    async fn read(&self, prior: EncodedState, stop: &CancellationToken) -> Outcome<EncodedState> {
        match read(self, &prior, stop).await {
            Ok(outcome) => outcome,
            Err(problem) => Outcome::new(self.unchanged(prior), problem),
        }
    }

    async fn apply(
        &self,
        prior: EncodedState,
        planned: Option<Object>,
        stop: &CancellationToken,
    ) -> Outcome<EncodedState> {
        let applied = match planned {
            None => delete(self, &prior, stop).await,
            Some(planned) => create_or_update(self, &prior, planned, stop).await,
        };
        match applied {
            Ok(outcome) => outcome,
            Err(problem) => Outcome::new(self.unchanged(prior), problem),
        }
    }

    async fn import(&self, target: ImportTarget, stop: &CancellationToken) -> Outcome<Option<EncodedState>> {
        let Outcome { value, mut diagnostics } = Resource::import(self, target, stop).await;
        let Some(stored) = value else {
            return Outcome::new(None, diagnostics);
        };
        match encode_stored(self, stored, &EncodedState::null(), None, &mut diagnostics) {
            Ok(encoded) => Outcome::new(Some(encoded), diagnostics),
            Err(problem) => Outcome::new(None, problem),
        }
    }
}

type StoredOf<R> = Stored<<R as Resource>::Model, <R as Resource>::Private>;

/// Something of an object, and the object's identity where it is known.
type WithIdentity<T> = (T, Option<Object>);

async fn read<R: Resource>(
    resource: &R,
    prior: &EncodedState,
    stop: &CancellationToken,
) -> Result<Outcome<EncodedState>, Diagnostic> {
    let Some((stored, identity)) = decode_stored(resource, prior)? else {
        return Ok(Outcome::ok(prior.clone()));
    };
    let outcome = Resource::read(resource, stored, stop).await;
    encode_outcome(resource, outcome, prior, identity)
}

/// Creates the object where there is none, and else updates it.
async fn create_or_update<R: Resource>(
    resource: &R,
    prior: &EncodedState,
    planned: Object,
    stop: &CancellationToken,
) -> Result<Outcome<EncodedState>, Diagnostic> {
    let planned = decode_model(planned)?;
    let Some((stored, identity)) = decode_stored(resource, prior)? else {
        // The private data of a replaced object arrives here too; it is not the new one's.
        let created = Resource::create(resource, planned, stop).await;
        return encode_outcome(resource, created, &EncodedState::null(), None);
    };
    let Outcome { value, diagnostics } = Resource::update(resource, stored, planned, stop).await;
    encode_outcome(resource, Outcome::new(Some(value), diagnostics), prior, identity)
}

/// Deletes the object, if there is one, also where its private data cannot be read.
async fn delete<R: Resource>(
    resource: &R,
    prior: &EncodedState,
    stop: &CancellationToken,
) -> Result<Outcome<EncodedState>, Diagnostic> {
    let (Some(state), _) = decode_state(resource, prior)? else {
        return Ok(Outcome::ok(EncodedState::null()));
    };
    let private = private::decode(&prior.private).unwrap_or_default();
    let diagnostics = Resource::delete(resource, Stored { state, private }, stop).await;
    let left = if diagnostics.has_errors() {
        resource.unchanged(prior.clone())
    } else {
        EncodedState::null()
    };
    Ok(Outcome::new(left, diagnostics))
}

/// Decodes an object and its identity; `None` where there is no object.
fn decode_stored<R: Resource>(
    resource: &R,
    encoded: &EncodedState,
) -> Result<Option<WithIdentity<StoredOf<R>>>, Diagnostic> {
    let (Some(state), identity) = decode_state(resource, encoded)? else {
        return Ok(None);
    };
    let private = private::decode(&encoded.private).map_err(|error| private_data_error(resource, error))?;
    Ok(Some((Stored { state, private }, identity)))
}

/// Decodes a state and its identity. Terraform passes no identity where an engine without identities has written the
/// state, or an object is destroyed: then the identity is made from the state.
fn decode_state<R: Resource>(
    resource: &R,
    encoded: &EncodedState,
) -> Result<WithIdentity<Option<R::Model>>, Diagnostic> {
    let state = encoded
        .decode_state(Resource::schema(resource).object_type())
        .map_err(|error| Diagnostic::protocol_error("state", &error))?;
    let identity = encoded
        .decode_identity(Resource::identity_schema(resource).object_type())
        .map_err(|error| Diagnostic::protocol_error("identity", &error))?;
    let state = state.map(decode_model).transpose()?;
    let identity = identity.or_else(|| Resource::identity(resource, state.as_ref()?));
    Ok((state, identity))
}

/// Encodes what became of the object `prior`, which has this identity, where that is known.
fn encode_outcome<R: Resource>(
    resource: &R,
    outcome: Outcome<Option<StoredOf<R>>>,
    prior: &EncodedState,
    identity: Option<Object>,
) -> Result<Outcome<EncodedState>, Diagnostic> {
    let Outcome { value, mut diagnostics } = outcome;
    let encoded = match value {
        Some(stored) => encode_stored(resource, stored, prior, identity, &mut diagnostics)?,
        None => with_identity(resource, EncodedState::null(), identity)?,
    };
    Ok(Outcome::new(encoded, diagnostics))
}

/// Encodes an object that a resource returned, and checks what must hold for every one: nothing in it is unknown, and
/// its identity is still the same. That is not checked beside an error, which already says what is wrong.
fn encode_stored<R: Resource>(
    resource: &R,
    stored: StoredOf<R>,
    prior: &EncodedState,
    prior_identity: Option<Object>,
    diagnostics: &mut Diagnostics,
) -> Result<EncodedState, Diagnostic> {
    let Stored { mut state, private } = stored;
    let unknown = state.null_unknowns();
    let identity = Resource::identity(resource, &state);
    if !diagnostics.has_errors() {
        let bug = |did: &str| Diagnostic::provider_bug(Resource::type_name(resource), did);
        if !unknown.is_empty() {
            diagnostics.push(bug(&format!("left {} unknown", unknown.join(", "))));
        }
        if prior_identity.is_some() && identity.is_some() && prior_identity != identity {
            diagnostics.push(bug("changed the object's identity"));
        }
    }
    let private = private::encode(&private, &prior.private).unwrap_or_else(|| prior.private.clone());
    let state_type = Resource::schema(resource).object_type();
    let encoded = EncodedState::encode(state.into_object(), state_type, private)
        .map_err(|error| Diagnostic::protocol_error("state", &error))?;
    with_identity(resource, encoded, prior_identity.or(identity))
}

fn with_identity<R: Resource>(
    resource: &R,
    encoded: EncodedState,
    identity: Option<Object>,
) -> Result<EncodedState, Diagnostic> {
    encoded
        .with_identity(identity, Resource::identity_schema(resource).object_type())
        .map_err(|error| Diagnostic::protocol_error("identity", &error))
}

fn private_data_error<R: Resource>(resource: &R, why: PrivateDataError) -> Diagnostic {
    let type_name = Resource::type_name(resource);
    match why {
        PrivateDataError::NewerVersion(version) => Diagnostic::error(
            summaries::NEWER_PRIVATE_DATA,
            format!(
                "What a provider has stored beside the state of this {type_name} has version {version}, and this provider \
                 knows version {}. A newer provider has written it: use that one, or newer.",
                PrivateDataError::SUPPORTED_VERSION
            ),
        ),
        PrivateDataError::Malformed(why) => Diagnostic::error(
            summaries::UNREADABLE_PRIVATE_DATA,
            format!(
                "What the provider has stored beside the state of this {type_name} cannot be used: {why}. Restore a backup \
                 of the state (terraform.tfstate.backup beside a local state, an earlier version in a backend). {} Only if \
                 there is no backup: remove the resource from state (terraform state rm) and import it again.",
                resource.loss_of_private_data()
            ),
        ),
    }
}
