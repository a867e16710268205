//! The three calls to OpenCode's server that the bridge makes: list what waits for leave, hear that something has changed,
//! answer. Checked against OpenCode 1.18 (its `/doc`).
//!
//! It reads with limits, follows nothing and repeats nothing. `always` is not among the answers: a standing rule is nothing
//! that a reviewer of one action has said.

use super::permission::{LIMITS, Permission, read_list};
use crate::agent::AapError;
use crate::agent::client::check;
use crate::client::Authorities;
use crate::client::http::{Http, words};
use crate::domain::json::quote;
use crate::domain::{Untrusted, Visible};
use futures_util::{Stream, StreamExt as _};
use reqwest::{Method, RequestBuilder, Response};
use secrecy::{ExposeSecret as _, SecretString};
use sse_stream::{Sse, SseByteStream};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::timeout;
use url::form_urlencoded;

/// A whole answer must have come in this time.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// OpenCode says every few seconds that it is there; a stream that is silent for so long is opened anew.
const SILENCE: Duration = Duration::from_secs(60);
/// Bytes of one event. What the agent writes goes over the same stream, and is not read.
const EVENT_BYTES: usize = 16 * 1024 * 1024;

/// Why a call to OpenCode came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// No usable answer: whether the call arrived is not known.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// 401 or 403.
    #[error("it wants another password: set OPENCODE_SERVER_PASSWORD as it was set for the server")]
    Password,
    /// Another status than those that are known.
    #[error("it answered HTTP {0}")]
    Status(u16),
    /// An answer that is not what OpenCode answers.
    #[error("{0}; is it OpenCode's server?")]
    Garbled(String),
}

/// What OpenCode is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// Yes, to this one call.
    Once,
    /// No, and why: OpenCode hands that to the model.
    Reject(Option<Untrusted>),
}

/// What became of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// OpenCode took it.
    Taken,
    /// OpenCode no longer waits for it.
    Gone,
}

/// The password that the server may ask for.
#[derive(Debug, Clone)]
pub struct Login {
    /// `opencode`, unless the server was told otherwise.
    pub user: String,
    /// The password.
    pub password: SecretString,
}

/// An OpenCode server.
#[derive(Debug, Clone)]
pub struct Server {
    http: Http,
    base: String,
    login: Option<Login>,
    /// Which project is meant, as every call says it.
    query: String,
}

impl Server {
    /// The server at that address; of the projects that it has open the one in `directory`, or else the one that it was
    /// started in.
    ///
    /// # Errors
    /// Where the address is no https address (http is for loopback).
    pub fn new(url: &str, login: Option<Login>, directory: Option<&str>) -> Result<Self, AapError> {
        let http = Http::new(&check(url)?, &Authorities::default());
        let http = http.map_err(|error| AapError::Setup(error.to_string()))?;
        let pair = |directory| {
            form_urlencoded::Serializer::for_suffix("?".to_owned(), 1)
                .append_pair("directory", directory)
                .finish()
        };
        let query = directory.map(pair).unwrap_or_default();
        Ok(Self { http, base: url.trim_end_matches('/').to_owned(), login, query })
    }

    /// What waits for leave, and how many entries of the list cannot be read.
    pub(super) async fn list(&self) -> Result<(Vec<Permission>, usize), Trouble> {
        let answer = self.call(self.request(Method::GET, "/permission")).await?;
        match answer {
            (200, body) => read_list(&body).map_err(Trouble::Garbled),
            (status, _) => Err(refusal(status)),
        }
    }

