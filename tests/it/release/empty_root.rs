//! The binary in a root that holds almost nothing, as images of containers have it: no C library, no shell, no user.
//!
//! Each test runs itself again, in namespaces of its own, as the only user of a network that has nothing but loopback.

use std::env;
use std::fs;
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use tempfile::TempDir;

use super::{VERSION, released_binary};
use crate::fake_heygen::FakeHeygen;
use crate::support::account::endpoint;
use crate::support::engine::{Engine, search_path};
use crate::support::http::{Identity, Server};
use crate::support::process::{Output, Running};
use crate::support::terraform::platform;

/// Set in the process within the namespaces: the binary under test.
const WITHIN: &str = "RELEASED_BINARY";

/// Names that the hosts file knows, and names that only the name server knows, each with the address of one family.
const HOSTS: &str = "127.0.0.1 localhost hosts-a.example\n::1 hosts-aaaa.example\n";
const SERVED: [&str; 2] = ["served-a.example", "served-aaaa.example"];

/// Brings the loopback device up, and goes on as the test. Python is asked because not every machine has `ip`.
const BRING_UP: &str = "\
import fcntl, os, socket, struct, sys
up_and_running = 0x41
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any:
    fcntl.ioctl(any, 0x8914, struct.pack('16sH14x', b'lo', up_and_running))
os.execv(sys.argv[1], sys.argv[1:])
";

mod an_empty_root_is_enough {
    use super::*;

    #[test]
    fn terraform_path() {
        within("an_empty_root_is_enough", |root| {
            let (heygen, served) = (FakeHeygen::start(), Served::start(root));
            let api = served.api(&heygen);
            root.write("work/main.tf", &endpoint("url = \"https://hooks.example.com/heygen\""));
            root.terraform(&["init"], &[]).expect_success();
            for (name, server) in [
                ("hosts-a.example", &api[0]),
                ("hosts-aaaa.example", &api[1]),
                ("served-a.example", &api[0]),
                ("served-aaaa.example", &api[1]),
            ] {
                heygen.clear_requests();
                let base = format!("https://{name}:{}", port(server));
                root.terraform(&["apply", "-auto-approve"], &account(&heygen, &base))
                    .expect_success();
                assert!(!heygen.requests().is_empty(), "{name}");
                assert_eq!(heygen.endpoints().len(), 1, "{name}");
            }
            let nowhere = account(&heygen, "https://nowhere.example");
            let said = root.terraform(&["plan"], &nowhere).expect_failure();
            let reason = "neither /etc/hosts nor the name servers of /etc/resolv.conf know this name";
            assert!(said.messages().contains(reason), "{said:?}");
            let base = format!("https://served-a.example:{}", port(&api[0]));
            root.terraform(&["destroy", "-auto-approve"], &account(&heygen, &base))
                .expect_success();
            assert_eq!(heygen.endpoints().len(), 0);
        });
    }
}

mod a_machine_without_certificates_is_told_when_it_needs_them {
    use super::*;

    #[test]
    fn terraform_path() {
        within("a_machine_without_certificates_is_told_when_it_needs_them", |root| {
            let heygen = FakeHeygen::start();
            root.write("work/main.tf", &endpoint("url = \"https://hooks.example.com/heygen\""));
            root.terraform(&["init"], &[]).expect_success();
            // Planning a creation and calls in plain HTTP need none.
            root.terraform(&["plan"], &account(&heygen, "https://hosts-a.example"))
                .expect_success();
            root.terraform(&["apply", "-auto-approve"], &account(&heygen, &heygen.base_url()))
                .expect_success();
            let said = root
                .terraform(&["plan"], &account(&heygen, "https://hosts-a.example"))
                .expect_failure();
            for text in [
                "no certificates of authorities were found",
                "ca-certificates",
                "SSL_CERT_FILE",
                "SSL_CERT_DIR",
            ] {
                assert!(said.messages().contains(text), "{text}: {said:?}");
            }
        });
    }
}

mod no_module_of_the_machines_c_library_is_loaded {
    use super::*;

