//! The data sources, asked by configurations.

use serde_json::{Map, Value, json};

use super::{ADDRESS, endpoint, with_account};
use crate::fake_heygen::{BodyShape, Effect, FakeHeygen, Fault, NewEndpoint, Oddity, Route, Rule, TrailingSlash};
use crate::support::engine::for_each_engine;
use crate::support::plan::Action;
use crate::support::terraform::Workspace;

/// The data source of this kind, named `a`, with these arguments.
fn data(kind: &str, arguments: &str) -> String {
    format!("data \"heygen_webhook_{kind}\" \"a\" {{\n{arguments}\n}}\n")
}

/// An endpoint that somebody made elsewhere.
fn elsewhere(heygen: &FakeHeygen, url: &str, events: Option<&[&str]>) -> String {
    let events = events.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
    let new = NewEndpoint {
        url: url.to_owned(),
        events,
        entity_id: None,
    };
    heygen.put_endpoint(new).endpoint_id
}

/// What this attribute of the only data source of this kind is once it was read.
fn answer(tf: &Workspace, kind: &str, attribute: &str) -> Value {
    let state = tf.state();
    let data = state.data(&format!("data.heygen_webhook_{kind}.a"));
    data.attribute(attribute).clone()
}

/// One attribute of each object in an answer.
fn each(objects: &Value, attribute: &str) -> Vec<Value> {
    let objects = objects.as_array().expect("a list").iter();
    objects.map(|object| object[attribute].clone()).collect()
}

/// Fails unless no secret of any endpoint is in what data sources have answered.
#[track_caller]
fn expect_no_secret(tf: &Workspace, heygen: &FakeHeygen) {
    let answered = tf.state().all_data();
    assert!(!answered.is_empty());
    for secret in heygen.endpoints().into_iter().map(|endpoint| endpoint.secret) {
        assert!(!answered.contains(&secret));
    }
    assert!(
        !answered.contains("secret") && !answered.contains("whsec_"),
        "{answered}"
    );
}

fn always(fault: Fault, route: Route) -> Rule {
    Rule {
        fault,
        routes: vec![route],
        endpoint_id: None,
        skip: 0,
        times: None,
    }
}

/// Each data source with a question that it can answer, and the call it asks with.
const QUESTIONS: [(&str, &str, Route); 5] = [
    ("endpoint", "id = \"ep_1\"", Route::List),
    ("endpoint", "url = \"https://a.example.com/hook\"", Route::List),
    ("endpoints", "", Route::List),
    ("event_types", "", Route::EventTypes),
    ("events", "", Route::Events),
];

