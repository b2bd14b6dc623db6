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
        assert_eq!(
            plan.diagnostics().warning("The signing secret cannot be imported").detail,
            "HeyGen shows the secret of an endpoint only when it is created or rotated. So secret is null in state for every \
             endpoint that is imported in this run. To mint a new one, set rotate_trigger to any value and apply (where the \
             configuration sets it already, the next apply does so); the old secret stops working at that moment. Unless you \
             need the secret in Terraform, leave it as it is: deliveries go on."
        );
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

    fn the_warning_about_secrets_comes_once_however_many_are_imported(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        heygen.put_many(150, "many");
        let urls = heygen.endpoints().into_iter().map(|it| format!("    {} = \"{}\"\n", it.endpoint_id, it.url));
        let urls: String = urls.collect();
        tf.write("main.tf", &(format!("locals {{\n  urls = {{\n{urls}  }}\n}}\n") + &endpoint("for_each = local.urls\nurl = each.value")));
        let by_identity = ["identity = { id = each.key }"];
        let by = by_identity.iter().filter(|_| tf.engine().version() >= Version(1, 12, 0)).chain(&["id = each.key"]);
        for by in by {
            tf.write("import.tf", &format!("import {{\n  for_each = local.urls\n  to = {ADDRESS}[each.key]\n  {by}\n}}\n"));
            heygen.clear_requests();
            let planned = tf.run_ready(&["plan", "-out=tfplan"]).expect_success().text();
            assert!(planned.contains("150 to import, 0 to add, 0 to change, 0 to destroy"), "{planned}");
            assert_eq!(planned.matches("The signing secret cannot be imported").count(), 1, "{planned}");
            assert!(!planned.contains("more similar warning"), "{planned}");
            assert_eq!(heygen.requests_to(Route::List).len(), 2);
            let applied = tf.run(&["apply", "tfplan"]).expect_success().text();
            assert!(!applied.contains("cannot be imported"), "it has been said: {applied}");
            tf.expect_nothing_to_do();
            assert_eq!(tf.state().addresses().len(), 150);
            std::fs::remove_file(tf.directory().join("terraform.tfstate")).unwrap();
        }
    }

    fn what_cannot_be_an_id_is_quoted_and_what_is_wrong_with_it_is_named(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        tf.write("main.tf", &endpoint(CONFIGURATION));
        tf.init();
        for (id, says) in [
            ("../ep", "\"../ep\" cannot be imported: it holds the character `/`, which no id can have."),
            ("ep 1", "\"ep 1\" cannot be imported: it holds a space, which no id can have."),
            ("ep\u{200b}1", "\"ep\\u{200b}1\" cannot be imported: it holds the character U+200B, which no id can have."),
            ("..", "\"..\" cannot be imported: it consists of dots alone."),
        ] {
            let output = tf.run(&["import", ADDRESS, id]).expect_failure();
            let expected = format!("Error: Not an endpoint id {says} Give HeyGen's endpoint_id.");
            assert!(output.messages().contains(&expected), "{output:?}");
        }
        // A key given by mistake. Terraform itself repeats what it was given on the other stream.
        for (id, says) in [
            (heygen.api_key().to_owned(), "has no endpoint [redacted]. Check the id, and that the credentials are of its account."),
            (format!("{}/x", heygen.api_key()), "\"[redacted]/x\" cannot be imported"),
        ] {
            let output = tf.run(&["import", ADDRESS, &id]).expect_failure();
            assert!(output.messages().contains(says), "{output:?}");
            assert!(!output.stderr.contains(heygen.api_key()), "{output:?}");
        }
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
