//! What the host asks for in the environment, and the line that answers it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rustls::pki_types::CertificateDer;

use super::Error;
use super::listener::{Address, SocketOptions};

/// An environment variable that only the host sets, and the value it sets.
///
/// It is not a secret. It shows whether a host has started the program: a person who runs it in a shell gets an
/// explanation instead of a silent server.
#[derive(Clone, Copy, Debug)]
pub struct Cookie {
    /// The variable's name.
    pub name: &'static str,
    /// The only value accepted.
    pub value: &'static str,
}

/// What the host's environment asks of us.
#[derive(Debug)]
pub(super) struct HostRequest {
    /// The protocol versions the host speaks; empty if it did not say.
    versions: BTreeSet<u32>,
    /// The PEM text of the one certificate that may connect. `None`: the host switched TLS off.
    pub(super) client_certificate: Option<String>,
    /// Where a TCP listener may bind.
    pub(super) ports: Option<RangeInclusive<u16>>,
    /// Where a Unix socket should be, and whose it should be.
    pub(super) socket: SocketOptions,
    /// Whether the host asks if several streams may share one broker connection.
    pub(super) multiplexing_requested: bool,
}

impl HostRequest {
    /// Reads what the host asks for from the environment that `variable` looks up.
    pub(super) fn read(cookie: &Cookie, variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        if variable(cookie.name).is_none_or(|value| value != cookie.value) {
            return Err(Error::NoHost);
        }
        let text = |name: &str| {
            let value = variable(name).and_then(|value| value.into_string().ok());
            value.unwrap_or_default()
        };
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        Ok(Self {
            versions: versions(&text("PLUGIN_PROTOCOL_VERSIONS")),
            client_certificate: variable("PLUGIN_CLIENT_CERT")
                .map(|value| {
                    // Set but empty is unparsable like any other text: only absence means no TLS.
                    value
                        .into_string()
                        .map_err(|_| Error::ClientCertificate("it is not text".into()))
                })
                .transpose()?,
            ports: ports(&text("PLUGIN_MIN_PORT"), &text("PLUGIN_MAX_PORT"))?,
            socket: SocketOptions {
                directory: set("PLUGIN_UNIX_SOCKET_DIR").map(PathBuf::from),
                group: Some(text("PLUGIN_UNIX_SOCKET_GROUP")).filter(|group| !group.is_empty()),
            },
            multiplexing_requested: set("PLUGIN_MULTIPLEX_GRPC").is_some(),
        })
    }

    /// The highest version that both sides speak, or our lowest where there is none: the host then explains to its user
    /// that the two do not fit together.
    pub(super) fn negotiated_version(&self, ours: &[u32]) -> Result<u32, Error> {
        let shared = ours.iter().filter(|v| self.versions.contains(v)).max();
        shared.or_else(|| ours.iter().min()).copied().ok_or(Error::NoVersion)
    }
}

/// The highest of our versions.
pub(super) fn highest_version(ours: &[u32]) -> Result<u32, Error> {
    ours.iter().max().copied().ok_or(Error::NoVersion)
}

/// Reads the list of the host's versions, which is in random order. What is not a number is left out.
fn versions(text: &str) -> BTreeSet<u32> {
    text.split(',')
        .filter_map(|version| version.trim().parse().ok())
        .collect()
}

/// Reads a range of ports from two texts, which are empty where their variable is not set.
fn ports(min: &str, max: &str) -> Result<Option<RangeInclusive<u16>>, Error> {
    if min.is_empty() && max.is_empty() {
        return Ok(None);
    }
    match (min.parse(), max.parse()) {
        (Ok(min), Ok(max)) if min <= max => Ok(Some(min..=max)),
        _ => Err(Error::Ports(format!("`{min}` to `{max}`"))),
    }
}

/// The handshake line, without its line end:
/// `core version|protocol version|network|address|grpc|certificate[|multiplexing]`.
pub(super) struct HandshakeLine<'a> {
    /// The protocol version to be spoken.
    pub(super) version: u32,
    /// Where we already listen.
    pub(super) address: &'a Address,
    /// Our certificate, to be pinned by the host. `None` without TLS.
    pub(super) certificate: Option<&'a CertificateDer<'static>>,
    /// Whether to answer about multiplexing. Only hosts that ask for it can read the answer: others take it for a part
    /// of the certificate.
    pub(super) multiplexing_requested: bool,
}

