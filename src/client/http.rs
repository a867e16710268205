//! The transport over reqwest: redirects off, retries off, no proxy for this machine, every answer limited.
//!
//! The one place where a `reqwest::Client` is made and its errors are put into words. It must not decide what an
//! answer means.

use super::address;
use super::authorities::Authorities;
use super::error::{ClientError, TransportError};
use super::reactor::Reactor;
use super::transport::{BodyCut, Transport};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::Url;

#[cfg(feature = "console")]
use ::http::Method;
pub use ::http::{HeaderMap, Request, Response, StatusCode};

/// Bytes of an answer's body that are read; what comes after is left.
pub const BODY_LIMIT: usize = 64 * 1024;
/// Header lines that an answer may have.
pub const HEADER_LIMIT: usize = 64;
/// Requests of one transport that are on their way at the same time, and so its connections; the others wait for one of
/// these to end. More connections only cost both sides: at 500 a client is slower than at 64.
const IN_FLIGHT: usize = 64;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Shorter than the keep-alive of most servers, so that a connection which is about to be closed is not used.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// HTTP with one server, as every part of this program speaks it: it follows no redirect, repeats nothing by itself,
/// decompresses nothing, takes 3 s at most to connect, uses no proxy where the host is this machine, and serves its
/// sockets on a thread of their own. It has no timeout for an answer: keep the time where you wait for it. Cheap to
/// clone; clones share connections.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
    reactor: Arc<Reactor>,
}

impl Http {
    /// For the server at `base_url`, whose certificate one of the authorities must vouch for; without any, one of those
    /// that this machine trusts.
    ///
    /// # Errors
    /// [`ClientError::Setup`] where TLS is needed and this machine has no certificates to trust, or where no thread can
    /// be started.
    pub fn new(base_url: &Url, authorities: &Authorities) -> Result<Self, ClientError> {
        Self::connecting_within(base_url, authorities, CONNECT_TIMEOUT)
    }

    fn connecting_within(
        base_url: &Url,
        authorities: &Authorities,
        time: Duration,
    ) -> Result<Self, ClientError> {
        let client = build(base_url, authorities, time)?;
        let reactor = Reactor::start().map_err(|error| ClientError::Setup(error.to_string()))?;
        Ok(Self { client, reactor: Arc::new(reactor) })
    }

    /// Starts to make a request.
    #[cfg(feature = "console")]
    pub(crate) fn request(&self, method: Method, url: &str) -> reqwest::RequestBuilder {
        self.client.request(method, url)
    }

    /// Sends the request and returns the head of the answer, whose body can be read as long as this or a clone of it
    /// lives.
    ///
    /// # Errors
    /// Where no answer came; whether the request may have arrived all the same is its class.
    pub async fn execute(&self, request: reqwest::Request) -> Result<reqwest::Response, TransportError> {
        let client = self.client.clone();
        self.run(async move { client.execute(request).await.map_err(|error| failure(&error)) }).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, TransportError>> + Send + 'static,
    ) -> Result<T, TransportError> {
        // A panic in there has been reported by the panic hook.
        self.reactor.run(work).await.unwrap_or_else(|| Err(TransportError::lost("the request failed")))
    }
}

fn build(
    base_url: &Url,
    authorities: &Authorities,
    connect_timeout: Duration,
) -> Result<reqwest::Client, ClientError> {
    // An error says that a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IN_FLIGHT)
        .tcp_keepalive(KEEP_ALIVE)
        .http1_title_case_headers()
        .user_agent(concat!("aegis-console/", env!("CARGO_PKG_VERSION")));
    if address::is_this_machine(base_url) {
        builder = builder.no_proxy();
    }
    if base_url.scheme() == "http" {
        // No TLS is spoken, so a machine without a certificate store must not fail for want of one. Trusting nobody
        // keeps it safe all the same.
        let trusts_nobody = rustls::ClientConfig::builder()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        builder = builder.tls_backend_preconfigured(trusts_nobody);
    } else if !authorities.is_empty() {
        builder = builder.tls_certs_only(authorities.certificates());
    }
    builder.build().map_err(|error| ClientError::Setup(words(&error)))
}

