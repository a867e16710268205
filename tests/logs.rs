//! What `serve` writes to its log: a line for each call, and never a secret or a payload.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Runs a gateway with those flags, sends it the calls, stops it; what stood in its log.
fn log_of(data: &Path, flags: &[&str], calls: &[String]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(flags);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Stopped(command.spawn().unwrap());
    let mut first = String::new();
    BufReader::new(child.0.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
    let address = first.trim().strip_prefix("listening on http://").unwrap_or_else(|| panic!("{first}"));
    for call in calls {
        let mut socket = TcpStream::connect(address).unwrap();
        socket.write_all(call.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 "), "{call}: {answer}");
    }
    let pid = rustix::process::Pid::from_child(&child.0);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(child.0.wait().unwrap().success());
    let mut log = String::new();
    child.0.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    log
}

/// Killed where a test ends early.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        // It has ended where the test did not end early.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn call(method: &str, path: &str, token: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         {headers}Content-Length: {length}\r\n\r\n{body}"
    )
}

/// Tokens of the gateway's own, and calls with a marker at every place where a caller says something.
fn marked(data: &Path) -> ([String; 2], Vec<String>) {
    // The tokens are made at the first start.
    log_of(data, &[], &[]);
    let token = |name: &str| std::fs::read_to_string(data.join(name)).unwrap().trim().to_owned();
    let (agent, reviewer) = (token("agent.token"), token("reviewer.token"));
    let ask = r#"{"tool":"marker-a","server":"marker-b","arguments":{"c":"marker-c"},"timeout":"10m",
        "agent_reasoning":"marker-d","context":{"thread_id":"marker-e","summary":"marker-f"}}"#;
    let key = "Idempotency-Key: marker-g\r\nX-Request-Id: r-1\r\n";
    let keys = "Idempotency-Key: marker-h\r\nThread-Id: marker-i\r\nTenant-Id: default\r\n";
    let calls = vec![
        call("POST", "/aap/v1/requests", &agent, key, ask),
        call("POST", "/aap/v1/requests", &agent, key, r#"{"marker-j": 1, "marker-j": 2}"#),
        call("POST", "/api/v1/hitl/approve", &reviewer, keys, r#"{"review":{"reason":"marker-k"}}"#),
        call("POST", "/api/v1/hitl/approve", &reviewer, keys, r#"{"a":"marker-l"}"#),
        call("GET", "/api/v1/hitl/actions?marker-m=marker-n", &reviewer, "", ""),
        call("GET", "/api/v1/hitl/actions/marker-o", &reviewer, "", ""),
        call("GET", "/marker-p", "marker-q", "X-Request-Id: r-2\r\n", ""),
        call("MARKER-R", "/healthz", &reviewer, "Cookie: marker-s\r\nX-Other: marker-t\r\n", ""),
        call("GET", "/healthz", &reviewer, "Host: marker-u\r\n", ""),
    ];
    ([agent, reviewer], calls)
}

#[test]
fn each_call_is_one_line_of_json_with_what_was_called_by_whom_and_how_it_went() {
    let dir = tempfile::tempdir().unwrap();
    let (_, calls) = marked(dir.path());
    let log = log_of(dir.path(), &["--log-format", "json", "--log-level", "info"], &calls);
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = lines
        .iter()
        .filter(|line| line["message"] == "call")
        .map(|line| {
            let text = |name: &str| line[name].as_str().unwrap();
            assert!(
                line["ms"].is_u64() && line["timestamp"].is_string() && line["level"] == "INFO",
                "{line}"
            );
            assert!(!text("request_id").is_empty(), "{line}");
            let who = format!("{}/{}", text("caller"), text("role"));
            (text("method"), text("route"), line["status"].as_u64().unwrap(), who, text("code"))
        })
        .collect();
    let (agent, reviewer) = (|| "agent/agent".to_owned(), || "reviewer/reviewer".to_owned());
    let approve = "/api/v1/hitl/approve";
    assert_eq!(
        told,
        [
            ("POST", "/aap/v1/requests", 201, agent(), ""),
            ("POST", "/aap/v1/requests", 400, agent(), "duplicate_key"),
            ("POST", approve, 202, reviewer(), ""),
            ("POST", approve, 409, reviewer(), "duplicate"),
            ("GET", "/api/v1/hitl/actions", 400, reviewer(), "bad_query"),
            ("GET", "/api/v1/hitl/actions/{id}", 404, reviewer(), "not_found"),
            ("GET", "none", 404, "/".into(), "not_found"),
            ("other", "/healthz", 405, reviewer(), "method_not_allowed"),
            // Who calls by another name is not even asked who they are.
            ("GET", "/healthz", 421, "/".into(), "wrong_host"),
        ]
    );
    let ids: Vec<_> = lines.iter().filter_map(|line| line["request_id"].as_str()).collect();
    assert!(ids[0] == "r-1" && ids[6] == "r-2", "the caller's own id, where it sent one: {ids:?}");
}

#[test]
fn no_level_and_no_form_writes_a_token_or_anything_that_a_caller_sent() {
    let dir = tempfile::tempdir().unwrap();
    let (tokens, calls) = marked(dir.path());
    for format in ["text", "json"] {
        let log = log_of(dir.path(), &["--log-format", format, "--log-level", "debug"], &calls);
        assert_eq!(log.lines().filter(|line| line.contains("request_id")).count(), calls.len(), "{log}");
        assert!(!log.to_lowercase().contains("marker"), "{log}");
        assert!(!tokens.iter().any(|token| log.contains(token)), "{log}");
    }
    for flags in [&[][..], &["--log-level", "off"]] {
        assert_eq!(log_of(dir.path(), flags, &calls), "", "{flags:?}");
    }
}
