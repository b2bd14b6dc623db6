//! A webhook endpoint as HeyGen describes it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use time::format_description::well_known::Iso8601;
use time::{OffsetDateTime, PrimitiveDateTime};
use unicode_normalization::is_nfc;

use super::redact::{excerpt, is_invisible};
use super::{Field, FieldError};

/// The event types an endpoint receives; `None` = all of them, those of the future included.
pub type Events = Option<BTreeSet<String>>;

/// One webhook endpoint. What HeyGen says besides the id is judged field by field, when it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint<Id = EndpointId> {
    /// HeyGen's `endpoint_id`.
    pub id: Id,
    /// Where deliveries go, as HeyGen spells it, which need not be how it was sent.
    pub url: Field<String>,
    /// What is delivered. Duplicates in the answer count once, and a field that is missing means all events.
    pub events: Field<Events>,
    /// `enabled`, `disabled`, or a status that HeyGen adds later.
    pub status: Field<String>,
    /// The moment of creation, as received; see [`Endpoint::created`].
    pub created_at: Field<String>,
}

/// An item of the list of endpoints: one whose id may be missing or malformed too.
pub type ListItem = Endpoint<Field<EndpointId>>;

impl<Id> Endpoint<Id> {
    /// The moment in `created_at`, which is UTC where it names no offset; `None` if it cannot be read.
    pub fn created(&self) -> Option<OffsetDateTime> {
        parse_moment(self.created_at.as_ref().ok()?)
    }
}

impl<Id> Endpoint<Id> {
    /// The fields besides the id that cannot be read, by their names.
    pub fn unreadable_fields(&self) -> Vec<&'static str> {
        let fields = [
            ("url", self.url.is_err()),
            ("events", self.events.is_err()),
            ("status", self.status.is_err()),
            ("created_at", self.created_at.is_err()),
        ];
        let unreadable = fields.into_iter().filter(|(_, is_unreadable)| *is_unreadable);
        unreadable.map(|(name, _)| name).collect()
    }
}

impl ListItem {
    /// The item as an endpoint; `None` if its id cannot be read.
    pub fn identified(&self) -> Option<Endpoint> {
        let id = self.id.as_ref().ok()?;
        Some(Endpoint {
            id: id.clone(),
            url: self.url.clone(),
            events: self.events.clone(),
            status: self.status.clone(),
            created_at: self.created_at.clone(),
        })
    }

    /// An item of which no field can be read.
    pub(super) fn unreadable() -> Self {
        let nothing = || Err(FieldError::Malformed);
        Self {
            id: Err(FieldError::Malformed),
            url: nothing(),
            events: Err(FieldError::Malformed),
            status: nothing(),
            created_at: nothing(),
        }
    }
}

impl From<Endpoint> for ListItem {
    fn from(endpoint: Endpoint) -> Self {
        Self {
            id: Ok(endpoint.id),
            url: endpoint.url,
            events: endpoint.events,
            status: endpoint.status,
            created_at: endpoint.created_at,
        }
    }
}

/// Reads a moment as HeyGen writes it: ISO 8601 to the second, fractions allowed, UTC where it names no offset. `None` if
/// it is anything else.
pub(super) fn parse_moment(text: &str) -> Option<OffsetDateTime> {
    let mut text = text.trim().to_ascii_uppercase();
    if text.as_bytes().get(10) == Some(&b' ') && text.is_char_boundary(10) {
        text.replace_range(10..11, "T");
    }
    // A moment to the minute is less than is asked for here.
    let (_, time) = text.split_once('T')?;
    let digits = time.chars().take_while(|c| c.is_ascii_digit() || *c == ':');
    if digits.filter(char::is_ascii_digit).count() < "hhmmss".len() {
        return None;
    }
    OffsetDateTime::parse(&text, &Iso8601::PARSING)
        .or_else(|_| PrimitiveDateTime::parse(&text, &Iso8601::PARSING).map(PrimitiveDateTime::assume_utc))
        .ok()
}

/// The id of one endpoint. It becomes a path segment of a `DELETE`, and a name in messages: any text of 1 to 255
/// characters in Unicode's form NFC, without control, invisible or space characters and none of `/ \ ? # %`, and not
/// made of dots alone.
///
/// `Display` is for messages: it is cut short, and shows no signing secret that was taken for an id. Clones share the text,
/// because each endpoint of a long list is known in several places.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointId(Arc<str>);

impl EndpointId {
    /// Takes `text` as an id if it can be one.
    pub fn parse(text: &str) -> Result<Self, InvalidEndpointId> {
        if text.is_empty() {
            return Err(InvalidEndpointId::Empty);
        }
        if text.chars().count() > 255 {
            return Err(InvalidEndpointId::TooLong);
        }
        let is_shown = |c: char| c.is_ascii_graphic() || !(c.is_control() || c.is_whitespace() || is_invisible(c));
        let refused = |c: &char| !is_shown(*c) || matches!(c, '/' | '\\' | '?' | '#' | '%');
        if let Some(character) = text.chars().find(refused) {
            return Err(InvalidEndpointId::Character(character));
        }
        if text.chars().all(|c| c == '.') {
            return Err(InvalidEndpointId::Dots);
        }
        if !text.is_ascii() && !is_nfc(text) {
            return Err(InvalidEndpointId::NotNormalized);
        }
        Ok(Self(text.into()))
    }

