//! Makes text that HeyGen, a gateway or a library wrote fit to be shown.

use secrecy::{ExposeSecret, SecretString};

/// How many characters of an explanation are kept.
const MAX_EXPLANATION_CHARS: usize = 500;
/// How many characters of a name (a code, a parameter, a request id) are kept.
const MAX_NAME_CHARS: usize = 128;

/// What stands where something was taken out.
const REDACTED: &str = "[redacted]";
/// What every signing secret begins with.
const SIGNING_SECRET_PREFIX: &str = "whsec_";
/// A shorter credential is not taken out of texts: it protects nothing, and a text has many places that only look like
/// it.
const MIN_CREDENTIAL_BYTES: usize = 4;

/// Cleans text: without control and invisible characters, on one line, without the credential it knows, without
/// anything that looks like a signing secret, without user-info and queries of URLs, and not too long.
#[derive(Clone, Debug)]
pub(super) struct Redactor(SecretString);

impl Redactor {
    pub(super) fn new(credential: SecretString) -> Self {
        Self(credential)
    }

    /// An explanation fit to be shown.
    pub(super) fn explanation(&self, text: &str) -> String {
        self.clean(text, MAX_EXPLANATION_CHARS)
    }

    /// A text of our own, in which something from outside may stand: as it is, but without the credential it knows and
    /// without anything that looks like a signing secret.
    pub(super) fn message(&self, text: &str) -> String {
        without_signing_secrets(&without(text, self.0.expose_secret()))
    }

    /// A name fit to be shown; `None` if nothing is left of it.
    pub(super) fn name(&self, text: &str) -> Option<String> {
        Some(self.clean(text, MAX_NAME_CHARS)).filter(|name| !name.is_empty())
    }

    // Invisible characters go first, because they can split a secret so that it is not recognised. Shortening comes
    // last, because it could cut a secret in two, of which the first half would stay.
    fn clean(&self, text: &str, limit: usize) -> String {
        let text = on_one_line(text);
        let text = without(&text, self.0.expose_secret());
        let text = without_signing_secrets(&text);
        shortened(&without_url_details(&text), limit)
    }
}

fn on_one_line(text: &str) -> String {
    let visible: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control() && !is_invisible(*c))
        .collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a character shows nothing, or changes the direction of the text after it: those of Unicode's
/// `Default_Ignorable_Code_Point`, the marks of annotations, and the Braille pattern without dots.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn without(text: &str, needle: &str) -> String {
    if needle.len() < MIN_CREDENTIAL_BYTES {
        return text.to_owned();
    }
    cut_out(text, needle, |_| 0)
}

pub(super) fn without_signing_secrets(text: &str) -> String {
    cut_out(text, SIGNING_SECRET_PREFIX, |rest| {
        rest.bytes()
            .take_while(|b| b.is_ascii_alphanumeric() || b"_-+/=.~".contains(b))
            .count()
    })
}

/// Puts the mark in place of every `needle`, in any case, and of as many bytes after it as `tail` says.
fn cut_out(text: &str, needle: &str, tail: impl Fn(&str) -> usize) -> String {
    // Lowering the case of ASCII moves no byte.
    let (lower, needle) = (text.to_ascii_lowercase(), needle.to_ascii_lowercase());
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    while let Some(at) = lower[from..].find(&needle).map(|at| at + from) {
        out.push_str(&text[from..at]);
        out.push_str(REDACTED);
        from = at + needle.len();
        from += tail(&text[from..]);
    }
    out.push_str(&text[from..]);
    out
}

/// Takes `user:password@`, `?query` and `#fragment` out of every URL.
fn without_url_details(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        let end = after
            .find(|c: char| c == ' ' || "\"'<>`|\\".contains(c))
            .unwrap_or(after.len());
        let (url, behind) = after.split_at(end);
        let plain = &url[..url.find(['?', '#']).unwrap_or(url.len())];
        let authority = &plain[..plain.find('/').unwrap_or(plain.len())];
        out.push_str(before);
        match authority.rfind('@') {
            Some(at) => out.push_str(&plain[at + 1..]),
            None if has_cut_off_password(authority) => out.push_str(REDACTED),
            None => out.push_str(plain),
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// Whether what follows the colon is no port, and so can only be the beginning of a password that has an unencoded `/`,
/// `?` or `#` in it.
fn has_cut_off_password(authority: &str) -> bool {
    let port = authority.rsplit_once(':').map(|(_, port)| port);
    !authority.starts_with('[') && port.is_some_and(|port| !port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The first `limit` characters of a text, with a mark where some are missing.
pub(super) fn shortened(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn clean(text: &str) -> String {
        Redactor::new(SecretString::from("Key-12345")).explanation(text)
    }

    #[test]
    fn what_must_not_be_shown_is_taken_out() {
        for (text, shown) in [
            ("plain words", "plain words"),
            ("a\u{1b}[31mred\r\n\tline\u{0}", "a[31mred line"),
            ("turn\u{202e}ed \u{200b}zero", "turned zero"),
            ("bad key Key-12345!", "bad key [redacted]!"),
            ("bad key kEY-12345", "bad key [redacted]"),
            ("split Key-\u{0}12\u{200b}345", "split [redacted]"),
            ("secret whsec_aB3+/=-_.x, and", "secret [redacted], and"),
            ("WHSEC_X whsec_", "[redacted] [redacted]"),
            (
                "see https://u:p@h.example/a?token=1#f now",
                "see https://h.example/a now",
            ),
            ("proxy http://user:pass@p.example:3128", "proxy http://p.example:3128"),
            ("proxy http://user:pa/ss@p.example:3128", "proxy http://[redacted]"),
            ("proxy http://user:pa?ss@p.example:3128", "proxy http://[redacted]"),
            (
                "kept http://[::1]/a@b http://h.example:80/@c",
                "kept http://[::1]/a@b http://h.example:80/@c",
            ),
            ("two http://a@b/ \"ftp://c:d@e?q\"", "two http://b/ \"ftp://e\""),
            ("  ", ""),
        ] {
            assert_eq!(clean(text), shown, "{text:?}");
        }
    }

    #[test]
    fn long_text_is_cut_after_the_secrets_are_out_of_it() {
        let text = format!("{}Key-12345{}", "é".repeat(495), "x".repeat(100_000));
        let shown = clean(&text);
        assert_eq!(shown.chars().count(), 501);
        assert!(!shown.contains("Key"), "{shown}");
        assert_eq!(
            Redactor::new(SecretString::from(""))
                .name(&"n".repeat(1000))
                .unwrap()
                .chars()
                .count(),
            129
        );
    }

    #[test]
    fn a_credential_too_short_to_be_one_shreds_nothing() {
        assert_eq!(Redactor::new(SecretString::from("e")).explanation("hello"), "hello");
    }

    proptest! {
        #[test]
        fn no_text_gets_the_credential_through(before in ".{0,40}", after in "\\PC{0,40}") {
            let shown = clean(&format!("{before}Key-12345{after}whsec_abc {before}"));
            prop_assert!(!shown.contains("Key-12345"));
            prop_assert!(!shown.contains("whsec_"));
            prop_assert!(shown.chars().all(|c| !c.is_control()));
        }
    }
}
