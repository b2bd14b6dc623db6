//! A working directory with an engine to drive in it, cut off from the machine it is on.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::diagnostics::Diagnostics;
use super::engine::{Engine, search_path};
use super::plan::Plan;
use super::process::{Output, Running};
use super::query::Query;
use super::state::State;

/// Where a configuration finds the provider under test. Every workspace has it in its root module; a child
/// module that is more than inherited names needs it again.
pub const REQUIRED_PROVIDERS: &str = concat!(
    "terraform {\n  required_providers {\n    heygen = { source = \"",
    env!("PROVIDER_SOURCE"),
    "\" }\n  }\n}\n"
);

/// What terraform prints when a plugin broke the rules of the protocol. No test may see it, whatever else it
/// expects to go wrong.
const PROVIDER_BUGS: [&str; 6] = [
    "Provider produced in", // "…consistent final plan", "…consistent result", "…valid plan", "…valid object"
    "bug in the provider",
    "bug within the provider",
    "Plugin did not respond",
    "unexpected data: ", // printed to the plugin's stdout after the handshake
    "panic: ",
];

/// A temporary directory with a configuration, its state, and a home of its own.
///
/// Nothing of the outer environment reaches the engine but PATH. The provider is installed by a real
/// `terraform init` from a mirror that holds the binary under test, which happens by itself before the first
/// command that needs it.
pub struct Workspace {
    root: TempDir,
    engine: Engine,
    environment: BTreeMap<String, OsString>,
    initialised: Cell<bool>,
}

impl Workspace {
    pub fn new(engine: Engine) -> Self {
        let root = tempfile::Builder::new()
            .prefix("tf")
            .tempdir()
            .expect("a temporary directory");
        let at = |name: &str| root.path().join(name);
        for name in ["work", "home", "tmp"] {
            fs::create_dir(at(name)).expect("a fresh directory");
        }
        lay_out_mirror(&at("mirror"));
        fs::write(at("terraform.rc"), cli_configuration(&at("mirror"))).expect("a writable directory");
        let environment = BTreeMap::from([
            ("PATH".into(), search_path()),
            ("HOME".into(), at("home").into()),
            ("TMPDIR".into(), at("tmp").into()),
            ("TF_CLI_CONFIG_FILE".into(), at("terraform.rc").into()),
            ("TF_CLI_ARGS".into(), "-no-color".into()),
            ("TF_IN_AUTOMATION".into(), "1".into()),
            ("TF_INPUT".into(), "0".into()),
            ("CHECKPOINT_DISABLE".into(), "1".into()),
        ]);
        let workspace = Self {
            root,
            engine,
            environment,
            initialised: Cell::new(false),
        };
        workspace.write("providers.tf", REQUIRED_PROVIDERS);
        workspace
    }

    /// Takes providers from where this CLI configuration says, and no longer from a mirror with the binary under test.
    pub fn installing_by(self, cli_configuration: &str) -> Self {
        fs::write(self.root.path().join("terraform.rc"), cli_configuration).expect("a writable directory");
        self
    }

    /// Points the provider at an API, as its users do: by the environment.
    pub fn against(self, base_url: &str, api_key: &str) -> Self {
        self.with_env("HEYGEN_API_BASE", base_url)
            .with_env("HEYGEN_API_KEY", api_key)
    }

    /// Leaves the provider under test out, for configurations of built-in resources only.
    pub fn without_provider(self) -> Self {
        self.write("providers.tf", "");
        self
    }

    /// One more variable for every command from here on.
    pub fn with_env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Lets every process append all it logs, at the finest level, to a file: see [`log`](Self::log).
    pub fn with_trace_log(self) -> Self {
        let file = self.log_file();
        self.with_env("TF_LOG", "trace").with_env("TF_LOG_PATH", file)
    }

    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The directory of the root module.
    pub fn directory(&self) -> PathBuf {
        self.root.path().join("work")
    }

