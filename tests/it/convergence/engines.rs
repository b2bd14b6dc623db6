//! The runs through real engines and the real binary.

use super::figures::Figures;
use super::scenario::Scenario;
use super::{Chance, Held, Holdings, PERHAPS_CREATED, account, judge, named_by};
use crate::fake_heygen::FakeHeygen;
use crate::support::diagnostics::Diagnostics;
use crate::support::engine::for_each_engine;
use crate::support::terraform::Workspace;

/// How many runs each test makes: forty with any one engine.
const RUNS: u64 = 8;

for_each_engine! {
    fn every_run_converges_1(tf: Workspace) { converge(&tf, 0); }
    fn every_run_converges_2(tf: Workspace) { converge(&tf, 1); }
    fn every_run_converges_3(tf: Workspace) { converge(&tf, 2); }
    fn every_run_converges_4(tf: Workspace) { converge(&tf, 3); }
    fn every_run_converges_5(tf: Workspace) { converge(&tf, 4); }
}

fn converge(tf: &Workspace, part: u64) {
    let crate::support::engine::Version(major, minor, patch) = tf.engine().version();
    let mut figures = Figures::new(format!("engine-{major}.{minor}.{patch}-{}", part + 1));
    for seed in part * RUNS..(part + 1) * RUNS {
        run(&Workspace::new(tf.engine().clone()), seed, &mut figures);
    }
    figures.conclude();
}

fn run(tf: &Workspace, seed: u64, figures: &mut Figures) {
    let mut scenario = Scenario::new(seed, false);
    let heygen = account(seed, &mut scenario);
    // A machine that is busy with an engine makes answers late by itself.
    let chance = Chance::new(seed, scenario.lists(), false);
    for step in 0..scenario.between(2, 3) {
        if step > 0 {
            scenario.change();
            scenario.meddle(&heygen);
        }
        configure(tf, &heygen, &scenario);
        chance.begin(&heygen, step);
        // A plan that fails and an apply that does are one and the same command's failure.
        let output = tf.run_ready(&["apply", "-auto-approve", "-json"]);
        figures.applies += 1;
        figures.applies_failed += u64::from(output.code() != Some(0));
        heed(tf, &heygen, &Diagnostics::from_event_lines(&output.stdout), figures);
    }
    heygen.clear_faults();
    figures.applies += 1;
    // Fails unless it succeeds and the plans after it are empty.
    tf.apply();
    judge(seed, &scenario, &heygen, &holdings(tf), figures);
}

/// Does what the errors about lost creations ask for.
fn heed(tf: &Workspace, heygen: &FakeHeygen, diagnostics: &Diagnostics, figures: &mut Figures) {
    for error in diagnostics.errors().filter(|error| error.summary == PERHAPS_CREATED) {
        figures.perhaps_created += 1;
        for id in named_by(&error.detail, heygen, &holdings(tf)) {
            figures.deleted_by_hand += u64::from(heygen.remove_endpoint(&id).is_some());
        }
    }
}

fn configure(tf: &Workspace, heygen: &FakeHeygen, scenario: &Scenario) {
    use std::fmt::Write as _;
    let mut text = format!(
        "provider \"heygen\" {{\n  base_url = {:?}\n  api_key = {:?}\n  max_retries = 1\n  request_timeout = \"2s\"\n}}\n",
        heygen.base_url(),
        heygen.api_key()
    );
    for (name, wanted) in scenario.wanted() {
        let _ = writeln!(
            text,
            "resource \"heygen_webhook_endpoint\" {name:?} {{\n  url = {:?}",
            wanted.url
        );
        if let Some(events) = &wanted.events {
            let _ = writeln!(text, "  events = {:?}", events.iter().collect::<Vec<_>>());
        }
        if let Some(trigger) = &wanted.rotate_trigger {
            let _ = writeln!(text, "  rotate_trigger = {trigger:?}");
        }
        if let Some(entity_id) = &wanted.entity_id {
            let _ = writeln!(text, "  entity_id = {entity_id:?}");
        }
        if let Some(replace) = wanted.replace_when_disabled {
            let _ = writeln!(text, "  replace_when_disabled = {replace}");
        }
        text.push_str("}\n");
    }
    tf.write("main.tf", &text);
}

fn holdings(tf: &Workspace) -> Holdings {
    let state = tf.state();
    let held = state.instances().map(|(address, instance)| {
        let name = address.rsplit('.').next().unwrap_or_default().to_owned();
        let held = Held {
            id: instance.text("id").to_owned(),
            secret: instance.attribute("secret").as_str().map(str::to_owned),
            tainted: instance.is_tainted(),
        };
        (name, held)
    });
    held.collect()
}
