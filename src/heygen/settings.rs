//! What a client needs to know before it can call.

use std::fmt;
use std::time::Duration;

use http::HeaderValue;
use http::header::{AUTHORIZATION, HeaderName};
use secrecy::{ExposeSecret, SecretString};
use url::{Host, ParseError, Url};

/// Everything that a [`Client`](super::Client) is made of. Its parts are valid by construction.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the API is.
    pub base_url: BaseUrl,
    /// Who calls.
    pub credential: Credential,
    /// How often a call is repeated after its first attempt; 0 = never.
    pub max_retries: u32,
    /// How long one attempt may take, from connecting to the last byte of the answer.
    pub request_timeout: Duration,
    /// The `User-Agent`; characters that no header can carry are left out of it.
    pub user_agent: String,
    /// How long it waits where no answer asks for a wait.
    pub timing: Timing,
}

/// How long a client waits between attempts and between reads of the list, where no answer asks for a wait. The default
/// is for the real HeyGen. Tests shorten it against a simulated one, which is never overloaded and lags only on
/// request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The longest wait after a first failed attempt; it doubles with every further one.
    pub first_wait: Duration,
    /// When to read the list again if it lacks what is looked for, counted from the first read that lacked it, because
    /// a list may lag behind a change. One more read confirms that an old endpoint is gone; for a new one all of them
    /// are made.
    pub reread_after: [Duration; 6],
}

impl Timing {
    /// How long after one read of the whole list found something missing a second may confirm it.
    pub(super) fn confirm_after(&self) -> Duration {
        self.reread_after[0]
    }

    /// How long a list may lag behind a creation.
    pub fn longest_lag(&self) -> Duration {
        self.reread_after[self.reread_after.len() - 1]
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            first_wait: Duration::from_millis(500),
            reread_after: [500, 1000, 2000, 4000, 8000, 10_000].map(Duration::from_millis),
        }
    }
}

/// The address of the API: `https` (or `http`, to this machine only, since the credential travels along), a host,
/// perhaps a path; no user-info, query or fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// Takes `text` as the address if it can be one.
    pub fn parse(text: &str) -> Result<Self, InvalidBaseUrl> {
        let url = Url::parse(text).map_err(|error| match error {
            ParseError::RelativeUrlWithoutBase | ParseError::EmptyHost => InvalidBaseUrl::NotAUrl,
            ParseError::InvalidPort => InvalidBaseUrl::Port,
            _ if text.trim().contains(char::is_whitespace) => InvalidBaseUrl::Space,
            _ => InvalidBaseUrl::Host,
        })?;
        url.try_into()
    }

    /// The address itself.
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// Whether it names this machine. Such calls use no proxy, which would have no reason to see the credential.
    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }
}

impl TryFrom<Url> for BaseUrl {
    type Error = InvalidBaseUrl;

    fn try_from(url: Url) -> Result<Self, Self::Error> {
        if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
            Err(InvalidBaseUrl::NotHttps)
        } else if url.scheme() == "http" && !is_loopback(&url) {
            Err(InvalidBaseUrl::Plaintext)
        } else if !url.username().is_empty() || url.password().is_some() {
            Err(InvalidBaseUrl::UserInfo)
        } else if url.query().is_some() || url.fragment().is_some() {
            Err(InvalidBaseUrl::QueryOrFragment)
        } else {
            Ok(Self(url))
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Why a text cannot be the address of the API. Never quotes the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBaseUrl {
    /// It does not parse.
    #[error("not an absolute URL, which begins with https:// and a host")]
    NotAUrl,
    /// What follows the colon after the host is no port.
    #[error("its port must be a number from 0 to 65535")]
    Port,
    /// There is a space in its host.
    #[error("must not contain a space")]
    Space,
    /// Its host can be none.
    #[error("its host is neither a host name nor an IP address (in square brackets for IPv6)")]
    Host,
    /// Another scheme, or no host.
    #[error("not an https URL with a host")]
    NotHttps,
    /// `http` to another machine.
    #[error(
        "http is for loopback hosts only (localhost, 127.0.0.0/8, ::1), because the credential would travel in the clear; use https"
    )]
    Plaintext,
    /// `user:password@`.
    #[error("must not contain a user name or password")]
    UserInfo,
    /// `?…` or `#…`.
    #[error("must not contain a query or a fragment")]
    QueryOrFragment,
}

/// The API key or the access token of the caller, in a form that fits into its HTTP header.
#[derive(Clone)]
pub struct Credential {
    kind: Kind,
    text: SecretString,
    header: HeaderValue,
    origin: CredentialOrigin,
}

/// Where a credential came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialOrigin {
    /// The place that holds it, for a message, such as `HEYGEN_API_KEY`: the words that follow "it came from".
    pub place: String,
    /// What to do if HeyGen does not accept it, in a whole sentence, where more is known than that the place is to be
    /// looked at.
    pub remedy: Option<&'static str>,
}

impl From<&str> for CredentialOrigin {
    fn from(place: &str) -> Self {
        place.to_owned().into()
    }
}

impl From<String> for CredentialOrigin {
    fn from(place: String) -> Self {
        Self { place, remedy: None }
    }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    ApiKey,
    AccessToken,
}

