//! What a read, an upgrade and an import may not be.

use super::*;
use crate::core::ImportTarget;
use crate::core::scripted::{error, identity_of, message_of, raw, set};

/// Refreshes an instance that a good provider created, with one that follows a script.
async fn refreshed(script: Script) -> (State, Report) {
    let mut state = created(&bare()).await;
    let (core, _) = core(script).await;
    let report = core.refresh(&mut state).await;
    (state, report)
}

/// Imports by id and by identity with a provider that follows a script.
async fn imported(script: Script, target: ImportTarget) -> (State, Report) {
    let (core, _) = core(script).await;
    let mut state = State::new();
    let report = core.import(&mut state, ADDRESS, &target).await;
    (state, report)
}

fn by_id() -> ImportTarget {
    ImportTarget::Id("ep_1".to_owned())
}

fn by_identity() -> ImportTarget {
    ImportTarget::Identity(Value::object([("id", "ep_1".into())]))
}

#[tokio::test]
async fn an_unknown_in_a_read_is_an_invalid_object_and_keeps_the_state() {
    let script = Script::default().read(|_, answer| set(&mut answer.new_state, "note", Value::unknown()));
    let (state, report) = refreshed(script).await;
    assert_violates(&report.violations, Rule::Object, ".note");
    assert_eq!(state, created(&bare()).await);
}

#[tokio::test]
async fn a_write_only_value_in_a_read_is_an_invalid_object() {
    let script = Script::default().read(|_, answer| set(&mut answer.new_state, "password", "p".into()));
    let (_, report) = refreshed(script).await;
    assert_violates(&report.violations, Rule::Object, ".password");
}

#[tokio::test]
async fn a_wrong_type_in_a_read_is_undecodable_at_its_path() {
    let script = Script::default().read(|_, answer| {
        let message = &mut answer.new_state.as_mut().unwrap().msgpack;
        let at = message.windows(3).position(|part| part == b"\xa2id").unwrap();
        message[at + 3] = 0xc3;
    });
    let (state, report) = refreshed(script).await;
    assert_violates(&report.violations, Rule::Undecodable, ".id");
    assert_eq!(state, created(&bare()).await);
}

#[tokio::test]
async fn a_status_in_a_read_keeps_the_state() {
    let script = Script::default().read(|_, _| Err(tonic::Status::internal("lost")));
    let (state, report) = refreshed(script).await;
    assert_violates(&report.violations, Rule::Rpc, "");
    assert_eq!(state, created(&bare()).await);
}

#[tokio::test]
async fn private_data_not_echoed_from_a_read_is_reported_and_erased() {
    let (state, report) = refreshed(Script::default().read(|_, answer| answer.private.clear())).await;
    assert_violates(&report.violations, Rule::PrivateAnswered, "");
    assert!(state[ADDRESS].private.is_empty());
}

#[tokio::test]
async fn an_identity_not_echoed_from_a_read_is_reported_and_erased() {
    let (state, report) = refreshed(Script::default().read(|_, answer| answer.new_identity = None)).await;
    assert_violates(&report.violations, Rule::IdentityAnswered, "");
    assert_eq!(state[ADDRESS].identity, None);
}

#[tokio::test]
async fn an_identity_that_changes_in_a_read_is_reported() {
    let script = Script::default().read(|_, answer| answer.new_identity = identity_of("other".into()));
    let (_, report) = refreshed(script).await;
    assert_violates(&report.violations, Rule::IdentityKept, "");
}

#[tokio::test]
async fn an_unknown_identity_in_a_read_is_an_invalid_identity() {
    let script = Script::default().read(|_, answer| answer.new_identity = identity_of(Value::unknown()));
    let (state, report) = refreshed(script).await;
    assert!(
        report
            .violations
            .iter()
            .any(|violation| violation.rule == Rule::Identity),
        "{report:?}"
    );
    assert_eq!(state, created(&bare()).await);
}

#[tokio::test]
async fn an_identity_without_an_identity_schema_is_an_invalid_identity() {
    let script = Script::default()
        .identities(|(), answer| answer.identity_schemas.clear())
        .read(|_, answer| answer.new_identity = identity_of("ep_1".into()));
    let (core, _) = core(script).await;
    let mut state = created(&bare()).await;
    state.get_mut(ADDRESS).unwrap().identity = None;
    let report = core.refresh(&mut state).await;
    assert_violates(&report.violations, Rule::Identity, "");
}

#[tokio::test]
async fn a_provider_without_identities_is_walked_without_them() {
    let script = Script::default()
        .identities(|(), _| Err(tonic::Status::unimplemented("too old")))
        .plan(|_, answer| answer.planned_identity = None)
        .apply(|_, answer| answer.new_identity = None);
    let (core, _) = core(script).await;
    let mut state = State::new();
    assert_sound(&applied(&core, &mut state, &bare()).await);
    assert!(core.plan(&state, &bare()).await.is_empty());
}

