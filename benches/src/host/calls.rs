//! What calls take that need no call of HeyGen's: what is measured is the provider's own.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use serde::Serialize;
use terraform_provider_heygen::terraform::Object;
use terraform_provider_heygen::terraform::proto::provider_client::ProviderClient;
use terraform_provider_heygen::terraform::proto::{
    Diagnostic, RawState, apply_resource_change, configure_provider, plan_resource_change, read_resource,
    upgrade_resource_state, validate_resource_config,
};
use tokio::runtime::Builder;
use tonic::transport::Channel;

use crate::certificates::ClientIdentity;
use crate::clock::microseconds;
use crate::plugin::{self, Plugin};
use crate::{Failure, Named, endpoint};

/// How many calls are in flight at once.
const IN_FLIGHT: [usize; 2] = [1, 10];

/// How many calls a provider answers before it is the next one's turn.
const TURN: usize = 250;

/// The calls that are measured.
#[derive(Clone, Copy)]
enum Call {
    Validate,
    Upgrade,
    Read,
    Plan,
    Apply,
}

impl Call {
    const ALL: [Self; 5] = [Self::Validate, Self::Upgrade, Self::Read, Self::Plan, Self::Apply];

    fn name(self) -> &'static str {
        match self {
            Self::Validate => "ValidateResourceConfig",
            Self::Upgrade => "UpgradeResourceState",
            Self::Read => "ReadResource",
            Self::Plan => "PlanResourceChange",
            Self::Apply => "ApplyResourceChange",
        }
    }
}

/// What one kind of call took, in microseconds.
#[derive(Serialize)]
struct Measured {
    provider: String,
    call: &'static str,
    in_flight: usize,
    calls: usize,
    p50: f64,
    p99: f64,
}

/// Calls each provider in turn, so that whatever disturbs the machine strikes all alike.
pub(crate) fn measure(providers: &[Named], calls: usize, endpoints: usize) -> Result<String, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let identity = ClientIdentity::generate();
    let mut subjects = Vec::new();
    for provider in providers {
        let started = plugin::start(&provider.binary, &identity)?;
        let subject = runtime.block_on(Subject::prepare(provider, started, &identity, endpoints));
        subjects.push(subject.map_err(|error| format!("{}: {error}", provider.name))?);
    }
    let mut measured = Vec::new();
    for call in Call::ALL {
        for in_flight in IN_FLIGHT {
            let mut taken: BTreeMap<usize, Vec<Duration>> = BTreeMap::new();
            while taken.first_key_value().is_none_or(|(_, taken)| taken.len() < calls) {
                for (index, subject) in subjects.iter().enumerate() {
                    let turn = runtime.block_on(subject.turn(call, in_flight));
                    let turn = turn.map_err(|error| format!("{}: {}: {error}", subject.name, call.name()))?;
                    taken.entry(index).or_default().extend(turn);
                }
            }
            for (index, mut taken) in taken {
                taken.sort();
                measured.push(Measured {
                    provider: subjects[index].name.clone(),
                    call: call.name(),
                    in_flight,
                    calls: taken.len(),
                    p50: microseconds(taken[taken.len() / 2]),
                    p99: microseconds(taken[taken.len() * 99 / 100]),
                });
            }
        }
    }
    for subject in subjects {
        runtime.block_on(subject.plugin.shut_down())?;
    }
    Ok(serde_json::to_string(&measured)?)
}

/// A provider, and the requests that it is sent.
struct Subject {
    name: String,
    plugin: Plugin,
    client: ProviderClient<Channel>,
    endpoints: Vec<Requests>,
}

/// The requests about one endpoint.
struct Requests {
    validate: validate_resource_config::Request,
    upgrade: upgrade_resource_state::Request,
    read: read_resource::Request,
    plan: plan_resource_change::Request,
    apply: apply_resource_change::Request,
}

impl Subject {
    /// Configures the provider, and creates the endpoints.
    async fn prepare(
        provider: &Named,
        started: plugin::Started,
        identity: &ClientIdentity,
        endpoints: usize,
    ) -> Result<Self, Failure> {
        let plugin = started.connect(identity).await?;
        let mut client = configured(&plugin).await?;
        let mut requests = Vec::new();
        for number in 0..endpoints {
            requests.push(Requests::of_a_new_endpoint(&mut client, &provider.name, number).await?);
        }
        Ok(Self {
            name: provider.name.clone(),
            plugin,
            client,
            endpoints: requests,
        })
    }

    /// Makes one turn's calls, and says what each has taken.
    async fn turn(&self, call: Call, in_flight: usize) -> Result<Vec<Duration>, Failure> {
        // The list that is read anew is the provider's own for half a minute, which is longer than a turn.
        self.made(call, 0).await?;
        let lanes = (0..in_flight).map(|lane| async move {
            let mut taken = Vec::new();
            for number in (lane..TURN).step_by(in_flight) {
                taken.push(self.made(call, number).await?);
            }
            Ok::<_, Failure>(taken)
        });
        Ok(try_join_all(lanes).await?.concat())
    }

