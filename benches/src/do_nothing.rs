//! A provider that does nothing, beside which ours is measured: it is made of the same rooms, `plugin` and `terraform`, and
//! asks nobody.
//!
//! Its `nothing_endpoint` has the attributes of `heygen_webhook_endpoint`, so that states, plans and messages are of equal
//! size. Reading answers what it was given, and every change is done at once; only a creation takes as many milliseconds
//! as `NOTHING_WAIT_MS` says, if that is set.

use std::env;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use terraform_provider_heygen::plugin::{self, Cookie, Logs, Network, Options, Plugin};
use terraform_provider_heygen::terraform::{
    AnyDataSource, AnyListResource, AnyResource, Attribute, Diagnostics, Function, HostVersion, IdentityAttribute,
    IdentitySchema, ImportTarget, Mismatch, Model, Object, Outcome, Plan, Proposal, Provider, Resource, Schema,
    Service, Stored, Type, Value,
};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

fn main() -> ExitCode {
    plugin::report_panics();
    let wait = match env::var("NOTHING_WAIT_MS").map(|text| text.parse()) {
        Ok(Ok(milliseconds)) => Duration::from_millis(milliseconds),
        Ok(Err(_)) => return failed(&"NOTHING_WAIT_MS is not a number of milliseconds"),
        Err(_) => Duration::ZERO,
    };
    let provider = Plugin {
        cookie: Cookie {
            name: "TF_PLUGIN_MAGIC_COOKIE",
            value: "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
        },
        protocol_versions: &[6],
        logs: Logs {
            variables: &["TF_LOG_PROVIDER_NOTHING", "TF_LOG_PROVIDER", "TF_LOG"],
            module: "provider",
        },
        services: move |terminated| Routes::new(Service::with_termination(Nothing { wait }, terminated).into_server()),
    };
    let options = Options {
        network: Network::default(),
        debugger: None,
    };
    match plugin::serve(provider, options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(why: &dyn Display) -> ExitCode {
    let _ = writeln!(io::stderr(), "do-nothing: {why}");
    ExitCode::FAILURE
}

/// The provider, and how long it takes to create an object.
struct Nothing {
    wait: Duration,
}

static PROVIDER_SCHEMA: LazyLock<Schema> =
    LazyLock::new(|| Schema::new(0, "Manages nothing, for benches.", Vec::new()));

#[async_trait]
impl Provider for Nothing {
    const API_NAME: &'static str = "nothing";

    type Config = NoConfiguration;

    fn schema(&self) -> &'static Schema {
        &PROVIDER_SCHEMA
    }

    fn resources(&self) -> Vec<Arc<dyn AnyResource>> {
        vec![Arc::new(NothingEndpoint {
            wait: self.wait,
            created: AtomicU64::new(fastrand::u64(..1 << 48)),
        })]
    }

    fn data_sources(&self) -> Vec<Arc<dyn AnyDataSource>> {
        Vec::new()
    }

    fn list_resources(&self) -> Vec<Arc<dyn AnyListResource>> {
        Vec::new()
    }

    fn functions(&self) -> Vec<Box<dyn Function>> {
        Vec::new()
    }

    fn validate(&self, _config: &NoConfiguration) -> Diagnostics {
        Diagnostics::none()
    }

    async fn configure(&self, _config: NoConfiguration, _host: HostVersion) -> Diagnostics {
        Diagnostics::none()
    }
}

/// The provider block, which has no attributes.
#[derive(Clone)]
struct NoConfiguration;

impl Model for NoConfiguration {
    const ATTRIBUTES: &'static [&'static str] = &[];

    fn null() -> Self {
        Self
    }

    fn from_object(_object: Object) -> Result<Self, Mismatch> {
        Ok(Self)
    }

    fn into_object(self) -> Object {
        Object::new()
    }

    fn null_unknowns(&mut self) -> Vec<&'static str> {
        Vec::new()
    }
}

/// The attributes of an endpoint, as they came: nobody asks for one of them but for the id.
#[derive(Clone)]
struct Endpoint(Object);

impl Model for Endpoint {
    const ATTRIBUTES: &'static [&'static str] = &[
        "created_at",
        "entity_id",
        "events",
        "id",
        "replace_when_disabled",
        "rotate_trigger",
        "secret",
        "status",
        "url",
    ];

    fn null() -> Self {
        let names = Self::ATTRIBUTES.iter();
        Self(names.map(|name| ((*name).into(), Value::Null)).collect())
    }

    fn from_object(object: Object) -> Result<Self, Mismatch> {
        Ok(Self(object))
    }

    fn into_object(self) -> Object {
        self.0
    }

    fn null_unknowns(&mut self) -> Vec<&'static str> {
        let mut unknown = Vec::new();
        for name in Self::ATTRIBUTES {
            if let Some(value @ Value::Unknown) = self.0.get_mut(*name) {
                *value = Value::Null;
                unknown.push(*name);
            }
        }
        unknown
    }
}

