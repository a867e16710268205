//! What the client needs of HTTP: one request, one whole answer. Everything else is up to the implementation.
//!
//! The trait is small so that tests and simulations can stand in for a server. It must not retry, follow redirects or
//! interpret an answer: that is the client's work.

use super::error::TransportError;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::time::Duration;

/// Sends one request and brings back one whole answer.
///
/// An implementation must not send a request twice, must not follow redirects, and must say
/// [`Lost`](super::TransportClass::Lost) unless it knows that no byte of the request left. An answer is whole when its
/// framing is complete, or when so much of the body came that the rest was not wanted ([`BodyCut`]).
///
/// The client uses a transport and never closes it. Every function from a request to a result is one:
///
/// ```
/// use aegis_console::client::{AegisClient, Bytes, TransportError, http};
/// use aegis_console::domain::Outcome;
/// use std::sync::Arc;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
/// # runtime.block_on(async {
/// let server = |request: http::Request<Bytes>| -> Result<http::Response<Bytes>, TransportError> {
///     assert_eq!(request.headers()["idempotency-key"], "refund-7");
///     let body = Bytes::from_static(br#"{"status": "COMMITTED"}"#);
///     let mut answer = http::Response::new(body);
///     *answer.status_mut() = http::StatusCode::ACCEPTED;
///     Ok(answer)
/// };
/// let client = AegisClient::builder()
///     .tenant_id("acme")
///     .thread_id("order-42")
///     .transport(Arc::new(server))
///     .build()?;
/// let resolution = client.approve("refund-7").send().await?;
/// assert_eq!(resolution.outcome, Outcome::Committed);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Transport: Send + Sync {
    /// Sends `request` once. The whole of it, body included, must end within `timeout`; the client gives up on its own
    /// when it does not.
    fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>>;
}

impl<F> Transport for F
where
    F: Fn(http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> + Send + Sync,
{
    fn send(
        &self,
        request: http::Request<Bytes>,
        _timeout: Duration,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        Box::pin(std::future::ready(self(request)))
    }
}

/// Marks an answer (in its extensions) whose body was longer than the transport takes; what there is of it must not be
/// read as if it were the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyCut;
