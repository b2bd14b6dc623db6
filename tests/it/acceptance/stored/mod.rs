//! State files as released versions wrote them, with private data as it is in them. Every later version reads them all:
//! a folder for each version, to which nothing is ever changed. (`before-0.1.0` holds what was written before private
//! data had a version, by an engine without identities.)

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{ADDRESS, endpoint, expect_current_secret, id_in_state, with_account};
use crate::fake_heygen::{AllEvents, FakeHeygen, NewEndpoint, Route};
use crate::support::engine::{Version, for_each_engine};
use crate::support::plan::Action;
use crate::support::terraform::Workspace;

const URL: &str = "url = \"https://hooks.example.com/heygen\"";

/// The state files of this name, of every version.
fn stored(name: &str) -> Vec<Value> {
    let states = stored_by(name, |_| true);
    assert!(states.len() >= 2, "the stored states are not found");
    states
}

/// The same of what was not written before 0.1.0.
fn stored_since_0_1_0(name: &str) -> Vec<Value> {
    let states = stored_by(name, |version| !version.ends_with("before-0.1.0"));
    assert!(!states.is_empty(), "the stored states are not found");
    states
}

fn stored_by(name: &str, version: impl Fn(&Path) -> bool) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/acceptance/stored");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = entries
        .filter(|path| path.is_dir() && version(path))
        .map(|version| fs::read(version.join(name).with_extension("tfstate")).unwrap())
        .collect();
    files.iter().map(|file| serde_json::from_slice(file).unwrap()).collect()
}

/// Puts the state file where the engine finds it, and the endpoint it tells of into the account.
fn put(tf: &Workspace, heygen: &FakeHeygen, mut state: Value) {
    let attributes = &mut state["resources"][0]["instances"][0]["attributes"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let id = heygen
        .put_endpoint(NewEndpoint {
            url: text(&attributes["url"]).unwrap(),
            events: serde_json::from_value(attributes["events"].clone()).unwrap(),
            entity_id: text(&attributes["entity_id"]),
        })
        .endpoint_id;
    heygen.edit_endpoint(&id, |endpoint| {
        endpoint.created_at = OffsetDateTime::parse(attributes["created_at"].as_str().unwrap(), &Rfc3339).unwrap();
        if let Some(secret) = text(&attributes["secret"]) {
            endpoint.secret = secret;
        }
    });
    attributes["id"] = json!(id);
    let identity = &mut state["resources"][0]["instances"][0]["identity"];
    if !identity.is_null() {
        *identity = json!({ "id": id });
    }
    tf.write("terraform.tfstate", &state.to_string());
}

/// Fails unless the endpoint in state has its identity, where the engine stores identities.
#[track_caller]
fn expect_identity(tf: &Workspace) {
    if tf.engine().version() >= Version(1, 12, 0) {
        let state = tf.state();
        let a = state.instance(ADDRESS);
        assert_eq!(a.identity(), &json!({ "id": a.text("id") }));
    }
}

for_each_engine! {
    fn a_plain_endpoint_plans_to_nothing_and_can_be_edited(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        let of = |events: &str| endpoint(&format!("{URL}\nevents = {events}\nentity_id = \"project-7\"\nrotate_trigger = \"2026-07\""));
        for state in stored("plain") {
            put(&tf, &heygen, state);
            tf.write("main.tf", &of("[\"batch.finished\", \"avatar_video.success\"]"));
            tf.plan().expect_empty();
            tf.plan_with(&["-refresh=false"]).expect_empty();
            let id = id_in_state(&tf);
            tf.write("main.tf", &of("[\"batch.finished\"]"));
            tf.apply().none();
            assert_eq!(id_in_state(&tf), id);
            expect_identity(&tf);
            expect_current_secret(&tf, &heygen);
        }
    }

    fn an_update_without_a_refresh_stores_the_identity_that_was_not_there(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        for state in stored("plain") {
            put(&tf, &heygen, state);
            tf.write("main.tf", &endpoint(&format!("{URL}\nentity_id = \"project-7\"")));
            let output = tf.run_ready(&["apply", "-auto-approve", "-refresh=false"]);
            output.expect_success();
            expect_identity(&tf);
        }
    }

    fn all_events_that_were_answered_spelled_out_are_still_all_events(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        heygen.behave(|b| (b.all_events, b.shuffle_events) = (AllEvents::Listed, true));
        tf.write("main.tf", &endpoint(URL));
        for state in stored("all_events_spelled_out") {
            put(&tf, &heygen, state);
            tf.apply().none();
            assert_eq!(tf.state().instance(ADDRESS).attribute("events"), &Value::Null);
        }
        assert!(heygen.requests().iter().all(|request| request.method == "GET"));
    }

    fn all_events_that_no_answer_has_told_yet_are_still_recognised(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        heygen.behave(|b| b.all_events = AllEvents::Listed);
        tf.write("main.tf", &endpoint(URL));
        for state in stored_since_0_1_0("all_events_not_answered") {
            put(&tf, &heygen, state);
            tf.apply().none();
            assert_eq!(tf.state().instance(ADDRESS).attribute("events"), &Value::Null);
        }
        assert!(heygen.requests().iter().all(|request| request.method == "GET"));
    }

    fn the_entity_of_an_imported_endpoint_is_still_adopted(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        tf.write("main.tf", &endpoint(&format!("{URL}\nevents = [\"batch.finished\"]\nentity_id = \"project-7\"")));
        for state in stored("imported") {
            put(&tf, &heygen, state);
            let plan = tf.plan();
            let a = plan.resource(ADDRESS);
            assert_eq!((a.action(), a.changed()), (Action::Update, vec!["entity_id"]));
            tf.apply().none();
            assert_eq!(tf.state().instance(ADDRESS).text("entity_id"), "project-7");
        }
        assert!(heygen.requests().iter().all(|request| request.method == "GET"));
    }

    fn a_rotation_that_was_never_answered_is_still_done_again(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        tf.write("main.tf", &endpoint(&format!("{URL}\nrotate_trigger = \"2026-07\"")));
        for state in stored("rotation_unsettled") {
            put(&tf, &heygen, state);
            heygen.rotate(&id_in_state(&tf));
            heygen.clear_requests();
            let plan = tf.plan();
            assert_eq!(plan.resource(ADDRESS).changed(), ["secret"]);
            plan.diagnostics().warning("rotated again").at(ADDRESS, "rotate_trigger");
            tf.apply();
            assert_eq!(heygen.requests_to(Route::Rotate).len(), 1);
            expect_current_secret(&tf, &heygen);
        }
    }

    fn private_data_that_cannot_be_read_is_an_error_and_can_still_be_destroyed(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        let plain = endpoint(&format!("{URL}\nevents = [\"batch.finished\", \"avatar_video.success\"]\nentity_id = \"project-7\"\nrotate_trigger = \"2026-07\""));
        // `[]`, and a version that is not written yet.
        for (private, error) in [("W10=", "The private data in state cannot be read"), ("eyJ2ZXJzaW9uIjoyfQ==", "Private data of a newer provider")] {
            for mut state in stored("plain") {
                state["resources"][0]["instances"][0]["private"] = json!(private);
                put(&tf, &heygen, state);
                tf.write("main.tf", &plain);
                let failed = tf.plan_expecting_failure();
                failed.error(error);
                assert_eq!(failed.errors().count(), 1, "{failed:?}");
                let output = tf.run_ready(&["destroy", "-auto-approve", "-refresh=false"]);
                output.expect_success();
                assert!(heygen.endpoints().is_empty());
            }
        }
    }
}
