//! Finds the credential to call `HeyGen` with, in the first place that has one.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read};
use std::path::Path;

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::IgnoredAny;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::environment::{self, Environment};
use crate::heygen::{Credential, CredentialOrigin, InvalidCredential};
use crate::provider::summaries;
use crate::terraform::{Attr, Diagnostic, Summary};

/// The largest credentials file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// What to do about a file that is there and cannot be used.
const CORRECT_THE_FILE: &str = "Correct the file, or set HEYGEN_API_KEY, which is then used instead.";

/// What to do about a file that is there and not in UTF-8.
const SAVE_AS_UTF8: &str = "Save it as UTF-8, or set HEYGEN_API_KEY, which is then used instead.";

/// What to do about a file that is there and may not be read.
const PERMIT: &str = "Let the user that runs Terraform read it, its folder included, or set HEYGEN_API_KEY, which is then \
                      used instead.";

/// What to do about an access token of the CLI's that HeyGen does not accept.
const RENEW_THE_TOKEN: &str = "An access token expires after a while, and the provider cannot renew it. Run any heygen \
                               command, which renews it, or use an API key (api_key or HEYGEN_API_KEY), which serves \
                               better here.";

/// How long after its `expires_at` a token is still used: HeyGen's clock decides, and this machine's may differ from
/// it.
const EXPIRY_GRACE: Duration = Duration::minutes(5);

/// What the provider block says of credentials.
#[derive(Clone, Copy)]
pub(super) struct Configured<'a> {
    pub(super) api_key: &'a Attr<SecretString>,
    pub(super) access_token: &'a Attr<SecretString>,
}

/// What a search for the credential has found.
#[derive(Debug)]
pub(super) enum CredentialSearch {
    /// This one is to be used.
    Found(Credential),
    /// The configuration names one, whose value is not known yet.
    NotKnownYet,
    /// No place has any. Holds the error that says so.
    NoneFound(Diagnostic),
}

/// Finds the credential in the configuration, else in the environment, else in the file of `HeyGen`'s CLI. The first
/// place that has one decides: if that cannot be used, it is an error, and later places are not read.
pub(super) fn find(
    configured: Configured<'_>,
    environment: &Environment,
    now: OffsetDateTime,
) -> Result<CredentialSearch, Diagnostic> {
    if configured.api_key.is_unknown() || configured.access_token.is_unknown() {
        return Ok(CredentialSearch::NotKnownYet);
    }
    if let Some(credential) = in_configuration(configured)? {
        return Ok(CredentialSearch::Found(credential));
    }
    if let Some(credential) = in_environment(environment)? {
        return Ok(CredentialSearch::Found(credential));
    }
    let in_file = environment.credentials_file.as_deref().map(|path| in_file(path, now));
    let file = match in_file.transpose()? {
        Some(InFile::Credential(credential)) => return Ok(CredentialSearch::Found(credential)),
        Some(InFile::Empty) => "it is empty",
        Some(InFile::None) => "it holds neither an API key nor an access token",
        Some(InFile::NoFile) | None => "",
    };
    Ok(CredentialSearch::NoneFound(none_found(
        environment.credentials_file.as_deref(),
        file,
    )))
}

/// What a credentials file gives.
#[derive(Debug)]
enum InFile {
    Credential(Credential),
    /// There is no file.
    NoFile,
    /// The file has nothing in it.
    Empty,
    /// The file has no credential in it.
    None,
}

/// Checks the credentials of a configuration by themselves. One that is not known yet may still turn out to be null.
pub(super) fn validate(configured: Configured<'_>) -> Result<(), Diagnostic> {
    in_configuration(configured).map(drop)
}

fn in_configuration(configured: Configured<'_>) -> Result<Option<Credential>, Diagnostic> {
    match (configured.api_key.known(), configured.access_token.known()) {
        (None, None) => Ok(None),
        (Some(key), None) => Place::Attribute.credential(Kind::ApiKey, key).map(Some),
        (None, Some(token)) => Place::Attribute.credential(Kind::AccessToken, token).map(Some),
        (Some(_), Some(_)) => Err(both(
            "api_key and access_token are both set in the provider block, and HeyGen takes exactly one of them. Remove one.",
        )),
    }
}

