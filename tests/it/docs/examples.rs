//! The examples in the registries' layout, run as they stand: the provider's whole, the others joined with what says where
//! the provider is.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{relative, root, schemas, tree};
use crate::fake_heygen::{Credential, FakeHeygen, NewEndpoint};
use crate::support::account::with_account;
use crate::support::engine::{Engine, Version, for_each_engine};
use crate::support::terraform::{REQUIRED_PROVIDERS, Workspace};

const RESOURCE: &str = "examples/resources/heygen_webhook_endpoint";
const LIST: &str = "examples/list-resources/heygen_webhook_endpoint";

/// The id that the examples name.
const ID: &str = "ep_8kq2mZt4VbR7nXw1Lc5D";

/// The examples that tests here run, by how their names begin and end.
const RUN: [(&str, &str, &str); 10] = [
    ("examples/provider", "provider", ".tf"),
    (RESOURCE, "resource", ".tf"),
    (RESOURCE, "import", ".sh"),
    (RESOURCE, "import-by-string-id", ".tf"),
    (RESOURCE, "import-by-identity", ".tf"),
    (RESOURCE, "unmanaged", ".py"),
    ("examples/data-sources", "data-source", ".tf"),
    ("examples/functions/webhook_signature", "function", ".tf"),
    ("examples/functions/verify_webhook_signature", "function", ".tf"),
    (LIST, "list-resource", ".tfquery.hcl"),
];

/// The files of a folder and those below it whose names begin and end so, by name.
fn files(folder: &str, beginning: &str, end: &str) -> Vec<PathBuf> {
    let mut files = tree(&root().join(folder));
    files.retain(|file| {
        let name = file.file_name().unwrap().to_str().unwrap();
        name.starts_with(beginning) && name.ends_with(end)
    });
    files
}

fn text(file: impl AsRef<Path>) -> String {
    fs::read_to_string(file.as_ref()).unwrap_or_else(|error| panic!("{}: {error}", file.as_ref().display()))
}

/// Takes these examples into the root module, in place of all that was there.
fn take(tf: &Workspace, examples: &[PathBuf]) {
    for file in fs::read_dir(tf.directory()).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_some_and(|it| it == "tf") && !file.ends_with("providers.tf") {
            fs::remove_file(file).unwrap();
        }
    }
    assert!(!examples.is_empty());
    for example in examples {
        let name = relative(example).replace('/', "_");
        tf.write(&name, &text(example));
    }
}

/// An account with the endpoint that the examples name, as they have it.
fn with_the_endpoint(tf: Workspace) -> (Workspace, FakeHeygen) {
    let (tf, heygen) = with_account(tf);
    let events = ["avatar_video.success", "avatar_video.fail"].map(str::to_owned);
    put(&heygen, "https://hooks.example.com/heygen", Some(events.into()), ID);
    (tf, heygen)
}

/// Makes an endpoint that is listed by this id, and answers the id by which the fake itself knows it.
fn put(heygen: &FakeHeygen, url: &str, events: Option<Vec<String>>, id: &str) -> String {
    let made = heygen.put_endpoint(NewEndpoint {
        url: url.to_owned(),
        events,
        entity_id: None,
    });
    heygen.edit_endpoint(&made.endpoint_id, |endpoint| id.clone_into(&mut endpoint.endpoint_id));
    made.endpoint_id
}

#[test]
fn no_example_is_left_out_and_every_rule_finds_one() {
    let run: Vec<PathBuf> = RUN
        .iter()
        .flat_map(|(folder, beginning, end)| {
            let found = files(folder, beginning, end);
            assert!(!found.is_empty(), "{folder}: no {beginning}*{end}");
            found
        })
        .collect();
    let layout = ["provider", "resources", "data-sources", "functions", "list-resources"];
    for example in layout.iter().flat_map(|kind| tree(&root().join("examples").join(kind))) {
        assert!(run.contains(&example), "{} is run by no test", relative(&example));
    }
}

