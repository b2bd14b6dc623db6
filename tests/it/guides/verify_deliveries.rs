//! Each snippet believes a true delivery, and no other.

use super::page::Guide;
use super::{deliver, with_installed_provider};
use crate::fake_heygen::FakeHeygen;
use crate::support::account::named;
use crate::support::engine::Engine;
use crate::support::http::{Server, response};
use crate::support::terraform::Workspace;

#[allow(unreachable_pub, reason = "it is public where its readers put it")]
#[path = "../../../examples/guides/verify-deliveries/verify.rs"]
mod snippet;

/// A delivery as somebody has kept it, perhaps changed, and whether it may be believed.
struct Kept {
    what: &'static str,
    body: Vec<u8>,
    signature: String,
    timestamp: String,
    believed: bool,
}

/// What HeyGen has delivered by its only endpoint, and everything that can be wrong with it.
fn deliveries(heygen: &FakeHeygen) -> Vec<Kept> {
    let receiver = Server::answering(|_| response(204, ""));
    let delivered = deliver(heygen, &heygen.endpoints()[0].endpoint_id, &receiver.url(), "Grüße");
    let request = receiver.requests().remove(0);
    let timestamp = request.header("Heygen-Timestamp").unwrap();
    let sent_at: u64 = timestamp.parse().unwrap();
    let kept = |what, body: &[u8], signature: &str, timestamp: &str, believed| Kept {
        what,
        body: body.to_vec(),
        signature: signature.to_owned(),
        timestamp: timestamp.to_owned(),
        believed,
    };
    let (body, signature) = (&*request.body, delivered.signature.as_str());
    let respelt = String::from_utf8(request.body.clone()).unwrap().replace(':', ": ");
    let other_digit = if signature.starts_with('0') { "1" } else { "0" };
    let changed = format!("{other_digit}{}", &signature[1..]);
    let at = |sent_at: u64| sent_at.to_string();
    vec![
        kept("true", body, signature, timestamp, true),
        kept("its clock a little behind", body, signature, &at(sent_at - 280), true),
        kept("its clock a little ahead", body, signature, &at(sent_at + 290), true),
        kept("another body", b"{}", signature, timestamp, false),
        kept("a body written anew", respelt.as_bytes(), signature, timestamp, false),
        kept("another signature", body, &changed, timestamp, false),
        kept("half a signature", body, &signature[..32], timestamp, false),
        kept("no signature", body, "", timestamp, false),
        kept("no hex", body, "signature", timestamp, false),
        kept("too old", body, signature, &at(sent_at - 320), false),
        kept("from the future", body, signature, &at(sent_at + 400), false),
        kept("no timestamp", body, signature, "", false),
        kept("no number", body, signature, "now", false),
        kept("a command", body, signature, "a[$(touch intruder)]", false),
    ]
}

#[test]
fn every_snippet_believes_a_true_delivery_and_no_other() {
    let (tf, heygen) = with_installed_provider(Workspace::new(Engine::from_path()));
    tf.write(
        "main.tf",
        &named("videos", "url = \"https://hooks.example.com/heygen\""),
    );
    tf.apply_unchecked();
    let deliveries = deliveries(&heygen);
    let secret = heygen.endpoints()[0].secret.clone();
    let several = format!("whsec_old {secret}");

    let mut guide = Guide::open("verify-deliveries");
    for (section, secrets) in [("Shell", &secret), ("Python", &several), ("Node.js", &several)] {
        let (program, usage) = (guide.take(section), guide.take(section));
        tf.write(program.file().unwrap(), &program.text);
        let command = &usage.commands()[0];
        for it in &deliveries {
            std::fs::write(tf.directory().join("body"), &it.body).unwrap();
            let run = |secrets: &str| {
                tf.shell(
                    command,
                    &[
                        ("HEYGEN_WEBHOOK_SECRET", secrets),
                        ("SIGNATURE", &it.signature),
                        ("TIMESTAMP", &it.timestamp),
                    ],
                )
            };
            let output = run(secrets);
            let says = if it.believed { "verified" } else { "refused" };
            assert!(output.text().contains(says), "{section}, {}\n{output:?}", it.what);
            assert_eq!(output.status.success(), it.believed, "{section}, {}", it.what);
            if it.what == "true" {
                run("whsec_other").expect_failure();
            }
        }
    }
    assert!(!tf.directory().join("intruder").exists(), "a timestamp was evaluated");

    let function = guide.take("Rust");
    assert_eq!(
        function.text,
        include_str!("../../../examples/guides/verify-deliveries/verify.rs")
    );
    for it in &deliveries {
        let verified = |secrets: &[&str]| snippet::verified(secrets, &it.body, &it.signature, &it.timestamp);
        assert_eq!(verified(&["whsec_old", &secret]), it.believed, "Rust, {}", it.what);
        assert!(!verified(&["whsec_old"]));
    }
    guide.follow("Go", &tf);
    guide.follow("PHP", &tf);

    let section = "Find out whether state has the right secret";
    let configuration = guide.take(section);
    tf.write(configuration.file().unwrap(), &configuration.text);
    let (command, answer) = (guide.take(section), guide.take(section));
    std::fs::write(tf.directory().join("body"), &deliveries[0].body).unwrap();
    let changes = || {
        heygen
            .requests()
            .iter()
            .filter(|request| request.method != "GET")
            .count()
    };
    let changes_before = changes();
    for (signature, answer) in [
        (&deliveries[0].signature, answer.text.clone()),
        (&"0".repeat(64), answer.text.replace("true", "false")),
    ] {
        let output = tf
            .shell(&command.commands()[0], &[("SIGNATURE", signature)])
            .expect_success();
        assert!(output.stdout.contains(&answer), "{output:?}");
        assert!(!output.text().contains(&secret), "{output:?}");
    }
    assert_eq!(changes(), changes_before);
    guide.end(&[("Go", "go"), ("PHP", "php")]);
}
