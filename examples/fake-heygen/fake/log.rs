//! What arrived, in order, and what became of it.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::Value;

use super::{request::Credentials, route::Route};

/// The oldest requests are forgotten beyond this many.
const KEPT: usize = 100_000;

/// Longer bodies are not kept, in bytes.
const LONGEST_BODY: usize = 16 * 1024;

/// One request the API received. Calls of the control path are not among them.
#[derive(Clone, Debug, Serialize)]
pub struct Request {
    /// Counts from 1, in order of arrival.
    pub sequence: u64,
    /// When it came: so many milliseconds after the fake began.
    pub arrived_ms: u64,
    /// Which connection it came on, counted from 1 in the order they were made.
    pub connection: u64,
    /// Such as `HTTP/2.0`.
    pub version: String,
    /// Such as `PATCH`.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// Without the question mark; empty if there is none.
    pub query: String,
    /// Which call it was; `None` if there is no such call.
    pub route: Option<Route>,
    /// The endpoint it named, if any.
    pub endpoint_id: Option<String>,
    /// `Host`
    pub host: Option<String>,
    /// `User-Agent`
    pub user_agent: Option<String>,
    /// `Idempotency-Key`
    pub idempotency_key: Option<String>,
    /// Whether it carried the right credentials; the credentials themselves are not kept.
    pub credentials: Credentials,
    /// The body if it was JSON of no more than 16 KiB.
    pub body: Option<Value>,
    /// The request id it was answered with.
    pub request_id: String,
    /// The status answered; `None` while it runs, and if it was never answered.
    pub status: Option<u16>,
    /// The kind of fault that struck it.
    pub fault: Option<&'static str>,
    /// The call changed the account.
    pub took_effect: bool,
    /// The answer was that of an earlier request with the same idempotency key.
    pub replayed: bool,
    /// The endpoint whose secret was in the answer as it was sent, where that can be read.
    pub secret_of: Option<String>,
    /// The account is done with it.
    pub finished: bool,
}

/// The body as it is kept: a log of long bodies would have no bound worth the name.
pub fn readable(body: &[u8]) -> Option<Value> {
    let short = Some(body).filter(|body| body.len() <= LONGEST_BODY)?;
    serde_json::from_slice(short).ok()
}

/// The requests kept.
#[derive(Debug, Default)]
pub struct Log {
    requests: VecDeque<Request>,
    last: u64,
}

impl Log {
    /// The sequence number of the next request.
    pub fn next(&self) -> u64 {
        self.last + 1
    }

    /// Adds the next request.
    pub fn push(&mut self, request: Request) {
        self.last = request.sequence;
        self.requests.push_back(request);
        if self.requests.len() > KEPT {
            self.requests.pop_front();
        }
    }

    /// A request that has not been forgotten or cleared.
    pub fn request_mut(&mut self, sequence: u64) -> Option<&mut Request> {
        let first = self.requests.front()?.sequence;
        let index = usize::try_from(sequence.checked_sub(first)?).ok()?;
        self.requests.get_mut(index)
    }

    /// In order of arrival.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.requests.iter()
    }

    /// Forgets the requests; the numbers go on.
    pub fn clear(&mut self) {
        self.requests.clear();
    }
}
