//! `aegis-console decide --batch` as its users run it: its lines, its exit codes, and how it goes on.

#![cfg(all(feature = "console", feature = "gateway"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/cli.rs"]
mod cli;
#[path = "support/fault_server.rs"]
#[allow(dead_code, reason = "this test uses a part of it")]
mod fault_server;

use aegis_console::gateway::{Config, Gateway};
use aegis_console::journal::{Entry, Journal};
use cli::{events, run, values};
use fault_server::{FaultServer, Received, Reply};
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const LINES: &str = r#"{"key":"k-1","tenant":"acme","thread":"h","decision":"approve","payload":{ "n": 1.10 }}

{"key":"k-2","tenant":"acme","thread":"h","decision":"reject"}
"#;

/// A directory with a batch and a journal in it, and a server to send it to.
struct Place {
    dir: tempfile::TempDir,
    url: String,
}

impl Place {
    fn new(url: &str, lines: &str) -> Self {
        let place = Self { dir: tempfile::tempdir().unwrap(), url: url.to_owned() };
        place.write(lines);
        place
    }

    fn write(&self, lines: &str) {
        std::fs::write(self.dir.path().join("batch.jsonl"), lines).unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    fn args<'a>(&'a self, batch: &'a str, journal: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        let common = ["decide", "--batch", batch, "--journal", journal, "--server", &self.url];
        [&common[..], &["--max-retries", "0"], more].concat()
    }

    /// Runs the batch file: exit code, standard output, standard error.
    fn run(&self, more: &[&str]) -> (i32, String, String) {
        let (batch, journal) = (self.path("batch.jsonl"), self.path("journal"));
        run(cli::cli(self.dir.path(), &self.args(&batch, &journal, more)))
    }

    fn pipe(&self, lines: &str) -> (i32, String, String) {
        let journal = self.path("journal");
        let mut command = cli::cli(self.dir.path(), &self.args("-", &journal, &["--json"]));
        command.write_stdin(lines);
        run(command)
    }
}

