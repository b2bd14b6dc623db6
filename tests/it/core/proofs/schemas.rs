//! What a schema may not be.

use terraform_provider_heygen::terraform::proto;

use super::*;
use crate::core::scripted::connected;

/// Asserts that a connection is refused, for one problem of this text.
async fn assert_refused(script: Script, problem: &str) {
    let (core, _) = connected(script).await;
    let violations = core.map(|_| ()).unwrap_err();
    let [violation] = violations.as_slice() else {
        panic!("{violations:?}")
    };
    assert_eq!(violation.rule, Rule::Schema);
    assert!(violation.to_string().contains(problem), "{violation}");
}

/// A script that changes the schema of the first attribute, which is computed text.
fn attribute(alter: impl Fn(&mut proto::schema::Attribute) + Send + Sync + 'static) -> Script {
    block(move |block| alter(&mut block.attributes[0]))
}

fn block(alter: impl Fn(&mut proto::schema::Block) + Send + Sync + 'static) -> Script {
    Script::default().schema(move |(), answer| {
        alter(
            answer
                .resource_schemas
                .get_mut("thing")
                .unwrap()
                .block
                .as_mut()
                .unwrap(),
        );
    })
}

#[tokio::test]
async fn an_attribute_is_required_or_optional_or_computed_and_of_a_type() {
    assert_refused(attribute(|of| of.computed = false), "neither required").await;
    assert_refused(attribute(|of| of.required = true), "required, and").await;
    assert_refused(attribute(|of| of.write_only = true), "write-only, and computed").await;
    assert_refused(attribute(|of| of.r#type = b"string".to_vec()), "not JSON").await;
    assert_refused(attribute(|of| of.r#type = br#""dynamic""#.to_vec()), "not modelled").await;
    assert_refused(attribute(|of| of.deprecation_message = "old".to_owned()), "deprecation").await;
    assert_refused(attribute(|of| of.name = "Created".to_owned()), "lowercase").await;
    assert_refused(block(|of| of.attributes.extend_from_within(..1)), "announced twice").await;
}

#[tokio::test]
async fn what_is_not_modelled_is_refused_by_name() {
    assert_refused(
        block(|of| of.block_types.push(proto::schema::NestedBlock::default())),
        "nested blocks",
    )
    .await;
    let nested = |of: &mut proto::schema::Attribute| of.nested_type = Some(proto::schema::Object::default());
    assert_refused(attribute(nested), "nested attributes").await;
    let meta = Script::default().schema(|(), answer| answer.provider_meta = Some(proto::Schema::default()));
    assert_refused(meta, "provider_meta").await;
}

#[tokio::test]
async fn a_provider_schema_is_required_even_if_it_is_empty() {
    assert_refused(
        Script::default().schema(|(), answer| answer.provider = None),
        "no provider schema",
    )
    .await;
    let empty = Script::default().schema(|(), answer| {
        answer.provider.as_mut().unwrap().block = Some(proto::schema::Block::default());
    });
    assert!(connected(empty).await.0.is_ok());
}

#[tokio::test]
async fn an_identity_is_of_primitives_and_lists_each_required_or_optional() {
    type Attribute = proto::resource_identity_schema::IdentityAttribute;
    let identity = |alter: fn(&mut Attribute)| {
        Script::default().identities(move |(), answer| {
            alter(&mut answer.identity_schemas.get_mut("thing").unwrap().identity_attributes[0]);
        })
    };
    assert_refused(identity(|of| of.required_for_import = false), "neither or both").await;
    assert_refused(identity(|of| of.optional_for_import = true), "neither or both").await;
    let stray = Script::default().identities(|(), answer| {
        let thing = answer.identity_schemas["thing"].clone();
        answer.identity_schemas.insert("other".to_owned(), thing);
    });
    assert_refused(stray, "no resource type").await;
    let (core, _) = connected(identity(|of| of.r#type = br#"["set","string"]"#.to_vec())).await;
    assert!(core.unwrap_err()[0].problem.contains("cannot hold"));
    let (core, _) = connected(identity(|of| of.r#type = br#"["list","string"]"#.to_vec())).await;
    assert!(core.is_ok());
}

#[tokio::test]
async fn a_list_is_of_a_resource_type_with_an_identity() {
    let listed = |name: &'static str| {
        Script::default().schema(move |(), answer| {
            let thing = answer.resource_schemas["thing"].clone();
            answer.list_resource_schemas.insert(name.to_owned(), thing);
        })
    };
    assert!(connected(listed("thing")).await.0.is_ok());
    let problem = "no resource type with an identity";
    assert_refused(listed("other"), problem).await;
    let anonymous = listed("thing").identities(|(), answer| answer.identity_schemas.clear());
    assert_refused(anonymous, problem).await;
    let empty = Script::default().schema(|(), answer| {
        let lists = &mut answer.list_resource_schemas;
        lists.insert("thing".to_owned(), proto::Schema::default());
    });
    assert_refused(empty, "there is no block").await;
}
