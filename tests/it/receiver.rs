//! The example receiver believes what it may believe, takes it once, and says so.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::fake_heygen::deliveries::signature;
use crate::fake_heygen::{Delivery, FakeHeygen, NewEndpoint};
use crate::support::process::Running;
use crate::support::receiver::Receiver;

const SECRET: &str = "whsec_one";
const OTHER_SECRET: &str = "whsec_other";
const EVENT: &str = r#"{"event_type": "avatar_video.success", "event_data": {"title": "Grüße", "video_id": "v1"}}"#;
const CALLBACK: &str = r#"{"event_type": "avatar_video.success", "event_data": {"callback_id": "mine-1"}}"#;

/// A request as HeyGen sends it, to be changed.
#[derive(Clone)]
struct Post {
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Post {
    fn signed(secret: &str, event_id: &str, body: &str) -> Self {
        let signature = signature(secret.as_bytes(), body.as_bytes());
        Self {
            headers: vec![
                ("Content-Length", body.len().to_string()),
                ("Heygen-Signature", signature),
                ("Heygen-Timestamp", now().to_string()),
                ("Heygen-Event-Id", event_id.to_owned()),
            ],
            body: body.as_bytes().to_vec(),
        }
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(header, _)| *header != name);
        self
    }

    fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        let mut post = self.without(name);
        post.headers.push((name, value.into()));
        post
    }

    /// The status of the answer. The connection is this request's own.
    fn to(&self, receiver: &Receiver) -> u16 {
        let address = receiver.url().strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let headers = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        let headers: String = headers.collect();
        let head = format!("POST /hook HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}");
        stream
            .write_all(&[head.as_bytes(), b"\r\n", &self.body].concat())
            .unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        status(stream)
    }
}

fn status(mut stream: TcpStream) -> u16 {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.unwrap_or_else(|| panic!("no answer in HTTP: {answer:?}"))
}

fn now() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()
}

#[track_caller]
fn expect_accepted(receiver: &mut Receiver, post: &Post) -> Value {
    assert_eq!(post.to(receiver), 204);
    let said = receiver.says();
    assert!(said.get("accepted").is_some(), "{said}");
    said
}

/// Answers success to what comes again, or HeyGen would go on sending it.
#[track_caller]
fn expect_repeated(receiver: &mut Receiver, post: &Post, repeated: bool) {
    assert_eq!(expect_accepted(receiver, post)["repeated"], repeated);
}

#[track_caller]
fn expect_refused(receiver: &mut Receiver, post: &Post, status: u16, reason: &str) {
    assert_eq!(post.to(receiver), status, "{reason}");
    let said = receiver.says();
    let event_id = post.headers.iter().find(|(name, _)| *name == "Heygen-Event-Id");
    assert_eq!(said, json!({"refused": event_id.map(|(_, id)| id), "reason": reason}));
}

#[tokio::test]
async fn it_takes_what_heygen_delivers_and_prints_it() {
    let fake = FakeHeygen::start();
    let endpoint = fake.put_endpoint(NewEndpoint {
        url: "https://hooks.example.com/heygen".to_owned(),
        ..NewEndpoint::default()
    });
    let mut receiver = Receiver::with_secrets(&endpoint.secret, &[]);
    let order: Delivery = serde_json::from_value(json!({
        "endpoint_id": endpoint.endpoint_id,
        "via": format!("{}/hook", receiver.url()),
        "event_type": "avatar_video.success",
        "event_data": {"title": "Grüße"},
    }))
    .unwrap();
    let delivered = fake.deliver(&order).await.unwrap();
    assert!(delivered.accepted, "{delivered:?}");
    assert_eq!(
        receiver.says(),
        json!({
            "accepted": delivered.event_id,
            "repeated": false,
            "signed": true,
            "event_type": "avatar_video.success",
            "event_data": {"title": "Grüße"},
        })
    );
}

#[test]
fn any_of_several_secrets_may_have_signed_and_no_other() {
    let mut receiver = Receiver::with_secrets(&format!("{SECRET} {OTHER_SECRET}\n"), &[]);
    for (event_id, secret) in [("evt_1", SECRET), ("evt_2", OTHER_SECRET)] {
        let body = EVENT.replace("Grüße", event_id);
        expect_repeated(&mut receiver, &Post::signed(secret, event_id, &body), false);
    }
    let upper_case = signature(SECRET.as_bytes(), EVENT.as_bytes()).to_uppercase();
    let post = Post::signed(SECRET, "evt_3", EVENT).with("Heygen-Signature", upper_case);
    expect_accepted(&mut receiver, &post);
    for wrong in ["whsec_third", "", "whsec_one whsec_other", "one"] {
        expect_refused(
            &mut receiver,
            &Post::signed(wrong, "evt_4", EVENT),
            401,
            "wrong signature",
        );
    }
    for no_signature in ["", "0", "ü"] {
        let post = Post::signed(SECRET, "evt_5", EVENT).with("Heygen-Signature", no_signature);
        expect_refused(&mut receiver, &post, 401, "wrong signature");
    }
}

