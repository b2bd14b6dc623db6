//! Makes text that HeyGen, a gateway or a library wrote fit to be shown.

use secrecy::{ExposeSecret, SecretString};

/// How many characters of an explanation are kept.
const MAX_EXPLANATION_CHARS: usize = 500;
/// How many characters of a name (a code, a parameter, a request id) are kept.
const MAX_NAME_CHARS: usize = 128;

/// How many characters of a URL are shown.
const MAX_URL_CHARS: usize = 250;

/// How many characters are shown of a text that a message quotes.
const MAX_EXCERPT_CHARS: usize = 64;

/// What stands where a text was cut short.
const CUT_SHORT: char = '…';

/// What stands where something was taken out.
const REDACTED: &str = "[redacted]";
/// What every signing secret begins with.
const SIGNING_SECRET_PREFIX: &str = "whsec_";
/// A shorter credential is not taken out of texts: it protects nothing, and a text has many places that only look like
/// it.
const MIN_CREDENTIAL_BYTES: usize = 4;
/// A credential as long as this is no part of another word.
const MIN_UNIQUE_CREDENTIAL_BYTES: usize = 16;

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

    /// A text of our own, in which something from outside may stand: as it is, but without the credential it knows, also
    /// where it was quoted or cut short, and without anything that looks like a signing secret. A short credential is
    /// taken out as a whole word alone: it may be a part of our own words.
    pub(super) fn message(&self, text: &str) -> String {
        let credential = self.0.expose_secret();
        let without = if credential.len() < MIN_UNIQUE_CREDENTIAL_BYTES {
            without_word
        } else {
            without
        };
        let text = without(text, credential);
        let text = without(&text, &credential.escape_debug().to_string());
        without_signing_secrets(&without_beginning(&text, credential))
    }

    /// A name fit to be shown; `None` if nothing is left of it.
    pub(super) fn name(&self, text: &str) -> Option<String> {
        Some(self.clean(text, MAX_NAME_CHARS)).filter(|name| !name.is_empty())
    }

    /// A URL fit to be shown: without user-info and query, which may hold a token of the receiver's. Characters that show
    /// nothing are seen to be there.
    pub(super) fn url(&self, text: &str) -> String {
        let is_seen = |c: char| !(c.is_control() || c.is_whitespace() || is_invisible(c));
        let text: String = text
            .chars()
            .map(|c| if is_seen(c) { c } else { char::REPLACEMENT_CHARACTER })
            .collect();
        let text = without(&text, self.0.expose_secret());
        let text = without_signing_secrets(&text);
        shortened(&without_details(&text), MAX_URL_CHARS)
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
    cut_out(text, needle, |_, _| true, |_| 0)
}

/// Takes a word out where it is no part of a longer one.
fn without_word(text: &str, word: &str) -> String {
    if word.len() < MIN_CREDENTIAL_BYTES {
        return text.to_owned();
    }
    let is_apart = |before: &str, after: &str| {
        !before.ends_with(char::is_alphanumeric) && !after.starts_with(char::is_alphanumeric)
    };
    cut_out(text, word, is_apart, |_| 0)
}

/// Takes out what is left of a credential at the place where a text was cut short.
fn without_beginning(text: &str, credential: &str) -> String {
    let mut pieces = text.split(CUT_SHORT).peekable();
    let mut out = String::with_capacity(text.len());
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            out.push_str(piece);
            break;
        }
        let beginnings = (MIN_CREDENTIAL_BYTES..credential.len()).rev();
        let mut left = beginnings.filter_map(|length| {
            let at = piece.len().checked_sub(length)?;
            let end = piece.get(at..)?;
            end.eq_ignore_ascii_case(credential.get(..length)?).then_some(at)
        });
        match left.next() {
            Some(at) => {
                out.push_str(&piece[..at]);
                out.push_str(REDACTED);
            }
            None => out.push_str(piece),
        }
        out.push(CUT_SHORT);
    }
    out
}

