//! Explains to the user why TLS with a server or a proxy did not come about.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{io, iter};

use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, SignatureScheme};

/// Whether certificates are verified by the operating system, with its own store. Elsewhere `SSL_CERT_FILE` and
/// `SSL_CERT_DIR` say what is trusted, before the system's files do.
pub(super) const SYSTEM_VERIFIES: bool = cfg!(any(target_vendor = "apple", windows));

/// Whose certificate it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Api,
    Proxy,
}

/// What is wrong with a certificate, and what to do about it, if that is what an attempt to connect failed of.
pub(super) fn problem_with(error: &(dyn Error + 'static), owner: Owner) -> Option<String> {
    causes(error).find_map(|cause| match cause.downcast_ref() {
        Some(rustls::Error::InvalidCertificate(why)) => Some(explanation(why, owner)),
        _ => None,
    })
}

/// An error and all that it came from.
pub(super) fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| {
        // An I/O error does not count what it wraps among its sources.
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        }
    })
}

/// Notes whether a server has asked for a certificate of its clients, and has none. Where it needed one, what comes back is
/// an alert, or, if that is overtaken, no more than the end of the connection.
#[derive(Debug, Default)]
pub(super) struct NoClientCertificate {
    asked: AtomicBool,
}

impl NoClientCertificate {
    pub(super) fn was_asked_for(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

impl ResolvesClientCert for NoClientCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// Why the other side ended TLS, or why it was ended here, apart from certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TlsFailure {
    /// It wants a certificate of its clients. An attempt without one never gets further.
    ClientCertificateWanted,
    /// Anything else, in words that follow the name of the other side.
    Other(String),
}

/// What TLS failed of, if it is that.
pub(super) fn tls_failure(error: &(dyn Error + 'static)) -> Option<TlsFailure> {
    causes(error).find_map(|cause| match cause.downcast_ref() {
        Some(rustls::Error::AlertReceived(alert)) => Some(alerted(&format!("{alert:?}"))),
        Some(rustls::Error::InvalidMessage(_)) => Some(other("what answers there does not speak TLS")),
        Some(rustls::Error::PeerIncompatible(_)) => Some(other(
            "what answers there offers no TLS that the provider takes (1.2 or 1.3)",
        )),
        Some(
            rustls::Error::PeerMisbehaved(_)
            | rustls::Error::InappropriateMessage { .. }
            | rustls::Error::InappropriateHandshakeMessage { .. }
            | rustls::Error::DecryptError,
        ) => Some(other("what answers there does not keep to TLS")),
        Some(_) => None,
        // HTTP/2 hands on what rustls said as a text.
        None => cause.to_string().strip_prefix("received fatal alert: ").map(alerted),
    })
}

/// What an alert says, by rustls's name for it.
fn alerted(alert: &str) -> TlsFailure {
    match alert {
        // Until TLS 1.3 there was no alert of its own for it, and this one is about the client's certificate.
        "CertificateRequired" | "NoCertificate" | "BadCertificate" => TlsFailure::ClientCertificateWanted,
        "HandshakeFailure" | "InsufficientSecurity" => other(
            "what answers there ended TLS: it shares no encryption with the provider, or wants a certificate of its clients",
        ),
        "ProtocolVersion" => other("what answers there speaks neither TLS 1.2 nor TLS 1.3"),
        "UnrecognisedName" => other("what answers there does not serve a host of this name"),
        "NoApplicationProtocol" => other("what answers there speaks neither HTTP/1.1 nor HTTP/2"),
        alert => TlsFailure::Other(format!(
            "what answers there ended TLS with the alert {}",
            in_words(alert)
        )),
    }
}

fn other(words: &str) -> TlsFailure {
    TlsFailure::Other(words.to_owned())
}

/// `InternalError` as "internal error".
fn in_words(name: &str) -> String {
    let mut words = String::new();
    let mut after_lowercase = false;
    for character in name.chars() {
        if character.is_ascii_uppercase() && after_lowercase {
            words.push(' ');
        }
        after_lowercase = character.is_ascii_lowercase();
        words.push(character.to_ascii_lowercase());
    }
    words
}

fn explanation(why: &CertificateError, owner: Owner) -> String {
    use CertificateError as Why;
    match why {
        Why::UnknownIssuer if SYSTEM_VERIFIES => {
            "it is signed by nobody this machine trusts; add its CA to the system's store".to_owned()
        }
        Why::UnknownIssuer => {
            "it is signed by nobody this machine trusts; add its CA to the system's store or name it in \
                               SSL_CERT_FILE"
                .to_owned()
        }
        Why::Expired | Why::ExpiredContext { .. } => {
            "it has expired; renew it, or set this machine's clock right".to_owned()
        }
        Why::NotValidYet | Why::NotValidYetContext { .. } => {
            "it is not valid yet; set this machine's clock right".to_owned()
        }
        Why::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            "it has no subjectAltName, and a host name elsewhere in it does not count; make it with \
             subjectAltName=DNS:HOST, or IP:ADDRESS"
                .to_owned()
        }
        Why::NotValidForNameContext { presented, .. } => {
            let hosts = hosts_in(presented);
            format!(
                "it is for another host name{hosts}; check the host of {}",
                owner.named_by()
            )
        }
        Why::NotValidForName => format!("it is for another host name; check the host of {}", owner.named_by()),
        Why::Revoked => "it has been revoked; it has to be replaced".to_owned(),
        Why::InvalidPurpose | Why::InvalidPurposeContext { .. } => {
            "it is not meant for servers; its extended key usage must include serverAuth".to_owned()
        }
        Why::BadSignature => "its signature is wrong; it has been tampered with, or its CA's certificate is another \
                              one of the same name"
            .to_owned(),
        Why::BadEncoding => "it cannot be read; it has to be made anew".to_owned(),
        Why::UnhandledCriticalExtension => UNKNOWN_EXTENSION.to_owned(),
        Why::UnsupportedSignatureAlgorithmContext { .. }
        | Why::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "it is signed with an algorithm that is not accepted; use ECDSA, Ed25519, or RSA with SHA-2".to_owned()
        }
        Why::Other(other) => match other.0.downcast_ref::<webpki::Error>() {
            Some(webpki::Error::CaUsedAsEndEntity) => {
                "it is a CA's certificate and cannot identify a server; use one that this CA signs, or make it with \
                 basicConstraints=CA:FALSE"
                    .to_owned()
            }
            Some(webpki::Error::UnsupportedCriticalExtension) => UNKNOWN_EXTENSION.to_owned(),
            Some(webpki::Error::EndEntityUsedAsCa) => {
                "it is signed with a certificate that is none of a CA; use one that a CA signs".to_owned()
            }
            Some(webpki::Error::NameConstraintViolation) => {
                "its CA may not sign for the names in it; use one of another CA".to_owned()
            }
            Some(webpki::Error::UnsupportedCertVersion) => {
                "it is no certificate of X.509 version 3; it has to be made anew".to_owned()
            }
            _ => GENERAL_EXPLANATION.to_owned(),
        },
        _ => GENERAL_EXPLANATION.to_owned(),
    }
}

