//! The table as the console meets it: through the dispatcher and its journal, which go on in the background where a call
//! alone gives up, and, in half of the runs, through a restart in the middle.

use crate::aegis::{Act, AegisServer, Claim, Conflicts, KEY, Lie, Reply, Script, StatusCall, Step, check};
use crate::cases::{self, Case};
use crate::table::{SLACK, Setting, client, proves_nothing};
use aegis_console::dispatch::{DispatchEvent, Dispatcher, NoCheck, Pace};
use aegis_console::domain::Verdict;
use aegis_console::journal::{Entry, Intent, Journal, Stage};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use uuid::Uuid;

const AT_ONCE: usize = 32;
/// The real times are a hundred and fifty times these, or more.
const REDELIVER: Duration = Duration::from_secs(3);
const RESEND: Duration = Duration::from_millis(1_500);
const FOLLOW: Duration = Duration::from_millis(1_500);
/// A call of its own, redelivery, the last look and the watch.
const DEADLINE: Duration = Duration::from_secs(3 + 3 + 3);

fn pace() -> Pace {
    Pace {
        first_pause: Duration::from_millis(100),
        longest_pause: Duration::from_millis(1_200),
        redeliver_for: REDELIVER,
        resend_for: RESEND,
        follow_for: FOLLOW,
        shutdown: Duration::from_millis(40),
        ..Pace::default()
    }
}

fn intent(base_url: &str) -> Intent {
    Intent {
        id: Uuid::new_v4(),
        request_id: Uuid::new_v4(),
        verdict: Verdict::Approve,
        tenant_id: Some("acme".into()),
        thread_id: "order-42".into(),
        key: KEY.into(),
        base_url: base_url.into(),
        body: r#"{"amount": 1.10,"tenant_id":"acme","thread_id":"order-42"}"#.into(),
        sealed: None,
        digest: None,
        reason: None,
        reviewer: None,
        decided_at: Timestamp::now(),
        hold_until: None,
    }
}

/// A directory in memory where there is one: here nothing is proven about disks.
fn home() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn start(journal: &Path, url: &str, pace: &Pace) -> (Dispatcher, Journal) {
    let journal = Journal::open(journal).unwrap();
    assert!(journal.is_dispatcher(), "nobody else has it");
    let (dispatcher, mut news): (_, mpsc::Receiver<DispatchEvent>) =
        Dispatcher::start(client(url), journal.clone(), Arc::new(NoCheck), pace.clone());
    tokio::spawn(async move { while news.recv().await.is_some() {} });
    (dispatcher, journal)
}

struct Ended {
    name: String,
    /// `None` where it was stopped before it was on disk.
    entry: Option<Entry>,
    lies: Vec<Lie>,
    ideal: bool,
}

async fn run(case: Arc<Case>, setting: Setting, restart: Option<Duration>) -> Ended {
    let script = case.script.clone().setting(setting.0, setting.1);
    run_script(&case, script, &pace(), setting, restart).await
}

async fn run_script(
    case: &Case,
    script: Script,
    pace: &Pace,
    setting: Setting,
    restart: Option<Duration>,
) -> Ended {
    let elsewhere = AegisServer::start(Script::new([]));
    let server = AegisServer::start_with(script, elsewhere.url.clone());
    let home = home();
    let path = home.path().join("journal.db");
    let started = Instant::now();
    let (mut dispatcher, mut journal) = start(&path, &server.url, pace);
    let intent = intent(dispatcher.base_url());
    let id = intent.id;
    dispatcher.take(vec![intent]);
    if let Some(after) = restart {
        tokio::time::sleep(after).await;
        dispatcher.shutdown().await;
        drop((dispatcher, journal));
        (dispatcher, journal) = reopened(&path, &server.url, pace).await;
    }
    let settled = tokio::time::timeout(DEADLINE * 3, dispatcher.settled()).await;
    // An accepted one is at an end, and what becomes of it is followed all the same.
    let follows = |entry: &Entry| {
        let outcome = entry.resolution.as_ref().map(|resolution| resolution.outcome.word());
        outcome.is_some_and(|word| word == "accepted" || word == "in_progress")
    };
    if journal.entry(id).unwrap().is_some_and(|entry| follows(&entry)) {
        tokio::time::sleep(FOLLOW + Duration::from_millis(300)).await;
    }
    let took = started.elapsed();
    let name = format!("{setting:?}, restart {restart:?}: {}", case.name);
    let Some(entry) = journal.entry(id).unwrap() else {
        assert!(restart.is_some(), "{name}: was never recorded");
        assert!(server.ledger().asked.is_empty(), "{name}: sent before it was on disk");
        return Ended { name, entry: None, lies: Vec::new(), ideal: true };
    };
    assert!(settled.is_ok(), "{name}: never at an end: {entry:?}");
    dispatcher.shutdown().await;
    let told = journal.tries(id).unwrap();
    let tries = told.len().max(entry.tries.try_into().unwrap());
    let ledger = server.settled().await;
    let claim = (entry.stage == Stage::Ended).then(|| {
        let resolution = entry.resolution.as_ref().expect("it has ended");
        Claim { tries, ..Claim::of(Verdict::Approve, resolution) }
    });
    let mut lies = check(&ledger, Some(&elsewhere.ledger()), claim.as_ref(), took, DEADLINE + SLACK * 2);
    if proves_nothing(&case.script, &lies, &told) {
        println!("{name}: a busy machine, this proves nothing");
        lies.clear();
    }
    let ideal = claim.is_some_and(|claim| case.best.contains(&claim.outcome.as_str()));
    Ended { name, entry: Some(entry), lies, ideal }
}

