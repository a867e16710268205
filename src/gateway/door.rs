//! What is checked before anything else, whoever calls: `Host`, `Origin`, and then the headers. Bodies: `body`.
//!
//! A page in the reviewer's own browser can reach loopback, by its address or by a name of its own that resolves to it
//! (DNS rebinding). So a call must name this gateway, and must not come from a page.

use super::Shared;
use super::answer::Refusal;
use super::auth::{Caller, Role};
use super::bounds;
use super::calls;
use super::seats::Seat;
use crate::domain::action::is_id;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use hyper::body::{Frame, SizeHint};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

/// The names by which this gateway may be called.
#[derive(Debug)]
pub(crate) struct Hosts {
    /// In lower case, without a port: the port must be the gateway's own, or not be there.
    names: Vec<String>,
    port: u16,
    /// In lower case, as given: with a port that very port, without one any.
    allowed: Vec<String>,
}

impl Hosts {
    /// The loopback names, the address that is listened on, and what the configuration adds.
    pub(crate) fn new(listen: SocketAddr, allowed: &[String]) -> Self {
        let address = match listen {
            SocketAddr::V4(address) => address.ip().to_string(),
            SocketAddr::V6(address) => format!("[{}]", address.ip()),
        };
        let mut names = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).to_vec();
        names.push(address);
        let allowed = allowed.iter().map(|host| host.to_ascii_lowercase()).collect();
        Self { names, port: listen.port(), allowed }
    }

    fn admit(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let (name, port) = match host.rsplit_once(':') {
            // The colons of a bare IPv6 address are inside its brackets.
            Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
            _ => (host.as_str(), None),
        };
        let ours = port.is_none_or(|port| port == self.port.to_string());
        (ours && self.names.iter().any(|own| own == name))
            || self.allowed.iter().any(|allowed| *allowed == host || *allowed == name)
    }
}

/// The outermost layer: refuses what may not come in, and writes every refusal in the form that its path calls for.
pub(crate) async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let request_id = single(request.headers(), "X-Request-Id").ok().flatten().filter(|id| is_id(id));
    let request_id = request_id.map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned);
    let call = calls::Call::begin(&request, &request_id);
    let (mut request, ended) = watched(request);
    let mut caller = None;
    let admitted = match admit(&shared.hosts, &request) {
        Ok(()) => {
            // There is no seat where the routes are called in process.
            let peer = request.extensions().get::<Arc<Seat>>().and_then(|seat| seat.peer());
            let identity = shared.credentials.identify(request.headers(), peer, &*shared.store).await;
            caller = identity.caller().cloned();
            request.extensions_mut().insert(identity);
            known(&shared, caller.as_ref(), &request)
        }
        Err(refusal) => Err(refusal),
    };
    let mut response = match admitted {
        Ok(counted) => {
            let response = next.run(request).await;
            drop(counted);
            response
        }
        Err(refusal) => refusal.into_response(),
    };
    let refusal = response.extensions_mut().remove::<Refusal>().or_else(|| unreadable_path(&response));
    if let Some(refusal) = &refusal {
        response = refusal.render(&path, &request_id);
    }
    call.answered(&shared, caller.as_ref(), &response, refusal.as_ref().map(Refusal::code));
    let headers = response.headers_mut();
    if !ended.load(Ordering::Relaxed) {
        // The rest of the body is not waited for, so nothing else can come on this connection: say so, or the caller
        // sends its next call into a connection that is being closed.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// What goes by who calls, whatever they call: an agent's calls are counted, a person's connection is kept.
fn known(
    shared: &Shared,
    caller: Option<&Caller>,
    request: &Request,
) -> Result<Option<bounds::Call>, Refusal> {
    let Some(caller) = caller else { return Ok(None) };
    match caller.role {
        // A provisioner is a program too: what it makes waits for somebody else's receiver.
        Role::Agent | Role::Provisioner => shared.usage.begin(caller).map(Some),
        Role::Reviewer | Role::Auditor | Role::Admin => {
            // There is none where the routes are called in process.
            if let Some(seat) = request.extensions().get::<Arc<Seat>>() {
                seat.is_reviewers();
            }
            Ok(None)
        }
    }
}

/// A body that tells whether it has been read to its end.
struct Watched {
    body: Body,
    ended: Arc<AtomicBool>,
}

fn watched(request: Request) -> (Request, Arc<AtomicBool>) {
    let ended = Arc::new(AtomicBool::new(request.body().is_end_stream()));
    let watch = |body| Body::new(Watched { body, ended: Arc::clone(&ended) });
    (request.map(watch), ended)
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(frame, Poll::Ready(None)) || self.body.is_end_stream() {
            self.ended.store(true, Ordering::Relaxed);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The framework itself answers a path whose id is no UTF-8, in plain text: no such path has anything at it.
fn unreadable_path(response: &Response) -> Option<Refusal> {
    let kind = response.headers().get(header::CONTENT_TYPE)?;
    let plain = response.status().is_client_error() && kind.as_bytes().starts_with(b"text/plain");
    plain.then(|| Refusal::new(StatusCode::NOT_FOUND, "not_found", "there is nothing at this path"))
}

fn admit(hosts: &Hosts, request: &Request) -> Result<(), Refusal> {
    let mut values = request.headers().get_all(header::HOST).iter();
    let host = match (values.next(), values.next()) {
        (Some(host), None) => host.to_str().unwrap_or_default(),
        _ => "",
    };
    let target = request.uri().authority().map_or(host, |authority| authority.as_str());
    if !hosts.admit(host) || !hosts.admit(target) {
        let detail = "the Host header does not name this gateway; call it by its own address, or start it with --allowed-host";
        return Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, "wrong_host", detail));
    }
    if request.headers().contains_key(header::ORIGIN) {
        let detail = "calls from web pages are refused: this one has an Origin header";
        return Err(Refusal::new(StatusCode::FORBIDDEN, "foreign_origin", detail));
    }
    Ok(())
}

/// The value of a header that may be there once, and then in ASCII.
pub(crate) fn single<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => match value.to_str() {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(Refusal::bad("bad_header", format!("the header {name} is not ASCII"))),
        },
        (Some(_), Some(_)) => {
            Err(Refusal::bad("duplicate_header", format!("the header {name} stands more than once")))
        }
    }
}

/// A header of 1 to 255 visible ASCII characters, where it is there.
pub(crate) fn visible<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Refusal> {
    let value = single(headers, name)?;
    match value {
        Some(text)
            if text.len() > 255 || text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) =>
        {
            let detail = format!("the header {name} must be 1 to 255 visible ASCII characters");
            Err(Refusal::bad("bad_header", detail))
        }
        value => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_names_are_admitted() {
        let hosts =
            Hosts::new("127.0.0.2:8000".parse().unwrap(), &["gate.example".into(), "Other:9000".into()]);
        for host in [
            "localhost",
            "LOCALHOST:8000",
            "127.0.0.1:8000",
            "[::1]:8000",
            "[::1]",
            "127.0.0.2:8000",
            "gate.example",
            "gate.example:1",
            "other:9000",
        ] {
            assert!(hosts.admit(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost:8001",
            "localhost.evil.example:8000",
            "127.0.0.1:",
            "other",
            "other:8000",
            "127.0.0.3",
            "[::2]:8000",
            "::1",
            "user@localhost:8000",
        ] {
            assert!(!hosts.admit(host), "{host}");
        }
    }
}