#[tokio::test]
async fn everything_in_the_schema_has_an_example_in_its_folder() {
    let schemas = schemas().await;
    let kinds = [
        ("resources", schemas.resource_schemas.keys(), "resource.tf"),
        ("data-sources", schemas.data_source_schemas.keys(), "data-source.tf"),
        (
            "list-resources",
            schemas.list_resource_schemas.keys(),
            "list-resource.tfquery.hcl",
        ),
    ];
    let of_schemas = kinds
        .into_iter()
        .flat_map(|(folder, names, file)| names.map(move |name| format!("examples/{folder}/{name}/{file}")));
    let of_functions = schemas.functions.keys();
    let of_functions = of_functions.map(|name| format!("examples/functions/{name}/function.tf"));
    let wanted: Vec<String> = of_schemas.chain(of_functions).collect();
    assert!(wanted.len() >= 7, "{wanted:?}");
    for example in wanted {
        assert!(root().join(&example).is_file(), "there is no {example}");
    }
}

#[test]
fn examples_are_formatted_as_terraform_does() {
    let formatted = Workspace::new(Engine::terraform_1_15()).without_provider();
    let examples = root().join("examples").display().to_string();
    let output = formatted.run(&["fmt", "-check", "-diff", "-recursive", &examples]);
    assert_eq!(output.code(), Some(0), "{output:?}");
}

