//! What a person sees who runs the binary.

use crate::support::host::{COOKIE, Host};

#[tokio::test]
async fn run_by_hand_it_explains_itself_on_stderr() {
    for host in [
        Host::new().without(COOKIE.0),
        Host::new().env(COOKIE.0, "another"),
        Host::new().env(COOKIE.0, ""),
    ] {
        let ended = host.spawn().ended().await;
        assert_eq!(ended.status.code(), Some(1));
        assert_eq!(ended.stdout, "");
        assert!(ended.stderr.contains("is a plugin"), "{}", ended.stderr);
        assert!(ended.stderr.contains("terraform"), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn version_and_help_need_no_host() {
    let bare = || Host::new().without(COOKIE.0).without_tls();
    let version = bare().arg("--version").spawn().ended().await;
    assert!(version.status.success());
    assert_eq!(
        version.stdout,
        format!("terraform-provider-heygen {}\n", env!("CARGO_PKG_VERSION"))
    );
    let help = bare().arg("--help").spawn().ended().await;
    assert!(help.status.success());
    for flag in ["--debug", "--address", "--network", "--version"] {
        assert!(help.stdout.contains(flag), "{}", help.stdout);
    }
}

#[tokio::test]
async fn an_unknown_network_or_flag_is_refused_without_a_handshake() {
    for host in [
        Host::new().env("HEYGEN_PROVIDER_NETWORK", "pigeon"),
        Host::new().arg("--network=pigeon"),
        Host::new().arg("--pigeon"),
    ] {
        let ended = host.spawn().ended().await;
        assert!(!ended.status.success());
        assert_eq!(ended.stdout, "");
        assert!(ended.stderr.contains("pigeon"), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn a_port_range_that_is_none_ends_the_plugin() {
    let ended = Host::new().env("PLUGIN_MIN_PORT", "30000").spawn().ended().await;
    assert_eq!(ended.status.code(), Some(1));
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.contains("PLUGIN_MIN_PORT"), "{}", ended.stderr);
}
