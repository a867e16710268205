//! The store with a clock of the test's own: deadlines to the microsecond, full disks, neighbours in one commit.

use super::super::sqlite;
use super::super::{
    Asked, Conflict, Decided, DecisionCall, NewAction, Own, Owner, PauseCall, Store, StoreError,
};
use super::SqlStore;
use crate::domain::{ActionState, Digest, Verdict, timestamp};
use crate::gateway::audit::key::SecretKey;
use crate::gateway::audit::postgres::PostgresLog;
use crate::gateway::audit::sqlite::SqliteLog;
use crate::gateway::audit::stored::Log;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tempfile::TempDir;

pub(super) const START: i64 = 1_800_000_000_000_000;
pub(super) const SECOND: i64 = 1_000_000;

#[path = "../../../../tests/support/database.rs"]
#[allow(dead_code, reason = "these tests use a part of it")]
mod database;
use database::{Fresh, Kept};

pub(super) struct Fixture {
    pub(super) store: SqlStore,
    now: Arc<AtomicI64>,
    pub(super) kept: Kept,
    _dir: TempDir,
}

pub(super) fn key() -> Arc<SecretKey> {
    Arc::new(SecretKey::new("aegis-console/audit/test", &[7; 32]).unwrap())
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap()
}

impl Fixture {
    /// A store at [`START`], whose approvals are valid for 5 s.
    pub(super) async fn new() -> Self {
        Self::with(|now| now.load(Ordering::SeqCst)).await
    }

    async fn with(read: impl Fn(&AtomicI64) -> i64 + Send + Sync + 'static) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let now = Arc::new(AtomicI64::new(START));
        let clock = {
            let now = Arc::clone(&now);
            Arc::new(move || at(read(&now)))
        };
        let validity = Duration::from_secs(5);
        let kept = match database::server() {
            None => Kept::File(dir.path().join("db")),
            Some(server) => Kept::Server(Fresh::schema(server).await),
        };
        let store = match (&kept, kept.url()) {
            (Kept::File(file), _) => sqlite::open(file, None, clock, validity, key()).unwrap(),
            (_, url) => {
                super::super::postgres::open(&url.unwrap(), None, clock, validity, key()).await.unwrap()
            }
        };
        Self { store, now, kept, _dir: dir }
    }

    /// Reads the audit log as `aegis-console audit` does.
    pub(super) async fn log<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut dyn Log) -> T + Send + 'static,
    ) -> T {
        let file = if let Kept::File(file) = &self.kept { Some(file.clone()) } else { None };
        let url = self.kept.url();
        let work = move || match (file, url) {
            (Some(file), _) => read(&mut SqliteLog::open(&file).unwrap()),
            (None, url) => read(&mut PostgresLog::open(&url.unwrap()).unwrap()),
        };
        tokio::task::spawn_blocking(work).await.unwrap()
    }

    pub(super) fn set(&self, micros: i64) {
        self.now.store(micros, Ordering::SeqCst);
    }

    /// An action with 10 s to decide.
    pub(super) async fn ask(&self, id: &str) {
        self.ask_for(id, 1).await;
    }

    /// An action with 10 s to decide, that needs so many reviewers within 4 s.
    pub(super) async fn ask_for(&self, id: &str, needed: u32) -> String {
        let action = self.action("bot", id, needed);
        let digest = action.digest.clone();
        assert!(matches!(self.store.ask(action, 100).await, Ok(Asked::Fresh(_))));
        digest
    }

    /// That action, before anybody has asked for it.
    pub(super) fn action(&self, agent: &str, id: &str, needed: u32) -> NewAction {
        let created_at = at(self.now.load(Ordering::SeqCst));
        let expires_at = created_at.checked_add(SignedDuration::from_secs(10)).unwrap();
        let times = [timestamp::format(created_at), timestamp::format(expires_at)];
        let sealed: Arc<str> = format!(
            r#"{{"v":1,"id":"{id}","tenant_id":"t","thread_id":"thread","idempotency_key":"key-{id}","agent":"{agent}",
            "action":"tool","payload":{{"n":1.10}},"reviewers_needed":{needed},"created_at":"{}","expires_at":"{}"}}"#,
            times[0], times[1]
        )
        .into();
        NewAction {
            id: id.into(),
            tenant: "t".into(),
            thread: "thread".into(),
            key: format!("key-{id}"),
            agent: agent.into(),
            ask_key: format!("ask-{id}"),
            submission: r#"{"tool":"tool","arguments":{"n":1.10},"timeout":"10s"}"#.into(),
            digest: Digest::of(sealed.as_bytes()).to_string(),
            sealed,
            created_at,
            expires_at,
            reviewers_needed: needed,
            review_window: Duration::from_secs(4),
            rule: None,
        }
    }

    pub(super) async fn decide(&self, key: &str) -> Result<Decided, StoreError> {
        let call = DecisionCall {
            tenant: "t".into(),
            thread: "thread".into(),
            key: key.into(),
            request_id: format!("request-{key}"),
            verdict: Verdict::Approve,
            reviewer: "dana".into(),
            body: "sha256:00".into(),
            review: None,
        };
        self.store.decide(call).await
    }

    pub(super) async fn consume(&self, id: &str) -> Own {
        self.store.consume(owner(), id.into(), "c".into()).await.unwrap()
    }

    pub(super) async fn kinds(&self) -> Vec<&'static str> {
        let events = self.store.events("t".into(), 0, 100).await.unwrap();
        events.iter().map(|event| event.kind.stored()).collect()
    }
}

