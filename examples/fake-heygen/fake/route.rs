//! The seven calls of the webhook API.

use axum::http::Method;
use serde::{Deserialize, Serialize};

/// A call of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// `POST /v3/webhooks/endpoints`
    Create,
    /// `GET /v3/webhooks/endpoints`
    List,
    /// `PATCH /v3/webhooks/endpoints/{endpoint_id}`
    Update,
    /// `DELETE /v3/webhooks/endpoints/{endpoint_id}`
    Delete,
    /// `POST /v3/webhooks/endpoints/{endpoint_id}/rotate-secret`
    Rotate,
    /// `GET /v3/webhooks/event-types`
    EventTypes,
    /// `GET /v3/webhooks/events`
    Events,
}

impl Route {
    /// The call a request line names, and the endpoint's id, empty where the call has none.
    pub fn recognise<'p>(method: &Method, path: &'p str) -> Option<(Self, &'p str)> {
        let path = path.strip_prefix("/v3/webhooks/")?;
        let parts: Vec<&str> = path.split('/').collect();
        let (route, id) = match (method.as_str(), parts.as_slice()) {
            ("POST", ["endpoints"]) => (Self::Create, ""),
            ("GET", ["endpoints"]) => (Self::List, ""),
            ("PATCH", ["endpoints", id]) if !id.is_empty() => (Self::Update, *id),
            ("DELETE", ["endpoints", id]) if !id.is_empty() => (Self::Delete, *id),
            ("POST", ["endpoints", id, "rotate-secret"]) => (Self::Rotate, *id),
            ("GET", ["event-types"]) => (Self::EventTypes, ""),
            ("GET", ["events"]) => (Self::Events, ""),
            _ => return None,
        };
        Some((route, id))
    }

    /// Whether it is answered with a page.
    pub fn is_list(self) -> bool {
        matches!(self, Self::List | Self::EventTypes | Self::Events)
    }

    /// Whether it takes an idempotency key: the `POST` calls do.
    pub fn takes_key(self) -> bool {
        matches!(self, Self::Create | Self::Rotate)
    }
}
