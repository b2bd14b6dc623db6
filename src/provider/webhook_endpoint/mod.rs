//! The resource `heygen_webhook_endpoint`.

mod lost_create;
mod messages;
mod plan;
mod schema;
mod state;
pub(super) mod url;
mod validate;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;

use self::lost_create::{Creations, Found, Lost};
use self::plan::Rotation;
pub(super) use self::schema::TYPE_NAME;
use self::schema::{EndpointModel, Private};
use super::report;
use super::session::{NoClient, Session};
use crate::heygen::{Client, CreateEndpoint, Effect, Endpoint, EndpointId, EndpointPatch, Failure, Stop};
use crate::terraform::{
    Attr, Diagnostic, Diagnostics, IdentitySchema, ImportTarget, Object, Outcome, Plan, Proposal, Resource, Schema,
    Set, Stored, Value,
};

/// An endpoint with the provider's private data beside it.
type Known = Stored<EndpointModel, Private>;

pub(super) struct WebhookEndpoint {
    session: Arc<Session>,
    creations: Creations,
}

impl WebhookEndpoint {
    pub(super) fn new(session: Arc<Session>) -> Self {
        Self {
            session,
            creations: Creations::default(),
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

    fn schema(&self) -> Schema {
        schema::schema()
    }

    fn identity_schema(&self) -> IdentitySchema {
        schema::identity_schema()
    }

    fn identity(&self, state: &EndpointModel) -> Option<Object> {
        let id = state.id.known()?;
        Some(Object::from([("id".to_owned(), Value::String(id.clone()))]))
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

    async fn read(&self, stored: Known, stop: &Stop) -> Outcome<Option<Known>> {
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
        match self.find(&client, &id, stop).await {
            Ok(Some(endpoint)) => {
                let read = state::from_answer(&endpoint, &stored);
                let disabled = plan::is_disabled(&read.state).then(|| messages::disabled(&read.state));
                Outcome::new(Some(read), disabled.into_iter().collect::<Diagnostics>())
            }
            Ok(None) => Outcome::quiet(None),
            Err(failure) => Outcome::new(Some(stored), report::failure(&failure)),
        }
    }

    async fn create(&self, planned: EndpointModel, stop: &Stop) -> Outcome<Option<Known>> {
        let client = match self.session.client() {
            Ok(client) => client,
            Err(no_client) => return Outcome::new(None, no_client.into_error("Creating a webhook endpoint")),
        };
        let asked = CreateEndpoint {
            url: planned.url.known().cloned().unwrap_or_default(),
            events: names(&planned.events),
            entity_id: planned.entity_id.known().cloned(),
        };
        let began = SystemTime::now();
        match self.call_to_create(&client, &asked, stop).await {
            Ok(endpoint) => {
                let no_secret = endpoint
                    .secret
                    .is_none()
                    .then(|| messages::created_without_secret(&endpoint.id));
                let created = created(&endpoint, planned);
                Outcome::new(Some(created), no_secret.into_iter().collect::<Diagnostics>())
            }
            Err(failure) if failure.effect == Effect::None => Outcome::new(None, report::failure(&failure)),
            Err(failure) => {
                let lost = Lost { asked: &asked, began };
                match lost_create::search(&lost, &client, &self.session, &self.creations, stop).await {
                    Found::This(endpoint) => {
                        let error = messages::created_and_lost(&failure, &endpoint.id);
                        Outcome::new(Some(created(&endpoint, planned)), error)
                    }
                    Found::None => Outcome::new(None, messages::perhaps_created(&failure, &asked.url, &[])),
                    Found::OneOf(ids) => Outcome::new(None, messages::perhaps_created(&failure, &asked.url, &ids)),
                    Found::Unclear(unlisted) => Outcome::new(
                        None,
                        messages::perhaps_created_and_unlisted(&failure, &asked.url, &unlisted),
                    ),
                }
            }
        }
    }

    /// Patches what changed, then rotates the secret if that is due. A step that fails leaves the steps before it done.
    async fn update(&self, prior: Known, planned: EndpointModel, stop: &Stop) -> Outcome<Known> {
        let patch = patch(&prior.state, &planned);
        let rotation = Rotation::between(&prior, &planned.rotate_trigger);
        if patch.is_empty() && rotation == Rotation::None {
            return Outcome::quiet(patched(&prior, planned));
        }
        let (client, id) = match self.to_call_about(&prior.state, "Updating a webhook endpoint") {
            Ok(ready) => ready,
            Err(problems) => return Outcome::new(prior, problems),
        };

        let done = if patch.is_empty() {
            patched(&prior, planned.clone())
        } else {
            match client.update(&id, &patch, stop).await {
                Ok(answer) => {
                    let mut done = patched(&prior, planned.clone());
                    if patch.events.is_some() {
                        done.private.all_events = None;
                    }
                    if let (Some(None), Some(answered)) = (&patch.events, state::normalized_events(&answer)) {
                        if kept_its_list(&prior.state, &answered) {
                            done.state.events = prior.state.events.clone();
                            let done = without_rotation(done, &prior);
                            return Outcome::new(done, messages::events_kept(&id));
                        }
                        done.private.all_events = Some(answered);
                    }
                    done
                }
                Err(failure) => return Outcome::new(prior, messages::update_failed(&failure)),
            }
        };

        match rotation {
            Rotation::None | Rotation::Perhaps => Outcome::quiet(done),
            Rotation::Due | Rotation::Unsettled => rotate(&client, &id, done, &prior, stop).await,
        }
    }

    async fn delete(&self, prior: Known, stop: &Stop) -> Diagnostics {
        let (client, id) = match self.to_call_about(&prior.state, "Deleting a webhook endpoint") {
            Ok(ready) => ready,
            Err(problems) => return problems,
        };
        match client.delete(&id, stop).await {
            Err(failure) if !failure.is_not_found() => report::failure(&failure).into(),
            Ok(()) | Err(_) => Diagnostics::none(),
        }
    }

    async fn import(&self, target: ImportTarget, stop: &Stop) -> Outcome<Option<Known>> {
        let id = match import_id(&target).map(EndpointId::parse) {
            Some(Ok(id)) => id,
            Some(Err(why)) => return Outcome::new(None, messages::not_an_id(&why)),
            None => return Outcome::new(None, messages::not_an_id(&"it is not known")),
        };
        let client = match self.session.client() {
            Ok(client) => client,
            Err(no_client) => return Outcome::new(None, no_client.into_error("Importing a webhook endpoint")),
        };
        match self.find(&client, &id, stop).await {
            Ok(Some(endpoint)) => {
                let imported = state::from_answer(&endpoint, &nothing_known());
                Outcome::new(Some(imported), messages::secret_not_imported(&id))
            }
            Ok(None) => Outcome::new(None, report::no_such_endpoint(&id)),
            Err(failure) => Outcome::new(None, report::failure(&failure)),
        }
    }
}

impl WebhookEndpoint {
    /// What a read and an import ask. An endpoint that is found is known to be somebody's.
    async fn find(&self, client: &Client, id: &EndpointId, stop: &Stop) -> Result<Option<Endpoint>, Failure> {
        let found = client.find(id, stop).await?;
        if found.is_some() {
            self.session.remember(id);
        }
        Ok(found)
    }

    /// The call of a creation. Once it is over, an endpoint that was answered is known to be somebody's.
    async fn call_to_create(&self, client: &Client, asked: &CreateEndpoint, stop: &Stop) -> Result<Endpoint, Failure> {
        let _under_way = self.creations.begin(asked);
        let endpoint = client.create(asked, stop).await?;
        self.session.remember(&endpoint.id);
        Ok(endpoint)
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
async fn rotate(client: &Client, id: &EndpointId, mut done: Known, prior: &Known, stop: &Stop) -> Outcome<Known> {
    match client.rotate_secret(id, stop).await {
        Ok(secret) => {
            done.state.secret = Attr::Known(state::hidden(&secret));
            done.private.rotation_unsettled = false;
            Outcome::quiet(done)
        }
        Err(failure) => {
            let mut done = without_rotation(done, prior);
            done.private.rotation_unsettled |= failure.effect == Effect::Unknown;
            let unsettled = done.private.rotation_unsettled;
            Outcome::new(done, messages::rotation_failed(&failure, unsettled))
        }
    }
}

/// The new state of an endpoint that was just created.
fn created(answer: &Endpoint, planned: EndpointModel) -> Known {
    let all_events = planned
        .events
        .is_null()
        .then(|| state::normalized_events(answer))
        .flatten();
    let before = Known {
        state: planned.clone(),
        private: Private {
            all_events,
            ..Private::default()
        },
    };
    let Known { state, private } = state::from_answer(answer, &before);
    Known {
        state: state::as_planned(state, planned),
        private,
    }
}

/// The new state of an endpoint whose attributes were brought to the plan, its secret not yet touched.
fn patched(prior: &Known, planned: EndpointModel) -> Known {
    let mut private = prior.private.clone();
    if !planned.entity_id.is_null() {
        private.entity_id_not_known = false;
    }
    Known {
        state: state::as_planned(prior.state.clone(), planned),
        private,
    }
}

/// The same, as long as the rotation has not happened: the next plan will find it due again.
fn without_rotation(mut done: Known, prior: &Known) -> Known {
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

/// Whether HeyGen's answer to *all events* is the list from before, and not all events spelled out: those are a list from
/// before too, if that was read from HeyGen.
fn kept_its_list(prior: &EndpointModel, answered: &BTreeSet<String>) -> bool {
    names(&prior.events).as_ref() == Some(answered) && !state::spells_out_all(answered)
}

/// The names in a set of events; `None` for all.
fn names(events: &Attr<Set<String>>) -> Option<BTreeSet<String>> {
    events.known().map(Set::known).cloned()
}

fn id_of(state: &EndpointModel) -> Result<EndpointId, Diagnostic> {
    let id = state.id.known().map_or("", String::as_str);
    EndpointId::parse(id).map_err(|why| messages::bad_id_in_state(&why))
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
fn nothing_known() -> Known {
    Known {
        state: EndpointModel {
            id: Attr::Null,
            url: Attr::Null,
            events: Attr::Null,
            entity_id: Attr::Null,
            rotate_trigger: Attr::Null,
            secret: Attr::Null,
            status: Attr::Null,
            created_at: Attr::Null,
            replace_when_disabled: Attr::Null,
        },
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
            ..nothing_known().state
        }
    }

    #[test]
    fn all_events_spelled_out_are_no_list_that_was_kept() {
        let some = BTreeSet::from(["batch.finished".to_owned()]);
        let all: BTreeSet<String> = KNOWN_EVENTS.map(str::to_owned).into();
        assert!(kept_its_list(&prior(&some), &some));
        assert!(!kept_its_list(&prior(&some), &all));
        // A null whose answer got lost is found as this list by the next refresh, and asked for once more.
        assert!(!kept_its_list(&prior(&all), &all));
    }
}
