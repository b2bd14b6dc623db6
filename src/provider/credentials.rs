//! Who calls `HeyGen`: the credentials, from the first place that has any.

use std::fmt;
use std::io::Read;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::config::ProviderConfig;
use super::environment::Environment;
use crate::heygen::{Credential, InvalidCredential};
use crate::terraform::Diagnostic;

/// What a source says of one kind of credential.
type Given = Option<SecretString>;

/// The largest credentials file that is read, in bytes.
const LARGEST_FILE: u64 = 64 * 1024;

/// Finds the credential: configuration, then environment, then the file of `HeyGen`'s CLI. Within one source both kinds
/// are an error; a later source is not even looked at. `Ok(None)`: what configuration says is not known yet.
pub(super) fn find(config: &ProviderConfig, environment: &Environment) -> Result<Option<Credential>, Diagnostic> {
    if config.api_key.is_unknown() || config.access_token.is_unknown() {
        return Ok(None);
    }
    let configured = Source::Configuration.pick(config.api_key.known().cloned(), config.access_token.known().cloned());
    if let Some(credential) = configured? {
        return Ok(Some(credential));
    }
    let secret = |text: &Option<String>| text.clone().map(SecretString::from);
    let from_environment = Source::Environment.pick(secret(&environment.api_key), secret(&environment.access_token));
    if let Some(credential) = from_environment? {
        return Ok(Some(credential));
    }
    if let Some(path) = &environment.credentials_file
        && let Some(text) = read(path)?
    {
        let (api_key, access_token) = parse(text.expose_secret(), path)?;
        if let Some(credential) = Source::File(path).pick(api_key, access_token)? {
            return Ok(Some(credential));
        }
    }
    Err(none_found(environment.credentials_file.as_deref()))
}

/// Checks the credentials of a configuration by themselves. One that is not known yet may still turn out to be null.
pub(super) fn validate(config: &ProviderConfig) -> Result<(), Diagnostic> {
    let known = |given: Option<&SecretString>| given.cloned();
    Source::Configuration
        .pick(known(config.api_key.known()), known(config.access_token.known()))
        .map(|_| ())
}

#[derive(Clone, Copy)]
enum Source<'a> {
    Configuration,
    Environment,
    File(&'a Path),
}

impl Source<'_> {
    fn pick(self, api_key: Given, access_token: Given) -> Result<Option<Credential>, Diagnostic> {
        let (credential, attribute) = match (api_key, access_token) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => return Err(self.both()),
            (Some(key), None) => (
                Credential::api_key(key.expose_secret().to_owned(), self.to_string()),
                "api_key",
            ),
            (None, Some(token)) => (
                Credential::access_token(token.expose_secret().to_owned(), self.to_string()),
                "access_token",
            ),
        };
        credential.map(Some).map_err(|why| self.unusable(attribute, why))
    }

    fn both(self) -> Diagnostic {
        Diagnostic::error(
            "Two kinds of credentials",
            format!(
                "Both an API key and an access token are set in {self}, and HeyGen takes exactly one. Remove one of them."
            ),
        )
        .at("api_key")
    }

    fn unusable(self, attribute: &str, why: InvalidCredential) -> Diagnostic {
        let kind = if attribute == "api_key" {
            "API key"
        } else {
            "access token"
        };
        Diagnostic::error(format!("Not a usable {kind}"), format!("The {kind} in {self} {why}.")).at(attribute)
    }
}

impl fmt::Display for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Configuration => f.write_str("the provider's configuration"),
            Source::Environment => f.write_str("the environment (HEYGEN_API_KEY, HEYGEN_ACCESS_TOKEN)"),
            Source::File(path) => write!(f, "the credentials file {}", path.display()),
        }
    }
}

fn none_found(file: Option<&Path>) -> Diagnostic {
    let file = file.map_or("credentials in ~/.heygen".to_owned(), |path| path.display().to_string());
    Diagnostic::error(
        "No HeyGen credentials",
        format!(
            "None were found in any of the three places they are looked for: (1) the provider's configuration (api_key or \
             access_token), (2) the environment (HEYGEN_API_KEY or HEYGEN_ACCESS_TOKEN), (3) the credentials file of \
             HeyGen's CLI ({file})."
        ),
    )
}

/// Reads the file; `None` if there is none.
fn read(path: &Path) -> Result<Option<SecretString>, Diagnostic> {
    let unreadable = |why: &str| {
        Diagnostic::error(
            "The credentials file cannot be read",
            format!("{}: {why}.", path.display()),
        )
    };
    // Looked at before it is opened: opening a pipe would wait for somebody to write into it.
    let file = match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => std::fs::File::open(path),
        Ok(_) => return Err(unreadable("not a file")),
        Err(error) => Err(error),
    };
    let file = match file {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => return Ok(None),
        Err(error) => return Err(unreadable(&error.to_string())),
    };
    let mut text = String::new();
    match file.take(LARGEST_FILE + 1).read_to_string(&mut text) {
        Err(error) => Err(unreadable(&error.kind().to_string())),
        Ok(length) if u64::try_from(length).is_ok_and(|length| length > LARGEST_FILE) => {
            Err(unreadable("larger than any credentials"))
        }
        Ok(_) => Ok(Some(SecretString::from(text))),
    }
}

