//! Workflow files and pages name commands, files and folders. What they name is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The pages for those who work on the provider.
const PAGES: [&str; 9] = [
    "README.md",
    "CONTRIBUTING.md",
    "RELEASING.md",
    "SECURITY.md",
    "examples/fake-heygen/README.md",
    "tests/it/README.md",
    "examples/modules/endpoint/README.md",
    "examples/modules/generations/README.md",
    "examples/receiver/README.md",
];

/// What the one job that makes a draft of a release may do, in front of its steps.
const PERMISSIONS_OF_THE_DRAFT: &str = "
    environment: release
    permissions:
      contents: write
      id-token: write
      attestations: write
    steps:
";

#[test]
fn workflows_run_targets_of_the_makefile_and_nothing_else() {
    let targets = targets();
    let mut run = BTreeSet::new();
    for (file, text) in workflows() {
        for line in text.lines() {
            match command(line) {
                Step::Make(target) => {
                    assert!(
                        targets.contains(target),
                        "{file}: the Makefile has no target `{target}`"
                    );
                    run.insert(target.to_owned());
                }
                Step::OtherCommand => panic!("{file} runs something that is no target of the Makefile: {line}"),
                Step::None => {}
            }
        }
    }
    let expected = [
        "lint",
        "deny",
        "test",
        "docs-check",
        "check-windows",
        "soak",
        "fuzz",
        "advisories",
        "reproduce",
        "package",
        "sums",
        "draft",
    ];
    for target in expected {
        assert!(run.contains(target), "no workflow runs `make {target}`");
    }
}

/// What a maintainer's own machine runs for every change.
#[test]
fn the_script_for_every_change_runs_targets_of_the_makefile() {
    let script = fs::read_to_string(root().join(".ci/run")).unwrap();
    let run: Vec<&str> = script
        .lines()
        .filter_map(|line| line.strip_prefix("make "))
        .map(|rest| rest.split(' ').next().unwrap_or_default())
        .collect();
    assert_eq!(
        run,
        ["lint", "deny", "test", "docs-check"],
        "what is built for tests serves the pages"
    );
    assert!(run.iter().all(|target| targets().contains(*target)));
}

#[test]
fn workflows_use_actions_pinned_by_commit_and_only_the_draft_may_write() {
    for (file, text) in workflows() {
        for line in text.lines().filter(|line| squeezed(line).contains("uses:")) {
            assert!(
                is_pinned(line),
                "{file}: not pinned by a full commit id, with its version: {line}"
            );
        }
        assert!(
            text.contains("\npermissions:\n  contents: read\n\n"),
            "{file} may do more"
        );
        let all = text.matches("permissions").count();
        let of_the_draft = usize::from(text.contains(PERMISSIONS_OF_THE_DRAFT));
        assert_eq!(all, 1 + of_the_draft, "{file} gives permissions to more than one job");
        assert!(of_the_draft == 0 || file.ends_with("/release.yml"), "{file} may write");
    }
}

#[test]
fn the_rules_on_workflows_see_every_way_around_them() {
    assert_eq!(command("      - run: make check-windows"), Step::Make("check-windows"));
    assert_eq!(command("        run: make test"), Step::Make("test"));
    assert_eq!(command("    runs-on: ubuntu-24.04"), Step::None);
    for other in [
        "      - run: cargo test",
        "      - run: make test && rm -r target",
        "      - run: make test lint",
        "      - run: make SEEDS=1..9 soak",
        "      - run: |",
        "      - \"run\": make test",
        "      - { run: make test }",
        "      - run : make test",
    ] {
        assert_eq!(command(other), Step::OtherCommand, "{other}");
    }
    let commit = "3d3c42e5aac5ba805825da76410c181273ba90b1";
    assert!(is_pinned(&format!("      - uses: actions/checkout@{commit} # v7.0.1")));
    assert!(is_pinned(&format!("        uses: actions/checkout@{commit} # v7.0.1")));
    for loose in [
        "      - uses: actions/checkout@v7".to_owned(),
        format!("      - uses: actions/checkout@{commit}"),
        format!("      - uses: actions/checkout@{} # v7.0.1", &commit[..39]),
        format!("      - uses: actions/checkout@{} # v7.0.1", commit.to_uppercase()),
        "      - uses: ./.github/actions/own".to_owned(),
    ] {
        assert!(!is_pinned(&loose), "{loose}");
    }
}

#[test]
fn make_alone_lists_every_target() {
    // The tests themselves run under make, whose variables would have this one say where it is.
    let output = Command::new("make")
        .current_dir(root())
        .env_remove("MAKEFLAGS")
        .env_remove("MAKELEVEL")
        .output()
        .expect("a make on PATH");
    let printed = String::from_utf8(output.stdout).unwrap();
    let listed: BTreeSet<String> = printed
        .lines()
        .filter_map(|line| Some(line.split_once(' ')?.0.to_owned()))
        .collect();
    assert_eq!(listed, targets());
}

