//! What ends the process, what does not, and what is left behind.

use std::time::{Duration, Instant};

use terraform_provider_heygen::plugin::proto::ConnInfo;
use terraform_provider_heygen::plugin::proto::grpc_broker_client::GrpcBrokerClient;
use terraform_provider_heygen::plugin::proto::grpc_stdio_client::GrpcStdioClient;
use terraform_provider_heygen::terraform::proto;
use terraform_provider_heygen::terraform::proto::provider_client::ProviderClient;
use tokio::task::JoinHandle;
use tonic::Status;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::support::host::{Handshake, Host, PATIENCE, Plugin, Tap, signal};

/// The host gives two seconds before it kills; "at once" leaves room for a busy machine only.
const AT_ONCE: Duration = Duration::from_secs(1);

/// More, in bytes, than all buffers between a plugin and its host hold.
const LARGE: usize = 2 << 20;

/// Every stream that a host can have open.
async fn open_streams(channel: &Channel) -> impl Sized + use<> {
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
    (stdio, broker, watch)
}

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
    let streams = open_streams(&channel).await;
    let took = plugin.shutdown_over(channel).await;
    assert!(took < AT_ONCE, "{took:?}");
    drop(streams);
}

#[tokio::test]
async fn termination_does_not_wait_for_open_streams() {
    let plugin = Host::new().start().await;
    let streams = open_streams(&plugin.channel().await).await;
    let asked = Instant::now();
    plugin.process.signal("TERM").await;
    let ended = plugin.process.ended().await;
    assert!(ended.status.success(), "{}", ended.status);
    assert!(asked.elapsed() < AT_ONCE, "{:?}", asked.elapsed());
    drop(streams);
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

/// A plugin with an answer under way that its host has stopped to read, far larger than what fits between the two.
async fn with_an_answer_half_read() -> (Plugin, Tap, JoinHandle<Result<proto::DynamicValue, Status>>) {
    let plugin = Host::new().env("TF_LOG", "info").start().await;
    let tap = Tap::open_for(1 << 16);
    let client = ProviderClient::new(plugin.channel_through(&tap).await);
    let mut client = client.max_decoding_message_size(2 * LARGE);
    let request = proto::upgrade_resource_state::Request {
        type_name: "heygen_webhook_endpoint".to_owned(),
        version: 0,
        raw_state: Some(proto::RawState {
            json: format!(r#"{{"id": "ep_1", "entity_id": "{}"}}"#, "e".repeat(LARGE)).into(),
            flatmap: [].into(),
        }),
    };
    let answer = tokio::spawn(async move {
        let answer = client.upgrade_resource_state(request).await?.into_inner();
        Ok(answer.upgraded_state.expect("an upgraded state"))
    });
    tap.has_closed().await;
    (plugin, tap, answer)
}

#[tokio::test]
async fn an_answer_under_way_at_a_termination_is_read_whole_however_slowly() {
    let (mut plugin, tap, answer) = with_an_answer_half_read().await;
    plugin.process.signal("TERM").await;
    plugin.process.wrote("told to terminate").await;
    // Time enough to end, for one that would not wait for its reader.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(plugin.process.is_running());
    tap.open();
    let state = answer.await.unwrap().expect("the whole answer");
    assert!(state.msgpack.len() > LARGE);
    let ended = plugin.process.ended().await;
    assert!(ended.status.success(), "{}", ended.status);
}

#[tokio::test]
async fn a_host_that_reads_nothing_keeps_no_terminated_process() {
    let (plugin, tap, answer) = with_an_answer_half_read().await;
    let directory = plugin.handshake.address.path().parent().unwrap().to_owned();
    plugin.process.signal("TERM").await;
    let ended = plugin.process.ended().await;
    assert!(ended.status.success(), "{}", ended.status);
    assert!(ended.stderr.contains("does not read"), "{}", ended.stderr);
    assert!(!directory.exists());
    drop((tap, answer));
}

#[tokio::test]
async fn shutdown_waits_for_no_answer_that_is_not_read() {
    let (plugin, tap, answer) = with_an_answer_half_read().await;
    let took = plugin.shutdown().await;
    assert!(took < AT_ONCE, "{took:?}");
    drop((tap, answer));
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
