//! States of other versions of the schema.

use super::*;

async fn upgraded(version: i64, stored: &str) -> proto::upgrade_resource_state::Response {
    ask!(
        upgrade_resource_state,
        upgrade_resource_state {
            type_name: DOOR.to_owned(),
            version: version,
            raw_state: Some(proto::RawState {
                json: stored.as_bytes().to_vec(),
                ..Default::default()
            }),
        }
    )
}

#[tokio::test]
async fn a_state_is_read_by_the_shape_of_the_version_that_wrote_it() {
    let old = r#"{"name":"front","keys":"ann,bob","number":"7","colour":"red"}"#;
    let new = r#"{"name":"front","keys":["ann","bob"],"number":"7"}"#;
    let expected = decode_json(new.as_bytes(), ty()).unwrap();
    for (version, stored) in [(1, old), (2, new)] {
        let answer = upgraded(version, stored).await;
        assert_eq!(summaries(&answer.diagnostics), [""; 0], "version {version}");
        let state = object_in(answer.upgraded_state.as_ref()).unwrap();
        assert!(Value::Mapping(state) == expected, "version {version}");
    }
}

#[tokio::test]
async fn a_step_between_versions_may_fail() {
    let answer = upgraded(1, r#"{"name":"front","keys":"lost"}"#).await;
    assert_eq!(summaries(&answer.diagnostics), ["Nobody has a key"]);
    assert_eq!(answer.upgraded_state, None);
}

#[tokio::test]
async fn a_version_without_a_shape_is_an_error_that_says_which_provider_to_use() {
    for (version, advice) in [
        (3, "A newer provider has written it: use that one, or newer."),
        (0, "backup of the state"),
    ] {
        let answer = upgraded(version, r#"{"name":"front"}"#).await;
        assert_eq!(summaries(&answer.diagnostics), ["State of an unknown version"]);
        assert!(answer.diagnostics[0].detail.contains(advice), "{answer:?}");
        assert_eq!(answer.upgraded_state, None);
    }
}

#[tokio::test]
async fn an_object_that_moves_to_another_provider_address_is_kept_with_its_private_data() {
    let moved = |version: i64, stored: &'static str| async move {
        ask!(
            move_resource_state,
            move_resource_state {
                source_provider_address: "mirror.example/house/house".to_owned(),
                source_type_name: DOOR.to_owned(),
                target_type_name: DOOR.to_owned(),
                source_schema_version: version,
                source_state: Some(proto::RawState {
                    json: stored.as_bytes().to_vec(),
                    ..Default::default()
                }),
                source_private: br#"{"oiled":true,"version":1}"#.to_vec(),
            }
        )
    };
    let new = r#"{"name":"front","keys":["ann","bob"],"number":"7"}"#;
    let expected = decode_json(new.as_bytes(), ty()).unwrap();
    for (version, stored) in [(1, r#"{"name":"front","keys":"ann,bob","number":"7"}"#), (2, new)] {
        let answer = moved(version, stored).await;
        assert_eq!(summaries(&answer.diagnostics), [""; 0], "version {version}");
        assert!(Value::Mapping(object_in(answer.target_state.as_ref()).unwrap()) == expected);
        assert_eq!(answer.target_private, br#"{"oiled":true,"version":1}"#);
        assert!(answer.target_identity.is_some());
    }
    let newer = moved(3, new).await;
    assert_eq!(summaries(&newer.diagnostics), ["State of an unknown version"]);
    assert_eq!(newer.target_state, None);
}

#[tokio::test]
async fn a_state_that_does_not_fit_names_the_place_the_type_and_the_next_step() {
    let answer = upgraded(2, r#"{"name":"front","keys":"whsec"}"#).await;
    assert_eq!(summaries(&answer.diagnostics), ["The stored state cannot be read"]);
    assert_eq!(
        answer.diagnostics[0].detail,
        "What Terraform has stored of this house_door does not fit this provider's schema: not a value of type set of string \
         at keys. Restore a backup of the state (terraform.tfstate.backup beside a local state, an earlier version in a \
         backend), or use the version of the provider that wrote it. If you have neither, remove the resource from state \
         (terraform state rm) and import it again."
    );
}
