//! Private data, from call to call.

use super::*;

const UNUSABLE: [&str; 6] = [
    "no JSON",
    "[]",
    r#"{"version":"1"}"#,
    r#"{"version":0}"#,
    r#"{"version":2}"#,
    r#"{"version":1,"oiled":"yes"}"#,
];

async fn read(name: &str, private: &str) -> proto::read_resource::Response {
    ask!(
        read_resource,
        read_resource {
            type_name: DOOR.to_owned(),
            current_state: state(name),
            private: private.as_bytes().to_vec(),
        }
    )
}

async fn planned(
    prior: Option<proto::DynamicValue>,
    name: &str,
    private: &str,
) -> proto::plan_resource_change::Response {
    let config = message(Some(object(&[("name", text(name))])));
    ask!(
        plan_resource_change,
        plan_resource_change {
            type_name: DOOR.to_owned(),
            prior_state: prior,
            proposed_new_state: config.clone(),
            config: config,
            prior_private: private.as_bytes().to_vec(),
        }
    )
}

async fn applied(
    prior: Option<proto::DynamicValue>,
    planned: Option<proto::DynamicValue>,
    private: &str,
) -> proto::apply_resource_change::Response {
    ask!(
        apply_resource_change,
        apply_resource_change {
            type_name: DOOR.to_owned(),
            prior_state: prior,
            planned_state: planned,
            planned_private: private.as_bytes().to_vec(),
        }
    )
}

#[tokio::test]
async fn the_version_is_written_by_a_creation_a_read_and_an_update() {
    let created = applied(message(None), state("front"), "").await.private;
    assert_eq!(json(&created), json(br#"{"version":1}"#));
    let read = read("front", "").await.private;
    assert_eq!(json(&read), json(br#"{"version":1}"#));
    let updated = applied(state("front"), state("back"), "{}").await.private;
    assert_eq!(json(&updated), json(br#"{"oiled":true,"version":1}"#));
}

#[tokio::test]
async fn members_of_a_later_provider_are_kept_by_read_plan_and_update() {
    let stored = r#"{"later":{"n":1.50},"version":1}"#;
    assert_eq!(json(&read("front", stored).await.private), json(stored.as_bytes()));
    let plan = planned(state("front"), "back", stored).await;
    assert_eq!(plan.planned_private, stored.as_bytes());
    let updated = applied(state("front"), state("back"), stored).await.private;
    assert_eq!(
        json(&updated),
        json(br#"{"later":{"n":1.50},"oiled":true,"version":1}"#)
    );
    let failed = applied(state("stuck"), state("back"), stored).await;
    assert_eq!(summaries(&failed.diagnostics), ["The door is stuck"]);
    assert_eq!(json(&failed.private), json(stored.as_bytes()));
}

#[tokio::test]
async fn a_new_object_gets_nothing_of_the_one_it_replaces() {
    let old = r#"{"later":1,"oiled":true,"version":1}"#;
    let plan = planned(message(None), "front", old).await;
    assert_eq!(plan.planned_private, old.as_bytes(), "the destruction will need it");
    let created = applied(message(None), state("front"), old).await.private;
    assert_eq!(json(&created), json(br#"{"version":1}"#));
}

#[tokio::test]
async fn what_cannot_be_used_is_one_error_of_read_plan_and_update_and_stays_as_it_is() {
    for private in UNUSABLE {
        let read = read("front", private).await;
        let plan = planned(state("front"), "back", private).await;
        let updated = applied(state("front"), state("back"), private).await;
        for diagnostics in [&read.diagnostics, &plan.diagnostics, &updated.diagnostics] {
            assert_eq!(diagnostics.len(), 1, "{private}: {diagnostics:?}");
        }
        for (state, kept) in [(&read.new_state, &read.private), (&updated.new_state, &updated.private)] {
            assert_eq!(
                object_in(state.as_ref()),
                object_in(super::state("front").as_ref()),
                "{private}"
            );
            assert_eq!(kept, private.as_bytes());
        }
    }
}

#[tokio::test]
async fn what_cannot_be_used_does_not_keep_an_object_from_being_deleted() {
    for private in UNUSABLE {
        let deleted = applied(state("front"), message(None), private).await;
        assert_eq!(summaries(&deleted.diagnostics), [""; 0], "{private}");
        assert_eq!(object_in(deleted.new_state.as_ref()), None);
    }
    let failed = applied(state("stuck"), message(None), "no JSON").await;
    assert_eq!(summaries(&failed.diagnostics), ["The door is stuck"]);
    assert_eq!(failed.private, b"no JSON");
}

#[tokio::test]
async fn the_errors_say_what_to_do() {
    let newer = read("front", r#"{"version":2}"#).await.diagnostics.remove(0);
    assert_eq!(newer.summary, "Private data of a newer provider");
    assert_eq!(
        newer.detail,
        "What a provider has stored beside the state of this house_door has version 2, and this provider knows version 1. A \
         newer provider has written it: use that one, or newer."
    );
    let broken = read("front", "whsec").await.diagnostics.remove(0);
    assert_eq!(broken.summary, "The private data in state cannot be read");
    assert_eq!(
        broken.detail,
        "What the provider has stored beside the state of this house_door cannot be used: it is not JSON. Restore a backup of \
         the state (terraform.tfstate.backup beside a local state, an earlier version in a backend). Without it the door \
         squeaks. Only if there is no backup: remove the resource from state (terraform state rm) and import it again."
    );
}
