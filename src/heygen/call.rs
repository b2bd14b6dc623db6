//! One call: one attempt after the other, until there is a final answer or no attempt is left.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use http::header::{DATE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER};
use tokio::time::{Instant, sleep, timeout};
use url::Url;

use super::clock::ServerClock;
use super::pace::Pace;
use super::redact::Redactor;
use super::request::Request;
use super::response::{self, DecodeError};
use super::retry::{self, Backoff, MAX_WAIT};
use super::transport::{Reply, Transport};
use super::{CallStart, CredentialOrigin, Effect, Failure, Fault, Operation, Stop, Timing};

/// Makes calls.
pub(super) struct Caller {
    pub(super) transport: Box<dyn Transport>,
    pub(super) redactor: Redactor,
    /// Where the credential came from.
    pub(super) credential_origin: CredentialOrigin,
    pub(super) backoff: Backoff,
    pub(super) pace: Pace,
    pub(super) max_retries: u32,
    pub(super) request_timeout: Duration,
    pub(super) timing: Timing,
    pub(super) clock: ServerClock,
}

/// How one attempt went wrong.
struct AttemptError {
    fault: Fault,
    request_id: Option<String>,
    /// What `Retry-After` asked for.
    retry_after: Option<Duration>,
}

/// Whether an attempt waits for its turn where HeyGen limits the rate of calls.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turns {
    Taken,
    Ignored,
}

/// What went wrong last with a call that is still being repeated, for those who stop waiting for it.
#[derive(Default)]
pub(super) struct LastFault(Mutex<Option<NotedFault>>);

#[derive(Clone)]
struct NotedFault {
    fault: Fault,
    request_id: Option<String>,
}

impl LastFault {
    /// What is reported to a reader that is stopped while it waits for this call.
    pub(super) fn stopped(&self, operation: Operation) -> Failure {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(NotedFault { fault, request_id }) = last else {
            return Failure::without_attempt(operation, Fault::STOPPED);
        };
        Failure {
            request_id,
            ..Failure::without_attempt(operation, fault.stopped_after())
        }
    }

    fn note(&self, failure: &Failure) {
        let noted = NotedFault {
            fault: failure.fault.clone(),
            request_id: failure.request_id.clone(),
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(noted);
    }
}

impl Caller {
    /// Sends `request` until `decode` understands the answer, the answer is final, or the attempts are used up.
    ///
    /// Where HeyGen limits the rate of calls, every attempt waits for its turn.
    ///
    /// Once `stop` is given no further attempt starts and no wait goes on. A read under way is abandoned; anything else
    /// under way is given its answer, because only that says what HeyGen did.
    pub(super) async fn call<T>(
        &self,
        request: &Request,
        stop: &Stop,
        decode: impl Fn(&[u8]) -> Result<T, DecodeError>,
    ) -> Result<T, Failure> {
        let turns = Turns::Taken;
        self.call_with_retries(self.max_retries, turns, request, stop, &LastFault::default(), decode)
            .await
    }

    /// The same as [`Self::call`] with a single attempt, and without any wait.
    pub(super) async fn call_once<T>(
        &self,
        request: &Request,
        stop: &Stop,
        decode: impl Fn(&[u8]) -> Result<T, DecodeError>,
    ) -> Result<T, Failure> {
        let turns = Turns::Ignored;
        self.call_with_retries(0, turns, request, stop, &LastFault::default(), decode)
            .await
    }

    /// The same as [`Self::call`] on behalf of several readers, each of which has a stop of its own and may leave. From
    /// `last_fault` a reader that leaves learns what has gone wrong so far.
    pub(super) async fn call_for_many<T>(
        &self,
        request: &Request,
        last_fault: &LastFault,
        decode: impl Fn(&[u8]) -> Result<T, DecodeError>,
    ) -> Result<T, Failure> {
        let turns = Turns::Taken;
        self.call_with_retries(self.max_retries, turns, request, &Stop::new(), last_fault, decode)
            .await
    }

