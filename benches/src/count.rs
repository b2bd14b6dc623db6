//! Makes calls of the provider in one thread, for what they cost to be counted.
//!
//! `count CALL N` sends `N` requests straight to the gRPC service, as bytes of a frame, and reads the bytes that it
//! answers: there is no socket, no TLS and no HTTP/2 between. It prints how many allocations a call makes. How many
//! instructions it takes is counted from outside, by callgrind, as the difference of two runs.
//!
//! HeyGen's part is left out: the list of endpoints is read once, of a server in this process, and the changes are such
//! as need no call.

use std::alloc::System;
use std::io::Write;
use std::net::Ipv4Addr;

use alloc_tracker::{Allocator, Session};
use clap::{Parser, ValueEnum};
use http_body_util::{BodyExt, Full};
use prost::Message;
use prost::bytes::{BufMut, Bytes, BytesMut};
use terraform_provider_heygen::provider::{Environment, HeygenProvider};
use terraform_provider_heygen::terraform::proto::provider_server::ProviderServer;
use terraform_provider_heygen::terraform::wire::encode_msgpack;
use terraform_provider_heygen::terraform::{Object, Provider, Schema, Service, Type, Value, proto};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tonic::body::Body;
use tower::Service as _;

#[global_allocator]
static ALLOCATOR: Allocator<System> = Allocator::system();

/// How many endpoints the account has: a full page.
const ENDPOINTS: usize = 100;

/// How many calls go before those that are counted.
const WARM_UPS: usize = 2 * ENDPOINTS;

#[derive(Parser)]
struct Arguments {
    /// What is called
    call: Call,
    /// How often
    times: usize,
}

/// What an engine asks about each resource, in the order in which it does.
#[derive(Clone, Copy, ValueEnum)]
enum Call {
    Validate,
    Upgrade,
    Read,
    Plan,
    Apply,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let allocations = runtime.block_on(counted(&arguments))?;
    writeln!(std::io::stdout(), "{allocations}")?;
    Ok(())
}

/// Makes the calls, and answers how many allocations one of them makes.
async fn counted(arguments: &Arguments) -> Result<f64, Failure> {
    let mut provider = Configured::start().await?;
    let mut requests = Vec::new();
    for number in 0..ENDPOINTS {
        requests.push(provider.request(arguments.call, number).await?);
    }
    let mut requests = requests.iter().cycle();
    let session = Session::new().no_stdout().no_file();
    let calls = session.operation("call");
    for request in requests.by_ref().take(WARM_UPS) {
        provider.answer(request).await?;
    }
    {
        let _span = calls.measure_thread().iterations(arguments.times.try_into()?);
        for request in requests.take(arguments.times) {
            provider.answer(request).await?;
        }
    }
    let report = session.to_report();
    let (_, counted) = report.operations().next().ok_or("nothing was counted")?;
    counted.allocations().ok_or_else(|| "nothing was counted".into())
}

/// A request as it comes over the wire, and where it goes.
struct Request {
    path: &'static str,
    frame: Bytes,
}

impl Request {
    /// A frame of gRPC: one byte that says "not compressed", the length, the message.
    fn new(path: &'static str, message: &impl Message) -> Result<Self, Failure> {
        let mut frame = BytesMut::new();
        frame.put_u8(0);
        frame.put_u32(message.encoded_len().try_into()?);
        message.encode(&mut frame)?;
        let frame = frame.freeze();
        Ok(Self { path, frame })
    }
}

/// The provider, configured, and what its schemas say.
struct Configured {
    service: ProviderServer<Service<HeygenProvider>>,
    resource: &'static Schema,
    identity: &'static Type,
}

impl Configured {
    async fn start() -> Result<Self, Failure> {
        let provider = HeygenProvider::new(Environment::default());
        let (config, resources) = (provider.schema(), provider.resources());
        let resource = resources.first().ok_or("there is no resource")?;
        let mut configured = Self {
            resource: resource.schema(),
            identity: resource.identity_schema().object_type(),
            service: Service::new(provider).into_server(),
        };
        let request = proto::configure_provider::Request {
            config: Some(encoded(
                object(
                    config,
                    [("base_url", text(&account().await?)), ("api_key", text("key"))],
                ),
                config.object_type(),
            )?),
            ..Default::default()
        };
        let request = Request::new("/tfplugin6.Provider/ConfigureProvider", &request)?;
        let answered: proto::configure_provider::Response = configured.message(&request).await?;
        if answered.diagnostics.is_empty() {
            Ok(configured)
        } else {
            Err(format!("{answered:?}").into())
        }
    }