    #[test]
    fn terraform_path() {
        within("no_module_of_the_machines_c_library_is_loaded", |root| {
            root.poison();
            // Every call that loads modules dies of them: otherwise this test would show nothing.
            for call in root.poisoned_calls() {
                let control = root.run(Path::new("/control"), &[call], &[]);
                assert!(control.signal().is_some(), "{call} is not poisoned: {control:?}");
            }
            let (heygen, served) = (FakeHeygen::start(), Served::start(root));
            let api = served.api(&heygen);
            root.write("work/main.tf", &endpoint("url = \"https://hooks.example.com/heygen\""));
            root.terraform(&["init"], &[]).expect_success();
            let base = format!("https://served-a.example:{}", port(&api[0]));
            let mut variables = account(&heygen, &base);
            variables.push(("PLUGIN_UNIX_SOCKET_GROUP", "hosts".to_owned()));
            root.terraform(&["apply", "-auto-approve"], &variables).expect_success();
            assert_eq!(heygen.endpoints().len(), 1);
            // A group that the file does not have ends the provider: the file was read.
            variables.push(("PLUGIN_UNIX_SOCKET_GROUP", "others".to_owned()));
            let said = root.terraform(&["plan"], &variables).expect_failure();
            assert!(
                said.messages()
                    .contains("Failed to read any lines from plugin's stdout"),
                "{said:?}"
            );
            // Without a key, a credentials file is looked for, and there is no HOME to find one in.
            let without_key = [("HEYGEN_API_BASE", base)];
            let said = root.terraform(&["plan"], &without_key).expect_failure();
            assert!(said.messages().contains("No HeyGen credentials"), "{said:?}");
        });
    }
}

mod without_home_there_is_no_credentials_file {
    use super::*;

    #[test]
    fn terraform_path() {
        within("without_home_there_is_no_credentials_file", |root| {
            let heygen = FakeHeygen::start();
            root.write("work/main.tf", "data \"heygen_webhook_endpoints\" \"all\" {}\n");
            root.write("etc/passwd", "somebody:x:0:0::/somebody:/\n");
            root.write("somebody/.heygen/credentials", heygen.api_key());
            root.terraform(&["init"], &[]).expect_success();
            let base = ("HEYGEN_API_BASE", heygen.base_url());
            let said = root.terraform(&["plan"], std::slice::from_ref(&base)).expect_failure();
            assert!(said.messages().contains("No HeyGen credentials"), "{said:?}");
            // That file would do.
            let home = ("HOME", "/somebody".to_owned());
            root.terraform(&["plan"], &[base, home]).expect_success();
        });
    }
}

/// Runs a part of the test of this name in an empty root, in a process of its own.
fn within(test: &str, part: impl FnOnce(&Root)) {
    if let Some(binary) = env::var_os(WITHIN) {
        return part(&Root::with(Path::new(&binary)));
    }
    let binary = released_binary();
    let name = format!("release::empty_root::{test}::terraform_path");
    let mut command = namespaces();
    // Of the environment, sudo replaces the PATH.
    let path = search_path().into_string().unwrap();
    command
        .args(["env", &format!("PATH={path}"), "python3", "-c", BRING_UP])
        .arg(env::current_exe().unwrap());
    command.args(["--exact", &name, "--nocapture"]).env(WITHIN, binary);
    let output = Running::start(command).wait().expect_success();
    assert!(output.stdout.contains("1 passed"), "{output:?}");
}

/// What runs a command in a mount and a network namespace. Whoever is not root has them with a user namespace, in which
/// they are, and where that is forbidden, by sudo.
fn namespaces() -> Command {
    let root: &[&str] = &["unshare", "--mount", "--net"];
    let user: &[&str] = &["unshare", "--map-root-user", "--mount", "--net"];
    let sudo: &[&str] = &[
        "sudo",
        "--non-interactive",
        "--preserve-env",
        "unshare",
        "--mount",
        "--net",
    ];
    let ways = if nix::unistd::geteuid().is_root() {
        &[root, user][..]
    } else {
        &[user, sudo]
    };
    let works = |way: &&&[&str]| {
        let tried = Command::new(way[0])
            .args(&way[1..])
            .args(["mount", "--bind", "/tmp", "/tmp"])
            .output();
        tried.is_ok_and(|tried| tried.status.success())
    };
    let way = ways
        .iter()
        .find(works)
        .unwrap_or_else(|| panic!("none of {ways:?} works on this machine"));
    let mut command = Command::new(way[0]);
    command.args(&way[1..]);
    command
}

