//! A server with the manners of the real one: a row for each key, carried out once, `PENDING` while it is at work, and a
//! janitor that after five minutes sets what a crash has left so to `FAILED`, which opens the key again. It crashes, is
//! slow, overloaded, and fails. Its rows outlive it. It keeps a ledger of every effect.

use crate::plan::Temper;
use aegis_console::client::Bytes;
use aegis_console::client::http::{HeaderMap, Request, Response, StatusCode};
use aegis_console::domain::{RowStatus, Verdict, timestamp};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

/// What the real server's janitor waits for, and how often it comes.
const ORPHANED: Duration = Duration::from_secs(300);
const ROUND: Duration = Duration::from_secs(60);

/// What `GET status` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatusCall {
    Full,
    Minimal,
    Missing,
    Failing,
}

/// What the server never changes.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    pub(crate) status: StatusCall,
    /// Whether a 409 says whose decision stands.
    pub(crate) says_whose: bool,
    /// Answers before it carries out.
    pub(crate) accepts_first: bool,
    /// By which its clock is wrong.
    pub(crate) skew: SignedDuration,
}

/// What is kept for one key.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    call: Call,
    decided_at: Timestamp,
    status: RowStatus,
    since: Instant,
}

/// An effect in the world.
#[derive(Debug, Clone)]
pub(crate) struct Execution {
    pub(crate) action: String,
    pub(crate) request_id: String,
    pub(crate) verdict: Verdict,
    /// By a copy that the line had made.
    pub(crate) copied: bool,
    /// The row was opened again after another one's call had failed, perhaps after its effect: nobody who sends can know.
    pub(crate) servers_own: bool,
}

/// A decision call as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) console: usize,
    /// A copy that the line has made; its answer goes nowhere.
    pub(crate) copy: bool,
    pub(crate) action: String,
    pub(crate) key: String,
    pub(crate) request_id: String,
    pub(crate) verdict: Verdict,
}

#[derive(Debug)]
pub(crate) struct Ledger {
    rows: BTreeMap<String, Row>,
    /// Every status that a call's row ever had.
    pub(crate) was: Vec<(Call, RowStatus)>,
    pub(crate) executions: Vec<Execution>,
    pub(crate) arrived: Vec<Call>,
    /// Request ids of calls that were told to come later, and of which nothing was begun.
    pub(crate) turned_away: HashSet<String>,
    seen: HashMap<String, String>,
    up: bool,
    temper: Temper,
    chance: fastrand::Rng,
    at_work: Vec<AbortHandle>,
    pub(crate) crashes: usize,
    pub(crate) swept: usize,
}

pub(crate) struct Server {
    pub(crate) manner: Manner,
    now: Box<dyn Fn() -> Timestamp + Send + Sync>,
    ledger: Mutex<Ledger>,
}

type Answer = oneshot::Sender<Response<Bytes>>;

