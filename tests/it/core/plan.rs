//! Planning one resource instance, in the plan walk and again in the apply walk.

use super::assert::{plan_valid, write_only_absent};
use super::model::Instance;
use super::proposed::proposed_new;
use super::read::{require_kept, require_known};
use super::report::{Findings, Rule};
use super::value::{Path, Value};
use super::wire::{Kind, PlanAnswer, PlanQuestion, Walk, Wire};

/// What core makes of a difference. A replacement destroys before it creates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    NoOp,
    Create,
    Update,
    Replace,
    Delete,
}

/// A planned change of one instance.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    pub(crate) action: Action,
    pub(crate) before: Value,
    pub(crate) after: Value,
    /// The attributes that made it a replacement: only those that really change.
    pub(crate) requires_replace: Vec<Path>,
    /// What the provider wants to be told when the change is applied.
    pub(crate) private: Vec<u8>,
    pub(crate) identity: Option<Value>,
}

/// Plans towards a configuration. `earlier` is what the plan walk had decided, when the apply walk
/// asks again. `None` where core would stop.
pub(crate) async fn towards(
    wire: &Wire,
    kind: Kind<'_>,
    earlier: Option<&Change>,
    current: Option<&Instance>,
    config: &Value,
    findings: &mut Findings,
) -> Option<Change> {
    let walk = if earlier.is_some() { Walk::Apply } else { Walk::Plan };
    let block = &kind.schema.block;
    wire.validate(kind, walk, config, findings).await;
    if findings.has_errors() {
        return None;
    }
    // A tainted object is planned as if it were not there, private data and identity included.
    let tainted = current.filter(|current| current.tainted).map(|current| &current.value);
    let sound = current.filter(|current| !current.tainted);
    let prior = sound.map_or(&Value::Null, |sound| &sound.value);
    let prior_private = sound.map_or(&[][..], |sound| &sound.private);
    let prior_identity = sound.and_then(|sound| sound.identity.as_ref());

    let question = PlanQuestion {
        walk,
        prior,
        proposed: &proposed_new(block, prior, config),
        config,
        prior_private,
        prior_identity,
        planned_private: earlier.map_or(&[][..], |earlier| &earlier.private),
    };
    let answer = asked(wire, kind, question, findings).await?;
    findings.violate_all(Rule::Plan, plan_valid(block, prior, config, &answer.planned));
    if findings.has_errors() {
        return None;
    }
    let requires_replace = real_replacements(kind, prior, &answer, findings);
    let mut action = if prior.is_null() {
        Action::Create
    } else if !requires_replace.is_empty() {
        Action::Replace
    } else if answer.planned.is_surely(prior) {
        Action::NoOp
    } else {
        Action::Update
    };
    if matches!(action, Action::NoOp | Action::Update) {
        require_known(answer.identity.as_ref(), findings);
        require_kept(prior_identity, answer.identity.as_ref(), findings);
        if prior_identity.is_some() && answer.identity.is_none() {
            let problem = "the plan of an update has no identity";
            findings.violate(Rule::IdentityAnswered, &Path::root(), problem);
        }
    }
    if findings.has_errors() {
        return None;
    }
    let mut before = prior.clone();
    let answer = if action == Action::Replace {
        anew(wire, kind, walk, config, answer, findings).await?
    } else {
        answer
    };
    if let Some(tainted) = tainted.filter(|tainted| action == Action::Create && !tainted.is_null()) {
        action = Action::Replace;
        before = tainted.clone();
    }
    // The destroying half is done by the time the creating half is planned again.
    if let Some(earlier) = earlier.filter(|earlier| earlier.action == Action::Replace && action == Action::Create) {
        action = Action::Replace;
        before = earlier.before.clone();
    }
    let PlanAnswer {
        planned,
        private,
        identity,
        ..
    } = answer;
    Some(Change {
        action,
        before,
        after: planned,
        requires_replace,
        private,
        identity,
    })
}

