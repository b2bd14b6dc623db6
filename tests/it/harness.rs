//! The harness itself, tried on what terraform has built in: what it would miss, every other test would miss.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::engine::{Engine, Version, for_each_engine};
use crate::support::plan::Action;

#[test]
fn the_pinned_engine_is_terraform_1_15() {
    let Version(major, minor, _) = Engine::terraform_1_15().version();
    assert_eq!((major, minor), (1, 15));
}

#[test]
fn the_engine_on_path_speaks_protocol_6() {
    assert!(Engine::from_path().version() >= Version(1, 11, 0));
}

for_each_engine! {
    fn a_plan_tells_actions_unknowns_and_what_changes(tf: Workspace) {
        let tf = tf.without_provider();
        tf.write("main.tf", r#"
            variable "input" { default = "one" }
            resource "terraform_data" "a" {
              input = var.input
              triggers_replace = [var.input == "three"]
            }
            resource "terraform_data" "b" {
              for_each = toset(["x"])
              input    = sensitive(terraform_data.a.output)
            }
            output "a" { value = terraform_data.a.output }
        "#);
        let plan = tf.plan();
        let a = plan.resource("terraform_data.a");
        assert_eq!(a.action(), Action::Create);
        assert_eq!(a.after("input"), "one");
        assert_eq!(a.unknown(), ["id", "output"]);
        assert_eq!(plan.resource("terraform_data.b[\"x\"]").sensitive(), ["input"]);

        tf.apply().none();
        assert_eq!(tf.state().addresses(), ["terraform_data.a", "terraform_data.b[\"x\"]"]);
        assert_eq!(tf.state().instance("terraform_data.a").attribute("input"), &json!({"type": "string", "value": "one"}));
        assert_eq!(tf.outputs()["a"], "one");
        tf.plan().expect_empty();

        let plan = tf.plan_with(&["-var=input=two"]);
        assert_eq!(plan.changes(), [("terraform_data.a", Action::Update), ("terraform_data.b[\"x\"]", Action::Update)]);
        assert_eq!(plan.resource("terraform_data.a").changed(), ["input", "output"]);

        let plan = tf.plan_with(&["-var=input=three"]);
        let a = plan.resource("terraform_data.a");
        assert_eq!((a.action(), a.replace_paths()), (Action::Replace, vec!["triggers_replace".to_owned()]));

        tf.destroy().none();
    }

    fn a_diagnostic_is_found_by_text_and_held_to_its_attribute(tf: Workspace) {
        let tf = tf.without_provider();
        tf.write("main.tf", r#"
            resource "terraform_data" "a" {
              nonsense = "x"
            }
        "#);
        tf.validate_expecting_failure()
            .error("Unsupported argument")
            .says("nonsense")
            .at(r#"resource "terraform_data" "a""#, "nonsense");
        tf.write("main.tf", r#"
            variable "a" {}
            resource "terraform_data" "a" {
              input = "x"
              lifecycle {
                precondition {
                  condition     = var.a == "good"
                  error_message = "It has to be good."
                }
              }
            }
        "#);
        tf.validate().none();
        let tf = tf.with_env("TF_VAR_a", "bad");
        tf.apply_expecting_failure()
            .error("It has to be good.")
            .at(r#"resource "terraform_data" "a""#, "condition");
        assert_eq!(tf.state().addresses(), [""; 0]);
    }

    #[should_panic(expected = "expected nothing left to do")]
    fn an_apply_that_leaves_something_to_do_fails_the_test(tf: Workspace) {
        let tf = tf.without_provider();
        tf.write("main.tf", r#"
            resource "terraform_data" "a" {
              input = timestamp()
            }
        "#);
        tf.apply();
    }

    fn an_interrupt_ends_terraform_its_own_way_and_keeps_the_state(tf: Workspace) {
        let tf = tf.without_provider();
        tf.write("main.tf", r#"
            resource "terraform_data" "a" {
              provisioner "local-exec" {
                command = "echo started; sleep 600"
              }
            }
        "#);
        tf.init();
        let mut running = tf.spawn(&["apply", "-auto-approve"]);
        running.wait_until_it_prints("(local-exec): started");
        let interrupted = Instant::now();
        running.interrupt();
        let output = running.wait_at_most(Duration::from_secs(30)).expect_failure();
        assert!(interrupted.elapsed() < Duration::from_secs(10));
        for text in ["Interrupt received", "execution halted"] {
            assert!(output.text().contains(text), "{text:?} is missing\n{output:?}");
        }
        assert!(tf.state().instance("terraform_data.a").is_tainted());
    }

    fn nothing_of_the_outer_environment_gets_in(tf: Workspace) {
        let tf = tf.without_provider();
        tf.write("main.tf", r#"
            resource "terraform_data" "a" {
              provisioner "local-exec" {
                command = "env | cut -d= -f1 | sort | grep -v -x -E 'PWD|OLDPWD|SHLVL|_' | tr '\\n' ' '"
              }
            }
        "#);
        tf.init();
        let output = tf.run(&["apply", "-auto-approve"]).expect_success();
        let seen = output.stdout.lines().rfind(|line| line.contains("(local-exec): ")).expect("a line");
        assert_eq!(
            seen.trim_end(),
            "terraform_data.a (local-exec): CHECKPOINT_DISABLE HOME PATH TF_CLI_ARGS TF_CLI_CONFIG_FILE TF_INPUT \
             TF_IN_AUTOMATION TMPDIR"
        );
    }
}
