//! The five calls of the protocol over HTTP: each is tried again on a transport failure, 429 or 5xx, with the same
//! bytes and the same key, until its budget of time is used up.
//!
//! It answers what the provider said, strictly read; whether a tool may run is the [`Gate`](super::Gate)'s to say.
//! This file must not follow a redirect, print a token, or hand on a provider's text as anything but
//! [`Untrusted`].

use super::request::{Broken, Request, Status};
use super::submission::Submission;
use crate::client::Authorities;
use crate::client::http::{Http, words};
use crate::domain::json::{self, Limits, Value, quote};
use crate::domain::{Untrusted, Visible};
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use std::time::Duration;
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

/// An answer repeats the submission (256 KiB at most at our gateway's door) and adds little.
const MAX_ANSWER: usize = 1024 * 1024;
const TRY: Duration = Duration::from_secs(40);
const FIRST_DELAY: Duration = Duration::from_millis(100);
const MAX_DELAY: Duration = Duration::from_secs(2);

/// Why a call came to nothing. Nothing in it is a secret, and what the provider said is only in [`Untrusted`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AapError {
    /// The address cannot be used.
    #[error("the provider's address cannot be used: {0}")]
    Url(&'static str),
    /// The credential cannot be sent.
    #[error("the agent's credential is empty or holds characters that no header can: check the token file")]
    Token,
    /// The HTTP client could not be set up.
    #[error("no HTTP client could be set up: {0}")]
    Setup(String),
    /// No usable answer within the budget.
    #[error("the provider could not be reached: {0}")]
    Unreachable(String),
    /// 401 or 403.
    #[error("the provider refused the agent's credential (HTTP {0}): check the token")]
    CredentialRefused(u16),
    /// 403 with the code `agent_paused`: a reviewer has paused this agent. Nothing of this call was taken.
    #[error("a reviewer has paused this agent: a reviewer must resume it first")]
    Paused,
    /// 409, with the provider's code for it.
    #[error("the provider says that this contradicts what it holds ({})", .code.visible().plain())]
    Conflict {
        /// `idempotency_conflict`, `already_consumed`, `approval_expired`, …
        code: Untrusted,
    },
    /// 404.
    #[error("the provider knows no such request")]
    NotFound,
    /// Any other answer.
    #[error("the provider refused the call (HTTP {status}){}", .message.as_ref().map(|words| format!(": {}", words.visible().plain())).unwrap_or_default())]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The provider's words.
        message: Option<Untrusted>,
    },
    /// The answer cannot be believed.
    #[error(transparent)]
    Broken(#[from] Broken),
}

impl AapError {
    /// Whether this is the provider's 409 of that code.
    pub(super) fn is_conflict(&self, expected: &str) -> bool {
        matches!(self, Self::Conflict { code } if code.raw() == expected)
    }
}

/// A client for one agent's credential.
#[derive(Debug, Clone)]
pub struct AapClient {
    http: Http,
    base: String,
    authorization: HeaderValue,
    budget: Duration,
}

impl AapClient {
    /// For the provider at `base_url`, which ends where `/v1/requests` begins: `http://127.0.0.1:8000/aap`.
    ///
    /// # Errors
    /// Where the address is no https address (http is for loopback), or the credential fits in no header.
    pub fn new(base_url: &str, token: impl Into<SecretString>) -> Result<Self, AapError> {
        Self::trusting(base_url, token, &Authorities::default())
    }

