//! A create whose attempts ran out without an answer, in each of its branches.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use terraform_provider_heygen::heygen::Timing;
use terraform_provider_heygen::provider::Environment;
use terraform_provider_heygen::terraform::proto;

use super::{
    ADDRESS, LATE, LOST, PATIENCE, UNHEARD, URL, endpoint, expect_state_is_true, named, provider, several, start,
    status, url,
};
use crate::core::{Attributes, Config, Core, State, Value};
use crate::fake_heygen::{Creation, Effect, FakeHeygen, Fault, NewEndpoint, Oddity, Request, Route, Rule, Wait};
use crate::support::diagnostics::{Diagnostic, Diagnostics, Severity};
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

/// Where the endpoint of this URL stands that [`several`] makes.
fn place_of(url: &str) -> String {
    let (_, index) = url.split('?').next().unwrap().rsplit_once('/').unwrap();
    format!("{ADDRESS}[{index}]")
}

/// What was said of the endpoint that was to have this URL.
#[track_caller]
fn said_of<'d>(said: &'d Diagnostics, url: &str) -> &'d Diagnostic {
    let about: Vec<_> = said.iter().filter(|it| it.is_in(&place_of(url))).collect();
    assert_eq!(about.len(), 1, "{url}: {said:#?}");
    about[0]
}

const EITHER_WAY: &str = "If it was created, no state has it: make sure of that (terraform state list -id=ENDPOINT_ID), and \
                          either import it (terraform import heygen_webhook_endpoint.NAME ENDPOINT_ID) or delete it (DELETE \
                          /v3/webhooks/endpoints/ENDPOINT_ID). Then apply again.";

const LOST_SECRET: &str = "Webhook endpoint created, but its secret was lost";

const PERHAPS: &str = "Webhook endpoint perhaps created";

#[test]
fn each_error_says_what_is_known_of_the_creation_and_what_to_do_next() {
    let (tf, heygen) = start();
    let of = "count = 5\nurl = \"https://hooks.example.com/${count.index}?token=nobody-may-see-it\"";
    tf.write("main.tf", &format!("{}{}", provider(0), endpoint(of)));
    let twin = Fault::TwinDuring {
        creation: Creation::Lost,
    };
    let unheard_at_an_odd_one = status(503, Effect::None);
    for fault in [LOST, status(500, Effect::Done), UNHEARD, twin, unheard_at_an_odd_one] {
        heygen.inject(Rule::on(Route::Create, fault));
    }
    tf.init();
    let running = tf.spawn(&["apply", "-auto-approve", "-json"]);
    let struck_by = |kind| {
        let request = heygen.wait_for_request(PATIENCE, |it| it.fault == Some(kind)).unwrap();
        let url = request.body.unwrap()["url"].as_str().unwrap().to_owned();
        (url, request.request_id)
    };
    let odd = heygen.put_endpoint(NewEndpoint {
        url: struck_by("status").0,
        ..NewEndpoint::default()
    });
    heygen.make_odd(&odd.endpoint_id, Some(Oddity::without("endpoint_id")));
    let output = running.wait().expect_failure();
    assert!(!output.text().contains("nobody-may-see-it"), "{output:?}");
    let said = Diagnostics::from_event_lines(&output.stdout);
    let expect = |kind, summary: &str, detail: &dyn Fn(&str, &str, Vec<String>) -> String| {
        let (url, request_id) = struck_by(kind);
        let made = heygen.endpoints().into_iter().filter(|it| it.url == url);
        let mut ids: Vec<String> = made.map(|it| it.endpoint_id).collect();
        ids.sort();
        let error = said_of(&said, &url);
        let without_query = url.split('?').next().unwrap();
        assert_eq!(
            (error.severity, &*error.summary, &*error.detail),
            (Severity::Error, summary, &*detail(without_query, &request_id, ids)),
            "{kind}"
        );
    };

    let taken = |ids: &[String], secret: &str| {
        format!(
            "{} is the one endpoint in HeyGen's list with this URL and these events that was created since this call began, \
             so it is taken for the one that this call made; {secret}. It is in state, marked as tainted: the next apply \
             deletes it and creates another. If another run made it, take it out of state first: terraform state rm ADDRESS.",
            ids[0]
        )
    };
    expect("reset_after_effect", LOST_SECRET, &|_, _, ids| {
        let reset =
            "Creating a webhook endpoint: the connection broke before the answer was complete: connection reset.";
        let secret = "its secret was only in the answer that did not arrive";
        format!("{reset} {}", taken(&ids, secret))
    });
    expect("status_after_effect", LOST_SECRET, &|_, request_id, ids| {
        let secret = "HeyGen shows its secret only in the answer to the creation";
        format!(
            "Creating a webhook endpoint: the API answered 500 internal_error: Something went wrong. (request id \
             {request_id}). {}",
            taken(&ids, secret)
        )
    });
    expect("reset", PERHAPS, &|url, _, _| {
        format!(
            "Creating a webhook endpoint: the connection broke before the answer was complete: connection reset. Whether it \
             took effect is not known. HeyGen's list shows no new endpoint with the URL {url} that is not in state, but it \
             may lag behind: look again later. {EITHER_WAY}"
        )
    });
    expect("twin_during", PERHAPS, &|_, _, ids| {
        format!(
            "Creating a webhook endpoint: the connection broke before the answer was complete: connection reset. Whether it \
             took effect is not known. HeyGen's list holds endpoints that may be it: {}. {EITHER_WAY}",
            ids.join(", ")
        )
    });
    expect("status", PERHAPS, &|url, request_id, _| {
        format!(
            "Creating a webhook endpoint: the API answered 503 internal_error: Something went wrong. (request id \
             {request_id}). Whether it took effect is not known. HeyGen's list shows no new endpoint with the URL {url} that \
             is not in state, but it may lag behind: look again later. One of its items, whose id cannot be read, may be it \
             as well: look at HeyGen for a new endpoint with the URL {url}. {EITHER_WAY}"
        )
    });
    assert_eq!(tf.state().addresses().len(), 2);
}