fn committed() -> FaultServer {
    FaultServer::start(|_, _| Reply::json(202, r#"{"status":"COMMITTED"}"#))
}

fn key(request: &Received) -> String {
    request.header("idempotency-key").first().map_or_else(String::new, |key| (*key).to_owned())
}

#[test]
fn each_decision_has_a_line_when_it_is_on_disk_and_a_line_when_it_has_ended() {
    let server = committed();
    let place = Place::new(&server.url, LINES);
    let (code, out, err) = place.run(&["--json"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.starts_with(r#"{"event":"intent","key":"k-1""#), "{out}");
    let lines = events(&out);
    assert_eq!(values(&lines, "intent", "key"), ["k-1", "k-2"]);
    let mut posts = server.posts();
    posts.sort_by_key(key);
    for (number, (key, decision)) in [("k-1", "approve"), ("k-2", "reject")].into_iter().enumerate() {
        let outcome = lines.iter().find(|line| line["event"] == "outcome" && line["key"] == key).unwrap();
        assert_eq!((&outcome["decision"], &outcome["outcome"]), (&decision.into(), &"committed".into()));
        assert_eq!((&outcome["tenant"], &outcome["thread"]), (&"acme".into(), &"h".into()));
        assert_eq!(outcome["request_id"], posts[number].header("x-request-id")[0]);
        assert!(posts[number].is(&format!("POST /api/v1/hitl/{decision}")));
        assert_eq!(posts[number].header("tenant-id"), ["acme"]);
    }
    assert_eq!(posts[0].body, br#"{ "n": 1.10 ,"tenant_id":"acme","thread_id":"h"}"#);
    assert_eq!((lines.len(), posts.len()), (4, 2));
}

#[test]
fn in_words_each_decision_is_a_line() {
    let server = FaultServer::start(|_, request| match key(request).as_str() {
        "k-1" => Reply::json(202, r#"{"status":"COMMITTED"}"#),
        _ => Reply::json(403, r#"{"detail":"not\u001b[2J you"}"#),
    });
    let place = Place::new(&server.url, LINES);
    let (code, out, err) = place.run(&[]);
    assert_eq!((code, err.as_str()), (5, ""), "{out}");
    let mut lines: Vec<_> = out.lines().collect();
    lines.sort_unstable();
    assert!(lines[0].starts_with("approve k-1: 202 · committed · "), "{out}");
    assert!(lines[1].starts_with("reject k-2: 403 · refused"), "{out}");
    assert!(lines[1].ends_with("the server says: not␛[2J you") && lines.len() == 2, "{out}");
}

#[test]
fn started_again_nothing_that_has_ended_is_sent_again() {
    let server = committed();
    let place = Place::new(&server.url, LINES);
    let sorted = |out: &str| {
        let mut lines: Vec<_> = out.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    let first = place.run(&["--json"]);
    let again = place.run(&["--json"]);
    assert_eq!((again.0, sorted(&again.1)), (0, sorted(&first.1)));
    assert_eq!(server.posts().len(), 2);
    place.write(&format!("{LINES}{}", r#"{"key":"k-3","tenant":"acme","thread":"h","decision":"approve"}"#));
    let (code, out, _) = place.run(&["--json"]);
    assert_eq!((code, values(&events(&out), "outcome", "key").len()), (0, 3));
    assert_eq!(server.posts().iter().map(key).filter(|key| key == "k-3").count(), 1);
    assert_eq!(server.posts().len(), 3);
}

#[test]
fn what_may_have_landed_goes_on_with_the_same_key_id_and_bytes() {
    let well = Arc::new(AtomicBool::new(false));
    let now = Arc::clone(&well);
    let server = FaultServer::start(move |_, request| match (now.load(Ordering::SeqCst), &request.head) {
        (false, _) => Reply::Reset,
        (true, head) if head.starts_with("GET ") => Reply::json(404, "{}"),
        (true, _) => Reply::json(202, r#"{"status":"COMMITTED"}"#),
    });
    let place = Place::new(&server.url, LINES.lines().next().unwrap());
    let (code, out, _) = place.run(&["--json"]);
    assert_eq!((code, values(&events(&out), "outcome", "outcome")), (6, vec!["unconfirmed"]));
    well.store(true, Ordering::SeqCst);
    let before = server.received().len();
    let (code, out, _) = place.run(&["--json"]);
    assert_eq!((code, values(&events(&out), "outcome", "outcome")), (0, vec!["committed"]), "{out}");
    let (received, posts) = (server.received(), server.posts());
    assert!(received[before].head.starts_with("GET /api/v1/hitl/status/"), "it looks before it sends again");
    assert_eq!(posts.len(), 2);
    assert_eq!(posts[0], posts[1]);
}

#[test]
fn what_reached_no_server_goes_on_when_there_is_one() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let place = Place::new(&format!("http://{address}"), LINES);
    let (code, out, _) = place.run(&["--json", "--deadline", "0.5"]);
    assert_eq!((code, values(&events(&out), "outcome", "outcome")), (7, vec!["not_sent"; 2]), "{out}");

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = Config::new(address, place.dir.path().join("data"));
    let gateway = runtime.block_on(Gateway::start(config)).unwrap();
    let token = gateway.reviewer_token_file().display().to_string();
    let (code, out, err) = place.run(&["--json", "--token-file", &token]);
    assert_eq!((code, values(&events(&out), "outcome", "outcome")), (0, vec!["committed"; 2]), "{out}{err}");
    runtime.block_on(gateway.shutdown());
}

#[test]
fn a_wrong_line_of_a_file_is_named_before_anything_is_sent() {
    let server = committed();
    let place = Place::new(&server.url, "");
    let good = LINES.lines().next().unwrap();
    for (lines, says) in [
        ("{\"key\":", "batch.jsonl:1: it is not valid JSON"),
        ("[]", "batch.jsonl:1: it must be a JSON object"),
        (r#"{"key":"k","thread":"h","decision":"approve"}"#, "batch.jsonl:1: tenant_id is required"),
        (
            r#"{"key":"k k","tenant":"t","thread":"h","decision":"approve"}"#,
            "batch.jsonl:1: the idempotency key",
        ),
        (
            r#"{"key":"k","tenant":"t","thread":"h","decision":"approve","payload":[1]}"#,
            "batch.jsonl:1: the payload must be a JSON object",
        ),
        (&format!("{good}\n\n{}", good.replace("approve", "reject")), "batch.jsonl:3: line 1 has the same"),
        (&format!("{good}\n{}", good.replace("1.10", "1.1")), "batch.jsonl:2: line 1 has the same"),
        (&format!("{good}\nx\n").repeat(12), "and 2 more"),
    ] {
        place.write(lines);
        let (code, out, err) = place.run(&["--json"]);
        assert_eq!((code, out.as_str()), (2, ""), "{lines}: {err}");
        assert!(err.contains(says) && err.contains("nothing was sent"), "{lines}: {err}");
    }
    place.write("");
    let (code, out, _) = place.run(&["--json"]);
    assert_eq!((code, out.as_str()), (0, ""), "an empty batch is carried out");
    assert!(server.received().is_empty());
    let (code, _, err) = run(cli::cli(place.dir.path(), &["decide", "--batch", "/nowhere/b.jsonl"]));
    assert!(code == 1 && err.contains("/nowhere/b.jsonl"), "{err}");
}

#[test]
fn on_standard_input_a_wrong_line_is_told_and_the_others_go_on() {
    let server = committed();
    let place = Place::new(&server.url, "");
    let (code, out, err) = place.pipe(&format!("nonsense\n{LINES}\n{{}}\n"));
    assert_eq!((code, err.as_str()), (2, ""), "{out}");
    let lines = events(&out);
    let wrong: Vec<_> = lines.iter().filter(|line| line["event"] == "error").collect();
    assert_eq!(wrong.iter().map(|line| line["line"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 6]);
    assert!(wrong.iter().all(|line| line["error"].is_string()));
    assert_eq!(values(&lines, "outcome", "outcome"), ["committed"; 2]);
    assert_eq!(server.posts().len(), 2);
}

#[test]
fn the_same_line_twice_is_one_decision_and_another_one_under_the_key_is_refused() {
    let server = committed();
    let one = LINES.lines().next().unwrap();
    let place = Place::new(&server.url, &format!("{one}\n{one}\n"));
    let (code, out, _) = place.run(&["--json"]);
    assert_eq!((code, events(&out).len(), server.posts().len()), (0, 2, 1));
    place.write(&one.replace("approve", "reject"));
    let (code, out, err) = place.run(&["--json"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("the journal holds another decision under this key (approve"), "{err}");
    // The order in which they are read decides which of two is wrong.
    let (code, out, _) = place.pipe(&format!("{}\n{one}\n", one.replace("approve", "reject")));
    assert_eq!((code, values(&events(&out), "outcome", "outcome")), (2, vec!["committed"]), "{out}");
    assert_eq!(server.posts().len(), 1);
}

#[test]
fn the_exit_code_is_that_of_what_a_person_must_look_at_first() {
    let mine = |verdict: &str| {
        format!(
            r#"{{"decision":{{"verdict":"{verdict}","reviewer":"alice","request_id":"x-1","status":"COMMITTED"}}}}"#
        )
    };
    let server = FaultServer::start(move |_, request| match key(request).as_str() {
        "accepted" => Reply::json(202, r#"{"status":"COMMITTED"}"#),
        "same" => Reply::json(409, &mine("approve")),
        "quota" => Reply::json(429, "{}"),
        "unknown" => Reply::json(409, ""),
        "refused" => Reply::json(422, "{}"),
        "failed" => Reply::json(202, r#"{"status":"FAILED"}"#),
        "conflict" => Reply::json(409, &mine("reject")),
        _ => Reply::json(404, "{}"),
    });
    let mut lines = String::new();
    for (word, code) in [
        ("accepted", 0),
        ("same", 3),
        ("quota", 8),
        ("unknown", 6),
        ("refused", 5),
        ("failed", 9),
        ("conflict", 4),
    ] {
        // Each ranks above all before it; the first run of it sends it, and the quota's is sent again with each.
        lines.push_str(&format!(
            "{{\"key\":\"{word}\",\"tenant\":\"t\",\"thread\":\"h\",\"decision\":\"approve\"}}\n"
        ));
        let place = Place::new(&server.url, &lines);
        let (found, out, err) = place.run(&["--json"]);
        assert_eq!(found, code, "{out}{err}");
        assert!(word == "accepted" || values(&events(&out), "outcome", "outcome").contains(&word), "{out}");
    }
    let (_, help, _) = run(cli::cli(Path::new("/"), &["decide", "--help"]));
    assert!(help.contains("the first of 2 4 9 5 6 7 8 10 3 that applies"), "{help}");
}

#[test]
fn a_server_in_trouble_is_asked_again_a_little_at_a_time_and_all_of_it_ends_well() {
    let well = AtomicBool::new(false);
    let server = FaultServer::start(move |number, _| {
        // The first try of each fails, and the retries of all are more than the budget has at once.
        if number == 60 {
            well.store(true, Ordering::SeqCst);
        }
        match number > 60 || well.load(Ordering::SeqCst) {
            false => Reply::json(503, "{}"),
            true => Reply::json(202, r#"{"status":"COMMITTED"}"#),
        }
    });
    let line =
        |n| format!("{{\"key\":\"k-{n}\",\"tenant\":\"t\",\"thread\":\"h\",\"decision\":\"approve\"}}\n");
    let place = Place::new(&server.url, &(0..50).map(line).collect::<String>());
    let (batch, journal) = (place.path("batch.jsonl"), place.path("journal"));
    let args = ["decide", "--batch", &batch, "--journal", &journal, "--server", &server.url, "--json"];
    let (code, out, err) = run(cli::cli(place.dir.path(), &args));
    assert_eq!((code, values(&events(&out), "outcome", "outcome")), (0, vec!["committed"; 50]), "{out}{err}");
    let journal = Journal::open(Path::new(&journal)).unwrap();
    let entries = journal.recent(usize::MAX).unwrap();
    let tries = |entry: &Entry| journal.tries(entry.intent.id).unwrap().len();
    assert_eq!(entries.iter().map(tries).sum::<usize>(), server.posts().len(), "every try is in the journal");
    assert!(entries.iter().all(|entry| (1..=4).contains(&tries(entry))));
}

#[test]
fn no_more_are_in_flight_than_was_said() {
    let server = FaultServer::start(|_, _| Reply::Hang);
    let lines: String = (0..20)
        .map(|n| {
            format!("{{\"key\":\"k-{n}\",\"tenant\":\"t\",\"thread\":\"h\",\"decision\":\"approve\"}}\n")
        })
        .collect();
    let place = Place::new(&server.url, &lines);
    let (batch, journal) = (place.path("batch.jsonl"), place.path("journal"));
    let mut child = Process::new(env!("CARGO_BIN_EXE_aegis-console"))
        .args(place.args(&batch, &journal, &["--concurrency", "3"]))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let waiting = Instant::now();
    while server.posts().len() < 3 {
        assert!(waiting.elapsed() < Duration::from_secs(30), "it never got going");
        std::thread::sleep(Duration::from_millis(5));
    }
    // That a fourth never comes can only be waited for.
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(server.posts().len(), 3);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn without_a_journal_that_can_be_used_nothing_is_sent() {
    let server = committed();
    let place = Place::new(&server.url, LINES);
    std::fs::write(place.path("journal"), "this is no database, whatever its name says".repeat(40)).unwrap();
    let before = std::fs::read(place.path("journal")).unwrap();
    let (code, out, err) = place.run(&["--json"]);
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    assert!(err.contains("outbox --set-aside") && err.contains(&place.path("journal")), "{err}");
    assert_eq!(std::fs::read(place.path("journal")).unwrap(), before);
    assert!(server.received().is_empty());
}

#[test]
fn without_a_journals_name_it_is_the_servers_own() {
    let server = committed();
    let place = Place::new(&server.url, LINES);
    let batch = place.path("batch.jsonl");
    let args = ["decide", "--batch", &batch, "--server", &server.url];
    assert_eq!(run(cli::cli(place.dir.path(), &args)).0, 0);
    assert_eq!(run(cli::cli(place.dir.path(), &args)).0, 0);
    assert_eq!(server.posts().len(), 2);
    let name = server.url.replace("://", "-").replace(':', "-");
    assert!(place.dir.path().join(format!("aegis-console/journal/{name}.sqlite")).exists());
}

#[test]
fn wrong_usage_is_2() {
    for args in [
        vec!["decide", "--batch", "-", "--concurrency", "0"],
        vec!["decide", "--batch", "-", "--concurrency", "65"],
        vec!["decide", "approve", "--batch", "-"],
        vec!["decide", "--batch", "-", "--key", "k", "--thread", "h"],
        vec!["decide", "--batch", "-", "--timeout", "0"],
        vec!["decide", "approve", "--key", "k", "--thread", "h", "--concurrency", "3"],
    ] {
        let (code, out, err) = run(cli::cli(Path::new("/"), &args));
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {err}");
    }
}
