//! Answers with something missing, null or of another shape: one's own are made the best of, somebody else's matter to
//! nobody.

use serde_json::{Map, Value, json};

use super::{
    ADDRESS, PAST_ALL_LAG, URL, endpoint, expect_state_is_true, id_in_state, provider, several, start, status, url,
};
use crate::fake_heygen::{AllEvents, Effect, FakeHeygen, Fault, NewEndpoint, Oddity, Route, Rule, SuccessBody};
use crate::support::diagnostics::{Diagnostics, Severity};
use crate::support::engine::Engine;
use crate::support::plan::Action;
use crate::support::terraform::Workspace;

const NEW_URL: &str = "https://hooks.example.com/v2";

/// The three ways in which a field of an answer tells nothing.
fn tells_nothing_of(field: &str) -> [Fault; 3] {
    let field = || Some(field.to_owned());
    [
        Fault::MissingField { field: field() },
        Fault::NullField { field: field() },
        Fault::WrongType { field: field() },
    ]
}

/// An endpoint that was just made, with a provider that does not retry.
fn created(arguments: &str) -> (Workspace, FakeHeygen) {
    let (tf, heygen) = start();
    write(&tf, arguments);
    tf.apply().none();
    (tf, heygen)
}

fn write(tf: &Workspace, arguments: &str) {
    tf.write("main.tf", &format!("{}{}", provider(0), endpoint(arguments)));
}

/// Somebody else's endpoint whose item in the list is odd.
fn foreign(heygen: &FakeHeygen, oddity: Oddity) -> String {
    let new = NewEndpoint {
        url: "https://elsewhere.example.com/hook".to_owned(),
        ..NewEndpoint::default()
    };
    let id = heygen.put_endpoint(new).endpoint_id;
    assert!(heygen.make_odd(&id, Some(oddity)));
    id
}

/// Fails unless this is all that was said.
#[track_caller]
fn expect_only_warning(said: &Diagnostics, summary: &str, detail: &str) {
    let said: Vec<_> = said.iter().map(|it| (it.severity, &*it.summary, &*it.detail)).collect();
    assert_eq!(said, [(Severity::Warning, summary, detail)]);
}

#[test]
fn what_the_answer_to_a_creation_lacks_is_read_off_the_list_once() {
    let (tf, heygen) = start();
    let fields = ["status", "created_at", "url", "events"];
    let faults: Vec<Fault> = fields.into_iter().flat_map(tells_nothing_of).collect();
    tf.write("main.tf", &format!("{}{}", provider(4), several(faults.len())));
    for fault in &faults {
        heygen.inject(Rule::on(Route::Create, fault.clone()));
    }
    tf.apply_unchecked().none();
    assert_eq!(
        heygen.requests_to(Route::Create).len(),
        faults.len(),
        "none is asked for again"
    );
    // That events are not there says that they are all, and is no hole.
    assert_eq!(heygen.requests_to(Route::List).len(), faults.len() - 2);
    let state = tf.state();
    for (address, instance) in state.instances() {
        let at_heygen = heygen.endpoint(instance.text("id")).unwrap();
        assert!(!instance.is_tainted(), "{address}");
        assert_eq!(
            (instance.text("status"), instance.text("url")),
            ("enabled", &*at_heygen.url)
        );
        assert!(instance.text("created_at").starts_with("20"), "{address}");
        assert_eq!(instance.attribute("events"), &Value::Null, "{address}");
    }
    expect_state_is_true(&tf, &heygen);
    tf.expect_nothing_to_do();
}

#[test]
fn what_the_list_does_not_say_of_a_new_endpoint_either_is_null_with_a_warning() {
    for field in ["status", "created_at"] {
        let (tf, heygen) = start();
        write(&tf, &url(URL));
        let [missing, null, wrong] = tells_nothing_of(field);
        heygen.inject(Rule::on(Route::Create, null));
        heygen.inject(Rule::on(Route::List, missing));
        heygen.inject(Rule::on(Route::List, wrong).times(2));
        let said = tf.apply_unchecked();
        let id = heygen.endpoints()[0].endpoint_id.clone();
        let warning = format!(
            "HeyGen created {id}, and neither its answer nor its list has a readable value for {field}. State has null there; \
             the next refresh reads it again."
        );
        expect_only_warning(
            &said,
            "Webhook endpoint created, but not described completely",
            &warning,
        );
        assert_eq!(heygen.requests_to(Route::List).len(), 1);
        let state = tf.state();
        let a = state.instance(ADDRESS);
        assert_eq!((a.is_tainted(), a.attribute(field)), (false, &Value::Null));
        expect_state_is_true(&tf, &heygen);

        // As long as it stays so, and afterwards.
        tf.expect_nothing_to_do();
        tf.plan()
            .expect_empty()
            .diagnostics()
            .warning("not read completely")
            .says(field);
        tf.apply().none();
        assert!(tf.state().instance(ADDRESS).attribute(field).is_string());
        assert_eq!(heygen.requests_to(Route::Create).len(), 1);
    }
}

