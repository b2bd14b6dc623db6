//! The log on stderr.

use serde_json::Value;

use crate::support::host::{Host, TlsClient};

/// What a plugin logs that refuses a stranger, and then is shut down.
async fn logged(host: Host) -> Vec<String> {
    let plugin = host.start().await;
    let pinned = plugin.handshake.certificate.clone().unwrap();
    let stranger = TlsClient::anonymous();
    let mut stream = stranger.connect(&plugin.handshake.address, pinned).await.unwrap();
    let read = tokio::io::AsyncReadExt::read_u8(&mut stream).await;
    assert!(read.is_err());
    plugin.process.signal("TERM").await;
    let ended = plugin.process.ended().await;
    ended.stderr.lines().map(str::to_owned).collect()
}

fn assert_hclog(line: &str) -> Value {
    let entry: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    let pairs = entry.as_object().unwrap();
    for (key, value) in pairs.iter().filter(|(key, _)| key.starts_with('@')) {
        assert!(value.is_string(), "{key} in {line}");
    }
    let text = |key: &str| pairs[key].as_str().unwrap().to_owned();
    assert!(["trace", "debug", "info", "warn", "error"].contains(&text("@level").as_str()));
    assert!(text("@module").starts_with("provider"), "{line}");
    // 2026-01-02T03:04:05.000000Z
    let digits: String = text("@timestamp").replace(|c: char| c.is_ascii_digit(), "0");
    assert_eq!(digits, "0000-00-00T00:00:00.000000Z");
    entry
}

#[tokio::test]
async fn every_line_is_an_hclog_entry() {
    let lines = logged(Host::new().env("TF_LOG_PROVIDER_HEYGEN", "trace")).await;
    let entries: Vec<Value> = lines.iter().map(|line| assert_hclog(line)).collect();
    let refusal = entries.iter().find(|entry| entry["@level"] == "warn").unwrap();
    assert_eq!(refusal["@message"], "refused a connection");
    assert_eq!(refusal["@module"], "provider.plugin.server");
    assert!(refusal["error"].as_str().unwrap().contains("certificate"), "{refusal}");
}

#[tokio::test]
async fn our_own_variable_sets_the_threshold_before_the_hosts() {
    let at = |level: &str| Host::new().env("TF_LOG", "trace").env("TF_LOG_PROVIDER_HEYGEN", level);
    assert_eq!(logged(at("error")).await, Vec::<String>::new());
    assert_eq!(logged(at("off")).await, Vec::<String>::new());
    assert_ne!(logged(at("WARN")).await, Vec::<String>::new());
}

#[tokio::test]
async fn without_our_variable_the_hosts_say_what_is_worth_writing() {
    assert_eq!(logged(Host::new()).await, Vec::<String>::new());
    assert_eq!(
        logged(Host::new().env("TF_LOG_PROVIDER", "error")).await,
        Vec::<String>::new()
    );
    assert_ne!(logged(Host::new().env("TF_LOG", "json")).await, Vec::<String>::new());
    let louder = Host::new().env("TF_LOG", "error").env("TF_LOG_PROVIDER", "warn");
    assert_ne!(logged(louder).await, Vec::<String>::new());
}
