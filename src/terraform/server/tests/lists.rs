//! Lists, and what is generated of what they find.

use futures_util::StreamExt;

use super::house::Doors;
use super::*;
use crate::terraform::{ListResource as _, Provider as _};

type Event = proto::list_resource::Event;

/// A configuration of a list of doors.
#[expect(clippy::unnecessary_wraps, reason = "as messages hold it")]
fn filter(set: &[(&str, Value)]) -> Option<proto::DynamicValue> {
    let ty = Doors.schema().object_type();
    Some(convert::encode_object(Some(complete(ty, set)), ty).unwrap())
}

fn request(numbers: &str, limit: i64) -> proto::list_resource::Request {
    proto::list_resource::Request {
        type_name: DOOR.to_owned(),
        config: filter(&[("numbers", text(numbers))]),
        include_resource_object: false,
        limit,
    }
}

async fn events(request: proto::list_resource::Request) -> Vec<Event> {
    let events = Service::new(House).list_resource(tonic::Request::new(request)).await;
    let events = events.unwrap().into_inner().map(|event| event.unwrap());
    events.collect().await
}

/// What each event shows: the number in its identity and its name, or its problems.
fn shown(events: &[Event]) -> Vec<String> {
    let shown = events.iter().map(|event| match number_in(event.identity.as_ref()) {
        Some(number) if event.display_name == format!("door {number}") => number,
        _ => summaries(&event.diagnostic).join("; "),
    });
    shown.collect()
}

/// The names from the root of the place that a diagnostic is about.
fn place(diagnostic: &proto::Diagnostic) -> Vec<&str> {
    use proto::attribute_path::step::Selector;
    let steps = diagnostic.attribute.iter().flat_map(|path| &path.steps);
    let names = steps.map(|step| match &step.selector {
        Some(Selector::AttributeName(name)) => name.as_str(),
        _ => panic!("an attribute"),
    });
    names.collect()
}

#[tokio::test]
async fn what_is_found_is_streamed_in_its_order_and_each_object_once() {
    assert_eq!(shown(&events(request("1,2|3", 100)).await), ["1", "2", "3"]);
    assert_eq!(
        shown(&events(request("1,2,1|2,3|3,4,1", 100)).await),
        ["1", "2", "3", "4"]
    );
    assert_eq!(shown(&events(request("", 100)).await), [""; 0]);
    assert_eq!(shown(&events(request("||1", 100)).await), ["1"]);
}

#[tokio::test]
async fn nothing_is_fetched_beyond_the_limit() {
    assert_eq!(shown(&events(request("rotten", 0)).await), [""; 0]);
    assert_eq!(shown(&events(request("rotten", -1)).await), [""; 0]);
    assert_eq!(shown(&events(request("1,2|rotten", 2)).await), ["1", "2"]);
    assert_eq!(shown(&events(request("1,2|2,3,4|rotten", 3)).await), ["1", "2", "3"]);
    let crashed = events(request("1,2|rotten", 3)).await;
    assert_eq!(shown(&crashed), ["1", "2", "The provider crashed"]);
}

/// What the last event says of the limit.
async fn beyond(numbers: &str, limit: i64, is_filtered: bool) -> Option<String> {
    let mut config = vec![("numbers", text(numbers))];
    if is_filtered {
        config.push(("floor", text("first")));
    }
    let request = proto::list_resource::Request {
        config: filter(&config),
        ..request(numbers, limit)
    };
    let mut events = events(request).await;
    let last = events.pop().unwrap();
    assert!(events.iter().all(|event| event.diagnostic.is_empty()));
    assert!(last.identity.is_some());
    let [said] = last.diagnostic.as_slice() else {
        assert_eq!(last.diagnostic, []);
        return None;
    };
    assert_eq!(said.severity(), proto::diagnostic::Severity::Warning);
    assert_eq!(place(said), [""; 0]);
    let said = said
        .detail
        .strip_prefix(&format!("This list block shows {limit}, which is its limit. "));
    let said = said.and_then(|said| said.strip_suffix(" To see them, set limit to a higher number."));
    Some(said.unwrap().to_owned())
}

