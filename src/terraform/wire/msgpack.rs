//! `MessagePack` as Terraform uses it for values.

use rmp::Marker;
use unicode_normalization::is_nfc;

use super::WireError;
use crate::terraform::{Name, Number, Object, Type, Value, normalized};

/// Reads one value of this type; nothing may follow it. Objects must be complete. Every extension value is read as
/// unknown: refinements, which narrow what an unknown value may become, may be ignored. No bytes at all are null.
pub fn decode(bytes: &[u8], ty: &Type) -> Result<Value, WireError> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    let mut reader = Reader { rest: bytes, depth: 0 };
    let value = reader.value(ty)?;
    if reader.rest.is_empty() {
        Ok(value)
    } else {
        Err(WireError::new("more bytes than one value"))
    }
}

/// Writes one value. Its texts must be in NFC: decoded ones are, and text from elsewhere goes through [`normalized`]
/// before it becomes a value. Fails if the value does not fit the type, so that a mistake in the provider becomes an
/// error that names the place, and not an answer that Terraform cannot read.
pub fn encode(value: &Value, ty: &Type) -> Result<Vec<u8>, WireError> {
    let mut out = Vec::with_capacity(USUAL_SIZE);
    write(&mut out, value, ty)?;
    Ok(out)
}

/// How deep values may be nested. The type limits that, except for values that bring a type of their own, and the
/// threads that decode have stacks of two megabytes. Types are nested at most half as deep, and JSON is parsed to this
/// depth, so what is read in one encoding can be written in the other.
const MAX_DEPTH: usize = 128;

/// How many bytes are set aside for a value that is written. Most objects fit into so many.
const USUAL_SIZE: usize = 512;

/// The null value, which is this one byte.
pub(super) const NULL: u8 = 0xc0;

