//! The runs upon the model of Terraform's core: the provider in this process, everything else as it is.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use terraform_provider_heygen::heygen::Timing;
use terraform_provider_heygen::provider::Environment;

use super::figures::Figures;
use super::hidden::{Hidden, HiddenEvents, all_of_it, everything, one_member_twice};
use super::scenario::{Scenario, Wanted};
use super::{
    Chance, Held, Holdings, PERHAPS_CREATED, Tempo, Trouble, Troubles, account, calm_down, judge, look_for_wasted,
    named_by, seeds,
};
use crate::core::{Attributes, Config, Core, ImportTarget, Path, PlanSet, Report, Rule, State, Value, Violation};
use crate::fake_heygen::{FakeHeygen, Fault};
use crate::support::in_process;

/// The seeds of every test run; `SEEDS=START..END` in the environment chooses others.
const SEEDS: Range<u64> = 0..240;

/// Everything goes fifty times as quick as in the world.
const TEMPO: Tempo = Tempo::Fiftieth;

/// How long the provider waits: what it waits in the world, in the tempo of these runs.
fn timing() -> Timing {
    Timing {
        first_wait: Duration::ZERO,
        reread_after: Timing::default().reread_after.map(|after| TEMPO.of(after)),
    }
}

/// Into how many tests the seeds are split.
const PARTS: u64 = 6;

macro_rules! parts {
    ($($name:ident: $part:literal,)+) => {$(
        #[test]
        fn $name() {
            converge($part);
        }
    )+};
}

parts! {
    every_run_converges_1: 0,
    every_run_converges_2: 1,
    every_run_converges_3: 2,
    every_run_converges_4: 3,
    every_run_converges_5: 4,
    every_run_converges_6: 5,
}

fn converge(part: u64) {
    let mut figures = Figures::new(format!("protocol-{}", part + 1));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    for seed in seeds("SEEDS", SEEDS, PARTS).filter(|seed| seed % PARTS == part) {
        runtime.block_on(run(seed, &mut figures));
    }
    figures.conclude();
}

async fn run(seed: u64, figures: &mut Figures) {
    let mut run = Run::new(seed);
    for step in 0..run.scenario.between(3, 6) {
        if step > 0 {
            run.scenario.change();
            run.scenario.meddle(&run.heygen);
        }
        run.scenario.add_twin(&run.heygen);
        run.scenario.hide(false);
        let rules = run.scenario.rules();
        run.chance.begin(&run.heygen, step, rules);
        if let Some(plan) = run.plan(figures).await {
            run.scenario.meddle(&run.heygen);
            let report = run.apply(plan, figures).await;
            run.heed(&report, figures).await;
        }
    }
    calm_down(&run.heygen);
    run.scenario.mend_neighbours(&run.heygen, &holdings(&run.state));
    run.calm = true;
    run.settle(figures).await;
    judge(seed, &run.scenario, &run.heygen, &holdings(&run.state), figures);
}

/// How a run is made; each of these is drawn by itself.
struct Kind {
    /// Each command starts a process of its own, as far as the provider can tell, which knows nothing but state. In the
    /// other runs it is the one that all commands before it used.
    fresh: bool,
    /// One instance after the other, which makes a run the same to the last call.
    sequential: bool,
    /// How often a call is repeated. Where it is not, many more creations are lost.
    max_retries: i64,
}

impl Kind {
    fn of(seed: u64) -> Self {
        // Not the seed's own chance, which is the scenario's.
        let mut random = fastrand::Rng::with_seed(!seed);
        let mut one_in = |n: u8| random.u8(0..n) == 0;
        let fresh = one_in(4);
        Self {
            fresh,
            sequential: one_in(2),
            max_retries: i64::from(!one_in(3)),
        }
    }
}

struct Run {
    seed: u64,
    kind: Kind,
    chance: Chance,
    /// Nothing goes wrong any more.
    calm: bool,
    scenario: Scenario,
    heygen: FakeHeygen,
    state: State,
    core: Option<Arc<Core>>,
}

impl Run {
    fn new(seed: u64) -> Self {
        let kind = Kind::of(seed);
        let mut troubles = Troubles::of(seed);
        if kind.fresh && troubles.meet(Trouble::NoDate) {
            // A fresh process does not know the endpoints of state that it has not been asked about, and without dates
            // may take one for what a lost creation left behind.
            troubles = troubles.without(Trouble::OwnTwins);
        }
        let mut scenario = Scenario::new(seed, TEMPO, troubles);
        let heygen = account(seed, &mut scenario);
        Self {
            seed,
            chance: Chance::new(&scenario),
            kind,
            calm: false,
            scenario,
            heygen,
            state: State::new(),
            core: None,
        }
    }

