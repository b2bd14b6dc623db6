//! HeyGen's webhook API: its requests and answers as plain values, and the client that exchanges them.
//!
//! The client repeats what is safe to repeat ([`Client`], one table in `retry`), learns how quickly it may call where
//! HeyGen limits that (`pace`), reads the list of endpoints once for everybody who asks ([`Client::find`]), and says of
//! every failure whose fault it was and whether HeyGen may have acted all the same ([`Failure`]). It knows nothing of
//! the program around it.

mod call;
mod certificate;
mod client;
mod clock;
mod endpoint;
mod error;
mod event;
mod field;
#[cfg(all(target_os = "linux", target_feature = "crt-static"))]
mod host_names;
mod list_cache;
mod pace;
mod pages;
mod redact;
mod request;
mod response;
mod retry;
#[cfg(not(any(windows, target_vendor = "apple")))]
mod roots;
mod settings;
mod transport;

#[cfg(test)]
mod tests;

pub use client::{CallStart, Client, CreatedSince, Stop};
pub use endpoint::{Endpoint, EndpointId, Events, InvalidEndpointId, ListItem};
pub use error::{CreateFailure, Effect, Failure, Fault, LookupKey};
pub use event::{Event, EventFilter, EventType};
pub use field::{Field, FieldError};
pub use list_cache::{EndpointPage, EndpointPages};
pub use redact::{excerpt, without_signing_secrets};
pub use request::{CreateEndpoint, CreatedEndpoint, EndpointPatch, Operation};
pub use settings::{BaseUrl, Credential, CredentialOrigin, InvalidBaseUrl, InvalidCredential, Settings, Timing};
