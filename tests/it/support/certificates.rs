//! Client certificates as Terraform makes them: ECDSA P-521, self-signed, marked as an authority.
//!
//! Made by `x509-cert` and not by rcgen, as the plugin's own are: rcgen knows P-521 only where it signs with aws-lc.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use p521::ecdsa::signature::Signer as _;
use p521::ecdsa::{DerSignature, SigningKey};
use p521::elliptic_curve::Generate;
use rustls::pki_types::CertificateDer;
use rustls::sign::{CertifiedKey, Signer, SigningKey as TlsSigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};
use x509_cert::TbsCertificate;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{self, Builder as _, CertificateBuilder};
use x509_cert::der::Encode as _;
use x509_cert::der::asn1::Ia5String;
use x509_cert::der::oid::db::rfc5280::{ID_KP_CLIENT_AUTH, ID_KP_SERVER_AUTH};
use x509_cert::der::pem::{self, LineEnding};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName};
use x509_cert::ext::{Extension, ToExtension as _};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef};
use x509_cert::time::{Time, Validity};

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
        pem::encode_string("CERTIFICATE", LineEnding::LF, &self.der).unwrap()
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

/// RFC 5280, with the fields that Go's plugin library sets.
fn self_signed(key: &SigningKey) -> Vec<u8> {
    let public_key = SubjectPublicKeyInfoOwned::from_key(key.verifying_key()).unwrap();
    let serial = SerialNumber::from(fastrand::u64(1 << 8..1 << 62));
    let now = SystemTime::now();
    let validity = Validity::new(
        Time::try_from(now - Duration::from_secs(30)).unwrap(),
        Time::try_from(now + Duration::from_hours(262_980)).unwrap(),
    );
    let certificate = CertificateBuilder::new(HostProfile, serial, validity, public_key).unwrap();
    certificate.build::<_, DerSignature>(key).unwrap().to_der().unwrap()
}

/// What is the same in every host's certificate.
struct HostProfile;

impl BuilderProfile for HostProfile {
    fn get_subject(&self) -> Name {
        "CN=localhost,O=HashiCorp".parse().unwrap()
    }

    fn get_issuer(&self, subject: &Name) -> Name {
        subject.clone()
    }

    fn build_extensions(
        &self,
        _subject_key: SubjectPublicKeyInfoRef<'_>,
        _issuer_key: SubjectPublicKeyInfoRef<'_>,
        certificate: &TbsCertificate,
    ) -> builder::Result<Vec<Extension>> {
        let usage =
            KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment | KeyUsages::KeyAgreement | KeyUsages::KeyCertSign;
        let authority = BasicConstraints {
            ca: true,
            path_len_constraint: None,
        };
        let name = GeneralName::DnsName(Ia5String::new("localhost")?);
        let subject = certificate.subject();
        Ok(vec![
            KeyUsage(usage).to_extension(subject, &[])?,
            ExtendedKeyUsage(vec![ID_KP_CLIENT_AUTH, ID_KP_SERVER_AUTH]).to_extension(subject, &[])?,
            authority.to_extension(subject, &[])?,
            SubjectAltName(vec![name]).to_extension(subject, &[])?,
        ])
    }
}