    /// The first half of `terraform apply`, unless it failed.
    async fn plan(&mut self, figures: &mut Figures) -> Option<PlanSet> {
        let core = self.terraform().await;
        let plan = core.plan(&self.state, &config_in_plan(&self.scenario)).await;
        self.ended(&plan.report).await;
        if plan.report.errored() {
            figures.plans_failed += 1;
            return None;
        }
        self.replaces_on_no_guess(&plan);
        Some(plan)
    }

    /// Fails where something is to be replaced although nobody knows yet whether it should be.
    fn replaces_on_no_guess(&self, plan: &PlanSet) {
        for (address, change) in &plan.changes {
            if self.scenario.hidden(name_of(address)).replace_when_disabled {
                let mut why = change.requires_replace.iter();
                let known = why.all(|path| *path == Path::of("entity_id"));
                assert!(
                    known,
                    "seed {}: {address} is replaced on a guess: {change:?}",
                    self.seed
                );
            }
        }
    }

    /// The second half. Answers what apply said.
    async fn apply(&mut self, plan: PlanSet, figures: &mut Figures) -> Report {
        let core = self.terraform().await;
        let report = core.apply(&mut self.state, plan, &config(&self.scenario)).await;
        self.ended(&report).await;
        figures.applies += 1;
        figures.applies_failed += u64::from(report.errored());
        look_for_wasted(self.seed, &self.scenario, &self.heygen, &holdings(&self.state), figures);
        report
    }

    /// Does what the errors about lost creations ask for: imports the endpoint, or deletes it.
    async fn heed(&mut self, report: &Report, figures: &mut Figures) {
        let errors = report.diagnostics.iter().flat_map(|(address, about)| {
            let lost = about.iter().filter(|diagnostic| diagnostic.summary == PERHAPS_CREATED);
            lost.map(move |lost| (address, &lost.detail))
        });
        for (address, detail) in errors {
            figures.perhaps_created += 1;
            let foreign = self.scenario.foreign(&self.heygen);
            let named = named_by(detail, &self.heygen, &holdings(&self.state), &foreign);
            if let [only] = named.as_slice()
                && self.scenario.chance(0.5)
            {
                let core = self.terraform().await;
                let target = ImportTarget::Id(only.clone());
                let report = core.import(&mut self.state, address, &target).await;
                self.ended(&report).await;
                if self.state.contains_key(address) {
                    figures.imported += 1;
                    self.scenario.imported(name_of(address), only);
                    continue;
                }
            }
            for id in &named {
                figures.deleted_by_hand += u64::from(self.heygen.remove_endpoint(id).is_some());
            }
        }
    }

    /// The one apply that must succeed, and the plans that must be empty then.
    async fn settle(&mut self, figures: &mut Figures) {
        for (name, held) in holdings(&self.state) {
            if held.secret.is_none() {
                self.scenario.rotate(&name);
            }
        }
        self.scenario.hide(true);
        let seed = self.seed;
        let plan = self.plan(figures).await;
        let plan = plan.unwrap_or_else(|| panic!("seed {seed}: the plan failed without any fault"));
        let report = self.apply(plan, figures).await;
        assert!(
            !report.errored(),
            "seed {seed}: the apply failed without any fault: {report:?}"
        );
        let config = config(&self.scenario);
        let core = self.terraform().await;
        for plan in [
            core.plan(&self.state, &config).await,
            core.plan_without_refresh(&self.state, &config).await,
        ] {
            self.ended(&plan.report).await;
            assert!(plan.is_empty(), "seed {seed}: something is left to do: {plan:?}");
        }
    }

