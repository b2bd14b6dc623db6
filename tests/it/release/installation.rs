//! Terraform installs the release, as its users have it do: from a registry, from a mirror on the network, from a mirror
//! in a folder. And it refuses what is not the release.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use serde_json::json;

use super::dist::{Dist, Key, sha256};
use super::{VERSION, root};
use crate::support::account::{ADDRESS, endpoint, with_account};
use crate::support::engine::{Engine, for_each_engine};
use crate::support::http::{Identity, Request, Server, response};
use crate::support::process::Running;
use crate::support::terraform::{Workspace, platform};

for_each_engine! {
    fn a_release_installs_from_registry_and_mirrors_and_works(tf: Workspace) {
        let dist = Dist::new();
        let registry = Registry::of(&dist);
        let engine = tf.engine().clone();
        let source = Source::of_the_readme();

        let tf = tf.installing_by(&registry.cli_configuration(&source));
        source.require(&tf);
        let said = tf.init();
        assert!(said.text().contains(&format!("signed, key ID {}", dist.key.id())), "{said:?}");
        let from_registry = Lock::of(&tf);
        let zips = String::from_utf8(dist.read("SHA256SUMS")).unwrap();
        let sums = zips.lines().map(|line| format!("zh:{}", &line[..64]));
        assert_eq!(from_registry.zips, sums.collect::<Vec<_>>());
        let folder = tempfile::tempdir().unwrap();
        let mirror = folder.path().to_owned();
        tf.run(&["providers", "mirror", mirror.to_str().unwrap()]).expect_success();
        expect_it_works(tf);

        let packed = mirror.join(&source.path).join(Dist::name(&Dist::zip()));
        assert!(packed.is_file(), "there is no {}", packed.display());
        let rc = format!("filesystem_mirror {{\n path = {:?}\n }}", mirror.display().to_string());
        let tf = Workspace::new(engine.clone()).installing_by(&only(&rc));
        source.require(&tf);
        tf.init();
        assert_eq!(Lock::of(&tf).content, from_registry.content);
        expect_it_works(tf);

        // Elsewhere the system decides which certificates engines trust, and no variable does.
        if cfg!(target_os = "linux") {
            let identity = Identity::of(&["127.0.0.1"]);
            let trusted = mirror.join("trusted.pem");
            fs::write(&trusted, &identity.pem).unwrap();
            let server = Server::answering_over_tls("127.0.0.1:0", &identity, move |request| file_in(&mirror, request));
            let rc = format!("network_mirror {{\n url = \"https://{}/\"\n }}", server.address());
            let tf = Workspace::new(engine).installing_by(&only(&rc)).with_env("SSL_CERT_FILE", &trusted);
            source.require(&tf);
            let said = tf.init();
            assert!(said.text().contains("verified checksum"), "{said:?}");
            assert_eq!(Lock::of(&tf).content, from_registry.content);
            expect_it_works(tf);
        }
    }

    fn what_is_not_the_release_is_refused(tf: Workspace) {
        let dist = Dist::new();
        let source = Source::of_the_readme();
        let zip = Dist::zip();
        let sums = dist.read("SHA256SUMS");
        let told = |registry: Registry| {
            let tf = Workspace::new(tf.engine().clone()).installing_by(&registry.cli_configuration(&source));
            source.require(&tf);
            tf.run(&["init"]).expect_failure()
        };
        let expect = |registry: Registry, message: &str| {
            let said = told(registry);
            assert!(said.messages().contains(message), "expected: {message}\n{said:?}");
        };

        let other = Key::generate();
        expect(Registry::of(&dist).signed_by(&other), "authentication signature from unknown issuer");
        let spoiled = [dist.read(&zip), b"!".to_vec()].concat();
        expect(Registry::of(&dist).with_file(&zip, spoiled), "archive has incorrect checksum");
        // A changed line is noticed by what it is about, and else by the signature.
        let lines = std::str::from_utf8(&sums).unwrap();
        for (line, message) in [(0, "archive has incorrect checksum"), (1, "openpgp: invalid signature")] {
            let at = lines.match_indices('\n').map(|(end, _)| end + 1).take(line).last().unwrap_or(0);
            let mut changed = sums.clone();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            expect(Registry::of(&dist).with_file("SHA256SUMS", changed), message);
        }
        expect(
            Registry::of(&dist).without_platform(),
            &format!("does not have a package available for your current platform, {}", platform()),
        );

        // What scripts/sums has to do right: the zip's own line, and a signature that is binary.
        let without_the_zip = lines.split_inclusive('\n').skip(1).collect::<String>();
        let signature = dist.key.signature_of(without_the_zip.as_bytes());
        let registry = Registry::of(&dist).with_file("SHA256SUMS", without_the_zip.into_bytes());
        expect(registry.with_file("SHA256SUMS.sig", signature), "checksum list has no SHA-256 hash for");
        let armoured = b"-----BEGIN PGP SIGNATURE-----\n".to_vec();
        expect(Registry::of(&dist).with_file("SHA256SUMS.sig", armoured), "tag byte does not have MSB set");
    }
}

