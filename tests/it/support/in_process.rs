//! The provider, or any other, in the test's own process: its gRPC service without a socket.

use std::future::ready;
use std::io;

use hyper_util::rt::TokioIo;
use terraform_provider_heygen::provider::{Environment, HeygenProvider};
use terraform_provider_heygen::terraform::Service;
use terraform_provider_heygen::terraform::proto::provider_client::ProviderClient;
use terraform_provider_heygen::terraform::proto::provider_server::{Provider, ProviderServer};
use tonic::transport::{Channel, Endpoint, Server};

use crate::core::Core;
use crate::fake_heygen::FakeHeygen;

/// What a pipe holds before its writer has to wait.
const PIPE: usize = 1 << 16;

/// The variables that point the provider at an account.
pub fn environment(heygen: &FakeHeygen) -> Environment {
    Environment {
        api_key: Some(heygen.api_key().into()),
        base_url: Some(heygen.base_url().into()),
        ..Environment::default()
    }
}

/// The provider in this environment, not configured yet. Takes and gives messages of any size, as Terraform does.
pub fn provider(environment: Environment) -> ProviderClient<Channel> {
    client_of(Service::new(HeygenProvider::new(environment)).into_server())
        .max_decoding_message_size(usize::MAX)
        .max_encoding_message_size(usize::MAX)
}

/// The model of Terraform's core upon the provider in this environment, not configured yet.
pub async fn core(environment: Environment) -> Core {
    let connected = Core::connect(provider(environment)).await;
    connected.unwrap_or_else(|violations| panic!("{violations:?}"))
}

/// A client of this service. Each connection is served by itself, so that one that broke is made anew. Needs a
/// runtime's context, and lives as long as the runtime.
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
