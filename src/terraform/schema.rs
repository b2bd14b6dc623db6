//! Schemas of the provider, its resources and their identities.

use super::Type;

/// What a configuration or state looks like: a flat list of attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The version of the state's shape; stored with each state and handed back to be upgraded.
    pub version: i64,
    /// What it is, in Markdown.
    pub description: &'static str,
    /// The attributes, in the order the documentation shows them.
    pub attributes: Vec<Attribute>,
}

/// One attribute of a [`Schema`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The name, in `snake_case`.
    pub name: &'static str,
    /// The type of its values.
    pub ty: Type,
    /// Who gives it a value.
    pub existence: Existence,
    /// Whether Terraform hides it in its output. State holds it in plain text all the same.
    pub sensitive: bool,
    /// What it is, in Markdown.
    pub description: &'static str,
}

/// Who gives an attribute its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existence {
    /// Configuration, always.
    Required,
    /// Configuration, if it likes; null otherwise.
    Optional,
    /// Configuration, if it likes; the provider otherwise.
    OptionalComputed,
    /// The provider; configuration must not.
    Computed,
}

/// What tells one resource from another of its type, independent of its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentitySchema {
    /// Starts at 0: a higher first version makes Terraform ask for an upgrade from nothing.
    pub version: i64,
    /// The attributes.
    pub attributes: Vec<IdentityAttribute>,
}

/// One attribute of an [`IdentitySchema`], required for import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityAttribute {
    /// The name, in `snake_case`.
    pub name: &'static str,
    /// A primitive type or a list of one.
    pub ty: Type,
    /// What it is, in plain text.
    pub description: &'static str,
}

impl Schema {
    /// The type of the whole object.
    pub fn object_type(&self) -> Type {
        let attributes = self.attributes.iter();
        Type::Object(attributes.map(|a| (a.name.to_owned(), a.ty.clone())).collect())
    }
}

impl IdentitySchema {
    /// The type of the whole identity.
    pub fn object_type(&self) -> Type {
        let attributes = self.attributes.iter();
        Type::Object(attributes.map(|a| (a.name.to_owned(), a.ty.clone())).collect())
    }
}
