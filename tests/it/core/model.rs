//! The model itself: a state, a configuration, and the walks between them.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use futures_util::StreamExt as _;
use terraform_provider_heygen::terraform::proto::provider_client::ProviderClient;
use tonic::transport::Channel;

use super::apply;
use super::assert::value_compatible;
use super::import::{ImportTarget, imported};
use super::plan::{self, Action, Change};
use super::read;
use super::report::{Diagnostic, Findings, Violation};
use super::schema::{Block, Schemas};
use super::value::{Path, Value};
use super::wire::{Kind, Walk, Wire};

/// As many calls as Terraform keeps going at once.
const PARALLELISM: usize = 10;

/// Resource instances by address, such as `heygen_webhook_endpoint.main`.
pub(crate) type State = BTreeMap<String, Instance>;

/// The attributes a configuration sets, by address. What is not set is null. Values may be unknown
/// in the plan walk; the apply walk is given the same configuration with all of them known.
pub(crate) type Config = BTreeMap<String, Attributes>;

/// Attributes as a person writes them.
pub(crate) type Attributes = BTreeMap<String, Value>;

/// One object in state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Instance {
    /// Wholly known, and never null in a [`State`].
    pub(crate) value: Value,
    pub(crate) private: Vec<u8>,
    pub(crate) identity: Option<Value>,
    /// To be replaced, because its creation failed half-way.
    pub(crate) tainted: bool,
    pub(crate) schema_version: i64,
    pub(crate) identity_version: i64,
}

/// What a walk has to say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    pub(crate) diagnostics: BTreeMap<String, Vec<Diagnostic>>,
    /// Always empty but in a recording model: see [`Core::recording`].
    pub(crate) violations: Vec<Violation>,
    failed: BTreeSet<String>,
}

impl Report {
    /// Whether Terraform would end with an error.
    pub(crate) fn errored(&self) -> bool {
        !self.failed.is_empty()
    }

    /// What was said about one instance.
    pub(crate) fn about(&self, address: &str) -> &[Diagnostic] {
        self.diagnostics.get(address).map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, findings: Findings) {
        if findings.has_errors() {
            self.failed.insert(findings.address.clone());
        }
        self.violations.extend(findings.violations);
        if !findings.diagnostics.is_empty() {
            self.diagnostics
                .entry(findings.address)
                .or_default()
                .extend(findings.diagnostics);
        }
    }
}

/// A plan of everything.
#[derive(Clone, Debug)]
#[must_use = "a plan changes nothing until it is applied"]
pub(crate) struct PlanSet {
    /// One change per instance, no-ops included. An instance whose planning failed has none.
    pub(crate) changes: BTreeMap<String, Change>,
    pub(crate) report: Report,
    /// The state as refreshed, which an apply starts from.
    pub(crate) prior: State,
    made_for: State,
    config: Config,
}

impl PlanSet {
    /// Whether Terraform would say "No changes".
    pub(crate) fn is_empty(&self) -> bool {
        !self.report.errored() && self.changes.values().all(|change| change.action == Action::NoOp)
    }

    /// What is planned for one instance. Panics where nothing could be planned.
    pub(crate) fn change(&self, address: &str) -> &Change {
        let change = self.changes.get(address);
        change.unwrap_or_else(|| panic!("nothing was planned for {address}: {:?}", self.report))
    }
}

/// Terraform's core, as far as managed resources go, over one connection to one provider.
///
/// Whatever core would call a bug of the provider panics, after the state was brought to what
/// Terraform would have saved; what a provider tells its user is data, errors included.
#[derive(Debug)]
pub(crate) struct Core {
    wire: Wire,
    schemas: Schemas,
    parallelism: usize,
    records: bool,
}

impl Core {
    /// Fetches and checks the schemas.
    pub(crate) async fn connect(client: ProviderClient<Channel>) -> Result<Self, Vec<Violation>> {
        let wire = Wire::new(client);
        let mut findings = Findings::about("the provider");
        let answers = wire.schemas(&mut findings).await;
        let mut schemas = Schemas::default();
        if let Some((schema, identities)) = answers {
            schemas = Schemas::read(&schema, &identities, &mut findings);
        }
        assert!(
            findings.diagnostics.is_empty(),
            "the schemas were refused: {:?}",
            findings.diagnostics
        );
        if findings.violations.is_empty() {
            Ok(Self {
                wire,
                schemas,
                parallelism: PARALLELISM,
                records: false,
            })
        } else {
            Err(findings.violations)
        }
    }

    /// The same model, but it reports the provider's bugs instead of panicking.
    pub(crate) fn recording(self) -> Self {
        Self { records: true, ..self }
    }

    /// The same model, but it walks one instance after the other, in order of address.
    pub(crate) fn sequential(self) -> Self {
        Self { parallelism: 1, ..self }
    }

