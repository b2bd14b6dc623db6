//! Compiles `proto/` into the crate, with no `protoc` on the machine, and tells it the provider's source address.

use std::path::Path;

use protox::prost_reflect::prost::Message as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let protos = ["proto/tfplugin6.proto", "proto/go-plugin.proto"];
    let descriptors = protox::compile(protos, ["proto"])?;
    // A test holds this to the committed contract.
    let out = std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?;
    std::fs::write(Path::new(&out).join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        // Clients are for tests, which bring their own channel; the program links no transport for them.
        .build_transport(false)
        // These carry configuration and state, secrets included: they get no `Debug`.
        .skip_debug(["tfplugin6.DynamicValue", "tfplugin6.RawState"])
        .compile_fds(descriptors)?;
    for proto in protos {
        println!("cargo:rerun-if-changed={proto}");
    }
    println!("cargo:rustc-env=PROVIDER_SOURCE={}", source_address()?);
    Ok(())
}

/// The address by which configurations name the provider. It stands in one file, the example that users copy.
fn source_address() -> Result<String, Box<dyn std::error::Error>> {
    const EXAMPLE: &str = "examples/provider/provider.tf";
    println!("cargo:rerun-if-changed={EXAMPLE}");
    let example = std::fs::read_to_string(EXAMPLE)?;
    let mut values = example.lines().filter_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name.trim() == "source").then(|| value.trim().trim_matches('"').to_owned())
    });
    match (values.next(), values.next()) {
        (Some(address), None) => Ok(address),
        _ => Err(format!("{EXAMPLE} does not name one source address").into()),
    }
}
