//! Explains to the user why the certificate of a server is refused.

use std::error::Error;
use std::io;

use rustls::CertificateError;

/// Whether certificates are verified by the operating system, with its own store. Elsewhere `SSL_CERT_FILE` and
/// `SSL_CERT_DIR` say what is trusted, before the system's files do.
pub(super) const SYSTEM_VERIFIES: bool = cfg!(any(target_vendor = "apple", windows));

/// What is wrong with the server's certificate, and what to do about it, if that is what an attempt to connect failed
/// of.
pub(super) fn problem_with(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(rustls::Error::InvalidCertificate(why)) = error.downcast_ref() {
            return Some(explanation(why));
        }
        // An I/O error does not count what it wraps among its sources.
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}

fn explanation(why: &CertificateError) -> String {
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
        Why::NotValidForName | Why::NotValidForNameContext { .. } => {
            "it is for another host name; check the host of base_url".to_owned()
        }
        Why::Revoked => "it has been revoked; it has to be replaced".to_owned(),
        Why::InvalidPurpose | Why::InvalidPurposeContext { .. } => {
            "it is not meant for servers; its extended key usage must include serverAuth".to_owned()
        }
        Why::BadSignature => "its signature is wrong; it has been tampered with, or its CA's certificate is another \
                              one of the same name"
            .to_owned(),
        Why::BadEncoding => "it cannot be read; it has to be made anew".to_owned(),
        Why::UnhandledCriticalExtension => {
            "it has a critical extension that is not understood here; it has to be made without it".to_owned()
        }
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
            Some(webpki::Error::UnsupportedCertVersion) => {
                "it is no certificate of X.509 version 3; it has to be made anew".to_owned()
            }
            _ => GENERAL_EXPLANATION.to_owned(),
        },
        _ => GENERAL_EXPLANATION.to_owned(),
    }
}

/// What is said of an error that has no explanation of its own above.
const GENERAL_EXPLANATION: &str =
    "it does not pass the checks of X.509; look at it with `openssl s_client -connect HOST:PORT`";

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::OtherError;

    use super::*;

    fn refused(why: CertificateError) -> String {
        let wrapped = io::Error::new(io::ErrorKind::InvalidData, rustls::Error::InvalidCertificate(why));
        // As a connector hands it on.
        problem_with(&io::Error::other(wrapped)).unwrap()
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
        assert_eq!(problem_with(&io::Error::other(alert)), None);
        assert_eq!(problem_with(&io::Error::from(io::ErrorKind::ConnectionReset)), None);
    }
}