    /// The id as text, whole.
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
        f.write_str(&excerpt(&self.0))
    }
}

impl fmt::Debug for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EndpointId({self})")
    }
}

/// Why a text cannot be the id of an endpoint. Quotes no more of the text than the character at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEndpointId {
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// Over 255 characters.
    #[error("it has more than 255 characters")]
    TooLong,
    /// A character that an id cannot have.
    #[error("it holds {}, which no id can have", name_of(*.0))]
    Character(char),
    /// A path such as `..`.
    #[error("it consists of dots alone")]
    Dots,
    /// Not in Unicode's form NFC, in which Terraform keeps text.
    #[error("it is not in Unicode's form NFC")]
    NotNormalized,
}

/// A character as a reader can tell it from others, the invisible ones included.
fn name_of(character: char) -> String {
    match character {
        ' ' => "a space".to_owned(),
        '\n' => "a line break".to_owned(),
        '\t' => "a tab".to_owned(),
        c if c.is_control() || c.is_whitespace() || is_invisible(c) => format!("the character U+{:04X}", u32::from(c)),
        c => format!("the character `{c}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_any_text_that_is_one_segment_of_a_path() {
        let longest = "é".repeat(255);
        for good in [
            "ep_1",
            "a",
            "A.b:c~d-e_9",
            "..a",
            "a@b;c=d&e+f",
            "\u{e9}",
            "終点",
            &longest,
        ] {
            assert_eq!(EndpointId::parse(good).unwrap().as_str(), good);
        }
        for (bad, why) in [
            ("", InvalidEndpointId::Empty),
            (&*"x".repeat(256), InvalidEndpointId::TooLong),
            ("a/b", InvalidEndpointId::Character('/')),
            ("a\\b", InvalidEndpointId::Character('\\')),
            ("a?b", InvalidEndpointId::Character('?')),
            ("a#b", InvalidEndpointId::Character('#')),
            ("%2e", InvalidEndpointId::Character('%')),
            ("a b", InvalidEndpointId::Character(' ')),
            ("a\u{a0}b", InvalidEndpointId::Character('\u{a0}')),
            ("a\n", InvalidEndpointId::Character('\n')),
            ("a\u{7}", InvalidEndpointId::Character('\u{7}')),
            ("a\u{85}", InvalidEndpointId::Character('\u{85}')),
            ("a\u{200b}", InvalidEndpointId::Character('\u{200b}')),
            ("a\u{3164}", InvalidEndpointId::Character('\u{3164}')),
            ("e\u{301}", InvalidEndpointId::NotNormalized),
            (".", InvalidEndpointId::Dots),
            ("..", InvalidEndpointId::Dots),
            ("...", InvalidEndpointId::Dots),
        ] {
            assert_eq!(EndpointId::parse(bad), Err(why), "{bad:?}");
        }
    }

    #[test]
    fn what_is_wrong_with_an_id_names_the_character() {
        let why = |text: &str| EndpointId::parse(text).unwrap_err().to_string();
        assert_eq!(why("a/b"), "it holds the character `/`, which no id can have");
        assert_eq!(why("a b"), "it holds a space, which no id can have");
        assert_eq!(why("a\u{200b}"), "it holds the character U+200B, which no id can have");
        assert_eq!(why(""), "it is empty");
        assert_eq!(why(&"x".repeat(256)), "it has more than 255 characters");
        assert_eq!(why(".."), "it consists of dots alone");
        assert_eq!(why("e\u{301}"), "it is not in Unicode's form NFC");
    }

    #[test]
    fn an_id_in_a_message_is_cut_short_and_shows_no_secret() {
        let shown = |text: &str| EndpointId::parse(text).unwrap().to_string();
        assert_eq!(shown("ep_1"), "ep_1");
        assert_eq!(shown(&"é".repeat(255)), format!("{}…", "é".repeat(64)));
        assert_eq!(shown("whsec_0123"), "[redacted]");
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
            "2026-07-01t12:00:00z",
            "20260701T120000Z",
        ] {
            let moment = parse_moment(text).map(OffsetDateTime::unix_timestamp);
            assert_eq!(moment, Some(1_782_907_200), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "1782907200",
            "2026-13-01T00:00:00Z",
            "2026-07-01é12:00:00",
            "2026-07-0é",
            "2026-07-01",
            "2026-07-01T12:00Z",
            "2026-07-01T12:00+02:00",
        ] {
            assert_eq!(parse_moment(text), None, "{text}");
        }
    }
}
