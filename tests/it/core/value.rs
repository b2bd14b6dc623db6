//! Values as Terraform holds them, and paths into them. Independent of the provider's own value
//! type on purpose: a mistake made there must not be repeated here.

use std::collections::BTreeMap;
use std::fmt;

use unicode_normalization::UnicodeNormalization;

use super::number;

/// A value of a type known from elsewhere. Nulls and unknowns are alike for all types.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    Null,
    Unknown(Refinement),
    /// Always in Unicode normalisation form C.
    String(String),
    /// Canonical decimal text, see [`number::canonical`].
    Number(String),
    Bool(bool),
    List(Vec<Value>),
    /// Sorted, without repetitions.
    Set(Vec<Value>),
    Map(BTreeMap<String, Value>),
    Object(BTreeMap<String, Value>),
}

/// What is known about an unknown value. Binding for whoever emits it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Refinement {
    pub(crate) not_null: bool,
    pub(crate) prefix: Option<String>,
    /// Canonical text, and whether the bound itself is included.
    pub(crate) min: Option<(String, bool)>,
    pub(crate) max: Option<(String, bool)>,
    pub(crate) min_length: Option<u64>,
    pub(crate) max_length: Option<u64>,
}

impl Value {
    pub(crate) fn unknown() -> Self {
        Self::Unknown(Refinement::default())
    }

    pub(crate) fn string(text: impl AsRef<str>) -> Self {
        Self::String(text.as_ref().nfc().collect())
    }

    /// Panics on text that is no number: a mistake of the test.
    pub(crate) fn number(text: &str) -> Self {
        Self::Number(number::canonical(text).unwrap_or_else(|| panic!("{text:?} is no number")))
    }

    pub(crate) fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(items.into_iter().collect())
    }

    pub(crate) fn set(items: impl IntoIterator<Item = Self>) -> Self {
        let mut items: Vec<Self> = items.into_iter().collect();
        items.sort();
        // Two unknown elements may turn out to differ, so only known ones are repetitions.
        items.dedup_by(|right, left| left == right && left.is_wholly_known());
        Self::Set(items)
    }

    pub(crate) fn object<K: Into<String>>(attributes: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Object(
            attributes
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
        )
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    pub(crate) fn is_wholly_known(&self) -> bool {
        self.unknown_paths().is_empty()
    }

    /// The attribute of an object; null where the object itself is null, unknown where it is unknown.
    pub(crate) fn attribute(&self, name: &str) -> Self {
        match self {
            Self::Object(attributes) => attributes
                .get(name)
                .cloned()
                .unwrap_or_else(|| panic!("the object has no attribute {name:?}")),
            Self::Null => Self::Null,
            Self::Unknown(_) => Self::unknown(),
            other => panic!("{other:?} has no attributes"),
        }
    }

    /// The text of a known string.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Equality as Terraform decides "no change": anything unknown is not yet equal to anything.
    pub(crate) fn is_surely(&self, other: &Self) -> bool {
        self.is_wholly_known() && self == other
    }

    /// The same value with everything said about its unknowns taken away.
    pub(crate) fn unrefined(&self) -> Self {
        self.transform(&|value| match value {
            Self::Unknown(_) => Some(Self::unknown()),
            _ => None,
        })
    }

    /// What reaches the state file of a value with unknowns.
    pub(crate) fn unknowns_as_null(&self) -> Self {
        self.transform(&|value| value.is_unknown().then_some(Self::Null))
    }

    /// Where the unknowns are.
    pub(crate) fn unknown_paths(&self) -> Vec<Path> {
        let mut found = Vec::new();
        self.collect_unknowns(&Path::root(), &mut found);
        found
    }

    /// Follows a path; `None` where it leads nowhere. Elements of sets have no path.
    pub(crate) fn at(&self, path: &Path) -> Option<Self> {
        let mut value = self.clone();
        for step in &path.0 {
            value = match (value, step) {
                (Self::Unknown(_), _) => Self::unknown(),
                (Self::Object(mut attributes), Step::Attribute(name)) => attributes.remove(name)?,
                (Self::Map(mut items), Step::Attribute(key) | Step::Key(key)) => items.remove(key)?,
                (Self::List(mut items), Step::Index(index)) => {
                    let index = usize::try_from(*index).ok().filter(|index| *index < items.len())?;
                    items.swap_remove(index)
                }
                _ => return None,
            };
        }
        Some(value)
    }

    fn transform(&self, replace: &impl Fn(&Self) -> Option<Self>) -> Self {
        if let Some(replacement) = replace(self) {
            return replacement;
        }
        let each = |items: &BTreeMap<String, Self>| {
            items
                .iter()
                .map(|(key, item)| (key.clone(), item.transform(replace)))
                .collect()
        };
        match self {
            Self::List(items) => Self::list(items.iter().map(|item| item.transform(replace))),
            Self::Set(items) => Self::set(items.iter().map(|item| item.transform(replace))),
            Self::Map(items) => Self::Map(each(items)),
            Self::Object(attributes) => Self::Object(each(attributes)),
            leaf => leaf.clone(),
        }
    }

    fn collect_unknowns(&self, here: &Path, found: &mut Vec<Path>) {
        match self {
            Self::Unknown(_) => found.push(here.clone()),
            Self::List(items) => {
                for (index, item) in (0..).zip(items) {
                    item.collect_unknowns(&here.index(index), found);
                }
            }
            // An element of a set has no path of its own: the set is named.
            Self::Set(items) => items.iter().for_each(|item| item.collect_unknowns(here, found)),
            Self::Map(items) => {
                for (key, item) in items {
                    item.collect_unknowns(&here.key(key), found);
                }
            }
            Self::Object(attributes) => attributes
                .iter()
                .for_each(|(name, value)| value.collect_unknowns(&here.attribute(name), found)),
            _ => {}
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::string(text)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number.to_string())
    }
}

