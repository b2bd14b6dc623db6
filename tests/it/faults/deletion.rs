//! Deletion is never guessed: no list, however it fails, turns an endpoint into one that is gone.

use std::time::{Duration, Instant};

use super::{
    ADDRESS, PAST_ALL_LAG, PATIENCE, URL, endpoint, expect_state_is_true, id_in_state, provider, several, start,
    status, url,
};
use crate::fake_heygen::{BodyShape, Effect, FakeHeygen, Fault, Route, Rule, Wait};
use crate::support::diagnostics::Diagnostics;
use crate::support::plan::Action;
use crate::support::terraform::Workspace;

/// The endpoint is the last one, on the second page of two.
fn on_the_second_page() -> (Workspace, FakeHeygen) {
    let (tf, heygen) = start();
    heygen.put_many(120, "filler");
    tf.write("main.tf", &format!("{}{}", provider(0), endpoint(&url(URL))));
    tf.apply().none();
    (tf, heygen)
}

#[test]
fn a_page_that_fails_is_an_error_and_state_keeps_the_endpoint() {
    let (tf, heygen) = on_the_second_page();
    let id = id_in_state(&tf);
    let faults = [
        status(500, Effect::None),
        Fault::Unauthorized,
        status(403, Effect::None),
        status(404, Effect::None),
        Fault::Reset { effect: Effect::None },
        Fault::Truncated,
        Fault::MalformedJson,
        Fault::NullField {
            field: Some("data".to_owned()),
        },
        Fault::WrongType {
            field: Some("data".to_owned()),
        },
        Fault::Oversized { mib: 9 },
        Fault::Redirect {
            location: "http://127.0.0.1:1/v3/webhooks/endpoints".to_owned(),
        },
    ];
    // The first page or the second; of the first walk or of the one that is to confirm it.
    for skip in [0, 1] {
        for fault in &faults {
            heygen.inject(Rule::on(Route::List, fault.clone()).after(skip).always());
            let failed = tf.plan_expecting_failure();
            assert_eq!(failed.errors().count(), 1, "{fault:?} {failed:#?}");
            heygen.clear_faults();
        }
    }
    // A page that does not say whether it is the last matters to those who look on.
    for (skip, fails) in [(0, true), (1, false)] {
        let unclear = Fault::MissingField {
            field: Some("has_more".to_owned()),
        };
        heygen.inject(Rule::on(Route::List, unclear).after(skip).always());
        if fails {
            tf.plan_expecting_failure().error("`has_more` is missing");
        } else {
            tf.plan().expect_empty();
        }
        heygen.clear_faults();
    }
    for skip in [2, 3] {
        heygen.hide_endpoint(&id, 1);
        heygen.inject(Rule::on(Route::List, status(500, Effect::None)).after(skip).always());
        tf.plan_expecting_failure().error("HeyGen failed");
        heygen.clear_faults();
    }
    heygen.inject(Rule::on(Route::List, status(500, Effect::None)).after(1).always());
    tf.apply_expecting_failure();
    heygen.clear_faults();
    assert_eq!(id_in_state(&tf), id);
    tf.expect_nothing_to_do();
    assert!(heygen.requests_to(Route::Create).len() == 1);
}

#[test]
fn a_cursor_that_repeats_is_an_error_only_for_who_still_looks() {
    let (tf, heygen) = on_the_second_page();
    heygen.behave(|it| it.cursor_repeats = true);
    tf.plan().expect_empty();

    heygen.hide_endpoint(&id_in_state(&tf), 1);
    heygen.clear_requests();
    tf.plan_expecting_failure().error("repeats a page cursor");
    assert!(heygen.requests_to(Route::List).len() <= 3);
    heygen.behave(|it| it.cursor_repeats = false);
    heygen.catch_up();
    tf.expect_nothing_to_do();
}

