//! The modules under `examples/modules/` and the configuration that uses them: their own tests pass, their pages tell
//! the truth, and a rotation by generations loses no delivery.

mod pages;
mod rotation;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::fake_heygen::{FakeHeygen, Options};
use crate::support::account::with_account;
use crate::support::engine::for_each_engine;
use crate::support::terraform::Workspace;

const MODULES: [&str; 2] = ["endpoint", "generations"];

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// Puts the files of a folder under `examples/`, subfolders included, below a folder of the workspace.
fn copy(tf: &Workspace, from: &str, to: &str) {
    let mut copied = 0;
    for entry in fs::read_dir(examples().join(from)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let (from, to) = (format!("{from}/{name}"), format!("{to}/{name}"));
        if entry.file_type().unwrap().is_dir() {
            copy(tf, &from, &to);
        } else {
            tf.write(&to, &fs::read_to_string(entry.path()).unwrap());
        }
        copied += 1;
    }
    assert!(copied > 0, "{from} is empty");
}

/// Runs one file of a module's tests, and fails unless each of its runs passed.
#[track_caller]
fn run_tests(tf: &Workspace, module: &str, file: &str) {
    let text = fs::read_to_string(examples().join("modules").join(module).join(file)).unwrap();
    let output = tf.run_ready(&["test", &format!("-filter={file}")]).expect_success();
    let passed = output
        .stdout
        .lines()
        .filter(|line| line.starts_with("  run ") && line.ends_with("... pass"));
    let runs = text.lines().filter(|line| line.starts_with("run "));
    assert_eq!(
        passed.count(),
        runs.count(),
        "not every run of {file} passed\n{output:?}"
    );
}

/// Both files of a module's tests: one asks nobody for anything, the other leaves nothing behind.
#[track_caller]
fn module_passes_its_tests(tf: Workspace, module: &str) {
    let tf = tf.without_provider();
    copy(&tf, &format!("modules/{module}"), ".");
    run_tests(&tf, module, "tests/mocked.tftest.hcl");

    let (tf, heygen) = with_account(tf);
    run_tests(&tf, module, "tests/heygen.tftest.hcl");
    assert!(!heygen.requests().is_empty());
    assert!(heygen.endpoints().is_empty(), "left behind");
}

/// The current secrets of an account by the URLs of its endpoints.
fn secrets(heygen: &FakeHeygen) -> BTreeMap<String, String> {
    let endpoints = heygen.endpoints().into_iter();
    endpoints.map(|endpoint| (endpoint.url, endpoint.secret)).collect()
}

fn account(api_key: &str) -> FakeHeygen {
    FakeHeygen::start_with(Options {
        api_key: api_key.into(),
        ..Options::default()
    })
    .unwrap()
}

for_each_engine! {
    fn the_endpoint_module_passes_its_tests(tf: Workspace) {
        module_passes_its_tests(tf, "endpoint");
    }

    fn the_generations_module_passes_its_tests(tf: Workspace) {
        module_passes_its_tests(tf, "generations");
    }

    fn two_accounts_get_what_is_theirs_by_count_for_each_and_aliases(tf: Workspace) {
        let [production, staging] = ["production-key", "staging-key"].map(account);
        let tf = tf
            .without_provider()
            .with_env("TF_VAR_production_key", production.api_key())
            .with_env("TF_VAR_staging_key", staging.api_key());
        copy(&tf, "two-accounts", ".");
        for module in MODULES {
            copy(&tf, &format!("modules/{module}"), &format!("../modules/{module}"));
        }
        // HeyGen's two accounts have one address, and the two fakes have two.
        let at = |alias: &str, url: &str| format!("provider \"heygen\" {{\n  {alias}\n  base_url = {url:?}\n}}\n");
        tf.write(
            "addresses_override.tf",
            &[at("", &production.base_url()), at("alias = \"staging\"", &staging.base_url())].concat(),
        );
        tf.apply().none();

        let (of_production, of_staging) = (secrets(&production), secrets(&staging));
        let urls = |account: &BTreeMap<String, String>| account.keys().cloned().collect::<Vec<_>>();
        assert_eq!(urls(&of_production), [
            "https://hooks.example.com/avatars",
            "https://hooks.example.com/billing?generation=1",
            "https://hooks.example.com/billing?generation=2",
            "https://hooks.example.com/translations",
        ]);
        assert_eq!(urls(&of_staging), [
            "https://staging-0.example.com/heygen",
            "https://staging.example.com/billing?generation=1",
        ]);
        assert_eq!(tf.outputs()["secrets"], json!({
            "production": {
                "avatars": { "1": of_production["https://hooks.example.com/avatars"] },
                "translations": { "1": of_production["https://hooks.example.com/translations"] },
                "billing": {
                    "1": of_production["https://hooks.example.com/billing?generation=1"],
                    "2": of_production["https://hooks.example.com/billing?generation=2"],
                },
            },
            "staging": {
                "receiver-0": { "1": of_staging["https://staging-0.example.com/heygen"] },
                "billing": { "1": of_staging["https://staging.example.com/billing?generation=1"] },
            },
        }));
        let shown = [tf.run(&["output"]), tf.run(&["show"])].map(|output| output.expect_success().text()).concat();
        for secret in of_production.values().chain(of_staging.values()) {
            assert!(!shown.contains(secret.as_str()), "a secret is shown:\n{shown}");
        }

        let added = tf.plan_with(&["-var=staging_receivers=2"]);
        assert_eq!(
            added.changes().iter().map(|(address, _)| *address).collect::<Vec<_>>(),
            ["module.staging[1].heygen_webhook_endpoint.this"]
        );
        tf.destroy().none();
        assert!(production.endpoints().is_empty() && staging.endpoints().is_empty());
    }

    fn what_the_pages_of_the_modules_show_can_be_applied_as_it_stands(tf: Workspace) {
        for module in MODULES {
            let (tf, heygen) = with_account(Workspace::new(tf.engine().clone()));
            let tf = tf.with_env("TF_VAR_staging_key", heygen.api_key());
            for module in MODULES {
                copy(&tf, &format!("modules/{module}"), &format!("modules/{module}"));
            }
            tf.write("main.tf", &pages::examples_of(module).concat());
            tf.apply_unchecked().none();
            let outputs = tf.outputs();
            assert_eq!(outputs.len(), 1);
            assert!(outputs.values().all(|value| value != &Value::Null));
            assert!(heygen.endpoints().len() > 4, "{module}: {:?}", secrets(&heygen).keys());
        }
    }
}