#[test]
fn one_that_the_list_shows_only_after_nine_seconds_is_found() {
    let (tf, heygen) = start();
    tf.write("main.tf", &alone());
    heygen.behave(|it| it.list_lag_ms = 9000);
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
    heygen.behave(|it| it.list_lag_ms = 60_000);
    heygen.inject(Rule::on(Route::Create, LOST));
    tf.apply_expecting_failure().error("it may lag behind").says(URL);
    assert!(tf.state().addresses().is_empty());
    heygen.catch_up();
    let id = heygen.endpoints()[0].endpoint_id.clone();
    tf.import(ADDRESS, &id);
    tf.expect_nothing_to_do();
    assert_eq!(heygen.endpoints().len(), 1);
}

#[test]
fn where_it_may_be_one_of_several_the_error_names_them_and_none_is_taken() {
    let (tf, heygen) = start();
    tf.write("main.tf", &alone());
    let with_other_events = heygen.put_endpoint(NewEndpoint {
        events: Some(vec!["batch.finished".to_owned()]),
        ..stranger()
    });
    heygen.inject(Rule::on(
        Route::Create,
        Fault::TwinDuring {
            creation: Creation::Lost,
        },
    ));
    let failed = tf.apply_expecting_failure();
    let error = failed
        .error("perhaps created")
        .says("terraform import")
        .says("delete it");
    let [_, twin, ours] = heygen.endpoints().try_into().expect("three");
    error.says(&twin.endpoint_id).says(&ours.endpoint_id);
    assert!(!error.detail.contains(&with_other_events.endpoint_id), "{error:#?}");
    assert!(tf.state().addresses().is_empty());
}

#[test]
fn an_endpoint_that_another_run_made_before_is_never_taken_for_it() {
    let (tf, heygen) = start();
    let faults = [
        (20_000, Creation::Lost),
        (20_000, Creation::Undone),
        (2_000, Creation::Lost),
        (2_000, Creation::Undone),
    ];
    tf.write("main.tf", &format!("{}{}", provider(0), several(faults.len())));
    for (ms, creation) in faults {
        heygen.inject(Rule::on(Route::Create, Fault::TwinBefore { ms, creation }));
    }
    // Whatever the others are, each has been in the list all along.
    heygen.behave(|it| it.list_lag_ms = 5000);
    let failed = tf.apply_expecting_failure();
    assert_eq!(failed.errors().count(), faults.len(), "{failed:#?}");
    let twins = heygen.twins();
    assert_eq!(twins.len(), faults.len());
    let mut adopted = 0;
    for twin in &twins {
        let url = &twin.url;
        let error = said_of(&failed, url);
        let all = heygen.endpoints();
        let ours = all
            .iter()
            .find(|it| it.url == *url && it.endpoint_id != twin.endpoint_id);
        let is_recent = heygen.now() - twin.created_at < time::Duration::seconds(18);
        assert_eq!(error.detail.contains(&twin.endpoint_id), is_recent, "{error:#?}");
        match ours {
            Some(ours) if !is_recent => {
                error.says("secret was lost").says(&ours.endpoint_id);
                let state = tf.state();
                let saved = state.instance(&place_of(url));
                assert_eq!((saved.text("id"), saved.is_tainted()), (&*ours.endpoint_id, true));
                adopted += 1;
            }
            Some(ours) => drop(error.says("perhaps created").says(&ours.endpoint_id)),
            None if is_recent => drop(error.says("perhaps created")),
            None => drop(error.says("perhaps created").says("shows no new endpoint")),
        }
    }
    assert_eq!((adopted, tf.state().addresses().len()), (1, 1));
    heygen.behave(|it| it.list_lag_ms = 0);
    tf.apply().none();
    for twin in &twins {
        assert_eq!(
            heygen.endpoint(&twin.endpoint_id).as_ref(),
            Some(twin),
            "it is somebody else's"
        );
    }
}

