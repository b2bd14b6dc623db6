//! Half-done updates: what happened is kept, and only that, and the next plan shows exactly the rest.

use super::{
    ADDRESS, LATE, LOST, PAST_ALL_LAG, URL, endpoint, expect_state_is_true, id_in_state, provider, start, status, url,
};
use crate::fake_heygen::{BodyShape, Effect, FakeHeygen, Fault, Route, Rule};
use crate::support::plan::Action;
use crate::support::terraform::Workspace;

const NEW_URL: &str = "https://hooks.example.com/v2";

fn write(tf: &Workspace, at: &str, trigger: &str) {
    let arguments = format!("{}\nrotate_trigger = {trigger}", url(at));
    tf.write("main.tf", &format!("{}{}", provider(0), endpoint(&arguments)));
}

/// An endpoint with the trigger "1".
fn created() -> (Workspace, FakeHeygen) {
    let (tf, heygen) = start();
    write(&tf, URL, "\"1\"");
    tf.apply().none();
    (tf, heygen)
}

/// Fails unless a plan changes these attributes and nothing else.
#[track_caller]
fn expect_rest(tf: &Workspace, changed: &[&str]) {
    for refresh in ["-refresh=false", "-refresh=true"] {
        let plan = tf.plan_with(&[refresh]);
        let a = plan.resource(ADDRESS);
        assert_eq!(
            (a.action(), a.changed()),
            (Action::Update, changed.to_vec()),
            "{refresh}"
        );
        let unknown: &[&str] = if changed.contains(&"secret") { &["secret"] } else { &[] };
        assert_eq!(a.unknown(), unknown, "{refresh}");
    }
}

#[test]
fn a_refused_rotation_keeps_the_patch_and_the_next_apply_rotates() {
    let (tf, heygen) = created();
    let refusals = [status(403, Effect::None), Fault::NotFound, Fault::Unauthorized];
    for (round, refusal) in refusals.into_iter().enumerate() {
        let secret = heygen.endpoints()[0].secret.clone();
        let before = tf.state().instance(ADDRESS).text("rotate_trigger").to_owned();
        let (new_url, new_trigger) = (format!("{NEW_URL}/{round}"), format!("round {round}"));
        write(&tf, &new_url, &format!("{new_trigger:?}"));
        let says = if matches!(refusal, Fault::NotFound) {
            "The secret was not rotated. "
        } else {
            "The secret was not rotated and is still valid. "
        };
        heygen.inject(Rule::on(Route::Rotate, refusal));
        tf.apply_expecting_failure().error(says).says("is done");
        let state = tf.state();
        let a = state.instance(ADDRESS);
        assert_eq!(
            (a.text("url"), a.text("rotate_trigger")),
            (new_url.as_str(), before.as_str())
        );
        assert_eq!(a.text("secret"), secret);
        assert!(!a.is_tainted());
        expect_state_is_true(&tf, &heygen);

        expect_rest(&tf, &["rotate_trigger", "secret"]);
        heygen.clear_requests();
        tf.apply();
        assert!(heygen.requests_to(Route::Update).is_empty(), "the patch is done");
        assert_ne!(heygen.endpoints()[0].secret, secret);
        expect_state_is_true(&tf, &heygen);
    }
}

#[test]
fn a_lost_rotation_is_made_good_also_if_the_trigger_is_taken_back() {
    // `null` as well: taking the trigger away rotates nothing by itself.
    for trigger_then in ["\"2\"", "\"1\"", "null"] {
        let (tf, heygen) = created();
        let first = heygen.endpoints()[0].secret.clone();
        write(&tf, URL, "\"2\"");
        heygen.inject(Rule::on(Route::Rotate, LOST));
        tf.apply_expecting_failure()
            .error("may have been rotated")
            .says("rotates the secret once more");
        let state = tf.state();
        let a = state.instance(ADDRESS);
        assert_eq!((a.text("rotate_trigger"), a.text("secret")), ("1", first.as_str()));
        assert_ne!(heygen.endpoints()[0].secret, first, "the server has done it");

        write(&tf, URL, trigger_then);
        let rest: &[&str] = if trigger_then == "\"1\"" {
            &["secret"]
        } else {
            &["rotate_trigger", "secret"]
        };
        expect_rest(&tf, rest);
        tf.apply().warning("will be rotated");
        expect_state_is_true(&tf, &heygen);
    }
}

#[test]
fn a_lost_rotation_stays_unsettled_through_another_failure() {
    let (tf, heygen) = created();
    write(&tf, URL, "\"2\"");
    heygen.inject(Rule::on(Route::Rotate, LOST));
    heygen.inject(Rule::on(Route::Rotate, status(403, Effect::None)));
    tf.apply_expecting_failure().error("may have been rotated");
    tf.apply_expecting_failure()
        .error("The call is not allowed")
        .says("An earlier rotation failed without telling whether it happened")
        .says("rotates the secret once more");
    write(&tf, URL, "\"1\"");
    expect_rest(&tf, &["secret"]);
    tf.apply();
    expect_state_is_true(&tf, &heygen);
}

