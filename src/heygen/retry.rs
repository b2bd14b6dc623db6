//! What is repeated, what an attempt may have done, and how long to wait: the one place that decides it.

use std::fmt;
use std::time::{Duration, SystemTime};

use super::request::Request;
use super::{Effect, Fault};

/// HeyGen's code for "the first of these is still running".
const IN_PROGRESS: &str = "request_in_progress";

const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Whether an attempt that ended so is worth, and safe, repeating. Safe it is for every request we can build: reads,
/// updates and deletes say where they want to arrive, and a `POST` carries the key that makes HeyGen replay its answer.
pub(super) fn is_repeated(fault: &Fault) -> bool {
    match fault {
        Fault::Refused { status: 409, code, .. } => code.as_deref() == Some(IN_PROGRESS),
        Fault::Refused { status, .. } => matches!(status, 429 | 500 | 502 | 503 | 504),
        Fault::Unreachable(_) | Fault::Dropped(_) | Fault::TimedOut(_) | Fault::Garbled(_) => true,
        Fault::TooLarge | Fault::Redirected { .. } | Fault::CursorRepeats | Fault::Stopped | Fault::Unusable(_) => {
            false
        }
    }
}

/// What an attempt that ended so may have done at HeyGen. When in doubt, in doubt.
pub(super) fn effect(request: &Request, fault: &Fault) -> Effect {
    let certainly_none = request.only_reads()
        || match fault {
            // A conflict about the registration is a refusal; one that does not say so may be the first attempt running.
            Fault::Refused { status: 409, code, .. } => code.as_deref().is_some_and(|code| code != IN_PROGRESS),
            // 408 comes from whoever lost patience on the way, not from whoever did the work.
            Fault::Refused { status, .. } => (400..500).contains(status) && *status != 408,
            // These two ask for the same request elsewhere; the others are how a finished POST sends a browser on.
            Fault::Redirected { status, .. } => matches!(status, 307 | 308),
            Fault::Unreachable(_) | Fault::Unusable(_) | Fault::Stopped | Fault::CursorRepeats => true,
            Fault::Dropped(_) | Fault::TimedOut(_) | Fault::Garbled(_) | Fault::TooLarge => false,
        };
    if certainly_none { Effect::None } else { Effect::Unknown }
}

/// How long to wait between attempts.
pub(super) struct Backoff {
    jitter: Box<dyn Fn() -> f64 + Send + Sync>,
}

impl Backoff {
    /// `jitter` gives numbers in `0.0..=1.0`.
    pub(super) fn new(jitter: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        Self {
            jitter: Box::new(jitter),
        }
    }

    /// The wait after the `failed`-th attempt (from 1): anything up to an exponentially growing limit, but no less than
    /// HeyGen asked for, and never more than half a minute.
    pub(super) fn wait(&self, failed: u32, asked: Option<Duration>) -> Duration {
        let doublings = failed.saturating_sub(1).min(16);
        let limit = FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
        let jitter = limit.mul_f64((self.jitter)().clamp(0.0, 1.0));
        jitter.max(asked.unwrap_or_default()).min(LONGEST_WAIT)
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new(fastrand::f64)
    }
}

impl fmt::Debug for Backoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Backoff")
    }
}

/// The wait a `Retry-After` asks for: whole seconds, or an HTTP date seen from `now`. A date in the past asks for none;
/// what is neither (a negative number, words) is as good as no header. However much it asks, `Backoff` caps it.
pub(super) fn asked_wait(header: &str, now: SystemTime) -> Option<Duration> {
    let header = header.trim();
    if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number too large to hold is still a number.
        return Some(header.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    let date = httpdate::parse_http_date(header).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}
