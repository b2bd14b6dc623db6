//! Lists as a host asks for them: what each event has, what it costs, and what of HeyGen's list cannot be shown.

use futures_util::future::join;
use serde_json::json;
use terraform_provider_heygen::provider::Environment;
use terraform_provider_heygen::terraform::proto::{self, DynamicValue, provider_client::ProviderClient};
use terraform_provider_heygen::terraform::wire::{decode_msgpack, encode_msgpack};
use terraform_provider_heygen::terraform::{Object, Type, Value};
use tonic::transport::Channel;

use crate::fake_heygen::{BodyShape, Effect, FakeHeygen, Fault, NewEndpoint, Oddity, Route, Rule, Wait};
use crate::support::in_process;

const NAME: &str = "heygen_webhook_endpoint";

/// A provider that is configured for an account, and does not retry.
async fn with_account() -> (ProviderClient<Channel>, FakeHeygen) {
    let heygen = FakeHeygen::start();
    let mut client = in_process::provider(Environment {
        max_retries: Some("0".into()),
        ..in_process::environment(&heygen)
    });
    configure(&mut client).await;
    (client, heygen)
}

async fn configure(client: &mut ProviderClient<Channel>) {
    let request = proto::configure_provider::Request {
        terraform_version: "1.15.5".to_owned(),
        config: None,
        client_capabilities: None,
    };
    let configured = client.configure_provider(request).await.unwrap().into_inner();
    assert_eq!(configured.diagnostics, []);
}

fn filters() -> Type {
    Type::Object(
        ["event", "status", "url_prefix"]
            .map(|name| (name.into(), Type::String))
            .into(),
    )
}