/// Plans the destruction of an instance. Unless a provider asks to be asked, core decides alone.
pub(crate) async fn destruction(
    wire: &Wire,
    kind: Kind<'_>,
    plan_destroy: bool,
    current: &Instance,
    findings: &mut Findings,
) -> Option<Change> {
    let mut change = Change {
        action: Action::Delete,
        before: current.value.clone(),
        after: Value::Null,
        requires_replace: Vec::new(),
        private: current.private.clone(),
        identity: None,
    };
    if plan_destroy {
        let question = PlanQuestion {
            walk: Walk::Plan,
            prior: &current.value,
            proposed: &Value::Null,
            config: &Value::Null,
            prior_private: &current.private,
            prior_identity: current.identity.as_ref(),
            planned_private: &[],
        };
        let answer = wire.plan(kind, question, findings).await;
        let answer = answer.filter(|_| !findings.has_errors())?;
        require_known(answer.identity.as_ref(), findings);
        if !answer.planned.is_null() {
            findings.violate(Rule::Plan, &Path::root(), "planned a non-null destroy value");
        }
        change.private = answer.private;
        change.identity = answer.identity;
    }
    (!findings.has_errors()).then_some(change)
}

/// The second plan of a replacement: as if there had been nothing, but with the private data and
/// the identity that the first plan answered.
async fn anew(
    wire: &Wire,
    kind: Kind<'_>,
    walk: Walk,
    config: &Value,
    first: PlanAnswer,
    findings: &mut Findings,
) -> Option<PlanAnswer> {
    let question = PlanQuestion {
        walk,
        prior: &Value::Null,
        proposed: &proposed_new(&kind.schema.block, &Value::Null, config),
        config,
        prior_private: &first.private,
        prior_identity: first.identity.as_ref(),
        planned_private: &[],
    };
    let mut second = Findings::about(&findings.address);
    let answer = asked(wire, kind, question, &mut second).await;
    if !second.has_errors() {
        // Core shows what the second plan says only if it fails.
        second.diagnostics.clear();
    }
    findings.append(second);
    answer
}

/// Asks for a plan and checks what every plan must be.
async fn asked(wire: &Wire, kind: Kind<'_>, question: PlanQuestion<'_>, findings: &mut Findings) -> Option<PlanAnswer> {
    let had_private = !question.prior_private.is_empty();
    let answer = wire.plan(kind, question, findings).await;
    let answer = answer.filter(|_| !findings.has_errors())?;
    findings.violate_all(Rule::Plan, write_only_absent(&kind.schema.block, &answer.planned));
    if had_private && answer.private.is_empty() {
        let problem = "private data went into the plan and did not come back";
        findings.violate(Rule::PrivateAnswered, &Path::root(), problem);
    }
    (!findings.has_errors()).then_some(answer)
}

/// Of the paths said to require replacement, those whose value really changes. Nothing to replace
/// at a creation, whatever was said.
fn real_replacements(kind: Kind<'_>, prior: &Value, answer: &PlanAnswer, findings: &mut Findings) -> Vec<Path> {
    if prior.is_null() {
        return Vec::new();
    }
    let write_only = |path: &Path| {
        let mut attributes = kind.schema.block.attributes.iter();
        attributes.any(|(name, attribute)| attribute.write_only && *path == Path::of(name))
    };
    let mut real = Vec::new();
    for path in &answer.requires_replace {
        match (prior.at(path), answer.planned.at(path)) {
            (None, None) => {
                findings.violate(Rule::Plan, path, "requires replacement, but does not exist");
            }
            (before, after) => {
                let before = before.unwrap_or(Value::Null);
                let after = after.unwrap_or(Value::Null);
                if (!after.is_surely(&before) || write_only(path)) && !real.contains(path) {
                    real.push(path.clone());
                }
            }
        }
    }
    real
}
