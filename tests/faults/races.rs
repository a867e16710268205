//! Many reviewers, one action, our own gateway, and a line between them that loses requests and answers: exactly one
//! decision stands, everybody's word is true, and the agent gets what stands.

use crate::aegis::checker::Standing;
use crate::aegis::ledger::Execution;
use crate::aegis::{Asked, Claim, Ledger, Row, check};
use crate::reviewing::Reviewer;
use aegis_console::agent::{AapClient, RequestState, Submission};
use aegis_console::client::http::{HttpTransport, Request, Response};
use aegis_console::client::{AegisClient, Bytes, Jitter, Transport, TransportError};
use aegis_console::domain::{Action, ActionState, Resolution, RowStatus, Verdict};
use aegis_console::gateway::{Config, Gateway};
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// Long: what is late here is late because of a busy machine.
const TIMEOUT: Duration = Duration::from_secs(20);
const DEADLINE: Duration = Duration::from_secs(60);

/// How a line treats what goes over it, in per cent.
#[derive(Debug, Clone, Copy)]
struct Line {
    /// The request is lost on its way.
    request: u8,
    /// The answer is lost on its way back.
    answer: u8,
    /// It arrives twice.
    twice: u8,
    /// Nobody can be reached.
    refused: u8,
}

const GOOD: Line = Line { request: 0, answer: 0, twice: 0, refused: 0 };
const BAD: Line = Line { request: 15, answer: 25, twice: 15, refused: 10 };
const AWFUL: Line = Line { request: 20, answer: 50, twice: 10, refused: 10 };

/// A line to the gateway that loses things, and remembers the decisions that got through.
struct Lossy {
    through: HttpTransport,
    line: Line,
    chance: Mutex<fastrand::Rng>,
    arrived: Mutex<Vec<Asked>>,
}

impl Lossy {
    fn new(url: &str, line: Line, seed: u64) -> Arc<Self> {
        let through = HttpTransport::new(&url.parse().unwrap(), TIMEOUT).unwrap();
        let chance = Mutex::new(fastrand::Rng::with_seed(seed));
        Arc::new(Self { through, line, chance, arrived: Mutex::default() })
    }

    async fn exchange(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, TransportError> {
        let (fate, pause) = {
            let mut chance = self.chance.lock().unwrap();
            (chance.u8(0..100), Duration::from_micros(chance.u64(0..3_000)))
        };
        tokio::time::sleep(pause).await;
        let Line { request: lost, answer, twice, refused } = self.line;
        if fate < refused {
            return Err(TransportError::not_sent("connection refused"));
        }
        if fate < refused + lost {
            return Err(TransportError::lost("the request was lost"));
        }
        if request.method() == "POST" {
            let headers = request.headers().iter();
            let lines = headers.map(|(name, value)| format!("\r\n{name}: {}", value.to_str().unwrap()));
            let head = format!("POST {} HTTP/1.1{}", request.uri().path(), lines.collect::<String>());
            let body = request.body().to_vec();
            let asked = Asked { is_decision: true, head, body, ..Asked::default() };
            self.arrived.lock().unwrap().push(asked);
        }
        if fate < refused + lost + twice {
            let _ = self.through.send(request.clone(), timeout).await;
        }
        let whole = self.through.send(request, timeout).await?;
        if fate >= 100 - answer {
            return Err(TransportError::lost("the answer was lost"));
        }
        Ok(whole)
    }
}

impl Transport for Lossy {
    fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(self.exchange(request, timeout))
    }
}

fn client(gateway: &Gateway, name: &str, transport: Arc<dyn Transport>) -> AegisClient {
    let builder = AegisClient::builder().base_url(gateway.url()).api_key(gateway.reviewer(name));
    let builder = builder.timeout(TIMEOUT).deadline(DEADLINE).jitter(Jitter::Full);
    builder.thread_id("race").transport(transport).build().unwrap()
}

