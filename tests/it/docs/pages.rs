//! What the registries ask of the pages under `docs/`, and what people may expect of them.
//!
//! Whether the pages are as `make docs` makes them is for `make docs-check` to say.

use std::collections::BTreeSet;
use std::fs;

use super::{relative, root, schemas, tree};

/// The Terraform registry cuts pages of half a million bytes.
const MOST_BYTES: usize = 500_000;

const MOST_GUIDES: usize = 9;

#[test]
fn every_page_is_as_the_registries_have_it() {
    let files = tree(&root().join("docs"));
    assert!(files.len() >= 8, "hardly any page was found: {files:?}");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let page = relative(&file);
        let problem = problem_with(page.strip_prefix("docs/").unwrap(), &text);
        assert_eq!(problem, None, "{page}");
    }
    assert!(!root().join("website").exists(), "registries take pages from one place");
    let guides = tree(&root().join("docs/guides"));
    assert!(guides.len() <= MOST_GUIDES, "{} guides", guides.len());
}

#[tokio::test]
async fn everything_in_the_schema_has_its_page_and_every_page_is_of_something_in_it() {
    let schemas = schemas().await;
    assert!(schemas.ephemeral_resource_schemas.is_empty() && schemas.action_schemas.is_empty());
    let named = |folder: &str, names: Vec<&String>| -> Vec<String> {
        let names = names
            .into_iter()
            .map(|name| name.strip_prefix("heygen_").unwrap_or(name));
        names.map(|name| format!("docs/{folder}/{name}.md")).collect()
    };
    let mut expected = BTreeSet::from(["docs/index.md".to_owned()]);
    expected.extend(named("resources", schemas.resource_schemas.keys().collect()));
    expected.extend(named("data-sources", schemas.data_source_schemas.keys().collect()));
    expected.extend(named("list-resources", schemas.list_resource_schemas.keys().collect()));
    expected.extend(named("functions", schemas.functions.keys().collect()));
    assert!(expected.len() >= 8, "{expected:?}");
    let pages = tree(&root().join("docs"));
    let pages: BTreeSet<String> = pages.iter().map(|page| relative(page)).collect();
    let of_the_schema: BTreeSet<String> = pages
        .into_iter()
        .filter(|page| !page.starts_with("docs/guides/"))
        .collect();
    assert_eq!(of_the_schema, expected);
}

#[test]
fn links_lead_to_what_is_there() {
    let mut followed = 0;
    for file in tree(&root().join("docs")) {
        for link in links(&fs::read_to_string(&file).unwrap()) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => file.clone(),
                path => file.parent().unwrap().join(path),
            };
            assert!(target.is_file(), "{}: there is no {link}", relative(&file));
            let known = anchors(&fs::read_to_string(&target).unwrap());
            assert!(
                anchor.is_empty() || known.contains(anchor),
                "{}: nothing in {path} is named #{anchor}",
                relative(&file)
            );
            followed += 1;
        }
    }
    assert!(followed > 10, "hardly any link was found");
}

#[test]
fn the_rule_on_links_sees_them_and_where_they_lead() {
    let page = "See [one](a.md#part), [two](#part) and [three](https://example.com/), not `[four]`.\n";
    assert_eq!(links(page), ["a.md#part", "#part"]);
    let page = "# What the page is: \"all\"\n\n<a id=\"nested--x\"></a>\n### Nested `x.y` of heygen_z\n\n```sh\n# no heading\n```\n";
    let expected = ["nested--x", "nested-xy-of-heygen_z", "what-the-page-is-all"];
    assert_eq!(anchors(page), expected.map(str::to_owned).into());
}

/// Where links within the repository lead.
fn links(page: &str) -> Vec<&str> {
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://")).collect()
}

/// What links can name within a page: its headings, as sites of repositories and registries name them, and anchors.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for line in page.split("```").step_by(2).flat_map(str::lines) {
        if let Some(anchor) = line.strip_prefix("<a id=\"") {
            anchors.extend(anchor.split('"').next().map(str::to_owned));
        }
        if line.starts_with('#') {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let kept = heading
                .chars()
                .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
            anchors.insert(kept.collect::<String>().replace(' ', "-"));
        }
    }
    anchors
}