/// A text in the place of an id or of a name, as a message shows it: without anything that looks like a signing secret,
/// without user-info and queries of URLs, and cut short. What a session knows to be secret is not known here.
pub fn excerpt(text: &str) -> String {
    let text = without_signing_secrets(text);
    let shown = match text.rfind('@') {
        _ if text.contains("://") => without_details(&text),
        // What a URL's parser takes for one as well.
        Some(at) if has_web_scheme(&text[..at]) => REDACTED.to_owned(),
        _ => text,
    };
    shortened(&shown, MAX_EXCERPT_CHARS)
}

fn has_web_scheme(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("http:") || text.contains("https:")
}

/// Takes out everything that looks like a signing secret. A full stop at its end is the sentence's.
pub fn without_signing_secrets(text: &str) -> String {
    let tail = |rest: &str| {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_-+/=.~".contains(c)));
        rest[..end.unwrap_or(rest.len())].trim_end_matches('.').len()
    };
    cut_out(text, SIGNING_SECRET_PREFIX, |_, _| true, tail)
}

/// Puts the mark in place of every `needle`, in any case, that `fits` by what stands before and after it, and of as many
/// bytes after it as `tail` says.
fn cut_out(text: &str, needle: &str, fits: impl Fn(&str, &str) -> bool, tail: impl Fn(&str) -> usize) -> String {
    // Lowering the case of ASCII moves no byte.
    let (lower, needle) = (text.to_ascii_lowercase(), needle.to_ascii_lowercase());
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    while let Some(at) = lower[from..].find(&needle).map(|at| at + from) {
        let end = at + needle.len();
        out.push_str(&text[from..at]);
        if fits(&text[..at], &text[end..]) {
            out.push_str(REDACTED);
            from = end + tail(&text[end..]);
        } else {
            out.push_str(&text[at..end]);
            from = end;
        }
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
        out.push_str(without_login(plain, authority));
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// Takes the same out of a text that is a URL, or was meant to be one. That there was a query is seen.
fn without_details(url: &str) -> String {
    let (plain, rest) = url.split_at(url.find(['?', '#']).unwrap_or(url.len()));
    let mut parts = plain.split("://");
    let scheme = parts.next().unwrap_or_default();
    let mut out = if scheme.contains('@') { REDACTED } else { scheme }.to_owned();
    for part in parts {
        let authority = &part[..part.find(['/', '\\']).unwrap_or(part.len())];
        out.push_str("://");
        out.push_str(without_login(part, authority));
    }
    if rest.starts_with('?') {
        out.push_str("?…");
    }
    out
}

/// A URL behind its scheme, without what stands before the host.
fn without_login<'a>(url: &'a str, authority: &str) -> &'a str {
    match authority.rfind('@') {
        Some(at) => &url[at + 1..],
        None if has_cut_off_password(authority) => REDACTED,
        None => url,
    }
}