fn in_environment(environment: &Environment) -> Result<Option<Credential>, Diagnostic> {
    let text = |kind: Kind, value: &Option<OsString>| {
        let text = environment::text(value.as_ref(), kind.variable(), kind.attribute())?;
        Ok(text.map(SecretString::from))
    };
    match (
        text(Kind::ApiKey, &environment.api_key)?,
        text(Kind::AccessToken, &environment.access_token)?,
    ) {
        (None, None) => Ok(None),
        (Some(key), None) => Place::Variable.credential(Kind::ApiKey, &key).map(Some),
        (None, Some(token)) => Place::Variable.credential(Kind::AccessToken, &token).map(Some),
        (Some(_), Some(_)) => Err(both(
            "HEYGEN_API_KEY and HEYGEN_ACCESS_TOKEN are both set in the environment, and HeyGen takes exactly one of them. \
             Unset one, or set api_key or access_token in the provider block, which is then used instead.",
        )),
    }
}

fn in_file(path: &Path, now: OffsetDateTime) -> Result<InFile, Diagnostic> {
    let Some(text) = read(path)? else {
        return Ok(InFile::NoFile);
    };
    let place = Place::File(path);
    match parse(text.expose_secret(), path)? {
        Content::Empty => Ok(InFile::Empty),
        Content::Nothing => Ok(InFile::None),
        Content::ApiKey(key) => place.credential(Kind::ApiKey, &key).map(InFile::Credential),
        Content::AccessToken { token, expires_at } => match expires_at.filter(|time| has_expired(time, now)) {
            Some(time) => Err(expired(path, &time)),
            None => place.credential(Kind::AccessToken, &token).map(InFile::Credential),
        },
    }
}

/// Whether a token with this `expires_at` has expired. A text that is not a time is ignored, and so is the zero time,
/// which Go writes where there is none.
fn has_expired(expires_at: &str, now: OffsetDateTime) -> bool {
    OffsetDateTime::parse(expires_at, &Rfc3339).is_ok_and(|time| time.year() > 1 && now - time > EXPIRY_GRACE)
}

/// The kinds of credentials.
#[derive(Clone, Copy)]
enum Kind {
    ApiKey,
    AccessToken,
}

impl Kind {
    fn attribute(self) -> &'static str {
        match self {
            Kind::ApiKey => "api_key",
            Kind::AccessToken => "access_token",
        }
    }

    fn variable(self) -> &'static str {
        match self {
            Kind::ApiKey => "HEYGEN_API_KEY",
            Kind::AccessToken => "HEYGEN_ACCESS_TOKEN",
        }
    }

    fn unusable(self) -> Summary {
        match self {
            Kind::ApiKey => summaries::UNUSABLE_API_KEY,
            Kind::AccessToken => summaries::UNUSABLE_ACCESS_TOKEN,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::ApiKey => "API key",
            Kind::AccessToken => "access token",
        })
    }
}

/// Where a credential was found.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// The attribute of its kind.
    Attribute,
    /// The variable of its kind.
    Variable,
    /// The file of `HeyGen`'s CLI.
    File(&'a Path),
}

