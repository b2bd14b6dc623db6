//! `--debug`: no cookie, no TLS, and a line that lets Terraform attach.

use serde_json::{Value, json};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::support::host::{Address, COOKIE, Host, Process};

fn debugger() -> Host {
    Host::new().without(COOKIE.0).without_tls().arg("--debug")
}

async fn reattach(process: &mut Process) -> Value {
    let line = process.line().await.unwrap();
    let json = line
        .strip_prefix("TF_REATTACH_PROVIDERS='")
        .and_then(|rest| rest.strip_suffix('\''));
    serde_json::from_str(json.unwrap_or_else(|| panic!("{line}"))).unwrap()
}

/// A process under a debugger, and where it serves.
pub(super) async fn start() -> (Process, Address) {
    let mut process = debugger().spawn();
    let all = reattach(&mut process).await;
    let address = &all[env!("PROVIDER_SOURCE")]["Addr"];
    let text = |key: &str| address[key].as_str().unwrap().to_owned();
    let address = Address::parse(&text("Network"), &text("String"));
    (process, address)
}

#[tokio::test]
async fn the_reattach_line_has_the_shape_terraform_reads() {
    for (address, network) in [(None, "unix"), (Some("example.com/a/b"), "tcp")] {
        let mut host = debugger().env("HEYGEN_PROVIDER_NETWORK", network);
        if let Some(address) = address {
            host = host.arg("--address").arg(address);
        }
        let mut process = host.spawn();
        let mut all = reattach(&mut process).await;
        let one = &mut all[address.unwrap_or(env!("PROVIDER_SOURCE"))];
        assert!(one["Addr"]["String"].take().is_string());
        assert_eq!(
            *one,
            json!({
                "Protocol": "grpc",
                "ProtocolVersion": 6,
                "Pid": process.pid(),
                "Test": true,
                "Addr": { "Network": network, "String": null },
            })
        );
        assert_eq!(all.as_object().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_debugger_is_served_in_plaintext_by_any_number_of_clients() {
    let (_process, address) = start().await;
    for _ in 0..3 {
        let channel = address.plain_channel().await.unwrap();
        let request = HealthCheckRequest {
            service: "plugin".to_owned(),
        };
        HealthClient::new(channel).check(request).await.unwrap();
    }
}

#[tokio::test]
async fn an_address_without_a_debugger_is_refused() {
    let ended = Host::new().arg("--address=a/b/c").spawn().ended().await;
    assert!(!ended.status.success());
    assert_eq!(ended.stdout, "");
}
