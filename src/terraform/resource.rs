//! What a managed resource implements, and the same without its types.

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use super::{Diagnostic, Diagnostics, IdentitySchema, Model, Object, Outcome, Path, Plan, Proposal, Schema, Stored};

/// A managed resource over a typed model.
///
/// `stop` is cancelled when the user interrupts: no new call may start then and waits end at once, but a change already
/// sent is given its answer, and whatever came back is returned as usual.
#[async_trait]
pub trait Resource: Send + Sync + 'static {
    /// Configuration, plan and state of it.
    type Model: Model;
    /// The provider's own data beside the state; kept by Terraform, never shown. Stored as JSON.
    type Private: Serialize + DeserializeOwned + Default + Clone + Send + Sync + 'static;

    /// The full name, such as `heygen_webhook_endpoint`.
    fn type_name(&self) -> &'static str;

    /// The schema of [`Self::Model`].
    fn schema(&self) -> Schema;

    /// The schema of what [`Self::identity`] answers.
    fn identity_schema(&self) -> IdentitySchema;

    /// The identity of the object in this state; none while it is not known. It never changes for one object.
    fn identity(&self, state: &Self::Model) -> Option<Object>;

    /// Checks a configuration; anything in it may be unknown. Called on an unconfigured provider too.
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

    /// Brings a state of an older schema version to this one. States of this version do not come here.
    fn upgrade(&self, version: i64, _state: Object) -> Result<Object, Diagnostic> {
        Err(Diagnostic::error(
            "State of an unknown version",
            format!(
                "The state of this {} has schema version {version}, and this provider knows version {}. A newer \
                 provider has written it: use that one, or newer.",
                self.type_name(),
                self.schema().version
            ),
        ))
    }
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
    fn schema(&self) -> Schema;
    /// See [`Resource::identity_schema`].
    fn identity_schema(&self) -> IdentitySchema;
    /// See [`Resource::validate`].
    fn validate(&self, config: Object) -> Diagnostics;
    /// See [`Resource::upgrade`].
    fn upgrade(&self, version: i64, state: Object) -> Result<Object, Diagnostic>;
    /// See [`Resource::plan`]; a `prior` without state is a creation.
    fn plan(&self, prior: AnyStored, config: Object) -> Result<AnyPlan, Diagnostic>;
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

    fn schema(&self) -> Schema {
        Resource::schema(self)
    }

    fn identity_schema(&self) -> IdentitySchema {
        Resource::identity_schema(self)
    }

    fn validate(&self, config: Object) -> Diagnostics {
        match model::<R>(config) {
            Ok(config) => Resource::validate(self, &config),
            Err(misfit) => misfit.into(),
        }
    }

    fn upgrade(&self, version: i64, state: Object) -> Result<Object, Diagnostic> {
        if version == Resource::schema(self).version {
            return Ok(state);
        }
        Resource::upgrade(self, version, state)
    }

    fn plan(&self, prior: AnyStored, config: Object) -> Result<AnyPlan, Diagnostic> {
        let config = model::<R>(config)?;
        let proposal = match stored::<R>(prior)? {
            Some(prior) => Proposal::Update { prior, config },
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
        match stored::<R>(prior.clone()) {
            Ok(Some(stored)) => answer(self, &prior, Resource::read(self, stored, stop).await),
            Ok(None) => Outcome::quiet(prior),
            Err(misfit) => Outcome::new(prior, misfit),
        }
    }

    async fn apply(&self, prior: AnyStored, planned: Option<Object>, stop: &CancellationToken) -> Outcome<AnyStored> {
        let sorted = stored::<R>(prior.clone()).and_then(|before| Ok((before, planned.map(model::<R>).transpose()?)));
        match sorted {
            Err(misfit) => Outcome::new(prior, misfit),
            Ok((None, None)) => Outcome::quiet(AnyStored::default()),
            Ok((None, Some(planned))) => {
                // The private data of a replaced object arrives here too; it is not the new one's.
                answer(self, &AnyStored::default(), Resource::create(self, planned, stop).await)
            }
            Ok((Some(before), Some(planned))) => {
                let done = Resource::update(self, before, planned, stop).await;
                let done = Outcome::new(Some(done.value), done.diagnostics);
                answer(self, &prior, done)
            }
            Ok((Some(before), None)) => {
                let diagnostics = Resource::delete(self, before, stop).await;
                let kept = if diagnostics.has_errors() {
                    prior
                } else {
                    AnyStored::default()
                };
                Outcome::new(kept, diagnostics)
            }
        }
    }

    async fn import(&self, target: ImportTarget, stop: &CancellationToken) -> Outcome<AnyStored> {
        answer(self, &AnyStored::default(), Resource::import(self, target, stop).await)
    }
}

type StoredOf<R> = Stored<<R as Resource>::Model, <R as Resource>::Private>;

/// Encodes what a resource answered, and holds it to what every answer must keep: no unknown value, one identity.
fn answer<R: Resource>(resource: &R, prior: &AnyStored, outcome: Outcome<Option<StoredOf<R>>>) -> Outcome<AnyStored> {
    let Outcome { value, mut diagnostics } = outcome;
    let Some(Stored { mut state, private }) = value else {
        return Outcome::new(AnyStored::default(), diagnostics);
    };
    let unknown = state.settle();
    if !unknown.is_empty() && !diagnostics.has_errors() {
        diagnostics.push(Diagnostic::our_mistake(
            resource.type_name(),
            &format!("left {} unknown", unknown.join(", ")),
        ));
    }
    let identity = Resource::identity(resource, &state);
    if let (Some(before), Some(now)) = (&prior.identity, &identity)
        && before != now
    {
        diagnostics.push(Diagnostic::our_mistake(
            resource.type_name(),
            "changed the object's identity",
        ));
    }
    let private = serde_json::to_vec(&private).unwrap_or_else(|_| prior.private.clone());
    let stored = AnyStored {
        state: Some(state.into_object()),
        private,
        identity: identity.or_else(|| prior.identity.clone()),
    };
    Outcome::new(stored, diagnostics)
}

fn model<R: Resource>(object: Object) -> Result<R::Model, Diagnostic> {
    R::Model::from_object(object).map_err(|mismatch| Diagnostic::our_mistake("schema", &mismatch.to_string()))
}

/// Private data that is missing or not ours reads as the default: it only ever adds to what the state says.
fn stored<R: Resource>(any: AnyStored) -> Result<Option<StoredOf<R>>, Diagnostic> {
    let Some(object) = any.state else {
        return Ok(None);
    };
    let state = model::<R>(object)?;
    let private = serde_json::from_slice(&any.private).unwrap_or_default();
    Ok(Some(Stored { state, private }))
}
