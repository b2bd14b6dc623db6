//! The data sources: they read what the account has, also what Terraform does not manage. None of them holds a secret.

mod endpoint;
mod endpoints;
mod event_types;
mod events;
mod unreadable;

use std::sync::Arc;

use super::session::Session;
use crate::heygen::{Client, EndpointId, Failure, Field};
use crate::provider::failed_calls;
use crate::terraform::{AnyDataSource, Attr, Diagnostics};

pub(super) fn all(session: &Arc<Session>) -> Vec<Arc<dyn AnyDataSource>> {
    let shared = || SharedSession(Arc::clone(session));
    vec![
        Arc::new(endpoint::WebhookEndpoint(shared())),
        Arc::new(endpoints::WebhookEndpoints(shared())),
        Arc::new(event_types::WebhookEventTypes(shared())),
        Arc::new(events::WebhookEvents(shared())),
    ]
}

/// The session, as each data source holds it.
struct SharedSession(Arc<Session>);

impl SharedSession {
    /// The client, or the error that says why `doing` is not possible.
    fn client(&self, doing: &str) -> Result<Client, Diagnostics> {
        self.0.client().map_err(|no_client| no_client.into_error(doing))
    }

    /// See [`Session::created_at`].
    fn created_at(&self, is_it: impl Fn(&EndpointId, &str) -> bool) -> Option<String> {
        self.0.created_at(is_it)
    }

    /// See [`Session::mark_shown`].
    fn mark_shown(&self, id: &EndpointId) {
        self.0.mark_shown(id);
    }
}

/// A call that failed, as what the user sees of it.
#[expect(clippy::needless_pass_by_value, reason = "it is mapped over errors")]
fn failed(failure: Failure) -> Diagnostics {
    failed_calls::diagnostic(&failure).into()
}

/// Text of an answer.
fn text(text: &str) -> Attr<String> {
    Attr::Known(text.to_owned())
}

/// A field of an answer; null where it has no value.
fn field(field: &Field<String>) -> Attr<String> {
    field.as_ref().map_or(Attr::Null, |value| text(value))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::heygen::Stop;
    use crate::provider::session::Connection;
    use crate::terraform::{Object, Type, Value};

    #[test]
    fn every_attribute_is_described_and_none_is_or_holds_a_secret() {
        fn names(ty: &Type, found: &mut BTreeSet<String>) {
            match ty {
                Type::List(inner) | Type::Set(inner) | Type::Map(inner) => names(inner, found),
                Type::Object(attributes) => {
                    for (name, ty) in attributes {
                        found.insert(name.to_string());
                        names(ty, found);
                    }
                }
                Type::Tuple(types) => types.iter().for_each(|ty| names(ty, found)),
                Type::Bool | Type::Number | Type::String | Type::Dynamic => {}
            }
        }
        let sources = all(&Arc::default());
        assert_eq!(sources.len(), 4);
        for source in sources {
            let schema = source.schema();
            assert!(!schema.description().is_empty(), "{}", source.type_name());
            for attribute in schema.attributes_at_any_depth() {
                assert!(!attribute.description.is_empty(), "{}", attribute.name);
                assert!(!attribute.sensitive, "{}", attribute.name);
            }
            let mut found = BTreeSet::new();
            names(schema.object_type(), &mut found);
            assert!(!found.is_empty() && !found.contains("secret"), "{found:?}");
        }
    }

    #[tokio::test]
    async fn without_a_client_there_is_an_error_and_no_answer() {
        let session = Arc::new(Session::default());
        session.connect(Connection::NotKnownYet(vec!["api_key"]));
        for source in all(&session) {
            let question = match source.type_name() {
                "heygen_webhook_endpoint" => Object::from([("id".into(), Value::String("ep_1".to_owned()))]),
                _ => Object::new(),
            };
            let problems = source.read(question, &Stop::new()).await.unwrap_err();
            let problem = problems.iter().next().unwrap();
            assert_eq!(problem.summary, "The provider's configuration is not known yet");
            assert!(problem.detail.contains("api_key"), "{}", problem.detail);
        }
    }
}
