//! What the tests of the dispatcher need: a server in process that keeps a ledger, decisions, a journal in a directory of
//! its own, and a way to crash.

use aegis_console::client::http::{Request, Response, StatusCode};
use aegis_console::client::{AegisClient, AttemptEvent, Builder, Bytes, Jitter, Transport, TransportError};
use aegis_console::dispatch::{Check, DispatchEvent, Dispatcher, News, NoCheck, Order, Pace};
use aegis_console::domain::{Action, Outcome, Verdict};
use aegis_console::journal::{Entry, Journal, Stage};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::Instant;
use uuid::Uuid;

/// What happens to one decision call, beside what the server makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It arrives and is answered.
    Fine,
    /// It never leaves.
    NotSent,
    /// It arrives and is carried out, and the answer is lost.
    AnswerLost,
    /// It is lost on its way.
    RequestLost,
    /// It arrives and is carried out, and nothing ever comes back.
    Hang,
    /// The server answers so, and does nothing.
    Says(u16),
    /// 429 with that `Retry-After`.
    After(u64),
    /// 202, and the row stays `PENDING`.
    Pending,
    /// It arrives and is carried out, and the server dies: no answer, and the row stays `PENDING`.
    Orphaned,
}

/// A row of the server: who decided under the key, and how far that is.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) request_id: String,
    pub(crate) verdict: String,
    pub(crate) status: &'static str,
}

/// How often a key was carried out, and since when its row is there.
#[derive(Debug, Default)]
pub(crate) struct Effects(HashMap<String, (usize, Option<Instant>)>);

impl Effects {
    fn of(&mut self, key: &str) {
        let (count, since) = self.0.entry(key.to_owned()).or_default();
        (*count, *since) = (*count + 1, Some(Instant::now()));
    }
}

type Script = Box<dyn FnMut(usize, &Request<Bytes>) -> Fate + Send>;
type Spy = Box<dyn Fn(&Request<Bytes>) + Send + Sync>;

/// A server that carries out each key once, and keeps every request.
pub(crate) struct Server {
    script: Mutex<Script>,
    pub(crate) spy: Mutex<Option<Spy>>,
    pub(crate) rows: Mutex<HashMap<String, Row>>,
    pub(crate) requests: Mutex<Vec<(Instant, Request<Bytes>)>>,
    pub(crate) answers_looks: Mutex<bool>,
    /// After that time rows that are `PENDING` become `FAILED`, whatever their effect.
    pub(crate) janitor: Mutex<Option<Duration>>,
    effects: Mutex<Effects>,
    in_flight: Mutex<(usize, usize)>,
}

impl Server {
    pub(crate) fn new(script: impl FnMut(usize, &Request<Bytes>) -> Fate + Send + 'static) -> Arc<Self> {
        Arc::new(Self {
            script: Mutex::new(Box::new(script)),
            spy: Mutex::default(),
            rows: Mutex::default(),
            requests: Mutex::default(),
            answers_looks: Mutex::new(true),
            janitor: Mutex::default(),
            effects: Mutex::default(),
            in_flight: Mutex::default(),
        })
    }

    /// Every decision call has the same fate.
    pub(crate) fn always(fate: Fate) -> Arc<Self> {
        Self::new(move |_, _| fate)
    }

    pub(crate) fn is_now(&self, fate: Fate) {
        self.becomes(move |_, _| fate);
    }

