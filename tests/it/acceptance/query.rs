//! `terraform query`, which Terraform has since 1.14: run by the pinned 1.15.

use std::fs;

use serde_json::{Value, json};

use super::{ADDRESS, endpoint, with_account};
use crate::fake_heygen::{BodyShape, Effect, FakeHeygen, Fault, NewEndpoint, Oddity, Route, Rule};
use crate::support::diagnostics::Diagnostics;
use crate::support::engine::{Engine, for_each_engine};
use crate::support::terraform::Workspace;

const LIST: &str = "list.heygen_webhook_endpoint.a";
const OTHER: &str = "list.heygen_webhook_endpoint.b";

/// An empty account, and an engine that can query.
fn account() -> (Workspace, FakeHeygen) {
    with_account(Workspace::new(Engine::terraform_1_15()))
}

/// The list block of this name, with these arguments and these filters.
fn list(name: &str, arguments: &str, filters: &str) -> String {
    format!(
        "list \"heygen_webhook_endpoint\" \"{name}\" {{\nprovider = heygen\n{arguments}\nconfig {{\n{filters}\n}}\n}}\n"
    )
}

/// Writes the one list block `a`.
fn write(tf: &Workspace, arguments: &str, filters: &str) {
    tf.write("all.tfquery.hcl", &list("a", arguments, filters));
}

fn elsewhere(heygen: &FakeHeygen, url: &str, events: Option<&[&str]>) -> String {
    let new = NewEndpoint {
        url: url.to_owned(),
        events: events.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
        entity_id: Some("project-7".to_owned()),
    };
    heygen.put_endpoint(new).endpoint_id
}

/// How often the list was asked for, and that nothing else was. Forgets it.
#[track_caller]
fn list_calls(heygen: &FakeHeygen) -> usize {
    let calls = heygen.requests_to(Route::List).len();
    assert_eq!(heygen.requests().len(), calls, "nothing else is called");
    heygen.clear_requests();
    calls
}

#[track_caller]
fn expect_no_secret(text: &str, heygen: &FakeHeygen) {
    for endpoint in heygen.endpoints() {
        assert!(!text.contains(&endpoint.secret));
    }
    assert!(!text.contains("whsec_") && !text.contains(heygen.api_key()), "{text}");
}

/// One endpoint that is managed, and 249 that are not: two have one URL, one is disabled.
fn account_of_250() -> (Workspace, FakeHeygen) {
    let (tf, heygen) = account();
    tf.write("main.tf", &endpoint("url = \"https://managed.example.com/hook\""));
    tf.apply().none();
    for _ in 0..2 {
        elsewhere(
            &heygen,
            "https://twin.example.com/hook",
            Some(&["batch.finished", "video_agent.fail"]),
        );
    }
    let off = elsewhere(
        &heygen,
        "https://off.example.com/${hook}?a=%{b}",
        Some(&["batch.finished"]),
    );
    heygen.disable_endpoint(&off);
    heygen.put_many(246, "many");
    assert_eq!(heygen.endpoints().len(), 250);
    heygen.clear_requests();
    (tf, heygen)
}

