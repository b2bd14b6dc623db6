//! What `terraform query -json` says: one JSON object a line.

use serde_json::Value;

use super::diagnostics::Diagnostics;
use super::process::Output;

/// A query that ended.
#[derive(Debug)]
pub struct Query {
    /// In the order in which they were printed, whatever block they are of.
    pub results: Vec<QueryResult>,
    /// How many results each list block says it has, by its address.
    pub totals: Vec<(String, u64)>,
    pub diagnostics: Diagnostics,
    pub output: Output,
}

/// One object that was found.
#[derive(Debug)]
pub struct QueryResult {
    /// Of the list block.
    pub address: String,
    pub display_name: String,
    pub identity: Value,
    /// Null where it was not asked for.
    pub object: Value,
    /// What is generated of it, if anything is.
    pub config: Option<String>,
}

impl Query {
    pub fn of(output: Output) -> Self {
        let lines = output.stdout.lines();
        let events: Vec<Value> = lines.filter_map(|line| serde_json::from_str(line).ok()).collect();
        let of_type = |wanted: &'static str| events.iter().filter(move |event| event["type"] == wanted);
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let results = of_type("list_resource_found").map(|event| {
            let found = &event["list_resource_found"];
            QueryResult {
                address: text(&found["address"]),
                display_name: text(&found["display_name"]),
                identity: found["identity"].clone(),
                object: found["resource_object"].clone(),
                config: found["config"].as_str().map(str::to_owned),
            }
        });
        let totals = of_type("list_complete").map(|event| {
            let list = &event["list_complete"];
            (text(&list["address"]), list["total"].as_u64().expect("a count"))
        });
        Self {
            results: results.collect(),
            totals: totals.collect(),
            diagnostics: Diagnostics::from_event_lines(&output.stdout),
            output,
        }
    }

    /// The ids in the identities, in their order.
    pub fn ids(&self) -> Vec<&str> {
        let ids = self.results.iter().map(|found| found.identity["id"].as_str());
        ids.map(|id| id.expect("every result has an identity")).collect()
    }

    /// The result of this id; fails the test if it is not there.
    #[track_caller]
    pub fn result(&self, id: &str) -> &QueryResult {
        let found = self.results.iter().find(|found| found.identity["id"] == id);
        found.unwrap_or_else(|| panic!("{id} was not found\n{:?}", self.output))
    }
}