#[test]
fn a_secret_that_comes_without_an_id_is_joined_to_the_one_endpoint_it_can_be_of() {
    let (tf, heygen) = start();
    let faults = tells_nothing_of("endpoint_id");
    tf.write("main.tf", &format!("{}{}", provider(0), several(faults.len())));
    for fault in faults {
        heygen.inject(Rule::on(Route::Create, fault));
    }
    let said = tf.apply();
    let mut expected: Vec<String> = Vec::new();
    for (id, why) in heygen
        .endpoints()
        .iter()
        .map(|it| &it.endpoint_id)
        .zip(reasons_in_order(&heygen))
    {
        expected.push(format!(
            "Creating a webhook endpoint: the answer cannot be understood: {why}. The answer had a signing secret and no id. \
             {id} is the one endpoint in HeyGen's list with this URL and these events that was created since this call began, \
             so it is in state now, with that secret. If deliveries do not verify with it, rotate the secret: set \
             rotate_trigger to another value."
        ));
    }
    let mut details: Vec<String> = said.iter().map(|it| it.detail.clone()).collect();
    details.sort();
    expected.sort();
    assert_eq!(details, expected);
    let summary = "Webhook endpoint created, and its id found in the list";
    assert!(
        said.iter()
            .all(|it| (it.severity, &*it.summary) == (Severity::Warning, summary))
    );
    assert!(tf.state().instances().all(|(_, it)| !it.is_tainted()));
    expect_state_is_true(&tf, &heygen);
}

#[test]
fn what_the_list_does_not_say_of_an_endpoint_whose_id_was_found_is_null_with_a_warning() {
    let (tf, heygen) = start();
    write(&tf, &url(URL));
    let field = Some("status".to_owned());
    heygen.inject(Rule::on(
        Route::Create,
        Fault::MissingField {
            field: Some("endpoint_id".to_owned()),
        },
    ));
    heygen.inject(Rule::on(Route::List, Fault::MissingField { field }).always());
    let said = tf.apply_unchecked();
    let summaries: Vec<_> = said.iter().map(|it| (it.severity, &*it.summary)).collect();
    let found = "Webhook endpoint created, and its id found in the list";
    let not_described = "Webhook endpoint created, but not described completely";
    assert_eq!(
        summaries,
        [(Severity::Warning, found), (Severity::Warning, not_described)]
    );
    heygen.clear_faults();
    let state = tf.state();
    let a = state.instance(ADDRESS);
    assert_eq!((a.is_tainted(), a.attribute("status")), (false, &Value::Null));
    expect_state_is_true(&tf, &heygen);
    tf.expect_nothing_to_do();
}

/// Why the answer to each creation was of no use, in the order of the endpoints it made.
fn reasons_in_order(heygen: &FakeHeygen) -> Vec<String> {
    let requests = heygen.requests_to(Route::Create);
    let of = |url: &str| {
        let request = requests
            .iter()
            .find(|it| it.body.as_ref().unwrap()["url"] == url)
            .unwrap();
        let why = match request.fault {
            Some("missing_field" | "null_field") => "`data.endpoint_id` is missing",
            Some("wrong_type") => "`data.endpoint_id` is not text",
            other => panic!("{other:?}"),
        };
        format!("{why} (request id {})", request.request_id)
    };
    heygen.endpoints().iter().map(|it| of(&it.url)).collect()
}

#[test]
fn what_is_no_secret_is_an_error_that_keeps_the_id() {
    let (tf, heygen) = start();
    let faults = tells_nothing_of("secret");
    tf.write("main.tf", &format!("{}{}", provider(4), several(faults.len())));
    for fault in faults {
        heygen.inject(Rule::on(Route::Create, fault));
    }
    let failed = tf.apply_expecting_failure();
    assert_eq!(heygen.requests_to(Route::Create).len(), 3);
    assert_eq!(failed.errors().count(), 3, "{failed:#?}");
    for (_, instance) in tf.state().instances() {
        let id = instance.text("id");
        assert!(heygen.endpoint(id).is_some() && instance.is_tainted() && instance.attribute("secret").is_null());
        let error = failed.error(id);
        assert_eq!(error.summary, "Webhook endpoint created without a secret");
        assert_eq!(
            error.detail,
            format!(
                "HeyGen created {id} and did not answer its signing secret, which it shows only once. The endpoint is in \
                 state, marked as tainted: the next apply replaces it."
            )
        );
    }
    tf.apply().none();
    expect_state_is_true(&tf, &heygen);
}