#[test]
fn an_account_is_listed_for_people_and_for_programs() {
    let (tf, heygen) = account_of_250();
    write(&tf, "limit = 1000", "");
    let printed = tf.run_ready(&["query"]).expect_success();
    assert_eq!(list_calls(&heygen), 3);
    assert_eq!(
        printed.stdout.lines().filter(|line| line.starts_with(LIST)).count(),
        250
    );
    for endpoint in heygen.endpoints() {
        assert_eq!(
            printed.stdout.matches(&format!("id={} ", endpoint.endpoint_id)).count(),
            1
        );
    }
    let twins = printed.stdout.matches("   https://twin.example.com/hook (2 events)\n");
    assert_eq!(twins.count(), 2);
    let off = "   https://off.example.com/${hook}?… (1 event), disabled\n";
    assert_eq!(printed.stdout.matches(off).count(), 1);
    assert!(!printed.text().contains("Warning"), "{printed:?}");
    expect_no_secret(&printed.text(), &heygen);

    let told = tf.query();
    assert_eq!(list_calls(&heygen), 3);
    told.diagnostics.none();
    assert_eq!(told.totals, [(LIST.to_owned(), 250)]);
    let expected: Vec<_> = heygen.endpoints().into_iter().map(|it| it.endpoint_id).collect();
    assert_eq!(told.ids(), expected);
    for found in &told.results {
        assert_eq!((&*found.address, &found.object), (LIST, &Value::Null));
        let whole = json!({"id": found.identity["id"]});
        assert_eq!(found.identity, whole);
    }
    assert_eq!(
        told.result(&expected[0]).display_name,
        "https://managed.example.com/hook (all events)"
    );

    write(&tf, "limit = 1000\ninclude_resource = true", "");
    let told = tf.query();
    assert_eq!(list_calls(&heygen), 3);
    let state = tf.state();
    for attribute in ["id", "url", "events", "status", "created_at"] {
        let listed = &told.result(&expected[0]).object[attribute];
        assert_eq!(listed, state.instance(ADDRESS).attribute(attribute), "{attribute}");
    }
    for found in &told.results {
        assert_eq!(
            (&found.object["secret"], &found.object["id"]),
            (&Value::Null, &found.identity["id"])
        );
    }
    expect_no_secret(&told.output.text(), &heygen);
}

#[test]
fn what_is_generated_of_an_account_is_imported_and_plans_to_nothing() {
    let (tf, heygen) = account_of_250();
    let blocks = [("many", "many-"), ("twins", "twin."), ("off", "off.")];
    let blocks = blocks.map(|(name, begins)| list(name, "limit = 1000", &format!("url_prefix = \"https://{begins}\"")));
    tf.write("all.tfquery.hcl", &blocks.join("\n"));
    let told = tf.query_with(&["-generate-config-out=generated.tf"]);
    assert_eq!(list_calls(&heygen), 3, "the blocks share one walk");
    told.diagnostics.none();
    assert_eq!(told.results.len(), 249);
    assert!(told.results.iter().all(|found| found.config.is_some()));
    let generated = fs::read_to_string(tf.directory().join("generated.tf")).unwrap();
    assert_eq!(generated.matches("resource \"heygen_webhook_endpoint\"").count(), 249);
    for computed in ["secret", "status", "created_at"] {
        assert!(
            !generated.contains(&format!("  {computed} ")),
            "{computed} is not for a configuration to say"
        );
    }
    expect_no_secret(&(generated + &told.output.text()), &heygen);

    let planned = tf.run_ready(&["plan", "-out=tfplan"]).expect_success();
    assert_eq!(list_calls(&heygen), 3);
    let says = "Plan: 249 to import, 0 to add, 0 to change, 0 to destroy.";
    assert!(planned.text().contains(says), "{planned:?}");
    tf.run(&["apply", "tfplan"]).expect_success();
    assert_eq!(tf.state().addresses().len(), 250);
    assert!(heygen.requests().iter().all(|request| request.method == "GET"));
    tf.expect_nothing_to_do();
    assert_eq!(
        tf.state()
            .instance("heygen_webhook_endpoint.twins_0")
            .attribute("entity_id"),
        &Value::Null
    );
}

for_each_engine! {
    fn a_plan_generates_the_same_for_an_import_block(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        let id = elsewhere(&heygen, "https://hooks.example.com/heygen", Some(&["video_agent.fail", "batch.finished"]));
        tf.write("import.tf", &format!("import {{\n  to = {ADDRESS}\n  id = \"{id}\"\n}}\n"));
        let planned = tf.run_ready(&["plan", "-generate-config-out=generated.tf"]).expect_success().text();
        assert!(planned.contains("1 to import, 0 to add, 0 to change, 0 to destroy"), "{planned}");
        let generated = fs::read_to_string(tf.directory().join("generated.tf")).unwrap();
        let arguments = generated.lines().filter_map(|line| line.split_once(" = "));
        let arguments: Vec<_> = arguments.map(|(name, value)| (name.trim(), value)).collect();
        assert_eq!(arguments, [
            ("entity_id", "null"),
            ("events", "[\"batch.finished\", \"video_agent.fail\"]"),
            ("replace_when_disabled", "null"),
            ("rotate_trigger", "null"),
            ("url", "\"https://hooks.example.com/heygen\""),
        ]);
        tf.apply();
        assert_eq!(heygen.endpoints().len(), 1);
    }
}

