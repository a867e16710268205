//! What is in the journal, and what becomes of it without a screen: `decide --journal`, `outbox`, `resume`, `status`.

#![cfg(all(feature = "console", feature = "gateway"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/cli.rs"]
mod cli;
#[path = "support/fault_server.rs"]
#[allow(dead_code, reason = "this test uses a part of it")]
mod fault_server;

use aegis_console::dispatch::Order;
use aegis_console::domain::{Action, ActionState, Queued, Verdict};
use aegis_console::journal::{Journal, Stage};
use cli::{events, run, values};
use fault_server::{FaultServer, Received, Reply};
use serde_json::Value;
use std::process::{Command as Process, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use uuid::Uuid;

const UNKNOWN: &str = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn journal(&self) -> String {
        self.0.path().join("journal").display().to_string()
    }

    fn run(&self, args: &[&str]) -> (i32, String, String) {
        run(cli::cli(self.0.path(), args))
    }

    /// One decision under the key `k-1`, recorded.
    fn decide(&self, verdict: &str, server: &FaultServer, more: &[&str]) -> (i32, Value, String) {
        let journal = self.journal();
        let args =
            ["decide", verdict, "--key", "k-1", "--thread", "h", "--tenant", "t", "--journal", &journal];
        let args = [&args[..], &["--server", &server.url, "--max-retries", "0", "--json"], more].concat();
        let (code, out, err) = self.run(&args);
        (code, serde_json::from_str(&out).unwrap_or_default(), err)
    }

    fn outbox(&self) -> Vec<Value> {
        let (code, out, err) = self.run(&["outbox", "--json", "--journal", &self.journal()]);
        assert_eq!(code, 0, "{err}");
        let json: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(json["journal"], self.journal());
        json["decisions"].as_array().unwrap().clone()
    }
}

/// A server that answers so once the switch is on, and resets before.
fn switched(answer: Reply) -> (FaultServer, Arc<AtomicBool>) {
    let well = Arc::new(AtomicBool::new(false));
    let now = Arc::clone(&well);
    let server = FaultServer::start(move |_, request: &Received| match now.load(Ordering::SeqCst) {
        false => Reply::Reset,
        true if request.head.starts_with("GET ") => Reply::json(404, "{}"),
        true => answer.clone(),
    });
    (server, well)
}