#[test]
fn an_update_is_done_whatever_its_answer_tells_unless_that_is_a_page_for_people() {
    let (tf, heygen) = created(&url(URL));
    let bare = |body| heygen.inject(Rule::on(Route::Update, Fault::BareSuccess { body }));
    for (round, body) in [SuccessBody::NoContent, SuccessBody::Empty, SuccessBody::EmptyObject]
        .into_iter()
        .enumerate()
    {
        let at = format!("{NEW_URL}/{round}");
        write(&tf, &url(&at));
        bare(body);
        tf.apply().none();
        assert_eq!(heygen.endpoints()[0].url, at);
    }
    let before = heygen.endpoints()[0].url.clone();
    write(&tf, &url(URL));
    bare(SuccessBody::Html);
    tf.apply_expecting_failure()
        .error("HeyGen's answer cannot be understood")
        .says("it is not JSON")
        .says("The change may have been made all the same; state keeps the old values, and the next refresh shows which it is.");
    assert_eq!(tf.state().instance(ADDRESS).text("url"), before);
    tf.apply().none();
    assert_eq!(
        (
            heygen.endpoints()[0].url.as_str(),
            tf.state().instance(ADDRESS).text("url")
        ),
        (URL, URL)
    );
    expect_state_is_true(&tf, &heygen);
}

const SOME_EVENTS: &str = "events = [\"batch.finished\"]";

/// An endpoint for some events, whose configuration now asks for all.
fn asked_for_all_events() -> (Workspace, FakeHeygen) {
    let (tf, heygen) = created(&format!("{}\n{SOME_EVENTS}", url(URL)));
    heygen.behave(|it| it.update_answers = Some(SuccessBody::NoContent));
    heygen.clear_requests();
    write(&tf, &url(URL));
    (tf, heygen)
}

#[test]
fn whether_all_events_are_delivered_is_read_off_the_list_where_the_answer_says_nothing() {
    let (tf, heygen) = asked_for_all_events();
    tf.apply_unchecked().none();
    assert_eq!(heygen.requests_to(Route::Update)[0].body, Some(json!({"events": null})));
    assert_eq!(heygen.requests_to(Route::List).len(), 2, "one to refresh, one to see");
    assert_eq!(
        (
            heygen.endpoints()[0].events.as_ref(),
            tf.state().instance(ADDRESS).attribute("events")
        ),
        (None, &Value::Null)
    );
    tf.expect_nothing_to_do();
}

#[test]
fn a_server_that_ignores_null_events_is_found_out_by_its_list() {
    let (tf, heygen) = asked_for_all_events();
    heygen.behave(|it| it.patch_ignores_null_events = true);
    let id = id_in_state(&tf);
    let failed = tf.apply_expecting_failure();
    assert_eq!(
        failed.error("HeyGen kept the list of events").detail,
        format!(
            "{id} was told to receive all events (events = null), and HeyGen still has a list of some for it, so that \
             is what state has too. Replace the endpoint to receive all events: terraform apply -replace=ADDRESS. It gets a new id and a \
             new secret."
        )
    );
    assert_eq!(
        tf.state().instance(ADDRESS).attribute("events"),
        &json!(["batch.finished"])
    );
    assert_eq!(tf.plan().resource(ADDRESS).changed(), ["events"]);
}

#[test]
fn all_events_that_a_creation_answers_as_null_may_be_listed_by_name() {
    let (tf, heygen) = start();
    heygen.behave(|it| it.all_events = AllEvents::Listed);
    write(&tf, &url(URL));
    heygen.inject(Rule::on(
        Route::Create,
        Fault::NullField {
            field: Some("events".to_owned()),
        },
    ));
    tf.apply().none();
    expect_state_is_true(&tf, &heygen);
}

