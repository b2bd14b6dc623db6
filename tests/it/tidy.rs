//! Conventions that no compiler holds: who may know whom, and what no file may say.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Each room under `src/`, and the other rooms it may know.
const ROOMS: [(&str, &[&str]); 4] = [
    ("plugin", &[]),
    ("terraform", &[]),
    ("heygen", &[]),
    ("provider", &["terraform", "heygen"]),
];

/// Where generated messages and services may be named. All else speaks in types of our own.
const NAMES_GENERATED_TYPES: [&str; 5] = [
    "src/terraform/proto.rs",
    "src/terraform/wire/",
    "src/terraform/server",
    "src/plugin/proto.rs",
    "src/plugin/services.rs",
];

#[test]
fn each_room_knows_only_the_rooms_it_may() {
    for (room, may_know) in ROOMS {
        for (file, text) in rust_files(&root().join("src").join(room)) {
            let depth = module_depth(&file);
            for other in rooms_named(&code_of(&text), depth) {
                assert!(
                    other == room || may_know.contains(&other),
                    "{}: `{room}` must not know `{other}`",
                    relative(&file)
                );
            }
        }
    }
}

#[test]
fn generated_types_stay_in_their_corner() {
    let mut named_in_the_corner = false;
    for (file, text) in rust_files(&root().join("src")) {
        let file = relative(&file);
        let code = code_of(&text);
        let own = code.split("#[cfg(test)]").next().unwrap_or_default();
        let names = own.contains("proto::") || own.contains("include_proto!");
        if NAMES_GENERATED_TYPES.iter().any(|corner| file.starts_with(corner)) {
            named_in_the_corner |= names;
        } else {
            assert!(!names, "{file} names generated types");
        }
    }
    assert!(
        named_in_the_corner,
        "nothing was found where it belongs: this test does not find what it checks"
    );
}

#[test]
fn no_file_tells_of_somebodys_machine_or_of_a_registry() {
    // In halves, so that this file may be looked at like any other.
    let unwanted = [
        concat!("/ho", "me/"),
        concat!("/Us", "ers/"),
        concat!("/ro", "ot/"),
        concat!("/wo", "rk/"),
        concat!("crates", ".io"),
        concat!("py", "pi."),
        concat!("python", "hosted"),
        concat!("npm", "js"),
        concat!("debian", ".org"),
        concat!("registry", ".terraform"),
        concat!("registry", ".opentofu"),
    ];
    for (file, text) in files(root()) {
        // Cargo writes its own file.
        if relative(&file) == "Cargo.lock" {
            continue;
        }
        for (number, line) in (1..).zip(text.lines()) {
            let found = unwanted.iter().find(|word| line.contains(**word));
            assert!(found.is_none(), "{}:{number}: {found:?}", relative(&file));
        }
    }
}

#[test]
fn the_changelog_names_this_version() {
    let changelog = fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    let heading = format!("## {}", env!("CARGO_PKG_VERSION"));
    assert!(
        changelog.lines().any(|line| line.split(" - ").next() == Some(&heading)),
        "CHANGELOG.md has no heading `{heading}`"
    );
}

#[test]
fn every_script_can_be_run_as_it_is() {
    let folders = ["scripts", ".ci"].map(|folder| files(&root().join(folder)));
    let scripts = folders.concat();
    assert!(!scripts.is_empty());
    for (file, text) in scripts {
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert!(mode & 0o111 == 0o111, "{} is not executable", relative(&file));
        assert!(text.starts_with("#!"), "{} names no interpreter", relative(&file));
    }
}

#[test]
fn the_rule_on_rooms_sees_every_way_to_write_a_path() {
    let named = |code, depth| rooms_named(code, depth);
    assert_eq!(named("use crate::heygen::Client;", 1), ["heygen"]);
    assert_eq!(
        named("use crate::{\n  plugin::{terraform, Logs},\n  terraform,\n};", 1),
        ["plugin", "terraform"]
    );
    assert_eq!(named("fn f(it: super::super::plugin::Logs) {}", 2), ["plugin"]);
    assert_eq!(named("use super::provider::Provider;", 2), [""; 0]);
    assert_eq!(
        named("use super::{heygen::Client, super::plugin};", 1),
        ["heygen", "plugin"]
    );
    assert_eq!(named("use crate::provider_like::X; // crate::elsewhere", 1), [""; 0]);
    assert_eq!(code_of("a\n  /// crate::plugin\n//! crate::plugin\nb"), "a\nb\n");
}

/// The rooms that paths from the crate's root lead into, in code of a module this deep (1 is a room itself).
///
/// A path by way of `super` leads there when it climbs as far; within a module that is inline, one step further. Both
/// are taken as reaching it: what this finds too much has the name of a room and should not.
fn rooms_named(code: &str, depth: usize) -> Vec<&str> {
    let mut named = Vec::new();
    for (start, _) in code.match_indices("crate::") {
        named.extend(first_names(&code[start + "crate::".len()..]));
    }
    let climb = "super::".repeat(depth);
    let mut rest = code;
    while let Some(start) = rest.find(&climb) {
        rest = &rest[start + climb.len()..];
        for name in first_names(rest) {
            named.push(name);
        }
    }
    named.retain(|name| ROOMS.iter().any(|(room, _)| room == name));
    named.dedup();
    named
}

/// The names a path may go on with: one, or in braces several, each after whatever `super::` stands before it.
fn first_names(path: &str) -> Vec<&str> {
    let path = path.trim_start().trim_start_matches("super::");
    let Some(group) = path.strip_prefix('{') else {
        return vec![name_at(path)];
    };
    let mut names = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, letter) in group.char_indices() {
        match letter {
            ',' if depth == 0 => {
                names.push(&group[start..at]);
                start = at + 1;
            }
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(&group[start..at]);
                break;
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    let names = names
        .into_iter()
        .map(|name| name.trim_start().trim_start_matches("super::"));
    names.map(name_at).collect()
}

fn name_at(path: &str) -> &str {
    let end = path.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
    &path[..end.unwrap_or(path.len())]
}

/// How many steps of `super` lead from this file's module to the crate's root.
fn module_depth(file: &Path) -> usize {
    let inside = file.strip_prefix(root().join("src")).unwrap();
    let steps = inside.components().count();
    if file.ends_with("mod.rs") { steps - 1 } else { steps }
}

/// The text without the lines that are comments.
pub(crate) fn code_of(text: &str) -> String {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| [line, "\n"]).collect()
}

pub(crate) fn rust_files(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut files = files(folder);
    files.retain(|(file, _)| file.extension().is_some_and(|it| it == "rs"));
    files
}

/// Every text file below, but what is built or fetched.
fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() && ![".git", ".tools", "dist", "target"].iter().any(|it| name == *it) {
                folders.push(entry.path());
            } else if kind.is_file() && name != ".git" {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    let text = |file: PathBuf| Some((file.clone(), fs::read_to_string(file).ok()?));
    found.into_iter().filter_map(text).collect()
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn relative(file: &Path) -> String {
    file.strip_prefix(root()).unwrap().display().to_string()
}
