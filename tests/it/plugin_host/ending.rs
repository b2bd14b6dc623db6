//! What ends the process, what does not, and what is left behind.

use std::time::{Duration, Instant};

use terraform_provider_heygen::plugin::proto::ConnInfo;
use terraform_provider_heygen::plugin::proto::grpc_broker_client::GrpcBrokerClient;
use terraform_provider_heygen::plugin::proto::grpc_stdio_client::GrpcStdioClient;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::support::host::{Handshake, Host, PATIENCE, signal};

/// The host gives two seconds before it kills; "at once" leaves room for a busy machine only.
const AT_ONCE: Duration = Duration::from_secs(1);

#[tokio::test]
async fn shutdown_ends_the_process_at_once() {
    let plugin = Host::new().start().await;
    let took = plugin.shutdown().await;
    assert!(took < AT_ONCE, "{took:?}");
}

#[tokio::test]
async fn shutdown_does_not_wait_for_open_streams() {
    let plugin = Host::new().start().await;
    let channel = plugin.channel().await;
    let stdio = GrpcStdioClient::new(channel.clone()).stream_stdio(()).await.unwrap();
    let silence = tokio_stream::pending::<ConnInfo>();
    let broker = GrpcBrokerClient::new(channel.clone())
        .start_stream(silence)
        .await
        .unwrap();
    let watch = HealthClient::new(channel.clone())
        .watch(HealthCheckRequest {
            service: "plugin".to_owned(),
        })
        .await
        .unwrap();
    let took = plugin.shutdown_over(channel).await;
    assert!(took < AT_ONCE, "{took:?}");
    drop((stdio, broker, watch));
}

#[tokio::test]
async fn the_broker_hangs_up_with_the_host() {
    let plugin = Host::new().start().await;
    let mut broker = GrpcBrokerClient::new(plugin.channel().await);
    let announced = tokio_stream::iter([ConnInfo::default(), ConnInfo::default()]);
    let mut answers = broker.start_stream(announced).await.unwrap().into_inner();
    let next = tokio::time::timeout(PATIENCE, answers.message()).await;
    assert_eq!(next.expect("the stream ends").unwrap(), None);
}

#[tokio::test]
async fn an_interrupt_is_ignored_and_a_termination_is_not() {
    let mut plugin = Host::new().start().await;
    let mut health = HealthClient::new(plugin.channel().await);
    for _ in 0..3 {
        plugin.process.signal("INT").await;
        let request = HealthCheckRequest {
            service: "plugin".to_owned(),
        };
        health.check(request).await.expect("still serving");
    }
    assert!(plugin.process.is_running());

    let directory = plugin.handshake.address.path().parent().unwrap().to_owned();
    let asked = Instant::now();
    plugin.process.signal("TERM").await;
    let ended = plugin.process.ended().await;
    assert!(ended.status.success(), "{}", ended.status);
    assert!(asked.elapsed() < AT_ONCE, "{:?}", asked.elapsed());
    assert!(!directory.exists());
}

#[tokio::test]
async fn an_orphan_ends_and_leaves_nothing_behind() {
    // A shell stands between, and is killed as Terraform would be: without a word to its child.
    let script = r#""$@" & echo $!; wait"#;
    let mut shell = Host::new().launched_by(&["sh", "-c", script, "sh"]).spawn();
    let mut lines = [shell.line().await.unwrap(), shell.line().await.unwrap()];
    lines.sort_by_key(|line| line.contains('|'));
    let [pid, handshake] = lines;
    let directory = Handshake::parse(&handshake).address.path().parent().unwrap().to_owned();
    assert!(directory.exists());

    let pid: u32 = pid.parse().unwrap();
    let killed = Instant::now();
    shell.signal("KILL").await;
    // The streams' ends are the orphan's: it holds the last ends of both pipes.
    let ended = shell.ended().await;
    assert!(!ended.status.success(), "the shell was killed");
    assert!(killed.elapsed() < Duration::from_secs(5), "{:?}", killed.elapsed());
    assert!(!directory.exists(), "{pid} left {}", directory.display());
}

#[tokio::test]
async fn a_plugin_whose_host_lives_stays() {
    // Two looks at the parent and a half.
    let mut plugin = Host::new().start().await;
    tokio::time::sleep(Duration::from_millis(1250)).await;
    assert!(plugin.process.is_running());
    plugin.shutdown().await;
}

#[tokio::test]
async fn a_debugged_process_survives_shutdown_and_ends_with_an_interrupt() {
    use terraform_provider_heygen::plugin::proto::Empty;
    use terraform_provider_heygen::plugin::proto::grpc_controller_client::GrpcControllerClient;

    let (mut process, address) = super::debugger::start().await;
    for _ in 0..2 {
        let channel = address.plain_channel().await.unwrap();
        GrpcControllerClient::new(channel).shutdown(Empty {}).await.unwrap();
    }
    address.plain_channel().await.expect("still serving");
    assert!(process.is_running());
    signal("INT", process.pid()).await;
    let ended = process.ended().await;
    assert!(ended.status.success());
    assert!(!address.path().exists());
}
