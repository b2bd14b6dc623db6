//! What the provider takes from outside Terraform.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::heygen::Timing;
use crate::provider::summaries;
use crate::terraform::Diagnostic;

/// The environment variables that the provider reads, the path of the credentials file, and how long to wait. Empty
/// variables count as unset. A variable that is not text is an error only where its value is needed.
#[derive(Clone, Default)]
pub struct Environment {
    /// `HEYGEN_API_KEY`
    pub api_key: Option<OsString>,
    /// `HEYGEN_ACCESS_TOKEN`
    pub access_token: Option<OsString>,
    /// `HEYGEN_API_BASE`
    pub base_url: Option<OsString>,
    /// `HEYGEN_MAX_RETRIES`
    pub max_retries: Option<OsString>,
    /// The credentials file: `credentials` in `HEYGEN_CONFIG_DIR`, else in `~/.heygen`.
    pub credentials_file: Option<PathBuf>,
    /// How long to wait between attempts and between reads of the list. No variable sets it; tests do.
    pub timing: Timing,
}

impl Environment {
    /// The environment of this process.
    pub fn of_this_process() -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let folder = match variable("HEYGEN_CONFIG_DIR") {
            Some(folder) => Some(PathBuf::from(folder)),
            None => home().map(|home| home.join(".heygen")),
        };
        Self {
            api_key: variable("HEYGEN_API_KEY"),
            access_token: variable("HEYGEN_ACCESS_TOKEN"),
            base_url: variable("HEYGEN_API_BASE"),
            max_retries: variable("HEYGEN_MAX_RETRIES"),
            credentials_file: folder.map(|folder| folder.join("credentials")),
            timing: Timing::default(),
        }
    }
}

/// The user's folder. On Unix that is what `HOME` says and nothing else, as HeyGen's command line has it: the database of
/// users is not asked, which would load modules of the machine's C library.
fn home() -> Option<PathBuf> {
    if cfg!(unix) {
        std::env::var_os("HOME")
            .filter(|home| !home.is_empty())
            .map(PathBuf::from)
    } else {
        std::env::home_dir()
    }
}

/// The text of a variable, if it is set. `attribute` is the attribute of the provider block that can be set in its
/// place.
pub(super) fn text<'a>(
    value: Option<&'a OsString>,
    variable: &str,
    attribute: &str,
) -> Result<Option<&'a str>, Diagnostic> {
    let text = |value: &'a OsString| {
        value.to_str().ok_or_else(|| {
            Diagnostic::error(
                summaries::VARIABLE_NOT_TEXT,
                format!(
                    "{variable} is set to bytes that are not UTF-8. Correct or unset it, or set {attribute} in the provider \
                     block, which is then used instead."
                ),
            )
            .at(attribute)
        })
    };
    value.map(text).transpose()
}
