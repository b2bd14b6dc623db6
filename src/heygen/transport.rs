//! One attempt over the wire.

use std::error::Error;
use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::redirect;
use rustls::crypto::ring;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::sync::OnceCell;
use url::Url;

use super::redact::Redactor;
use super::request::Request;
use super::{BaseUrl, Fault, Settings, certificate};

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
    client: OnceCell<reqwest::Client>,
}

impl HttpTransport {
    /// Does not read the trust store yet: that happens when the first request is sent.
    pub(super) fn new(settings: Settings) -> Self {
        let redactor = Redactor::new(settings.credential.secret().clone());
        Self {
            settings,
            redactor,
            client: OnceCell::new(),
        }
    }

    async fn client(&self) -> Result<&reqwest::Client, Fault> {
        // Reading a trust store is work for a thread that may block.
        self.client
            .get_or_try_init(|| async {
                let settings = self.settings.clone();
                let built = tokio::task::spawn_blocking(move || build(&settings)).await;
                built.map_err(|_| Fault::Unusable("setting it up was broken off".to_owned()))?
            })
            .await
    }

    /// The innermost reason of an error. The outer ones may quote the URL.
    fn reason(&self, error: &(dyn Error + 'static)) -> String {
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
        let text = match (root.downcast_ref(), text.as_str()) {
            (Some(rustls::Error::InvalidMessage(_)), _) => "what answers there does not speak TLS",
            (_, "tunnel error: unsuccessful") => "the proxy did not let the connection through",
            (_, text) => text,
        };
        self.redactor.explanation(text)
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
        let client = self.client().await?;
        let (name, credential) = self.settings.credential.header();
        let mut sending = client
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
            Err(error) if error.is_connect() => {
                let (fault, reason): (fn(String) -> Fault, _) = match certificate::problem_with(&error) {
                    Some(reason) => (Fault::Untrusted, self.redactor.explanation(&reason)),
                    None => (Fault::Unreachable, self.reason(&error)),
                };
                Err(fault(format!("{}: {reason}", self.host())))
            }
            Err(error) if error.is_builder() => Err(Fault::Unusable(self.reason(&error))),
            Err(error) => Err(Fault::Dropped(self.reason(&error))),
        }
    }
}

fn build(settings: &Settings) -> Result<reqwest::Client, Fault> {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, user_agent(&settings.user_agent));
    let mut builder = reqwest::Client::builder()
        .default_headers(headers)
        .tls_backend_preconfigured(tls(&settings.base_url)?)
        .redirect(redirect::Policy::none())
        .referer(false)
        // Calls are repeated in `call.rs`, which counts the attempts.
        .retry(reqwest::retry::never())
        .connect_timeout(MAX_CONNECT_TIME.min(settings.request_timeout / 2));
    if settings.base_url.is_loopback() {
        builder = builder.no_proxy();
    } else {
        check_proxy(|name| std::env::var_os(name))?;
    }
    #[cfg(all(target_os = "linux", target_feature = "crt-static"))]
    {
        builder = builder.dns_resolver(super::host_names::HostNames::default());
    }
    builder.build().map_err(|error| unusable(&error.without_url()))
}

/// Refuses a proxy variable that cannot be followed: the client would ignore it, and call past the proxy.
fn check_proxy(variable: impl Fn(&str) -> Option<OsString>) -> Result<(), Fault> {
    let set = |name: &'static str| Some((name, variable(name).filter(|value| !value.is_empty())?));
    let first_of = |names: [&'static str; 2]| names.into_iter().find_map(set);
    let proxy = first_of(["HTTPS_PROXY", "https_proxy"]).or_else(|| first_of(["ALL_PROXY", "all_proxy"]));
    for (name, value) in proxy.iter().chain(&first_of(["NO_PROXY", "no_proxy"])) {
        if value.to_str().is_none() {
            return Err(Fault::Unusable(format!("{name} is set to bytes that are not UTF-8")));
        }
    }
    let Some((name, value)) = proxy else {
        return Ok(());
    };
    let value = value.to_string_lossy();
    // A proxy may be named by its host alone.
    let address = if value.contains("://") {
        Url::parse(&value)
    } else {
        Url::parse(&format!("http://{value}"))
    };
    match address {
        Ok(address) if matches!(address.scheme(), "http" | "https") && address.has_host() => Ok(()),
        _ => Err(Fault::Unusable(format!(
            "{name} does not hold the address of an http proxy"
        ))),
    }
}

/// The errors of setting up a client are about this machine, and quote no URL and no credential.
fn unusable(error: &dyn Error) -> Fault {
    Fault::Unusable(error.to_string())
}

/// Leaves out the "unexpected error" that rustls puts before a reason in words.
fn no_root_certificates(error: rustls::Error) -> Fault {
    Fault::NoRootCertificates(match error {
        rustls::Error::General(reason) => reason,
        error => error.to_string(),
    })
}

/// The TLS configuration, with *ring* as its own crypto provider instead of one that is installed for the whole
/// process.
fn tls(base: &BaseUrl) -> Result<rustls::ClientConfig, Fault> {
    let builder = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))?;
    // In the clear, to this machine, nothing is to be verified; a system without a trust store can still do that.
    let mut config = if base.as_url().scheme() == "https" {
        builder
            .with_platform_verifier()
            .map_err(no_root_certificates)?
            .with_no_client_auth()
    } else {
        builder
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth()
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn user_agent(text: &str) -> HeaderValue {
    let fitting: String = text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').collect();
    HeaderValue::from_str(fitting.trim()).unwrap_or(HeaderValue::from_static("terraform-provider-heygen"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(variables: &[(&str, &str)]) -> Result<(), Fault> {
        check_proxy(|name| {
            let mut set = variables.iter();
            set.find_map(|(variable, value)| (*variable == name).then(|| OsString::from(value)))
        })
    }

    #[test]
    fn a_proxy_that_cannot_be_followed_is_an_error_and_not_passed_by() {
        for fine in [
            &[][..],
            &[("HTTPS_PROXY", "")],
            &[("HTTPS_PROXY", "http://proxy.example:3128")],
            &[("https_proxy", "https://user:password@proxy.example")],
            &[("ALL_PROXY", "proxy.example:3128")],
            &[
                ("HTTPS_PROXY", "http://proxy.example"),
                ("ALL_PROXY", "socks5://other.example"),
            ],
            &[("HTTP_PROXY", "::::")],
        ] {
            assert_eq!(checked(fine), Ok(()), "{fine:?}");
        }
        for (name, value) in [
            ("HTTPS_PROXY", "::::"),
            ("https_proxy", "ftp://proxy.example"),
            ("HTTPS_PROXY", "http://user:password@:bad:99"),
            ("ALL_PROXY", "socks5://proxy.example"),
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
