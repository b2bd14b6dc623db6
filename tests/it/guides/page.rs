//! A guide as a list of blocks, and how each is followed.
//!
//! What stands before a block says what it is for, to people and to this reader alike:
//!
//! - a paragraph that ends in "`NAME`:" names the file that the block is; where that is "Add to `NAME`:", it is added;
//! - a block in `sh` is commands, run one by one, each in a shell of its own; all must succeed;
//! - a block in `text` is what the last of them has printed, where `…` stands for anything;
//! - a paragraph that begins with "Not run by our tests:" leaves the block out.
//!
//! Any other block is taken by the test itself. A guide that was not followed to its end fails its test.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;

use crate::support::process::Output;
use crate::support::terraform::Workspace;

const NOT_RUN: &str = "Not run by our tests:";

/// A guide under way.
pub(super) struct Guide {
    name: String,
    blocks: VecDeque<Block>,
    /// What the last command printed, until something else is done.
    printed: Option<Output>,
    /// The sections and languages of the blocks that are not run.
    left_out: Vec<(String, String)>,
}

/// What stands between two fences.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Block {
    /// The last heading before it.
    pub(super) section: String,
    /// The paragraph right before it, on one line.
    pub(super) lead: String,
    pub(super) language: String,
    pub(super) text: String,
}

/// What is to be done with a block.
#[derive(Debug, PartialEq)]
enum Use<'a> {
    LeaveOut,
    Write(&'a str),
    AddTo(&'a str),
    Run,
    Compare,
    AskTheTest,
}

impl Guide {
    /// The guide of this name, from its beginning.
    pub(super) fn open(name: &str) -> Self {
        let file = |ending: &str| fs::read_to_string(root().join(format!("templates/guides/{name}.{ending}")));
        let text = file("md")
            .or_else(|_| file("md.tmpl").map(|text| with_files(&text)))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        Self {
            name: name.to_owned(),
            blocks: blocks(&text).into(),
            printed: None,
            left_out: Vec::new(),
        }
    }

    /// Follows the blocks of the section that is next, which must be of this heading, up to its end.
    #[track_caller]
    pub(super) fn follow(&mut self, section: &str, tf: &Workspace) {
        self.expect_section(section);
        while let Some(block) = self.take_if_in(section) {
            match block.purpose() {
                Use::LeaveOut => self.left_out.push((block.section.clone(), block.language.clone())),
                Use::Write(file) => {
                    tf.write(file, &block.text);
                }
                Use::AddTo(file) => {
                    let so_far = fs::read_to_string(tf.directory().join(file));
                    let so_far = so_far.unwrap_or_else(|error| panic!("{}: {file}: {error}", self.name));
                    tf.write(file, &format!("{so_far}\n{}", block.text));
                }
                Use::Run => {
                    for command in commands(&block.text) {
                        self.printed = Some(tf.shell(&command, &[]).expect_success());
                    }
                    continue;
                }
                Use::Compare => {
                    let printed = self.printed.take();
                    let printed = printed.unwrap_or_else(|| panic!("{}: nothing was run before {block:?}", self.name));
                    block.expect_printed(&printed);
                }
                Use::AskTheTest => panic!("{}: who is to use {block:?}?", self.name),
            }
            self.printed = None;
        }
    }

    /// The next block, for the test to use. It must be in the section of this heading.
    #[track_caller]
    pub(super) fn take(&mut self, section: &str) -> Block {
        self.expect_section(section);
        self.blocks.pop_front().expect("there is one in the section")
    }

    /// Fails unless every block was used, but for those that the page says are not run: exactly these, by section and
    /// language.
    #[track_caller]
    pub(super) fn end(self, left_out: &[(&str, &str)]) {
        assert_eq!(Vec::from(self.blocks), [], "{}: not used", self.name);
        let found = self
            .left_out
            .iter()
            .map(|(section, language)| (&**section, &**language));
        assert_eq!(found.collect::<Vec<_>>(), left_out, "{}: not run", self.name);
    }

    /// The blocks that are still to be used.
    pub(super) fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter()
    }

    #[track_caller]
    fn expect_section(&self, section: &str) {
        let next = self.blocks.front().map(|block| block.section.as_str());
        assert_eq!(next, Some(section), "{}: the section of the next block", self.name);
    }

    /// The next block, if it is in the section of this heading.
    pub(super) fn take_if_in(&mut self, section: &str) -> Option<Block> {
        let next = self.blocks.front()?;
        (next.section == section).then(|| self.blocks.pop_front()).flatten()
    }
}

impl Block {
    fn purpose(&self) -> Use<'_> {
        if self.lead.starts_with(NOT_RUN) {
            return Use::LeaveOut;
        }
        match (self.language.as_str(), self.file()) {
            ("sh", _) => Use::Run,
            ("text", _) => Use::Compare,
            (_, Some(file)) if self.lead.ends_with(&format!("Add to `{file}`:")) => Use::AddTo(file),
            (_, Some(file)) => Use::Write(file),
            (_, None) => Use::AskTheTest,
        }
    }

    /// The file whose name, in backticks, ends the paragraph before.
    pub(super) fn file(&self) -> Option<&str> {
        let (_, name) = self.lead.strip_suffix("`:")?.rsplit_once('`')?;
        name.contains('.').then_some(name)
    }

    /// Fails unless this is what was printed.
    #[track_caller]
    pub(super) fn expect_printed(&self, output: &Output) {
        let missing = first_missing(&self.text, &output.messages());
        assert_eq!(missing, None, "{}: not printed\n{output:?}", self.section);
    }

    /// Its commands, for a test that runs them itself.
    pub(super) fn commands(&self) -> Vec<String> {
        commands(&self.text)
    }
}