    pub(crate) fn becomes(&self, script: impl FnMut(usize, &Request<Bytes>) -> Fate + Send + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    pub(crate) fn posts(&self) -> Vec<Request<Bytes>> {
        let requests = self.requests.lock().unwrap();
        requests.iter().map(|(_, request)| request).filter(|r| r.method() == "POST").cloned().collect()
    }

    /// How often what was decided under that key has been carried out.
    pub(crate) fn effects(&self, key: &str) -> usize {
        self.effects.lock().unwrap().0.get(key).map_or(0, |(count, _)| *count)
    }

    fn sweep(&self) {
        let Some(after) = *self.janitor.lock().unwrap() else { return };
        let effects = self.effects.lock().unwrap();
        for (key, row) in self.rows.lock().unwrap().iter_mut().filter(|(_, row)| row.status == "PENDING") {
            let since = effects.0.get(key).and_then(|(_, since)| *since);
            if since.is_some_and(|since| since.elapsed() >= after) {
                row.status = "FAILED";
            }
        }
    }

    pub(crate) fn post_times(&self) -> Vec<Instant> {
        let requests = self.requests.lock().unwrap();
        requests.iter().filter(|(_, request)| request.method() == "POST").map(|(at, _)| *at).collect()
    }

    pub(crate) fn most_in_flight(&self) -> usize {
        self.in_flight.lock().unwrap().1
    }

    /// Whether every call for a key was the same in all that counts.
    pub(crate) fn assert_same_bytes(&self) {
        let mut first: HashMap<String, Request<Bytes>> = HashMap::new();
        for post in self.posts() {
            let key = post.headers()["idempotency-key"].to_str().unwrap().to_owned();
            let one = first.entry(key).or_insert_with(|| post.clone());
            assert_eq!((one.uri(), one.headers(), one.body()), (post.uri(), post.headers(), post.body()));
        }
    }

    fn decide(&self, request: &Request<Bytes>, status: &'static str) -> Response<Bytes> {
        let key = request.headers()["idempotency-key"].to_str().unwrap().to_owned();
        let mut rows = self.rows.lock().unwrap();
        if let Some(row) = rows.get(&key).filter(|row| row.status != "FAILED") {
            let body = format!(
                r#"{{"decision":{{"request_id":"{}","verdict":"{}","reviewer":"alice","status":"{}"}}}}"#,
                row.request_id, row.verdict, row.status
            );
            return answer(409, body);
        }
        let verdict = if request.uri().path().ends_with("approve") { "approve" } else { "reject" };
        let request_id = request.headers()["x-request-id"].to_str().unwrap().to_owned();
        let body = format!(r#"{{"request_id":"{request_id}","status":"{status}"}}"#);
        self.effects.lock().unwrap().of(&key);
        rows.insert(key, Row { request_id, verdict: verdict.into(), status });
        answer(202, body)
    }

    fn look(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let asked = request.uri().path().rsplit('/').next().unwrap();
        let rows = self.rows.lock().unwrap();
        match rows.values().find(|row| row.request_id == asked) {
            Some(row) if *self.answers_looks.lock().unwrap() => answer(
                200,
                format!(
                    r#"{{"request_id":"{}","verdict":"{}","status":"{}"}}"#,
                    row.request_id, row.verdict, row.status
                ),
            ),
            _ => answer(404, String::new()),
        }
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        if let Some(spy) = &*self.spy.lock().unwrap() {
            spy(&request);
        }
        let number = {
            let mut requests = self.requests.lock().unwrap();
            requests.push((Instant::now(), request.clone()));
            requests.iter().filter(|(_, request)| request.method() == "POST").count()
        };
        self.sweep();
        if request.method() != "POST" {
            return Ok(self.look(&request));
        }
        let fate = (self.script.lock().unwrap())(number, &request);
        {
            let mut in_flight = self.in_flight.lock().unwrap();
            in_flight.0 += 1;
            in_flight.1 = in_flight.1.max(in_flight.0);
        }
        let _out = Out(self);
        // So that others get a turn while this one is on its way.
        tokio::task::yield_now().await;
        match fate {
            Fate::Fine => Ok(self.decide(&request, "COMMITTED")),
            Fate::Pending => Ok(self.decide(&request, "PENDING")),
            Fate::NotSent => Err(TransportError::not_sent("connection refused")),
            Fate::AnswerLost => {
                self.decide(&request, "COMMITTED");
                Err(TransportError::lost("reset"))
            }
            Fate::Orphaned => {
                self.decide(&request, "PENDING");
                Err(TransportError::lost("reset"))
            }
            Fate::RequestLost => Err(TransportError::lost("reset")),
            Fate::Hang => {
                self.decide(&request, "COMMITTED");
                std::future::pending().await
            }
            Fate::Says(status) => Ok(answer(status, String::new())),
            Fate::After(seconds) => {
                let mut response = answer(429, String::new());
                response.headers_mut().insert("retry-after", seconds.into());
                Ok(response)
            }
        }
    }
}

struct Out<'s>(&'s Server);

impl Drop for Out<'_> {
    fn drop(&mut self) {
        self.0.in_flight.lock().unwrap().0 -= 1;
    }
}

fn answer(status: u16, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

impl Transport for Server {
    fn send(
        &self,
        request: Request<Bytes>,
        _timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(self.exchange(request))
    }
}

/// A directory with a journal in it.
pub(crate) struct Disk {
    directory: TempDir,
}

impl Disk {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("journal.sqlite")
    }

    pub(crate) fn journal(&self) -> Journal {
        Journal::open(&self.path()).unwrap()
    }
}

pub(crate) fn builder(server: &Arc<Server>) -> Builder {
    let transport = Arc::clone(server) as Arc<dyn Transport>;
    AegisClient::builder().api_key("k".to_owned()).transport(transport).jitter(Jitter::None)
}