    /// Makes a call about the endpoint of this number, and says what it has taken.
    async fn made(&self, call: Call, number: usize) -> Result<Duration, Failure> {
        let requests = &self.endpoints[number % self.endpoints.len()];
        let mut client = self.client.clone();
        let (taken, diagnostics) = match call {
            Call::Validate => {
                let request = requests.validate.clone();
                let (taken, answer) = timed(client.validate_resource_config(request)).await?;
                (taken, answer.diagnostics)
            }
            Call::Upgrade => {
                let request = requests.upgrade.clone();
                let (taken, answer) = timed(client.upgrade_resource_state(request)).await?;
                endpoint::decode(answer.upgraded_state.as_ref())?;
                (taken, answer.diagnostics)
            }
            Call::Read => {
                let request = requests.read.clone();
                let (taken, answer) = timed(client.read_resource(request)).await?;
                endpoint::decode(answer.new_state.as_ref())?;
                (taken, answer.diagnostics)
            }
            Call::Plan => {
                let request = requests.plan.clone();
                let (taken, answer) = timed(client.plan_resource_change(request)).await?;
                endpoint::decode(answer.planned_state.as_ref())?;
                (taken, answer.diagnostics)
            }
            Call::Apply => {
                let request = requests.apply.clone();
                let (taken, answer) = timed(client.apply_resource_change(request)).await?;
                endpoint::decode(answer.new_state.as_ref())?;
                (taken, answer.diagnostics)
            }
        };
        expect_no_diagnostics(&diagnostics)?;
        Ok(taken)
    }
}

/// An answer, and how long it took to arrive.
async fn timed<T>(
    call: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>,
) -> Result<(Duration, T), tonic::Status> {
    let asked = Instant::now();
    let answer = call.await?;
    Ok((asked.elapsed(), answer.into_inner()))
}

impl Requests {
    /// Creates an endpoint, and prepares what is to be asked about it: everything of a refresh and a plan that find
    /// nothing to do, and the apply of a change that needs no call, which is to forget what the last rotation was for.
    async fn of_a_new_endpoint(
        client: &mut ProviderClient<Channel>,
        type_name: &str,
        number: usize,
    ) -> Result<Self, Failure> {
        let type_name = type_name.to_owned();
        let configuration = endpoint::configuration(number, Some("1"));
        let config = Some(endpoint::encode(&configuration)?);
        let creation = plan_resource_change::Request {
            type_name: type_name.clone(),
            prior_state: Some(endpoint::null()),
            proposed_new_state: config.clone(),
            config: config.clone(),
            ..Default::default()
        };
        let created = planned_and_applied(client, creation).await?;
        let state = endpoint::decode(created.new_state.as_ref())?;

        let plan_of = |configuration: &Object| -> Result<_, Failure> {
            Ok(plan_resource_change::Request {
                type_name: type_name.clone(),
                prior_state: created.new_state.clone(),
                proposed_new_state: Some(endpoint::encode(&endpoint::proposed(configuration, &state))?),
                config: Some(endpoint::encode(configuration)?),
                prior_private: created.private.clone(),
                prior_identity: created.new_identity.clone(),
                ..Default::default()
            })
        };
        let forgetting = plan_of(&endpoint::configuration(number, None))?;
        Ok(Self {
            validate: validate_resource_config::Request {
                type_name: type_name.clone(),
                config,
                ..Default::default()
            },
            upgrade: upgrade_resource_state::Request {
                type_name: type_name.clone(),
                version: 0,
                raw_state: Some(RawState {
                    json: endpoint::stored(&state),
                    ..Default::default()
                }),
            },
            read: read_resource::Request {
                type_name: type_name.clone(),
                current_state: created.new_state.clone(),
                private: created.private.clone(),
                current_identity: created.new_identity.clone(),
                ..Default::default()
            },
            plan: plan_of(&configuration)?,
            apply: apply_of(client, forgetting).await?,
        })
    }
}

/// Plans, and makes the request that applies the plan.
async fn apply_of(
    client: &mut ProviderClient<Channel>,
    request: plan_resource_change::Request,
) -> Result<apply_resource_change::Request, Failure> {
    let planned = client.plan_resource_change(request.clone()).await?.into_inner();
    expect_no_diagnostics(&planned.diagnostics)?;
    Ok(apply_resource_change::Request {
        type_name: request.type_name,
        prior_state: request.prior_state,
        planned_state: planned.planned_state,
        config: request.config,
        planned_private: planned.planned_private,
        planned_identity: planned.planned_identity,
        ..Default::default()
    })
}

async fn planned_and_applied(
    client: &mut ProviderClient<Channel>,
    request: plan_resource_change::Request,
) -> Result<apply_resource_change::Response, Failure> {
    let request = apply_of(client, request).await?;
    let applied = client.apply_resource_change(request).await?.into_inner();
    expect_no_diagnostics(&applied.diagnostics)?;
    Ok(applied)
}

/// A client of the provider, which is configured by the environment alone.
pub(crate) async fn configured(plugin: &Plugin) -> Result<ProviderClient<Channel>, Failure> {
    let mut client = ProviderClient::new(plugin.channel.clone());
    let request = configure_provider::Request {
        config: Some(endpoint::null()),
        ..Default::default()
    };
    expect_no_diagnostics(&client.configure_provider(request).await?.into_inner().diagnostics)?;
    Ok(client)
}

/// What is measured must be what a call takes that goes well.
pub(crate) fn expect_no_diagnostics(diagnostics: &[Diagnostic]) -> Result<(), Failure> {
    match diagnostics.first() {
        None => Ok(()),
        Some(Diagnostic { summary, detail, .. }) => Err(format!("{summary}: {detail}").into()),
    }
}