for_each_engine! {
    fn an_endpoint_is_looked_up_by_its_id_also_one_that_is_known_only_during_apply(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        elsewhere(&heygen, "https://other.example.com/hook", None);
        tf.write("main.tf", &(endpoint("url = \"https://hooks.example.com/heygen\"\nevents = [\"batch.finished\"]")
            + &data("endpoint", "id = heygen_webhook_endpoint.a.id")));
        tf.apply().none();
        let state = tf.state();
        let (made, read) = (state.instance(ADDRESS), state.data("data.heygen_webhook_endpoint.a"));
        for attribute in ["id", "url", "events", "status", "created_at"] {
            assert_eq!(read.attribute(attribute), made.attribute(attribute), "{attribute}");
        }
        assert_eq!(read.text("id"), heygen.endpoints()[1].endpoint_id);
        expect_no_secret(&tf, &heygen);

        heygen.clear_requests();
        tf.plan().expect_empty();
        assert_eq!(heygen.requests_to(Route::List).len(), 1, "the resource and the data source share one walk");
    }

    fn an_endpoint_is_looked_up_by_any_spelling_of_its_url_which_is_kept(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        heygen.behave(|it| it.urls.trailing_slash = TrailingSlash::Added);
        heygen.put_many(120, "filler");
        let id = elsewhere(&heygen, "https://hooks.example.com/heygen", None);
        elsewhere(&heygen, "https://hooks.example.com/heygen/more", None);
        heygen.disable_endpoint(&id);
        tf.write("main.tf", &data("endpoint", "url = \"https://HOOKS.example.com:443/heygen\""));
        tf.apply().none();
        let of = |attribute| answer(&tf, "endpoint", attribute);
        assert_eq!((of("id"), of("url")), (json!(id), json!("https://HOOKS.example.com:443/heygen")));
        assert_eq!((of("events"), of("status")), (Value::Null, json!("disabled")));
        assert!(of("created_at").as_str().unwrap().starts_with("20"));
        expect_no_secret(&tf, &heygen);
    }

    fn no_endpoint_is_an_error_and_so_are_several_which_are_named(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        let place = "data.heygen_webhook_endpoint.a";
        let other = elsewhere(&heygen, "https://other.example.com/", None);
        let url = "url = \"https://hooks.example.com/heygen\"";
        tf.write("main.tf", &data("endpoint", url));
        heygen.clear_requests();
        let said = tf.plan_expecting_failure();
        assert_eq!(
            said.error("No such webhook endpoint").at(place, "url").detail,
            "HeyGen's list, read twice, has no endpoint with this URL. Check the URL, and that the credentials are of its \
             account."
        );
        assert_eq!(heygen.requests_to(Route::List).len(), 2, "as it says");
        tf.write("main.tf", &data("endpoint", "id = \"ep_gone\""));
        let said = tf.plan_expecting_failure();
        assert_eq!(
            said.error("No such webhook endpoint").at(place, "id").detail,
            "HeyGen's list, read twice, has no endpoint ep_gone. Check the id, and that the credentials are of its account."
        );

        let twins = ["https://hooks.example.com/heygen"; 2].map(|url| elsewhere(&heygen, url, None));
        elsewhere(&heygen, "https://hooks.example.com/heygen/", None);
        tf.write("main.tf", &data("endpoint", url));
        let said = tf.plan_expecting_failure();
        let error = said.error("Several webhook endpoints have this URL").at(place, "url");
        assert_eq!(error.detail, format!("They are {}. Look the one you mean up by its id.", twins.join(", ")));
        assert!(!error.detail.contains(&other));

        // One that has the URL in the same spelling goes before one that has it in another.
        heygen.remove_endpoint(&twins[1]);
        tf.apply().none();
        assert_eq!(answer(&tf, "endpoint", "id"), twins[0].as_str());
    }

    fn what_cannot_be_read_of_an_endpoint_is_null_and_said_to_be_so(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        let url = "https://hooks.example.com/heygen";
        let id = elsewhere(&heygen, url, Some(&["batch.finished"]));
        let sound = elsewhere(&heygen, "https://other.example.com/", None);
        heygen.make_odd(&id, Some(Oddity::with("events", json!(["batch.finished", null]))));
        let says = format!(
            "HeyGen's list has {id}, but what it says about events is missing or malformed. It is null here. Elsewhere null \
             means all events; here it says only that events could not be read."
        );
        let warned = |configuration: &str| {
            tf.write("main.tf", configuration);
            let said = tf.plan();
            let warning = said.diagnostics().warning("Webhook endpoint not read completely");
            tf.apply_unchecked();
            warning.detail.clone()
        };
        for lookup in [format!("url = \"{url}\""), format!("id = \"{id}\"")] {
            assert_eq!(warned(&data("endpoint", &lookup)), says);
            assert_eq!(answer(&tf, "endpoint", "events"), Value::Null);
        }
        assert_eq!(warned(&data("endpoints", "")), says);
        assert_eq!(each(&answer(&tf, "endpoints", "endpoints"), "events"), [Value::Null, Value::Null]);
        assert_eq!(
            warned(&data("endpoints", "event = \"batch.finished\"")),
            format!(
                "Left out here is {id}: what HeyGen's list says about events is missing or malformed, so nobody can tell \
                 whether the filters let it through."
            )
        );
        assert_eq!(each(&answer(&tf, "endpoints", "endpoints"), "id"), [sound.as_str()]);
        heygen.make_odd(&id, Some(Oddity::with("status", 17)));
        assert_eq!(
            warned(&data("endpoint", &format!("id = \"{id}\""))),
            format!("HeyGen's list has {id}, but what it says about status is missing or malformed. It is null here.")
        );
        heygen.make_odd(&id, Some(Oddity::without("url")));
        assert_eq!(
            warned(&data("endpoint", &format!("id = \"{id}\""))),
            format!("HeyGen's list has {id}, but what it says about url is missing or malformed. It is null here.")
        );
    }

    fn an_endpoint_that_one_walk_misses_is_found_by_its_url_all_the_same(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        let id = elsewhere(&heygen, "https://hooks.example.com/heygen", None);
        for lookup in ["url = \"https://hooks.example.com/heygen\"".to_owned(), format!("id = \"{id}\"")] {
            tf.write("main.tf", &data("endpoint", &lookup));
            heygen.hide_endpoint(&id, 1);
            heygen.clear_requests();
            tf.apply_unchecked().none();
            assert_eq!(answer(&tf, "endpoint", "id"), id.as_str());
            assert_eq!(heygen.requests_to(Route::List).len(), 2);
        }
    }

    fn an_endpoint_that_this_apply_has_made_is_found_while_the_list_lags_behind(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        heygen.behave(|it| it.list_lag_ms = 2_500);
        let by_url = "data \"heygen_webhook_endpoint\" \"by_url\" {\n  url = \"https://hooks.example.com/heygen\"\n  \
                      depends_on = [heygen_webhook_endpoint.a]\n}\n";
        tf.write("main.tf", &(endpoint("url = \"https://hooks.example.com/heygen\"")
            + &data("endpoint", "id = heygen_webhook_endpoint.a.id")
            + by_url));
        tf.apply().none();
        let id = heygen.endpoints()[0].endpoint_id.clone();
        let state = tf.state();
        for read in ["a", "by_url"] {
            assert_eq!(state.data(&format!("data.heygen_webhook_endpoint.{read}")).text("id"), id);
        }
    }

    fn what_cannot_be_an_id_is_quoted_and_the_character_named(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        let place = "data.heygen_webhook_endpoint.a";
        tf.write("main.tf", &data("endpoint", "id = \"ep 1\""));
        let said = tf.validate_expecting_failure();
        assert_eq!(
            said.error("Not an endpoint id").at(place, "id").detail,
            "HeyGen cannot have an endpoint of the id \"ep 1\": it holds a space, which no id can have."
        );
        // A key given by mistake is not repeated.
        tf.write("main.tf", &data("endpoint", &format!("id = {:?}", heygen.api_key())));
        let said = tf.plan_expecting_failure();
        assert_eq!(
            said.error("No such webhook endpoint").at(place, "id").detail,
            "HeyGen's list, read twice, has no endpoint [redacted]. Check the id, and that the credentials are of its account."
        );
    }

    fn all_endpoints_are_listed_in_heygens_order_over_several_pages(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        heygen.put_many(250, "many");
        tf.write("main.tf", &data("endpoints", ""));
        tf.apply().none();
        let expected: Vec<_> = heygen.endpoints().into_iter().map(|it| json!(it.endpoint_id)).collect();
        assert_eq!(each(&answer(&tf, "endpoints", "endpoints"), "id"), expected);
        expect_no_secret(&tf, &heygen);
        heygen.clear_requests();
        tf.plan().expect_empty();
        assert_eq!(heygen.requests_to(Route::List).len(), 3);

        heygen.behave(|it| it.newest_first = true);
        tf.apply().none();
        let listed = each(&answer(&tf, "endpoints", "endpoints"), "id");
        assert_eq!(listed, expected.into_iter().rev().collect::<Vec<_>>());
    }

    fn endpoints_are_filtered_by_how_their_url_begins_and_by_what_they_receive(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        let a = elsewhere(&heygen, "https://a.example.com/1", Some(&["batch.finished", "video_agent.fail"]));
        let b = elsewhere(&heygen, "https://b.example.com/1", Some(&["video_agent.fail"]));
        let all = elsewhere(&heygen, "https://a.example.com/all", None);
        let listed = |filters: &str| {
            tf.write("main.tf", &data("endpoints", filters));
            tf.apply().none();
            each(&answer(&tf, "endpoints", "endpoints"), "id")
        };
        assert_eq!(listed(""), [&*a, &*b, &*all]);
        assert_eq!(listed("url_prefix = \"https://a.example.com/\""), [&*a, &*all]);
        assert_eq!(listed("event = \"batch.finished\""), [&*a, &*all]);
        assert_eq!(listed("event = \"video_agent.fail\""), [&*a, &*b, &*all]);
        assert_eq!(listed("event = \"video_agent.fail\"\nurl_prefix = \"https://b\""), [&*b]);
        assert_eq!(listed("url_prefix = \"https://c.\""), [""; 0]);
        assert_eq!(listed("event = \"live_avatar.fail\""), [&*all]);
        let events = each(&answer(&tf, "endpoints", "endpoints"), "events");
        assert_eq!(events, [Value::Null], "no list of events is all events");
    }

    fn all_event_types_are_listed_in_heygens_order_over_several_pages(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        heygen.behave(|it| it.more_event_types = (0..120).map(|n| format!("new_{n}.success")).collect());
        tf.write("main.tf", &data("event_types", ""));
        tf.apply().none();
        let listed = answer(&tf, "event_types", "event_types");
        let names = each(&listed, "event_type");
        let mut expected = Vec::new();
        heygen.behave(|it| expected = it.event_types().map(|name| json!(name)).collect());
        assert_eq!(names, expected);
        assert!(names.len() > 100 && names.contains(&json!("avatar_video.success")));
        assert!(each(&listed, "description").iter().all(|it| it.as_str().unwrap().starts_with("Sent on")));
        heygen.clear_requests();
        tf.plan().expect_empty();
        let asked = heygen.requests_to(Route::EventTypes);
        assert_eq!(asked.len(), 2);
    }

    fn events_are_read_newest_first_up_to_the_limit(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        let mut expected: Vec<Value> = (0..250).map(|n| {
            let particulars = Map::from_iter([("n".to_owned(), json!(n)), ("name".to_owned(), json!("Grüße"))]);
            json!(heygen.record_event("avatar_video.success", particulars, None).event_id)
        }).collect();
        expected.reverse();
        for (limit, read, calls) in [("", 100, 1), ("limit = 5", 5, 1), ("limit = 101", 101, 2), ("limit = 1000", 250, 3)] {
            tf.write("main.tf", &data("events", limit));
            tf.apply().none();
            let events = answer(&tf, "events", "events");
            assert_eq!(each(&events, "event_id"), expected[..read], "{limit}");
            assert_eq!(events[0]["event_type"], "avatar_video.success");
            assert_eq!(events[0]["event_data"], "{\"n\":249,\"name\":\"Grüße\"}");
            assert!(events[0]["created_at"].as_str().unwrap().starts_with("20"));
            heygen.clear_requests();
            tf.plan().expect_empty();
            assert_eq!(heygen.requests_to(Route::Events).len(), calls, "{limit}");
        }
    }

    fn events_are_filtered_by_heygen(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        let record = |event_type: &str, entity| {
            let particulars = Map::from_iter([("id".to_owned(), json!([1.50, null]))]);
            heygen.record_event(event_type, particulars, entity).event_id
        };
        let one = record("batch.finished", Some("project 7&8"));
        let two = record("video_agent.fail", Some("project 7&8"));
        let three = record("batch.finished", None);
        let read = |filters: &str| {
            tf.write("main.tf", &(data("events", filters) + "
                output \"first\" {
                    value = try(jsondecode(data.heygen_webhook_events.a.events[0].event_data).id[0], null)
                }
            "));
            tf.apply().none();
            each(&answer(&tf, "events", "events"), "event_id")
        };
        assert_eq!(read(""), [&*three, &*two, &*one]);
        assert_eq!(tf.outputs()["first"], json!(1.5));
        assert_eq!(read("event_type = \"batch.finished\""), [&*three, &*one]);
        assert_eq!(read("entity_id = \"project 7&8\""), [&*two, &*one]);
        assert_eq!(read("entity_id = \"project 7&8\"\nevent_type = \"batch.finished\""), [&*one]);
        assert_eq!(read("event_type = \"live_avatar.fail\""), [""; 0], "nothing of that kind has happened");
    }

    fn a_bad_question_is_an_error_at_its_attribute_before_any_call(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        for (kind, arguments, summary, attribute) in [
            ("endpoint", "id = \"ep_1\"\nurl = \"https://a.example.com/\"", "Both id and url are set", Some("url")),
            ("endpoint", "id = \"../ep_1\"", "Not an endpoint id", Some("id")),
            ("endpoint", "", "Neither id nor url is set", None),
            ("endpoint", "url = \"\"", "Not a URL that HeyGen can deliver to", Some("url")),
            ("endpoint", "url = \"http://a.example.com/\"", "Not a URL that HeyGen can deliver to", Some("url")),
            ("endpoint", "url = \"https://jane:hunter22@a.example.com/\"", "Not a URL that HeyGen can deliver to", Some("url")),
            ("endpoints", "event = \"\"", "Empty filter", Some("event")),
            ("events", "event_type = \"\"", "Empty filter", Some("event_type")),
            ("events", "entity_id = \"\"", "Empty filter", Some("entity_id")),
            ("events", "limit = 0", "Not a number of events", Some("limit")),
            ("events", "limit = 2.5", "Not a number of events", Some("limit")),
        ] {
            tf.write("main.tf", &data(kind, arguments));
            let said = tf.validate_expecting_failure();
            let error = said.error(summary);
            assert_eq!(error.attribute(), attribute, "{error:?}");
            assert!(!error.detail.contains("hunter22"), "{error:?}");
        }
        assert!(heygen.requests().is_empty());
    }

    fn a_question_that_cannot_be_asked_is_an_error_and_not_an_empty_answer(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        let tf = tf.with_env("HEYGEN_MAX_RETRIES", "0");
        heygen.put_many(3, "some");
        let failing = Fault::Status { status: 500, body: BodyShape::Json, effect: Effect::None };
        for (fault, summary) in [(Fault::Unauthorized, "HeyGen does not accept the credentials"), (failing, "HeyGen failed")] {
            for (kind, arguments, route) in QUESTIONS {
                heygen.clear_faults();
                heygen.inject(always(fault.clone(), route));
                heygen.clear_requests();
                tf.write("main.tf", &data(kind, arguments));
                let said = tf.plan_expecting_failure();
                let error = said.error(summary);
                assert!(error.is_in(&format!("data.heygen_webhook_{kind}.a")), "{error:?}");
                assert_eq!((said.iter().count(), heygen.requests().len()), (1, 1), "{kind}");
            }
        }
    }

    fn an_endpoint_that_was_shown_is_never_taken_for_one_whose_creation_was_lost(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        let tf = tf.with_env("HEYGEN_MAX_RETRIES", "0");
        let twin = elsewhere(&heygen, "https://hooks.example.com/heygen", None);
        // Read during apply, by the process that creates.
        tf.write("main.tf", &("
            resource \"terraform_data\" \"later\" {
                input = \"https://hooks.\"
            }
        ".to_owned() + &data("endpoints", "url_prefix = terraform_data.later.output")
            + &endpoint("url = \"https://hooks.example.com/heygen\"\ndepends_on = [data.heygen_webhook_endpoints.a]")));
        heygen.inject(always(Fault::Reset { effect: Effect::None }, Route::Create));
        let said = tf.apply_expecting_failure();
        said.error("Webhook endpoint perhaps created");
        assert_eq!(each(&answer(&tf, "endpoints", "endpoints"), "id"), [&*twin]);
        assert_eq!(tf.state().addresses(), ["terraform_data.later"]);
    }

    fn a_provider_that_is_not_configured_yet_says_so(tf: Workspace) {
        let heygen = FakeHeygen::start();
        let tf = tf.with_env("HEYGEN_API_BASE", heygen.base_url());
        let later = format!("
            resource \"terraform_data\" \"later\" {{
                input = \"{}\"
            }}
            provider \"heygen\" {{
                api_key = terraform_data.later.output
            }}
        ", heygen.api_key());
        for (kind, arguments, _) in QUESTIONS {
            tf.write("main.tf", &(later.clone() + &data(kind, arguments)));
            let said = tf.plan_expecting_failure();
            said.error("The provider's configuration is not known yet").says("api_key").says("depends_on");
        }
        assert!(heygen.requests().is_empty());
        // The way out that it names.
        for (kind, arguments, _) in QUESTIONS {
            let waiting = format!("{arguments}\ndepends_on = [terraform_data.later]");
            tf.write("main.tf", &(later.clone() + &data(kind, &waiting)));
            let read = format!("data.heygen_webhook_{kind}.a");
            let later = ("terraform_data.later", Action::Create);
            assert_eq!(tf.plan().changes(), [(&*read, Action::Read), later]);
        }
    }
}
