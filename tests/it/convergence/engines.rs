//! The runs through real engines and the real binary. What is not known in the plan is an output of `terraform_data`,
//! made anew in each step.

use std::fmt::Write as _;
use std::ops::Range;

use super::figures::Figures;
use super::hidden::{Hidden, HiddenEvents, all_of_it, everything, one_member_twice};
use super::scenario::{Scenario, Wanted};
use super::{
    Chance, Held, Holdings, PERHAPS_CREATED, Tempo, Trouble, Troubles, account, calm_down, judge, look_for_wasted,
    named_by, seeds,
};
use crate::fake_heygen::FakeHeygen;
use crate::support::diagnostics::{Diagnostic, Diagnostics};
use crate::support::engine::for_each_engine;
use crate::support::process::Output;
use crate::support::terraform::Workspace;

/// The seeds of every test run; `ENGINE_SEEDS=START..END` in the environment chooses others.
const SEEDS: Range<u64> = 0..12;

/// Into how many tests the seeds are split for each engine.
const PARTS: u64 = 4;

for_each_engine! {
    fn every_run_converges_1(tf: Workspace) { converge(&tf, 0); }
    fn every_run_converges_2(tf: Workspace) { converge(&tf, 1); }
    fn every_run_converges_3(tf: Workspace) { converge(&tf, 2); }
    fn every_run_converges_4(tf: Workspace) { converge(&tf, 3); }
}

fn converge(tf: &Workspace, part: u64) {
    let crate::support::engine::Version(major, minor, patch) = tf.engine().version();
    let mut figures = Figures::new(format!("engine-{major}.{minor}.{patch}-{}", part + 1));
    for seed in seeds("ENGINE_SEEDS", SEEDS, PARTS).filter(|seed| seed % PARTS == part) {
        run(&Workspace::new(tf.engine().clone()), seed, &mut figures);
    }
    figures.conclude();
}

fn run(tf: &Workspace, seed: u64, figures: &mut Figures) {
    // A machine that is busy with an engine makes answers late by itself.
    let mut troubles = Troubles::of(seed).without(Trouble::LateAnswers);
    if troubles.meet(Trouble::NoDate) {
        // Every command is a process of its own, which does not know the endpoints of state that it has not been asked
        // about, and without dates may take one for what a lost creation left behind.
        troubles = troubles.without(Trouble::OwnTwins);
    }
    let mut scenario = Scenario::new(seed, Tempo::Real, troubles);
    let heygen = account(seed, &mut scenario);
    let chance = Chance::new(&scenario);
    for step in 0..scenario.between(2, 3) {
        if step > 0 {
            scenario.change();
            scenario.meddle(&heygen);
        }
        scenario.add_twin(&heygen);
        scenario.hide(false);
        configure(tf, &heygen, &scenario, step);
        let rules = scenario.rules();
        chance.begin(&heygen, step, rules);
        scenario.time_passes(&heygen);
        // A plan that fails and an apply that does are one and the same command's failure.
        let output = apply(tf, seed, &scenario);
        figures.applies += 1;
        figures.applies_failed += u64::from(output.code() != Some(0));
        look_for_wasted(seed, &scenario, &heygen, &holdings(tf), figures);
        let diagnostics = Diagnostics::from_event_lines(&output.stdout);
        heed(tf, &heygen, &scenario, &diagnostics, figures);
    }
    calm_down(&heygen);
    scenario.mend_neighbours(&heygen, &holdings(tf));
    scenario.hide(true);
    configure(tf, &heygen, &scenario, u64::MAX);
    scenario.time_passes(&heygen);
    figures.applies += 1;
    // Fails unless it succeeds and the plans after it are empty.
    tf.apply();
    judge(seed, &scenario, &heygen, &holdings(tf), figures);
}

/// Applies, and fails where the engine blames the provider, but for what the provider cannot help.
fn apply(tf: &Workspace, seed: u64, scenario: &Scenario) -> Output {
    const APPLY: [&str; 3] = ["apply", "-auto-approve", "-json"];
    if !scenario.may_fail_to_replace() {
        return tf.run_ready(&APPLY);
    }
    tf.init();
    let output = tf.spawn(&APPLY).wait();
    let diagnostics = Diagnostics::from_event_lines(&output.stdout);
    let blaming = |error: &&Diagnostic| error.detail.contains("bug in the provider");
    for error in diagnostics.errors().filter(blaming) {
        assert_eq!(
            error.summary, "Provider produced inconsistent final plan",
            "seed {seed}: the engine blames the provider: {error:?}"
        );
    }
    output
}

/// Does what the errors about lost creations ask for.
fn heed(tf: &Workspace, heygen: &FakeHeygen, scenario: &Scenario, diagnostics: &Diagnostics, figures: &mut Figures) {
    for error in diagnostics.errors().filter(|error| error.summary == PERHAPS_CREATED) {
        figures.perhaps_created += 1;
        for id in named_by(&error.detail, heygen, &holdings(tf), &scenario.foreign(heygen)) {
            figures.deleted_by_hand += u64::from(heygen.remove_endpoint(&id).is_some());
        }
    }
}

