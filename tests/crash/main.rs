//! A thousand decisions through `decide --batch`, killed with SIGKILL at random moments and started again, on a line that
//! loses answers. Afterwards the server's ledger, the journal and every printed line must agree: each decision carried
//! out once, under one request id, with the same bytes; nothing sent that was not recorded; no word that is not true.
//!
//! `CRASH_SEED` picks other moments.

#![cfg(all(feature = "console", feature = "gateway"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

#[path = "../support/fault_server.rs"]
#[allow(dead_code, reason = "this test uses a part of it")]
mod fault_server;
mod ledger;

use aegis_console::journal::Journal;
use ledger::{Ledger, Other};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

const DECISIONS: usize = 1_000;
/// Enough to meet every stage of a decision's life; then it may end.
const KILLS: usize = 25;
/// On a busy machine it ends after fewer.
const LONG_ENOUGH: Duration = Duration::from_secs(20);
/// A process that gets nowhere is killed too.
const LONGEST_LIFE: Duration = Duration::from_secs(2);

struct Batch {
    dir: tempfile::TempDir,
    url: String,
    runs: usize,
}

impl Batch {
    fn journal(&self) -> PathBuf {
        self.dir.path().join("journal.sqlite")
    }

    fn start(&mut self) -> Child {
        self.runs += 1;
        let printed = File::create(self.printed(self.runs)).unwrap();
        Command::new(env!("CARGO_BIN_EXE_aegis-console"))
            .args(["decide", "--json", "--timeout", "5", "--server", &self.url, "--batch"])
            .arg(self.dir.path().join("batch.jsonl"))
            .arg("--journal")
            .arg(self.journal())
            .env_remove("AEGIS_API_KEY")
            .env_remove("AEGIS_API_KEY_FILE")
            .stdin(Stdio::null())
            .stdout(printed)
            .spawn()
            .unwrap()
    }

    fn printed(&self, run: usize) -> PathBuf {
        self.dir.path().join(format!("printed-{run}"))
    }
}

/// The whole lines; the last one of a process that was killed may be cut.
fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of<'a>(lines: &'a [Value], event: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    lines.iter().filter(move |line| line["event"] == event).map(|line| (line["key"].as_str().unwrap(), line))
}

fn verdict(number: usize) -> &'static str {
    if number.is_multiple_of(3) { "reject" } else { "approve" }
}

