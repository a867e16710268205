//! Three gateways on one database, behind a client that sends each call on to the next where one does not answer.

use crate::database::Kept;
use crate::ledger::{Call, Ledger, Told};
use crate::member::{Member, REVIEWER, spawn};
use crate::postgres;
use futures_util::StreamExt as _;
use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

const DECISIONS: usize = 2_000;
const IN_FLIGHT: usize = 64;

/// A stream of events: ids and names.
pub(crate) struct Stream {
    bytes: Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>,
    text: String,
}

impl Stream {
    /// A stream of what came after that event.
    pub(crate) async fn open(http: &reqwest::Client, url: &str, after: Option<i64>) -> Self {
        Self::try_open(http, url, after).await.unwrap()
    }

    async fn try_open(http: &reqwest::Client, url: &str, after: Option<i64>) -> Option<Self> {
        let request = http.get(format!("{url}/api/v1/hitl/events")).bearer_auth(REVIEWER);
        let request = request.timeout(Duration::from_secs(600));
        let request = match after {
            Some(id) => request.header("Last-Event-ID", id.to_string()),
            None => request,
        };
        let response = request.send().await.ok().filter(|response| response.status() == 200)?;
        Some(Self { bytes: Box::pin(response.bytes_stream()), text: String::new() })
    }

    /// The next event; `None` where the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<(i64, String)> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                let field =
                    |name: &str| block.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
                if let (Some(id), Some(event)) = (field("id"), field("event")) {
                    return Some((id.parse().unwrap(), event.to_owned()));
                }
            }
            let chunk = tokio::time::timeout(Duration::from_secs(30), self.bytes.next()).await;
            let chunk = chunk.expect("no event within 30 s")?.ok()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

/// All events from the first on, from one gateway and, where that one ends, from the next by Last-Event-ID; until the last
/// one is of that id.
async fn listen(ledger: Ledger, mut last: watch::Receiver<Option<i64>>) -> Vec<(i64, String)> {
    let (mut seen, mut turn, mut gateways): (Vec<(i64, String)>, _, _) = (Vec::new(), 0, 0);
    loop {
        let after = seen.last().map_or(0, |(id, _)| *id);
        let opened = match ledger.url(turn) {
            Some(url) => Stream::try_open(&ledger.http, &url, Some(after)).await,
            None => None,
        };
        turn += 1;
        let Some(mut stream) = opened else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        gateways += 1;
        loop {
            let done =
                |last: &Option<i64>| last.is_some_and(|last| seen.last().is_some_and(|(id, _)| *id >= last));
            if done(&last.borrow()) {
                assert!(gateways > 1, "the stream was never taken up on another gateway");
                return seen;
            }
            tokio::select! {
                event = stream.next() => match event {
                    Some(event) => seen.push(event),
                    None => break,
                },
                Ok(()) = last.changed() => {}
            }
        }
    }
}

