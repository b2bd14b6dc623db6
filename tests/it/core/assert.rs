//! The two promises core holds a provider to: a plan is what was configured, and a result is what
//! was planned.

use super::number;
use super::report::Problem;
use super::schema::{Attribute, Block};
use super::value::{Path, Refinement, Value};
use std::cmp::Ordering;

/// Checks a plan against configuration and prior state.
///
/// A configured attribute is planned as configured, or as it was (the two mean the same, says the
/// provider then). An attribute that is not configured is free only if it is computed.
pub(crate) fn plan_valid(block: &Block, prior: &Value, config: &Value, planned: &Value) -> Vec<Problem> {
    let root = Path::root();
    match (planned.is_null(), config.is_null()) {
        (true, false) => {
            return vec![Problem::new(&root, "planned for absence but config wants existence")];
        }
        (false, true) => {
            return vec![Problem::new(&root, "planned for existence but config wants absence")];
        }
        (true, true) => return Vec::new(),
        (false, false) => {}
    }
    if planned.is_unknown() {
        return vec![Problem::new(&root, "the object itself is unknown")];
    }
    let attributes = block.attributes.iter();
    attributes
        .filter_map(|(name, attribute)| {
            let problem = planned_attribute(
                attribute,
                &prior.attribute(name).unrefined(),
                &config.attribute(name).unrefined(),
                &planned.attribute(name).unrefined(),
            )?;
            Some(Problem::new(&Path::of(name), problem))
        })
        .collect()
}

/// Checks a final value against the plan: only what was unknown may have changed.
pub(crate) fn object_compatible(block: &Block, planned: &Value, actual: &Value) -> Vec<Problem> {
    let root = Path::root();
    match (planned.is_null(), actual.is_null()) {
        (true, false) => {
            return vec![Problem::new(&root, "root object was absent, but now present")];
        }
        (false, true) => {
            return vec![Problem::new(&root, "root object was present, but now absent")];
        }
        (true, true) => return Vec::new(),
        (false, false) => {}
    }
    let mut problems = Vec::new();
    for (name, attribute) in &block.attributes {
        let path = Path::of(name);
        let found = value_compatible(&planned.attribute(name), &actual.attribute(name), &path);
        if attribute.sensitive && !found.is_empty() {
            problems.push(Problem::new(&path, "inconsistent values for sensitive attribute"));
        } else {
            problems.extend(found);
        }
    }
    problems
}

/// Checks that nothing write-only came back.
pub(crate) fn write_only_absent(block: &Block, value: &Value) -> Vec<Problem> {
    let write_only = block.attributes.iter().filter(|(_, attribute)| attribute.write_only);
    write_only
        .filter(|(name, _)| !value.is_null() && !value.attribute(name).is_null())
        .map(|(name, _)| Problem::new(&Path::of(name), "a value for a write-only attribute"))
        .collect()
}

/// Checks one final value against its plan.
pub(crate) fn value_compatible(planned: &Value, actual: &Value, path: &Path) -> Vec<Problem> {
    let one = |problem: String| vec![Problem::new(path, problem)];
    match (planned, actual) {
        (Value::Unknown(refinement), _) if actual.is_unknown() || admits(refinement, actual) => Vec::new(),
        (Value::Unknown(_), _) => one(format!("final value {actual:?} does not conform to {planned:?}")),
        (Value::Null, Value::Null) => Vec::new(),
        (_, Value::Null) => one(format!("was {planned:?}, but now null")),
        (Value::Null, _) => one(format!("was null, but now {actual:?}")),
        (_, Value::Unknown(_)) => one("was known, but now unknown".to_owned()),
        (Value::List(planned), Value::List(actual)) => {
            let mut problems = Vec::new();
            if planned.len() != actual.len() {
                problems.extend(one(format!("had {} elements, but now {}", planned.len(), actual.len())));
            }
            for (index, (planned, actual)) in (0..).zip(planned.iter().zip(actual)) {
                problems.extend(value_compatible(planned, actual, &path.index(index)));
            }
            problems
        }
        (Value::Map(planned), Value::Map(actual)) => {
            let mut problems = Vec::new();
            for (key, planned) in planned {
                match actual.get(key) {
                    None => {
                        problems.push(Problem::new(path, format!("element {key:?} has vanished")));
                    }
                    Some(actual) => {
                        problems.extend(value_compatible(planned, actual, &path.key(key)));
                    }
                }
            }
            for key in actual.keys().filter(|key| !planned.contains_key(*key)) {
                problems.push(Problem::new(path, format!("new element {key:?} has appeared")));
            }
            problems
        }
        (Value::Object(planned), Value::Object(actual)) => planned
            .iter()
            .flat_map(|(name, planned)| value_compatible(planned, &actual[name], &path.attribute(name)))
            .collect(),
        (Value::Set(planned), Value::Set(actual)) => set_compatible(planned, actual, path),
        _ if planned == actual => Vec::new(),
        _ => one(format!("was {planned:?}, but now {actual:?}")),
    }
}

