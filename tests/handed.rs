//! Commands on a journal that another process carries out: they hand their decisions over, and say how they ended.

#![cfg(all(feature = "console", feature = "gateway"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/cli.rs"]
mod cli;
#[path = "support/fault_server.rs"]
#[allow(dead_code, reason = "this test uses a part of it")]
mod fault_server;

use aegis_console::client::AegisClient;
use aegis_console::dispatch::{Dispatcher, Link, NoCheck, Pace};
use aegis_console::journal::Journal;
use cli::{events, run, values};
use fault_server::{FaultServer, Reply};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const LINES: &str = r#"{"key":"k-1","tenant":"t","thread":"h","decision":"approve","payload":{"n":1.10}}
{"key":"k-2","tenant":"t","thread":"h","decision":"reject"}
{"key":"k-3","tenant":"t","thread":"h","decision":"approve"}
"#;

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn journal(&self) -> PathBuf {
        self.0.path().join("journal")
    }

    fn run(&self, server: &str, args: &[&str]) -> (i32, String, String) {
        let journal = self.journal().display().to_string();
        let more = ["--journal", &journal, "--server", server, "--json"];
        run(cli::cli(self.0.path(), &[args, &more].concat()))
    }

    fn decide(&self, server: &str, more: &[&str]) -> (i32, Value, String) {
        let args = ["decide", "approve", "--key", "k-1", "--thread", "h", "--tenant", "t"];
        let (code, out, err) = self.run(server, &[&args, more].concat());
        (code, serde_json::from_str(&out).unwrap_or_default(), err)
    }

    fn batch(&self, server: &str) -> (i32, String, String) {
        let batch = self.0.path().join("batch.jsonl");
        std::fs::write(&batch, LINES).unwrap();
        self.run(server, &["decide", "--batch", &batch.display().to_string()])
    }
}

/// An open console, as far as its journal is concerned.
struct Console {
    runtime: Runtime,
    dispatcher: Dispatcher,
}

impl Console {
    fn open(place: &Place, server: &FaultServer) -> Self {
        let runtime = Runtime::new().unwrap();
        let client = AegisClient::builder().base_url(&*server.url).tenant_id("t").max_retries(0);
        let dispatcher = runtime.block_on(async {
            let journal = Journal::open(&place.journal()).unwrap();
            let pace = Pace { first_pause: Duration::from_millis(200), ..Pace::default() };
            let (dispatcher, mut news) =
                Dispatcher::start(client.build().unwrap(), journal, Arc::new(NoCheck), pace);
            tokio::spawn(async move { while news.recv().await.is_some() {} });
            dispatcher
        });
        assert!(dispatcher.carries());
        Self { runtime, dispatcher }
    }

    fn close(self) {
        self.runtime.block_on(self.dispatcher.shutdown());
    }
}

