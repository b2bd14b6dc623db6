//! Signatures of deliveries: whatever text is signed and checked, the check is right and has an answer.

use hmac::{Hmac, KeyInit as _, Mac as _};
use proptest::prelude::*;
use proptest::sample::Index;
use sha2::Sha256;
use terraform_provider_heygen::provider::Environment;
use terraform_provider_heygen::terraform::proto::{self, DynamicValue, provider_client::ProviderClient};
use terraform_provider_heygen::terraform::wire::decode_msgpack;
use terraform_provider_heygen::terraform::{Type, Value};
use tonic::transport::Channel;
use unicode_normalization::UnicodeNormalization as _;

use super::{RUNTIME, cases, corpus, served};

/// Short and long, of any characters, and what a body and a secret really look like.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => any::<String>(),
        1 => "[ \\n]{0,2}[a-z]{1,9}[ \\r\\n]{0,3}",
        1 => "whsec_[A-Za-z0-9]{1,64}",
        1 => r#"\{"event_type": "[a-z_.]{0,40}", "event_data": \{"n": [0-9]{1,5}\}\}"#,
        1 => "\\PC{0,2000}",
    ]
}

/// What has the looks of a signature, more or less.
fn signatures() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9a-fA-F]{64}",
        "[0-9a-fA-F]{0,200}",
        "(sha256=)?[0-9a-g]{64}",
        any::<String>()
    ]
}

/// What this function makes of these arguments.
fn call(client: &ProviderClient<Channel>, name: &str, arguments: &[&str]) -> Value {
    let text = |text: &&str| {
        // Just as it is, which is not how Terraform has it: it may be in another form than NFC.
        let mut msgpack = Vec::new();
        rmp::encode::write_str(&mut msgpack, text).unwrap();
        let json = Vec::new();
        DynamicValue { msgpack, json }
    };
    let request = proto::call_function::Request {
        name: name.to_owned(),
        arguments: arguments.iter().map(text).collect(),
    };
    let answer = RUNTIME.block_on(client.clone().call_function(request));
    let answer = answer.unwrap().into_inner();
    assert_eq!(answer.error, None);
    let returns = if name == "webhook_signature" {
        Type::String
    } else {
        Type::Bool
    };
    decode_msgpack(&answer.result.unwrap().msgpack, &returns).unwrap()
}

fn sign(client: &ProviderClient<Channel>, secret: &str, body: &str) -> String {
    match call(client, "webhook_signature", &[secret, body]) {
        Value::String(signature) => signature,
        other => panic!("{other:?}"),
    }
}

fn verify(client: &ProviderClient<Channel>, secret: &str, body: &str, signature: &str) -> bool {
    call(client, "verify_webhook_signature", &[secret, body, signature]) == Value::Bool(true)
}

/// The same by another implementation, of the text as Terraform has it.
fn reference(secret: &str, body: &str) -> String {
    let nfc = |text: &str| text.nfc().collect::<String>();
    let mut mac = Hmac::<Sha256>::new_from_slice(nfc(secret).as_bytes()).unwrap();
    mac.update(nfc(body).as_bytes());
    let digits: Vec<String> = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    digits.concat()
}

#[test]
fn whatever_is_signed_is_verified_and_nothing_else_is() {
    let client = served(Environment::default());
    let case = (texts(), texts(), signatures(), any::<Index>(), any::<bool>());
    proptest!(cases(200), |((secret, body, other, at, upper) in case)| {
        let right = sign(&client, &secret, &body);
        prop_assert_eq!(&right, &reference(&secret, &body));
        let spelled = if upper { right.to_uppercase() } else { right.clone() };
        prop_assert!(verify(&client, &secret, &body, &spelled));
        let (other_body, other_secret) = (format!("{body}."), format!("{secret}."));
        prop_assert!(!verify(&client, &secret, &other_body, &right));
        prop_assert!(!verify(&client, &other_secret, &body, &right));
        prop_assert_eq!(verify(&client, &secret, &body, &other), other.eq_ignore_ascii_case(&right));

        let at = at.index(right.len());
        let digit = if &right[at..=at] == "0" { "1" } else { "0" };
        let changed = format!("{}{digit}{}", &right[..at], &right[at + 1..]);
        prop_assert!(!verify(&client, &secret, &body, &changed));
        prop_assert!(!verify(&client, &secret, &body, &right[..at]));
    });
}

#[test]
fn the_corpus_signs_nothing() {
    let client = served(Environment::default());
    for (name, bytes) in corpus() {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!verify(&client, "whsec_1", "{}", &text), "{name}");
        assert!(verify(&client, &text, &text, &sign(&client, &text, &text)), "{name}");
    }
}