fn committed() -> FaultServer {
    FaultServer::start(|_, _| Reply::json(202, r#"{"status":"COMMITTED"}"#))
}

#[test]
fn a_decision_is_recorded_and_told_again_but_not_sent_again() {
    let (server, place) = (committed(), Place::new());
    let (code, json, err) = place.decide("approve", &server, &["--payload", r#"{"n":1.10}"#]);
    assert_eq!((code, &json["outcome"]), (0, &"committed".into()), "{err}");
    let post = &server.posts()[0];
    let recorded = &place.outbox()[0];
    assert_eq!(recorded["request_id"], post.header("x-request-id")[0]);
    for (member, value) in [
        ("key", "k-1"),
        ("thread", "h"),
        ("tenant", "t"),
        ("decision", "approve"),
        ("stage", "ended"),
        ("outcome", "committed"),
    ] {
        assert_eq!(recorded[member], value);
    }
    assert_eq!(
        (&recorded["maybe"], &recorded["tries"], &recorded["http_status"]),
        (&false.into(), &1.into(), &202.into())
    );
    let journal = Journal::open(place.journal().as_ref()).unwrap();
    let entry = journal.by_key(Some("t"), "h", "k-1").unwrap().unwrap();
    assert_eq!(entry.intent.body.as_bytes(), post.body);
    assert_eq!(journal.tries(entry.intent.id).unwrap()[0].http_status, Some(202));
    drop(journal);

    let (code, again, _) = place.decide("approve", &server, &["--payload", r#"{"n":1.10}"#]);
    assert_eq!((code, &again), (0, &json));
    let (code, _, err) = place.decide("reject", &server, &[]);
    assert!(code == 1 && err.contains("another decision under this key (approve"), "{err}");
    assert_eq!(server.posts().len(), 1);
}

#[test]
fn an_earlier_decision_is_asked_about_by_its_request_id() {
    let (server, well) = switched(Reply::json(202, r#"{"status":"COMMITTED"}"#));
    let place = Place::new();
    let (code, json, _) = place.decide("approve", &server, &[]);
    assert_eq!((code, &json["outcome"]), (6, &"unconfirmed".into()));
    assert_eq!(
        (&place.outbox()[0]["stage"], &place.outbox()[0]["maybe"]),
        (&"doubtful".into(), &true.into())
    );
    well.store(true, Ordering::SeqCst);
    let id = json["request_id"].as_str().unwrap();
    let (code, json, err) = place.decide("approve", &server, &["--request-id", id]);
    assert_eq!((code, &json["outcome"]), (0, &"committed".into()), "{err}");
    assert_eq!(json["tries"].as_array().unwrap().len(), 2, "the earlier run's try is there too");
    let posts = server.posts();
    assert_eq!(posts[0], posts[1]);
    // It has ended, and is asked about all the same.
    let before = server.received().len();
    assert_eq!(place.decide("approve", &server, &["--request-id", id]).0, 0);
    assert!(server.received()[before].is(&format!("GET /api/v1/hitl/status/{id}")));
    // The same decision under another request id is none that the journal knows.
    let (code, _, err) = place.decide("approve", &server, &["--request-id", UNKNOWN]);
    assert!(code == 1 && err.contains(id), "{err}");
    assert_eq!(place.outbox().len(), 1);
}

#[test]
fn an_action_of_the_queue_is_recorded_with_what_was_shown() {
    let sealed = r#"{"v":1,"id":"a-1","tenant_id":"t","thread_id":"h","idempotency_key":"aap:a-1","agent":"g","action":"send_email","payload":{},"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z"}"#;
    let queued = Queued::pending(Action::read(sealed).unwrap());
    let (digest, entry) = (queued.action.digest.to_string(), queued.write());
    let server = FaultServer::start(move |_, request| match request.head.starts_with("GET ") {
        true => Reply::json(200, &entry),
        false => Reply::json(202, r#"{"status":"COMMITTED"}"#),
    });
    let place = Place::new();
    let journal = place.journal();
    let args = ["decide", "approve", "a-1", "--digest", &digest, "--reason", "fine", "--journal", &journal];
    let args = [&args[..], &["--server", &server.url]].concat();
    // The second time is another moment, so other bytes, and the same decision.
    for _ in 0..2 {
        let (code, out, err) = place.run(&args);
        assert!(code == 0 && out.starts_with("approve send_email: 202 · committed"), "{out}{err}");
    }
    assert_eq!(server.posts().len(), 1);
    let recorded = &place.outbox()[0];
    assert_eq!((&recorded["action"], &recorded["reason"]), (&"send_email".into(), &"fine".into()));
    let journal = Journal::open(journal.as_ref()).unwrap();
    assert_eq!(journal.recent(1).unwrap()[0].intent.sealed.as_deref(), Some(sealed));
}

#[test]
fn a_killed_command_is_resumed_by_looking_first() {
    let hang = Arc::new(AtomicBool::new(true));
    let now = Arc::clone(&hang);
    let server = FaultServer::start(move |_, request| match now.load(Ordering::SeqCst) {
        true => Reply::Hang,
        false if request.head.starts_with("GET ") => {
            let id = request.head.split(['/', ' ']).nth(6).unwrap();
            let row = r#""verdict":"approve","reviewer":"dana","status":"COMMITTED""#;
            Reply::json(200, &format!(r#"{{"request_id":"{id}",{row}}}"#))
        }
        false => Reply::json(500, "{}"),
    });
    let place = Place::new();
    let journal = place.journal();
    let args = ["decide", "approve", "--key", "k-1", "--thread", "h", "--tenant", "t", "--journal", &journal];
    let mut child = Process::new(env!("CARGO_BIN_EXE_aegis-console"))
        .args(args)
        .args(["--server", &server.url])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let waiting = Instant::now();
    while server.posts().is_empty() {
        assert!(waiting.elapsed() < Duration::from_secs(30), "it was never sent");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!((&place.outbox()[0]["stage"], &place.outbox()[0]["maybe"]), (&"sending".into(), &true.into()));
    hang.store(false, Ordering::SeqCst);

    let other = ["resume", "--journal", &journal, "--server", "http://localhost:1"];
    let (code, out, err) = place.run(&other);
    assert_eq!((code, out.as_str()), (6, ""), "what is for another server stays");
    assert!(err.contains(&format!("resume it with --server {}", server.url)), "{err}");

    let args = ["resume", "--journal", &journal, "--server", &server.url, "--json"];
    let (code, out, err) = place.run(&args);
    let lines = events(&out);
    assert_eq!((code, values(&lines, "outcome", "outcome")), (0, vec!["mine"]), "{out}{err}");
    assert_eq!(server.posts().len(), 1, "the look said all");
    let (code, out, _) = place.run(&["resume", "--journal", &journal, "--server", &server.url]);
    assert_eq!((code, out.as_str()), (0, "Nothing is left.\n"));
}

#[test]
fn what_is_not_at_an_end_after_a_resume_has_an_exit_code_and_goes_on_next_time() {
    for (answer, code, word) in [
        (Reply::Reset, 6, "unconfirmed"),
        (Reply::json(429, "{}"), 8, "quota"),
        (Reply::json(403, "{}"), 0, ""),
    ] {
        let first = answer.clone();
        let well = Arc::new(AtomicBool::new(false));
        let now = Arc::clone(&well);
        let server = FaultServer::start(move |_, request| match now.load(Ordering::SeqCst) {
            true if request.head.starts_with("GET ") => Reply::json(404, "{}"),
            true => Reply::json(202, r#"{"status":"COMMITTED"}"#),
            false => first.clone(),
        });
        let place = Place::new();
        place.decide("approve", &server, &[]);
        let journal = place.journal();
        let args = ["resume", "--journal", &journal, "--server", &server.url, "--json", "--max-retries", "0"];
        let (found, out, err) = place.run(&args);
        assert_eq!(found, code, "{word}: {out}{err}");
        if word.is_empty() {
            // Refused is an end.
            assert_eq!((out.as_str(), server.posts().len()), ("", 1));
            continue;
        }
        assert_eq!(values(&events(&out), "outcome", "outcome"), [word]);
        well.store(true, Ordering::SeqCst);
        let (code, out, _) = place.run(&args);
        assert_eq!((code, values(&events(&out), "outcome", "outcome")), (0, vec!["committed"]), "{out}");
        let posts = server.posts();
        assert!(posts.len() > 1 && posts.iter().all(|post| *post == posts[0]));
    }
}

#[test]
fn what_was_decided_and_never_sent_goes_out_only_as_it_was_seen() {
    let action = |id: &str| {
        let sealed = format!(
            r#"{{"v":1,"id":"{id}","tenant_id":"t","thread_id":"h","idempotency_key":"aap:{id}","agent":"g","action":"send_email","payload":{{}},"created_at":"2026-11-23T12:00:00Z","expires_at":"2099-11-23T12:10:00Z"}}"#
        );
        Action::read(sealed).unwrap()
    };
    let server = FaultServer::start(move |_, request| {
        let mut changed = Queued::pending(action("a-2"));
        changed.state = ActionState::Expired;
        match request.head.split(' ').nth(1).unwrap() {
            "/api/v1/hitl/actions/a-1" => Reply::json(200, &Queued::pending(action("a-1")).write()),
            "/api/v1/hitl/actions/a-2" => Reply::json(200, &changed.write()),
            path if path.starts_with("/api/v1/hitl/actions?") => {
                Reply::json(200, r#"{"actions":[],"next":null}"#)
            }
            _ => Reply::json(202, r#"{"status":"COMMITTED"}"#),
        }
    });
    let place = Place::new();
    let journal = Journal::open(place.journal().as_ref()).unwrap();
    let decided = ["a-1", "a-2"].map(|id| {
        let order = Order {
            id: Uuid::now_v7(),
            request_id: Uuid::new_v4(),
            action: Arc::new(action(id)),
            verdict: Verdict::Approve,
            reason: None,
            reviewer: None,
            decided_at: jiff::Timestamp::now(),
        };
        order.intent(&server.url, None)
    });
    tokio::runtime::Runtime::new().unwrap().block_on(journal.record(decided.into())).unwrap();
    drop(journal);
    let journal = place.journal();
    let (code, out, err) = place.run(&["resume", "--journal", &journal, "--server", &server.url, "--json"]);
    let lines = events(&out);
    assert_eq!((code, lines.len()), (0, 2), "{out}{err}");
    assert_eq!(values(&lines, "outcome", "key"), ["aap:a-1"]);
    assert_eq!(values(&lines, "returned", "key"), ["aap:a-2"]);
    assert_eq!(values(&lines, "returned", "error"), ["it has expired"]);
    assert_eq!(server.posts().len(), 1);
    let given_back = place.outbox().into_iter().find(|one| one["key"] == "aap:a-2").unwrap();
    assert_eq!(
        (&given_back["stage"], &given_back["returned"]),
        (&"returned".into(), &"it has expired".into())
    );
}

#[test]
fn the_outbox_lists_what_is_open_first_and_shows_what_could_act() {
    let (server, well) = switched(Reply::json(403, r#"{"detail":"no\u001b[2J"}"#));
    let place = Place::new();
    place.decide("approve", &server, &[]);
    well.store(true, Ordering::SeqCst);
    let journal = place.journal();
    let args = ["decide", "reject", "--key", "k-2", "--thread", "h", "--tenant", "t", "--journal", &journal];
    place.run(&[&args[..], &["--server", &server.url]].concat());
    let keys: Vec<_> = place.outbox().iter().map(|one| one["key"].as_str().unwrap().to_owned()).collect();
    assert_eq!(keys, ["k-1", "k-2"]);
    let (code, out, _) = place.run(&["outbox", "--journal", &journal]);
    let lines: Vec<_> = out.lines().collect();
    assert!(code == 0 && lines[0].starts_with("DECIDED") && lines.len() == 3, "{out}");
    assert!(lines[1].contains("approve") && lines[1].contains("unconfirmed, asks again"), "{out}");
    assert!(lines[2].contains("reject") && lines[2].contains("403"), "{out}");
    let (_, json, _) = place.run(&["outbox", "--json", "--journal", &journal]);
    assert!(json.contains("\\u001b") && !json.contains('\u{1b}'), "{json}");
    let (_, out, _) = place.run(&["outbox", "--journal", &journal, "--limit", "0"]);
    assert_eq!(out.lines().count(), 2, "{out}");
}

#[test]
fn looking_makes_no_journal_and_a_damaged_one_is_moved_aside_only_by_name() {
    let place = Place::new();
    let journal = place.journal();
    let (code, out, _) = place.run(&["outbox", "--journal", &journal]);
    assert!(code == 0 && out.contains("holds nothing"), "{out}");
    let (code, out, _) = place.run(&["resume", "--journal", &journal]);
    assert_eq!((code, out.as_str()), (0, "Nothing is left.\n"));
    assert!(!std::path::Path::new(&journal).exists());

    let garbage = "this is no database, whatever its name says".repeat(40);
    std::fs::write(&journal, &garbage).unwrap();
    for command in ["outbox", "resume"] {
        let (code, out, err) = place.run(&[command, "--journal", &journal]);
        assert_eq!((code, out.as_str()), (1, ""), "{command}");
        assert!(err.contains("outbox --set-aside") && err.contains(&journal), "{err}");
    }
    assert_eq!(std::fs::read_to_string(&journal).unwrap(), garbage);
    let (code, out, err) = place.run(&["outbox", "--journal", &journal, "--set-aside"]);
    assert!(code == 0 && out.contains(".set-aside-"), "{out}{err}");
    let aside = out.split(' ').find(|word| word.contains(".set-aside-")).unwrap().trim_end_matches(':');
    assert_eq!(std::fs::read_to_string(aside).unwrap(), garbage);

    let server = committed();
    assert_eq!(place.decide("approve", &server, &[]).0, 0);
    let held = Journal::open(journal.as_ref()).unwrap();
    assert_eq!(held.recent(1).unwrap()[0].stage, Stage::Ended);
    let (code, _, err) = place.run(&["outbox", "--journal", &journal, "--set-aside"]);
    assert!(code == 1 && err.contains("end it first"), "{err}");
    let (code, out, err) = place.run(&["resume", "--journal", &journal]);
    assert!(code == 0 && out == "Nothing is left.\n" && err.contains("another aegis-console"), "{out}{err}");
    let (code, out, _) = place.run(&["outbox", "--journal", &journal]);
    assert!(code == 0 && out.contains("202 committed"), "reading is free: {out}");
}

#[test]
fn the_server_says_what_became_of_a_decision() {
    let row = |id: &str, status: &str| {
        format!(
            r#"{{"request_id":"{id}","asked_request_id":"{UNKNOWN}","idempotency_key":"k","action_id":null,"status":"{status}","verdict":"reject","reviewer":"al\u001bice","decided_at":"2026-11-23T12:03:11Z","detail":null}}"#
        )
    };
    for (answer, code, status, mine, says) in [
        (Reply::json(200, &row(UNKNOWN, "COMMITTED")), 0, "COMMITTED", Some(true), "by this very call"),
        (
            Reply::json(200, &row("x-1", "COMMITTED")),
            0,
            "COMMITTED",
            Some(false),
            "al␛ice rejected it at 2026",
        ),
        (Reply::json(200, &row(UNKNOWN, "PENDING")), 6, "PENDING", Some(true), "PENDING"),
        (Reply::json(200, &row(UNKNOWN, "FAILED")), 9, "FAILED", Some(true), "FAILED"),
        (Reply::json(200, r#"{"status":"COMMITTED"}"#), 0, "COMMITTED", None, "does not say by which call"),
        (Reply::json(200, "<html>"), 6, "", None, "no status"),
        (Reply::json(404, r#"{"status":"COMMITTED"}"#), 6, "", None, "does not know this request id"),
        (Reply::json(401, r#"{"detail":"no\u001b"}"#), 5, "", None, "the server says: no␛"),
        (Reply::json(503, "{}"), 6, "", None, "answered 503"),
    ] {
        let server = FaultServer::start(move |_, _| answer.clone());
        let args = ["status", UNKNOWN, "--server", &server.url, "--tenant", "t", "--thread", "h"];
        let place = Place::new();
        let (found, out, err) = place.run(&args);
        assert!(found == code && out.contains(says) && err.is_empty(), "{found} {code}: {out}{err}");
        let (found, out, _) = place.run(&[&args[..], &["--json"]].concat());
        let json: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((found, json["status"].as_str().unwrap_or_default()), (code, status), "{out}");
        assert_eq!((json["mine"].as_bool(), &json["request_id"]), (mine, &UNKNOWN.into()), "{out}");
        let received = server.received();
        assert!(received[0].is(&format!("GET /api/v1/hitl/status/{UNKNOWN}")));
        assert_eq!(
            (received[0].header("tenant-id"), received[0].header("thread-id")),
            (vec!["t"], vec!["h"])
        );
        assert!(server.posts().is_empty());
    }
    let place = Place::new();
    assert_eq!(place.run(&["status", "../x", "--server", "http://localhost:1"]).0, 2);
    let (code, _, err) = place.run(&["status", UNKNOWN, "--server", "http://localhost:1"]);
    assert!(code == 7 && err.contains("connection refused"), "{err}");
}

#[test]
fn what_may_have_landed_long_ago_is_sent_again_only_by_its_user() {
    let (server, well) = switched(Reply::json(202, r#"{"status":"COMMITTED"}"#));
    let place = Place::new();
    let (_, json, _) = place.decide("approve", &server, &[]);
    assert_eq!(json["outcome"], "unconfirmed");
    // The server's janitor may have opened the key again since.
    let then = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(10);
    let journal = rusqlite::Connection::open(place.journal()).unwrap();
    assert_eq!(journal.execute("UPDATE progress SET reached_at = ?", [format!("{then:.9}")]).unwrap(), 1);
    drop(journal);
    well.store(true, Ordering::SeqCst);

    let (before, journal) = (server.received().len(), place.journal());
    let (code, out, err) =
        place.run(&["resume", "--journal", &journal, "--server", &server.url, "--json", "--deadline", "5"]);
    assert_eq!((code, values(&events(&out), "outcome", "outcome")), (6, vec!["unconfirmed"]), "{out}{err}");
    let (code, again, _) = place.decide("approve", &server, &[]);
    assert_eq!((code, &again["outcome"]), (6, &"unconfirmed".into()));
    assert_eq!(server.posts().len(), 1);
    assert_eq!(server.received().len(), before + 2, "each asks once");
    assert_eq!((&place.outbox()[0]["stage"], &place.outbox()[0]["tries"]), (&"doubtful".into(), &1.into()));

    let id = json["request_id"].as_str().unwrap();
    let (code, json, err) = place.decide("approve", &server, &["--request-id", id]);
    assert_eq!((code, &json["outcome"]), (0, &"committed".into()), "{err}");
    let posts = server.posts();
    assert_eq!((posts.len(), &posts[0]), (2, &posts[1]));
}
