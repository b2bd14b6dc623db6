//! Client certificates as Terraform makes them: ECDSA P-521, self-signed, marked as an authority.
//!
//! The DER is written by hand because the certificate crates at hand sign with *ring*, which has no P-521.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use p521::ecdsa::signature::Signer as _;
use p521::ecdsa::{DerSignature, SigningKey};
use p521::elliptic_curve::Generate;
use rustls::pki_types::CertificateDer;
use rustls::sign::{CertifiedKey, Signer, SigningKey as TlsSigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};
use time::OffsetDateTime;

/// A certificate and the key it belongs to.
#[derive(Clone)]
pub struct ClientIdentity {
    /// The certificate.
    pub der: CertificateDer<'static>,
    key: SigningKey,
}

impl ClientIdentity {
    /// A fresh key with a certificate of its own.
    pub fn generate() -> Self {
        let key = SigningKey::generate();
        let der = self_signed(&key);
        Self { der: der.into(), key }
    }

    /// The certificate of `self` in the hands of somebody who owns another key.
    pub fn with_the_key_of(&self, other: &Self) -> Self {
        Self {
            der: self.der.clone(),
            key: other.key.clone(),
        }
    }

    /// The certificate as the host puts it into the environment.
    pub fn pem(&self) -> String {
        let text = STANDARD.encode(&self.der);
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            lines.join("\n")
        )
    }

    /// What a TLS client shows and signs with.
    pub fn certified_key(&self) -> Arc<CertifiedKey> {
        let key = Arc::new(TlsKey(self.key.clone()));
        Arc::new(CertifiedKey::new(vec![self.der.clone()], key))
    }
}

#[derive(Clone, Debug)]
struct TlsKey(SigningKey);

impl TlsSigningKey for TlsKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let ours = offered.contains(&SignatureScheme::ECDSA_NISTP521_SHA512);
        ours.then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for TlsKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let signature: DerSignature = self.0.sign(message);
        Ok(signature.as_bytes().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP521_SHA512
    }
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
const UTF8: u8 = 0x0c;
const GENERALIZED_TIME: u8 = 0x18;
const TRUE: &[u8] = &[0x01, 0x01, 0xff];

/// RFC 5280, with the fields Go's plugin library sets.
fn self_signed(key: &SigningKey) -> Vec<u8> {
    let ecdsa_with_sha512 = tlv(SEQUENCE, &oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04]));
    let name = tlv(
        SEQUENCE,
        &[
            attribute(&[0x55, 4, 10], "HashiCorp"),
            attribute(&[0x55, 4, 3], "localhost"),
        ]
        .concat(),
    );
    let now = SystemTime::now();
    let validity = [
        moment(now - Duration::from_secs(30)),
        moment(now + Duration::from_hours(262_980)),
    ];
    let ec_public_key = oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]);
    let secp521r1 = oid(&[0x2b, 0x81, 0x04, 0x00, 0x23]);
    let point = key.verifying_key().to_sec1_point(false);
    let public_key = [
        tlv(SEQUENCE, &[ec_public_key, secp521r1].concat()),
        bits(0, point.as_bytes()),
    ];
    let server_and_client = [oid(&[0x2b, 6, 1, 5, 5, 7, 3, 2]), oid(&[0x2b, 6, 1, 5, 5, 7, 3, 1])];
    let extensions = [
        // digitalSignature, keyEncipherment, keyAgreement, keyCertSign
        extension(15, true, &bits(2, &[0b1010_1100])),
        extension(37, false, &tlv(SEQUENCE, &server_and_client.concat())),
        extension(19, true, &tlv(SEQUENCE, TRUE)),
        extension(17, false, &tlv(SEQUENCE, &tlv(0x82, b"localhost"))),
    ];
    let body = tlv(
        SEQUENCE,
        &[
            tlv(0xa0, &tlv(INTEGER, &[2])),
            tlv(INTEGER, &fastrand::u64(1 << 8..1 << 62).to_be_bytes()),
            ecdsa_with_sha512.clone(),
            name.clone(),
            tlv(SEQUENCE, &validity.concat()),
            name,
            tlv(SEQUENCE, &public_key.concat()),
            tlv(0xa3, &tlv(SEQUENCE, &extensions.concat())),
        ]
        .concat(),
    );
    let signature: DerSignature = key.sign(&body);
    tlv(
        SEQUENCE,
        &[body, ecdsa_with_sha512, bits(0, signature.as_bytes())].concat(),
    )
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u16::try_from(content.len()).unwrap().to_be_bytes() {
        [0, short @ ..0x80] => out.push(short),
        [0, byte] => out.extend([0x81, byte]),
        [high, low] => out.extend([0x82, high, low]),
    }
    out.extend(content);
    out
}

fn oid(encoded: &[u8]) -> Vec<u8> {
    tlv(OID, encoded)
}

fn bits(unused: u8, bytes: &[u8]) -> Vec<u8> {
    tlv(BIT_STRING, &[&[unused], bytes].concat())
}

fn attribute(kind: &[u8], value: &str) -> Vec<u8> {
    let pair = [oid(kind), tlv(UTF8, value.as_bytes())].concat();
    tlv(SET, &tlv(SEQUENCE, &pair))
}

fn moment(at: SystemTime) -> Vec<u8> {
    let at = OffsetDateTime::from(at);
    let text = format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    );
    // RFC 5280 wants UTCTime before 2050 and GeneralizedTime from then on.
    if at.year() < 2050 {
        tlv(0x17, &text.as_bytes()[2..])
    } else {
        tlv(GENERALIZED_TIME, text.as_bytes())
    }
}

fn extension(id: u8, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical { TRUE } else { &[] };
    let parts = [&oid(&[0x55, 0x1d, id]), critical, &tlv(OCTET_STRING, value)].concat();
    tlv(SEQUENCE, &parts)
}