impl Place<'_> {
    fn credential(self, kind: Kind, text: &SecretString) -> Result<Credential, Diagnostic> {
        let text = text.expose_secret().to_owned();
        let made = match kind {
            Kind::ApiKey => Credential::api_key(text, self.origin(kind)),
            Kind::AccessToken => Credential::access_token(text, self.origin(kind)),
        };
        made.map_err(|why| self.unusable(kind, why))
    }

    fn origin(self, kind: Kind) -> CredentialOrigin {
        CredentialOrigin {
            place: self.holding(kind),
            remedy: matches!((self, kind), (Place::File(_), Kind::AccessToken)).then_some(RENEW_THE_TOKEN),
        }
    }

    /// The words for the place that holds a credential of this kind.
    fn holding(self, kind: Kind) -> String {
        match (self, kind) {
            (Place::Attribute, _) => format!("{} of the provider block", kind.attribute()),
            (Place::Variable, _) => kind.variable().to_owned(),
            (Place::File(path), Kind::ApiKey) => format!("the credentials file {}", path.display()),
            (Place::File(path), Kind::AccessToken) => {
                format!("the oauth block of the credentials file {}", path.display())
            }
        }
    }

    fn unusable(self, kind: Kind, why: InvalidCredential) -> Diagnostic {
        let remedy = match (self, why) {
            (Place::Attribute, InvalidCredential::Empty) => {
                "Leave it out, or set it to null, to take the credential from the environment or from the credentials file \
                 of HeyGen's CLI."
            }
            (Place::Attribute, InvalidCredential::Character) => {
                "Text that was read from a file often ends with a line break: trimspace() takes it off."
            }
            (Place::Variable, _) => "Set it to the credential alone, without quotes and line breaks.",
            (Place::File(_), _) => CORRECT_THE_FILE,
        };
        let place = self.holding(kind);
        Diagnostic::error(kind.unusable(), format!("The {kind} in {place} {why}. {remedy}")).at(kind.attribute())
    }
}

fn both(detail: &str) -> Diagnostic {
    Diagnostic::error(summaries::TWO_KINDS_OF_CREDENTIALS, detail).at(Kind::ApiKey.attribute())
}

fn expired(path: &Path, time: &str) -> Diagnostic {
    Diagnostic::error(
        summaries::EXPIRED_ACCESS_TOKEN,
        format!(
            "The access token in {} expired at {time}, and the provider cannot renew it. Run any heygen command, which \
             renews it, or use an API key (api_key or HEYGEN_API_KEY), which serves better here.",
            Place::File(path).holding(Kind::AccessToken)
        ),
    )
    .at(Kind::AccessToken.attribute())
}

/// `of_file` is what is known of a file that is there.
fn none_found(file: Option<&Path>, of_file: &str) -> Diagnostic {
    let file = file.map_or("credentials in ~/.heygen".to_owned(), |path| path.display().to_string());
    let file = if of_file.is_empty() {
        file
    } else {
        format!("{file}: {of_file}")
    };
    Diagnostic::error(
        summaries::NO_CREDENTIALS,
        format!(
            "None were found in any of the three places they are looked for: (1) the provider's configuration (api_key or \
             access_token), (2) the environment (HEYGEN_API_KEY or HEYGEN_ACCESS_TOKEN), (3) the credentials file of \
             HeyGen's CLI ({file})."
        ),
    )
}

/// Reads the file; `None` if there is none.
fn read(path: &Path) -> Result<Option<SecretString>, Diagnostic> {
    let unreadable = |why: &str| unreadable(path, why, CORRECT_THE_FILE);
    // Checked before it is opened, because opening a named pipe waits until somebody writes into it.
    let file = match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => std::fs::File::open(path),
        Ok(_) => return Err(unreadable("not a file")),
        Err(error) => Err(error),
    };
    let file = match file {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(None),
        Err(error) => return Err(not_read(path, &error)),
    };
    let mut bytes = Zeroizing::new(Vec::new());
    match file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes) {
        Err(error) => Err(not_read(path, &error)),
        Ok(length) if u64::try_from(length).is_ok_and(|length| length > MAX_FILE_BYTES) => {
            Err(unreadable("larger than any credentials"))
        }
        Ok(_) => text_of(&bytes, path).map(Some),
    }
}

fn unreadable(path: &Path, why: &str, remedy: &str) -> Diagnostic {
    Diagnostic::error(
        summaries::UNREADABLE_CREDENTIALS_FILE,
        format!("{}: {why}. {remedy}", path.display()),
    )
}

fn not_read(path: &Path, error: &io::Error) -> Diagnostic {
    match error.kind() {
        io::ErrorKind::PermissionDenied => unreadable(path, "it may not be read (permission denied)", PERMIT),
        _ => unreadable(path, &error.to_string(), CORRECT_THE_FILE),
    }
}

