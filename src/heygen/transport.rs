//! One attempt over the wire.

use std::error::Error;
use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::Uri;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::redirect;
use rustls::crypto::ring;
use tokio::sync::OnceCell;
use url::Url;

use super::certificate::{self, NoClientCertificate, Owner, TlsFailure};
use super::redact::Redactor;
use super::request::Request;
use super::{BaseUrl, Fault, Settings};

/// A larger answer is refused: none of HeyGen's has reason to be that large.
const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;

/// How long connecting may take. The limit is never above half the time of an attempt, because a connection that did
/// not come about proves that nothing was sent, and an attempt that timed out does not.
const MAX_CONNECT_TIME: Duration = Duration::from_secs(10);

/// Sends a request once, and reads the whole answer. Dropping the future abandons the attempt.
#[async_trait]
pub(super) trait Transport: Send + Sync {
    /// The answer, whatever its status; an error where there is none: `Unreachable`, `Dropped` or `Unusable`.
    async fn send(&self, request: &Request) -> Result<Reply, Fault>;
}

/// An answer as it came. Has no `Debug`: its body may hold a secret.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// The body; `Dropped` or `TooLarge` where it did not arrive, or not all of it.
    pub(super) body: Result<Bytes, Fault>,
}

/// The transport outside tests: HTTP/1.1 and HTTP/2 over TLS with the system's trust store, through the proxy that the
/// environment names.
pub(super) struct HttpTransport {
    settings: Settings,
    redactor: Redactor,
    connector: OnceCell<Connector>,
}

/// What calls are made with.
struct Connector {
    client: reqwest::Client,
    /// The proxy that the environment names for all hosts but those of `NO_PROXY`: its host and port.
    proxy: Option<String>,
    client_certificate: Arc<NoClientCertificate>,
}

impl HttpTransport {
    /// Does not read the trust store yet: that happens when the first request is sent.
    pub(super) fn new(settings: Settings) -> Self {
        let redactor = Redactor::new(settings.credential.secret().clone());
        Self {
            settings,
            redactor,
            connector: OnceCell::new(),
        }
    }

    async fn connector(&self) -> Result<&Connector, Fault> {
        // Reading a trust store is work for a thread that may block.
        self.connector
            .get_or_try_init(|| async {
                let (settings, redactor) = (self.settings.clone(), self.redactor.clone());
                let built = tokio::task::spawn_blocking(move || build(&settings, &redactor)).await;
                built.map_err(|_| Fault::Unusable("setting it up was broken off".to_owned()))?
            })
            .await
    }

    /// What an attempt without an answer failed of.
    fn fault(&self, error: &reqwest::Error, connector: &Connector) -> Fault {
        if error.is_builder() {
            return Fault::Unusable(self.reason(error));
        }
        let tunnel = tunnel_problem(error);
        let proxy = connector.proxy.as_deref();
        let proxy = proxy.map(|proxy| self.redactor.explanation(proxy));
        let (owner, name) = match (&tunnel, proxy) {
            (None, _) => (Owner::Api, self.host().to_owned()),
            (Some(_), Some(proxy)) => (Owner::Proxy, proxy),
            // Only a system that has settings of its own goes through a proxy that no variable names.
            (Some(_), None) => (Owner::Proxy, "of the system's settings".to_owned()),
        };
        let peer = match owner {
            Owner::Api => name.clone(),
            Owner::Proxy => format!("the proxy {name}"),
        };
        if certificate::tls_failure(error) == Some(TlsFailure::ClientCertificateWanted) {
            return Fault::ClientCertificateWanted(peer);
        }
        if !error.is_connect() {
            let asked = if connector.client_certificate.was_asked_for() {
                "; a certificate of the client was asked for, and the provider has none"
            } else {
                ""
            };
            return Fault::Dropped(format!("{}{asked}", self.reason(error)));
        }
        if let Some(problem) = certificate::problem_with(error, owner) {
            let explained = format!("{name}: {}", self.redactor.explanation(&problem));
            return match owner {
                Owner::Api => Fault::Untrusted(explained),
                Owner::Proxy => Fault::UntrustedProxy(explained),
            };
        }
        Fault::Unreachable(match tunnel {
            None => format!("{peer}: {}", self.reason(error)),
            Some(Tunnel::NotReached) => format!("{peer} could not be reached: {}", self.reason(error)),
            Some(Tunnel::Unauthorised) => format!(
                "{peer} answered 407: it wants a user name and a password, or others than those in the proxy variable"
            ),
            Some(Tunnel::Refused) => format!("{peer} did not let the connection to {} through", self.host()),
            Some(Tunnel::Broken) => {
                let reason = self.reason(error);
                let reason = reason.trim_start_matches("tunnel error: ");
                format!("{peer} broke the connection to {} off: {reason}", self.host())
            }
        })
    }

