//! Taking over endpoints that exist already.

use serde_json::{Value, json};

use super::{ADDRESS, endpoint, expect_current_secret, with_account};
use crate::fake_heygen::{FakeHeygen, NewEndpoint, Route};
use crate::support::engine::{Version, for_each_engine};
use crate::support::plan::Action;

/// An endpoint that nobody manages yet.
fn existing(heygen: &FakeHeygen) -> String {
    let new = NewEndpoint {
        url: "https://hooks.example.com/heygen".to_owned(),
        events: Some(vec!["batch.finished".to_owned()]),
        entity_id: Some("project-7".to_owned()),
    };
    heygen.put_endpoint(new).endpoint_id
}

const CONFIGURATION: &str = "url = \"https://hooks.example.com/heygen\"\nevents = [\"batch.finished\"]";

for_each_engine! {
    fn an_imported_endpoint_plans_to_nothing_and_warns_of_its_secret(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        let id = existing(&heygen);
        tf.write("main.tf", &endpoint(CONFIGURATION));
        let output = tf.import(ADDRESS, &id).text();
        assert_eq!(output.matches("The signing secret cannot be imported").count(), 1, "{output}");
        assert!(output.contains("rotate_trigger"), "{output}");

        let state = tf.state();
        let a = state.instance(ADDRESS);
        assert_eq!(a.text("id"), id);
        for unknowable in ["secret", "entity_id", "rotate_trigger"] {
            assert_eq!(a.attribute(unknowable), &Value::Null, "{unknowable}");
        }
        tf.expect_nothing_to_do();
        assert!(heygen.requests().iter().all(|request| request.method == "GET"));
    }

    fn an_entity_is_adopted_after_an_import_without_a_call_and_replaces_afterwards(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        let id = existing(&heygen);
        tf.write("main.tf", &endpoint(&format!("{CONFIGURATION}\nentity_id = \"project-7\"")));
        tf.import(ADDRESS, &id);
        let plan = tf.plan();
        let a = plan.resource(ADDRESS);
        assert_eq!((a.action(), a.changed()), (Action::Update, vec!["entity_id"]));
        tf.apply().none();
        assert!(heygen.requests().iter().all(|request| request.method == "GET"));
        assert_eq!(tf.state().instance(ADDRESS).text("entity_id"), "project-7");

        tf.write("main.tf", &endpoint(&format!("{CONFIGURATION}\nentity_id = \"project-8\"")));
        assert_eq!(tf.plan().resource(ADDRESS).action(), Action::Replace);
    }

    fn the_first_trigger_after_an_import_mints_a_secret(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        let id = existing(&heygen);
        tf.write("main.tf", &endpoint(CONFIGURATION));
        tf.import(ADDRESS, &id);
        tf.write("main.tf", &endpoint(&format!("{CONFIGURATION}\nrotate_trigger = \"1\"")));
        let plan = tf.plan();
        assert_eq!(plan.resource(ADDRESS).unknown(), ["secret"]);
        tf.apply();
        expect_current_secret(&tf, &heygen);
        assert_eq!(heygen.requests_to(Route::Rotate).len(), 1);
    }

    fn an_import_block_takes_an_endpoint_over_in_the_same_apply(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        let id = existing(&heygen);
        tf.write("main.tf", &endpoint(&format!("{CONFIGURATION}\nrotate_trigger = \"1\"\nentity_id = \"project-7\"")));
        tf.write("import.tf", &format!("import {{\n  to = {ADDRESS}\n  id = \"{id}\"\n}}\n"));
        let plan = tf.plan();
        let a = plan.resource(ADDRESS);
        assert_eq!((a.action(), a.changed()), (Action::Update, vec!["entity_id", "rotate_trigger", "secret"]));
        plan.diagnostics().warning("The signing secret cannot be imported");
        tf.apply();
        assert_eq!(heygen.endpoints().len(), 1);
        expect_current_secret(&tf, &heygen);
    }

    fn an_import_by_identity_is_the_same(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        let id = existing(&heygen);
        tf.write("main.tf", &endpoint(CONFIGURATION));
        tf.write("import.tf", &format!("import {{\n  to = {ADDRESS}\n  identity = {{ id = \"{id}\" }}\n}}\n"));
        if tf.engine().version() < Version(1, 12, 0) {
            // Identity came with 1.12: before, the block itself is refused.
            let refused = tf.run(&["init"]).expect_failure().text();
            assert!(refused.contains("An argument named \"identity\" is not expected here"), "{refused}");
            return;
        }
        let plan = tf.plan();
        assert_eq!(plan.changes(), []);
        tf.apply();
        let state = tf.state();
        assert_eq!(state.instance(ADDRESS).text("id"), id);
        assert_eq!(state.instance(ADDRESS).identity(), &json!({"id": id}));
    }

    fn what_cannot_be_imported_is_an_error(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        existing(&heygen);
        tf.write("main.tf", &endpoint(CONFIGURATION));
        for (id, error) in [("ep_missing", "No such webhook endpoint"), ("../ep", "Not an endpoint id")] {
            tf.init();
            let output = tf.run(&["import", ADDRESS, id]).expect_failure().text();
            assert!(output.contains(error), "{output}");
        }
        assert!(tf.state().addresses().is_empty());
    }
}