/// The text of a file, without the byte order mark that some editors put before it.
fn text_of(bytes: &[u8], path: &Path) -> Result<SecretString, Diagnostic> {
    // Either mark of UTF-16, or the zeros beside each letter where it has none. No text has a zero in it.
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || bytes.contains(&0) {
        return Err(unreadable(path, "it is in UTF-16, or no text at all", SAVE_AS_UTF8));
    }
    match str::from_utf8(bytes) {
        Ok(text) => Ok(SecretString::from(text.strip_prefix('\u{feff}').unwrap_or(text))),
        Err(_) => Err(unreadable(path, "it holds bytes that are not UTF-8", SAVE_AS_UTF8)),
    }
}

/// What a credentials file holds.
#[derive(Debug)]
enum Content {
    Empty,
    /// JSON without a credential.
    Nothing,
    ApiKey(SecretString),
    AccessToken {
        token: SecretString,
        /// A time in RFC 3339, in a file that the CLI wrote.
        expires_at: Option<String>,
    },
}

/// The part of the file's JSON that holds an API key.
#[derive(Deserialize)]
struct KeyFile {
    api_key: Option<SecretText>,
}

/// The part of the file's JSON that holds an access token.
#[derive(Deserialize)]
struct OauthFile {
    oauth: Option<Oauth>,
}

#[derive(Deserialize)]
struct Oauth {
    access_token: Option<SecretText>,
    expires_at: Option<TextOrOdd>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TextOrOdd {
    Text(String),
    Odd(IgnoredAny),
}

impl TextOrOdd {
    fn into_text(self) -> Option<String> {
        match self {
            TextOrOdd::Text(text) => Some(text),
            TextOrOdd::Odd(_) => None,
        }
    }
}

/// Text that is read into a [`SecretString`], so that no other copy of it is left.
#[derive(Deserialize)]
#[serde(from = "String")]
struct SecretText(SecretString);

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(SecretString::from(text))
    }
}

