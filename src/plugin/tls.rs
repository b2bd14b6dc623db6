//! Mutual TLS with exactly one peer.
//!
//! The host makes a self-signed P-521 certificate for every process it starts and hands us its public
//! half. Only who owns the private half may connect, so two things are checked: that the certificate
//! shown is the very one we were given, and that the handshake is signed with its key. The first alone
//! would prove nothing, since certificates are public.
//!
//! The usual verifiers do not fit: the certificate is marked as an authority, which they refuse in a client, and *ring*
//! has no P-521, without which the host sends no certificate at all. So this module compares the certificate itself,
//! and verifies signatures on P-521 with the `p521` crate. A crypto provider that has P-521 costs tens of milliseconds
//! at every start of the process, and a command starts several.

use std::sync::Arc;

use p521::ecdsa::signature::Verifier;
use p521::ecdsa::{DerSignature, VerifyingKey};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, PrivatePkcs8KeyDer, SignatureVerificationAlgorithm,
    UnixTime, alg_id,
};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ParsedCertificate};
use rustls::version::TLS13;
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use time::{Duration, OffsetDateTime};
use tokio_rustls::TlsAcceptor;

use super::Error;

/// Our side of the connection: a fresh certificate, and who may connect.
pub(super) struct Identity {
    certificate: CertificateDer<'static>,
    config: Arc<ServerConfig>,
}

impl Identity {
    /// A fresh identity that accepts the owner of the certificate in `client_pem`, and nobody else.
    pub(super) fn pinned_to(client_pem: &str) -> Result<Self, Error> {
        let client = client_certificate(client_pem)?;
        let (certificate, key) = own_certificate().map_err(|e| Error::Tls(e.to_string()))?;

        let provider = Arc::new(ring::default_provider());
        let verifier = Arc::new(PinnedClientVerifier {
            certificate: client,
            other_algorithms: provider.signature_verification_algorithms,
        });
        let config =
            server_config(provider, verifier, certificate.clone(), key).map_err(|e| Error::Tls(e.to_string()))?;
        Ok(Self {
            certificate,
            config: Arc::new(config),
        })
    }

    /// The certificate the host is to pin.
    pub(super) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// What turns a connection into an authenticated one.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }
}

/// The one certificate in `pem`. Anything else is refused, because a host that asks for TLS must not be served without.
fn client_certificate(pem: &str) -> Result<CertificateDer<'static>, Error> {
    let unusable = |reason: String| Error::ClientCertificate(reason);
    let mut found = CertificateDer::pem_slice_iter(pem.as_bytes());
    let certificate = found
        .next()
        .ok_or_else(|| unusable("there is none in it".into()))?
        .map_err(|e| unusable(e.to_string()))?;
    if found.next().is_some() {
        return Err(unusable("there is more than one in it".into()));
    }
    ParsedCertificate::try_from(&certificate).map_err(|e| unusable(e.to_string()))?;
    Ok(certificate)
}

/// A self-signed P-256 certificate for `localhost`, the name the host asks for.
fn own_certificate() -> Result<(CertificateDer<'static>, PrivatePkcs8KeyDer<'static>), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // Backdated, in case the clock is set back before the host checks the certificate. It has to be valid for as long
    // as the process lives, which may be long.
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::minutes(5);
    params.not_after = now + Duration::days(365 * 30);
    let certificate = params.self_signed(&key)?;
    Ok((certificate.der().clone(), PrivatePkcs8KeyDer::from(key.serialize_der())))
}

fn server_config(
    provider: Arc<CryptoProvider>,
    verifier: Arc<PinnedClientVerifier>,
    certificate: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate], key.into())?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    // The host connects once. A resumed session would be one whose client was not verified anew.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// Accepts one certificate, byte for byte, from a client that proves that it has the key.
