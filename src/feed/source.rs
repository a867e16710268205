//! The calls to a queue: pages, one entry, the stream of events, and pausing agents. Reads with limits, follows nothing,
//! decides nothing.

use super::agents::{self, AgentState};
use super::events::Events;
use super::page::{self, RawPage};
use super::presence::{self, Looking};
use super::trouble::{Kind, Trouble};
use crate::client::http::{Http, words};
use crate::client::{AegisClient, ClientError};
use crate::domain::json::{self, Limits, Value};
use crate::domain::{ActionState, Digest, Queued, Untrusted};
use jiff::Timestamp;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Response};
use std::collections::HashSet;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};
use tokio::time::timeout;
use url::form_urlencoded;

/// Entries that the first page has, so that there is something to look at soon.
const FIRST_PAGE: usize = 50;
/// Entries that every other page may have. The gateway puts fewer on a page whose entries are large.
const LATER_PAGES: usize = 500;
/// A whole page must have come in this time.
const PAGE_TIME: Duration = Duration::from_secs(30);
/// The head of the stream of events must have come in this time.
const HEAD_TIME: Duration = Duration::from_secs(15);
/// Saying what the reviewer looks at must have been answered in this time: it is said again soon.
const LOOK_TIME: Duration = Duration::from_secs(5);
/// What is read of an answer that is no success.
const REFUSAL_BYTES: usize = 64 * 1024;
/// What a listing may hold; a server that goes on past it is not believed to end.
const MOST_ENTRIES: usize = 1_000_000;
const MOST_PAGES: usize = 20_000;
const MOST_BYTES: usize = 4 * 1024 * 1024 * 1024;

/// A gateway's queue, as a reviewer may read it.
#[derive(Debug, Clone)]
pub struct Source {
    client: AegisClient,
    http: Http,
}

impl Source {
    /// The queue of the server that the client decides at, read with the same credential. Pages and events do not go
    /// through the client's transport: that takes whole answers only.
    ///
    /// # Errors
    /// [`ClientError::Setup`] where the HTTP client cannot be set up.
    pub fn new(client: &AegisClient) -> Result<Self, ClientError> {
        Ok(Self { client: client.clone(), http: Http::new(client.base_url(), client.authorities())? })
    }

    /// The address as it may be shown; it never holds a password.
    pub fn address(&self) -> &str {
        self.client.base_url().as_str().trim_end_matches('/')
    }