    /// A request about the endpoint of this number. What state has of it is what the provider itself has answered.
    async fn request(&mut self, call: Call, number: usize) -> Result<Request, Failure> {
        let config = object(self.resource, configuration(number));
        let state = object(self.resource, configuration(number).into_iter().chain(computed(number)));
        let id = Object::from([("id".into(), text(&id(number)))]);
        let read = proto::read_resource::Request {
            type_name: TYPE_NAME.to_owned(),
            current_state: Some(self.encoded(state.clone())?),
            current_identity: Some(proto::ResourceIdentityData {
                identity_data: Some(encoded(id, self.identity)?),
            }),
            ..Default::default()
        };
        let request = Request::new("/tfplugin6.Provider/ReadResource", &read)?;
        let stored: proto::read_resource::Response = self.message(&request).await?;
        if !stored.diagnostics.is_empty() {
            return Err(format!("{stored:?}").into());
        }
        match call {
            Call::Validate => Request::new(
                "/tfplugin6.Provider/ValidateResourceConfig",
                &proto::validate_resource_config::Request {
                    type_name: TYPE_NAME.to_owned(),
                    config: Some(self.encoded(config)?),
                    ..Default::default()
                },
            ),
            Call::Upgrade => Request::new(
                "/tfplugin6.Provider/UpgradeResourceState",
                &proto::upgrade_resource_state::Request {
                    type_name: TYPE_NAME.to_owned(),
                    version: self.resource.version(),
                    raw_state: Some(proto::RawState {
                        json: serde_json::to_vec(&json(Value::Mapping(state)))?,
                        ..Default::default()
                    }),
                },
            ),
            Call::Read => Request::new(
                "/tfplugin6.Provider/ReadResource",
                &proto::read_resource::Request {
                    private: stored.private,
                    ..read
                },
            ),
            Call::Plan => Request::new(
                "/tfplugin6.Provider/PlanResourceChange",
                &proto::plan_resource_change::Request {
                    type_name: TYPE_NAME.to_owned(),
                    proposed_new_state: stored.new_state.clone(),
                    prior_state: stored.new_state,
                    prior_identity: stored.new_identity,
                    prior_private: stored.private,
                    config: Some(self.encoded(config)?),
                    ..Default::default()
                },
            ),
            Call::Apply => {
                // A trigger that goes away: state changes, and nobody is asked.
                let mut before = state.clone();
                before.insert("rotate_trigger".into(), text("2026-12"));
                Request::new(
                    "/tfplugin6.Provider/ApplyResourceChange",
                    &proto::apply_resource_change::Request {
                        type_name: TYPE_NAME.to_owned(),
                        prior_state: Some(self.encoded(before)?),
                        planned_state: Some(self.encoded(state)?),
                        planned_identity: stored.new_identity,
                        planned_private: stored.private,
                        config: Some(self.encoded(config)?),
                        ..Default::default()
                    },
                )
            }
        }
    }

    fn encoded(&self, object: Object) -> Result<proto::DynamicValue, Failure> {
        encoded(object, self.resource.object_type())
    }

    /// The message that is answered.
    async fn message<M: Message + Default>(&mut self, request: &Request) -> Result<M, Failure> {
        let answer = self.answer(request).await?;
        let message = answer.get(5..).ok_or("an answer without a message")?;
        Ok(M::decode(message)?)
    }

    /// The bytes that are answered.
    async fn answer(&mut self, request: &Request) -> Result<Bytes, Failure> {
        let request = http::Request::post(request.path)
            .header("content-type", "application/grpc")
            .body(Body::new(Full::new(request.frame.clone())))?;
        // It is always ready.
        let answered = self.service.call(request).await?;
        Ok(answered.into_body().collect().await?.to_bytes())
    }
}

const TYPE_NAME: &str = "heygen_webhook_endpoint";

fn id(number: usize) -> String {
    format!("ep_{number:032}")
}

/// A URL of sixty bytes.
fn url(number: usize) -> String {
    format!("https://hooks.example.com/heygen/webhooks/production/{number:07}")
}

const EVENTS: [&str; 2] = ["avatar_video.fail", "avatar_video.success"];
const CREATED_AT: &str = "2026-07-01T12:00:00Z";

fn configuration(number: usize) -> Vec<(&'static str, Value)> {
    vec![
        ("url", text(&url(number))),
        ("events", Value::Sequence(EVENTS.map(text).to_vec())),
    ]
}

fn computed(number: usize) -> Vec<(&'static str, Value)> {
    vec![
        ("id", text(&id(number))),
        ("secret", text("whsec_0123456789abcdef0123456789abcdef")),
        ("status", text("enabled")),
        ("created_at", text(CREATED_AT)),
    ]
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

/// An object of this schema, in which what is not named is null.
fn object(schema: &Schema, values: impl IntoIterator<Item = (&'static str, Value)>) -> Object {
    let null = schema.attributes().iter().map(|it| (it.name.into(), Value::Null));
    let mut object: Object = null.collect();
    object.extend(values.into_iter().map(|(name, value)| (name.into(), value)));
    object
}

fn encoded(object: Object, ty: &Type) -> Result<proto::DynamicValue, Failure> {
    Ok(proto::DynamicValue {
        msgpack: encode_msgpack(&Value::Mapping(object), ty)?,
        json: Vec::new(),
    })
}

/// The form in which state is stored.
fn json(value: Value) -> serde_json::Value {
    match value {
        Value::String(text) => text.into(),
        Value::Sequence(elements) => elements.into_iter().map(json).collect(),
        Value::Mapping(object) => object.into_iter().map(|(name, value)| (name, json(value))).collect(),
        // Nothing else occurs in these states.
        _ => serde_json::Value::Null,
    }
}

/// Serves the list of endpoints for as long as the runtime lives, and answers where. It does so in the same thread: where
/// another one takes memory too, what is counted depends on which was quicker.
async fn account() -> Result<String, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let endpoints = (0..ENDPOINTS).map(|number| {
        serde_json::json!({
            "endpoint_id": id(number),
            "url": url(number),
            "events": EVENTS,
            "status": "enabled",
            "created_at": CREATED_AT,
        })
    });
    let list = serde_json::json!({"data": endpoints.collect::<Vec<_>>(), "has_more": false, "next_token": null});
    let list = list.to_string();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            // A connection that breaks is the client's to report.
            let _ = serve(connection, &list).await;
        }
    });
    Ok(format!("http://{address}"))
}

/// Answers one request, whatever it asks for, and closes the connection.
async fn serve(connection: TcpStream, list: &str) -> std::io::Result<()> {
    let mut connection = BufReader::new(connection);
    let mut line = String::new();
    while connection.read_line(&mut line).await? > 0 && line != "\r\n" {
        line.clear();
    }
    let length = list.len();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{list}"
    );
    connection.write_all(answer.as_bytes()).await?;
    connection.shutdown().await
}
