//! `aegis-console decide` as its users run it: the binary against a scripted server.

#![cfg(all(feature = "console", feature = "gateway"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/fault_server.rs"]
mod fault_server;

use aegis_console::domain::{Action, Digest, Queued};
use assert_cmd::Command;
use fault_server::{FaultServer, Received, Reply};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;

const OTHER: &str = "11111111-2222-4333-8444-555555555555";

fn decide(server: &str, args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("aegis-console").unwrap();
    command.env_remove("AEGIS_API_KEY").env_remove("AEGIS_API_KEY_FILE");
    command.arg("decide").args(["--server", server]).args(args);
    command
}

/// Runs it to its end: exit code, standard output, standard error.
fn run(mut command: Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn bare<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["approve", "--key", "k-1", "--thread", "order-42", "--tenant", "acme", "--max-retries", "0"], more]
        .concat()
}

fn entry() -> Queued {
    let sealed = r#"{"v":1,"id":"a-1","tenant_id":"acme","thread_id":"order-42","idempotency_key":"aap:a-1","agent":"g",
        "action":"send_email","payload":{ "n": 1.10 },"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z"}"#;
    Queued::pending(Action::read(sealed).unwrap())
}

/// A gateway with one action, which answers every decision the same.
fn gateway(answer: Reply) -> FaultServer {
    FaultServer::start(move |_, request: &Received| {
        if request.is("GET /api/v1/hitl/actions/a-1") {
            Reply::json(200, &entry().write())
        } else if request.head.starts_with("GET ") {
            Reply::json(404, r#"{"detail":"no such action"}"#)
        } else {
            answer.clone()
        }
    })
}

#[test]
fn a_bare_key_is_sent_as_the_published_client_sends_it() {
    let server = gateway(Reply::json(202, r#"{"status":"COMMITTED"}"#));
    let (code, out, err) = run(decide(&server.url, &bare(&["--payload", r#"{"amount": 1.10}"#])));
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.starts_with("approve k-1: 202 · committed"), "{out}");
    let post = &server.posts()[0];
    assert!(post.is("POST /api/v1/hitl/approve"));
    assert_eq!(post.header("tenant-id"), ["acme"]);
    assert_eq!(post.body, br#"{"amount": 1.10,"tenant_id":"acme","thread_id":"order-42"}"#);
}

#[test]
fn payloads_from_a_file_and_from_standard_input() {
    let server = gateway(Reply::json(202, "{}"));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("payload.json");
    std::fs::write(&path, "{\"from\":\"file\"}\n").unwrap();
    let from_file = format!("@{}", path.display());
    assert_eq!(run(decide(&server.url, &bare(&["--payload", &from_file]))).0, 0);
    let mut piped = decide(&server.url, &bare(&["--payload", "-"]));
    piped.write_stdin("{\"from\":\"stdin\"}");
    assert_eq!(run(piped).0, 0);
    let posts = server.posts();
    assert!(posts[0].body.starts_with(b"{\"from\":\"file\","));
    assert!(posts[1].body.starts_with(b"{\"from\":\"stdin\","));
    let (code, _, err) = run(decide(&server.url, &bare(&["--payload", "@/nowhere/x.json"])));
    assert!(code == 1 && err.contains("/nowhere/x.json"), "{err}");
}

#[test]
fn an_action_is_decided_by_its_digest() {
    let server = gateway(Reply::json(202, r#"{"status":"COMMITTED"}"#));
    let digest = entry().action.digest.to_string();
    let args = ["reject", "a-1", "--digest", &digest, "--reason", "no \"thanks\""];
    let mut command = decide(&server.url, &args);
    command.env("AEGIS_API_KEY", "token-1");
    let (code, out, err) = run(command);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.starts_with("reject send_email: 202 · committed"), "{out}");
    let received = server.received();
    assert!(received.iter().all(|request| request.header("authorization") == ["Bearer token-1"]));
    let post = &server.posts()[0];
    assert!(post.is("POST /api/v1/hitl/reject"));
    assert_eq!(post.header("idempotency-key"), ["aap:a-1"]);
    let body: Value = serde_json::from_slice(&post.body).unwrap();
    assert_eq!(body["review"]["digest"], digest.as_str());
    assert_eq!(
        (&body["review"]["action_id"], &body["review"]["reason"]),
        (&"a-1".into(), &"no \"thanks\"".into())
    );
    assert!(String::from_utf8_lossy(&post.body).contains(r#""payload":{ "n": 1.10 }"#));
}

#[test]
fn another_digest_and_nothing_is_sent() {
    let server = gateway(Reply::json(202, "{}"));
    let other = Digest::of(b"other").to_string();
    let (code, out, _) = run(decide(&server.url, &["approve", "a-1", "--digest", &other, "--json"]));
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &json["outcome"]), (5, &"refused".into()));
    assert!(json["detail"].as_str().unwrap().contains(&entry().action.digest.to_string()), "{out}");
    assert!(server.posts().is_empty());
}

#[test]
fn every_outcome_has_its_word_and_its_exit_code() {
    let standing = |verdict: &str, id: &str| {
        format!(
            r#"{{"detail":"decided","decision":{{"verdict":"{verdict}","reviewer":"alice","request_id":"{id}","decided_at":"2026-11-23T12:03:11Z","status":"COMMITTED"}}}}"#
        )
    };
    let mine = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";
    for (answer, code, word, says) in [
        (Reply::json(202, "{}"), 0, "accepted", "202 · accepted"),
        (Reply::json(202, r#"{"status":"COMMITTED"}"#), 0, "committed", "202 · committed"),
        (Reply::json(202, r#"{"status":"FAILED"}"#), 9, "failed", "processing failed"),
        (Reply::json(409, &standing("approve", mine)), 0, "mine", "409 mine"),
        (
            Reply::json(409, &standing("approve", OTHER)),
            3,
            "same",
            "409 same · alice had approved it already",
        ),
        (
            Reply::json(409, &standing("reject", OTHER)),
            4,
            "conflict",
            "409 CONFLICT · alice rejected it at 2026-11-23 12:03:11 UTC · your approval had no effect",
        ),
        (Reply::json(409, ""), 6, "unknown", "409 unknown"),
        (Reply::json(409, r#"{"status":"PENDING"}"#), 6, "in_progress", "409 in progress"),
        (Reply::json(401, r#"{"detail":"no\u001b[2J"}"#), 5, "refused", "no␛[2J"),
        (Reply::json(429, ""), 8, "quota", "429 · the quota is used up"),
        (Reply::json(503, ""), 6, "unconfirmed", "may have landed"),
        (Reply::Reset, 6, "unconfirmed", "reset"),
        (Reply::json(200, "<html>welcome</html>"), 6, "unconfirmed", "may have landed"),
    ] {
        let server = gateway(answer);
        // An earlier decision's id makes every refusal doubtful, so it is given where it matters only.
        let asked: &[&str] = if word == "mine" { &["--request-id", mine] } else { &[] };
        let words = run(decide(&server.url, &bare(asked)));
        assert_eq!(words.0, code, "{word}: {words:?}");
        assert!(words.1.contains(says), "{word}: {}", words.1);
        let (json_code, out, err) = run(decide(&server.url, &bare(&[asked, &["--json"]].concat())));
        let json: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((json_code, &json["outcome"]), (code, &word.into()), "{out}{err}");
        assert_eq!(json["idempotency_key"], "k-1");
        let posts = server.posts();
        assert_eq!(json["request_id"], posts.last().unwrap().header("x-request-id")[0]);
        assert_eq!(out.lines().count(), 1);
        assert!(!out.contains('\u{1b}'));
        assert!(json["tries"][0]["started"].is_string() && json["tries"][0]["took"].is_f64(), "{out}");
    }
}

#[test]
fn the_json_object_has_all_that_is_known() {
    let body = format!(
        r#"{{"detail":"d\u202e","decision":{{"verdict":"reject","reviewer":"al\u001bice","request_id":"{OTHER}","decided_at":"2026-11-23T12:03:11Z"}}}}"#
    );
    let server = FaultServer::start(move |number, request: &Received| match number {
        1 => Reply::Reset,
        _ if request.head.starts_with("GET ") => Reply::json(404, ""),
        _ => Reply::json(409, &body),
    });
    let args = ["approve", "--key", "k", "--thread", "h", "--tenant", "t", "--max-retries", "1", "--json"];
    let (code, out, _) = run(decide(&server.url, &args));
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &json["outcome"], &json["http_status"]), (4, &"conflict".into(), &409.into()));
    let tries = json["tries"].as_array().unwrap();
    assert_eq!(
        (tries[0]["number"].as_u64(), tries[0]["error"].as_str()),
        (Some(1), Some("the connection was reset"))
    );
    assert!(tries[0].get("status").is_none() && tries[1].get("error").is_none());
    assert_eq!(tries[1]["status"], 409);
    assert!((0.25..0.6).contains(&tries[1]["waited"].as_f64().unwrap()), "{out}");
    assert_eq!(json["standing"]["reviewer"], "al\u{1b}ice");
    assert_eq!(json["standing"]["decided_at"], "2026-11-23T12:03:11.000000Z");
    assert!(out.contains("\\u001b") && out.contains("\\u202e"), "{out}");
}

#[test]
fn no_server_a_wrong_one_and_a_web_page() {
    let digest = entry().action.digest.to_string();
    let by_id = ["approve", "a-1", "--digest", &digest, "--max-retries", "0"];
    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let (code, out, _) = run(decide(&nobody, &by_id));
    assert!(code == 7 && out.contains("connection refused") && out.contains(&nobody), "{out}");
    let (code, out, _) = run(decide(&nobody, &bare(&[])));
    assert!(code == 7 && out.contains("connection refused"), "{out}");

    let page = FaultServer::start(|_, _| Reply::with(200, "Content-Type: text/html\r\n", b"<html>hi</html>"));
    let (code, _, err) = run(decide(&page.url, &by_id));
    assert!(code == 1 && err.contains("is it a gateway?"), "{err}");

    for (status, says) in [(401, "--token-file"), (404, "no action a-1"), (307, "redirects"), (503, "503")] {
        let server = FaultServer::start(move |_, _| Reply::json(status, "{}"));
        let (code, out, _) = run(decide(&server.url, &by_id));
        assert!(code == if status == 503 { 7 } else { 5 } && out.contains(says), "{status}: {out}");
    }
    for url in ["http://gate.example", "https://a:b@gate.example", "nonsense"] {
        let (code, _, err) = run(decide(url, &bare(&[])));
        assert!(code == 2 && err.contains("base URL"), "{url}: {err}");
    }
}

#[test]
fn no_proxy_is_used_for_this_machine() {
    let server = gateway(Reply::json(202, "{}"));
    let proxy = FaultServer::start(|_, _| Reply::json(202, "{}"));
    let mut command = decide(&server.url, &bare(&[]));
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(name, &proxy.url);
    }
    assert_eq!(run(command).0, 0);
    assert_eq!((server.posts().len(), proxy.received().len()), (1, 0));
}

#[test]
fn wrong_usage_is_2_and_sends_nothing() {
    let server = gateway(Reply::json(202, "{}"));
    let digest = entry().action.digest.to_string();
    for args in [
        vec!["approve"],
        vec!["delete", "a-1", "--digest", &digest],
        vec!["approve", "a-1"],
        vec!["approve", "a-1", "--digest", "sha256:12"],
        vec!["approve", "..", "--digest", &digest],
        vec!["approve", "a/b", "--digest", &digest],
        vec!["approve", "a-1", "--digest", &digest, "--key", "k", "--thread", "t"],
        vec!["approve", "--key", "k"],
        vec!["approve", "--key", "k", "--thread", "t"],
        vec!["approve", "--key", "k k", "--thread", "t", "--tenant", "t"],
        vec!["approve", "--key", "k", "--thread", "t", "--tenant", "t", "--payload", "[1]"],
        vec!["approve", "--key", "k", "--thread", "t", "--tenant", "t", "--timeout", "0"],
        vec!["approve", "--key", "k", "--thread", "t", "--tenant", "t", "--timeout", "NaN"],
        vec!["approve", "--key", "k", "--thread", "t", "--tenant", "t", "--deadline", "-1"],
        vec!["approve", "--key", "k", "--thread", "t", "--tenant", "t", "--request-id", "x"],
    ] {
        let (code, out, err) = run(decide(&server.url, &args));
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {err}");
        assert!(!err.is_empty());
    }
    assert!(server.received().is_empty());
}

#[test]
fn times_have_fractions_and_hold() {
    let server = FaultServer::start(|_, _| Reply::Hang);
    let started = std::time::Instant::now();
    let args = [
        "approve",
        "--key",
        "k",
        "--thread",
        "h",
        "--tenant",
        "t",
        "--timeout",
        "0.2",
        "--deadline",
        "0.5",
        "--json",
    ];
    let (code, out, _) = run(decide(&server.url, &args));
    assert_eq!(code, 6, "{out}");
    assert!(started.elapsed().as_secs_f64() < 3.0);
}

#[test]
fn credentials_come_from_files_that_nobody_else_reads() {
    let server = gateway(Reply::json(202, r#"{"status":"COMMITTED"}"#));
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str, mode: u32| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path.display().to_string()
    };
    let (good, env_file) = (file("good", "flag-token\n", 0o600), file("env", "file-token", 0o400));
    let args = |more: &[&str]| {
        let common = ["approve", "--key", "k", "--thread", "h", "--max-retries", "0"];
        decide(&server.url, &[&common[..], more].concat())
    };
    let mut flag = args(&["--token-file", &good]);
    flag.env("AEGIS_API_KEY_FILE", &env_file).env("AEGIS_API_KEY", "plain-token");
    let mut variable_file = args(&[]);
    variable_file.env("AEGIS_API_KEY_FILE", &env_file).env("AEGIS_API_KEY", "plain-token");
    let mut variable = args(&[]);
    variable.env("AEGIS_API_KEY_FILE", "").env("AEGIS_API_KEY", " plain-token ");
    for command in [flag, variable_file, variable] {
        let (code, out, err) = run(command);
        assert_eq!(code, 0, "{out}{err}");
    }
    let sent: Vec<_> = server.posts().iter().map(|post| post.header("authorization").join("|")).collect();
    assert_eq!(sent, ["Bearer flag-token", "Bearer file-token", "Bearer plain-token"]);

    let before = server.received().len();
    for (path, says) in [
        (file("shared", "hunter2", 0o640), "chmod 600"),
        (file("world", "hunter2", 0o604), "chmod 600"),
        (file("empty", "\n", 0o600), "empty"),
        (file("two", "hunter2\nhunter2", 0o600), "one line"),
        (file("long", &"hunter2".repeat(10_000), 0o600), "longer"),
        (dir.path().display().to_string(), "directory"),
        (dir.path().join("none").display().to_string(), "cannot open"),
    ] {
        let (code, out, err) = run(args(&["--token-file", &path]));
        assert_eq!((code, out.as_str()), (1, ""), "{err}");
        assert!(err.contains(says) && err.contains(&path), "{err}");
        assert!(!err.contains("hunter2"), "{err}");
        assert_eq!(err.lines().count(), 1, "{err}");
    }
    assert_eq!(server.received().len(), before);
}

#[test]
fn the_help_lists_the_exit_codes_and_no_flag_takes_a_secret() {
    let (code, out, _) = run(decide("http://localhost:8000", &["--help"]));
    assert_eq!(code, 0);
    for words in ["Exit codes", "0  accepted, committed, mine", "4  conflict", "7  not_sent", "9  failed"] {
        assert!(out.contains(words), "{out}");
    }
    assert!(!out.contains("--api-key") && !out.contains("--token "), "{out}");
}
