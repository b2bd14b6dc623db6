//! The resource `heygen_webhook_endpoint`.

mod list;
mod lost_create;
mod messages;
mod plan;
mod schema;
mod state;
mod validate;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::time::Instant;

pub(super) use self::list::WebhookEndpointList;
use self::lost_create::{PendingCreates, SearchOutcome, UnconfirmedCreate};
pub(super) use self::messages::quoted;
use self::plan::Rotation;
pub(super) use self::schema::TYPE_NAME;
use self::schema::{EndpointModel, Private};
use self::state::FromAnswer;
use super::failed_calls;
use super::session::{NoClient, Session};
use crate::heygen::{
    Client, CreateEndpoint, CreateFailure, CreatedEndpoint, Effect, Endpoint, EndpointId, EndpointPatch, Events,
    Failure, Field, Stop,
};
use crate::terraform::{
    Attr, Diagnostic, Diagnostics, IdentitySchema, ImportTarget, Model, Object, Outcome, Plan, Proposal, Resource,
    Schema, Set, Stored, Value,
};

/// An endpoint in state, with the provider's private data beside it.
type StoredEndpoint = Stored<EndpointModel, Private>;

pub(super) struct WebhookEndpoint {
    session: Arc<Session>,
    pending_creates: PendingCreates,
    /// Whether somebody was told that secrets cannot be imported. Engines cannot group what an import has to say.
    warned_about_secrets: AtomicBool,
}

impl WebhookEndpoint {
    pub(super) fn new(session: Arc<Session>) -> Self {
        Self {
            session,
            pending_creates: PendingCreates::default(),
            warned_about_secrets: AtomicBool::new(false),
        }
    }
}

#[async_trait]
impl Resource for WebhookEndpoint {
    type Model = EndpointModel;
    type Private = Private;

