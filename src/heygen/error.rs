//! What can go wrong with a call, sorted by whose fault it is. All text in here is clean: bounded, printable, and free
//! of credentials, secrets, URL user-info and queries, whatever the other side answered.

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;

use super::{CallStart, CredentialOrigin, Operation};

/// A call that did not end well.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Failure {
    /// What was being done, and to which endpoint.
    pub operation: Operation,
    /// What went wrong in the last attempt.
    pub fault: Fault,
    /// HeyGen's name for the last answer, to quote to its support.
    pub request_id: Option<String>,
    /// Where the credential came from, if that is what HeyGen does not accept.
    pub rejected_credential: Option<Box<CredentialOrigin>>,
    /// How many attempts were made; 0 if there was none, or if this reader only waited for a page that another one
    /// fetches.
    pub attempts: u32,
    /// Whether HeyGen may have acted all the same, in any of the attempts.
    pub effect: Effect,
    /// When the first of the attempts began after which that is so.
    pub in_doubt_from: Option<CallStart>,
    /// Where the last attempt certainly had no effect and one before it may have had one: what went wrong with that one.
    pub earlier_fault: Option<Box<Fault>>,
}

/// A creation for which HeyGen has answered no id.
#[derive(Clone, Debug)]
pub struct CreateFailure {
    /// What went wrong.
    pub failure: Failure,
    /// The secret of the new endpoint, where an answer had one, and no id that it belongs to.
    pub secret: Option<SecretString>,
}

/// What went wrong with an attempt, which also tells whose fault it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// HeyGen, or what stands before it, answered with an error.
    Refused {
        /// The HTTP status, 400 and up.
        status: u16,
        /// HeyGen's error code; `None` where the answer is not in HeyGen's form, as when a gateway has written it.
        code: Option<String>,
        /// The explanation, possibly empty.
        message: String,
        /// The parameter the answer blames.
        param: Option<String>,
    },
    /// No connection came about, and nothing was sent. Holds the reason.
    Unreachable(String),
    /// The server's certificate does not prove that it is the API, and nothing was sent. Holds what is wrong with it
    /// and what to do.
    Untrusted(String),
    /// The same of the proxy on the way, whose certificate does not prove that it is that proxy.
    UntrustedProxy(String),
    /// The other side wants a certificate of its clients, which this one does not have, and has taken no request. Holds
    /// the name of the other side.
    ClientCertificateWanted(String),
    /// The connection broke before the whole answer was here: a reset, a truncated body. Holds the reason.
    Dropped(String),
    /// The answer did not come within the time for one attempt.
    TimedOut(Duration),
    /// The answer said "done" but cannot be understood. Holds what is wrong with it.
    Garbled(String),
    /// The answer is larger than any answer has reason to be.
    TooLarge,
    /// The answer has a status below 400 that is no success. A redirect was not followed: the credential would have
    /// travelled along.
    Redirected {
        /// The HTTP status, 300 to 399.
        status: u16,
        /// The host pointed to, if it is named.
        to: Option<String>,
    },
    /// A cursor of a list came a second time: the list would never end.
    CursorRepeats,
    /// The list has items that could be what is looked for, because they cannot be read, so it does not prove that what
    /// is looked for is missing.
    UnidentifiedItems {
        /// How many of them there are.
        count: usize,
        /// What cannot be read of them.
        lookup_key: LookupKey,
    },
    /// The user asked to stop.
    Stopped {
        /// What had gone wrong before, in the last attempt, if there was one.
        before: Option<Box<Fault>>,
    },
    /// This machine has no certificates of authorities to check HeyGen's certificate with. Holds the reason.
    NoRootCertificates(String),
    /// The environment names certificates of authorities to check HeyGen's certificate with, and there are none where it
    /// says. Holds what it names, and what is wrong with that.
    NoNamedRootCertificates(String),
    /// The HTTP client could not be set up on this machine. Holds the reason.
    Unusable(String),
}

/// What an endpoint is looked up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookupKey {
    /// Its id.
    Id,
    /// Its URL; the id has to be readable too.
    Url,
}

/// Whether a call may have changed something at HeyGen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It certainly has not.
    None,
    /// It may or may not have; the answer, or the lack of one, does not tell.
    Unknown,
}

impl Failure {
    /// A failure of a call that made no attempt of its own, and so had no effect.
    pub(super) fn without_attempt(operation: Operation, fault: Fault) -> Self {
        Self {
            operation,
            fault,
            request_id: None,
            rejected_credential: None,
            attempts: 0,
            effect: Effect::None,
            in_doubt_from: None,
            earlier_fault: None,
        }
    }

    /// Whether HeyGen itself answered that the endpoint does not exist. A gateway's 404 says nothing about endpoints.
    pub fn is_not_found(&self) -> bool {
        let Fault::Refused { status, code, .. } = &self.fault else {
            return false;
        };
        *status == 404 && code.is_some()
    }

    /// Whether a gateway or a proxy on the way to HeyGen answered 404, which says nothing about endpoints.
    pub fn is_gateway_not_found(&self) -> bool {
        matches!(
            self.fault,
            Fault::Refused {
                status: 404,
                code: None,
                ..
            }
        )
    }
}

impl Fault {
    /// The user asked to stop before any attempt had gone wrong.
    pub(super) const STOPPED: Self = Self::Stopped { before: None };