/// A folder that becomes the root of what is run in it.
struct Root {
    folder: TempDir,
    /// Those of the engine.
    libraries: Vec<PathBuf>,
}

impl Root {
    fn with(binary: &Path) -> Self {
        let engine = Engine::from_path();
        let root = Self {
            folder: tempfile::tempdir().unwrap(),
            libraries: libraries_of(engine.program()),
        };
        for folder in ["dev", "etc", "tmp", "work"] {
            fs::create_dir(root.at(folder)).unwrap();
        }
        for device in ["dev/null", "dev/random", "dev/urandom"] {
            root.bind(&Path::new("/").join(device), device);
        }
        root.write("etc/hosts", HOSTS);
        root.write("etc/group", "root:x:0:\nhosts:x:0:\n");
        root.bind(engine.program(), "terraform");
        for library in &root.libraries {
            root.bind(library, library.to_str().unwrap().trim_start_matches('/'));
        }
        let package = format!("mirror/{}/{VERSION}/{}", env!("PROVIDER_SOURCE"), platform());
        fs::create_dir_all(root.at(&package)).unwrap();
        let plugin = root.at(&package).join(format!("terraform-provider-heygen_v{VERSION}"));
        fs::copy(binary, &plugin).unwrap();
        fs::set_permissions(&plugin, fs::Permissions::from_mode(0o755)).unwrap();
        root.write(
            "terraform.rc",
            "provider_installation {\n  filesystem_mirror {\n    path = \"/mirror\"\n  }\n}\n",
        );
        root.write("work/providers.tf", crate::support::terraform::REQUIRED_PROVIDERS);
        root
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, content: &str) {
        let file = self.at(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }

    /// Has a file of the machine in the root, which ends with the namespace.
    fn bind(&self, file: &Path, path: &str) {
        self.write(path, "");
        let mut command = Command::new("mount");
        command
            .arg("--bind")
            .arg(fs::canonicalize(file).unwrap())
            .arg(self.at(path));
        Running::start(command).wait().expect_success();
    }

    fn terraform(&self, arguments: &[&str], variables: &[(&str, String)]) -> Output {
        self.run(
            Path::new("/terraform"),
            &[&["-chdir=/work"], arguments].concat(),
            variables,
        )
    }

    fn run(&self, program: &Path, arguments: &[&str], variables: &[(&str, String)]) -> Output {
        let mut command = Command::new("chroot");
        command
            .arg(self.folder.path())
            .arg(program)
            .args(arguments)
            .env_clear()
            // For chroot itself, which is found by it, and no help within.
            .env("PATH", search_path())
            .env("TF_CLI_CONFIG_FILE", "/terraform.rc")
            .env("TF_CLI_ARGS", "-no-color")
            .env("TF_INPUT", "0")
            .env("CHECKPOINT_DISABLE", "1")
            .envs(variables.iter().map(|(name, value)| (name, value)));
        Running::start(command).wait()
    }

    /// The calls of the C library that load the poison. An engine that was built by hand, and is not static, asks for its
    /// user and for the socket's group by itself, and would die of it.
    fn poisoned_calls(&self) -> &'static [&'static str] {
        if self.libraries.is_empty() {
            &["getaddrinfo", "getgrnam", "getpwuid"]
        } else {
            &["getaddrinfo"]
        }
    }

    /// Names modules in nsswitch.conf that kill whoever loads them, and puts a program into the root that does.
    fn poison(&self) {
        let accounts = if self.libraries.is_empty() {
            "poison files"
        } else {
            "files"
        };
        self.write(
            "etc/nsswitch.conf",
            &format!("hosts: poison files\ngroup: {accounts}\npasswd: {accounts}\n"),
        );
        self.write(
            "poison.c",
            "__attribute__((constructor)) static void die(void) { __builtin_trap(); }\n",
        );
        self.write(
            "control.c",
            "#include <grp.h>\n#include <netdb.h>\n#include <pwd.h>\n#include <string.h>\n\
             int main(int count, char **arguments) {\n\
               struct addrinfo *found;\n\
               if (!strcmp(arguments[1], \"getaddrinfo\")) getaddrinfo(\"hosts-a.example\", 0, 0, &found);\n\
               if (!strcmp(arguments[1], \"getgrnam\")) getgrnam(\"hosts\");\n\
               if (!strcmp(arguments[1], \"getpwuid\")) getpwuid(0);\n\
               return 0;\n\
             }\n",
        );
        let compile = |arguments: &[&str]| {
            let mut command = Command::new("cc");
            command.args(arguments).current_dir(self.folder.path());
            Running::start(command).wait().expect_success().stdout
        };
        compile(&["-static", "-w", "-o", "control", "control.c"]);
        let multiarch = compile(&["-print-multiarch"]);
        for folder in ["lib", "lib64", &format!("lib/{}", multiarch.trim())] {
            let module = format!("{folder}/libnss_poison.so.2");
            self.write(&module, "");
            compile(&["-shared", "-nostdlib", "-fPIC", "-o", &module, "poison.c"]);
        }
    }
}