struct Racer {
    verdict: Verdict,
    line: Arc<Lossy>,
    resolution: Resolution,
}

/// One race: everybody decides the same action at the same time.
async fn race(
    gateway: &Gateway,
    agent: &AapClient,
    reviewers: usize,
    line: Line,
    seed: u64,
) -> Vec<&'static str> {
    let submission = Submission::new("transfer", r#"{"amount":1.10}"#).unwrap().timeout("10m");
    let asked = agent.create(&submission, &format!("race-{seed}")).await.unwrap();
    let good = Lossy::new(&gateway.url(), GOOD, 0);
    let auditor = Reviewer::new(client(gateway, "auditor", good));
    let action = auditor.entry(&asked.id.to_string()).await.action;
    let start = Arc::new(Barrier::new(reviewers));
    let mut running = JoinSet::new();
    for number in 0..reviewers {
        let bits = seed.wrapping_mul(31).wrapping_add(number as u64);
        let verdict = if bits.is_multiple_of(2) { Verdict::Approve } else { Verdict::Reject };
        let line = Lossy::new(&gateway.url(), line, bits);
        let reviewer = Reviewer::new(client(
            gateway,
            &format!("reviewer-{number}"),
            Arc::clone(&line) as Arc<dyn Transport>,
        ));
        let (action, start) = (Arc::clone(&action), Arc::clone(&start));
        running.spawn(async move {
            start.wait().await;
            let resolution = reviewer.decide(&action, verdict, "raced").await;
            Racer { verdict, line, resolution }
        });
    }
    let racers = running.join_all().await;
    let stands = auditor.entry(&asked.id.to_string()).await;
    judge(&action, &stands, &racers, seed);

    // What the agent gets is what stands.
    let answered = agent.get(asked.id, Duration::ZERO).await.unwrap();
    let same = match stands.state {
        ActionState::Approved => matches!(answered.state, RequestState::Approved { .. }),
        ActionState::Rejected => answered.state == RequestState::Denied,
        ActionState::Pending => answered.state == RequestState::Pending,
        _ => false,
    };
    assert!(same, "seed {seed}: {:?} at the reviewers, {:?} at the agent", stands.state, answered.state);
    racers.iter().map(|racer| racer.resolution.outcome.word()).collect()
}

/// One decision stands at most, and everybody's word for it is true.
fn judge(action: &Action, stands: &aegis_console::domain::Queued, racers: &[Racer], seed: u64) {
    let key = action.idempotency_key.clone();
    let mut truth = Ledger::default();
    if let Some(decision) = &stands.decision {
        let (request_id, verdict) = (decision.request_id.clone(), decision.verdict);
        truth.executions.push(Execution { key: key.clone(), request_id: request_id.clone(), verdict });
        let (reviewer, decided_at) = (decision.reviewer.raw().to_owned(), decision.decided_at);
        truth.rows.insert(
            key.clone(),
            Row { request_id, verdict, reviewer, decided_at, status: RowStatus::Committed },
        );
    }
    let winners = racers.iter().filter(|racer| racer.resolution.outcome.is_ours()).count();
    assert!(winners <= 1, "seed {seed}: {winners} say that theirs stands");
    for racer in racers {
        let claim = Claim::of(racer.verdict, &racer.resolution);
        let asked = racer.line.arrived.lock().unwrap().clone();
        let ledger = Ledger { asked, ..truth.clone() };
        let lies = check(&ledger, None, Some(&claim), Duration::ZERO, DEADLINE);
        assert!(lies.is_empty(), "seed {seed}: {lies:?}: {claim:?}, {:?} stands", stands.decision);
        // The gateway tells all to whoever asks: whose word is weak got no answer at the end.
        if claim.outcome == "unknown" || claim.outcome == "in_progress" {
            panic!("seed {seed}: {claim:?} although the gateway says whose decision stands");
        }
    }
}