struct Reader<'a> {
    rest: &'a [u8],
    depth: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, ty: &Type) -> Result<Value, WireError> {
        if self.depth == MAX_DEPTH {
            return Err(WireError::new("values nested too deep"));
        }
        self.depth += 1;
        let value = self.read(ty)?;
        self.depth -= 1;
        Ok(value)
    }

    fn read(&mut self, ty: &Type) -> Result<Value, WireError> {
        let marker = self.marker()?;
        if marker == Marker::Null {
            return Ok(Value::Null);
        }
        if let Some(length) = self.extension_length(marker)? {
            self.take(length)?;
            return Ok(Value::Unknown);
        }
        match ty {
            Type::Bool => match marker {
                Marker::True => Ok(Value::Bool(true)),
                Marker::False => Ok(Value::Bool(false)),
                _ => Err(WireError::type_mismatch(ty)),
            },
            Type::Number => self.number(marker).map(Value::Number),
            Type::String => {
                let text = self.text(marker)?.ok_or_else(|| WireError::type_mismatch(ty))?;
                Ok(Value::String(normalized(text)))
            }
            Type::List(element) | Type::Set(element) => {
                let length = self.array_length(marker)?.ok_or_else(|| WireError::type_mismatch(ty))?;
                self.elements(length, |_| element)
            }
            Type::Tuple(types) => match self.array_length(marker)? {
                Some(length) if length == types.len() => self.elements(length, |index| &types[index]),
                _ => Err(WireError::type_mismatch(ty)),
            },
            Type::Map(element) => {
                let length = self.map_length(marker)?.ok_or_else(|| WireError::type_mismatch(ty))?;
                self.entries(length, |key| Some((normalized(key).into(), element.as_ref())))
            }
            Type::Object(types) => {
                let length = self.map_length(marker)?.ok_or_else(|| WireError::type_mismatch(ty))?;
                let declared = |name: &str| types.get_key_value(name).map(|(name, ty)| (name.clone(), ty));
                let value = self.entries(length, declared)?;
                match &value {
                    Value::Mapping(found) if found.len() == types.len() => Ok(value),
                    _ => Err(WireError::new("an object that lacks attributes")),
                }
            }
            Type::Dynamic => {
                if self.array_length(marker)? != Some(2) {
                    return Err(WireError::type_mismatch(ty));
                }
                let marker = self.marker()?;
                let type_json = self.binary(marker)?.ok_or_else(|| WireError::type_mismatch(ty))?;
                let inner = Type::from_json_bytes(type_json).map_err(|e| WireError::new(e.to_string()))?;
                let value = self.value(&inner)?;
                Ok(Value::Dynamic(Box::new((inner, value))))
            }
        }
    }

    fn elements<'t>(&mut self, length: usize, ty: impl Fn(usize) -> &'t Type) -> Result<Value, WireError> {
        let mut elements = Vec::new();
        for index in 0..length {
            let element = self.value(ty(index)).map_err(|e| e.inside(&format!("[{index}]")))?;
            elements.push(element);
        }
        Ok(Value::Sequence(elements))
    }

    /// Reads the entries of a map or an object. `declared` answers under which name an entry is kept, and its type.
    fn entries<'t>(
        &mut self,
        length: usize,
        declared: impl Fn(&str) -> Option<(Name, &'t Type)>,
    ) -> Result<Value, WireError> {
        let mut entries = Object::new();
        for _ in 0..length {
            let marker = self.marker()?;
            let key = self
                .text(marker)?
                .ok_or_else(|| WireError::new("a key that is not text"))?;
            let (name, ty) = declared(key).ok_or_else(|| WireError::new("an object with an unexpected attribute"))?;
            let value = self.value(ty).map_err(|e| e.inside(&name))?;
            if entries.insert(name, value).is_some() {
                return Err(WireError::new("a key that comes twice"));
            }
        }
        Ok(Value::Mapping(entries))
    }

    /// Numbers come as integers, floats, or as decimal text where neither holds them.
    fn number(&mut self, marker: Marker) -> Result<Number, WireError> {
        let number = match marker {
            Marker::FixPos(value) => i64::from(value).into(),
            Marker::FixNeg(value) => i64::from(value).into(),
            Marker::U8 => u64::from(u8::from_be_bytes(self.array()?)).into(),
            Marker::U16 => u64::from(u16::from_be_bytes(self.array()?)).into(),
            Marker::U32 => u64::from(u32::from_be_bytes(self.array()?)).into(),
            Marker::U64 => u64::from_be_bytes(self.array()?).into(),
            Marker::I8 => i64::from(i8::from_be_bytes(self.array()?)).into(),
            Marker::I16 => i64::from(i16::from_be_bytes(self.array()?)).into(),
            Marker::I32 => i64::from(i32::from_be_bytes(self.array()?)).into(),
            Marker::I64 => i64::from_be_bytes(self.array()?).into(),
            Marker::F32 => finite(f32::from_be_bytes(self.array()?).into())?,
            Marker::F64 => finite(f64::from_be_bytes(self.array()?))?,
            marker => {
                let text = self
                    .text(marker)?
                    .ok_or_else(|| WireError::type_mismatch(&Type::Number))?;
                text.parse().map_err(|_| WireError::type_mismatch(&Type::Number))?
            }
        };
        Ok(number)
    }

    fn text(&mut self, marker: Marker) -> Result<Option<&'a str>, WireError> {
        let length = match marker {
            Marker::FixStr(length) => length.into(),
            Marker::Str8 => u8::from_be_bytes(self.array()?).into(),
            Marker::Str16 => u16::from_be_bytes(self.array()?).into(),
            Marker::Str32 => self.length32()?,
            _ => return Ok(None),
        };
        let text = std::str::from_utf8(self.take(length)?).map_err(|_| WireError::new("text that is not UTF-8"))?;
        Ok(Some(text))
    }

    fn binary(&mut self, marker: Marker) -> Result<Option<&'a [u8]>, WireError> {
        let length = match marker {
            Marker::Bin8 => u8::from_be_bytes(self.array()?).into(),
            Marker::Bin16 => u16::from_be_bytes(self.array()?).into(),
            Marker::Bin32 => self.length32()?,
            // Encoders without the binary family write bytes as text.
            marker => return Ok(self.text(marker)?.map(str::as_bytes)),
        };
        self.take(length).map(Some)
    }

    fn array_length(&mut self, marker: Marker) -> Result<Option<usize>, WireError> {
        Ok(Some(match marker {
            Marker::FixArray(length) => length.into(),
            Marker::Array16 => u16::from_be_bytes(self.array()?).into(),
            Marker::Array32 => self.length32()?,
            _ => return Ok(None),
        }))
    }

    fn map_length(&mut self, marker: Marker) -> Result<Option<usize>, WireError> {
        Ok(Some(match marker {
            Marker::FixMap(length) => length.into(),
            Marker::Map16 => u16::from_be_bytes(self.array()?).into(),
            Marker::Map32 => self.length32()?,
            _ => return Ok(None),
        }))
    }

    /// How many bytes an extension value takes after its marker, its type byte included.
    fn extension_length(&mut self, marker: Marker) -> Result<Option<usize>, WireError> {
        let data = match marker {
            Marker::FixExt1 => 1,
            Marker::FixExt2 => 2,
            Marker::FixExt4 => 4,
            Marker::FixExt8 => 8,
            Marker::FixExt16 => 16,
            Marker::Ext8 => u8::from_be_bytes(self.array()?).into(),
            Marker::Ext16 => u16::from_be_bytes(self.array()?).into(),
            Marker::Ext32 => self.length32()?,
            _ => return Ok(None),
        };
        Ok(Some(data + 1))
    }

    fn length32(&mut self) -> Result<usize, WireError> {
        usize::try_from(u32::from_be_bytes(self.array()?)).map_err(|_| truncated())
    }

    fn marker(&mut self) -> Result<Marker, WireError> {
        let [byte] = self.array()?;
        Ok(Marker::from_u8(byte))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (head, rest) = self.rest.split_first_chunk().ok_or_else(truncated)?;
        self.rest = rest;
        Ok(*head)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], WireError> {
        let (head, rest) = self.rest.split_at_checked(length).ok_or_else(truncated)?;
        self.rest = rest;
        Ok(head)
    }
}