    /// The innermost reason of an error. The outer ones may quote the URL.
    fn reason(&self, error: &(dyn Error + 'static)) -> String {
        if let Some(TlsFailure::Other(words)) = certificate::tls_failure(error) {
            return words;
        }
        let mut root: &(dyn Error + 'static) = error;
        while let Some(source) = root.source() {
            root = source;
        }
        let text = match root.downcast_ref::<io::Error>().map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => "connection refused".to_owned(),
            Some(io::ErrorKind::ConnectionReset) => "connection reset".to_owned(),
            Some(io::ErrorKind::UnexpectedEof) => "connection closed early".to_owned(),
            _ => root.to_string(),
        };
        self.redactor.explanation(&text)
    }

    fn host(&self) -> &str {
        self.settings.base_url.as_url().host_str().unwrap_or_default()
    }

    async fn body(&self, mut response: reqwest::Response) -> Result<Bytes, Fault> {
        let announced = response.content_length().unwrap_or(0);
        if announced > MAX_BODY_BYTES as u64 {
            return Err(Fault::TooLarge);
        }
        let mut body = BytesMut::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > MAX_BODY_BYTES => {
                    return Err(Fault::TooLarge);
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(body.freeze()),
                Err(error) => return Err(Fault::Dropped(self.reason(&error))),
            }
        }
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: &Request) -> Result<Reply, Fault> {
        let connector = self.connector().await?;
        let (name, credential) = self.settings.credential.header();
        let mut sending = connector
            .client
            .request(request.method(), request.url(&self.settings.base_url))
            .header(name, credential);
        if let Some(key) = request.idempotency_key() {
            sending = sending.header(HeaderName::from_static("idempotency-key"), key.as_str());
        }
        if let Some(body) = &request.body {
            sending = sending.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        match sending.send().await {
            Ok(response) => Ok(Reply {
                status: response.status().as_u16(),
                headers: response.headers().clone(),
                body: self.body(response).await,
            }),
            Err(error) => Err(self.fault(&error, connector)),
        }
    }
}

/// Why a proxy has made no tunnel to the API.
#[derive(Clone, Copy)]
enum Tunnel {
    /// No connection to the proxy came about.
    NotReached,
    /// The proxy answered 407.
    Unauthorised,
    /// The proxy answered something else that is no success.
    Refused,
    /// The connection to the proxy broke before it had answered.
    Broken,
}

/// Whether it is a proxy that an attempt failed of. The library tells that, and what the proxy answered, in the text of
/// an error alone.
fn tunnel_problem(error: &reqwest::Error) -> Option<Tunnel> {
    let problem = |error: &(dyn Error + 'static)| match error.to_string().strip_prefix("tunnel error: ")? {
        "failed to create underlying connection" => Some(Tunnel::NotReached),
        "proxy authorization required" => Some(Tunnel::Unauthorised),
        "unsuccessful" => Some(Tunnel::Refused),
        _ => Some(Tunnel::Broken),
    };
    certificate::causes(error).find_map(problem)
}

fn build(settings: &Settings, redactor: &Redactor) -> Result<Connector, Fault> {
    let client_certificate = Arc::new(NoClientCertificate::default());
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, user_agent(&settings.user_agent));
    let mut builder = reqwest::Client::builder()
        .default_headers(headers)
        .tls_backend_preconfigured(tls(&settings.base_url, &client_certificate, redactor)?)
        .redirect(redirect::Policy::none())
        .referer(false)
        // Calls are repeated in `call.rs`, which counts the attempts.
        .retry(reqwest::retry::never())
        .connect_timeout(MAX_CONNECT_TIME.min(settings.request_timeout / 2));
    let proxy = if settings.base_url.is_loopback() {
        builder = builder.no_proxy();
        None
    } else {
        check_proxy(|name| std::env::var_os(name))?
    };
    #[cfg(all(target_os = "linux", target_feature = "crt-static"))]
    {
        builder = builder.dns_resolver(super::host_names::HostNames::default());
    }
    let client = builder.build().map_err(|error| unusable(&error.without_url()))?;
    Ok(Connector {
        client,
        proxy,
        client_certificate,
    })
}

