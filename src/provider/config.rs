//! The provider block: its schema, its rules, and the connection that it makes together with the environment.

use std::sync::LazyLock;
use std::time::Duration;

use secrecy::SecretString;
use time::OffsetDateTime;

use super::credentials::{self, Configured, CredentialSearch};
use super::environment::{self, Environment};
use super::session::Connection;
use crate::heygen::{BaseUrl, Client, Settings};
use crate::provider::summaries;
use crate::terraform::{Attr, Attribute, Diagnostic, Diagnostics, HostVersion, Model, Number, Schema, Type, model};

const DEFAULT_BASE_URL: &str = "https://api.heygen.com";
const DEFAULT_MAX_RETRIES: u32 = 4;
const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

model! {
    /// The attributes of the provider block.
    pub struct ProviderConfig {
        /// Sent as `X-Api-Key`.
        pub api_key: SecretString,
        /// Sent as `Authorization: Bearer`.
        pub access_token: SecretString,
        /// Where the API is.
        pub base_url: String,
        /// Repeats after the first attempt of a call.
        pub max_retries: Number,
        /// How long one attempt may take, as text such as `30s`.
        pub request_timeout: String,
    }
}

/// The schema of the provider block.
pub(super) static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        0,
        "Manages HeyGen's webhook endpoints. Credentials are taken from this block, else from the \
                      environment, else from the credentials file of HeyGen's CLI (`credentials` in `~/.heygen` or in \
                      `$HEYGEN_CONFIG_DIR`).",
        vec![
            Attribute::optional(
                "api_key",
                Type::String,
                "The API key, sent as `X-Api-Key`. Else `HEYGEN_API_KEY`. Excludes `access_token`.",
            )
            .sensitive(),
            Attribute::optional(
                "access_token",
                Type::String,
                "An OAuth access token, sent as `Authorization: Bearer`. Else `HEYGEN_ACCESS_TOKEN`. Excludes `api_key`.",
            )
            .sensitive(),
            Attribute::optional(
                "base_url",
                Type::String,
                "Where the API is. Else `HEYGEN_API_BASE`, else `https://api.heygen.com`. `http` is for loopback hosts only.",
            ),
            Attribute::optional(
                "max_retries",
                Type::Number,
                "How often a call is repeated after its first attempt when that is safe; 0 disables it. Else \
                 `HEYGEN_MAX_RETRIES`, else 4.",
            ),
            Attribute::optional(
                "request_timeout",
                Type::String,
                "How long one attempt of a call may take, such as `30s` (the default) or `1m 30s`.",
            ),
        ],
    )
});

/// Checks the values of the block that are known, without the environment.
pub(super) fn validate(config: &ProviderConfig) -> Diagnostics {
    let mut diagnostics = Diagnostics::none();
    diagnostics.extend(credentials::validate(config.credentials()).err());
    if let Attr::Known(text) = &config.base_url {
        diagnostics.extend(base_url(text, "base_url").err());
    }
    if let Attr::Known(number) = &config.max_retries {
        diagnostics.extend(max_retries(number, "max_retries").err());
    }
    if let Attr::Known(text) = &config.request_timeout {
        diagnostics.extend(request_timeout(text).err());
    }
    diagnostics
}

