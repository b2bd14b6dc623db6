//! Schemas of the provider, its resources and their identities.

use super::{Diagnostic, Diagnostics, Object, Type, Value, summaries};

/// What a configuration or state looks like: a list of attributes, some of which have attributes nested in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    version: i64,
    description: &'static str,
    deprecation: Option<&'static str>,
    attributes: Vec<Attribute>,
    /// Made once, because every value that is read or written needs it.
    object_type: Type,
}

/// One attribute of a [`Schema`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The name, in `snake_case`.
    pub name: &'static str,
    /// The type of its values.
    pub ty: Type,
    /// The attributes of each element, where the attribute is a list of nested attributes; empty for any other. Unlike the
    /// members of an object type, they have descriptions.
    pub nested: Vec<Attribute>,
    /// Who gives it a value.
    pub configurability: Configurability,
    /// Whether Terraform hides it in its output. State holds it in plain text all the same.
    pub sensitive: bool,
    /// What it is, in Markdown.
    pub description: &'static str,
    /// What to do instead, in plain text, where configurations should no longer use it. Terraform warns those that do.
    pub deprecation: Option<&'static str>,
}

impl Attribute {
    /// An attribute that every configuration must set.
    pub fn required(name: &'static str, ty: Type, description: &'static str) -> Self {
        Self::new(name, ty, Configurability::Required, description)
    }

    /// An attribute that a configuration may set, and that is null where it does not.
    pub fn optional(name: &'static str, ty: Type, description: &'static str) -> Self {
        Self::new(name, ty, Configurability::Optional, description)
    }

    /// An attribute that a configuration may set, and to which the provider gives a value where it does not.
    pub fn optional_computed(name: &'static str, ty: Type, description: &'static str) -> Self {
        Self::new(name, ty, Configurability::OptionalComputed, description)
    }

    /// An attribute to which only the provider gives a value.
    pub fn computed(name: &'static str, ty: Type, description: &'static str) -> Self {
        Self::new(name, ty, Configurability::Computed, description)
    }

    /// A list to which only the provider gives a value, each element of which has these attributes. Nothing of it is for
    /// configurations to set, so the members have to be computed as well.
    pub fn computed_list(name: &'static str, members: Vec<Attribute>, description: &'static str) -> Self {
        let element = object_type(members.iter().map(|member| (member.name, &member.ty)));
        Self {
            nested: members,
            ..Self::computed(name, Type::List(Box::new(element)), description)
        }
    }

    /// The same attribute, hidden in Terraform's output.
    #[must_use]
    pub fn sensitive(self) -> Self {
        Self {
            sensitive: true,
            ..self
        }
    }

    /// The same attribute, with a warning for configurations that use it, which says what to do instead.
    #[must_use]
    pub fn deprecated(self, message: &'static str) -> Self {
        Self {
            deprecation: Some(message),
            ..self
        }
    }

    /// This attribute and, at any depth, those nested in it.
    #[cfg(test)]
    fn with_nested(&self) -> Vec<&Attribute> {
        let nested = self.nested.iter().flat_map(Attribute::with_nested);
        std::iter::once(self).chain(nested).collect()
    }

    fn new(name: &'static str, ty: Type, configurability: Configurability, description: &'static str) -> Self {
        Self {
            name,
            ty,
            nested: Vec::new(),
            configurability,
            sensitive: false,
            description,
            deprecation: None,
        }
    }
}

/// Who gives an attribute its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Configurability {
    /// Configuration, always.
    Required,
    /// Configuration, if it likes; null otherwise.
    Optional,
    /// Configuration, if it likes; the provider otherwise.
    OptionalComputed,
    /// The provider; configuration must not.
    Computed,
}

/// The schema of an identity, which tells one resource from another of its type independently of its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentitySchema {
    version: i64,
    attributes: Vec<IdentityAttribute>,
    object_type: Type,
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
    /// A schema of this version of the state's shape, which is stored with each state and handed back to be upgraded;
    /// with a description in Markdown, and the attributes in the order in which the documentation shows them.
    pub fn new(version: i64, description: &'static str, attributes: Vec<Attribute>) -> Self {
        Self {
            version,
            description,
            deprecation: None,
            object_type: object_type(attributes.iter().map(|attribute| (attribute.name, &attribute.ty))),
            attributes,
        }
    }

    /// The same schema, with a warning for configurations that use it, which says what to do instead.
    #[must_use]
    pub fn deprecated(self, message: &'static str) -> Self {
        Self {
            deprecation: Some(message),
            ..self
        }
    }

    /// The version of the state's shape.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// What to do instead, in plain text, where configurations should no longer use it.
    pub fn deprecation(&self) -> Option<&'static str> {
        self.deprecation
    }

    /// What it is, in Markdown.
    pub fn description(&self) -> &'static str {
        self.description
    }

    /// The attributes, in the order in which the documentation shows them.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// The attributes and, at any depth, those nested in them: what a rule on every attribute has to look at.
    #[cfg(test)]
    pub(crate) fn attributes_at_any_depth(&self) -> Vec<&Attribute> {
        self.attributes.iter().flat_map(Attribute::with_nested).collect()
    }

    /// The type of the whole object.
    pub fn object_type(&self) -> &Type {
        &self.object_type
    }

    /// Checks who gives which attribute of a configuration its value: what is required is there, and what can only be
    /// read is not set. Terraform leaves both to providers. Anything may be unknown; an unknown value
    /// counts as set.
    ///
    /// For configurations as the user wrote them, and so for the Validate calls only: in what is to be planned,
    /// Terraform has put prior values in the place of attributes whose changes it was told to ignore.
    pub fn check_configuration(&self, config: &Object) -> Diagnostics {
        let problems = self.attributes.iter().filter_map(|attribute| {
            let is_set = !matches!(config.get(attribute.name), None | Some(Value::Null));
            match attribute.configurability {
                Configurability::Required if !is_set => Some(missing(attribute.name)),
                Configurability::Computed if is_set => Some(read_only(attribute.name)),
                _ => None,
            }
        });
        problems.collect()
    }

    /// The configuration that describes an object in this state: without what only the provider gives a value to, and
    /// without empty texts, which no configuration needs to say.
    pub fn configuration_of(&self, mut state: Object) -> Object {
        for attribute in &self.attributes {
            let Some(value) = state.get_mut(attribute.name) else {
                continue;
            };
            let is_empty = matches!(value, Value::String(text) if text.is_empty());
            if is_empty || attribute.configurability == Configurability::Computed {
                *value = Value::Null;
            }
        }
        state
    }
}

