//! The generated code speaks exactly the committed contract: every name, number and type of `proto/contract/`.
//!
//! A field that changes its number still compiles, still passes every test in which both sides are ours, and is then
//! silently dropped by a real host.

use std::collections::BTreeSet;

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet,
    ServiceDescriptorProto,
};

/// What the build script generated the code from.
const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

#[test]
fn terraforms_protocol_is_6_11_to_the_last_number() {
    compare("tfplugin6", include_str!("../../proto/contract/tfplugin6-v6.11.tsv"));
}

#[test]
fn the_plugin_hosts_services_are_as_hosts_know_them() {
    compare("plugin", include_str!("../../proto/contract/go-plugin.tsv"));
}

#[track_caller]
fn compare(package: &str, contract: &str) {
    let contract = contract.lines().skip(1).map(|line| columns(line.split('\t')));
    let contract = contract.collect::<BTreeSet<_>>();
    assert!(!contract.is_empty());
    let ours = rows(package);
    let missing = contract.difference(&ours).collect::<Vec<_>>();
    let added = ours.difference(&contract).collect::<Vec<_>>();
    assert!(
        missing.is_empty() && added.is_empty(),
        "{package}: in the contract alone: {missing:#?}\nin our proto alone: {added:#?}"
    );
}

/// The package as the contract writes it: kind, scope, name, number, type, label, oneof; for a call the request stands
/// in the type's column, the response in the label's, and what streams in the last.
fn rows(package: &str) -> BTreeSet<String> {
    let files = FileDescriptorSet::decode(DESCRIPTORS).unwrap().file;
    let of_package = files.iter().filter(|file| file.package() == package);
    of_package.flat_map(of_file).collect()
}

fn of_file(file: &FileDescriptorProto) -> Vec<String> {
    let package = file.package();
    let messages = file.message_type.iter().flat_map(|it| of_message(package, it));
    let enums = file.enum_type.iter().flat_map(|it| of_enum(package, it));
    let services = file.service.iter().flat_map(|it| of_service(package, it));
    messages.chain(enums).chain(services).collect()
}

fn of_message(scope: &str, message: &DescriptorProto) -> Vec<String> {
    let name = format!("{scope}.{}", message.name());
    let fields = message.field.iter().map(|field| of_field(&name, message, field));
    let messages = message.nested_type.iter().flat_map(|it| of_message(&name, it));
    let enums = message.enum_type.iter().flat_map(|it| of_enum(&name, it));
    fields.chain(messages).chain(enums).collect()
}

fn of_field(scope: &str, message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let label = match field.label() {
        Label::Repeated => "repeated",
        _ if field.proto3_optional() => "optional",
        _ => "",
    };
    // An optional field stands in a oneof of its own that no source names.
    let oneof = field
        .oneof_index
        .filter(|_| !field.proto3_optional())
        .map(|index| message.oneof_decl[usize::try_from(index).unwrap()].name());
    columns([
        "field",
        scope,
        field.name(),
        &field.number().to_string(),
        &type_of(field),
        label,
        oneof.unwrap_or_default(),
    ])
}

fn of_enum(scope: &str, declared: &EnumDescriptorProto) -> Vec<String> {
    let name = format!("{scope}.{}", declared.name());
    let values = declared.value.iter();
    values
        .map(|value| columns(["enum", &name, value.name(), &value.number().to_string()]))
        .collect()
}

fn of_service(scope: &str, service: &ServiceDescriptorProto) -> Vec<String> {
    let name = format!("{scope}.{}", service.name());
    let methods = service.method.iter();
    methods
        .map(|method| {
            let client = if method.client_streaming() { "client-stream" } else { "" };
            let server = if method.server_streaming() { "server-stream" } else { "" };
            columns([
                "rpc",
                &name,
                method.name(),
                "",
                bare(method.input_type()),
                bare(method.output_type()),
                &format!("{client} {server}"),
            ])
        })
        .collect()
}

fn type_of(field: &FieldDescriptorProto) -> String {
    match field.r#type() {
        Type::Message | Type::Enum => bare(field.type_name()).to_owned(),
        scalar => scalar.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
    }
}

/// Full names are written with a leading dot.
fn bare(name: &str) -> &str {
    name.trim_start_matches('.')
}

/// One row, whatever empty columns it ends with.
fn columns<'c>(columns: impl IntoIterator<Item = &'c str>) -> String {
    let row = columns.into_iter().map(str::trim).collect::<Vec<_>>().join("\t");
    row.trim_end().to_owned()
}
