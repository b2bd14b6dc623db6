//! A webhook endpoint as HeyGen describes it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use time::format_description::well_known::Iso8601;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::Secret;

/// The event types an endpoint receives; `None` = all of them, those of the future included.
pub type Events = Option<BTreeSet<String>>;

/// One webhook endpoint. Not comparable as a whole, because its [`Secret`] is not.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// HeyGen's `endpoint_id`.
    pub id: EndpointId,
    /// Where deliveries go, as HeyGen spells it, which need not be how it was sent.
    pub url: String,
    /// What is delivered; duplicates in the answer have collapsed.
    pub events: Events,
    /// `enabled`, `disabled`, or whatever HeyGen comes to say.
    pub status: String,
    /// The moment of creation, as received; see [`Endpoint::created`].
    pub created_at: String,
    /// The signing secret: only in the answer to a create.
    pub secret: Option<Secret>,
}

impl Endpoint {
    /// The moment in `created_at`: ISO 8601, fractions allowed, UTC where it names no offset. `None` if it is anything
    /// else.
    pub fn created(&self) -> Option<OffsetDateTime> {
        let mut text = self.created_at.trim().to_owned();
        if text.as_bytes().get(10) == Some(&b' ') && text.is_char_boundary(10) {
            text.replace_range(10..11, "T");
        }
        OffsetDateTime::parse(&text, &Iso8601::PARSING)
            .or_else(|_| PrimitiveDateTime::parse(&text, &Iso8601::PARSING).map(PrimitiveDateTime::assume_utc))
            .ok()
    }

    /// Whether it was created at or after `began`, with `skew` allowed for clocks that differ. An unreadable moment
    /// proves nothing: `false`.
    pub fn created_since(&self, began: SystemTime, skew: Duration) -> bool {
        let earliest = OffsetDateTime::from(began.checked_sub(skew).unwrap_or(SystemTime::UNIX_EPOCH));
        self.created().is_some_and(|created| created >= earliest)
    }
}

/// The name of one endpoint. It becomes a path segment of a `DELETE`, so it holds 1 to 255 of `[A-Za-z0-9_.:~-]` and
/// is not made of dots alone: nothing that a URL would read as another path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointId(String);

impl EndpointId {
    /// Takes `text` as a name if it can be one.
    pub fn parse(text: &str) -> Result<Self, InvalidEndpointId> {
        let fitting = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:~-".contains(&byte);
        if text.is_empty() {
            Err(InvalidEndpointId::Empty)
        } else if text.len() > 255 {
            Err(InvalidEndpointId::TooLong)
        } else if !text.bytes().all(fitting) {
            Err(InvalidEndpointId::Character)
        } else if text.bytes().all(|byte| byte == b'.') {
            Err(InvalidEndpointId::Dots)
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EndpointId {
    type Err = InvalidEndpointId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EndpointId({})", self.0)
    }
}

/// Why a text cannot be the name of an endpoint. Never quotes the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEndpointId {
    /// There is nothing in it.
    #[error("an endpoint id must not be empty")]
    Empty,
    /// Over 255 characters.
    #[error("an endpoint id has at most 255 characters")]
    TooLong,
    /// Something besides `[A-Za-z0-9_.:~-]`.
    #[error("an endpoint id consists of letters, digits and _ . : ~ - only")]
    Character,
    /// A path such as `..`.
    #[error("an endpoint id must not consist of dots alone")]
    Dots,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn created_at(text: &str) -> Endpoint {
        Endpoint {
            id: EndpointId::parse("ep_1").unwrap(),
            url: "https://example.com/".to_owned(),
            events: None,
            status: "enabled".to_owned(),
            created_at: text.to_owned(),
            secret: None,
        }
    }

    #[test]
    fn an_id_that_could_change_the_path_is_refused() {
        for good in ["ep_1", "a", "A.b:c~d-e_9", "..a", &"x".repeat(255)] {
            assert_eq!(EndpointId::parse(good).unwrap().as_str(), good);
        }
        for (bad, why) in [
            ("", InvalidEndpointId::Empty),
            (&*"x".repeat(256), InvalidEndpointId::TooLong),
            ("a/b", InvalidEndpointId::Character),
            ("a?b", InvalidEndpointId::Character),
            ("a b", InvalidEndpointId::Character),
            ("%2e", InvalidEndpointId::Character),
            ("é", InvalidEndpointId::Character),
            ("a\n", InvalidEndpointId::Character),
            (".", InvalidEndpointId::Dots),
            ("..", InvalidEndpointId::Dots),
        ] {
            assert_eq!(EndpointId::parse(bad), Err(why), "{bad:?}");
        }
    }

    #[test]
    fn a_moment_without_an_offset_is_utc() {
        for text in [
            "2026-07-01T12:00:00Z",
            "2026-07-01T12:00:00",
            "2026-07-01 12:00:00",
            "2026-07-01T12:00:00.000000",
            "2026-07-01T12:00:00.000Z",
            "2026-07-01T14:00:00+02:00",
            "2026-07-01T12:00:00+00:00",
        ] {
            assert_eq!(
                created_at(text).created().map(OffsetDateTime::unix_timestamp),
                Some(1_782_907_200),
                "{text}"
            );
        }
        for text in [
            "",
            "yesterday",
            "1782907200",
            "2026-13-01T00:00:00Z",
            "2026-07-01é12:00:00",
            "2026-07-0é",
        ] {
            assert_eq!(created_at(text).created(), None, "{text}");
        }
    }

    #[test]
    fn the_skew_reaches_back_and_no_further() {
        let began = SystemTime::UNIX_EPOCH + Duration::from_hours(495_252);
        let minute = Duration::from_mins(1);
        assert!(created_at("2026-07-01T12:00:00Z").created_since(began, minute));
        assert!(created_at("2026-07-01T11:59:00Z").created_since(began, minute));
        assert!(!created_at("2026-07-01T11:58:59Z").created_since(began, minute));
        assert!(!created_at("soon").created_since(began, minute));
    }
}
