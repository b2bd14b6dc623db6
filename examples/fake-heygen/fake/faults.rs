//! What can go wrong with a call, and whether the call takes effect then.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{behaviour::Behaviour, oddity::Oddity, route::Route, undecodable::Undecodable};

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
    /// A field is left out. Takes effect.
    MissingField {
        /// Which one; any that is not null, if not named.
        #[serde(default)]
        field: Option<String>,
    },
    /// A field is `null`. Takes effect.
    NullField {
        /// Which one; any that is not null, if not named.
        #[serde(default)]
        field: Option<String>,
    },
    /// A field has a value of another type. Takes effect.
    WrongType {
        /// Which one; any that is not null, if not named.
        #[serde(default)]
        field: Option<String>,
    },
    /// A field has a value that no decoder can read. Takes effect.
    UndecodableValue {
        /// Which value.
        value: Undecodable,
        /// Which field, be it one that the answer has not got; any that is not null, an event, or a new one, if none is
        /// named.
        #[serde(default)]
        field: Option<String>,
    },
    /// A success that holds an error and nothing that was asked for.
    ErrorInSuccess {
        /// Whether the API had done the work.
        effect: Effect,
    },
    /// On a list: the page does not say whether it is the last. Takes effect.
    UnclearPage {
        /// What it has in that place.
        has_more: HasMore,
    },
    /// On a create: the answer has the secret and no id. Takes effect.
    SecretWithoutId {
        /// What the same key is answered with from then on.
        replay: Replay,
    },
    /// On a list: one item of the page is odd, if it is on this page. Takes effect.
    OddItem {
        /// Which one.
        endpoint_id: String,
        /// In which way.
        oddity: Oddity,
    },
    /// A success that tells nothing, as a gateway may make of one. Takes effect.
    BareSuccess {
        /// What is left of the answer.
        body: SuccessBody,
    },
    /// The answer goes on for so many MiB (64 at most). Takes effect.
    Oversized {
        /// 9 is more than a client should take.
        mib: u32,
    },
    /// On a list: [`Behaviour::cursor_repeats`] for this page. Takes effect.
    CursorRepeats,
    /// On a list: [`Behaviour::page_shift`] before this page, which must not be the first. Takes effect.
    PageShifts {
        /// So many endpoints are lost (positive) or repeated (negative).
        by: i64,
    },
    /// On a create: [`Behaviour::list_lag_walks`] for this endpoint. Takes effect.
    ListLags {
        /// So many walks miss it.
        walks: u64,
    },
    /// On a create: [`Behaviour::list_lag_ms`] for this endpoint. Takes effect.
    ListLagsFor {
        /// For so many milliseconds walks miss it.
        ms: u64,
    },
    /// On a list: [`Behaviour::page_latency_ms`] for this page. Takes effect.
    SlowPage {
        /// Milliseconds; bounded by a minute.
        ms: u64,
    },
    /// On a create: another run had made an endpoint of the same URL and events shortly before.
    TwinBefore {
        /// So many milliseconds before this call arrived, by the fake's clock.
        ms: u64,
        /// What comes of the creation itself.
        creation: Creation,
    },
    /// On a create: another run makes an endpoint of the same URL and events while the call is under way.
    TwinDuring {
        /// What comes of the creation itself.
        creation: Creation,
    },
    /// On an update: [`Behaviour::patch_ignores_null_events`] for this one. Takes effect otherwise.
    NullEventsIgnored,
}

/// A call that a fault may strike, as far as that matters to a fault.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Which of the seven.
    pub route: Route,
    /// The endpoint it names; empty where the route has none.
    pub endpoint_id: &'a str,
    /// Whether it asks for a page that follows another.
    pub further_page: bool,
    /// Whether its body says `"events": null`.
    pub null_events: bool,
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

/// What comes of a creation that has a twin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Creation {
    /// It takes effect and is answered.
    Answered,
    /// It takes effect, and the connection is reset in place of the answer.
    Lost,
    /// It takes no effect, and the connection is reset.
    Undone,
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

/// What is left of the answer in a [`Fault::BareSuccess`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuccessBody {
    /// 204.
    NoContent,
    /// 200 without a body.
    Empty,
    /// 200 with `{}`.
    EmptyObject,
    /// 200 with a page for people.
    Html,
}

/// What a page says in [`Fault::UnclearPage`] where it should say whether there are more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HasMore {
    /// There is no `has_more`.
    Missing,
    /// It is null.
    Null,
    /// It is the text `false`, whatever follows.
    Text,
}

/// What a [`Fault::SecretWithoutId`] leaves to be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replay {
    /// The id, and no secret any more.
    IdAlone,
    /// The secret again: the id is never answered.
    SecretAlone,
}

