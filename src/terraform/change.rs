//! What a resource is given and what it answers: proposals, plans, stored objects and outcomes.

use super::{Diagnostics, Path};

/// A change to plan. A destruction is not among them: Terraform plans it without the resource.
#[derive(Clone, Debug)]
pub enum Proposal<M, P> {
    /// There is no object yet, or the old one is being replaced.
    Create {
        /// The configuration; anything in it may be unknown.
        config: M,
    },
    /// There is an object, in state.
    Update {
        /// The state and the private data beside it.
        prior: Stored<M, P>,
        /// The configuration; anything in it may be unknown.
        config: M,
        /// During which walk Terraform asks for this plan.
        walk: Walk,
    },
}

/// During which of its two graph walks (Terraform's own term) the plan of an existing object is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// While planning. Also while applying, if the engine does not tell the two apart.
    Plan,
    /// While applying, for certain: the user has approved a plan, and that plan does not replace the object.
    Apply,
}

/// The plan for a [`Proposal`].
#[derive(Clone, Debug)]
pub struct Plan<M> {
    /// The state to be. Set configuration must stand in it unchanged; only computed attributes may be unknown where
    /// configuration is not.
    pub planned: M,
    /// The attributes whose change makes Terraform replace the object instead of updating it.
    pub requires_replace: Vec<Path>,
    /// What to tell the user before they agree.
    pub diagnostics: Diagnostics,
}

/// An object in state, with the provider's private data beside it.
#[derive(Clone, Debug)]
pub struct Stored<M, P> {
    /// The attributes.
    pub state: M,
    /// What only the provider reads.
    pub private: P,
}

/// The result of an operation, and its diagnostics. It has a value even where it has errors: then the value says how
/// far the operation has come.
#[derive(Clone, Debug)]
pub struct Outcome<T> {
    /// What is true after the operation.
    pub value: T,
    /// What to tell the user.
    pub diagnostics: Diagnostics,
}

impl<T> Outcome<T> {
    /// A value and nothing to say.
    pub fn ok(value: T) -> Self {
        Self::new(value, Diagnostics::none())
    }

    /// A value and something to say.
    pub fn new(value: T, diagnostics: impl Into<Diagnostics>) -> Self {
        Self {
            value,
            diagnostics: diagnostics.into(),
        }
    }
}
