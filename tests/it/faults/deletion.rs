//! Deletion is never guessed: no list, however it fails, turns an endpoint into one that is gone.

use super::{
    ADDRESS, PAST_ALL_LAG, PATIENCE, URL, endpoint, expect_state_is_true, id_in_state, provider, start, status, url,
};
use crate::fake_heygen::{Effect, FakeHeygen, Fault, Route, Rule, Wait};
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
        Fault::MissingField {
            field: Some("has_more".to_owned()),
        },
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