/// Three that start at the same moment on an empty database.
fn together(dir: &tempfile::TempDir, url: &str) -> Vec<Member> {
    let starting: Vec<_> = ["a", "b", "c"].map(|name| spawn(&dir.path().join(name), Some(url), None)).into();
    tokio::task::block_in_place(|| starting.into_iter().map(|one| one.listening().unwrap()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_three_is_killed_in_the_middle_and_nothing_is_lost_or_doubled() {
    let Some(own) = postgres("three gateways on one database, one of them killed").await else { return };
    let (dir, url) = (tempfile::tempdir().unwrap(), own.url());
    let mut members = together(&dir, &url);
    let kept = Kept::Server(own);
    assert_eq!(
        kept.rows("SELECT count(*) - max(version) FROM aegis_console_schema").await,
        ["0"],
        "each ran once"
    );
    let ledger = Ledger::new(members.iter().map(|member| member.url.clone()));
    let started = std::time::Instant::now();
    let entries = ledger.ask(DECISIONS, "1h").await;
    let asked = started.elapsed();

    let (last, until) = watch::channel(None);
    let events = tokio::spawn(listen(ledger.clone(), until));
    let room = Arc::new(Semaphore::new(IN_FLIGHT));
    let decide = |turn: usize, call: Call| {
        let (ledger, room) = (ledger.clone(), Arc::clone(&room));
        tokio::spawn(async move {
            let _permit = room.acquire_owned().await.unwrap();
            let told = ledger.decide(turn, &call).await;
            (call, told)
        })
    };
    let mut calls = Vec::new();
    for (n, entry) in entries.iter().enumerate() {
        calls.push(decide(n, Call::on(["approve", "reject"][n % 2], entry)));
        if n % 10 == 0 {
            // Another reviewer wants the opposite, on another gateway.
            calls.push(decide(n + 1, Call::on(["reject", "approve"][n % 2], entry)));
        }
    }
    while ledger.accepted() < DECISIONS / 3 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    ledger.urls.lock().unwrap()[0] = None;
    members[0].kill();
    let (mut mine, mut others) = (BTreeSet::new(), Vec::new());
    for call in calls {
        match call.await.unwrap() {
            (call, Told::Mine) => assert!(mine.insert(call.request_id)),
            (_, Told::Others(request_id)) => others.push(request_id),
        }
    }
    let took = started.elapsed() - asked;
    assert_eq!((mine.len(), others.len()), (DECISIONS, DECISIONS / 10), "each action is decided once");
    assert!(others.iter().all(|request_id| mine.contains(request_id)), "who lost is told of who won");
    assert_eq!(ledger.audit(&kept).await, DECISIONS);
    let undecided = "SELECT count(*) FROM action a LEFT JOIN decision d ON d.action_id = a.id
        WHERE a.state <> CASE d.verdict WHEN 'approve' THEN 'approved' ELSE 'rejected' END OR d.id IS NULL";
    assert_eq!(kept.rows(undecided).await, ["0"]);

    let rows = kept.rows("SELECT seq, kind FROM outbox ORDER BY seq").await;
    let end = rows.last().unwrap().split_once('|').unwrap().0.parse().unwrap();
    last.send(Some(end)).unwrap();
    let seen = events.await.unwrap();
    let name = |kind: &str| if kind == "ActionCreated" { "action.created" } else { "action.decided" };
    let expected: Vec<_> = rows
        .iter()
        .map(|row| row.split_once('|').unwrap())
        .map(|(seq, kind)| (seq.parse().unwrap(), name(kind).to_owned()))
        .collect();
    assert_eq!(seen, expected, "every event once, and in order");
    eprintln!(
        "{DECISIONS} asked in {asked:.1?}, decided in {took:.1?}, {} calls without an answer",
        ledger.lost()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_three_gateways_expire_and_give_up_ends_once() {
    let Some(own) = postgres("three gateways that expire").await else { return };
    let (dir, url) = (tempfile::tempdir().unwrap(), own.url());
    let members = together(&dir, &url);
    let (ledger, kept) = (Ledger::new(members.iter().map(|member| member.url.clone())), Kept::Server(own));
    kept.change(
        "INSERT INTO decision (tenant, thread, key, status, verdict, reviewer, request_id, decided_at)
         SELECT 'default', 'thread', 'key-' || n, 'PENDING', 'approve', 'gone', 'old-' || n, 1
         FROM generate_series(1, 20) n",
    )
    .await;
    ledger.ask(30, "1s").await;
    let mut stream = Stream::open(&ledger.http, &members[2].url, Some(0)).await;
    let mut expired = 0;
    while expired < 30 {
        let (_, name) = stream.next().await.expect("the stream ended");
        expired += usize::from(name == "action.expired");
    }
    // Whoever comes late comes within this time.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let ends = kept
        .rows("SELECT count(*), count(DISTINCT action_id) FROM outbox WHERE kind = 'ActionExpired'")
        .await;
    assert_eq!(ends, ["30|30"]);
    assert_eq!(kept.rows("SELECT status, count(*) FROM decision GROUP BY status").await, ["FAILED|20"]);
    for n in 1..=20 {
        assert_eq!(ledger.decide(n, &Call::bare("reject", format!("key-{n}"))).await, Told::Mine);
    }
    assert_eq!(ledger.audit(&kept).await, 20);
}
