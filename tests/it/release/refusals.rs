//! What the scripts refuse to release.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::dist::{Dist, package};
use super::{VERSION, released_binary, root};
use crate::support::process::{Output, Running};
use crate::support::terraform::platform;

const CHANGELOG: &str = "# Changelog\n\n## 1.2.3 - 2026-11-27\n\nSomething.\n";

#[test]
fn a_checkout_with_changes_is_refused() {
    let checkout = Checkout::new(CHANGELOG);
    checkout.expect_nothing_refused();
    fs::write(checkout.at("new.txt"), "").unwrap();
    checkout.expect_refused(&[], "the checkout has changes");
    fs::remove_file(checkout.at("new.txt")).unwrap();
    fs::write(checkout.at("CHANGELOG.md"), "").unwrap();
    checkout.expect_refused(&[], "the checkout has changes");
}

#[test]
fn a_version_that_is_not_cargos_and_the_changelogs_is_refused() {
    let checkout = Checkout::new(CHANGELOG);
    checkout.expect_refused(&[("VERSION", "1.2.4")], "1.2.4 is not the version in Cargo.toml, 1.2.3");
    let checkout = Checkout::new("# Changelog\n\n## 1.2.30 - 2026-11-27\n");
    checkout.expect_refused(&[], "CHANGELOG.md has no heading for 1.2.3");
}

#[test]
fn another_package_of_the_workspace_makes_no_difference() {
    let checkout = Checkout::new(CHANGELOG);
    // By its name it comes first in what Cargo says of the workspace.
    let another = "name = \"another\"\nversion = \"9.9.9\"\n";
    fs::create_dir_all(checkout.at("another/src")).unwrap();
    fs::write(checkout.at("another/src/lib.rs"), "").unwrap();
    fs::write(checkout.at("another/Cargo.toml"), format!("[package]\n{another}")).unwrap();
    for (file, more) in [
        ("Cargo.toml", "[workspace]\nmembers = [\"another\"]\n".to_owned()),
        ("Cargo.lock", format!("\n[[package]]\n{another}")),
    ] {
        let text = fs::read_to_string(checkout.at(file)).unwrap();
        fs::write(checkout.at(file), text + &more).unwrap();
    }
    checkout.commit();
    checkout.expect_nothing_refused();
    checkout.expect_refused(&[("VERSION", "9.9.9")], "9.9.9 is not the version in Cargo.toml, 1.2.3");
}

#[test]
fn a_tag_of_another_version_is_refused() {
    let checkout = Checkout::new(CHANGELOG);
    checkout.git(&["tag", "v1.2.3"]);
    checkout.expect_nothing_refused();
    checkout.git(&["tag", "v1.3.0"]);
    checkout.expect_refused(&[], "this commit has the tag v1.3.0, and Cargo.toml says 1.2.3");
}

#[test]
fn a_public_host_needs_the_tag_and_the_date() {
    let host = [("GITHUB_ACTIONS", "true")];
    let checkout = Checkout::new(CHANGELOG);
    checkout.expect_refused(&host, "this commit has no tag v1.2.3");
    checkout.git(&["tag", "v1.2.3"]);
    checkout.expect_nothing_refused_with(&host);
    let checkout = Checkout::new("## 1.2.3 - unreleased\n");
    checkout.expect_nothing_refused();
    checkout.git(&["tag", "v1.2.3"]);
    checkout.expect_refused(&host, "CHANGELOG.md says `unreleased` of 1.2.3");
}

#[test]
fn the_workflow_is_told_which_sums_were_made() {
    let checkout = Checkout::new(CHANGELOG);
    fs::create_dir(checkout.at("dist")).unwrap();
    fs::write(
        checkout.at("dist/terraform-provider-heygen_1.2.3_linux_amd64.zip"),
        "zip",
    )
    .unwrap();
    let outputs = checkout.at("dist/outputs");
    let said = checkout
        .release("sums", &[("GITHUB_OUTPUT", outputs.to_str().unwrap())])
        .expect_success();
    assert!(said.stderr.contains("NOTHING IS SIGNED"), "{said:?}");
    let told = fs::read_to_string(outputs).unwrap();
    assert_eq!(told, "sums=dist/terraform-provider-heygen_1.2.3_SHA256SUMS\n");
    assert!(checkout.at("dist/terraform-provider-heygen_1.2.3_SHA256SUMS").is_file());
}

