//! Compiles `proto/` into the crate, with no `protoc` on the machine.

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
    Ok(())
}