pub(super) fn owner() -> Owner {
    Owner { tenant: "t".into(), agent: "bot".into() }
}

#[tokio::test]
async fn a_database_of_the_first_schema_goes_on_with_what_it_holds() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("db");
    let first = rusqlite::Connection::open(&file).unwrap();
    first.execute_batch(include_str!("../../../../assets/migrations/0001_queue_and_decisions.sql")).unwrap();
    first
        .execute_batch(
            "INSERT INTO action (id, tenant, thread, key, agent, ask_key, submission, sealed, digest, created_at,
                expires_at, state) VALUES ('a', 't', 'h', 'k', 'bot', 'ask', '{}', '{}', 'd', 0, 1, 'pending');
             INSERT INTO outbox (kind, tenant, thread, action_id, at) VALUES ('ActionCreated', 't', 'h', 'a', 0);
             PRAGMA user_version = 1;",
        )
        .unwrap();
    drop(first);
    let store = sqlite::open(&file, None, Arc::new(|| at(START)), Duration::from_secs(5), key()).unwrap();
    let call = PauseCall {
        tenant: "t".into(),
        agent: "bot".into(),
        has_credential: false,
        paused: true,
        reviewer: "dana".into(),
    };
    let now = store.pause(call).await.unwrap().unwrap();
    assert_eq!(now.paused, Some(("dana".to_owned(), at(START))));
    let kinds: Vec<_> =
        store.events("t".into(), 0, 9).await.unwrap().iter().map(|event| event.kind.stored()).collect();
    assert_eq!(kinds, ["ActionCreated", "AgentPaused"]);
    assert_eq!(store.agents("t".into(), vec!["b".into()]).await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_deadline_itself_is_too_late_and_a_microsecond_before_is_not() {
    let fixture = Fixture::new().await;
    fixture.ask("a").await;
    fixture.ask("b").await;
    fixture.set(START + 10 * SECOND - 1);
    assert!(matches!(fixture.decide("key-a").await, Ok(Decided::Accepted(_))));
    fixture.set(START + 10 * SECOND);
    assert_eq!(fixture.decide("key-b").await, Ok(Decided::Closed(ActionState::Expired)));
    assert_eq!(
        fixture.kinds().await,
        ["ActionCreated", "ActionCreated", "ExecutionApproved", "ActionExpired"]
    );
    assert_eq!(
        fixture.store.expire().await,
        Ok(None),
        "nothing is left to expire, and nothing expires twice"
    );
    let record = fixture.store.record("t".into(), "b".into()).await.unwrap().unwrap();
    assert_eq!((record.ended_at, record.decision), (Some(record.expires_at), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_and_withdrawals_that_meet_the_deadline_leave_one_end_for_each_action() {
    let fixture = Fixture::new().await;
    let ids: Vec<_> = (0..40).map(|n| format!("a{n}")).collect();
    for id in &ids {
        fixture.ask(id).await;
    }
    let calls = ids.iter().enumerate().map(|(n, id)| {
        let fixture = &fixture;
        async move {
            if n == 20 {
                fixture.set(START + 10 * SECOND);
                fixture.store.expire().await.unwrap();
            }
            let key = format!("key-{id}");
            let decided = fixture.decide(&key);
            let withdrawn = fixture.store.withdraw(owner(), id.clone());
            let (decided, withdrawn) = tokio::join!(decided, withdrawn);
            usize::from(matches!(decided, Ok(Decided::Accepted(_))))
                + usize::from(matches!(withdrawn, Ok(Own::Done(_))))
        }
    });
    let ends = futures_util::future::join_all(calls).await;
    let kinds = fixture.kinds().await;
    let count = |kind: &str| kinds.iter().filter(|other| **other == kind).count();
    assert!(ends.iter().all(|ends| *ends <= 1), "{ends:?}");
    assert_eq!(ends.iter().sum::<usize>(), count("ExecutionApproved") + count("ActionCancelled"));
    assert_eq!(kinds.len(), 80, "one end for each: {kinds:?}");
}

#[tokio::test]
async fn expiring_tells_the_next_deadline() {
    let fixture = Fixture::new().await;
    fixture.ask("a").await;
    fixture.set(START + SECOND);
    fixture.ask("b").await;
    assert_eq!(fixture.store.expire().await, Ok(Some(at(START + 10 * SECOND))));
    fixture.set(START + 10 * SECOND);
    assert_eq!(fixture.store.expire().await, Ok(Some(at(START + 11 * SECOND))));
    fixture.set(START + 60 * SECOND);
    assert_eq!(fixture.store.expire().await, Ok(None));
    let record = fixture.store.record("t".into(), "b".into()).await.unwrap().unwrap();
    assert_eq!(
        record.ended_at,
        Some(at(START + 11 * SECOND)),
        "as of the deadline, however late it was seen"
    );
}

#[tokio::test]
async fn an_approval_is_void_once_its_time_is_over() {
    let fixture = Fixture::new().await;
    for id in ["a", "b"] {
        fixture.ask(id).await;
        assert!(matches!(fixture.decide(&format!("key-{id}")).await, Ok(Decided::Accepted(_))));
    }
    fixture.set(START + 5 * SECOND - 1);
    assert!(matches!(fixture.consume("a").await, Own::Done(_)));
    fixture.set(START + 5 * SECOND);
    assert_eq!(fixture.consume("b").await, Own::Conflict(Conflict::ApprovalExpired));
    assert!(matches!(fixture.consume("a").await, Own::Done(_)), "the same key again is the same answer");
}

#[tokio::test]
async fn a_clock_that_is_set_back_puts_nothing_before_what_came_before_it() {
    let fixture = Fixture::new().await;
    fixture.ask("a").await;
    fixture.set(START - 3600 * SECOND);
    let Ok(Decided::Accepted(row)) = fixture.decide("key-a").await else { panic!("not accepted") };
    assert_eq!(row.decided_at, at(START));
    let Own::Done(record) = fixture.consume("a").await else { panic!("not consumed") };
    assert_eq!(record.consumption.unwrap().at, at(START));
    fixture.set(START + SECOND);
    fixture.ask("b").await;
    let Ok(Decided::Accepted(row)) = fixture.decide("key-b").await else { panic!("not accepted") };
    assert_eq!(
        row.decided_at,
        at(START + SECOND),
        "a clock that was ahead for a while is not held against what comes"
    );
}

#[tokio::test]
async fn a_full_disk_decides_nothing_and_the_same_key_may_come_again() {
    let fixture = Fixture::new().await;
    if matches!(fixture.kept, Kept::Server(_)) {
        eprintln!(
            "##### SKIPPED on PostgreSQL, which cannot be made to look full: a full disk decides nothing"
        );
        return;
    }
    let limit = |pages: u32| {
        fixture
            .store
            .writer
            .run(move |tx| tx.db.query(&format!("PRAGMA max_page_count = {pages}"), &[]).map(drop))
    };
    limit(1).await.unwrap(); // SQLite takes it as: no more than there are.
    let mut refused = None;
    for n in 0..500 {
        match fixture.decide(&format!("full-{n}")).await {
            Ok(Decided::Accepted(_)) => {}
            Err(StoreError::Database(words)) => {
                refused = Some((n, words));
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    let (n, words) = refused.expect("the limit was never reached");
    assert!(words.contains("full"), "{words}");
    assert_eq!(fixture.store.standing(None, format!("request-full-{n}")).await, Ok(None));
    limit(1_000_000).await.unwrap();
    assert!(matches!(fixture.decide(&format!("full-{n}")).await, Ok(Decided::Accepted(_))));
    assert!(matches!(fixture.decide("full-0").await, Ok(Decided::Duplicate(_))), "what was accepted stands");
}

#[tokio::test]
async fn a_job_that_fails_takes_none_of_its_neighbours_with_it() {
    let fixture = Fixture::new().await;
    fixture.ask("a").await;
    let failing = fixture.store.writer.run(|tx| {
        tx.db.execute("UPDATE action SET state = 'cancelled', ended_at = 1", &[])?;
        let ghost = super::queue::write_event(
            tx,
            super::super::EventKind::Cancelled,
            "t",
            "thread",
            Some("a"),
            None,
        )?;
        tx.announce(ghost);
        Err::<(), _>(StoreError::Damaged("on purpose".into()))
    });
    let mut news = fixture.store.changes();
    let (one, failed, two) = tokio::join!(fixture.decide("x"), failing, fixture.decide("key-a"));
    assert_eq!(failed, Err(StoreError::Damaged("on purpose".into())));
    assert!(matches!((one, two), (Ok(Decided::Accepted(_)), Ok(Decided::Accepted(_)))));
    assert_eq!(fixture.kinds().await, ["ActionCreated", "ExecutionApproved"]);
    // PostgreSQL's listener may tell again what the writer told: by the rows, so never what was undone.
    let mut told = std::collections::BTreeMap::new();
    while told.len() < 2 {
        let change = news.recv().await.unwrap();
        told.insert(change.seq, change.action_id);
    }
    while let Ok(change) = news.try_recv() {
        told.insert(change.seq, change.action_id);
    }
    let told: Vec<_> = told.into_values().flatten().collect();
    let told: Vec<&str> = told.iter().map(|id| &**id).collect();
    assert!(told == ["a"] || told == ["a", "a"], "what was undone is not announced: {told:?}");
}

#[tokio::test]
async fn what_waits_is_committed_together() {
    // Each transaction reads the clock once, and no two readings are the same.
    let fixture = Fixture::with(|now| now.fetch_add(1, Ordering::SeqCst)).await;
    let (entered, in_job) = tokio::sync::oneshot::channel();
    let (go, may_go) = std::sync::mpsc::channel::<()>();
    let blocker = fixture.store.writer.run(move |tx| {
        entered.send(()).unwrap();
        may_go.recv().map_err(|_| StoreError::Closed)?;
        Ok(tx.now)
    });
    let jobs = async {
        in_job.await.unwrap();
        let waiting = (0..50).map(|_| fixture.store.writer.run(|tx| Ok(tx.now)));
        let release = async { go.send(()).unwrap() };
        // All of them have been handed over before the release is reached.
        tokio::join!(futures_util::future::join_all(waiting), release).0
    };
    let (first, times) = tokio::join!(blocker, jobs);
    let times: Vec<_> = times.into_iter().map(Result::unwrap).collect();
    assert_eq!(times.len(), 50);
    assert!(times.iter().all(|now| *now == times[0] && *now > first.clone().unwrap()), "{times:?}");
}

#[tokio::test]
async fn a_connection_that_is_cut_in_a_transaction_takes_it_along_and_the_next_one_is_whole() {
    let fixture = Fixture::new().await;
    if matches!(fixture.kept, Kept::File(_)) {
        eprintln!("##### SKIPPED on SQLite, which has no connection that could be cut");
        return;
    }
    for round in 0..3 {
        let (told, pid) = tokio::sync::oneshot::channel();
        let (go, may_go) = std::sync::mpsc::channel::<()>();
        let key = format!("cut-{round}");
        let cut = fixture.store.writer.run(move |tx| {
            let pid: i64 = tx.db.cell("SELECT CAST(pg_backend_pid() AS BIGINT)", &[])?;
            told.send(pid).unwrap();
            may_go.recv().map_err(|_| StoreError::Closed)
        });
        let meanwhile = async {
            let pid = pid.await.unwrap();
            let waits = fixture.decide(&key);
            let cutting = async {
                fixture.kept.rows(&format!("SELECT pg_terminate_backend({pid}, 5000)")).await;
                go.send(()).unwrap();
            };
            tokio::join!(waits, cutting).0
        };
        let (first, second) = tokio::join!(cut, meanwhile);
        assert!(matches!(first, Err(StoreError::Database(_) | StoreError::Unknown)), "{first:?}");
        // It has come into the same transaction, or into the next one.
        let stands = fixture.store.standing(None, format!("request-{key}")).await.unwrap().is_some();
        assert_eq!(stands, matches!(second, Ok(Decided::Accepted(_))), "{second:?}");
        assert!(matches!(
            fixture.decide(&format!("next-{round}")).await,
            Ok(Decided::Accepted(_)) | Err(StoreError::Database(_))
        ));
    }
    let mut again = Err(StoreError::Closed);
    for _ in 0..10 {
        again = fixture.decide("afterwards").await;
        if again.is_ok() {
            break;
        }
    }
    assert!(matches!(again, Ok(Decided::Accepted(_))), "it goes on without a restart: {again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_read_waits_for_a_write_and_no_two_writes_run_side_by_side() {
    let fixture = Fixture::new().await;
    fixture.ask("a").await;
    let (entered, in_job) = tokio::sync::oneshot::channel();
    let (go, may_go) = std::sync::mpsc::channel::<()>();
    let long = fixture.store.writer.run(move |tx| {
        // What it has written, nobody sees before its commit.
        tx.db.execute("UPDATE action SET state = 'cancelled', ended_at = 1", &[])?;
        entered.send(()).unwrap();
        may_go.recv().map_err(|_| StoreError::Closed)?;
        tx.db.execute("UPDATE action SET state = 'pending', ended_at = NULL", &[]).map(drop)
    });
    let meanwhile = async {
        in_job.await.unwrap();
        let reads = async {
            for _ in 0..20 {
                let record = fixture.store.record("t".into(), "a".into()).await.unwrap().unwrap();
                assert_eq!(record.state, ActionState::Pending);
                assert_eq!(fixture.store.page("t".into(), None, 0, 9).await.unwrap().records.len(), 1);
                assert_eq!(fixture.store.events("t".into(), 0, 9).await.unwrap().len(), 1);
            }
        };
        tokio::time::timeout(Duration::from_secs(9), reads).await.expect("a read waited for the write");
        let mut second = std::pin::pin!(fixture.decide("key-a"));
        let early = tokio::time::timeout(Duration::from_millis(200), second.as_mut()).await;
        assert!(early.is_err(), "a second write ran beside the first: {early:?}");
        go.send(()).unwrap();
        second.await
    };
    let (first, second) = tokio::join!(long, meanwhile);
    first.unwrap();
    assert!(matches!(second, Ok(Decided::Accepted(_))), "{second:?}");
}

#[tokio::test]
async fn what_a_commit_did_not_carry_is_never_said_to_be_done() {
    let fixture = Fixture::new().await;
    let (entered, in_job) = tokio::sync::oneshot::channel();
    let (go, may_go) = std::sync::mpsc::channel::<()>();
    let blocker = fixture.store.writer.run(move |_| {
        entered.send(()).unwrap();
        may_go.recv().map_err(|_| StoreError::Closed)
    });
    let jobs = async {
        in_job.await.unwrap();
        // To PostgreSQL a transaction is lost with the first statement that fails, whoever makes light of it.
        let careless = fixture.store.writer.run(|tx| {
            let _ = tx.db.execute("INSERT INTO no_such_table VALUES (1)", &[]);
            Ok(())
        });
        let release = async { go.send(()).unwrap() };
        tokio::join!(fixture.decide("before"), careless, fixture.decide("behind"), release)
    };
    let (first, (before, _, behind, ())) = tokio::join!(blocker, jobs);
    first.unwrap();
    for (key, decided) in [("before", before), ("behind", behind)] {
        let standing = fixture.store.standing(None, format!("request-{key}")).await.unwrap();
        assert_eq!(standing.is_some(), matches!(decided, Ok(Decided::Accepted(_))), "{key}: {decided:?}");
    }
    assert!(matches!(fixture.decide("afterwards").await, Ok(Decided::Accepted(_))), "and it goes on");
}

#[tokio::test]
async fn after_the_end_nothing_is_taken() {
    let fixture = Fixture::new().await;
    fixture.ask("a").await;
    fixture.store.close().await;
    assert_eq!(fixture.decide("key-a").await, Err(StoreError::Closed));
    assert_eq!(fixture.store.record("t".into(), "a".into()).await, Err(StoreError::Closed));
}
