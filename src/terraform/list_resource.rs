//! What a list resource implements, and the same without its types.

use std::marker::PhantomData;
use std::ops::ControlFlow;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::model::decode_model;
use super::{Diagnostic, Diagnostics, Model, Object, Schema, summaries};

/// A list resource over typed models: finds the objects of one type of managed resource, whoever made them, for
/// `terraform query`.
#[async_trait]
pub trait ListResource: Send + Sync + 'static {
    /// The filters that a list block configures.
    type Config: Model;
    /// The state of the managed resource that is listed.
    type Model: Model;

    /// The full name of the managed resource, such as `heygen_webhook_endpoint`. The list resource goes by the same one.
    fn type_name(&self) -> &'static str;

    /// The schema of [`Self::Config`]: one for the life of the process, built when it is first needed.
    fn schema(&self) -> &'static Schema;

    /// Checks a configuration; anything in it may be unknown. Called on an unconfigured provider too. Who may set what is
    /// checked already, by the schema.
    fn validate(&self, config: &Self::Config) -> Diagnostics;

    /// Whether this configuration leaves anything out, so that what follows in a list need not be a result.
    fn is_filtered(&self, config: &Self::Config) -> bool;

    /// The warning that the list lacks some objects, because they cannot be identified; given once, after all that is listed.
    /// `known_as`: for each of them [`Listed::Unidentified::known_as`].
    fn left_out(&self, known_as: &[Option<String>]) -> Diagnostic;

    /// Finds the objects and hands them to `results`, page by page, until these break off: nothing is fetched after that.
    /// The configuration is valid and known. What could not be read is an error and never a shorter list, but for objects
    /// that only cannot be identified. Once `stop` is cancelled, no call starts and the one under way ends. Where nobody
    /// waits for results any more, this is dropped.
    async fn list(
        &self,
        config: Self::Config,
        results: &mut Results<'_, Self::Model>,
        stop: &CancellationToken,
    ) -> Result<(), Diagnostics>;
}

/// What stands in one place of a list. `R`: a [`ListResult`] or an [`AnyListResult`].
#[derive(Clone, Debug)]
pub enum Listed<R> {
    /// An object that was found.
    Object(R),
    /// One without an identity that can be read. It can be no result; see [`ListResource::left_out`].
    Unidentified {
        /// By what a person may tell it from others, if by anything.
        known_as: Option<String>,
    },
}

/// One object that was found.
#[derive(Clone, Debug)]
pub struct ListResult<M> {
    /// The identity, complete and known: a result without one would be skipped in silence.
    pub identity: Object,
    /// By what a person tells it from the others. It is printed as it is.
    pub display_name: String,
    /// What the state would be after an import, where [`Results::include_object`] asks for it. Sensitive attributes are
    /// null: Terraform prints results in clear text.
    pub object: Option<M>,
    /// Warnings about this one.
    pub warnings: Diagnostics,
}

/// Takes the results of a list. It leaves out what has come before, and keeps the limit.
pub struct Results<'a, M> {
    sink: &'a mut dyn ResultSink,
    type_name: &'static str,
    is_filtered: bool,
    of: PhantomData<fn(M)>,
}

impl<M: Model> Results<'_, M> {
    /// Whether results bring the whole object along.
    pub fn include_object(&self) -> bool {
        self.sink.include_object()
    }

    /// Takes what one page has, and whether the list goes on after it. [`ControlFlow::Break`] says that no further page is
    /// wanted.
    pub async fn page(
        &mut self,
        listed: Vec<Listed<ListResult<M>>>,
        goes_on: bool,
    ) -> Result<ControlFlow<()>, Diagnostics> {
        let without_types = listed.into_iter().map(|listed| match listed {
            Listed::Object(result) => without_type(self.type_name, result).map(Listed::Object),
            Listed::Unidentified { known_as } => Ok(Listed::Unidentified { known_as }),
        });
        let page = AnyResultPage {
            listed: without_types.collect(),
            goes_on,
            is_filtered: self.is_filtered,
        };
        self.sink.page(page).await
    }
}