#[test]
fn the_rules_on_pages_see_what_breaks_them() {
    let page = |front: &str, body: &str| format!("---\n# A comment.\n{front}---\n\n{body}");
    let front = "page_title: \"heygen_a Resource - heygen\"\nsubcategory: \"\"\ndescription: |-\n  Words.\n";
    let body = "# heygen_a (Resource)\n\nWords.\n\n## Example Usage\n\n## Schema\n\n## Import\n";
    let problem = |path, front: &str, body: &str| problem_with(path, &page(front, body));
    assert_eq!(problem("resources/a.md", front, body), None);

    assert!(problem("resource/a.md", front, body).is_some());
    assert!(problem("resources/more/a.md", front, body).is_some());
    assert!(problem("resources/a.html.markdown", front, body).is_some());
    assert!(problem("resources/a.md", front, &format!("{body}{}", "x".repeat(MOST_BYTES))).is_some());
    assert!(problem_with("resources/a.md", body).is_some());
    for (from, to) in [
        ("page_title: \"heygen_a Resource - heygen\"\n", ""),
        ("subcategory: \"\"\n", ""),
        ("subcategory: \"\"\n", "subcategory: \"Webhooks\"\n"),
        ("subcategory: \"\"\n", "subcategory: \"\"\nlayout: \"heygen\"\n"),
        ("subcategory: \"\"\n", "subcategory: \"\"\nsidebar_current: \"x\"\n"),
        ("  Words.\n", ""),
        ("  Words.\n", "Words.\n"),
        ("heygen_a Resource", "heygen_b Resource"),
        ("heygen_a Resource", "heygen_a Data Source"),
    ] {
        assert!(front.contains(from));
        assert!(
            problem("resources/a.md", &front.replace(from, to), body).is_some(),
            "{to}"
        );
    }
    for (from, to) in [
        ("# heygen_a (Resource)", "# heygen_a"),
        ("## Example Usage\n\n## Schema", "## Schema\n\n## Example Usage"),
        ("## Schema\n\n", ""),
        ("## Import\n", ""),
        ("\nWords.\n", "\n~> Words.\n"),
        ("\nWords.\n", "\n-> **Note** Words.\n"),
    ] {
        assert!(body.contains(from));
        assert!(
            problem("resources/a.md", front, &body.replace(from, to)).is_some(),
            "{to}"
        );
    }
    let index = "page_title: \"heygen Provider\"\ndescription: |-\n  Words.\n";
    let body = "# heygen Provider\n\n## Example Usage\n\n## Schema\n";
    assert_eq!(problem("index.md", index, body), None);
    assert!(problem("index.md", &format!("subcategory: \"\"\n{index}"), body).is_some());
    let guide = "page_title: \"Errors\"\nsubcategory: \"\"\ndescription: |-\n  Words.\n";
    assert_eq!(problem("guides/errors.md", guide, "# Errors\n"), None);
    assert!(problem("guides/errors.md", &guide.replace("Errors", ""), "# Errors\n").is_some());
    assert!(problem("guides/errors.md", guide, "Errors\n").is_some());
}

/// Which rule a page breaks, if any. The path is the one within `docs/`.
fn problem_with(path: &str, text: &str) -> Option<String> {
    let Some((folder, name)) = split(path) else {
        return Some("is in no folder that registries look into".to_owned());
    };
    if text.len() >= MOST_BYTES {
        return Some("is too long".to_owned());
    }
    let Some((front, body)) = text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n\n")) else {
        return Some("has no front matter".to_owned());
    };
    let (title, heading, sections): (_, _, &[&str]) = match folder {
        "" => (
            "heygen Provider".to_owned(),
            "heygen Provider".to_owned(),
            &["Example Usage", "Schema"],
        ),
        "resources" => titles(name, "Resource", &["Example Usage", "Schema", "Import"]),
        "data-sources" => titles(name, "Data Source", &["Example Usage", "Schema"]),
        "list-resources" => titles(name, "List Resource", &["Example Usage", "Schema"]),
        "functions" => (
            format!("{name} function - heygen"),
            format!("function: {name}"),
            &["Example Usage", "Signature", "Arguments", "Return Value"],
        ),
        _ => (String::new(), String::new(), &[]),
    };
    problem_with_front_matter(front, folder, &title).or_else(|| problem_with_body(body, &heading, sections))
}

/// The folder and the name of a page.
fn split(path: &str) -> Option<(&str, &str)> {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let name = file.strip_suffix(".md")?;
    let known = match folder {
        "" => name == "index",
        "resources" | "data-sources" | "list-resources" | "functions" | "guides" => !name.contains('.'),
        _ => false,
    };
    known.then_some((folder, name))
}

fn titles<'a>(name: &str, kind: &str, sections: &'a [&'a str]) -> (String, String, &'a [&'a str]) {
    let name = format!("heygen_{name}");
    (format!("{name} {kind} - heygen"), format!("{name} ({kind})"), sections)
}

/// A title of no length is one that may be any.
fn problem_with_front_matter(front: &str, folder: &str, title: &str) -> Option<String> {
    let mut lines = front.lines().filter(|line| !line.starts_with('#')).peekable();
    let given = lines.next().unwrap_or_default();
    let given = given
        .strip_prefix("page_title: \"")
        .and_then(|rest| rest.strip_suffix('"'));
    match given {
        Some(given) if !given.is_empty() && (title.is_empty() || given == title) => {}
        _ => return Some(format!("has the title {given:?} instead of {title:?}")),
    }
    if !folder.is_empty() && lines.next() != Some("subcategory: \"\"") {
        return Some("has no empty subcategory".to_owned());
    }
    if lines.next() != Some("description: |-") || lines.peek().is_none() {
        return Some("has no description".to_owned());
    }
    let strange = lines.find(|line| !line.starts_with("  "));
    strange.map(|line| format!("has something else in its front matter: {line}"))
}

/// A heading of no length is one that may be any. What a code block holds is neither a heading nor a callout.
fn problem_with_body(body: &str, heading: &str, sections: &[&str]) -> Option<String> {
    let prose: Vec<&str> = body.split("```").step_by(2).flat_map(str::lines).collect();
    let first = prose.first().copied().unwrap_or_default();
    if !first.starts_with("# ") || !heading.is_empty() && first != format!("# {heading}") {
        return Some(format!("begins with {first:?} instead of {heading:?}"));
    }
    if let Some(callout) = prose
        .iter()
        .find(|line| ["->", "~>", "!>"].iter().any(|it| line.starts_with(it)))
    {
        return Some(format!("has a line that only a registry understands: {callout}"));
    }
    let place = |section: &&str| prose.iter().position(|line| *line == format!("## {section}"));
    let places: Option<Vec<usize>> = sections.iter().map(place).collect();
    match places {
        Some(places) if places.is_sorted() => None,
        _ => Some(format!("does not have the sections {sections:?} in this order")),
    }
}