/// The [`Transport`] over real HTTP.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    http: Http,
    places: Arc<Semaphore>,
    body_limit: usize,
}

impl HttpTransport {
    /// A transport for `base_url`. `timeout` is what one try will be given; connecting gets a part of it, so that a
    /// host that does not answer at all is known as *not sent* rather than as a lost answer.
    ///
    /// # Errors
    /// As [`Http::new`].
    pub fn new(base_url: &Url, timeout: Duration) -> Result<Self, ClientError> {
        Self::trusting(base_url, &Authorities::default(), timeout)
    }

    /// The same, trusting those authorities, where there are any, instead of this machine's.
    ///
    /// # Errors
    /// As [`Http::new`].
    pub fn trusting(
        base_url: &Url,
        authorities: &Authorities,
        timeout: Duration,
    ) -> Result<Self, ClientError> {
        let http = Http::connecting_within(base_url, authorities, CONNECT_TIMEOUT.min(timeout * 9 / 10))?;
        Ok(Self { http, places: Arc::new(Semaphore::new(IN_FLIGHT)), body_limit: BODY_LIMIT })
    }

    /// Takes bodies up to that many bytes instead of [`BODY_LIMIT`]: for a queue's entries, which are larger than the
    /// answer to a decision.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    async fn exchange(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, TransportError> {
        let request =
            reqwest::Request::try_from(request).map_err(|error| TransportError::not_sent(words(&error)))?;
        let started = Instant::now();
        // It is never closed.
        let Ok(_place) = tokio::time::timeout(timeout, self.places.acquire()).await else {
            let words = format!("{IN_FLIGHT} other requests were waiting for their answers all the while");
            return Err(TransportError::not_sent(words));
        };
        let (client, limit) = (self.http.client.clone(), self.body_limit);
        let whole = self.http.run(async move {
            let response = client.execute(request).await.map_err(|error| failure(&error))?;
            read(response, limit).await
        });
        let left = timeout.saturating_sub(started.elapsed());
        tokio::time::timeout(left, whole).await.unwrap_or_else(|_| Err(TransportError::lost("timed out")))
    }
}

/// The whole answer, of its body no more than the limit.
async fn read(mut response: reqwest::Response, limit: usize) -> Result<Response<Bytes>, TransportError> {
    if response.headers().len() > HEADER_LIMIT {
        return Err(TransportError::lost(format!("the answer has more than {HEADER_LIMIT} headers")));
    }
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    let (mut body, mut cut) = (Vec::new(), false);
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
        let room = limit - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            cut = true;
            break;
        }
    }
    let mut whole = Response::new(Bytes::from(body));
    *whole.status_mut() = status;
    *whole.headers_mut() = headers;
    if cut {
        whole.extensions_mut().insert(BodyCut);
    }
    Ok(whole)
}

impl Transport for HttpTransport {
    fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(self.exchange(request, timeout))
    }
}

/// Only what failed while connecting is known not to have been sent.
fn failure(error: &reqwest::Error) -> TransportError {
    if error.is_connect() || error.is_builder() {
        TransportError::not_sent(words(error))
    } else {
        TransportError::lost(words(error))
    }
}

/// A few plain words for an error; never its URL.
pub(crate) fn words(error: &reqwest::Error) -> String {
    let mut innermost = error.source();
    while let Some(cause) = innermost {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            match io.kind() {
                io::ErrorKind::ConnectionRefused => return "connection refused".into(),
                io::ErrorKind::ConnectionReset => return "the connection was reset".into(),
                io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => {
                    return "the connection was closed".into();
                }
                io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
                    return "the host cannot be reached".into();
                }
                _ => {}
            }
        }
        match cause.source() {
            Some(next) => innermost = Some(next),
            None => break,
        }
    }
    match innermost {
        _ if error.is_timeout() && error.is_connect() => "timed out while connecting".into(),
        _ if error.is_timeout() => "timed out".into(),
        Some(cause) if error.is_connect() => format!("cannot connect: {cause}"),
        Some(cause) => cause.to_string(),
        None if error.is_connect() => "cannot connect".into(),
        None => "the request failed".into(),
    }
}