/// Where in an object something is.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path(pub(crate) Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Attribute(String),
    Key(String),
    Index(i64),
}

impl Path {
    pub(crate) fn root() -> Self {
        Self::default()
    }

    /// The path of a top-level attribute.
    pub(crate) fn of(name: &str) -> Self {
        Self::root().attribute(name)
    }

    pub(crate) fn attribute(&self, name: &str) -> Self {
        self.then(Step::Attribute(name.to_owned()))
    }

    pub(crate) fn key(&self, key: &str) -> Self {
        self.then(Step::Key(key.to_owned()))
    }

    pub(crate) fn index(&self, index: i64) -> Self {
        self.then(Step::Index(index))
    }

    fn then(&self, step: Step) -> Self {
        Self(self.0.iter().cloned().chain([step]).collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| match step {
            Step::Attribute(name) => write!(f, ".{name}"),
            Step::Key(key) => write!(f, "[{key:?}]"),
            Step::Index(index) => write!(f, "[{index}]"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_normalised_and_sets_have_no_order() {
        assert_eq!(Value::string("e\u{301}"), Value::string("\u{e9}"));
        assert_eq!(
            Value::set(["b".into(), "a".into(), "b".into()]),
            Value::set(["a".into(), "b".into()]),
        );
    }

    #[test]
    fn two_unknown_set_elements_stay_two() {
        let Value::Set(items) = Value::set([Value::unknown(), Value::unknown()]) else {
            panic!()
        };
        assert_eq!(items.len(), 2);
    }

    #[test]
    fn nothing_unknown_is_surely_equal() {
        assert!(Value::from("a").is_surely(&"a".into()));
        assert!(Value::Null.is_surely(&Value::Null));
        assert!(!Value::unknown().is_surely(&Value::unknown()));
    }

    #[test]
    fn a_path_leads_into_objects_maps_and_lists_but_not_into_sets() {
        let value = Value::object([
            ("list", Value::list(["x".into()])),
            ("map", Value::Map([("k".to_owned(), 1.into())].into())),
            ("set", Value::set(["x".into()])),
        ]);
        assert_eq!(value.at(&Path::of("list").index(0)), Some("x".into()));
        assert_eq!(value.at(&Path::of("map").key("k")), Some(1.into()));
        assert_eq!(value.at(&Path::of("list").index(1)), None);
        assert_eq!(value.at(&Path::of("set").index(0)), None);
        assert_eq!(value.at(&Path::of("absent")), None);
    }
}