#[test]
fn a_lost_rotation_answer_is_replayed_while_attempts_last() {
    let (tf, heygen) = created();
    for (round, fault) in [
        LOST,
        LATE,
        Fault::Truncated,
        Fault::MissingField {
            field: Some("secret".to_owned()),
        },
    ]
    .into_iter()
    .enumerate()
    {
        heygen.clear_requests();
        let arguments = format!("{}\nrotate_trigger = \"round {round}\"", url(URL));
        tf.write("main.tf", &format!("{}{}", provider(4), endpoint(&arguments)));
        heygen.inject(Rule::on(Route::Rotate, fault));
        tf.apply();
        let attempts = heygen.requests_to(Route::Rotate);
        assert!(attempts.len() >= 2);
        assert!(attempts[0].idempotency_key.is_some());
        assert!(
            attempts
                .iter()
                .all(|it| it.idempotency_key == attempts[0].idempotency_key)
        );
        assert_eq!(attempts.iter().filter(|it| it.took_effect).count(), 1);
        expect_state_is_true(&tf, &heygen);
    }
}

#[test]
fn a_patch_that_finds_nothing_says_so_and_leaves_it_to_the_refresh() {
    let (tf, heygen) = created();
    let id = id_in_state(&tf);
    write(&tf, NEW_URL, "\"2\"");
    // A false alarm: the endpoint is still there.
    heygen.inject(Rule::on(Route::Update, Fault::NotFound));
    tf.apply_expecting_failure()
        .error("has vanished")
        .says(&id)
        .says("The plan went by a state that has it. State keeps it; plan again, and a refresh");
    let state = tf.state();
    let a = state.instance(ADDRESS);
    assert_eq!(
        (a.text("id"), a.text("url"), a.text("rotate_trigger")),
        (id.as_str(), URL, "1")
    );
    assert!(heygen.requests_to(Route::Rotate).is_empty(), "it went no further");
    expect_rest(&tf, &["rotate_trigger", "secret", "url"]);

    // And a true one, between plan and apply.
    tf.plan();
    heygen.remove_endpoint(&id).unwrap();
    let applied = tf.run(&["apply", "tfplan"]).expect_failure();
    assert!(applied.text().contains("has vanished"), "{applied:?}");
    assert_eq!(id_in_state(&tf), id, "state keeps it");
    heygen.advance(PAST_ALL_LAG);
    assert_eq!(tf.plan().resource(ADDRESS).action(), Action::Create);
    tf.apply().warning("deleted outside of Terraform");
    expect_state_is_true(&tf, &heygen);
}

#[test]
fn a_gateways_404_says_nothing_of_an_endpoint_that_vanished() {
    let (tf, heygen) = created();
    let id = id_in_state(&tf);
    let gateways_404 = || Fault::Status {
        status: 404,
        body: BodyShape::Html,
        effect: Effect::None,
    };
    let expect = |call: &str, route: Route, then: &str| {
        let failed = tf.apply_expecting_failure();
        let request_id = heygen.requests_to(route).pop().unwrap().request_id;
        let error = failed.error("A 404 without HeyGen's error code");
        assert_eq!(
            error.detail,
            format!(
                "{call} webhook endpoint {id}: the API answered 404: Error (request id {request_id}). The answer has no \
                 error code of HeyGen's, so it may be a gateway's or a proxy's: check base_url, and what stands between.{then}"
            )
        );
    };
    write(&tf, NEW_URL, "\"2\"");
    heygen.inject(Rule::on(Route::Update, gateways_404()));
    let then = " The change may have been made all the same; state keeps the old values, and the next refresh shows which it \
                is. The secret was not rotated either; the apply in which the change succeeds does that as well.";
    expect("Updating", Route::Update, then);
    expect_rest(&tf, &["rotate_trigger", "secret", "url"]);
    heygen.inject(Rule::on(Route::Rotate, gateways_404()));
    let then = " The secret may have been rotated, and then the one in state has stopped working. Everything else in this \
                update is done; the next apply rotates the secret once more.";
    expect("Rotating the secret of", Route::Rotate, then);
    expect_rest(&tf, &["rotate_trigger", "secret"]);
    tf.apply();
    expect_state_is_true(&tf, &heygen);
}

#[test]
fn a_lost_patch_is_found_by_the_next_refresh() {
    let (tf, heygen) = created();
    write(&tf, NEW_URL, "\"1\"");
    heygen.inject(Rule::on(Route::Update, LOST));
    tf.apply_expecting_failure().error("may have been made all the same");
    assert_eq!(tf.state().instance(ADDRESS).text("url"), URL);
    assert_eq!(heygen.endpoints()[0].url, NEW_URL);
    let plan = tf.plan();
    assert_eq!(plan.resource(ADDRESS).action(), Action::Nothing);
    assert_eq!(plan.drift()[0].after("url"), NEW_URL);

    // Taken back meanwhile, the change that nobody knew of is undone.
    write(&tf, URL, "\"1\"");
    assert_eq!(tf.plan().resource(ADDRESS).changed(), ["url"]);
    tf.apply().none();
    assert_eq!(heygen.endpoints()[0].url, URL);
    expect_state_is_true(&tf, &heygen);
}

#[test]
fn a_patch_that_never_arrived_is_planned_again() {
    let (tf, heygen) = created();
    let secret = heygen.endpoints()[0].secret.clone();
    write(&tf, NEW_URL, "\"2\"");
    for fault in [status(500, Effect::None), status(403, Effect::None)] {
        heygen.inject(Rule::on(Route::Update, fault));
        tf.apply_expecting_failure();
        assert_eq!(tf.state().instance(ADDRESS).text("url"), URL);
        assert_eq!(
            heygen.endpoints()[0].secret,
            secret,
            "no rotation without the patch before it"
        );
        expect_rest(&tf, &["rotate_trigger", "secret", "url"]);
    }
    tf.apply();
    assert_eq!(heygen.endpoints()[0].url, NEW_URL);
    expect_state_is_true(&tf, &heygen);
}