fn without_type<M: Model>(type_name: &str, result: ListResult<M>) -> Result<AnyListResult, Diagnostic> {
    let mut object = result.object;
    let unknown = object.as_mut().map(Model::null_unknowns).unwrap_or_default();
    if !unknown.is_empty() {
        let left = format!("left {} unknown in a result of a list", unknown.join(", "));
        return Err(Diagnostic::provider_bug(type_name, &left));
    }
    Ok(AnyListResult {
        identity: result.identity,
        display_name: result.display_name,
        object: object.map(Model::into_object),
        warnings: result.warnings,
    })
}

/// A [`ListResult`] without its type.
#[derive(Clone, Debug)]
pub struct AnyListResult {
    /// See [`ListResult::identity`].
    pub identity: Object,
    /// See [`ListResult::display_name`].
    pub display_name: String,
    /// See [`ListResult::object`].
    pub object: Option<Object>,
    /// See [`ListResult::warnings`].
    pub warnings: Diagnostics,
}

/// What one page of a list has.
pub struct AnyResultPage {
    /// In their order. An error in the place of a result is answered if the limit lets it come.
    pub listed: Vec<Result<Listed<AnyListResult>, Diagnostic>>,
    /// Whether the list goes on after it.
    pub goes_on: bool,
    /// See [`ListResource::is_filtered`].
    pub is_filtered: bool,
}

/// Where results go: what [`Results`] is without its type.
#[async_trait]
pub trait ResultSink: Send {
    /// See [`Results::include_object`].
    fn include_object(&self) -> bool;
    /// See [`Results::page`].
    async fn page(&mut self, page: AnyResultPage) -> Result<ControlFlow<()>, Diagnostics>;
}

/// A [`ListResource`] without its types, as the service holds them. Implemented for every [`ListResource`].
#[async_trait]
pub trait AnyListResource: Send + Sync {
    /// See [`ListResource::type_name`].
    fn type_name(&self) -> &'static str;
    /// See [`ListResource::schema`].
    fn schema(&self) -> &'static Schema;
    /// See [`ListResource::validate`].
    fn validate(&self, config: Object) -> Diagnostics;
    /// See [`ListResource::left_out`].
    fn left_out(&self, known_as: &[Option<String>]) -> Diagnostic;
    /// See [`ListResource::list`]. A configuration that is not valid or not known is an error.
    async fn list(
        &self,
        config: Object,
        sink: &mut dyn ResultSink,
        stop: &CancellationToken,
    ) -> Result<(), Diagnostics>;
}

#[async_trait]
impl<L: ListResource> AnyListResource for L {
    fn type_name(&self) -> &'static str {
        ListResource::type_name(self)
    }

    fn schema(&self) -> &'static Schema {
        ListResource::schema(self)
    }

    fn validate(&self, config: Object) -> Diagnostics {
        let mut diagnostics = ListResource::schema(self).check_configuration(&config);
        match decode_model(config) {
            Ok(config) => diagnostics.extend(ListResource::validate(self, &config)),
            Err(mismatch) => diagnostics.push(mismatch),
        }
        diagnostics
    }

    fn left_out(&self, known_as: &[Option<String>]) -> Diagnostic {
        ListResource::left_out(self, known_as)
    }

    async fn list(
        &self,
        config: Object,
        sink: &mut dyn ResultSink,
        stop: &CancellationToken,
    ) -> Result<(), Diagnostics> {
        let problems = AnyListResource::validate(self, config.clone());
        if problems.has_errors() {
            return Err(problems);
        }
        let mut config: L::Config = decode_model(config)?;
        if let Some(unknown) = config.null_unknowns().first() {
            return Err(not_known(unknown).into());
        }
        let mut results = Results {
            sink,
            type_name: ListResource::type_name(self),
            is_filtered: self.is_filtered(&config),
            of: PhantomData,
        };
        ListResource::list(self, config, &mut results, stop).await
    }
}

/// To list without a filter that has no value yet would show what it leaves out.
fn not_known(filter: &str) -> Diagnostic {
    Diagnostic::error(
        summaries::FILTER_NOT_KNOWN,
        format!(
            "{filter} has a value that is known only during apply, and nothing is applied here. Give it another one."
        ),
    )
    .at(filter)
}