    /// A provider, configured anew.
    async fn terraform(&mut self) -> Arc<Core> {
        self.scenario.time_passes(&self.heygen);
        let core = match self.core.take().filter(|_| !self.kind.fresh) {
            Some(core) => core,
            None => Arc::new(self.started().await),
        };
        // Shorter than late answers, where there are any.
        let late = self.scenario.troubles().meet(Trouble::LateAnswers);
        let patience = if late && !self.calm {
            format!("{}ms", Fault::LATE_MS - 100)
        } else {
            "10s".to_owned()
        };
        let settings = [
            ("max_retries", Value::from(self.kind.max_retries)),
            ("request_timeout", patience.as_str().into()),
        ];
        let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value));
        let report = core.configure(&settings.collect()).await;
        assert!(!report.errored() && report.violations.is_empty(), "{report:?}");
        self.core = Some(Arc::clone(&core));
        core
    }

    async fn started(&self) -> Core {
        let environment = Environment {
            timing: timing(),
            ..in_process::environment(&self.heygen)
        };
        let core = in_process::core(environment).await.recording();
        if self.kind.sequential { core.sequential() } else { core }
    }

    /// Whether core complains, and the provider could not have done otherwise.
    fn is_expected(&self, violation: &Violation) -> bool {
        violation.rule == Rule::FinalPlan && self.scenario.may_not_replace(name_of(&violation.address))
    }

    /// A command has ended. Fails where the provider broke a rule of core's. What HeyGen has not done yet of what it
    /// was asked, it does before anything else happens: nobody reads an error, or starts the next command, in less
    /// time.
    async fn ended(&self, report: &Report) {
        let violations = report
            .violations
            .iter()
            .filter(|violation| !self.is_expected(violation));
        let violations: Vec<String> = violations.map(ToString::to_string).collect();
        assert!(violations.is_empty(), "seed {}: {}", self.seed, violations.join("\n"));
        let done = self.heygen.see_all_done(Duration::from_secs(20)).await;
        assert!(done, "seed {}: some call never ended", self.seed);
    }
}

/// The configuration as it is known when it is applied.
fn config(scenario: &Scenario) -> Config {
    config_with(scenario, |_| Hidden::default())
}

/// The same as far as it is known when it is planned.
fn config_in_plan(scenario: &Scenario) -> Config {
    config_with(scenario, |name| scenario.hidden(name))
}

fn config_with(scenario: &Scenario, hidden: impl Fn(&str) -> Hidden) -> Config {
    let wanted = scenario.wanted().iter();
    wanted
        .map(|(name, wanted)| {
            let address = format!("heygen_webhook_endpoint.{name}");
            (address, attributes(wanted, &hidden(name)))
        })
        .collect()
}

fn attributes(wanted: &Wanted, hidden: &Hidden) -> Attributes {
    let unless = |hidden: bool, value: Value| if hidden { Value::unknown() } else { value };
    let text = |text: &Option<String>| text.as_deref().map_or(Value::Null, Value::from);
    let replace = wanted.replace_when_disabled.map_or(Value::Null, Value::from);
    let attributes = [
        ("url", unless(hidden.url, wanted.url.as_str().into())),
        ("events", events(wanted, &hidden.events)),
        (
            "rotate_trigger",
            unless(hidden.rotate_trigger, text(&wanted.rotate_trigger)),
        ),
        ("entity_id", unless(hidden.entity_id, text(&wanted.entity_id))),
        ("replace_when_disabled", unless(hidden.replace_when_disabled, replace)),
    ];
    attributes
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn events(wanted: &Wanted, hidden: &HiddenEvents) -> Value {
    let known = |names: &mut dyn Iterator<Item = &&'static str>| Value::set(names.map(|&name| Value::from(name)));
    match (hidden, &wanted.events) {
        (HiddenEvents::Whole, _) => Value::unknown(),
        (_, None) => Value::Null,
        (HiddenEvents::Nothing, Some(events)) => known(&mut events.iter()),
        (HiddenEvents::Members { names, repeated }, Some(events)) => {
            let unknown = names.len() + usize::from(*repeated);
            let known = events.difference(names).map(|&name| Value::from(name));
            Value::set(known.chain((0..unknown).map(|_| Value::unknown())))
        }
    }
}

fn holdings(state: &State) -> Holdings {
    let held = state.iter().map(|(address, instance)| {
        let text = |name: &str| instance.value.attribute(name).as_str().map(str::to_owned);
        let held = Held {
            id: text("id").expect("what is in state has an id"),
            secret: text("secret"),
            tainted: instance.tainted,
        };
        (name_of(address).to_owned(), held)
    });
    held.collect()
}

fn name_of(address: &str) -> &str {
    address.rsplit('.').next().unwrap_or_default()
}

#[test]
fn what_is_hidden_is_unknown_in_the_plan_and_nothing_else_is() {
    let hidden = attributes(&all_of_it(), &everything(HiddenEvents::Whole));
    assert_eq!(hidden.len(), 5);
    assert!(hidden.values().all(|value| *value == Value::unknown()), "{hidden:?}");
    let members = &attributes(&all_of_it(), &everything(one_member_twice()))["events"];
    let known = ["b", "c"].map(Value::from).into_iter();
    assert_eq!(*members, Value::set(known.chain([Value::unknown(), Value::unknown()])));
    let known = attributes(&all_of_it(), &Hidden::default());
    assert!(!format!("{known:?}").contains("Unknown"), "{known:?}");
}