#[derive(Debug)]
struct PinnedClientVerifier {
    certificate: CertificateDer<'static>,
    /// What may sign a handshake besides P-521, should a host come with another kind of key.
    other_algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for PinnedClientVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    // The dates are not checked. The host has made this very certificate for this process, and a clock that is set
    // meanwhile must not end a long apply.
    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        if *end_entity == self.certificate {
            Ok(ClientCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.2 is not spoken here".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = match signed.scheme {
            SignatureScheme::ECDSA_NISTP521_SHA512 => &P521_ALGORITHMS,
            _ => &self.other_algorithms,
        };
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = P521_ALGORITHMS.supported_schemes();
        schemes.extend(self.other_algorithms.supported_schemes());
        schemes
    }
}

static P521_ALGORITHMS: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[&EcdsaP521Sha512],
    mapping: &[(SignatureScheme::ECDSA_NISTP521_SHA512, &[&EcdsaP521Sha512])],
};

/// ECDSA on P-521 with SHA-512: keys in SEC1 form, signatures in DER (RFC 8446, section 4.2.3).
#[derive(Debug)]
struct EcdsaP521Sha512;

impl SignatureVerificationAlgorithm for EcdsaP521Sha512 {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let key = VerifyingKey::from_sec1_bytes(public_key).map_err(|_| InvalidSignature)?;
        let signature = DerSignature::from_bytes(signature).map_err(|_| InvalidSignature)?;
        key.verify(message, &signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P521
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA512
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] = b"signed by another implementation";

    /// A key and its signature of [`MESSAGE`], made with OpenSSL.
    const KEY: &str = "0400b939749aca561b5ec45345e7a6254d61aca60f5fe206f01909251d6639db4586cc70534dcf88a3a0\
        99b6eaf6726b21d365856023a8c10bd92da482925d0a36e2c801833bbf932aff87d8e94c2f0412623391ea7b99f0998d92e0\
        69d7afdbe0a7a15975f9746847eadcda37f474994fe5a642976ce49491445cfd2aa7e8e71f0d98749d";
    const SIGNATURE: &str = "3081880242012d8006d73ed916f85cc61d67b50f276e7bdac41eb930587c323a4832ce30c2b46c3f\
        2d403079d8fca5d32c7e238e5a88fcf2ec5dff7779dc0f88f6fda5ee17e1be024201c5436eaa496bf88484065a795143812d\
        2b70fe286534949ec84475ae63d9ed668f0aa2c0ae91d0d7a4c5039231399d9c9cfe7f97e1a72f46baca9adde30a66cde1";

    fn bytes(hex: &str) -> Vec<u8> {
        let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair));
        pairs
            .map(|pair| u8::from_str_radix(pair.unwrap(), 16).unwrap())
            .collect()
    }

    fn verified(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        EcdsaP521Sha512.verify_signature(key, message, signature).is_ok()
    }

    #[test]
    fn a_p521_signature_of_another_implementation_is_accepted() {
        assert!(verified(&bytes(KEY), MESSAGE, &bytes(SIGNATURE)));
    }

    #[test]
    fn a_changed_key_message_or_signature_is_not() {
        let (key, signature) = (bytes(KEY), bytes(SIGNATURE));
        for at in (0..key.len()).step_by(11) {
            let mut changed = key.clone();
            changed[at] ^= 1;
            assert!(!verified(&changed, MESSAGE, &signature), "key {at}");
        }
        for at in (0..signature.len()).step_by(11) {
            let mut changed = signature.clone();
            changed[at] ^= 1;
            assert!(!verified(&key, MESSAGE, &changed), "signature {at}");
        }
        assert!(!verified(&key, b"another message", &signature));
        assert!(!verified(&key, MESSAGE, b""));
        assert!(!verified(b"", MESSAGE, &signature));
    }

    #[test]
    fn p521_is_the_first_scheme_offered() {
        let verifier = PinnedClientVerifier {
            certificate: CertificateDer::from(Vec::new()),
            other_algorithms: ring::default_provider().signature_verification_algorithms,
        };
        let schemes = verifier.supported_verify_schemes();
        assert_eq!(schemes[0], SignatureScheme::ECDSA_NISTP521_SHA512);
        assert!(verifier.client_auth_mandatory());
    }
}
