//! The fake's page says how to use its control path. What it says is tried here, and what it leaves out is found.

use std::collections::BTreeSet;

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::client::{Client, Got};
use super::of_url;
use crate::fake_heygen::{
    AllEvents, Behaviour, BodyShape, Creation, Delivery, DeliveryToAll, Effect, EventIds, Fault, HasMore, Oddity,
    RandomFaults, RateLimit, Replay, Request, RetryAfter, Route, Rule, SuccessBody, Timestamps, TrailingSlash,
    Undecodable, UrlSpelling, Wait,
};

const README: &str = include_str!("../../../examples/fake-heygen/README.md");
const CONTROL: &str = include_str!("../../../examples/fake-heygen/fake/control.rs");

#[tokio::test]
async fn every_curl_line_of_the_page_does_what_it_is_there_for() {
    let lines: Vec<&str> = README.lines().filter(|line| line.starts_with("curl ")).collect();
    assert!(lines.len() > 20, "hardly any line is found: {lines:?}");
    for line in lines {
        // Each line meets an account of its own, with one endpoint.
        let client = Client::start();
        let endpoint = client.fake.put_endpoint(of_url("https://hooks.example.com/one"));
        let curl = Curl::parse(line, &endpoint.endpoint_id);
        let request = client.bare(curl.method, &curl.path);
        let request = match curl.json {
            None => request,
            Some(json) => request.header("Content-Type", "application/json").body(json),
        };
        let got = Got::read(request.send().await.unwrap()).await.unwrap();
        assert_eq!(got.status, 200, "{line}: {got:?}");
    }
}

#[test]
fn every_call_of_the_control_path_has_a_curl_line() {
    let shown: BTreeSet<(String, String)> = README
        .lines()
        .filter(|line| line.starts_with("curl "))
        .map(|line| Curl::parse(line, "{id}"))
        .map(|curl| (curl.method.to_string(), curl.path))
        .collect();
    let offered = calls_offered();
    assert!(offered.len() > 20, "hardly any call is found: {offered:?}");
    assert_eq!(offered, shown);
}

