//! A saved plan, as `terraform show -json` tells it.

use std::fmt;

use serde_json::Value;

use super::diagnostics::Diagnostics;

/// What terraform intends, and what it said while finding out.
pub struct Plan {
    json: Value,
    /// From the exit code: whether terraform itself calls it a change.
    has_changes: bool,
    diagnostics: Diagnostics,
}

/// What becomes of one resource instance.
#[derive(Debug, Clone, Copy)]
pub struct ResourceChange<'p>(&'p Value);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Nothing,
    Create,
    Read,
    Update,
    Delete,
    Replace,
    Forget,
}

impl Plan {
    pub(super) fn new(json: Value, has_changes: bool, diagnostics: Diagnostics) -> Self {
        Self {
            json,
            has_changes,
            diagnostics,
        }
    }

    pub fn diagnostics(&self) -> &Diagnostics {
        &self.diagnostics
    }

    /// Fails the test unless there is nothing to do.
    #[track_caller]
    pub fn expect_empty(&self) -> &Self {
        assert!(!self.has_changes, "expected an empty plan: {self:#?}");
        self
    }

    /// The change of the resource with this address; fails the test if the plan does not list it.
    #[track_caller]
    pub fn resource(&self, address: &str) -> ResourceChange<'_> {
        self.all("resource_changes")
            .find(|change| change.address() == address)
            .unwrap_or_else(|| panic!("the plan holds no {address}: {self:#?}"))
    }

    /// Everything that is not left alone, as address and action, in the plan's order.
    pub fn changes(&self) -> Vec<(&str, Action)> {
        self.all("resource_changes")
            .map(|change| (change.address(), change.action()))
            .filter(|(_, action)| *action != Action::Nothing)
            .collect()
    }

    /// What changed behind terraform's back, as far as the refresh saw it.
    pub fn drift(&self) -> Vec<ResourceChange<'_>> {
        self.all("resource_drift").collect()
    }

    fn all(&self, key: &str) -> impl Iterator<Item = ResourceChange<'_>> {
        let list = self.json[key].as_array().map(Vec::as_slice);
        list.unwrap_or_default().iter().map(ResourceChange)
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changes = self.all("resource_changes").collect::<Vec<_>>();
        f.debug_struct("Plan")
            .field("has_changes", &self.has_changes)
            .field("resource_changes", &changes)
            .field("resource_drift", &self.drift())
            .field("output_changes", &self.json["output_changes"])
            .field("diagnostics", &self.diagnostics)
            .finish()
    }
}

impl<'p> ResourceChange<'p> {
    pub fn address(self) -> &'p str {
        self.0["address"].as_str().unwrap_or_default()
    }

    pub fn action(self) -> Action {
        let actions = self.change()["actions"].as_array().expect("actions");
        match actions.iter().filter_map(Value::as_str).collect::<Vec<_>>().as_slice() {
            ["no-op"] => Action::Nothing,
            ["create"] => Action::Create,
            ["read"] => Action::Read,
            ["update"] => Action::Update,
            ["delete"] => Action::Delete,
            ["delete", "create"] | ["create", "delete"] => Action::Replace,
            ["forget"] => Action::Forget,
            other => panic!("unknown actions {other:?}"),
        }
    }

    /// Why terraform replaces or deletes, such as `replace_because_tainted`.
    pub fn reason(self) -> Option<&'p str> {
        self.0["action_reason"].as_str()
    }

    pub fn before(self, attribute: &str) -> &'p Value {
        &self.change()["before"][attribute]
    }

    /// The planned value; null also where it is unknown, see [`unknown`](Self::unknown).
    pub fn after(self, attribute: &str) -> &'p Value {
        &self.change()["after"][attribute]
    }

    /// The attributes that are wholly or in part known only after apply, in alphabetical order.
    pub fn unknown(self) -> Vec<&'p str> {
        marked(&self.change()["after_unknown"])
    }

    /// The attributes that terraform hides from people, in alphabetical order.
    pub fn sensitive(self) -> Vec<&'p str> {
        marked(&self.change()["after_sensitive"])
    }

    /// The attributes whose planned value differs from the present one, unknown ones included, in alphabetical
    /// order.
    pub fn changed(self) -> Vec<&'p str> {
        let change = self.change();
        let unknown = self.unknown();
        let names = change["after"].as_object().into_iter().flatten();
        let mut changed = names
            .map(|(name, _)| name.as_str())
            .filter(|name| self.before(name) != self.after(name) && !unknown.contains(name))
            .chain(unknown.iter().copied())
            .collect::<Vec<_>>();
        changed.sort_unstable();
        changed
    }

    /// The paths that force a replacement, steps joined with `.`.
    pub fn replace_paths(self) -> Vec<String> {
        let paths = self.change()["replace_paths"].as_array();
        let step = |step: &Value| step.as_str().map_or_else(|| step.to_string(), str::to_owned);
        let joined = |path: &Value| {
            let steps = path.as_array().into_iter().flatten().map(step);
            steps.collect::<Vec<_>>().join(".")
        };
        paths.into_iter().flatten().map(joined).collect()
    }

    fn change(self) -> &'p Value {
        &self.0["change"]
    }
}

/// The names whose mark is `true`, or a structure with a `true` somewhere in it.
fn marked(marks: &Value) -> Vec<&str> {
    fn holds(mark: &Value) -> bool {
        match mark {
            Value::Bool(mark) => *mark,
            Value::Array(members) => members.iter().any(holds),
            Value::Object(members) => members.values().any(holds),
            _ => false,
        }
    }
    let mut names = marks
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, mark)| holds(mark))
        .map(|(name, _)| name.as_str())
        .collect::<Vec<_>>();
    names.sort_unstable();
    names
}
