//! Values in both encodings along arbitrary types, and the JSON form of types.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use terraform_provider_heygen::terraform::wire::{decode_json, decode_msgpack, encode_msgpack};
use terraform_provider_heygen::terraform::{Name, Number, Type, Value, normalized};

use super::{cases, corpus, spoiled, spoils};

/// No input of these sizes has reason to take longer, on whatever machine.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn types() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![
        Just(Type::Bool),
        Just(Type::Number),
        Just(Type::String),
        Just(Type::Dynamic)
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|ty| Type::List(Box::new(ty))),
            inner.clone().prop_map(|ty| Type::Set(Box::new(ty))),
            inner.clone().prop_map(|ty| Type::Map(Box::new(ty))),
            vec(inner.clone(), 0..4).prop_map(Type::Tuple),
            btree_map("[a-z_]{1,8}".prop_map(Name::from), inner, 0..4).prop_map(Type::Object),
        ]
    })
}

fn numbers() -> impl Strategy<Value = Number> {
    let texts = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<u64>().prop_map(|number| number.to_string()),
        "-?[0-9]{1,40}(\\.[0-9]{1,40})?([eE]-?[0-9]{1,3})?",
    ];
    prop_oneof![
        texts.prop_map(|text| text.parse().expect("a number")),
        any::<f64>().prop_filter_map("infinite", Number::from_f64),
    ]
}

/// Values of a type. `unknown`: whether something may be unknown, which JSON cannot say.
pub(super) fn values(ty: &Type, unknown: bool) -> BoxedStrategy<Value> {
    inside(ty, unknown, 3)
}

/// `open`: how many dynamic values may still be inside each other.
fn inside(ty: &Type, unknown: bool, open: u32) -> BoxedStrategy<Value> {
    let known = match ty {
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::Number => numbers().prop_map(Value::Number).boxed(),
        Type::String => any::<String>()
            .prop_map(|text| Value::String(normalized(&text)))
            .boxed(),
        Type::List(element) | Type::Set(element) => {
            let element = inside(element, unknown, open);
            vec(element, 0..5).prop_map(Value::Sequence).boxed()
        }
        Type::Map(element) => {
            let key = any::<String>().prop_map(|key| Name::from(normalized(&key)));
            let entries = btree_map(key, inside(element, unknown, open), 0..5);
            entries.prop_map(Value::Mapping).boxed()
        }
        Type::Tuple(types) => {
            let elements: Vec<_> = types.iter().map(|ty| inside(ty, unknown, open)).collect();
            elements.prop_map(Value::Sequence).boxed()
        }
        Type::Object(types) => {
            let names: Vec<_> = types.keys().cloned().collect();
            let attributes: Vec<_> = types.values().map(|ty| inside(ty, unknown, open)).collect();
            attributes
                .prop_map(move |values| Value::Mapping(names.iter().cloned().zip(values).collect()))
                .boxed()
        }
        Type::Dynamic if open == 0 => Just(Value::Null).boxed(),
        Type::Dynamic => types()
            .prop_flat_map(move |ty| inside(&ty, unknown, open - 1).prop_map(move |value| (ty.clone(), value)))
            .prop_map(|pair| Value::Dynamic(Box::new(pair)))
            .boxed(),
    };
    let unknowns = u32::from(unknown);
    prop_oneof![8 => known, 1 => Just(Value::Null), unknowns => Just(Value::Unknown)].boxed()
}

pub(super) fn typed(unknown: bool) -> impl Strategy<Value = (Type, Value)> {
    types().prop_flat_map(move |ty| values(&ty, unknown).prop_map(move |value| (ty.clone(), value)))
}

/// A value as Terraform writes it into state.
pub(super) fn stored(value: &Value, ty: &Type) -> Json {
    let all = |values: &[Value], ty: &dyn Fn(usize) -> Type| {
        let values = values.iter().enumerate();
        values.map(|(at, value)| stored(value, &ty(at))).collect()
    };
    match (value, ty) {
        (Value::Null, _) => Json::Null,
        (Value::Bool(flag), _) => Json::Bool(*flag),
        (Value::Number(number), _) => match number.to_i64() {
            Some(number) => json!(number),
            None => json!(number.as_str()),
        },
        (Value::String(text), _) => json!(text),
        (Value::Sequence(values), Type::Tuple(types)) => all(values, &|at| types[at].clone()),
        (Value::Sequence(values), Type::List(ty) | Type::Set(ty)) => all(values, &|_| Type::clone(ty)),
        (Value::Mapping(entries), Type::Map(ty)) => entries
            .iter()
            .map(|(key, value)| (key.clone(), stored(value, ty)))
            .collect(),
        (Value::Mapping(entries), Type::Object(types)) => entries
            .iter()
            .map(|(key, value)| (key.clone(), stored(value, &types[key])))
            .collect(),
        (Value::Dynamic(inner), _) => json!({"value": stored(&inner.1, &inner.0), "type": inner.0.to_json()}),
        (value, ty) => panic!("{value:?} is not of type {ty:?}, or not known"),
    }
}