impl Server {
    pub(crate) fn new(
        manner: Manner,
        temper: Temper,
        chance: fastrand::Rng,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Arc<Self> {
        let ledger = Ledger {
            rows: BTreeMap::new(),
            was: Vec::new(),
            executions: Vec::new(),
            arrived: Vec::new(),
            turned_away: HashSet::new(),
            seen: HashMap::new(),
            up: true,
            temper,
            chance,
            at_work: Vec::new(),
            crashes: 0,
            swept: 0,
        };
        let server = Arc::new(Self { manner, now: Box::new(now), ledger: Mutex::new(ledger) });
        tokio::spawn(Arc::clone(&server).janitor());
        server
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }

    pub(crate) fn is_up(&self) -> bool {
        self.ledger().up
    }

    /// From now on nothing goes wrong here any more.
    pub(crate) fn heal(&self) {
        let mut ledger = self.ledger();
        (ledger.up, ledger.temper) = (true, Temper::CALM);
    }

    /// Whatever it does ends here; its rows stay.
    pub(crate) fn crash(self: &Arc<Self>, down: Duration) {
        let mut ledger = self.ledger();
        ledger.up = false;
        ledger.crashes += 1;
        ledger.at_work.drain(..).for_each(|task| task.abort());
        let server = Arc::clone(self);
        tokio::spawn(async move {
            sleep(down).await;
            server.ledger().up = true;
        });
    }

    async fn janitor(self: Arc<Self>) {
        loop {
            sleep(ROUND).await;
            let mut ledger = self.ledger();
            if !ledger.up {
                continue;
            }
            let orphaned =
                |row: &&mut Row| row.status == RowStatus::Pending && row.since.elapsed() > ORPHANED;
            let mut swept = Vec::new();
            for row in ledger.rows.values_mut().filter(orphaned) {
                row.status = RowStatus::Failed;
                swept.push((row.call.clone(), row.status));
            }
            ledger.swept += swept.len();
            ledger.was.extend(swept);
        }
    }

    /// A request has come in. Where nothing comes back, the sender's end is dropped.
    pub(crate) fn take(
        self: &Arc<Self>,
        console: usize,
        copy: bool,
        request: Request<Bytes>,
    ) -> oneshot::Receiver<Response<Bytes>> {
        let (answer, answered) = oneshot::channel();
        let mut ledger = self.ledger();
        if ledger.up {
            ledger.at_work.retain(|task| !task.is_finished());
            let task = tokio::spawn(Arc::clone(self).serve(console, copy, request, answer));
            ledger.at_work.push(task.abort_handle());
        }
        answered
    }

    async fn serve(self: Arc<Self>, console: usize, copy: bool, request: Request<Bytes>, answer: Answer) {
        let (think, overloaded) = {
            let mut ledger = self.ledger();
            let slow = ledger.rolls(|temper| temper.slow);
            let think = ledger.chance.u64(0..if slow { 9_000 } else { 40 });
            (Duration::from_millis(think), ledger.rolls(|temper| temper.overloaded))
        };
        sleep(think).await;
        let path = request.uri().path().to_owned();
        let last = path.rsplit('/').next().unwrap().to_owned();
        // Nobody waits any more: that is its right.
        if overloaded {
            let busy = self.busy();
            if let Some(id) = request.headers().get("x-request-id").filter(|_| busy.status() != 503) {
                self.ledger().turned_away.insert(id.to_str().unwrap().to_owned());
            }
            let _ = answer.send(busy);
        } else if request.method() == "POST" {
            let call = Call { copy, ..self.call(console, &last, &request) };
            self.decide(call, answer).await;
        } else {
            let _ = answer.send(self.status(&last));
        }
    }

    fn call(&self, console: usize, verdict: &str, request: &Request<Bytes>) -> Call {
        let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        let call = Call {
            console,
            copy: false,
            action: body["action"].as_str().unwrap().to_owned(),
            key: header("idempotency-key"),
            request_id: header("x-request-id"),
            verdict: verdict.parse().unwrap(),
        };
        self.ledger().arrived.push(call.clone());
        call
    }

    async fn decide(self: &Arc<Self>, call: Call, answer: Answer) {
        let Some(servers_own) = self.reserve(&call) else {
            let _ = answer.send(self.conflict(&call.key));
            return;
        };
        let mut answer = Some(answer);
        let mut say = |response| {
            if let Some(answer) = answer.take() {
                // Whoever asked may have gone.
                let _ = answer.send(response);
            }
        };
        if self.manner.accepts_first {
            say(self.row(202, &call.key));
        }
        self.may_die(|temper| temper.dies_before).await;
        let work = Duration::from_millis(self.ledger().chance.u64(0..2_000));
        sleep(work).await;
        if self.ledger().rolls(|temper| temper.fails) {
            self.becomes(&call, RowStatus::Failed);
            say(self.problem(500, "its processing failed", None));
            return;
        }
        let Call { action, request_id, verdict, copy: copied, .. } = call.clone();
        self.ledger().executions.push(Execution { action, request_id, verdict, copied, servers_own });
        self.may_die(|temper| temper.dies_after).await;
        sleep(Duration::from_millis(1)).await;
        self.becomes(&call, RowStatus::Committed);
        if self.ledger().rolls(|temper| temper.stumbles) {
            say(self.problem(500, "it has happened all the same", None));
        } else {
            say(self.row(202, &call.key));
        }
    }

    /// Makes the row, and says whether it is the server's own fault should this be one effect too many; `None` where the
    /// key is decided or at work.
    fn reserve(&self, call: &Call) -> Option<bool> {
        let mut ledger = self.ledger();
        ledger.seen.insert(call.request_id.clone(), call.key.clone());
        if ledger.rows.get(&call.key).is_some_and(|row| row.status != RowStatus::Failed) {
            return None;
        }
        let anothers = ledger.rows.get(&call.key).is_some_and(|row| row.call.request_id != call.request_id);
        let row = Row {
            call: call.clone(),
            decided_at: (self.now)() + self.manner.skew,
            status: RowStatus::Pending,
            since: Instant::now(),
        };
        ledger.rows.insert(call.key.clone(), row);
        ledger.was.push((call.clone(), RowStatus::Pending));
        Some(anothers)
    }

    fn becomes(&self, call: &Call, status: RowStatus) {
        let mut ledger = self.ledger();
        ledger.rows.get_mut(&call.key).unwrap().status = status;
        ledger.was.push((call.clone(), status));
    }

    /// Dies here and now, sometimes.
    async fn may_die(self: &Arc<Self>, how_often: impl Fn(&Temper) -> u8) {
        if self.ledger().rolls(how_often) {
            let down = Duration::from_millis(self.ledger().chance.u64(50..90_000));
            self.crash(down);
            // This very task is at its end.
            std::future::pending::<()>().await;
        }
    }

    fn status(&self, request_id: &str) -> Response<Bytes> {
        let ledger = self.ledger();
        let row = ledger.seen.get(request_id).and_then(|key| ledger.rows.get(key));
        match (self.manner.status, row) {
            (StatusCall::Failing, _) => self.problem(500, "no database", None),
            (StatusCall::Missing, _) | (_, None) => self.problem(404, "no such request", None),
            (StatusCall::Full, Some(row)) => self.json(200, &decision(row)),
            (StatusCall::Minimal, Some(row)) => self.json(200, &json!({"status": row.status.word()})),
        }
    }

    fn conflict(&self, key: &str) -> Response<Bytes> {
        let decision = decision(&self.ledger().rows[key]);
        self.problem(409, "this key is known", self.manner.says_whose.then_some(decision))
    }

    fn row(&self, status: u16, key: &str) -> Response<Bytes> {
        self.json(status, &decision(&self.ledger().rows[key]))
    }

    /// 503, 403, or 429 with a time in either form, short or long.
    fn busy(&self) -> Response<Bytes> {
        let (kind, seconds) = {
            let mut ledger = self.ledger();
            (ledger.chance.u8(0..9), ledger.chance.u32(1..90))
        };
        match kind {
            0 | 1 => return self.problem(503, "overloaded", None),
            2 => return self.problem(403, "not today", None),
            _ => {}
        }
        let mut answer = self.problem(429, "too many", None);
        match kind {
            3 | 4 => drop(answer.headers_mut().insert("retry-after", seconds.into())),
            5 | 6 => self.date(answer.headers_mut(), "retry-after", seconds),
            _ => {}
        }
        answer
    }

    fn problem(&self, status: u16, detail: &str, decision: Option<Value>) -> Response<Bytes> {
        let mut body = json!({"type": "about:blank", "status": status, "detail": detail});
        if let Some(decision) = decision {
            body["decision"] = decision;
        }
        self.json(status, &body)
    }

    fn json(&self, status: u16, body: &Value) -> Response<Bytes> {
        let mut answer = Response::new(Bytes::from(body.to_string()));
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        self.date(answer.headers_mut(), "date", 0);
        answer
    }

    /// The server's own time of day, so many seconds from now.
    fn date(&self, headers: &mut HeaderMap, name: &'static str, seconds: u32) {
        let then = (self.now)() + self.manner.skew + SignedDuration::from_secs(seconds.into());
        let text = then.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        headers.insert(name, text.parse().unwrap());
    }
}

impl Ledger {
    fn rolls(&mut self, how_often: impl Fn(&Temper) -> u8) -> bool {
        let per_cent = how_often(&self.temper);
        self.chance.u8(0..100) < per_cent
    }

    pub(crate) fn executed(&self, request_id: &str) -> bool {
        self.executions.iter().any(|one| one.request_id == request_id)
    }

    pub(crate) fn was(&self, request_id: &str, status: RowStatus) -> bool {
        self.was.iter().any(|(call, was)| call.request_id == request_id && *was == status)
    }
}

fn decision(row: &Row) -> Value {
    json!({
        "request_id": row.call.request_id,
        "status": row.status.word(),
        "verdict": row.call.verdict.word(),
        "reviewer": format!("reviewer-{}", row.call.console),
        "decided_at": timestamp::format(row.decided_at),
    })
}
