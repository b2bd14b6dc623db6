//! What is released: the binary as `scripts/build` makes it, the zip and the sums, and Terraform installing them from
//! each place that it installs from.
//!
//! All of it stands on one build, which `make test` makes before the tests begin.

mod artifact;
mod dist;
#[cfg(target_os = "linux")]
mod empty_root;
mod installation;
mod refusals;
mod sbom;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::process::{Output, Running};

/// The version that the tests release.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Long enough for a release build, where no one made it before.
const BUILD_TIME: std::time::Duration = std::time::Duration::from_mins(20);

/// The binary that is released. `make test` has built it and says where it is; else it is built now.
fn released_binary() -> PathBuf {
    if let Some(binary) = std::env::var_os("PROVIDER_BINARY") {
        return PathBuf::from(binary);
    }
    let output = script("build", [] as [&str; 0]).expect_success();
    PathBuf::from(output.stdout.trim())
}

/// Runs one of the project's scripts.
#[track_caller]
fn script(name: &str, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Output {
    let mut command = Command::new(root().join("scripts").join(name));
    command.args(arguments).current_dir(root());
    Running::start(command).wait_at_most(BUILD_TIME)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