for_each_engine! {
    fn each_configuration_of_the_provider_is_whole_and_works(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        let (api_key, access_token) = (heygen.api_key().to_owned(), heygen.access_token().to_owned());
        // Where the configuration has credentials, those of the environment are not looked at.
        let tf = tf.with_env("TF_VAR_heygen_api_key", api_key).with_env("TF_VAR_heygen_access_token", access_token);
        tf.write("use.tf", "data \"heygen_webhook_event_types\" \"all\" {}\n");
        let examples = files("examples/provider", "provider", ".tf");
        assert_eq!(examples.len(), 4);
        for example in examples {
            tf.write("providers.tf", &text(&example));
            heygen.clear_requests();
            tf.run_ready(&["apply", "-auto-approve"]).expect_success();
            let expected = if relative(&example).contains("access_token") {
                (Credential::Absent, Credential::Right)
            } else {
                (Credential::Right, Credential::Absent)
            };
            let asked = heygen.requests();
            let credentials = asked.first().unwrap_or_else(|| panic!("{} asks nothing", relative(&example))).credentials;
            assert_eq!((credentials.api_key, credentials.bearer), expected, "{}", relative(&example));
        }
    }

    fn the_resources_are_created_as_they_stand(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        take(&tf, &files(RESOURCE, "resource", ".tf"));
        tf.apply().none();
        assert_eq!(heygen.endpoints().len(), 4);
        // As the page says of the one that rotates.
        let tf = tf.with_env("TF_VAR_secret_generation", "2026-08");
        let plan = tf.plan();
        assert_eq!(plan.changes().len(), 1);
        assert_eq!(plan.resource("heygen_webhook_endpoint.rotated").unknown(), ["secret"]);
    }

    fn an_endpoint_is_imported_in_each_way_that_there_is(tf: Workspace) {
        let (tf, heygen) = with_the_endpoint(tf);
        let address = "heygen_webhook_endpoint.videos";
        let configuration = root().join(RESOURCE).join("resource.tf");
        let by_block = ["import-by-string-id.tf", "import-by-identity.tf"];
        // Identity came with 1.12.
        let by_block = if tf.engine().version() < Version(1, 12, 0) { &by_block[..1] } else { &by_block };
        for block in by_block {
            take(&tf, &[configuration.clone(), root().join(RESOURCE).join(block)]);
            let output = tf.run_ready(&["apply", "-auto-approve"]).expect_success().text();
            assert!(output.contains("1 imported, 0 added, 0 changed, 0 destroyed"), "{block}: {output}");
            assert_eq!(tf.state().instance(address).text("id"), ID);
            tf.run(&["state", "rm", address]).expect_success();
        }
        take(&tf, &[configuration]);
        tf.shell(&text(root().join(RESOURCE).join("import.sh")), &[]).expect_success();
        assert_eq!(tf.state().instance(address).text("id"), ID);
        tf.expect_nothing_to_do();
        assert!(heygen.requests().iter().all(|request| request.method == "GET"));
    }

    fn what_the_state_does_not_know_is_found_on_every_page_of_the_list(tf: Workspace) {
        let (tf, heygen) = with_the_endpoint(tf);
        heygen.put_many(120, "filler");
        tf.write("unmanaged.py", &text(root().join(RESOURCE).join("unmanaged.py")));
        let found = || {
            let output = tf.shell("terraform show -json | python3 unmanaged.py", &[]).expect_success();
            output.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        let in_the_account: Vec<String> = heygen.endpoints().into_iter().map(|it| it.endpoint_id).collect();
        assert_eq!(in_the_account.len(), 121);
        assert_eq!(found(), in_the_account);

        // In a module, where a state has it one level further down.
        tf.write("module/providers.tf", REQUIRED_PROVIDERS);
        tf.write("module/main.tf", &text(root().join(RESOURCE).join("resource.tf")));
        tf.write("main.tf", "module \"one\" {\n  source = \"./module\"\n}\n");
        tf.init();
        tf.import("module.one.heygen_webhook_endpoint.videos", ID);
        assert_eq!(found(), in_the_account[1..]);
    }

    fn the_data_sources_answer_what_their_examples_ask(tf: Workspace) {
        let (tf, heygen) = with_the_endpoint(tf);
        heygen.disable_endpoint(&put(&heygen, "https://old.example.com/heygen", None, "ep_old"));
        take(&tf, &files("examples/data-sources", "data-source", ".tf"));
        let failed = json!({ "video_id": "v-1" });
        heygen.record_event("avatar_video.fail", failed.as_object().unwrap().clone(), None);
        tf.apply().none();
        let outputs = tf.outputs();
        assert_eq!(outputs["failed_videos"], json!(["v-1"]));
        assert_eq!(outputs["disabled_endpoints"], json!(["https://old.example.com/heygen"]));
        let failures = outputs["events_of_failures"].as_object().unwrap();
        assert!(failures.contains_key("avatar_video.fail"), "{failures:?}");
        let state = tf.state();
        for address in ["data.heygen_webhook_endpoint.by_url", "data.heygen_webhook_endpoint.by_id"] {
            assert_eq!(state.data(address).text("id"), ID);
        }
        let listed = state.data("data.heygen_webhook_endpoints.of_videos").attribute("endpoints");
        assert_eq!(listed.as_array().unwrap().len(), 1);
    }

    fn the_functions_answer_and_refuse_what_their_examples_say(tf: Workspace) {
        let tf = tf.with_env("TF_VAR_webhook_secret", "Jefe");
        let function = |name: &str, file: &str| root().join("examples/functions").join(name).join(file);
        take(&tf, &[function("webhook_signature", "function.tf")]);
        tf.apply().none();
        let signature = tf.outputs()["heygen_signature"].as_str().unwrap().to_owned();
        let body = r#"{"event_data":{"video_id":"v-1"},"event_type":"avatar_video.success"}"#;
        tf.write("terraform.tfvars.json", &json!({ "delivery": { "body": body, "signature": signature } }).to_string());
        take(&tf, &[function("verify_webhook_signature", "function.tf")]);
        tf.apply();
        assert_eq!(tf.outputs()["is_from_heygen"], true);
        assert_eq!(tf.outputs()["is_from_heygen_without_signature"], false);
        for name in ["webhook_signature", "verify_webhook_signature"] {
            take(&tf, &files(&format!("examples/functions/{name}"), "function", ".tf"));
            let refused = tf.run(&["plan"]).expect_failure();
            assert!(refused.messages().contains("argument must not be null"), "{refused:?}");
        }
    }
}

/// `terraform query` came with 1.14. The examples are run as soon as the provider has what they list.
#[tokio::test]
async fn the_lists_find_what_their_examples_ask_for() {
    for name in schemas().await.list_resource_schemas.into_keys() {
        assert_eq!(name, "heygen_webhook_endpoint");
        tokio::task::spawn_blocking(list_endpoints).await.unwrap();
    }
}

fn list_endpoints() {
    let (tf, heygen) = with_the_endpoint(Workspace::new(Engine::terraform_1_15()));
    heygen.put_many(120, "filler");
    take(&tf, &files(LIST, "list-resource", ".tfquery.hcl"));
    let output = tf.run_ready(&["query", "-json"]).expect_success();
    let events = output
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let found: Vec<Value> = events
        .filter(|event| event["type"] == "list_resource_found")
        .map(|event| event["list_resource_found"].clone())
        .collect();
    let of = |address: &str| -> Vec<&Value> { found.iter().filter(|it| it["address"] == address).collect() };
    assert_eq!(of("list.heygen_webhook_endpoint.all").len(), 121);
    let of_videos = of("list.heygen_webhook_endpoint.of_videos");
    let [one] = of_videos.as_slice() else {
        panic!("{of_videos:?}")
    };
    assert_eq!(one["identity"]["id"], ID);
    assert_eq!(one["resource_object"]["url"], "https://hooks.example.com/heygen");
}