fn finite(value: f64) -> Result<Number, WireError> {
    Number::from_f64(value).ok_or_else(|| WireError::new("a number that is not finite"))
}

fn truncated() -> WireError {
    WireError::new("a value that is cut short")
}

fn write(out: &mut Vec<u8>, value: &Value, ty: &Type) -> Result<(), WireError> {
    match (ty, value) {
        (_, Value::Null) => out.push(NULL),
        // The unknown value without refinements: an extension of one byte, type 0.
        (_, Value::Unknown) => out.extend([Marker::FixExt1.to_u8(), 0, 0]),
        (Type::Bool, Value::Bool(value)) => infallible(rmp::encode::write_bool(out, *value))?,
        (Type::Number, Value::Number(number)) => match number.to_i64() {
            Some(integer) => infallible(rmp::encode::write_sint(out, integer).map(|_| ()))?,
            None => infallible(rmp::encode::write_str(out, number.as_str()))?,
        },
        (Type::String, Value::String(text)) => {
            debug_assert!(is_nfc(text), "text that was not normalized");
            infallible(rmp::encode::write_str(out, text))?;
        }
        (Type::List(element) | Type::Set(element), Value::Sequence(elements)) => {
            write_elements(out, elements, |_| element)?;
        }
        (Type::Tuple(types), Value::Sequence(elements)) if types.len() == elements.len() => {
            write_elements(out, elements, |index| &types[index])?;
        }
        (Type::Map(element), Value::Mapping(entries)) => {
            write_entries(out, entries, |_| Some(element))?;
        }
        (Type::Object(types), Value::Mapping(entries)) if types.len() == entries.len() => {
            write_entries(out, entries, |name| types.get(name))?;
        }
        (Type::Dynamic, Value::Dynamic(inner)) => {
            let (ty, value) = inner.as_ref();
            infallible(rmp::encode::write_array_len(out, 2).map(|_| ()))?;
            infallible(rmp::encode::write_bin(out, &ty.to_json_bytes()))?;
            write(out, value, ty)?;
        }
        (expected, _) => return Err(WireError::type_mismatch(expected)),
    }
    Ok(())
}

fn write_elements<'t>(out: &mut Vec<u8>, elements: &[Value], ty: impl Fn(usize) -> &'t Type) -> Result<(), WireError> {
    infallible(rmp::encode::write_array_len(out, length32(elements.len())?).map(|_| ()))?;
    for (index, element) in elements.iter().enumerate() {
        write(out, element, ty(index)).map_err(|e| e.inside(&format!("[{index}]")))?;
    }
    Ok(())
}

