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
use self::validate::KNOWN_EVENTS;
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
    /// Whether the warning that secrets cannot be imported was given. It is given once, because engines show it for
    /// each import otherwise.
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
            Err(NoClient::NotKnownYet(attributes)) => {
                let warning = messages::not_refreshed(&stored.state, &attributes);
                return Outcome::new(Some(stored), warning);
            }
            Err(NoClient::Error(problem)) => return Outcome::new(Some(stored), problem),
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
        let request = CreateEndpoint {
            url: planned.url.known().cloned().unwrap_or_default(),
            events: event_names(&planned.events),
            entity_id: planned.entity_id.known().cloned(),
        };
        match self.send_create(&client, &request, stop).await {
            Ok(CreatedEndpoint { endpoint, secret }) => {
                let (endpoint, sources) = completed_from_list(&client, endpoint, stop).await;
                let mut diagnostics = Diagnostics::none();
                if secret.is_none() {
                    diagnostics.push(messages::created_without_secret(&endpoint.id));
                }
                let FromAnswer { stored, unreadable } = state_after_create(&endpoint, secret, planned);
                diagnostics.extend(messages::created_and_not_described(&endpoint.id, &unreadable, &sources));
                Outcome::new(Some(stored), diagnostics)
            }
            Err(CreateFailure { failure, secret }) => match failure.in_doubt_from {
                None => Outcome::new(None, failed_calls::diagnostic(&failure)),
                Some(start) => {
                    let lost = UnconfirmedCreate {
                        request: &request,
                        start,
                    };
                    self.search_for_lost_create(&lost, &failure, secret, &client, planned, stop)
                        .await
                }
            },
        }
    }

    /// Patches what changed, then rotates the secret if that is due. A step that fails leaves the steps before it done.
    async fn update(&self, prior: StoredEndpoint, planned: EndpointModel, stop: &Stop) -> Outcome<StoredEndpoint> {
        let patch = patch(&prior.state, &planned);
        let rotation = Rotation::between(&prior, &planned.rotate_trigger);
        if patch.is_empty() && rotation == Rotation::None {
            return Outcome::ok(state_after_patch(&prior, planned));
        }
        let (client, id) = match self.client_and_id(&prior.state, "Updating a webhook endpoint") {
            Ok(ready) => ready,
            Err(problems) => return Outcome::new(prior, problems),
        };

        let mut done = state_after_patch(&prior, planned);
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
                match confirm_all_events(&client, &id, answered, &prior.state, stop).await {
                    AllEvents::Null => done.private.all_events_not_answered = true,
                    AllEvents::Listed(list) => done.private.all_events = Some(list),
                    AllEvents::NotAnswered => {
                        done.private.all_events_not_answered = true;
                        diagnostics.push(messages::all_events_not_confirmed(&id));
                    }
                    AllEvents::Ignored(list) => {
                        done.state.events = Attr::Known(list.into());
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
        let (client, id) = match self.client_and_id(&prior.state, "Deleting a webhook endpoint") {
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
        if !failure.is_gateway_not_found() {
            return messages::delete_failed(&failure).into();
        }
        // A gateway or a proxy has answered the 404. Only HeyGen's list can say whether the endpoint is gone.
        match client.find(&id, created_at(&prior.state), stop).await {
            Ok(None) => Diagnostics::none(),
            Ok(Some(_)) => messages::not_deleted(&failure).into(),
            Err(unread) => messages::perhaps_deleted(&failure, &unread).into(),
        }
    }

    async fn import(&self, target: ImportTarget, stop: &Stop) -> Outcome<Option<StoredEndpoint>> {
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
                let FromAnswer { stored, unreadable } = state::from_answer(&endpoint, &before_import());
                let mut diagnostics = Diagnostics::none();
                diagnostics.extend(messages::unreadable_at_import(&id, &unreadable));
                if !self.warned_about_secrets.swap(true, Ordering::Relaxed) {
                    diagnostics.push(messages::secrets_not_imported());
                }
                Outcome::new(Some(stored), diagnostics)
            }
            Ok(None) => Outcome::new(None, failed_calls::no_such_endpoint(&id)),
            Err(failure) => Outcome::new(None, failed_calls::diagnostic(&failure)),
        }
    }
}

