//! A configuration of two hundred and fifty endpoints, through the real thing.

use std::time::{Duration, Instant};

use super::report;
use crate::fake_heygen::{FakeHeygen, Route};
use crate::support::engine::Engine;
use crate::support::terraform::Workspace;

const RESOURCES: usize = 250;
/// At a hundred to a page.
const PAGES: usize = 3;

/// Terraform writes the whole state after every change: on a busy machine that takes its time.
const PATIENCE: Duration = Duration::from_mins(4);

#[test]
fn a_configuration_of_250_is_created_read_in_three_calls_and_destroyed() {
    let heygen = FakeHeygen::start();
    let tf = Workspace::new(Engine::from_path()).against(&heygen.base_url(), heygen.api_key());
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
    run(&tf, &["apply", "-auto-approve"]);
    let created = began.elapsed();
    assert_eq!(heygen.endpoints().len(), RESOURCES);
    assert_eq!(heygen.requests_to(Route::Create).len(), RESOURCES);
    assert_eq!(tf.state().addresses().len(), RESOURCES);

    heygen.clear_requests();
    let began = Instant::now();
    run(&tf, &["plan", "-detailed-exitcode"]); // whose status would be 2 if anything was left to do
    let planned = began.elapsed();
    let lists = heygen.requests_to(Route::List).len();
    assert!(lists <= PAGES, "{lists} list calls");

    heygen.clear_requests();
    let began = Instant::now();
    run(&tf, &["destroy", "-auto-approve"]);
    assert!(heygen.endpoints().is_empty());
    report(&format!(
        "{RESOURCES} resources: created in {created:?}, planned to nothing in {planned:?} with {lists} list calls, destroyed in {:?}",
        began.elapsed()
    ));
    // What may be read again is what a refresh reads: once.
    assert!(heygen.requests_to(Route::List).len() <= PAGES);
}

#[track_caller]
fn run(tf: &Workspace, arguments: &[&str]) {
    tf.spawn(arguments).wait_at_most(PATIENCE).expect_success();
}