/// Arbitrary bytes, half of them behind a header that makes something of them.
fn arbitrary() -> impl Strategy<Value = Vec<u8>> {
    let header = proptest::sample::select(
        b"\xdc\xdd\xde\xdf\xd9\xda\xdb\xc4\xc5\xc6\xc7\xc8\xc9\xca\xcb\x92\x82[{\"".as_slice(),
    );
    (proptest::option::of(header), vec(any::<u8>(), 0..512))
        .prop_map(|(header, rest)| header.into_iter().chain(rest).collect())
}

/// How many values a value is made of.
fn size(value: &Value) -> usize {
    1 + match value {
        Value::Sequence(values) => values.iter().map(size).sum(),
        Value::Mapping(entries) => entries.values().map(size).sum(),
        Value::Dynamic(inner) => size(&inner.1),
        _ => 0,
    }
}

/// What holds for any bytes along any type: an end in time, an error or a value that is not larger than the bytes and
/// that survives the way back to the host.
fn decoded_safely(bytes: &[u8], ty: &Type) {
    let began = Instant::now();
    let limit = bytes.len().max(1);
    if let Ok(value) = decode_msgpack(bytes, ty) {
        assert!(size(&value) <= limit, "{} values in {limit} bytes", size(&value));
        comes_back(&value, ty);
    }
    if let Ok(value) = decode_json(bytes, ty) {
        // An attribute that is missing in JSON is null, which is as large as the type at most.
        assert!(
            size(&value) <= limit * 2 + size_of_nulls(ty),
            "{} in {limit}",
            size(&value)
        );
        comes_back(&value, ty);
    }
    if let Ok(ty) = Type::from_json_bytes(bytes) {
        assert_eq!(Type::from_json_bytes(&ty.to_json_bytes()), Ok(ty));
    }
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
}

fn comes_back(value: &Value, ty: &Type) {
    let encoded = encode_msgpack(value, ty).expect("what was decoded can be encoded");
    let again = decode_msgpack(&encoded, ty).expect("what was encoded can be decoded");
    assert!(again == *value, "{value:?} came back as {again:?}");
}

fn size_of_nulls(ty: &Type) -> usize {
    // Every object of the input may lack all its attributes; the types made here have few.
    match ty {
        Type::Object(types) => 1 + types.values().map(size_of_nulls).sum::<usize>(),
        Type::Tuple(types) => 1 + types.iter().map(size_of_nulls).sum::<usize>(),
        Type::List(ty) | Type::Set(ty) | Type::Map(ty) => 64 * size_of_nulls(ty),
        _ => 1,
    }
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn msgpack_survives_the_way_there_and_back((ty, value) in typed(true)) {
        comes_back(&value, &ty);
    }

    #[test]
    fn stored_json_is_read_as_it_was_written((ty, value) in typed(false)) {
        let json = stored(&value, &ty).to_string();
        let read = decode_json(json.as_bytes(), &ty).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert!(read == value, "{value:?} was read as {read:?}");
    }

    #[test]
    fn the_json_form_of_a_type_survives_the_way_there_and_back(ty in types()) {
        prop_assert_eq!(Type::from_json_bytes(&ty.to_json_bytes()), Ok(ty));
    }
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn arbitrary_bytes_are_a_value_or_an_error(bytes in arbitrary(), ty in types()) {
        decoded_safely(&bytes, &ty);
    }

    #[test]
    fn spoiled_msgpack_is_a_value_or_an_error((ty, value) in typed(true), spoils in spoils()) {
        decoded_safely(&spoiled(encode_msgpack(&value, &ty).unwrap(), &spoils), &ty);
    }

    #[test]
    fn spoiled_json_is_a_value_or_an_error((ty, value) in typed(false), spoils in spoils()) {
        decoded_safely(&spoiled(stored(&value, &ty).to_string().into_bytes(), &spoils), &ty);
    }

    #[test]
    fn a_spoiled_json_form_is_a_type_or_an_error(ty in types(), spoils in spoils()) {
        decoded_safely(&spoiled(ty.to_json_bytes(), &spoils), &Type::Dynamic);
    }

    #[test]
    fn bytes_of_one_type_along_another_are_a_value_or_an_error((ty, value) in typed(true), other in types()) {
        decoded_safely(&encode_msgpack(&value, &ty).unwrap(), &other);
    }
}

#[test]
fn the_corpus_is_a_value_or_an_error_along_every_type() {
    let simple = [Type::Bool, Type::Number, Type::String, Type::Dynamic];
    let mut all = simple.to_vec();
    for ty in &simple {
        all.extend([
            Type::List(Box::new(ty.clone())),
            Type::Map(Box::new(ty.clone())),
            Type::Tuple(vec![ty.clone(), Type::Dynamic]),
            Type::Object(BTreeMap::from([("a".into(), ty.clone())])),
        ]);
    }
    for (name, bytes) in corpus() {
        for ty in &all {
            let caught = std::panic::catch_unwind(|| decoded_safely(&bytes, ty));
            assert!(caught.is_ok(), "{name} along {}", ty.to_json());
        }
    }
}

