//! The wire form of values, written and read as Terraform does.

use std::collections::BTreeMap;

use rmp::encode;

use super::number::{self, Encoding};
use super::types::Type;
use super::value::{Path, Refinement, Value};

/// The extension type that carries what is known about an unknown value.
const REFINED: i8 = 12;
/// Terraform refuses longer refinements.
const MAX_REFINEMENT: usize = 1024;
const NULLNESS: i64 = 1;
const PREFIX: i64 = 2;
const MIN: i64 = 3;
const MAX: i64 = 4;
const MIN_LENGTH: i64 = 5;
const MAX_LENGTH: i64 = 6;

/// Writes a value of a type. Panics where the value does not fit: a mistake of the model.
pub(crate) fn encode(value: &Value, ty: &Type) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, value, ty);
    out
}

/// Why an answer cannot be read, and where.
#[derive(Debug, PartialEq)]
pub(crate) struct Undecodable {
    pub(crate) path: Path,
    pub(crate) problem: String,
}

/// Reads a value of a type. Object maps must hold exactly the attributes of the type.
pub(crate) fn decode(bytes: &[u8], ty: &Type) -> Result<Value, Undecodable> {
    let mut reader = Reader { bytes };
    let value = reader.value(ty, &Path::root())?;
    if reader.bytes.is_empty() {
        Ok(value)
    } else {
        fail(&Path::root(), format!("{} bytes after the value", reader.bytes.len()))
    }
}

fn write(out: &mut Vec<u8>, value: &Value, ty: &Type) {
    match (value, ty) {
        (Value::Null, _) => write_infallibly(encode::write_nil(out)),
        (Value::Unknown(refinement), _) => write_unknown(out, refinement),
        (Value::String(text), Type::String) => write_infallibly(encode::write_str(out, text)),
        (Value::Bool(flag), Type::Bool) => write_infallibly(encode::write_bool(out, *flag)),
        (Value::Number(text), Type::Number) => write_number(out, text),
        (Value::List(items), Type::List(inner)) | (Value::Set(items), Type::Set(inner)) => {
            write_infallibly(encode::write_array_len(out, count(items.len())));
            for item in items {
                write(out, item, inner);
            }
        }
        (Value::Map(items), Type::Map(inner)) => {
            write_infallibly(encode::write_map_len(out, count(items.len())));
            for (key, item) in items {
                write_infallibly(encode::write_str(out, key));
                write(out, item, inner);
            }
        }
        (Value::Object(attributes), Type::Object(types)) => {
            assert!(attributes.keys().eq(types.keys()), "{value:?} is not of type {ty:?}");
            write_infallibly(encode::write_map_len(out, count(types.len())));
            for (name, inner) in types {
                write_infallibly(encode::write_str(out, name));
                write(out, &attributes[name], inner);
            }
        }
        _ => panic!("{value:?} is not of type {ty:?}"),
    }
}

fn write_number(out: &mut Vec<u8>, text: &str) {
    match number::encoding(text) {
        Encoding::Int(int) => write_infallibly(encode::write_sint(out, int)),
        Encoding::Float(float) => write_infallibly(encode::write_f64(out, float)),
        Encoding::Text => write_infallibly(encode::write_str(out, text)),
    }
}

fn write_unknown(out: &mut Vec<u8>, refinement: &Refinement) {
    let mut body = Vec::new();
    let mut entries = 0;
    let mut key = |body: &mut Vec<u8>, key: i64| {
        entries += 1;
        write_infallibly(encode::write_sint(body, key));
    };
    if refinement.not_null {
        key(&mut body, NULLNESS);
        write_infallibly(encode::write_bool(&mut body, false));
    }
    if let Some(prefix) = &refinement.prefix {
        key(&mut body, PREFIX);
        write_infallibly(encode::write_str(&mut body, prefix));
    }
    for (code, bound) in [(MIN, &refinement.min), (MAX, &refinement.max)] {
        if let Some((text, inclusive)) = bound {
            key(&mut body, code);
            write_infallibly(encode::write_array_len(&mut body, 2));
            write_number(&mut body, text);
            write_infallibly(encode::write_bool(&mut body, *inclusive));
        }
    }
    for (code, length) in [(MIN_LENGTH, refinement.min_length), (MAX_LENGTH, refinement.max_length)] {
        if let Some(length) = length {
            key(&mut body, code);
            write_infallibly(encode::write_uint(&mut body, length));
        }
    }
    if entries == 0 {
        out.extend([0xd4, 0, 0]);
        return;
    }
    let mut map = Vec::new();
    write_infallibly(encode::write_map_len(&mut map, entries));
    map.extend(body);
    write_infallibly(encode::write_ext_meta(out, count(map.len()), REFINED));
    out.extend(map);
}