#[test]
fn pages_name_targets_and_files_that_are_there() {
    let targets = targets();
    for page in PAGES {
        let text = fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"));
        for target in targets_named(&text) {
            assert!(
                targets.contains(target),
                "{page}: the Makefile has no target `{target}`"
            );
        }
        for path in paths_named(&text) {
            assert!(root().join(path).exists(), "{page}: there is no {path}");
        }
        for link in links(&text) {
            let target = root().join(page).parent().unwrap().join(link);
            assert!(target.exists(), "{page}: there is no {link}");
        }
    }
}

#[test]
fn the_page_of_the_tests_names_every_suite() {
    let page = fs::read_to_string(root().join("tests/it/README.md")).unwrap();
    let named = paths_named(&page);
    for entry in fs::read_dir(root().join("tests/it")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let suite = format!("tests/it/{name}{}", if entry.path().is_dir() { "/" } else { "" });
        let is_suite = !["README.md", "main.rs"].contains(&name.as_str());
        assert!(
            !is_suite || named.contains(&suite.as_str()),
            "the page does not name {suite}"
        );
    }
}

#[test]
fn the_rule_on_pages_sees_what_they_name() {
    let page = "Run `make check-windows`, see `src/plugin/` and [`it`](tests/it), not [that](https://example.com/make x).\n\
                ```sh\nmake demo\nSEEDS=1..9 make soak\n```\n";
    assert_eq!(targets_named(page), ["check-windows", "demo", "soak"]);
    assert_eq!(paths_named(page), ["src/plugin/"]);
    assert_eq!(links(page), ["tests/it"]);
}

/// What a line of a workflow runs.
#[derive(Debug, PartialEq)]
enum Step<'a> {
    /// One target of the Makefile, without anything else.
    Make(&'a str),
    OtherCommand,
    None,
}

fn command(line: &str) -> Step<'_> {
    if !squeezed(line).contains("run:") {
        return Step::None;
    }
    let line = line.trim_start();
    let step = line.strip_prefix("- ").unwrap_or(line);
    match step.strip_prefix("run: make ") {
        Some(target) if is_target(target) => Step::Make(target),
        _ => Step::OtherCommand,
    }
}

/// `uses: OWNER/NAME@COMMIT # vVERSION`
fn is_pinned(line: &str) -> bool {
    let line = line.trim_start();
    let step = line.strip_prefix("- ").unwrap_or(line);
    let commit_and_version = step
        .strip_prefix("uses: ")
        .and_then(|action| action.split_once('@'))
        .and_then(|(_, pin)| pin.split_once(" # v"));
    commit_and_version.is_some_and(|(commit, version)| {
        commit.len() == 40
            && commit.chars().all(|digit| matches!(digit, '0'..='9' | 'a'..='f'))
            && version.starts_with(|digit: char| digit.is_ascii_digit())
    })
}

/// A line without what YAML lets stand around a key.
fn squeezed(line: &str) -> String {
    line.chars()
        .filter(|letter| !letter.is_whitespace() && !matches!(letter, '"' | '\''))
        .collect()
}

/// Whatever follows `make ` in code: within backticks, or in a line of a block.
fn targets_named(page: &str) -> Vec<&str> {
    let mut named = Vec::new();
    let mut in_block = false;
    for line in page.lines() {
        if line.starts_with("```") {
            in_block = !in_block;
            continue;
        }
        let code: Vec<&str> = if in_block {
            vec![line]
        } else {
            line.split('`').skip(1).step_by(2).collect()
        };
        for code in code {
            let words: Vec<&str> = code.split_whitespace().collect();
            let after_make = words.windows(2).filter(|pair| pair[0] == "make").map(|pair| pair[1]);
            named.extend(after_make.filter(|word| is_target(word)));
        }
    }
    named
}

/// What stands in backticks and begins with a folder of ours.
fn paths_named(page: &str) -> Vec<&str> {
    let code = page.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let folders = [
        "src/",
        "tests/",
        "examples/",
        "templates/",
        "docs/",
        "scripts/",
        "proto/",
        ".github/",
    ];
    code.filter(|code| folders.iter().any(|folder| code.starts_with(folder)) && !code.contains([' ', '*', '…']))
        .collect()
}

/// Where links within the repository lead.
fn links(page: &str) -> Vec<&str> {
    let targets = page
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', '#']).next());
    targets
        .filter(|target| !target.is_empty() && !target.contains("://"))
        .collect()
}

fn is_target(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-')
}

/// What the Makefile declares as its targets.
fn targets() -> BTreeSet<String> {
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    let phony = makefile.lines().filter_map(|line| line.strip_prefix(".PHONY: "));
    let declared: BTreeSet<String> = phony.flat_map(|names| names.split(' ')).map(str::to_owned).collect();
    assert!(declared.len() > 1, "the Makefile declares nothing");
    for target in &declared {
        let rule = format!("\n{target}:");
        assert!(
            makefile.contains(&rule),
            "the Makefile declares {target} and has no rule for it"
        );
    }
    declared
}

/// Every workflow, by its name.
fn workflows() -> Vec<(String, String)> {
    let files = fs::read_dir(root().join(".github/workflows")).unwrap();
    let files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    assert!(!files.is_empty());
    let read = |file: PathBuf| (file.display().to_string(), fs::read_to_string(&file).unwrap());
    files.into_iter().map(read).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
