//! Interruption: terraform ends promptly, state holds what the server did, and nothing stays running.

use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use super::{
    ADDRESS, PAST_ALL_LAG, PATIENCE, URL, endpoint, expect_state_is_true, id_in_state, named, url, with_account,
};
use crate::fake_heygen::{BodyShape, Effect, FakeHeygen, Fault, RetryAfter, Route, Rule, Wait};
use crate::support::engine::{Engine, for_each_engine};
use crate::support::plan::Action;
use crate::support::process::{Output, Running};
use crate::support::terraform::Workspace;

/// How soon an interrupted run is over once `HeyGen` has answered. Far below the 25 s of a `Retry-After` and the 30 s
/// of a request timeout, far above what a busy machine needs.
const PROMPTLY: Duration = Duration::from_secs(8);

/// A process without its host looks at its parent twice a second.
const BY_ITSELF: Duration = Duration::from_secs(5);

const NEW_URL: &str = "https://hooks.example.com/v2";

fn with_trigger(at: &str, trigger: &str) -> String {
    endpoint(&format!("{}\nrotate_trigger = {trigger:?}", url(at)))
}

/// Starts a command that is held in this call.
fn held_in(tf: &Workspace, heygen: &FakeHeygen, route: Route, wait: Wait, arguments: &[&str]) -> Running {
    heygen.clear_requests();
    heygen.inject(Rule::on(route, Fault::Held { wait }));
    let running = tf.spawn(arguments);
    let held = heygen.wait_for_request(PATIENCE, |it| it.fault == Some("held"));
    assert!(held.is_some(), "{route:?} was never called");
    running
}

/// Interrupts a command while `HeyGen` works on this call, and lets `HeyGen` answer after that.
fn interrupt_during(tf: &Workspace, heygen: &FakeHeygen, route: Route, wait: Wait, arguments: &[&str]) -> Output {
    let mut running = held_in(tf, heygen, route, wait, arguments);
    interrupt_and_see(tf, &mut running);
    heygen.release();
    let output = running.wait_at_most(PROMPTLY);
    expect_nothing_running(tf);
    output
}

/// Interrupts a command that waits for the second page of the list, which is never answered.
#[track_caller]
fn interrupt_in_the_middle_of_a_walk(tf: &Workspace, heygen: &FakeHeygen, command: &[&str]) {
    heygen.clear_requests();
    heygen.inject(Rule::on(Route::List, Fault::Held { wait: Wait::Before }).after(1));
    let mut running = tf.spawn(command);
    let held = heygen.wait_for_request(PATIENCE, |it| it.fault == Some("held"));
    assert!(held.is_some(), "{command:?} never asked for a second page");
    interrupt_and_see(tf, &mut running);
    let output = running.wait_at_most(PROMPTLY).expect_failure();
    assert!(output.text().contains("Interrupted"), "{output:?}");
    expect_nothing_running(tf);
    assert_eq!(heygen.requests_to(Route::List).len(), 2, "no new call starts");
    heygen.release();
}

/// Interrupts a command, and waits until the plugin has been told.
fn interrupt_and_see(tf: &Workspace, running: &mut Running) {
    let told = || tf.log().matches("told to stop what is under way").count();
    let before = told();
    running.interrupt();
    eventually("the plugin is told to stop", || told() > before);
}

/// The plugin that was started last, as the log has it.
fn plugin_of(tf: &Workspace) -> Pid {
    let log = tf.log();
    let started = log
        .lines()
        .rev()
        .find(|line| line.contains("plugin started") && line.contains("terraform-provider-heygen"));
    let (_, pid) = started
        .expect("a plugin was started")
        .rsplit_once("pid=")
        .expect("its pid");
    Pid::from_raw(pid.trim().parse().expect("a number"))
}

/// Fails unless the plugin has taken its socket's directory with it.
#[track_caller]
fn expect_nothing_running(tf: &Workspace) {
    eventually("the socket's directory is gone", || tf.temporary_files().is_empty());
}

/// Fails unless every process of the group ends, and nothing of it is left in the directory for temporary files.
#[track_caller]
fn expect_group_ends(tf: &Workspace, group: Pid) {
    eventually("the plugin ends by itself", || {
        killpg(group, None::<Signal>) == Err(Errno::ESRCH)
    });
    assert_eq!(tf.temporary_files(), [""; 0].map(std::path::PathBuf::from));
}

