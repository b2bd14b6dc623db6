//! A create whose attempts ran out without an answer, in each of its branches.

use std::collections::BTreeSet;

use super::{
    ADDRESS, LATE, LOST, UNHEARD, URL, endpoint, expect_state_is_true, named, provider, several, start, status, url,
};
use crate::core::{Attributes, Config, Core, State, Value};
use crate::fake_heygen::{Effect, FakeHeygen, Fault, NewEndpoint, Route, Rule, Wait};
use crate::support::in_process;
use crate::support::plan::Action;

fn alone() -> String {
    format!("{}{}", provider(0), endpoint(&url(URL)))
}

fn stranger() -> NewEndpoint {
    NewEndpoint {
        url: URL.to_owned(),
        ..NewEndpoint::default()
    }
}

#[test]
fn the_one_endpoint_it_can_be_is_saved_as_tainted_and_replaced_next() {
    let (tf, heygen) = start();
    let faults = [
        LOST,
        LATE,
        Fault::Truncated,
        status(500, Effect::Done),
        status(504, Effect::Done),
        Fault::MalformedJson,
        Fault::Oversized { mib: 9 },
    ];
    tf.write("main.tf", &format!("{}{}", provider(0), several(faults.len())));
    for fault in &faults {
        heygen.inject(Rule::on(Route::Create, fault.clone()));
    }
    let failed = tf.apply_expecting_failure();
    let lost = heygen.endpoints();
    assert_eq!((lost.len(), failed.errors().count()), (faults.len(), faults.len()));
    let state = tf.state();
    let mut saved = BTreeSet::new();
    for (address, instance) in state.instances() {
        assert!(
            instance.is_tainted() && instance.attribute("secret").is_null(),
            "{address}"
        );
        let id = instance.text("id");
        failed.error(id).says("secret was lost").says("tainted");
        assert_eq!(heygen.endpoint(id).unwrap().url, instance.text("url"));
        saved.insert(id.to_owned());
    }
    assert_eq!(saved.len(), faults.len(), "each has its own");

    let plan = tf.plan();
    assert!(
        plan.changes().iter().all(|(_, action)| *action == Action::Replace),
        "{plan:#?}"
    );
    assert_eq!(
        plan.resource("heygen_webhook_endpoint.a[0]").reason(),
        Some("replace_because_tainted")
    );
    tf.apply().none();
    assert_eq!(heygen.endpoints().len(), faults.len());
    assert!(heygen.endpoints().iter().all(|it| !saved.contains(&it.endpoint_id)));
    expect_state_is_true(&tf, &heygen);
}

#[test]
fn where_the_list_shows_none_the_error_names_the_url_and_what_to_do() {
    let (tf, heygen) = start();
    let with_query = endpoint(&url(&format!("{URL}?token=nobody-may-see-it")));
    tf.write("main.tf", &format!("{}{with_query}", provider(0)));
    heygen.inject(Rule::on(Route::Create, UNHEARD));
    let failed = tf.apply_expecting_failure();
    let error = failed.error("perhaps created");
    assert!(!error.detail.contains("nobody-may-see-it"), "{error:#?}");
    error
        .says(URL)
        .says("shows no new endpoint")
        .says("terraform import heygen_webhook_endpoint.NAME ENDPOINT_ID")
        .says("DELETE /v3/webhooks/endpoints/ENDPOINT_ID");
    assert!(tf.state().addresses().is_empty());
    tf.apply().none();
    expect_state_is_true(&tf, &heygen);
}

#[test]
fn a_list_that_lags_is_looked_at_twice() {
    let (tf, heygen) = start();
    tf.write("main.tf", &alone());
    heygen.behave(|it| it.list_lag_walks = 1);
    heygen.inject(Rule::on(Route::Create, LOST));
    tf.apply_expecting_failure().error("secret was lost");
    assert_eq!(
        tf.state().instance(ADDRESS).text("id"),
        heygen.endpoints()[0].endpoint_id
    );
}

