//! A release in a folder of its own: zip, manifest, sums and signature, made by the project's scripts.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::{VERSION, released_binary, root, script};
use crate::support::process::{Output, Running};
use crate::support::terraform::platform;

/// What all files in the tests' zips are dated: some day in 2026.
pub(super) const TIME: &str = "1790000000";

/// The files of a release, and the key that it is signed with.
pub(super) struct Dist {
    folder: TempDir,
    pub(super) key: Key,
}

impl Dist {
    /// Packs the released binary, and signs with a key of its own.
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        package(&released_binary(), VERSION, folder.path()).expect_success();
        let key = Key::generate();
        key.sums(folder.path()).expect_success();
        Self { folder, key }
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The whole name of one of its files.
    pub(super) fn name(rest: &str) -> String {
        format!("terraform-provider-heygen_{VERSION}_{rest}")
    }

    pub(super) fn read(&self, rest: &str) -> Vec<u8> {
        fs::read(self.folder().join(Self::name(rest))).unwrap()
    }

    pub(super) fn zip() -> String {
        format!("{}.zip", platform())
    }
}

/// An `OpenPGP` key that is thrown away, and a `gpg` that signs with it.
pub(super) struct Key(TempDir);

impl Key {
    pub(super) fn generate() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let openpgp = [
            root().join(".tools/openpgp/python3"),
            root().join("tests/it/release/openpgp.py"),
        ];
        assert!(openpgp[0].exists(), "there is no .tools/openpgp: run `make setup`");
        let mut generate = Command::new(&openpgp[0]);
        generate.arg(&openpgp[1]).arg("generate").arg(folder.path());
        Running::start(generate).wait().expect_success();

        let bin = folder.path().join("bin");
        fs::create_dir(&bin).unwrap();
        let [python, program] = openpgp.map(|path| path.display().to_string());
        let script = format!(
            "#!/bin/sh\nexec '{python}' '{program}' gpg '{}' \"$@\"\n",
            folder.path().display()
        );
        fs::write(bin.join("gpg"), script).unwrap();
        fs::set_permissions(bin.join("gpg"), fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }

    pub(super) fn fingerprint(&self) -> String {
        fs::read_to_string(self.0.path().join("fingerprint")).unwrap()
    }

    /// As its id is written: the last 16 digits.
    pub(super) fn id(&self) -> String {
        let fingerprint = self.fingerprint().to_uppercase();
        fingerprint[fingerprint.len() - 16..].to_owned()
    }

    pub(super) fn public(&self) -> String {
        fs::read_to_string(self.0.path().join("public.asc")).unwrap()
    }

    /// A binary signature of something else than a release's sums.
    pub(super) fn signature_of(&self, content: &[u8]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let (file, signature) = (folder.path().join("file"), folder.path().join("file.sig"));
        fs::write(&file, content).unwrap();
        let mut gpg = Command::new(self.0.path().join("bin/gpg"));
        gpg.args(["--no-armor", "--local-user", &self.fingerprint(), "--output"]);
        gpg.arg(&signature).arg("--detach-sign").arg(&file);
        Running::start(gpg).wait().expect_success();
        fs::read(signature).unwrap()
    }

    /// Writes and signs the sums of a folder.
    pub(super) fn sums(&self, folder: &Path) -> Output {
        let path = std::env::var_os("PATH").unwrap();
        let bins = std::iter::once(self.0.path().join("bin")).chain(std::env::split_paths(&path));
        let mut command = Command::new(root().join("scripts/sums"));
        command
            .args([VERSION.as_ref(), folder.as_os_str(), self.fingerprint().as_ref()])
            .env("PATH", std::env::join_paths(bins).unwrap());
        Running::start(command).wait()
    }
}

/// Packs a binary, whether or not that succeeds.
#[track_caller]
pub(super) fn package(binary: &Path, version: &str, folder: &Path) -> Output {
    script(
        "package",
        [binary.as_os_str(), version.as_ref(), TIME.as_ref(), folder.as_os_str()],
    )
}

/// What is in a zip, as Python's own reader has it: for each file its name, mode, date and content.
pub(super) fn members(zip: &Path) -> Vec<(String, u32, String, PathBuf)> {
    let folder = zip.with_extension("unpacked");
    let program = "import sys, zipfile\n\
                   with zipfile.ZipFile(sys.argv[1]) as archive:\n\
                   \x20   assert archive.testzip() is None\n\
                   \x20   archive.extractall(sys.argv[2])\n\
                   \x20   for it in archive.infolist():\n\
                   \x20       print(it.filename, it.external_attr >> 16, *it.date_time, len(it.extra))\n";
    let mut command = Command::new("python3");
    command.args(["-c", program]).arg(zip).arg(&folder);
    let printed = Running::start(command).wait().expect_success().stdout;
    let member = |line: &str| {
        let (name, rest) = line.split_once(' ').unwrap();
        let (mode, date) = rest.split_once(' ').unwrap();
        (
            name.to_owned(),
            mode.parse().unwrap(),
            date.to_owned(),
            folder.join(name),
        )
    };
    printed.lines().map(member).collect()
}

