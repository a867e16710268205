//! The AEGIS client, usable by itself as a library: it sends a reviewer's decisions and says what became of them.
//!
//! A decision is one call under an `Idempotency-Key`. Every try at it sends the same key, the same `X-Request-Id` and
//! the same bytes. What comes back is not a bare status but an [`Outcome`](crate::domain::Outcome), which never says
//! more than is known: a 409 is asked after until it is *mine*, *same*, *conflict*, *in progress* or *unknown*, and an
//! answer that was lost is never taken for a refusal. This layer owns the wire (wire.md, part 1); it must not know of
//! the console, the gateway, a disk or a terminal.
//!
//! ```no_run
//! use aegis_console::client::AegisClient;
//! use aegis_console::domain::Outcome;
//!
//! # async fn decide(api_key: String) -> Result<(), Box<dyn std::error::Error>> {
//! let client = AegisClient::builder()
//!     .base_url("https://gate.example")
//!     .api_key(api_key)
//!     .thread_id("order-42")
//!     .build()?;
//! let resolution = client.approve("refund-7").payload(r#"{"amount": 1.10}"#).send().await?;
//! match resolution.outcome {
//!     Outcome::Accepted | Outcome::Committed | Outcome::Mine => println!("approved"),
//!     Outcome::Conflict => println!("somebody rejected it: {:?}", resolution.standing),
//!     other => println!("{}: {:?}", other.word(), resolution.detail),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | file | what |
//! |---|---|
//! | `builder`, `call` | what can be set |
//! | `prepared` | what is checked before anything is sent, the exact bytes |
//! | `run`, `sending`, `look`, `ending` | one call: the loop, a try, what is asked after it, what is said in the end |
//! | `status`, `fetch` | what is only asked for |
//! | `classify`, `retry`, `resolve` | the judgement: pure functions |
//! | `budget`, `breaker`, `origin` | what all calls to one server may ask again, and whether it is worth asking |
//! | `answer`, `retry_after` | what a server's answer says |
//! | `transport`, [`http`](mod@self::http), `reactor` | one request, one answer; over reqwest, on a thread of its own |
//!
//! To test code that uses the client, give it a [`Transport`]: any function from a request to an answer is one.

mod address;
mod answer;
mod attempt;
mod authorities;
mod breaker;
mod budget;
mod builder;
#[cfg_attr(not(feature = "console"), allow(dead_code, reason = "what only the dispatcher uses"))]
mod call;
mod classify;
mod ending;
mod error;
mod fetch;
pub mod http;
#[cfg_attr(not(feature = "console"), allow(dead_code, reason = "what only the dispatcher uses"))]
mod look;
mod origin;
#[cfg_attr(not(feature = "console"), allow(dead_code, reason = "what only the dispatcher uses"))]
mod prepared;
mod reactor;
mod resolve;
mod retry;
mod retry_after;
#[cfg_attr(not(feature = "console"), allow(dead_code, reason = "what only the dispatcher uses"))]
mod run;
mod sending;
mod status;
mod transport;

pub use attempt::{AttemptEvent, Running};
pub use authorities::Authorities;
pub use builder::Builder;
pub use bytes::Bytes;
pub use call::DecisionCall;
pub use error::{ClientError, TransportClass, TransportError};
pub use retry::Jitter;
pub use secrecy::SecretString;
pub use status::StatusAnswer;
pub use transport::{BodyCut, Transport};

#[cfg(feature = "console")]
pub(crate) use {
    attempt::Observer,
    look::Looked,
    run::{End, random},
};

use crate::domain::Verdict;
use address::Address;
use origin::Origin;
use retry::Policy;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// The headers that the decision API adds to HTTP's own.
mod header {
    use ::http::HeaderName;

    pub(crate) const TENANT_ID: HeaderName = HeaderName::from_static("tenant-id");
    pub(crate) const THREAD_ID: HeaderName = HeaderName::from_static("thread-id");
    pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
    pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
}

/// A client of one server with one credential. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct AegisClient {
    inner: Arc<Inner>,
}

struct Inner {
    address: Address,
    authorization: Option<::http::HeaderValue>,
    tenant_id: Option<String>,
    thread_id: Option<String>,
    policy: Policy,
    transport: Arc<dyn Transport>,
    authorities: Authorities,
    origin: Arc<Origin>,
}

impl AegisClient {
    /// Starts to make a client.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Approves under that key: `POST {prefix}/hitl/approve`.
    pub fn approve(&self, key: impl Into<String>) -> DecisionCall {
        self.decide(Verdict::Approve, key)
    }

    /// Rejects under that key: `POST {prefix}/hitl/reject`.
    pub fn reject(&self, key: impl Into<String>) -> DecisionCall {
        self.decide(Verdict::Reject, key)
    }