    async fn call_with_retries<T>(
        &self,
        max_retries: u32,
        turns: Turns,
        request: &Request,
        stop: &Stop,
        last_fault: &LastFault,
        decode: impl Fn(&[u8]) -> Result<T, DecodeError>,
    ) -> Result<T, Failure> {
        let mut failure = Failure::without_attempt(request.operation.clone(), Fault::STOPPED);
        // Until when the next attempt may be put off, where an attempt has been made.
        let mut latest = None;
        loop {
            if turns == Turns::Taken {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => {}
                    () = self.pace.turn(failure.attempts, latest) => {}
                }
            }
            if stop.is_cancelled() {
                failure.fault = failure.fault.stopped_after();
                return Err(failure);
            }
            failure.attempts += 1;
            let (sent, start) = (Instant::now(), CallStart::now());
            let attempt = self.attempt(request, failure.attempts, &decode);
            let outcome = if request.is_read_only() {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => Err(AttemptError {
                        // This attempt has no answer: the failure before it is the one that is told.
                        request_id: failure.request_id.clone(),
                        ..failure.fault.clone().stopped_after().into()
                    }),
                    done = attempt => done,
                }
            } else {
                attempt.await
            };
            let error = match outcome {
                Ok(answer) => {
                    self.pace.accepted();
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let wait = self.backoff.wait(failure.attempts, error.retry_after);
            if retry::is_rate_limit(&error.fault) {
                self.pace.refused(sent, error.retry_after, wait);
            }
            let effect = retry::effect(request, &error.fault);
            failure.earlier_fault = match (effect, failure.effect) {
                (Effect::None, Effect::Unknown) => {
                    let before = failure.earlier_fault.take();
                    Some(before.unwrap_or_else(|| Box::new(failure.fault.clone())))
                }
                _ => None,
            };
            failure.effect = failure.effect.max(effect);
            if effect == Effect::Unknown {
                failure.in_doubt_from.get_or_insert(start);
            }
            failure.request_id = error.request_id;
            failure.fault = error.fault;
            failure.rejected_credential = matches!(failure.fault, Fault::Refused { status: 401, .. })
                .then(|| Box::new(self.credential_origin.clone()));
            if failure.attempts > max_retries || !retry::is_repeated(&failure.fault) {
                return Err(failure);
            }
            last_fault.note(&failure);
            latest = Some(Instant::now() + MAX_WAIT);
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
        decode: impl Fn(&[u8]) -> Result<T, DecodeError>,
    ) -> Result<T, AttemptError> {
        let began = Instant::now();
        let sent = timeout(self.request_timeout, self.transport.send(request)).await;
        let (status, request_id) = match &sent {
            Ok(Ok(reply)) => (Some(reply.status), self.request_id(&reply.headers)),
            _ => (None, None),
        };
        let outcome = match sent {
            Ok(Ok(reply)) => {
                let date = date_in(&reply.headers, DATE);
                if let Some(date) = date {
                    self.clock.observe(date, began, Instant::now());
                }
                self.interpret(reply, date, decode)
            }
            Ok(Err(fault)) => Err(fault.into()),
            Err(_) => Err(Fault::TimedOut(self.request_timeout).into()),
        };
        let fault = outcome.as_ref().err().map(|error| error.fault.kind());
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
        outcome.map_err(|error| AttemptError { request_id, ..error })
    }

    /// Decodes an answer with a success status, and makes a fault of every other one. `date` is the answer's `Date`.
    fn interpret<T>(
        &self,
        reply: Reply,
        date: Option<SystemTime>,
        decode: impl Fn(&[u8]) -> Result<T, DecodeError>,
    ) -> Result<T, AttemptError> {
        let Reply { status, headers, body } = reply;
        let fault = match (status, body) {
            (200..=299, Ok(body)) => match decode(&body) {
                Ok(answer) => return Ok(answer),
                Err(unreadable) => Fault::Garbled(self.redactor.explanation(&unreadable.to_string())),
            },
            // What a conflict is about, and who has answered a 404, is said in the body, which did not arrive.
            (200..=299 | 404 | 409, Err(fault)) => fault,
            (300..=399, _) => Fault::Redirected {
                status,
                to: self.redirect_host(&headers),
            },
            (400.., body) => response::refusal(status, &body.unwrap_or_default(), &self.redactor),
            _ => Fault::Garbled(format!("status {status} is not an answer")),
        };
        let retry_after = headers
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| retry::retry_after(value, date.unwrap_or_else(|| self.date_of_heygen())));
        Err(AttemptError {
            retry_after,
            ..fault.into()
        })
    }

    /// HeyGen's date, as far as its answers tell it; this machine's where they do not.
    fn date_of_heygen(&self) -> SystemTime {
        let bounds = self.clock.at(Instant::now());
        bounds.map_or_else(SystemTime::now, |bounds| bounds.earliest.into())
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

impl From<Fault> for AttemptError {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            request_id: None,
            retry_after: None,
        }
    }
}

fn date_in(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()
}