    /// The same, trusting those authorities, where there are any, instead of this machine's.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn trusting(
        base_url: &str,
        token: impl Into<SecretString>,
        authorities: &Authorities,
    ) -> Result<Self, AapError> {
        let (url, token) = (check(base_url)?, token.into());
        let authorization = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret())).ok();
        let mut authorization =
            authorization.filter(|_| !token.expose_secret().is_empty()).ok_or(AapError::Token)?;
        authorization.set_sensitive(true);
        let http = Http::new(&url, authorities).map_err(|error| AapError::Setup(error.to_string()))?;
        let base = base_url.trim_end_matches('/').to_owned();
        Ok(Self { http, base, authorization, budget: Duration::from_secs(30) })
    }

    /// How long one call may go on trying (default 30 s).
    #[must_use]
    pub fn retry_budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }

    /// Asks. The same key and submission again give the same request.
    pub async fn create(&self, submission: &Submission, key: &str) -> Result<Request, AapError> {
        self.send(Method::POST, "", Some(submission.body()), Some(key), TRY).await
    }

    /// The request as it is; held by the provider for up to `wait` while it is undecided.
    pub async fn get(&self, id: Uuid, wait: Duration) -> Result<Request, AapError> {
        let query = if wait.is_zero() { String::new() } else { format!("?wait={}s", wait.as_secs().max(1)) };
        let timeout = wait + Duration::from_secs(10);
        self.send(Method::GET, &format!("/{id}{query}"), None, None, timeout).await
    }

    /// Withdraws the request.
    pub async fn cancel(&self, id: Uuid) -> Result<Request, AapError> {
        self.send(Method::DELETE, &format!("/{id}"), None, None, TRY).await
    }

    /// Takes the approval, once: only the first key, and its repeats, get it.
    pub async fn consume(&self, id: Uuid, key: &str) -> Result<Request, AapError> {
        self.send(Method::POST, &format!("/{id}/consume"), None, Some(key), TRY).await
    }

    /// Says how it went.
    pub async fn report(&self, id: Uuid, status: Status, note: Option<&str>) -> Result<Request, AapError> {
        let note = note.filter(|note| !note.is_empty()).map(|note| format!(",\"note\":{}", quote(note)));
        let body = format!("{{\"status\":\"{}\"{}}}", status.word(), note.unwrap_or_default());
        self.send(Method::POST, &format!("/{id}/outcome"), Some(body), None, TRY).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
        key: Option<&str>,
        timeout: Duration,
    ) -> Result<Request, AapError> {
        let deadline = Instant::now() + self.budget;
        let mut delay = FIRST_DELAY;
        loop {
            let mut call = self
                .http
                .request(method.clone(), &format!("{}/v1/requests{path}", self.base))
                .header(AUTHORIZATION, self.authorization.clone());
            if let Some(key) = key {
                call = call.header("Idempotency-Key", key);
            }
            if let Some(body) = &body {
                call = call.header(CONTENT_TYPE, "application/json").body(body.clone());
            }
            let answer = tokio::time::timeout(timeout, self.answer(call)).await;
            let (wait, why) = match answer.unwrap_or_else(|_| Err("timed out".into())) {
                Ok((status, headers, _)) if is_transient(status) => {
                    let hint = retry_after(&headers).unwrap_or_default();
                    (delay.max(hint), format!("it answered HTTP {}", status.as_u16()))
                }
                Ok((status, _, bytes)) => return settle(status, &bytes),
                Err(why) => (delay, why),
            };
            // The wait may be the provider's word, and longer than a clock can be set ahead.
            if wait > deadline.saturating_duration_since(Instant::now()) {
                return Err(AapError::Unreachable(why));
            }
            tokio::time::sleep(wait).await;
            delay = (delay * 2).min(MAX_DELAY);
        }
    }

    /// The whole answer, or in plain words why there is none.
    async fn answer(&self, call: RequestBuilder) -> Result<(StatusCode, HeaderMap, Vec<u8>), String> {
        // It may quote what came over the wire.
        let words = |error: reqwest::Error| Visible::of(&words(&error)).plain();
        let call = call.build().map_err(words)?;
        let mut response = self.http.execute(call).await.map_err(|error| error.to_string())?;
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(words)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > MAX_ANSWER {
                return Err(format!("its answer is larger than {MAX_ANSWER} bytes"));
            }
        }
        Ok((response.status(), response.headers().clone(), bytes))
    }
}

pub(super) fn check(base_url: &str) -> Result<Url, AapError> {
    // The address itself is not repeated: it may hold a password.
    let bad = |why| AapError::Url(why);
    let url = Url::parse(base_url).map_err(|_| bad("it is no URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("it holds a user or a password; a credential goes into the token file"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(bad("it has a query or a fragment"));
    }
    if url.host().is_none() {
        return Err(bad("it names no host"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err(bad("it must be https, except on this machine")),
    }
}

/// Whether the provider at that address is on this machine.
///
/// # Errors
/// The address is none that a client can be made for. It is not repeated.
pub(crate) fn is_here(base_url: &str) -> Result<bool, AapError> {
    check(base_url).map(|url| is_loopback(&url))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn is_transient(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

/// Seconds, or an HTTP date; anything else is as good as none.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = Timestamp::try_from(httpdate::parse_http_date(text).ok()?).ok()?;
    Duration::try_from(at.duration_since(Timestamp::now())).ok()
}

/// What a final answer means.
fn settle(status: StatusCode, bytes: &[u8]) -> Result<Request, AapError> {
    match status.as_u16() {
        200 | 201 => Ok(Request::read(bytes)?),
        401 => Err(AapError::CredentialRefused(401)),
        404 => Err(AapError::NotFound),
        code => {
            let error = json::parse_unique(bytes, Limits::ANSWER).ok();
            let field = |name| {
                let text = error.as_ref()?.get("error")?.get(name).and_then(Value::as_str)?;
                Some(Untrusted::from(text))
            };
            match field("code") {
                Some(known) if code == 409 => Err(AapError::Conflict { code: known }),
                Some(known) if code == 403 && known.raw() == "agent_paused" => Err(AapError::Paused),
                // The gateway's own word for it: a rule has spoken, and the credential is a good one.
                Some(known) if code == 403 && known.raw() == "refused_by_rule" => {
                    Err(AapError::Refused { status: code, message: field("message") })
                }
                _ if code == 403 => Err(AapError::CredentialRefused(403)),
                _ => Err(AapError::Refused { status: code, message: field("message") }),
            }
        }
    }
}