    /// The same model, but as an engine that never announces deferral, and so asks for a plan alike in both walks.
    pub(crate) fn without_deferral(self) -> Self {
        Self {
            wire: self.wire.without_deferral(),
            ..self
        }
    }

    /// `terraform validate`: before any configuration of the provider.
    pub(crate) async fn validate(&self, config: &Config) -> Report {
        let findings = self.each(config.iter(), async |(address, attributes)| {
            let mut findings = Findings::about(address);
            let kind = self.kind(address);
            if let Some(config) = completed(&kind.schema.block, attributes, &mut findings) {
                self.wire.validate(kind, Walk::Plan, &config, &mut findings).await;
            }
            findings
        });
        self.reported(findings.await)
    }

    /// Validates a configuration of the provider, and configures it if it is valid.
    pub(crate) async fn configure(&self, attributes: &Attributes) -> Report {
        let mut findings = Findings::about("the provider");
        let block = &self.schemas.provider;
        if let Some(config) = completed(block, attributes, &mut findings) {
            let ty = block.object_type();
            self.wire.validate_provider(&ty, &config, &mut findings).await;
            if !findings.has_errors() {
                self.wire.configure(&ty, &config, &mut findings).await;
            }
        }
        self.reported([findings])
    }

    /// `terraform refresh`: reads everything in state. What cannot be read stays as it was.
    pub(crate) async fn refresh(&self, state: &mut State) -> Report {
        let read = self
            .each(state.iter(), async |(address, instance)| {
                let mut findings = Findings::about(address);
                let kind = self.kind(address);
                let mut now = Some(instance.clone());
                if let Some(stored) = read::stored(&self.wire, kind, instance, &mut findings).await {
                    let refreshed = read::refreshed(&self.wire, kind, &stored, &mut findings).await;
                    now = kept(Some(refreshed.unwrap_or(stored)));
                }
                (findings, now)
            })
            .await;
        self.saved(state, read)
    }

    /// `terraform plan`: refreshes, then plans every instance of the configuration, and the
    /// destruction of what is only in state. An empty configuration plans `terraform destroy`.
    pub(crate) async fn plan(&self, state: &State, config: &Config) -> PlanSet {
        self.planned(state, config, true).await
    }

    /// `terraform plan -refresh=false`.
    pub(crate) async fn plan_without_refresh(&self, state: &State, config: &Config) -> PlanSet {
        self.planned(state, config, false).await
    }

    /// `terraform apply` of a plan. Panics on a plan that failed, was made for another state, or
    /// for another configuration: Terraform refuses those too.
    pub(crate) async fn apply(&self, state: &mut State, plan: PlanSet, config: &Config) -> Report {
        assert!(
            !plan.report.errored(),
            "a plan that failed cannot be applied: {:?}",
            plan.report
        );
        assert_eq!(*state, plan.made_for, "the plan is stale");
        state.clone_from(&plan.prior);
        let applied = self
            .each(plan.changes.iter(), async |(address, change)| {
                let mut findings = Findings::about(address);
                let kind = self.kind(address);
                let config = config.get(address).map(|attributes| {
                    completed(&kind.schema.block, attributes, &mut findings)
                        .unwrap_or_else(|| panic!("{address} was planned with another configuration"))
                });
                let config = config.unwrap_or(Value::Null);
                check_same_config(address, &kind.schema.block, &plan.config, &config);
                let instance = plan.prior.get(address).cloned();
                let left = apply::change(&self.wire, kind, change, instance, &config, &mut findings).await;
                (findings, kept(left))
            })
            .await;
        self.saved(state, applied)
    }

    /// `terraform import`. Leaves the state as it is where that fails.
    pub(crate) async fn import(&self, state: &mut State, address: &str, target: &ImportTarget) -> Report {
        assert!(!state.contains_key(address), "{address} is managed already");
        let mut findings = Findings::about(address);
        let instance = imported(&self.wire, self.kind(address), target, &mut findings).await;
        self.saved(state, [(findings, instance)])
    }

    /// Ctrl-C: answers the provider's complaint, empty in good order.
    pub(crate) async fn stop(&self) -> Result<String, tonic::Status> {
        self.wire.stop().await
    }

    async fn planned(&self, state: &State, config: &Config, refresh: bool) -> PlanSet {
        let addresses: BTreeSet<&String> = state.keys().chain(config.keys()).collect();
        let planned = self
            .each(addresses, async |address| {
                let mut findings = Findings::about(address);
                let (instance, attributes) = (state.get(address), config.get(address));
                let (now, change) = self.planned_one(instance, attributes, refresh, &mut findings).await;
                (findings, now, change)
            })
            .await;
        let mut plan = PlanSet {
            changes: BTreeMap::new(),
            report: Report::default(),
            prior: state.clone(),
            made_for: state.clone(),
            config: config.clone(),
        };
        let mut all = Vec::new();
        for (findings, now, change) in planned {
            let address = findings.address.clone();
            put(&mut plan.prior, &address, kept(now));
            if let Some(change) = change {
                plan.changes.insert(address, change);
            }
            all.push(findings);
        }
        plan.report = self.reported(all);
        plan
    }