const UNKNOWN_EXTENSION: &str = "it has a critical extension that is not understood here; it has to be made without it";

impl Owner {
    /// What the user says its host with.
    fn named_by(self) -> &'static str {
        match self {
            Self::Api => "base_url",
            Self::Proxy => "the proxy variable",
        }
    }
}

/// How many of a certificate's names are shown.
const MAX_HOSTS: usize = 5;

/// The hosts among the names of a certificate, which come in Rust's form: `DnsName("api.example.com")`.
fn hosts_in(names: &[String]) -> String {
    let host = |name: &String| {
        let (kind, rest) = name.split_once('(')?;
        let host = rest.strip_suffix(')')?.trim_matches('"');
        matches!(kind, "DnsName" | "IpAddress").then(|| host.to_owned())
    };
    let hosts: Vec<String> = names.iter().filter_map(host).collect();
    let shown = hosts[..hosts.len().min(MAX_HOSTS)].join(", ");
    match hosts.len().saturating_sub(MAX_HOSTS) {
        0 if hosts.is_empty() => String::new(),
        0 => format!(" ({shown})"),
        more => format!(" ({shown} and {more} more)"),
    }
}

/// What is said of an error that has no explanation of its own above.
const GENERAL_EXPLANATION: &str =
    "it does not pass the checks of X.509; look at it with `openssl s_client -connect HOST:PORT`";

