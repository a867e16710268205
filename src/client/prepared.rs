//! What is checked before anything is sent, and the exact bytes of a call. Nothing here sends.

use super::call::DecisionCall;
use super::error::ClientError;
use super::{AegisClient, header};
use crate::domain::json::{self, Limits};
use crate::domain::{Try, Verdict};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Uri, header as names};
use std::fmt::Write as _;
use std::time::Duration;

/// How a call is carried out, beside what it says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manner {
    /// An earlier run may have sent it.
    pub(crate) sent_before: bool,
    /// The tries of earlier runs.
    pub(crate) tried_before: Vec<Try>,
    /// Instead of the client's.
    pub(crate) max_retries: Option<u32>,
    /// Instead of the client's.
    pub(crate) deadline: Option<Duration>,
    /// Whoever sent it comes back to it: it ends with 202 or `PENDING` instead of watching on, and waits for no breaker.
    pub(crate) comes_back: bool,
    /// Even its first try is one that is asked again.
    pub(crate) pays: bool,
    /// It counted when the server was last heard: what a look then says is what became of it.
    pub(crate) counted: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Body {
    /// A payload to which the tenant and the thread are added.
    Payload(String),
    /// Sent as it is.
    Exact(String),
}

impl DecisionCall {
    pub(super) fn prepare(self) -> Result<(AegisClient, Prepared), ClientError> {
        let client = self.client;
        let tenant_id = known(self.tenant_id.as_ref()).or_else(|| known(client.inner.tenant_id.as_ref()));
        let thread_id = known(self.thread_id.as_ref()).or_else(|| known(client.inner.thread_id.as_ref()));
        if client.inner.authorization.is_none() && tenant_id.is_none() {
            return Err(ClientError::MissingTenant);
        }
        let thread_id = thread_id.ok_or(ClientError::MissingThread)?;
        let key_fits = (1..=255).contains(&self.key.len()) && self.key.bytes().all(|b| b.is_ascii_graphic());
        let key = HeaderValue::from_str(&self.key).ok().filter(|_| key_fits).ok_or(ClientError::BadKey)?;
        let body = match &self.body {
            Body::Exact(text) => object(text).map(|_| text.clone())?,
            Body::Payload(text) => with_ids(text, tenant_id, thread_id)?,
        };
        let request_id = self.request_id.to_string();
        let uuid = HeaderValue::from_str(&request_id).map_err(|_| ClientError::BadRequestId)?;

        let asking = client.inner.credentials(tenant_id, Some(thread_id))?;
        let mut deciding = asking.clone();
        deciding.insert(header::IDEMPOTENCY_KEY, key);
        deciding.insert(header::X_REQUEST_ID, uuid);
        deciding.insert(names::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let prepared = Prepared {
            verdict: self.verdict,
            decide: client.inner.address.uri(&format!("/hitl/{}", self.verdict.word()))?,
            status: client.inner.address.uri(&format!("/hitl/status/{request_id}"))?,
            request_id,
            key: self.key,
            deciding,
            asking,
            body: body.into(),
            manner: self.manner,
        };
        Ok((client, prepared))
    }
}

/// A call whose every byte is fixed. Each try sends the same.
pub(crate) struct Prepared {
    pub(crate) verdict: Verdict,
    pub(crate) request_id: String,
    pub(crate) key: String,
    pub(crate) manner: Manner,
    decide: Uri,
    status: Uri,
    deciding: HeaderMap,
    asking: HeaderMap,
    pub(super) body: Bytes,
}

impl Prepared {
    pub(crate) fn decision(&self) -> http::Request<Bytes> {
        let mut request = http::Request::new(self.body.clone());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.decide.clone();
        *request.headers_mut() = self.deciding.clone();
        request
    }

    pub(crate) fn status(&self) -> http::Request<Bytes> {
        get(self.status.clone(), self.asking.clone())
    }
}

pub(crate) fn get(uri: Uri, headers: HeaderMap) -> http::Request<Bytes> {
    let mut request = http::Request::new(Bytes::new());
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    request
}

/// As the published client has it, an empty text is a missing one.
pub(crate) fn known(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

fn object(text: &str) -> Result<json::Value, ClientError> {
    let value = json::parse_unique(text.as_bytes(), Limits::SEALED)?;
    if value.as_object().is_some() { Ok(value) } else { Err(ClientError::PayloadNotAnObject) }
}

/// The payload's own bytes with what it lacks added before its closing brace.
fn with_ids(payload: &str, tenant_id: Option<&str>, thread_id: &str) -> Result<String, ClientError> {
    let value = object(payload)?;
    let inside = value.text(payload).strip_suffix('}').unwrap_or_default();
    let mut body = inside.to_owned();
    let mut first = value.as_object().is_none_or(<[_]>::is_empty);
    for (name, text) in [("tenant_id", tenant_id), ("thread_id", Some(thread_id))] {
        let Some(text) = text.filter(|_| value.get(name).is_none()) else { continue };
        let comma = if first { "" } else { "," };
        // Writing to a String cannot fail.
        let _ = write!(body, "{comma}\"{name}\":{}", json::quote(text));
        first = false;
    }
    body.push('}');
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payloads_bytes_stay_and_the_ids_are_added() {
        for (payload, tenant_id, body) in [
            ("{}", Some("t"), r#"{"tenant_id":"t","thread_id":"h"}"#),
            (" { } ", Some("t"), r#"{ "tenant_id":"t","thread_id":"h"}"#),
            ("{}", None, r#"{"thread_id":"h"}"#),
            (
                r#"{ "n": 1.10, "b":9007199254740993 }"#,
                Some("t"),
                r#"{ "n": 1.10, "b":9007199254740993 ,"tenant_id":"t","thread_id":"h"}"#,
            ),
            (r#"{"thread_id":"own"}"#, Some("t"), r#"{"thread_id":"own","tenant_id":"t"}"#),
            (
                r#"{"tenant_id":null,"thread_\u0069d":1}"#,
                Some("t"),
                r#"{"tenant_id":null,"thread_\u0069d":1}"#,
            ),
            ("{}", Some("a\"\\b"), r#"{"tenant_id":"a\"\\b","thread_id":"h"}"#),
        ] {
            assert_eq!(with_ids(payload, tenant_id, "h").unwrap(), body);
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        assert_eq!(with_ids("[]", None, "h"), Err(ClientError::PayloadNotAnObject));
        for bad in ["", "{", r#"{"a":1,"a":2}"#, "{}x"] {
            let error = with_ids(bad, None, "h").unwrap_err().to_string();
            assert!(error.contains("payload"), "{bad}: {error}");
        }
    }
}
