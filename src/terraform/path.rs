//! Paths to attributes, for diagnostics and for what forces a replacement.

/// A path from the root of a resource or configuration, such as `events` or `headers["x"]`.
///
/// Elements of a set have no path: Terraform cannot address them, so a problem with one is reported at the set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path(Vec<Step>);

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Into an attribute of an object.
    Attribute(String),
    /// Into an element of a map.
    Key(String),
    /// Into an element of a list, counted from 0.
    Index(i64),
}

impl Path {
    /// The path of an attribute at the root.
    pub fn attribute(name: impl Into<String>) -> Self {
        Path(vec![Step::Attribute(name.into())])
    }

    /// The same path, one step further.
    #[must_use]
    pub fn then(mut self, step: Step) -> Self {
        self.0.push(step);
        self
    }

    /// The same place, seen from outside of an object that is the attribute of this name.
    #[must_use]
    pub fn inside(mut self, name: impl Into<String>) -> Self {
        self.0.insert(0, Step::Attribute(name.into()));
        self
    }

    /// The steps from the root.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }
}