#[test]
fn it_is_found_and_a_twin_made_before_is_not_taken_whatever_time_it_is_at_heygens() {
    const MINUTE: i64 = 60_000;
    let runs = [10 * MINUTE, -10 * MINUTE, 60 * MINUTE, -60 * MINUTE].map(|clock_offset_ms| {
        let (tf, heygen) = start();
        tf.write("main.tf", &alone());
        heygen.behave(|it| it.clock_offset_ms = clock_offset_ms);
        let before = Fault::TwinBefore {
            ms: 20_000,
            creation: Creation::Lost,
        };
        heygen.inject(Rule::on(Route::Create, before));
        tf.init();
        let running = tf.spawn(&["apply", "-auto-approve", "-json"]);
        (tf, heygen, running)
    });
    for (tf, heygen, running) in runs {
        let output = running.wait().expect_failure();
        Diagnostics::from_event_lines(&output.stdout).error("secret was lost");
        let [twin, ours] = heygen.endpoints().try_into().expect("a twin and ours");
        assert_eq!(heygen.twins(), [twin]);
        let state = tf.state();
        let saved = state.instance(ADDRESS);
        assert_eq!((saved.text("id"), saved.is_tainted()), (&*ours.endpoint_id, true));
    }
}

#[test]
fn where_no_answer_tells_the_time_what_was_made_within_a_minute_may_be_it() {
    let (tf, heygen) = start();
    heygen.behave(|it| it.no_date = true);
    tf.write("main.tf", &format!("{}{}", provider(0), several(2)));
    for ms in [20_000, 90_000] {
        let creation = Creation::Lost;
        heygen.inject(Rule::on(Route::Create, Fault::TwinBefore { ms, creation }));
    }
    let failed = tf.apply_expecting_failure();
    let mut twins = heygen.twins();
    twins.sort_by_key(|twin| twin.created_at);
    let [older, newer] = twins.try_into().expect("two");
    said_of(&failed, &newer.url)
        .says("perhaps created")
        .says(&newer.endpoint_id);
    let error = said_of(&failed, &older.url).says("secret was lost");
    assert!(!error.detail.contains(&older.endpoint_id), "{error:#?}");
    assert_eq!(tf.state().addresses(), [place_of(&older.url)]);
}

#[test]
fn where_the_list_cannot_be_read_the_error_says_so() {
    let (tf, heygen) = start();
    tf.write("main.tf", &alone());
    heygen.inject(Rule::on(Route::Create, LOST));
    heygen.inject(Rule::on(Route::List, status(500, Effect::None)).times(2));
    heygen.inject(Rule::on(Route::List, Fault::MalformedJson).times(2));
    heygen.inject(Rule::on(Route::List, Fault::Unauthorized).always());
    let failed = tf.apply_expecting_failure();
    let last = heygen.requests().last().unwrap().request_id.clone();
    assert_eq!(
        failed.error("perhaps created").detail,
        format!(
            "Creating a webhook endpoint: the connection broke before the answer was complete: connection reset. Whether it \
             took effect is not known. The list could not be read to see (listing the webhook endpoints: the API answered \
             401 unauthorized: Missing or invalid credentials. (request id {last}); the credential came from \
             HEYGEN_API_KEY). Look at HeyGen for a new endpoint with the URL {URL}. {EITHER_WAY}"
        )
    );
    assert!(tf.state().addresses().is_empty());
}

/// A process of the provider's own, under the model of Terraform's core. Unlike terraform's it lives through a plan and
/// the apply after it, as under a debugger.
async fn process(heygen: &FakeHeygen) -> Core {
    configured(in_process::core(in_process::environment(heygen)).await).await
}

