//! The line that lets a host attach to a process it did not start.

use serde::Serialize;

use super::listener::Address;

/// What a host needs to find this process when it attaches to it.
#[derive(Clone, Debug)]
pub struct Debugger {
    /// The environment variable the host reads.
    pub variable: &'static str,
    /// The address under which the host knows this plugin.
    pub plugin_address: String,
}

impl Debugger {
    /// `VARIABLE='{"address":{…}}'`, ready for a shell.
    pub(super) fn reattach_line(&self, version: u32, address: &Address) -> String {
        let process = Process {
            protocol: "grpc",
            protocol_version: version,
            pid: std::process::id(),
            // The host neither stops nor kills a process that is marked so.
            test: true,
            addr: Addr {
                network: address.network(),
                string: address.to_string(),
            },
        };
        let json = serde_json::json!({ (self.plugin_address.as_str()): process });
        // A quote inside single quotes: end them, escape one, begin again.
        let quoted = json.to_string().replace('\'', r"'\''");
        format!("{}='{quoted}'", self.variable)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Process {
    protocol: &'static str,
    protocol_version: u32,
    pid: u32,
    test: bool,
    addr: Addr,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Addr {
    network: &'static str,
    string: String,
}