    /// The home directory of everything that runs here.
    pub fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// What is left in the directory for temporary files.
    pub fn temporary_files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.root.path().join("tmp")).expect("a readable directory");
        entries.map(|entry| entry.expect("a readable entry").path()).collect()
    }

    /// All that was logged since [`with_trace_log`](Self::with_trace_log).
    pub fn log(&self) -> String {
        let bytes = fs::read(self.log_file()).expect("with_trace_log was asked for");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Writes a file of the configuration, replacing what was there. The path may name a child module's folder.
    pub fn write(&self, path: &str, content: &str) -> &Self {
        let path = self.directory().join(path);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a writable directory");
        fs::write(path, content).expect("a writable directory");
        self
    }

    /// Installs provider and modules. Asked for by hand only after a module call was added.
    #[track_caller]
    pub fn init(&self) -> Output {
        self.initialised.set(true);
        self.run(&["init"]).expect_success()
    }

    /// Checks the configuration, expecting it to be valid; warnings are allowed.
    #[track_caller]
    pub fn validate(&self) -> Diagnostics {
        self.validated(0)
    }

    /// Checks the configuration, expecting errors.
    #[track_caller]
    pub fn validate_expecting_failure(&self) -> Diagnostics {
        self.validated(1)
    }

    #[track_caller]
    pub fn plan(&self) -> Plan {
        self.plan_with(&[])
    }

    /// A plan with more arguments, such as `-refresh=false`, `-destroy` or `-var=…`.
    #[track_caller]
    pub fn plan_with(&self, arguments: &[&str]) -> Plan {
        let output = self.run_ready(&[&["plan", "-json", "-detailed-exitcode", "-out=tfplan"], arguments].concat());
        assert!(matches!(output.code(), Some(0 | 2)), "expected a plan\n{output:?}");
        let shown = self.run(&["show", "-json", "tfplan"]).expect_success();
        Plan::new(
            json(&shown),
            output.code() == Some(2),
            Diagnostics::from_event_lines(&output.stdout),
        )
    }

    #[track_caller]
    pub fn plan_expecting_failure(&self) -> Diagnostics {
        self.failed(&["plan", "-json"])
    }

    /// Applies, and proves that it is done: a plan without and one with refresh must then be empty.
    #[track_caller]
    pub fn apply(&self) -> Diagnostics {
        let diagnostics = self.apply_unchecked();
        self.expect_nothing_to_do();
        diagnostics
    }

    /// Applies, where what follows is known not to be an empty plan.
    #[track_caller]
    pub fn apply_unchecked(&self) -> Diagnostics {
        let output = self.run_ready(&["apply", "-auto-approve", "-json"]);
        Diagnostics::from_event_lines(&output.expect_success().stdout)
    }

    #[track_caller]
    pub fn apply_expecting_failure(&self) -> Diagnostics {
        self.failed(&["apply", "-auto-approve", "-json"])
    }

    /// Applies what state alone asks for, whatever has changed at HeyGen.
    #[track_caller]
    pub fn apply_without_refresh_expecting_failure(&self) -> Diagnostics {
        self.failed(&["apply", "-refresh=false", "-auto-approve", "-json"])
    }

    /// Applies the plan saved by the last [`plan`](Self::plan).
    #[track_caller]
    pub fn apply_saved_plan(&self) -> Diagnostics {
        let output = self.run_ready(&["apply", "-json", "tfplan"]).expect_success();
        self.expect_nothing_to_do();
        Diagnostics::from_event_lines(&output.stdout)
    }

    #[track_caller]
    pub fn destroy(&self) -> Diagnostics {
        let output = self.run_ready(&["destroy", "-auto-approve", "-json"]);
        let diagnostics = Diagnostics::from_event_lines(&output.expect_success().stdout);
        assert_eq!(self.state().addresses(), [""; 0], "left after destroy");
        diagnostics
    }

    #[track_caller]
    pub fn destroy_expecting_failure(&self) -> Diagnostics {
        self.failed(&["destroy", "-auto-approve", "-json"])
    }

    /// Runs the list blocks of the configuration, expecting no error. Terraform has this command since 1.14.
    #[track_caller]
    pub fn query(&self) -> Query {
        self.query_with(&[])
    }

    /// A query with more arguments, such as `-generate-config-out=…`.
    #[track_caller]
    pub fn query_with(&self, arguments: &[&str]) -> Query {
        let output = self.run_ready(&[&["query", "-json"], arguments].concat());
        Query::of(output.expect_success())
    }

    /// A query in which at least one list block fails.
    #[track_caller]
    pub fn query_expecting_failure(&self) -> Query {
        Query::of(self.run_ready(&["query", "-json"]).expect_failure())
    }

    /// Imports one resource by its id. This command knows no machine-readable output: read it as text.
    #[track_caller]
    pub fn import(&self, address: &str, id: &str) -> Output {
        self.run_ready(&["import", address, id]).expect_success()
    }

    /// The state file; empty before the first apply, also where that was killed before it wrote any.
    pub fn state(&self) -> State {
        let text = fs::read_to_string(self.directory().join("terraform.tfstate")).unwrap_or_default();
        State::new(match text.as_str() {
            "" => Value::Null,
            text => serde_json::from_str(text).expect("state is JSON"),
        })
    }

    /// The values of the root module's outputs, sensitive ones in clear text.
    #[track_caller]
    pub fn outputs(&self) -> BTreeMap<String, Value> {
        let outputs = json(&self.run_ready(&["output", "-json"]).expect_success());
        let outputs = outputs.as_object().expect("outputs are an object").iter();
        outputs
            .map(|(name, output)| (name.clone(), output["value"].clone()))
            .collect()
    }

    /// Runs a command to its end, whatever that is, as long as no plugin broke the protocol.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Output {
        without_provider_bugs(self.spawn(arguments).wait())
    }

    /// Runs a command as people type it into their shell, with the engine as `terraform` and, in these variables, what
    /// they know and no page can. No plugin may break the protocol.
    #[track_caller]
    pub fn shell(&self, command: &str, variables: &[(&str, &str)]) -> Output {
        let mut shell = Command::new("sh");
        shell
            .args(["-eu", "-c", command])
            .current_dir(self.directory())
            .env_clear()
            .envs(&self.environment)
            .env("PATH", self.path_with_the_engine())
            .envs(variables.iter().copied());
        without_provider_bugs(Running::start(shell).wait())
    }

    /// The pinned Node.js comes before the machine's own. What is missing is a failure and never a skip.
    fn path_with_the_engine(&self) -> OsString {
        let programs = self.root.path().join("bin");
        let terraform = programs.join("terraform");
        if !terraform.exists() {
            fs::create_dir(&programs).expect("a writable directory");
            // No link: the pinned engine looks for its parts beside itself.
            let script = format!("#!/bin/sh\nexec '{}' \"$@\"\n", self.engine.program().display());
            fs::write(&terraform, script).expect("a writable directory");
            fs::set_permissions(&terraform, fs::Permissions::from_mode(0o755)).expect("a file of our own");
        }
        let node = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/node/bin");
        assert!(node.exists(), "there is no {}: run `make setup`", node.display());
        let path = search_path();
        let folders = [programs, node].into_iter().chain(env::split_paths(&path));
        env::join_paths(folders).expect("no folder has a colon in its name")
    }

    /// Starts a command and hands it over as it runs, for tests that interrupt or kill it.
    pub fn spawn(&self, arguments: &[&str]) -> Running {
        let mut command = Command::new(self.engine.program());
        command
            .args(arguments)
            .current_dir(self.directory())
            .env_clear()
            .envs(&self.environment);
        Running::start(command)
    }

    /// Fails the test unless plans without and with refresh are empty.
    #[track_caller]
    pub fn expect_nothing_to_do(&self) {
        for refresh in ["-refresh=false", "-refresh=true"] {
            let output = self.run_ready(&["plan", "-detailed-exitcode", refresh]);
            assert_eq!(output.code(), Some(0), "expected nothing left to do\n{output:?}");
        }
    }

    #[track_caller]
    fn validated(&self, code: i32) -> Diagnostics {
        let output = self.run_ready(&["validate", "-json"]).expect_code(code);
        Diagnostics::from_list(&json(&output)["diagnostics"])
    }

    #[track_caller]
    fn failed(&self, arguments: &[&str]) -> Diagnostics {
        let output = self.run_ready(arguments).expect_failure();
        let diagnostics = Diagnostics::from_event_lines(&output.stdout);
        assert!(
            diagnostics.errors().next().is_some(),
            "it failed without an error\n{output:?}"
        );
        diagnostics
    }

    /// As [`run`](Self::run), after an `init` if there was none yet.
    #[track_caller]
    pub fn run_ready(&self, arguments: &[&str]) -> Output {
        if !self.initialised.get() {
            self.init();
        }
        self.run(arguments)
    }

    fn log_file(&self) -> PathBuf {
        self.root.path().join("trace.log")
    }
}