#[test]
fn a_file_of_secrets_is_read_for_every_delivery() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secrets");
    let mut receiver = Receiver::with_secrets_in(&file);
    // HeyGen calls the receiver before there is an endpoint whose secret could be in the file.
    let address = receiver.url().strip_prefix("http://").unwrap();
    let mut options = TcpStream::connect(address).unwrap();
    write!(
        options,
        "OPTIONS / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    assert_eq!(status(options), 204);

    let (one, other) = (
        Post::signed(SECRET, "evt_1", EVENT),
        Post::signed(OTHER_SECRET, "evt_2", CALLBACK),
    );
    expect_refused(&mut receiver, &one, 503, "no secret to verify with yet");
    fs::write(&file, "\n").unwrap();
    expect_refused(&mut receiver, &one, 503, "no secret to verify with yet");
    fs::write(&file, SECRET).unwrap();
    // What was refused has not come before.
    expect_repeated(&mut receiver, &one, false);
    expect_refused(&mut receiver, &other, 401, "wrong signature");
    fs::write(&file, format!("{SECRET}\n{OTHER_SECRET}\n")).unwrap();
    expect_accepted(&mut receiver, &other);
    fs::write(&file, format!("{OTHER_SECRET}\n")).unwrap();
    expect_refused(&mut receiver, &one, 401, "wrong signature");
}

#[test]
fn a_timestamp_is_within_five_minutes() {
    let mut receiver = Receiver::with_secrets(SECRET, &[]);
    let post = Post::signed(SECRET, "evt_1", EVENT);
    for fresh in [now() - 290, now() + 290] {
        expect_accepted(&mut receiver, &post.clone().with("Heygen-Timestamp", fresh.to_string()));
    }
    let reason = "too old, or from the future";
    for stale in [now() - 310, now() + 310, 0] {
        expect_refused(
            &mut receiver,
            &post.clone().with("Heygen-Timestamp", stale.to_string()),
            401,
            reason,
        );
    }
    let nines = "9".repeat(5000);
    for no_timestamp in ["", "now", "-5", "²", &format!("{}.5", now()), &nines] {
        expect_refused(
            &mut receiver,
            &post.clone().with("Heygen-Timestamp", no_timestamp),
            401,
            reason,
        );
    }
    expect_refused(&mut receiver, &post.without("Heygen-Timestamp"), 401, reason);
}

#[test]
fn what_comes_again_is_told_by_its_event_id() {
    let mut receiver = Receiver::with_secrets(SECRET, &[]);
    let post = |event_id| Post::signed(SECRET, event_id, EVENT);
    expect_repeated(&mut receiver, &post("evt_1"), false);
    expect_repeated(&mut receiver, &post("evt_1"), true);
    // The same content with another id is another event.
    expect_repeated(&mut receiver, &post("evt_2"), false);
    expect_repeated(&mut receiver, &post("evt_1"), true);
    expect_repeated(&mut receiver, &post("evt_2"), true);
}

#[test]
fn without_an_event_id_nothing_is_dropped() {
    let mut receiver = Receiver::with_secrets(&format!("{SECRET} {OTHER_SECRET}"), &[]);
    for secret in [SECRET, OTHER_SECRET] {
        let post = Post::signed(secret, "", EVENT);
        for post in [post.clone().without("Heygen-Event-Id"), post] {
            expect_repeated(&mut receiver, &post, false);
            expect_repeated(&mut receiver, &post, false);
        }
    }
}

#[test]
fn an_event_that_two_endpoints_bring_is_taken_once() {
    let mut receiver = Receiver::with_secrets(&format!("{SECRET} {OTHER_SECRET}"), &[]);
    // Its members may come in another order.
    let respelt = r#"{"event_data": {"video_id": "v1", "title": "Grüße"}, "event_type": "avatar_video.success"}"#;
    expect_repeated(&mut receiver, &Post::signed(SECRET, "evt_1a", EVENT), false);
    expect_repeated(&mut receiver, &Post::signed(OTHER_SECRET, "evt_1b", respelt), true);
    // The same content once more from the one, and then from the other: one more event, brought twice.
    expect_repeated(&mut receiver, &Post::signed(OTHER_SECRET, "evt_2b", EVENT), false);
    expect_repeated(&mut receiver, &Post::signed(SECRET, "evt_2a", EVENT), true);
    // What is repeated by its id counts as no other event.
    expect_repeated(&mut receiver, &Post::signed(SECRET, "evt_3a", EVENT), false);
    expect_repeated(&mut receiver, &Post::signed(SECRET, "evt_3a", EVENT), true);
    expect_repeated(&mut receiver, &Post::signed(OTHER_SECRET, "evt_3b", EVENT), true);
    expect_repeated(&mut receiver, &Post::signed(OTHER_SECRET, "evt_4b", CALLBACK), false);
}