    /// The user asked to stop after this had gone wrong.
    pub(super) fn stopped_after(self) -> Self {
        match self {
            stopped @ Self::Stopped { .. } => stopped,
            fault => Self::Stopped {
                before: Some(Box::new(fault)),
            },
        }
    }

    /// Whether the answer says that it is elsewhere. Other statuses from 300 to 399 say nothing that a call asks for.
    pub fn is_redirect(&self) -> bool {
        matches!(
            self,
            Self::Redirected {
                status: 301 | 302 | 303 | 307 | 308,
                ..
            }
        )
    }

    /// One word for log lines.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "refused",
            Self::Unreachable(_) => "unreachable",
            Self::Untrusted(_) => "untrusted",
            Self::UntrustedProxy(_) => "untrusted proxy",
            Self::ClientCertificateWanted(_) => "client certificate wanted",
            Self::Dropped(_) => "dropped",
            Self::TimedOut(_) => "timed out",
            Self::Garbled(_) => "garbled",
            Self::TooLarge => "too large",
            Self::Redirected { .. } => "redirected",
            Self::CursorRepeats => "cursor repeats",
            Self::UnidentifiedItems { .. } => "unidentified items",
            Self::Stopped { .. } => "stopped",
            Self::NoRootCertificates(_) => "no root certificates",
            Self::NoNamedRootCertificates(_) => "no named root certificates",
            Self::Unusable(_) => "unusable",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.fault)?;
        match (&self.earlier_fault, self.attempts) {
            (Some(earlier), attempts) => write!(f, " (after {attempts} attempts; before that: {earlier})")?,
            (None, 0 | 1) => {}
            (None, attempts) => write!(f, " (after {attempts} attempts)")?,
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request id {id})")?;
        }
        Ok(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused {
                status,
                code,
                message,
                param,
            } => {
                write!(f, "the API answered {status}")?;
                if let Some(code) = code {
                    write!(f, " {code}")?;
                }
                if !message.is_empty() {
                    write!(f, ": {message}")?;
                }
                if let Some(param) = param {
                    write!(f, " (parameter {param})")?;
                }
                Ok(())
            }
            Self::Unreachable(reason) => write!(f, "the API could not be reached: {reason}"),
            Self::Untrusted(reason) => write!(f, "the API's certificate is refused: {reason}"),
            Self::UntrustedProxy(reason) => write!(f, "the certificate of the proxy is refused: {reason}"),
            Self::ClientCertificateWanted(peer) => {
                write!(
                    f,
                    "{peer} wants a certificate of its clients, and the provider has none"
                )
            }
            Self::Dropped(reason) => write!(f, "the connection broke before the answer was complete: {reason}"),
            Self::TimedOut(limit) => {
                write!(f, "no complete answer within {}", humantime::format_duration(*limit))
            }
            Self::Garbled(reason) => write!(f, "the answer cannot be understood: {reason}"),
            Self::TooLarge => write!(f, "the answer is larger than 8 MiB"),
            Self::Redirected { status, to: Some(host) } => {
                write!(
                    f,
                    "the API answered {status}, a redirect to {host}, which is never followed"
                )
            }
            Self::Redirected { status, to: None } if self.is_redirect() => {
                write!(f, "the API answered {status}, a redirect, which is never followed")
            }
            Self::Redirected { status, to: None } => {
                write!(f, "the API answered {status}, which is no answer to this call")
            }
            Self::CursorRepeats => write!(f, "the list repeats a page cursor and would never end"),
            Self::UnidentifiedItems { count, lookup_key } => match (lookup_key, count) {
                (LookupKey::Id, 1) => write!(f, "the list has an item whose id cannot be read"),
                (LookupKey::Id, count) => write!(f, "the list has {count} items whose ids cannot be read"),
                (LookupKey::Url, 1) => write!(f, "the list has an item whose id or URL cannot be read"),
                (LookupKey::Url, count) => write!(f, "the list has {count} items whose ids or URLs cannot be read"),
            },
            Self::Stopped { before: None } => write!(f, "interrupted"),
            Self::Stopped { before: Some(fault) } => write!(f, "interrupted; before that: {fault}"),
            Self::NoRootCertificates(reason) => {
                write!(f, "no certificates of authorities were found on this machine: {reason}")
            }
            Self::NoNamedRootCertificates(reason) => {
                write!(f, "there is nothing to check the API's certificate with: {reason}")
            }
            Self::Unusable(reason) => write!(f, "the HTTP client could not be set up: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_was_done_what_happened_and_what_to_quote() {
        let failure = Failure {
            operation: Operation::Create,
            fault: Fault::Refused {
                status: 400,
                code: Some("invalid_parameter".into()),
                message: "URL did not answer".into(),
                param: Some("url".into()),
            },
            request_id: Some("req-7".into()),
            rejected_credential: None,
            attempts: 2,
            effect: Effect::None,
            in_doubt_from: None,
            earlier_fault: None,
        };
        assert_eq!(
            failure.to_string(),
            "creating a webhook endpoint: the API answered 400 invalid_parameter: URL did not answer (parameter url) \
             (after 2 attempts) (request id req-7)"
        );
    }

    #[test]
    fn one_unknown_attempt_makes_the_whole_unknown() {
        assert_eq!(Effect::None.max(Effect::Unknown), Effect::Unknown);
    }
}
