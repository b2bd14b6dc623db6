//! One call: as many attempts as it takes and is allowed.

use std::time::{Duration, SystemTime};

use http::header::{HeaderMap, LOCATION, RETRY_AFTER};
use tokio::time::{Instant, sleep, timeout};
use url::Url;

use super::answer::{self, Unreadable};
use super::redact::Redactor;
use super::request::Request;
use super::retry::{self, Backoff};
use super::transport::{Reply, Transport};
use super::{Failure, Fault, Pace, Stop};

/// Makes calls.
pub(super) struct Caller {
    pub(super) transport: Box<dyn Transport>,
    pub(super) redactor: Redactor,
    pub(super) backoff: Backoff,
    pub(super) max_retries: u32,
    pub(super) request_timeout: Duration,
    pub(super) pace: Pace,
}

/// How one attempt went wrong.
struct Missed {
    fault: Fault,
    request_id: Option<String>,
    asked_wait: Option<Duration>,
}

impl Caller {
    /// Sends `request` until `decode` understands the answer, the answer is final, or the attempts are used up.
    ///
    /// Once `stop` is given no further attempt starts and no wait goes on. A read under way is abandoned; anything else
    /// under way is given its answer, because only that says what HeyGen did.
    pub(super) async fn call<T>(
        &self,
        request: &Request,
        stop: &Stop,
        decode: impl Fn(&[u8]) -> Result<T, Unreadable>,
    ) -> Result<T, Failure> {
        let mut failure = Failure::without_attempt(request.operation.clone(), Fault::Stopped);
        loop {
            if stop.is_cancelled() {
                failure.fault = Fault::Stopped;
                return Err(failure);
            }
            failure.attempts += 1;
            let attempt = self.attempt(request, failure.attempts, &decode);
            let missed = if request.only_reads() {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => Err(Missed::by(Fault::Stopped)),
                    done = attempt => done,
                }
            } else {
                attempt.await
            };
            let missed = match missed {
                Ok(answer) => return Ok(answer),
                Err(missed) => missed,
            };
            failure.effect = failure.effect.max(retry::effect(request, &missed.fault));
            failure.request_id = missed.request_id;
            failure.fault = missed.fault;
            if failure.attempts > self.max_retries || !retry::is_repeated(&failure.fault) {
                return Err(failure);
            }
            let wait = self.backoff.wait(failure.attempts, missed.asked_wait);
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = sleep(wait) => {}
            }
        }
    }

    async fn attempt<T>(
        &self,
        request: &Request,
        number: u32,
        decode: impl Fn(&[u8]) -> Result<T, Unreadable>,
    ) -> Result<T, Missed> {
        let began = Instant::now();
        let sent = timeout(self.request_timeout, self.transport.send(request)).await;
        let (status, request_id) = match &sent {
            Ok(Ok(reply)) => (Some(reply.status), self.request_id(&reply.headers)),
            _ => (None, None),
        };
        let outcome = match sent {
            Ok(Ok(reply)) => self.judge(reply, decode),
            Ok(Err(fault)) => Err(Missed::by(fault)),
            Err(_) => Err(Missed::by(Fault::TimedOut(self.request_timeout))),
        };
        let fault = outcome.as_ref().err().map(|missed| missed.fault.kind());
        tracing::debug!(
            method = %request.method(),
            path = request.path_template(),
            attempt = number,
            status,
            request_id = request_id.as_deref(),
            duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            fault,
            "HeyGen API call"
        );
        outcome.map_err(|missed| Missed { request_id, ..missed })
    }

    /// What an answer means.
    fn judge<T>(&self, reply: Reply, decode: impl Fn(&[u8]) -> Result<T, Unreadable>) -> Result<T, Missed> {
        let Reply { status, headers, body } = reply;
        let fault = match (status, body) {
            (200..=299, Ok(body)) => match decode(&body) {
                Ok(answer) => return Ok(answer),
                Err(unreadable) => Fault::Garbled(self.redactor.explanation(&unreadable.to_string())),
            },
            // What a conflict is about stands in the part that is missing.
            (200..=299 | 409, Err(fault)) => fault,
            (300..=399, _) => Fault::Redirected {
                status,
                to: self.redirect_host(&headers),
            },
            (400.., body) => answer::refusal(status, &body.unwrap_or_default(), &self.redactor),
            _ => Fault::Garbled(format!("status {status} is not an answer")),
        };
        let asked_wait = headers
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| retry::asked_wait(value, SystemTime::now()));
        Err(Missed {
            fault,
            request_id: None,
            asked_wait,
        })
    }

    fn request_id(&self, headers: &HeaderMap) -> Option<String> {
        ["x-request-id", "x-amzn-request-id"]
            .into_iter()
            .filter_map(|name| headers.get(name)?.to_str().ok())
            .find_map(|id| self.redactor.name(id))
    }

    fn redirect_host(&self, headers: &HeaderMap) -> Option<String> {
        let to = Url::parse(headers.get(LOCATION)?.to_str().ok()?).ok()?;
        self.redactor.name(to.host_str()?)
    }
}

impl Missed {
    fn by(fault: Fault) -> Self {
        Self {
            fault,
            request_id: None,
            asked_wait: None,
        }
    }
}
