//! A provider for the model's own tests: well-behaved, until a test alters its answers.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};

use terraform_provider_heygen::terraform::proto::{self, provider_server::Provider, provider_server::ProviderServer};
use tonic::{Request, Response, Status};

use super::model::{Attributes, Core};
use super::report::Violation;
use super::schema::Schemas;
use super::types::Type;
use super::value::Value;
use super::{msgpack, report::Findings};
use crate::support::in_process::client_of;

/// The address of the one resource most tests need.
pub(crate) const ADDRESS: &str = "thing.a";

/// Changes an answer before it is sent, or replaces it by a status.
type Alteration<Q, A> = Option<Box<dyn Fn(&Q, &mut A) -> Result<(), Status> + Send + Sync>>;

/// What an alteration may come to.
pub(crate) trait Outcome {
    fn outcome(self) -> Result<(), Status>;
}

impl Outcome for () {
    fn outcome(self) -> Result<(), Status> {
        Ok(())
    }
}

impl Outcome for Result<(), Status> {
    fn outcome(self) -> Result<(), Status> {
        self
    }
}

/// A script with one alteration per call, and a method for each to set it.
macro_rules! script {
    ($($method:ident: $question:ty => $answer:ty;)*) => {
        /// How a provider differs from a good one, and what it was asked.
        #[derive(Default)]
        pub(crate) struct Script {
            $($method: Alteration<$question, $answer>,)*
            asked: Mutex<Asked>,
        }

        impl Script {
            $(pub(crate) fn $method<O: Outcome>(
                mut self,
                alter: impl Fn(&$question, &mut $answer) -> O + Send + Sync + 'static,
            ) -> Self {
                self.$method = Some(Box::new(move |question, answer| alter(question, answer).outcome()));
                self
            })*
        }
    };
}

script! {
    schema: () => proto::get_provider_schema::Response;
    identities: () => proto::get_resource_identity_schemas::Response;
    configure: proto::configure_provider::Request => proto::configure_provider::Response;
    validate: proto::validate_resource_config::Request => proto::validate_resource_config::Response;
    upgrade: proto::upgrade_resource_state::Request => proto::upgrade_resource_state::Response;
    read: proto::read_resource::Request => proto::read_resource::Response;
    plan: proto::plan_resource_change::Request => proto::plan_resource_change::Response;
    apply: proto::apply_resource_change::Request => proto::apply_resource_change::Response;
    import: proto::import_resource_state::Request => proto::import_resource_state::Response;
}

/// Every question, in order.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) upgrades: Vec<proto::upgrade_resource_state::Request>,
    pub(crate) identity_upgrades: Vec<proto::upgrade_resource_identity::Request>,
    pub(crate) reads: Vec<proto::read_resource::Request>,
    pub(crate) plans: Vec<proto::plan_resource_change::Request>,
    pub(crate) applies: Vec<proto::apply_resource_change::Request>,
    in_flight: usize,
    pub(crate) most_in_flight: usize,
}

impl Script {
    /// What the provider was asked so far.
    pub(crate) fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap()
    }
}

/// A recording model on a provider that follows the script, which stays there to be looked at.
pub(crate) async fn core(script: Script) -> (Core, Arc<Script>) {
    let (core, script) = strict_core(script).await;
    (core.recording(), script)
}

/// The same, with a model that panics.
pub(crate) async fn strict_core(script: Script) -> (Core, Arc<Script>) {
    let (core, script) = connected(script).await;
    (core.unwrap_or_else(|violations| panic!("{violations:?}")), script)
}

/// The same, where the schemas may be the problem.
pub(crate) async fn connected(script: Script) -> (Result<Core, Vec<Violation>>, Arc<Script>) {
    let script = Arc::new(script);
    let service = ProviderServer::new(Scripted(Arc::clone(&script)));
    (Core::connect(client_of(service)).await, script)
}

