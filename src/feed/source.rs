//! The calls that read a queue: pages and the stream of events. Reads with limits, follows nothing, decides nothing.

use super::events::Events;
use super::page::RawPage;
use super::trouble::{Kind, Trouble};
use crate::domain::json::{self, Limits, Value};
use crate::domain::{ActionState, Untrusted};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{RequestBuilder, Response};
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashSet;
use std::error::Error as _;
use std::time::{Duration, SystemTime};
use tokio::time::timeout;
use url::Url;

/// Entries that a page may have: 50 of the largest that the gateway takes fit into a page's limit.
const PAGE_ENTRIES: &str = "50";
/// A whole page must have come in this time.
const PAGE_TIME: Duration = Duration::from_secs(30);
/// The head of the stream of events must have come in this time.
const HEAD_TIME: Duration = Duration::from_secs(15);
/// What is read of an answer that is no success.
const REFUSAL_BYTES: usize = 64 * 1024;
/// What a listing may hold; a server that goes on past it is not believed to end.
const MOST_ENTRIES: usize = 100_000;
const MOST_PAGES: usize = 10_000;

/// A gateway's queue, as a reviewer may read it.
#[derive(Debug, Clone)]
pub struct Source {
    http: reqwest::Client,
    /// The base address with the prefix; ends in `/`.
    root: Url,
    /// The same for people, without a password.
    address: String,
    credential: Option<HeaderValue>,
}

impl Source {
    /// The queue at `base_url` under `api_prefix` (`/api/v1`), read with a reviewer's credential. `http` must follow no
    /// redirect (see `client::http::build`).
    ///
    /// # Errors
    /// A credential that no header can bear.
    pub fn new(
        http: reqwest::Client,
        base_url: &Url,
        api_prefix: &str,
        credential: Option<&SecretString>,
    ) -> Result<Self, Trouble> {
        let mut root = base_url.clone();
        let path = format!("{}{}/", root.path().trim_end_matches('/'), api_prefix.trim_end_matches('/'));
        root.set_path(&path);
        root.set_query(None);
        root.set_fragment(None);
        let mut shown = base_url.clone();
        // Neither can fail on an address that has a host, and one without has no password.
        let _ = (shown.set_username(""), shown.set_password(None));
        let address = shown.as_str().trim_end_matches('/').to_owned();
        let header =
            credential.map(|secret| HeaderValue::try_from(format!("Bearer {}", secret.expose_secret())));
        let Ok(mut credential) = header.transpose() else {
            return Err(Trouble { address, kind: Kind::BadCredential });
        };
        // So that no Debug and no log of the HTTP library shows it.
        credential.iter_mut().for_each(|value| value.set_sensitive(true));
        Ok(Self { http, root, address, credential })
    }

    /// The address as it may be shown.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Every page of the actions in that state, oldest first.
    pub fn pages(&self, state: ActionState) -> Pages<'_> {
        Pages { source: self, state, after: None, cursors: HashSet::new(), entries: 0, done: false }
    }

    async fn page(&self, state: ActionState, after: Option<&str>) -> Result<RawPage, Trouble> {
        let mut url = self.url("hitl/actions");
        url.query_pairs_mut().append_pair("state", state.word()).append_pair("limit", PAGE_ENTRIES);
        if let Some(cursor) = after {
            url.query_pairs_mut().append_pair("after", cursor);
        }
        let read = async {
            let response = self.send(self.http.get(url).header(ACCEPT, "application/json")).await?;
            let html = says(response.headers(), "html");
            let body = self.body(response, Limits::PAGE.bytes).await?;
            if html || body.trim_ascii_start().first() == Some(&b'<') {
                return Err(self.trouble(Kind::Html));
            }
            RawPage::read(body).map_err(|why| self.trouble(Kind::Garbled(why)))
        };
        timeout(PAGE_TIME, read).await.unwrap_or_else(|_| Err(self.trouble(Kind::Slow(PAGE_TIME))))
    }

    /// The stream of events, after the event of that id, else from now. `silence` is how long it may say nothing.
    pub(super) async fn events(&self, after: Option<&str>, silence: Duration) -> Result<Events, Trouble> {
        let mut request = self.http.get(self.url("hitl/events")).header(ACCEPT, "text/event-stream");
        if let Some(id) = after {
            request = request.header("Last-Event-ID", id);
        }
        let head = timeout(HEAD_TIME, self.send(request)).await;
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
        Trouble { address: self.address.clone(), kind }
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.root.clone();
        url.set_path(&format!("{}{path}", self.root.path()));
        url
    }

    async fn send(&self, mut request: RequestBuilder) -> Result<Response, Trouble> {
        if let Some(credential) = &self.credential {
            request = request.header(AUTHORIZATION, credential.clone());
        }
        let response =
            request.send().await.map_err(|error| self.trouble(Kind::Unreachable(words(&error))))?;
        if response.status().as_u16() == 200 { Ok(response) } else { Err(self.refusal(response).await) }
    }

    /// What a status other than 200 means.
    async fn refusal(&self, response: Response) -> Trouble {
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers());
        let html = says(response.headers(), "html");
        self.trouble(match status {
            401 => Kind::Unauthorized { sent: self.credential.is_some() },
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
    done: bool,
}

impl Pages<'_> {
    /// The next page; `None` after the last. After an error there is nothing more.
    pub async fn next(&mut self) -> Option<Result<RawPage, Trouble>> {
        if self.done {
            return None;
        }
        let page = self.source.page(self.state, self.after.as_deref()).await;
        self.done = true;
        let page = match page {
            Ok(page) => page,
            Err(trouble) => return Some(Err(trouble)),
        };
        self.entries += page.entries.len();
        if let Some(cursor) = &page.next {
            let fresh = self.cursors.insert(cursor.clone());
            if !fresh || self.entries > MOST_ENTRIES || self.cursors.len() > MOST_PAGES {
                return Some(Err(self.source.trouble(Kind::Endless(MOST_ENTRIES))));
            }
            (self.after, self.done) = (page.next.clone(), false);
        }
        Some(Ok(page))
    }
}

fn says(headers: &HeaderMap, word: &str) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.to_ascii_lowercase().contains(word))
}

/// The innermost words of an error of the HTTP library, without the address, which may hold a password.
pub(super) fn words(error: &reqwest::Error) -> String {
    let mut source = error.source();
    let mut words =
        if error.is_timeout() { "no answer in time".to_owned() } else { "it cannot be read".into() };
    while let Some(error) = source {
        words = error.to_string();
        source = error.source();
    }
    words
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
