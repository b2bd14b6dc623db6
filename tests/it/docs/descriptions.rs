//! Every description of every schema, as the provider sends them.

use std::collections::BTreeMap;

use terraform_provider_heygen::terraform::proto;

use super::schemas;

/// Words for which there is one way to say it: "Can also be set with the environment variable `X`.", "Defaults to `X`.",
/// "Conflicts with `X`.".
const OTHER_WORDS: [&str; 5] = ["Else", "Excludes", "by default", "Default:", "default is"];

#[tokio::test]
async fn everything_is_described_in_sentences_of_which_the_first_stands_alone() {
    let descriptions = descriptions().await;
    for place in ["provider.api_key", "heygen_webhook_endpoint.secret"] {
        assert!(descriptions.contains_key(place), "{place} was not looked at");
    }
    let nested = [
        "data.heygen_webhook_endpoints.endpoints.url",
        "data.heygen_webhook_event_types.event_types.description",
        "data.heygen_webhook_events.events.event_data",
    ];
    for place in nested {
        assert!(descriptions.contains_key(place), "{place} was not looked at");
    }
    for (place, description) in descriptions {
        if let Some(problem) = problem_with(&description) {
            panic!("{place} {problem}: {description}");
        }
    }
}

#[tokio::test]
async fn nothing_but_the_resource_has_a_secret_and_only_it_and_credentials_are_sensitive() {
    let places = attributes().await;
    let sensitive: Vec<&str> = places
        .iter()
        .filter(|(_, attribute)| attribute.sensitive)
        .map(|(place, _)| place.as_str())
        .collect();
    let expected = [
        "heygen_webhook_endpoint.secret",
        "provider.access_token",
        "provider.api_key",
    ];
    assert_eq!(sensitive, expected);
    let secrets: Vec<&String> = places.keys().filter(|place| place.ends_with("secret")).collect();
    assert_eq!(secrets, ["heygen_webhook_endpoint.secret"]);
}

#[test]
fn the_rule_on_descriptions_sees_what_is_wrong() {
    assert_eq!(
        problem_with("The address of the API. Can also be set with the environment variable `X`. Defaults to `4`."),
        None
    );
    for wrong in [
        "",
        "The address of the API",
        "Address.",
        "`enabled` or `disabled`, as HeyGen says.",
        "It is the address of the API.",
        "The address of the API. Else `HEYGEN_API_BASE`.",
        "The address of the API. Or else `HEYGEN_API_BASE`.",
        "The address of the API, `x` by default.",
        "The address of the API. Default 100.",
        "The address of the API, see [this page](x).",
        "The address of *the* API.",
        "The address\nof the API.",
    ] {
        assert!(problem_with(wrong).is_some(), "{wrong}");
    }
}

/// What is wrong with a description, if anything is.
fn problem_with(description: &str) -> Option<&'static str> {
    let (first, _) = description.split_once(". ").unwrap_or((description, ""));
    let mut words = first.split_whitespace();
    let begins_with = words.next().unwrap_or_default();
    // What stands in backticks may be anything.
    let prose: String = description.split('`').step_by(2).collect();
    if !description.ends_with('.') {
        Some("does not end with a full stop")
    } else if words.count() < 3 {
        Some("begins with a sentence that says nothing by itself")
    } else if !begins_with.starts_with(char::is_uppercase) || ["It", "They", "Otherwise"].contains(&begins_with) {
        Some("begins with a sentence that does not stand alone")
    } else if prose.contains(['\n', '[', ']', '*', '_', '<', '>', '#']) {
        Some("is more than text and code, which not every reader renders")
    } else if OTHER_WORDS.iter().any(|words| prose.contains(words)) || prose.matches("efault").count() > 1 {
        Some("says in other words what all say in the same")
    } else if prose.contains("efault") && !prose.contains("Defaults to ") {
        Some("does not say \"Defaults to\"")
    } else if description.contains("`HEYGEN_")
        && !description.contains(" Can also be set with the environment variable `HEYGEN_")
    {
        Some("does not say \"Can also be set with the environment variable\"")
    } else {
        None
    }
}

/// All descriptions by the place that they are of.
async fn descriptions() -> BTreeMap<String, String> {
    let schemas = schemas().await;
    let mut found = BTreeMap::new();
    for (place, schema) in all(&schemas) {
        let block = schema.block.as_ref().unwrap();
        found.insert(place, block.description.clone());
    }
    for (place, attribute) in attributes_of(&schemas) {
        found.insert(place, attribute.description);
    }
    for (name, function) in &schemas.functions {
        found.insert(format!("function {name}"), function.description.clone());
        for parameter in &function.parameters {
            found.insert(
                format!("function {name} {}", parameter.name),
                parameter.description.clone(),
            );
        }
    }
    found
}

async fn attributes() -> BTreeMap<String, proto::schema::Attribute> {
    attributes_of(&schemas().await)
}

fn attributes_of(schemas: &proto::get_provider_schema::Response) -> BTreeMap<String, proto::schema::Attribute> {
    let mut found = BTreeMap::new();
    for (place, schema) in all(schemas) {
        descend(&place, &schema.block.as_ref().unwrap().attributes, &mut found);
    }
    found
}

fn descend(
    place: &str,
    attributes: &[proto::schema::Attribute],
    found: &mut BTreeMap<String, proto::schema::Attribute>,
) {
    for attribute in attributes {
        let place = format!("{place}.{}", attribute.name);
        if let Some(nested) = &attribute.nested_type {
            descend(&place, &nested.attributes, found);
        }
        found.insert(place, attribute.clone());
    }
}

/// Every schema by its name in a configuration.
fn all(schemas: &proto::get_provider_schema::Response) -> Vec<(String, &proto::Schema)> {
    let kinds = [
        ("", &schemas.resource_schemas),
        ("data.", &schemas.data_source_schemas),
        ("list.", &schemas.list_resource_schemas),
    ];
    let of_kinds = kinds.into_iter().flat_map(|(prefix, of_a_kind)| {
        of_a_kind
            .iter()
            .map(move |(name, schema)| (format!("{prefix}{name}"), schema))
    });
    let provider = ("provider".to_owned(), schemas.provider.as_ref().unwrap());
    std::iter::once(provider).chain(of_kinds).collect()
}
