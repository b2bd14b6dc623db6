//! Endpoint URLs: which are allowed, and when two spellings are the same URL.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::heygen::excerpt;
use crate::provider::summaries;
use crate::terraform::Diagnostic;

/// Checks a configured URL. Messages never quote it: it may hold a password.
pub(super) fn validate(text: &str) -> Option<Diagnostic> {
    match parse(text) {
        Err(why) => Some(undeliverable(why)),
        Ok(url) => internal_host(&url).map(|host| {
            Diagnostic::warning(
                summaries::PERHAPS_UNREACHABLE_URL,
                format!(
                    "The host {} is one that only machines near it can reach. HeyGen delivers from the public \
                     internet and needs a publicly reachable host.",
                    excerpt(&host)
                ),
            )
            .at("url")
        }),
    }
}

/// The reason why no endpoint can have this URL, if there is one: an error at the attribute, which never quotes it.
pub(super) fn refusal(text: &str) -> Option<Diagnostic> {
    parse(text).err().map(undeliverable)
}

fn undeliverable(why: &str) -> Diagnostic {
    Diagnostic::error(summaries::UNDELIVERABLE_URL, why).at("url")
}

fn parse(text: &str) -> Result<Url, &'static str> {
    const ABSOLUTE: &str = "An absolute https URL with a host is needed, such as https://example.com/webhooks/heygen.";
    // The parser would remove these without an error.
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("The URL holds white space or control characters.");
    }
    let url = Url::parse(text).map_err(|_| ABSOLUTE)?;
    if url.scheme() != "https" {
        return Err("HeyGen delivers to https URLs only.");
    }
    // The parser would also accept `https:host` and `https:\\host`.
    let authority = text.get("https:".len()..).and_then(|rest| rest.strip_prefix("//"));
    if authority.is_none_or(|rest| rest.starts_with(['/', '\\'])) || !url.has_host() {
        return Err(ABSOLUTE);
    }
    let user_info = authority.is_some_and(|rest| {
        rest.split(['/', '?', '#', '\\'])
            .next()
            .is_some_and(|a| a.contains('@'))
    });
    if user_info {
        return Err(
            "The URL holds a user name or password. Deliveries are signed with the endpoint's secret instead: \
                    remove it.",
        );
    }
    if url.fragment().is_some() {
        return Err("The URL holds a fragment (#…), which is never sent to a server: remove it.");
    }
    Ok(url)
}

/// The host, if it is loopback, private or link-local.
fn internal_host(url: &Url) -> Option<String> {
    let host = url.host()?;
    let internal = match host {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Host::Ipv4(address) => internal_v4(address),
        Host::Ipv6(address) => internal_v6(address),
    };
    internal.then(|| host.to_string())
}

fn internal_v4(address: Ipv4Addr) -> bool {
    address.is_loopback() || address.is_private() || address.is_link_local() || address.is_unspecified()
}

fn internal_v6(address: Ipv6Addr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(mapped) => internal_v4(mapped),
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local()
        }
    }
}

/// Whether two spellings are one URL by the URL standard: the case of the host, the default port, an empty path.
pub(super) fn identical(one: &str, other: &str) -> bool {
    same_by(one, other, |text| Url::parse(text).ok())
}

/// Whether a URL in an answer can be the one that `HeyGen` was given: an [`identical`] spelling, or one with a slash at
/// the end where the other has none.
pub(super) fn equivalent(given: &str, answered: &str) -> bool {
    same_by(given, answered, |text| {
        let mut url = Url::parse(text).ok()?;
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Some(url)
    })
}

/// Whether two texts are the same, or `parsed` to the same URL. Nearly always they are the same text, and parsing it is the
/// dearest part of a plan.
fn same_by(one: &str, other: &str, parsed: impl Fn(&str) -> Option<Url>) -> bool {
    one == other || parsed(one).is_some_and(|url| parsed(other) == Some(url))
}

/// The URL without its query, which may hold a token of the receiver and is not shown.
pub(super) fn without_query(text: &str) -> &str {
    text.split_once('?').map_or(text, |(shown, _)| shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terraform::Severity;

    #[test]
    fn a_url_is_shown_without_its_query() {
        assert_eq!(
            without_query("https://example.com/hook?token=1"),
            "https://example.com/hook"
        );
        assert_eq!(without_query("https://example.com/hook"), "https://example.com/hook");
    }

    #[test]
    fn public_https_urls_are_fine() {
        for url in [
            "https://example.com",
            "https://example.com/hook?x=1&y=@",
            "https://example.com:8443/a/b/",
            "HTTPS://Example.com/",
            "https://8.8.8.8/hook",
            "https://[2606:4700::1111]/hook",
            "https://b\u{fc}cher.example/hook",
        ] {
            assert_eq!(validate(url), None, "{url}");
        }
    }

    #[test]
    fn anything_else_is_an_error_at_the_attribute() {
        for url in [
            "",
            "example.com/hook",
            "/hook",
            "//example.com/hook",
            "http://example.com/hook",
            "ftp://example.com",
            "https:",
            "https://",
            "https:example.com",
            "https:///example.com",
            "https:\\\\example.com",
            "https://user@example.com/",
            "https://user:password@example.com/",
            "https://@example.com/",
            "https://example.com/#top",
            "https://example.com/#",
            " https://example.com/",
            "https://example.com/a b",
            "https://example.com/\n",
            "https://exa mple.com/",
        ] {
            let found = validate(url).unwrap_or_else(|| panic!("{url:?} passed"));
            assert_eq!(found.severity, Severity::Error, "{url:?}");
            assert_eq!(found.path, Some(crate::terraform::Path::attribute("url")));
            assert!(!found.detail.contains("password@"), "{}", found.detail);
        }
    }

    #[test]
    fn hosts_near_by_are_a_warning() {
        for host in [
            "localhost",
            "LOCALHOST.",
            "hooks.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "2130706433",
            "[::1]",
            "[fe80::1]",
            "[fd00::1]",
            "[::ffff:10.0.0.1]",
        ] {
            let found = validate(&format!("https://{host}/hook")).unwrap_or_else(|| panic!("{host} passed"));
            assert_eq!(found.severity, Severity::Warning, "{host}");
        }
        for host in ["notlocalhost", "localhost.example.com", "172.32.0.1", "11.0.0.1"] {
            assert_eq!(validate(&format!("https://{host}/hook")), None, "{host}");
        }
    }

    #[test]
    fn spellings_of_one_url_are_identical_and_a_slash_is_only_equivalent() {
        assert!(identical("https://Example.com:443", "https://example.com/"));
        assert!(!identical("https://example.com/hook", "https://example.com/hook/"));
        assert!(equivalent("https://example.com/hook", "https://EXAMPLE.com:443/hook/"));
        assert!(equivalent("https://example.com/", "https://example.com"));
        assert!(!equivalent("https://example.com/hook", "https://example.com/Hook"));
        assert!(!equivalent("https://example.com/hook", "https://example.com/hook?x=1"));
        assert!(!equivalent("https://example.com/hook", "https://example.com:8443/hook"));
    }
}