    fn type_name(&self) -> &'static str {
        TYPE_NAME
    }

    fn schema(&self) -> &'static Schema {
        &schema::SCHEMA
    }

    fn identity_schema(&self) -> &'static IdentitySchema {
        &schema::IDENTITY_SCHEMA
    }

    fn identity(&self, state: &EndpointModel) -> Option<Object> {
        state.id.known().map(|id| identity_of(id))
    }

    fn validate(&self, config: &EndpointModel) -> Diagnostics {
        validate::validate(config)
    }

    fn plan(&self, proposal: Proposal<EndpointModel, Private>) -> Plan<EndpointModel> {
        plan::plan(proposal)
    }

    fn loss_of_private_data(&self) -> &'static str {
        schema::LOSS_OF_PRIVATE_DATA
    }

    async fn read(&self, stored: StoredEndpoint, stop: &Stop) -> Outcome<Option<StoredEndpoint>> {
        let client = match self.session.client() {
            Ok(client) => client,
            Err(NoClient::NotYet(attributes)) => {
                let warning = messages::not_refreshed(&stored.state, &attributes);
                return Outcome::new(Some(stored), warning);
            }
            Err(NoClient::Problem(problem)) => return Outcome::new(Some(stored), problem),
        };
        let id = match id_of(&stored.state) {
            Ok(id) => id,
            Err(problem) => return Outcome::new(Some(stored), problem),
        };
        match self.find(&client, &id, &stored.state.created_at, stop).await {
            Ok(Some(endpoint)) => {
                let FromAnswer { stored, unreadable } = state::from_answer(&endpoint, &stored);
                let mut diagnostics = Diagnostics::none();
                diagnostics.extend(messages::unreadable_in_list(&id, &unreadable));
                diagnostics.extend(plan::is_disabled(&stored.state).then(|| messages::disabled(&stored.state)));
                Outcome::new(Some(stored), diagnostics)
            }
            Ok(None) => Outcome::new(None, messages::gone(&id)),
            Err(failure) => Outcome::new(Some(stored), failed_calls::diagnostic(&failure)),
        }
    }

    async fn create(&self, planned: EndpointModel, stop: &Stop) -> Outcome<Option<StoredEndpoint>> {
        let client = match self.session.client() {
            Ok(client) => client,
            Err(no_client) => return Outcome::new(None, no_client.into_error("Creating a webhook endpoint")),
        };
        let asked = CreateEndpoint {
            url: planned.url.known().cloned().unwrap_or_default(),
            events: names(&planned.events),
            entity_id: planned.entity_id.known().cloned(),
        };
        match self.call_to_create(&client, &asked, stop).await {
            Ok(CreatedEndpoint { endpoint, secret }) => {
                let endpoint = completed(&client, endpoint, stop).await;
                let mut diagnostics = Diagnostics::none();
                if secret.is_none() {
                    diagnostics.push(messages::created_without_secret(&endpoint.id));
                }
                let FromAnswer { stored, unreadable } = created(&endpoint, secret, planned);
                diagnostics.extend(messages::created_and_not_described(&endpoint.id, &unreadable));
                Outcome::new(Some(stored), diagnostics)
            }
            Err(CreateFailure { failure, .. }) if failure.effect == Effect::None => {
                Outcome::new(None, failed_calls::diagnostic(&failure))
            }
            Err(unconfirmed) => self.search_for(unconfirmed, &client, &asked, planned, stop).await,
        }
    }

    /// Patches what changed, then rotates the secret if that is due. A step that fails leaves the steps before it done.
    async fn update(&self, prior: StoredEndpoint, planned: EndpointModel, stop: &Stop) -> Outcome<StoredEndpoint> {
        let patch = patch(&prior.state, &planned);
        let rotation = Rotation::between(&prior, &planned.rotate_trigger);
        if patch.is_empty() && rotation == Rotation::None {
            return Outcome::ok(patched(&prior, planned));
        }
        let (client, id) = match self.to_call_about(&prior.state, "Updating a webhook endpoint") {
            Ok(ready) => ready,
            Err(problems) => return Outcome::new(prior, problems),
        };

        let mut done = patched(&prior, planned);
        let mut diagnostics = Diagnostics::none();
        if !patch.is_empty() {
            let answered = match client.update(&id, &patch, stop).await {
                Ok(answered) => answered,
                Err(failure) => return Outcome::new(prior, messages::update_failed(&failure)),
            };
            if patch.events.is_some() {
                done.private.all_events = None;
                done.private.all_events_not_answered = false;
            }
            if patch.events == Some(None) {
                match all_events(&client, &id, answered, &prior.state, stop).await {
                    AllEvents::Null => {}
                    AllEvents::Listed(list) => done.private.all_events = Some(list),
                    AllEvents::NotAnswered => {
                        done.private.all_events_not_answered = true;
                        diagnostics.push(messages::all_events_not_confirmed(&id));
                    }
                    AllEvents::Ignored => {
                        done.state.events = prior.state.events.clone();
                        return Outcome::new(without_rotation(done, &prior), messages::events_kept(&id));
                    }
                }
            }
        }

        match rotation {
            Rotation::None | Rotation::Perhaps => Outcome::new(done, diagnostics),
            Rotation::Due | Rotation::Unsettled => {
                let rotated = rotate(&client, &id, done, &prior, stop).await;
                diagnostics.extend(rotated.diagnostics);
                Outcome::new(rotated.value, diagnostics)
            }
        }
    }

    async fn delete(&self, prior: StoredEndpoint, stop: &Stop) -> Diagnostics {
        let (client, id) = match self.to_call_about(&prior.state, "Deleting a webhook endpoint") {
            Ok(ready) => ready,
            Err(problems) => return problems,
        };
        let failure = match client.delete(&id, stop).await {
            Ok(()) => return Diagnostics::none(),
            Err(failure) => failure,
        };
        if failure.is_not_found() {
            return Diagnostics::none();
        }
        if !failure.is_foreign_not_found() {
            return failed_calls::diagnostic(&failure).into();
        }
        // Somebody on the way answered that there is nothing. Only HeyGen's list can say whether that is so.
        match client.find(&id, created_at(&prior.state), stop).await {
            Ok(None) => Diagnostics::none(),
            Ok(Some(_)) => messages::not_deleted(&failure).into(),
            Err(unread) => messages::perhaps_deleted(&failure, &unread).into(),
        }
    }

    async fn import(&self, target: ImportTarget, stop: &Stop) -> Outcome<Option<StoredEndpoint>> {
        let Outcome { value, diagnostics } = self.import_target(target, stop).await;
        // What is quoted of the id may be a credential, given by mistake.
        Outcome::new(value, self.session.redacted(diagnostics))
    }
}