/// What `Retry-After` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// There is no such header.
    Absent,
    /// So many seconds.
    Seconds(u64),
    /// The HTTP date so many seconds from now, by the fake's clock; negative is in the past.
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
                status: 404, effect, ..
            } => match effect {
                Effect::None => "gateway_not_found",
                Effect::Done => "gateway_not_found_after_effect",
            },
            Self::Status { effect, .. } => match effect {
                Effect::None => "status",
                Effect::Done => "status_after_effect",
            },
            Self::InProgress => "in_progress",
            Self::Unauthorized => "unauthorized",
            Self::NotFound => "not_found",
            Self::Redirect { .. } => "redirect",
            Self::Reset { effect: Effect::None } => "reset",
            Self::Reset { effect: Effect::Done } => "reset_after_effect",
            Self::Truncated => "truncated",
            Self::Delay { wait: Wait::Before, .. } => "delay",
            Self::Delay { wait: Wait::After, .. } => "delay_after_effect",
            Self::Held { .. } => "held",
            Self::MalformedJson => "malformed_json",
            Self::MissingField { .. } => "missing_field",
            Self::NullField { .. } => "null_field",
            Self::WrongType { .. } => "wrong_type",
            Self::UndecodableValue { .. } => "undecodable_value",
            Self::ErrorInSuccess { effect: Effect::None } => "error_in_success",
            Self::ErrorInSuccess { effect: Effect::Done } => "error_in_success_after_effect",
            Self::UnclearPage { .. } => "unclear_page",
            Self::SecretWithoutId { .. } => "secret_without_id",
            Self::OddItem { .. } => "odd_item",
            Self::BareSuccess { .. } => "bare_success",
            Self::Oversized { .. } => "oversized",
            Self::CursorRepeats => "cursor_repeats",
            Self::PageShifts { by: ..=0 } => "page_shifts_back",
            Self::PageShifts { .. } => "page_shifts_on",
            Self::ListLags { .. } => "list_lags",
            Self::ListLagsFor { .. } => "list_lags_for",
            Self::SlowPage { .. } => "slow_page",
            Self::TwinBefore { .. } => "twin_before",
            Self::TwinDuring { .. } => "twin_during",
            Self::NullEventsIgnored => "null_events_ignored",
        }
    }

    /// Whether the API does the work that is asked.
    pub fn effect(&self) -> Effect {
        match self {
            Self::Status { effect, .. } | Self::Reset { effect } | Self::ErrorInSuccess { effect } => *effect,
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
            | Self::UndecodableValue { .. }
            | Self::UnclearPage { .. }
            | Self::SecretWithoutId { .. }
            | Self::OddItem { .. }
            | Self::BareSuccess { .. }
            | Self::Oversized { .. }
            | Self::CursorRepeats
            | Self::PageShifts { .. }
            | Self::ListLags { .. }
            | Self::ListLagsFor { .. }
            | Self::SlowPage { .. }
            | Self::NullEventsIgnored => Effect::Done,
            Self::TwinBefore { creation, .. } | Self::TwinDuring { creation } => match creation {
                Creation::Answered | Creation::Lost => Effect::Done,
                Creation::Undone => Effect::None,
            },
        }
    }

    /// The switches as they are for this one call, where the fault is one of them.
    pub fn turned(&self, switches: &Behaviour) -> Option<Behaviour> {
        let mut turned = switches.clone();
        match self {
            Self::CursorRepeats => turned.cursor_repeats = true,
            Self::PageShifts { by } => turned.page_shift = *by,
            Self::ListLags { walks } => turned.list_lag_walks = turned.list_lag_walks.max(*walks),
            Self::ListLagsFor { ms } => turned.list_lag_ms = turned.list_lag_ms.max(*ms),
            Self::NullEventsIgnored => turned.patch_ignores_null_events = true,
            _ => return None,
        }
        Some(turned)
    }

    /// By how much the twin that the fault makes is older than the call; `None` for a fault that makes none.
    pub fn twin_is_earlier_by(&self) -> Option<Duration> {
        match self {
            Self::TwinBefore { ms, .. } => Some(Duration::from_millis(*ms)),
            Self::TwinDuring { .. } => Some(Duration::ZERO),
            _ => None,
        }
    }

    /// Whether chance may bring it on this call. A false 404 on a delete, for one, would be a lie
    /// no client can see through; a test that wants it says so by a rule. Nor does chance bring what
    /// this call would not show.
    pub fn fits(&self, target: Target<'_>) -> bool {
        let route = target.route;
        match self {
            Self::NotFound => matches!(route, Route::Update | Route::Rotate),
            Self::InProgress => route.takes_key(),
            Self::MissingField { .. } | Self::NullField { .. } | Self::WrongType { .. } => route != Route::Delete,
            Self::CursorRepeats | Self::PageShifts { .. } => route == Route::List && target.further_page,
            Self::OddItem { .. } | Self::SlowPage { .. } => route == Route::List,
            Self::UnclearPage { .. } => route.is_list(),
            Self::SecretWithoutId { .. }
            | Self::ListLags { .. }
            | Self::ListLagsFor { .. }
            | Self::TwinBefore { .. }
            | Self::TwinDuring { .. } => route == Route::Create,
            Self::NullEventsIgnored => route == Route::Update && target.null_events,
            _ => true,
        }
    }

    /// Whether it keeps endpoints from who walks the list. Chance brings it once only until it is
    /// begun anew: a client that believes two walks which agree has no way to see through it twice.
    pub fn hides(&self) -> bool {
        matches!(self, Self::PageShifts { by: 1.. })
    }

    /// How late an answer of [`Fault::palette`] is, in milliseconds: a client that waits somewhat
    /// less sees a timeout.
    pub const LATE_MS: u64 = 400;

    /// How long the list of [`Fault::palette`] lags, in milliseconds.
    pub const LAG_MS: u64 = 100;

    /// What a slow page of [`Fault::palette`] takes, in milliseconds.
    pub const PAGE_MS: u64 = 40;

    /// One of everything that needs no long wait, nobody to release it, and no endpoint's id. No
    /// `Retry-After` among them asks for a wait, because clients do wait, up to half a minute: they
    /// are in the past, nothing, or no time at all. No twin among them belongs to a creation that it
    /// cannot be told from: one made during a call comes with a creation that took effect, and one
    /// made before is older by more than whole seconds and the way to us can hide.
    pub fn palette() -> Vec<Self> {
        let status = |status, body, effect| Self::Status { status, body, effect };
        let rate_limit = |retry_after| Self::RateLimit { retry_after };
        let bare = |body| Self::BareSuccess { body };
        let twin_before = |ms, creation| Self::TwinBefore { ms, creation };
        let undecodable = |value| Self::UndecodableValue { value, field: None };
        vec![
            rate_limit(RetryAfter::Absent),
            rate_limit(RetryAfter::Seconds(0)),
            rate_limit(RetryAfter::DateIn(-60)),
            rate_limit(RetryAfter::Text("soon".to_owned())),
            rate_limit(RetryAfter::Text("-1".to_owned())),
            rate_limit(RetryAfter::Text("1e30".to_owned())),
            rate_limit(RetryAfter::DateIn(i64::MIN)),
            status(500, BodyShape::Json, Effect::None),
            status(502, BodyShape::Html, Effect::Done),
            status(503, BodyShape::Empty, Effect::None),
            status(504, BodyShape::Html, Effect::Done),
            status(404, BodyShape::Html, Effect::None),
            status(404, BodyShape::Empty, Effect::None),
            status(404, BodyShape::Html, Effect::Done),
            Self::InProgress,
            Self::Unauthorized,
            Self::NotFound,
            Self::Redirect {
                location: "http://127.0.0.1:1/elsewhere".to_owned(),
            },
            Self::Reset { effect: Effect::None },
            Self::Reset { effect: Effect::Done },
            Self::Truncated,
            Self::Delay {
                ms: Self::LATE_MS,
                wait: Wait::Before,
            },
            Self::Delay {
                ms: Self::LATE_MS,
                wait: Wait::After,
            },
            Self::MalformedJson,
            Self::MissingField { field: None },
            Self::NullField { field: None },
            Self::WrongType { field: None },
            undecodable(Undecodable::HalfSurrogatePair),
            undecodable(Undecodable::NoUtf8),
            undecodable(Undecodable::DeepNesting),
            Self::ErrorInSuccess { effect: Effect::None },
            Self::ErrorInSuccess { effect: Effect::Done },
            Self::UnclearPage {
                has_more: HasMore::Missing,
            },
            Self::UnclearPage {
                has_more: HasMore::Null,
            },
            Self::UnclearPage {
                has_more: HasMore::Text,
            },
            Self::SecretWithoutId {
                replay: Replay::IdAlone,
            },
            Self::SecretWithoutId {
                replay: Replay::SecretAlone,
            },
            bare(SuccessBody::NoContent),
            bare(SuccessBody::Empty),
            bare(SuccessBody::EmptyObject),
            bare(SuccessBody::Html),
            Self::Oversized { mib: 9 },
            Self::CursorRepeats,
            Self::PageShifts { by: 1 },
            Self::PageShifts { by: -1 },
            Self::ListLags { walks: 1 },
            Self::ListLagsFor { ms: Self::LAG_MS },
            Self::SlowPage { ms: Self::PAGE_MS },
            twin_before(4_000, Creation::Lost),
            twin_before(4_000, Creation::Undone),
            twin_before(20_000, Creation::Undone),
            Self::TwinDuring {
                creation: Creation::Answered,
            },
            Self::TwinDuring {
                creation: Creation::Lost,
            },
            Self::NullEventsIgnored,
        ]
    }
}
