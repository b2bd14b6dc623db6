//! The state file itself, secrets and private data included.

use std::fmt::Write as _;

use serde_json::Value;

/// Everything terraform remembers, as it lies on the disk.
#[derive(Debug, Clone)]
pub struct State(Value);

/// One remembered instance of a resource.
#[derive(Debug, Clone, Copy)]
pub struct Instance<'s>(&'s Value);

impl State {
    pub(super) fn new(json: Value) -> Self {
        Self(json)
    }

    /// The addresses of all managed instances, in the file's order.
    pub fn addresses(&self) -> Vec<String> {
        self.instances().map(|(address, _)| address).collect()
    }

    /// The instance with this address, such as `module.hooks["a"].heygen_webhook_endpoint.b[0]`; fails the test
    /// if there is none.
    #[track_caller]
    pub fn instance(&self, address: &str) -> Instance<'_> {
        self.instances()
            .find(|(found, _)| found == address)
            .unwrap_or_else(|| panic!("{address} is not among {:?}", self.addresses()))
            .1
    }

    pub fn instances(&self) -> impl Iterator<Item = (String, Instance<'_>)> {
        self.instances_of("managed")
    }

    /// What the data source with this address, such as `data.heygen_webhook_endpoint.a`, has answered; fails the test
    /// if there is none.
    #[track_caller]
    pub fn data(&self, address: &str) -> Instance<'_> {
        self.instances_of("data")
            .find(|(found, _)| format!("data.{found}") == address)
            .unwrap_or_else(|| panic!("{address} is not in state"))
            .1
    }

    /// All that data sources have answered, as it lies on the disk.
    pub fn all_data(&self) -> String {
        self.instances_of("data")
            .map(|(_, instance)| instance.0.to_string())
            .collect()
    }

    fn instances_of(&self, mode: &'static str) -> impl Iterator<Item = (String, Instance<'_>)> {
        self.0["resources"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(move |resource| resource["mode"] == mode)
            .flat_map(|resource| {
                let instances = resource["instances"].as_array().into_iter().flatten();
                instances.map(|instance| (address(resource, instance), Instance(instance)))
            })
    }
}

impl<'s> Instance<'s> {
    pub fn attribute(self, name: &str) -> &'s Value {
        &self.0["attributes"][name]
    }

    /// A string attribute; fails the test if it is anything else.
    #[track_caller]
    pub fn text(self, name: &str) -> &'s str {
        self.attribute(name)
            .as_str()
            .unwrap_or_else(|| panic!("{name} is no string"))
    }

    /// Whether terraform means to replace it because its creation was not completed.
    pub fn is_tainted(self) -> bool {
        self.0["status"] == "tainted"
    }

    /// Null where the engine knows no resource identity (before 1.12).
    pub fn identity(self) -> &'s Value {
        &self.0["identity"]
    }
}

fn address(resource: &Value, instance: &Value) -> String {
    let text = |key: &str| resource[key].as_str().unwrap_or_default();
    let mut address = String::new();
    if !text("module").is_empty() {
        let _ = write!(address, "{}.", text("module"));
    }
    let _ = write!(address, "{}.{}", text("type"), text("name"));
    match &instance["index_key"] {
        Value::Null => {}
        key => {
            let _ = write!(address, "[{key}]");
        }
    }
    address
}