/// What an engine needs beside itself: nothing, as it is released, and the C library if it was built by hand.
fn libraries_of(engine: &Path) -> Vec<PathBuf> {
    let mut command = Command::new("ldd");
    command.arg(engine);
    let listed = Running::start(command).wait().stdout;
    let words = listed.split_whitespace().filter(|word| word.starts_with('/'));
    words.filter(|word| !word.ends_with(':')).map(PathBuf::from).collect()
}

/// The environment in which a provider has this account, by a name of the API's host.
fn account(heygen: &FakeHeygen, base: &str) -> Vec<(&'static str, String)> {
    vec![
        ("HEYGEN_API_KEY", heygen.api_key().to_owned()),
        ("HEYGEN_API_BASE", base.to_owned()),
        ("HEYGEN_MAX_RETRIES", "0".to_owned()),
    ]
}

fn port(server: &Server) -> &str {
    server.address().rsplit(':').next().unwrap()
}

/// A name server, and a certificate for the names it knows and those of the hosts file, which the root trusts.
struct Served {
    identity: Identity,
}

impl Served {
    fn start(root: &Root) -> Self {
        let names = [["hosts-a.example", "hosts-aaaa.example"], SERVED].concat();
        let identity = Identity::of(&names);
        root.write("etc/ssl/certs/ca-certificates.crt", &identity.pem);
        root.write("etc/resolv.conf", "nameserver 127.0.0.1\n");
        let socket = UdpSocket::bind("127.0.0.1:53").unwrap();
        thread::spawn(move || serve_names(&socket));
        Self { identity }
    }

    /// The fake behind TLS, at the address of either family.
    fn api(&self, heygen: &FakeHeygen) -> [Server; 2] {
        let address = heygen.base_url().replace("http://", "");
        ["127.0.0.1:0", "[::1]:0"].map(|on| {
            let address = address.clone();
            Server::answering_over_tls(on, &self.identity, move |request| request.forwarded(&address))
        })
    }
}

/// Answers with loopback's address to the question for the family that the name says, with no record to the other one,
/// and that there is no such name to all else.
fn serve_names(socket: &UdpSocket) {
    const HEADER: usize = 12;
    let mut question = [0; 512];
    while let Ok((length, from)) = socket.recv_from(&mut question) {
        let question = &question[..length];
        let mut at = HEADER;
        let mut labels = Vec::new();
        while question[at] != 0 {
            let end = at + 1 + usize::from(question[at]);
            labels.push(String::from_utf8_lossy(&question[at + 1..end]).into_owned());
            at = end;
        }
        let (kind, end) = (question[at + 2], at + 5);
        let name = labels.join(".");
        let address = match (name.as_str(), kind) {
            ("served-a.example", 1) => vec![127, 0, 0, 1],
            ("served-aaaa.example", 28) => [&[0; 15][..], &[1]].concat(),
            _ => Vec::new(),
        };
        let code = if SERVED.contains(&name.as_str()) { 0 } else { 3 };
        let answers = u8::from(!address.is_empty());
        let mut answer = question[..2].to_vec();
        answer.extend([0x81, 0x80 | code, 0, 1, 0, answers, 0, 0, 0, 0]);
        answer.extend(&question[HEADER..end]);
        if answers == 1 {
            // The name as in the question, the kind, the internet, and a minute to live.
            answer.extend([
                0xc0,
                0x0c,
                0,
                kind,
                0,
                1,
                0,
                0,
                0,
                60,
                0,
                u8::try_from(address.len()).unwrap(),
            ]);
            answer.extend(address);
        }
        let _ = socket.send_to(&answer, from);
    }
}