#[test]
fn an_event_that_two_endpoints_bring_with_one_id_is_taken_once() {
    let mut receiver = Receiver::with_secrets(&format!("{SECRET} {OTHER_SECRET}"), &[]);
    // The same content every time, and whichever endpoint is first.
    for (event_id, first, second) in [
        ("evt_1", SECRET, OTHER_SECRET),
        ("evt_2", OTHER_SECRET, SECRET),
        ("evt_3", OTHER_SECRET, SECRET),
    ] {
        expect_repeated(&mut receiver, &Post::signed(first, event_id, EVENT), false);
        expect_repeated(&mut receiver, &Post::signed(first, event_id, EVENT), true);
        expect_repeated(&mut receiver, &Post::signed(second, event_id, EVENT), true);
    }
}

#[test]
fn what_one_endpoint_failed_to_bring_costs_no_later_event() {
    let mut receiver = Receiver::with_secrets(&format!("{SECRET} {OTHER_SECRET}"), &[]);
    // The other endpoint never brings the first event. Its next one passes for it, and is taken from the first endpoint,
    // with ids of their own as with one id.
    for (body, ids) in [
        (EVENT, ["evt_1a", "evt_2b", "evt_2a"]),
        (CALLBACK, ["evt_3", "evt_4", "evt_4"]),
    ] {
        expect_repeated(&mut receiver, &Post::signed(SECRET, ids[0], body), false);
        expect_repeated(&mut receiver, &Post::signed(OTHER_SECRET, ids[1], body), true);
        expect_repeated(&mut receiver, &Post::signed(SECRET, ids[2], body), false);
    }
}

#[test]
fn an_endpoint_whose_secret_is_gone_is_compared_with_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secrets");
    fs::write(&file, format!("{SECRET}\n{OTHER_SECRET}\n")).unwrap();
    let mut receiver = Receiver::with_secrets_in(&file);
    for event_id in ["evt_1", "evt_2", "evt_3"] {
        expect_repeated(&mut receiver, &Post::signed(SECRET, event_id, EVENT), false);
    }
    fs::write(&file, OTHER_SECRET).unwrap();
    expect_repeated(&mut receiver, &Post::signed(OTHER_SECRET, "evt_4", EVENT), false);
    // An id tells all the same.
    expect_repeated(&mut receiver, &Post::signed(OTHER_SECRET, "evt_3", EVENT), true);
    expect_repeated(&mut receiver, &Post::signed(OTHER_SECRET, "evt_5", EVENT), false);
    fs::write(&file, format!("{OTHER_SECRET}\nwhsec_third\n")).unwrap();
    expect_repeated(&mut receiver, &Post::signed("whsec_third", "evt_6a", EVENT), true);
    expect_repeated(&mut receiver, &Post::signed(OTHER_SECRET, "evt_6b", EVENT), false);
}

#[test]
fn what_is_not_signed_is_refused_unless_it_is_a_callback_and_they_are_allowed() {
    let unsigned = |body: &str| Post::signed(SECRET, "evt_1", body).without("Heygen-Signature");
    let mut strict = Receiver::with_secrets(SECRET, &[]);
    for body in [EVENT, CALLBACK] {
        expect_refused(&mut strict, &unsigned(body), 401, "no signature");
    }
    let signed = expect_accepted(&mut strict, &Post::signed(SECRET, "evt_1", CALLBACK));
    assert_eq!(
        (&signed["signed"], &signed["callback_id"]),
        (&json!(true), &json!("mine-1"))
    );

    let mut lenient = Receiver::with_secrets(SECRET, &["--allow-unsigned-callbacks"]);
    let taken = expect_accepted(&mut lenient, &unsigned(CALLBACK));
    assert_eq!(
        (&taken["signed"], &taken["callback_id"]),
        (&json!(false), &json!("mine-1"))
    );
    expect_repeated(&mut lenient, &unsigned(CALLBACK), true);
    expect_repeated(&mut lenient, &unsigned(CALLBACK).without("Heygen-Event-Id"), false);
    // It may come without a timestamp, but not with an old one.
    expect_accepted(&mut lenient, &unsigned(CALLBACK).without("Heygen-Timestamp"));
    let stale = unsigned(CALLBACK).with("Heygen-Timestamp", (now() - 310).to_string());
    expect_refused(&mut lenient, &stale, 401, "too old, or from the future");
    let reason = "no signature, and no callback_id";
    expect_refused(&mut lenient, &unsigned(EVENT), 401, reason);
    for no_id in ["7", "\"\"", "null"] {
        let body = CALLBACK.replace("\"mine-1\"", no_id);
        expect_refused(&mut lenient, &unsigned(&body), 401, reason);
    }
    // A signature that is there has to be right all the same, and what is not signed takes no signed event's place.
    let post = Post::signed(OTHER_SECRET, "evt_2", CALLBACK);
    expect_refused(&mut lenient, &post, 401, "wrong signature");
    expect_repeated(&mut lenient, &Post::signed(SECRET, "evt_1", CALLBACK), false);
}

