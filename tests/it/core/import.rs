//! Taking an existing object into state.

use super::assert::write_only_absent;
use super::model::Instance;
use super::read;
use super::report::{Diagnostic, Findings, Rule};
use super::value::{Path, Value};
use super::wire::{Kind, Wire};

/// How an object is named that is to be imported.
#[derive(Clone, Debug)]
pub(crate) enum ImportTarget {
    Id(String),
    /// An object of the identity schema's type.
    Identity(Value),
}

/// Imports one object, and reads it as core does at once. `None` where nothing is imported.
pub(crate) async fn imported(
    wire: &Wire,
    kind: Kind<'_>,
    target: &ImportTarget,
    findings: &mut Findings,
) -> Option<Instance> {
    let (id, identity) = match target {
        ImportTarget::Id(id) => (id.as_str(), None),
        ImportTarget::Identity(identity) => ("", Some(checked(kind, identity))),
    };
    let answer = wire.import(kind, id, identity, findings).await;
    let mut resources = answer.filter(|_| !findings.has_errors())?;
    if resources.len() != 1 {
        let problem = format!("{} resources for one", resources.len());
        findings.violate(Rule::Import, &Path::root(), problem);
        return None;
    }
    let (type_name, imported) = resources.remove(0);
    if type_name != kind.name {
        findings.violate(
            Rule::Import,
            &Path::root(),
            format!("the type was set to {type_name:?}"),
        );
    }
    findings.violate_all(Rule::Import, write_only_absent(&kind.schema.block, &imported.state));
    for path in imported.state.unknown_paths() {
        findings.violate(Rule::Import, &path, "unknown after import");
    }
    match (identity, &imported.identity) {
        (Some(_), None) => {
            let problem = "imported by identity, and no identity came back";
            findings.violate(Rule::Import, &Path::root(), problem);
        }
        // What was left out of the given identity is the provider's to fill in.
        (Some(Value::Object(given)), Some(answered)) => {
            for (name, value) in given {
                if !value.is_null() && answered.attribute(name) != *value {
                    let problem = "another identity came back than was imported";
                    findings.violate(Rule::IdentityKept, &Path::of(name), problem);
                }
            }
        }
        (Some(given), _) => panic!("{given:?} is no identity"),
        (None, _) if imported.state.is_null() => {
            findings.violate(Rule::Import, &Path::root(), "imported by id, and no state came back");
        }
        (None, _) => {}
    }
    read::require_known(imported.identity.as_ref(), findings);
    if findings.has_errors() {
        return None;
    }
    let instance = Instance {
        value: imported.state,
        private: imported.private,
        identity: imported.identity,
        tainted: false,
        schema_version: kind.schema.version,
        identity_version: kind.identity_version(),
    };
    let refreshed = read::refreshed(wire, kind, &instance, findings).await?;
    if refreshed.value.is_null() {
        let detail = format!("there is no such object to import to {}", findings.address);
        let summary = "Cannot import non-existent remote object";
        findings
            .diagnostics
            .push(Diagnostic::error(summary, detail, Path::root()));
        return None;
    }
    Some(refreshed)
}

/// Core asks for what is required before it asks the provider: here a mistake of the test.
fn checked<'a>(kind: Kind<'_>, identity: &'a Value) -> &'a Value {
    let schema = kind
        .schema
        .identity
        .as_ref()
        .expect("an import by identity needs an identity schema");
    for (name, attribute) in &schema.attributes {
        let given = !identity.attribute(name).is_null();
        assert!(given || !attribute.required_for_import, "{name} is required for import");
    }
    identity
}
