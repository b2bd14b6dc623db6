//! Answers as plain values: the documented envelopes, and the errors with their codes.

use axum::http::{HeaderName, StatusCode, header::RETRY_AFTER};
use serde_json::{Value, json};

use super::route::Route;

/// An answer of the API before it becomes bytes.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// Headers beside the content type and the request id.
    pub headers: Vec<(HeaderName, String)>,
    /// Always JSON, but for what stands in it for a value that no decoder can read.
    pub body: Value,
}

/// An error of the API: its status, its code, and what it says.
#[derive(Clone, Debug)]
pub struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    param: Option<String>,
    retry_after: Option<String>,
}

impl Answer {
    /// 200 with `{"data": …}`.
    pub fn data(data: Value) -> Self {
        Self::ok([("data", data)])
    }

    /// 200 with a page: the cursor stands beside the data.
    pub fn page(items: Vec<Value>, next_token: Option<&str>) -> Self {
        Self::ok([
            ("data", Value::Array(items)),
            ("has_more", json!(next_token.is_some())),
            ("next_token", json!(next_token)),
        ])
    }

    /// 200 with an error in it, and with `data` that holds nothing.
    pub fn error_in_success(route: Route) -> Self {
        let Self { body: error, .. } = Refusal::server_error(StatusCode::INTERNAL_SERVER_ERROR).into();
        let mut answer = if route.is_list() {
            Self::page(Vec::new(), None)
        } else {
            Self::data(json!({}))
        };
        answer.body["error"] = error["error"].clone();
        answer
    }

    /// Gives the answer, its error, and every object of its `data` a field that nobody has documented.
    pub fn add_field(&mut self, name: &str, value: &Value) {
        let mut add = |object: &mut Value| {
            if let Value::Object(object) = object {
                object.insert(name.to_owned(), value.clone());
            }
        };
        for part in ["data", "error"] {
            match self.body.get_mut(part) {
                Some(Value::Array(items)) => items.iter_mut().for_each(&mut add),
                Some(part) => add(part),
                None => {}
            }
        }
        add(&mut self.body);
    }

    /// Whether a retry with the same idempotency key gets this answer again. A passing condition
    /// is not the outcome of a request, so it frees the key.
    pub fn is_final(&self) -> bool {
        let passing = self.status.is_server_error()
            || self.status == StatusCode::TOO_MANY_REQUESTS
            || self.status == StatusCode::UNAUTHORIZED;
        !passing
    }

    fn ok<const FIELDS: usize>(fields: [(&str, Value); FIELDS]) -> Self {
        let fields = fields.map(|(name, value)| (name.to_owned(), value));
        Self {
            status: StatusCode::OK,
            headers: Vec::new(),
            body: Value::Object(fields.into_iter().collect()),
        }
    }
}

impl Refusal {
    /// 400: something about the request is wrong; `param` names it.
    pub fn invalid(param: &str, message: impl Into<String>) -> Self {
        Self {
            param: Some(param.to_owned()),
            ..Self::new(StatusCode::BAD_REQUEST, "invalid_parameter", message)
        }
    }

    /// 400: the body as a whole is wrong.
    pub fn invalid_body(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_parameter", message)
    }

    /// 401: no key, or not the right one. The two cannot be told apart.
    pub fn unauthorized() -> Self {
        let message = "Missing or invalid credentials.";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
    }

    /// 401: more than one kind of credential.
    pub fn two_credentials() -> Self {
        let message = "Send either X-Api-Key or Authorization, not both.";
        Self::new(StatusCode::UNAUTHORIZED, "authentication_failed", message)
    }

    /// 404: no such route.
    pub fn no_route() -> Self {
        let message = "There is nothing at this address.";
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// 404: no such endpoint.
    pub fn no_endpoint() -> Self {
        let message = "Webhook endpoint not found.";
        Self::new(StatusCode::NOT_FOUND, "webhook_not_found", message)
    }

    /// 409: the request of this idempotency key has not been answered yet.
    pub fn in_progress() -> Self {
        let message = "A request with this Idempotency-Key is still being processed.";
        Self::new(StatusCode::CONFLICT, "request_in_progress", message)
    }

    /// 409: another endpoint has this URL.
    pub fn conflict() -> Self {
        let message = "A webhook endpoint with this URL is already registered.";
        Self::new(StatusCode::CONFLICT, "conflict", message)
    }

    /// 429: too many requests.
    pub fn rate_limited(retry_after: Option<String>) -> Self {
        let message = "Too many requests.";
        Self {
            retry_after,
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", message)
        }
    }

    /// 429: the account holds as many endpoints as it may.
    pub fn limit_reached(limit: usize) -> Self {
        let message = format!("This account may have {limit} webhook endpoints.");
        Self {
            retry_after: Some("1".to_owned()),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "resource_limit_reached", message)
        }
    }

    /// A server's error of this status.
    pub fn server_error(status: StatusCode) -> Self {
        Self::new(status, "internal_error", "Something went wrong.")
    }

    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            param: None,
            retry_after: None,
        }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let mut error = json!({ "code": refusal.code, "message": refusal.message });
        if let Some(param) = refusal.param {
            error["param"] = json!(param);
        }
        let retry_after = refusal.retry_after.map(|after| (RETRY_AFTER, after));
        Self {
            status: refusal.status,
            headers: retry_after.into_iter().collect(),
            body: json!({ "error": error }),
        }
    }
}
