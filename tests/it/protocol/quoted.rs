//! What messages quote of configuration, state and HeyGen's list: nothing secret, whole or in part, and no more than the
//! beginning.

use serde_json::json;
use terraform_provider_heygen::terraform::wire::encode_msgpack;
use terraform_provider_heygen::terraform::{Object, Type, Value as WireValue, proto};

use super::{ADDRESS, URL, applied, config, with_account};
use crate::core::{Config, Diagnostic, ImportTarget, PlanSet, State, Value};
use crate::fake_heygen::{FakeHeygen, NewEndpoint, Oddity};
use crate::support::in_process;

/// Texts that hold something secret and can be no id.
fn secrets(heygen: &FakeHeygen) -> [String; 5] {
    let key = heygen.api_key();
    [
        "whsec_hunter22/x".to_owned(),
        "https://jane:hunter22@h.example/".to_owned(),
        "whsec_hunter22/https://jane:hunter22@h/".to_owned(),
        format!("{key}/x"),
        // Cut short in the middle of the key.
        format!("/{}{key}", "x".repeat(57)),
    ]
}

/// Fails unless something was said, and none of it has more of a secret than a text has by chance.
#[track_caller]
fn expect_no_secret(said: &[Diagnostic], heygen: &FakeHeygen) {
    assert!(!said.is_empty());
    for message in said {
        let shown = &message.detail;
        assert!(!shown.contains("hunter") && !shown.contains("jane"), "{shown}");
        assert!(!shown.contains(&heygen.api_key()[..4]), "{shown}");
        assert!(shown.len() < 1000, "{shown}");
    }
}

/// The same state with this id.
fn with_id(state: &State, id: &str) -> State {
    let mut state = state.clone();
    let instance = state.get_mut(ADDRESS).unwrap();
    let Value::Object(attributes) = &mut instance.value else {
        panic!("an object")
    };
    attributes.insert("id".to_owned(), id.into());
    instance.identity = None;
    state
}

fn said_by(plan: &PlanSet) -> &[Diagnostic] {
    plan.report.about(ADDRESS)
}

#[tokio::test]
async fn no_secret_that_stands_for_an_event_type_or_an_id_is_shown() {
    let (core, heygen) = with_account().await;
    let mut state = State::new();
    applied(&core, &mut state, &config([])).await;
    for secret in secrets(&heygen) {
        let events = config([("events", Value::set([secret.as_str().into()]))]);
        expect_no_secret(core.validate(&events).await.about(ADDRESS), &heygen);
        expect_no_secret(said_by(&core.plan(&state, &events).await), &heygen);

        let broken = with_id(&state, &secret);
        expect_no_secret(core.refresh(&mut broken.clone()).await.about(ADDRESS), &heygen);
        let rotated = config([("rotate_trigger", "1".into())]);
        expect_no_secret(said_by(&core.plan_without_refresh(&broken, &rotated).await), &heygen);
        let plan = core.plan_without_refresh(&broken, &Config::new()).await;
        let destroyed = core.apply(&mut broken.clone(), plan, &Config::new()).await;
        expect_no_secret(destroyed.about(ADDRESS), &heygen);

        let imported = core
            .import(&mut State::new(), ADDRESS, &ImportTarget::Id(secret.clone()))
            .await;
        expect_no_secret(imported.about(ADDRESS), &heygen);
    }
}

#[tokio::test]
async fn an_id_is_cut_short_and_shows_no_secret_in_reads_and_plans() {
    let (core, heygen) = with_account().await;
    let mut state = State::new();
    applied(&core, &mut state, &config([])).await;
    let made = super::id_in(&state);
    heygen.disable_endpoint(&made);
    let key = heygen.api_key();
    for (id, shown) in [
        ("é".repeat(255), format!("{}…", "é".repeat(64))),
        ("whsec_hunter22".to_owned(), "[redacted]".to_owned()),
        (key.to_owned(), "[redacted]".to_owned()),
        (
            format!("{}{key}", "x".repeat(58)),
            format!("{}[redacted]…", "x".repeat(58)),
        ),
    ] {
        heygen.make_odd(&made, Some(Oddity::with("endpoint_id", json!(id))));
        let odd = with_id(&state, &id);
        let rotated = config([("rotate_trigger", "1".into())]);
        // What is known of the list would be from before.
        core.configure(&super::settings(&heygen)).await;
        let plan = core.plan(&odd, &rotated).await;
        let details: Vec<_> = said_by(&plan).iter().map(|it| it.detail.as_str()).collect();
        assert_eq!(details.len(), 2, "{details:?}");
        let disabled = format!("HeyGen has disabled {shown} and delivers nothing to it.");
        let rotation = format!("Applying this rotates the secret of {shown}, and the old one");
        assert!(details[0].starts_with(&disabled), "{details:?}");
        assert!(details[1].starts_with(&rotation), "{details:?}");
        expect_no_secret(said_by(&plan), &heygen);
    }
}

#[tokio::test]
async fn no_data_source_shows_a_secret_that_stands_for_an_id() {
    let heygen = FakeHeygen::start();
    let new = NewEndpoint {
        url: URL.to_owned(),
        ..NewEndpoint::default()
    };
    heygen.put_endpoint(new);
    let mut client = in_process::provider(in_process::environment(&heygen));
    let configured = client
        .configure_provider(proto::configure_provider::Request::default())
        .await;
    assert_eq!(configured.unwrap().into_inner().diagnostics, []);
    for secret in secrets(&heygen) {
        let read = proto::read_data_source::Request {
            type_name: "heygen_webhook_endpoint".to_owned(),
            config: Some(lookup(&secret)),
            ..Default::default()
        };
        let validated = proto::validate_data_resource_config::Request {
            type_name: "heygen_webhook_endpoint".to_owned(),
            config: Some(lookup(&secret)),
        };
        for said in [
            client.read_data_source(read).await.unwrap().into_inner().diagnostics,
            client
                .validate_data_resource_config(validated)
                .await
                .unwrap()
                .into_inner()
                .diagnostics,
        ] {
            assert_eq!(said.len(), 1);
            let shown = &said[0].detail;
            assert!(
                shown.starts_with("HeyGen cannot have an endpoint of the id \""),
                "{shown}"
            );
            assert!(!shown.contains("hunter") && !shown.contains("jane"), "{shown}");
            assert!(!shown.contains(&heygen.api_key()[..4]), "{shown}");
        }
    }
}

/// A configuration of the data source with this id.
fn lookup(id: &str) -> proto::DynamicValue {
    let ty = Type::Object(
        [
            ("id", Type::String),
            ("url", Type::String),
            ("events", Type::set(Type::String)),
            ("status", Type::String),
            ("created_at", Type::String),
        ]
        .map(|(name, ty)| (name.into(), ty))
        .into(),
    );
    let mut object: Object = ["url", "events", "status", "created_at"]
        .map(|name| (name.into(), WireValue::Null))
        .into();
    object.insert("id".into(), WireValue::String(id.to_owned()));
    proto::DynamicValue {
        msgpack: encode_msgpack(&WireValue::Mapping(object), &ty).unwrap(),
        json: Vec::new(),
    }
}