#[test]
fn a_list_that_lags_for_one_walk_shows_the_endpoint() {
    let (tf, heygen) = on_the_second_page();
    let id = id_in_state(&tf);
    heygen.hide_endpoint(&id, 1);
    tf.plan().expect_empty();
    // Right after its creation, which is when a list lags.
    heygen.behave(|it| it.list_lag_walks = 1);
    let replaced = tf.run(&["apply", "-auto-approve", &format!("-replace={ADDRESS}")]);
    assert_eq!(replaced.code(), Some(0), "{replaced:?}");
    tf.expect_nothing_to_do();
    assert_ne!(id_in_state(&tf), id);
}

#[test]
fn a_page_that_shifts_during_one_walk_hides_nothing() {
    let (tf, heygen) = on_the_second_page();
    // Between the pages of the first walk so many endpoints slip by that ours is among them.
    heygen.behave(|it| it.page_shift = 21);
    heygen.inject(Rule::on(Route::List, Fault::Held { wait: Wait::Before }).after(2));
    heygen.clear_requests();
    let plan = tf.spawn(&["plan", "-detailed-exitcode"]);
    let third = heygen.wait_for_request(PATIENCE, |it| it.fault == Some("held"));
    assert!(
        third.is_some(),
        "the first walk does not have it, and a second one begins"
    );
    heygen.behave(|it| it.page_shift = 0);
    heygen.release();
    plan.wait().expect_success();

    heygen.behave(|it| it.page_shift = -30);
    tf.plan().expect_empty();
}

#[test]
fn only_two_walks_that_agree_say_that_it_is_gone() {
    let (tf, heygen) = on_the_second_page();
    heygen.remove_endpoint(&id_in_state(&tf)).unwrap();
    heygen.advance(PAST_ALL_LAG);
    heygen.clear_requests();
    assert_eq!(tf.plan().resource(ADDRESS).action(), Action::Create);
    assert_eq!(heygen.requests_to(Route::List).len(), 4, "two pages, twice");
}

#[test]
fn a_failed_delete_keeps_the_endpoint_in_state_and_a_lost_one_is_done_by_the_next() {
    let (tf, heygen) = start();
    tf.write("main.tf", &format!("{}{}", provider(0), endpoint(&url(URL))));
    tf.apply().none();
    for fault in [
        status(500, Effect::None),
        status(403, Effect::None),
        Fault::Unauthorized,
    ] {
        heygen.inject(Rule::on(Route::Delete, fault));
        tf.destroy_expecting_failure();
        expect_state_is_true(&tf, &heygen);
    }
    heygen.inject(Rule::on(Route::Delete, super::LOST));
    tf.destroy_expecting_failure();
    assert_eq!(tf.state().addresses(), [ADDRESS], "nobody has said that it is gone");
    assert!(heygen.endpoints().is_empty());
    heygen.advance(PAST_ALL_LAG);
    tf.destroy();

    // With attempts left, the 404 to the second one is success.
    tf.write("main.tf", &format!("{}{}", provider(4), endpoint(&url(URL))));
    tf.apply().none();
    heygen.inject(Rule::on(Route::Delete, super::LOST));
    tf.destroy().none();
    assert!(heygen.endpoints().is_empty());
}

/// A 404 of somebody who is not HeyGen.
fn gateways_404(effect: Effect) -> Fault {
    Fault::Status {
        status: 404,
        body: BodyShape::Html,
        effect,
    }
}

/// How often the list was asked for after the deletion.
fn list_calls_after_the_deletion(heygen: &FakeHeygen) -> usize {
    let requests = heygen.requests();
    let after = requests.iter().skip_while(|it| it.route != Some(Route::Delete));
    after.filter(|it| it.route == Some(Route::List)).count()
}