impl Credential {
    /// An API key, sent as `X-Api-Key`.
    pub fn api_key(
        key: impl Into<SecretString>,
        origin: impl Into<CredentialOrigin>,
    ) -> Result<Self, InvalidCredential> {
        Self::new(Kind::ApiKey, key.into(), origin.into())
    }

    /// An OAuth access token, sent as `Authorization: Bearer`.
    pub fn access_token(
        token: impl Into<SecretString>,
        origin: impl Into<CredentialOrigin>,
    ) -> Result<Self, InvalidCredential> {
        Self::new(Kind::AccessToken, token.into(), origin.into())
    }

    fn new(kind: Kind, text: SecretString, origin: CredentialOrigin) -> Result<Self, InvalidCredential> {
        if text.expose_secret().is_empty() {
            return Err(InvalidCredential::Empty);
        }
        // Visible ASCII: a space or a line end is a mistake of copying, and nothing else fits a header everywhere.
        if !text.expose_secret().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidCredential::Character);
        }
        let value = match kind {
            Kind::ApiKey => HeaderValue::from_str(text.expose_secret()),
            Kind::AccessToken => HeaderValue::from_str(&format!("Bearer {}", text.expose_secret())),
        };
        let mut header = value.map_err(|_| InvalidCredential::Character)?;
        header.set_sensitive(true);
        Ok(Self {
            kind,
            text,
            header,
            origin,
        })
    }

    /// Where it came from.
    pub fn origin(&self) -> &CredentialOrigin {
        &self.origin
    }

    /// The header it travels in, marked sensitive.
    pub(super) fn header(&self) -> (HeaderName, HeaderValue) {
        let name = match self.kind {
            Kind::ApiKey => HeaderName::from_static("x-api-key"),
            Kind::AccessToken => AUTHORIZATION,
        };
        (name, self.header.clone())
    }

    /// The text that no message may contain.
    pub(super) fn secret(&self) -> &SecretString {
        &self.text
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential::{:?}([redacted])", self.kind)
    }
}

/// Why a text cannot be a credential. Never quotes the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCredential {
    /// There is nothing in it.
    #[error("must not be empty")]
    Empty,
    /// A space, a line end, a letter beyond ASCII.
    #[error("contains a space, a line break or another character that no HTTP header can carry")]
    Character,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_that_could_give_the_key_away_is_refused() {
        for good in [
            "https://api.heygen.com",
            "https://h.example:8443/prefix/",
            "http://localhost:1",
            "http://127.0.0.9",
            "http://[::1]:80/",
        ] {
            assert!(BaseUrl::parse(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("api.heygen.com", InvalidBaseUrl::NotAUrl),
            ("https://", InvalidBaseUrl::NotAUrl),
            ("", InvalidBaseUrl::NotAUrl),
            ("https://h.example:99999", InvalidBaseUrl::Port),
            ("https://h.example:port/", InvalidBaseUrl::Port),
            ("https://exa mple.com", InvalidBaseUrl::Space),
            ("https://[::1", InvalidBaseUrl::Host),
            ("https://256.1.1.1", InvalidBaseUrl::Host),
            ("https://a<b", InvalidBaseUrl::Host),
            ("ftp://h.example", InvalidBaseUrl::NotHttps),
            ("unix:/socket", InvalidBaseUrl::NotHttps),
            ("http://h.example", InvalidBaseUrl::Plaintext),
            ("http://localhost.example", InvalidBaseUrl::Plaintext),
            ("http://127.0.0.1@h.example", InvalidBaseUrl::Plaintext),
            ("http://10.0.0.1", InvalidBaseUrl::Plaintext),
            ("https://user@h.example", InvalidBaseUrl::UserInfo),
            ("https://:pw@h.example", InvalidBaseUrl::UserInfo),
            ("https://h.example?x", InvalidBaseUrl::QueryOrFragment),
            ("https://h.example#x", InvalidBaseUrl::QueryOrFragment),
        ] {
            assert_eq!(BaseUrl::parse(bad), Err(why), "{bad}");
        }
    }

    #[test]
    fn a_credential_fits_its_header_and_hides_in_print() {
        let (name, value) = Credential::api_key("k-123".to_owned(), "a test").unwrap().header();
        assert_eq!((name.as_str(), value.to_str().unwrap()), ("x-api-key", "k-123"));
        assert!(value.is_sensitive());
        let token = Credential::access_token("t-456".to_owned(), "a file").unwrap();
        assert_eq!(token.origin(), &"a file".into());
        let (name, value) = token.header();
        assert_eq!(
            (name.as_str(), value.to_str().unwrap()),
            ("authorization", "Bearer t-456")
        );
        assert!(value.is_sensitive());
        assert_eq!(format!("{token:?}"), "Credential::AccessToken([redacted])");
        for bad in ["a b", "a\n", "é", "\u{7f}"] {
            assert_eq!(
                Credential::api_key(bad.to_owned(), "a test").unwrap_err(),
                InvalidCredential::Character,
                "{bad:?}"
            );
        }
        assert_eq!(
            Credential::api_key(String::new(), "a test").unwrap_err(),
            InvalidCredential::Empty
        );
    }
}
