//! A configuration of a thousand endpoints, through the real thing.

use std::time::Instant;

use super::report;
use crate::fake_heygen::{FakeHeygen, Route};
use crate::support::engine::Engine;
use crate::support::terraform::Workspace;

const RESOURCES: usize = 1000;

#[test]
fn a_configuration_of_a_thousand_is_created_read_in_ten_calls_and_destroyed() {
    let heygen = FakeHeygen::start();
    let tf = Workspace::new(Engine::terraform_1_15()).against(&heygen.base_url(), heygen.api_key());
    tf.write(
        "main.tf",
        &format!(
            r#"
            resource "heygen_webhook_endpoint" "many" {{
              count = {RESOURCES}
              url   = "https://hooks.example.com/${{count.index}}"
            }}
            "#
        ),
    );
    tf.init();

    let began = Instant::now();
    tf.apply_unchecked().none();
    let created = began.elapsed();
    assert_eq!(heygen.endpoints().len(), RESOURCES);
    assert_eq!(heygen.requests_to(Route::Create).len(), RESOURCES);
    assert_eq!(tf.state().addresses().len(), RESOURCES);

    heygen.clear_requests();
    let began = Instant::now();
    let plan = tf.run(&["plan", "-detailed-exitcode"]);
    assert_eq!(plan.code(), Some(0), "expected nothing left to do\n{plan:?}");
    let planned = began.elapsed();
    let lists = heygen.requests_to(Route::List).len();
    assert!(lists <= RESOURCES / 100, "{lists} list calls");

    heygen.clear_requests();
    let began = Instant::now();
    tf.destroy().none();
    assert!(heygen.endpoints().is_empty());
    report(&format!(
        "{RESOURCES} resources: created in {created:?}, planned to nothing in {planned:?} with {lists} list calls, destroyed in {:?}",
        began.elapsed()
    ));
    // What may be read again is what a refresh reads: once.
    assert!(heygen.requests_to(Route::List).len() <= RESOURCES / 100);
}
