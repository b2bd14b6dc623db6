//! Text that must not be printed.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A signing secret, an API key or a token: wiped when dropped, redacted wherever it is formatted, and not comparable,
/// so that nobody compares it in variable time by accident.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes the text in.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text itself. Whoever calls this answers for where it goes.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_itself_only_when_asked() {
        let secret = Secret::new("whsec_1234");
        assert_eq!(
            format!("{secret} {secret:?} {secret:#?}"),
            "[redacted] Secret([redacted]) Secret([redacted])"
        );
        assert_eq!(secret.clone().expose(), "whsec_1234");
    }
}
