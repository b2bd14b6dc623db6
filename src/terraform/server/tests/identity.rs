//! Every answer about an object has its identity, and no error gets a second one for it.

use super::*;

/// What Terraform may hold of the identity of door 7: it, nothing at all, null, and what a plan did not know.
fn held() -> [Option<proto::ResourceIdentityData>; 4] {
    [
        identity(text("7")),
        None,
        identity(Value::Null),
        identity(Value::Unknown),
    ]
}

async fn read(name: &str, held: Option<proto::ResourceIdentityData>) -> proto::read_resource::Response {
    ask!(
        read_resource,
        read_resource {
            type_name: DOOR.to_owned(),
            current_state: state(name),
            current_identity: held,
        }
    )
}

async fn applied(
    prior: &str,
    planned: Option<proto::DynamicValue>,
    held: Option<proto::ResourceIdentityData>,
) -> proto::apply_resource_change::Response {
    ask!(
        apply_resource_change,
        apply_resource_change {
            type_name: DOOR.to_owned(),
            prior_state: state(prior),
            planned_state: planned,
            planned_identity: held,
        }
    )
}

#[tokio::test]
async fn a_read_answers_it_also_where_the_object_is_gone_or_nothing_was_read() {
    for (name, said) in [
        ("front", vec![]),
        ("gone", vec!["The door is gone"]),
        ("stuck", vec!["The door is stuck"]),
        ("rotten", vec!["The provider crashed"]),
    ] {
        for held in held() {
            let answer = read(name, held).await;
            assert_eq!(summaries(&answer.diagnostics), said, "{name}");
            assert_eq!(number_in(answer.new_identity.as_ref()).as_deref(), Some("7"), "{name}");
            assert_eq!(object_in(answer.new_state.as_ref()).is_none(), name == "gone");
        }
    }
}

#[tokio::test]
async fn an_update_answers_it_also_where_it_fails() {
    for (name, said) in [
        ("front", vec![]),
        ("stuck", vec!["The door is stuck"]),
        ("rotten", vec!["The provider crashed"]),
    ] {
        for held in held() {
            let answer = applied(name, state("back"), held).await;
            assert_eq!(summaries(&answer.diagnostics), said, "{name}");
            assert_eq!(number_in(answer.new_identity.as_ref()).as_deref(), Some("7"), "{name}");
        }
    }
}

#[tokio::test]
async fn a_deletion_that_failed_answers_it() {
    for held in held() {
        let answer = applied("stuck", message(None), held).await;
        assert_eq!(summaries(&answer.diagnostics), ["The door is stuck"]);
        assert_eq!(number_in(answer.new_identity.as_ref()).as_deref(), Some("7"));
    }
}

#[tokio::test]
async fn the_plan_of_an_update_has_it_and_that_of_a_creation_has_none() {
    for held in held() {
        for (prior, expected) in [(state("front"), Some("7")), (message(None), None)] {
            let config = message(Some(object(&[("name", text("back"))])));
            let plan = ask!(
                plan_resource_change,
                plan_resource_change {
                    type_name: DOOR.to_owned(),
                    prior_state: prior,
                    proposed_new_state: config.clone(),
                    config: config,
                    prior_identity: held.clone(),
                }
            );
            assert_eq!(summaries(&plan.diagnostics), [""; 0]);
            assert_eq!(number_in(plan.planned_identity.as_ref()).as_deref(), expected);
        }
    }
}

#[tokio::test]
async fn the_plan_of_a_destruction_has_it() {
    for held in held() {
        let plan = ask!(
            plan_resource_change,
            plan_resource_change {
                type_name: DOOR.to_owned(),
                prior_state: state("front"),
                proposed_new_state: message(None),
                config: message(None),
                prior_identity: held,
            }
        );
        assert_eq!(summaries(&plan.diagnostics), [""; 0]);
        assert_eq!(number_in(plan.planned_identity.as_ref()).as_deref(), Some("7"));
    }
}

#[tokio::test]
async fn a_read_that_answers_another_object_is_a_provider_bug() {
    let answer = read("swapped", identity(text("7"))).await;
    assert_eq!(summaries(&answer.diagnostics), ["The provider made a mistake"]);
}

#[tokio::test]
async fn a_call_that_panics_says_where_to_look_for_what_it_was_creating() {
    let answer = read("rotten", None).await;
    let detail = &answer.diagnostics[0].detail;
    assert!(
        detail.contains("look for it at the house before you apply again"),
        "{detail}"
    );
}
