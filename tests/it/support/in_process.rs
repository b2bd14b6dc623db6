//! A provider's gRPC service in the test's own process, without a socket.

use std::future::ready;
use std::io;

use hyper_util::rt::TokioIo;
use terraform_provider_heygen::terraform::proto::provider_client::ProviderClient;
use terraform_provider_heygen::terraform::proto::provider_server::{Provider, ProviderServer};
use tonic::transport::{Channel, Endpoint, Server};

/// What a pipe holds before its writer has to wait.
const PIPE: usize = 1 << 16;

/// A client of this service. Each connection is served by itself, so that one that broke is made anew. Needs a runtime's
/// context, and lives as long as the runtime.
pub fn client_of<P: Provider>(service: ProviderServer<P>) -> ProviderClient<Channel> {
    let connector = tower::service_fn(move |_| {
        let (near, far) = tokio::io::duplex(PIPE);
        let incoming = tokio_stream::once(Ok::<_, io::Error>(far));
        let serving = Server::builder().add_service(service.clone());
        tokio::spawn(serving.serve_with_incoming(incoming));
        ready(Ok::<_, io::Error>(TokioIo::new(near)))
    });
    ProviderClient::new(Endpoint::from_static("http://in-process").connect_with_connector_lazy(connector))
}
