//! Schemas as a provider announces them, and the checks core makes of them.

use std::collections::BTreeMap;

use terraform_provider_heygen::terraform::proto;

use super::report::{Findings, Rule};
use super::types::Type;
use super::value::{Path, Value};

/// Everything the model needs to know of a provider.
#[derive(Debug, Default)]
pub(crate) struct Schemas {
    pub(crate) provider: Block,
    pub(crate) resources: BTreeMap<String, Resource>,
    /// Otherwise core makes up the plan of a destruction by itself.
    pub(crate) plan_destroy: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Resource {
    pub(crate) version: i64,
    pub(crate) block: Block,
    pub(crate) identity: Option<Identity>,
}

/// A block of attributes. Nested blocks are not modelled, and refused.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) attributes: BTreeMap<String, Attribute>,
}

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "this is how a schema says it")]
pub(crate) struct Attribute {
    pub(crate) ty: Type,
    pub(crate) required: bool,
    pub(crate) optional: bool,
    pub(crate) computed: bool,
    pub(crate) sensitive: bool,
    pub(crate) write_only: bool,
}

#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) version: i64,
    pub(crate) attributes: BTreeMap<String, IdentityAttribute>,
}

#[derive(Debug)]
pub(crate) struct IdentityAttribute {
    pub(crate) ty: Type,
    pub(crate) required_for_import: bool,
}

impl Block {
    pub(crate) fn object_type(&self) -> Type {
        let types = self
            .attributes
            .iter()
            .map(|(name, attribute)| (name.clone(), attribute.ty.clone()));
        Type::Object(types.collect())
    }

    /// An object with every attribute null.
    pub(crate) fn empty_object(&self) -> Value {
        Value::object(self.attributes.keys().map(|name| (name.clone(), Value::Null)))
    }
}

impl Identity {
    pub(crate) fn object_type(&self) -> Type {
        let types = self
            .attributes
            .iter()
            .map(|(name, attribute)| (name.clone(), attribute.ty.clone()));
        Type::Object(types.collect())
    }
}

impl Schemas {
    /// Reads and checks what a provider answered; the mistakes go to `findings`.
    pub(crate) fn read(
        schemas: &proto::get_provider_schema::Response,
        identities: &proto::get_resource_identity_schemas::Response,
        findings: &mut Findings,
    ) -> Self {
        let mut read = Self {
            plan_destroy: schemas
                .server_capabilities
                .as_ref()
                .is_some_and(|capabilities| capabilities.plan_destroy),
            ..Self::default()
        };
        match schemas.provider.as_ref().and_then(|schema| schema.block.as_ref()) {
            Some(block) => read.provider = read_block("provider", block, findings),
            None => complain(findings, "provider", "there is no provider schema"),
        }
        if schemas.provider_meta.is_some() {
            complain(findings, "provider", "provider_meta is not modelled");
        }
        for (name, schema) in &schemas.resource_schemas {
            let Some(block) = &schema.block else {
                complain(findings, name, "there is no block");
                continue;
            };
            if schema.version < 0 {
                complain(findings, name, "the version is negative");
            }
            let identity = identities.identity_schemas.get(name);
            let resource = Resource {
                version: schema.version,
                block: read_block(name, block, findings),
                identity: identity.map(|identity| read_identity(name, identity, findings)),
            };
            read.resources.insert(name.clone(), resource);
        }
        for name in identities.identity_schemas.keys() {
            if !read.resources.contains_key(name) {
                complain(findings, name, "an identity is announced for no resource type");
            }
        }
        for (name, schema) in &schemas.list_resource_schemas {
            let place = format!("list {name}");
            match &schema.block {
                Some(block) => drop(read_block(&place, block, findings)),
                None => complain(findings, &place, "there is no block"),
            }
            let resource = read.resources.get(name);
            if resource.is_none_or(|resource| resource.identity.is_none()) {
                complain(findings, &place, "no resource type with an identity has this name");
            }
        }
        read
    }
}

fn complain(findings: &mut Findings, place: &str, problem: impl Into<String>) {
    findings.violate(Rule::Schema, &Path::of(place), problem);
}

fn read_block(place: &str, block: &proto::schema::Block, findings: &mut Findings) -> Block {
    if !block.block_types.is_empty() {
        complain(findings, place, "nested blocks are not modelled");
    }
    if !block.deprecated && !block.deprecation_message.is_empty() {
        complain(findings, place, "a deprecation message without a deprecation");
    }
    let mut read = Block::default();
    for attribute in &block.attributes {
        let place = format!("{place}.{}", attribute.name);
        check_attribute(&place, attribute, findings);
        let ty = match Type::parse(&attribute.r#type) {
            Ok(ty) => ty,
            Err(problem) => {
                complain(findings, &place, problem);
                continue;
            }
        };
        if attribute.write_only && matches!(ty, Type::Set(_)) {
            complain(findings, &place, "a write-only set is not modelled");
        }
        let kept = Attribute {
            ty,
            required: attribute.required,
            optional: attribute.optional,
            computed: attribute.computed,
            sensitive: attribute.sensitive,
            write_only: attribute.write_only,
        };
        if read.attributes.insert(attribute.name.clone(), kept).is_some() {
            complain(findings, &place, "the attribute is announced twice");
        }
    }
    read
}

fn check_attribute(place: &str, attribute: &proto::schema::Attribute, findings: &mut Findings) {
    let named = !attribute.name.is_empty()
        && attribute
            .name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    if !named {
        complain(
            findings,
            place,
            "a name has only lowercase letters, digits and underscores",
        );
    }
    if !attribute.required && !attribute.optional && !attribute.computed {
        complain(findings, place, "neither required, optional nor computed");
    }
    if attribute.required && (attribute.optional || attribute.computed) {
        complain(findings, place, "required, and optional or computed too");
    }
    if attribute.write_only && attribute.computed {
        complain(findings, place, "write-only, and computed too");
    }
    if !attribute.deprecated && !attribute.deprecation_message.is_empty() {
        complain(findings, place, "a deprecation message without a deprecation");
    }
    if attribute.nested_type.is_some() {
        complain(findings, place, "nested attributes are not modelled");
    }
}

fn read_identity(place: &str, identity: &proto::ResourceIdentitySchema, findings: &mut Findings) -> Identity {
    let mut read = Identity {
        version: identity.version,
        attributes: BTreeMap::new(),
    };
    for attribute in &identity.identity_attributes {
        let place = format!("{place}.identity.{}", attribute.name);
        if attribute.required_for_import == attribute.optional_for_import {
            complain(findings, &place, "neither or both of required and optional for import");
        }
        let required_for_import = attribute.required_for_import;
        match Type::parse(&attribute.r#type) {
            Ok(ty) if ty.is_primitive() || matches!(&ty, Type::List(inner) if inner.is_primitive()) => {
                read.attributes.insert(
                    attribute.name.clone(),
                    IdentityAttribute {
                        ty,
                        required_for_import,
                    },
                );
            }
            Ok(ty) => complain(findings, &place, format!("an identity cannot hold {ty:?}")),
            Err(problem) => complain(findings, &place, problem),
        }
    }
    if read.attributes.is_empty() {
        complain(findings, place, "the identity has no attributes");
    }
    read
}
