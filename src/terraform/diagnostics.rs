//! Errors and warnings for the user, as Terraform shows them.

use std::error::Error;

use super::{Path, Summary, summaries};

/// Whether a diagnostic stops the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The operation failed.
    Error,
    /// The operation went on; the user should know.
    Warning,
}

/// One message to the user: a one-line summary, a detail that says whose fault it is and what to do next, and the
/// attribute it is about, if it is about one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// What it is called, in all cases.
    pub summary: Summary,
    /// Whole sentences.
    pub detail: String,
    /// The attribute concerned.
    pub path: Option<Path>,
}

impl Diagnostic {
    /// An error about no attribute in particular.
    pub fn error(summary: Summary, detail: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            summary,
            detail: detail.into(),
            path: None,
        }
    }

    /// A warning about no attribute in particular.
    pub fn warning(summary: Summary, detail: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(summary, detail)
        }
    }

    /// A message of the host whose `what` cannot be read, or one of ours that cannot be written.
    pub(super) fn protocol_error(what: &str, error: &dyn Error) -> Self {
        Self::error(
            summaries::PROTOCOL,
            format!(
                "The {what} in a call cannot be read or written: {error}. This is a bug in the provider or in Terraform; please report it."
            ),
        )
    }

    /// What this program did that it must not do; `what` did it.
    pub(super) fn provider_bug(what: &str, did: &str) -> Self {
        Self::error(
            summaries::PROVIDER_BUG,
            format!("{what}: {did}. This is a bug in the provider and not in your configuration; please report it."),
        )
    }

    /// The same, about this attribute at the root.
    #[must_use]
    pub fn at(self, attribute: &str) -> Self {
        Self {
            path: Some(Path::attribute(attribute)),
            ..self
        }
    }
}

/// What an operation has to say, in the order it came up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Nothing to say.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds one message.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.iter().any(|d| d.severity == Severity::Error)
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The messages in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(diagnostics: I) -> Self {
        Self(diagnostics.into_iter().collect())
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, diagnostics: I) {
        self.0.extend(diagnostics);
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_the_protocol_that_fails_is_named_in_either_direction() {
        let problem = Diagnostic::protocol_error("identity", &std::fmt::Error);
        assert_eq!(
            problem.summary,
            "Terraform and the provider do not understand each other"
        );
        assert!(
            problem
                .detail
                .starts_with("The identity in a call cannot be read or written: "),
            "{}",
            problem.detail
        );
    }
}