/// The page with the files that it shows, each in a block.
fn with_files(page: &str) -> String {
    let lines = page.lines().map(|line| match inclusion(line) {
        None => line.to_owned(),
        Some((language, path)) => {
            let file = fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
            format!("```{language}\n{}\n```", file.trim_end())
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The language and the path of a line that stands for a file: `{{ codefile "LANGUAGE" "PATH" }}`, or
/// `{{ tffile "PATH" }}`.
fn inclusion(line: &str) -> Option<(&str, &str)> {
    let words: Vec<&str> = line
        .strip_prefix("{{")?
        .strip_suffix("}}")?
        .split_whitespace()
        .collect();
    let quoted = |word: &'_ str| word.len() - 2 == word.trim_matches('"').len();
    match words[..] {
        ["codefile", language, path] if quoted(language) && quoted(path) => {
            Some((language.trim_matches('"'), path.trim_matches('"')))
        }
        ["tffile", path] if quoted(path) => Some(("terraform", path.trim_matches('"'))),
        _ => panic!("nobody knows what this stands for: {line}"),
    }
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let (mut section, mut lead, mut paragraph) = (String::new(), String::new(), String::new());
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text = lines.by_ref().take_while(|line| *line != "```");
            let text: String = text.flat_map(|line| [line, "\n"]).collect();
            blocks.push(Block {
                section: section.clone(),
                lead: std::mem::take(&mut lead),
                language: language.to_owned(),
                text,
            });
        } else if line.is_empty() {
            if !paragraph.is_empty() {
                lead = std::mem::take(&mut paragraph);
            }
        } else if line.starts_with('#') {
            line.trim_start_matches(['#', ' ']).clone_into(&mut section);
            lead.clear();
        } else {
            assert!(
                !line.trim_start().starts_with("```"),
                "a fence that is indented is not read: {line}"
            );
            paragraph += if paragraph.is_empty() { "" } else { " " };
            paragraph += line;
        }
    }
    blocks
}

/// The commands of a block: a line each, with the lines that are indented below it or that a `\` leads to.
fn commands(text: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match commands.last_mut() {
            Some(command) if line.starts_with([' ', '}', ')']) || command.ends_with('\\') => {
                command.push('\n');
                command.push_str(line);
            }
            _ => commands.push(line.to_owned()),
        }
    }
    commands
}

/// The first part of what is expected that was not printed after the part before it. Between parts there is a `…` or
/// the end of a line. White space does not matter: messages break their lines anywhere.
fn first_missing(expected: &str, printed: &str) -> Option<String> {
    let mut rest = printed;
    for part in expected.split(['\n', '…']) {
        let part = part.split_whitespace().collect::<Vec<_>>().join(" ");
        match rest.split_once(&part) {
            Some((_, after)) => rest = after,
            None => return Some(part),
        }
    }
    None
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_page_is_read_as_people_read_it() {
    let page = "# Title\n\nIntroduction.\n\n\
                ## Write\n\nIn\n`main.tf`:\n\n```terraform\na = 1\n\n# b\n```\n\n\
                More. Add to `main.tf`:\n\n```terraform\nc\n```\n\n\
                ```sh\n# Why.\nterraform plan \\\n  -out=x\n\nls\n```\n\n```text\nPlan\n```\n\n\
                ## Elsewhere\n\nNot run by our tests: there is none.\n\n```sh\nls\n```\n\n\
                A body such as this:\n\n```json\n{}\n```\n";
    let blocks = blocks(page);
    let uses: Vec<Use<'_>> = blocks.iter().map(Block::purpose).collect();
    let expected = [
        Use::Write("main.tf"),
        Use::AddTo("main.tf"),
        Use::Run,
        Use::Compare,
        Use::LeaveOut,
        Use::AskTheTest,
    ];
    assert_eq!(uses, expected);
    assert_eq!(
        (blocks[0].section.as_str(), blocks[0].text.as_str()),
        ("Write", "a = 1\n\n# b\n")
    );
    assert_eq!(blocks[2].commands(), ["terraform plan \\\n  -out=x", "ls"]);
    assert_eq!(blocks[5].section, "Elsewhere");
}

#[test]
fn what_is_printed_is_compared_in_order_and_without_regard_to_white_space() {
    let printed = "Plan: 1 to add, 0 to change. secret = (known after apply) id = ep_1";
    for found in [
        "Plan: … to change.\n  secret   = (known",
        "Plan:\n…\nep_1",
        "1 to add,\n0 to change",
    ] {
        assert_eq!(first_missing(found, printed), None, "{found}");
    }
    assert_eq!(first_missing("secret\nPlan", printed), Some("Plan".to_owned()));
    assert_eq!(first_missing("Plan: … 2 to add", printed), Some("2 to add".to_owned()));
}

#[test]
#[should_panic(expected = "not used")]
fn a_guide_that_is_not_followed_to_its_end_fails() {
    Guide::open("verify-deliveries").end(&[]);
}
