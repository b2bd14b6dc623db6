//! The Terraform plugin protocol, version 6.11: values, schemas, diagnostics and the traits a provider implements,
//! served over tonic. Knows nothing of `HeyGen`.
//!
//! A provider implements [`Provider`] and, over typed models, [`Resource`] for each managed resource, [`DataSource`] for
//! each data source, [`ListResource`] for each type that can be listed, and [`Function`] for each function. [`Service`]
//! decodes a request once, sorts it into create, update or delete once, and encodes the answer once. It also does what is
//! the same for all of them: it reads states and private data of other versions, holds configurations to the schema,
//! answers identities, and keeps the limits of lists. What an implementer must keep true is written on the traits. The
//! generated messages are named in [`proto`], in the private `wire` (values and conversions) and `server` modules, and
//! nowhere else.

mod attr;
mod change;
mod data_source;
mod diagnostics;
mod function;
mod list_resource;
mod model;
mod number;
mod path;
mod private;
pub mod proto;
mod provider;
mod resource;
mod schema;
mod server;
mod set;
mod summaries;
mod summary;
mod types;
mod upgrade;
mod value;
pub mod wire;

pub use attr::Attr;
pub use change::{Outcome, Plan, Proposal, Stored, Walk};
pub use data_source::{AnyDataSource, DataSource};
pub use diagnostics::{Diagnostic, Diagnostics, Severity};
pub use function::{Arguments, Function, FunctionError, FunctionSignature, Parameter};
pub use list_resource::{
    AnyListResource, AnyListResult, AnyResultPage, ListResource, ListResult, Listed, ResultSink, Results,
};
pub use model::{FromValue, IntoValue, Mismatch, Model};
pub use number::Number;
pub use path::{Path, Step};
pub use provider::{HostVersion, Provider};
pub use resource::{AnyResource, ImportTarget, Resource};
pub use schema::{Attribute, Configurability, IdentityAttribute, IdentitySchema, Schema};
pub use server::Service;
pub use set::Set;
pub use summaries::SUMMARIES;
pub use summary::Summary;
pub use types::Type;
pub use upgrade::EarlierVersion;
pub use value::{Name, Object, Value, normalized};

pub(crate) use model::model;
pub(crate) use summary::declare_summaries;
