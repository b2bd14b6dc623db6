//! What can go wrong with a call, and whether the call takes effect then.

use serde::{Deserialize, Serialize};

use super::route::Route;

/// Something that goes wrong with one call.
///
/// In JSON a fault is its name (`"truncated"`) or its name and its particulars
/// (`{"reset": {"effect": "done"}}`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// 429 `rate_limit_exceeded`. No effect.
    RateLimit {
        /// What `Retry-After` says.
        retry_after: RetryAfter,
    },
    /// An answer of this status in place of the API's, as an edge or a gateway gives it.
    Status {
        /// 400 to 599.
        status: u16,
        /// What the body is.
        body: BodyShape,
        /// Whether the API had done the work.
        effect: Effect,
    },
    /// 409 `request_in_progress`. No effect.
    InProgress,
    /// 401, as for a revoked key. No effect.
    Unauthorized,
    /// 404 `webhook_not_found`. No effect.
    NotFound,
    /// 307 to another address. No effect.
    Redirect {
        /// The `Location`.
        location: String,
    },
    /// The connection is reset without an answer.
    Reset {
        /// Whether the API had done the work.
        effect: Effect,
    },
    /// Half of the answer is sent, then the connection ends. Takes effect.
    Truncated,
    /// The call waits. Takes effect, even if the caller goes away.
    Delay {
        /// For so many milliseconds; bounded by a minute.
        ms: u64,
        /// Before or after the work.
        wait: Wait,
    },
    /// The call waits until it is released, for a minute at most. Takes effect.
    Held {
        /// Before or after the work.
        wait: Wait,
    },
    /// The body is not JSON. Takes effect.
    MalformedJson,
    /// A required field is left out. Takes effect.
    MissingField {
        /// Which one; any, if not named.
        #[serde(default)]
        field: Option<String>,
    },
    /// A required field is `null`. Takes effect.
    NullField {
        /// Which one; any, if not named.
        #[serde(default)]
        field: Option<String>,
    },
    /// A required field has a value of another type. Takes effect.
    WrongType {
        /// Which one; any, if not named.
        #[serde(default)]
        field: Option<String>,
    },
    /// The answer goes on for so many MiB (64 at most). Takes effect.
    Oversized {
        /// 9 is more than a client should take.
        mib: u32,
    },
}

/// Whether the API had done the work before the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It never heard of the request.
    None,
    /// It did what was asked; only the answer is lost.
    Done,
}

/// Where a call waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// Before the work: its idempotency key is in progress meanwhile.
    Before,
    /// After the work: the answer stands and is only late.
    After,
}

/// What the body of a [`Fault::Status`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyShape {
    /// The documented envelope with `internal_error`.
    Json,
    /// A page for people.
    Html,
    /// Nothing.
    Empty,
}

/// What `Retry-After` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// There is no such header.
    Absent,
    /// So many seconds.
    Seconds(u64),
    /// The HTTP date so many seconds from now; negative is in the past.
    DateIn(i64),
    /// This text, sensible or not: `-5`, `1e30`, `soon`.
    Text(String),
}

impl Fault {
    /// The name it is counted and logged by.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::RateLimit { .. } => "rate_limit",
            Self::Status {
                effect: Effect::None, ..
            } => "status",
            Self::Status {
                effect: Effect::Done, ..
            } => "status_after_effect",
            Self::InProgress => "in_progress",
            Self::Unauthorized => "unauthorized",
            Self::NotFound => "not_found",
            Self::Redirect { .. } => "redirect",
            Self::Reset { effect: Effect::None } => "reset",
            Self::Reset { effect: Effect::Done } => "reset_after_effect",
            Self::Truncated => "truncated",
            Self::Delay { .. } => "delay",
            Self::Held { .. } => "held",
            Self::MalformedJson => "malformed_json",
            Self::MissingField { .. } => "missing_field",
            Self::NullField { .. } => "null_field",
            Self::WrongType { .. } => "wrong_type",
            Self::Oversized { .. } => "oversized",
        }
    }

    /// Whether the API does the work that is asked.
    pub fn effect(&self) -> Effect {
        match self {
            Self::Status { effect, .. } | Self::Reset { effect } => *effect,
            Self::RateLimit { .. } | Self::InProgress | Self::Unauthorized | Self::NotFound | Self::Redirect { .. } => {
                Effect::None
            }
            Self::Truncated
            | Self::Delay { .. }
            | Self::Held { .. }
            | Self::MalformedJson
            | Self::MissingField { .. }
            | Self::NullField { .. }
            | Self::WrongType { .. }
            | Self::Oversized { .. } => Effect::Done,
        }
    }

    /// Whether chance may bring it on this call. A false 404 on a delete, for one, would be a lie
    /// no client can see through; a test that wants it says so by a rule.
    pub fn fits(&self, route: Route) -> bool {
        match self {
            Self::NotFound => matches!(route, Route::Update | Route::Rotate),
            Self::InProgress => route.takes_key(),
            Self::MissingField { .. } | Self::NullField { .. } | Self::WrongType { .. } => route != Route::Delete,
            _ => true,
        }
    }

    /// One of everything that needs no long wait and nobody to release it.
    pub fn palette() -> Vec<Self> {
        let status = |status, body, effect| Self::Status { status, body, effect };
        let rate_limit = |retry_after| Self::RateLimit { retry_after };
        vec![
            rate_limit(RetryAfter::Absent),
            rate_limit(RetryAfter::Seconds(0)),
            rate_limit(RetryAfter::DateIn(-60)),
            rate_limit(RetryAfter::Text("soon".to_owned())),
            rate_limit(RetryAfter::Text("-1".to_owned())),
            status(500, BodyShape::Json, Effect::None),
            status(502, BodyShape::Html, Effect::Done),
            status(503, BodyShape::Empty, Effect::None),
            status(504, BodyShape::Html, Effect::Done),
            Self::InProgress,
            Self::Unauthorized,
            Self::NotFound,
            Self::Redirect {
                location: "http://127.0.0.1:1/elsewhere".to_owned(),
            },
            Self::Reset { effect: Effect::None },
            Self::Reset { effect: Effect::Done },
            Self::Truncated,
            Self::MalformedJson,
            Self::MissingField { field: None },
            Self::NullField { field: None },
            Self::WrongType { field: None },
            Self::Oversized { mib: 9 },
        ]
    }
}