#[cfg(test)]
mod tests {
    use rustls::OtherError;

    use super::*;

    fn refused(why: CertificateError) -> String {
        let wrapped = io::Error::new(io::ErrorKind::InvalidData, rustls::Error::InvalidCertificate(why));
        // As a connector hands it on.
        problem_with(&io::Error::other(wrapped), Owner::Api).unwrap()
    }

    #[test]
    fn a_certificate_of_nobodys_says_how_to_trust_its_ca() {
        let or_by_variable = if SYSTEM_VERIFIES {
            ""
        } else {
            " or name it in SSL_CERT_FILE"
        };
        assert_eq!(
            refused(CertificateError::UnknownIssuer),
            format!("it is signed by nobody this machine trusts; add its CA to the system's store{or_by_variable}")
        );
    }

    #[test]
    fn a_ca_that_identifies_a_server_is_refused_in_words() {
        let why = CertificateError::Other(OtherError(Arc::new(webpki::Error::CaUsedAsEndEntity)));
        assert_eq!(
            refused(why),
            "it is a CA's certificate and cannot identify a server; use one that this CA signs, or make it with \
             basicConstraints=CA:FALSE"
        );
    }

    #[test]
    fn what_has_no_words_of_its_own_is_not_shown_in_debug_form() {
        let why = CertificateError::Other(OtherError(Arc::new(webpki::Error::MaximumPathBuildCallsExceeded)));
        assert_eq!(refused(why), GENERAL_EXPLANATION);
    }

    #[test]
    fn any_other_failure_of_tls_is_none_of_a_certificate() {
        let alert = rustls::Error::AlertReceived(rustls::AlertDescription::HandshakeFailure);
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        for failure in [io::Error::other(alert), reset] {
            assert_eq!(problem_with(&failure, Owner::Api), None);
        }
    }

    #[test]
    fn alerts_are_told_in_words_and_one_of_them_asks_for_a_certificate() {
        use rustls::AlertDescription as Alert;
        let words = |alert| {
            let typed = io::Error::other(rustls::Error::AlertReceived(alert));
            let as_text = io::Error::other(rustls::Error::AlertReceived(alert).to_string());
            let failure = tls_failure(&typed).unwrap();
            assert_eq!(
                tls_failure(&as_text),
                Some(failure.clone()),
                "{alert:?} that came as a text"
            );
            failure
        };
        assert_eq!(words(Alert::CertificateRequired), TlsFailure::ClientCertificateWanted);
        assert_eq!(words(Alert::BadCertificate), TlsFailure::ClientCertificateWanted);
        for (alert, expected) in [
            (
                Alert::HandshakeFailure,
                "what answers there ended TLS: it shares no encryption with the provider, or wants a certificate of its \
                 clients",
            ),
            (
                Alert::ProtocolVersion,
                "what answers there speaks neither TLS 1.2 nor TLS 1.3",
            ),
            (
                Alert::InternalError,
                "what answers there ended TLS with the alert internal error",
            ),
            (
                Alert::UnknownCA,
                "what answers there ended TLS with the alert unknown ca",
            ),
        ] {
            assert_eq!(words(alert), other(expected));
        }
        assert_eq!(tls_failure(&io::Error::from(io::ErrorKind::ConnectionReset)), None);
    }

    #[test]
    fn the_hosts_of_a_certificate_are_named_and_not_all_of_a_hundred() {
        let names = |count: usize| {
            (0..count)
                .map(|n| format!("DnsName(\"h{n}.example\")"))
                .collect::<Vec<_>>()
        };
        assert_eq!(hosts_in(&["IpAddress(127.0.0.1)".to_owned()]), " (127.0.0.1)");
        assert_eq!(hosts_in(&["Unsupported(0x01)".to_owned()]), "");
        assert_eq!(hosts_in(&names(2)), " (h0.example, h1.example)");
        assert!(hosts_in(&names(100)).ends_with("h4.example and 95 more)"));
    }
}
