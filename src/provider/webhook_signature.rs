//! The functions about the signatures of deliveries.
//!
//! `HeyGen` signs the raw body of a delivery with HMAC-SHA256, keyed with the whole secret, prefix included, and sends
//! the result in hex as the header `Heygen-Signature`.

use std::sync::LazyLock;

use ring::hmac::{self, HMAC_SHA256, Key};
use secrecy::{ExposeSecret, SecretString};

use crate::terraform::{Arguments, Function, FunctionError, FunctionSignature, IntoValue, Parameter, Type, Value};

/// `webhook_signature(secret, body)`: what a delivery of this body is signed with.
pub(super) struct WebhookSignature;

impl Function for WebhookSignature {
    fn name(&self) -> &'static str {
        "webhook_signature"
    }

    fn signature(&self) -> &'static FunctionSignature {
        static SIGNATURE: LazyLock<FunctionSignature> = LazyLock::new(|| FunctionSignature {
            summary: "The signature of a webhook delivery",
            description: "What HeyGen sends as the header `Heygen-Signature` of a delivery with this body: HMAC-SHA256 in \
                          lower-case hex. Terraform keeps text in Unicode's form NFC, so a body in another form cannot be \
                          signed here as it was sent.",
            parameters: vec![secret(), body()],
            returns: Type::String,
        });
        &SIGNATURE
    }

    fn call(&self, mut arguments: Arguments) -> Result<Value, FunctionError> {
        let (secret, body): (_, String) = (arguments.take()?, arguments.take()?);
        Ok(sign(&secret, &body).into_value())
    }
}

/// `verify_webhook_signature(secret, body, signature)`: whether a delivery is `HeyGen`'s.
pub(super) struct VerifyWebhookSignature;

impl Function for VerifyWebhookSignature {
    fn name(&self) -> &'static str {
        "verify_webhook_signature"
    }

    fn signature(&self) -> &'static FunctionSignature {
        static SIGNATURE: LazyLock<FunctionSignature> = LazyLock::new(|| FunctionSignature {
            summary: "Whether the signature of a webhook delivery is right",
            description: "True if `signature` is the one of a delivery with this body, in hex of either case; false if it \
                          is another one, or none at all. Compared in constant time. A receiver also has to refuse \
                          deliveries whose `Heygen-Timestamp` is older than five minutes.",
            parameters: vec![
                secret(),
                body(),
                Parameter {
                    name: "signature",
                    ty: Type::String,
                    description: "The header `Heygen-Signature` of the delivery.",
                },
            ],
            returns: Type::Bool,
        });
        &SIGNATURE
    }

    fn call(&self, mut arguments: Arguments) -> Result<Value, FunctionError> {
        let (secret, body, signature): (_, String, String) = (arguments.take()?, arguments.take()?, arguments.take()?);
        Ok(verify(&secret, &body, &signature).into_value())
    }
}

fn secret() -> Parameter {
    Parameter {
        name: "secret",
        ty: Type::String,
        description: "The endpoint's signing secret, whole.",
    }
}

fn body() -> Parameter {
    Parameter {
        name: "body",
        ty: Type::String,
        description: "The delivery's body, exactly as it was sent.",
    }
}

fn sign(secret: &SecretString, body: &str) -> String {
    base16ct::lower::encode_string(hmac::sign(&key(secret), body.as_bytes()).as_ref())
}

fn verify(secret: &SecretString, body: &str, signature: &str) -> bool {
    // A text that is not hex is not a signature.
    base16ct::mixed::decode_vec(signature).is_ok_and(|tag| hmac::verify(&key(secret), body.as_bytes(), &tag).is_ok())
}

fn key(secret: &SecretString) -> Key {
    Key::new(HMAC_SHA256, secret.expose_secret().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    const SIGNED: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

    fn key() -> SecretString {
        SecretString::from("Jefe")
    }

    const BODY: &str = "what do ya want for nothing?";

    #[test]
    fn a_signature_is_the_hex_of_an_hmac_sha256() {
        assert_eq!(sign(&key(), BODY), SIGNED);
    }

    #[test]
    fn a_signature_is_right_in_either_case_and_wrong_with_anything_changed() {
        assert!(verify(&key(), BODY, SIGNED));
        assert!(verify(&key(), BODY, &SIGNED.to_uppercase()));
        assert!(!verify(&SecretString::from("Jeff"), BODY, SIGNED));
        assert!(!verify(&key(), "what do ya want for nothing!", SIGNED));
        assert!(!verify(&key(), BODY, &SIGNED.replace('5', "6")));
    }

    #[test]
    fn what_is_malformed_is_no_signature() {
        let malformed = [
            "",
            "0",
            &SIGNED[..63],
            &SIGNED[..62],
            &format!("{SIGNED}00"),
            &format!(" {SIGNED}"),
            &format!("sha256={SIGNED}"),
            &format!("{}xx", &SIGNED[..62]),
            &format!("{}é", &SIGNED[..62]),
        ];
        for signature in malformed {
            assert!(!verify(&key(), BODY, signature), "{signature}");
        }
    }
}