/// Makes a connection of the block and the environment. Where a value is not known yet, calls fail until apply knows
/// it. Bad values are errors at once. Missing credentials are an error at once if everything is known, and else when
/// the first call is about to be made.
pub(super) fn resolve(
    config: &ProviderConfig,
    environment: &Environment,
    host: &HostVersion,
) -> (Connection, Diagnostics) {
    let base_url = setting(
        &config.base_url,
        |text| base_url(text, "base_url"),
        || match environment::text(environment.base_url.as_ref(), "HEYGEN_API_BASE", "base_url")? {
            Some(text) => base_url(text, "HEYGEN_API_BASE"),
            None => base_url(DEFAULT_BASE_URL, "base_url"),
        },
    );
    let max_retries = setting(
        &config.max_retries,
        |number| max_retries(number, "max_retries"),
        || match environment::text(environment.max_retries.as_ref(), "HEYGEN_MAX_RETRIES", "max_retries")? {
            Some(text) => match text.trim().parse::<Number>() {
                Ok(number) => max_retries(&number, "HEYGEN_MAX_RETRIES"),
                Err(_) => Err(not_a_count("HEYGEN_MAX_RETRIES")),
            },
            None => Ok(DEFAULT_MAX_RETRIES),
        },
    );
    let request_timeout = setting(
        &config.request_timeout,
        |text| request_timeout(text),
        || Ok(DEFAULT_REQUEST_TIMEOUT),
    );
    let unknown = unknown_attributes(config);
    let credential = match credentials::find(config.credentials(), environment, OffsetDateTime::now_utc()) {
        Ok(CredentialSearch::NoneFound(problem)) if unknown.is_empty() => Err(problem),
        found => found,
    };
    match (base_url, max_retries, request_timeout, credential) {
        (
            Ok(Some(base_url)),
            Ok(Some(max_retries)),
            Ok(Some(request_timeout)),
            Ok(CredentialSearch::Found(credential)),
        ) => {
            let client = Client::new(Settings {
                base_url,
                credential,
                max_retries,
                request_timeout,
                user_agent: user_agent(host),
                timing: environment.timing,
            });
            (Connection::Ready(client), Diagnostics::none())
        }
        (Ok(_), Ok(_), Ok(_), Ok(CredentialSearch::NoneFound(problem))) => {
            (Connection::NoCredentials(problem), Diagnostics::none())
        }
        (Ok(_), Ok(_), Ok(_), Ok(_)) => (Connection::NotKnownYet(unknown), Diagnostics::none()),
        (base_url, max_retries, request_timeout, credential) => {
            let problems = [
                base_url.err(),
                max_retries.err(),
                request_timeout.err(),
                credential.err(),
            ];
            (Connection::NotConfigured, problems.into_iter().flatten().collect())
        }
    }
}

/// Reads a setting from its attribute, or from `otherwise` where that is null; `None` if it is not known yet.
fn setting<A, T>(
    attribute: &Attr<A>,
    read: impl FnOnce(&A) -> Result<T, Diagnostic>,
    otherwise: impl FnOnce() -> Result<T, Diagnostic>,
) -> Result<Option<T>, Diagnostic> {
    match attribute {
        Attr::Unknown => Ok(None),
        Attr::Known(value) => read(value).map(Some),
        Attr::Null => otherwise().map(Some),
    }
}

impl ProviderConfig {
    fn credentials(&self) -> Configured<'_> {
        Configured {
            api_key: &self.api_key,
            access_token: &self.access_token,
        }
    }
}

fn unknown_attributes(config: &ProviderConfig) -> Vec<&'static str> {
    config.clone().null_unknowns()
}

/// Reads a base URL. `named` is the attribute or the variable that the text came from.
fn base_url(text: &str, named: &str) -> Result<BaseUrl, Diagnostic> {
    BaseUrl::parse(text)
        .map_err(|why| Diagnostic::error(summaries::NOT_A_BASE_URL, format!("{named}: {why}.")).at("base_url"))
}

fn max_retries(number: &Number, named: &str) -> Result<u32, Diagnostic> {
    let count = number.to_i64().and_then(|count| u32::try_from(count).ok());
    count.ok_or_else(|| not_a_count(named))
}

fn not_a_count(named: &str) -> Diagnostic {
    Diagnostic::error(
        summaries::NOT_A_NUMBER_OF_RETRIES,
        format!("{named} must be a whole number from 0 (no retries) to {}.", u32::MAX),
    )
    .at("max_retries")
}

fn request_timeout(text: &str) -> Result<Duration, Diagnostic> {
    match humantime::parse_duration(text) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(Diagnostic::error(
            summaries::NOT_A_DURATION,
            "request_timeout must be a duration longer than nothing, such as \"30s\", \"1m 30s\" or \"500ms\".",
        )
        .at("request_timeout")),
    }
}