#[tokio::test]
async fn the_last_event_warns_where_there_is_more_than_the_limit() {
    let more = Some("the house has more than that.".to_owned());
    let matching = Some("the house has more that match, and there may be others that were not looked for.".to_owned());
    let perhaps = Some("the house's list goes on after them, so there may be more.".to_owned());
    for (numbers, limit, unfiltered, filtered) in [
        ("1,2,3", 4, &None, &None),
        ("1,2,3", 3, &None, &None),
        ("1,2,3", 2, &more, &matching),
        ("1,2|3", 2, &more, &perhaps),
        ("1,2,3|4", 2, &more, &matching),
        ("1|2|3", 3, &None, &None),
        // The same ones again are no more.
        ("1,2,1,2", 2, &None, &None),
        ("1|2,1", 2, &None, &None),
        ("1|2,1,3", 2, &more, &matching),
        // What is wrong beyond the limit may be one that was shown.
        ("1,2,?", 2, &perhaps, &perhaps),
        ("1,2,?,3", 2, &more, &matching),
        ("1,2,anonymous", 2, &perhaps, &perhaps),
    ] {
        assert_eq!(&beyond(numbers, limit, false).await, unfiltered, "{limit} of {numbers}");
        assert_eq!(
            &beyond(numbers, limit, true).await,
            filtered,
            "{limit} of {numbers}, filtered"
        );
    }
}

#[tokio::test]
async fn an_object_comes_along_where_it_is_asked_for() {
    let asked = |include_resource_object| proto::list_resource::Request {
        include_resource_object,
        ..request("7", 100)
    };
    assert_eq!(events(asked(false)).await[0].resource_object, None);
    let event = &events(asked(true)).await[0];
    let object = object(&[("name", text("front")), ("number", text("7"))]);
    assert_eq!(object_in(event.resource_object.as_ref()), Some(object));
}

#[tokio::test]
async fn an_error_comes_last_and_points_into_the_config_block() {
    let found = events(request("1|stuck|3", 100)).await;
    assert_eq!(shown(&found), ["1", "The door is stuck"]);
    assert_eq!(place(&found[1].diagnostic[0]), ["config", "floor"]);
    let found = events(request("13", 100)).await;
    assert_eq!(summaries(&found[0].diagnostic), ["It creaks"]);
    assert_eq!(place(&found[0].diagnostic[0]), ["config", "floor"]);
}

#[tokio::test]
async fn what_cannot_be_identified_is_left_out_and_said_once() {
    // The identities, and beside them what was said.
    let listed = async |numbers: &str, limit| {
        let events = events(request(numbers, limit)).await;
        let with_number = events.iter().map(|event| {
            let said = event
                .diagnostic
                .iter()
                .map(|it| format!("{}: {}", it.summary, it.detail));
            let number = number_in(event.identity.as_ref()).unwrap_or_default();
            (number, said.collect::<Vec<_>>().join("; "))
        });
        with_number.collect::<Vec<_>>()
    };
    let found = |number: &str, said: &str| (number.to_owned(), said.to_owned());
    let said = "Doors without a number: back,?,side";
    assert_eq!(
        listed("1,back?|?,2,side?|3", 100).await,
        [found("1", ""), found("2", ""), found("3", ""), found("", said)]
    );
    assert_eq!(listed("?", 100).await, [found("", "Doors without a number: ?")]);
    // The host reads nothing after the last one that the limit lets through. What is beyond it is not missing.
    assert_eq!(
        listed("1,back?|?,side?,3,cellar?", 2).await,
        [
            found("1", ""),
            found(
                "3",
                &format!(
                    "{said}; Perhaps more results than the limit: This list block shows 2, which is its limit. the house's \
                     list goes on after them, so there may be more. To see them, set limit to a higher number."
                )
            )
        ]
    );
    assert_eq!(
        listed("1,stuck?|stuck", 100).await,
        [found("1", ""), found("", "The door is stuck: ")]
    );
}

#[tokio::test]
async fn a_result_that_breaks_the_rules_is_a_provider_bug() {
    for (number, did) in [
        (
            "anonymous",
            "house_door: listed an object whose identity lacks number. ",
        ),
        (
            "open",
            "house_door: listed an object with its keys, which is sensitive. ",
        ),
        ("nameless", "house_door: left name unknown in a result of a list. "),
    ] {
        let found = events(request(number, 100)).await;
        assert_eq!(shown(&found), ["The provider made a mistake"]);
        assert!(found[0].diagnostic[0].detail.starts_with(did), "{found:?}");
    }
}

