//! What the resources and data sources of one process share: the client, and the endpoints that are known.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use tokio::time::Instant;

use crate::heygen::{CallStart, Client, Endpoint, EndpointId, without_signing_secrets};
use crate::provider::summaries;
use crate::terraform::{Diagnostic, Diagnostics};

/// The connection to `HeyGen`, as far as the configuration is known.
pub(super) enum Connection {
    /// The provider is not configured, or its configuration was refused with an error.
    NotConfigured,
    /// These attributes of the provider block are known only during apply.
    NotKnownYet(Vec<&'static str>),
    /// There are no credentials, which matters only once a call is to be made.
    NoCredentials(Diagnostic),
    /// Ready to call.
    Ready(Client),
}

/// Shared by the resource and all data sources.
pub(super) struct Session {
    connection: RwLock<Connection>,
    known_endpoints: Mutex<BTreeMap<EndpointId, KnownAs>>,
    /// What was created here, in this order.
    created: Mutex<Vec<CreatedHere>>,
}

/// An endpoint that this process has created, which the list may not show yet.
struct CreatedHere {
    id: EndpointId,
    url: String,
    /// The moment of its creation, as HeyGen has written it.
    created_at: String,
}

/// What is known of an endpoint that a creation whose answer was lost may have made, or not.
#[derive(Clone, Copy)]
enum KnownAs {
    /// It is or will be in state.
    Managed,
    /// A data source or a list has returned it, for the first time at this moment.
    Shown(Instant),
}

/// Whether a creation whose answer was lost may have made an endpoint, by what is known of the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MayBeNew {
    /// Nothing is known of it.
    Yes,
    /// A data source or a list has returned it since the creation began, and somebody may go by that.
    Perhaps,
    /// It is in state, or was returned before the creation began.
    No,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            connection: RwLock::new(Connection::NotConfigured),
            known_endpoints: Mutex::default(),
            created: Mutex::default(),
        }
    }
}

/// Why no call can be made.
#[derive(Debug)]
pub(super) enum NoClient {
    /// These attributes of the provider block are known only during apply.
    NotKnownYet(Vec<&'static str>),
    /// The provider is not configured, or there are no credentials.
    Error(Diagnostic),
}

impl Session {
    /// Takes another connection for the calls that follow. What the last one knew of the list goes with it.
    pub(super) fn connect(&self, connection: Connection) {
        *self.connection.write().unwrap_or_else(PoisonError::into_inner) = connection;
    }

    /// The client to call with.
    pub(super) fn client(&self) -> Result<Client, NoClient> {
        match &*self.connection.read().unwrap_or_else(PoisonError::into_inner) {
            Connection::Ready(client) => Ok(client.clone()),
            Connection::NotKnownYet(attributes) => Err(NoClient::NotKnownYet(attributes.clone())),
            Connection::NoCredentials(problem) => Err(NoClient::Error(problem.clone())),
            Connection::NotConfigured => Err(NoClient::Error(Diagnostic::error(
                summaries::NOT_CONFIGURED,
                "A call to HeyGen was needed before the provider had a valid configuration. If an error about the provider block \
                 came before this one, correct that one; if none did, this is a bug; please report it.",
            ))),
        }
    }

    /// A message without the credential, as far as it is known, and without anything that looks like a signing secret. What
    /// is quoted in it of a configuration, a state or an answer may be one of these by mistake.
    pub(super) fn shown(&self, message: &str) -> String {
        match self.client() {
            Ok(client) => client.redacted(message),
            Err(_) => without_signing_secrets(message),
        }
    }

    /// Notes an endpoint that is or will be in state. Returns whether it was not noted so before.
    pub(super) fn mark_managed(&self, id: &EndpointId) -> bool {
        let before = self.known_endpoints().insert(id.clone(), KnownAs::Managed);
        !matches!(before, Some(KnownAs::Managed))
    }

    /// Notes an endpoint that was created here with this URL, so that it is not said to be missing while the list lags
    /// behind its creation.
    pub(super) fn note_created(&self, endpoint: &Endpoint, url: &str) {
        if let Ok(created_at) = &endpoint.created_at {
            self.created().push(CreatedHere {
                id: endpoint.id.clone(),
                url: url.to_owned(),
                created_at: created_at.clone(),
            });
        }
    }

    /// When the newest of the endpoints was created here that `is_it` accepts by id and URL.
    pub(super) fn created_at(&self, is_it: impl Fn(&EndpointId, &str) -> bool) -> Option<String> {
        let created = self.created();
        let newest = created.iter().rev().find(|created| is_it(&created.id, &created.url));
        newest.map(|created| created.created_at.clone())
    }

    /// Notes an endpoint that a data source or a list returns.
    pub(super) fn mark_shown(&self, id: &EndpointId) {
        let now = Instant::now();
        self.known_endpoints().entry(id.clone()).or_insert(KnownAs::Shown(now));
    }

    /// Whether a creation that began then, and whose answer was lost, may have made this endpoint.
    pub(super) fn may_be_new(&self, id: &EndpointId, start: &CallStart) -> MayBeNew {
        match self.known_endpoints().get(id) {
            None => MayBeNew::Yes,
            Some(KnownAs::Shown(moment)) if start.is_before(*moment) => MayBeNew::Perhaps,
            Some(KnownAs::Shown(_) | KnownAs::Managed) => MayBeNew::No,
        }
    }

    fn created(&self) -> MutexGuard<'_, Vec<CreatedHere>> {
        self.created.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_endpoints(&self) -> MutexGuard<'_, BTreeMap<EndpointId, KnownAs>> {
        self.known_endpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl NoClient {
    /// The error for an operation that needs a call. `doing` names the operation.
    pub(super) fn into_error(self, doing: &str) -> Diagnostics {
        match self {
            NoClient::Error(problem) => problem.into(),
            NoClient::NotKnownYet(attributes) => Diagnostic::error(
                summaries::CONFIGURATION_NOT_KNOWN_YET,
                format!(
                    "{doing} needs a call to HeyGen, but {attributes} of the provider block will be known only during \
                     apply. For a data source, name what {attributes} comes from in its depends_on: it is then read during \
                     apply. For a resource or an import, manage what {attributes} comes from in another configuration, and \
                     apply that one first. Where neither is possible, apply what it comes from first, with -target.",
                    attributes = attributes.join(" and ")
                ),
            )
            .into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_yet_is_named_with_what_to_do_about_it() {
        let detail = |attributes: Vec<&'static str>| {
            let problems = NoClient::NotKnownYet(attributes).into_error("Importing a webhook endpoint");
            problems.into_iter().next().unwrap().detail
        };
        assert_eq!(
            detail(vec!["api_key"]),
            "Importing a webhook endpoint needs a call to HeyGen, but api_key of the provider block will be known only \
             during apply. For a data source, name what api_key comes from in its depends_on: it is then read during \
             apply. For a resource or an import, manage what api_key comes from in another configuration, and apply that \
             one first. Where neither is possible, apply what it comes from first, with -target."
        );
        assert!(detail(vec!["api_key", "base_url"]).contains("but api_key and base_url of the provider block"));
    }

    #[test]
    fn a_call_before_any_configuration_leads_to_what_was_wrong_with_it() {
        let problems = Session::default().client().unwrap_err().into_error("Reading");
        let problem = problems.into_iter().next().unwrap();
        assert_eq!(problem.summary, "The provider is not configured");
        assert!(problem.detail.contains("correct that one"), "{}", problem.detail);
    }
}
