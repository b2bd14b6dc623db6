//! The program: reads the flags, and hands the provider to the plugin's server.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use terraform_provider_heygen::plugin::{self, Cookie, Debugger, Error, Logs, Network, Options, Plugin};
use terraform_provider_heygen::provider::{Environment, HeygenProvider};
use terraform_provider_heygen::terraform::Service;
use tonic::service::Routes;

/// A Terraform provider for HeyGen's webhook endpoints.
///
/// Terraform and OpenTofu start this program themselves, and speak to it over gRPC.
#[derive(Parser)]
#[command(version)]
struct Flags {
    /// Serve for a debugger: print the line that lets Terraform attach, and run until Ctrl-C
    #[arg(long)]
    debug: bool,
    /// The provider's source address, as configurations name it (with --debug)
    #[arg(long, default_value = "terraform.local/heygen/heygen", requires = "debug")]
    address: String,
    /// The kind of socket to listen on: `unix` or `tcp` [default: unix; tcp on Windows]
    #[arg(long, env = "HEYGEN_PROVIDER_NETWORK")]
    network: Option<Network>,
}

fn main() -> ExitCode {
    plugin::report_panics();
    let flags = Flags::parse();
    let provider = Plugin {
        cookie: Cookie {
            name: "TF_PLUGIN_MAGIC_COOKIE",
            value: "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
        },
        protocol_versions: &[6],
        logs: Logs {
            variables: &["TF_LOG_PROVIDER_HEYGEN", "TF_LOG_PROVIDER", "TF_LOG"],
            module: "provider",
        },
        services: |terminated| {
            let provider = HeygenProvider::new(Environment::of_this_process());
            Routes::new(Service::with_termination(provider, terminated).into_server())
        },
    };
    let options = Options {
        network: flags.network.unwrap_or_default(),
        debugger: flags.debug.then_some(Debugger {
            variable: "TF_REATTACH_PROVIDERS",
            plugin_address: flags.address,
        }),
    };
    match plugin::serve(provider, options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let hint = match error {
                Error::NoHost => {
                    "\nName it in a configuration's required_providers and run terraform; see also --help."
                }
                _ => "",
            };
            let _ = writeln!(io::stderr(), "terraform-provider-heygen: {error}{hint}");
            ExitCode::FAILURE
        }
    }
}