/// Reads a file that is either one line, which is the key, or a JSON object. In an object the key takes precedence over
/// the OAuth block, as it does in the CLI, even if the block is malformed: it is often a remainder of earlier use.
fn parse(text: &str, path: &Path) -> Result<Content, Diagnostic> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Content::Empty);
    }
    let unreadable = |line: usize| {
        Diagnostic::error(
            summaries::UNREADABLE_CREDENTIALS_FILE,
            format!(
                "{} is neither one line that holds an API key nor the JSON that HeyGen's CLI writes (see line {line}). \
                 {CORRECT_THE_FILE}",
                path.display(),
            ),
        )
    };
    // This is JSON but not an object, and no key begins with these characters.
    if text.starts_with(['[', '"']) {
        return Err(unreadable(1));
    }
    if !text.starts_with('{') {
        return Ok(Content::ApiKey(SecretString::from(text)));
    }
    // The error names only the line, because the parser's own message could quote the credential.
    let unreadable = |error: serde_json::Error| unreadable(error.line());
    let given = |text: Option<SecretText>| text.map(|text| text.0).filter(|text| !text.expose_secret().is_empty());
    let file: KeyFile = serde_json::from_str(text).map_err(unreadable)?;
    if let Some(key) = given(file.api_key) {
        return Ok(Content::ApiKey(key));
    }
    let file: OauthFile = serde_json::from_str(text).map_err(unreadable)?;
    let Some(oauth) = file.oauth else {
        return Ok(Content::Nothing);
    };
    Ok(match given(oauth.access_token) {
        Some(token) => Content::AccessToken {
            token,
            expires_at: oauth.expires_at.and_then(TextOrOdd::into_text),
        },
        None => Content::Nothing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terraform::Path;

    fn now() -> OffsetDateTime {
        OffsetDateTime::parse("2026-03-01T12:00:00Z", &Rfc3339).unwrap()
    }

    /// The credentials of a provider block.
    struct Block {
        api_key: Attr<SecretString>,
        access_token: Attr<SecretString>,
    }

    impl Block {
        fn configured(&self) -> Configured<'_> {
            Configured {
                api_key: &self.api_key,
                access_token: &self.access_token,
            }
        }
    }

    fn block(api_key: Attr<&str>, access_token: Attr<&str>) -> Block {
        Block {
            api_key: api_key.map(SecretString::from),
            access_token: access_token.map(SecretString::from),
        }
    }

    fn environment(api_key: Option<&str>, access_token: Option<&str>) -> Environment {
        Environment {
            api_key: api_key.map(OsString::from),
            access_token: access_token.map(OsString::from),
            ..Environment::default()
        }
    }

    fn nothing() -> Block {
        block(Attr::Null, Attr::Null)
    }

    #[cfg(unix)]
    fn not_utf8() -> OsString {
        use std::os::unix::ffi::OsStringExt;

        OsString::from_vec(b"key\xff".to_vec())
    }

    /// The origin of the credential found, or the summary of why there is none.
    fn found(block: &Block, environment: &Environment) -> String {
        match find(block.configured(), environment, now()) {
            Ok(CredentialSearch::NotKnownYet) => "not known yet".to_owned(),
            Ok(CredentialSearch::Found(credential)) => credential.origin().place.clone(),
            Ok(CredentialSearch::NoneFound(problem)) | Err(problem) => problem.summary.to_string(),
        }
    }

    /// What is found in a file with this content: (the kind and the origin), with `FILE` for the file's path.
    fn found_in_file(content: &str) -> Result<(String, String), Diagnostic> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        std::fs::write(&path, content).unwrap();
        let without_path = |text: &str| text.replace(&path.display().to_string(), "FILE");
        match in_file(&path, now()) {
            Ok(InFile::Credential(credential)) => {
                Ok((format!("{credential:?}"), without_path(&credential.origin().place)))
            }
            Ok(nothing) => Ok((format!("{nothing:?}"), String::new())),
            Err(problem) => Err(Diagnostic {
                detail: without_path(&problem.detail),
                ..problem
            }),
        }
    }

    fn detail_of(block: &Block, environment: &Environment) -> String {
        find(block.configured(), environment, now()).unwrap_err().detail
    }

    #[test]
    fn a_configured_kind_beats_the_other_kind_of_the_environment() {
        let key = block(Attr::Known("k"), Attr::Null);
        assert_eq!(
            found(&key, &environment(None, Some("t"))),
            "api_key of the provider block"
        );
        assert_eq!(
            found(&key, &environment(Some("k"), Some("t"))),
            "api_key of the provider block"
        );
        let token = block(Attr::Null, Attr::Known("t"));
        assert_eq!(
            found(&token, &environment(Some("k"), None)),
            "access_token of the provider block"
        );
        assert_eq!(found(&nothing(), &environment(None, Some("t"))), "HEYGEN_ACCESS_TOKEN");
        assert_eq!(found(&nothing(), &environment(Some("k"), None)), "HEYGEN_API_KEY");
    }

    #[test]
    fn both_kinds_in_one_place_are_an_error_that_names_both() {
        let both = block(Attr::Known("k"), Attr::Known("t"));
        let problem = find(both.configured(), &Environment::default(), now()).unwrap_err();
        assert_eq!(validate(both.configured()), Err(problem.clone()));
        assert_eq!(problem.summary, "Two kinds of credentials");
        assert_eq!(
            problem.detail,
            "api_key and access_token are both set in the provider block, and HeyGen takes exactly one of them. Remove \
             one."
        );
        let problem = find(nothing().configured(), &environment(Some("k"), Some("t")), now()).unwrap_err();
        assert_eq!(problem.summary, "Two kinds of credentials");
        assert_eq!(
            problem.detail,
            "HEYGEN_API_KEY and HEYGEN_ACCESS_TOKEN are both set in the environment, and HeyGen takes exactly one of \
             them. Unset one, or set api_key or access_token in the provider block, which is then used instead."
        );
    }

    #[test]
    #[cfg(unix)]
    fn a_variable_that_is_consulted_and_no_text_is_an_error_that_names_it() {
        for (api_key, access_token, variable, attribute) in [
            (Some(not_utf8()), None, "HEYGEN_API_KEY", "api_key"),
            (Some(not_utf8()), Some("t".into()), "HEYGEN_API_KEY", "api_key"),
            (None, Some(not_utf8()), "HEYGEN_ACCESS_TOKEN", "access_token"),
            (
                Some("k".into()),
                Some(not_utf8()),
                "HEYGEN_ACCESS_TOKEN",
                "access_token",
            ),
        ] {
            let environment = Environment {
                api_key,
                access_token,
                ..Environment::default()
            };
            let problem = find(nothing().configured(), &environment, now()).unwrap_err();
            assert_eq!(problem.summary, "An environment variable is not text");
            assert_eq!(
                problem.detail,
                format!(
                    "{variable} is set to bytes that are not UTF-8. Correct or unset it, or set {attribute} in the \
                     provider block, which is then used instead."
                )
            );
            assert_eq!(problem.path, Some(Path::attribute(attribute)));
            let configured = block(Attr::Null, Attr::Known("t"));
            assert_eq!(found(&configured, &environment), "access_token of the provider block");
        }
    }

    #[test]
    fn a_credential_that_no_header_can_carry_is_an_error_that_names_its_place() {
        const WHAT: &str = "contains a space, a line break or another character that no HTTP header can carry";
        const TRIM: &str = "Text that was read from a file often ends with a line break: trimspace() takes it off.";
        const ALONE: &str = "Set it to the credential alone, without quotes and line breaks.";
        for (config, environment, expected) in [
            (
                block(Attr::Known("key\n"), Attr::Null),
                Environment::default(),
                format!("The API key in api_key of the provider block {WHAT}. {TRIM}"),
            ),
            (
                block(Attr::Null, Attr::Known("to ken")),
                Environment::default(),
                format!("The access token in access_token of the provider block {WHAT}. {TRIM}"),
            ),
            (
                block(Attr::Known(""), Attr::Null),
                environment(Some("k"), None),
                "The API key in api_key of the provider block must not be empty. Leave it out, or set it to null, to take \
                 the credential from the environment or from the credentials file of HeyGen's CLI."
                    .to_owned(),
            ),
            (
                nothing(),
                environment(Some("key\n"), None),
                format!("The API key in HEYGEN_API_KEY {WHAT}. {ALONE}"),
            ),
            (
                nothing(),
                environment(None, Some("\"t\" ")),
                format!("The access token in HEYGEN_ACCESS_TOKEN {WHAT}. {ALONE}"),
            ),
        ] {
            assert_eq!(detail_of(&config, &environment), expected);
        }
        for (content, place) in [
            ("k1\nk2", "The API key in the credentials file FILE"),
            (r#"{"api_key": "k\n"}"#, "The API key in the credentials file FILE"),
            (
                r#"{"oauth": {"access_token": "t\n"}}"#,
                "The access token in the oauth block of the credentials file FILE",
            ),
        ] {
            assert_eq!(
                found_in_file(content).unwrap_err().detail,
                format!("{place} {WHAT}. Correct the file, or set HEYGEN_API_KEY, which is then used instead.")
            );
        }
    }

    #[test]
    fn a_kind_that_is_not_known_yet_is_waited_for() {
        let waiting = block(Attr::Unknown, Attr::Known("t"));
        assert_eq!(found(&waiting, &environment(Some("k"), None)), "not known yet");
        assert!(validate(waiting.configured()).is_ok());
    }

    #[test]
    fn nothing_anywhere_lists_the_three_places() {
        let Ok(CredentialSearch::NoneFound(problem)) = find(nothing().configured(), &Environment::default(), now())
        else {
            panic!("something was found");
        };
        for place in [
            "api_key or access_token",
            "HEYGEN_API_KEY or HEYGEN_ACCESS_TOKEN",
            "HeyGen's CLI",
        ] {
            assert!(problem.detail.contains(place), "{}", problem.detail);
        }
    }

    #[test]
    fn a_file_that_is_there_and_has_no_credential_is_said_to_have_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        let detail = || {
            let environment = Environment {
                credentials_file: Some(path.clone()),
                ..Environment::default()
            };
            match find(nothing().configured(), &environment, now()) {
                Ok(CredentialSearch::NoneFound(problem)) => problem.detail,
                found => panic!("{found:?}"),
            }
        };
        let places = |file: &str| {
            format!(
                "None were found in any of the three places they are looked for: (1) the provider's configuration (api_key \
                 or access_token), (2) the environment (HEYGEN_API_KEY or HEYGEN_ACCESS_TOKEN), (3) the credentials file \
                 of HeyGen's CLI ({}{file}).",
                path.display()
            )
        };
        assert_eq!(detail(), places(""));
        for (content, file) in [
            (&b""[..], ": it is empty"),
            (b"\xef\xbb\xbf\r\n", ": it is empty"),
            (b"{}", ": it holds neither an API key nor an access token"),
            (
                br#"{"oauth": {"refresh_token": "r"}}"#,
                ": it holds neither an API key nor an access token",
            ),
        ] {
            std::fs::write(&path, content).unwrap();
            assert_eq!(detail(), places(file));
        }
    }

    #[test]
    fn a_file_that_is_not_in_utf8_is_told_so_and_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        let with_mark = "\u{feff}never-shown".encode_utf16();
        let without = "never-shown".encode_utf16();
        for (bytes, what) in [
            (
                with_mark.clone().flat_map(u16::to_le_bytes).collect(),
                "it is in UTF-16, or no text at all",
            ),
            (
                with_mark.flat_map(u16::to_be_bytes).collect(),
                "it is in UTF-16, or no text at all",
            ),
            (
                without.flat_map(u16::to_le_bytes).collect(),
                "it is in UTF-16, or no text at all",
            ),
            (b"never-shown \xe9".to_vec(), "it holds bytes that are not UTF-8"),
        ] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(
                in_file(&path, now()).unwrap_err().detail,
                format!(
                    "{}: {what}. Save it as UTF-8, or set HEYGEN_API_KEY, which is then used instead.",
                    path.display()
                )
            );
        }
    }

    #[test]
    fn a_file_that_may_not_be_read_is_not_to_be_corrected() {
        let denied = not_read(std::path::Path::new("FILE"), &io::ErrorKind::PermissionDenied.into());
        assert_eq!(denied.summary, "The credentials file cannot be read");
        assert_eq!(
            denied.detail,
            "FILE: it may not be read (permission denied). Let the user that runs Terraform read it, its folder included, \
             or set HEYGEN_API_KEY, which is then used instead."
        );
    }

    #[test]
    fn only_the_token_of_the_file_comes_with_the_advice_to_renew_it() {
        let remedy = |place: Place<'_>, kind| place.origin(kind).remedy;
        let file = Place::File(std::path::Path::new("FILE"));
        assert_eq!(remedy(file, Kind::AccessToken), Some(RENEW_THE_TOKEN));
        for (place, kind) in [
            (file, Kind::ApiKey),
            (Place::Variable, Kind::AccessToken),
            (Place::Attribute, Kind::AccessToken),
        ] {
            assert_eq!(remedy(place, kind), None);
        }
    }

    #[test]
    fn the_file_is_one_line_or_an_object_in_which_the_key_wins() {
        const KEY: (&str, &str) = ("Credential::ApiKey([redacted])", "the credentials file FILE");
        const TOKEN: (&str, &str) = (
            "Credential::AccessToken([redacted])",
            "the oauth block of the credentials file FILE",
        );
        const EMPTY: (&str, &str) = ("Empty", "");
        const NOTHING: (&str, &str) = ("None", "");
        for (content, expected) in [
            ("the-key\n", KEY),
            ("\u{feff}the-key\r\n", KEY),
            (" \n", EMPTY),
            ("\u{feff}", EMPTY),
            ("\u{feff}{}", NOTHING),
            ("\u{feff}{\"api_key\": \"k\"}", KEY),
            ("{}", NOTHING),
            (r#"{"api_key": "", "oauth": null}"#, NOTHING),
            (r#"{"api_key": null, "oauth": {"access_token": ""}}"#, NOTHING),
            (r#"{"api_key": "k", "user": {"name": "n"}}"#, KEY),
            (r#"{"api_key": "k", "oauth": {"access_token": "t"}}"#, KEY),
            (
                r#"{"api_key": "k", "oauth": {"access_token": "t", "expires_at": "2020-01-01T00:00:00Z"}}"#,
                KEY,
            ),
            (r#"{"api_key": "k", "oauth": ["of", {"another": 5}]}"#, KEY),
            (r#"{"api_key": "k", "oauth": "of another kind"}"#, KEY),
            (
                r#"{"api_key": "", "oauth": {"access_token": "t", "refresh_token": "r", "more": [1e999]}}"#,
                TOKEN,
            ),
        ] {
            let (kind, origin) = found_in_file(content).unwrap();
            assert_eq!((&*kind, &*origin), expected, "{content}");
        }
    }

    #[test]
    fn what_is_neither_a_line_nor_an_object_is_refused_and_not_quoted() {
        for (content, line) in [
            ("{\n\"api_key\": never-shown", 2),
            (r#"["never-shown"]"#, 1),
            (r#""never-shown""#, 1),
            (r#"{"oauth": "never-shown"}"#, 1),
            (r#"{"api_key": 5}"#, 1),
        ] {
            assert_eq!(
                found_in_file(content).unwrap_err().detail,
                format!(
                    "FILE is neither one line that holds an API key nor the JSON that HeyGen's CLI writes (see line \
                     {line}). Correct the file, or set HEYGEN_API_KEY, which is then used instead."
                ),
                "{content}"
            );
        }
    }

    #[test]
    fn a_token_that_expired_more_than_five_minutes_ago_is_an_error_that_says_so() {
        let with_expiry =
            |expires_at: &str| format!(r#"{{"oauth": {{"access_token": "t", "expires_at": {expires_at}}}}}"#);
        let problem = found_in_file(&with_expiry(r#""2026-03-01T11:54:59Z""#)).unwrap_err();
        assert_eq!(problem.summary, "The access token has expired");
        assert_eq!(
            problem.detail,
            "The access token in the oauth block of the credentials file FILE expired at 2026-03-01T11:54:59Z, and the \
             provider cannot renew it. Run any heygen command, which renews it, or use an API key (api_key or \
             HEYGEN_API_KEY), which serves better here."
        );
        assert_eq!(problem.path, Some(Path::attribute("access_token")));
        for over in [r#""2026-03-01T13:54:59+02:00""#, r#""2025-12-31T23:59:59.5Z""#] {
            assert!(found_in_file(&with_expiry(over)).is_err(), "{over}");
        }
        for usable in [
            r#""2026-03-01T11:55:00Z""#,
            r#""2026-03-01T09:55:00-02:00""#,
            r#""9999-12-31T23:59:59Z""#,
            r#""0001-01-01T00:00:00Z""#,
            r#""2020-01-01""#,
            r#""soon""#,
            r#""""#,
            "null",
            "1577836800",
            "1.5e9",
            "[2020, 1, 1]",
            "{}",
        ] {
            assert!(found_in_file(&with_expiry(usable)).is_ok(), "{usable}");
        }
    }

    #[test]
    fn a_file_larger_than_any_credentials_is_refused_and_a_missing_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        assert!(read(&path).unwrap().is_none());
        std::fs::write(&path, "k".repeat(64 * 1024)).unwrap();
        assert!(read(&path).unwrap().is_some());
        std::fs::write(&path, "k".repeat(64 * 1024 + 1)).unwrap();
        assert!(read(&path).unwrap_err().detail.contains("larger"));
        let folder = folder.path();
        assert_eq!(
            read(folder).unwrap_err().detail,
            format!(
                "{}: not a file. Correct the file, or set HEYGEN_API_KEY, which is then used instead.",
                folder.display()
            )
        );
    }
}