#[test]
fn an_endpoint_that_the_list_shows_too_late_can_be_imported_as_the_error_says() {
    let (tf, heygen) = start();
    tf.write("main.tf", &alone());
    heygen.behave(|it| it.list_lag_walks = 2);
    heygen.inject(Rule::on(Route::Create, LOST));
    tf.apply_expecting_failure().error("it may lag behind").says(URL);
    assert!(tf.state().addresses().is_empty());
    let id = heygen.endpoints()[0].endpoint_id.clone();
    tf.import(ADDRESS, &id);
    tf.expect_nothing_to_do();
    assert_eq!(heygen.endpoints().len(), 1);
}

#[test]
fn where_it_may_be_one_of_several_the_error_names_them_and_none_is_taken() {
    let (tf, heygen) = start();
    tf.write("main.tf", &alone());
    let other = heygen.put_endpoint(stranger()).endpoint_id;
    let with_other_events = heygen.put_endpoint(NewEndpoint {
        events: Some(vec!["batch.finished".to_owned()]),
        ..stranger()
    });
    let old = heygen.put_endpoint(stranger()).endpoint_id;
    heygen.edit_endpoint(&old, |it| it.created_at -= std::time::Duration::from_mins(5));
    heygen.inject(Rule::on(Route::Create, LOST));
    let failed = tf.apply_expecting_failure();
    let error = failed
        .error("perhaps created")
        .says(&other)
        .says("terraform import")
        .says("delete it");
    let ours = heygen.endpoints().last().unwrap().endpoint_id.clone();
    error.says(&ours);
    for not_it in [&with_other_events.endpoint_id, &old] {
        assert!(!error.detail.contains(not_it.as_str()), "{error:#?}");
    }
    assert!(tf.state().addresses().is_empty());
    assert_eq!(heygen.endpoints().len(), 4);
}

#[test]
fn an_old_endpoint_with_the_same_url_is_never_taken_for_it() {
    let (tf, heygen) = start();
    tf.write("main.tf", &alone());
    let old = heygen.put_endpoint(stranger()).endpoint_id;
    heygen.edit_endpoint(&old, |it| it.created_at -= std::time::Duration::from_mins(5));
    heygen.inject(Rule::on(Route::Create, UNHEARD));
    tf.apply_expecting_failure().error("shows no new endpoint");
    assert!(tf.state().addresses().is_empty());

    heygen.inject(Rule::on(Route::Create, LOST));
    tf.apply_expecting_failure().error("secret was lost");
    tf.apply().none();
    assert!(heygen.endpoint(&old).is_some(), "it is somebody else's");
    assert_eq!(heygen.endpoints().len(), 2);
}

#[test]
fn where_the_list_cannot_be_read_the_error_says_so() {
    let (tf, heygen) = start();
    tf.write("main.tf", &alone());
    for list in [status(500, Effect::None), Fault::Unauthorized, Fault::MalformedJson] {
        heygen.inject(Rule::on(Route::Create, LOST));
        heygen.inject(Rule::on(Route::List, list));
        tf.apply_expecting_failure()
            .error("perhaps created")
            .says("the list could not be read")
            .says(URL)
            .says("terraform import");
        assert!(tf.state().addresses().is_empty());
        let left = heygen.endpoints()[0].endpoint_id.clone();
        heygen.remove_endpoint(&left).unwrap();
    }
    tf.apply().none();
    expect_state_is_true(&tf, &heygen);
}

/// A process of the provider's own, under the model of Terraform's core. Unlike terraform's it lives through a plan and
/// the apply after it, as under a debugger.
async fn process(heygen: &FakeHeygen) -> Core {
    let core = in_process::core(in_process::environment(heygen)).await;
    let no_retries = [("max_retries".to_owned(), Value::from(0))].into();
    assert!(!core.configure(&no_retries).await.errored());
    core
}

