//! Applying one planned change, and what is left in state of each way it can end.

use super::assert::{object_compatible, write_only_absent};
use super::model::Instance;
use super::plan::{self, Action, Change};
use super::read::{self, require_identity, require_kept, require_known};
use super::report::{Findings, Rule};
use super::value::{Path, Value};
use super::wire::{ApplyQuestion, Kind, Wire};

/// Applies one change to the instance in state, and answers what state holds afterwards.
pub(crate) async fn change(
    wire: &Wire,
    kind: Kind<'_>,
    planned: &Change,
    instance: Option<Instance>,
    config: &Value,
    findings: &mut Findings,
) -> Option<Instance> {
    match planned.action {
        Action::NoOp => instance,
        Action::Delete => destroy(wire, kind, planned, instance, findings).await,
        Action::Create | Action::Update => make(wire, kind, planned, instance, config, findings).await,
        Action::Replace => {
            // The destruction is told the planned private data, and no identity.
            let destruction = Change {
                action: Action::Delete,
                after: Value::Null,
                identity: None,
                ..planned.clone()
            };
            let left = destroy(wire, kind, &destruction, instance, findings).await;
            if findings.has_errors() {
                return left;
            }
            make(wire, kind, planned, left, config, findings).await
        }
    }
}

async fn destroy(
    wire: &Wire,
    kind: Kind<'_>,
    planned: &Change,
    instance: Option<Instance>,
    findings: &mut Findings,
) -> Option<Instance> {
    let instance = instance?;
    let Some(stored) = read::stored(wire, kind, &instance, findings).await else {
        return Some(instance);
    };
    carried_out(wire, kind, planned, Some(stored), &Value::Null, findings).await
}

/// Plans once more, now that everything is known, compares the two plans, and carries it out.
async fn make(
    wire: &Wire,
    kind: Kind<'_>,
    planned: &Change,
    instance: Option<Instance>,
    config: &Value,
    findings: &mut Findings,
) -> Option<Instance> {
    let stored = match &instance {
        None => None,
        Some(present) => match read::stored(wire, kind, present, findings).await {
            None => return instance,
            stored => stored,
        },
    };
    let replanned = plan::towards(wire, kind, Some(planned), stored.as_ref(), config, findings).await;
    let Some(mut replanned) = replanned else {
        return stored;
    };
    match (planned.action, replanned.action) {
        // What was unknown may turn out to be what was there.
        (Action::Update, Action::NoOp) => {}
        (before, after) if before == after => {}
        (before, after) => {
            let problem = format!("the planned action changed from {before:?} to {after:?}");
            findings.violate(Rule::FinalPlan, &Path::root(), problem);
        }
    }
    let differences = object_compatible(&kind.schema.block, &planned.after, &replanned.after);
    findings.violate_all(Rule::FinalPlan, differences);
    if findings.has_errors() || replanned.action == Action::NoOp {
        return stored;
    }
    if replanned.action == Action::Replace {
        replanned.action = Action::Create;
        replanned.before = Value::Null;
    }
    let mut left = carried_out(wire, kind, &replanned, stored, config, findings).await;
    if replanned.action == Action::Create
        && findings.has_errors()
        && let Some(left) = &mut left
    {
        left.tainted = true;
    }
    left
}

/// The call itself, and core's table of what to keep of its answer.
async fn carried_out(
    wire: &Wire,
    kind: Kind<'_>,
    change: &Change,
    stored: Option<Instance>,
    config: &Value,
    findings: &mut Findings,
) -> Option<Instance> {
    let block = &kind.schema.block;
    let question = ApplyQuestion {
        prior: &change.before,
        planned: &change.after,
        config,
        planned_private: &change.private,
        planned_identity: change.identity.as_ref(),
    };
    let answer = wire.apply(kind, question, findings).await;
    require_known(answer.identity.as_ref(), findings);
    let stands_in = answer.state.is_none();
    let mut value = answer.state.unwrap_or_else(|| {
        // No answer says nothing about a deletion, and is taken as "as before" otherwise.
        if change.action == Action::Delete {
            Value::Null
        } else {
            change.before.clone()
        }
    });
    let returned = write_only_absent(block, &value);
    if !returned.is_empty() {
        findings.violate_all(Rule::Object, returned);
        return stored;
    }
    for path in value.unknown_paths() {
        findings.violate(Rule::ResultObject, &path, "still unknown after apply");
    }
    value = value.unknowns_as_null();
    if change.action != Action::Delete && !findings.has_errors() {
        findings.violate_all(Rule::Result, object_compatible(block, &change.after, &value));
    }
    if change.action == Action::Delete && !findings.has_errors() && !value.is_null() {
        findings.violate(
            Rule::ResultObject,
            &Path::root(),
            "destroyed, but the object is not null",
        );
    }
    if change.action != Action::Delete && !value.is_null() && !stands_in {
        require_identity(kind, answer.identity.as_ref(), findings);
        require_kept(change.identity.as_ref(), answer.identity.as_ref(), findings);
    }
    match (value.is_null(), findings.has_errors()) {
        (true, true) => stored,
        (true, false) => None,
        (false, errors) => Some(Instance {
            value,
            private: answer.private,
            identity: answer.identity,
            tainted: errors && stored.is_some_and(|stored| stored.tainted),
            schema_version: kind.schema.version,
            identity_version: kind.identity_version(),
        }),
    }
}
