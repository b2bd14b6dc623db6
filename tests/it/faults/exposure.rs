//! Nobody gets the key: no other host, and no text that a person or a log sees.

use std::io::ErrorKind;
use std::net::TcpListener;

use super::{ADDRESS, LOST, URL, endpoint, expect_state_is_true, id_in_state, provider, start, url};
use crate::fake_heygen::{Fault, Route, Rule};
use crate::support::engine::Engine;
use crate::support::http::{Request, Server, response};
use crate::support::terraform::Workspace;

const KEY: &str = "key-that-nobody-may-see-0123456789";

const PROXY_PASSWORD: &str = "proxy-password-9876543210";

fn configuration(at: &str, trigger: &str) -> String {
    format!(
        "{}{}",
        provider(0),
        endpoint(&format!("{}\nrotate_trigger = {trigger:?}", url(at)))
    )
}

/// Another host: a listener that only finds out whether anybody comes.
struct Elsewhere(TcpListener);

impl Elsewhere {
    fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn address(&self) -> String {
        self.0.local_addr().unwrap().to_string()
    }

    #[track_caller]
    fn expect_nobody(&self) {
        let came = self.0.accept();
        let nobody = came.as_ref().is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
        assert!(nobody, "somebody came: {came:?}");
    }
}

/// An apply that fails, with everything the user and the log saw of it.
fn failing_apply(tf: &Workspace) -> String {
    let output = tf.run_ready(&["apply", "-auto-approve"]).expect_failure();
    format!("{}{}", output.text(), tf.log())
}

#[test]
fn a_redirect_is_followed_by_no_call() {
    let (tf, heygen) = start();
    let elsewhere = Elsewhere::listen();
    tf.write("main.tf", &configuration(URL, "1"));
    tf.apply().none();
    let redirect = |route| {
        let location = format!("http://{}/v3/webhooks/endpoints", elsewhere.address());
        heygen.inject(Rule::on(route, Fault::Redirect { location }));
    };

    redirect(Route::List);
    tf.plan_expecting_failure()
        .error("points to another place")
        .says("127.0.0.1")
        .says("never followed");
    tf.write("main.tf", &configuration("https://hooks.example.com/v2", "2"));
    redirect(Route::Update);
    tf.apply_expecting_failure().error("points to another place");
    redirect(Route::Rotate);
    tf.apply_expecting_failure().error("points to another place");
    redirect(Route::Delete);
    tf.destroy_expecting_failure().error("points to another place");
    expect_state_is_true(&tf, &heygen);
    tf.destroy();
    redirect(Route::Create);
    tf.apply_expecting_failure().error("points to another place");
    assert_eq!(heygen.faults_by_kind()["redirect"], 5);
    elsewhere.expect_nobody();
}