/// The host and port of the proxy that the environment names. Refuses a variable that cannot be followed: the client
/// would ignore it, and call past the proxy.
fn check_proxy(variable: impl Fn(&str) -> Option<OsString>) -> Result<Option<String>, Fault> {
    let set = |name: &'static str| Some((name, variable(name).filter(|value| !value.is_empty())?));
    let first_of = |names: [&'static str; 2]| names.into_iter().find_map(set);
    let proxy = first_of(["HTTPS_PROXY", "https_proxy"]).or_else(|| first_of(["ALL_PROXY", "all_proxy"]));
    for (name, value) in proxy.iter().chain(&first_of(["NO_PROXY", "no_proxy"])) {
        if value.to_str().is_none() {
            return Err(Fault::Unusable(format!("{name} is set to bytes that are not UTF-8")));
        }
    }
    let Some((name, value)) = proxy else {
        return Ok(None);
    };
    let value = value.to_string_lossy();
    // A proxy may be named by its host alone.
    let address = if value.contains("://") {
        Url::parse(&value)
    } else {
        Url::parse(&format!("http://{value}"))
    };
    match address {
        // The client reads it as the stricter type.
        Ok(address)
            if matches!(address.scheme(), "http" | "https") && address.has_host() && value.parse::<Uri>().is_ok() =>
        {
            let host = address.host_str().unwrap_or_default();
            Ok(Some(match address.port() {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            }))
        }
        _ => Err(Fault::Unusable(format!(
            "{name} does not hold the address of an http proxy"
        ))),
    }
}

/// The errors of setting up a client are about this machine, and quote no URL and no credential.
fn unusable(error: &dyn Error) -> Fault {
    Fault::Unusable(error.to_string())
}

/// The TLS configuration, with *ring* as its own crypto provider instead of one that is installed for the whole
/// process.
fn tls(
    base: &BaseUrl,
    client_certificate: &Arc<NoClientCertificate>,
    redactor: &Redactor,
) -> Result<rustls::ClientConfig, Fault> {
    let builder = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))?;
    // In the clear, to this machine, nothing is to be verified; a system without a trust store can still do that.
    let mut config = if base.as_url().scheme() == "https" {
        verified(builder, redactor)?
    } else {
        builder.with_root_certificates(rustls::RootCertStore::empty())
    }
    .with_client_cert_resolver(client_certificate.clone());
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Has the system verify certificates.
#[cfg(any(windows, target_vendor = "apple"))]
fn verified(builder: Unverified, _: &Redactor) -> Result<Verified, Fault> {
    use rustls_platform_verifier::BuilderVerifierExt as _;
    builder
        .with_platform_verifier()
        .map_err(|error| Fault::NoRootCertificates(error.to_string()))
}

/// Verifies certificates with the authorities that the environment names, else with those of this machine.
#[cfg(not(any(windows, target_vendor = "apple")))]
fn verified(builder: Unverified, redactor: &Redactor) -> Result<Verified, Fault> {
    let roots = super::roots::load(|name| std::env::var_os(name)).map_err(|fault| match fault {
        Fault::NoNamedRootCertificates(reason) => Fault::NoNamedRootCertificates(redactor.explanation(&reason)),
        fault => fault,
    })?;
    Ok(builder.with_root_certificates(roots))
}

type Unverified = rustls::ConfigBuilder<rustls::ClientConfig, rustls::WantsVerifier>;
type Verified = rustls::ConfigBuilder<rustls::ClientConfig, rustls::client::WantsClientCert>;

fn user_agent(text: &str) -> HeaderValue {
    let fitting: String = text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').collect();
    HeaderValue::from_str(fitting.trim()).unwrap_or(HeaderValue::from_static("terraform-provider-heygen"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(variables: &[(&str, &str)]) -> Result<Option<String>, Fault> {
        check_proxy(|name| {
            let mut set = variables.iter();
            set.find_map(|(variable, value)| (*variable == name).then(|| OsString::from(value)))
        })
    }

    #[test]
    fn a_proxy_that_cannot_be_followed_is_an_error_and_not_passed_by() {
        for (fine, proxy) in [
            (&[][..], None),
            (&[("HTTPS_PROXY", "")], None),
            (
                &[("HTTPS_PROXY", "http://proxy.example:3128")],
                Some("proxy.example:3128"),
            ),
            (
                &[("https_proxy", "https://user:password@proxy.example")],
                Some("proxy.example"),
            ),
            (&[("ALL_PROXY", "proxy.example:3128")], Some("proxy.example:3128")),
            (&[("ALL_PROXY", "user:password@[::1]:3128")], Some("[::1]:3128")),
            (
                &[
                    ("HTTPS_PROXY", "http://proxy.example"),
                    ("ALL_PROXY", "socks5://other.example"),
                ],
                Some("proxy.example"),
            ),
            (&[("HTTP_PROXY", "::::")], None),
        ] {
            assert_eq!(checked(fine), Ok(proxy.map(str::to_owned)), "{fine:?}");
        }
        for (name, value) in [
            ("HTTPS_PROXY", "::::"),
            ("https_proxy", "ftp://proxy.example"),
            ("HTTPS_PROXY", "http://user:password@:bad:99"),
            ("ALL_PROXY", "socks5://proxy.example"),
            // The client does not take these off, and would call past the proxy.
            ("HTTPS_PROXY", " http://proxy.example:3128"),
            ("HTTPS_PROXY", "http://proxy.example:3128/a b"),
        ] {
            let why = format!("{name} does not hold the address of an http proxy");
            assert_eq!(checked(&[(name, value)]), Err(Fault::Unusable(why)));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_proxy_variable_that_is_not_text_is_an_error_and_not_unset() {
        use std::os::unix::ffi::OsStringExt;
        for odd in ["HTTPS_PROXY", "all_proxy", "NO_PROXY"] {
            let checked = check_proxy(|name| (name == odd).then(|| OsString::from_vec(b"http://\xff:1".to_vec())));
            let why = format!("{odd} is set to bytes that are not UTF-8");
            assert_eq!(checked, Err(Fault::Unusable(why)));
        }
    }
}