fn configure(tf: &Workspace, heygen: &FakeHeygen, scenario: &Scenario, step: u64) {
    let mut text = format!(
        "provider \"heygen\" {{\n  base_url = {:?}\n  api_key = {:?}\n  max_retries = 1\n  request_timeout = \"10s\"\n}}\n",
        heygen.base_url(),
        heygen.api_key()
    );
    for (name, wanted) in scenario.wanted() {
        Block { name, step }.write(&mut text, wanted, &scenario.hidden(name));
    }
    tf.write("main.tf", &text);
}

/// One endpoint in the configuration, and whatever hides its values in this step.
struct Block<'a> {
    name: &'a str,
    step: u64,
}

impl Block<'_> {
    fn write(&self, text: &mut String, wanted: &Wanted, hidden: &Hidden) {
        let mut arguments = Vec::new();
        let mut argument = |name: &str, value: Option<String>, hidden: bool| match value {
            None if !hidden => {}
            value => {
                let value = value.unwrap_or_else(|| "null".to_owned());
                let value = if hidden { self.hide(text, name, &value) } else { value };
                arguments.push(format!("  {name} = {value}\n"));
            }
        };
        let quoted = |text: &Option<String>| text.as_ref().map(|text| format!("{text:?}"));
        argument("url", Some(format!("{:?}", wanted.url)), hidden.url);
        argument("rotate_trigger", quoted(&wanted.rotate_trigger), hidden.rotate_trigger);
        argument("entity_id", quoted(&wanted.entity_id), hidden.entity_id);
        argument(
            "replace_when_disabled",
            wanted.replace_when_disabled.map(|replace| replace.to_string()),
            hidden.replace_when_disabled,
        );
        if let Some(events) = self.events(text, wanted, &hidden.events) {
            arguments.push(format!("  events = {events}\n"));
        }
        let _ = writeln!(
            text,
            "resource \"heygen_webhook_endpoint\" {:?} {{\n{}}}",
            self.name,
            arguments.concat()
        );
    }

    fn events(&self, text: &mut String, wanted: &Wanted, hidden: &HiddenEvents) -> Option<String> {
        let Some(events) = &wanted.events else {
            return (*hidden == HiddenEvents::Whole).then(|| self.hide(text, "events", "null"));
        };
        let HiddenEvents::Members { names, repeated } = hidden else {
            let list = format!("{:?}", events.iter().collect::<Vec<_>>());
            let whole = *hidden == HiddenEvents::Whole;
            return Some(if whole { self.hide(text, "events", &list) } else { list });
        };
        let again = names.first().filter(|_| *repeated);
        let unknown = (0..).zip(names.iter().chain(again));
        let unknown: Vec<String> = unknown
            .map(|(place, name)| self.hide(text, &format!("event_{place}"), &format!("{name:?}")))
            .collect();
        let known = events.difference(names).map(|name| format!("{name:?}"));
        Some(format!("[{}]", known.chain(unknown).collect::<Vec<_>>().join(", ")))
    }

    /// What a value is until it is applied: an output of something that this step makes anew.
    fn hide(&self, text: &mut String, what: &str, value: &str) -> String {
        let name = format!("{}_{what}", self.name);
        let step = self.step;
        let _ = writeln!(
            text,
            "resource \"terraform_data\" {name:?} {{\n  input = {value}\n  triggers_replace = \"{step}\"\n}}"
        );
        format!("terraform_data.{name}.output")
    }
}

fn holdings(tf: &Workspace) -> Holdings {
    let state = tf.state();
    let held = state.instances().filter_map(|(address, instance)| {
        let name = address.strip_prefix("heygen_webhook_endpoint.")?.to_owned();
        let held = Held {
            id: instance.text("id").to_owned(),
            secret: instance.attribute("secret").as_str().map(str::to_owned),
            tainted: instance.is_tainted(),
        };
        Some((name, held))
    });
    held.collect()
}

#[test]
fn what_is_hidden_is_an_output_of_something_made_anew_and_nothing_else_is() {
    let block_for = |hidden: &Hidden| {
        let mut text = String::new();
        Block { name: "e", step: 7 }.write(&mut text, &all_of_it(), hidden);
        let (made_anew, block) = text.split_at(text.find("resource \"heygen_webhook_endpoint\"").unwrap());
        assert_eq!(
            made_anew.matches("triggers_replace = \"7\"").count(),
            block.matches(".output").count()
        );
        block.to_owned()
    };
    let hidden = block_for(&everything(HiddenEvents::Whole));
    let arguments = hidden.lines().filter(|line| line.contains(" = "));
    let arguments: Vec<_> = arguments.map(|line| line.trim().split_once(" = ").unwrap()).collect();
    assert_eq!(arguments.len(), 5, "{hidden}");
    for (name, value) in arguments {
        assert_eq!(value, format!("terraform_data.e_{name}.output"));
    }
    let members = block_for(&everything(one_member_twice()));
    let events = "events = [\"b\", \"c\", terraform_data.e_event_0.output, terraform_data.e_event_1.output]";
    assert!(members.contains(events), "{members}");
    assert!(!block_for(&Hidden::default()).contains(".output"));
}