/// A configuration that sets `url` and whatever else is given.
pub(crate) fn config(more: impl IntoIterator<Item = (&'static str, Value)>) -> BTreeMap<String, Attributes> {
    let url = ("url", Value::from("https://example.org/hook"));
    let attributes = [url]
        .into_iter()
        .chain(more)
        .map(|(name, value)| (name.to_owned(), value));
    [(ADDRESS.to_owned(), attributes.collect())].into()
}

/// Sets one attribute of an object in a message.
pub(crate) fn set(message: &mut Option<proto::DynamicValue>, name: &str, value: Value) {
    let Value::Object(mut attributes) = object_in(message.as_ref()) else {
        panic!("there is no object")
    };
    attributes.insert(name.to_owned(), value);
    *message = message_of(&Value::Object(attributes));
}

/// The object in a message.
pub(crate) fn object_in(message: Option<&proto::DynamicValue>) -> Value {
    message.map_or(Value::Null, |message| {
        msgpack::decode(&message.msgpack, &thing_type()).unwrap()
    })
}

#[expect(clippy::unnecessary_wraps, reason = "as messages hold it")]
pub(crate) fn message_of(value: &Value) -> Option<proto::DynamicValue> {
    Some(raw(msgpack::encode(value, &thing_type())))
}

pub(crate) fn raw(msgpack: Vec<u8>) -> proto::DynamicValue {
    proto::DynamicValue {
        msgpack,
        json: Vec::new(),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "as messages hold it")]
pub(crate) fn identity_of(id: Value) -> Option<proto::ResourceIdentityData> {
    let ty = Type::Object([("id".to_owned(), Type::String)].into());
    let data = raw(msgpack::encode(&Value::object([("id", id)]), &ty));
    Some(proto::ResourceIdentityData {
        identity_data: Some(data),
    })
}

pub(crate) fn error(summary: &str) -> proto::Diagnostic {
    let mut diagnostic = proto::Diagnostic {
        summary: summary.to_owned(),
        ..Default::default()
    };
    diagnostic.set_severity(proto::diagnostic::Severity::Error);
    diagnostic
}

pub(crate) fn attribute_path(names: &[&str]) -> proto::AttributePath {
    use proto::attribute_path::{Step, step::Selector};
    let step = |name: &&str| Step {
        selector: Some(Selector::AttributeName((*name).to_owned())),
    };
    proto::AttributePath {
        steps: names.iter().map(step).collect(),
    }
}

fn thing_schema() -> proto::get_provider_schema::Response {
    let attribute = |name: &str, ty: &str, kind: &str| proto::schema::Attribute {
        name: name.to_owned(),
        r#type: ty.as_bytes().to_vec(),
        required: kind == "required",
        optional: matches!(kind, "optional" | "either" | "write-only"),
        computed: matches!(kind, "computed" | "either" | "secret"),
        sensitive: kind == "secret",
        write_only: kind == "write-only",
        ..Default::default()
    };
    let block = |attributes| proto::Schema {
        version: 0,
        block: Some(proto::schema::Block {
            attributes,
            ..Default::default()
        }),
    };
    let thing = block(vec![
        attribute("created", r#""string""#, "computed"),
        attribute("events", r#"["set","string"]"#, "optional"),
        attribute("id", r#""string""#, "computed"),
        attribute("kind", r#""string""#, "optional"),
        attribute("note", r#""string""#, "either"),
        attribute("password", r#""string""#, "write-only"),
        attribute("secret", r#""string""#, "secret"),
        attribute("size", r#""number""#, "optional"),
        attribute("url", r#""string""#, "required"),
    ]);
    proto::get_provider_schema::Response {
        provider: Some(block(vec![attribute("key", r#""string""#, "optional")])),
        resource_schemas: [("thing".to_owned(), thing)].into(),
        ..Default::default()
    }
}

fn thing_identities() -> proto::get_resource_identity_schemas::Response {
    let id = proto::resource_identity_schema::IdentityAttribute {
        name: "id".to_owned(),
        r#type: br#""string""#.to_vec(),
        required_for_import: true,
        ..Default::default()
    };
    let thing = proto::ResourceIdentitySchema {
        version: 0,
        identity_attributes: vec![id],
    };
    proto::get_resource_identity_schemas::Response {
        identity_schemas: [("thing".to_owned(), thing)].into(),
        diagnostics: Vec::new(),
    }
}

fn thing_type() -> Type {
    let schemas = Schemas::read(&thing_schema(), &thing_identities(), &mut Findings::default());
    schemas.resources["thing"].block.object_type()
}

/// Reads back what the model wrote to state; as far as the attributes of a thing go.
fn from_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(flag) => Value::Bool(*flag),
        serde_json::Value::Number(number) => Value::number(&number.to_string()),
        serde_json::Value::String(text) => Value::string(text),
        serde_json::Value::Array(items) => Value::set(items.iter().map(from_json)),
        serde_json::Value::Object(attributes) => {
            Value::object(attributes.iter().map(|(name, value)| (name.clone(), from_json(value))))
        }
    }
}

struct Scripted(Arc<Script>);

impl Scripted {
    fn answered<Q, A>(alter: &Alteration<Q, A>, question: &Q, mut answer: A) -> Result<Response<A>, Status> {
        if let Some(alter) = alter {
            alter(question, &mut answer)?;
        }
        Ok(Response::new(answer))
    }
}

/// What a provider without a feature answers.
macro_rules! absent {
    ($($method:ident($module:ident) -> $answer:ty;)*) => {$(
        fn $method<'a, 'b>(
            &'a self,
            _request: Request<proto::$module::Request>,
        ) -> Pin<Box<dyn Future<Output = Result<Response<$answer>, Status>> + Send + 'b>>
        where
            'a: 'b,
            Self: 'b,
        {
            Box::pin(async { Err(Status::unimplemented("absent")) })
        }
    )*};
}

#[tonic::async_trait]
impl Provider for Scripted {
    type ListResourceStream = tokio_stream::Empty<Result<proto::list_resource::Event, Status>>;
    type ReadStateBytesStream = tokio_stream::Empty<Result<proto::read_state_bytes::Response, Status>>;
    type InvokeActionStream = tokio_stream::Empty<Result<proto::invoke_action::Event, Status>>;

    async fn get_provider_schema(
        &self,
        _: Request<proto::get_provider_schema::Request>,
    ) -> Result<Response<proto::get_provider_schema::Response>, Status> {
        Self::answered(&self.0.schema, &(), thing_schema())
    }

    async fn get_resource_identity_schemas(
        &self,
        _: Request<proto::get_resource_identity_schemas::Request>,
    ) -> Result<Response<proto::get_resource_identity_schemas::Response>, Status> {
        Self::answered(&self.0.identities, &(), thing_identities())
    }

    async fn validate_provider_config(
        &self,
        _: Request<proto::validate_provider_config::Request>,
    ) -> Result<Response<proto::validate_provider_config::Response>, Status> {
        Ok(Response::new(proto::validate_provider_config::Response::default()))
    }

    async fn configure_provider(
        &self,
        request: Request<proto::configure_provider::Request>,
    ) -> Result<Response<proto::configure_provider::Response>, Status> {
        Self::answered(
            &self.0.configure,
            request.get_ref(),
            proto::configure_provider::Response::default(),
        )
    }

    async fn validate_resource_config(
        &self,
        request: Request<proto::validate_resource_config::Request>,
    ) -> Result<Response<proto::validate_resource_config::Response>, Status> {
        Self::answered(
            &self.0.validate,
            request.get_ref(),
            proto::validate_resource_config::Response::default(),
        )
    }

    async fn upgrade_resource_state(
        &self,
        request: Request<proto::upgrade_resource_state::Request>,
    ) -> Result<Response<proto::upgrade_resource_state::Response>, Status> {
        let request = request.into_inner();
        let json = &request.raw_state.as_ref().unwrap().json;
        let answer = proto::upgrade_resource_state::Response {
            upgraded_state: message_of(&from_json(&serde_json::from_slice(json).unwrap())),
            diagnostics: Vec::new(),
        };
        self.0.asked().upgrades.push(request.clone());
        Self::answered(&self.0.upgrade, &request, answer)
    }

    async fn upgrade_resource_identity(
        &self,
        request: Request<proto::upgrade_resource_identity::Request>,
    ) -> Result<Response<proto::upgrade_resource_identity::Response>, Status> {
        self.0.asked().identity_upgrades.push(request.into_inner());
        Ok(Response::new(proto::upgrade_resource_identity::Response::default()))
    }

    async fn read_resource(
        &self,
        request: Request<proto::read_resource::Request>,
    ) -> Result<Response<proto::read_resource::Response>, Status> {
        let request = request.into_inner();
        let answer = proto::read_resource::Response {
            new_state: request.current_state.clone(),
            private: request.private.clone(),
            new_identity: request.current_identity.clone(),
            ..Default::default()
        };
        {
            let mut asked = self.0.asked();
            asked.reads.push(request.clone());
            asked.in_flight += 1;
            asked.most_in_flight = asked.most_in_flight.max(asked.in_flight);
        }
        // Lets whatever else has been asked for arrive meanwhile.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        self.0.asked().in_flight -= 1;
        Self::answered(&self.0.read, &request, answer)
    }

    async fn plan_resource_change(
        &self,
        request: Request<proto::plan_resource_change::Request>,
    ) -> Result<Response<proto::plan_resource_change::Response>, Status> {
        let request = request.into_inner();
        let mut answer = proto::plan_resource_change::Response {
            planned_state: request.proposed_new_state.clone(),
            planned_private: request.prior_private.clone(),
            planned_identity: request.prior_identity.clone(),
            ..Default::default()
        };
        let prior = object_in(request.prior_state.as_ref());
        let proposed = object_in(request.proposed_new_state.as_ref());
        if prior.is_null() {
            for name in ["created", "id", "secret"] {
                set(&mut answer.planned_state, name, Value::unknown());
            }
            if proposed.attribute("note").is_null() {
                set(&mut answer.planned_state, "note", Value::unknown());
            }
            answer.planned_identity = identity_of(Value::unknown());
        } else if !proposed.is_null() && prior.attribute("kind") != proposed.attribute("kind") {
            answer.requires_replace.push(attribute_path(&["kind"]));
        }
        if !proposed.is_null() {
            set(&mut answer.planned_state, "password", Value::Null);
        }
        self.0.asked().plans.push(request.clone());
        Self::answered(&self.0.plan, &request, answer)
    }

    async fn apply_resource_change(
        &self,
        request: Request<proto::apply_resource_change::Request>,
    ) -> Result<Response<proto::apply_resource_change::Response>, Status> {
        let request = request.into_inner();
        let mut answer = proto::apply_resource_change::Response {
            new_state: request.planned_state.clone(),
            private: request.planned_private.clone(),
            ..Default::default()
        };
        let planned = object_in(request.planned_state.as_ref());
        if !planned.is_null() {
            for name in ["created", "id", "note", "secret"] {
                if planned.attribute(name).is_unknown() {
                    set(&mut answer.new_state, name, format!("{name} given").as_str().into());
                }
            }
            answer.new_identity = identity_of(object_in(answer.new_state.as_ref()).attribute("id"));
            if answer.private.is_empty() {
                answer.private = b"born".to_vec();
            }
        }
        self.0.asked().applies.push(request.clone());
        Self::answered(&self.0.apply, &request, answer)
    }

    async fn import_resource_state(
        &self,
        request: Request<proto::import_resource_state::Request>,
    ) -> Result<Response<proto::import_resource_state::Response>, Status> {
        let request = request.into_inner();
        let Type::Object(types) = thing_type() else {
            panic!("a thing is an object")
        };
        let mut state = message_of(&Value::object(types.into_keys().map(|name| (name, Value::Null))));
        set(&mut state, "id", request.id.as_str().into());
        set(&mut state, "url", "https://example.org/hook".into());
        let identity = request
            .identity
            .clone()
            .or_else(|| identity_of(request.id.as_str().into()));
        let imported = proto::import_resource_state::ImportedResource {
            type_name: request.type_name.clone(),
            state,
            private: Vec::new(),
            identity,
        };
        let answer = proto::import_resource_state::Response {
            imported_resources: vec![imported],
            ..Default::default()
        };
        Self::answered(&self.0.import, &request, answer)
    }

    async fn stop_provider(
        &self,
        _: Request<proto::stop_provider::Request>,
    ) -> Result<Response<proto::stop_provider::Response>, Status> {
        Ok(Response::new(proto::stop_provider::Response::default()))
    }

    absent! {
        get_metadata(get_metadata) -> proto::get_metadata::Response;
        validate_data_resource_config(validate_data_resource_config)
            -> proto::validate_data_resource_config::Response;
        move_resource_state(move_resource_state) -> proto::move_resource_state::Response;
        read_data_source(read_data_source) -> proto::read_data_source::Response;
        generate_resource_config(generate_resource_config) -> proto::generate_resource_config::Response;
        validate_ephemeral_resource_config(validate_ephemeral_resource_config)
            -> proto::validate_ephemeral_resource_config::Response;
        open_ephemeral_resource(open_ephemeral_resource) -> proto::open_ephemeral_resource::Response;
        renew_ephemeral_resource(renew_ephemeral_resource) -> proto::renew_ephemeral_resource::Response;
        close_ephemeral_resource(close_ephemeral_resource) -> proto::close_ephemeral_resource::Response;
        list_resource(list_resource) -> Self::ListResourceStream;
        validate_list_resource_config(validate_list_resource_config)
            -> proto::validate_list_resource_config::Response;
        get_functions(get_functions) -> proto::get_functions::Response;
        call_function(call_function) -> proto::call_function::Response;
        validate_state_store_config(validate_state_store) -> proto::validate_state_store::Response;
        configure_state_store(configure_state_store) -> proto::configure_state_store::Response;
        read_state_bytes(read_state_bytes) -> Self::ReadStateBytesStream;
        lock_state(lock_state) -> proto::lock_state::Response;
        unlock_state(unlock_state) -> proto::unlock_state::Response;
        get_states(get_states) -> proto::get_states::Response;
        delete_state(delete_state) -> proto::delete_state::Response;
        plan_action(plan_action) -> proto::plan_action::Response;
        invoke_action(invoke_action) -> Self::InvokeActionStream;
        validate_action_config(validate_action_config) -> proto::validate_action_config::Response;
    }

    async fn write_state_bytes(
        &self,
        _: Request<tonic::Streaming<proto::write_state_bytes::RequestChunk>>,
    ) -> Result<Response<proto::write_state_bytes::Response>, Status> {
        Err(Status::unimplemented("absent"))
    }
}