#[tokio::test]
async fn an_endpoint_that_a_read_returned_is_not_taken_for_it() {
    let heygen = FakeHeygen::start();
    let alike = || Attributes::from([("url".to_owned(), Value::from(URL))]);
    let mut config = Config::from([(ADDRESS.to_owned(), alike())]);
    let mut state = State::new();
    let before = process(&heygen).await;
    let plan = before.plan(&state, &config).await;
    assert!(!before.apply(&mut state, plan, &config).await.errored());

    let second = "heygen_webhook_endpoint.b";
    config.insert(second.to_owned(), alike());
    let core = process(&heygen).await;
    let plan = core.plan(&state, &config).await;
    heygen.inject(Rule::on(Route::Create, UNHEARD));
    let report = core.apply(&mut state, plan, &config).await;
    let [error] = report.about(second) else {
        panic!("{report:?}");
    };
    assert!(error.detail.contains("shows no new endpoint"), "{error:?}");
    assert_eq!(state.keys().collect::<Vec<_>>(), [ADDRESS]);
}

#[test]
fn an_endpoint_of_this_apply_is_not_taken_for_it() {
    let (tf, heygen) = start();
    let second = named("b", &format!("{}\ndepends_on = [{ADDRESS}]", url(URL)));
    tf.write("main.tf", &format!("{}{second}", alone()));
    heygen.inject(Rule::on(Route::Create, UNHEARD).after(1));
    tf.apply_expecting_failure().error("shows no new endpoint");
    assert_eq!(tf.state().addresses(), [ADDRESS]);
    expect_state_is_true(&tf, &heygen);
}

/// Two endpoints that are asked for with the same words, at the same time.
fn pair() -> String {
    format!("{}{}", provider(0), endpoint(&format!("count = 2\n{}", url(URL))))
}

#[test]
fn where_two_equal_creates_are_lost_both_endpoints_are_named_to_both() {
    let (tf, heygen) = start();
    tf.write("main.tf", &pair());
    heygen.inject(Rule::on(Route::Create, LATE).times(2));
    let failed = tf.apply_expecting_failure();
    let endpoints = heygen.endpoints();
    assert_eq!((endpoints.len(), failed.errors().count()), (2, 2));
    for error in failed.errors() {
        error
            .says("perhaps created")
            .says(&endpoints[0].endpoint_id)
            .says(&endpoints[1].endpoint_id);
    }
    assert!(tf.state().addresses().is_empty());
}

#[test]
fn the_endpoint_of_an_equal_create_that_is_yet_to_be_answered_is_not_taken() {
    let (tf, heygen) = start();
    tf.write("main.tf", &pair());
    heygen.inject(Rule::on(Route::Create, UNHEARD));
    heygen.inject(Rule::on(
        Route::Create,
        Fault::Delay {
            ms: 1000,
            wait: Wait::After,
        },
    ));
    let failed = tf.apply_expecting_failure();
    failed.error("perhaps created").says("shows no new endpoint");
    assert_eq!(failed.errors().count(), 1, "{failed:#?}");
    expect_state_is_true(&tf, &heygen);
    tf.apply().none();
    assert_eq!(heygen.endpoints().len(), 2);
    expect_state_is_true(&tf, &heygen);
}

#[test]
fn of_two_equal_creates_the_lost_one_is_saved_once_the_other_is_answered() {
    let (tf, heygen) = start();
    tf.write("main.tf", &pair());
    heygen.inject(Rule::on(Route::Create, LATE));
    let failed = tf.apply_expecting_failure();
    failed.error("secret was lost");
    assert_eq!(failed.errors().count(), 1, "{failed:#?}");
    let state = tf.state();
    let (tainted, answered): (Vec<_>, Vec<_>) = state.instances().partition(|(_, it)| it.is_tainted());
    assert_eq!((tainted.len(), answered.len()), (1, 1));
    let ids: BTreeSet<&str> = state.instances().map(|(_, it)| it.text("id")).collect();
    assert_eq!(ids.len(), 2, "each has its own");
    tf.apply().none();
    assert_eq!(heygen.endpoints().len(), 2);
    expect_state_is_true(&tf, &heygen);
}