#[test]
fn killed_at_any_moment_it_goes_on_and_nothing_is_lost_doubled_or_false() {
    let seed = std::env::var("CRASH_SEED").map_or(7, |seed| seed.parse().unwrap());
    let mut chance = fastrand::Rng::with_seed(seed);
    let ledger = Ledger::new(seed);
    let server = ledger.serve();
    let mut batch = Batch { dir: tempfile::tempdir().unwrap(), url: server.url.clone(), runs: 0 };
    let line = |number: usize| {
        json!({"key": format!("k-{number}"), "tenant": "acme", "thread": format!("order-{}", number % 7),
            "decision": verdict(number), "payload": {"number": number}})
        .to_string()
    };
    let all: Vec<_> = (0..DECISIONS).map(line).collect();
    std::fs::write(batch.dir.path().join("batch.jsonl"), all.join("\n")).unwrap();

    let (started, mut kills, mut in_the_middle) = (Instant::now(), 0, 0);
    let end = loop {
        let mut child = batch.start();
        if kills == KILLS || started.elapsed() > LONG_ENOUGH {
            break child.wait().unwrap();
        }
        // By what it has done and not by the clock, so that a busy machine does not make the test blind.
        let printed = batch.printed(batch.runs);
        let (more_lines, calls) = (chance.usize(1..DECISIONS * 3 / 2), ledger.calls() + chance.usize(1..80));
        let far_enough = || match kills % 3 {
            0 => std::fs::read(&printed).unwrap().iter().filter(|byte| **byte == b'\n').count() >= more_lines,
            _ => ledger.calls() >= calls,
        };
        let born = Instant::now();
        while child.try_wait().unwrap().is_none() && born.elapsed() < LONGEST_LIFE && !far_enough() {
            std::thread::sleep(Duration::from_millis(1));
        }
        if let Some(end) = child.try_wait().unwrap() {
            break end;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        in_the_middle += usize::from(audit_after_a_kill(&batch, &ledger));
    };
    eprintln!(
        "seed {seed}: {kills} kills, {in_the_middle} with decisions on their way, {} calls, {:.1} s",
        ledger.calls(),
        started.elapsed().as_secs_f64()
    );
    audit(&batch, &ledger, end);
    assert!(kills >= 5 && in_the_middle >= 3, "it was too fast for the test to mean anything: {kills} kills");
}

/// What was printed is on disk, and so is all that the server was sent. Whether anything was on its way.
fn audit_after_a_kill(batch: &Batch, ledger: &Ledger) -> bool {
    if !batch.journal().exists() {
        assert_eq!(ledger.calls(), 0);
        return false;
    }
    let journal = Journal::open(&batch.journal()).unwrap();
    let recorded: HashMap<_, _> = journal
        .recent(usize::MAX)
        .unwrap()
        .into_iter()
        .map(|entry| (entry.intent.key.clone(), entry.intent.request_id.to_string()))
        .collect();
    for (key, _) in of(&lines(&batch.printed(batch.runs)), "intent") {
        assert!(recorded.contains_key(key), "{key} was said to be on disk and is not");
    }
    for (key, request_id) in ledger.request_ids() {
        assert_eq!(recorded.get(&key), Some(&request_id), "{key} was sent and is not on disk");
    }
    journal.open_entries().unwrap().iter().any(|entry| entry.maybe)
}

/// Ledger, journal and lines after the last run.
fn audit(batch: &Batch, ledger: &Ledger, end: ExitStatus) {
    assert_eq!(ledger.keys(), DECISIONS, "nothing but the batch was carried out");
    ledger.each_key_has_one_request_id_and_the_same_bytes();
    let last = lines(&batch.printed(batch.runs));
    let intents: BTreeMap<_, _> = of(&last, "intent").collect();
    let outcomes: BTreeMap<_, _> = of(&last, "outcome").collect();
    assert_eq!((intents.len(), outcomes.len()), (DECISIONS, DECISIONS));
    assert_eq!(last.len(), 2 * DECISIONS, "each is printed once");

    let mut words = BTreeMap::<_, usize>::new();
    for number in 0..DECISIONS {
        let key = format!("k-{number}");
        let line = outcomes[key.as_str()];
        let (word, request_id) = (line["outcome"].as_str().unwrap(), line["request_id"].as_str().unwrap());
        let row = ledger.row(&key).unwrap_or_else(|| panic!("{key} was never carried out: {line}"));
        assert_eq!(line["decision"], verdict(number));
        let truth = match ledger.decided_before(number) {
            None => {
                assert_eq!((row.request_id.as_str(), row.verdict), (request_id, verdict(number)), "{line}");
                assert!(matches!(word, "committed" | "mine"), "{line}");
                word
            }
            Some(Other::Same) => "same",
            Some(Other::Opposite) => "conflict",
        };
        assert_eq!(word, truth, "{line}");
        *words.entry(word).or_default() += 1;
    }
    eprintln!("{words:?}");
    assert!(words.contains_key("mine"), "no answer was lost: the test is blind");
    assert_eq!(end.code(), Some(4), "the conflicts decide the exit code");

    // What an earlier run said is still said.
    for run in 1..batch.runs {
        for (key, line) in of(&lines(&batch.printed(run)), "outcome") {
            assert_eq!(line["request_id"], outcomes[key]["request_id"]);
            assert_eq!(line["outcome"], outcomes[key]["outcome"], "{key}");
        }
    }
    let journal = Journal::open(&batch.journal()).unwrap();
    assert_eq!(journal.open_entries().unwrap(), []);
    for entry in journal.recent(usize::MAX).unwrap() {
        let line = outcomes[entry.intent.key.as_str()];
        assert_eq!(line["outcome"], entry.resolution.unwrap().outcome.word());
        assert_eq!(line["request_id"], entry.intent.request_id.to_string());
    }
}
