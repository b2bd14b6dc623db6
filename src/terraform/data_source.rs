//! What a data source implements, and the same without its types.

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::model::decode_model;
use super::{Diagnostic, Diagnostics, Model, Object, Schema};

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
    /// everything must be known as well, and what the configuration sets must be unchanged. What could not be read is
    /// an error and never an empty result. Once `stop` is cancelled, no call starts and the one under way ends.
    async fn read(&self, config: Self::Model, stop: &CancellationToken) -> Result<Self::Model, Diagnostics>;
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
    async fn read(&self, config: Object, stop: &CancellationToken) -> Result<Object, Diagnostics>;
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

    async fn read(&self, config: Object, stop: &CancellationToken) -> Result<Object, Diagnostics> {
        let mut answer = DataSource::read(self, decode_model(config)?, stop).await?;
        let unknown = answer.null_unknowns();
        if unknown.is_empty() {
            return Ok(answer.into_object());
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

        async fn read(&self, config: Echo, _stop: &CancellationToken) -> Result<Echo, Diagnostics> {
            match config.said.known().map(String::as_str) {
                Some("silence") => Err(Diagnostic::error(SILENCE, "").at("said").into()),
                Some("later") => Ok(Echo {
                    heard: Attr::Unknown,
                    ..config
                }),
                _ => Ok(Echo {
                    heard: config.said.clone(),
                    ..config
                }),
            }
        }
    }

    async fn asked(said: &str) -> Result<Object, String> {
        let config = Object::from([("said".into(), Value::String(said.to_owned()))]);
        let answer = AnyDataSource::read(&EchoSource, config, &CancellationToken::new()).await;
        answer.map_err(|problems| problems.iter().map(|problem| problem.summary.as_str()).collect())
    }

    #[tokio::test]
    async fn an_answer_is_complete_and_an_error_is_no_answer() {
        let hello = || Value::String("hello".to_owned());
        let answer = Object::from([("said".into(), hello()), ("heard".into(), hello())]);
        assert_eq!(asked("hello").await, Ok(answer));
        assert_eq!(asked("silence").await, Err("Nothing comes back".to_owned()));
    }

    #[tokio::test]
    async fn an_answer_with_something_unknown_is_a_provider_bug() {
        assert_eq!(asked("later").await, Err("The provider made a mistake".to_owned()));
    }
}
