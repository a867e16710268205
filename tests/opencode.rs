//! The bridge to OpenCode, between a scripted OpenCode server and our own gateway: a reviewer's yes reaches it once, every
//! no as a no, and whatever fails is never a yes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/reviewing.rs"]
mod reviewing;

use aegis_console::agent::opencode::{Login, OnExpiry, OpenCode, Server};
use aegis_console::agent::{AapClient, Gate};
use aegis_console::client::AegisClient;
use aegis_console::domain::action::Silence;
use aegis_console::domain::{ActionState, ExecutionState, Queued, Untrusted, Verdict};
use aegis_console::gateway::{Config, Gateway};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, Sse};
use axum::routing::{get, post};
use futures_util::{Stream, StreamExt as _, stream};
use reviewing::Reviewer;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::sync::{broadcast, oneshot};

/// Whatever is waited for comes well before, unless it never does.
const SOON: Duration = Duration::from_secs(30);

/// What the scripted OpenCode is, and what it was told.
#[derive(Default)]
struct Inner {
    pending: Vec<Value>,
    /// Answers to what was pending, in the order in which they were taken: id, body.
    taken: Vec<(String, Value)>,
    /// Answers to what was not.
    late: Vec<String>,
    /// Answers the list with this.
    list: Option<(u16, String)>,
    /// Takes an answer and then says that something went wrong.
    loses: bool,
    password: Option<&'static str>,
    listed: usize,
}

#[derive(Clone)]
struct Scripted {
    inner: Arc<Mutex<Inner>>,
    events: broadcast::Sender<String>,
}