#[test]
fn of_a_deletion_that_a_gateway_answered_404_the_list_decides() {
    let (tf, heygen) = start();
    tf.write("main.tf", &format!("{}{}", provider(0), endpoint(&url(URL))));
    tf.apply().none();
    let id = id_in_state(&tf);
    let expect_kept = |detail: &str| {
        let said = tf.destroy_expecting_failure();
        let delete = heygen.requests_to(Route::Delete).pop().unwrap();
        let list = heygen.requests_to(Route::List).pop().unwrap();
        let detail = detail
            .replace("DELETE", &delete.request_id)
            .replace("LIST", &list.request_id);
        let said: Vec<_> = said.iter().map(|it| (&*it.summary, &*it.detail)).collect();
        assert_eq!(said, [("A 404 without HeyGen's error code", &*detail)]);
        assert_eq!(id_in_state(&tf), id);
    };
    let answer = format!(
        "Deleting webhook endpoint {id}: the API answered 404: Error (request id DELETE). The answer has no error \
         code of HeyGen's, so it may be a gateway's or a proxy's: check base_url, and what stands between."
    );

    heygen.inject(Rule::on(Route::Delete, gateways_404(Effect::None)));
    expect_kept(&format!(
        "{answer} HeyGen's list still has the endpoint, so this 404 is not HeyGen's word that it is gone. State keeps the \
         endpoint; apply again to delete it."
    ));
    expect_state_is_true(&tf, &heygen);

    heygen.inject(Rule::on(Route::Delete, gateways_404(Effect::None)));
    heygen.inject(Rule::on(Route::List, status(500, Effect::None)).after(1));
    expect_kept(&format!(
        "{answer} Whether the endpoint is gone is not known: this 404 is not HeyGen's word for it, and the list could \
         not be read to see (reading webhook endpoint {id}: the API answered 500 internal_error: Something went wrong. \
         (request id LIST)). State keeps the endpoint; apply again to delete it."
    ));
    heygen.clear_requests();

    // It is young: two walks are not enough. A busy machine may be too late for some of the seven.
    heygen.inject(Rule::on(Route::Delete, gateways_404(Effect::Done)));
    tf.destroy().none();
    let walks = list_calls_after_the_deletion(&heygen);
    assert!((3..=7).contains(&walks), "{walks} walks");

    tf.apply().none();
    heygen.advance(PAST_ALL_LAG);
    heygen.clear_requests();
    heygen.inject(Rule::on(Route::Delete, gateways_404(Effect::Done)));
    tf.destroy().none();
    assert_eq!(list_calls_after_the_deletion(&heygen), 2, "it is old: two walks agree");
}

#[test]
fn a_fresh_endpoint_is_not_gone_while_the_list_lags() {
    let (tf, heygen) = start();
    heygen.behave(|it| it.list_lag_walks = 4);
    tf.write("main.tf", &format!("{}{}", provider(0), endpoint(&url(URL))));
    tf.apply_unchecked().none();
    let plan = tf.plan();
    plan.expect_empty().diagnostics().none();
    assert_eq!(heygen.requests_to(Route::List).len(), 5, "the last one shows it");
    tf.expect_nothing_to_do();
    expect_state_is_true(&tf, &heygen);
}

#[test]
fn fifty_fresh_endpoints_that_are_missing_are_gone_together() {
    let (tf, heygen) = start();
    tf.write("main.tf", &format!("{}{}", provider(0), several(50)));
    tf.apply().none();
    for endpoint in heygen.endpoints() {
        heygen.remove_endpoint(&endpoint.endpoint_id);
    }
    heygen.clear_requests();
    let plan = |more: &[&str]| {
        let began = Instant::now();
        let plan = tf
            .run(&[&["plan", "-json", "-parallelism=10"], more].concat())
            .expect_success();
        (plan, began.elapsed())
    };
    let (_, engines_own) = plan(&["-refresh=false"]);
    let (plan, took) = plan(&[]);
    let said = Diagnostics::from_event_lines(&plan.stdout);
    assert_eq!(
        said.iter()
            .filter(|it| it.summary.starts_with("Webhook endpoint deleted outside of Terraform"))
            .count(),
        50
    );
    let walks = heygen.requests_to(Route::List).len();
    assert!(
        (3..=7).contains(&walks),
        "they share their passes over the list: {walks}"
    );
    let waited = took.saturating_sub(engines_own);
    assert!(waited < Duration::from_secs(15), "{waited:?}");
}