#[test]
fn a_body_is_an_event_of_at_most_a_mebibyte() {
    let mut receiver = Receiver::with_secrets(SECRET, &["--allow-unsigned-callbacks"]);
    let padded = |length: usize| {
        let padding = " ".repeat(length - EVENT.len());
        format!("{EVENT}{padding}")
    };
    expect_accepted(&mut receiver, &Post::signed(SECRET, "evt_1", &padded(1 << 20)));
    // It is refused by the length it says, before any of it is read.
    let mut long = Post::signed(SECRET, "evt_2", EVENT).with("Content-Length", ((1 << 20) + 1).to_string());
    long.body.clear();
    expect_refused(&mut receiver, &long, 413, "too long");
    let post = Post::signed(SECRET, "evt_3", EVENT);
    for no_length in ["", "-1", "²", "9999999999999999"] {
        let mut post = post.clone().with("Content-Length", no_length);
        post.body.clear();
        expect_refused(&mut receiver, &post, 411, "no length");
    }
    let longer_than_it_is = post.clone().with("Content-Length", (EVENT.len() + 1).to_string());
    expect_refused(&mut receiver, &longer_than_it_is, 400, "cut short");
    let nested = "[".repeat(100_000);
    for no_event in [
        "",
        "[]",
        "7",
        "{",
        &nested,
        r#"{"event_type": "a"}"#,
        r#"{"event_type": 7, "event_data": {}}"#,
        r#"{"event_type": "a", "event_data": []}"#,
    ] {
        let post = Post::signed(SECRET, "evt_4", no_event);
        expect_refused(&mut receiver, &post, 400, "no event");
        expect_refused(&mut receiver, &post.without("Heygen-Signature"), 400, "no event");
    }
    expect_accepted(&mut receiver, &post);
}

#[test]
fn without_any_secret_it_does_not_start() {
    for secret in [None, Some(" \n")] {
        let mut command = Receiver::command();
        if let Some(secret) = secret {
            command.env("HEYGEN_WEBHOOK_SECRET", secret);
        }
        let output = Running::start(command).wait().expect_failure();
        assert!(output.stderr.contains("set HEYGEN_WEBHOOK_SECRET"), "{output:?}");
    }
}

#[test]
fn its_page_names_every_flag_and_every_reason() {
    let read = |name: &str| fs::read_to_string(format!("{}/examples/receiver/{name}", env!("CARGO_MANIFEST_DIR")));
    let (page, program) = (read("README.md").unwrap(), read("receiver.py").unwrap());
    let mut help: Command = Receiver::command();
    let help = Running::start({
        help.arg("--help");
        help
    });
    let help = help.wait().expect_success().stdout;
    let flags: Vec<&str> = help
        .split_whitespace()
        .filter_map(|word| word.strip_prefix('[')?.split(']').next())
        .filter(|word| word.starts_with("--"))
        .collect();
    assert_eq!(flags.len(), 3, "{help}");
    let reasons = program.split("raise Refused(").skip(1).map(|rest| {
        let (status, rest) = rest.split_once(", \"").unwrap();
        (status, rest.split('"').next().unwrap())
    });
    let reasons: Vec<(&str, &str)> = reasons.collect();
    assert!(reasons.len() > 8, "{reasons:?}");
    for flag in flags {
        assert!(page.contains(&format!("`{flag}")), "the page lacks {flag}");
    }
    for (status, reason) in reasons {
        assert!(
            page.contains(&format!("| {status} | {reason} |")),
            "the page lacks {status} {reason}"
        );
    }
}