#[test]
fn the_guide_to_installing_installs_from_a_zip_and_checks_it() {
    let dist = Dist::new();
    let mirror = tempfile::tempdir().unwrap();
    let place = mirror.path().to_str().unwrap();
    let page = fs::read_to_string(root().join("templates/guides/installing.md")).unwrap();
    let page = page
        .replace("/srv/terraform-mirror", place)
        .replace("linux_amd64", &platform())
        .replace("0.1.0", VERSION);
    // A block within a list is indented.
    let page: String = page.lines().flat_map(|line| [line.trim_start(), "\n"]).collect();
    // A block of the page, by what is in it.
    let block = |of: &str| {
        let mut blocks = page.split("\n```").skip(1).step_by(2);
        let found = blocks.find(|block| block.contains(of));
        let block = found.unwrap_or_else(|| panic!("the guide has no block with {of}"));
        block.split_once('\n').unwrap().1.to_owned()
    };
    let shell = |commands: &str| {
        let commands = if cfg!(target_os = "macos") {
            commands.replace("sha256sum", "shasum --algorithm 256")
        } else {
            commands.to_owned()
        };
        let mut command = Command::new("sh");
        command.args(["-e", "-c", &commands]).current_dir(dist.folder());
        Running::start(command).wait()
    };
    shell(&block("mkdir -p ")).expect_success();
    let tf = Workspace::new(Engine::from_path()).installing_by(&block("filesystem_mirror {"));
    tf.write("providers.tf", &block("required_providers {"));
    let said = tf.init();
    assert!(said.text().contains("unauthenticated"), "{said:?}");

    let check = block("sha256sum --check");
    assert!(
        shell(&check)
            .expect_success()
            .stdout
            .contains(&format!("{}: OK", Dist::name(&Dist::zip())))
    );
    fs::write(dist.folder().join(Dist::name(&Dist::zip())), "another").unwrap();
    shell(&check).expect_failure();
}

/// Creates, finds nothing left to do, and destroys, with the provider that was installed.
fn expect_it_works(tf: Workspace) {
    let (tf, heygen) = with_account(tf);
    tf.write("main.tf", &endpoint("url = \"https://hooks.example.com/heygen\""));
    tf.apply().none();
    assert_eq!(heygen.endpoints().len(), 1);
    assert_eq!(
        tf.state().instance(ADDRESS).text("secret"),
        heygen.endpoints()[0].secret
    );
    tf.destroy().none();
    assert_eq!(heygen.endpoints().len(), 0);
}

/// Where configurations say that the provider comes from.
struct Source {
    host: String,
    /// `NAMESPACE/TYPE`
    name: String,
    /// `HOST/NAMESPACE/TYPE`
    path: String,
}

impl Source {
    /// As the page says that users read first.
    fn of_the_readme() -> Self {
        let page = fs::read_to_string(root().join("README.md")).unwrap();
        let mut values = page
            .lines()
            .filter_map(|line| line.trim().strip_prefix("source")?.trim().strip_prefix('='));
        let path = values.next().expect("a source").trim().trim_matches('"').to_owned();
        let (host, name) = path.split_once('/').expect("HOST/NAMESPACE/TYPE");
        Self {
            host: host.to_owned(),
            name: name.to_owned(),
            path,
        }
    }

    fn require(&self, tf: &Workspace) {
        let required = format!("heygen = {{ source = \"{}\" }}", self.path);
        tf.write(
            "providers.tf",
            &format!("terraform {{\n  required_providers {{\n    {required}\n  }}\n}}\n"),
        );
    }
}

/// What the lock file says of the provider.
struct Lock {
    /// The checksums of what the zips hold, which all channels agree on.
    content: Vec<String>,
    /// The checksums of the zips themselves, by which only a registry can say more than one has.
    zips: Vec<String>,
}