impl WebhookEndpoint {
    async fn import_target(&self, target: ImportTarget, stop: &Stop) -> Outcome<Option<StoredEndpoint>> {
        let id = match import_id(&target).map(|id| EndpointId::parse(id).map_err(|why| (id, why))) {
            Some(Ok(id)) => id,
            Some(Err((id, why))) => return Outcome::new(None, messages::not_an_id(id, why)),
            None => return Outcome::new(None, messages::id_not_known()),
        };
        let client = match self.session.client() {
            Ok(client) => client,
            Err(no_client) => return Outcome::new(None, no_client.into_error("Importing a webhook endpoint")),
        };
        match self.find(&client, &id, &Attr::Null, stop).await {
            Ok(Some(endpoint)) => {
                let FromAnswer { stored, unreadable } = state::from_answer(&endpoint, &nothing_known());
                let mut diagnostics = Diagnostics::none();
                diagnostics.extend(messages::unreadable_in_list(&id, &unreadable));
                if !self.warned_about_secrets.swap(true, Ordering::Relaxed) {
                    diagnostics.push(messages::secrets_not_imported());
                }
                Outcome::new(Some(stored), diagnostics)
            }
            Ok(None) => Outcome::new(None, failed_calls::no_such_endpoint(&id)),
            Err(failure) => Outcome::new(None, failed_calls::diagnostic(&failure)),
        }
    }

    /// What a read and an import ask. An endpoint that is found is known to be somebody's.
    async fn find(
        &self,
        client: &Client,
        id: &EndpointId,
        created_at: &Attr<String>,
        stop: &Stop,
    ) -> Result<Option<Endpoint>, Failure> {
        let created_at = created_at.known().map(String::as_str);
        let found = client.find(id, created_at, stop).await?;
        if found.is_some() {
            self.session.remember(id);
        }
        Ok(found)
    }

    /// The call of a creation. Once it is over, an endpoint that was answered is known to be somebody's.
    async fn call_to_create(
        &self,
        client: &Client,
        asked: &CreateEndpoint,
        stop: &Stop,
    ) -> Result<CreatedEndpoint, CreateFailure> {
        let _under_way = self.pending_creates.begin(asked);
        let created = client.create(asked, stop).await?;
        self.session.remember(&created.endpoint.id);
        Ok(created)
    }

    /// Looks for the endpoint of a creation that failed without telling whether it happened.
    async fn search_for(
        &self,
        unconfirmed: CreateFailure,
        client: &Client,
        asked: &CreateEndpoint,
        planned: EndpointModel,
        stop: &Stop,
    ) -> Outcome<Option<StoredEndpoint>> {
        let CreateFailure { failure, secret, start } = unconfirmed;
        let lost = UnconfirmedCreate { asked, start };
        match lost_create::search(&lost, client, &self.session, &self.pending_creates, stop).await {
            SearchOutcome::Adopted(endpoint) => {
                let mut diagnostics = Diagnostics::from(match secret {
                    Some(_) => messages::created_and_id_found(&failure, &endpoint.id),
                    None => messages::created_without_answer(&failure, &endpoint.id),
                });
                let FromAnswer { stored, unreadable } = created(&endpoint, secret, planned);
                diagnostics.extend(messages::created_and_not_described(&endpoint.id, &unreadable));
                Outcome::new(Some(stored), diagnostics)
            }
            SearchOutcome::Candidates(candidates) => {
                Outcome::new(None, messages::perhaps_created(&failure, &asked.url, &candidates))
            }
            SearchOutcome::Unreadable {
                seen,
                failure: unlisted,
            } => Outcome::new(
                None,
                messages::perhaps_created_and_unlisted(&failure, &asked.url, &seen, &unlisted),
            ),
        }
    }

