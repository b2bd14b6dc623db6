//! The log on stderr.

use serde_json::Value;

use crate::support::host::{Host, Plugin, TlsClient};

/// A plugin that has just refused a stranger, which is worth a warning.
async fn refusing(host: Host) -> Plugin {
    let plugin = host.start().await;
    let pinned = plugin.handshake.certificate.clone().unwrap();
    let stranger = TlsClient::anonymous();
    let mut stream = stranger.connect(&plugin.handshake.address, pinned).await.unwrap();
    let read = tokio::io::AsyncReadExt::read_u8(&mut stream).await;
    assert!(read.is_err());
    plugin
}

/// All that is logged, the warning among it.
async fn logged(host: Host) -> Vec<String> {
    let plugin = refusing(host).await;
    plugin.process.wrote("refused a connection").await;
    stopped(plugin).await
}

async fn assert_silent(host: Host) {
    let plugin = refusing(host).await;
    assert_eq!(stopped(plugin).await, Vec::<String>::new());
}

async fn stopped(plugin: Plugin) -> Vec<String> {
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
    assert_silent(at("error")).await;
    assert_silent(at("off")).await;
    logged(at("WARN")).await;
}

#[tokio::test]
async fn without_our_variable_the_hosts_say_what_is_worth_writing() {
    assert_silent(Host::new()).await;
    assert_silent(Host::new().env("TF_LOG_PROVIDER", "error")).await;
    logged(Host::new().env("TF_LOG", "json")).await;
    logged(Host::new().env("TF_LOG", "error").env("TF_LOG_PROVIDER", "warn")).await;
}