#[test]
fn a_list_of_all_that_heygen_has_left_is_of_all_though_it_lacks_types_known_here() {
    let (tf, heygen) = start();
    heygen.behave(|it| it.all_events = AllEvents::Listed);
    write(&tf, &url(URL));
    tf.apply().none();
    let rotating = format!("{}\nrotate_trigger = \"1\"", url(URL));
    write(&tf, &rotating);
    heygen.behave(|it| {
        it.retired_event_types = vec!["personalized_video".to_owned()];
        it.more_event_types = vec!["hologram.success".to_owned()];
    });
    tf.apply();
    assert_eq!(tf.state().instance(ADDRESS).attribute("events"), &Value::Null);
    assert_eq!(heygen.requests_to(Route::EventTypes).len(), 1);
    expect_state_is_true(&tf, &heygen);
}

#[test]
fn a_list_that_heygen_kept_is_what_state_gets_although_it_is_not_the_one_of_before() {
    let (tf, heygen) = asked_for_all_events();
    heygen.behave(|it| it.patch_ignores_null_events = true);
    let id = id_in_state(&tf);
    let meddled = vec!["avatar_video.fail".to_owned(), "batch.finished".to_owned()];
    heygen.edit_endpoint(&id, |endpoint| endpoint.events = Some(meddled.clone()));
    write(&tf, &format!("{}\nrotate_trigger = \"1\"", url(URL)));
    tf.apply_without_refresh_expecting_failure()
        .error("HeyGen kept the list of events")
        .says("The secret was not rotated either; the apply in which the change succeeds does that as well.");
    assert_eq!(tf.state().instance(ADDRESS).attribute("events"), &json!(meddled));
}

#[test]
fn where_heygens_event_types_cannot_be_read_nobody_says_that_it_kept_a_list() {
    let (tf, heygen) = asked_for_all_events();
    heygen.behave(|it| it.update_answers = None);
    heygen.behave(|it| it.patch_ignores_null_events = true);
    heygen.inject(Rule::on(Route::EventTypes, Fault::Unauthorized));
    let said = tf.apply_unchecked();
    let refused = heygen.requests_to(Route::EventTypes).pop().unwrap().request_id;
    let warning = format!(
        "{} was told to receive all events (events = null). HeyGen accepted that, but the endpoint has a list of events now, \
         and HeyGen's event types could not be read to see whether these are all (listing the webhook event types: the API \
         answered 401 unauthorized: Missing or invalid credentials. (request id {refused}); the credential came from \
         HEYGEN_API_KEY). The next refresh shows what it receives.",
        id_in_state(&tf)
    );
    expect_only_warning(&said, "All events not confirmed", &warning);
}

#[test]
fn all_events_that_neither_answer_nor_list_confirms_are_a_warning() {
    let (tf, heygen) = asked_for_all_events();
    heygen.inject(Rule::on(Route::List, status(500, Effect::None)).after(1).always());
    let said = tf.apply_unchecked();
    let id = id_in_state(&tf);
    let unlisted = heygen.requests_to(Route::List).pop().unwrap().request_id;
    let warning = format!(
        "{id} was told to receive all events (events = null). HeyGen accepted that, but its answer does not say what the \
         endpoint receives now, and the list could not be read to see (listing the webhook endpoints: the API answered 500 \
         internal_error: Something went wrong. (request id {unlisted})). The next refresh shows what it receives."
    );
    expect_only_warning(&said, "All events not confirmed", &warning);
    heygen.clear_faults();
    tf.expect_nothing_to_do();
}

#[test]
fn a_rotation_needs_the_secret_and_nothing_else() {
    let with_trigger = |trigger: &str| format!("{}\nrotate_trigger = \"{trigger}\"", url(URL));
    let (tf, heygen) = created(&with_trigger("0"));
    for fault in tells_nothing_of("endpoint_id") {
        write(&tf, &with_trigger(&format!("{fault:?}").replace('"', "'")));
        heygen.inject(Rule::on(Route::Rotate, fault));
        tf.apply();
        expect_state_is_true(&tf, &heygen);
    }
    for fault in tells_nothing_of("secret") {
        let before = tf.state().instance(ADDRESS).text("secret").to_owned();
        write(&tf, &with_trigger(&format!("{fault:?}").replace('"', "'")));
        heygen.inject(Rule::on(Route::Rotate, fault));
        tf.apply_expecting_failure()
            .error("may have been rotated")
            .says("`data.secret` is missing, or not text");
        assert_eq!(tf.state().instance(ADDRESS).text("secret"), before);
        tf.apply();
        expect_state_is_true(&tf, &heygen);
    }
}