/// The lock goes with the last of the old one's threads.
async fn reopened(path: &Path, url: &str, pace: &Pace) -> (Dispatcher, Journal) {
    for _ in 0..200 {
        if Journal::open(path).unwrap().is_dispatcher() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    start(path, url, pace)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn through_the_journal_and_a_restart_every_decision_ends_once_and_truly() {
    let settings = [
        (StatusCall::Full, Conflicts::Ours),
        (StatusCall::Missing, Conflicts::Ours),
        (StatusCall::Minimal, Conflicts::Html),
    ];
    let cases: Vec<_> = cases::all().into_iter().map(Arc::new).collect();
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for (index, case) in cases.iter().enumerate() {
        for (nth, setting) in settings.into_iter().enumerate() {
            // At the first try, between the first two, and after them.
            let after = Duration::from_millis([5, 60, 300, 700][index / 2 % 4]);
            let restart = (index + nth).is_multiple_of(2).then_some(after);
            let (case, places) = (Arc::clone(case), Arc::clone(&places));
            running.spawn(async move {
                let _place = places.acquire().await.unwrap();
                run(case, setting, restart).await
            });
        }
    }
    let (all, started) = (running.len(), Instant::now());
    let ended = running.join_all().await;
    let untrue: Vec<_> = ended.iter().filter(|one| !one.lies.is_empty()).collect();
    let lines: Vec<_> =
        untrue.iter().map(|one| format!("{}: {:?} {:?}", one.name, one.lies, one.entry)).collect();
    assert!(untrue.is_empty(), "{} of {all} are not true:\n{}", untrue.len(), lines.join("\n"));

    let mut words = BTreeMap::<_, usize>::new();
    for one in &ended {
        let resolution = one.entry.as_ref().and_then(|entry| entry.resolution.as_ref());
        *words
            .entry(resolution.map_or("never on disk", |resolution| resolution.outcome.word()))
            .or_default() += 1;
    }
    let ideal = ended.iter().filter(|one| one.ideal).count();
    println!("{all} runs, {:?}; {ideal} with the word that is best where all is told", started.elapsed());
    println!("{words:?}");
    assert_eq!(
        words.len() - usize::from(words.contains_key("never on disk")),
        12,
        "every word is met: {words:?}"
    );
}

/// A server that dies after the effect and is silent until its janitor has opened the key again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_janitor_that_nobody_heard_of_makes_nothing_run_twice() {
    // The pause between the two is a real one: no busy machine makes them meet.
    const JANITOR: Duration = Duration::from_millis(2_500);
    let pace = Pace { resend_for: Duration::from_secs(1), redeliver_for: 2 * REDELIVER, ..pace() };
    let mut running = JoinSet::new();
    for status in [StatusCall::Missing, StatusCall::Failing, StatusCall::Hanging] {
        for (nth, conflicts) in Conflicts::ALL.into_iter().enumerate() {
            for (index, silence) in [Reply::Reset, Reply::Close, Reply::Whole(503, String::new(), Vec::new())]
                .into_iter()
                .enumerate()
            {
                let dies = Step::new(Act::Swept { effect: true, after: JANITOR }, silence.clone());
                // More of them than there is time for before the janitor; then all is well.
                let silent = vec![Step::new(Act::Nothing, silence.clone()); 5];
                let script = Script::new([vec![dies], silent].concat()).telling(status, conflicts);
                let case = Case {
                    name: format!("its server dies after the effect, then {silence:?}"),
                    script: Script::new([]),
                    best: &["unconfirmed"],
                };
                let after = [None, Some(700), Some(1_700), Some(2_900)][(nth + index) % 4];
                let (pace, restart) = (pace.clone(), after.map(Duration::from_millis));
                running.spawn(
                    async move { run_script(&case, script, &pace, (status, conflicts), restart).await },
                );
            }
        }
    }
    let ended = running.join_all().await;
    let bad = ended.iter().filter(|one| !one.lies.is_empty() || !one.ideal);
    let bad: Vec<_> = bad.map(|one| format!("{}: {:?} {:?}", one.name, one.lies, one.entry)).collect();
    assert!(bad.is_empty(), "{} of {}:\n{}", bad.len(), ended.len(), bad.join("\n"));
}
