//! The provider's private data beside a state, as Terraform stores it: a JSON object with a `version`, the members of a
//! resource's own struct, and whatever members another version of the provider has added.

use serde::de::value::Error as NoStruct;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use serde::{Serialize, forward_to_deserialize_any};
use serde_json::{Map, Value as Json};

/// The version that is written. In data of a higher version, members may have another meaning than here.
const VERSION: u64 = 1;

/// The member that holds the version.
const VERSION_MEMBER: &str = "version";

/// Why private data cannot be used. Never quotes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PrivateDataError {
    /// A newer provider has written it, in this version.
    NewerVersion(u64),
    /// It is not what any version writes.
    Malformed(&'static str),
}

impl PrivateDataError {
    /// The version that this provider writes.
    pub(super) const SUPPORTED_VERSION: u64 = VERSION;
}

/// Decodes stored private data. No data at all is the default, and data without a version is of the first version.
pub(super) fn decode<P: DeserializeOwned + Default>(stored: &[u8]) -> Result<P, PrivateDataError> {
    if stored.is_empty() {
        return Ok(P::default());
    }
    let mut members = members(stored)?;
    check_version(members.remove(VERSION_MEMBER).as_ref())?;
    let known = member_names::<P>();
    members.retain(|name, _| known.contains(&name.as_str()));
    serde_json::from_value(Json::Object(members))
        .map_err(|_| PrivateDataError::Malformed("a member of it has another type than this provider writes"))
}

/// Encodes private data to be stored in place of `before`. The members of `before` that this version of the provider
/// does not know are kept. `None` where `P` is not a struct, which cannot be stored.
pub(super) fn encode<P: Serialize + DeserializeOwned>(data: &P, before: &[u8]) -> Option<Vec<u8>> {
    let Ok(Json::Object(own)) = serde_json::to_value(data) else {
        return None;
    };
    let mut members = members(before).unwrap_or_default();
    members.retain(|name, _| !member_names::<P>().contains(&name.as_str()));
    members.extend(own);
    members.insert(VERSION_MEMBER.to_owned(), VERSION.into());
    serde_json::to_vec(&members).ok()
}

/// The members of stored private data, its version among them.
fn members(stored: &[u8]) -> Result<Map<String, Json>, PrivateDataError> {
    if stored.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(stored) {
        Ok(Json::Object(members)) => Ok(members),
        Ok(_) => Err(PrivateDataError::Malformed("it is not a JSON object")),
        Err(_) => Err(PrivateDataError::Malformed("it is not JSON")),
    }
}

fn check_version(version: Option<&Json>) -> Result<(), PrivateDataError> {
    match version.map(Json::as_u64) {
        None | Some(Some(VERSION)) => Ok(()),
        Some(Some(newer)) if newer > VERSION => Err(PrivateDataError::NewerVersion(newer)),
        Some(_) => Err(PrivateDataError::Malformed(
            "its version is not a number that any provider writes",
        )),
    }
}

/// The names of a struct's members, also of those that are left out when they are written.
fn member_names<P: DeserializeOwned>() -> &'static [&'static str] {
    let mut names = MemberNames(&[]);
    // It always fails: this deserializer only notes the names that it is asked for, and has no value to give.
    let _ = P::deserialize(&mut names);
    names.0
}

struct MemberNames(&'static [&'static str]);

impl<'de> Deserializer<'de> for &mut MemberNames {
    type Error = NoStruct;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, NoStruct> {
        self.0 = fields;
        Err(NoStruct::custom("there is no value"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, NoStruct> {
        Err(NoStruct::custom("there is no value"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default)]
    struct Memory {
        #[serde(skip_serializing_if = "Option::is_none")]
        words: Option<Vec<String>>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        seen: bool,
        count: u64,
    }

    fn read(stored: &str) -> Result<Memory, PrivateDataError> {
        decode(stored.as_bytes())
    }

    fn rewritten(stored: &str, memory: &Memory) -> String {
        String::from_utf8(encode(memory, stored.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn the_version_is_always_written_and_its_absence_is_the_first() {
        let seen = Memory {
            seen: true,
            ..Memory::default()
        };
        assert_eq!(rewritten("", &Memory::default()), r#"{"count":0,"version":1}"#);
        assert_eq!(rewritten("{}", &seen), r#"{"count":0,"seen":true,"version":1}"#);
        for stored in [r#"{"seen":true}"#, r#"{"seen":true,"version":1}"#] {
            assert_eq!(read(stored).as_ref(), Ok(&seen), "{stored}");
        }
        assert_eq!(read(""), Ok(Memory::default()));
    }

    #[test]
    fn members_of_another_version_are_kept_and_own_ones_are_never_among_them() {
        let stored = r#"{"later":{"a":[1.50,18446744073709551616]},"seen":true,"version":1,"words":["x"]}"#;
        let forgotten = rewritten(stored, &Memory::default());
        assert_eq!(
            forgotten,
            r#"{"count":0,"later":{"a":[1.50,18446744073709551616]},"version":1}"#
        );
    }

    #[test]
    fn a_higher_version_is_a_newer_providers() {
        assert_eq!(read(r#"{"version":2}"#), Err(PrivateDataError::NewerVersion(2)));
        assert_eq!(
            read(r#"{"version":7,"seen":"text"}"#),
            Err(PrivateDataError::NewerVersion(7))
        );
    }

    #[test]
    fn what_no_version_writes_is_malformed_and_nothing_of_it_is_told() {
        for stored in [
            "whsec",
            "\0",
            "[]",
            "null",
            "\"whsec\"",
            r#"{"version":"whsec"}"#,
            r#"{"version":null}"#,
            r#"{"version":0}"#,
            r#"{"version":-1}"#,
            r#"{"version":1.5}"#,
            r#"{"version":99999999999999999999}"#,
            r#"{"seen":"whsec"}"#,
            r#"{"version":1,"words":["whsec",1]}"#,
            r#"{"count":-1}"#,
        ] {
            match read(stored) {
                Err(PrivateDataError::Malformed(why)) => assert!(!why.contains("whsec"), "{stored}"),
                other => panic!("{stored}: {other:?}"),
            }
        }
    }
}