fn user_agent(host: &HostVersion) -> String {
    let name = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
    match host.0.as_str() {
        "" => name.to_owned(),
        version => format!("{name} (terraform/{version})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::session::Session;

    fn config() -> ProviderConfig {
        ProviderConfig {
            api_key: Attr::Known(SecretString::from("key")),
            ..ProviderConfig::null()
        }
    }

    fn resolved(config: &ProviderConfig, environment: &Environment) -> (Session, Diagnostics) {
        let (connection, diagnostics) = resolve(config, environment, &HostVersion("1.15.5".to_owned()));
        let session = Session::default();
        session.connect(connection);
        (session, diagnostics)
    }

    #[test]
    fn every_attribute_is_described_and_every_credential_sensitive() {
        for attribute in SCHEMA.attributes() {
            assert!(!attribute.description.is_empty(), "{}", attribute.name);
            let credential = ["api_key", "access_token"].contains(&attribute.name);
            assert_eq!(attribute.sensitive, credential, "{}", attribute.name);
        }
    }

    #[test]
    fn missing_credentials_are_an_error_at_once_only_if_everything_is_known() {
        let nothing = ProviderConfig {
            api_key: Attr::Null,
            ..config()
        };
        let (_, diagnostics) = resolved(&nothing, &Environment::default());
        assert!(diagnostics.has_errors());
        let waiting = ProviderConfig {
            base_url: Attr::Unknown,
            ..nothing
        };
        let (session, diagnostics) = resolved(&waiting, &Environment::default());
        assert!(diagnostics.is_empty());
        let problem = session.client().unwrap_err().into_error("Reading");
        assert!(problem.iter().any(|problem| problem.summary == "No HeyGen credentials"));
    }

    #[test]
    fn bad_values_are_errors_at_their_attribute_and_known_ones_also_while_others_are_not() {
        let bad = ProviderConfig {
            api_key: Attr::Unknown,
            max_retries: Attr::Known("-1".parse().unwrap()),
            ..config()
        };
        let (_, diagnostics) = resolved(&bad, &Environment::default());
        let paths: Vec<_> = diagnostics.iter().map(|problem| problem.path.clone()).collect();
        assert_eq!(paths, [Some(crate::terraform::Path::attribute("max_retries"))]);
    }

    #[test]
    fn credentials_that_cannot_be_used_are_an_error_at_once_whatever_is_not_known() {
        let waiting = ProviderConfig {
            api_key: Attr::Null,
            base_url: Attr::Unknown,
            ..config()
        };
        let environment = Environment {
            api_key: Some("two words".into()),
            ..Environment::default()
        };
        let (_, diagnostics) = resolved(&waiting, &environment);
        let summaries: Vec<_> = diagnostics.iter().map(|problem| problem.summary).collect();
        assert_eq!(summaries, ["Not a usable API key"]);
    }

    #[test]
    #[cfg(unix)]
    fn a_variable_that_is_no_text_matters_only_where_it_is_consulted() {
        use std::ffi::OsString;
        use std::os::unix::ffi::OsStringExt;

        let not_utf8 = || Some(OsString::from_vec(b"\xff".to_vec()));
        let environment = Environment {
            api_key: not_utf8(),
            access_token: not_utf8(),
            base_url: not_utf8(),
            max_retries: not_utf8(),
            ..Environment::default()
        };
        let (_, diagnostics) = resolved(&config(), &environment);
        let named: Vec<_> = diagnostics
            .iter()
            .map(|problem| problem.detail.split(' ').next().unwrap_or_default())
            .collect();
        assert_eq!(named, ["HEYGEN_API_BASE", "HEYGEN_MAX_RETRIES"]);
        let complete = ProviderConfig {
            base_url: Attr::Known("https://api.heygen.com".to_owned()),
            max_retries: Attr::Known("1".parse().unwrap()),
            ..config()
        };
        let (session, diagnostics) = resolved(&complete, &environment);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        assert!(session.client().is_ok());
    }

    #[test]
    fn the_user_agent_names_provider_and_host() {
        let version = env!("CARGO_PKG_VERSION");
        let agent = user_agent(&HostVersion("1.15.5".to_owned()));
        assert_eq!(agent, format!("terraform-provider-heygen/{version} (terraform/1.15.5)"));
        assert_eq!(
            user_agent(&HostVersion::default()),
            format!("terraform-provider-heygen/{version}")
        );
    }
}
