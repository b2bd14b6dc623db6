//! Many calls at once, a large account, a large configuration. Each test prints its figures at its end.

mod account;
mod configuration;
mod process;

use std::sync::Arc;

use terraform_provider_heygen::terraform::proto::{self, DynamicValue, provider_client::ProviderClient};
use terraform_provider_heygen::terraform::wire::{decode_msgpack, encode_msgpack};
use terraform_provider_heygen::terraform::{Object, Type, Value};
use tonic::transport::Channel;

use crate::fake_heygen::FakeHeygen;
use crate::support::host::{Host, Plugin};

const RESOURCE: &str = "heygen_webhook_endpoint";

/// The provider in a process of its own, configured for an account, over one channel as Terraform has it.
struct Provider {
    plugin: Plugin,
    channel: Channel,
    client: ProviderClient<Channel>,
    ty: Arc<Type>,
}

impl Provider {
    async fn start(heygen: &FakeHeygen) -> Self {
        let plugin = Host::new()
            .env("HEYGEN_API_BASE", heygen.base_url())
            .env("HEYGEN_API_KEY", heygen.api_key())
            .start()
            .await;
        let channel = plugin.channel().await;
        let mut client = ProviderClient::new(channel.clone());
        let schemas = client.get_provider_schema(proto::get_provider_schema::Request {}).await;
        let mut schemas = schemas.unwrap().into_inner();
        let block = schemas.resource_schemas.remove(RESOURCE).unwrap().block.unwrap();
        let attributes = block.attributes.into_iter();
        let ty = attributes.map(|a| (a.name, Type::from_signature(&a.r#type).unwrap()));
        let ty = Arc::new(Type::Object(ty.collect()));
        let configure = proto::configure_provider::Request::default();
        let answer = client.configure_provider(configure).await.unwrap().into_inner();
        assert_eq!(answer.diagnostics, []);
        Self {
            plugin,
            channel,
            client,
            ty,
        }
    }

    fn caller(&self) -> Caller {
        Caller {
            client: self.client.clone(),
            ty: Arc::clone(&self.ty),
        }
    }

    async fn shutdown(self) {
        self.plugin.shutdown_over(self.channel).await;
    }
}

/// Calls about one resource after the other, each of which must succeed.
#[derive(Clone)]
struct Caller {
    client: ProviderClient<Channel>,
    ty: Arc<Type>,
}

impl Caller {
    /// A whole object: what is not given is null.
    fn object(&self, given: &[(&str, Value)]) -> Value {
        let Type::Object(types) = &*self.ty else {
            panic!("a resource is an object")
        };
        let mut object: Object = types.keys().map(|name| (name.clone(), Value::Null)).collect();
        object.extend(given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        Value::Mapping(object)
    }

    fn message(&self, value: &Value) -> DynamicValue {
        DynamicValue {
            msgpack: encode_msgpack(value, &self.ty).unwrap(),
            json: Vec::new(),
        }
    }

    fn value(&self, message: Option<DynamicValue>) -> Value {
        decode_msgpack(&message.unwrap().msgpack, &self.ty).unwrap()
    }

    async fn validate(&mut self, config: &Value) {
        let request = proto::validate_resource_config::Request {
            type_name: RESOURCE.to_owned(),
            config: Some(self.message(config)),
            client_capabilities: None,
        };
        let answer = self
            .client
            .validate_resource_config(request)
            .await
            .unwrap()
            .into_inner();
        assert_eq!(answer.diagnostics, []);
    }

    async fn plan(&mut self, prior: &Value, proposed: &Value, config: &Value) -> Value {
        let request = proto::plan_resource_change::Request {
            type_name: RESOURCE.to_owned(),
            prior_state: Some(self.message(prior)),
            proposed_new_state: Some(self.message(proposed)),
            config: Some(self.message(config)),
            ..Default::default()
        };
        let answer = self.client.plan_resource_change(request).await.unwrap().into_inner();
        assert_eq!(answer.diagnostics, []);
        self.value(answer.planned_state)
    }

    async fn apply(&mut self, prior: &Value, planned: &Value, config: &Value) -> Value {
        let request = proto::apply_resource_change::Request {
            type_name: RESOURCE.to_owned(),
            prior_state: Some(self.message(prior)),
            planned_state: Some(self.message(planned)),
            config: Some(self.message(config)),
            ..Default::default()
        };
        let answer = self.client.apply_resource_change(request).await.unwrap().into_inner();
        assert_eq!(answer.diagnostics, []);
        self.value(answer.new_state)
    }

    async fn read(&mut self, state: &Value) -> Value {
        let request = proto::read_resource::Request {
            type_name: RESOURCE.to_owned(),
            current_state: Some(self.message(state)),
            ..Default::default()
        };
        let answer = self.client.read_resource(request).await.unwrap().into_inner();
        assert_eq!(answer.diagnostics, []);
        self.value(answer.new_state)
    }
}

/// The text of an attribute.
fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    match object {
        Value::Mapping(attributes) => match &attributes[name] {
            Value::String(text) => text,
            other => panic!("{name} is {other:?}"),
        },
        other => panic!("{other:?} is no object"),
    }
}

/// Figures belong to the test's output, whoever runs it.
#[allow(clippy::print_stdout, reason = "this is a test's output, not the plugin's")]
fn report(figures: &str) {
    println!("load: {figures}");
}