    /// What a call about an endpoint in state needs.
    fn to_call_about(&self, state: &EndpointModel, doing: &str) -> Result<(Client, EndpointId), Diagnostics> {
        let client = self.session.client().map_err(|no_client| no_client.into_error(doing))?;
        let id = id_of(state)?;
        self.session.remember(&id);
        Ok((client, id))
    }
}

/// The last step of an update.
async fn rotate(
    client: &Client,
    id: &EndpointId,
    mut done: StoredEndpoint,
    prior: &StoredEndpoint,
    stop: &Stop,
) -> Outcome<StoredEndpoint> {
    match client.rotate_secret(id, stop).await {
        Ok(secret) => {
            done.state.secret = Attr::Known(secret);
            done.private.rotation_unsettled = false;
            Outcome::ok(done)
        }
        Err(failure) => {
            let mut done = without_rotation(done, prior);
            done.private.rotation_unsettled |= failure.effect == Effect::Unknown;
            let unsettled = done.private.rotation_unsettled;
            Outcome::new(done, messages::rotation_failed(&failure, unsettled))
        }
    }
}

/// An answer to a creation with what it lacks looked up in the list, once: its secret is not saved before this returns.
async fn completed(client: &Client, answered: Endpoint, stop: &Stop) -> Endpoint {
    let is_complete =
        answered.url.is_ok() && answered.events.is_ok() && answered.status.is_ok() && answered.created_at.is_ok();
    if is_complete {
        return answered;
    }
    match client.find_once(&answered.id, stop).await {
        Ok(Some(listed)) => Endpoint {
            id: answered.id,
            url: answered.url.or(listed.url),
            events: answered.events.or(listed.events),
            status: answered.status.or(listed.status),
            created_at: answered.created_at.or(listed.created_at),
        },
        Ok(None) => answered,
        Err(failure) => {
            tracing::debug!(%failure, "the answer to a creation could not be completed from the list");
            answered
        }
    }
}

/// The new state of an endpoint that was just created. What the plan knew is as planned, so only what it left open can be
/// unreadable.
fn created(answer: &Endpoint, secret: Option<SecretString>, planned: EndpointModel) -> FromAnswer {
    let mut before = StoredEndpoint {
        state: planned.clone(),
        private: Private::default(),
    };
    let open = before.state.null_unknowns();
    if planned.events.is_null() {
        match &answer.events {
            Ok(list) => before.private.all_events.clone_from(list),
            Err(_) => before.private.all_events_not_answered = true,
        }
    }
    let FromAnswer { mut stored, unreadable } = state::from_answer(answer, &before);
    stored.state.secret = Attr::from(secret);
    FromAnswer {
        stored: StoredEndpoint {
            state: state::as_planned(stored.state, planned),
            private: stored.private,
        },
        unreadable: unreadable
            .into_iter()
            .filter(|attribute| open.contains(attribute))
            .collect(),
    }
}

/// The new state of an endpoint whose attributes were brought to the plan, its secret not yet touched.
fn patched(prior: &StoredEndpoint, planned: EndpointModel) -> StoredEndpoint {
    let mut private = prior.private.clone();
    if !planned.entity_id.is_null() {
        private.entity_id_not_known = false;
    }
    StoredEndpoint {
        state: state::as_planned(prior.state.clone(), planned),
        private,
    }
}

/// The same, as long as the rotation has not happened: the next plan will find it due again.
fn without_rotation(mut done: StoredEndpoint, prior: &StoredEndpoint) -> StoredEndpoint {
    done.state.rotate_trigger = prior.state.rotate_trigger.clone();
    done.state.secret = prior.state.secret.clone();
    done
}