#[test]
fn every_switch_fault_and_particular_is_named_on_the_page() {
    let mut wanted = Vec::new();
    wanted.extend(names_in_json::<Behaviour>(r#"{"": 0}"#));
    wanted.extend(names_in_json::<UrlSpelling>(r#"{"": 0}"#));
    wanted.extend(names_in_json::<RateLimit>(r#"{"": 0}"#));
    wanted.extend(names_in_json::<Rule>(r#"{"": 0}"#));
    wanted.extend(names_in_json::<RandomFaults>(r#"{"": 0}"#));
    wanted.extend(names_in_json::<Delivery>(r#"{"": 0}"#));
    wanted.extend(names_in_json::<DeliveryToAll>(r#"{"": 0}"#));
    for fault in names_in_json::<Fault>(r#""""#) {
        wanted.extend(particulars(&fault));
        wanted.push(fault);
    }
    wanted.extend(names_in_json::<AllEvents>(r#""""#));
    wanted.extend(names_in_json::<BodyShape>(r#""""#));
    wanted.extend(names_in_json::<Creation>(r#""""#));
    wanted.extend(names_in_json::<Effect>(r#""""#));
    wanted.extend(names_in_json::<EventIds>(r#""""#));
    wanted.extend(names_in_json::<HasMore>(r#""""#));
    wanted.extend(names_in_json::<Oddity>(r#""""#));
    wanted.extend(names_in_json::<Replay>(r#""""#));
    wanted.extend(names_in_json::<RetryAfter>(r#""""#));
    wanted.extend(names_in_json::<Route>(r#""""#));
    wanted.extend(names_in_json::<SuccessBody>(r#""""#));
    wanted.extend(names_in_json::<Timestamps>(r#""""#));
    wanted.extend(names_in_json::<TrailingSlash>(r#""""#));
    wanted.extend(names_in_json::<Undecodable>(r#""""#));
    wanted.extend(names_in_json::<Wait>(r#""""#));
    let missing: BTreeSet<&String> = wanted.iter().filter(|name| !is_named(name)).collect();
    assert!(missing.is_empty(), "not on the page: {missing:?}");
}

#[tokio::test]
async fn every_field_of_a_logged_request_is_named_on_the_page() {
    let client = Client::start();
    client.get("/v3/webhooks/endpoints").await;
    let request: &Request = &client.fake.requests()[0];
    let Value::Object(request) = serde_json::to_value(request).unwrap() else {
        panic!("a request is an object");
    };
    let missing: Vec<&String> = request.keys().filter(|name| !is_named(name)).collect();
    assert!(missing.is_empty(), "not on the page: {missing:?}");
}

#[test]
fn the_table_of_switches_names_the_defaults() {
    let Value::Object(defaults) = serde_json::to_value(Behaviour::default()).unwrap() else {
        panic!("the switches are an object");
    };
    for (switch, default) in defaults {
        // The spelling of URLs has switches of its own, all of them off.
        let default = if switch == "urls" {
            "{}".to_owned()
        } else {
            default.to_string()
        };
        let row = format!("| `{switch}` | `{default}` |");
        assert!(README.contains(&row), "no row begins with {row}");
    }
}

/// A line such as `curl -X PUT "$FAKE/_control/…" --json '…'`.
struct Curl {
    method: Method,
    path: String,
    json: Option<String>,
}

impl Curl {
    /// Reads `line` as a shell and curl would, where `$ID` is `id`.
    fn parse(line: &str, id: &str) -> Self {
        let (mut method, mut path, mut json) = (None, None, None);
        let mut words = words(line).into_iter().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "-X" => method = words.next(),
                "--json" => json = words.next().map(|json| json.replace("$ID", id)),
                url => {
                    let below = url.strip_prefix("$FAKE");
                    path = Some(below.unwrap_or_else(|| panic!("{line}: {url}")).replace("$ID", id));
                }
            }
        }
        let method = method.unwrap_or_else(|| if json.is_some() { "POST" } else { "GET" }.to_owned());
        Self {
            method: method.parse().unwrap(),
            path: path.unwrap_or_else(|| panic!("{line} calls nothing")),
            json,
        }
    }
}

/// The words of a command, with quotes of both kinds taken away and no variable replaced.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for letter in line.chars() {
        match (letter, quote) {
            (' ', None) => words.push(String::new()),
            ('\'' | '"', None) => quote = Some(letter),
            (letter, Some(open)) if letter == open => quote = None,
            (letter, _) => words.last_mut().unwrap().push(letter),
        }
    }
    assert_eq!(quote, None, "{line}: a quote is left open");
    words
}

/// The method and the path of every route in the fake's source.
fn calls_offered() -> BTreeSet<(String, String)> {
    let mut calls = BTreeSet::new();
    for route in CONTROL.split(".route(").skip(1) {
        let route = route.split(".with_state").next().unwrap();
        let path = route.split('"').nth(1).unwrap();
        for method in ["get", "post", "put", "patch", "delete"] {
            if route.contains(&format!("{method}(")) {
                calls.insert((method.to_uppercase(), path.to_owned()));
            }
        }
    }
    calls
}

/// The names serde knows a type's fields or variants by: it lists them all when it is given an unknown one.
fn names_in_json<T: DeserializeOwned>(with_unknown_name: &str) -> Vec<String> {
    let Err(error) = serde_json::from_str::<T>(with_unknown_name) else {
        panic!("{with_unknown_name} is nothing unknown");
    };
    let error = error.to_string();
    let (_, expected) = error.split_once("expected ").unwrap_or_else(|| panic!("{error}"));
    let names: Vec<String> = expected.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    assert!(!names.is_empty(), "{error}");
    names
}

/// The names of what is said of this fault beside its name; a fault without any is a name alone.
fn particulars(fault: &str) -> Vec<String> {
    if serde_json::from_str::<Fault>(&format!("{fault:?}")).is_ok() {
        return Vec::new();
    }
    names_in_json::<Fault>(&format!(r#"{{"{fault}": {{"": 0}}}}"#))
}

/// Whether the page has this name in backticks or quotes.
fn is_named(name: &str) -> bool {
    ["`", "\""]
        .iter()
        .any(|quote| README.contains(&format!("{quote}{name}{quote}")))
}
