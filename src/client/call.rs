//! One decision call: what can be set on it, what is checked before anything is sent, and the exact bytes of it.

use super::attempt::{EVENTS_KEPT, Observer, Running};
use super::error::ClientError;
use super::look::Looked;
use super::run::{End, Run};
use super::{AegisClient, header};

use crate::domain::json::{self, Limits};
use crate::domain::{Resolution, Try, Verdict};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Uri, header as names};
use std::fmt::Write as _;
use std::time::Duration;
use tokio::sync::mpsc;
use uuid::Uuid;

/// A decision that is about to be sent. Made by [`AegisClient::approve`] and its siblings; nothing happens until
/// [`send`](Self::send) or [`start`](Self::start).
#[derive(Debug, Clone)]
#[must_use = "a decision does nothing until it is sent"]
pub struct DecisionCall {
    client: AegisClient,
    verdict: Verdict,
    key: String,
    tenant_id: Option<String>,
    thread_id: Option<String>,
    body: Body,
    request_id: Uuid,
    manner: Manner,
}

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
}

#[derive(Debug, Clone)]
enum Body {
    /// A payload to which the tenant and the thread are added.
    Payload(String),
    /// Sent as it is.
    Exact(String),
}

impl DecisionCall {
    pub(crate) fn new(client: AegisClient, verdict: Verdict, key: String) -> Self {
        Self {
            client,
            verdict,
            key,
            tenant_id: None,
            thread_id: None,
            body: Body::Payload("{}".into()),
            request_id: Uuid::new_v4(),
            manner: Manner::default(),
        }
    }

    /// The tenant, instead of the client's.
    pub fn tenant_id(mut self, tenant_id: impl Into<String>) -> Self {
        self.tenant_id = Some(tenant_id.into());
        self
    }

    /// The thread, instead of the client's.
    pub fn thread_id(mut self, thread_id: impl Into<String>) -> Self {
        self.thread_id = Some(thread_id.into());
        self
    }

    /// The payload: the text of a JSON object. Its members are sent as they stand, byte for byte; `tenant_id` and
    /// `thread_id` are added after them where it does not have them itself and they are known.
    pub fn payload(mut self, payload: impl Into<String>) -> Self {
        self.body = Body::Payload(payload.into());
        self
    }

    /// The whole body: the text of a JSON object, to which nothing is added.
    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.body = Body::Exact(body.into());
        self
    }

    /// The `X-Request-Id`, instead of a fresh one.
    pub fn request_id(mut self, request_id: Uuid) -> Self {
        self.request_id = request_id;
        self
    }

    /// Says that a call with this request id may have been sent before, by an earlier run: then the server is asked
    /// what became of it first, and no refusal is taken to mean that it did not land.
    pub fn sent_before(mut self, maybe: bool) -> Self {
        self.manner.sent_before = maybe;
        self
    }

    /// The tries of earlier runs: this run's numbers go on from them, and the resolution lists them too.
    pub fn tried_before(mut self, tries: Vec<Try>) -> Self {
        self.manner.tried_before = tries;
        self
    }

    /// How often this call is sent again after its first try, instead of the client's number.
    pub fn max_retries(mut self, max_retries: u32) -> Self {
        self.manner.max_retries = Some(max_retries);
        self
    }

    /// The time for this call, instead of the client's: for the sequel of one that was put off.
    pub(crate) fn deadline(mut self, deadline: Duration) -> Self {
        self.manner.deadline = Some(deadline);
        self
    }

    /// For a caller that keeps the decision and comes back to it: the call ends with 202, or where it finds it
    /// `PENDING`, instead of watching on, and ends early where the server is held off.
    pub(crate) fn comes_back(mut self) -> Self {
        self.manner.comes_back = true;
        self
    }

    /// One look and one try that are paid for: an earlier run has given up, and this is its sequel.
    pub(crate) fn once_more(mut self) -> Self {
        self.manner.pays = true;
        self.max_retries(0).sent_before(true).comes_back()
    }

    /// The exact bytes that every try will send: for a journal that has them before anything is sent.
    ///
    /// # Errors
    /// As [`send`](Self::send): all that can be wrong before anything is sent.
    pub fn exact_body(&self) -> Result<String, ClientError> {
        let (_, prepared) = self.clone().prepare()?;
        // It was made of a `String`.
        Ok(String::from_utf8_lossy(&prepared.body).into_owned())
    }

    /// Sends the decision and returns what became of it.
    ///
    /// # Errors
    /// Only for what is wrong before anything is sent; the message names it.
    pub async fn send(self) -> Result<Resolution, ClientError> {
        let (client, prepared) = self.prepare()?;
        Ok(Run::new(client, prepared, None).resolve().await.resolution)
    }

    /// As [`send`](Self::send), in two halves: what happens, and how it ends.
    ///
    /// ```
    /// # use aegis_console::client::{AegisClient, AttemptEvent, Bytes, TransportError, http};
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    /// # runtime.block_on(async {
    /// # let down = |_: http::Request<Bytes>| -> Result<http::Response<Bytes>, TransportError> {
    /// #     Err(TransportError::not_sent("connection refused"))
    /// # };
    /// # let client = AegisClient::builder().tenant_id("t").thread_id("h").max_retries(0)
    /// #     .transport(std::sync::Arc::new(down)).build()?;
    /// let mut running = client.approve("refund-7").start()?;
    /// let show = async {
    ///     while let Some(event) = running.events.recv().await {
    ///         if let AttemptEvent::Answered { number, error: Some(error), .. } = event {
    ///             println!("try {number}: {error}");
    ///         }
    ///     }
    /// };
    /// let (resolution, ()) = futures_util::future::join(running.resolution, show).await;
    /// println!("{}", resolution.outcome.word());
    /// # assert_eq!(resolution.outcome.word(), "not_sent");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn start(self) -> Result<Running, ClientError> {
        let (client, prepared) = self.prepare()?;
        let (sender, events) = mpsc::channel(EVENTS_KEPT);
        let run = Run::new(client, prepared, Some(Box::new(sender)));
        Ok(Running { events, resolution: Box::pin(async move { run.resolve().await.resolution }) })
    }

    /// As [`start`](Self::start), for the dispatcher: it is asked before each try, and told when to come back.
    pub(crate) fn begin(
        self,
        observer: Box<dyn Observer>,
    ) -> Result<impl Future<Output = End> + Send + use<>, ClientError> {
        let (client, prepared) = self.prepare()?;
        Ok(Run::new(client, prepared, Some(observer)).resolve())
    }

    /// Checks everything that [`send`](Self::send) checks. Nothing is sent.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn check(&self) -> Result<(), ClientError> {
        self.clone().prepare().map(drop)
    }

    /// Asks once what became of the call. Nothing is sent that could decide.
    pub(crate) async fn look(self) -> Result<Looked, ClientError> {
        let (client, prepared) = self.prepare()?;
        Ok(Run::new(client, prepared, None).only_look().await)
    }

    fn prepare(self) -> Result<(AegisClient, Prepared), ClientError> {
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
    body: Bytes,
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
