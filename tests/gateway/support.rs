//! A gateway on a free port with its data in a fresh directory, and calls to it: in process, or over a socket.

use crate::database::{self, Fresh, Kept};
use aegis_console::domain::{Digest, Queued};
use aegis_console::gateway::{Config, Database, Gateway};
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use futures_util::StreamExt as _;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tower::ServiceExt as _;

/// A gateway under test. Directory and database go when it is dropped.
pub(crate) struct Fixture {
    pub(crate) gateway: Gateway,
    pub(crate) agent: String,
    pub(crate) reviewer: String,
    pub(crate) dir: TempDir,
    pub(crate) kept: Kept,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The word for programs: of a problem, or of an AAP error.
    pub(crate) fn code(&self) -> String {
        let json = self.json();
        let kind = json["type"].as_str().map(|kind| kind.trim_start_matches("urn:aegis-console:").to_owned());
        kind.unwrap_or_else(|| json["error"]["code"].as_str().unwrap().to_owned())
    }
}

/// One call to be made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Call {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

pub(crate) fn call(method: &str, path: impl Into<String>) -> Call {
    Call { method: method.into(), path: path.into(), ..Call::default() }
}

impl Call {
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(header, _)| header != name);
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("Authorization", format!("Bearer {token}"))
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// A decision call's headers.
    pub(crate) fn key(self, thread: &str, key: &str) -> Self {
        self.header("Thread-Id", thread).header("Idempotency-Key", key)
    }
}

/// An action of the queue, as the tests need it.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) thread: String,
    pub(crate) key: String,
    pub(crate) digest: String,
}

pub(crate) fn config(data: &Path) -> Config {
    Config::new(([127, 0, 0, 1], 0).into(), data)
}