fn missing(attribute: &str) -> Diagnostic {
    Diagnostic::error(
        summaries::MISSING_ARGUMENT,
        format!("{attribute} is required, and its value is null. Give it a value."),
    )
    .at(attribute)
}

fn read_only(attribute: &str) -> Diagnostic {
    Diagnostic::error(
        summaries::READ_ONLY_ATTRIBUTE,
        format!("{attribute} can only be read: its value is not for configuration to choose. Remove it here."),
    )
    .at(attribute)
}

impl IdentitySchema {
    /// An identity schema of this version with these attributes. The first version is 0: a higher one makes Terraform
    /// ask for an upgrade from nothing.
    pub fn new(version: i64, attributes: Vec<IdentityAttribute>) -> Self {
        Self {
            version,
            object_type: object_type(attributes.iter().map(|attribute| (attribute.name, &attribute.ty))),
            attributes,
        }
    }

    /// The version of the identity's shape.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// The attributes.
    pub fn attributes(&self) -> &[IdentityAttribute] {
        &self.attributes
    }

    /// The type of the whole identity.
    pub fn object_type(&self) -> &Type {
        &self.object_type
    }
}

fn object_type<'a>(attributes: impl Iterator<Item = (&'static str, &'a Type)>) -> Type {
    Type::Object(attributes.map(|(name, ty)| (name.into(), ty.clone())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terraform::{Path, Severity};

    fn schema() -> Schema {
        let attributes = vec![
            Attribute::required("required", Type::String, ""),
            Attribute::optional("optional", Type::String, ""),
            Attribute::optional_computed("either", Type::String, ""),
            Attribute::computed("computed", Type::String, ""),
        ];
        Schema::new(0, "", attributes)
    }

    /// The paths of the errors for a configuration in which these attributes have these values, and the others none.
    fn refused(set: &[(&'static str, Value)]) -> Vec<Path> {
        let set = set.iter().map(|(name, value)| ((*name).into(), value.clone()));
        let found = schema().check_configuration(&set.collect());
        assert!(found.iter().all(|problem| problem.severity == Severity::Error));
        assert!(!format!("{found:?}").contains("whsec"), "{found:?}");
        found.into_iter().map(|problem| problem.path.unwrap()).collect()
    }

    #[test]
    fn a_required_attribute_without_a_value_is_an_error_at_its_place() {
        assert_eq!(refused(&[]), [Path::attribute("required")]);
        assert_eq!(refused(&[("required", Value::Null)]), [Path::attribute("required")]);
        for value in [Value::Unknown, Value::String(String::new())] {
            assert!(refused(&[("required", value)]).is_empty());
        }
    }

    #[test]
    fn a_computed_attribute_with_a_value_is_an_error_at_its_place_that_does_not_quote_it() {
        let required = ("required", Value::Unknown);
        for value in [Value::Unknown, Value::String("whsec_mine".to_owned())] {
            assert_eq!(
                refused(&[required.clone(), ("computed", value)]),
                [Path::attribute("computed")]
            );
        }
        assert!(refused(&[required, ("computed", Value::Null)]).is_empty());
    }

    #[test]
    fn a_list_of_nested_attributes_has_their_types_and_they_are_found_at_any_depth() {
        let inner = Attribute::computed_list("inner", vec![Attribute::computed("leaf", Type::Bool, "")], "");
        let outer = Attribute::computed_list("outer", vec![Attribute::computed("id", Type::String, ""), inner], "");
        let schema = Schema::new(0, "", vec![outer, Attribute::optional("last", Type::Number, "")]);
        let signature = r#"["object",{"last":"number","outer":["list",["object",{"id":"string","inner":["list",["object",{"leaf":"bool"}]]}]]}]"#;
        assert_eq!(schema.object_type().to_json().to_string(), signature);
        let found: Vec<&str> = schema.attributes_at_any_depth().iter().map(|a| a.name).collect();
        assert_eq!(found, ["outer", "id", "inner", "leaf", "last"]);
    }

    #[test]
    fn what_is_said_of_an_attribute_is_what_to_do_about_it() {
        let set = [("computed".into(), Value::String("whsec_mine".to_owned()))];
        let said = schema().check_configuration(&set.into());
        let said: Vec<_> = said.iter().map(|it| (it.summary.as_str(), &*it.detail)).collect();
        let required = "required is required, and its value is null. Give it a value.";
        let computed = "computed can only be read: its value is not for configuration to choose. Remove it here.";
        assert_eq!(
            said,
            [
                ("Missing required argument", required),
                ("Read-only attribute is set", computed)
            ]
        );
    }

    #[test]
    fn an_optional_attribute_may_be_set_or_not_computed_or_not() {
        let set = |name| (name, Value::String("x".to_owned()));
        assert!(refused(&[set("required"), set("optional"), set("either")]).is_empty());
        assert!(refused(&[set("required")]).is_empty());
    }
}
