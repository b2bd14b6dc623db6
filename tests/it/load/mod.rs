//! Many calls at once, a large account, a large configuration. Each test prints its figures at its end.

mod account;
mod configuration;
mod limit;
mod process;

use terraform_provider_heygen::terraform::proto::provider_client::ProviderClient;
use tonic::transport::Channel;

use crate::core::{Attributes, Core};
use crate::fake_heygen::FakeHeygen;
use crate::support::host::{Host, Plugin};

/// The provider in a process of its own, configured for an account, over one channel as Terraform has it.
struct Provider {
    plugin: Plugin,
    channel: Channel,
    core: Core,
}

impl Provider {
    async fn start(heygen: &FakeHeygen) -> Self {
        let plugin = Host::new()
            .env("HEYGEN_API_BASE", heygen.base_url())
            .env("HEYGEN_API_KEY", heygen.api_key())
            .start()
            .await;
        let channel = plugin.channel().await;
        let core = Core::connect(ProviderClient::new(channel.clone())).await;
        let core = core.unwrap_or_else(|violations| panic!("{violations:?}"));
        let report = core.configure(&Attributes::new()).await;
        assert!(!report.errored(), "{report:?}");
        Self { plugin, channel, core }
    }

    /// What the system says of the process's memory, in bytes.
    #[cfg(target_os = "linux")]
    fn memory(&self, field: &str) -> usize {
        crate::support::process::memory(self.plugin.process.pid(), field)
    }

    async fn shutdown(self) {
        self.plugin.shutdown_over(self.channel).await;
    }
}

/// Figures belong to the test's output, whoever runs it.
#[allow(clippy::print_stdout, reason = "this is a test's output, not the plugin's")]
fn report(figures: &str) {
    println!("load: {figures}");
}
