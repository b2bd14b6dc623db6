//! What the resources of one process share: the way to `HeyGen`, and the endpoints seen on it.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use crate::heygen::{Client, EndpointId};
use crate::terraform::{Diagnostic, Diagnostics};

/// The way to `HeyGen`, as far as it is known.
pub(super) enum Connection {
    /// Not configured, or badly; the user has been told.
    None,
    /// These attributes of the provider block are known only during apply.
    Waiting(Vec<&'static str>),
    /// There are no credentials, which matters only once a call is to be made.
    Impossible(Diagnostic),
    /// Ready to call.
    Ready(Client),
}

/// Shared by everything that calls.
pub(super) struct Session {
    connection: RwLock<Connection>,
    known: Mutex<BTreeSet<EndpointId>>,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            connection: RwLock::new(Connection::None),
            known: Mutex::default(),
        }
    }
}

/// Why no call can be made.
#[derive(Debug)]
pub(super) enum NoClient {
    /// These attributes of the provider block are known only during apply.
    NotYet(Vec<&'static str>),
    /// Something is wrong.
    Problem(Diagnostic),
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
            Connection::Waiting(attributes) => Err(NoClient::NotYet(attributes.clone())),
            Connection::Impossible(problem) => Err(NoClient::Problem(problem.clone())),
            Connection::None => Err(NoClient::Problem(Diagnostic::error(
                "The provider is not configured",
                "A call to HeyGen was needed before the provider had a valid configuration.",
            ))),
        }
    }

    /// What the user is told, without the credential and anything that looks like a signing secret: what is quoted of a
    /// configuration or a state may be either, by mistake.
    pub(super) fn redacted(&self, diagnostics: Diagnostics) -> Diagnostics {
        let Ok(client) = self.client() else {
            return diagnostics;
        };
        let redacted = diagnostics.into_iter().map(|diagnostic| Diagnostic {
            detail: client.redacted(&diagnostic.detail),
            ..diagnostic
        });
        redacted.collect()
    }

    /// Remembers an endpoint that state has or is about to have, or that a data source or a list has shown: it is somebody's.
    /// Answers whether that was news.
    pub(super) fn remember(&self, id: &EndpointId) -> bool {
        self.known().insert(id.clone())
    }

    /// Whether an endpoint is somebody's already.
    pub(super) fn knows(&self, id: &EndpointId) -> bool {
        self.known().contains(id)
    }

    fn known(&self) -> MutexGuard<'_, BTreeSet<EndpointId>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl NoClient {
    /// The same as an error, for what cannot go on without a call.
    pub(super) fn into_error(self, doing: &str) -> Diagnostics {
        match self {
            NoClient::Problem(problem) => problem.into(),
            NoClient::NotYet(attributes) => Diagnostic::error(
                "The provider's configuration is not known yet",
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
            let problems = NoClient::NotYet(attributes).into_error("Importing a webhook endpoint");
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
}