fn committed() -> FaultServer {
    FaultServer::start(|_, _| Reply::json(202, r#"{"status":"COMMITTED"}"#))
}

fn until(what: impl Fn() -> bool) {
    let waiting = Instant::now();
    while !what() {
        assert!(waiting.elapsed() < Duration::from_secs(30), "it never came to that");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn an_open_console_carries_out_what_a_command_decides() {
    let (server, place) = (committed(), Place::new());
    let console = Console::open(&place, &server);
    let (code, json, err) = place.decide(&server.url, &["--payload", r#"{"n":1.10}"#]);
    assert_eq!(
        (code, &json["outcome"], &json["http_status"]),
        (0, &"committed".into(), &202.into()),
        "{err}"
    );
    assert_eq!(json["tries"].as_array().unwrap().len(), 1);
    assert_eq!((&json["idempotency_key"], err.as_str()), (&"k-1".into(), ""));
    let posts = server.posts();
    assert_eq!(posts[0].header("x-request-id"), [json["request_id"].as_str().unwrap()]);
    // Told again, and not sent again.
    assert_eq!(place.decide(&server.url, &["--payload", r#"{"n":1.10}"#]).1, json);

    let (code, out, err) = place.batch(&server.url);
    let lines = events(&out);
    assert_eq!((code, values(&lines, "intent", "key")), (0, vec!["k-1", "k-2", "k-3"]), "{out}{err}");
    assert_eq!(values(&lines, "outcome", "outcome"), ["committed"; 3]);
    assert_eq!(server.posts().len(), 3);
    console.close();
    let journal = Journal::open(&place.journal()).unwrap();
    assert!(journal.is_dispatcher() && journal.open_entries().unwrap().is_empty());
}

#[test]
fn what_the_console_gave_up_is_sent_again_there() {
    let refused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let place = Place::new();
    let well = Arc::new(AtomicBool::new(false));
    let now = Arc::clone(&well);
    let server = FaultServer::start(move |_, _| match now.load(Ordering::SeqCst) {
        true => Reply::json(202, r#"{"status":"COMMITTED"}"#),
        false => Reply::json(429, "{}"),
    });
    let console = Console::open(&place, &server);
    let (code, json, _) = place.decide(&server.url, &[]);
    assert_eq!((code, &json["outcome"]), (8, &"quota".into()));
    well.store(true, Ordering::SeqCst);
    let (code, again, err) = place.decide(&server.url, &[]);
    assert_eq!((code, &again["outcome"]), (0, &"committed".into()), "{err}");
    let posts = server.posts();
    assert_eq!((posts.len(), &posts[0]), (2, &posts[1]));

    // Another server's decisions are none of that console's, and nothing is changed.
    let other = format!("http://{refused}");
    for (code, _, err) in [place.batch(&other), place.run(&other, &["resume"])] {
        assert!(code == 1 && err.contains(&server.url) && err.contains("--journal"), "{code} {err}");
        assert!(err.contains(&format!("process {}", std::process::id())), "{err}");
    }
    let (code, _, err) = place.decide(&other, &["--payload", "{}"]);
    assert!(code == 1 && err.contains(&server.url), "{code} {err}");
    console.close();
    assert_eq!(Journal::open(&place.journal()).unwrap().recent(9).unwrap().len(), 1);
}

#[test]
fn resume_waits_for_what_an_open_console_has_left() {
    let place = Place::new();
    let well = Arc::new(AtomicBool::new(false));
    let now = Arc::clone(&well);
    let server = FaultServer::start(move |_, request| match now.load(Ordering::SeqCst) {
        true if request.head.starts_with("GET ") => Reply::json(404, "{}"),
        true => Reply::json(202, r#"{"status":"COMMITTED"}"#),
        false => Reply::Reset,
    });
    let console = Console::open(&place, &server);
    let (code, out, err) = place.run(&server.url, &["resume"]);
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    assert!(err.contains(&format!("another aegis-console (process {})", std::process::id())), "{err}");

    let (code, json, _) = place.decide(&server.url, &["--deadline", "0.8"]);
    assert_eq!((code, &json["outcome"]), (6, &"unconfirmed".into()));
    well.store(true, Ordering::SeqCst);
    let (code, out, err) = place.run(&server.url, &["resume"]);
    assert_eq!((code, values(&events(&out), "outcome", "outcome")), (0, vec!["committed"]), "{out}{err}");
    let posts = server.posts();
    assert!(posts.len() > 1 && posts.iter().all(|post| *post == posts[0]));

    // What is only on disk there may yet be sent: that is no "not sent".
    console.dispatcher.link(Link::Down);
    let args = ["decide", "reject", "--key", "k-2", "--thread", "h", "--tenant", "t", "--deadline", "0.8"];
    let (code, out, _) = place.run(&server.url, &args);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &json["outcome"]), (6, &"unconfirmed".into()), "{out}");
    assert!(json["detail"].as_str().unwrap().contains("another aegis-console (process"), "{out}");
    console.dispatcher.link(Link::Up);
    until(|| server.posts().iter().any(|post| post.head.contains("/reject")));
    console.close();
}

#[test]
fn a_command_that_waits_takes_over_when_the_other_one_has_gone() {
    let (server, place) = (committed(), Place::new());
    // It holds the journal, and carries nothing out.
    let other = Journal::open(&place.journal()).unwrap();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| place.batch(&server.url));
        until(|| other.recent(9).unwrap().len() == 3);
        assert!(server.received().is_empty(), "nothing is sent while the other one lives");
        drop(other);
        let (code, out, err) = waits.join().unwrap();
        assert_eq!(code, 0, "{out}{err}");
        assert_eq!(values(&events(&out), "outcome", "outcome"), ["committed"; 3]);
    });
    assert_eq!(server.posts().len(), 3);
    assert!(Journal::open(&place.journal()).unwrap().open_entries().unwrap().is_empty());
}
