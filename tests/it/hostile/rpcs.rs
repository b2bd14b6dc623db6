//! Every RPC of the service, asked with values, names, private data and identities that are arbitrary or spoiled. The
//! answer is always an answer: no status, no crash, and a problem where there is one.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::body::Bytes;
use futures_util::FutureExt;
use proptest::collection::vec;
use proptest::prelude::*;
use terraform_provider_heygen::provider::Environment;
use terraform_provider_heygen::terraform::proto::{self, DynamicValue, provider_client::ProviderClient};
use terraform_provider_heygen::terraform::wire::{decode_json, decode_msgpack, encode_msgpack};
use terraform_provider_heygen::terraform::{Type, Value};
use tonic::transport::Channel;

use super::values::{stored, typed, values};
use super::{Canned, RUNTIME, Spoil, cases, corpus, serve, served, spoiled, spoils};

/// No call of these has reason to take longer, on whatever machine.
const PATIENCE: Duration = Duration::from_mins(1);
const RESOURCE: &str = "heygen_webhook_endpoint";
const PROTOCOL: &str = include_str!("../../../proto/tfplugin6.proto");

/// What requests are put together from.
#[derive(Clone, Debug)]
struct Material {
    name: String,
    text: String,
    number: i64,
    /// Of the resource's type, as far as they are good.
    values: [Option<DynamicValue>; 3],
    /// Of the provider's.
    configuration: Option<DynamicValue>,
    /// Of each data source's, in their order.
    questions: Vec<Option<DynamicValue>>,
    /// Of the list resource's.
    filters: Option<DynamicValue>,
    stored: Vec<u8>,
    private: Vec<u8>,
    identity: Option<DynamicValue>,
}

