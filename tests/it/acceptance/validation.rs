//! Every rule of the provider block and of the resource, at its attribute.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use crate::fake_heygen::{FakeHeygen, Route};
use crate::support::diagnostics::Diagnostics;
use crate::support::diagnostics::Severity::{Error, Warning};
use crate::support::engine::for_each_engine;
use crate::support::plan::Action;
use crate::support::terraform::Workspace;

/// Resource `NAME` with arguments, each on a line of its own.
fn named(name: &str, arguments: &str) -> String {
    format!("resource \"heygen_webhook_endpoint\" \"{name}\" {{\n{arguments}\n}}\n")
}

/// Name, the argument at fault, what is said of it.
type Case = (&'static str, &'static str, &'static str);

const URL_ERRORS: [Case; 8] = [
    ("http", "http://example.com/hook", "https URLs only"),
    ("relative", "/hook", "An absolute https URL"),
    ("hostless", "https:///hook", "An absolute https URL"),
    ("user", "https://me:pass@example.com/", "user name or password"),
    ("fragment", "https://example.com/#top", "fragment"),
    ("space", "https://example.com/a b", "white space"),
    ("empty", "", "An absolute https URL"),
    ("scheme", "ftp://example.com/", "https URLs only"),
];

const URL_WARNINGS: [Case; 4] = [
    ("loopback", "https://127.0.0.1/hook", "may not reach"),
    ("localhost", "https://localhost/hook", "may not reach"),
    ("private", "https://10.1.2.3/hook", "may not reach"),
    ("linklocal", "https://[fe80::1]/hook", "may not reach"),
];

const EVENT_ERRORS: [Case; 3] = [
    ("none", "[]", "No events"),
    ("null", "[null]", "Not an event type"),
    ("blank", "[\"\"]", "Not an event type"),
];

const PROVIDER_ERRORS: [(&str, &str, &str, &str); 8] = [
    ("plain", "base_url", "\"http://example.com\"", "http is for loopback"),
    (
        "userinfo",
        "base_url",
        "\"https://me:pass@example.com\"",
        "user name or password",
    ),
    ("nourl", "base_url", "\"example.com\"", "absolute URL"),
    ("negative", "max_retries", "-1", "whole number"),
    ("fraction", "max_retries", "1.5", "whole number"),
    ("wordy", "request_timeout", "\"soon\"", "duration"),
    ("instant", "request_timeout", "\"0s\"", "duration"),
    ("emptykey", "api_key", "\"\"", "must not be empty"),
];

/// Fails unless exactly these attributes are refused, each at its own line.
#[track_caller]
fn expect_read_only(found: &Diagnostics, place: &str, attributes: &[&str]) {
    let mut refused: Vec<_> = found
        .iter()
        .map(|diagnostic| diagnostic.attribute().unwrap_or_default())
        .collect();
    let mut expected = attributes.to_vec();
    refused.sort_unstable();
    expected.sort_unstable();
    assert_eq!(refused, expected, "{found:#?}");
    for diagnostic in found.iter() {
        assert_eq!(
            (diagnostic.severity, &*diagnostic.summary),
            (Error, "Read-only attribute is set")
        );
        assert!(diagnostic.is_in(place), "{diagnostic:?}");
        assert!(!diagnostic.detail.contains("whsec_mine"), "{diagnostic:?}");
    }
}

for_each_engine! {
    fn every_rule_of_the_resource_is_reported_at_its_attribute(tf: Workspace) {
        let mut configuration = String::new();
        for (name, url, _) in URL_ERRORS.iter().chain(&URL_WARNINGS) {
            configuration += &named(name, &format!("url = \"{url}\""));
        }
        for (name, events, _) in EVENT_ERRORS {
            configuration += &named(&format!("events_{name}"), &format!("url = \"https://example.com/\"\nevents = {events}"));
        }
        configuration += &named("newer", "url = \"https://example.com/\"\nevents = [\"avatar_video.done\"]");
        configuration += &named("fine", "url = \"https://example.com/\"\nevents = [\"avatar_video.success\"]");
        tf.write("main.tf", &configuration);

        let found = tf.validate_expecting_failure();
        let place = |name: &str| format!("heygen_webhook_endpoint.{name}");
        let of = |name: &str| {
            let of_it = found.iter().filter(|d| d.is_in(&place(name))).collect::<Vec<_>>();
            assert_eq!(of_it.len(), 1, "one diagnostic for {name}: {found:#?}");
            of_it[0].clone()
        };
        for (cases, severity) in [(&URL_ERRORS[..], Error), (&URL_WARNINGS[..], Warning)] {
            for (name, _, text) in cases {
                let diagnostic = of(name);
                assert_eq!(diagnostic.severity, severity, "{name}");
                diagnostic.at(&place(name), "url").says(text);
                assert!(!diagnostic.detail.contains("me:pass"));
            }
        }
        for (name, _, text) in EVENT_ERRORS {
            let name = format!("events_{name}");
            let diagnostic = of(&name);
            assert_eq!(diagnostic.severity, Error, "{name}");
            diagnostic.at(&place(&name), "events").says(text);
        }
        let newer = of("newer");
        assert_eq!(newer.severity, Warning);
        newer.at(&place("newer"), "events").says("avatar_video.done");
        assert!(!found.iter().any(|d| d.is_in(&place("fine"))));
    }

    fn every_rule_of_the_provider_block_is_reported_at_its_attribute(tf: Workspace) {
        // Terraform leaves a provider alone that nothing uses.
        tf.write("used.tf", &named("a", "url = \"https://example.com/\""));
        for (name, attribute, value, text) in PROVIDER_ERRORS {
            tf.write("main.tf", &format!("provider \"heygen\" {{\n{attribute} = {value}\n}}\n"));
            let found = tf.validate_expecting_failure();
            let error = found.error(text);
            error.at("provider \"heygen\"", attribute);
            assert!(!error.detail.contains("me:pass"), "{name}");
        }
        tf.write("main.tf", "provider \"heygen\" {\napi_key = \"k\"\naccess_token = \"t\"\n}\n");
        let both = tf.validate_expecting_failure();
        both.error("Two kinds of credentials").at("provider \"heygen\"", "api_key").says("access_token");
        tf.write("main.tf", "provider \"heygen\" {\napi_key = \"k\"\nbase_url = \"http://localhost:8080\"\nmax_retries = 0\nrequest_timeout = \"1m 30s\"\n}\n");
        tf.validate().none();
    }

    fn a_required_attribute_without_a_value_is_refused_in_plan_and_in_apply(tf: Workspace) {
        let heygen = FakeHeygen::start();
        let tf = tf.against(&heygen.base_url(), heygen.api_key());
        tf.write("main.tf", &named("a", "url = null"));
        tf.validate_expecting_failure().error("Missing required argument").at("heygen_webhook_endpoint.a", "url").says("url is required");

        tf.write("main.tf", &("variable \"url\" {\n  default = null\n}\n".to_owned() + &named("a", "url = var.url")));
        tf.validate().none();
        tf.plan_expecting_failure().error("Missing required argument").at("heygen_webhook_endpoint.a", "url");
        assert!(heygen.requests().is_empty());

        // On an endpoint that exists nothing changes either.
        tf.write("main.tf", &named("a", "url = \"https://hooks.example.com/1\""));
        tf.apply().none();
        heygen.clear_requests();
        tf.write("main.tf", &named("a", "url = null"));
        tf.plan_expecting_failure().error("Missing required argument");
        assert!(heygen.requests().iter().all(|request| request.method == "GET"));

        // Known only during apply: refused then, before any call.
        let later = "resource \"terraform_data\" \"later\" {\n  input = { url = null }\n}\n".to_owned();
        tf.write("main.tf", &(later + &named("b", "url = terraform_data.later.output.url")));
        tf.plan();
        heygen.clear_requests();
        tf.apply_expecting_failure().error("Missing required argument").at("heygen_webhook_endpoint.b", "url");
        assert!(heygen.requests_to(Route::Create).is_empty());
    }

    fn what_can_only_be_read_is_refused_at_its_line_and_not_quoted(tf: Workspace) {
        let attributes = ["secret", "id", "status", "created_at"];
        let set = attributes.map(|name| format!("{name} = \"whsec_mine\"")).join("\n");
        tf.write("main.tf", &named("a", &format!("url = \"https://hooks.example.com/1\"\n{set}")));
        let found = tf.validate_expecting_failure();
        expect_read_only(&found, "heygen_webhook_endpoint.a", &attributes);

        for (source, argument, attributes) in [
            ("endpoint", "id = \"ep_1\"", &["events = [\"whsec_mine\"]", "status = \"whsec_mine\"", "created_at = \"whsec_mine\""][..]),
            ("endpoints", "", &["endpoints = []"]),
            ("event_types", "", &["event_types = []"]),
            ("events", "", &["events = []"]),
        ] {
            let set = attributes.join("\n");
            tf.write("main.tf", &format!("data \"heygen_webhook_{source}\" \"a\" {{\n{argument}\n{set}\n}}\n"));
            let found = tf.validate_expecting_failure();
            let names: Vec<&str> = attributes.iter().filter_map(|set| Some(set.split_once(" =")?.0)).collect();
            expect_read_only(&found, &format!("data.heygen_webhook_{source}.a"), &names);
        }
    }

    fn changes_of_what_can_only_be_read_may_be_ignored(tf: Workspace) {
        let heygen = FakeHeygen::start();
        let tf = tf.against(&heygen.base_url(), heygen.api_key());
        let of = |more: &str| named("a", &format!("url = \"https://hooks.example.com/1\"\n{more}\nlifecycle {{\n  ignore_changes = [status, secret]\n}}"));
        tf.write("main.tf", &of(""));
        // Terraform itself calls these ignore_changes redundant.
        tf.apply();
        tf.write("main.tf", &of("events = [\"batch.finished\"]\nrotate_trigger = \"1\""));
        tf.apply();
        tf.write("main.tf", &of("entity_id = \"project-7\""));
        let plan = tf.plan();
        assert_eq!(plan.resource("heygen_webhook_endpoint.a").action(), Action::Replace);
        tf.apply();
        let current = &heygen.endpoints()[0];
        let state = tf.state();
        let a = state.instance("heygen_webhook_endpoint.a");
        assert_eq!((a.text("id"), a.text("secret"), a.text("status")), (&*current.endpoint_id, &*current.secret, "enabled"));
    }

    fn bad_variables_are_errors_at_the_attribute_they_stand_for(tf: Workspace) {
        let heygen = FakeHeygen::start();
        tf.write("main.tf", &named("a", "url = \"https://example.com/\""));
        let tf = tf.with_env("HEYGEN_API_KEY", heygen.api_key());
        let tf = tf.with_env("HEYGEN_API_BASE", "http://example.com");
        tf.plan_expecting_failure().error("HEYGEN_API_BASE");
        let tf = tf.with_env("HEYGEN_API_BASE", heygen.base_url()).with_env("HEYGEN_MAX_RETRIES", "many");
        tf.plan_expecting_failure().error("HEYGEN_MAX_RETRIES");
        let tf = tf.with_env("HEYGEN_MAX_RETRIES", "0").with_env("HEYGEN_ACCESS_TOKEN", heygen.access_token());
        let both = tf.plan_expecting_failure();
        both.error("Two kinds of credentials").says("HEYGEN_API_KEY").says("HEYGEN_ACCESS_TOKEN");
        let tf = tf.with_env("HEYGEN_ACCESS_TOKEN", OsString::from_vec(b"\xff".to_vec()));
        tf.plan_expecting_failure().error("An environment variable is not text").says("HEYGEN_ACCESS_TOKEN");
        let tf = tf.with_env("HEYGEN_ACCESS_TOKEN", "");
        assert_eq!(tf.plan().changes().len(), 1);
    }

    fn a_credential_that_heygen_does_not_accept_is_looked_for_where_it_came_from(tf: Workspace) {
        let heygen = FakeHeygen::start();
        let tf = tf.with_env("HEYGEN_API_BASE", heygen.base_url());
        let asking = "data \"heygen_webhook_endpoints\" \"all\" {}\n";
        let expect = |tf: &Workspace, source: &str| {
            heygen.clear_requests();
            let said = tf.plan_expecting_failure();
            let [request] = heygen.requests().try_into().expect("one, not repeated");
            assert_eq!(
                said.error("HeyGen does not accept the credentials").detail,
                format!(
                    "Listing the webhook endpoints: the API answered 401 unauthorized: Missing or invalid credentials. (request \
                     id {}). The credential came from {source}",
                    request.request_id
                )
            );
        };
        let folder = tf.home().join(".heygen");
        std::fs::create_dir(&folder).unwrap();
        let file = folder.join("credentials");
        tf.write("main.tf", asking);
        std::fs::write(&file, "wrong-key").unwrap();
        let check = "check it there, and that it has not been revoked.";
        expect(&tf, &format!("the credentials file {}: {check}", file.display()));
        std::fs::write(&file, r#"{"oauth": {"access_token": "wrong-token"}}"#).unwrap();
        expect(
            &tf,
            &format!(
                "the oauth block of the credentials file {}. An access token expires after a while, and the provider cannot \
                 renew it. Run any heygen command, which renews it, or use an API key (api_key or HEYGEN_API_KEY), which \
                 serves better here.",
                file.display()
            ),
        );
        let tf = tf.with_env("HEYGEN_ACCESS_TOKEN", "wrong-token");
        expect(&tf, &format!("HEYGEN_ACCESS_TOKEN: {check}"));
        tf.write("main.tf", &format!("provider \"heygen\" {{\n  api_key = \"wrong-key\"\n}}\n{asking}"));
        expect(&tf, &format!("api_key of the provider block: {check}"));
    }

    fn variables_that_name_no_root_certificates_are_told_apart_from_a_machine_without_any(tf: Workspace) {
        let (file, folder) = (tf.home().join("none.pem"), tf.home().join("none"));
        std::fs::write(&file, "").unwrap();
        std::fs::create_dir(&folder).unwrap();
        let tf = tf
            .against("https://127.0.0.1:1", "a-key")
            .with_env("SSL_CERT_FILE", &file)
            .with_env("SSL_CERT_DIR", &folder);
        tf.write("main.tf", "data \"heygen_webhook_endpoints\" \"all\" {}\n");
        let said = tf.plan_expecting_failure();
        assert_eq!(
            said.error("No root certificates where the environment names them").detail,
            format!(
                "Listing the webhook endpoints: there is nothing to check the API's certificate with: SSL_CERT_FILE names \
                 {}, which holds no certificate in PEM, and SSL_CERT_DIR names {}, which has no file that holds a \
                 certificate in PEM. Correct what is named, or unset it: without SSL_CERT_FILE and SSL_CERT_DIR the \
                 system's certificates are used.",
                file.display(),
                folder.display()
            )
        );
    }

    fn credentials_come_from_configuration_then_environment_then_file(tf: Workspace) {
        let heygen = FakeHeygen::start();
        let tf = tf.with_env("HEYGEN_API_BASE", heygen.base_url()).with_env("HEYGEN_MAX_RETRIES", "0");
        let resource = named("a", "url = \"https://example.com/\"");
        tf.write("main.tf", &resource);
        let missing = tf.plan_expecting_failure();
        missing.error("No HeyGen credentials").says("api_key").says("HEYGEN_API_KEY").says("credentials");

        // The file of HeyGen's CLI, in both forms.
        let folder = tf.home().join(".heygen");
        std::fs::create_dir(&folder).unwrap();
        let file = folder.join("credentials");
        for content in [
            format!("{}\n", heygen.api_key()),
            format!(r#"{{"api_key": "{}", "oauth": null}}"#, heygen.api_key()),
            format!(r#"{{"oauth": {{"access_token": "{}", "expires_at": 1}}}}"#, heygen.access_token()),
        ] {
            std::fs::write(&file, content).unwrap();
            tf.apply().none();
            tf.destroy().none();
        }
        std::fs::write(&file, "{ \"api_key\": \"never-shown").unwrap();
        let broken = tf.plan_expecting_failure();
        assert!(!format!("{:?}", broken.error("credentials file")).contains("never-shown"));
        let old = r#"{"oauth": {"access_token": "t", "expires_at": "2020-01-01T00:00:00Z"}}"#;
        std::fs::write(&file, old).unwrap();
        tf.plan_expecting_failure().error("The access token has expired").says("2020-01-01T00:00:00Z");

        // A folder may have any name that the system takes.
        let elsewhere = tf.home().join(OsString::from_vec(b"folder \xff".to_vec()));
        std::fs::create_dir(&elsewhere).unwrap();
        let key_beside_old = old.replacen('{', &format!("{{\"api_key\": \"{}\", ", heygen.api_key()), 1);
        std::fs::write(elsewhere.join("credentials"), key_beside_old).unwrap();
        let tf = tf.with_env("HEYGEN_CONFIG_DIR", elsewhere);
        tf.apply().none();
        tf.destroy().none();

        // The environment goes before the file, and configuration before the environment's other kind.
        let tf = tf.with_env("HEYGEN_API_KEY", heygen.api_key());
        tf.apply().none();
        let tf = tf.with_env("HEYGEN_API_KEY", "wrong");
        tf.plan_expecting_failure().error("does not accept the credentials").says("401").says("HEYGEN_API_KEY");
        tf.write("main.tf", &(format!("provider \"heygen\" {{\naccess_token = \"{}\"\n}}\n", heygen.access_token()) + &resource));
        tf.plan().expect_empty();
    }
}
