//! The SBOM, which has of what cargo-cyclonedx lists only what is in the binary.

use std::process::Command;

use serde_json::{Value, json};

use super::root;
use crate::support::process::{Output, Running};

/// `scripts/release` without its main function, and of it only what chooses among a BOM's crates.
const FILTER: &str = "import json, runpy, sys\n\
                      release = runpy.run_path(sys.argv[1])\n\
                      bom, crates = json.loads(sys.argv[2]), json.loads(sys.argv[3])\n\
                      release['keep_what_is_in_the_binary'](bom, {tuple(crate) for crate in crates})\n\
                      print(json.dumps(bom))\n";

const PROVIDER: &str = "terraform-provider-heygen@1.2.3";

/// What the binary lists, itself included.
const IN_THE_BINARY: [&str; 5] = [
    PROVIDER,
    "getrandom@0.2.17",
    "p521@0.14.0",
    "protox@0.10.0",
    "ring@0.17.14",
];

#[test]
fn what_only_the_tests_ask_for_is_left_out_and_all_else_stays() {
    // The tests have one crate of their own, and one feature of p521's; of getrandom they have another version.
    let listed = bom(&[
        (
            PROVIDER,
            &["p521@0.14.0", "proptest@1.12.0", "protox@0.10.0", "ring@0.17.14"],
        ),
        ("getrandom@0.2.17", &[]),
        ("getrandom@0.4.3", &[]),
        ("p521@0.14.0", &["getrandom@0.4.3"]),
        ("proptest@1.12.0", &["getrandom@0.4.3", "ring@0.17.14"]),
        ("protox@0.10.0", &[]),
        ("ring@0.17.14", &["getrandom@0.2.17"]),
    ]);
    let said = keep(&listed, &IN_THE_BINARY).expect_success();
    let kept = bom(&[
        (PROVIDER, &["p521@0.14.0", "protox@0.10.0", "ring@0.17.14"]),
        ("getrandom@0.2.17", &[]),
        ("p521@0.14.0", &[]),
        ("protox@0.10.0", &[]),
        ("ring@0.17.14", &["getrandom@0.2.17"]),
    ]);
    assert_eq!(serde_json::from_str::<Value>(&said.stdout).unwrap(), kept);
}

#[test]
fn a_crate_that_depends_on_nothing_need_not_say_so() {
    let mut listed = bom(&[(PROVIDER, &["ring@0.17.14"]), ("ring@0.17.14", &[])]);
    let expected = listed.clone();
    listed["dependencies"][1].as_object_mut().unwrap().remove("dependsOn");
    let said = keep(&listed, &[PROVIDER, "ring@0.17.14"]).expect_success();
    assert_eq!(serde_json::from_str::<Value>(&said.stdout).unwrap(), expected);
}

#[test]
fn a_bom_that_lacks_a_crate_of_the_binary_is_refused() {
    let listed = bom(&[
        (PROVIDER, &["p521@0.14.0", "protox@0.10.0"]),
        ("getrandom@0.4.3", &[]),
        ("p521@0.14.0", &[]),
        ("protox@0.10.0", &[]),
    ]);
    let said = keep(&listed, &IN_THE_BINARY).expect_failure();
    let lacking = "[('getrandom', '0.2.17'), ('ring', '0.17.14')]";
    assert_eq!(
        said.stderr.trim_end(),
        format!("release: the SBOM lacks crates that are in the binary: {lacking}")
    );
    assert_eq!(said.stdout, "");
}

/// What `scripts/release` makes of a BOM, for a binary that lists these crates.
fn keep(bom: &Value, in_the_binary: &[&str]) -> Output {
    let scripts = root().join("scripts");
    let crates: Vec<_> = in_the_binary.iter().map(|it| name_and_version(it)).collect();
    let mut command = Command::new("python3");
    command
        .args(["-c", FILTER])
        .arg(scripts.join("release"))
        .args([bom.to_string(), json!(crates).to_string()])
        .env("PYTHONPATH", scripts);
    Running::start(command).wait()
}

/// A BOM in the form of cargo-cyclonedx: of these crates, the first of which is what it is about, each with those that
/// it depends on.
fn bom(crates: &[(&str, &[&str])]) -> Value {
    let reference = |it: &&str| format!("registry#{it}");
    let component = |it: &str| {
        let (name, version) = name_and_version(it);
        json!({"bom-ref": reference(&it), "name": name, "version": version})
    };
    let components: Vec<_> = crates[1..].iter().map(|(it, _)| component(it)).collect();
    let needs = |(it, needed): &(&str, &[&str])| {
        let needed: Vec<_> = needed.iter().map(reference).collect();
        json!({"ref": reference(it), "dependsOn": needed})
    };
    let dependencies: Vec<_> = crates.iter().map(needs).collect();
    json!({
        "bomFormat": "CycloneDX",
        "metadata": {"component": component(crates[0].0)},
        "components": components,
        "dependencies": dependencies,
    })
}

fn name_and_version(name_at_version: &str) -> (&str, &str) {
    name_at_version.split_once('@').unwrap()
}