#[test]
fn a_cursor_that_is_an_address_is_sent_as_a_cursor() {
    let elsewhere = Elsewhere::listen();
    let cursor = format!("http://{}/v3/webhooks/endpoints", elsewhere.address());
    let server = Server::answering(move |request| {
        let body = if request.path().contains("token=") {
            r#"{"data": [], "has_more": false}"#.to_owned()
        } else {
            format!(r#"{{"data": [], "has_more": true, "next_token": "{cursor}"}}"#)
        };
        response(200, body)
    });
    let tf = Workspace::new(Engine::from_path()).against(&server.url(), KEY);
    tf.write("main.tf", &configuration(URL, "1"));
    let output = tf.run_ready(&["import", ADDRESS, "ep_1"]).expect_failure();
    assert!(output.text().contains("No such webhook endpoint"), "{output:?}");
    let requests = server.requests();
    let asked: Vec<_> = requests.iter().map(Request::path).collect();
    assert_eq!(asked.len(), 4, "two pages, twice: {asked:?}");
    assert!(asked[1].contains("token=http%3A%2F%2F127.0.0.1"), "{asked:?}");
    elsewhere.expect_nobody();
}

#[test]
fn a_server_that_quotes_the_credential_does_not_get_it_printed() {
    for credential in ["HEYGEN_API_KEY", "HEYGEN_ACCESS_TOKEN"] {
        let server = Server::answering(|request| {
            let quoted = request.head.replace('\\', "").replace('"', "'").replace("\r\n", " | ");
            let body = format!(r#"{{"error": {{"code": "{KEY}", "message": "you sent {quoted}", "param": "{KEY}"}}}}"#);
            format!(
                "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nX-Request-Id: {KEY}\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n{body}",
                body.len()
            )
            .into_bytes()
        });
        let tf = Workspace::new(Engine::from_path())
            .with_env("HEYGEN_API_BASE", server.url())
            .with_env(credential, KEY)
            .with_trace_log();
        tf.write("main.tf", &configuration(URL, "1"));
        let seen = failing_apply(&tf);
        assert!(
            server.requests().iter().any(|request| request.head.contains(KEY)),
            "it was sent the credential"
        );
        assert!(seen.contains("you sent"), "{seen}");
        assert!(!seen.contains(KEY), "{seen}");
    }
}

#[test]
fn a_proxy_that_refuses_gets_no_key_and_its_password_is_not_printed() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let refusing = Server::answering(|request| {
        let quoted = request.head.replace("\r\n", " ");
        format!("HTTP/1.1 407 {quoted}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
    });
    for proxy in [&closed, refusing.address()] {
        let tf = Workspace::new(Engine::from_path())
            .against("https://api.heygen.invalid", KEY)
            .with_env("HTTPS_PROXY", format!("http://user:{PROXY_PASSWORD}@{proxy}"))
            .with_trace_log();
        tf.write("main.tf", &configuration(URL, "1"));
        let seen = failing_apply(&tf);
        assert!(seen.contains("cannot be reached"), "{seen}");
        let encoded = base64_of(&format!("user:{PROXY_PASSWORD}"));
        for hidden in [KEY, PROXY_PASSWORD, encoded.as_str()] {
            assert!(!seen.contains(hidden), "{hidden} is in\n{seen}");
        }
    }
    let requests = refusing.requests();
    assert!(
        requests
            .iter()
            .any(|request| request.head.starts_with("CONNECT api.heygen.invalid:443")),
        "{requests:?}"
    );
    assert!(
        requests.iter().all(|request| !request.head.contains(KEY)),
        "the proxy is not told"
    );
}

fn base64_of(text: &str) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(text)
}

#[test]
fn an_answer_that_never_ends_is_refused() {
    let (tf, heygen) = start();
    tf.write("main.tf", &configuration(URL, "1"));
    tf.apply().none();
    let id = id_in_state(&tf);
    // With attempts left.
    tf.write("main.tf", &format!("{}{}", provider(2), endpoint(&url(URL))));
    heygen.inject(Rule::on(Route::List, Fault::Oversized { mib: 64 }));
    heygen.clear_requests();
    tf.plan_expecting_failure().error("larger than 8 MiB");
    assert_eq!(heygen.requests_to(Route::List).len(), 1, "it is not asked for again");
    assert_eq!(id_in_state(&tf), id);

    tf.write("main.tf", &configuration(URL, "2"));
    heygen.inject(Rule::on(Route::Rotate, Fault::Oversized { mib: 64 }));
    tf.apply_expecting_failure()
        .error("larger than 8 MiB")
        .says("may have been rotated");
    tf.apply();
    expect_state_is_true(&tf, &heygen);
}

#[test]
fn no_secret_and_no_key_is_in_what_a_failing_run_prints_or_logs() {
    let (tf, heygen) = start();
    let tf = tf.with_trace_log();
    tf.write("main.tf", &configuration(URL, "1"));
    tf.run_ready(&["apply", "-auto-approve"]).expect_success();
    let mut secrets = vec![heygen.endpoints()[0].secret.clone()];
    let mut seen = String::new();
    for (trigger, fault) in [("2", Fault::Truncated), ("3", LOST), ("4", Fault::MalformedJson)] {
        tf.write("main.tf", &configuration(URL, trigger));
        heygen.inject(Rule::on(Route::Rotate, fault));
        seen += &tf.run(&["apply", "-auto-approve"]).expect_failure().text();
        secrets.push(heygen.endpoints()[0].secret.clone());
    }
    assert_eq!(tf.state().addresses(), [ADDRESS]);
    // Terraform's own trace holds what it got from the plugin; ours are the lines that the plugin wrote.
    let log = tf.log();
    let ours = log
        .lines()
        .filter(|line| line.contains("provider.terraform-provider-heygen"));
    let ours: Vec<&str> = ours.collect();
    assert!(!ours.is_empty());
    seen += &ours.join("\n");
    secrets.push(heygen.api_key().to_owned());
    for hidden in &secrets {
        assert!(!seen.contains(hidden.as_str()), "{hidden} is in\n{seen}");
    }
}
