//! The guides do what they say: each is walked through from its first block to its last, as a reader would.

mod accounts_modules_and_ci;
mod adopt_an_existing_account;
mod changed_disabled_or_deleted_elsewhere;
mod page;
mod rotate_without_losing_deliveries;
mod verify_deliveries;
mod webhooks_or_callbacks;
mod where_the_secret_is;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use self::page::Guide;
use crate::fake_heygen::{Delivered, FakeHeygen};
use crate::support::account::with_account;
use crate::support::engine::Engine;
use crate::support::terraform::Workspace;

/// Which guides there are, each with a test of its own in a module of its name.
const GUIDES: [&str; 7] = [
    "accounts-modules-and-ci",
    "adopt-an-existing-account",
    "changed-disabled-or-deleted-elsewhere",
    "rotate-without-losing-deliveries",
    "verify-deliveries",
    "webhooks-or-callbacks",
    "where-the-secret-is",
];

/// Those that are not followed here: the page of errors tells of no task, and the one on installing needs a release to
/// install. Both have tests of their own.
const ELSEWHERE: [&str; 2] = ["errors", "installing"];

#[test]
fn every_guide_has_a_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/guides");
    let names = fs::read_dir(folder).unwrap().map(|entry| {
        let file = entry.unwrap().file_name().into_string().unwrap();
        file.split('.').next().unwrap().to_owned()
    });
    let mut names: Vec<String> = names.filter(|name| !ELSEWHERE.contains(&name.as_str())).collect();
    names.sort();
    assert_eq!(names, GUIDES);
}

/// Those that are not run included: they are at least read by a parser.
#[test]
fn every_block_of_configuration_is_formatted_as_terraform_does_it() {
    let tf = Workspace::new(Engine::terraform_1_15()).without_provider();
    let mut blocks = 0;
    for guide in GUIDES.map(Guide::open) {
        for block in guide.blocks().filter(|block| block.language == "terraform") {
            let ending = match block.file() {
                Some(file) if file.ends_with(".tfquery.hcl") => "tfquery.hcl",
                _ => "tf",
            };
            tf.write(&format!("block-{blocks}.{ending}"), &block.text);
            blocks += 1;
        }
    }
    assert!(blocks > 10, "hardly any block is found");
    tf.run(&["fmt", "-check", "-diff"]).expect_success();
}

/// What the guides take for granted: the provider's block, a key, and an account.
fn with_installed_provider(tf: Workspace) -> (Workspace, FakeHeygen) {
    let (tf, heygen) = with_account(tf);
    tf.init();
    (tf, heygen)
}

/// Delivers an event by this endpoint to a receiver, and tells what became of it.
fn deliver(heygen: &FakeHeygen, endpoint_id: &str, to: &str, video: &str) -> Delivered {
    let order = json!({
        "endpoint_id": endpoint_id,
        "via": format!("{to}/heygen"),
        "event_type": "avatar_video.success",
        "event_data": {"video_id": video},
    });
    send(heygen, order)
}

/// Delivers what is ordered as the fake's page says.
fn send(heygen: &FakeHeygen, order: Value) -> Delivered {
    let order = serde_json::from_value(order).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(heygen.deliver(&order)).unwrap()
}
