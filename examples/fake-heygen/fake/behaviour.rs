//! What no source says about the real API, as switches; and how the answers look under them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use time::{Duration, OffsetDateTime, UtcOffset};

use super::{faults::SuccessBody, rate_limit::RateLimit, store::Endpoint, undecodable::Undecodable};

/// The fake's clock is off by no more.
const MOST_OFF: Duration = Duration::HOUR;

/// The switches. The default is the plainest reading of the documentation.
///
/// In JSON every field may be left out; an unknown one is refused.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "they are switches, each by itself")]
pub struct Behaviour {
    /// `events` is answered in another order every time.
    pub shuffle_events: bool,
    /// The first of `events` is answered twice.
    pub duplicate_events: bool,
    /// How *all events* is answered.
    pub all_events: AllEvents,
    /// `PATCH {"events": null}` leaves the events alone instead of meaning *all*.
    pub patch_ignores_null_events: bool,
    /// Event types this server knows beside the documented ones.
    pub more_event_types: Vec<String>,
    /// Documented event types that this server knows no more.
    pub retired_event_types: Vec<String>,
    /// How URLs are spelled in answers.
    pub urls: UrlSpelling,
    /// How `created_at` is written.
    pub timestamps: Timestamps,
    /// The list runs from the newest to the oldest.
    pub newest_first: bool,
    /// A page of the list holds no more endpoints than this, whatever is asked for.
    pub most_per_page: Option<usize>,
    /// So many walks miss a created endpoint.
    pub list_lag_walks: u64,
    /// For so many milliseconds every walk misses a created endpoint.
    pub list_lag_ms: u64,
    /// Between two pages so many endpoints are lost (positive) or repeated (negative).
    pub page_shift: i64,
    /// `next_token` is the token the page was asked with, and there is always more.
    pub cursor_repeats: bool,
    /// A create answers `secret: null`.
    pub create_without_secret: bool,
    /// Objects carry fields nobody has documented.
    pub extra_fields: bool,
    /// Every object of an answer carries a field nobody has documented, with a value that no decoder can read.
    pub undecodable_extra: Option<Undecodable>,
    /// The status a new endpoint gets; `enabled` if not set.
    pub status_of_new: Option<String>,
    /// Registering a URL that another endpoint has answers 409.
    pub unique_urls: bool,
    /// Registering more endpoints than this answers 429 `resource_limit_reached`.
    pub resource_limit: Option<usize>,
    /// A call beyond this is answered 429 `rate_limit_exceeded`, takes no effect, and meets no fault.
    pub rate_limit: Option<RateLimit>,
    /// URLs whose receiver does not answer the `OPTIONS` request made before a registration.
    pub unreachable_receivers: Vec<String>,
    /// Milliseconds a call takes before it takes effect; bounded by a minute.
    pub latency_ms: u64,
    /// Milliseconds a page of the list takes besides; bounded by a minute.
    pub page_latency_ms: u64,
    /// What an update is answered with in place of the endpoint.
    pub update_answers: Option<SuccessBody>,
    /// Milliseconds by which HeyGen's clock is ahead of ours (positive) or behind it (negative); bounded by an hour.
    /// `Date` and `created_at` follow it.
    pub clock_offset_ms: i64,
    /// Two servers take turns to answer, request by request, and the second one's clock is so many milliseconds ahead of
    /// the first one's (positive) or behind it (negative); bounded by an hour. `Date` and `created_at` follow the clock of
    /// the server that answers, and the other one makes the twin of a creation.
    pub clocks_apart_ms: i64,
    /// Answers carry no `Date`.
    pub no_date: bool,
    /// The request id comes as `X-Amzn-Request-Id`.
    pub amazon_request_id: bool,
    /// Milliseconds an idempotency key is kept; 24 hours if not set.
    pub idempotency_ms: Option<u64>,
    /// Whether an event that goes to several endpoints has one id at all of them.
    pub event_ids: EventIds,
}

/// What `Heygen-Event-Id` is the id of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventIds {
    /// The event: every endpoint gets it with the same id.
    #[default]
    PerEvent,
    /// The event at one endpoint: every endpoint gets it with an id of its own.
    PerEndpoint,
}

/// How *all events* is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AllEvents {
    /// `"events": null`
    #[default]
    Null,
    /// Every event type the server knows.
    Listed,
    /// The field is left out.
    Omitted,
}

/// How `created_at` is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timestamps {
    /// `2026-07-01T12:00:00Z`
    #[default]
    Seconds,
    /// `2026-07-01T12:00:00.123456Z`
    Microseconds,
    /// `2026-07-01T12:00:00`
    Naked,
    /// `2026-07-01T12:00:00.123456`
    NakedMicroseconds,
    /// `2026-07-01T12:00:00+00:00`
    Offset,
    /// `2026-07-01t12:00:00z`
    LowerCase,
    /// `2026-07-01 12:00:00Z`
    Spaced,
}

/// How URLs are spelled in answers. What is stored stays as it was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UrlSpelling {
    /// `Example.COM` is answered as `example.com`.
    pub lower_case_host: bool,
    /// `:443` is left out.
    pub no_default_port: bool,
    /// What happens to a path's end.
    pub trailing_slash: TrailingSlash,
}

/// What happens to a path's end in answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrailingSlash {
    /// As it was given.
    #[default]
    Kept,
    /// There always is one.
    Added,
    /// There never is one.
    Removed,
}