impl WebhookEndpoint {
    /// Finds an endpoint for a read or an import, and marks it as managed.
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
            self.session.mark_managed(id);
        }
        Ok(found)
    }

    /// Makes the call of a creation. The endpoint that it answers is marked as managed before the creation stops being
    /// pending.
    async fn send_create(
        &self,
        client: &Client,
        request: &CreateEndpoint,
        stop: &Stop,
    ) -> Result<CreatedEndpoint, CreateFailure> {
        let _under_way = self.pending_creates.begin(request);
        let created = client.create(request, stop).await?;
        self.session.mark_managed(&created.endpoint.id);
        Ok(created)
    }

    /// Looks for the endpoint of a creation of which it is not known whether it has happened.
    async fn search_for_lost_create(
        &self,
        lost: &UnconfirmedCreate<'_>,
        failure: &Failure,
        secret: Option<SecretString>,
        client: &Client,
        planned: EndpointModel,
        stop: &Stop,
    ) -> Outcome<Option<StoredEndpoint>> {
        let url = &lost.request.url;
        match lost_create::search(lost, client, &self.session, &self.pending_creates, stop).await {
            SearchOutcome::Adopted(endpoint) => {
                let mut diagnostics = Diagnostics::from(match secret {
                    Some(_) => messages::created_and_id_found(failure, &endpoint.id),
                    None => messages::created_without_answer(failure, &endpoint.id),
                });
                let FromAnswer { stored, unreadable } = state_after_create(&endpoint, secret, planned);
                let sources = Sources::List;
                diagnostics.extend(messages::created_and_not_described(&endpoint.id, &unreadable, &sources));
                Outcome::new(Some(stored), diagnostics)
            }
            SearchOutcome::Candidates(candidates) => Outcome::new(
                None,
                messages::perhaps_created(failure, secret.is_some(), url, &candidates),
            ),
            SearchOutcome::Unreadable {
                seen,
                failure: unlisted,
            } => Outcome::new(
                None,
                messages::perhaps_created_and_unlisted(failure, secret.is_some(), url, &seen, &unlisted),
            ),
        }
    }

    /// The client, and the id of an endpoint in state, for a call about it.
    fn client_and_id(&self, state: &EndpointModel, doing: &str) -> Result<(Client, EndpointId), Diagnostics> {
        let client = self.session.client().map_err(|no_client| no_client.into_error(doing))?;
        let id = id_of(state)?;
        self.session.mark_managed(&id);
        Ok((client, id))
    }
}

/// Rotates the secret, which is the last step of an update.
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

/// What has said something about a new endpoint.
enum Sources {
    /// The answer to its creation and the list.
    AnswerAndList,
    /// The answer alone: the list does not show it yet, or could not be read.
    Answer { unlisted: Option<Failure> },
    /// The list alone, because no answer arrived that says which endpoint it is.
    List,
}

/// Completes an answer to a creation that lacks fields from the list. It reads the list only once and does not wait,
/// because the secret is not saved before it returns.
async fn completed_from_list(client: &Client, answered: Endpoint, stop: &Stop) -> (Endpoint, Sources) {
    let is_complete =
        answered.url.is_ok() && answered.events.is_ok() && answered.status.is_ok() && answered.created_at.is_ok();
    if is_complete {
        return (answered, Sources::Answer { unlisted: None });
    }
    match client.find_once(&answered.id, stop).await {
        Ok(Some(listed)) => {
            let completed = Endpoint {
                id: answered.id,
                url: answered.url.or(listed.url),
                events: answered.events.or(listed.events),
                status: answered.status.or(listed.status),
                created_at: answered.created_at.or(listed.created_at),
            };
            (completed, Sources::AnswerAndList)
        }
        Ok(None) => (answered, Sources::Answer { unlisted: None }),
        Err(failure) => (
            answered,
            Sources::Answer {
                unlisted: Some(failure),
            },
        ),
    }
}

