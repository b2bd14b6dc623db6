//! From the state file to the present: upgrading what was stored, and reading what is there.

use super::assert::write_only_absent;
use super::json;
use super::model::Instance;
use super::report::{Diagnostic, Findings, Rule};
use super::value::{Path, Value};
use super::wire::{Kind, Wire};

/// Reads an instance out of state, which asks the provider to upgrade it, same version or not.
/// `None` where core would stop.
pub(crate) async fn stored(
    wire: &Wire,
    kind: Kind<'_>,
    instance: &Instance,
    findings: &mut Findings,
) -> Option<Instance> {
    if instance.schema_version > kind.schema.version || instance.identity_version > kind.identity_version() {
        let detail = format!("{} was stored by a newer version of the provider", findings.address);
        let summary = "Resource instance managed by newer provider version";
        findings
            .diagnostics
            .push(Diagnostic::error(summary, detail, Path::root()));
        return None;
    }
    let stored = json::encode(&instance.value);
    let upgraded = wire.upgrade(kind, instance.schema_version, stored, findings).await;
    let value = upgraded.filter(|_| !findings.has_errors())?;
    for path in value.unknown_paths() {
        findings.violate(Rule::Upgrade, &path, "the upgraded state is unknown here");
    }
    if value.is_null() {
        findings.violate(Rule::Upgrade, &Path::root(), "the state was upgraded to nothing");
    }
    findings.violate_all(Rule::Upgrade, write_only_absent(&kind.schema.block, &value));
    let mut identity = instance.identity.clone();
    if instance.identity_version != kind.identity_version() {
        let stored = identity.as_ref().map(json::encode).unwrap_or_default();
        identity = wire
            .upgrade_identity(kind, instance.identity_version, stored, findings)
            .await;
        require_known(identity.as_ref(), findings);
    }
    (!findings.has_errors()).then(|| Instance {
        value,
        identity,
        schema_version: kind.schema.version,
        identity_version: kind.identity_version(),
        ..instance.clone()
    })
}

/// Asks what has become of an instance. Its value is null afterwards if it is gone; `None` where
/// core would stop and keep what it has.
pub(crate) async fn refreshed(
    wire: &Wire,
    kind: Kind<'_>,
    instance: &Instance,
    findings: &mut Findings,
) -> Option<Instance> {
    let Instance {
        value,
        private,
        identity,
        ..
    } = instance;
    let answer = wire.read(kind, value, private, identity.as_ref(), findings).await;
    if let Some(answer) = &answer {
        require_known(answer.identity.as_ref(), findings);
        require_kept(identity.as_ref(), answer.identity.as_ref(), findings);
    }
    let answer = answer.filter(|_| !findings.has_errors())?;
    for path in answer.state.unknown_paths() {
        findings.violate(Rule::Object, &path, "unknown after refresh");
    }
    findings.violate_all(Rule::Object, write_only_absent(&kind.schema.block, &answer.state));
    if findings.has_errors() {
        return None;
    }
    if !answer.state.is_null() {
        require_identity(kind, answer.identity.as_ref(), findings);
        if !private.is_empty() && answer.private.is_empty() {
            let problem = "private data went into the read and did not come back";
            findings.violate(Rule::PrivateAnswered, &Path::root(), problem);
        }
    }
    Some(Instance {
        value: answer.state,
        private: answer.private,
        identity: answer.identity,
        ..instance.clone()
    })
}

/// An identity may be unknown only while its object is yet to be created.
pub(crate) fn require_known(identity: Option<&Value>, findings: &mut Findings) {
    for path in identity.map(Value::unknown_paths).unwrap_or_default() {
        findings.violate(Rule::Identity, &path, "the identity is unknown here");
    }
}

/// The identity of an object that goes on existing stays what it is.
pub(crate) fn require_kept(before: Option<&Value>, after: Option<&Value>, findings: &mut Findings) {
    if let (Some(before), Some(after)) = (before, after)
        && before.is_wholly_known()
        && before != after
    {
        let problem = format!("was {before:?}, but now {after:?}");
        findings.violate(Rule::IdentityKept, &Path::root(), problem);
    }
}

/// Where there is an identity schema, every answer about an existing object names its identity.
pub(crate) fn require_identity(kind: Kind<'_>, identity: Option<&Value>, findings: &mut Findings) {
    if kind.schema.identity.is_some() && identity.is_none() {
        let problem = "an object was answered without its identity";
        findings.violate(Rule::IdentityAnswered, &Path::root(), problem);
    }
}