    /// Every page of the actions in that state, oldest first.
    pub fn pages(&self, state: ActionState) -> Pages<'_> {
        Pages {
            source: self,
            state,
            after: None,
            cursors: HashSet::new(),
            entries: 0,
            bytes: 0,
            large: false,
            done: false,
        }
    }

    async fn page(&self, state: ActionState, after: Option<&str>, most: usize) -> Result<RawPage, Trouble> {
        let body = self.json(Method::GET, &page_path(state, after, most), Limits::PAGE.bytes).await?;
        RawPage::read(body).map_err(|why| self.trouble(Kind::Garbled(why)))
    }

    /// One entry as the server has it now, whatever is known of it; one that cannot be read comes as such.
    ///
    /// # Errors
    /// [`Trouble`]; [`Kind::Missing`] where the server has no such action, [`Kind::Garbled`] where what it answers is
    /// another action, or does not say which it is.
    pub async fn fetch(&self, id: &str) -> Result<Queued, Trouble> {
        let path = format!("/hitl/actions/{}", segment(id));
        let body = self.json(Method::GET, &path, Limits::PAGE.bytes).await;
        let body = body.map_err(|trouble| trouble.missing(|| format!("action {id}")))?;
        let garbled = |why: Untrusted| self.trouble(Kind::Garbled(why));
        let value = json::parse(&body, Limits::PAGE).map_err(|error| garbled(error.to_string().into()))?;
        let queued = page::read(&value).unwrap_or_else(|error| {
            Queued::unreadable(&String::from_utf8_lossy(&body), &error, Timestamp::now())
        });
        match &queued.action.unreadable {
            _ if queued.action.id == id => Ok(queued),
            Some(unreadable) => Err(garbled(unreadable.reason.clone())),
            None => Err(garbled("it answers another action".into())),
        }
    }

    /// How the agents are.
    ///
    /// # Errors
    /// [`Trouble`]; [`Kind::Missing`] where the server cannot pause agents.
    pub async fn agents(&self) -> Result<Vec<AgentState>, Trouble> {
        let body = self.json(Method::GET, "/hitl/agents", agents::LIMITS.bytes).await;
        let body = body.map_err(|trouble| trouble.missing(|| "list of agents".into()))?;
        agents::read_list(&body).map_err(|why| self.trouble(Kind::Garbled(why)))
    }

    /// Pauses an agent's credential, or resumes it; `name` as the server has it. What is so already is no trouble. Says
    /// how the agent is then; the stream of events tells it too.
    ///
    /// # Errors
    /// [`Trouble`]; [`Kind::Missing`] where the server knows no such agent, or cannot pause any.
    pub async fn pause(&self, name: &str, paused: bool) -> Result<AgentState, Trouble> {
        let missing = || format!("agent {name:?} that could be paused");
        if matches!(name, "" | "." | "..") {
            // No URL can name these: whoever reads it takes them for the path's own.
            return Err(self.trouble(Kind::Missing(missing().into())));
        }
        let verb = if paused { "pause" } else { "resume" };
        let path = format!("/hitl/agents/{}/{verb}", segment(name));
        let body = self.json(Method::POST, &path, agents::LIMITS.bytes).await;
        let body = body.map_err(|trouble| trouble.missing(missing))?;
        let agent = agents::read(&body).map_err(|why| self.trouble(Kind::Garbled(why)))?;
        let done = agent.name.raw() == name && agent.paused == paused;
        if done { Ok(agent) } else { Err(self.trouble(Kind::Garbled("it answers something else".into()))) }
    }

    /// Says which action the reviewer looks at, or that it is none; says who looks at which others.
    ///
    /// # Errors
    /// [`Trouble`]; [`Kind::Missing`] where the server does not keep that.
    pub async fn look(&self, at: Option<(&str, &Digest)>) -> Result<Vec<Looking>, Trouble> {
        let body = presence::body(at);
        let answer = self.answer(Method::POST, "/hitl/presence", Some(body), presence::LIMITS.bytes);
        let answer = timeout(LOOK_TIME, answer).await;
        let answer = answer.unwrap_or_else(|_| Err(self.trouble(Kind::Slow(LOOK_TIME))));
        let answer = answer.map_err(|trouble| trouble.missing(|| "list of who looks".into()))?;
        presence::read(&answer).map_err(|why| self.trouble(Kind::Garbled(why)))
    }

    async fn json(&self, method: Method, path: &str, limit: usize) -> Result<Vec<u8>, Trouble> {
        self.answer(method, path, None, limit).await
    }

    /// The bytes of an answer that should be JSON, whole and in time.
    async fn answer(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
        limit: usize,
    ) -> Result<Vec<u8>, Trouble> {
        let read = async {
            let response = self.ask(method, path, "application/json", None, body).await?;
            let html = says(response.headers(), "html");
            let body = self.body(response, limit).await?;
            let page = html || body.trim_ascii_start().first() == Some(&b'<');
            if page { Err(self.trouble(Kind::Html)) } else { Ok(body) }
        };
        timeout(PAGE_TIME, read).await.unwrap_or_else(|_| Err(self.trouble(Kind::Slow(PAGE_TIME))))
    }

    /// The stream of events, after the event of that id, else from now. `silence` is how long it may say nothing.
    pub(super) async fn events(&self, after: Option<&str>, silence: Duration) -> Result<Events, Trouble> {
        let head =
            timeout(HEAD_TIME, self.ask(Method::GET, "/hitl/events", "text/event-stream", after, None)).await;
        let response = head.unwrap_or_else(|_| Err(self.trouble(Kind::Slow(HEAD_TIME))))?;
        if says(response.headers(), "html") {
            return Err(self.trouble(Kind::Html));
        }
        if !says(response.headers(), "text/event-stream") {
            return Err(self.trouble(Kind::Garbled("its events are no text/event-stream".into())));
        }
        Ok(Events::new(response, silence))
    }

    pub(super) fn trouble(&self, kind: Kind) -> Trouble {
        Trouble { address: self.address().to_owned(), kind }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        accept: &'static str,
        after: Option<&str>,
        body: Option<String>,
    ) -> Result<Response, Trouble> {
        let request = self.client.get(path).map_err(|error| error.to_string()).and_then(|mut request| {
            *request.method_mut() = method;
            request.headers_mut().insert(ACCEPT, HeaderValue::from_static(accept));
            if let Some(id) = after.map(HeaderValue::from_str) {
                let id = id.map_err(|error| error.to_string())?;
                request.headers_mut().insert(HeaderName::from_static("last-event-id"), id);
            }
            if let Some(body) = body {
                request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                *request.body_mut() = body.into();
            }
            reqwest::Request::try_from(request).map_err(|error| words(&error))
        });
        // Both ids and cursors are checked when they come in, so this says something of the server.
        let request = request.map_err(|error| self.trouble(Kind::Garbled(error.into())))?;
        let response = self.http.execute(request).await;
        let response = response.map_err(|error| self.trouble(Kind::Unreachable(error.words)))?;
        if response.status().as_u16() == 200 { Ok(response) } else { Err(self.refusal(response).await) }
    }

    /// What a status other than 200 means.
    async fn refusal(&self, response: Response) -> Trouble {
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers());
        let html = says(response.headers(), "html");
        self.trouble(match status {
            401 => Kind::Unauthorized { sent: self.client.has_api_key() },
            403 => Kind::Forbidden,
            404 | 405 => Kind::NoQueue,
            300..=399 => Kind::Redirect(status),
            _ => {
                let body = timeout(HEAD_TIME, self.body(response, REFUSAL_BYTES)).await;
                let body = body.ok().and_then(Result::ok).unwrap_or_default();
                let words = if html { "a web page".into() } else { detail(&body) };
                Kind::Status { status, words, retry_after }
            }
        })
    }

    async fn body(&self, mut response: Response, limit: usize) -> Result<Vec<u8>, Trouble> {
        let mut body = Vec::new();
        loop {
            let chunk = response.chunk().await.map_err(|error| self.trouble(Kind::Broken(words(&error))))?;
            let Some(chunk) = chunk else { return Ok(body) };
            if body.len() + chunk.len() > limit {
                return Err(self.trouble(Kind::TooLarge(limit)));
            }
            body.extend_from_slice(&chunk);
        }
    }
}

