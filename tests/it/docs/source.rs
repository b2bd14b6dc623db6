//! The provider's source address stands in one file. Files for people have to repeat it; they repeat it rightly.

use std::fs;

use super::{root, tree};

const SOURCE: &str = env!("PROVIDER_SOURCE");

#[test]
fn every_configuration_that_people_read_names_the_one_source_address() {
    let folders = ["examples", "templates", "docs"].map(|folder| tree(&root().join(folder)));
    let mut naming = 0;
    for file in folders.concat().into_iter().chain([root().join("README.md")]) {
        for line in fs::read_to_string(&file).unwrap_or_default().lines() {
            if let Some(address) = address_in(line) {
                assert_eq!(address, SOURCE, "{}: {line}", file.display());
                naming += 1;
            }
        }
    }
    assert!(naming > 1, "only the example itself was found");
}

#[test]
fn the_rule_on_source_addresses_sees_them() {
    assert_eq!(
        address_in("      source  = \"a.example/heygen/heygen\""),
        Some("a.example/heygen/heygen")
    );
    assert_eq!(
        address_in("    heygen = { source = \"heygen/heygen\" }"),
        Some("heygen/heygen")
    );
    assert_eq!(
        address_in("  heygen = { source = \"x/heygen\", version = \"~> 0.1\" }"),
        Some("x/heygen")
    );
    assert_eq!(address_in("  source = \"./modules/heygen\""), None);
    assert_eq!(address_in("  source = \"elsewhere/random\""), None);
}

/// The address of this provider, if a line of a configuration names one.
fn address_in(line: &str) -> Option<&str> {
    let (_, value) = line.split_once("source")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start().strip_prefix('"')?;
    let address = value.split('"').next()?;
    (address.ends_with("/heygen") && !address.starts_with('.')).then_some(address)
}
