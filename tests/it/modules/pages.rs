//! What the modules' pages say of their variables and outputs, and what every file of an example keeps to.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use super::{MODULES, examples};
use crate::support::engine::Engine;

/// The blocks of HCL on a module's page.
pub fn examples_of(module: &str) -> Vec<String> {
    let page = file(module, "README.md");
    let blocks = page.split("```hcl\n").skip(1);
    let blocks: Vec<String> = blocks
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect();
    assert!(blocks.len() > 1, "hardly any example is found");
    blocks
}

fn file(module: &str, name: &str) -> String {
    let path = examples().join("modules").join(module).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names of the blocks of one kind, such as `variable`.
fn declared(text: &str, kind: &str) -> BTreeSet<String> {
    let start = format!("{kind} \"");
    let names = text.lines().filter_map(|line| line.strip_prefix(&start));
    names.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

/// The names in the first column of the table below a heading.
fn told(page: &str, heading: &str) -> BTreeSet<String> {
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).expect("the heading");
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| row.split('`').next().unwrap().to_owned()).collect()
}

#[test]
fn each_page_tells_of_every_variable_and_output_and_of_no_other() {
    for module in MODULES {
        let page = file(module, "README.md");
        let variables = declared(&file(module, "variables.tf"), "variable");
        assert!(variables.contains("url"), "hardly any variable is found");
        assert_eq!(told(&page, "Variables"), variables, "{module}");
        let outputs = declared(&file(module, "outputs.tf"), "output");
        assert!(!outputs.is_empty());
        assert_eq!(told(&page, "Outputs"), outputs, "{module}");
    }
}

#[test]
fn each_page_tells_the_defaults() {
    for module in MODULES {
        let (page, variables) = (file(module, "README.md"), file(module, "variables.tf"));
        for block in variables.split("\n}\n").filter(|block| block.contains("variable \"")) {
            let name = declared(block.trim_start(), "variable").pop_first().unwrap();
            let default = block
                .lines()
                .find_map(|line| line.trim_start().strip_prefix("default "));
            let default = default.map(|rest| rest.trim_start_matches([' ', '=']));
            let row = match default {
                Some(default) => format!("| `{name}` | `{default}` |"),
                None => format!("| `{name}` | |"),
            };
            assert!(page.contains(&row), "{module}: no row begins with {row}");
        }
    }
}

#[test]
fn a_module_leaves_the_account_to_whoever_uses_it() {
    for module in MODULES {
        for name in ["main.tf", "variables.tf", "outputs.tf", "versions.tf"] {
            let text = file(module, name);
            let provider = text.lines().find(|line| line.starts_with("provider "));
            assert_eq!(provider, None, "{module}/{name}: count and for_each would be refused");
        }
    }
}

#[test]
fn the_examples_are_formatted() {
    // 1.11 knows fewer kinds of files.
    for folder in ["modules", "two-accounts"] {
        let output = Command::new(Engine::terraform_1_15().program())
            .args(["fmt", "-check", "-recursive", "-diff"])
            .arg(examples().join(folder))
            .env("CHECKPOINT_DISABLE", "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}