#[test]
fn a_zip_that_is_there_is_never_replaced() {
    let checkout = Checkout::new(CHANGELOG);
    let zip = format!("terraform-provider-heygen_1.2.3_{}.zip", platform());
    fs::create_dir(checkout.at("dist")).unwrap();
    fs::write(checkout.at("dist").join(&zip), "released").unwrap();
    let said = checkout.release("package", &[]).expect_failure();
    assert!(said.stderr.contains(&format!("dist/ has {zip} already")), "{said:?}");

    // The script that packs looks for itself as well.
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join(Dist::name(&Dist::zip()));
    fs::write(&there, "released").unwrap();
    let said = package(&released_binary(), VERSION, folder.path()).expect_failure();
    assert!(said.stderr.contains("a released file is never replaced"), "{said:?}");
    assert_eq!(fs::read_to_string(there).unwrap(), "released");
}

#[test]
fn a_binary_without_its_list_of_crates_is_not_packed_and_one_with_another_neither() {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("binary");
    let refused = |message: &str| {
        let said = package(&binary, VERSION, folder.path()).expect_failure();
        assert!(said.stderr.contains(message), "{said:?}");
        assert!(!folder.path().join(Dist::name(&Dist::zip())).exists());
    };
    fs::write(&binary, b"x\x9cno list x\x01").unwrap();
    refused("the binary has no list of its crates");

    let program = "import json, sys, zlib\n\
                   crates = [{'name': 'left-pad', 'version': '1.0.0'}]\n\
                   open(sys.argv[1], 'wb').write(b'code' + zlib.compress(json.dumps({'packages': crates}).encode()))\n";
    let mut command = Command::new("python3");
    command.args(["-c", program]).arg(&binary);
    Running::start(command).wait().expect_success();
    refused("Only in the binary: left-pad 1.0.0. Only in the lock file: ");
}

#[test]
fn a_version_with_a_v_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let said = package(&released_binary(), "v1.2.3", folder.path()).expect_failure();
    assert!(said.stderr.contains("v1.2.3 is no version"), "{said:?}");
}

/// A repository with the project's scripts, and a program that is not the provider.
struct Checkout(TempDir);

impl Checkout {
    fn new(changelog: &str) -> Self {
        let checkout = Self(tempfile::tempdir().unwrap());
        let package = "[package]\nname = \"terraform-provider-heygen\"\nversion = \"1.2.3\"\nedition = \"2024\"\n";
        let lock = "version = 4\n\n[[package]]\nname = \"terraform-provider-heygen\"\nversion = \"1.2.3\"\n";
        fs::create_dir(checkout.at("src")).unwrap();
        fs::create_dir(checkout.at("scripts")).unwrap();
        for (file, text) in [
            ("Cargo.toml", package),
            ("Cargo.lock", lock),
            ("src/main.rs", "fn main() {}\n"),
            ("CHANGELOG.md", changelog),
        ] {
            fs::write(checkout.at(file), text).unwrap();
        }
        for script in ["build", "local_provider.py", "package", "release", "sums"] {
            fs::copy(root().join("scripts").join(script), checkout.at("scripts").join(script)).unwrap();
        }
        for file in [".gitignore", "terraform-registry-manifest.json"] {
            fs::copy(root().join(file), checkout.at(file)).unwrap();
        }
        checkout.git(&["init", "--quiet"]);
        checkout.commit();
        checkout
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "All"]);
    }

    fn at(&self, path: &str) -> std::path::PathBuf {
        Path::new(self.0.path()).join(path)
    }

    fn git(&self, arguments: &[&str]) {
        let identity = [
            "-c",
            "user.name=Release",
            "-c",
            "user.email=release@example.com",
            "-c",
            "commit.gpgsign=false",
        ];
        let mut command = Command::new("git");
        command.args(identity).args(arguments).current_dir(self.0.path());
        command
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        Running::start(command).wait().expect_success();
    }

    fn release(&self, what: &str, variables: &[(&str, &str)]) -> Output {
        let mut command = Command::new(self.at("scripts/release"));
        command
            .arg(what)
            .current_dir(self.0.path())
            .env_remove("GITHUB_ACTIONS")
            .env_remove("GITHUB_OUTPUT")
            .env_remove("VERSION")
            .env_remove("CARGO_TARGET_DIR")
            .envs(variables.iter().copied());
        Running::start(command).wait()
    }

    #[track_caller]
    fn expect_refused(&self, variables: &[(&str, &str)], why: &str) {
        for what in ["package", "sums", "all", "draft"] {
            let said = self.release(what, variables).expect_failure();
            assert!(
                said.stderr.starts_with("release: ") && said.stderr.contains(why),
                "{what}: {said:?}"
            );
        }
    }

    /// Nothing is wrong with the commit: what is missing is only what it would have made.
    #[track_caller]
    fn expect_nothing_refused(&self) {
        self.expect_nothing_refused_with(&[]);
    }

    #[track_caller]
    fn expect_nothing_refused_with(&self, variables: &[(&str, &str)]) {
        let said = self.release("sums", variables).expect_failure();
        assert!(said.stderr.contains("has no zip of version 1.2.3"), "{said:?}");
    }
}
