//! The page that explains every error and warning has a section for each, and for nothing that is no longer said.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use terraform_provider_heygen::{provider, terraform};

use crate::tidy::{code_of, relative, root, rust_files};

const PAGE: &str = "docs/guides/errors.md";

/// Its sections that are about no summary.
const OTHER_SECTIONS: [&str; 3] = [
    "Find a message",
    "What functions refuse",
    "What an interruption can leave",
];

#[test]
fn every_summary_has_a_section_and_every_section_a_summary() {
    let page = page();
    let sections: Vec<&str> = sections(&page).into_iter().map(|(heading, _)| heading).collect();
    let headings: BTreeSet<&str> = sections.iter().copied().collect();
    assert_eq!(headings.len(), sections.len(), "{PAGE} has a heading twice");
    let expected: BTreeSet<&str> = summaries().into_iter().chain(OTHER_SECTIONS).collect();
    let missing: Vec<_> = expected.difference(&headings).collect();
    assert!(missing.is_empty(), "{PAGE} has no section `## …` for {missing:?}");
    let left: Vec<_> = headings.difference(&expected).collect();
    assert!(left.is_empty(), "{PAGE} explains what is not said any more: {left:?}");
}

#[test]
fn every_section_says_whether_it_is_an_error_or_a_warning_and_more_than_that() {
    let warnings = warnings();
    for (summary, body) in sections(&page()) {
        if OTHER_SECTIONS.contains(&summary) {
            continue;
        }
        let kind = if warnings.contains(summary) {
            "**Warning.** "
        } else {
            "**Error.** "
        };
        let explanation = body.trim().strip_prefix(kind);
        let explanation = explanation.unwrap_or_else(|| panic!("`{summary}` does not begin with `{kind}`: {body}"));
        assert!(explanation.matches('.').count() >= 2, "`{summary}` is hardly explained");
    }
}

#[test]
fn every_section_can_be_found_from_the_top_and_every_link_leads_to_one() {
    let page = page();
    let sections = sections(&page);
    let anchors: BTreeSet<String> = sections.iter().map(|(heading, _)| anchor(heading)).collect();
    for target in links(&page) {
        let at = target
            .strip_prefix('#')
            .unwrap_or_else(|| panic!("{target} is on another page"));
        assert!(anchors.contains(at), "no section has the anchor {target}");
    }
    let (first, contents) = sections[0];
    assert_eq!(first, OTHER_SECTIONS[0]);
    let listed: Vec<&str> = links(contents);
    for (heading, _) in &sections[1..] {
        let target = format!("#{}", anchor(heading));
        let count = listed.iter().filter(|it| **it == target).count();
        assert_eq!(count, 1, "links to `{heading}` at the top");
    }
}

#[test]
fn a_summary_is_one_line_without_a_full_stop_and_names_one_thing_only() {
    let summaries = summaries();
    for summary in &summaries {
        let begins_large = summary.starts_with(char::is_uppercase);
        let is_plain = !summary.contains(['\n', '`']) && !summary.ends_with('.');
        assert!(begins_large && is_plain, "{summary:?}");
    }
    let distinct: BTreeSet<&str> = summaries.iter().copied().collect();
    assert_eq!(distinct.len(), summaries.len(), "two rooms have the same summary");
}

/// Nothing else keeps a module from a summary that is in no list.
#[test]
fn summaries_are_declared_by_their_macro_alone() {
    let mut declaring = Vec::new();
    for (file, text) in rust_files(&root().join("src")) {
        if code_of(&text).contains("declared_by_macro") {
            declaring.push(relative(&file));
        }
    }
    assert_eq!(declaring, ["src/terraform/summary.rs"]);
}

#[test]
fn the_page_has_the_front_matter_of_a_guide() {
    let page = page();
    let mut lines = page.lines();
    assert_eq!(lines.next(), Some("---"));
    let front_matter: Vec<&str> = lines.take_while(|line| *line != "---").collect();
    let [title, subcategory, description, text] = front_matter.as_slice() else {
        panic!("{front_matter:?}");
    };
    assert!(title.starts_with("page_title: \"") && title.ends_with('"'), "{title}");
    assert_eq!(*subcategory, "subcategory: \"\"");
    assert_eq!(*description, "description: |-");
    assert!(text.starts_with("  ") && text.ends_with('.'), "{text}");
}

fn page() -> String {
    fs::read_to_string(root().join(PAGE)).unwrap()
}

/// Each heading of the second level, with what is below it.
fn sections(page: &str) -> Vec<(&str, &str)> {
    let sections = page.split("\n## ").skip(1);
    sections.map(|section| section.split_once('\n').unwrap()).collect()
}

/// What both rooms can say; the API's room says nothing by itself.
fn summaries() -> Vec<&'static str> {
    let rooms = [terraform::SUMMARIES, provider::SUMMARIES];
    rooms.concat().into_iter().map(terraform::Summary::as_str).collect()
}

/// The summaries of warnings, as the sources have them.
fn warnings() -> BTreeSet<String> {
    let mut warnings = BTreeSet::new();
    for room in ["terraform", "provider"] {
        let folder = root().join("src").join(room);
        let declared = fs::read_to_string(folder.join("summaries.rs")).unwrap();
        let words: BTreeMap<&str, &str> = declared
            .lines()
            .filter_map(|line| line.trim().strip_suffix("\";")?.split_once(" = \""))
            .collect();
        for (_, text) in rust_files(&folder) {
            for made in text.split("Diagnostic::warning(").skip(1) {
                let named = made.trim_start().strip_prefix("summaries::");
                let name = named.and_then(|rest| rest.split([',', ')']).next());
                warnings.extend(name.map(|name| words[name].to_owned()));
            }
        }
    }
    assert!(!warnings.is_empty(), "this test no longer finds what it looks for");
    warnings
}

/// The anchor that a heading gets.
fn anchor(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|it| it.is_alphanumeric() || matches!(it, ' ' | '-'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// Where links lead.
fn links(page: &str) -> Vec<&str> {
    let targets = page.split("](").skip(1);
    targets.filter_map(|rest| rest.split(')').next()).collect()
}
