//! What is repeated, what an attempt may have done, and how long to wait: the one place that decides it.

use std::fmt;
use std::time::{Duration, SystemTime};

use super::request::Request;
use super::{Effect, Fault, Timing};

/// HeyGen's code for a request whose first attempt, with the same idempotency key, is still being processed.
const IN_PROGRESS: &str = "request_in_progress";

/// HeyGen's code for an account that is full. It comes with status 429, and no waiting makes room.
pub(super) const ACCOUNT_FULL: &str = "resource_limit_reached";

/// No wait between two attempts of a call is longer.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(30);

/// Whether to repeat an attempt that ended with this fault. That is safe for every request this client builds: a read
/// changes nothing, an update or a delete has the same result however often it is made, and a `POST` carries the key
/// that makes HeyGen replay its first answer.
pub(super) fn is_repeated(fault: &Fault) -> bool {
    match fault {
        Fault::Refused { status: 409, code, .. } => code.as_deref() == Some(IN_PROGRESS),
        Fault::Refused { status: 429, code, .. } => code.as_deref() != Some(ACCOUNT_FULL),
        Fault::Refused { status, .. } => matches!(status, 500 | 502 | 503 | 504),
        Fault::Unreachable(_) | Fault::Dropped(_) | Fault::TimedOut(_) | Fault::Garbled(_) => true,
        // A server that wants a certificate of its clients gets none however often it is asked. Other ends of TLS can be
        // those of a server that is being set up.
        Fault::Untrusted(_)
        | Fault::UntrustedProxy(_)
        | Fault::ClientCertificateWanted(_)
        | Fault::TooLarge
        | Fault::Redirected { .. }
        | Fault::CursorRepeats
        | Fault::UnidentifiedItems { .. }
        | Fault::Stopped { .. }
        | Fault::NoRootCertificates(_)
        | Fault::NoNamedRootCertificates(_)
        | Fault::Unusable(_) => false,
    }
}

/// Whether this fault refuses a call because there were too many of them lately: then all other calls wait too, in
/// [`Pace`](super::pace::Pace).
pub(super) fn is_rate_limit(fault: &Fault) -> bool {
    is_repeated(fault) && matches!(fault, Fault::Refused { status: 429, .. })
}

/// Whether an attempt that ended with this fault may have had an effect at HeyGen. It is [`Effect::None`] only where
/// that is certain.
pub(super) fn effect(request: &Request, fault: &Fault) -> Effect {
    let certainly_none = request.is_read_only()
        || match fault {
            // A conflict about the registration is a refusal; one that does not say so may be the first attempt
            // running.
            Fault::Refused { status: 409, code, .. } => code.as_deref().is_some_and(|code| code != IN_PROGRESS),
            // A gateway may have passed the request on to HeyGen before it answered 404, and a proxy that gave up
            // waiting for HeyGen may answer 408.
            Fault::Refused { status, code, .. } => {
                let from_intermediary = *status == 408 || (*status == 404 && code.is_none());
                (400..500).contains(status) && !from_intermediary
            }
            // These two ask for the same request at another place. The others may follow a POST that has been carried
            // out.
            Fault::Redirected { status, .. } => matches!(status, 307 | 308),
            Fault::Unreachable(_)
            | Fault::Untrusted(_)
            | Fault::UntrustedProxy(_)
            | Fault::ClientCertificateWanted(_)
            | Fault::NoRootCertificates(_)
            | Fault::NoNamedRootCertificates(_)
            | Fault::Unusable(_)
            | Fault::Stopped { .. }
            | Fault::CursorRepeats
            | Fault::UnidentifiedItems { .. } => true,
            Fault::Dropped(_) | Fault::TimedOut(_) | Fault::Garbled(_) | Fault::TooLarge => false,
        };
    if certainly_none { Effect::None } else { Effect::Unknown }
}

/// How long to wait between attempts.
pub(super) struct Backoff {
    first_wait: Duration,
    jitter: Box<dyn Fn() -> f64 + Send + Sync>,
}

impl Backoff {
    /// `jitter` gives numbers in `0.0..=1.0`.
    pub(super) fn new(timing: Timing, jitter: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        Self {
            first_wait: timing.first_wait,
            jitter: Box::new(jitter),
        }
    }

    /// The wait after this many failed attempts, 1 or more: what `Retry-After` asked for, and anything up to an
    /// exponentially growing limit above it, so that not all who were asked for the same come back at once; never more
    /// than half a minute.
    pub(super) fn wait(&self, failed_attempts: u32, retry_after: Option<Duration>) -> Duration {
        let doublings = failed_attempts.saturating_sub(1).min(16);
        let limit = self.first_wait.saturating_mul(1 << doublings).min(MAX_WAIT);
        let jitter = limit.mul_f64((self.jitter)().clamp(0.0, 1.0));
        jitter.saturating_add(retry_after.unwrap_or_default()).min(MAX_WAIT)
    }
}

impl fmt::Debug for Backoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Backoff")
    }
}

