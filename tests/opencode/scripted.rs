//! An OpenCode server that does what a test says: it lists, tells of events, takes answers, and keeps what it was told.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, Sse};
use axum::routing::{get, post};
use futures_util::{Stream, StreamExt as _, stream};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::broadcast;

/// What the scripted OpenCode is, and what it was told.
#[derive(Default)]
pub(crate) struct Inner {
    pub(crate) pending: Vec<Value>,
    /// Answers to what was pending, in the order in which they were taken: id, body.
    pub(crate) taken: Vec<(String, Value)>,
    /// Answers to what was not.
    pub(crate) late: Vec<String>,
    /// Answers the list with this.
    pub(crate) list: Option<(u16, String)>,
    /// Takes an answer and then says that something went wrong.
    pub(crate) loses: bool,
    pub(crate) password: Option<&'static str>,
    pub(crate) listed: usize,
}

#[derive(Clone)]
pub(crate) struct Scripted {
    inner: Arc<Mutex<Inner>>,
    events: broadcast::Sender<String>,
}

impl Scripted {
    pub(crate) async fn start() -> (Self, String) {
        let scripted = Self { inner: Arc::default(), events: broadcast::channel(64).0 };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = axum::Router::new()
            .route("/permission", get(list))
            .route("/permission/{id}/reply", post(reply))
            .route("/event", get(events))
            .with_state(scripted.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (scripted, url)
    }

    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// Asks for leave, as a tool does.
    pub(crate) fn ask(&self, permission: Value) {
        self.inner().pending.push(permission);
        self.tell("permission.asked");
    }

    pub(crate) fn tell(&self, kind: &str) {
        let _ = self.events.send(json!({"id": "evt_1", "type": kind, "properties": {}}).to_string());
    }

    pub(crate) fn taken(&self) -> Vec<(String, Value)> {
        self.inner().taken.clone()
    }

    fn allows(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
        self.inner().password.is_none_or(|password| given.as_deref() == Some(password))
    }
}

async fn list(State(scripted): State<Scripted>, headers: HeaderMap) -> (StatusCode, String) {
    if !scripted.allows(&headers) {
        return (StatusCode::UNAUTHORIZED, String::new());
    }
    let mut inner = scripted.inner();
    inner.listed += 1;
    match &inner.list {
        Some((status, text)) => (StatusCode::from_u16(*status).unwrap(), text.clone()),
        None => (StatusCode::OK, json!(inner.pending).to_string()),
    }
}

async fn reply(
    State(scripted): State<Scripted>,
    Path(id): Path<String>,
    body: Bytes,
) -> (StatusCode, String) {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let mut inner = scripted.inner();
    let Some(at) = inner.pending.iter().position(|one| one["id"] == *id) else {
        inner.late.push(id);
        return (StatusCode::NOT_FOUND, json!({"_tag": "PermissionNotFoundError"}).to_string());
    };
    let permission = inner.pending.remove(at);
    if body["reply"] == "reject" {
        // So does OpenCode: a no ends what else waits in that session.
        inner.pending.retain(|other| other["sessionID"] != permission["sessionID"]);
    }
    inner.taken.push((id, body));
    let loses = inner.loses;
    drop(inner);
    scripted.tell("permission.replied");
    if loses { (StatusCode::BAD_GATEWAY, String::new()) } else { (StatusCode::OK, "true".into()) }
}

async fn events(
    State(scripted): State<Scripted>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, StatusCode> {
    if !scripted.allows(&headers) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let heard = scripted.events.subscribe();
    let first = stream::iter([Ok(Event::default().data(r#"{"type":"server.connected"}"#))]);
    let rest = stream::unfold(heard, |mut heard| async move {
        let event = heard.recv().await.ok()?;
        Some((Ok(Event::default().data(event)), heard))
    });
    Ok(Sse::new(first.chain(rest)))
}

pub(crate) fn permission(id: &str, session: &str, command: &str) -> Value {
    json!({"id": id, "sessionID": session, "permission": "bash", "patterns": [command], "always": ["echo *"],
        "metadata": {"command": command}, "tool": {"messageID": "msg_1", "callID": "call_1"}})
}