#[track_caller]
fn without_provider_bugs(output: Output) -> Output {
    let text = output.text();
    if let Some(bug) = PROVIDER_BUGS.iter().find(|bug| text.contains(**bug)) {
        panic!("{bug:?} tells of a bug in the provider\n{output:?}");
    }
    output
}

/// `HOST/NAMESPACE/TYPE/VERSION/OS_ARCH/`, the layout of an unpacked mirror, with the binary under test in it.
fn lay_out_mirror(mirror: &Path) {
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    let source = env!("PROVIDER_SOURCE");
    let folder = mirror.join(format!("{source}/{VERSION}/{}", platform()));
    fs::create_dir_all(&folder).expect("a writable directory");
    symlink(
        provider_binary(),
        folder.join(format!("terraform-provider-heygen_v{VERSION}")),
    )
    .expect("a writable directory");
}

/// What Terraform calls this machine's kind, such as `linux_amd64`.
pub fn platform() -> String {
    let system = match env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let processor = match env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{system}_{processor}")
}

/// The provider that engines start. A whole run of the tests has the one that is released, which takes half the time of a
/// processor; where only some tests are asked for, it is the one that was built with them.
fn provider_binary() -> OsString {
    let built_with_the_tests = env!("CARGO_BIN_EXE_terraform-provider-heygen");
    env::var_os("PROVIDER_BINARY").unwrap_or_else(|| built_with_the_tests.into())
}

/// The mirror is the only place providers may come from: nothing is ever looked for on the network.
fn cli_configuration(mirror: &Path) -> String {
    format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path = {:?}\n  }}\n}}\ndisable_checkpoint = true\n",
        mirror.display().to_string()
    )
}

#[track_caller]
fn json(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("expected JSON: {error}\n{output:?}"))
}