/// The pages of a listing, one after the other.
#[derive(Debug)]
pub struct Pages<'s> {
    source: &'s Source,
    state: ActionState,
    after: Option<String>,
    cursors: HashSet<String>,
    entries: usize,
    bytes: usize,
    /// Whether pages of many entries are too large.
    large: bool,
    done: bool,
}

impl Pages<'_> {
    /// The next page; `None` after the last. After an error there is nothing more.
    pub async fn next(&mut self) -> Option<Result<RawPage, Trouble>> {
        if self.done {
            return None;
        }
        let most = if self.after.is_none() || self.large { FIRST_PAGE } else { LATER_PAGES };
        let mut page = self.source.page(self.state, self.after.as_deref(), most).await;
        if most > FIRST_PAGE && matches!(&page, Err(Trouble { kind: Kind::TooLarge(_), .. })) {
            // A server that puts on a page whatever is asked for: so little is asked for.
            self.large = true;
            page = self.source.page(self.state, self.after.as_deref(), FIRST_PAGE).await;
        }
        self.done = true;
        let page = match page {
            Ok(page) => page,
            Err(trouble) => return Some(Err(trouble)),
        };
        self.entries += page.entries.len();
        self.bytes += page.size();
        if let Some(cursor) = &page.next {
            let fresh = self.cursors.insert(cursor.clone());
            let too_much = self.entries > MOST_ENTRIES || self.bytes > MOST_BYTES;
            if !fresh || too_much || self.cursors.len() > MOST_PAGES {
                return Some(Err(self.source.trouble(Kind::Endless)));
            }
            (self.after, self.done) = (page.next.clone(), false);
        }
        Some(Ok(page))
    }
}

fn page_path(state: ActionState, after: Option<&str>, most: usize) -> String {
    const PATH: &str = "/hitl/actions?";
    let mut query = form_urlencoded::Serializer::for_suffix(PATH.to_owned(), PATH.len());
    query.append_pair("state", state.word()).append_pair("limit", &most.to_string());
    if let Some(cursor) = after {
        query.append_pair("after", cursor);
    }
    query.finish()
}

/// A name as one segment of a path.
fn segment(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn says(headers: &HeaderMap, word: &str) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.to_ascii_lowercase().contains(word))
}

/// What a refusal says about itself: the detail or title of a problem (RFC 9457), cut to a line's length.
fn detail(body: &[u8]) -> Untrusted {
    let Ok(problem) = json::parse(body, Limits::ANSWER) else { return Untrusted::default() };
    let words = ["detail", "title"].into_iter().find_map(|name| problem.get(name).and_then(Value::as_str));
    words.unwrap_or_default().chars().take(200).collect::<String>().into()
}

/// Seconds, or an HTTP date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    httpdate::parse_http_date(value).ok()?.duration_since(SystemTime::now()).ok()
}
