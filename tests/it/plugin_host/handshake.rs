//! The line on stdout, and what else the host's environment decides.

use std::time::Duration;

use terraform_provider_heygen::plugin::proto::grpc_stdio_client::GrpcStdioClient;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::support::host::{Address, Host};

#[tokio::test]
async fn the_handshake_names_a_unix_socket_and_the_pinned_certificate() {
    let plugin = Host::new().start().await;
    let said = &plugin.handshake;
    assert_eq!(said.core_version, "1");
    assert_eq!(said.protocol_version, "6");
    assert_eq!(said.protocol, "grpc");
    assert_eq!(said.multiplexing, None);
    assert!(said.address.path().is_absolute());
    assert!(said.certificate.is_some());
    plugin.shutdown().await;
}

#[tokio::test]
async fn the_certificate_is_printed_without_padding() {
    // One certificate in three needs none anyway: several are looked at.
    for _ in 0..4 {
        let plugin = Host::new().start().await;
        assert!(!plugin.handshake.line.contains('='));
        assert!(!plugin.handshake.line.contains(['-', '_']), "not the standard alphabet");
    }
}

#[tokio::test]
async fn tcp_is_served_on_loopback_in_the_hosts_port_range() {
    for host in [
        Host::new().env("HEYGEN_PROVIDER_NETWORK", "tcp"),
        Host::new().arg("--network=tcp"),
    ] {
        let plugin = host.start().await;
        let Address::Tcp(address) = &plugin.handshake.address else {
            panic!("{}", plugin.handshake.line);
        };
        let port = address.strip_prefix("127.0.0.1:").expect("loopback");
        assert!((10_000..=25_000).contains(&port.parse::<u16>().unwrap()));
        plugin.shutdown().await;
    }
}

#[tokio::test]
async fn a_taken_port_is_passed_over() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (min, max) = (port.to_string(), port.saturating_add(200).to_string());
    let host = Host::new()
        .env("HEYGEN_PROVIDER_NETWORK", "tcp")
        .env("PLUGIN_MIN_PORT", min)
        .env("PLUGIN_MAX_PORT", max);
    let plugin = host.start().await;
    assert_ne!(plugin.handshake.address, Address::Tcp(format!("127.0.0.1:{port}")));
    plugin.shutdown().await;
}

#[tokio::test]
async fn versions_are_a_set_in_any_order_and_a_host_without_ours_is_told_ours() {
    for versions in ["6,5", "5,6", "6", "7,6", "5"] {
        let plugin = Host::new().env("PLUGIN_PROTOCOL_VERSIONS", versions).start().await;
        assert_eq!(plugin.handshake.protocol_version, "6", "{versions}");
    }
}

#[tokio::test]
async fn the_multiplexing_field_is_there_only_for_hosts_that_ask() {
    let plugin = Host::new().env("PLUGIN_MULTIPLEX_GRPC", "true").start().await;
    assert_eq!(plugin.handshake.multiplexing.as_deref(), Some("false"));
    plugin.shutdown().await;
}

#[tokio::test]
async fn without_a_client_certificate_the_certificate_field_is_empty_and_plaintext_is_served() {
    let plugin = Host::new().without_tls().start().await;
    assert!(plugin.handshake.line.ends_with("|grpc|"), "{}", plugin.handshake.line);
    plugin.shutdown().await;
}

#[tokio::test]
async fn the_first_connection_after_the_line_succeeds() {
    // The host dials once, at once.
    for _ in 0..10 {
        let plugin = Host::new().start().await;
        plugin
            .handshake
            .address
            .connect()
            .await
            .expect("listening before the line");
    }
}

#[tokio::test]
async fn the_plugin_reports_itself_as_healthy() {
    let plugin = Host::new().start().await;
    let channel = plugin.channel().await;
    let answer = HealthClient::new(channel.clone())
        .check(HealthCheckRequest {
            service: "plugin".to_owned(),
        })
        .await
        .unwrap();
    assert_eq!(answer.into_inner().status(), ServingStatus::Serving);
    plugin.shutdown_over(channel).await;
}

#[tokio::test]
async fn the_stdio_stream_stays_open_and_empty() {
    let plugin = Host::new().start().await;
    let mut stdio = GrpcStdioClient::new(plugin.channel().await);
    let mut stream = stdio.stream_stdio(()).await.unwrap().into_inner();
    let next = tokio::time::timeout(Duration::from_millis(100), stream.message()).await;
    assert!(next.is_err(), "{next:?}");
}