/// Whether what follows the colon is no port, and so can only be the beginning of a password that has an unencoded `/`,
/// `?` or `#` in it.
fn has_cut_off_password(authority: &str) -> bool {
    let port = authority.rsplit_once(':').map(|(_, port)| port);
    !authority.starts_with('[') && port.is_some_and(|port| !port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The first `limit` characters of a text, with a mark where some are missing.
fn shortened(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((at, _)) => format!("{}{CUT_SHORT}", &text[..at]),
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
            ("secret whsec_a.b. And", "secret [redacted]. And"),
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
    fn a_url_is_shown_without_what_may_be_secret_in_it() {
        let shown = |text: &str| Redactor::new(SecretString::from("Key-12345")).url(text);
        for (text, expected) in [
            ("https://h.example/a/b", "https://h.example/a/b"),
            ("https://h.example:8443/@a", "https://h.example:8443/@a"),
            ("https://u:p@h.example/a?token=1#f", "https://h.example/a?…"),
            ("https://h.example/#f", "https://h.example/"),
            ("https://u:p\"q@h.example/", "https://h.example/"),
            ("https://u:p q@h.example/", "https://h.example/"),
            ("https://u:p\nq@h.example/", "https://h.example/"),
            ("https://u:p/q@h.example/", "https://[redacted]"),
            ("https://u:p\\q@h.example/", "https://[redacted]"),
            ("https://u:p?q@h.example/", "https://[redacted]?…"),
            (
                "https://a.example/https://u:p@h.example/",
                "https://a.example/https://h.example/",
            ),
            ("https:u:p@h.example/", "[redacted]"),
            ("u:p@https://h.example/", "[redacted]://h.example/"),
            (
                "https://h.example/Key-12345/whsec_1",
                "https://h.example/[redacted]/[redacted]",
            ),
            (
                "https://h.example/a\u{1b}[31m\r\nb\u{202e}",
                "https://h.example/a\u{fffd}[31m\u{fffd}\u{fffd}b\u{fffd}",
            ),
            ("", ""),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
        let long = shown(&format!("https://h.example/{}", "é".repeat(1000)));
        assert_eq!(long.chars().count(), 251);
    }

    #[test]
    fn a_text_that_is_quoted_shows_no_secret_and_is_cut_short() {
        for (text, shown) in [
            ("ep_1", "ep_1"),
            ("ep_1?x", "ep_1?x"),
            ("a@b", "a@b"),
            ("a:b@c", "a:b@c"),
            ("whsec_abc/def", "[redacted]"),
            ("whsec_abc/https://user:pw@h/", "[redacted]://h/"),
            ("https://user:pw@h/ep_1", "https://h/ep_1"),
            ("https://user:p w@h/", "https://h/"),
            ("https:\\\\user:pw@h/", "[redacted]"),
            ("https:user:pw@h/", "[redacted]"),
            ("https://h/?token=1", "https://h/?…"),
            ("user:pw@https://h/", "[redacted]://h/"),
        ] {
            assert_eq!(excerpt(text), shown, "{text:?}");
        }
        assert_eq!(excerpt(&"é".repeat(65)), format!("{}…", "é".repeat(64)));
        assert_eq!(excerpt(&"é".repeat(64)), "é".repeat(64));
    }

    #[test]
    fn a_message_shows_no_credential_in_what_it_quotes() {
        let message = |credential: &str, text: &str| Redactor::new(SecretString::from(credential)).message(text);
        assert_eq!(
            message("Key-12345", "the id \"KEY-12345/x\". It"),
            "the id \"[redacted]/x\". It"
        );
        assert_eq!(
            message("a\"b'c\\d", "the id \"a\\\"b\\'c\\\\d/x\""),
            "the id \"[redacted]/x\""
        );
        let long = "key-of-sixteen-bytes";
        assert_eq!(message(long, &format!("x{long}y")), "x[redacted]y");
        assert_eq!(
            message("test", "test \"test/x\" of the latest"),
            "[redacted] \"[redacted]/x\" of the latest"
        );
        for cut in ["Key-", "Key-1", "kEY-1234"] {
            assert_eq!(
                message("Key-12345", &format!("of x{cut}…, and")),
                "of x[redacted]…, and"
            );
        }
        for kept in ["of Key…", "of Key-1234 …", "of Key-1234", "of …Key-", "of éKe…"] {
            assert_eq!(message("Key-12345", kept), kept);
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

        #[test]
        fn no_url_gets_its_login_or_its_query_through(
            user in "[a-z]{0,4}",
            password in "Pw[^/\\\\?#]{2,12}",
            path in "[^?#]{0,20}",
            query in "Qu[^ ]{2,12}",
        ) {
            let redactor = Redactor::new(SecretString::from("Key-12345"));
            let shown = redactor.url(&format!("https://{user}:{password}@h.example/{path}?{query}"));
            prop_assert!(shown.starts_with("https://h.example/"), "{}", shown);
            prop_assert!(!shown.contains("Qu") || path.contains("Qu"), "{}", shown);
            prop_assert!(shown.chars().all(|c| !(c.is_control() || c.is_whitespace() || is_invisible(c))), "{}", shown);
        }
    }
}