/// A dispatcher and what it tells.
pub(crate) struct Desk {
    pub(crate) dispatcher: Dispatcher,
    pub(crate) events: mpsc::Receiver<DispatchEvent>,
    pub(crate) journal: Journal,
    /// What came for others while one was waited for.
    pub(crate) told: Vec<DispatchEvent>,
}

impl Desk {
    pub(crate) fn open(server: &Arc<Server>, disk: &Disk) -> Self {
        Self::with(builder(server), disk, Arc::new(NoCheck), Pace::default())
    }

    pub(crate) fn with(client: Builder, disk: &Disk, check: Arc<dyn Check>, pace: Pace) -> Self {
        let journal = disk.journal();
        let (dispatcher, events) = Dispatcher::start(client.build().unwrap(), journal.clone(), check, pace);
        Self { dispatcher, events, journal, told: Vec::new() }
    }

    /// Decides on one action without grace, and returns the decision's id.
    pub(crate) fn approve(&self, key: &str) -> Uuid {
        let order = order(Verdict::Approve, key);
        let id = order.id;
        self.dispatcher.decide(vec![order], Duration::ZERO);
        id
    }

    /// The next news, of whatever decision.
    pub(crate) async fn next(&mut self) -> DispatchEvent {
        self.events.recv().await.unwrap()
    }

    /// Reads on until the news of that decision is `wanted`; all of its news, in words.
    pub(crate) async fn until(&mut self, id: Uuid, wanted: impl Fn(&News) -> bool) -> Vec<String> {
        let mut words = Vec::new();
        loop {
            let event = self.next().await;
            if event.id != id {
                self.told.push(event);
                continue;
            }
            words.push(word(&event.news));
            if wanted(&event.news) {
                return words;
            }
        }
    }

    /// Reads on until that decision has ended.
    pub(crate) async fn ended(&mut self, id: Uuid) -> Outcome {
        loop {
            let event = self.next().await;
            if let (true, News::Resolved(resolution)) = (event.id == id, event.news) {
                return resolution.outcome;
            }
        }
    }

    pub(crate) fn entry(&self, id: Uuid) -> Entry {
        self.journal.entry(id).unwrap().unwrap()
    }

    pub(crate) fn stage(&self, id: Uuid) -> Stage {
        self.entry(id).stage
    }
}

/// One word for a piece of news.
pub(crate) fn word(news: &News) -> String {
    match news {
        News::Found(entry) => format!("found {}", entry.stage.word()),
        News::Held { .. } => "held".into(),
        News::Queued => "queued".into(),
        News::Attempt(AttemptEvent::Started { number, .. }) => format!("try {number}"),
        News::Attempt(AttemptEvent::Answered { http_status: Some(status), .. }) => status.to_string(),
        News::Attempt(AttemptEvent::Answered { error, .. }) => error.clone().unwrap(),
        News::Attempt(AttemptEvent::Waiting { .. }) => "waiting".into(),
        News::Attempt(AttemptEvent::Looking) => "looking".into(),
        News::Resolved(resolution) => resolution.outcome.word().into(),
        News::Doubtful { .. } => "doubtful".into(),
        News::Dropped => "dropped".into(),
        News::Returned { why } => format!("returned: {why}"),
        News::NotRecorded { .. } => "not recorded".into(),
        News::Stopped { .. } => "stopped".into(),
    }
}

pub(crate) fn action(key: &str, thread: &str) -> Arc<Action> {
    let sealed = format!(
        r#"{{"v":1,"id":"a-{key}","tenant_id":"acme","thread_id":"{thread}","idempotency_key":"{key}","agent":"g","action":"send \"x\"",
        "payload":{{ "n": 1.10,"big":9007199254740993, "t":"\u0061" }},"created_at":"2026-11-23T12:00:00Z","expires_at":"9026-11-23T12:10:00Z"}}"#
    );
    Arc::new(Action::read(sealed).unwrap())
}

pub(crate) fn order(verdict: Verdict, key: &str) -> Order {
    Order {
        id: Uuid::new_v4(),
        request_id: Uuid::new_v4(),
        action: action(key, "order-42"),
        verdict,
        reason: None,
        reviewer: None,
        decided_at: Timestamp::now(),
    }
}

/// Runs a part of a process's life on a paused clock. At its end everything of it is dropped where it stands, as a crash
/// would, but for what was handed to the disk.
pub(crate) fn process<T>(life: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(life)
}

/// The same on the real clock, for what must not see time jump while the disk is waited for; a minute at most.
pub(crate) fn live<T>(life: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let life = async { tokio::time::timeout(Duration::from_secs(60), life).await.expect("hangs") };
    runtime.block_on(life)
}