#[tokio::test]
async fn refusing_to_upgrade_the_same_version_breaks_every_plan() {
    let script = Script::default().upgrade(|question, answer| {
        assert_eq!(question.version, 0);
        answer.upgraded_state = None;
        answer.diagnostics.push(error("nothing to upgrade"));
    });
    let plan = change_planned(script, &bare(), &bare()).await;
    assert!(plan.report.errored() && plan.changes.is_empty());
}

#[tokio::test]
async fn an_upgrade_to_nothing_to_an_unknown_or_to_a_write_only_value_is_invalid() {
    let script = Script::default().upgrade(|_, answer| answer.upgraded_state = None);
    assert_violates(&refreshed(script).await.1.violations, Rule::Upgrade, "");
    let script = Script::default().upgrade(|_, answer| set(&mut answer.upgraded_state, "id", Value::unknown()));
    assert_violates(&refreshed(script).await.1.violations, Rule::Upgrade, ".id");
    let script = Script::default().upgrade(|_, answer| set(&mut answer.upgraded_state, "password", "p".into()));
    assert_violates(&refreshed(script).await.1.violations, Rule::Upgrade, ".password");
}

#[tokio::test]
async fn a_state_of_a_newer_provider_is_refused_before_it_is_asked() {
    let mut state = created(&bare()).await;
    state.get_mut(ADDRESS).unwrap().schema_version = 1;
    let (core, script) = core(Script::default()).await;
    let report = core.refresh(&mut state).await;
    assert_eq!(
        report.about(ADDRESS)[0].summary,
        "Resource instance managed by newer provider version"
    );
    assert!(script.asked().upgrades.is_empty());
}

#[tokio::test]
async fn an_identity_schema_that_starts_at_one_upgrades_empty_json() {
    let mut state = created(&bare()).await;
    state.get_mut(ADDRESS).unwrap().identity = None;
    let script = Script::default().identities(|(), answer| {
        answer.identity_schemas.get_mut("thing").unwrap().version = 1;
    });
    let (core, script) = core(script).await;
    core.refresh(&mut state).await;
    let asked = script.asked();
    assert_eq!(asked.identity_upgrades[0].version, 0);
    assert!(
        asked.identity_upgrades[0]
            .raw_identity
            .as_ref()
            .unwrap()
            .json
            .is_empty()
    );
}

#[tokio::test]
async fn an_import_of_none_of_two_or_of_another_type_is_invalid() {
    let none = Script::default().import(|_, answer| answer.imported_resources.clear());
    let two = Script::default().import(|_, answer| answer.imported_resources.extend_from_within(..));
    let other = Script::default().import(|_, answer| answer.imported_resources[0].type_name.clear());
    for script in [none, two, other] {
        let (state, report) = imported(script, by_id()).await;
        assert_violates(&report.violations, Rule::Import, "");
        assert!(state.is_empty());
    }
}

#[tokio::test]
async fn an_import_by_id_needs_a_state_and_one_by_identity_needs_that_identity() {
    let stateless = || Script::default().import(|_, answer| answer.imported_resources[0].state = None);
    assert_violates(&imported(stateless(), by_id()).await.1.violations, Rule::Import, "");
    let (_, report) = imported(stateless(), by_identity()).await;
    assert!(report.violations.is_empty(), "allowed, and read as gone: {report:?}");

    let nameless = Script::default().import(|_, answer| answer.imported_resources[0].identity = None);
    assert_violates(&imported(nameless, by_identity()).await.1.violations, Rule::Import, "");
    let other =
        Script::default().import(|_, answer| answer.imported_resources[0].identity = identity_of("other".into()));
    assert_violates(
        &imported(other, by_identity()).await.1.violations,
        Rule::IdentityKept,
        "",
    );
}

#[tokio::test]
async fn an_imported_write_only_or_unknown_value_is_invalid() {
    for (name, value) in [("password", Value::from("p")), ("note", Value::unknown())] {
        let script = Script::default().import(move |_, answer| {
            set(&mut answer.imported_resources[0].state, name, value.clone());
        });
        let (_, report) = imported(script, by_id()).await;
        assert_violates(&report.violations, Rule::Import, &format!(".{name}"));
    }
}

#[tokio::test]
async fn an_import_that_cannot_be_read_leaves_nothing() {
    let script = Script::default().read(|_, answer| answer.diagnostics.push(error("no answer")));
    let (state, report) = imported(script, by_id()).await;
    assert!(report.errored() && state.is_empty());
}

#[tokio::test]
async fn an_answer_in_json_is_refused() {
    let script = Script::default().read(|_, answer| {
        answer.new_state = message_of(&Value::Null).map(|_| raw(Vec::new()));
        answer.new_state.as_mut().unwrap().json = b"{}".to_vec();
    });
    assert_violates(&refreshed(script).await.1.violations, Rule::Undecodable, "");
}