/// Writing into memory has no errors.
fn write_infallibly<T, E: std::fmt::Debug>(result: Result<T, E>) {
    result.expect("memory takes every write");
}

fn count(length: usize) -> u32 {
    u32::try_from(length).expect("a test value has fewer than 2^32 parts")
}

fn fail<T>(path: &Path, problem: impl Into<String>) -> Result<T, Undecodable> {
    Err(Undecodable {
        path: path.clone(),
        problem: problem.into(),
    })
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn value(&mut self, ty: &Type, path: &Path) -> Result<Value, Undecodable> {
        match self.bytes.first() {
            None => return fail(path, "the message ends early"),
            Some(0xc0) => {
                self.bytes = &self.bytes[1..];
                return Ok(Value::Null);
            }
            // Every extension is an unknown value.
            Some(0xd4..=0xd8 | 0xc7..=0xc9) => return self.unknown(ty, path),
            Some(_) => {}
        }
        match ty {
            Type::String => Ok(Value::string(self.text(path)?)),
            Type::Bool => self.flag(path).map(Value::Bool),
            Type::Number => self.number(path).map(Value::Number),
            Type::List(inner) => self.items(inner, path).map(Value::List),
            Type::Set(inner) => self.items(inner, path).map(Value::set),
            Type::Map(inner) => {
                let length = self.map_length(path)?;
                let mut items = BTreeMap::new();
                for _ in 0..length {
                    let key: String = self.text(path)?.to_owned();
                    let item = self.value(inner, &path.key(&key))?;
                    items.insert(key, item);
                }
                Ok(Value::Map(items))
            }
            Type::Object(types) => self.object(types, path),
        }
    }

    fn object(&mut self, types: &BTreeMap<String, Type>, path: &Path) -> Result<Value, Undecodable> {
        let given = self.map_length(path)?;
        if given != types.len() {
            return fail(path, format!("{} attributes required, {given} given", types.len()));
        }
        let mut attributes = BTreeMap::new();
        for _ in 0..given {
            let name = self.text(path)?.to_owned();
            let here = path.attribute(&name);
            let Some(inner) = types.get(&name) else {
                return fail(&here, "unsupported attribute");
            };
            let value = self.value(inner, &here)?;
            if attributes.insert(name, value).is_some() {
                return fail(&here, "attribute given twice");
            }
        }
        Ok(Value::Object(attributes))
    }

    fn items(&mut self, inner: &Type, path: &Path) -> Result<Vec<Value>, Undecodable> {
        let length = match self.byte(path)? {
            byte @ 0x90..=0x9f => usize::from(byte & 0x0f),
            0xdc => self.uint(2, path)?,
            0xdd => self.uint(4, path)?,
            byte => return fail(path, format!("a list or set is required, not {byte:#04x}")),
        };
        // Bounded by the message: every item takes at least a byte, or reading fails.
        (0..length)
            .map(|index| {
                let index = i64::try_from(index).unwrap_or(i64::MAX);
                self.value(inner, &path.index(index))
            })
            .collect()
    }

    fn number(&mut self, path: &Path) -> Result<String, Undecodable> {
        let first = self.bytes.first().copied().unwrap_or_default();
        let text = match first {
            0x00..=0x7f | 0xe0..=0xff | 0xcc..=0xcf | 0xd0..=0xd3 => self.int(path)?,
            0xca => {
                self.byte(path)?;
                let float = f32::from_be_bytes(self.array(path)?);
                number::from_float(f64::from(float))
            }
            0xcb => {
                self.byte(path)?;
                number::from_float(f64::from_be_bytes(self.array(path)?))
            }
            _ => number::canonical(self.text(path)?),
        };
        text.map_or_else(|| fail(path, "number is required"), Ok)
    }

    fn int(&mut self, path: &Path) -> Result<Option<String>, Undecodable> {
        let text = match self.byte(path)? {
            byte @ 0x00..=0x7f => byte.to_string(),
            byte @ 0xe0..=0xff => i8::from_be_bytes([byte]).to_string(),
            0xcc => u8::from_be_bytes(self.array(path)?).to_string(),
            0xcd => u16::from_be_bytes(self.array(path)?).to_string(),
            0xce => u32::from_be_bytes(self.array(path)?).to_string(),
            0xcf => u64::from_be_bytes(self.array(path)?).to_string(),
            0xd0 => i8::from_be_bytes(self.array(path)?).to_string(),
            0xd1 => i16::from_be_bytes(self.array(path)?).to_string(),
            0xd2 => i32::from_be_bytes(self.array(path)?).to_string(),
            0xd3 => i64::from_be_bytes(self.array(path)?).to_string(),
            _ => return fail(path, "number is required"),
        };
        Ok(Some(text))
    }

    fn flag(&mut self, path: &Path) -> Result<bool, Undecodable> {
        match self.byte(path)? {
            0xc2 => Ok(false),
            0xc3 => Ok(true),
            _ => fail(path, "bool is required"),
        }
    }

    fn text(&mut self, path: &Path) -> Result<&'a str, Undecodable> {
        let length = match self.byte(path)? {
            byte @ 0xa0..=0xbf => usize::from(byte & 0x1f),
            0xd9 => self.uint(1, path)?,
            0xda => self.uint(2, path)?,
            0xdb => self.uint(4, path)?,
            byte => return fail(path, format!("string is required, not {byte:#04x}")),
        };
        let bytes = self.take(length, path)?;
        std::str::from_utf8(bytes).or_else(|_| fail(path, "string is not UTF-8"))
    }

    fn map_length(&mut self, path: &Path) -> Result<usize, Undecodable> {
        match self.byte(path)? {
            byte @ 0x80..=0x8f => Ok(usize::from(byte & 0x0f)),
            0xde => self.uint(2, path),
            0xdf => self.uint(4, path),
            byte => fail(path, format!("an object or map is required, not {byte:#04x}")),
        }
    }

    fn unknown(&mut self, ty: &Type, path: &Path) -> Result<Value, Undecodable> {
        let length = match self.byte(path)? {
            0xd4 => 1,
            0xd5 => 2,
            0xd6 => 4,
            0xd7 => 8,
            0xd8 => 16,
            0xc7 => self.uint(1, path)?,
            0xc8 => self.uint(2, path)?,
            _ => self.uint(4, path)?,
        };
        let code = i8::from_be_bytes(self.array(path)?);
        let body = self.take(length, path)?;
        if length <= 1 {
            return Ok(Value::unknown());
        }
        if code != REFINED {
            return fail(path, format!("extension {code} of {length} bytes is no unknown value"));
        }
        if length > MAX_REFINEMENT {
            return fail(path, "oversize unknown value refinement");
        }
        Reader { bytes: body }.refinement(ty, path).map(Value::Unknown)
    }

    fn refinement(&mut self, ty: &Type, path: &Path) -> Result<Refinement, Undecodable> {
        let mut refinement = Refinement::default();
        let entries = self.map_length(path)?;
        if entries == 0 {
            return fail(path, "empty refinement");
        }
        for _ in 0..entries {
            let key = self.int(path)?.and_then(|key| key.parse::<i64>().ok());
            match (key, ty) {
                (Some(NULLNESS), _) => {
                    if self.flag(path)? {
                        return fail(path, "an unknown value refined to null is a null");
                    }
                    refinement.not_null = true;
                }
                (Some(PREFIX), Type::String) => {
                    refinement.prefix = Some(self.text(path)?.to_owned());
                }
                (Some(MIN), Type::Number) => refinement.min = Some(self.bound(path)?),
                (Some(MAX), Type::Number) => refinement.max = Some(self.bound(path)?),
                (Some(MIN_LENGTH), Type::List(_) | Type::Set(_) | Type::Map(_)) => {
                    refinement.min_length = self.int(path)?.and_then(|length| length.parse().ok());
                }
                (Some(MAX_LENGTH), Type::List(_) | Type::Set(_) | Type::Map(_)) => {
                    refinement.max_length = self.int(path)?.and_then(|length| length.parse().ok());
                }
                _ => return fail(path, format!("refinement {key:?} does not fit type {ty:?}")),
            }
        }
        Ok(refinement)
    }

    fn bound(&mut self, path: &Path) -> Result<(String, bool), Undecodable> {
        if self.byte(path)? != 0x92 {
            return fail(path, "a number bound must be a pair");
        }
        Ok((self.number(path)?, self.flag(path)?))
    }

    fn byte(&mut self, path: &Path) -> Result<u8, Undecodable> {
        self.array::<1>(path).map(|[byte]| byte)
    }

    fn uint(&mut self, width: usize, path: &Path) -> Result<usize, Undecodable> {
        Ok(self
            .take(width, path)?
            .iter()
            .fold(0, |all, byte| (all << 8) | usize::from(*byte)))
    }

    fn array<const N: usize>(&mut self, path: &Path) -> Result<[u8; N], Undecodable> {
        let bytes = self.take(N, path)?;
        bytes.try_into().or_else(|_| fail(path, "the message ends early"))
    }

    fn take(&mut self, length: usize, path: &Path) -> Result<&'a [u8], Undecodable> {
        let Some((taken, rest)) = self.bytes.split_at_checked(length) else {
            return fail(path, "the message ends early");
        };
        self.bytes = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object_type() -> Type {
        Type::parse(br#"["object",{"n":"number","s":"string","t":["set","string"]}]"#).unwrap()
    }

    fn object(n: Value, s: Value, t: Value) -> Value {
        Value::object([("n", n), ("s", s), ("t", t)])
    }

    #[test]
    fn what_is_written_is_read_back() {
        let refined = Refinement {
            not_null: true,
            prefix: Some("whsec_".to_owned()),
            ..Refinement::default()
        };
        let bounded = Refinement {
            min: Some(("0".to_owned(), true)),
            max: Some(("0.1".to_owned(), false)),
            ..Refinement::default()
        };
        let sized = Refinement {
            min_length: Some(1),
            max_length: Some(300),
            ..Refinement::default()
        };
        for value in [
            object(Value::Null, Value::Null, Value::Null),
            object(Value::number("0.1"), "x".into(), Value::set(["b".into(), "a".into()])),
            object(Value::number("-300"), Value::string("y".repeat(70_000)), Value::set([])),
            object(Value::unknown(), Value::unknown(), Value::set([Value::unknown()])),
            object(Value::Unknown(bounded), Value::Unknown(refined), Value::Unknown(sized)),
        ] {
            assert_eq!(decode(&encode(&value, &object_type()), &object_type()), Ok(value));
        }
    }

    #[test]
    fn the_bytes_are_those_terraform_sends() {
        assert_eq!(encode(&Value::unknown(), &Type::String), [0xd4, 0, 0]);
        assert_eq!(encode(&Value::number("0.1"), &Type::Number), b"\xa30.1");
        assert_eq!(
            encode(&Value::number("0.5"), &Type::Number),
            b"\xcb\x3f\xe0\0\0\0\0\0\0"
        );
        assert_eq!(encode(&Value::number("7"), &Type::Number), [7]);
        assert_eq!(encode(&Value::number("-1"), &Type::Number), [0xff]);
        let not_null = Value::Unknown(Refinement {
            not_null: true,
            ..Refinement::default()
        });
        assert_eq!(encode(&not_null, &Type::String), [0xc7, 3, 12, 0x81, 1, 0xc2]);
    }

    #[test]
    fn a_number_may_come_as_int_float_or_text_but_a_short_float_is_another_number() {
        let read = |bytes: &[u8]| decode(bytes, &Type::Number).unwrap();
        let tenth = Value::number("0.1");
        assert_eq!(read(b"\xa30.1"), tenth);
        assert_eq!(read(&[&[0xcb][..], &0.1_f64.to_be_bytes()].concat()), tenth);
        assert_ne!(read(&[&[0xca][..], &0.1_f32.to_be_bytes()].concat()), tenth);
        assert_eq!(
            read(&[0xcf, 255, 255, 255, 255, 255, 255, 255, 255]),
            Value::number("18446744073709551615")
        );
        assert_eq!(read(&[0xd0, 0x80]), Value::number("-128"));
        assert!(decode(&[0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0], &Type::Number).is_err());
    }

    #[test]
    fn a_missing_an_extra_and_a_repeated_attribute_fail_the_whole_object() {
        let problem = |bytes: &[u8]| decode(bytes, &object_type()).unwrap_err().problem;
        assert_eq!(problem(b"\x82\xa1n\xc0\xa1s\xc0"), "3 attributes required, 2 given");
        assert_eq!(problem(b"\x83\xa1n\xc0\xa1s\xc0\xa1x\xc0"), "unsupported attribute");
        assert_eq!(problem(b"\x83\xa1n\xc0\xa1s\xc0\xa1s\xc0"), "attribute given twice");
    }

    #[test]
    fn truncated_trailing_and_ill_typed_bytes_are_refused() {
        let whole = encode(
            &object(7.into(), "text".into(), Value::set(["a".into()])),
            &object_type(),
        );
        for end in 0..whole.len() {
            assert!(decode(&whole[..end], &object_type()).is_err(), "cut at {end}");
        }
        assert!(decode(&[&whole[..], &[0xc0]].concat(), &object_type()).is_err());
        assert!(decode(b"\xc4\x01a", &Type::String).is_err(), "bytes are no string");
        assert!(decode(&[0xdd, 255, 255, 255, 255], &Type::List(Box::new(Type::Bool))).is_err());
        assert!(
            decode(&[0xc7, 3, 12, 0x81, 2, 0xa0], &Type::Bool).is_err(),
            "a bool has no prefix"
        );
    }
}