impl Fixture {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let kept = match database::server() {
            None => Kept::File(dir.path().join("data/gateway.db")),
            Some(server) => Kept::Server(Fresh::schema(server).await),
        };
        Self::on(dir, kept, change).await
    }

    /// A gateway on what is there.
    pub(crate) async fn on(dir: TempDir, kept: Kept, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = config(&dir.path().join("data"));
        config.database = kept.url().map_or(Database::Sqlite, Database::Postgres);
        change(&mut config);
        let gateway = Gateway::start(config).await.unwrap();
        let agent = gateway.agent("bot").expose_secret().to_owned();
        let reviewer = gateway.reviewer("dana").expose_secret().to_owned();
        Self { gateway, agent, reviewer, dir, kept }
    }

    /// The rows of the database, each in one line with `|` between its columns.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<String> {
        self.kept.rows(sql).await
    }

    /// Changes the database behind the gateway's back.
    pub(crate) async fn change(&self, sql: &str) {
        self.kept.change(sql).await;
    }

    /// The database, as a gateway's configuration has it.
    pub(crate) fn database(&self) -> Database {
        self.kept.url().map_or(Database::Sqlite, Database::Postgres)
    }

    /// Whether the database is PostgreSQL.
    pub(crate) fn on_postgres(&self) -> bool {
        matches!(self.kept, Kept::Server(_))
    }

    /// Whether the test is left out, because it is about files and the database is none. It says so.
    pub(crate) fn is_about_files(&self, what: &str) -> bool {
        let skipped = self.on_postgres();
        if skipped {
            eprintln!("##### SKIPPED on PostgreSQL, which keeps no files here: {what}");
        }
        skipped
    }

    /// Carries a call out in process, through everything that stands at the door.
    pub(crate) async fn send(&self, call: Call) -> Answer {
        let mut request = Request::builder().method(call.method.as_str()).uri(&call.path);
        if !call.headers.iter().any(|(name, _)| name == "Host") {
            request = request.header("Host", self.gateway.addr().to_string());
        }
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(call.body)).unwrap();
        let response = self.gateway.router().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        // It does not end.
        let endless = head.headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        let body = if endless { Body::empty() } else { body };
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status: head.status.as_u16(), headers: head.headers, text }
    }

    pub(crate) async fn ask(&self, ask_key: &str, body: impl Into<Vec<u8>>) -> Answer {
        let call = call("POST", "/aap/v1/requests").bearer(&self.agent).header("Idempotency-Key", ask_key);
        self.send(call.body(body)).await
    }

    /// Asks for something and returns what a reviewer sees of it.
    pub(crate) async fn entry(&self, ask_key: &str, timeout: &str) -> Entry {
        let body = json!({"tool": "send_email", "arguments": {"to": "a@b.example"}, "timeout": timeout});
        let answer = self.ask(ask_key, body.to_string()).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        self.look(answer.json()["id"].as_str().unwrap()).await
    }

    /// Asks for something that two reviewers must approve.
    pub(crate) async fn entry_for_two(&self, ask_key: &str) -> Entry {
        let context = json!({"reviewers_needed": 2});
        let body = json!({"tool": "pay", "arguments": {}, "timeout": "10m", "context": context});
        let answer = self.ask(ask_key, body.to_string()).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        self.look(answer.json()["id"].as_str().unwrap()).await
    }

    pub(crate) async fn look(&self, id: &str) -> Entry {
        let shown = self.shown(id).await;
        let sealed = shown["sealed"].as_str().unwrap();
        let digest = shown["digest"].as_str().unwrap().to_owned();
        assert_eq!(Digest::of(sealed.as_bytes()).to_string(), digest);
        let sealed: Value = serde_json::from_str(sealed).unwrap();
        let text = |name: &str| sealed[name].as_str().unwrap().to_owned();
        Entry { id: text("id"), thread: text("thread_id"), key: text("idempotency_key"), digest }
    }

    /// The entry of the queue.
    pub(crate) async fn shown(&self, id: &str) -> Value {
        let answer =
            self.send(call("GET", format!("/api/v1/hitl/actions/{id}")).bearer(&self.reviewer)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    /// What the agent reads.
    pub(crate) async fn request(&self, id: &str) -> Value {
        let answer = self.send(call("GET", format!("/aap/v1/requests/{id}")).bearer(&self.agent)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    /// Decides as this project's console does.
    pub(crate) async fn decide(&self, verdict: &str, entry: &Entry, reason: Option<&str>) -> Answer {
        self.send(self.decision(verdict, entry, reason)).await
    }

    pub(crate) fn decision(&self, verdict: &str, entry: &Entry, reason: Option<&str>) -> Call {
        let review = json!({"action_id": entry.id, "reviewer": "somebody else", "reason": reason,
            "digest": entry.digest, "decided_at": "2026-11-23T12:00:00Z"});
        let body = json!({"tenant_id": "default", "thread_id": entry.thread, "action": "send_email",
            "payload": {}, "review": review});
        call("POST", format!("/api/v1/hitl/{verdict}"))
            .bearer(&self.reviewer)
            .key(&entry.thread, &entry.key)
            .header("X-Request-Id", uuid::Uuid::new_v4().to_string())
            .body(body.to_string())
    }

    pub(crate) async fn agent_call(
        &self,
        method: &str,
        path: String,
        ask_key: Option<&str>,
        body: &str,
    ) -> Answer {
        let call = call(method, path).bearer(&self.agent).body(body);
        let call = match ask_key {
            Some(key) => call.header("Idempotency-Key", key),
            None => call,
        };
        self.send(call).await
    }

    pub(crate) async fn status(&self, request_id: &str) -> Answer {
        self.send(call("GET", format!("/api/v1/hitl/status/{request_id}")).bearer(&self.reviewer)).await
    }

    /// A stream of events over a socket.
    pub(crate) async fn listen(&self, after: Option<&str>) -> Events {
        self.listen_as(&self.reviewer, after).await
    }

    /// A stream of events over a socket, of whoever has that credential.
    pub(crate) async fn listen_as(&self, token: &str, after: Option<&str>) -> Events {
        let request = http().get(format!("{}/api/v1/hitl/events", self.gateway.url())).bearer_auth(token);
        let request = match after {
            Some(id) => request.header("Last-Event-ID", id),
            None => request,
        };
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut events = Events { stream: Box::pin(response.bytes_stream()), text: String::new() };
        assert_eq!(events.block().await, ": ok");
        events
    }
}

/// Events as they come.
pub(crate) struct Events {
    stream: std::pin::Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<axum::body::Bytes>> + Send>>,
    text: String,
}

impl Events {
    /// The next block, as it came; not what is said of who looks at what.
    pub(crate) async fn block(&mut self) -> String {
        loop {
            let block = self.any().await;
            if !block.starts_with("event: presence\n") {
                return block;
            }
        }
    }

    /// What is said next of who looks at what.
    pub(crate) async fn presence(&mut self) -> Value {
        loop {
            if let Some(data) = self.any().await.strip_prefix("event: presence\ndata: ") {
                return serde_json::from_str::<Value>(data).unwrap()["looking"].clone();
            }
        }
    }

    async fn any(&mut self) -> String {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return block;
            }
            let chunk = tokio::time::timeout(Duration::from_secs(10), self.stream.next()).await;
            let chunk = chunk.expect("no event within 10 s").expect("the stream ended").unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event: id, name, entry.
    pub(crate) async fn next(&mut self) -> (String, String, Queued) {
        let block = self.block().await;
        let field = |name: &str| {
            block.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap().to_owned()
        };
        assert_eq!(block.lines().count(), 3, "{block}");
        let page = format!(r#"{{"actions":[{}],"next":null}}"#, field("data"));
        let entry = Queued::read_page(page.as_bytes()).unwrap().actions.remove(0).unwrap();
        (field("id"), field("event"), entry)
    }

    pub(crate) async fn ended(&mut self) -> bool {
        let next = tokio::time::timeout(Duration::from_secs(5), self.stream.next()).await;
        next.is_ok_and(|chunk| chunk.is_none())
    }
}

/// A client for sockets.
pub(crate) fn http() -> reqwest::Client {
    client(|builder| builder)
}

/// A client for sockets that trusts that authority alone.
pub(crate) fn https(authority: &str) -> reqwest::Client {
    let authority = reqwest::Certificate::from_pem(authority.as_bytes()).unwrap();
    client(|builder| builder.tls_certs_only([authority]))
}

fn client(change: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder) -> reqwest::Client {
    // Another test of this process may have installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    change(reqwest::Client::builder().no_proxy()).build().unwrap()
}