/// Without retries.
async fn configured(core: Core) -> Core {
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

/// The variables that point the provider at an account, and a fiftieth of the time for all that takes seconds.
fn quick(heygen: &FakeHeygen) -> Environment {
    let timing = Timing {
        first_wait: Duration::ZERO,
        reread_after: Timing::default().reread_after.map(|after| after / 50),
    };
    Environment {
        timing,
        ..in_process::environment(heygen)
    }
}

/// A configuration of one endpoint.
fn one() -> Config {
    let attributes = Attributes::from([("url".to_owned(), Value::from(URL))]);
    Config::from([(ADDRESS.to_owned(), attributes)])
}

#[tokio::test]
async fn a_secret_without_an_id_waits_for_no_list_that_hangs_and_the_error_says_that_it_is_lost() {
    let heygen = FakeHeygen::start();
    let core = configured(in_process::core(quick(&heygen)).await).await;
    let config = one();
    let mut state = State::new();
    let plan = core.plan(&state, &config).await;
    let no_id = Fault::NullField {
        field: Some("endpoint_id".to_owned()),
    };
    heygen.inject(Rule::on(Route::Create, no_id));
    let hangs = Fault::Delay {
        ms: 20_000,
        wait: Wait::Before,
    };
    heygen.inject(Rule::on(Route::List, hangs).always());
    let began = Instant::now();
    let report = core.apply(&mut state, plan, &config).await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let [error] = report.about(ADDRESS) else {
        panic!("{report:?}");
    };
    for part in [
        "An answer had the signing secret of a new endpoint and no id, so it seems to have taken effect",
        "set rotate_trigger once the endpoint is imported",
        "The list could not be read to see (listing the webhook endpoints: no complete answer within",
    ] {
        assert!(error.detail.contains(part), "{error:?}");
    }
}

/// A request for the data source of all endpoints, without a filter: in msgpack, an object whose attributes are null.
fn all_endpoints() -> proto::read_data_source::Request {
    let attributes = ["endpoints", "event", "url_prefix"];
    let mut msgpack = vec![0x83];
    for name in attributes {
        msgpack.push(0xa0 | u8::try_from(name.len()).unwrap());
        msgpack.extend(name.bytes());
        msgpack.push(0xc0);
    }
    let json = Vec::new();
    proto::read_data_source::Request {
        type_name: "heygen_webhook_endpoints".to_owned(),
        config: Some(proto::DynamicValue { msgpack, json }),
        ..Default::default()
    }
}

#[tokio::test]
async fn what_a_data_source_returns_meanwhile_is_named_and_not_denied() {
    let heygen = FakeHeygen::start();
    let mut provider = in_process::provider(in_process::environment(&heygen));
    let core = configured(Core::connect(provider.clone()).await.unwrap()).await;
    let config = one();
    let mut state = State::new();
    let plan = core.plan(&state, &config).await;
    heygen.inject(Rule::on(Route::Create, LOST));
    let reading = async {
        let is_search = |it: &Request| it.route == Some(Route::List);
        heygen.see_request(PATIENCE, is_search).await.unwrap();
        provider.read_data_source(all_endpoints()).await.unwrap().into_inner()
    };
    let (report, read) = tokio::join!(core.apply(&mut state, plan, &config), reading);
    assert!(read.diagnostics.is_empty() && read.state.is_some(), "{read:?}");
    let id = &heygen.endpoints()[0].endpoint_id;
    let [error] = report.about(ADDRESS) else {
        panic!("{report:?}");
    };
    let named = format!("HeyGen's list holds endpoints that may be it: {id}.");
    assert!(error.detail.contains(&named), "{error:?}");
    assert!(state.is_empty());
}

#[tokio::test]
async fn of_clocks_that_contradict_each_other_none_makes_another_runs_endpoint_ours() {
    let heygen = FakeHeygen::start();
    let core = process(&heygen).await;
    let config = one();
    let mut state = State::new();
    let plan = core.plan(&state, &config).await;
    let twin = heygen.put_endpoint(stranger());
    heygen.advance(Duration::from_secs(4));
    // It is answered, with a date.
    heygen.inject(Rule::on(Route::Create, status(500, Effect::None)));
    let request_sent = async {
        let is_search = |it: &Request| it.route == Some(Route::List);
        heygen.see_request(PATIENCE, is_search).await.unwrap();
        // From here on another edge answers, whose clock is five seconds behind.
        heygen.behave(|it| it.clock_offset_ms -= 5_000);
    };
    let (report, ()) = tokio::join!(core.apply(&mut state, plan, &config), request_sent);
    let [error] = report.about(ADDRESS) else {
        panic!("{report:?}");
    };
    assert!(error.detail.contains(&twin.endpoint_id), "{error:?}");
    assert!(state.is_empty() && heygen.endpoint(&twin.endpoint_id).is_some());
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
    // The other one is answered when the search has ended, which takes ten seconds.
    tf.write("main.tf", &pair().replace("1500ms", "30s"));
    heygen.inject(Rule::on(Route::Create, UNHEARD));
    heygen.inject(Rule::on(
        Route::Create,
        Fault::Delay {
            ms: 12_000,
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
