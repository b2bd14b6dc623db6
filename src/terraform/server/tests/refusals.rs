//! What the service refuses by itself.

use super::super::not_in_this_version;
use super::house::BELL;
use super::*;
use crate::terraform::Provider as _;

/// Summary and attribute of each.
fn refused(diagnostics: &[proto::Diagnostic]) -> Vec<(&str, &str)> {
    use proto::attribute_path::step::Selector;
    let told = diagnostics.iter().map(|diagnostic| {
        let step = &diagnostic.attribute.as_ref().unwrap().steps[0];
        let Some(Selector::AttributeName(attribute)) = &step.selector else {
            panic!("an attribute")
        };
        (diagnostic.summary.as_str(), attribute.as_str())
    });
    told.collect()
}

/// An object of two attributes, in the order of their names.
#[expect(clippy::unnecessary_wraps, reason = "as messages hold it")]
fn pair(ty: &Type, values: [Value; 2]) -> Option<proto::DynamicValue> {
    let Type::Object(attributes) = ty else {
        panic!("an object")
    };
    let object = attributes.keys().cloned().zip(values).collect();
    Some(convert::encode_object(Some(object), ty).unwrap())
}

const MISSING: &str = "Missing required argument";
const READ_ONLY: &str = "Read-only attribute is set";

#[tokio::test]
async fn a_resource_with_its_required_attribute_null_or_its_computed_one_set_is_refused() {
    let config = message(Some(object(&[("number", Value::Unknown)])));
    let answer = ask!(
        validate_resource_config,
        validate_resource_config {
            type_name: DOOR.to_owned(),
            config: config
        }
    );
    assert_eq!(refused(&answer.diagnostics), [(MISSING, "name"), (READ_ONLY, "number")]);
}

#[tokio::test]
async fn so_is_a_data_source() {
    let ty = Type::Object([("button".into(), Type::String), ("sound".into(), Type::String)].into());
    let answer = ask!(
        validate_data_resource_config,
        validate_data_resource_config {
            type_name: BELL.to_owned(),
            config: pair(&ty, [Value::Null, text("ding")])
        }
    );
    assert_eq!(
        refused(&answer.diagnostics),
        [(MISSING, "button"), (READ_ONLY, "sound")]
    );
}

#[tokio::test]
async fn so_is_a_provider_block() {
    let ty = House.schema().object_type();
    let answer = ask!(
        validate_provider_config,
        validate_provider_config {
            config: pair(ty, [text("me"), Value::Null])
        }
    );
    assert_eq!(
        refused(&answer.diagnostics),
        [(MISSING, "street"), (READ_ONLY, "owner")]
    );
    let empty = ask!(validate_provider_config, validate_provider_config { config: None });
    assert_eq!(refused(&empty.diagnostics), [(MISSING, "street")]);
}

#[tokio::test]
async fn what_is_planned_may_hold_prior_values_of_ignored_attributes() {
    let config = message(Some(object(&[("name", text("front")), ("number", text("7"))])));
    let plan = ask!(
        plan_resource_change,
        plan_resource_change {
            type_name: DOOR.to_owned(),
            prior_state: state("front"),
            proposed_new_state: config.clone(),
            config: config,
        }
    );
    assert_eq!(summaries(&plan.diagnostics), [""; 0]);
}

#[tokio::test]
async fn a_move_from_another_type_names_both_and_the_way_to_go() {
    let answer = ask!(
        move_resource_state,
        move_resource_state {
            source_type_name: "castle_gate".to_owned(),
            target_type_name: DOOR.to_owned(),
        }
    );
    assert_eq!(
        summaries(&answer.diagnostics),
        ["Objects of another type cannot be moved here"]
    );
    assert_eq!(
        answer.diagnostics[0].detail,
        "A moved block turns a castle_gate into a house_door, and this provider cannot read the state of the one as that of \
         the other. Take the old one out of state with a removed block (lifecycle { destroy = false }) in place of the moved \
         block, and take what the house_door shall manage over with an import block."
    );
}

#[tokio::test]
async fn what_the_provider_does_not_have_is_named_as_far_as_the_request_names_it() {
    let answer = ask!(
        plan_action,
        plan_action {
            action_type: "house_ring".to_owned(),
        }
    );
    assert_eq!(summaries(&answer.diagnostics), ["Not in this version of the provider"]);
    assert_eq!(
        answer.diagnostics[0].detail,
        "This provider has no action named \"house_ring\". A newer version of it may have one."
    );
    assert_eq!(
        not_in_this_version("state store").detail,
        "This provider has no state store. A newer version of it may have one."
    );
}
