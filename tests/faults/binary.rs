//! A part of the table through the binary: `aegis-console decide … --json`. Its one object is held against the ledger,
//! its exit code against its word, and its memory is watched.

use crate::aegis::{AegisServer, Claim, KEY, Script, check};
use crate::cases::{self, Case};
use crate::table::{DEADLINE, SLACK, TIMEOUT};
use aegis_console::domain::Verdict;
use serde_json::Value;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

/// More than a busy machine adds to a program's start and end.
const START: Duration = Duration::from_secs(3);
/// What a decision may hold, whatever a server sends: in KiB.
const MEMORY: u64 = 64 * 1024;

/// At least one for each word, and everything that is large, endless or hostile.
const CASES: &[&str] = &[
    "accepted: natural",
    "accepted: a bomb",
    "accepted: an endless body",
    "accepted: deep",
    "accepted: a control character in every text",
    "accepted, never ends",
    "accepted, committed soon",
    "done, then reset",
    "done, then hang",
    "done, then 2000 headers",
    "done, then a header of 1 MiB",
    "done, then endless headers",
    "done, then endless 1xx",
    "done, then 200 of a proxy",
    "done, then 500",
    "done, then always reset",
    "done, reset, then 401",
    "not done, body cut",
    "not done, garbage",
    "never done, always 500",
    "done, reset, then nobody there",
    "processing fails always",
    "its server dies after the effect, never swept",
    "307 to another server",
    "422",
    "429, Retry-After: 3600",
    "429 without a hint",
    "a 409 of a proxy",
    "another approved",
    "another rejected",
    "another's rejection commits soon",
    "another's rejection dies before the effect",
    "nobody there",
];

struct Ended {
    code: i32,
    out: Value,
    took: Duration,
    memory: u64,
}

fn start(url: &str, home: &std::path::Path) -> Child {
    let seconds = |time: Duration| time.as_secs_f64().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
    command.args([
        "decide", "--server", url, "approve", "--key", KEY, "--thread", "order-42", "--tenant", "acme",
    ]);
    command.args(["--timeout", &seconds(TIMEOUT), "--deadline", &seconds(DEADLINE), "--json"]);
    command.env_clear().env("HOME", home);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits for its end, and sees how much it holds meanwhile.
fn finish(mut child: Child) -> Ended {
    let (started, mut memory) = (Instant::now(), 0);
    let status = format!("/proc/{}/status", child.id());
    // There is no other way to learn of a child's memory without an end to it.
    while child.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        memory = line.map_or(memory, |line| line.trim().trim_end_matches(" kB").parse().unwrap());
        thread::sleep(Duration::from_millis(5));
    }
    let took = started.elapsed();
    let output = child.wait_with_output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!((out.lines().count(), err.as_str()), (1, ""), "{out}");
    assert!(!out.contains(['\u{1b}', '\u{7}']), "{out}");
    let out = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"));
    Ended { code: output.status.code().expect("no signal"), out, took, memory }
}

fn claim(out: &Value) -> Claim {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let standing = &out["standing"];
    Claim {
        verdict: Verdict::Approve,
        key: text(&out["idempotency_key"]).unwrap(),
        request_id: text(&out["request_id"]).unwrap(),
        outcome: text(&out["outcome"]).unwrap(),
        http_status: out["http_status"].as_u64().map(|code| code.try_into().unwrap()),
        tries: out["tries"].as_array().unwrap().len(),
        standing: (!standing.is_null()).then(|| {
            let verdict = text(&standing["verdict"]).map(|word| word.parse().unwrap());
            (verdict, text(&standing["request_id"]), text(&standing["reviewer"]))
        }),
    }
}

fn code(word: &str) -> i32 {
    match word {
        "accepted" | "committed" | "mine" => 0,
        "same" => 3,
        "conflict" => 4,
        "refused" => 5,
        "unconfirmed" | "in_progress" | "unknown" => 6,
        "not_sent" => 7,
        "quota" => 8,
        "failed" => 9,
        other => panic!("{other} is no outcome"),
    }
}

/// Runs one; whether its word was the best that could be said.
fn run(case: &Case) -> bool {
    let elsewhere = AegisServer::start(Script::new([]));
    let server = AegisServer::start_with(case.script.clone(), elsewhere.url.clone());
    let home = tempfile::tempdir().unwrap();
    let Ended { code: exit, out, took, memory } = finish(start(&server.url, home.path()));
    let (ledger, claim) = (server.settled_blocking(), claim(&out));
    let lies = check(&ledger, Some(&elsewhere.ledger()), Some(&claim), took, DEADLINE + SLACK + START);
    assert!(lies.is_empty(), "{}: {lies:?}\n{out}\n{ledger:?}", case.name);
    assert_eq!(exit, code(&claim.outcome), "{}: {out}", case.name);
    assert!(memory < MEMORY, "{}: {memory} KiB", case.name);
    for (index, one) in out["tries"].as_array().unwrap().iter().enumerate() {
        assert_eq!(one["number"], index + 1, "{out}");
        assert!(one["started"].is_string() && one["took"].is_number() && one["waited"].is_number(), "{out}");
        assert!(one["status"].is_u64() != one["error"].is_string(), "a status or an error: {out}");
    }
    let ideal = case.best.contains(&claim.outcome.as_str());
    if !ideal {
        println!("{}: {} ({})", case.name, claim.outcome, case.best.join(" or "));
    }
    // What stands is named wherever it was told.
    let named = ["mine", "same", "conflict"].contains(&claim.outcome.as_str());
    assert!(!named || claim.standing.is_some_and(|(_, id, who)| id.is_some() && who.is_some()), "{out}");
    ideal
}

#[test]
fn the_binary_says_what_the_ledger_says() {
    let all = cases::all();
    let chosen = CASES.iter().map(|name| all.iter().find(|case| case.name == *name).expect(name));
    let left = Mutex::new(chosen);
    let weak = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                loop {
                    let Some(case) = left.lock().unwrap().next() else { break };
                    if !run(case) {
                        weak.lock().unwrap().push(case);
                    }
                }
            });
        }
    });
    // As in the table: a busy machine makes a try time out. What said less than it could is asked again by itself.
    for case in weak.into_inner().unwrap() {
        assert!(run(case), "{}: more could have been said", case.name);
    }
}
