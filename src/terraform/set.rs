//! Sets in typed models, in which some members may not be known yet.

use std::collections::BTreeSet;

use super::{Attr, FromValue, IntoValue, Value};

/// The members of a set.
///
/// Unknown members cannot be told apart, and only apply shows whether some of them are equal. So they are counted, and
/// a plan returns as many of them as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set<T> {
    known: BTreeSet<T>,
    has_null: bool,
    unknown: usize,
}

impl<T: Ord> Set<T> {
    /// The members that have a value now.
    pub fn known(&self) -> &BTreeSet<T> {
        &self.known
    }

    /// Whether null is a member. It is one at most once.
    pub fn has_null(&self) -> bool {
        self.has_null
    }

    /// How many members are decided only during apply. They may turn out to be equal to each other or to known ones.
    pub fn unknown(&self) -> usize {
        self.unknown
    }

    /// Whether there is no member, for certain.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty() && !self.has_null && self.unknown == 0
    }

    fn insert(&mut self, member: Attr<T>) {
        match member {
            Attr::Null => self.has_null = true,
            Attr::Unknown => self.unknown += 1,
            Attr::Known(value) => {
                self.known.insert(value);
            }
        }
    }
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self {
            known: BTreeSet::new(),
            has_null: false,
            unknown: 0,
        }
    }
}

impl<T> From<BTreeSet<T>> for Set<T> {
    fn from(known: BTreeSet<T>) -> Self {
        Self {
            known,
            ..Self::default()
        }
    }
}

impl<T: Ord> FromIterator<Attr<T>> for Set<T> {
    fn from_iter<I: IntoIterator<Item = Attr<T>>>(members: I) -> Self {
        let mut set = Self::default();
        members.into_iter().for_each(|member| set.insert(member));
        set
    }
}

impl<T: FromValue + Ord> FromValue for Set<T> {
    fn from_known(value: Value) -> Result<Self, &'static str> {
        match value {
            Value::Sequence(members) => members.into_iter().map(Attr::from_value).collect(),
            _ => Err("a set"),
        }
    }
}

impl<T: IntoValue> IntoValue for Set<T> {
    fn into_value(self) -> Value {
        let null = self.has_null.then_some(Value::Null);
        let unknown = std::iter::repeat_n(Value::Unknown, self.unknown);
        let known = self.known.into_iter().map(IntoValue::into_value);
        Value::Sequence(null.into_iter().chain(unknown).chain(known).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    fn read(members: &[Value]) -> Set<String> {
        Set::from_known(Value::Sequence(members.to_vec())).unwrap()
    }

    #[test]
    fn members_that_are_not_known_stay_as_many_as_they_are() {
        for unknown in 0..4 {
            let mut members = vec![Value::Unknown; unknown];
            members.extend([text("a"), text("b")]);
            let set = read(&members);
            assert_eq!(set.unknown(), unknown);
            assert_eq!(set.into_value(), Value::Sequence(members));
        }
    }

    #[test]
    fn known_members_and_null_are_members_once() {
        let set = read(&[text("b"), Value::Null, text("a"), text("b"), Value::Null]);
        assert!(set.has_null());
        assert_eq!(set.known(), &BTreeSet::from(["a".to_owned(), "b".to_owned()]));
        assert_eq!(
            set.into_value(),
            Value::Sequence(vec![Value::Null, text("a"), text("b")])
        );
    }

    #[test]
    fn a_set_is_empty_only_if_it_has_no_member_of_any_kind() {
        assert!(read(&[]).is_empty());
        for member in [Value::Null, Value::Unknown, text("")] {
            assert!(!read(&[member]).is_empty());
        }
    }
}