#[track_caller]
fn eventually(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + BY_ITSELF;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}: not within {BY_ITSELF:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

for_each_engine! {
    fn an_interrupted_create_is_in_state_with_its_secret_and_nothing_else_is_begun(tf: Workspace) {
        let (tf, heygen) = with_account(tf.with_trace_log());
        let next = named("b", &format!("{}\ndepends_on = [{ADDRESS}]", url(NEW_URL)));
        tf.write("main.tf", &format!("{}{next}", endpoint(&url(URL))));
        tf.init();
        for wait in [Wait::Before, Wait::After] {
            interrupt_during(&tf, &heygen, Route::Create, wait, &["apply", "-auto-approve"]);
            assert_eq!(tf.state().addresses(), [ADDRESS]);
            assert!(!tf.state().instance(ADDRESS).is_tainted());
            assert_eq!(heygen.requests_to(Route::Create).len(), 1, "no new call starts");
            expect_state_is_true(&tf, &heygen);
            assert_eq!(tf.plan().changes(), [("heygen_webhook_endpoint.b", Action::Create)]);
            tf.apply().none();
            expect_state_is_true(&tf, &heygen);
            tf.destroy();
        }
    }

    // What a supervisor does to everything it started.
    fn a_terminated_group_has_in_state_what_heygen_did(tf: Workspace) {
        let (tf, heygen) = with_account(tf.with_trace_log());
        tf.write("main.tf", &with_trigger(URL, "1"));
        tf.init();
        for (route, trigger) in [(Route::Create, "1"), (Route::Rotate, "2")] {
            tf.write("main.tf", &with_trigger(URL, trigger));
            let mut running = held_in(&tf, &heygen, route, Wait::After, &["apply", "-auto-approve"]);
            let group = running.pid();
            let told = || tf.log().matches("told to terminate").count();
            let before = told();
            running.signal_group(Signal::SIGTERM);
            eventually("the plugin is told to terminate", || told() > before);
            // Time enough to end, for one that would not wait for the answer.
            thread::sleep(Duration::from_millis(500));
            heygen.release();
            running.wait_at_most(PROMPTLY);
            expect_group_ends(&tf, group);
            assert_eq!(tf.state().addresses(), [ADDRESS]);
            expect_state_is_true(&tf, &heygen);
            tf.expect_nothing_to_do();
        }
    }

    // To the provider alone, so that nobody but the signal tells it to stop.
    fn a_terminated_provider_waits_for_nothing_and_what_was_done_is_saved(tf: Workspace) {
        let (tf, heygen) = with_account(tf.with_trace_log());
        tf.write("main.tf", &with_trigger(URL, "1"));
        tf.apply();
        tf.write("main.tf", &with_trigger(NEW_URL, "2"));
        heygen.clear_requests();
        heygen.inject(Rule::on(Route::Rotate, Fault::RateLimit { retry_after: RetryAfter::Seconds(25) }));
        let running = tf.spawn(&["apply", "-auto-approve"]);
        let refused = heygen.wait_for_request(PATIENCE, |it| it.route == Some(Route::Rotate) && it.finished);
        assert!(refused.is_some(), "it was never asked to rotate");
        kill(plugin_of(&tf), Signal::SIGTERM).expect("the plugin runs");
        let output = running.wait_at_most(PROMPTLY).expect_failure();
        assert!(output.text().contains("Interrupted"), "{output:?}");
        expect_nothing_running(&tf);
        assert_eq!(heygen.requests_to(Route::Rotate).len(), 1, "it was not tried again");
        let state = tf.state();
        let a = state.instance(ADDRESS);
        assert_eq!((a.text("url"), a.text("rotate_trigger")), (NEW_URL, "1"));
        expect_state_is_true(&tf, &heygen);
        assert_eq!(tf.plan().resource(ADDRESS).changed(), ["rotate_trigger", "secret"]);
        tf.apply();
        expect_state_is_true(&tf, &heygen);
    }

    fn an_interrupted_update_keeps_what_was_done_and_plans_the_rest(tf: Workspace) {
        let (tf, heygen) = with_account(tf.with_trace_log());
        tf.write("main.tf", &with_trigger(URL, "1"));
        tf.apply();
        tf.write("main.tf", &with_trigger(NEW_URL, "2"));
        interrupt_during(&tf, &heygen, Route::Update, Wait::Before, &["apply", "-auto-approve"]);
        assert!(heygen.requests_to(Route::Rotate).is_empty(), "no new call starts");
        let state = tf.state();
        let a = state.instance(ADDRESS);
        assert_eq!((a.text("url"), a.text("rotate_trigger")), (NEW_URL, "1"));
        assert_eq!(heygen.endpoints()[0].url, NEW_URL);
        expect_state_is_true(&tf, &heygen);
        assert_eq!(tf.plan().resource(ADDRESS).changed(), ["rotate_trigger", "secret"]);
        tf.apply();
        expect_state_is_true(&tf, &heygen);
    }

    fn an_interrupted_rotation_saves_the_new_secret(tf: Workspace) {
        let (tf, heygen) = with_account(tf.with_trace_log());
        tf.write("main.tf", &with_trigger(URL, "0"));
        tf.apply();
        for (trigger, wait) in [("1", Wait::Before), ("2", Wait::After)] {
            let old = heygen.endpoints()[0].secret.clone();
            tf.write("main.tf", &with_trigger(URL, trigger));
            interrupt_during(&tf, &heygen, Route::Rotate, wait, &["apply", "-auto-approve"]);
            assert_ne!(heygen.endpoints()[0].secret, old);
            expect_state_is_true(&tf, &heygen);
            tf.expect_nothing_to_do();
        }
    }

    fn an_interrupted_delete_is_done_in_state_too(tf: Workspace) {
        let (tf, heygen) = with_account(tf.with_trace_log());
        tf.write("main.tf", &endpoint(&url(URL)));
        for wait in [Wait::Before, Wait::After] {
            tf.apply();
            interrupt_during(&tf, &heygen, Route::Delete, wait, &["destroy", "-auto-approve"]);
            assert!(heygen.endpoints().is_empty());
            assert!(tf.state().addresses().is_empty());
        }
        tf.apply().none();
        expect_state_is_true(&tf, &heygen);
    }

    // The list decides then, and its walk is what is interrupted.
    fn an_interrupted_delete_that_a_gateway_answered_404_is_not_taken_for_done(tf: Workspace) {
        let (tf, heygen) = with_account(tf.with_trace_log());
        tf.write("main.tf", &endpoint(&url(URL)));
        tf.apply();
        let id = id_in_state(&tf);
        for effect in [Effect::None, Effect::Done] {
            let gateways_404 = Fault::Status { status: 404, body: BodyShape::Html, effect };
            heygen.inject(Rule::on(Route::Delete, gateways_404));
            let destroy = ["destroy", "-auto-approve", "-refresh=false"];
            let output = interrupt_during(&tf, &heygen, Route::List, Wait::Before, &destroy).expect_failure();
            assert!(output.text().contains("interrupted"), "{output:?}");
            assert_eq!(heygen.requests_to(Route::Delete).len(), 1);
            assert_eq!(id_in_state(&tf), id);
        }
        heygen.advance(PAST_ALL_LAG);
        tf.apply();
        expect_state_is_true(&tf, &heygen);
    }

    fn a_wait_that_heygen_asked_for_ends_at_once(tf: Workspace) {
        let (tf, heygen) = with_account(tf.with_trace_log());
        tf.write("main.tf", &with_trigger(URL, "1"));
        tf.init();
        let later = || Fault::RateLimit { retry_after: RetryAfter::Seconds(25) };
        for (route, command) in [
            (Route::Create, "apply"),
            (Route::Update, "apply"),
            (Route::Rotate, "apply"),
            (Route::Delete, "destroy"),
        ] {
            match route {
                Route::Update => drop(tf.write("main.tf", &with_trigger(NEW_URL, "1"))),
                Route::Rotate => drop(tf.write("main.tf", &with_trigger(NEW_URL, "2"))),
                _ => {}
            }
            heygen.clear_requests();
            heygen.inject(Rule::on(route, later()).always());
            let mut running = tf.spawn(&[command, "-auto-approve"]);
            let refused = heygen.wait_for_request(PATIENCE, |it| it.route == Some(route) && it.finished);
            assert!(refused.is_some(), "{route:?}");
            running.interrupt();
            let output = running.wait_at_most(PROMPTLY).expect_failure();
            // A box's lines are broken anywhere, so only single words can be looked for.
            assert!(output.text().contains("Interrupt received"), "{output:?}");
            expect_nothing_running(&tf);
            assert_eq!(heygen.requests_to(route).len(), 1, "it was not tried again");
            heygen.clear_faults();
            if route == Route::Create {
                assert!(tf.state().addresses().is_empty());
            }
            expect_state_is_true(&tf, &heygen);
            tf.apply();
            expect_state_is_true(&tf, &heygen);
        }
    }

    fn an_interrupted_plan_or_refresh_ends_in_the_middle_of_a_walk(tf: Workspace) {
        let (tf, heygen) = with_account(tf.with_trace_log());
        tf.write("main.tf", &endpoint(&url(URL)));
        heygen.put_many(120, "https://hooks.example.com/before");
        tf.apply();
        heygen.put_many(120, "https://hooks.example.com/after");
        let id = id_in_state(&tf);
        for command in ["plan", "refresh"] {
            interrupt_in_the_middle_of_a_walk(&tf, &heygen, &[command]);
            assert_eq!(id_in_state(&tf), id);
            tf.expect_nothing_to_do();
        }
    }

    fn an_interrupted_data_source_or_import_ends_in_the_middle_of_a_walk(tf: Workspace) {
        let (tf, heygen) = with_account(tf.with_trace_log());
        heygen.put_many(120, "https://hooks.example.com/before");
        tf.write("main.tf", "data \"heygen_webhook_endpoints\" \"all\" {}\n").init();
        interrupt_in_the_middle_of_a_walk(&tf, &heygen, &["plan"]);
        // An id that no page has.
        let import = format!("import {{\n  to = {ADDRESS}\n  id = \"ep_none\"\n}}\n");
        tf.write("main.tf", &format!("{}{import}", endpoint(&url(URL))));
        interrupt_in_the_middle_of_a_walk(&tf, &heygen, &["plan"]);
    }

    // Here Terraform tells a plugin nothing of an interruption: the plan is over when its reads are.
    fn the_interrupted_planning_half_of_an_apply_ends_with_its_answer_and_loses_nothing(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        tf.write("main.tf", &endpoint(&url(URL)));
        tf.apply();
        let id = id_in_state(&tf);
        for wait in [Wait::Before, Wait::After] {
            let mut running = held_in(&tf, &heygen, Route::List, wait, &["apply", "-auto-approve"]);
            running.interrupt();
            running.wait_until_it_prints("Interrupt received");
            heygen.release();
            running.wait_at_most(PROMPTLY);
            expect_nothing_running(&tf);
            assert_eq!(id_in_state(&tf), id);
            tf.expect_nothing_to_do();
        }
    }

    fn a_second_interrupt_leaves_no_process_and_what_it_leaves_can_be_found(tf: Workspace) {
        let (tf, heygen) = with_account(tf.with_trace_log());
        tf.write("main.tf", &endpoint(&url(URL)));
        tf.init();
        let mut running = held_in(&tf, &heygen, Route::Create, Wait::After, &["apply", "-auto-approve"]);
        let group = running.pid();
        running.interrupt();
        running.wait_until_it_prints("Interrupt received");
        running.interrupt();
        running.wait_at_most(PROMPTLY).expect_failure();
        expect_group_ends(&tf, group);
        expect_left_behind_is_found(&tf, &heygen);
    }

    fn a_killed_terraform_leaves_no_process_and_what_it_leaves_can_be_found(tf: Workspace) {
        let (tf, heygen) = with_account(tf.with_trace_log());
        tf.write("main.tf", &endpoint(&url(URL)));
        tf.init();
        let mut running = held_in(&tf, &heygen, Route::Create, Wait::After, &["apply", "-auto-approve"]);
        let group = running.pid();
        assert!(!tf.temporary_files().is_empty(), "the plugin runs");
        running.signal(Signal::SIGKILL);
        let output = running.wait_at_most(PROMPTLY);
        assert_eq!(output.signal(), Some(Signal::SIGKILL as i32));
        expect_group_ends(&tf, group);
        expect_left_behind_is_found(&tf, &heygen);
    }

    fn an_edit_or_a_deletion_cut_off_by_a_kill_is_seen_by_the_next_plan(tf: Workspace) {
        let (tf, heygen) = with_account(tf.with_trace_log());
        let kill_during = |route, command: &str| {
            let mut running = held_in(&tf, &heygen, route, Wait::After, &[command, "-auto-approve"]);
            let group = running.pid();
            running.signal(Signal::SIGKILL);
            running.wait_at_most(PROMPTLY);
            expect_group_ends(&tf, group);
            heygen.release();
        };
        tf.write("main.tf", &endpoint(&url(URL)));
        tf.apply();
        tf.write("main.tf", &endpoint(&url(NEW_URL)));
        kill_during(Route::Update, "apply");
        assert_eq!(tf.state().instance(ADDRESS).text("url"), URL);
        assert_eq!(tf.plan().drift()[0].after("url"), NEW_URL);
        tf.apply();
        expect_state_is_true(&tf, &heygen);

        kill_during(Route::Delete, "destroy");
        assert_eq!(tf.state().addresses(), [ADDRESS]);
        heygen.advance(PAST_ALL_LAG);
        assert_eq!(tf.plan().resource(ADDRESS).action(), Action::Create);
        tf.apply();
        expect_state_is_true(&tf, &heygen);
    }

    fn a_rotation_cut_off_by_a_kill_is_made_good_by_another_trigger(tf: Workspace) {
        let (tf, heygen) = with_account(tf.with_trace_log());
        tf.write("main.tf", &with_trigger(URL, "1"));
        tf.apply();
        tf.write("main.tf", &with_trigger(URL, "2"));
        let mut running = held_in(&tf, &heygen, Route::Rotate, Wait::After, &["apply", "-auto-approve"]);
        let group = running.pid();
        running.signal(Signal::SIGKILL);
        running.wait_at_most(PROMPTLY);
        expect_group_ends(&tf, group);
        heygen.release();
        assert_eq!(tf.plan().resource(ADDRESS).changed(), ["rotate_trigger", "secret"], "it is still due");
        tf.apply();
        expect_state_is_true(&tf, &heygen);
    }
}

#[test]
fn an_interrupted_query_ends_in_the_middle_of_a_walk() {
    let (tf, heygen) = with_account(Workspace::new(Engine::terraform_1_15()).with_trace_log());
    heygen.put_many(120, "many");
    let block = "list \"heygen_webhook_endpoint\" \"a\" {\n  provider = heygen\n  limit = 1000\n}\n";
    tf.write("all.tfquery.hcl", block).init();
    heygen.inject(Rule::on(Route::List, Fault::Held { wait: Wait::Before }).after(1));
    let mut running = tf.spawn(&["query"]);
    let held = heygen.wait_for_request(PATIENCE, |it| it.fault == Some("held"));
    assert!(held.is_some(), "it never asked for a second page");
    interrupt_and_see(&tf, &mut running);
    // The page is never answered, and what came before it is not the whole list.
    let output = running.wait_at_most(PROMPTLY).expect_failure();
    assert!(
        output.text().contains("Interrupted") && !output.text().contains("id=ep_"),
        "{output:?}"
    );
    expect_nothing_running(&tf);
    assert_eq!(heygen.requests_to(Route::List).len(), 2, "no new call starts");
    heygen.release();
    assert_eq!(tf.log().matches("[ERROR] provider").count(), 0);
}

/// What the page of the resource says: an endpoint that no state has, found by its URL, and imported or deleted.
#[track_caller]
fn expect_left_behind_is_found(tf: &Workspace, heygen: &FakeHeygen) {
    heygen.release();
    // A request is in the log before it has taken effect, which may be a while on a busy machine.
    let created = heygen.wait_for_request(PROMPTLY, |it| it.took_effect);
    assert!(created.is_some(), "nothing was created");
    assert!(tf.state().addresses().is_empty());
    let [left] = heygen.endpoints().try_into().expect("one that no state has");
    assert_eq!(left.url, URL);
    tf.import(ADDRESS, &left.endpoint_id);
    tf.expect_nothing_to_do();
    assert_eq!(heygen.endpoints().len(), 1);
}