/// Ways in which somebody else's item in the list may be odd, those first that hide its id.
fn oddities() -> [Oddity; 6] {
    [
        Oddity::without("endpoint_id"),
        Oddity::with("endpoint_id", "not/an/id"),
        Oddity::instead(17),
        Oddity::with("url", Value::Null),
        Oddity::with("events", json!([7])),
        Oddity::without("status"),
    ]
}

#[test]
fn somebody_elses_odd_endpoint_matters_to_nobody_and_is_listed_with_nulls_and_one_warning() {
    let (tf, heygen) = start();
    let all = "data \"heygen_webhook_endpoints\" \"all\" {}\n";
    let own = "data \"heygen_webhook_endpoint\" \"own\" {\n  url = heygen_webhook_endpoint.a.url\n  depends_on = \
               [heygen_webhook_endpoint.a]\n}\n";
    tf.write("main.tf", &format!("{}{}{all}{own}", provider(0), endpoint(&url(URL))));
    let foreign: Vec<String> = oddities().map(|oddity| foreign(&heygen, oddity)).into();
    let warning = format!(
        "HeyGen's list has {}, {}, {} and 3 whose ids cannot be read, but what it says about id, url, events, status, \
         created_at is missing or malformed. What cannot be read is null here. Elsewhere null means all events; here it says \
         only that events could not be read.",
        foreign[3], foreign[4], foreign[5]
    );
    let expect_warning =
        |said: &Diagnostics| expect_only_warning(said, "Webhook endpoint not read completely", &warning);
    expect_warning(&tf.apply());
    expect_warning(tf.plan().expect_empty().diagnostics());
    expect_warning(&tf.apply());
    let state = tf.state();
    let listed = state.data("data.heygen_webhook_endpoints.all").attribute("endpoints");
    let field = |name: &str| -> Vec<Value> {
        let items = listed.as_array().unwrap().iter();
        items.map(|item| item[name].clone()).collect()
    };
    let (elsewhere, id) = (json!("https://elsewhere.example.com/hook"), id_in_state(&tf));
    let null = || Value::Null;
    assert_eq!(
        field("id"),
        [
            null(),
            null(),
            null(),
            json!(foreign[3]),
            json!(foreign[4]),
            json!(foreign[5]),
            json!(id)
        ]
    );
    assert_eq!(
        field("url"),
        [
            elsewhere.clone(),
            elsewhere.clone(),
            null(),
            null(),
            elsewhere.clone(),
            elsewhere,
            json!(URL)
        ]
    );
    assert_eq!(field("events"), [const { Value::Null }; 7]);
    let enabled = || json!("enabled");
    assert_eq!(
        field("status"),
        [enabled(), enabled(), null(), enabled(), enabled(), null(), enabled()]
    );
    assert_eq!(state.data("data.heygen_webhook_endpoint.own").text("id"), id);
}

#[test]
fn what_is_missing_in_a_list_with_items_that_cannot_be_told_is_an_error() {
    let (tf, heygen) = created(&url(URL));
    let id = id_in_state(&tf);
    heygen.remove_endpoint(&id).unwrap();
    heygen.advance(PAST_ALL_LAG);
    let [no_id, bad_id, no_object, no_url, ..] = oddities();
    let then = "So the list does not show whether what was looked for is among them. Try again later; if it goes on, report \
                it to HeyGen.";
    let expect_error = |tf: &Workspace, what: &str| {
        let failed = tf.plan_expecting_failure();
        let said: Vec<_> = failed.iter().map(|it| (&*it.summary, &*it.detail)).collect();
        let expected = format!("{what} {then}");
        assert_eq!(said, [("HeyGen's answer cannot be understood", &*expected)]);
    };

    foreign(&heygen, no_id);
    expect_error(
        &tf,
        &format!("Reading webhook endpoint {id}: the list has an item whose id cannot be read."),
    );
    foreign(&heygen, bad_id);
    foreign(&heygen, no_object);
    let of_three = format!("Reading webhook endpoint {id}: the list has 3 items whose ids cannot be read.");
    expect_error(&tf, &of_three);
    assert_eq!(id_in_state(&tf), id, "state keeps it");

    let elsewhere = Workspace::new(Engine::from_path()).against(&heygen.base_url(), heygen.api_key());
    let data = |lookup: &str| {
        format!(
            "{}data \"heygen_webhook_endpoint\" \"a\" {{\n{lookup}\n}}\n",
            provider(0)
        )
    };
    elsewhere.write("main.tf", &data(&format!("id = \"{id}\"")));
    expect_error(&elsewhere, &of_three);
    let by_url = data(&url(URL));
    elsewhere.write("main.tf", &by_url);
    expect_error(
        &elsewhere,
        "Listing the webhook endpoints: the list has 3 items whose ids or URLs cannot be read.",
    );
    elsewhere.write("main.tf", &format!("{}{}", provider(0), endpoint(&url(URL))));
    let imported = elsewhere.run_ready(&["import", ADDRESS, &id]).expect_failure().text();
    assert!(imported.contains("HeyGen's answer cannot be understood"), "{imported}");

    // Whose URL cannot be read may have any, and no other id.
    for odd in heygen.endpoints() {
        heygen.remove_endpoint(&odd.endpoint_id);
    }
    foreign(&heygen, no_url);
    elsewhere.write("main.tf", &by_url);
    expect_error(
        &elsewhere,
        "Listing the webhook endpoints: the list has an item whose id or URL cannot be read.",
    );
    assert_eq!(tf.plan().resource(ADDRESS).action(), Action::Create);
}