/// A configuration with these filters, and the others null.
#[expect(clippy::unnecessary_wraps, reason = "as messages hold it")]
fn config(set: &[(&str, Value)]) -> Option<DynamicValue> {
    let null = ["event", "status", "url_prefix"].map(|name| (name.into(), Value::Null));
    let mut object = Object::from(null);
    object.extend(
        set.iter()
            .map(|(name, value)| ((*name).to_owned().into(), value.clone())),
    );
    let msgpack = encode_msgpack(&Value::Mapping(object), &filters()).unwrap();
    Some(DynamicValue {
        msgpack,
        json: Vec::new(),
    })
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

/// A list of this many at most, with objects, of all endpoints.
fn request(limit: i64) -> proto::list_resource::Request {
    filtered(limit, &[])
}

fn filtered(limit: i64, set: &[(&str, &str)]) -> proto::list_resource::Request {
    let set: Vec<_> = set.iter().map(|(name, value)| (*name, text(value))).collect();
    proto::list_resource::Request {
        type_name: NAME.to_owned(),
        config: config(&set),
        include_resource_object: true,
        limit,
    }
}

/// One event, read.
#[derive(Debug)]
struct Event {
    /// In the identity.
    id: Option<String>,
    display_name: String,
    object: Option<Object>,
    said: Vec<proto::Diagnostic>,
}

impl Event {
    /// Summaries, each with the place it is about.
    fn summaries(&self) -> Vec<(String, String)> {
        use proto::attribute_path::step::Selector;
        let said = self.said.iter().map(|said| {
            let steps = said.attribute.iter().flat_map(|path| &path.steps);
            let names = steps.map(|step| match &step.selector {
                Some(Selector::AttributeName(name)) => name.as_str(),
                other => panic!("{other:?}"),
            });
            (said.summary.clone(), names.collect::<Vec<_>>().join("."))
        });
        said.collect()
    }
}

async fn events(client: &ProviderClient<Channel>, request: proto::list_resource::Request) -> Vec<Event> {
    let mut stream = client.clone().list_resource(request).await.unwrap().into_inner();
    let mut events = Vec::new();
    while let Some(event) = stream.message().await.unwrap() {
        events.push(read(event));
    }
    events
}

fn read(event: proto::list_resource::Event) -> Event {
    let object = |data: &DynamicValue, ty: &Type| match decode_msgpack(&data.msgpack, ty).unwrap() {
        Value::Mapping(object) => object,
        other => panic!("{other:?} is no object"),
    };
    let identity_type = Type::Object([("id".into(), Type::String)].into());
    let id =
        event.identity.map(
            |identity| match object(&identity.identity_data.unwrap(), &identity_type).remove("id") {
                Some(Value::String(id)) => id,
                other => panic!("{other:?} is no id"),
            },
        );
    Event {
        id,
        display_name: event.display_name,
        object: event.resource_object.map(|data| object(&data, &resource())),
        said: event.diagnostic,
    }
}

fn resource() -> Type {
    let text = [
        "id",
        "url",
        "entity_id",
        "rotate_trigger",
        "secret",
        "status",
        "created_at",
    ];
    let mut attributes: std::collections::BTreeMap<_, _> =
        text.map(|name| (name.into(), Type::String)).into_iter().collect();
    attributes.insert("events".into(), Type::set(Type::String));
    attributes.insert("replace_when_disabled".into(), Type::Bool);
    Type::Object(attributes)
}

fn ids(events: &[Event]) -> Vec<&str> {
    let ids = events.iter().map(|event| event.id.as_deref());
    ids.map(|id| id.expect("an identity")).collect()
}

fn put(heygen: &FakeHeygen, url: &str, events: Option<&[&str]>) -> String {
    let new = NewEndpoint {
        url: url.to_owned(),
        events: events.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
        entity_id: Some("project-7".to_owned()),
    };
    heygen.put_endpoint(new).endpoint_id
}

fn list_calls(heygen: &FakeHeygen) -> usize {
    let calls = heygen.requests_to(Route::List).len();
    assert_eq!(heygen.requests().len(), calls, "nothing else is called");
    calls
}

#[tokio::test]
async fn each_page_is_read_once_and_none_beyond_the_limit() {
    for (limit, calls, more) in [
        (0, 0, false),
        (1, 1, true),
        (99, 1, true),
        (100, 1, true),
        (101, 2, true),
        (249, 3, true),
        (250, 3, false),
        (1000, 3, false),
    ] {
        let (client, heygen) = with_account().await;
        heygen.put_many(250, "many");
        let expected: Vec<_> = heygen.endpoints().into_iter().map(|it| it.endpoint_id).collect();
        let found = events(&client, request(limit)).await;
        let shown = usize::try_from(limit).unwrap().min(250);
        assert_eq!(ids(&found), expected[..shown]);
        assert_eq!(list_calls(&heygen), calls, "{limit}");
        let warned: Vec<_> = found.iter().filter(|event| !event.said.is_empty()).collect();
        assert_eq!(warned.len(), usize::from(more), "{limit}");
        if let [warned] = *warned {
            assert_eq!(warned.id, found.last().unwrap().id);
            assert_eq!(
                warned.said[0].detail,
                format!(
                    "This list block shows {limit}, which is its limit. HeyGen has more than that. To see them, set limit to a \
                     higher number."
                )
            );
        }
    }
}

#[tokio::test]
async fn with_a_filter_there_may_be_more() {
    let (client, heygen) = with_account().await;
    put(&heygen, "https://a.example.com/", None);
    heygen.put_many(120, "b");
    let a = [("url_prefix", "https://a.")];
    let found = events(&client, filtered(1, &a)).await;
    assert_eq!(
        found[0].summaries(),
        [("Perhaps more results than the limit".to_owned(), String::new())]
    );
    assert!(found[0].said[0].detail.contains("there may be more"), "{found:?}");
    assert_eq!(list_calls(&heygen), 1);
    // The last page shows that there is no more.
    assert_eq!(events(&client, filtered(2, &a)).await[0].said, []);
    assert_eq!(list_calls(&heygen), 2);
    // An empty prefix is no filter.
    let found = events(&client, filtered(1, &[("url_prefix", "")])).await;
    assert!(!found[0].said[0].detail.contains("may be"), "{found:?}");
}

#[tokio::test]
async fn an_endpoint_that_a_shifting_list_repeats_is_one_result() {
    let (client, heygen) = with_account().await;
    heygen.put_many(150, "many");
    heygen.inject(Rule::on(Route::List, Fault::PageShifts { by: -7 }).after(1));
    let found = events(&client, request(1000)).await;
    let expected: Vec<_> = heygen.endpoints().into_iter().map(|it| it.endpoint_id).collect();
    assert_eq!(ids(&found), expected);
    assert_eq!(list_calls(&heygen), 2);
}

#[tokio::test]
async fn blocks_that_list_at_the_same_time_share_the_walk() {
    let (client, heygen) = with_account().await;
    heygen.put_many(250, "many");
    let (one, other) = join(
        events(&client, request(1000)),
        events(&client, filtered(1000, &[("status", "enabled")])),
    )
    .await;
    assert_eq!((one.len(), other.len()), (250, 250));
    assert_eq!(list_calls(&heygen), 3);
}

#[tokio::test]
async fn filters_let_through_what_fits_all_of_them() {
    let (client, heygen) = with_account().await;
    let a = put(
        &heygen,
        "https://a.example.com/1",
        Some(&["batch.finished", "video_agent.fail"]),
    );
    let b = put(&heygen, "https://b.example.com/1", Some(&["video_agent.fail"]));
    let all = put(&heygen, "https://a.example.com/all", None);
    heygen.disable_endpoint(&b);
    for (set, expected) in [
        (&[][..], vec![&a, &b, &all]),
        (&[("url_prefix", "https://a.example.com/")], vec![&a, &all]),
        (&[("url_prefix", "")], vec![&a, &b, &all]),
        (&[("event", "batch.finished")], vec![&a, &all]),
        (&[("event", "video_agent.fail")], vec![&a, &b, &all]),
        (&[("event", "live_avatar.fail")], vec![&all]),
        (&[("status", "disabled")], vec![&b]),
        (&[("status", "enabled"), ("event", "video_agent.fail")], vec![&a, &all]),
        (&[("status", "disabled"), ("url_prefix", "https://a.")], vec![]),
        (&[("status", "paused")], vec![]),
    ] {
        assert_eq!(ids(&events(&client, filtered(100, set)).await), expected, "{set:?}");
    }
}

#[tokio::test]
async fn the_object_is_what_an_import_would_make_of_it_and_holds_no_secret() {
    let (client, heygen) = with_account().await;
    let id = put(
        &heygen,
        "https://hooks.example.com/",
        Some(&["video_agent.fail", "batch.finished"]),
    );
    let found = events(&client, request(100)).await;
    let object = found[0].object.as_ref().unwrap();
    for (name, value) in [
        ("id", text(&id)),
        ("url", text("https://hooks.example.com/")),
        (
            "events",
            Value::Sequence(vec![text("batch.finished"), text("video_agent.fail")]),
        ),
        ("status", text("enabled")),
        ("entity_id", Value::Null),
        ("rotate_trigger", Value::Null),
        ("replace_when_disabled", Value::Null),
        ("secret", Value::Null),
    ] {
        assert_eq!(object[name], value, "{name}");
    }
    let without = proto::list_resource::Request {
        include_resource_object: false,
        ..request(100)
    };
    let found = events(&client, without).await;
    assert_eq!((found[0].object.as_ref(), found[0].id.as_ref()), (None, Some(&id)));
    assert_eq!(found[0].said, []);
}

#[tokio::test]
async fn a_name_tells_endpoints_apart_and_shows_nothing_that_it_must_not() {
    let (client, heygen) = with_account().await;
    let named = async |url: &str, events_are: Option<&[&str]>, status: &str| {
        let id = put(&heygen, url, events_are);
        heygen.edit_endpoint(&id, |it| status.clone_into(&mut it.status));
        // Each list reads anew.
        configure(&mut client.clone()).await;
        let found = events(&client, request(1)).await;
        heygen.remove_endpoint(&id);
        found[0].display_name.clone()
    };
    let key = format!("https://h.example/{}", heygen.api_key());
    for (url, events_are, status, name) in [
        (
            "https://h.example/hook",
            None,
            "enabled",
            "https://h.example/hook (all events)",
        ),
        (
            "https://h.example/hook",
            Some(&["a", "b", "c"][..]),
            "disabled",
            "https://h.example/hook (3 events), disabled",
        ),
        (
            "https://h.example/",
            Some(&["a"]),
            "paused",
            "https://h.example/ (1 event), paused",
        ),
        (
            "https://h.example/",
            Some(&[]),
            "",
            "https://h.example/ (no events), of an unusual status",
        ),
        (
            "https://h.example/",
            None,
            "\u{1b}[31m",
            "https://h.example/ (all events), of an unusual status",
        ),
        (
            "https://u:p@h.example/?token=1",
            None,
            "enabled",
            "https://h.example/?… (all events)",
        ),
        (
            "https://h.example/\u{1b}[31m\n\u{202e}x",
            None,
            "enabled",
            "https://h.example/\u{fffd}[31m\u{fffd}\u{fffd}x (all events)",
        ),
        (&key, None, "enabled", "https://h.example/[redacted] (all events)"),
    ] {
        assert_eq!(named(url, events_are, status).await, name);
    }
}

#[tokio::test]
async fn what_is_odd_about_others_says_nothing_and_what_was_asked_about_is_said() {
    let (client, heygen) = with_account().await;
    let id = put(&heygen, "https://hooks.example.com/", Some(&["batch.finished"]));
    let not_complete = || ("Webhook endpoint not read completely".to_owned(), String::new());
    let may_not_match = |filter: &str| {
        let summary = "Webhook endpoint listed, though it may not match".to_owned();
        (summary, format!("config.{filter}"))
    };
    for (field, filter, has_object, name) in [
        ("url", Some("url_prefix"), false, "URL not readable (1 event)"),
        (
            "events",
            Some("event"),
            false,
            "https://hooks.example.com/ (events not readable)",
        ),
        ("status", Some("status"), true, "https://hooks.example.com/ (1 event)"),
        ("created_at", None, true, "https://hooks.example.com/ (1 event)"),
    ] {
        for oddity in [Oddity::without(field), Oddity::with(field, json!(17))] {
            if (field, &oddity) == ("events", &Oddity::without(field)) {
                // That says all events.
                continue;
            }
            heygen.make_odd(&id, Some(oddity));
            let asked = async |request| {
                configure(&mut client.clone()).await;
                let mut found = events(&client, request).await;
                assert_eq!(ids(&found), [&*id]);
                found.remove(0)
            };
            let found = asked(request(100)).await;
            assert_eq!(found.display_name, name);
            assert_eq!(found.summaries(), [not_complete()]);
            assert!(
                found.said[0]
                    .detail
                    .contains(&format!("what it says about {field} is missing"))
            );
            let is_null = found.said[0]
                .detail
                .ends_with(" is missing or malformed. It is null here.");
            assert_eq!(is_null, has_object, "{:?}", found.said);
            // Null would say all events, or no URL.
            assert_eq!(found.object.is_some(), has_object, "{field}");
            if let Some(object) = found.object {
                assert_eq!(object[field], Value::Null);
            }
            let mut without = filtered(100, &[]);
            without.include_resource_object = false;
            assert_eq!(asked(without.clone()).await.said, [], "{field} matters to nobody");
            if let Some(filter) = filter {
                without.config = config(&[(filter, text("x"))]);
                let found = asked(without.clone()).await;
                assert_eq!(found.summaries(), [may_not_match(filter)]);
                // Left out by another filter, whatever it is.
                let other = if filter == "event" { "status" } else { "event" };
                without.config = config(&[(filter, text("x")), (other, text("x"))]);
                configure(&mut client.clone()).await;
                assert!(events(&client, without).await.is_empty());
            }
        }
    }
}

#[tokio::test]
async fn endpoints_without_a_readable_id_are_left_out_with_one_warning_where_they_would_be_listed() {
    let (client, heygen) = with_account().await;
    let first = put(&heygen, "https://a.example.com/", None);
    let odd = put(&heygen, "https://jane:hunter22@b.example.com/", None);
    heygen.make_odd(&odd, Some(Oddity::with("endpoint_id", "../x")));
    let last = put(&heygen, "https://c.example.com/", None);
    let warning = || ("A webhook endpoint without a readable id".to_owned(), String::new());
    let found = events(&client, request(100)).await;
    let (said, results) = found.split_last().unwrap();
    assert_eq!(ids(results), [&*first, &*last]);
    assert!(results.iter().all(|result| result.said.is_empty()), "{results:?}");
    // Whose identity is not there is nothing but what it says.
    assert_eq!((&said.id, &said.object, said.display_name.as_str()), (&None, &None, ""));
    assert_eq!(said.summaries(), [warning()]);
    assert_eq!(said.said[0].severity(), proto::diagnostic::Severity::Warning);
    assert_eq!(
        said.said[0].detail,
        "HeyGen's list has an endpoint whose id is missing or malformed (its URL: https://b.example.com/). It can be \
         neither named nor imported, so it is missing here. Try again later; if it goes on, report it to HeyGen."
    );
    // It is not asked about, or not known to be another one.
    assert_eq!(
        ids(&events(&client, filtered(100, &[("url_prefix", "https://a.")])).await),
        [&*first]
    );
    let found = events(&client, request(1)).await;
    assert_eq!(ids(&found), [&*first]);
    assert_eq!(found[0].summaries()[0].0, "More results than the limit");
    // Of the last result that the host reads it is said what was left out before it.
    let found = events(&client, request(2)).await;
    assert_eq!(ids(&found), [&*first, &*last]);
    assert_eq!((found[0].summaries(), found[1].summaries()), (vec![], vec![warning()]));

    heygen.make_odd(&odd, Some(Oddity::instead(17)));
    heygen.make_odd(&last, Some(Oddity::without("endpoint_id")));
    configure(&mut client.clone()).await;
    for (set, count) in [
        (&[][..], "2 endpoints"),
        (&[("url_prefix", "https://a.")], "an endpoint"),
    ] {
        let found = events(&client, filtered(100, set)).await;
        let (said, results) = found.split_last().unwrap();
        assert_eq!((ids(results), said.summaries()), (vec![&*first], vec![warning()]));
        let begins = format!("HeyGen's list has {count} whose id");
        assert!(said.said[0].detail.starts_with(&begins), "{said:?}");
    }
}

#[tokio::test]
async fn what_a_configuration_must_not_have_is_listed_with_a_warning() {
    let (client, heygen) = with_account().await;
    for (url, events_are, says) in [
        ("https://h.example.com/", Some(&[][..]), "No events: "),
        ("http://h.example.com/", None, "HeyGen delivers to https URLs only."),
        (
            "https://jane:hunter22@h.example.com/",
            None,
            "The URL holds a user name or password.",
        ),
    ] {
        let id = put(&heygen, url, events_are);
        configure(&mut client.clone()).await;
        let found = events(&client, request(100)).await;
        let warning = (
            "Webhook endpoint cannot be configured as it is".to_owned(),
            String::new(),
        );
        assert_eq!(found[0].summaries(), [warning]);
        let detail = &found[0].said[0].detail;
        assert!(
            detail.contains(&id) && detail.contains(says) && !detail.contains("hunter22"),
            "{detail}"
        );
        assert_eq!(found[0].object.as_ref().unwrap()["url"], text(url), "it is what it is");
        heygen.remove_endpoint(&id);
    }
    put(&heygen, "https://localhost/", Some(&["a.new.one"]));
    configure(&mut client.clone()).await;
    assert_eq!(
        events(&client, request(100)).await[0].said,
        [],
        "that is for a plan to say"
    );
}

#[tokio::test]
async fn a_walk_that_fails_half_way_is_an_error_and_no_shorter_list() {
    let (client, heygen) = with_account().await;
    heygen.put_many(150, "many");
    let failing = Fault::Status {
        status: 500,
        body: BodyShape::Json,
        effect: Effect::None,
    };
    heygen.inject(Rule::on(Route::List, failing).after(1));
    let found = events(&client, request(1000)).await;
    let (last, before) = found.split_last().unwrap();
    assert_eq!(last.id, None);
    assert_eq!(last.summaries(), [("HeyGen failed".to_owned(), String::new())]);
    assert_eq!(ids(before).len(), 100);
    // With a repeating cursor, too, who has enough is not concerned.
    heygen.behave(|it| it.cursor_repeats = true);
    configure(&mut client.clone()).await;
    assert_eq!(events(&client, request(100)).await.len(), 100);
    let found = events(&client, request(1000)).await;
    assert_eq!(
        found.last().unwrap().summaries()[0].0,
        "HeyGen's answer cannot be understood"
    );
}

#[tokio::test]
async fn a_stop_ends_the_walk_at_once() {
    let (client, heygen) = with_account().await;
    heygen.put_many(150, "many");
    heygen.inject(Rule::on(Route::List, Fault::Held { wait: Wait::Before }).after(1));
    let mut stream = client.clone().list_resource(request(1000)).await.unwrap().into_inner();
    for _ in 0..100 {
        assert!(read(stream.message().await.unwrap().unwrap()).id.is_some());
    }
    let patience = std::time::Duration::from_secs(30);
    let held = heygen.see_request(patience, |it| it.fault == Some("held")).await;
    assert!(held.is_some());
    client
        .clone()
        .stop_provider(proto::stop_provider::Request {})
        .await
        .unwrap();
    let last = read(stream.message().await.unwrap().unwrap());
    assert_eq!(last.summaries(), [("Interrupted".to_owned(), String::new())]);
    assert!(stream.message().await.unwrap().is_none());
    assert_eq!(list_calls(&heygen), 2);
    heygen.release();
}

#[tokio::test]
async fn a_provider_that_is_not_configured_checks_filters_with_anything_unknown_in_them() {
    let client = in_process::provider(Environment::default());
    let validated = async |set: &[(&str, Value)]| {
        let request = proto::validate_list_resource_config::Request {
            type_name: NAME.to_owned(),
            config: config(set),
            ..Default::default()
        };
        let said = client
            .clone()
            .validate_list_resource_config(request)
            .await
            .unwrap()
            .into_inner();
        let event = Event {
            id: None,
            display_name: String::new(),
            object: None,
            said: said.diagnostics,
        };
        event.summaries()
    };
    assert_eq!(validated(&[]).await, []);
    let unknown = ["url_prefix", "event", "status"].map(|name| (name, Value::Unknown));
    assert_eq!(validated(&unknown).await, []);
    assert_eq!(
        validated(&[("url_prefix", text("")), ("event", Value::Unknown)]).await,
        []
    );
    let empty = |filter: &str| ("Empty filter".to_owned(), format!("config.{filter}"));
    assert_eq!(
        validated(&[("event", text("")), ("status", text(""))]).await,
        [empty("event"), empty("status")]
    );
    let found = events(&client, request(100)).await;
    assert_eq!(found[0].summaries()[0].0, "The provider is not configured");
    assert_eq!(found.len(), 1);
    assert!(events(&client, request(0)).await.is_empty(), "that takes no call");
}