/// The wait that a `Retry-After` header asks for: whole seconds, or an HTTP date seen from `now`, which is the `Date`
/// of the same answer. A date in the past asks for no wait, and a header in any other form is ignored. [`Backoff`] caps
/// the wait.
pub(super) fn retry_after(header: &str, now: SystemTime) -> Option<Duration> {
    let header = header.trim();
    if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number too large to hold is still a number.
        return Some(header.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    let date = httpdate::parse_http_date(header).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heygen::request::IdempotencyKey;
    use crate::heygen::{EndpointId, LookupKey};

    fn refused(status: u16, code: Option<&str>) -> Fault {
        Fault::Refused {
            status,
            code: code.map(str::to_owned),
            message: String::new(),
            param: None,
        }
    }

    fn backoff(jitter: impl Fn() -> f64 + Send + Sync + 'static) -> Backoff {
        Backoff::new(Timing::default(), jitter)
    }

    #[test]
    fn the_table_of_what_is_repeated_and_what_it_may_have_done() {
        use Effect::{None, Unknown};
        let id = EndpointId::parse("ep_1").unwrap();
        let read = Request::list(Option::None);
        let changes = [
            Request::rotate_secret(&id, IdempotencyKey::random().unwrap()),
            Request::update(&id, &crate::heygen::EndpointPatch::default()),
            Request::delete(&id),
        ];
        let (again, no) = (true, false);
        for (fault, repeated, of_a_change) in [
            (refused(400, Some("invalid_parameter")), no, None),
            (refused(401, Some("unauthorized")), no, None),
            (refused(402, Option::None), no, None),
            (refused(403, Some("forbidden")), no, None),
            (refused(404, Some("not_found")), no, None),
            (refused(404, Option::None), no, Unknown),
            (refused(405, Option::None), no, None),
            (refused(408, Option::None), no, Unknown),
            (refused(409, Some("request_in_progress")), again, Unknown),
            (refused(409, Some("conflict")), no, None),
            (refused(409, Option::None), no, Unknown),
            (refused(422, Option::None), no, None),
            (refused(425, Option::None), no, None),
            (refused(429, Some("rate_limit_exceeded")), again, None),
            (refused(429, Some("resource_limit_reached")), no, None),
            (refused(429, Option::None), again, None),
            (refused(500, Some("internal_error")), again, Unknown),
            (refused(501, Option::None), no, Unknown),
            (refused(502, Option::None), again, Unknown),
            (refused(503, Option::None), again, Unknown),
            (refused(504, Option::None), again, Unknown),
            (refused(505, Option::None), no, Unknown),
            (refused(520, Option::None), no, Unknown),
            (Fault::Unreachable(String::new()), again, None),
            (Fault::Untrusted(String::new()), no, None),
            (Fault::UntrustedProxy(String::new()), no, None),
            (Fault::ClientCertificateWanted(String::new()), no, None),
            (Fault::Dropped(String::new()), again, Unknown),
            (Fault::TimedOut(Duration::ZERO), again, Unknown),
            (Fault::Garbled(String::new()), again, Unknown),
            (Fault::TooLarge, no, Unknown),
            (
                Fault::Redirected {
                    status: 301,
                    to: Option::None,
                },
                no,
                Unknown,
            ),
            (
                Fault::Redirected {
                    status: 303,
                    to: Option::None,
                },
                no,
                Unknown,
            ),
            (
                Fault::Redirected {
                    status: 307,
                    to: Option::None,
                },
                no,
                None,
            ),
            (
                Fault::Redirected {
                    status: 308,
                    to: Option::None,
                },
                no,
                None,
            ),
            (Fault::CursorRepeats, no, None),
            (
                Fault::UnidentifiedItems {
                    count: 1,
                    lookup_key: LookupKey::Id,
                },
                no,
                None,
            ),
            (Fault::STOPPED, no, None),
            (Fault::NoRootCertificates(String::new()), no, None),
            (Fault::NoNamedRootCertificates(String::new()), no, None),
            (Fault::Unusable(String::new()), no, None),
        ] {
            assert_eq!(is_repeated(&fault), repeated, "{fault:?}");
            assert_eq!(effect(&read, &fault), None, "a read, {fault:?}");
            for change in &changes {
                assert_eq!(effect(change, &fault), of_a_change, "{:?}, {fault:?}", change.method());
            }
        }
    }

    #[test]
    fn waits_double_from_half_a_second_to_half_a_minute() {
        let longest = backoff(|| 1.0);
        let waits: Vec<_> = (1..=9).map(|failed| longest.wait(failed, None).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
        assert_eq!(longest.wait(u32::MAX, None), MAX_WAIT);
        assert_eq!(backoff(|| 0.0).wait(5, None), Duration::ZERO);
        assert_eq!(backoff(|| 0.5).wait(1, None), Duration::from_millis(250));
        assert_eq!(backoff(|| f64::INFINITY).wait(1, None), Timing::default().first_wait);
    }

    #[test]
    fn jitter_is_above_what_is_asked_for_and_the_sum_is_capped() {
        let backoff = backoff(|| 0.5);
        assert_eq!(
            backoff.wait(1, Some(Duration::from_secs(7))),
            Duration::from_millis(7250)
        );
        assert_eq!(backoff.wait(5, Some(Duration::from_secs(1))), Duration::from_secs(5));
        assert_eq!(backoff.wait(1, Some(Duration::from_millis(29_900))), MAX_WAIT);
        assert_eq!(backoff.wait(1, Some(Duration::MAX)), MAX_WAIT);
    }

    #[test]
    fn absurd_retry_after_values_ask_for_nothing_or_for_the_cap() {
        let now = httpdate::parse_http_date("Tue, 24 Nov 2026 12:00:00 GMT").unwrap();
        for (header, asked) in [
            ("0", Some(Duration::ZERO)),
            (" 7 ", Some(Duration::from_secs(7))),
            ("99999999999999999999999999", Some(Duration::MAX)),
            ("18446744073709551615", Some(Duration::from_secs(u64::MAX))),
            ("Tue, 24 Nov 2026 12:00:09 GMT", Some(Duration::from_secs(9))),
            ("Tue, 24 Nov 2026 11:59:00 GMT", Some(Duration::ZERO)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
            ("NaN", None),
            ("Tue, 99 Nov 2026 12:00:09 GMT", None),
        ] {
            assert_eq!(retry_after(header, now), asked, "{header:?}");
        }
    }
}