    /// Decides under that key: every decision on the same action needs the same key, whoever decides.
    pub fn decide(&self, verdict: Verdict, key: impl Into<String>) -> DecisionCall {
        DecisionCall::new(self.clone(), verdict, key.into())
    }

    /// As [`decide`](Self::decide), the verdict by its word.
    ///
    /// # Errors
    /// [`ClientError::UnknownAction`] for anything but `approve` and `reject`.
    pub fn execute(&self, action: &str, key: impl Into<String>) -> Result<DecisionCall, ClientError> {
        // Not by `FromStr`, which takes more words than these two.
        let verdict =
            [Verdict::Approve, Verdict::Reject].into_iter().find(|verdict| verdict.word() == action);
        verdict
            .map(|verdict| self.decide(verdict, key))
            .ok_or_else(|| ClientError::UnknownAction(action.to_owned()))
    }

    /// A `GET` for a path under the prefix (`/hitl/actions`), with this client's credentials: for the queue, which the
    /// decision API does not have. Send it through [`transport`](Self::transport), or through another.
    ///
    /// # Errors
    /// [`ClientError::BadPath`] where the path, or a query in it, would be rewritten.
    pub fn get(&self, path: &str) -> Result<::http::Request<Bytes>, ClientError> {
        let inner = &self.inner;
        let headers = inner.credentials(inner.tenant_id.as_deref(), inner.thread_id.as_deref())?;
        Ok(prepared::get(inner.address.uri(path)?, headers))
    }

    /// Where the server is, without the prefix.
    pub fn base_url(&self) -> &Url {
        self.inner.address.base()
    }

    /// Whose word for the server's certificate is taken: for whoever opens connections of their own to it.
    pub fn authorities(&self) -> &Authorities {
        &self.inner.authorities
    }

    /// What this client sends through.
    pub fn transport(&self) -> &Arc<dyn Transport> {
        &self.inner.transport
    }

    /// Whether calls bear an API key; else they bear the tenant's name.
    pub fn has_api_key(&self) -> bool {
        self.inner.authorization.is_some()
    }

    /// How long the server is left in peace because it did not answer five times in a row; `None` where it is not.
    /// Meanwhile a call ends at once as not sent, but for one that finds out.
    pub fn held_off(&self) -> Option<Duration> {
        self.inner.origin.holds_off()
    }

    /// Leave to ask the server something else than a call does; else how long there is none.
    #[cfg(feature = "console")]
    pub(crate) fn pass(&self) -> Result<origin::Pass, Duration> {
        self.inner.origin.admit()
    }

    /// Tries that a decision gets, the first included.
    pub fn tries(&self) -> u32 {
        self.inner.policy.of()
    }

    /// The time for one try.
    pub fn timeout(&self) -> Duration {
        self.inner.policy.timeout
    }
}

impl fmt::Debug for AegisClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AegisClient")
            .field("address", &self.inner.address)
            .field("api_key", &self.inner.authorization.as_ref().map(|_| "…"))
            .field("tenant_id", &self.inner.tenant_id)
            .field("thread_id", &self.inner.thread_id)
            .field("policy", &self.inner.policy)
            .finish_non_exhaustive()
    }
}

impl Inner {
    /// The credential, or else the tenant, and the thread where there is one.
    fn credentials(
        &self,
        tenant_id: Option<&str>,
        thread_id: Option<&str>,
    ) -> Result<::http::HeaderMap, ClientError> {
        let mut headers = ::http::HeaderMap::new();
        match (&self.authorization, tenant_id) {
            (Some(value), _) => drop(headers.insert(::http::header::AUTHORIZATION, value.clone())),
            (None, Some(tenant)) => {
                drop(headers.insert(header::TENANT_ID, header_value(tenant, "tenant_id")?));
            }
            (None, None) => {}
        }
        if let Some(thread) = thread_id {
            headers.insert(header::THREAD_ID, header_value(thread, "thread_id")?);
        }
        Ok(headers)
    }
}

/// A blank at an end would be trimmed on the way, and the server would see another name.
fn header_value(text: &str, name: &'static str) -> Result<::http::HeaderValue, ClientError> {
    let fits = text.trim() == text && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let value = ::http::HeaderValue::from_str(text).ok().filter(|_| fits);
    value.ok_or(ClientError::NotForAHeader(name))
}

/// One request within `timeout`, whatever the transport does about it.
async fn exchange(
    transport: &dyn Transport,
    request: ::http::Request<Bytes>,
    timeout: Duration,
) -> Result<::http::Response<Bytes>, TransportError> {
    match tokio::time::timeout(timeout, transport.send(request, timeout)).await {
        Ok(response) => response,
        Err(_) => Err(TransportError::lost(format!("no answer within {} s", timeout.as_secs_f64()))),
    }
}