#[test]
fn ones_own_endpoint_without_an_id_that_can_be_read_is_not_gone() {
    let (tf, heygen) = created(&url(URL));
    let id = id_in_state(&tf);
    heygen.advance(PAST_ALL_LAG);
    for oddity in &oddities()[..3] {
        heygen.make_odd(&id, Some(oddity.clone()));
        tf.plan_expecting_failure()
            .error("the list has an item whose id cannot be read");
        assert_eq!(id_in_state(&tf), id);
    }
    heygen.make_odd(&id, None);
    tf.expect_nothing_to_do();
}

#[test]
fn for_an_odd_field_of_ones_own_state_keeps_its_value_with_a_warning() {
    let (tf, heygen) = created(&format!("{}\n{SOME_EVENTS}", url(URL)));
    let id = id_in_state(&tf);
    for (field, oddity) in [
        ("url", Oddity::with("url", Value::Null)),
        ("url", Oddity::without("url")),
        ("events", Oddity::with("events", json!({}))),
        ("events", Oddity::with("events", json!(["batch.finished", null]))),
        ("status", Oddity::with("status", true)),
        ("created_at", Oddity::without("created_at")),
    ] {
        heygen.make_odd(&id, Some(oddity));
        let before = tf.state().instance(ADDRESS).attribute(field).clone();
        let plan = tf.plan();
        let warning = format!(
            "HeyGen's list has {id}, but what it says about {field} is missing or malformed. State keeps the value that it \
             had; changes made there elsewhere are not seen."
        );
        expect_only_warning(
            plan.expect_empty().diagnostics(),
            "Webhook endpoint not read completely",
            &warning,
        );
        tf.apply();
        assert_eq!(tf.state().instance(ADDRESS).attribute(field), &before);
    }
    expect_state_is_true(&tf, &heygen);
}

#[test]
fn an_odd_field_is_said_to_be_null_after_an_import() {
    let (tf, heygen) = start();
    let id = foreign(&heygen, Oddity::without("status"));
    write(&tf, &url("https://elsewhere.example.com/hook"));
    let imported = tf.import(ADDRESS, &id).text();
    assert!(imported.contains("State has null there"), "{imported}");
    assert_eq!(tf.state().instance(ADDRESS).attribute("status"), &Value::Null);
}

#[test]
fn event_types_and_events_with_odd_fields_are_listed_with_nulls() {
    let (tf, heygen) = start();
    heygen.record_event("batch.finished", Map::from_iter([("n".to_owned(), json!(1))]), None);
    tf.write(
        "main.tf",
        "data \"heygen_webhook_event_types\" \"a\" {}\ndata \"heygen_webhook_events\" \"a\" {}\n",
    );
    for (route, source, list, fields) in [
        (
            Route::EventTypes,
            "event_types",
            "event_types",
            &["event_type", "description"][..],
        ),
        (
            Route::Events,
            "events",
            "events",
            &["event_id", "event_type", "event_data", "created_at"],
        ),
    ] {
        for field in fields {
            for fault in tells_nothing_of(field) {
                heygen.inject(Rule::on(route, fault.clone()).times(1));
                tf.run_ready(&["apply", "-auto-approve"]).expect_success();
                let state = tf.state();
                let first = &state.data(&format!("data.heygen_webhook_{source}.a")).attribute(list)[0];
                for other in fields {
                    assert_eq!(first[other].is_null(), other == field, "{fault:?}: {first}");
                }
            }
        }
    }
}
