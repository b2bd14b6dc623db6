//! What a walk of the model has to say: the provider's diagnostics, which are data, and the
//! provider's mistakes, which are not.

use std::fmt;

use terraform_provider_heygen::terraform::proto;

use super::types::Type;
use super::value::{Path, Step};

/// A message of the provider to its user. (A few are core's own, about the user's input.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diagnostic {
    pub(crate) severity: Severity,
    pub(crate) summary: String,
    pub(crate) detail: String,
    /// Empty where the message is about the whole object.
    pub(crate) path: Path,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    Error,
    Warning,
}

impl Diagnostic {
    pub(crate) fn error(summary: &str, detail: impl Into<String>, path: Path) -> Self {
        Self {
            severity: Severity::Error,
            summary: summary.to_owned(),
            detail: detail.into(),
            path,
        }
    }

    pub(crate) fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// The rules a provider can break. Those of core stop what core stops; those of this project are
/// noted and change nothing, because core would walk on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    Schema,
    Rpc,
    Undecodable,
    Plan,
    FinalPlan,
    Result,
    ResultObject,
    Object,
    Upgrade,
    Identity,
    Deferral,
    Import,
    /// This project's: the identity of an existing object never changes.
    IdentityKept,
    /// This project's: what is not answered is erased from state.
    IdentityAnswered,
    /// This project's: what is not answered is erased from state.
    PrivateAnswered,
    /// This project's: an answer is msgpack, of the current type system, with sound diagnostics.
    Form,
}

impl Rule {
    /// Whether core itself enforces the rule.
    pub(crate) fn is_core(self) -> bool {
        !matches!(
            self,
            Self::IdentityKept | Self::IdentityAnswered | Self::PrivateAnswered | Self::Form
        )
    }

    /// Core's headline where it has one.
    pub(crate) fn summary(self) -> &'static str {
        match self {
            Self::Schema => "Provider schema is invalid",
            Self::Rpc => "Plugin error",
            Self::Undecodable => "Plugin answer cannot be decoded",
            Self::Plan => "Provider produced invalid plan",
            Self::FinalPlan => "Provider produced inconsistent final plan",
            Self::Result => "Provider produced inconsistent result after apply",
            Self::ResultObject => "Provider returned invalid result object after apply",
            Self::Object => "Provider produced invalid object",
            Self::Upgrade => "Invalid resource state upgrade",
            Self::Identity => "Provider produced invalid identity",
            Self::Deferral => "Provider deferred changes when Terraform did not allow deferrals",
            Self::Import => "Provider produced invalid import",
            Self::IdentityKept => "Provider changed the identity of an existing object",
            Self::IdentityAnswered => "Provider dropped the identity",
            Self::PrivateAnswered => "Provider dropped private data",
            Self::Form => "Provider answered in a malformed way",
        }
    }
}

/// A rule broken, where, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) rule: Rule,
    /// The address of the resource instance, or what else was being talked about.
    pub(crate) address: String,
    pub(crate) path: Path,
    pub(crate) problem: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rule,
            address,
            path,
            problem,
        } = self;
        write!(f, "{}: {address}{path}: {problem}", rule.summary())
    }
}

/// A problem with one value, before it is known which rule it breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) path: Path,
    pub(crate) problem: String,
}

impl Problem {
    pub(crate) fn new(path: &Path, problem: impl Into<String>) -> Self {
        Self {
            path: path.clone(),
            problem: problem.into(),
        }
    }
}

/// What was found while one resource instance was walked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    pub(crate) address: String,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) violations: Vec<Violation>,
}

impl Findings {
    pub(crate) fn about(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            ..Self::default()
        }
    }

    /// Whether core would stop here.
    pub(crate) fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
            || self.violations.iter().any(|violation| violation.rule.is_core())
    }

    pub(crate) fn violate(&mut self, rule: Rule, path: &Path, problem: impl Into<String>) {
        let (address, path, problem) = (self.address.clone(), path.clone(), problem.into());
        self.violations.push(Violation {
            rule,
            address,
            path,
            problem,
        });
    }

    pub(crate) fn violate_all(&mut self, rule: Rule, problems: Vec<Problem>) {
        for Problem { path, problem } in problems {
            self.violate(rule, &path, problem);
        }
    }

    pub(crate) fn append(&mut self, other: Self) {
        self.diagnostics.extend(other.diagnostics);
        self.violations.extend(other.violations);
    }

    /// Takes over what the provider said about a value of type `ty`, checking that each is a
    /// message at all, and about something that exists.
    pub(crate) fn diagnose(&mut self, ty: &Type, diagnostics: Vec<proto::Diagnostic>) {
        for diagnostic in diagnostics {
            let path = diagnostic.attribute.as_ref().map(path_of).unwrap_or_default();
            let severity = match diagnostic.severity() {
                proto::diagnostic::Severity::Error => Severity::Error,
                proto::diagnostic::Severity::Warning => Severity::Warning,
                proto::diagnostic::Severity::Invalid => {
                    self.violate(Rule::Form, &path, "a diagnostic has no severity");
                    continue;
                }
            };
            if diagnostic.summary.is_empty() {
                self.violate(Rule::Form, &path, "a diagnostic has no summary");
            }
            if !ty.holds(&path) {
                self.violate(Rule::Form, &path, "a diagnostic is about a path that does not exist");
            }
            let proto::Diagnostic { summary, detail, .. } = diagnostic;
            self.diagnostics.push(Diagnostic {
                severity,
                summary,
                detail,
                path,
            });
        }
    }
}

/// Reads a path off the wire. A step that selects nothing is dropped, as core drops it.
pub(crate) fn path_of(path: &proto::AttributePath) -> Path {
    use proto::attribute_path::step::Selector;
    let steps = path.steps.iter().filter_map(|step| {
        Some(match step.selector.clone()? {
            Selector::AttributeName(name) => Step::Attribute(name),
            Selector::ElementKeyString(key) => Step::Key(key),
            Selector::ElementKeyInt(index) => Step::Index(index),
        })
    });
    Path(steps.collect())
}
