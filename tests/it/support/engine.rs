//! The terraforms that the tests drive: the one on PATH, and the pinned one that `make setup` brings.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// An executable that behaves as terraform does, and what it says of itself.
#[derive(Debug, Clone)]
pub struct Engine {
    program: PathBuf,
    version: Version,
}

/// `major.minor.patch`; what follows a `-` (a pre-release) is left out, since no test depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u64, pub u64, pub u64);

impl Engine {
    /// `terraform` from PATH, else `tofu`, else the pinned one: on a machine with neither, both halves of
    /// [`for_each_engine!`] drive the same program (and `make test` leaves this half out).
    pub fn from_path() -> Self {
        match ["terraform", "tofu"].into_iter().find_map(on_path) {
            Some(program) => Self::at(program),
            None => Self::terraform_1_15(),
        }
    }

    /// The pinned Terraform 1.15 under `.tools/`. Its absence is a failure and never a skip.
    pub fn terraform_1_15() -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/terraform-1.15/terraform");
        assert!(program.exists(), "there is no {}: run `make setup`", program.display());
        Self::at(program)
    }

    fn at(program: PathBuf) -> Self {
        let output = Command::new(&program)
            .args(["version", "-json"])
            .env_clear()
            .env("PATH", search_path())
            .env("CHECKPOINT_DISABLE", "1")
            .output()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()));
        let version = serde_json::from_slice::<Value>(&output.stdout)
            .ok()
            .and_then(|answer| Version::parse(answer["terraform_version"].as_str()?))
            .unwrap_or_else(|| panic!("{} tells no version: {output:?}", program.display()));
        Self { program, version }
    }

    pub fn program(&self) -> &Path {
        &self.program
    }

    pub fn version(&self) -> Version {
        self.version
    }

    /// Whether it is OpenTofu, which does not tell providers whether it plans or applies.
    pub fn is_opentofu(&self) -> bool {
        self.program.file_name().is_some_and(|name| name == "tofu")
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Version(major, minor, patch) = self.version;
        write!(f, "{} ({major}.{minor}.{patch})", self.program.display())
    }
}

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let release = text.split('-').next()?;
        let mut numbers = release.split('.').map(|number| number.parse().ok());
        Some(Self(numbers.next()??, numbers.next()??, numbers.next()??))
    }
}

/// The PATH that engines, and what they start, are given: the only thing taken from the outer environment.
pub fn search_path() -> std::ffi::OsString {
    env::var_os("PATH").expect("PATH is set")
}

fn on_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&search_path())
        .map(|directory| directory.join(name))
        .find(|program| program.is_file())
}

/// Writes a test once and runs it with each engine, each under its own name: `NAME::terraform_path` and
/// `NAME::terraform_1_15`.
///
/// ```ignore
/// for_each_engine! {
///     fn a_created_endpoint_plans_to_nothing(tf: Workspace) { … }
/// }
/// ```
macro_rules! for_each_engine {
    ($($(#[$meta:meta])* fn $name:ident($workspace:ident: Workspace) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports, clippy::wildcard_imports, reason = "the test sees what its file sees")]
            use super::*;

            fn body($workspace: $crate::support::terraform::Workspace) $body

            #[test]
            $(#[$meta])*
            fn terraform_path() {
                body($crate::support::terraform::Workspace::new($crate::support::engine::Engine::from_path()));
            }

            #[test]
            $(#[$meta])*
            fn terraform_1_15() {
                body($crate::support::terraform::Workspace::new($crate::support::engine::Engine::terraform_1_15()));
            }
        }
    )+};
}
pub(crate) use for_each_engine;
