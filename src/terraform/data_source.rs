//! What a data source implements, and the same without its types.

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::model::decode_model;
use super::{Diagnostic, Diagnostics, Model, Object, Outcome, Schema};

/// A data source over a typed model.
#[async_trait]
pub trait DataSource: Send + Sync + 'static {
    /// The configuration, and after a read the same with the computed attributes filled in.
    type Model: Model;

    /// The full name, such as `heygen_webhook_endpoint`.
    fn type_name(&self) -> &'static str;

    /// The schema of [`Self::Model`]: one for the life of the process, built when it is first needed.
    fn schema(&self) -> &'static Schema;

    /// Checks a configuration; anything in it may be unknown. Called on an unconfigured provider too. Who may set what
    /// is checked already, by the schema.
    fn validate(&self, config: &Self::Model) -> Diagnostics;

    /// Reads the data. Everything in the configuration is known, because Terraform waits until it is. In the result
    /// everything must be known as well, and what the configuration sets must be unchanged; beside it there may be
    /// warnings. What could not be read is an error and never an empty result. Once `stop` is cancelled, no call starts
    /// and the one under way ends.
    async fn read(&self, config: Self::Model, stop: &CancellationToken) -> Result<Outcome<Self::Model>, Diagnostics>;
}

/// A [`DataSource`] without its types, as the service holds them. Implemented for every [`DataSource`].
#[async_trait]
pub trait AnyDataSource: Send + Sync {
    /// See [`DataSource::type_name`].
    fn type_name(&self) -> &'static str;
    /// See [`DataSource::schema`].
    fn schema(&self) -> &'static Schema;
    /// See [`DataSource::validate`].
    fn validate(&self, config: Object) -> Diagnostics;
    /// See [`DataSource::read`].
    async fn read(&self, config: Object, stop: &CancellationToken) -> Result<Outcome<Object>, Diagnostics>;
}

#[async_trait]
impl<D: DataSource> AnyDataSource for D {
    fn type_name(&self) -> &'static str {
        DataSource::type_name(self)
    }

    fn schema(&self) -> &'static Schema {
        DataSource::schema(self)
    }

    fn validate(&self, config: Object) -> Diagnostics {
        let mut diagnostics = DataSource::schema(self).check_configuration(&config);
        match decode_model(config) {
            Ok(config) => diagnostics.extend(DataSource::validate(self, &config)),
            Err(mismatch) => diagnostics.push(mismatch),
        }
        diagnostics
    }

    async fn read(&self, config: Object, stop: &CancellationToken) -> Result<Outcome<Object>, Diagnostics> {
        let Outcome { mut value, diagnostics } = DataSource::read(self, decode_model(config)?, stop).await?;
        let unknown = value.null_unknowns();
        if unknown.is_empty() {
            return Ok(Outcome::new(value.into_object(), diagnostics));
        }
        let left = format!("left {} unknown", unknown.join(", "));
        Err(Diagnostic::provider_bug(DataSource::type_name(self), &left).into())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::terraform::{Attr, Value, declare_summaries, model};

    declare_summaries! {
        const _;
        SILENCE = "Nothing comes back";
        FAINT = "Hardly heard";
    }

    model! {
        /// A question and its answer.
        struct Echo {
            /// Asked.
            said: String,
            /// Answered.
            heard: String,
        }
    }

    struct EchoSource;

    #[async_trait]
    impl DataSource for EchoSource {
        type Model = Echo;

        fn type_name(&self) -> &'static str {
            "echo"
        }

        fn schema(&self) -> &'static Schema {
            static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::new(0, "", Vec::new()));
            &SCHEMA
        }

        fn validate(&self, _config: &Echo) -> Diagnostics {
            Diagnostics::none()
        }

        async fn read(&self, config: Echo, _stop: &CancellationToken) -> Result<Outcome<Echo>, Diagnostics> {
            match config.said.known().map(String::as_str) {
                Some("silence") => Err(Diagnostic::error(SILENCE, "").at("said").into()),
                Some("later") => Ok(Outcome::ok(Echo {
                    heard: Attr::Unknown,
                    ..config
                })),
                said => {
                    let faint = (said == Some("whisper")).then(|| Diagnostic::warning(FAINT, ""));
                    let heard = config.said.clone();
                    Ok(Outcome::new(
                        Echo { heard, ..config },
                        faint.into_iter().collect::<Diagnostics>(),
                    ))
                }
            }
        }
    }

    /// What was answered, and the summaries of what was said beside it or instead of it.
    async fn asked(said: &str) -> (Option<Object>, Vec<String>) {
        let config = Object::from([("said".into(), Value::String(said.to_owned()))]);
        let answer = AnyDataSource::read(&EchoSource, config, &CancellationToken::new()).await;
        let (answer, diagnostics) = match answer {
            Ok(Outcome { value, diagnostics }) => (Some(value), diagnostics),
            Err(problems) => (None, problems),
        };
        let summaries = diagnostics.iter().map(|it| it.summary.to_string());
        (answer, summaries.collect())
    }

    #[tokio::test]
    async fn an_answer_is_complete_and_an_error_is_no_answer() {
        let heard = |said: &str| {
            let said = || Value::String(said.to_owned());
            Some(Object::from([("said".into(), said()), ("heard".into(), said())]))
        };
        assert_eq!(asked("hello").await, (heard("hello"), vec![]));
        assert_eq!(
            asked("whisper").await,
            (heard("whisper"), vec!["Hardly heard".to_owned()])
        );
        assert_eq!(asked("silence").await, (None, vec!["Nothing comes back".to_owned()]));
    }

    #[tokio::test]
    async fn an_answer_with_something_unknown_is_a_provider_bug() {
        assert_eq!(
            asked("later").await,
            (None, vec!["The provider made a mistake".to_owned()])
        );
    }
}
