//! The object core proposes to a provider: the configuration, with what is computed kept from
//! before.

use super::schema::Block;
use super::value::Value;

/// Merges prior state and configuration. A computed attribute that is not configured keeps its
/// prior value, whether or not it is optional as well; everything else is as configured.
pub(crate) fn proposed_new(block: &Block, prior: &Value, config: &Value) -> Value {
    if config.is_null() {
        // Nothing wanted, nothing merged: a destruction is proposed as null by its own walk.
        return prior.clone();
    }
    Value::object(block.attributes.iter().map(|(name, attribute)| {
        let configured = config.attribute(name);
        let value = if attribute.computed && configured.is_null() {
            prior.attribute(name)
        } else {
            configured
        };
        (name.clone(), value)
    }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::core::schema::Attribute;
    use crate::core::types::Type;

    fn attribute(optional: bool, computed: bool) -> Attribute {
        Attribute {
            ty: Type::String,
            required: !optional && !computed,
            optional,
            computed,
            sensitive: false,
            write_only: false,
        }
    }

    #[test]
    fn only_what_is_computed_and_not_configured_is_kept() {
        let block = Block {
            attributes: BTreeMap::from([
                ("both".to_owned(), attribute(true, true)),
                ("both_set".to_owned(), attribute(true, true)),
                ("computed".to_owned(), attribute(false, true)),
                ("optional".to_owned(), attribute(true, false)),
                ("required".to_owned(), attribute(false, false)),
            ]),
        };
        let object = |both, both_set, computed, optional, required| {
            Value::object([
                ("both", both),
                ("both_set", both_set),
                ("computed", computed),
                ("optional", optional),
                ("required", required),
            ])
        };
        let before = || Value::from("before");
        let after = || Value::from("after");
        let prior = object(before(), before(), before(), before(), before());
        let config = object(Value::Null, after(), Value::Null, Value::Null, Value::unknown());
        assert_eq!(
            proposed_new(&block, &prior, &config),
            object(before(), after(), before(), Value::Null, Value::unknown()),
        );
        assert_eq!(
            proposed_new(&block, &Value::Null, &config),
            object(Value::Null, after(), Value::Null, Value::Null, Value::unknown()),
        );
    }
}