impl Lock {
    fn of(tf: &Workspace) -> Self {
        let text = fs::read_to_string(tf.directory().join(".terraform.lock.hcl")).unwrap();
        let hashes = |kind| -> Vec<String> {
            let quoted = text
                .lines()
                .map(|line| line.trim().trim_end_matches(',').trim_matches('"'));
            quoted
                .filter(|hash| hash.starts_with(kind))
                .map(str::to_owned)
                .collect()
        };
        let lock = Self {
            content: hashes("h1:"),
            zips: hashes("zh:"),
        };
        assert_eq!(lock.content.len(), 1, "{text}");
        lock
    }
}

/// A CLI configuration in which providers come from one place alone.
fn only(place: &str) -> String {
    format!("provider_installation {{\n{place}\n}}\ndisable_checkpoint = true\n")
}

/// A registry with one provider, in plain HTTP on loopback.
struct Registry {
    files: BTreeMap<String, Vec<u8>>,
    public_key: String,
    key_id: String,
    has_this_platform: bool,
}

impl Registry {
    fn of(dist: &Dist) -> Self {
        let files = [Dist::zip(), "SHA256SUMS".to_owned(), "SHA256SUMS.sig".to_owned()];
        Self {
            files: files.map(|file| (file.clone(), dist.read(&file))).into(),
            public_key: dist.key.public(),
            key_id: dist.key.id(),
            has_this_platform: true,
        }
    }

    /// Claims that the release is signed with this key.
    fn signed_by(mut self, key: &Key) -> Self {
        self.public_key = key.public();
        self.key_id = key.id();
        self
    }

    fn with_file(mut self, name: &str, content: Vec<u8>) -> Self {
        let replaced = self.files.insert(name.to_owned(), content);
        assert!(replaced.is_some(), "the release has no {name}");
        self
    }

    fn without_platform(mut self) -> Self {
        self.has_this_platform = false;
        self
    }

    /// Serves, and has an engine take the source's host for this server: signatures are checked all the same.
    fn cli_configuration(self, source: &Source) -> String {
        let name = source.name.clone();
        let registry = Arc::new(self);
        let server = Server::answering(move |request| registry.answer(&name, request));
        format!(
            "host \"{}\" {{\n  services = {{ \"providers.v1\" = \"{}/v1/providers/\" }}\n}}\n{}",
            source.host,
            server.url(),
            only("direct {}")
        )
    }

    fn answer(&self, provider: &str, request: &Request) -> Vec<u8> {
        let platform = platform();
        let (system, processor) = platform.split_once('_').unwrap();
        let version = format!("/v1/providers/{provider}/versions");
        let download = format!("/v1/providers/{provider}/{VERSION}/download/{system}/{processor}");
        let url = |file: &str| format!("/files/{}", Dist::name(file));
        let path = request.path();
        if path == version {
            let platforms = json!([{"os": system, "arch": processor}]);
            let versions = json!([{"version": VERSION, "protocols": ["6.0"], "platforms": platforms}]);
            response(200, json!({ "versions": versions }).to_string())
        } else if path == download && self.has_this_platform {
            let sums = String::from_utf8_lossy(&self.files["SHA256SUMS"]).into_owned();
            let line = sums.lines().find(|line| line.ends_with(&Dist::zip()));
            let listed = line.map_or_else(|| sha256(&self.files[&Dist::zip()]), |line| line[..64].to_owned());
            let answer = json!({
                "protocols": ["6.0"],
                "os": system,
                "arch": processor,
                "filename": Dist::name(&Dist::zip()),
                "download_url": url(&Dist::zip()),
                "shasum": listed,
                "shasums_url": url("SHA256SUMS"),
                "shasums_signature_url": url("SHA256SUMS.sig"),
                "signing_keys": {"gpg_public_keys": [{"key_id": self.key_id, "ascii_armor": self.public_key}]},
            });
            response(200, answer.to_string())
        } else {
            let file = self.files.iter().find(|(file, _)| path == url(file));
            file.map_or_else(|| response(404, "{}"), |(_, content)| response(200, content))
        }
    }
}

/// A file of a mirror's folder.
fn file_in(folder: &Path, request: &Request) -> Vec<u8> {
    let file = folder.join(request.path().trim_start_matches('/'));
    fs::read(file).map_or_else(|_| response(404, "{}"), |content| response(200, content))
}
