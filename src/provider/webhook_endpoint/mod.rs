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
                self.session.note_created(&endpoint, &request.url);
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
                        has_secret: secret.is_some(),
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
                Err(failure) => return Outcome::new(prior, messages::update_failed(&failure, rotation)),
            };
            if patch.events.is_some() {
                done.private.all_events = None;
                done.private.all_events_not_answered = false;
            }
            if patch.events == Some(None) {
                match confirm_all_events(&client, &id, answered, stop).await {
                    AllEvents::Null => done.private.all_events_not_answered = true,
                    AllEvents::Listed(list) => done.private.all_events = Some(list),
                    AllEvents::NotConfirmed(why) => {
                        done.private.all_events_not_answered = true;
                        diagnostics.push(messages::all_events_not_confirmed(&id, &why));
                    }
                    AllEvents::Ignored(list) => {
                        done.state.events = Attr::Known(list.into());
                        return Outcome::new(without_rotation(done, &prior), messages::events_kept(&id, rotation));
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
                messages::perhaps_created(failure, lost.has_secret, url, &candidates),
            ),
            SearchOutcome::Unreadable {
                seen,
                failure: unlisted,
            } => Outcome::new(
                None,
                messages::perhaps_created_and_unlisted(failure, lost.has_secret, url, &seen, &unlisted),
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
    let listed = answer.events.as_ref().ok().and_then(Option::as_ref);
    if planned.events.is_null() {
        before.private.all_events = listed.cloned();
    }
    let FromAnswer { mut stored, unreadable } = state::from_answer(answer, &before);
    // What is answered as null may be listed by name all the same.
    stored.private.all_events_not_answered = planned.events.is_null() && listed.is_none();
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
    /// No change: `HeyGen` still has this list, which is not of all events.
    Ignored(BTreeSet<String>),
    /// Nobody has said what the endpoint receives now.
    NotConfirmed(NotConfirmed),
}

/// Why it is not known whether an endpoint receives all events.
enum NotConfirmed {
    /// Neither the answer nor the list says what it receives.
    NotAnswered,
    /// The list, which would tell, could not be read.
    Unlisted(Failure),
    /// The event types, which would tell whether a list is of all of them, could not be read.
    TypesUnread(Option<Failure>),
}

/// Finds out what `HeyGen` made of `"events": null`: from the answer, or else from the list, which may lag behind for a
/// while. Only who has looked for so long can tell that it was ignored.
async fn confirm_all_events(client: &Client, id: &EndpointId, answered: Field<Events>, stop: &Stop) -> AllEvents {
    if let Ok(answered) = answered {
        return all_events_in(answered, client, stop).await;
    }
    let began = Instant::now();
    let mut listed = None;
    for wait in client.timing().reread_after {
        let items = match client.list_at(began + wait, stop).await {
            Ok(items) => items,
            Err(failure) => return AllEvents::NotConfirmed(NotConfirmed::Unlisted(failure)),
        };
        let item = items.into_iter().find(|item| item.id.as_ref() == Ok(id));
        listed = item.and_then(|item| item.events.ok());
        if let Some(None) = &listed {
            break;
        }
        if listed.iter().flatten().any(state::lists_every_known_event) {
            break;
        }
    }
    match listed {
        Some(events) => all_events_in(events, client, stop).await,
        None => AllEvents::NotConfirmed(NotConfirmed::NotAnswered),
    }
}

/// What the events of an endpoint tell of a request for all. A list of all is one that has every type that this provider
/// knows, or every type that `HeyGen` has: it may have given some up since this provider was made.
async fn all_events_in(events: Events, client: &Client, stop: &Stop) -> AllEvents {
    let Some(list) = events else {
        return AllEvents::Null;
    };
    if state::lists_every_known_event(&list) {
        return AllEvents::Listed(list);
    }
    let types = match client.event_types(stop).await {
        Ok(types) => types,
        Err(failure) => return AllEvents::NotConfirmed(NotConfirmed::TypesUnread(Some(failure))),
    };
    let names: Result<BTreeSet<String>, _> = types.into_iter().map(|event_type| event_type.name).collect();
    match names {
        Ok(names) if !names.is_empty() && list.is_superset(&names) => AllEvents::Listed(list),
        Ok(names) if !names.is_empty() => AllEvents::Ignored(list),
        _ => AllEvents::NotConfirmed(NotConfirmed::TypesUnread(None)),
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
    use crate::heygen::FieldError;

    /// The plan of a creation for all events.
    fn planned() -> EndpointModel {
        EndpointModel {
            id: Attr::Unknown,
            url: Attr::Known("https://example.com/hook".to_owned()),
            secret: Attr::Unknown,
            status: Attr::Unknown,
            created_at: Attr::Unknown,
            ..EndpointModel::null()
        }
    }

    fn answer(events: Field<Events>) -> Endpoint {
        Endpoint {
            id: EndpointId::parse("ep_1").unwrap(),
            url: Err(FieldError::Missing),
            events,
            status: Err(FieldError::Malformed),
            created_at: Err(FieldError::Missing),
        }
    }

    #[test]
    fn what_cannot_be_read_of_a_new_endpoint_is_told_where_the_plan_left_it_open() {
        let answer = answer(Err(FieldError::Malformed));
        let FromAnswer { stored, unreadable } = state_after_create(&answer, None, planned());
        assert_eq!(unreadable, ["status", "created_at"]);
        assert!(stored.state.status.is_null() && stored.state.created_at.is_null());
        assert_eq!(stored.state.url, planned().url);
        assert!(stored.private.all_events_not_answered);
    }

    #[test]
    fn the_list_that_answers_a_creation_for_all_events_is_remembered_for_them() {
        let some = BTreeSet::from(["batch.finished".to_owned()]);
        for answered in [None, Some(some)] {
            let FromAnswer { stored, .. } = state_after_create(&answer(Ok(answered.clone())), None, planned());
            assert!(stored.state.events.is_null());
            assert_eq!(stored.private.all_events, answered);
            assert_eq!(stored.private.all_events_not_answered, answered.is_none());
        }
    }
}