async fn gateway() -> (Gateway, AapClient, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let config = Config::new(([127, 0, 0, 1], 0).into(), dir.path().join("data"));
    let gateway = Gateway::start(config).await.unwrap();
    let agent = AapClient::new(&format!("{}/aap", gateway.url()), gateway.agent("racer")).unwrap();
    (gateway, agent, dir)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_to_sixteen_reviewers_one_decision_stands_and_every_word_is_true() {
    let (gateway, agent, _dir) = gateway().await;
    let mut met = BTreeMap::<&str, usize>::new();
    let mut seed = 0;
    for (line, rounds) in [(GOOD, 2), (BAD, 3), (AWFUL, 2)] {
        for reviewers in [2, 3, 4, 8, 16] {
            let races = (0..rounds).map(|round| race(&gateway, &agent, reviewers, line, seed + round));
            for word in futures_util::future::join_all(races).await.into_iter().flatten() {
                *met.entry(word).or_default() += 1;
            }
            seed += rounds;
        }
    }
    println!("{met:?}");
    for word in ["committed", "mine", "same", "conflict"] {
        assert!(met.contains_key(word), "no race ended in {word}: {met:?}");
    }
    gateway.shutdown().await;
}

/// reliability.md, section 6, the third and the fourth row: who is first at the server, not who was first to press.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_arrives_first_decides_however_the_answers_get_lost() {
    let (gateway, agent, _dir) = gateway().await;
    for (name, fate, expected) in [
        ("the request is lost, the other decides, it is sent again", Fate::Request, "conflict"),
        ("it is committed, the answer is lost, the other decides", Fate::Answer, "mine"),
    ] {
        let submission = Submission::new("transfer", "{}").unwrap().timeout("10m");
        let asked = agent.create(&submission, &name.replace(' ', "-")).await.unwrap();
        let good = || Lossy::new(&gateway.url(), GOOD, 0);
        let bob = Reviewer::new(client(&gateway, "bob", good()));
        let action = bob.entry(&asked.id.to_string()).await.action;
        let once = Arc::new(Once::new(good(), fate));
        let dana = Reviewer::new(client(&gateway, "dana", Arc::clone(&once) as Arc<dyn Transport>));
        let first = tokio::spawn({
            let action = Arc::clone(&action);
            async move { dana.decide(&action, Verdict::Approve, "first").await }
        });
        once.lost.notified().await;
        let other = bob.decide(&action, Verdict::Reject, "second").await;
        once.go_on.notify_one();
        let first = first.await.unwrap();
        assert_eq!(first.outcome.word(), expected, "{name}: {first:?}");
        let others = if expected == "mine" { "conflict" } else { "committed" };
        assert_eq!(other.outcome.word(), others, "{name}: {other:?}");
        let standing: Standing = Claim::of(Verdict::Approve, &first).standing.unwrap();
        let who = if expected == "mine" { "dana" } else { "bob" };
        assert_eq!(standing.2.as_deref(), Some(who), "{name}");
    }
    gateway.shutdown().await;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Request,
    Answer,
}

/// Loses the first decision or its answer, says so, and waits for leave before it reports the loss.
struct Once {
    through: Arc<Lossy>,
    fate: Mutex<Option<Fate>>,
    lost: tokio::sync::Notify,
    go_on: tokio::sync::Notify,
}

impl Once {
    fn new(through: Arc<Lossy>, fate: Fate) -> Self {
        let (lost, go_on) = Default::default();
        Self { through, fate: Mutex::new(Some(fate)), lost, go_on }
    }

    async fn exchange(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, TransportError> {
        let is_decision = request.method() == "POST";
        let fate = is_decision.then(|| self.fate.lock().unwrap().take()).flatten();
        if fate != Some(Fate::Request) {
            let answer = self.through.exchange(request, timeout).await;
            if fate.is_none() {
                return answer;
            }
        }
        self.lost.notify_one();
        self.go_on.notified().await;
        Err(TransportError::lost("it was lost"))
    }
}

impl Transport for Once {
    fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(self.exchange(request, timeout))
    }
}
