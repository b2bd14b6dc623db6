//! Addresses of hosts, in a static binary.
//!
//! The C library's resolver asks the modules that the machine's `nsswitch.conf` names, and each of them brings the machine's
//! own C library into a process that has another one built in: where the two do not fit, the process crashes. So a static
//! binary reads `/etc/hosts` and asks the name servers of `/etc/resolv.conf` itself.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::OnceCell;

/// Looks names up in the two files' way. They are read when the first name is looked up.
#[derive(Clone, Default)]
pub(super) struct HostNames(Arc<OnceCell<TokioResolver>>);

impl Resolve for HostNames {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.0.clone();
        Box::pin(async move {
            let resolver = resolver.get_or_try_init(|| async { build() }).await?;
            let found = resolver.lookup_ip(name.as_str()).await.map_err(explained)?;
            // The port is the URL's: zero stands for it.
            let addresses: Vec<_> = found.iter().map(|address| SocketAddr::new(address, 0)).collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

fn build() -> Result<TokioResolver, NetError> {
    let mut builder = TokioResolver::builder_tokio().unwrap_or_else(|error| {
        // As resolv.conf(5) has it: a machine without that file, or without a server in it, is its own name server.
        tracing::debug!(%error, "no name server in /etc/resolv.conf: 127.0.0.1 is asked");
        let this_machine = NameServerConfig::udp_and_tcp(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![this_machine]);
        TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
    });
    builder.options_mut().ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    builder.build()
}

/// The error in words that say nothing of how the resolver works. Takes the place of the C library's.
#[expect(clippy::needless_pass_by_value, reason = "it is mapped over errors")]
fn explained(error: NetError) -> io::Error {
    if error.is_no_records_found() {
        io::Error::new(
            io::ErrorKind::NotFound,
            "neither /etc/hosts nor the name servers of /etc/resolv.conf know this name",
        )
    } else {
        io::Error::other(format!("the name could not be looked up: {error}"))
    }
}
