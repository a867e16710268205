//! One HTTP call to a receiver, and its answer. No proxy, no redirect, no connection that is kept, no more bytes than are
//! wanted, ten seconds in all; and to the very address that passed.
//!
//! On hyper itself and not on reqwest: the address that was looked at is the one that is connected to because the two stand
//! in the same function, and the gateway alone, as a library, stays without a second HTTP client.

use super::address::{BARRED, Policy, Target};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, header};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Host;

/// How long a call may take, from looking the name up to the last byte that is read.
const TIME: Duration = Duration::from_secs(10);
/// Bytes that are read of an answer at most, its head and interim ones included.
const ANSWER_BYTES: usize = 64 * 1024;
/// Addresses of a name that are tried.
const ADDRESSES: usize = 4;
/// How long one of them may take to be connected to while others are left: one behind which nobody answers starves none.
const ONE_ADDRESS: Duration = Duration::from_secs(3);

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// As much of it as was wanted.
    pub(super) body: Vec<u8>,
}

/// Why there is no answer. Nothing of the URL but its host is said, and nothing that the receiver sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the URL {0}")]
    Barred(&'static str),
    #[error("its name cannot be looked up")]
    Unknown,
    #[error("it cannot be connected to")]
    Unreachable,
    #[error("it speaks no TLS, or its certificate is not trusted")]
    Tls,
    #[error("this machine trusts no certificate at all: {0}")]
    NoTls(String),
    #[error("it did not answer in HTTP")]
    Broken,
    #[error("its answer is longer than is read")]
    TooLong,
    #[error("it did not answer within 10 s")]
    Slow,
    #[error("its signing secret is none")]
    Unsigned,
}

impl Failure {
    /// Whether it is the URL's fault, and no call was made.
    pub(crate) fn is_barred(&self) -> bool {
        matches!(self, Self::Barred(_))
    }
}

/// Makes the calls.
pub(super) struct Sender {
    policy: Arc<Policy>,
    tls: OnceLock<Result<TlsConnector, String>>,
}

impl Sender {
    pub(super) fn new(policy: Arc<Policy>) -> Self {
        Self { policy, tls: OnceLock::new() }
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Posts JSON, once; reads at most `want` bytes of the answer's body.
    pub(super) async fn post(
        &self,
        target: &Target,
        headers: &[(&'static str, String)],
        body: String,
        want: usize,
    ) -> Result<Answer, Failure> {
        let request = request(target, headers, body).ok_or(Failure::Barred("cannot be called"))?;
        let call = async {
            let stream = self.connect(target).await?;
            if !target.is_tls() {
                return exchange(stream, request, want).await;
            }
            let name = match &target.host {
                Host::Domain(name) => ServerName::try_from(name.clone()).map_err(|_| Failure::Unknown)?,
                Host::Ipv4(address) => ServerName::from(IpAddr::from(*address)),
                Host::Ipv6(address) => ServerName::from(IpAddr::from(*address)),
            };
            let stream = self.tls()?.connect(name, stream).await.map_err(|_| Failure::Tls)?;
            exchange(stream, request, want).await
        };
        tokio::time::timeout(TIME, call).await.unwrap_or(Err(Failure::Slow))
    }

    /// Looks the name up, refuses it where any of its addresses is barred, and connects to one of those.
    async fn connect(&self, target: &Target) -> Result<TcpStream, Failure> {
        let addresses: Vec<SocketAddr> = match &target.host {
            Host::Ipv4(address) => vec![((*address), target.port).into()],
            Host::Ipv6(address) => vec![((*address), target.port).into()],
            Host::Domain(name) => {
                let found = tokio::net::lookup_host((name.as_str(), target.port)).await;
                found.map_err(|_| Failure::Unknown)?.collect()
            }
        };
        if addresses.is_empty() {
            return Err(Failure::Unknown);
        }
        if !addresses.iter().all(|address| self.policy.admits(target, address.ip())) {
            return Err(Failure::Barred(BARRED));
        }
        let last = addresses.len().min(ADDRESSES);
        for (place, address) in (1..).zip(addresses.into_iter().take(ADDRESSES)) {
            // The last may take what is left.
            let time = if place == last { TIME } else { ONE_ADDRESS };
            if let Ok(Ok(stream)) = tokio::time::timeout(time, TcpStream::connect(address)).await {
                return Ok(stream);
            }
        }
        Err(Failure::Unreachable)
    }

    /// What this machine trusts; read once, when it is first needed.
    fn tls(&self) -> Result<TlsConnector, Failure> {
        let made = self.tls.get_or_init(|| {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let config =
                rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
            let config = config.and_then(BuilderVerifierExt::with_platform_verifier);
            let mut config = config.map_err(|error| error.to_string())?.with_no_client_auth();
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            Ok(TlsConnector::from(Arc::new(config)))
        });
        made.clone().map_err(Failure::NoTls)
    }
}

fn request(target: &Target, headers: &[(&'static str, String)], body: String) -> Option<Request<Body>> {
    let url = &target.url;
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let host = url.port().map_or_else(|| target.host.to_string(), |port| format!("{}:{port}", target.host));
    let mut request = Request::post(path)
        .header(header::HOST, host)
        .header(header::USER_AGENT, concat!("aegis-console/", env!("CARGO_PKG_VERSION")))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONTENT_LENGTH, body.len())
        .header(header::CONNECTION, "close");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    request.body(Body::from(body)).ok()
}

/// The request and its answer, on a connection of their own that ends with them.
async fn exchange<S>(stream: S, request: Request<Body>, want: usize) -> Result<Answer, Failure>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let stream = Capped { stream, read: 0 };
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|_| Failure::Broken)?;
    let answered = async {
        let response = sender.send_request(request).await.map_err(|_| Failure::Broken)?;
        let (head, body) = response.into_parts();
        let body = if want == 0 { Vec::new() } else { whole(body, want).await? };
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    };
    tokio::pin!(answered, connection);
    tokio::select! {
        answer = &mut answered => answer,
        // What has come is there to be read, also where the other end has closed behind it.
        _ = &mut connection => answered.await,
    }
}

async fn whole(body: Incoming, want: usize) -> Result<Vec<u8>, Failure> {
    let bytes = to_bytes(Body::new(body), want).await.map_err(|_| Failure::TooLong)?;
    Ok(bytes.to_vec())
}

/// A stream of which so much is read and no more: hyper alone would skip interim answers for as long as they come.
struct Capped<S> {
    stream: S,
    read: usize,
}

impl<S: AsyncRead + Unpin> AsyncRead for Capped<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.read > ANSWER_BYTES {
            return Poll::Ready(Err(io::Error::other("more than is read of an answer")));
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.read += buffer.filled().len().saturating_sub(before);
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Capped<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
