//! What calls over https take, from the first to the thousandth: through a provider, and by a bare client of the same kind
//! as the provider's.

use std::collections::BTreeMap;
use std::env;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::crypto::ring;
use rustls_platform_verifier::BuilderVerifierExt;
use serde::Serialize;
use terraform_provider_heygen::terraform::proto::provider_client::ProviderClient;
use terraform_provider_heygen::terraform::proto::{DynamicValue, read_data_source};
use terraform_provider_heygen::terraform::wire::encode_msgpack;
use terraform_provider_heygen::terraform::{Type, Value};
use tokio::runtime::Builder;
use tonic::transport::Channel;

use crate::calls::{configured, expect_no_diagnostics};
use crate::certificates::ClientIdentity;
use crate::clock::milliseconds;
use crate::plugin::{self, Plugin};
use crate::{Failure, Named};

/// A call of HeyGen's API that no provider has reason to make only once.
const DATA_SOURCE: &str = "heygen_webhook_events";

/// What calls took, in milliseconds.
#[derive(Serialize)]
struct Measured {
    client: String,
    /// The first one, which connects.
    first: f64,
    /// The median of the second half.
    later: f64,
}

/// Makes the calls one after the other, with each client in turn, so that whatever disturbs the machine strikes all alike.
pub(crate) fn measure(providers: &[Named], calls: usize) -> Result<String, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let identity = ClientIdentity::generate();
    let mut taken: BTreeMap<String, Vec<Duration>> = BTreeMap::new();
    let mut provided = Vec::new();
    for provider in providers {
        let started = plugin::start(&provider.binary, &identity)?;
        provided.push((
            provider.name.clone(),
            runtime.block_on(Provided::prepare(started, &identity))?,
        ));
    }
    let mut bare = None;
    for _ in 0..calls {
        for (name, provider) in &mut provided {
            let took = runtime.block_on(provider.made())?;
            taken.entry(name.clone()).or_default().push(took);
        }
        let took = runtime.block_on(made(&mut bare))?;
        taken.entry("bare client".to_owned()).or_default().push(took);
    }
    for (_, provider) in provided {
        runtime.block_on(provider.plugin.shut_down())?;
    }
    let measured = taken.into_iter().map(|(client, taken)| {
        let mut later = taken[taken.len() / 2..].to_vec();
        later.sort();
        Measured {
            client,
            first: milliseconds(taken[0]),
            later: milliseconds(later[later.len() / 2]),
        }
    });
    Ok(serde_json::to_string(&measured.collect::<Vec<_>>())?)
}

/// A provider that is configured, and has not called anything.
struct Provided {
    plugin: Plugin,
    client: ProviderClient<Channel>,
    request: read_data_source::Request,
}

impl Provided {
    async fn prepare(started: plugin::Started, identity: &ClientIdentity) -> Result<Self, Failure> {
        let plugin = started.connect(identity).await?;
        Ok(Self {
            client: configured(&plugin).await?,
            plugin,
            request: read_data_source::Request {
                type_name: DATA_SOURCE.to_owned(),
                config: Some(everything()?),
                ..Default::default()
            },
        })
    }

    async fn made(&mut self) -> Result<Duration, Failure> {
        let (request, asked) = (self.request.clone(), Instant::now());
        let answer = self.client.read_data_source(request).await?.into_inner();
        let took = asked.elapsed();
        expect_no_diagnostics(&answer.diagnostics)?;
        Ok(took)
    }
}

/// The configuration of the data source without a filter.
fn everything() -> Result<DynamicValue, Failure> {
    let event = [
        ("created_at", Type::String),
        ("event_data", Type::String),
        ("event_id", Type::String),
        ("event_type", Type::String),
    ];
    let event = Type::Object(event.map(|(name, ty)| (name.into(), ty)).into());
    let attributes = [
        ("entity_id", Type::String),
        ("event_type", Type::String),
        ("events", Type::List(Box::new(event))),
        ("limit", Type::Number),
    ];
    let nothing = attributes.iter().map(|(name, _)| ((*name).into(), Value::Null));
    let nothing = Value::Mapping(nothing.collect());
    let ty = Type::Object(attributes.map(|(name, ty)| (name.into(), ty)).into());
    Ok(DynamicValue {
        msgpack: encode_msgpack(&nothing, &ty)?,
        json: Vec::new(),
    })
}

/// The same call by a client that is made for the first of them, as the provider's is.
async fn made(client: &mut Option<reqwest::Client>) -> Result<Duration, Failure> {
    let asked = Instant::now();
    let client = match client {
        Some(client) => client,
        None => client.insert(bare()?),
    };
    let url = format!("{}/v3/webhooks/events?limit=100", env::var("HEYGEN_API_BASE")?);
    let answer = client
        .get(url)
        .header("X-Api-Key", env::var("HEYGEN_API_KEY")?)
        .send()
        .await?;
    let status = answer.status();
    let body = answer.bytes().await?;
    let took = asked.elapsed();
    if !status.is_success() {
        return Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into());
    }
    Ok(took)
}

fn bare() -> Result<reqwest::Client, Failure> {
    let mut tls = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy();
    Ok(client.user_agent("bare client").build()?)
}