    /// Answers. Safe to say again: OpenCode forgets what was answered, and then says that it knows no such thing.
    pub(super) async fn reply(&self, id: &str, reply: &Reply) -> Result<Told, Trouble> {
        let body = match reply {
            Reply::Once => r#"{"reply":"once"}"#.to_owned(),
            Reply::Reject(None) => r#"{"reply":"reject"}"#.to_owned(),
            Reply::Reject(Some(why)) => format!(r#"{{"reply":"reject","message":{}}}"#, quote(why.raw())),
        };
        let call = self.request(Method::POST, &format!("/permission/{id}/reply"));
        match self.call(call.header("Content-Type", "application/json").body(body)).await? {
            (200, body) if body.trim_ascii() == b"true" => Ok(Told::Taken),
            (200, _) => Err(Trouble::Garbled("it took an answer and did not say so".into())),
            (404, _) => Ok(Told::Gone),
            (status, _) => Err(refusal(status)),
        }
    }

    /// The stream of its events.
    pub(super) async fn events(&self) -> Result<Events, Trouble> {
        let call = self.request(Method::GET, "/event").header("Accept", "text/event-stream");
        let response = timeout(ANSWER_TIME, self.head(call)).await;
        let response = response.unwrap_or_else(|_| Err(Trouble::Unreachable("timed out".into())))?;
        match response.status().as_u16() {
            200 => Ok(Events::new(response)),
            status => Err(refusal(status)),
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut call = self.http.request(method, &format!("{}{path}{}", self.base, self.query));
        if let Some(login) = &self.login {
            call = call.basic_auth(&login.user, Some(login.password.expose_secret()));
        }
        call
    }

    async fn head(&self, call: RequestBuilder) -> Result<Response, Trouble> {
        let call = call.build().map_err(|error| Trouble::Unreachable(plain(&words(&error))))?;
        let response = self.http.execute(call).await;
        response.map_err(|error| Trouble::Unreachable(plain(&error.to_string())))
    }

    async fn call(&self, call: RequestBuilder) -> Result<(u16, Vec<u8>), Trouble> {
        let whole = async {
            let mut response = self.head(call).await?;
            let mut body = Vec::new();
            loop {
                let chunk = response.chunk().await;
                let chunk = chunk.map_err(|error| Trouble::Unreachable(plain(&words(&error))))?;
                let Some(chunk) = chunk else { return Ok((response.status().as_u16(), body)) };
                if body.len() + chunk.len() > LIMITS.bytes {
                    return Err(Trouble::Garbled(format!(
                        "its answer is larger than {} bytes",
                        LIMITS.bytes
                    )));
                }
                body.extend_from_slice(&chunk);
            }
        };
        timeout(ANSWER_TIME, whole).await.unwrap_or_else(|_| Err(Trouble::Unreachable("timed out".into())))
    }
}

fn refusal(status: u16) -> Trouble {
    match status {
        401 | 403 => Trouble::Password,
        status => Trouble::Status(status),
    }
}

fn plain(words: &str) -> String {
    Visible::of(words).plain()
}

/// The events of one connection.
pub(super) struct Events {
    events: Pin<Box<dyn Stream<Item = Result<Sse, sse_stream::Error>> + Send>>,
    /// Bytes since the last event.
    bytes: Arc<AtomicUsize>,
}

impl Events {
    fn new(response: Response) -> Self {
        let bytes = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&bytes);
        // The parser keeps what it is given until an event is complete, so the limit stands before it.
        let metered = response.bytes_stream().map(move |chunk| {
            let chunk = chunk.map_err(|error| Stop(words(&error)))?;
            match count.fetch_add(chunk.len(), Ordering::Relaxed) + chunk.len() {
                0..=EVENT_BYTES => Ok(chunk),
                _ => Err(Stop(format!("an event is larger than {EVENT_BYTES} bytes"))),
            }
        });
        Self { events: Box::pin(SseByteStream::new(Box::pin(metered))), bytes }
    }

    /// Waits for the next event; says whether it is about a permission. Which one, and what became of it, the list says.
    pub(super) async fn next(&mut self) -> Result<bool, Trouble> {
        let event = timeout(SILENCE, self.events.next()).await;
        self.bytes.store(0, Ordering::Relaxed);
        match event {
            Ok(Some(Ok(event))) => Ok(event.data.is_some_and(|data| data.contains("\"permission."))),
            Ok(Some(Err(sse_stream::Error::Body(error)))) => {
                Err(Trouble::Unreachable(plain(&error.to_string())))
            }
            Ok(Some(Err(error))) => Err(Trouble::Garbled(plain(&error.to_string()))),
            Ok(None) => Err(Trouble::Unreachable("it closed the stream of its events".into())),
            Err(_) => Err(Trouble::Unreachable("the stream of its events is silent".into())),
        }
    }
}

/// Why the stream was stopped, on its way through the parser.
#[derive(Debug)]
struct Stop(String);

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Stop {}
