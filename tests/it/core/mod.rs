//! A small model of Terraform's core, for tests that speak the protocol without a Terraform.
//!
//! It walks plan → plan again → apply → read over the wire as core does, and enforces what core
//! enforces, so that a provider's mistake fails a test by the name Terraform would give it. It
//! shares nothing with `src/terraform`: neither values nor their codec. It knows managed resources
//! whose attributes are primitives, lists, sets, maps and objects; nested blocks, nested
//! attributes, dynamic values and tuples are refused when the schemas are read.

mod apply;
mod assert;
mod expect;
mod import;
mod json;
mod model;
mod msgpack;
mod number;
mod plan;
#[cfg(test)]
mod proofs;
mod proposed;
mod read;
mod report;
mod schema;
#[cfg(test)]
mod scripted;
mod types;
mod value;
mod wire;

pub(crate) use expect::{applied, expect_nothing_to_do, planned};
pub(crate) use import::ImportTarget;
pub(crate) use model::{Attributes, Config, Core, Instance, PlanSet, Report, State};
pub(crate) use plan::{Action, Change};
pub(crate) use report::{Diagnostic, Rule, Severity, Violation};
pub(crate) use value::{Path, Refinement, Value};