impl Endpoint {
    /// The attributes to which only the provider gives a value.
    const COMPUTED: [&str; 4] = ["created_at", "id", "secret", "status"];

    fn set(&mut self, name: &'static str, value: Value) {
        self.0.insert(name.into(), value);
    }
}

/// No data beside the state. It is written and read all the same, as ours is.
#[derive(Clone, Default, Serialize, Deserialize)]
struct NoPrivateData {}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let attributes = vec![
        Attribute::computed("id", Type::String, "The id."),
        Attribute::required("url", Type::String, "Any text."),
        Attribute::optional("events", Type::set(Type::String), "Any texts."),
        Attribute::optional("entity_id", Type::String, "Any text."),
        Attribute::optional("rotate_trigger", Type::String, "Any text. Its change does nothing."),
        Attribute::computed("secret", Type::String, "As long as a secret of HeyGen's.").sensitive(),
        Attribute::computed("status", Type::String, "Always `enabled`."),
        Attribute::computed("created_at", Type::String, "Always the same."),
        Attribute::optional("replace_when_disabled", Type::Bool, "Replaces nothing."),
    ];
    Schema::new(0, "Does nothing.", attributes)
});

static IDENTITY_SCHEMA: LazyLock<IdentitySchema> = LazyLock::new(|| {
    let id = IdentityAttribute {
        name: "id",
        ty: Type::String,
        description: "The id.",
    };
    IdentitySchema::new(0, vec![id])
});

/// The resource.
struct NothingEndpoint {
    wait: Duration,
    /// What the next id is made of. It begins anywhere, so that two processes do not make the same ids.
    created: AtomicU64,
}

type StoredEndpoint = Stored<Endpoint, NoPrivateData>;

#[async_trait]
impl Resource for NothingEndpoint {
    type Model = Endpoint;
    type Private = NoPrivateData;

    fn type_name(&self) -> &'static str {
        "nothing_endpoint"
    }

    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn identity_schema(&self) -> &'static IdentitySchema {
        &IDENTITY_SCHEMA
    }

    fn identity(&self, state: &Endpoint) -> Option<Object> {
        let id = state.0.get("id").filter(|id| matches!(id, Value::String(_)))?;
        Some(Object::from([("id".into(), id.clone())]))
    }

    fn validate(&self, _config: &Endpoint) -> Diagnostics {
        Diagnostics::none()
    }

    fn plan(&self, proposal: Proposal<Endpoint, NoPrivateData>) -> Plan<Endpoint> {
        let (mut planned, prior) = match proposal {
            Proposal::Create { config } => (config, None),
            Proposal::Update { prior, config, .. } => (config, Some(prior.state)),
        };
        for name in Endpoint::COMPUTED {
            let before = prior.as_ref().and_then(|prior| prior.0.get(name).cloned());
            planned.set(name, before.unwrap_or(Value::Unknown));
        }
        Plan {
            planned,
            requires_replace: Vec::new(),
            diagnostics: Diagnostics::none(),
        }
    }

    async fn read(&self, stored: StoredEndpoint, _stop: &CancellationToken) -> Outcome<Option<StoredEndpoint>> {
        Outcome::ok(Some(stored))
    }

    async fn create(&self, planned: Endpoint, _stop: &CancellationToken) -> Outcome<Option<StoredEndpoint>> {
        if !self.wait.is_zero() {
            tokio::time::sleep(self.wait).await;
        }
        let number = self.created.fetch_add(1, Ordering::Relaxed);
        let mut state = planned;
        // Of the lengths that HeyGen's have.
        state.set("id", Value::String(format!("ep_{number:020}")));
        state.set("secret", Value::String(format!("whsec_{number:032}")));
        state.set("status", Value::String("enabled".to_owned()));
        state.set("created_at", Value::String("2026-07-01T12:00:00Z".to_owned()));
        Outcome::ok(Some(stored(state)))
    }

    async fn update(
        &self,
        _prior: StoredEndpoint,
        planned: Endpoint,
        _stop: &CancellationToken,
    ) -> Outcome<StoredEndpoint> {
        Outcome::ok(stored(planned))
    }

    async fn delete(&self, _prior: StoredEndpoint, _stop: &CancellationToken) -> Diagnostics {
        Diagnostics::none()
    }

    /// Nobody knows of the imported object more than its id.
    async fn import(&self, target: ImportTarget, _stop: &CancellationToken) -> Outcome<Option<StoredEndpoint>> {
        let id = match target {
            ImportTarget::Id(id) => Value::String(id),
            ImportTarget::Identity(mut identity) => identity.remove("id").unwrap_or(Value::Null),
        };
        let mut state = Endpoint::null();
        state.set("id", id);
        Outcome::ok(Some(stored(state)))
    }

    fn loss_of_private_data(&self) -> &'static str {
        "Without it nothing is lost."
    }
}

fn stored(state: Endpoint) -> StoredEndpoint {
    Stored {
        state,
        private: NoPrivateData {},
    }
}
