//! The functions, called from configurations.

use super::{endpoint, with_account};
use crate::fake_heygen::Delivery;
use crate::support::engine::for_each_engine;
use serde_json::{Value, json};

/// An output whose value does not depend on whether what it is made of is sensitive.
fn output(name: &str, value: &str) -> String {
    format!("output \"{name}\" {{\n  value = nonsensitive({value})\n}}\n")
}

for_each_engine! {
    fn the_functions_sign_and_verify_what_heygen_delivers(tf: Workspace) {
        let (tf, heygen) = with_account(tf);
        let a = endpoint("url = \"https://hooks.example.com/heygen\"");
        tf.write("main.tf", &a);
        tf.apply();
        let order: Delivery = serde_json::from_value(json!({
            "endpoint_id": heygen.endpoints()[0].endpoint_id,
            // Nobody listens there: what matters is what would have been sent.
            "via": "http://127.0.0.1:1/",
            "event_type": "avatar_video.success",
            "event_data": { "video_id": "v-1", "title": "Grüße" },
        })).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let delivered = runtime.block_on(heygen.deliver(&order)).unwrap();

        tf.write("terraform.tfvars.json", &json!({ "body": delivered.body, "signature": delivered.signature }).to_string());
        let secret = "heygen_webhook_endpoint.a.secret";
        let verified = |body: &str, signature: &str| {
            format!("provider::heygen::verify_webhook_signature({secret}, {body}, {signature})")
        };
        tf.write("functions.tf", &[
            "variable \"body\" {}\nvariable \"signature\" {}\n".to_owned(),
            output("signed", &format!("provider::heygen::webhook_signature({secret}, var.body)")),
            output("right", &verified("var.body", "var.signature")),
            output("upper_case", &verified("var.body", "upper(var.signature)")),
            output("another_body", &verified("\"${var.body} \"", "var.signature")),
            output("another_signature", &verified("var.body", "sha256(var.signature)")),
            output("malformed", &verified("var.body", "\"sha256=${var.signature}\"")),
        ].concat());
        tf.apply();
        let outputs = tf.outputs();
        assert_eq!(outputs["signed"], Value::from(delivered.signature));
        let verdicts = ["right", "upper_case", "another_body", "another_signature", "malformed"];
        assert_eq!(verdicts.map(|name| &outputs[name]), [true, true, false, false, false].map(Value::from).each_ref());
    }

    fn functions_need_neither_credentials_nor_heygen(tf: Workspace) {
        // RFC 4231, test case 2.
        tf.write("main.tf", &output("signed", r#"provider::heygen::webhook_signature("Jefe", "what do ya want for nothing?")"#));
        tf.apply().none();
        let signed = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(tf.outputs()["signed"], Value::from(signed));
    }

    fn a_signature_made_of_a_sensitive_secret_is_sensitive_too(tf: Workspace) {
        let (tf, _heygen) = with_account(tf);
        tf.write("main.tf", &(endpoint("url = \"https://hooks.example.com/heygen\"") + "
            output \"signed\" {
                value = provider::heygen::webhook_signature(heygen_webhook_endpoint.a.secret, \"{}\")
            }
        "));
        tf.plan_expecting_failure().error("Output refers to sensitive values");
    }
}