impl Scripted {
    async fn start() -> (Self, String) {
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

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// Asks for leave, as a tool does.
    fn ask(&self, permission: Value) {
        self.inner().pending.push(permission);
        self.tell("permission.asked");
    }

    fn tell(&self, kind: &str) {
        let _ = self.events.send(json!({"id": "evt_1", "type": kind, "properties": {}}).to_string());
    }

    fn taken(&self) -> Vec<(String, Value)> {
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

fn permission(id: &str, session: &str, command: &str) -> Value {
    json!({"id": id, "sessionID": session, "permission": "bash", "patterns": [command], "always": ["echo *"],
        "metadata": {"command": command}, "tool": {"messageID": "msg_1", "callID": "call_1"}})
}

/// A gateway, a reviewer there, and where its agents ask.
struct Place {
    data: tempfile::TempDir,
    gateway: Gateway,
    reviewer: Reviewer,
}

impl Place {
    async fn start(rules: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        std::fs::set_permissions(data.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        std::fs::write(data.path().join("rules.toml"), rules).unwrap();
        let config = Config::new(([127, 0, 0, 1], 0).into(), data.path());
        let gateway = Gateway::start(config).await.unwrap();
        let client = AegisClient::builder().base_url(gateway.url()).api_key(gateway.reviewer("dana"));
        Self { data, reviewer: Reviewer::new(client.build().unwrap()), gateway }
    }

    fn gate(&self) -> Gate {
        let url = format!("{}/aap", self.gateway.url());
        let client = AapClient::new(&url, self.gateway.agent("opencode")).unwrap();
        Gate::new(client.retry_budget(Duration::from_secs(2)))
    }

    /// The entry with that summary, once it waits.
    async fn waiting(&self, summary: &str) -> Queued {
        let is = |entry: &Queued| entry.action.summary.as_ref().map(Untrusted::raw) == Some(summary);
        until(summary, || async { self.reviewer.pending().await.into_iter().find(is) }).await
    }

    async fn decide(&self, entry: &Queued, verdict: Verdict, reason: &str) {
        let resolution = self.reviewer.decide(&entry.action, verdict, reason).await;
        assert!(resolution.outcome.is_ours(), "{resolution:?}");
    }

    async fn state(&self, entry: &Queued) -> ActionState {
        self.reviewer.entry(&entry.action.id).await.state
    }
}

/// A bridge that runs; what it has said.
struct Running {
    stop: Option<oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<()>,
    said: Arc<Mutex<Vec<String>>>,
}

impl Running {
    fn start(url: &str, gate: Gate, on_expiry: OnExpiry, timeout: &str) -> Self {
        Self::with(Server::new(url, None, None).unwrap(), gate, on_expiry, timeout)
    }

    fn with(server: Server, gate: Gate, on_expiry: OnExpiry, timeout: &str) -> Self {
        let (stop, stopped) = oneshot::channel();
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let lines = Arc::clone(&said);
        let tell = Arc::new(move |line: &str| lines.lock().unwrap().push(line.to_owned()));
        let bridge = OpenCode::new(server, gate, on_expiry, timeout, tell);
        let task = tokio::spawn(bridge.run(async {
            let _ = stopped.await;
        }));
        Self { stop: Some(stop), task, said }
    }

    async fn says(&self, words: &str) {
        let said = || self.said.lock().unwrap().iter().any(|line| line.contains(words)).then_some(());
        until(words, || async { said() }).await;
    }

    async fn stop(mut self) {
        let _ = self.stop.take().unwrap().send(());
        (&mut self.task).await.unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + SOON;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "it never came to: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn taken(scripted: &Scripted, count: usize) -> Vec<(String, Value)> {
    until("an answer", || async { Some(scripted.taken()).filter(|taken| taken.len() >= count) }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_goes_back_once_and_a_no_with_its_reason() {
    let (place, (scripted, url)) = (Place::start("").await, Scripted::start().await);
    scripted.ask(permission("per_1", "ses_a", "echo 1"));
    let bridge = Running::start(&url, place.gate(), OnExpiry::Reject, "30m");
    scripted.ask(permission("per_2", "ses_b", "echo 2"));
    scripted.ask(permission("per_3", "ses_b", "echo 3"));
    let (one, two, three) =
        (place.waiting("echo 1").await, place.waiting("echo 2").await, place.waiting("echo 3").await);
    let source = one.action.source.clone().unwrap();
    assert_eq!((source.name.raw(), source.reason, source.silence), ("opencode", true, Silence::NotRun));
    assert_eq!((one.action.name.raw(), one.action.thread_id.raw()), ("bash", "ses_a"));
    assert!(one.action.payload().starts_with(r#"{"patterns":["echo 1"],"metadata":{"command":"echo 1"}"#));

    place.decide(&one, Verdict::Approve, "go ahead").await;
    assert_eq!(taken(&scripted, 1).await, [("per_1".to_owned(), json!({"reply": "once"}))]);
    place.decide(&two, Verdict::Reject, "not on a Friday").await;
    let all = taken(&scripted, 2).await;
    assert_eq!(all[1], ("per_2".to_owned(), json!({"reply": "reject", "message": "not on a Friday"})));
    // OpenCode ended the other one of that session with it.
    until("withdrawn", || async { (place.state(&three).await == ActionState::Cancelled).then_some(()) })
        .await;
    let outcome = until("the outcome", || async {
        let execution = place.reviewer.entry(&one.action.id).await.execution?;
        (execution.state == ExecutionState::Succeeded).then_some(execution)
    });
    assert!(outcome.await.note.unwrap().raw().contains("passed on to OpenCode"));
    bridge.stop().await;
    assert_eq!((scripted.taken().len(), scripted.inner().late.len()), (2, 0), "each was answered once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_answered_in_opencode_is_withdrawn_and_a_bridge_that_ends_withdraws_and_asks_anew() {
    let (place, (scripted, url)) = (Place::start("").await, Scripted::start().await);
    scripted.ask(permission("per_1", "ses_a", "echo 1"));
    scripted.ask(permission("per_2", "ses_b", "echo 2"));
    let bridge = Running::start(&url, place.gate(), OnExpiry::Reject, "30m");
    let (one, two) = (place.waiting("echo 1").await, place.waiting("echo 2").await);
    scripted.inner().pending.remove(0);
    scripted.tell("permission.replied");
    until("withdrawn", || async { (place.state(&one).await == ActionState::Cancelled).then_some(()) }).await;
    bridge.stop().await;
    assert_eq!(place.state(&two).await, ActionState::Cancelled);
    let _again = Running::start(&url, place.gate(), OnExpiry::Reject, "30m");
    let anew = place.waiting("echo 2").await;
    assert_ne!(anew.action.id, two.action.id);
    place.decide(&anew, Verdict::Approve, "").await;
    assert_eq!(taken(&scripted, 1).await, [("per_2".to_owned(), json!({"reply": "once"}))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_a_no_unless_it_is_left_to_opencode() {
    let (place, (scripted, url)) = (Place::start("").await, Scripted::start().await);
    scripted.ask(permission("per_1", "ses_a", "echo 1"));
    let bridge = Running::start(&url, place.gate(), OnExpiry::Reject, "1s");
    let told = json!({"reply": "reject", "message": "nobody decided in time"});
    assert_eq!(taken(&scripted, 1).await, [("per_1".to_owned(), told)]);
    bridge.stop().await;
    scripted.ask(permission("per_2", "ses_a", "echo 2"));
    let bridge = Running::start(&url, place.gate(), OnExpiry::Leave, "1s");
    bridge.says("left to OpenCode's own question").await;
    assert_eq!(scripted.taken().len(), 1);
    scripted.tell("permission.asked");
    bridge.stop().await;
    assert_eq!((scripted.taken().len(), scripted.inner().pending.len()), (1, 1), "and it is not asked again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_gateway_does_not_ask_is_a_no_with_its_words() {
    let rules = "[[rule]]\nname = \"never\"\naction = \"bash\"\npayload.\"/metadata/command\" = \"echo 1\"\nrefuse = \"use staging\"\n";
    let (place, (scripted, url)) = (Place::start(rules).await, Scripted::start().await);
    scripted.ask(permission("per_1", "ses_a", "echo 1"));
    scripted.ask(permission("per_2", "ses_b", &"x".repeat(300_000)));
    let _bridge = Running::start(&url, place.gate(), OnExpiry::Reject, "30m");
    let mut all = taken(&scripted, 2).await;
    all.sort_by(|one, other| one.0.cmp(&other.0));
    for ((_, body), words) in all.iter().zip(["use staging", "cannot be asked"]) {
        assert_eq!(body["reply"], "reject");
        assert!(body["message"].as_str().unwrap().contains(words), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_what_was_approved_is_rejected() {
    let (place, (scripted, url)) = (Place::start("").await, Scripted::start().await);
    scripted.ask(permission("per_1", "ses_a", "echo 1"));
    let _bridge = Running::start(&url, place.gate(), OnExpiry::Reject, "30m");
    let one = place.waiting("echo 1").await;
    scripted.inner().pending[0]["metadata"]["command"] = json!("rm -rf /");
    place.decide(&one, Verdict::Approve, "").await;
    let all = taken(&scripted, 1).await;
    assert_eq!((all[0].1["reply"].as_str(), all.len()), (Some("reject"), 1));
    assert!(
        place
            .reviewer
            .entry(&one.action.id)
            .await
            .execution
            .is_none_or(|execution| { execution.state == ExecutionState::Waiting }),
        "the approval was not taken"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_and_refusals_are_no_answer_and_nothing_that_waits_is_lost() {
    let (place, (scripted, url)) = (Place::start("").await, Scripted::start().await);
    scripted.ask(permission("per_1", "ses_a", "echo 1"));
    let bridge = Running::start(&url, place.gate(), OnExpiry::Reject, "30m");
    let one = place.waiting("echo 1").await;
    for (status, text) in [
        (200, "[{\"id\":".to_owned()),
        (200, "{}".into()),
        (200, "<html>".into()),
        (200, "[".repeat(100_000)),
        (204, String::new()),
        (302, String::new()),
        (500, "[]".into()),
        (404, "[]".into()),
    ] {
        let before = scripted.inner().listed;
        scripted.inner().list = Some((status, text.clone()));
        scripted.tell("permission.asked");
        until("it is listed", || async { (scripted.inner().listed > before).then_some(()) }).await;
        assert_eq!(place.state(&one).await, ActionState::Pending, "{status} {text}");
    }
    bridge.says("OpenCode: ").await;
    // Approved while OpenCode makes no sense: nothing is taken before it can be told.
    place.decide(&one, Verdict::Approve, "").await;
    let before = scripted.inner().listed;
    until("it is listed", || async { (scripted.inner().listed > before + 1).then_some(()) }).await;
    assert!(scripted.taken().is_empty());
    scripted.inner().list = None;
    assert_eq!(taken(&scripted, 1).await, [("per_1".to_owned(), json!({"reply": "once"}))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_is_said_again_and_lands_once() {
    let (place, (scripted, url)) = (Place::start("").await, Scripted::start().await);
    scripted.inner().loses = true;
    scripted.ask(permission("per_1", "ses_a", "echo 1"));
    let bridge = Running::start(&url, place.gate(), OnExpiry::Reject, "30m");
    let one = place.waiting("echo 1").await;
    place.decide(&one, Verdict::Approve, "").await;
    bridge.says("whether OpenCode heard it is not known").await;
    assert_eq!(scripted.taken(), [("per_1".to_owned(), json!({"reply": "once"}))]);
    let execution = place.reviewer.entry(&one.action.id).await.execution.unwrap();
    assert_eq!(execution.state, ExecutionState::Consumed, "nothing is claimed of how it went");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_down_is_no_answer() {
    let (scripted, url) = Scripted::start().await;
    let client = AapClient::new("http://127.0.0.1:9/aap", "s3cret").unwrap();
    let gate = Gate::new(client.retry_budget(Duration::ZERO));
    scripted.ask(permission("per_1", "ses_a", "echo 1"));
    let bridge = Running::start(&url, gate, OnExpiry::Reject, "30m");
    bridge.says("the gateway: the provider could not be reached").await;
    bridge.stop().await;
    assert_eq!((scripted.taken().len(), scripted.inner().pending.len()), (0, 1));
    // A credential that is refused is none either.
    let place = Place::start("").await;
    let client = AapClient::new(&format!("{}/aap", place.gateway.url()), "wrong").unwrap();
    let bridge = Running::start(&url, Gate::new(client), OnExpiry::Reject, "30m");
    bridge.says("refused the agent's credential").await;
    bridge.stop().await;
    assert!(scripted.taken().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_a_password_is_given_it() {
    let (place, (scripted, url)) = (Place::start("").await, Scripted::start().await);
    scripted.inner().password = Some("Basic ZGFuYTpzM2NyZXQ=");
    scripted.ask(permission("per_1", "ses_a", "echo 1"));
    let bridge = Running::start(&url, place.gate(), OnExpiry::Reject, "30m");
    bridge.says("set OPENCODE_SERVER_PASSWORD").await;
    bridge.stop().await;
    let login = Login { user: "dana".into(), password: "s3cret".into() };
    let server = Server::new(&url, Some(login), None).unwrap();
    let _bridge = Running::with(server, place.gate(), OnExpiry::Reject, "30m");
    place.waiting("echo 1").await;
    assert!(
        Server::new("http://opencode.example:4096", None, None).is_err(),
        "in the clear only on this machine"
    );
    assert!(Server::new("http://me:pw@127.0.0.1:4096", None, None).is_err());
}

/// The real program, killed where a test ends early.
struct Process(Child);

impl Process {
    fn start(url: &str, place: &Place, abort_at: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
        command.args(["feed", "opencode", "--opencode", url, "--server", &place.gateway.url()]);
        command
            .env("AEGIS_AGENT_TOKEN", place.gateway.agent("opencode").expose_secret())
            .env("HOME", place.data.path());
        command.env_remove("AEGIS_AGENT_TOKEN_FILE").env_remove("OPENCODE_SERVER_PASSWORD");
        command.env("AEGIS_CONSOLE_ABORT_AT", abort_at).stdin(Stdio::null()).stdout(Stdio::null());
        Self(command.stderr(Stdio::null()).spawn().unwrap())
    }

    async fn ended(&mut self) {
        until("it was killed", || std::future::ready(self.0.try_wait().unwrap())).await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_and_started_again_it_never_says_yes_twice_nor_to_what_was_denied() {
    let (place, (scripted, url)) = (Place::start("").await, Scripted::start().await);
    // Taken, and not told: nobody can know, so it is a no.
    scripted.ask(permission("per_1", "ses_a", "echo 1"));
    let mut bridge = Process::start(&url, &place, "after opencode taken");
    let one = place.waiting("echo 1").await;
    place.decide(&one, Verdict::Approve, "").await;
    bridge.ended().await;
    assert!(scripted.taken().is_empty());
    let bridge = Process::start(&url, &place, "");
    assert_eq!(taken(&scripted, 1).await[0].1["reply"], "reject");
    drop(bridge);

    // Told, and not reported.
    scripted.ask(permission("per_2", "ses_b", "echo 2"));
    let mut bridge = Process::start(&url, &place, "after opencode told");
    let two = place.waiting("echo 2").await;
    place.decide(&two, Verdict::Approve, "").await;
    bridge.ended().await;
    assert_eq!(taken(&scripted, 2).await[1], ("per_2".to_owned(), json!({"reply": "once"})));

    // Killed while it waits; denied while nobody is there.
    scripted.ask(permission("per_3", "ses_c", "echo 3"));
    let bridge = Process::start(&url, &place, "");
    let three = place.waiting("echo 3").await;
    drop(bridge);
    place.decide(&three, Verdict::Reject, "no").await;
    let _bridge = Process::start(&url, &place, "");
    let all = taken(&scripted, 3).await;
    assert_eq!(all[2], ("per_3".to_owned(), json!({"reply": "reject", "message": "no"})));
    assert_eq!(all.len(), 3);
    assert!(scripted.inner().late.is_empty(), "nothing was answered twice");
}