impl fmt::Display for HandshakeLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The host decodes without padding and gives up on the first `=`.
        let certificate = self
            .certificate
            .map(|der| STANDARD_NO_PAD.encode(der))
            .unwrap_or_default();
        write!(
            f,
            "1|{}|{}|{}|grpc|{certificate}",
            self.version,
            self.address.network(),
            self.address
        )?;
        if self.multiplexing_requested {
            f.write_str("|false")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOKIE: Cookie = Cookie {
        name: "COOKIE",
        value: "yes",
    };

    fn request(pairs: &[(&str, &str)]) -> Result<HostRequest, Error> {
        HostRequest::read(&COOKIE, |name| {
            let mut all = pairs.iter().chain(&[("COOKIE", "yes")]);
            all.find(|(key, _)| *key == name)
                .map(|(_, value)| OsString::from(value))
        })
    }

    fn shared(theirs: &str, ours: &[u32]) -> u32 {
        let read = request(&[("PLUGIN_PROTOCOL_VERSIONS", theirs)]).unwrap();
        read.negotiated_version(ours).unwrap()
    }

    #[test]
    fn the_highest_shared_version_is_chosen_whatever_the_order() {
        assert_eq!(shared("5,6", &[6]), 6);
        assert_eq!(shared("6,5", &[6]), 6);
        assert_eq!(shared("7,5,6", &[5, 7, 6]), 7);
        assert_eq!(shared(" 5 , x, 6,-1", &[4, 5, 6]), 6);
    }

    #[test]
    fn without_a_shared_version_our_lowest_is_answered() {
        assert_eq!(shared("5", &[7, 6]), 6);
        assert_eq!(shared("", &[7, 6]), 6);
    }

    #[test]
    fn no_version_of_ours_is_an_error() {
        let read = request(&[]).unwrap();
        assert!(matches!(read.negotiated_version(&[]), Err(Error::NoVersion)));
    }

    #[test]
    fn a_missing_or_wrong_cookie_means_no_host() {
        for pairs in [&[][..], &[("COOKIE", "no")], &[("COOKIE", "")]] {
            let read = HostRequest::read(&COOKIE, |name| {
                let found = pairs.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| OsString::from(value))
            });
            assert!(matches!(read, Err(Error::NoHost)), "{pairs:?}");
        }
    }

    #[test]
    fn ports_are_a_range_or_absent() {
        let range = |min, max| {
            let pairs = [("PLUGIN_MIN_PORT", min), ("PLUGIN_MAX_PORT", max)];
            request(&pairs).map(|read| read.ports)
        };
        assert_eq!(range("10000", "25000").unwrap(), Some(10000..=25000));
        assert_eq!(request(&[]).unwrap().ports, None);
        for (min, max) in [("2", "1"), ("a", "9"), ("1", ""), ("1", "65536")] {
            assert!(matches!(range(min, max), Err(Error::Ports(_))), "{min} {max}");
        }
    }

    #[test]
    fn an_empty_client_certificate_still_means_tls() {
        let read = request(&[("PLUGIN_CLIENT_CERT", "")]).unwrap();
        assert_eq!(read.client_certificate.as_deref(), Some(""));
        assert_eq!(request(&[]).unwrap().client_certificate, None);
    }

    #[test]
    fn the_line_carries_an_unpadded_certificate_and_speaks_of_multiplexing_only_when_asked() {
        let address = Address::Unix("/run/a/sock".into());
        let certificate = CertificateDer::from(vec![0xff; 4]);
        let mut line = HandshakeLine {
            version: 6,
            address: &address,
            certificate: Some(&certificate),
            multiplexing_requested: false,
        };
        assert_eq!(line.to_string(), "1|6|unix|/run/a/sock|grpc|/////w");
        line.multiplexing_requested = true;
        assert_eq!(line.to_string(), "1|6|unix|/run/a/sock|grpc|/////w|false");
        line.certificate = None;
        assert_eq!(line.to_string(), "1|6|unix|/run/a/sock|grpc||false");
    }
}