/// The state of an endpoint that was just created. Of its unreadable attributes only those count that the plan left
/// unknown, because the others are as planned.
fn state_after_create(answer: &Endpoint, secret: Option<SecretString>, planned: EndpointModel) -> FromAnswer {
    let mut before = StoredEndpoint {
        state: planned.clone(),
        private: Private::default(),
    };
    let open = before.state.null_unknowns();
    if planned.events.is_null() {
        match &answer.events {
            Ok(Some(list)) => before.private.all_events = Some(list.clone()),
            Ok(None) | Err(_) => before.private.all_events_not_answered = true,
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

/// The state of an endpoint after its attributes were changed as planned, and before its secret is rotated.
fn state_after_patch(prior: &StoredEndpoint, planned: EndpointModel) -> StoredEndpoint {
    let mut private = prior.private.clone();
    if !planned.entity_id.is_null() {
        private.entity_id_not_known = false;
    }
    StoredEndpoint {
        state: state::as_planned(prior.state.clone(), planned),
        private,
    }
}

/// The same without the rotation, which has not happened, so that the next plan finds it due again.
fn without_rotation(mut done: StoredEndpoint, prior: &StoredEndpoint) -> StoredEndpoint {
    done.state.rotate_trigger = prior.state.rotate_trigger.clone();
    done.state.secret = prior.state.secret.clone();
    done
}

/// The patch that brings `HeyGen` from the prior state to the plan.
fn patch(prior: &EndpointModel, planned: &EndpointModel) -> EndpointPatch {
    EndpointPatch {
        url: (prior.url != planned.url)
            .then(|| planned.url.known().cloned())
            .flatten(),
        events: (prior.events != planned.events).then(|| event_names(&planned.events)),
    }
}

/// What `HeyGen` made of `"events": null` in a patch, which it may take for all events, or for no change.
enum AllEvents {
    /// All events, answered as null.
    Null,
    /// All events, answered as this list.
    Listed(BTreeSet<String>),
    /// No change: `HeyGen` still has this list.
    Ignored(BTreeSet<String>),
    /// Neither the answer nor the list says what the endpoint receives now.
    NotAnswered,
}

/// Finds out what `HeyGen` made of `"events": null`: from the answer, or else from the list, which may lag behind for a
/// while. Only who has looked for so long can tell that it was ignored.
async fn confirm_all_events(
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
            return AllEvents::NotAnswered;
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
    /// Reads an answered list. It means all events if it has all that are known, or, because `HeyGen` may have given up
    /// some of these, at least half of them and all of the list from before with others. Any other list is one that the
    /// endpoint had already, in state or since somebody changed it.
    fn from_answer(answered: Events, prior: &EndpointModel) -> Self {
        let Some(list) = answered else {
            return Self::Null;
        };
        let before = event_names(&prior.events).unwrap_or_default();
        let has_grown = list.len() > before.len() && list.is_superset(&before);
        if state::lists_every_known_event(&list) || (has_grown && list.len() >= KNOWN_EVENTS.len() / 2) {
            Self::Listed(list)
        } else {
            Self::Ignored(list)
        }
    }
}

/// The names in a set of events; `None` for all.
fn event_names(events: &Attr<Set<String>>) -> Option<BTreeSet<String>> {
    events.known().map(Set::known).cloned()
}

fn id_of(state: &EndpointModel) -> Result<EndpointId, Diagnostic> {
    let id = state.id.known().map_or("", String::as_str);
    EndpointId::parse(id).map_err(|why| messages::bad_id_in_state(id, why))
}

/// The identity of the endpoint of this id.
fn identity_of(id: &str) -> Object {
    Object::from([("id".into(), Value::String(id.to_owned()))])
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

/// What is known of an endpoint before its import.
fn before_import() -> StoredEndpoint {
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
            matches!(became, AllEvents::Ignored(list) if list == *answered)
        };
        // Somebody has changed the list since it was read.
        let others = BTreeSet::from(["avatar_video.fail".to_owned(), "batch.finished".to_owned()]);
        assert!(kept(&some, &others) && kept(&others, &some));
        // HeyGen has given up a type that was known, and added another.
        let mut of_later = all.clone();
        of_later.remove("personalized_video");
        of_later.insert("hologram.success".to_owned());
        assert!(!kept(&some, &of_later));
        assert!(kept(&some, &some));
        assert!(!kept(&some, &all));
        // A null whose answer got lost is found as this list by the next refresh, and asked for once more.
        assert!(!kept(&all, &all));
    }
}