fn write_entries<'t>(
    out: &mut Vec<u8>,
    entries: &Object,
    ty: impl Fn(&str) -> Option<&'t Type>,
) -> Result<(), WireError> {
    infallible(rmp::encode::write_map_len(out, length32(entries.len())?).map(|_| ()))?;
    for (name, value) in entries {
        let ty = ty(name).ok_or_else(|| WireError::new("an object with an unexpected attribute").inside(name))?;
        infallible(rmp::encode::write_str(out, name))?;
        write(out, value, ty).map_err(|e| e.inside(name))?;
    }
    Ok(())
}

fn length32(length: usize) -> Result<u32, WireError> {
    u32::try_from(length).map_err(|_| WireError::new("a collection that is too long"))
}

/// Writing to memory cannot fail; the signatures of `rmp` allow for writers that can.
fn infallible<E>(result: Result<(), E>) -> Result<(), WireError> {
    result.map_err(|_| WireError::new("a value that cannot be written"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty(type_json: &str) -> Type {
        Type::from_json_bytes(type_json.as_bytes()).unwrap()
    }

    fn number(text: &str) -> Value {
        Value::Number(text.parse().unwrap())
    }

    fn text(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    #[test]
    fn values_of_every_type_survive_a_round_trip() {
        let object = Object::from([("a".into(), text("x")), ("b".into(), Value::Null)]);
        for (type_json, value) in [
            (r#""bool""#, Value::Bool(true)),
            (r#""number""#, number("-1")),
            (r#""number""#, number("0.1")),
            (r#""number""#, number("18446744073709551616")),
            (r#""string""#, text("")),
            (r#""string""#, text(&"long ".repeat(100_000))),
            (r#""string""#, Value::Unknown),
            (r#"["list","string"]"#, Value::Sequence(vec![])),
            (
                r#"["set","string"]"#,
                Value::Sequence(vec![text("a"), Value::Unknown, Value::Null]),
            ),
            (
                r#"["tuple",["string","bool"]]"#,
                Value::Sequence(vec![text("a"), Value::Bool(false)]),
            ),
            (
                r#"["map","number"]"#,
                Value::Mapping([("k".into(), number("7"))].into()),
            ),
            (r#"["object",{"a":"string","b":"number"}]"#, Value::Mapping(object)),
            (
                r#""dynamic""#,
                Value::Dynamic(Box::new((
                    ty(r#"["list","bool"]"#),
                    Value::Sequence(vec![Value::Bool(true)]),
                ))),
            ),
            (r#""dynamic""#, Value::Unknown),
        ] {
            let ty = ty(type_json);
            let bytes = encode(&value, &ty).unwrap();
            assert!(decode(&bytes, &ty).unwrap() == value, "{type_json}");
        }
    }

    #[test]
    fn numbers_are_read_from_integers_floats_and_text() {
        let n = Type::Number;
        assert_eq!(decode(&[0x7f], &n).unwrap(), number("127"));
        assert_eq!(decode(&[0xff], &n).unwrap(), number("-1"));
        assert_eq!(
            decode(&[0xcf, 255, 255, 255, 255, 255, 255, 255, 255], &n).unwrap(),
            number("18446744073709551615")
        );
        assert_eq!(decode(b"\xa30.1", &n).unwrap(), number("0.1"));
        let float = [&[0xcb][..], &0.25_f64.to_be_bytes()].concat();
        assert_eq!(decode(&float, &n).unwrap(), number("0.25"));
        let infinite = [&[0xcb][..], &f64::INFINITY.to_be_bytes()].concat();
        assert!(decode(&infinite, &n).is_err());
        assert!(decode(b"\xa3abc", &n).is_err());
    }

    #[test]
    fn a_fraction_is_written_as_text_and_never_as_a_float() {
        assert_eq!(encode(&number("0.1"), &Type::Number).unwrap(), b"\xa30.1");
        assert_eq!(encode(&number("4.0"), &Type::Number).unwrap(), [4]);
    }

    #[test]
    fn an_unknown_is_read_with_or_without_refinements_and_written_without() {
        let refined = [0xc7, 3, 12, 0x81, 1, 0xc2];
        assert_eq!(decode(&refined, &Type::String).unwrap(), Value::Unknown);
        assert_eq!(decode(&[0xd4, 0, 0], &Type::Number).unwrap(), Value::Unknown);
        assert_eq!(encode(&Value::Unknown, &Type::String).unwrap(), [0xd4, 0, 0]);
    }

    #[test]
    fn unknown_elements_stay_as_many_as_they_are_in_every_collection() {
        let elements = Value::Sequence(vec![Value::Unknown, Value::Unknown, text("a"), Value::Unknown]);
        let named = |names: [&'static str; 3]| names.map(|name| (name.into(), Value::Unknown));
        for (type_json, value) in [
            (r#"["set","string"]"#, elements.clone()),
            (r#"["list","string"]"#, elements.clone()),
            (r#"["tuple",["string","bool","string","number"]]"#, elements),
            (r#"["map","string"]"#, Value::Mapping(named(["a", "b", "c"]).into())),
            (
                r#"["object",{"a":"string","b":"string","c":"bool"}]"#,
                Value::Mapping(named(["a", "b", "c"]).into()),
            ),
        ] {
            let ty = ty(type_json);
            let bytes = encode(&value, &ty).unwrap();
            assert!(decode(&bytes, &ty).unwrap() == value, "{type_json}");
        }
    }

    #[test]
    fn no_bytes_are_null() {
        assert_eq!(decode(&[], &Type::String).unwrap(), Value::Null);
        assert_eq!(decode(&[0xc0], &Type::String).unwrap(), Value::Null);
    }

    #[test]
    fn objects_must_be_complete_and_hold_nothing_else() {
        let object = ty(r#"["object",{"a":"string","b":"string"}]"#);
        assert!(decode(b"\x81\xa1a\xa1x", &object).is_err());
        assert!(decode(b"\x82\xa1a\xa1x\xa1c\xa1x", &object).is_err());
        assert!(decode(b"\x82\xa1a\xa1x\xa1a\xa1x", &object).is_err());
        let short = Value::Mapping(Object::from([("a".into(), text("x"))]));
        assert!(encode(&short, &object).is_err());
    }

    #[test]
    fn text_is_brought_to_nfc_when_it_is_read() {
        assert_eq!(decode(b"\xa3e\xcc\x81", &Type::String).unwrap(), text("\u{e9}"));
        assert_eq!(encode(&text("\u{e9}"), &Type::String).unwrap(), b"\xa2\xc3\xa9");
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "text that was not normalized")]
    fn text_that_was_not_normalized_is_found_out_when_it_is_written() {
        let _ = encode(&text("e\u{301}"), &Type::String);
    }

    #[test]
    fn lengths_that_promise_more_than_there_is_are_refused_without_reserving_it() {
        let list = ty(r#"["list","string"]"#);
        assert!(decode(&[0xdd, 0xff, 0xff, 0xff, 0xff], &list).is_err());
        assert!(decode(&[0xdb, 0xff, 0xff, 0xff, 0xff], &Type::String).is_err());
        assert!(decode(&[0xc9, 0xff, 0xff, 0xff, 0xff, 0], &Type::String).is_err());
        assert!(decode(&[0xdf, 0xff, 0xff, 0xff, 0xff], &ty(r#"["map","string"]"#)).is_err());
    }

    #[test]
    fn dynamic_values_inside_each_other_are_refused_before_the_stack_runs_out() {
        let nested = |levels: usize| [b"\x92\xc4\x09\"dynamic\"".repeat(levels), vec![0xc0]].concat();
        assert!(decode(&nested(MAX_DEPTH - 1), &Type::Dynamic).is_ok());
        assert!(decode(&nested(MAX_DEPTH), &Type::Dynamic).is_err());
        assert!(decode(&nested(1_000_000), &Type::Dynamic).is_err());
    }

    #[test]
    fn an_error_says_where_and_not_what() {
        let object = ty(r#"["object",{"a":["list","string"]}]"#);
        let error = decode(b"\x81\xa1a\x92\xa5whsec\x07", &object).unwrap_err();
        assert_eq!(error.to_string(), "not a value of type string at a[1]");
        assert_eq!(
            decode(b"\xa1x\xa1y", &Type::String).unwrap_err().to_string(),
            "more bytes than one value"
        );
    }
}
