//! A limit of so many calls in a time: a bucket of tokens that fills again at a steady rate.

use std::time::Instant;

use serde::{Deserialize, Serialize};

/// How many calls are let through. A call without a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// So many tokens come back in a second.
    pub per_second: f64,
    /// The bucket holds no more tokens than this, and is full at first.
    pub burst: u32,
    /// What `Retry-After` says, in seconds; without it a refusal has no such header.
    #[serde(default)]
    pub retry_after: Option<u64>,
}

impl RateLimit {
    /// What makes no sense about it, if anything.
    pub fn problem(&self) -> Option<&'static str> {
        if !(self.per_second.is_finite() && self.per_second > 0.0) {
            Some("rate_limit.per_second must be above 0")
        } else if self.burst == 0 {
            Some("rate_limit.burst must be above 0")
        } else {
            None
        }
    }
}

/// The tokens there are.
#[derive(Debug, Default)]
pub struct Bucket(Option<Filled>);

#[derive(Debug)]
struct Filled {
    /// Another limit begins with a full bucket of its own.
    limit: RateLimit,
    tokens: f64,
    at: Instant,
}

impl Bucket {
    /// Takes a token. An error is the limit that has none, and nothing is taken then.
    ///
    /// Tokens come by the machine's time, whatever the fake's clock is moved to.
    pub fn take(&mut self, limit: Option<RateLimit>, now: Instant) -> Result<(), RateLimit> {
        let Some(limit) = limit else {
            self.0 = None;
            return Ok(());
        };
        let full = Filled {
            limit,
            tokens: f64::from(limit.burst),
            at: now,
        };
        let filled = match self.0.take() {
            Some(filled) if filled.limit == limit => self.0.insert(filled),
            _ => self.0.insert(full),
        };
        let come = now.saturating_duration_since(filled.at).as_secs_f64() * limit.per_second;
        filled.tokens = (filled.tokens + come).min(f64::from(limit.burst));
        filled.at = now;
        if filled.tokens < 1.0 {
            return Err(limit);
        }
        filled.tokens -= 1.0;
        Ok(())
    }
}
