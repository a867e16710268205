//! A gateway under load, killed with SIGKILL over and over, or by its own hand in the middle of a commit, and started again
//! on the same data: no decision that got a 202 is lost, none is committed twice, and the database is whole.

use crate::database::Kept;
use crate::ledger::{Call, Ledger, Told};
use crate::member::{Member, spawn};
use crate::postgres;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const IN_FLIGHT: usize = 48;

/// How often it is killed.
fn rounds(least: usize) -> usize {
    std::env::var("KILL_ROUNDS").map_or(least, |rounds| rounds.parse().unwrap())
}

/// One of those who decide: it repeats a call whose answer was lost, under the same key and request id, until it has one.
async fn reviewer(
    ledger: Ledger,
    next: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    mut open: Option<Call>,
) -> Option<Call> {
    while !stop.load(Ordering::SeqCst) {
        let call = open.take().unwrap_or_else(|| {
            let number = next.fetch_add(1, Ordering::SeqCst);
            Call::bare(["approve", "reject"][number % 2], format!("key-{number}"))
        });
        let Some(url) = ledger.url(0) else { return Some(call) };
        match ledger.once(&call, &url).await {
            Some(told) => assert_eq!(told, Told::Mine, "nobody else decides {}", call.key),
            // The gateway is gone, or going.
            None => return Some(call),
        }
    }
    // It may not have come to it.
    open
}

async fn over_and_over(data: &Path, store: Option<&str>, kept: &Kept, rounds: usize) {
    let seed = std::env::var("KILL_SEED").map_or(11, |seed| seed.parse().unwrap());
    let mut chance = fastrand::Rng::with_seed(seed);
    let ledger = Ledger::new([String::new()]);
    let (next, mut open, mut aborted) = (Arc::new(AtomicUsize::new(0)), vec![None; IN_FLIGHT], 0);
    for round in 0..rounds {
        // Half of them end where it hurts: before, in, and after the commit, before anybody has an answer.
        let place = ["during stored", "after stored", "before stored"][round / 2 % 3];
        let abort_at = (round % 2 == 1).then(|| format!("{place}:{}", chance.usize(1..15)));
        let member = tokio::task::block_in_place(|| spawn(data, store, abort_at.as_deref()).listening());
        let Some(mut member) = member else { continue };
        ledger.urls.lock().unwrap()[0] = Some(member.url.clone());
        let enough = ledger.accepted() + chance.usize(1..400);
        let stop = Arc::new(AtomicBool::new(false));
        let reviewers: Vec<_> = open
            .drain(..)
            .map(|open| tokio::spawn(reviewer(ledger.clone(), Arc::clone(&next), Arc::clone(&stop), open)))
            .collect();
        aborted += usize::from(wait(&mut member, &ledger, enough).await);
        member.kill();
        stop.store(true, Ordering::SeqCst);
        for reviewer in reviewers {
            open.push(reviewer.await.unwrap());
        }
        if let Kept::File(_) = kept {
            assert_eq!(kept.rows("PRAGMA integrity_check").await, ["ok"]);
            assert!(kept.rows("PRAGMA foreign_key_check").await.is_empty());
        }
        ledger.audit(kept).await;
    }
    // Nobody kills it any more: whoever waits for an answer gets one.
    let member = tokio::task::block_in_place(|| spawn(data, store, None).listening()).unwrap();
    ledger.urls.lock().unwrap()[0] = Some(member.url.clone());
    let doubtful = open.iter().flatten().count();
    for call in open.iter().flatten() {
        assert_eq!(ledger.decide(0, call).await, Told::Mine);
    }
    let decided = ledger.audit(kept).await;
    assert_eq!(decided, ledger.accepted(), "nothing is decided that nobody was told of");
    eprintln!(
        "seed {seed}: {rounds} rounds, {aborted} ended by themselves, {decided} decided, {} answers lost, {doubtful} open at the last",
        ledger.lost()
    );
    assert!(ledger.lost() >= rounds, "too few were on their way for the test to mean anything");
}

/// Until so many were accepted, or it has ended by itself: then true.
async fn wait(member: &mut Member, ledger: &Ledger, enough: usize) -> bool {
    let started = std::time::Instant::now();
    while ledger.accepted() < enough && started.elapsed().as_secs() < 10 {
        if member.has_ended() {
            return true;
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_over_and_over_on_sqlite_it_loses_and_doubles_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let kept = Kept::File(data.join("gateway.db"));
    over_and_over(&data, None, &kept, rounds(24)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_over_and_over_on_postgresql_it_loses_and_doubles_nothing() {
    let Some(own) = postgres("a gateway on PostgreSQL that is killed over and over").await else { return };
    let dir = tempfile::tempdir().unwrap();
    let url = own.url();
    over_and_over(&dir.path().join("data"), Some(&url), &Kept::Server(own), rounds(8)).await;
}