    /// Walks one instance: reads it out of state, refreshes it, plans it. Answers it as refreshed,
    /// and the change if there is one.
    async fn planned_one(
        &self,
        instance: Option<&Instance>,
        attributes: Option<&Attributes>,
        refresh: bool,
        findings: &mut Findings,
    ) -> (Option<Instance>, Option<Change>) {
        let address = findings.address.clone();
        let kind = self.kind(&address);
        let mut now = instance.cloned();
        if let Some(instance) = instance {
            let Some(stored) = read::stored(&self.wire, kind, instance, findings).await else {
                return (now, None);
            };
            now = Some(stored);
        }
        if let (true, Some(stored)) = (refresh, &now) {
            let Some(refreshed) = read::refreshed(&self.wire, kind, stored, findings).await else {
                return (now, None);
            };
            now = Some(refreshed);
        }
        let change = match (attributes, &now) {
            (Some(attributes), _) => match completed(&kind.schema.block, attributes, findings) {
                Some(config) => plan::towards(&self.wire, kind, None, now.as_ref(), &config, findings).await,
                None => None,
            },
            (None, Some(now)) if !now.value.is_null() => {
                plan::destruction(&self.wire, kind, self.schemas.plan_destroy, now, findings).await
            }
            (None, _) => None,
        };
        (now, change)
    }

    /// Runs one walk over many instances, as many at a time as Terraform would.
    async fn each<I: IntoIterator, R>(&self, items: I, walk: impl AsyncFn(I::Item) -> R) -> Vec<R> {
        let walks = items.into_iter().map(|item| walk(item));
        futures_util::stream::iter(walks)
            .buffer_unordered(self.parallelism)
            .collect()
            .await
    }

    fn kind<'a>(&'a self, address: &'a str) -> Kind<'a> {
        let name = address.split_once('.').map_or(address, |(name, _)| name);
        let schema = self.schemas.resources.get(name);
        let schema = schema.unwrap_or_else(|| panic!("{address}: the provider has no type {name:?}"));
        Kind { name, schema }
    }

    fn saved(&self, state: &mut State, walked: impl IntoIterator<Item = (Findings, Option<Instance>)>) -> Report {
        let mut all = Vec::new();
        for (findings, instance) in walked {
            put(state, &findings.address, instance);
            all.push(findings);
        }
        self.reported(all)
    }

    fn reported(&self, all: impl IntoIterator<Item = Findings>) -> Report {
        let mut report = Report::default();
        all.into_iter().for_each(|findings| report.add(findings));
        if !self.records && !report.violations.is_empty() {
            let violations: Vec<String> = report.violations.iter().map(ToString::to_string).collect();
            panic!("{}", violations.join("\n"));
        }
        report
    }
}

/// An object that is gone leaves nothing in state.
fn kept(instance: Option<Instance>) -> Option<Instance> {
    instance.filter(|instance| !instance.value.is_null())
}

fn put(state: &mut State, address: &str, instance: Option<Instance>) {
    match instance {
        Some(instance) => state.insert(address.to_owned(), instance),
        None => state.remove(address),
    };
}

/// The whole object of what a person wrote. Of what a provider requires core sees only whether it is written at all,
/// and of what only a provider decides it sees nothing.
fn completed(block: &Block, attributes: &Attributes, findings: &mut Findings) -> Option<Value> {
    for name in attributes.keys() {
        assert!(
            block.attributes.contains_key(name),
            "{}: no attribute {name:?}",
            findings.address
        );
    }
    for (name, attribute) in &block.attributes {
        if attribute.required && !attributes.contains_key(name) {
            let missing = Diagnostic::error("Missing required argument", name.as_str(), Path::of(name));
            findings.diagnostics.push(missing);
        }
    }
    let Value::Object(mut object) = block.empty_object() else {
        unreachable!("blocks are objects")
    };
    object.extend(attributes.clone());
    (!findings.has_errors()).then_some(Value::Object(object))
}

/// Between plan and apply a configuration only becomes known. Anything else is a mistake of the
/// test, which would be blamed on the provider.
fn check_same_config(address: &str, block: &Block, planned: &Config, config: &Value) {
    assert!(
        config.is_wholly_known(),
        "{address}: the configuration is still unknown at apply"
    );
    let mut findings = Findings::about(address);
    let planned = planned
        .get(address)
        .and_then(|planned| completed(block, planned, &mut findings));
    let planned = planned.unwrap_or(Value::Null);
    let problems = value_compatible(&planned, config, &Path::root());
    assert!(
        problems.is_empty(),
        "{address}: applied with another configuration: {problems:?}"
    );
}