/// The JSON form of the file.
#[derive(Deserialize)]
struct File {
    api_key: Option<SecretText>,
    oauth: Option<Oauth>,
}

#[derive(Deserialize)]
struct Oauth {
    access_token: Option<SecretText>,
}

/// Text that goes straight into hiding.
#[derive(Deserialize)]
#[serde(from = "String")]
struct SecretText(SecretString);

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(SecretString::from(text))
    }
}

/// Either one line that is the key, or JSON. The answer is (API key, access token).
pub(super) fn parse(text: &str, path: &Path) -> Result<(Given, Given), Diagnostic> {
    let text = text.trim();
    if !text.starts_with('{') {
        let key = (!text.is_empty()).then(|| SecretString::from(text));
        return Ok((key, None));
    }
    // The parser's own message could quote what it read.
    let file: File = serde_json::from_str(text).map_err(|error| {
        Diagnostic::error(
            "The credentials file cannot be read",
            format!(
                "{} is neither one line that holds an API key nor the JSON that HeyGen's CLI writes (see line {}).",
                path.display(),
                error.line()
            ),
        )
    })?;
    let given = |text: Option<SecretText>| text.map(|text| text.0).filter(|text| !text.expose_secret().is_empty());
    Ok((
        given(file.api_key),
        given(file.oauth.and_then(|oauth| oauth.access_token)),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terraform::Attr;

    fn config(api_key: Attr<&str>, access_token: Attr<&str>) -> ProviderConfig {
        ProviderConfig {
            api_key: api_key.map(SecretString::from),
            access_token: access_token.map(SecretString::from),
            base_url: Attr::Null,
            max_retries: Attr::Null,
            request_timeout: Attr::Null,
        }
    }

    fn environment(api_key: Option<&str>, access_token: Option<&str>) -> Environment {
        Environment {
            api_key: api_key.map(str::to_owned),
            access_token: access_token.map(str::to_owned),
            ..Environment::default()
        }
    }

    /// The kind of credential found, or the summary of the error.
    fn found(config: &ProviderConfig, environment: &Environment) -> String {
        match find(config, environment) {
            Ok(None) => "not known yet".to_owned(),
            Ok(Some(credential)) => format!("{credential:?}"),
            Err(problem) => problem.summary,
        }
    }

    #[test]
    fn a_configured_kind_beats_the_other_kind_of_the_environment() {
        let key = config(Attr::Known("k"), Attr::Null);
        assert!(found(&key, &environment(None, Some("t"))).contains("ApiKey"));
        assert!(found(&key, &environment(Some("k"), Some("t"))).contains("ApiKey"));
        let nothing = config(Attr::Null, Attr::Null);
        assert!(found(&nothing, &environment(None, Some("t"))).contains("AccessToken"));
    }

    #[test]
    fn both_kinds_in_one_source_are_an_error() {
        let both = config(Attr::Known("k"), Attr::Known("t"));
        assert_eq!(found(&both, &Environment::default()), "Two kinds of credentials");
        let nothing = config(Attr::Null, Attr::Null);
        assert_eq!(
            found(&nothing, &environment(Some("k"), Some("t"))),
            "Two kinds of credentials"
        );
        assert!(validate(&both).is_err());
    }

    #[test]
    fn a_kind_that_is_not_known_yet_is_waited_for() {
        let waiting = config(Attr::Unknown, Attr::Known("t"));
        assert_eq!(found(&waiting, &environment(Some("k"), None)), "not known yet");
        assert!(validate(&waiting).is_ok());
    }

    #[test]
    fn nothing_anywhere_lists_the_three_places() {
        let problem = find(&config(Attr::Null, Attr::Null), &Environment::default()).unwrap_err();
        for place in [
            "api_key or access_token",
            "HEYGEN_API_KEY or HEYGEN_ACCESS_TOKEN",
            "HeyGen's CLI",
        ] {
            assert!(problem.detail.contains(place), "{}", problem.detail);
        }
    }

    #[test]
    fn the_file_is_one_line_or_json() {
        let path = Path::new("credentials");
        let parsed = |text: &str| {
            let (key, token) = parse(text, path).unwrap();
            let shown = |given: Given| given.map(|text| text.expose_secret().to_owned());
            (shown(key), shown(token))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(parsed("the-key\n"), (some("the-key"), None));
        assert_eq!(parsed(" \n"), (None, None));
        assert_eq!(parsed(r#"{"api_key": "k"}"#), (some("k"), None));
        assert_eq!(
            parsed(r#"{"api_key": "", "oauth": {"access_token": "t", "expires_at": 7, "more": []}}"#),
            (None, some("t"))
        );
        let error = parse("{\"api_key\": never-shown", path).unwrap_err();
        assert!(!error.detail.contains("never-shown"), "{}", error.detail);
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
        assert!(read(folder.path()).unwrap_err().detail.contains("not a file"));
    }
}