#[tokio::test]
async fn what_is_configured_is_checked_at_its_place_with_anything_unknown() {
    let validated = async |config| {
        let answer = ask!(
            validate_list_resource_config,
            validate_list_resource_config {
                type_name: DOOR.to_owned(),
                config: config
            }
        );
        let said = answer.diagnostics.iter();
        said.map(|said| (said.summary.clone(), place(said).join(".")))
            .collect::<Vec<_>>()
    };
    let at = |summary: &str, place: &str| (summary.to_owned(), place.to_owned());
    assert_eq!(validated(filter(&[("numbers", text("1"))])).await, []);
    let unknown = [("numbers", Value::Unknown), ("floor", Value::Unknown)];
    assert_eq!(validated(filter(&unknown)).await, []);
    let missing = at("Missing required argument", "config.numbers");
    assert_eq!(validated(None).await, std::slice::from_ref(&missing));
    assert_eq!(
        validated(filter(&[("floor", text("")), ("color", text("red"))])).await,
        [
            missing,
            at("Read-only attribute is set", "config.color"),
            at("No floor", "config.floor")
        ]
    );
}

#[tokio::test]
async fn what_is_not_valid_or_not_known_is_not_listed() {
    for (config, summary) in [
        (filter(&[]), "Missing required argument"),
        (
            filter(&[("numbers", text("1")), ("floor", Value::Unknown)]),
            "The filter is not known",
        ),
        (filter(&[("numbers", text("1")), ("floor", text(""))]), "No floor"),
    ] {
        let found = events(proto::list_resource::Request {
            config,
            ..request("1", 100)
        });
        let found = found.await;
        assert_eq!(shown(&found), [summary]);
        assert_eq!(place(&found[0].diagnostic[0])[0], "config");
    }
    let found = events(proto::list_resource::Request {
        type_name: "house_roof".to_owned(),
        ..request("1", 100)
    });
    assert_eq!(shown(&found.await), ["Not in this version of the provider"]);
}

#[tokio::test]
async fn a_stop_ends_the_walk() {
    let service = Service::new(House);
    let listed = service.list_resource(tonic::Request::new(request("1|slow", 100))).await;
    let mut listed = listed.unwrap().into_inner();
    assert_eq!(shown(&[listed.next().await.unwrap().unwrap()]), ["1"]);
    let stop = tonic::Request::new(proto::stop_provider::Request {});
    service.stop_provider(stop).await.unwrap();
    assert_eq!(shown(&[listed.next().await.unwrap().unwrap()]), ["Interrupted"]);
    assert!(listed.next().await.is_none());
}

#[tokio::test]
async fn lists_are_announced_with_their_schema() {
    let metadata = ask!(get_metadata, get_metadata {});
    let names = metadata.list_resources.iter().map(|list| list.type_name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), [DOOR]);
    let schemas = ask!(get_provider_schema, get_provider_schema {});
    let attributes = schemas.list_resource_schemas[DOOR].block.as_ref().unwrap();
    let names = attributes.attributes.iter().map(|attribute| attribute.name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["numbers", "floor", "color"]);
    assert_eq!(House.list_resources().len(), 1);
    for capabilities in [metadata.server_capabilities, schemas.server_capabilities] {
        assert!(capabilities.unwrap().generate_resource_config);
    }
}

async fn generated(type_name: &str, state: Option<proto::DynamicValue>) -> proto::generate_resource_config::Response {
    ask!(
        generate_resource_config,
        generate_resource_config {
            type_name: type_name.to_owned(),
            state: state
        }
    )
}

#[tokio::test]
async fn a_configuration_says_what_a_configuration_may_say() {
    let keys = Value::Sequence(vec![text("mine"), text("")]);
    let state = object(&[("name", text("front")), ("keys", keys.clone()), ("number", text("7"))]);
    let answer = generated(DOOR, message(Some(state))).await;
    assert_eq!(answer.diagnostics, []);
    let config = object(&[("name", text("front")), ("keys", keys)]);
    assert_eq!(object_in(answer.config.as_ref()), Some(config));
    let answer = generated(DOOR, message(Some(object(&[("name", text(""))])))).await;
    assert_eq!(object_in(answer.config.as_ref()), Some(object(&[])));
}

#[tokio::test]
async fn no_state_is_no_configuration() {
    for state in [None, message(None)] {
        let answer = generated(DOOR, state).await;
        assert_eq!(answer.diagnostics, []);
        assert_eq!(answer.config, Some(convert::null()));
    }
}

#[tokio::test]
async fn of_what_cannot_be_read_no_configuration_is_generated() {
    assert_eq!(
        summaries(&generated("house_roof", state("front")).await.diagnostics),
        ["Not in this version of the provider"]
    );
    let answer = generated(DOOR, filter(&[])).await;
    assert_eq!(
        summaries(&answer.diagnostics),
        ["Terraform and the provider do not understand each other"]
    );
    assert_eq!(answer.config, None);
}
