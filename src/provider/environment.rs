//! What the provider takes from outside Terraform.

use std::path::PathBuf;

use crate::heygen::Pace;

/// The environment variables that the provider reads, where `HeyGen`'s CLI keeps its files, and how patient the world
/// outside needs one to be. Empty variables count as unset.
#[derive(Clone, Default)]
pub struct Environment {
    /// `HEYGEN_API_KEY`
    pub api_key: Option<String>,
    /// `HEYGEN_ACCESS_TOKEN`
    pub access_token: Option<String>,
    /// `HEYGEN_API_BASE`
    pub base_url: Option<String>,
    /// `HEYGEN_MAX_RETRIES`
    pub max_retries: Option<String>,
    /// The credentials file: `credentials` in `HEYGEN_CONFIG_DIR`, else in `~/.heygen`.
    pub credentials_file: Option<PathBuf>,
    /// How long to wait of one's own accord; no variable sets it.
    pub pace: Pace,
}

impl Environment {
    /// The environment of this process.
    pub fn of_this_process() -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let folder = match variable("HEYGEN_CONFIG_DIR") {
            Some(folder) => Some(PathBuf::from(folder)),
            None => std::env::home_dir().map(|home| home.join(".heygen")),
        };
        Self {
            api_key: variable("HEYGEN_API_KEY"),
            access_token: variable("HEYGEN_ACCESS_TOKEN"),
            base_url: variable("HEYGEN_API_BASE"),
            max_retries: variable("HEYGEN_MAX_RETRIES"),
            credentials_file: folder.map(|folder| folder.join("credentials")),
            pace: Pace::default(),
        }
    }
}