fn planned_attribute(attribute: &Attribute, prior: &Value, config: &Value, planned: &Value) -> Option<String> {
    if planned == config {
        return None;
    }
    if planned == prior && !prior.is_null() && !config.is_null() {
        return None;
    }
    if attribute.write_only {
        let returned = !planned.is_null();
        return returned.then(|| "planned value for write-only attribute is not null".to_owned());
    }
    if attribute.computed && (!attribute.optional || config.is_null()) {
        return None;
    }
    Some(match (config.is_null(), prior.is_null(), attribute.sensitive) {
        (true, _, true) => "sensitive planned value for a non-computed attribute".to_owned(),
        (true, _, false) => format!("planned value {planned:?} for a non-computed attribute"),
        (false, true, true) => "sensitive planned value does not match config value".to_owned(),
        (false, true, false) => {
            format!("planned value {planned:?} does not match config value {config:?}")
        }
        (false, false, true) => "sensitive planned value does not match config value nor prior value".to_owned(),
        (false, false, false) => {
            format!("planned value {planned:?} does not match config value {config:?} nor prior value {prior:?}")
        }
    })
}

/// Elements of sets have no identity, so each must have some partner in the other set; unknown
/// ones may coincide in the end, hence fewer elements are fine and more are not.
fn set_compatible(planned: &[Value], actual: &[Value], path: &Path) -> Vec<Problem> {
    let fit = |planned: &Value, actual: &Value| value_compatible(planned, actual, path).is_empty();
    let lost = planned
        .iter()
        .filter(|planned| !actual.iter().any(|actual| fit(planned, actual)));
    let mut problems: Vec<Problem> = lost
        .map(|planned| Problem::new(path, format!("planned set element {planned:?} has no counterpart")))
        .collect();
    if problems.is_empty() {
        let new = actual
            .iter()
            .filter(|actual| !planned.iter().any(|planned| fit(planned, actual)));
        problems.extend(new.map(|actual| Problem::new(path, format!("actual set element {actual:?} was not planned"))));
    }
    if planned.len() < actual.len() {
        let lengths = format!("length changed from {} to {}", planned.len(), actual.len());
        problems.push(Problem::new(path, lengths));
    }
    problems
}

/// Whether a known value keeps what was said about it while it was unknown.
fn admits(refinement: &Refinement, actual: &Value) -> bool {
    match actual {
        Value::Null => !refinement.not_null,
        Value::String(text) => refinement
            .prefix
            .as_ref()
            .is_none_or(|prefix| text.starts_with(prefix.as_str())),
        Value::Number(text) => {
            let within = |bound: &Option<(String, bool)>, outside: Ordering| {
                bound
                    .as_ref()
                    .is_none_or(|(bound, inclusive)| match number::compare(text, bound) {
                        Ordering::Equal => *inclusive,
                        order => order != outside,
                    })
            };
            within(&refinement.min, Ordering::Less) && within(&refinement.max, Ordering::Greater)
        }
        Value::List(items) | Value::Set(items) => admits_length(refinement, items.len()),
        Value::Map(items) => admits_length(refinement, items.len()),
        Value::Bool(_) | Value::Object(_) | Value::Unknown(_) => true,
    }
}

fn admits_length(refinement: &Refinement, length: usize) -> bool {
    let length = length as u64;
    refinement.min_length.is_none_or(|min| min <= length) && refinement.max_length.is_none_or(|max| length <= max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compatible(planned: &Value, actual: &Value) -> bool {
        value_compatible(planned, actual, &Path::root()).is_empty()
    }

    #[test]
    fn null_empty_text_and_empty_collections_are_three_things() {
        assert!(!compatible(&Value::Null, &"".into()));
        assert!(!compatible(&"".into(), &Value::Null));
        assert!(!compatible(&Value::Null, &Value::set([])));
        assert!(!compatible(&Value::set([]), &Value::Null));
        assert!(compatible(&Value::Null, &Value::Null));
    }

    #[test]
    fn an_unknown_may_become_anything_that_was_not_ruled_out() {
        let refined = |refinement: Refinement| Value::Unknown(refinement);
        assert!(compatible(&Value::unknown(), &Value::Null));
        let not_null = refined(Refinement {
            not_null: true,
            ..Refinement::default()
        });
        assert!(!compatible(&not_null, &Value::Null));
        assert!(compatible(&not_null, &"x".into()));
        let prefix = refined(Refinement {
            prefix: Some("whsec_".into()),
            ..Refinement::default()
        });
        assert!(!compatible(&prefix, &"secret".into()));
        let positive = refined(Refinement {
            min: Some(("0".into(), false)),
            ..Refinement::default()
        });
        assert!(!compatible(&positive, &0.into()));
        assert!(compatible(&positive, &Value::number("0.1")));
        let some = refined(Refinement {
            min_length: Some(1),
            ..Refinement::default()
        });
        assert!(!compatible(&some, &Value::set([])));
    }

    #[test]
    fn set_elements_may_coincide_but_not_multiply() {
        let planned = Value::set([Value::unknown(), Value::unknown()]);
        assert!(compatible(&planned, &Value::set(["a".into()])));
        assert!(compatible(&planned, &Value::set(["a".into(), "b".into()])));
        assert!(!compatible(&planned, &Value::set(["a".into(), "b".into(), "c".into()])));
        assert!(!compatible(&Value::set(["a".into()]), &Value::set(["b".into()])));
        let half = Value::set(["a".into(), Value::unknown()]);
        assert!(compatible(&half, &Value::set(["a".into(), "z".into()])));
        assert!(!compatible(&half, &Value::set(["y".into(), "z".into()])));
    }

    #[test]
    fn a_difference_deep_inside_is_named_by_its_path() {
        let value = |text: &str| Value::Map([("k".to_owned(), Value::list([text.into()]))].into());
        let problems = value_compatible(&value("a"), &value("b"), &Path::of("m"));
        assert_eq!(problems[0].path.to_string(), r#".m["k"][0]"#);
    }
}
