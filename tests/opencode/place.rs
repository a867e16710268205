//! What a test has beside OpenCode: a gateway with a reviewer, and the bridge, in this process or as the program that it is.

use crate::reviewing::Reviewer;
use crate::scripted::Scripted;
use aegis_console::agent::opencode::{OnExpiry, OpenCode, Server};
use aegis_console::agent::{AapClient, Gate};
use aegis_console::client::AegisClient;
use aegis_console::domain::{ActionState, Queued, Untrusted, Verdict};
use aegis_console::gateway::{Config, Gateway};
use axum::http::{Method, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Whatever is waited for comes well before, unless it never does.
const SOON: Duration = Duration::from_secs(30);

/// A gateway, a reviewer there, and where its agents ask.
pub(crate) struct Place {
    pub(crate) data: tempfile::TempDir,
    pub(crate) gateway: Gateway,
    pub(crate) reviewer: Reviewer,
}

impl Place {
    pub(crate) async fn start(rules: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        std::fs::set_permissions(data.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        std::fs::write(data.path().join("rules.toml"), rules).unwrap();
        let config = Config::new(([127, 0, 0, 1], 0).into(), data.path());
        let gateway = Gateway::start(config).await.unwrap();
        let client = AegisClient::builder().base_url(gateway.url()).api_key(gateway.reviewer("dana"));
        Self { data, reviewer: Reviewer::new(client.build().unwrap()), gateway }
    }

    pub(crate) fn gate(&self) -> Gate {
        let url = format!("{}/aap", self.gateway.url());
        let client = AapClient::new(&url, self.gateway.agent("opencode")).unwrap();
        Gate::new(client.retry_budget(Duration::from_secs(2)))
    }

    /// The entry with that summary, once it waits.
    pub(crate) async fn waiting(&self, summary: &str) -> Queued {
        let is = |entry: &Queued| entry.action.summary.as_ref().map(Untrusted::raw) == Some(summary);
        until(summary, || async { self.reviewer.pending().await.into_iter().find(is) }).await
    }

    pub(crate) async fn decide(&self, entry: &Queued, verdict: Verdict, reason: &str) {
        let resolution = self.reviewer.decide(&entry.action, verdict, reason).await;
        assert!(resolution.outcome.is_ours(), "{resolution:?}");
    }

    pub(crate) async fn state(&self, entry: &Queued) -> ActionState {
        self.reviewer.entry(&entry.action.id).await.state
    }
}

/// A provider that says so of what it is asked, and so of what is withdrawn; how often it was asked.
pub(crate) async fn provider(
    deadline: &'static str,
    asked: &'static str,
    withdrawn: &'static str,
) -> (Gate, Arc<AtomicUsize>) {
    let times = Arc::new(AtomicUsize::new(0));
    let (count, body) = (Arc::clone(&times), Arc::new(Mutex::new(String::new())));
    let app = axum::Router::new().fallback(move |method: Method, sent: String| {
        let mut body = body.lock().unwrap();
        let (status, more) = match method {
            Method::POST => {
                count.fetch_add(1, Ordering::SeqCst);
                *body = sent.strip_suffix('}').unwrap().to_owned();
                (StatusCode::CREATED, asked)
            }
            Method::DELETE => (StatusCode::OK, withdrawn),
            _ => (StatusCode::OK, asked),
        };
        let times = format!(r#""created_at":"2020-01-01T00:00:00.000000Z","deadline_at":{deadline}"#);
        let id = "0197a1b2-0000-7000-8000-000000000001";
        std::future::ready((status, format!(r#"{body},"id":"{id}",{times},{more}}}"#)))
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/aap", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (Gate::new(AapClient::new(&url, "s3cret").unwrap()), times)
}

/// A bridge that runs; what it has said.
pub(crate) struct Running {
    stop: Option<oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<()>,
    said: Arc<Mutex<Vec<String>>>,
}

impl Running {
    pub(crate) fn start(url: &str, gate: Gate, on_expiry: OnExpiry, timeout: &str) -> Self {
        Self::with(Server::new(url, None, None).unwrap(), gate, on_expiry, timeout)
    }

    pub(crate) fn with(server: Server, gate: Gate, on_expiry: OnExpiry, timeout: &str) -> Self {
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

    pub(crate) async fn says(&self, words: &str) {
        let said = || self.said.lock().unwrap().iter().any(|line| line.contains(words)).then_some(());
        until(words, || async { said() }).await;
    }

    pub(crate) async fn stop(mut self) {
        let _ = self.stop.take().unwrap().send(());
        (&mut self.task).await.unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + SOON;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "it never came to: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) async fn taken(scripted: &Scripted, count: usize) -> Vec<(String, Value)> {
    until("an answer", || async { Some(scripted.taken()).filter(|taken| taken.len() >= count) }).await
}

/// The real program, killed where a test ends early.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(url: &str, place: &Place, abort_at: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
        command.args(["feed", "opencode", "--opencode", url, "--server", &place.gateway.url()]);
        command
            .env("AEGIS_AGENT_TOKEN", place.gateway.agent("opencode").expose_secret())
            .env("HOME", place.data.path());
        command.env_remove("AEGIS_AGENT_TOKEN_FILE").env_remove("OPENCODE_SERVER_PASSWORD");
        command.env("AEGIS_CONSOLE_ABORT_AT", abort_at).stdin(Stdio::null()).stdout(Stdio::null());
        Self(command.stderr(Stdio::null()).spawn().unwrap())
    }

    pub(crate) async fn ended(&mut self) {
        until("it was killed", || std::future::ready(self.0.try_wait().unwrap())).await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