impl Behaviour {
    /// An endpoint as the API answers it. A secret is given only by a create.
    pub fn endpoint(&self, endpoint: &Endpoint, secret: Option<&str>, random: &mut fastrand::Rng) -> Value {
        let mut answer = Map::new();
        answer.insert("endpoint_id".into(), json!(endpoint.endpoint_id));
        answer.insert("url".into(), json!(self.urls.spell(&endpoint.url)));
        if let Some(events) = self.events(endpoint.events.as_deref(), random) {
            answer.insert("events".into(), events);
        }
        answer.insert("status".into(), json!(endpoint.status));
        let created_at = self.timestamps.write(endpoint.created_at);
        answer.insert("created_at".into(), json!(created_at));
        answer.insert("secret".into(), json!(secret));
        if self.extra_fields {
            answer.insert("api_version".into(), json!("v9"));
            answer.insert("retry_policy".into(), json!({"attempts": 5, "backoff": []}));
        }
        Value::Object(answer)
    }

    /// How far HeyGen's clock is ahead of ours.
    pub fn clock_offset(&self) -> Duration {
        Duration::milliseconds(self.clock_offset_ms).clamp(-MOST_OFF, MOST_OFF)
    }

    /// How far the clock of the server that answers this request is ahead of the first server's.
    pub fn server_ahead(&self, sequence: u64) -> Duration {
        if sequence.is_multiple_of(2) {
            Duration::milliseconds(self.clocks_apart_ms).clamp(-MOST_OFF, MOST_OFF)
        } else {
            Duration::ZERO
        }
    }

    /// Every event type this server knows.
    pub fn event_types(&self) -> impl Iterator<Item = &str> {
        let more = self.more_event_types.iter().map(String::as_str);
        let retired = |name: &&str| self.retired_event_types.iter().any(|retired| retired == name);
        EVENT_TYPES
            .iter()
            .copied()
            .filter(move |name| !retired(name))
            .chain(more)
    }

    fn events(&self, events: Option<&[String]>, random: &mut fastrand::Rng) -> Option<Value> {
        let mut listed: Vec<&str> = match (events, self.all_events) {
            (Some(events), _) => events.iter().map(String::as_str).collect(),
            (None, AllEvents::Listed) => self.event_types().collect(),
            (None, AllEvents::Null) => return Some(Value::Null),
            (None, AllEvents::Omitted) => return None,
        };
        if self.duplicate_events {
            listed.extend(listed.first().copied());
        }
        if self.shuffle_events {
            random.shuffle(&mut listed);
        }
        Some(json!(listed))
    }
}

impl UrlSpelling {
    /// Works on the text: a parser would normalise more than was asked for.
    fn spell(self, url: &str) -> String {
        let Some((scheme, rest)) = url.split_once("://") else {
            return url.to_owned();
        };
        let host_ends = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, rest) = rest.split_at(host_ends);
        let path_ends = rest.find(['?', '#']).unwrap_or(rest.len());
        let (path, query) = rest.split_at(path_ends);

        let mut host = host.to_owned();
        if self.lower_case_host {
            host.make_ascii_lowercase();
        }
        if self.no_default_port && host.ends_with(":443") {
            host.truncate(host.len() - ":443".len());
        }
        let path = match self.trailing_slash {
            TrailingSlash::Kept => path.to_owned(),
            TrailingSlash::Added => format!("{}/", path.trim_end_matches('/')),
            TrailingSlash::Removed => path.trim_end_matches('/').to_owned(),
        };
        format!("{scheme}://{host}{path}{query}")
    }
}

impl Timestamps {
    /// Writes a time in this style.
    pub fn write(self, at: OffsetDateTime) -> String {
        let at = at.to_offset(UtcOffset::UTC);
        let (hour, minute, second, micro) = at.time().as_hms_micro();
        let seconds = format!("{}T{hour:02}:{minute:02}:{second:02}", at.date());
        match self {
            Self::Seconds => format!("{seconds}Z"),
            Self::Microseconds => format!("{seconds}.{micro:06}Z"),
            Self::Naked => seconds,
            Self::NakedMicroseconds => format!("{seconds}.{micro:06}"),
            Self::Offset => format!("{seconds}+00:00"),
            Self::LowerCase => format!("{seconds}Z").to_ascii_lowercase(),
            Self::Spaced => format!("{}Z", seconds.replace('T', " ")),
        }
    }
}

/// The event types HeyGen documents (July 2026).
const EVENT_TYPES: &[&str] = &[
    "avatar_video.success",
    "avatar_video.fail",
    "avatar_video_gif.success",
    "avatar_video_gif.fail",
    "avatar_video_caption.success",
    "avatar_video_caption.fail",
    "video_agent.success",
    "video_agent.fail",
    "video_translate.success",
    "video_translate.fail",
    "video_translate.preflight.validation_failed",
    "video_translate.preflight.download_failed",
    "personalized_video",
    "instant_avatar.success",
    "instant_avatar.fail",
    "photo_avatar_generation.success",
    "photo_avatar_generation.fail",
    "photo_avatar_train.success",
    "photo_avatar_train.fail",
    "photo_avatar_add_motion.success",
    "photo_avatar_add_motion.fail",
    "proofread_creation.success",
    "proofread_creation.fail",
    "live_avatar.success",
    "live_avatar.fail",
    "hyperframes_video.success",
    "hyperframes_video.fail",
    "ai_clipping.success",
    "ai_clipping.fail",
    "batch.finished",
];