fn materials(types: &Types) -> impl Strategy<Value = Material> + use<> {
    let name = prop_oneof![8 => Just(RESOURCE.to_owned()), 1 => any::<String>()];
    let text = prop_oneof![any::<String>(), "[a-z0-9_]{1,300}"];
    let private = prop_oneof![
        2 => Just(Vec::new()),
        1 => Just(br#"{"all_events":["a"]}"#.to_vec()),
        2 => vec(any::<u8>(), 0..64),
        1 => Just(b"{\"all_events\":[".repeat(1000)),
    ];
    let value = || messages(&types.resource);
    let stored_value = (values(&types.resource, false), spoils());
    let resource = types.resource.clone();
    let stored = stored_value.prop_map(move |(value, spoils)| {
        let json = stored(&value, &resource).to_string();
        spoiled(json.into_bytes(), &spoils)
    });
    (
        (name, text, any::<i64>()),
        [value(), value(), value()],
        messages(&types.provider),
        types
            .data_sources
            .iter()
            .map(|(_, ty)| messages(ty))
            .collect::<Vec<_>>(),
        messages(&types.list),
        stored,
        private,
        messages(&types.identity),
    )
        .prop_map(
            |(said, values, configuration, questions, filters, stored, private, identity)| Material {
                name: said.0,
                text: said.1,
                number: said.2,
                values,
                configuration,
                questions,
                filters,
                stored,
                private,
                identity,
            },
        )
}

/// Values of a type, good, spoiled, and not values at all.
fn messages(ty: &Type) -> impl Strategy<Value = Option<DynamicValue>> + use<> {
    let msgpack = |msgpack| DynamicValue {
        msgpack,
        json: Vec::new(),
    };
    let json = |json| DynamicValue {
        msgpack: Vec::new(),
        json,
    };
    let of_type = || values(ty, true);
    let (good, spoilt, in_json) = (ty.clone(), ty.clone(), ty.clone());
    let encoded = |value: &Value, ty: &Type| encode_msgpack(value, ty).expect("a value of the type");
    prop_oneof![
        4 => of_type().prop_map(move |value| Some(msgpack(encoded(&value, &good)))),
        3 => (of_type(), spoils()).prop_map(move |(value, spoils): (_, Vec<Spoil>)| {
            Some(msgpack(spoiled(encoded(&value, &spoilt), &spoils)))
        }),
        1 => (values(ty, false), spoils()).prop_map(move |(value, spoils)| {
            Some(json(spoiled(stored(&value, &in_json).to_string().into_bytes(), &spoils)))
        }),
        1 => typed(true).prop_map(move |(ty, value)| Some(msgpack(encoded(&value, &ty)))),
        1 => vec(any::<u8>(), 0..64).prop_map(move |bytes| Some(msgpack(bytes))),
        1 => vec(any::<u8>(), 0..64).prop_map(move |bytes| Some(json(bytes))),
        1 => Just(None),
    ]
}

/// The types that the provider itself says its values have.
struct Types {
    resource: Type,
    /// By name.
    data_sources: Vec<(String, Type)>,
    list: Type,
    provider: Type,
    identity: Type,
}

impl Types {
    async fn of(client: &mut ProviderClient<Channel>) -> Self {
        let schemas = client.get_provider_schema(proto::get_provider_schema::Request {}).await;
        let mut schemas = schemas.unwrap().into_inner();
        let object = |schema: Option<proto::Schema>| {
            let attributes = schema.and_then(|schema| schema.block).unwrap().attributes.into_iter();
            Type::Object(
                attributes
                    .map(|attribute| (attribute.name.clone().into(), type_of(attribute)))
                    .collect(),
            )
        };
        let data_sources: BTreeMap<_, _> = schemas.data_source_schemas.into_iter().collect();
        assert_eq!(data_sources.len(), 4);
        Self {
            data_sources: data_sources
                .into_iter()
                .map(|(name, schema)| (name, object(Some(schema))))
                .collect(),
            list: object(schemas.list_resource_schemas.remove(RESOURCE)),
            resource: object(schemas.resource_schemas.remove(RESOURCE)),
            provider: object(schemas.provider),
            identity: Type::Object(BTreeMap::from([("id".into(), Type::String)])),
        }
    }
}

/// The type of an attribute's values, also where that follows from what is nested in it.
fn type_of(attribute: proto::schema::Attribute) -> Type {
    let Some(nested) = attribute.nested_type else {
        return Type::from_json_bytes(&attribute.r#type).unwrap();
    };
    assert_eq!(nested.nesting(), proto::schema::object::NestingMode::List);
    let members = nested.attributes.into_iter();
    let members = members.map(|member| (member.name.clone().into(), type_of(member)));
    Type::List(Box::new(Type::Object(members.collect())))
}

/// The provider twice: one is configured, once, for an API that refuses everything, and makes calls; the other one is
/// configured over and over and never calls, whatever address it comes upon.
struct Subjects {
    calling: ProviderClient<Channel>,
    configured: ProviderClient<Channel>,
    types: Types,
}

impl Subjects {
    fn new() -> Self {
        RUNTIME.block_on(async {
            let refusal = Canned {
                status: 400,
                body: Bytes::from_static(b"{\"error\":{\"code\":7}}"),
            };
            let api = serve(vec![refusal]);
            let mut calling = served(Environment {
                api_key: Some("key".into()),
                base_url: Some(format!("{api}/0").into()),
                max_retries: Some("0".into()),
                ..Environment::default()
            });
            let types = Types::of(&mut calling).await;
            let configure = proto::configure_provider::Request {
                terraform_version: "1.15.0".to_owned(),
                config: None,
                client_capabilities: None,
            };
            let answer = calling.configure_provider(configure).await.unwrap().into_inner();
            assert_eq!(answer.diagnostics, []);
            Self {
                calling,
                configured: served(Environment::default()),
                types,
            }
        })
    }
}

fn expect_no_crash(call: &str, diagnostics: &[proto::Diagnostic]) {
    for diagnostic in diagnostics {
        assert!(!diagnostic.summary.contains("crashed"), "{call}: {diagnostic:?}");
    }
}

/// What is in a message, where the host itself could read it as an object.
fn readable(message: Option<&DynamicValue>, ty: &Type) -> bool {
    let value = match message {
        None => return false,
        Some(message) if message.msgpack.is_empty() && !message.json.is_empty() => decode_json(&message.json, ty),
        Some(message) => decode_msgpack(&message.msgpack, ty),
    };
    matches!(value, Ok(Value::Mapping(_)))
}

/// Asks every RPC there is, and answers how many that were.
#[allow(clippy::too_many_lines, reason = "one line or two for each RPC of the protocol")]
async fn ask_everything(subjects: &Subjects, material: Material) -> usize {
    let mut client = subjects.calling.clone();
    let Material {
        name: type_name,
        text,
        number,
        values: [one, two, three],
        configuration,
        questions,
        filters,
        stored,
        private,
        identity,
    } = material;
    let identity = identity.map(|data| proto::ResourceIdentityData {
        identity_data: Some(data),
    });
    let raw = Some(proto::RawState {
        json: stored,
        flatmap: [(text.clone(), text.clone())].into(),
    });
    let mut asked = 0;
    // The answer to one call, which has to be one.
    macro_rules! ask {
        ($client:expr, $call:ident, $request:expr) => {{
            asked += 1;
            let answer = tokio::time::timeout(PATIENCE, $client.$call($request)).await;
            let answer = answer.unwrap_or_else(|_| panic!("{} hangs", stringify!($call)));
            answer
                .unwrap_or_else(|status| panic!("{}: {status}", stringify!($call)))
                .into_inner()
        }};
    }
    macro_rules! reports {
        ($client:expr, $call:ident, $module:ident { $($field:ident: $value:expr),* }) => {{
            #[allow(clippy::needless_update, reason = "some requests have no other field")]
            let request = proto::$module::Request { $($field: $value,)* ..Default::default() };
            let answer = ask!($client, $call, request);
            expect_no_crash(stringify!($call), &answer.diagnostics);
            answer
        }};
    }
    // About something this provider has not: there must be a problem.
    macro_rules! refused {
        ($call:ident, $module:ident { $($field:ident: $value:expr),* }) => {{
            let answer = reports!(client, $call, $module { $($field: $value),* });
            assert!(!answer.diagnostics.is_empty(), "{} is silent", stringify!($call));
            answer
        }};
    }
    reports!(client, get_metadata, get_metadata {});
    reports!(client, get_provider_schema, get_provider_schema {});
    reports!(client, get_resource_identity_schemas, get_resource_identity_schemas {});
    reports!(client, get_functions, get_functions {});

    reports!(
        client,
        validate_provider_config,
        validate_provider_config {
            config: configuration.clone()
        }
    );
    let mut configured = subjects.configured.clone();
    reports!(
        configured,
        configure_provider,
        configure_provider {
            terraform_version: text.clone(),
            config: configuration
        }
    );

    reports!(
        client,
        validate_resource_config,
        validate_resource_config {
            type_name: type_name.clone(),
            config: one.clone()
        }
    );
    reports!(
        client,
        upgrade_resource_state,
        upgrade_resource_state {
            type_name: type_name.clone(),
            version: number,
            raw_state: raw.clone()
        }
    );
    reports!(
        client,
        upgrade_resource_state,
        upgrade_resource_state {
            type_name: type_name.clone(),
            version: 0,
            raw_state: raw.clone()
        }
    );
    asked -= 1;
    reports!(
        client,
        upgrade_resource_identity,
        upgrade_resource_identity {
            type_name: type_name.clone(),
            version: number % 2,
            raw_identity: raw.clone()
        }
    );
    let read = reports!(
        client,
        read_resource,
        read_resource {
            type_name: type_name.clone(),
            current_state: one.clone(),
            private: private.clone(),
            current_identity: identity.clone(),
            provider_meta: three.clone()
        }
    );
    // Whatever goes wrong: a read that did not learn that an object is gone does not say so.
    let ty = &subjects.types.resource;
    if readable(one.as_ref(), ty) {
        assert!(readable(read.new_state.as_ref(), ty), "an object got lost in a read");
    }
    reports!(
        client,
        plan_resource_change,
        plan_resource_change {
            type_name: type_name.clone(),
            prior_state: one.clone(),
            proposed_new_state: two.clone(),
            config: three.clone(),
            prior_private: private.clone(),
            prior_identity: identity.clone(),
            planned_private: private.clone()
        }
    );
    let applied = reports!(
        client,
        apply_resource_change,
        apply_resource_change {
            type_name: type_name.clone(),
            prior_state: one.clone(),
            planned_state: two.clone(),
            config: three.clone(),
            planned_private: private.clone(),
            planned_identity: identity.clone()
        }
    );
    if readable(one.as_ref(), ty) {
        assert!(
            readable(applied.new_state.as_ref(), ty),
            "an object got lost in an apply"
        );
    }
    reports!(
        client,
        import_resource_state,
        import_resource_state {
            type_name: type_name.clone(),
            id: text.clone(),
            identity: identity
        }
    );

    refused!(
        move_resource_state,
        move_resource_state {
            source_type_name: text.clone(),
            source_state: raw,
            target_type_name: type_name.clone(),
            source_private: private
        }
    );
    let generated = reports!(
        client,
        generate_resource_config,
        generate_resource_config {
            type_name: type_name.clone(),
            state: one.clone()
        }
    );
    assert_ne!(generated.config.is_some(), !generated.diagnostics.is_empty());
    if type_name == RESOURCE && readable(one.as_ref(), ty) {
        assert!(readable(generated.config.as_ref(), ty), "an object has a configuration");
    }
    let sources = &subjects.types.data_sources;
    let chosen = usize::try_from(number.rem_euclid(5)).unwrap();
    let (source, question) = match sources.get(chosen) {
        Some((name, _)) => (name.clone(), questions[chosen].clone()),
        None => (text.clone(), one.clone()),
    };
    let validated = reports!(
        client,
        validate_data_resource_config,
        validate_data_resource_config {
            type_name: source.clone(),
            config: question.clone()
        }
    );
    assert!(chosen < sources.len() || !validated.diagnostics.is_empty());
    // What this API refuses is no answer, whatever the question.
    let read = refused!(
        read_data_source,
        read_data_source {
            type_name: source,
            config: question
        }
    );
    assert_eq!(read.state, None);
    refused!(
        validate_ephemeral_resource_config,
        validate_ephemeral_resource_config {
            type_name: type_name.clone(),
            config: one.clone()
        }
    );
    refused!(
        open_ephemeral_resource,
        open_ephemeral_resource {
            type_name: type_name.clone(),
            config: one.clone()
        }
    );
    refused!(
        renew_ephemeral_resource,
        renew_ephemeral_resource {
            type_name: type_name.clone()
        }
    );
    refused!(
        close_ephemeral_resource,
        close_ephemeral_resource {
            type_name: type_name.clone()
        }
    );
    let validated = reports!(
        client,
        validate_list_resource_config,
        validate_list_resource_config {
            type_name: type_name.clone(),
            config: filters.clone(),
            limit: two.clone()
        }
    );
    assert!(type_name == RESOURCE || !validated.diagnostics.is_empty());
    refused!(
        validate_state_store_config,
        validate_state_store {
            type_name: type_name.clone(),
            config: one.clone()
        }
    );
    refused!(
        configure_state_store,
        configure_state_store {
            type_name: type_name.clone(),
            config: one.clone()
        }
    );
    refused!(
        lock_state,
        lock_state {
            type_name: type_name.clone(),
            state_id: text.clone()
        }
    );
    refused!(
        unlock_state,
        unlock_state {
            type_name: type_name.clone(),
            lock_id: text.clone()
        }
    );
    refused!(
        get_states,
        get_states {
            type_name: type_name.clone()
        }
    );
    refused!(
        delete_state,
        delete_state {
            type_name: type_name.clone(),
            state_id: text.clone()
        }
    );
    refused!(
        plan_action,
        plan_action {
            action_type: text.clone(),
            config: one.clone()
        }
    );
    refused!(
        validate_action_config,
        validate_action_config {
            type_name: type_name.clone(),
            config: one.clone()
        }
    );

    let request = proto::call_function::Request {
        name: match number.rem_euclid(3) {
            0 => "webhook_signature".to_owned(),
            1 => "verify_webhook_signature".to_owned(),
            _ => text.clone(),
        },
        arguments: [one.clone(), two.clone(), three].into_iter().flatten().collect(),
    };
    let answer = ask!(client, call_function, request);
    assert_ne!(answer.error.is_some(), answer.result.is_some());

    let chunk = proto::write_state_bytes::RequestChunk {
        bytes: text.clone().into_bytes(),
        total_length: number,
        ..Default::default()
    };
    let chunks = tokio_stream::iter([chunk.clone(), chunk]);
    assert!(!ask!(client, write_state_bytes, chunks).diagnostics.is_empty());

    let request = proto::list_resource::Request {
        type_name: type_name.clone(),
        config: filters,
        limit: number,
        include_resource_object: true,
    };
    let mut events = ask!(client, list_resource, request);
    // What this API refuses is no list. To list nothing takes no call.
    match events.message().await.unwrap() {
        Some(event) => {
            expect_no_crash("list_resource", &event.diagnostic);
            assert!(!event.diagnostic.is_empty() && event.identity.is_none(), "{event:?}");
            assert!(events.message().await.unwrap().is_none());
        }
        None => assert!(number <= 0 && type_name == RESOURCE, "list_resource is silent"),
    }

    let request = proto::read_state_bytes::Request {
        type_name: type_name.clone(),
        state_id: text.clone(),
    };
    let mut parts = ask!(client, read_state_bytes, request);
    let part = parts.message().await.unwrap().expect("a part");
    assert!(!part.diagnostics.is_empty() && parts.message().await.unwrap().is_none());

    let request = proto::invoke_action::Request {
        action_type: text,
        config: two,
        ..Default::default()
    };
    let mut events = ask!(client, invoke_action, request);
    assert!(events.message().await.unwrap().is_some() && events.message().await.unwrap().is_none());

    ask!(client, stop_provider, proto::stop_provider::Request {});
    asked
}

/// How many RPCs the protocol has.
fn calls_of_the_protocol() -> usize {
    PROTOCOL.lines().filter(|line| line.trim().starts_with("rpc ")).count()
}

#[test]
fn every_rpc_answers_whatever_it_is_asked() {
    let subjects = Subjects::new();
    let material = materials(&subjects.types);
    proptest!(cases(192), |(material in material)| {
        let asked = RUNTIME.block_on(ask_everything(&subjects, material));
        prop_assert_eq!(asked, calls_of_the_protocol());
    });
}

#[test]
fn every_rpc_answers_the_corpus() {
    let subjects = Subjects::new();
    for (name, bytes) in corpus() {
        let msgpack = Some(DynamicValue {
            msgpack: bytes.clone(),
            json: Vec::new(),
        });
        let json = Some(DynamicValue {
            msgpack: Vec::new(),
            json: bytes.clone(),
        });
        let in_turn = [(msgpack.clone(), json.clone()), (json, msgpack)].into_iter().cycle();
        for (number, (one, two)) in (0..8).zip(in_turn) {
            let material = Material {
                name: RESOURCE.to_owned(),
                text: String::from_utf8_lossy(&bytes).into_owned(),
                number,
                values: [one.clone(), two, one.clone()],
                configuration: one.clone(),
                questions: vec![one.clone(); 4],
                filters: one.clone(),
                stored: bytes.clone(),
                private: bytes.clone(),
                identity: one,
            };
            let asked = RUNTIME.block_on(AssertUnwindSafe(ask_everything(&subjects, material)).catch_unwind());
            assert!(asked.is_ok(), "{name}");
        }
    }
}

#[test]
fn every_rpc_answers_values_nested_deep_and_large_ones() {
    let subjects = Subjects::new();
    let large = vec![0xc0; 8 << 20];
    for bytes in [
        b"\x92\xc4\x09\"dynamic\"".repeat(100_000),
        vec![0x91; 1 << 20],
        b"[".repeat(1 << 20),
        large,
    ] {
        let value = |msgpack: bool| {
            let (msgpack, json) = if msgpack {
                (bytes.clone(), Vec::new())
            } else {
                (Vec::new(), bytes.clone())
            };
            Some(DynamicValue { msgpack, json })
        };
        let material = Material {
            name: RESOURCE.to_owned(),
            text: "x".repeat(1 << 20),
            number: i64::MAX,
            values: [value(true), value(false), value(true)],
            configuration: value(false),
            questions: vec![value(true); 4],
            filters: value(true),
            stored: bytes.clone(),
            private: bytes.clone(),
            identity: value(true),
        };
        RUNTIME.block_on(ask_everything(&subjects, material));
    }
}
