//! The binary as a reviewer uses it, in a real pseudo-terminal, on a real gateway with a real agent; and what it says
//! when it cannot start.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use aegis_console::agent::{AapClient, Answer, Gate, Submission};
use aegis_console::domain::action::Draft;
use aegis_console::domain::{Action, Risk, Untrusted};
use aegis_console::gateway::{Config, Gateway};
use assert_cmd::Command;
use jiff::{Timestamp, ToSpan as _};
use std::path::Path;
use std::time::Duration;
use support::person::{confirm, open_bar};
use support::pty::{PATIENCE, Pty};
use support::scripted::{self, Scripted};
use tempfile::TempDir;
use tokio::runtime::Runtime;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn gateway(runtime: &Runtime, data: &Path) -> Gateway {
    let config = Config::new("127.0.0.1:0".parse().unwrap(), data);
    runtime.block_on(Gateway::start(config)).unwrap()
}

/// An agent that asks and waits, as a task.
fn ask(runtime: &Runtime, gateway: &Gateway, tool: &str) -> tokio::task::JoinHandle<Answer> {
    let client = AapClient::new(&format!("{}/aap", gateway.url()), gateway.agent("billing-agent")).unwrap();
    let arguments =
        r#"{"to":"user@example.com","amount":1.10,"body":"line\u001b]0;owned\u0007 one\nline two"}"#;
    let submission = Submission::new(tool, arguments).unwrap().timeout("10m");
    let key = format!("key-{tool}");
    runtime.spawn(async move { Gate::new(client).check(&submission, &key).await })
}

fn review(gateway: &Gateway, journal: &Path, grace: &str, size: (u16, u16)) -> Pty {
    let token = gateway.reviewer_token_file().display().to_string();
    let (url, journal) = (gateway.url(), journal.display().to_string());
    let arguments =
        ["review", "--server", &url, "--token-file", &token, "--journal", &journal, "--grace", grace];
    Pty::start(Pty::aegis_console(&arguments), size)
}

