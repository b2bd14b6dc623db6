//! The services that every host of this kind expects beside the plugin's own.

use std::pin::Pin;

use futures_util::future::{Either, select};
use futures_util::stream::{self, StreamExt};
use tokio_stream::Stream;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming, async_trait};
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

use super::proto::grpc_broker_server::{GrpcBroker, GrpcBrokerServer};
use super::proto::grpc_controller_server::{GrpcController, GrpcControllerServer};
use super::proto::grpc_stdio_server::{GrpcStdio, GrpcStdioServer};
use super::proto::{ConnInfo, Empty, StdioData};

/// Adds health, stdio, broker and controller to `routes`.
///
/// A call of the controller's Shutdown cancels `shutdown`; the streams end as soon as `closing` is cancelled. While the
/// process serves for a debugger the first does not lead to the second, because then the host does not own the process.
pub(super) async fn add_host_services(
    routes: Routes,
    shutdown: CancellationToken,
    closing: CancellationToken,
) -> Routes {
    let health = HealthReporter::new();
    health.set_service_status("plugin", ServingStatus::Serving).await;
    tokio::spawn(end_watches(health.clone(), closing.clone()));
    routes
        .add_service(HealthServer::new(HealthService::from_health_reporter(health)))
        .add_service(GrpcControllerServer::new(Controller { shutdown }))
        .add_service(GrpcStdioServer::new(Stdio {
            closing: closing.clone(),
        }))
        .add_service(GrpcBrokerServer::new(Broker { closing }))
}

/// Ends the health service's watch streams, which would keep the server from ending.
async fn end_watches(mut health: HealthReporter, closing: CancellationToken) {
    closing.cancelled().await;
    for service in ["", "plugin"] {
        health.clear_service_status(service).await;
    }
}

struct Controller {
    shutdown: CancellationToken,
}

#[async_trait]
impl GrpcController for Controller {
    async fn shutdown(&self, _request: Request<Empty>) -> Result<Response<Empty>, Status> {
        self.shutdown.cancel();
        Ok(Response::new(Empty {}))
    }
}

/// A streamed response, which stays open until the process ends.
type ResponseStream<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Streams what the plugin wrote to its stdout and stderr. This one writes only its log there, and the host reads that
/// from stderr itself, so the stream stays open and empty.
struct Stdio {
    closing: CancellationToken,
}

#[async_trait]
impl GrpcStdio for Stdio {
    type StreamStdioStream = ResponseStream<StdioData>;

    async fn stream_stdio(&self, _request: Request<()>) -> Result<Response<Self::StreamStdioStream>, Status> {
        let closing = self.closing.clone().cancelled_owned();
        Ok(Response::new(Box::pin(stream::pending().take_until(closing))))
    }
}

/// Announces further connections between the two sides. Nothing here needs one, so announcements are read and ignored.
struct Broker {
    closing: CancellationToken,
}

#[async_trait]
impl GrpcBroker for Broker {
    type StartStreamStream = ResponseStream<ConnInfo>;

    async fn start_stream(
        &self,
        request: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<Self::StartStreamStream>, Status> {
        let client_closed = request.into_inner().for_each(|_| std::future::ready(()));
        let closing = self.closing.clone().cancelled_owned();
        let ended = async move {
            let (Either::Left(_) | Either::Right(_)) =
                select(std::pin::pin!(client_closed), std::pin::pin!(closing)).await;
        };
        Ok(Response::new(Box::pin(stream::pending().take_until(ended))))
    }
}
