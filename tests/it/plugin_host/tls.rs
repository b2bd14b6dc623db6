//! Nobody but the one host gets in.

use tokio::io::AsyncReadExt;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::support::certificates::ClientIdentity;
use crate::support::host::{Host, Plugin, TlsClient};

/// What a client gets to see: the first bytes of HTTP/2, or the reason why not.
async fn first_byte(plugin: &Plugin, client: &TlsClient) -> Result<u8, String> {
    let pinned = plugin.handshake.certificate.clone().unwrap();
    let connected = client.connect(&plugin.handshake.address, pinned).await;
    let mut stream = connected.map_err(|e| e.to_string())?;
    // A server speaks first in HTTP/2. Refused by TLS 1.3, a client finds an alert here instead.
    stream.read_u8().await.map_err(|e| e.to_string())
}

async fn assert_refused(plugin: Plugin, client: TlsClient, reason: &str) {
    let seen = first_byte(&plugin, &client).await;
    let error = seen.expect_err("it was served");
    assert!(error.contains(reason), "{error}");
    assert_still_serving(plugin).await;
}

/// A refusal is no reason to stop serving the one who may.
async fn assert_still_serving(plugin: Plugin) {
    let channel = plugin.channel().await;
    let request = HealthCheckRequest {
        service: "plugin".to_owned(),
    };
    HealthClient::new(channel.clone()).check(request).await.unwrap();
    plugin.shutdown_over(channel).await;
}

#[tokio::test]
async fn the_host_itself_is_served() {
    let plugin = Host::new().start().await;
    let client = TlsClient::showing(plugin.identity.as_ref().unwrap());
    assert!(first_byte(&plugin, &client).await.is_ok());
}

#[tokio::test]
async fn a_client_without_a_certificate_is_refused_at_the_handshake() {
    let plugin = Host::new().start().await;
    assert_refused(plugin, TlsClient::anonymous(), "CertificateRequired").await;
}

#[tokio::test]
async fn another_self_signed_p521_certificate_is_refused_at_the_handshake() {
    let plugin = Host::new().start().await;
    let stranger = TlsClient::showing(&ClientIdentity::generate());
    assert_refused(plugin, stranger, "AccessDenied").await;
}

#[tokio::test]
async fn the_right_certificate_without_its_key_is_refused_at_the_handshake() {
    let plugin = Host::new().start().await;
    let thief = plugin
        .identity
        .as_ref()
        .unwrap()
        .with_the_key_of(&ClientIdentity::generate());
    assert_refused(plugin, TlsClient::showing(&thief), "DecryptError").await;
}

#[tokio::test]
async fn strangers_are_refused_over_tcp_as_well() {
    let plugin = Host::new().env("HEYGEN_PROVIDER_NETWORK", "tcp").start().await;
    assert_refused(plugin, TlsClient::anonymous(), "CertificateRequired").await;
}

#[tokio::test]
async fn plaintext_is_refused() {
    let plugin = Host::new().start().await;
    let channel = plugin.handshake.address.plain_channel().await.unwrap();
    let request = HealthCheckRequest {
        service: "plugin".to_owned(),
    };
    let answer = HealthClient::new(channel).check(request).await;
    assert!(answer.is_err(), "{answer:?}");
    assert_still_serving(plugin).await;
}

#[tokio::test]
async fn tls_1_2_is_refused() {
    let plugin = Host::new().start().await;
    let client = TlsClient::showing(plugin.identity.as_ref().unwrap()).up_to_tls12();
    assert_refused(plugin, client, "ProtocolVersion").await;
}

#[tokio::test]
async fn the_connection_is_tls_1_3_with_h2_agreed_on() {
    let plugin = Host::new().start().await;
    let client = TlsClient::showing(plugin.identity.as_ref().unwrap());
    let pinned = plugin.handshake.certificate.clone().unwrap();
    let stream = client.connect(&plugin.handshake.address, pinned).await.unwrap();
    let (_, session) = stream.get_ref();
    assert_eq!(session.alpn_protocol(), Some(&b"h2"[..]));
    assert_eq!(session.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
}

#[tokio::test]
async fn a_client_of_another_protocol_than_h2_is_refused() {
    let plugin = Host::new().start().await;
    let client = TlsClient::showing(plugin.identity.as_ref().unwrap()).offering(&["http/1.1"]);
    assert_refused(plugin, client, "NoApplicationProtocol").await;
}

#[tokio::test]
async fn a_silent_connection_keeps_nobody_waiting() {
    let plugin = Host::new().start().await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(plugin.handshake.address.connect().await.unwrap());
    }
    assert_still_serving(plugin).await;
}

#[tokio::test]
async fn an_unusable_client_certificate_ends_the_plugin_instead_of_tls() {
    let pem = ClientIdentity::generate().pem();
    for unusable in [
        String::new(),
        "garbage".to_owned(),
        pem.replace("END CERTIFICATE", "END"),
        "-----BEGIN CERTIFICATE-----\nZ2FyYmFnZQ==\n-----END CERTIFICATE-----\n".to_owned(),
        format!("{pem}{pem}"),
    ] {
        let ended = Host::new().env("PLUGIN_CLIENT_CERT", &unusable).spawn().ended().await;
        assert_eq!(ended.status.code(), Some(1), "{unusable}");
        assert_eq!(ended.stdout, "", "{unusable}");
        assert!(ended.stderr.contains("PLUGIN_CLIENT_CERT"), "{}", ended.stderr);
    }
}