/// `levels` dynamic values, one inside the other.
fn nested_dynamic(levels: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..levels {
        bytes.extend(b"\x92\xc4\x09\"dynamic\"");
    }
    bytes.push(0xc0);
    bytes
}

#[test]
fn what_is_nested_deep_is_refused_and_overflows_nothing() {
    // On a stack as small as any task's of the program.
    let small = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    let tried = small.spawn(|| {
        assert!(decode_msgpack(&nested_dynamic(127), &Type::Dynamic).is_ok());
        assert!(decode_msgpack(&nested_dynamic(128), &Type::Dynamic).is_err());
        assert!(decode_msgpack(&nested_dynamic(200_000), &Type::Dynamic).is_err());
        let list = |levels: usize| format!("{}{}", "[\"list\",".repeat(levels), "\"string\"") + &"]".repeat(levels);
        let deepest = Type::from_json_bytes(list(64).as_bytes()).expect("64 levels are allowed");
        assert!(Type::from_json_bytes(list(65).as_bytes()).is_err());
        for levels in [63, 64, 65, 200_000] {
            let mut bytes = vec![0x91; levels];
            bytes.push(0xc0);
            assert_eq!(decode_msgpack(&bytes, &deepest).is_ok(), levels <= 64);
            let json = "[".repeat(levels) + "null" + &"]".repeat(levels);
            assert_eq!(decode_json(json.as_bytes(), &deepest).is_ok(), levels <= 64);
        }
        // Every level of the deepest type in every one of many dynamic values.
        let open = list(63).replace("\"string\"", "\"dynamic\"");
        let nested = |dynamic: usize| {
            let mut bytes = Vec::new();
            for _ in 0..dynamic {
                bytes.extend([0x92, 0xc5]);
                bytes.extend(u16::try_from(open.len()).unwrap().to_be_bytes());
                bytes.extend(open.as_bytes());
                bytes.extend([0x91; 63]);
            }
            bytes.push(0xc0);
            bytes
        };
        let value = decode_msgpack(&nested(1), &Type::Dynamic).expect("within the bounds");
        comes_back(&value, &Type::Dynamic);
        for dynamic in [2, 16, 10_000] {
            assert!(decode_msgpack(&nested(dynamic), &Type::Dynamic).is_err());
        }
    });
    tried.unwrap().join().expect("no panic");
}

/// What is read from state has to be readable again when it is answered.
#[test]
fn whatever_json_nests_msgpack_can_carry() {
    let nested = |levels: usize| r#"{"type":"dynamic","value":"#.repeat(levels) + "null" + &"}".repeat(levels);
    let read = |levels| decode_json(nested(levels).as_bytes(), &Type::Dynamic);
    for levels in 1..=127 {
        comes_back(&read(levels).expect("within the bounds"), &Type::Dynamic);
    }
    for levels in [128, 1000, 200_000] {
        assert!(read(levels).is_err(), "{levels} levels");
    }
}

/// The process's `field` of `/proc/self/status`, in bytes.
#[cfg(target_os = "linux")]
fn memory(field: &str) -> usize {
    crate::support::process::memory(std::process::id(), field)
}

#[cfg(target_os = "linux")]
#[test]
fn memory_follows_what_is_there_and_not_what_is_declared() {
    let element = || Box::new(Type::String);
    let wide = Type::Tuple(vec![Type::String; 3]);
    let before = memory("VmPeak");
    for header in [0xdd_u8, 0xdf, 0xdb, 0xc6, 0xc9] {
        for following in [0, 1, 1000] {
            let mut bytes = vec![header, 0xff, 0xff, 0xff, 0xff];
            bytes.extend(vec![0xa0; following]);
            for ty in [
                Type::List(element()),
                Type::Map(element()),
                Type::String,
                Type::Dynamic,
                wide.clone(),
            ] {
                assert!(decode_msgpack(&bytes, &ty).is_err());
            }
        }
    }
    // Asked for and not used counts too, hence the address space: four billion elements would be over a hundred GiB.
    let grown = memory("VmPeak") - before;
    assert!(grown < 4 << 30, "grown by {grown} bytes for a few kilobytes of input");
}

#[cfg(target_os = "linux")]
#[test]
fn a_large_value_takes_a_small_multiple_of_its_bytes() {
    const ELEMENTS: u32 = 4_000_000;
    let mut bytes = vec![0xdd];
    bytes.extend(ELEMENTS.to_be_bytes());
    bytes.resize(bytes.len() + ELEMENTS as usize, 0xc0);
    let before = memory("VmHWM");
    let value = decode_msgpack(&bytes, &Type::List(Box::new(Type::String))).unwrap();
    let grown = memory("VmHWM").saturating_sub(before);
    assert_eq!(size(&value), ELEMENTS as usize + 1);
    // A null takes one byte there and a whole `Value` here; a vector that grows holds its elements up to three times.
    let most = 4 * bytes.len() * size_of::<Value>();
    assert!(grown < most, "{grown} bytes for {} of input", bytes.len());
}