#[test]
fn the_limit_is_kept_and_said_to_be_reached() {
    let (tf, heygen) = account();
    heygen.put_many(250, "many");
    for (arguments, shown, calls, warns) in [
        ("", 100, 1, true),
        ("limit = 0", 0, 0, false),
        ("limit = 7", 7, 1, true),
        ("limit = 101", 101, 2, true),
        ("limit = 250", 250, 3, false),
    ] {
        write(&tf, arguments, "");
        let told = tf.query();
        assert_eq!((told.results.len(), list_calls(&heygen)), (shown, calls), "{arguments}");
        if warns {
            let warning = told.diagnostics.warning("More results than the limit");
            assert!(warning.is_in(LIST), "{warning:?}");
            warning
                .says(&format!("This list block shows {shown}, which is its limit."))
                .says("set limit");
        } else {
            assert!(!told.output.text().contains("which is its limit"), "{:?}", told.output);
        }
    }
    write(&tf, "limit = 7", "status = \"enabled\"");
    let told = tf.query();
    told.diagnostics
        .warning("More results than the limit")
        .says("there may be others");
    write(&tf, "limit = 100", "status = \"enabled\"");
    tf.query()
        .diagnostics
        .warning("Perhaps more results than the limit")
        .says("there may be more");
}

#[test]
fn filters_may_come_from_variables_and_from_what_others_have_found() {
    let (tf, heygen) = account();
    let a = elsewhere(&heygen, "https://a.example.com/", Some(&["batch.finished"]));
    let b = elsewhere(&heygen, "https://b.example.com/", None);
    heygen.disable_endpoint(&b);
    let variable = "variable \"only\" {\n  type = string\n  default = null\n}\n";
    let filters = "url_prefix = var.only\nevent = var.only\nstatus = var.only";
    tf.write("all.tfquery.hcl", &(variable.to_owned() + &list("a", "", filters)));
    assert_eq!(tf.query().ids(), [&*a, &*b], "null is no filter");
    tf.write(
        "all.tfquery.hcl",
        &(variable.to_owned() + &list("a", "", "status = var.only")),
    );
    assert_eq!(tf.query_with(&["-var=only=disabled"]).ids(), [&*b]);
    let without_config = "list \"heygen_webhook_endpoint\" \"a\" {\n  provider = heygen\n}\n";
    tf.write("all.tfquery.hcl", without_config);
    assert_eq!(tf.query().ids(), [&*a, &*b]);
    heygen.clear_requests();
    let found = "url_prefix = list.heygen_webhook_endpoint.a.data[0].state.url";
    let first = list("a", "include_resource = true", "event = \"batch.finished\"");
    tf.write("all.tfquery.hcl", &(first + &list("b", "", found)));
    let told = tf.query();
    let of_b: Vec<_> = told.results.iter().filter(|found| found.address == OTHER).collect();
    assert_eq!(of_b.len(), 1);
    assert_eq!(of_b[0].identity["id"], a);
    assert_eq!(list_calls(&heygen), 1);
}

