//! Create, read, update, delete, and what happens behind Terraform's back.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ADDRESS, endpoint, expect_current_secret, id_in_state, with_account};
use crate::fake_heygen::Route;
use crate::support::engine::{Version, for_each_engine};
use crate::support::plan::Action;

const URL: &str = r#"url = "https://hooks.example.com/heygen""#;

for_each_engine! {
    fn a_created_endpoint_is_in_state_whole_and_plans_to_nothing(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        tf.write("main.tf", &endpoint(r#"
            url       = "https://hooks.example.com/heygen"
            events    = ["avatar_video.success", "avatar_video.fail"]
            entity_id = "project-7"
        "#));

        let plan = tf.plan();
        let a = plan.resource(ADDRESS);
        assert_eq!(a.action(), Action::Create);
        assert_eq!(a.unknown(), ["created_at", "id", "secret", "status"]);
        assert!(a.sensitive().contains(&"secret"));

        tf.apply().none();
        let state = tf.state();
        let a = state.instance(ADDRESS);
        let at_heygen = &heygen.endpoints()[0];
        assert_eq!(a.text("id"), at_heygen.endpoint_id);
        assert_eq!(a.text("url"), "https://hooks.example.com/heygen");
        assert_eq!(a.attribute("events"), &json!(["avatar_video.fail", "avatar_video.success"]));
        assert_eq!(a.text("entity_id"), "project-7");
        assert_eq!(a.text("status"), "enabled");
        assert!(a.text("created_at").starts_with("20"));
        assert_eq!(a.text("secret"), at_heygen.secret);
        assert_eq!(a.attribute("rotate_trigger"), &Value::Null);
        assert_eq!(a.attribute("replace_when_disabled"), &Value::Null);
        assert_eq!(at_heygen.entity_id.as_deref(), Some("project-7"));
        if tf.engine().version() >= Version(1, 12, 0) {
            assert_eq!(a.identity(), &json!({"id": at_heygen.endpoint_id}));
        }
        assert_eq!(heygen.requests_to(Route::Create).len(), 1);
    }

    fn url_and_events_are_edited_in_place_and_the_secret_stays(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        tf.write("main.tf", &endpoint(&format!("{URL}\nevents = [\"batch.finished\"]")));
        tf.apply();
        let id = id_in_state(&tf);

        tf.write("main.tf", &endpoint("url = \"https://hooks.example.com/v2\"\nevents = [\"batch.finished\"]"));
        let plan = tf.plan();
        let a = plan.resource(ADDRESS);
        assert_eq!((a.action(), a.changed()), (Action::Update, vec!["url"]));
        heygen.clear_requests();
        tf.apply().none();
        let patches = heygen.requests_to(Route::Update);
        assert_eq!(patches.len(), 1);
        assert_eq!(patches[0].body, Some(json!({"url": "https://hooks.example.com/v2"})), "only what changed is sent");

        tf.write("main.tf", &endpoint("url = \"https://hooks.example.com/v2\"\nevents = [\"video_agent.fail\", \"batch.finished\"]"));
        heygen.clear_requests();
        tf.apply().none();
        let patches = heygen.requests_to(Route::Update);
        assert_eq!(patches[0].body, Some(json!({"events": ["batch.finished", "video_agent.fail"]})));

        assert_eq!(id_in_state(&tf), id);
        expect_current_secret(&tf, &heygen);
        assert!(heygen.requests_to(Route::Rotate).is_empty());
    }

    fn an_edit_made_elsewhere_is_shown_by_plan_and_repaired_by_apply(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        tf.write("main.tf", &endpoint(&format!("{URL}\nevents = [\"batch.finished\"]")));
        tf.apply();
        let id = id_in_state(&tf);
        heygen.edit_endpoint(&id, |endpoint| {
            "https://elsewhere.example.com/".clone_into(&mut endpoint.url);
            endpoint.events = None;
        });

        let plan = tf.plan();
        assert_eq!(plan.drift().len(), 1);
        let a = plan.resource(ADDRESS);
        assert_eq!((a.action(), a.changed()), (Action::Update, vec!["events", "url"]));
        assert_eq!(a.before("url"), "https://elsewhere.example.com/");
        tf.apply().none();

        let repaired = heygen.endpoint(&id).unwrap();
        assert_eq!(repaired.url, "https://hooks.example.com/heygen");
        assert_eq!(repaired.events, Some(vec!["batch.finished".to_owned()]));
        expect_current_secret(&tf, &heygen);
    }

    fn a_deletion_made_elsewhere_is_planned_as_a_creation(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        tf.write("main.tf", &endpoint(URL));
        tf.apply();
        let id = id_in_state(&tf);
        heygen.remove_endpoint(&id);
        // By now the list lags behind its creation no more.
        heygen.advance(Duration::from_mins(3));

        let plan = tf.plan();
        assert_eq!(plan.resource(ADDRESS).action(), Action::Create);
        let warning = plan.diagnostics().warning("deleted outside of Terraform");
        assert_eq!(
            warning.summary,
            "Webhook endpoint deleted outside of Terraform, or the credentials are of another account"
        );
        assert_eq!(
            warning.detail,
            format!(
                "HeyGen's list has no endpoint {id} any more. State lets go of it, and unless the configuration does so too, \
                 applying it creates another, with a new id and a new secret. If the credentials are of the wrong account, do \
                 not apply: correct them first."
            )
        );
        let applied = tf.apply();
        assert_eq!(applied.iter().count(), 1, "{applied:#?}");
        applied.warning("deleted outside of Terraform");
        assert_ne!(id_in_state(&tf), id);
        expect_current_secret(&tf, &heygen);
    }

    fn destroying_leaves_nothing_also_where_the_endpoint_is_gone_already(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        tf.write("main.tf", &endpoint(URL));
        tf.apply();
        tf.destroy().none();
        assert!(heygen.endpoints().is_empty());

        tf.apply();
        let id = id_in_state(&tf);
        let destruction = tf.plan_with(&["-destroy"]);
        assert_eq!(destruction.changes(), [(ADDRESS, Action::Delete)]);
        heygen.remove_endpoint(&id);
        let applied = tf.run(&["apply", "tfplan"]);
        assert_eq!(applied.code(), Some(0), "404 on delete is success\n{applied:?}");
        assert!(tf.state().addresses().is_empty());
    }

    fn another_entity_replaces_the_endpoint(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        tf.write("main.tf", &endpoint(&format!("{URL}\nentity_id = \"one\"")));
        tf.apply();
        let id = id_in_state(&tf);

        tf.write("main.tf", &endpoint(&format!("{URL}\nentity_id = \"two\"")));
        let plan = tf.plan();
        let a = plan.resource(ADDRESS);
        assert_eq!((a.action(), a.replace_paths()), (Action::Replace, vec!["entity_id".to_owned()]));
        tf.apply().none();
        assert_ne!(id_in_state(&tf), id);
        let all = heygen.endpoints();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].entity_id.as_deref(), Some("two"));
        expect_current_secret(&tf, &heygen);

        tf.write("main.tf", &endpoint(URL));
        assert_eq!(tf.plan().resource(ADDRESS).action(), Action::Replace);
    }

    fn twenty_five_endpoints_in_a_module_with_an_alias(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        let child = r#"
            terraform {
              required_providers {
                heygen = { source = "terraform.local/heygen/heygen" }
              }
            }
            variable "names" { type = set(string) }
            resource "heygen_webhook_endpoint" "hook" {
              for_each = var.names
              url      = "https://hooks.example.com/${each.key}"
              events   = each.key == "n3" ? null : ["batch.finished"]
            }
            output "secrets" {
              value     = { for name, hook in heygen_webhook_endpoint.hook : name => hook.secret }
              sensitive = true
            }
        "#;
        tf.write("hooks/main.tf", child);
        tf.write("main.tf", r#"
            provider "heygen" {
              alias           = "other"
              request_timeout = "5s"
            }
            module "hooks" {
              source    = "./hooks"
              names     = [for n in range(25) : "n${n}"]
              providers = { heygen = heygen.other }
            }
            output "secrets" {
              value     = module.hooks.secrets
              sensitive = true
            }
        "#);
        tf.apply().none();
        assert_eq!(heygen.endpoints().len(), 25);
        heygen.clear_requests();
        tf.plan().expect_empty();
        assert_eq!(heygen.requests_to(Route::List).len(), 1, "25 endpoints are on one page, read once");

        let secrets = &tf.outputs()["secrets"];
        for endpoint in heygen.endpoints() {
            let name = endpoint.url.rsplit('/').next().unwrap();
            assert_eq!(secrets[name], endpoint.secret);
        }
        tf.destroy().none();
        assert!(heygen.endpoints().is_empty());
    }
}