#[test]
fn the_zip_holds_what_terraform_runs_and_what_the_law_asks_for() {
    let dist = Dist::new();
    let members = members(&dist.folder().join(Dist::name(&Dist::zip())));
    let plugin = format!("terraform-provider-heygen_v{VERSION}");
    let names: Vec<_> = members.iter().map(|(name, ..)| name.as_str()).collect();
    let expected = [
        "CHANGELOG.md",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "THIRD-PARTY-NOTICES.txt",
        &plugin,
    ];
    assert_eq!(names, expected);
    for (name, mode, date, content) in &members {
        assert_eq!(*mode, if *name == plugin { 0o100_755 } else { 0o100_644 }, "{name}");
        assert_eq!(
            date, "2026 9 21 14 13 20 0",
            "{name}: the time that was asked for, and no more fields"
        );
        if *name == plugin {
            assert!(fs::read(content).unwrap() == fs::read(released_binary()).unwrap());
        }
    }
    let notices = fs::read_to_string(&members[4].3).unwrap();
    for crate_name in ["tokio ", "rustls ", "ring ", "reqwest "] {
        let mut lines = notices.lines().map(str::trim_start);
        assert!(
            lines.any(|line| line.starts_with(crate_name)),
            "the notices do not name {crate_name}"
        );
    }
    for text in [
        "Permission is hereby granted, free of charge",
        "TERMS AND CONDITIONS FOR USE, REPRODUCTION",
    ] {
        assert!(notices.contains(text), "the notices do not say: {text}");
    }
    if cfg!(target_os = "linux") {
        for text in [
            "GNU LESSER GENERAL PUBLIC LICENSE",
            "put your libc.a where your C compiler finds it",
            "hickory-resolver",
        ] {
            assert!(notices.contains(text), "the notices do not say: {text}");
        }
    }
    for text in [std::env::var("HOME").unwrap(), root().display().to_string()] {
        assert!(!notices.contains(&format!("{text}/")), "the notices tell of {text}");
    }
}

#[test]
fn the_same_input_makes_the_same_zip() {
    let binary = released_binary();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [one, other] = folders.each_ref().map(|folder| {
        package(&binary, VERSION, folder.path()).expect_success();
        fs::read(folder.path().join(Dist::name(&Dist::zip()))).unwrap()
    });
    assert!(one == other);
}

#[test]
fn the_sums_list_zips_and_manifest_and_nothing_else() {
    let dist = Dist::new();
    for beside in [format!("{}.cdx.json", Dist::zip()), "notes.txt".to_owned()] {
        fs::write(dist.folder().join(Dist::name(&beside)), "{}").unwrap();
    }
    fs::write(
        dist.folder().join("terraform-provider-heygen_0.0.9_linux_amd64.zip"),
        "",
    )
    .unwrap();
    dist.key.sums(dist.folder()).expect_success();
    let sums = String::from_utf8(dist.read("SHA256SUMS")).unwrap();
    let lines: Vec<&str> = sums.split('\n').collect();
    let [zip, manifest, ""] = lines[..] else {
        panic!("two lines are expected, each with an end: {sums}")
    };
    for (line, file) in [(zip, Dist::zip()), (manifest, "manifest.json".to_owned())] {
        let (sum, name) = line.split_once("  ").unwrap();
        assert_eq!(name, Dist::name(&file));
        assert_eq!(sum, sha256(&dist.read(&file)));
    }
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&dist.read("manifest.json")).unwrap(),
        serde_json::json!({"version": 1, "metadata": {"protocol_versions": ["6.0"]}})
    );
    // Binary signatures: of the list, and of the SBOM.
    for signed in ["SHA256SUMS".to_owned(), format!("{}.cdx.json", Dist::zip())] {
        assert!(dist.read(&format!("{signed}.sig"))[0] & 0x80 != 0, "{signed}");
    }

    // Without a key nothing is signed, an old signature does not stay, and that is said.
    let said = script("sums", [VERSION.as_ref(), dist.folder().as_os_str()]).expect_success();
    assert!(said.stderr.contains("NOTHING IS SIGNED"), "{said:?}");
    assert_eq!(String::from_utf8(dist.read("SHA256SUMS")).unwrap(), sums);
    assert!(!dist.folder().join(Dist::name("SHA256SUMS.sig")).exists());
}

pub(super) fn sha256(content: &[u8]) -> String {
    use sha2::Digest as _;
    base16ct::lower::encode_string(&sha2::Sha256::digest(content))
}