/// Waits for a line of outcomes with both words: a port or a tool may hold one of them too. A line that is still
/// `sending` may hold the status of its try already, and would hold up a quit.
fn wait_outcome(pty: &Pty, verdict: &str, status: &str) {
    let ended = |line: &str| line.contains(verdict) && line.contains(status) && !line.contains("sending");
    let stands = || pty.screen().lines().any(ended);
    let deadline = std::time::Instant::now() + PATIENCE;
    while !stands() {
        assert!(std::time::Instant::now() < deadline, "no {verdict} {status}:\n{}", pty.screen());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn see_approve_reject_quit() {
    let (runtime, data) = (runtime(), TempDir::new().unwrap());
    let gateway = gateway(&runtime, data.path());
    let journal = data.path().join("journal.sqlite");
    for size in [(120, 40), (72, 12), (40, 12)] {
        let approved = ask(&runtime, &gateway, &format!("mail_{}", size.0));
        let mut pty = review(&gateway, &journal, "0", size);
        pty.wait_for("mail_", PATIENCE);
        open_bar(&mut pty, "a", "Approve?");
        pty.wait_for("to: user@example.com", PATIENCE);
        assert!(size.0 < 100 || pty.screen().contains("␛]0;owned␇"), "it is shown as what it is");
        confirm(&mut pty);
        wait_outcome(&pty, "approve", "202");
        assert!(matches!(runtime.block_on(approved).unwrap(), Answer::Allowed(_)));

        let denied = ask(&runtime, &gateway, &format!("post_{}", size.0));
        pty.wait_for("post_", PATIENCE);
        open_bar(&mut pty, "r", "Reject?");
        pty.send_keys("not now");
        pty.wait_for("not now", PATIENCE);
        confirm(&mut pty);
        let Answer::Denied { reason, .. } = runtime.block_on(denied).unwrap() else { panic!("not denied") };
        assert_eq!(reason.as_ref().map(Untrusted::raw), Some("not now"));
        pty.wait_for("0 pend", PATIENCE);
        wait_outcome(&pty, "reject", "202");
        pty.send_keys("q");
        assert_eq!(pty.exit_code(PATIENCE), 0);
        pty.assert_restored();
        pty.assert_cooked();
        let bytes = pty.bytes();
        let orders = bytes.windows(2).enumerate().filter(|(_, run)| run == b"\x1b]");
        for (at, _) in orders {
            // The console's own titles, which hold counts, are all that begins so.
            let order = bytes[at..].split(|byte| *byte == 0x07).next().unwrap_or_default();
            let order = String::from_utf8_lossy(order);
            assert!(
                order.starts_with("\x1b]0;aegis-console: ") && !order.contains("owned"),
                "an agent's text reached the terminal as it was: {order:?}"
            );
        }
    }
    runtime.block_on(gateway.shutdown());
}

#[test]
fn nothing_that_the_terminal_sends_by_itself_decides() {
    let (runtime, data) = (runtime(), TempDir::new().unwrap());
    let gateway = gateway(&runtime, data.path());
    let asked = ask(&runtime, &gateway, "send_email");
    let mut pty = review(&gateway, &data.path().join("journal.sqlite"), "0", (120, 40));
    pty.wait_for("send_email", PATIENCE);
    open_bar(&mut pty, "r", "Reject?");
    // Past the time in which keys do not count, so that only what they are can keep them from deciding.
    std::thread::sleep(Duration::from_millis(1_500));
    for sent in [
        b"\x1b]11;rgb:aaaa/aaaa/aaaa\x1b\\".as_slice(),
        b"\x1b]11;rgb:aaaa/aaaa/aaaa\r\x07",
        b"\x1bP>|terminal\r\x1b\\",
        b"\x1b_Gi=1;OK\r\x1b\\",
        b"\x1b[0n\x1b[24;80R\x1b[?62;22c",
        b"aaaaaaaaaaaa",
        b"aaa\r",
        b"\x1b[200~safe\x1b[201~\r\x1b[201~",
        b"\x1b[200~\r",
        b"\x1bP1$r\r",
        b"\x1b]11;rgb:\r",
        b"\x1b[1;\r",
        b"\xe2\x82",
    ] {
        pty.send(sent);
        // Longer than anything is waited for.
        std::thread::sleep(Duration::from_millis(250));
    }
    assert!(pty.screen().contains("Reject?"), "{}", pty.screen());
    // On a busy machine the first may still be taken for a part of what came before it.
    for _ in 0..50 {
        pty.send(b"\x1b");
        std::thread::sleep(Duration::from_millis(300));
        if !pty.screen().contains("Reject?") {
            break;
        }
    }
    pty.wait_gone("Reject?", PATIENCE);
    pty.wait_for("1 pending", PATIENCE);
    pty.send(b"\x1b]11;rgb:aaaa");
    pty.send(b"\x03");
    assert_eq!(pty.exit_code(PATIENCE), 0);
    pty.assert_restored();
    assert!(!asked.is_finished(), "nothing was decided");
    asked.abort();
    runtime.block_on(gateway.shutdown());
}

#[test]
fn a_gateway_of_its_own_and_every_way_out() {
    for (end, code) in [("TERM", 143), ("HUP", 129)] {
        let data = TempDir::new().unwrap();
        let folder = data.path().join("data").display().to_string();
        let mut pty =
            Pty::start(Pty::aegis_console(&["--listen", "127.0.0.1:0", "--data", &folder]), (80, 24));
        pty.wait_for("Nothing is waiting.", PATIENCE);
        pty.wait_for("agent.token", PATIENCE);
        pty.wait_for("● live", PATIENCE);
        let killed =
            std::process::Command::new("kill").args(["-s", end, &pty.process_id().to_string()]).status();
        assert!(killed.unwrap().success());
        assert_eq!(pty.exit_code(PATIENCE), code, "{end}");
        pty.assert_restored();
        assert!(data.path().join("data/agent.token").is_file());
    }
}

#[test]
fn held_then_taken_back_then_killed_and_carried_out_once() {
    let (runtime, data) = (runtime(), TempDir::new().unwrap());
    let gateway = gateway(&runtime, data.path());
    let journal = data.path().join("journal.sqlite");
    let asked = ask(&runtime, &gateway, "mail");
    let approve = |pty: &mut Pty| {
        pty.wait_for("1 pend", PATIENCE);
        open_bar(pty, "a", "Approve?");
        confirm(pty);
    };

    let mut pty = review(&gateway, &journal, "600", (120, 40));
    approve(&mut pty);
    pty.wait_for("u takes it back", PATIENCE);
    pty.send_keys("u");
    pty.wait_for("taken back, nothing was sent", PATIENCE);
    approve(&mut pty);
    pty.wait_for("u takes it back", PATIENCE);
    pty.send_keys("q");
    pty.wait_for("1 held:", PATIENCE);
    pty.send_keys("d");
    assert_eq!(pty.exit_code(PATIENCE), 0);

    // Killed while it is held: it is on disk, and its grace is over at the next start.
    let mut pty = review(&gateway, &journal, "2", (120, 40));
    approve(&mut pty);
    pty.wait_for("u takes it back", PATIENCE);
    let killed = std::process::Command::new("kill").args(["-9", &pty.process_id().to_string()]).status();
    assert!(killed.unwrap().success());
    let mut pty = review(&gateway, &journal, "2", (120, 40));
    wait_outcome(&pty, "approve", "202");
    assert!(matches!(runtime.block_on(asked).unwrap(), Answer::Allowed(_)));
    pty.send_keys("q");
    assert_eq!(pty.exit_code(PATIENCE), 0);
    runtime.block_on(gateway.shutdown());
}

/// A queue file of one action, as a text.
fn line() -> String {
    let now = Timestamp::now();
    Draft {
        id: "file-1",
        tenant_id: "t1",
        thread_id: "order-42",
        idempotency_key: "file:1",
        agent: "batch",
        action: "wire_transfer",
        server: None,
        payload: r#"{"amount":1.10}"#,
        summary: None,
        rationale: None,
        claims: None,
        risk: Risk::Low,
        risk_reasons: &[],
        labels: &[],
        source: None,
        reviewers_needed: 1,
        grace: Duration::ZERO,
        created_at: now,
        expires_at: now + 1.hour(),
    }
    .seal()
}

#[test]
fn a_queue_file_is_decided_at_an_aegis_server() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("queue.jsonl");
    std::fs::write(&file, line() + "\n").unwrap();
    let server = Scripted::start(|_, _| {
        scripted::Answer::new("202 Accepted", "application/json", r#"{"status":"COMMITTED"}"#)
    });
    let (file, journal) = (file.display().to_string(), folder.path().join("journal").display().to_string());
    let arguments =
        ["review", "--queue", &file, "--server", server.url(), "--journal", &journal, "--grace", "0"];
    let mut pty = Pty::start(Pty::aegis_console(&arguments), (120, 40));
    pty.wait_for("wire_transfer", PATIENCE);
    pty.wait_for("read to its end", PATIENCE);
    open_bar(&mut pty, "a", "Approve?");
    confirm(&mut pty);
    wait_outcome(&pty, "approve", "202");
    let asked = server.asked();
    let call = asked.iter().find(|asked| asked.target == "/api/v1/hitl/approve").expect("an AEGIS call");
    let header = |name| call.header(name).map(str::to_owned);
    assert_eq!(header("tenant-id").as_deref(), Some("t1"), "no API key was given");
    assert_eq!(header("thread-id").as_deref(), Some("order-42"));
    assert_eq!(header("idempotency-key").as_deref(), Some("file:1"));
    pty.send_keys("q");
    assert_eq!(pty.exit_code(PATIENCE), 0);
}

#[test]
fn without_a_server_the_screen_says_that_decisions_go_nowhere() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("queue.jsonl");
    std::fs::write(&file, line()).unwrap();
    let mut pty =
        Pty::start(Pty::aegis_console(&["review", "--queue", &file.display().to_string()]), (120, 40));
    pty.wait_for("decisions go nowhere", PATIENCE);
    pty.wait_for("wire_transfer", PATIENCE);
    open_bar(&mut pty, "a", "Approve?");
    confirm(&mut pty);
    pty.wait_for("not sent   there is no server", PATIENCE);
    pty.send_keys("q");
    assert_eq!(pty.exit_code(PATIENCE), 0);
}

#[test]
fn what_cannot_start_says_why_in_one_message() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("open.token"), "0123456789abcdef").unwrap();
    std::os::unix::fs::symlink("/proc/version", path("not-a-folder")).unwrap();
    let html =
        Scripted::start(|_, _| scripted::Answer::new("200 OK", "text/html", "<html>a login page</html>"));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let cases: [(&[&str], &[&str]); 6] = [
        (&["review", "--server", "gate.acme.example"], &["gate.acme.example"]),
        (&["review", "--server", "http://gate.acme.example"], &["https"]),
        (&["review", "--server", "http://127.0.0.1:1"], &["127.0.0.1:1"]),
        (&["review", "--server", html.url()], &["a web page instead of a queue"]),
        (&["review", "--queue", &path("none")], &["none"]),
        (&["review", "--server", html.url(), "--token-file", &path("open.token")], &["chmod 600"]),
    ];
    for (arguments, words) in cases {
        check(arguments, words);
    }
    // These two would need a terminal first, so they run in one.
    for (arguments, words) in [
        (vec!["--listen".into(), taken, "--data".into(), path("data")], "--listen"),
        (
            vec!["--listen".into(), "127.0.0.1:0".into(), "--data".into(), path("not-a-folder")],
            "not-a-folder",
        ),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut pty = Pty::start(Pty::aegis_console(&arguments), (200, 24));
        assert_eq!(pty.exit_code(PATIENCE), 1, "{arguments:?}\n{}", pty.screen());
        pty.wait_for("aegis-console: ", PATIENCE);
        pty.wait_for(words, PATIENCE);
        assert!(!pty.bytes().windows(8).any(|run| run == b"\x1b[?1049h"), "the screen was never taken");
    }
}

fn check(arguments: &[&str], words: &[&str]) {
    let mut command = Command::cargo_bin("aegis-console").unwrap();
    command.args(arguments).env_remove("AEGIS_API_KEY").env_remove("AEGIS_API_KEY_FILE");
    let output = command.timeout(Duration::from_secs(30)).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {message}");
    assert_eq!(message.trim_end().lines().count(), 1, "{arguments:?}: {message}");
    assert!(message.starts_with("aegis-console: "), "{message}");
    for words in words {
        assert!(message.contains(words), "{arguments:?}: {message:?} has no {words:?}");
    }
    assert_eq!(output.stdout, b"");
}

#[test]
fn sealed_lines_of_this_test_are_actions() {
    assert_eq!(Action::read(line()).unwrap().payload(), r#"{"amount":1.10}"#);
}
