//! One create, once: answers that get lost, and refusals that leave nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::{ADDRESS, LATE, LOST, UNHEARD, URL, endpoint, expect_state_is_true, provider, several, start, status, url};
use crate::fake_heygen::{BodyShape, Effect, Fault, NewEndpoint, RetryAfter, Route, Rule, Wait};
use crate::support::plan::Action;

#[test]
fn a_lost_create_answer_is_replayed_not_repeated() {
    let (tf, heygen) = start();
    let early = Fault::Delay {
        ms: 3000,
        wait: Wait::Before,
    };
    let gateway = Fault::Status {
        status: 502,
        body: BodyShape::Html,
        effect: Effect::Done,
    };
    let faults = [
        LOST,
        UNHEARD,
        LATE,
        early,
        gateway,
        status(500, Effect::None),
        Fault::Truncated,
        Fault::MalformedJson,
        Fault::MissingField {
            field: Some("endpoint_id".to_owned()),
        },
        Fault::InProgress,
    ];
    tf.write("main.tf", &format!("{}{}", provider(6), several(faults.len())));
    for fault in &faults {
        heygen.inject(Rule::on(Route::Create, fault.clone()));
    }
    tf.apply().none();

    let struck: u64 = heygen.faults_by_kind().values().sum();
    assert_eq!(struck, faults.len() as u64);
    let mut keys: BTreeMap<String, BTreeSet<Option<String>>> = BTreeMap::new();
    let attempts = heygen.requests_to(Route::Create);
    assert!(attempts.len() >= 2 * faults.len(), "each was tried again");
    for attempt in attempts {
        let url = attempt.body.unwrap()["url"].to_string();
        keys.entry(url).or_default().insert(attempt.idempotency_key);
    }
    assert_eq!(keys.len(), faults.len());
    for (url, keys) in &keys {
        assert!(keys.len() == 1 && !keys.contains(&None), "{url} was sent with {keys:?}");
    }
    let distinct: BTreeSet<_> = keys.values().flatten().collect();
    assert_eq!(distinct.len(), faults.len(), "a key is for one creation");
    assert_eq!(heygen.endpoints().len(), faults.len());
    expect_state_is_true(&tf, &heygen);
}

#[test]
fn an_answer_without_a_secret_is_saved_with_an_error_and_replaced_next() {
    let (tf, heygen) = start();
    heygen.behave(|it| it.create_without_secret = true);
    tf.write("main.tf", &endpoint(&url(URL)));
    tf.apply_expecting_failure()
        .error("created without a secret")
        .says(&heygen.endpoints()[0].endpoint_id);
    let state = tf.state();
    let a = state.instance(ADDRESS);
    assert_eq!(a.text("id"), heygen.endpoints()[0].endpoint_id);
    assert!(a.is_tainted() && a.attribute("secret").is_null());

    heygen.behave(|it| it.create_without_secret = false);
    assert_eq!(tf.plan().resource(ADDRESS).action(), Action::Replace);
    tf.apply().none();
    expect_state_is_true(&tf, &heygen);
}

#[test]
fn a_refused_create_leaves_nothing_and_asks_nobody() {
    let (tf, heygen) = start();
    let faults = [
        Fault::RateLimit {
            retry_after: RetryAfter::Absent,
        },
        status(400, Effect::None),
        status(402, Effect::None),
        status(403, Effect::None),
        Fault::Unauthorized,
        Fault::Redirect {
            location: "http://127.0.0.1:1/".to_owned(),
        },
    ];
    tf.write("main.tf", &format!("{}{}", provider(0), several(faults.len())));
    for fault in &faults {
        heygen.inject(Rule::on(Route::Create, fault.clone()));
    }
    let failed = tf.apply_expecting_failure();
    assert_eq!(failed.errors().count(), faults.len(), "{failed:#?}");
    assert!(
        failed.errors().all(|error| !error.summary.contains("perhaps")),
        "{failed:#?}"
    );
    assert!(tf.state().addresses().is_empty());
    assert!(
        heygen.requests_to(Route::List).is_empty(),
        "nothing needs to be looked for"
    );

    heygen.refuse_connections();
    tf.apply_expecting_failure().error("HeyGen cannot be reached");
    heygen.accept_connections();
    assert!(tf.state().addresses().is_empty());
    assert!(heygen.endpoints().is_empty());
    tf.apply().none();
    expect_state_is_true(&tf, &heygen);
}

#[test]
fn a_creation_that_the_account_has_no_room_or_another_endpoint_the_url_for_is_tried_once() {
    let (tf, heygen) = start();
    tf.write("main.tf", &format!("{}{}", provider(4), endpoint(&url(URL))));
    let expect = |text: &str| {
        heygen.clear_requests();
        let output = tf.run_ready(&["apply", "-auto-approve"]).expect_failure();
        let attempts = heygen.requests_to(Route::Create);
        assert_eq!(attempts.len(), 1, "it is not tried again");
        assert!(
            heygen.requests_to(Route::List).is_empty(),
            "nothing needs to be looked for"
        );
        let text = text.replace("REQUEST", &attempts[0].request_id);
        assert!(output.messages().contains(&text), "{output:?}");
        assert!(tf.state().addresses().is_empty());
    };
    heygen.behave(|it| it.resource_limit = Some(0));
    expect(
        "Error: The account has no room for another endpoint with heygen_webhook_endpoint.a, on main.tf line 5, in resource \
         \"heygen_webhook_endpoint\" \"a\": 5: resource \"heygen_webhook_endpoint\" \"a\" { Creating a webhook endpoint: the \
         API answered 429 resource_limit_reached: This account may have 0 webhook endpoints. (request id REQUEST). It has \
         as many webhook endpoints as its plan allows: delete some, or raise the limit, then apply again.",
    );
    heygen.behave(|it| (it.resource_limit, it.unique_urls) = (None, true));
    let other = heygen.put_endpoint(NewEndpoint {
        url: URL.to_owned(),
        ..NewEndpoint::default()
    });
    expect(
        "Error: HeyGen refused the request with heygen_webhook_endpoint.a, on main.tf line 5, in resource \
         \"heygen_webhook_endpoint\" \"a\": 5: resource \"heygen_webhook_endpoint\" \"a\" { Creating a webhook endpoint: the \
         API answered 409 conflict: A webhook endpoint with this URL is already registered. (request id REQUEST). An \
         endpoint with this URL may exist already. Look for it with the data source heygen_webhook_endpoint, by url; if no \
         other state manages it, import it.",
    );
    // As it says.
    tf.import(ADDRESS, &other.endpoint_id);
    tf.expect_nothing_to_do();
}
