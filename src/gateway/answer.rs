//! How the gateway says no: one refusal, written as a problem (RFC 9457) for reviewers and in AAP's form for agents.
//!
//! A handler returns a [`Refusal`]; the door renders it by the path that was called. Nothing here decides anything.

use super::store::StoreError;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// A refusal: the status, a stable word for programs, a sentence for people.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    code: &'static str,
    detail: String,
    /// What stands, for a 409 of the decision calls; `Some(Null)` where nothing does.
    decision: Option<Value>,
    /// What a 401 asks for.
    challenge: bool,
    /// Seconds, for a 429.
    retry_after: Option<u64>,
}

impl Refusal {
    /// A refusal with its word and its sentence.
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), decision: None, challenge: false, retry_after: None }
    }

    /// 400.
    pub(crate) fn bad(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// The sentence for people.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// 401, with the header that says how to come in.
    pub(crate) fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::challenge("unauthenticated", detail)
    }

    /// 401 with another word.
    pub(crate) fn challenge(code: &'static str, detail: impl Into<String>) -> Self {
        Self { challenge: true, ..Self::new(StatusCode::UNAUTHORIZED, code, detail) }
    }

    /// The word for programs.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// Adds when to come again, in seconds.
    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// Adds what stands.
    pub(crate) fn with_decision(self, decision: Value) -> Self {
        Self { decision: Some(decision), ..self }
    }

    /// The problem, for the decision calls and the queue.
    fn problem(&self) -> Response {
        let mut body = json!({
            "type": format!("urn:aegis-console:{}", self.code),
            "title": self.status.canonical_reason().unwrap_or("Refused"),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let Some(decision) = &self.decision {
            body["decision"] = decision.clone();
        }
        self.response("application/problem+json", &body)
    }

    /// The error, for agents (wire.md, part 2).
    fn aap(&self, request_id: &str) -> Response {
        let kind = match self.status {
            StatusCode::UNAUTHORIZED => "unauthorized",
            StatusCode::FORBIDDEN | StatusCode::MISDIRECTED_REQUEST => "forbidden",
            StatusCode::NOT_FOUND => "not_found",
            StatusCode::CONFLICT => "conflict",
            StatusCode::TOO_MANY_REQUESTS => "rate_limited",
            status if status.is_server_error() => "internal_error",
            _ => "invalid_request",
        };
        let error =
            json!({"type": kind, "code": self.code, "message": self.detail, "request_id": request_id});
        self.response("application/json", &json!({ "error": error }))
    }

    /// Renders it for the path that was called.
    pub(crate) fn render(&self, path: &str, request_id: &str) -> Response {
        let agents = path == "/aap" || path.starts_with("/aap/");
        if agents { self.aap(request_id) } else { self.problem() }
    }

    fn response(&self, content_type: &'static str, body: &Value) -> Response {
        let mut response = json_text(self.status, body.to_string());
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        if self.challenge {
            let challenge = HeaderValue::from_static("Bearer realm=\"aegis-console\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl IntoResponse for Refusal {
    /// An empty answer that carries the refusal; the door writes it (`door::guard`).
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        if error == StoreError::Closed {
            return Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", error.to_string());
        }
        if error == StoreError::Nul {
            return Self::new(StatusCode::UNPROCESSABLE_ENTITY, "nul_character", error.to_string());
        }
        // What the database says may name paths: it is for the log, not for whoever calls.
        tracing::error!(%error, "a call could not be carried out");
        let detail =
            "the gateway could not carry this out; nothing is known to have changed, and its log says why";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }
}

/// An answer of JSON text.
pub(crate) fn json_text(status: StatusCode, text: String) -> Response {
    let content_type = [(header::CONTENT_TYPE, "application/json")];
    (status, content_type, Body::from(text)).into_response()
}
