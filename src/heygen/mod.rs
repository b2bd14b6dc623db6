//! HeyGen's webhook API: its requests and answers as plain values, and the client that exchanges them.
//!
//! The client repeats what is safe to repeat ([`Client`], one table in `retry`), reads the list of endpoints once for
//! everybody who asks ([`Client::find`]), and says of every failure whose fault it was and whether HeyGen may have
//! acted all the same ([`Failure`]). It knows nothing of the program around it.

mod answer;
mod call;
mod client;
mod endpoint;
mod error;
mod event;
mod pages;
mod redact;
mod request;
mod retry;
mod secret;
mod settings;
mod transport;
mod walk;

#[cfg(test)]
mod tests;

pub use client::{Client, Stop};
pub use endpoint::{Endpoint, EndpointId, Events, InvalidEndpointId};
pub use error::{Effect, Failure, Fault};
pub use event::{Event, EventFilter, EventType};
pub use request::{CreateEndpoint, EndpointPatch, Operation};
pub use secret::Secret;
pub use settings::{BaseUrl, Credential, InvalidBaseUrl, InvalidCredential, Pace, Settings};
