//! `scripts/docs`, which makes the pages, with schemas, templates and examples of our own.

use std::fs;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::root;

/// What tfplugindocs 0.25 makes of the schema of [`schema`], in the order of its groups and with its empty lines.
const SCHEMA: &str = r#"## Schema

### Required

- `name` (String) What it is called.

### Optional

- `count` (Number, Deprecated) How many there are.
- `marks` (Set of String) What it has.

### Read-Only

- `parts` (Attributes List) What it is made of. (see [below for nested schema](#nestedatt--parts))
- `token` (String, Sensitive) What opens it.

<a id="nestedatt--parts"></a>
### Nested Schema for `parts`

Read-Only:

- `pieces` (Attributes List) What the part is made of. (see [below for nested schema](#nestedatt--parts--pieces))
- `size` (Map of List of Boolean) How large it is.

<a id="nestedatt--parts--pieces"></a>
### Nested Schema for `parts.pieces`

Read-Only:

- `id` (String) Which one it is."#;

/// A resource, and a function, with all that a page can say of a schema.
fn schema() -> Value {
    let read = |ty: Value, words: &str| json!({ "type": ty, "description": words, "computed": true });
    let list = |words: &str, members: Value| {
        json!({
            "nested_type": { "attributes": members, "nesting_mode": "list" },
            "description": words,
            "description_kind": "markdown",
            "computed": true,
        })
    };
    let pieces = list(
        "What the part is made of.",
        json!({ "id": read(json!("string"), "Which one it is.") }),
    );
    let parts = json!({ "size": read(json!(["map", ["list", "bool"]]), "How large it is."), "pieces": pieces });
    let token = json!({ "type": "string", "description": "What opens it.", "computed": true, "sensitive": true });
    let count = json!({ "type": "number", "description": "How many there are.", "optional": true, "computed": true,
        "deprecated": true, "deprecation_message": "Count them." });
    let attributes = json!({
        "token": token,
        "parts": list("What it is made of.", parts),
        "marks": { "type": ["set", "string"], "description": "What it has.", "optional": true },
        "count": count,
        "name": { "type": "string", "description": "What it is called.", "required": true },
    });
    let identity = json!({ "type": "string", "description": "Which one it is.", "required_for_import": true });
    json!({
        "format_version": "1.0",
        "provider_schemas": { "any/heygen": {
            "provider": { "version": 0, "block": { "description": "Manages `things`.", "description_kind": "markdown" } },
            "resource_schemas": { "heygen_thing": { "version": 0, "block": {
                "attributes": attributes, "description": "A thing. It has `marks`.", "description_kind": "markdown",
            } } },
            "resource_identity_schemas": { "heygen_thing": { "version": 0, "attributes": { "id": identity } } },
            "functions": { "weigh": {
                "summary": "The weight of a thing", "description": "What a thing weighs.", "return_type": "number",
                "parameters": [
                    { "name": "thing", "type": "string", "description": "Its name." },
                    { "name": "exactly", "type": "bool", "description": "Whether to be exact." },
                ],
            } },
        } },
    })
}

const THING: &str = "resources/thing.md.tmpl";

/// A folder with templates, examples and a schema, to make pages of.
struct Site {
    folder: TempDir,
}

impl Site {
    fn new() -> Self {
        let site = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        site.put("schema.json", &schema().to_string());
        site.template(
            "index.md.tmpl",
            "{{ .ProviderShortName }}\n\n{{ .Description | plainmarkdown }}\n",
        );
        site.template(THING, "{{ .SchemaMarkdown | trimspace }}\n");
        site.template(
            "functions/weigh.md.tmpl",
            "{{ .FunctionSignatureMarkdown }}\n\n{{ .FunctionArgumentsMarkdown }}\n",
        );
        site
    }

    /// A site of so many resources, `heygen_thing_0` and so on, in place of the one.
    fn with_things(count: usize) -> Self {
        let site = Self::new();
        let mut schema = site.schema();
        let things = &mut schema["provider_schemas"]["any/heygen"]["resource_schemas"];
        let thing = things["heygen_thing"].take();
        *things = (0..count)
            .map(|number| (format!("heygen_thing_{number}"), thing.clone()))
            .collect();
        site.put("schema.json", &schema.to_string());
        site.remove("templates/resources/thing.md.tmpl");
        for number in 0..count {
            site.template(&format!("resources/thing_{number}.md.tmpl"), "{{ .SchemaMarkdown }}");
        }
        site
    }

    fn schema(&self) -> Value {
        serde_json::from_slice(&fs::read(self.folder.path().join("schema.json")).unwrap()).unwrap()
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Puts a template with this text after its front matter.
    fn template(&self, path: &str, body: &str) {
        self.put(
            &format!("templates/{path}"),
            &format!("---\npage_title: \"A page\"\n---\n\n{body}"),
        );
    }

    fn remove(&self, path: &str) {
        fs::remove_file(self.folder.path().join(path)).unwrap();
    }

    fn run(&self, flags: &[&str]) -> Output {
        Command::new(root().join("scripts/docs"))
            .arg("--schema")
            .arg(self.folder.path().join("schema.json"))
            .arg("--root")
            .arg(self.folder.path())
            .args(flags)
            .output()
            .expect("a python3 on PATH")
    }

    #[track_caller]
    fn make(&self) {
        let output = self.run(&[]);
        assert!(output.status.success(), "{output:?}");
    }

    /// Makes the pages, and answers what one of them says after its front matter.
    #[track_caller]
    fn made(&self, page: &str) -> String {
        self.make();
        self.page(page)
    }

    fn page(&self, page: &str) -> String {
        let text = fs::read_to_string(self.folder.path().join("docs").join(page)).unwrap();
        let body = text.split_once("---\n\n").map(|(_, body)| body);
        body.unwrap_or_else(|| panic!("{text}")).trim_end().to_owned()
    }

    /// What it says when it fails.
    #[track_caller]
    fn refused(&self, flags: &[&str]) -> String {
        let output = self.run(flags);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with("docs: ") && !said.contains("Traceback"), "{said}");
        said
    }
}

#[test]
fn a_schema_is_written_as_tfplugindocs_writes_it() {
    let site = Site::new();
    assert_eq!(site.made("resources/thing.md"), SCHEMA);
    assert_eq!(
        site.made("functions/weigh.md"),
        "```text\nweigh(thing string, exactly bool) number\n```\n\n\
         1. `thing` (String) Its name.\n1. `exactly` (Boolean) Whether to be exact."
    );
    site.template(THING, "{{ .IdentitySchemaMarkdown | trimspace }}");
    assert_eq!(
        site.made("resources/thing.md"),
        "### Identity Schema\n\n#### Required\n\n- `id` (String) Which one it is."
    );
}

#[test]
fn a_template_is_rendered_as_go_renders_it() {
    let cases = [
        (
            "{{.Name}}: {{ .Type }} of {{ .ProviderShortName }}",
            "heygen_NAME: Resource of heygen",
        ),
        (
            "{{ .Description | plainmarkdown | trimspace | prefixlines \"  \" }}|",
            "  A thing. It has marks.|",
        ),
        ("{{ prefixlines \"> \" .Description }}", "> A thing. It has `marks`."),
        ("a \n {{- if .HasExamples }} b {{ end -}} \n c", "a b c"),
        (
            "{{ if .HasImportIDConfig }}a{{ end }}{{ if .HasImport }}b{{ end }}",
            "b",
        ),
        (
            "x\n{{- range .ExampleFiles }}\n\n{{ tffile . }}\n{{- end }}",
            "x\n\n```terraform\na = 1\n```\n\n```terraform\nb = 2\n```",
        ),
        ("{{codefile \"shell\" .ImportFile }}", "```shell\nterraform import\n```"),
        (
            "{{ tffile (printf \"examples/resources/%s/resource.tf\" .Name) }}",
            "```terraform\na = 1\n```",
        ),
    ];
    let site = Site::with_things(cases.len());
    for (number, (template, _)) in cases.iter().enumerate() {
        site.template(&format!("resources/thing_{number}.md.tmpl"), template);
        for (name, text) in [
            ("resource_b.tf", "b = 2\n"),
            ("resource.tf", "\na = 1\n"),
            ("import.sh", "terraform import\n"),
        ] {
            site.put(&format!("examples/resources/heygen_thing_{number}/{name}"), text);
        }
    }
    site.make();
    for (number, (template, page)) in cases.iter().enumerate() {
        let name = format!("thing_{number}");
        assert_eq!(
            site.page(&format!("resources/{name}.md")),
            page.replace("NAME", &name),
            "{template}"
        );
    }
}

#[test]
fn what_a_template_cannot_have_here_is_refused_by_name() {
    let cases = [
        ("{{ .Nothing }}", "there is no .Nothing here"),
        ("{{ .Name | upcase }}", "upcase"),
        ("{{ if .HasExamples }}a{{ else }}b{{ end }}", "{{ else }}"),
        ("{{ with .Name }}a{{ end }}", "{{ with .Name }}"),
        ("{{ $x := .Name }}", ":="),
        ("{{ if .HasExamples }}a", "has no end"),
        ("{{ end }}", "{{ end }}"),
        ("{{ .Name", "not closed"),
        ("{{/* said aside */}}", "not known here"),
        ("{{ trimspace }}", "other arguments"),
        ("{{ printf \"%d\" .Name }}", "printf"),
        ("{{ tffile \"examples/none.tf\" }}", "there is no examples/none.tf"),
        ("{{ plainmarkdown \"a *b*\" }}", "more than text and code"),
        ("{{ .HasExamples }}", "is no text"),
    ];
    let site = Site::with_things(cases.len());
    for (number, (template, _)) in cases.iter().enumerate() {
        site.template(&format!("resources/thing_{number}.md.tmpl"), template);
    }
    let said = site.refused(&[]);
    for (number, (template, problem)) in cases.iter().enumerate() {
        let about = format!("templates/resources/thing_{number}.md.tmpl: ");
        let about = said
            .lines()
            .find_map(|line| line.split_once(&about))
            .map(|(_, problem)| problem);
        assert!(about.is_some_and(|about| about.contains(problem)), "{template}: {said}");
    }
}

#[test]
fn a_schema_that_no_page_can_say_whole_is_refused() {
    let of_things = [
        ("block_types", json!({ "a": {} }), "block_types"),
        ("description", json!(""), "has no description"),
        ("attributes/name/description", json!(" "), "name has no description"),
        ("attributes/name/write_only", json!(true), "write_only"),
        (
            "attributes/name/type",
            json!(["list", ["object", {}]]),
            "nested attributes",
        ),
        ("attributes/parts/nested_type/nesting_mode", json!("set"), "only lists"),
        (
            "attributes/parts/nested_type/attributes/size/new_kind",
            json!(true),
            "parts.size has new_kind",
        ),
    ];
    let site = Site::with_things(of_things.len());
    let mut schema = site.schema();
    for (number, (at, value, _)) in of_things.iter().enumerate() {
        put_into(
            &mut schema,
            &format!("resource_schemas/heygen_thing_{number}/block/{at}"),
            value,
        );
    }
    put_into(
        &mut schema,
        "functions/weigh/variadic_parameter",
        &json!({ "name": "x" }),
    );
    site.put("schema.json", &schema.to_string());
    let said = site.refused(&[]);
    let of_things = of_things.iter().enumerate();
    let expected =
        of_things.map(|(number, (_, _, problem))| (format!("templates/resources/thing_{number}.md.tmpl: "), *problem));
    let of_weigh = ("templates/functions/weigh.md.tmpl: ".to_owned(), "variadic_parameter");
    for (about, problem) in expected.chain([of_weigh]) {
        let line = said
            .lines()
            .find_map(|line| line.split_once(&about))
            .map(|(_, problem)| problem);
        assert!(
            line.is_some_and(|line| line.contains(problem)),
            "{about}{problem}: {said}"
        );
    }
}

#[test]
fn everything_in_a_schema_has_to_have_a_template() {
    let site = Site::new();
    site.remove("templates/resources/thing.md.tmpl");
    let said = site.refused(&[]);
    assert!(
        said.contains("templates/resources/thing.md.tmpl: the schema has this"),
        "{said}"
    );

    let mut schema = site.schema();
    put_into(
        &mut schema,
        "ephemeral_resource_schemas",
        &json!({ "heygen_thing": {} }),
    );
    site.put("schema.json", &schema.to_string());
    let said = site.refused(&[]);
    assert!(said.contains("ephemeral_resource_schemas"), "{said}");
}

/// Sets a member of the provider's schema.
fn put_into(schema: &mut Value, at: &str, value: &Value) {
    let at = format!("/provider_schemas/any~1heygen/{at}");
    let (place, name) = at.rsplit_once('/').unwrap();
    schema.pointer_mut(place).unwrap()[name] = value.clone();
}

#[test]
fn pages_are_checked_against_what_would_be_made() {
    let site = Site::new();
    site.put(
        "templates/guides/plain.md",
        "---\npage_title: \"Plain\"\n---\n\nAs {{ it }} stands.\n",
    );
    site.template(
        "guides/made.md.tmpl",
        "{{ codefile \"shell\" \"examples/guides/made/step.sh\" }}\n",
    );
    site.put("examples/guides/made/step.sh", "true\n");
    let said = site.refused(&["--check"]);
    for missing in [
        "docs/index.md is missing",
        "docs/guides/plain.md is missing",
        "make docs",
    ] {
        assert!(said.contains(missing), "{said}");
    }
    site.make();
    let checked = |site: &Site| site.run(&["--check"]).status.success();
    assert!(checked(&site));
    let plain = site.made("guides/plain.md");
    assert_eq!(plain, "As {{ it }} stands.");
    assert_eq!(site.made("guides/made.md"), "```shell\ntrue\n```");

    // An example is part of the page that shows it.
    site.put("examples/guides/made/step.sh", "false\n");
    assert!(site.refused(&["--check"]).contains("docs/guides/made.md is stale"));
    site.make();
    assert!(checked(&site));

    // A page of its own in docs/ is refused, and not overwritten or removed.
    site.put("docs/guides/stranger.md", "---\n---\n");
    assert!(
        site.refused(&["--check"])
            .contains("docs/guides/stranger.md was not made by")
    );
    assert!(site.refused(&[]).contains("Move it to templates/guides/stranger.md"));
    site.remove("docs/guides/stranger.md");

    // A page whose template has gone goes as well.
    site.remove("templates/guides/plain.md");
    assert!(
        site.refused(&["--check"])
            .contains("docs/guides/plain.md was not made by")
    );
    site.make();
    assert!(checked(&site) && !site.folder.path().join("docs/guides/plain.md").exists());

    site.put("docs/index.md", "---\n---\n\nEdited.\n");
    assert!(site.refused(&["--check"]).contains("docs/index.md is stale"));
}

#[test]
fn every_page_names_the_template_that_it_is_made_from() {
    let site = Site::new();
    site.make();
    let page = fs::read_to_string(site.folder.path().join("docs/resources/thing.md")).unwrap();
    let mark = "---\n# Made by \"make docs\" from templates/resources/thing.md.tmpl: edit that file, not this one.\n";
    assert!(page.starts_with(mark), "{page}");
}

#[test]
fn a_template_of_nothing_in_the_schema_makes_no_page_and_is_named() {
    let site = Site::new();
    site.template("list-resources/thing.md.tmpl", "{{ .Name }}\n");
    let output = site.run(&[]);
    assert!(output.status.success(), "{output:?}");
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("templates/list-resources/thing.md.tmpl")
    );
    assert!(!site.folder.path().join("docs/list-resources").exists());
}
