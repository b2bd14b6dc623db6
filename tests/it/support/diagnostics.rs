//! What terraform says of a configuration, from its machine-readable output.

use serde_json::Value;

/// Errors and warnings, in the order they were printed.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics(Vec<Diagnostic>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

#[derive(Debug, Clone)]
pub struct Diagnostic {
    pub severity: Severity,
    pub summary: String,
    pub detail: String,
    /// The resource, such as `heygen_webhook_endpoint.a`; none for a provider block.
    address: Option<String>,
    /// The block's header, such as `provider "heygen"`.
    block: Option<String>,
    /// The source line that terraform points at. The machine-readable output holds no attribute path, but the
    /// line it points at is found from that path.
    code: Option<String>,
}

impl Diagnostics {
    /// From `-json` of plan and apply: one JSON object a line, among them the diagnostics.
    pub fn from_event_lines(stdout: &str) -> Self {
        let events = stdout
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        Self(
            events
                .filter(|event| event["type"] == "diagnostic")
                .filter_map(|event| Diagnostic::parse(&event["diagnostic"]))
                .collect(),
        )
    }

    /// From `validate -json`: one object that lists them.
    pub fn from_list(diagnostics: &Value) -> Self {
        let list = diagnostics.as_array().map(Vec::as_slice).unwrap_or_default();
        Self(list.iter().filter_map(Diagnostic::parse).collect())
    }

    /// The one error whose summary or detail holds this text; fails the test if there is none.
    #[track_caller]
    pub fn error(&self, text: &str) -> &Diagnostic {
        self.expect(Severity::Error, text)
    }

    /// As [`error`](Self::error), for a warning.
    #[track_caller]
    pub fn warning(&self, text: &str) -> &Diagnostic {
        self.expect(Severity::Warning, text)
    }

    /// Fails the test if anything at all was said.
    #[track_caller]
    pub fn none(&self) {
        assert!(self.0.is_empty(), "expected no diagnostic: {self:#?}");
    }

    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.of(Severity::Error)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter()
    }

    fn of(&self, severity: Severity) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter().filter(move |it| it.severity == severity)
    }

    #[track_caller]
    fn expect(&self, severity: Severity, text: &str) -> &Diagnostic {
        self.of(severity)
            .find(|it| it.summary.contains(text) || it.detail.contains(text))
            .unwrap_or_else(|| panic!("no {severity:?} says {text:?}: {self:#?}"))
    }
}

impl Diagnostic {
    /// Fails the test unless this is about the attribute, in the resource of that address or the block of that
    /// header (`provider "heygen"`).
    #[track_caller]
    pub fn at(&self, place: &str, attribute: &str) -> &Self {
        assert!(self.is_in(place), "expected at {place}: {self:#?}");
        assert_eq!(
            self.attribute(),
            Some(attribute),
            "expected at {place}, {attribute}: {self:#?}"
        );
        self
    }

    /// Whether this is about the resource of that address or the block of that header.
    pub fn is_in(&self, place: &str) -> bool {
        [self.address.as_deref(), self.block.as_deref()].contains(&Some(place))
    }

    /// Fails the test unless summary or detail hold this text as well.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        assert!(
            self.summary.contains(text) || self.detail.contains(text),
            "expected it to say {text:?}: {self:#?}"
        );
        self
    }

    /// The name left of `=` in the line it points at; none where it points at a whole block.
    pub fn attribute(&self) -> Option<&str> {
        let (name, _) = self.code.as_deref()?.split_once('=')?;
        Some(name.trim())
    }

    fn parse(json: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let snippet = &json["snippet"];
        Some(Self {
            severity: match json["severity"].as_str()? {
                "error" => Severity::Error,
                "warning" => Severity::Warning,
                _ => return None,
            },
            summary: text(&json["summary"])?,
            detail: text(&json["detail"]).unwrap_or_default(),
            address: text(&json["address"]),
            block: text(&snippet["context"]),
            code: text(&snippet["code"]),
        })
    }
}