/// What is to change at `HeyGen`.
fn patch(prior: &EndpointModel, planned: &EndpointModel) -> EndpointPatch {
    EndpointPatch {
        url: (prior.url != planned.url)
            .then(|| planned.url.known().cloned())
            .flatten(),
        events: (prior.events != planned.events).then(|| names(&planned.events)),
    }
}

/// What became of `"events": null`, which may mean all events or nothing.
enum AllEvents {
    /// All events, answered as null.
    Null,
    /// All events, spelled out.
    Listed(BTreeSet<String>),
    /// `HeyGen` kept the list from before.
    Ignored,
    /// Nobody said.
    NotAnswered,
}

/// Finds out what became of `"events": null`: from the answer, or else from the list, which may lag behind for a while.
async fn all_events(
    client: &Client,
    id: &EndpointId,
    answered: Field<Events>,
    prior: &EndpointModel,
    stop: &Stop,
) -> AllEvents {
    if let Ok(answered) = answered {
        return AllEvents::from_answer(answered, prior);
    }
    let began = Instant::now();
    let mut found = AllEvents::NotAnswered;
    for wait in client.timing().reread_after {
        let Ok(listed) = client.list_at(began + wait, stop).await else {
            break;
        };
        let item = listed.into_iter().find(|item| item.id.as_ref() == Ok(id));
        found = match item.and_then(|item| item.events.ok()) {
            Some(events) => AllEvents::from_answer(events, prior),
            None => AllEvents::NotAnswered,
        };
        if matches!(found, AllEvents::Null | AllEvents::Listed(_)) {
            break;
        }
    }
    found
}

impl AllEvents {
    /// All events spelled out are a list from before too, if that was read from `HeyGen`.
    fn from_answer(answered: Events, prior: &EndpointModel) -> Self {
        match answered {
            None => Self::Null,
            Some(list) if names(&prior.events).as_ref() == Some(&list) && !state::spells_out_all(&list) => {
                Self::Ignored
            }
            Some(list) => Self::Listed(list),
        }
    }
}

/// The names in a set of events; `None` for all.
fn names(events: &Attr<Set<String>>) -> Option<BTreeSet<String>> {
    events.known().map(Set::known).cloned()
}

fn id_of(state: &EndpointModel) -> Result<EndpointId, Diagnostic> {
    let id = state.id.known().map_or("", String::as_str);
    EndpointId::parse(id).map_err(|why| messages::bad_id_in_state(id, why))
}

/// The identity of the endpoint of this id.
fn identity_of(id: &str) -> Object {
    Object::from([("id".to_owned(), Value::String(id.to_owned()))])
}

fn created_at(state: &EndpointModel) -> Option<&str> {
    state.created_at.known().map(String::as_str)
}

fn import_id(target: &ImportTarget) -> Option<&str> {
    match target {
        ImportTarget::Id(id) => Some(id),
        ImportTarget::Identity(identity) => match identity.get("id") {
            Some(Value::String(id)) => Some(id),
            _ => None,
        },
    }
}

/// What there is before an import.
fn nothing_known() -> StoredEndpoint {
    StoredEndpoint {
        state: EndpointModel::null(),
        private: Private {
            entity_id_not_known: true,
            ..Private::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::validate::KNOWN_EVENTS;
    use super::*;

    fn prior(events: &BTreeSet<String>) -> EndpointModel {
        EndpointModel {
            events: Attr::Known(events.clone().into()),
            ..EndpointModel::null()
        }
    }

    #[test]
    fn all_events_spelled_out_are_no_list_that_was_kept() {
        let some = BTreeSet::from(["batch.finished".to_owned()]);
        let all: BTreeSet<String> = KNOWN_EVENTS.map(str::to_owned).into();
        let kept = |before: &BTreeSet<String>, answered: &BTreeSet<String>| {
            let became = AllEvents::from_answer(Some(answered.clone()), &prior(before));
            matches!(became, AllEvents::Ignored)
        };
        assert!(kept(&some, &some));
        assert!(!kept(&some, &all));
        // A null whose answer got lost is found as this list by the next refresh, and asked for once more.
        assert!(!kept(&all, &all));
    }
}