#[test]
fn a_bad_filter_is_an_error_at_its_line_before_any_call() {
    let (tf, heygen) = account();
    for (filters, summary, attribute) in [
        ("event = \"\"", "Empty filter", "event"),
        ("status = \"\"", "Empty filter", "status"),
    ] {
        write(&tf, "", filters);
        let validated = tf.run_ready(&["validate", "-query", "-json"]).expect_failure();
        let validated = serde_json::from_str::<Value>(&validated.stdout).unwrap();
        Diagnostics::from_list(&validated["diagnostics"])
            .error(summary)
            .at(LIST, attribute);
        tf.query_expecting_failure()
            .diagnostics
            .error(summary)
            .at(LIST, attribute);
    }
    // Known only when it is listed.
    let variable = "variable \"event\" {\n  type = string\n}\n".to_owned();
    tf.write("all.tfquery.hcl", &(variable + &list("a", "", "event = var.event")));
    tf.run(&["validate", "-query"]).expect_success();
    let tf = tf.with_env("TF_VAR_event", "");
    tf.query_expecting_failure()
        .diagnostics
        .error("Empty filter")
        .at(LIST, "event");
    assert!(heygen.requests().is_empty());
}

#[test]
fn a_block_that_fails_shows_nothing_and_the_others_go_on() {
    let (tf, heygen) = account();
    let tf = tf.with_env("HEYGEN_MAX_RETRIES", "0");
    heygen.put_many(150, "many");
    let failing = Fault::Status {
        status: 500,
        body: BodyShape::Json,
        effect: Effect::None,
    };
    heygen.inject(Rule::on(Route::List, failing).after(1).times(9));
    tf.write(
        "all.tfquery.hcl",
        &(list("a", "limit = 1000", "") + &list("b", "limit = 5", "")),
    );
    let told = tf.query_expecting_failure();
    let error = told.diagnostics.error("HeyGen failed");
    assert!(error.is_in(LIST), "{error:?}");
    assert_eq!(told.results.len(), 5);
    assert!(told.results.iter().all(|found| found.address == OTHER));
}

#[test]
fn what_is_odd_about_an_endpoint_is_said_and_never_guessed() {
    let (tf, heygen) = account();
    let odd = elsewhere(&heygen, "https://odd.example.com/", Some(&["batch.finished"]));
    heygen.make_odd(&odd, Some(Oddity::with("events", 17)));
    let none = elsewhere(&heygen, "https://none.example.com/", Some(&[]));
    elsewhere(&heygen, "https://good.example.com/", None);
    write(&tf, "", "event = \"batch.finished\"");
    let told = tf.query();
    let warning = told
        .diagnostics
        .warning("Webhook endpoint listed, though it may not match");
    warning.at(LIST, "event").says(&odd);
    assert_eq!(told.results.len(), 2);

    write(&tf, "", "");
    let told = tf.query_with(&["-generate-config-out=generated.tf"]);
    told.diagnostics
        .warning("Webhook endpoint not read completely")
        .says(&odd);
    told.diagnostics
        .warning("Webhook endpoint cannot be configured as it is")
        .says(&none);
    assert_eq!(told.results.len(), 3);
    // A plan refuses both, and so nobody gives the odd one all events.
    let said = tf.plan_expecting_failure();
    said.error("Missing required argument")
        .at("heygen_webhook_endpoint.a_0", "url");
    said.error("No events").at("heygen_webhook_endpoint.a_1", "events");
    assert_eq!(said.errors().count(), 2);

    fs::remove_file(tf.directory().join("generated.tf")).unwrap();
    let nameless = elsewhere(&heygen, "https://nameless.example.com/", None);
    heygen.make_odd(&nameless, Some(Oddity::without("endpoint_id")));
    heygen.make_odd(&odd, None);
    let told = tf.query_with(&["-generate-config-out=generated.tf"]);
    let warning = told.diagnostics.warning("A webhook endpoint without a readable id");
    assert!(warning.is_in(LIST), "{warning:?}");
    warning.says(
        "HeyGen's list has an endpoint whose id is missing or malformed (its URL: https://nameless.example.com/).",
    );
    assert_eq!(told.results.len(), 3, "the others are listed and generated");
    assert!(told.results.iter().all(|found| found.config.is_some()));
    assert!(told.result(&odd).display_name.contains("odd.example.com"));
}
