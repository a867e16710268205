//! Every recorded input against every way in which a gateway can fail.

use crate::running::{Heard, Home, Input, ask, each, feed, hear};
use crate::scripted::{Answer, Asked, Scripted, head};
use std::net::TcpListener;
use std::process::Child;
use std::time::{Duration, Instant};

const ID: &str = "0197a1b2-0000-7000-8000-000000000001";
const OTHER: &str = "0197a1b2-0000-7000-8000-000000000002";
const TIMES: &str =
    r#""created_at":"2026-11-23T12:00:00.000000Z","deadline_at":"2999-11-23T12:10:00.000000Z""#;
const PENDING: &str = r#""status":"pending""#;
const APPROVED: &str = r#""status":"approved","decision":{"status":"approved","decided_at":"2026-11-23T12:01:00Z","expires_at":"2999-01-01T00:00:00Z"}"#;
const LAPSED: &str = r#""status":"approved","decision":{"status":"approved","decided_at":"2026-11-23T12:00:01Z","expires_at":"2026-11-23T12:00:02Z"}"#;
const TAKEN: &str = r#","consumption":{"consumed_at":"2026-11-23T12:02:00Z"}"#;

fn error(status: &str, code: &str) -> Answer {
    let body = format!(
        r#"{{"error":{{"type":"t","code":"{code}","message":"allow \"allow\"","request_id":"{ID}"}}}}"#
    );
    Answer::new(status, "application/json", &body)
}

/// The submission echoed under that id, and these members.
fn echo(body: &str, id: &str, more: &str) -> String {
    format!(r#"{},"id":"{id}",{TIMES},{more}}}"#, body.strip_suffix('}').unwrap())
}

/// A provider that keeps what was asked first and goes on from there: created, approved, consumed; `spoil` may make something
/// else of each step's text.
fn going(spoil: impl Fn(&str, String) -> String + Send + Sync + 'static) -> Scripted {
    let first = std::sync::Mutex::new(String::new());
    Scripted::start(move |asked: &Asked, _| {
        let step = match (asked.method.as_str(), asked.target.ends_with("/consume")) {
            ("POST", true) => "consume",
            ("POST", false) => "create",
            _ => "get",
        };
        if step == "create" {
            first.lock().unwrap().clone_from(&asked.body);
        }
        let body = first.lock().unwrap().clone();
        let text = match step {
            "create" => echo(&body, ID, PENDING),
            "get" => echo(&body, ID, APPROVED),
            _ => echo(&body, ID, &format!("{APPROVED}{TAKEN}")),
        };
        Answer::json(&spoil(step, text))
    })
}

/// A gateway for one input: it keeps what it was asked, so each run has its own.
fn gateway(failure: &str) -> (Option<Scripted>, String) {
    let always = |answer: fn() -> Answer| Scripted::start(move |_: &Asked, _| answer());
    let at = |step: &'static str, spoilt: fn(String) -> String| {
        going(move |now, text| if now == step { spoilt(text) } else { text })
    };
    let server = match failure {
        "down" => {
            // Nobody has this port any more.
            let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            return (None, format!("http://{free}"));
        }
        "no such scheme" => return (None, "ftp://127.0.0.1/".into()),
        "plain http elsewhere" => return (None, "http://192.0.2.1:8000".into()),
        "none" => going(|_, text| text),
        "mute" => always(|| Answer::Open(Vec::new())),
        "stops in the head" => always(|| Answer::Open(b"HTTP/1.1 201 Cre".to_vec())),
        "stops in the body" => {
            always(|| Answer::Open(head("201 Created", "application/json", "", b"{\"tool\":")))
        }
        "endless" => always(|| {
            Answer::Endless(head("201 Created", "application/json", "", b""), vec![b' '; 64 * 1024])
        }),
        "no http" => always(|| Answer::Whole(b"SSH-2.0-OpenSSH_9.9\r\n".to_vec())),
        "429" => always(|| error("429 Too Many Requests", "rate_limited")),
        "500" => always(|| error("500 Internal Server Error", "internal")),
        "503 html" => always(|| Answer::new("503 Service Unavailable", "text/html", "<html>allow</html>")),
        "400" => always(|| error("400 Bad Request", "invalid_field")),
        "401" => always(|| error("401 Unauthorized", "unauthorized")),
        "403" => always(|| error("403 Forbidden", "forbidden")),
        "403 paused" => always(|| error("403 Forbidden", "agent_paused")),
        "404" => always(|| error("404 Not Found", "not_found")),
        "409" => always(|| error("409 Conflict", "idempotency_conflict")),
        "422" => always(|| error("422 Unprocessable Content", "invalid")),
        "302" => always(|| Answer::Whole(head("302 Found", "text/plain", "location: /ok\r\n", b""))),
        "204" => always(|| Answer::new("204 No Content", "application/json", "")),
        "html" => always(|| Answer::new("200 OK", "text/html", "<html><h1>allow</h1></html>")),
        "empty" => always(|| Answer::json("")),
        "an allow" => always(|| {
            Answer::json(
                r#"{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"allow"}}"#,
            )
        }),
        "half json" => at("create", |text| text[..text.len() / 2].to_owned()),
        "a duplicate key" => at("get", |text| text.replacen('{', r#"{"status":"pending","#, 1)),
        "an unknown field" => at("get", |text| text.replacen('{', r#"{"verdict":"allow","#, 1)),
        "a null" => at("get", |text| text.replacen('{', r#"{"agent_reasoning":null,"#, 1)),
        "approved at once, of another" => at("create", |_| {
            echo(r#"{"tool":"Bash","arguments":{"command":"true"},"timeout":"1s"}"#, OTHER, APPROVED)
        }),
        "another id" => at("get", |text| text.replace(ID, OTHER)),
        "another command" => at("get", |text| text.replacen("\"arguments\":{", "\"arguments\":{\"x\":1,", 1)),
        "another directory" => at("create", |text| text.replace("/home/noor/shop\"}", "/tmp\"}")),
        "approved and lapsed" => at("get", |text| text.replace(APPROVED, LAPSED)),
        "approved without an end" => {
            at("get", |text| text.replace(r#","expires_at":"2999-01-01T00:00:00Z""#, ""))
        }
        "consumed by another" => at("create", |text| text.replace(PENDING, &format!("{APPROVED}{TAKEN}"))),
        "not shown as consumed" => at("consume", |text| text.replace(TAKEN, "")),
        "consumed of another" => at("consume", |text| text.replace(ID, OTHER)),
        "consumed and broken" => at("consume", |_| "{".to_owned()),
        "denied after all" => at("consume", |text| text.replace("approved", "denied")),
        _ => panic!("{failure}"),
    };
    let url = server.url().to_owned();
    (Some(server), url)
}

/// What is answered for good, at once.
const FINAL: [&str; 29] = [
    "no such scheme",
    "plain http elsewhere",
    "400",
    "401",
    "403",
    "403 paused",
    "404",
    "409",
    "422",
    "302",
    "204",
    "html",
    "empty",
    "an allow",
    "half json",
    "a duplicate key",
    "an unknown field",
    "a null",
    "approved at once, of another",
    "another id",
    "another command",
    "another directory",
    "approved and lapsed",
    "approved without an end",
    "consumed by another",
    "not shown as consumed",
    "consumed of another",
    "consumed and broken",
    "denied after all",
];

/// What is tried again, or waited for, until the time is up.
const LASTING: [&str; 9] = [
    "down",
    "mute",
    "stops in the head",
    "stops in the body",
    "endless",
    "no http",
    "429",
    "500",
    "503 html",
];

fn refused(failures: &[&'static str], seconds: u64) {
    let home = Home::new("s3cret");
    let all =
        failures.iter().flat_map(|failure| Input::all().into_iter().map(move |input| (*failure, input)));
    each(all.collect(), |(failure, input)| {
        let (server, url) = gateway(failure);
        match ask(&home, &input, &url, seconds) {
            Heard::No(reason) => {
                assert!(!reason.contains("s3cret"), "{failure}: {reason}");
                // Then it would have said no to anything.
                assert!(!reason.contains("does not end"), "{failure}, {}: its input was late", input.name);
            }
            other => panic!("{failure}, {}: {other:?}", input.name),
        }
        assert!(server.is_none_or(|server| !server.asked().is_empty()), "{failure}, {}", input.name);
    });
}

/// The same provider, when nothing is wrong with it: the tests below could fail.
#[test]
fn an_approval_that_was_taken_is_a_yes() {
    let home = Home::new("s3cret");
    each(Input::all(), |input| {
        let (_server, url) = gateway("none");
        assert_eq!(ask(&home, &input, &url, 60), Heard::Yes, "{}", input.name);
    });
}

#[test]
fn a_gateway_that_refuses_or_lies_is_a_no() {
    refused(&FINAL, 60);
}

#[test]
fn a_gateway_that_does_not_answer_is_a_no_before_the_time_is_up() {
    refused(&LASTING, 10);
}

#[test]
fn without_a_token_it_is_a_no() {
    let home = Home::new("s3cret");
    each(Input::all(), |input| {
        let command = home.bare(&[input.agent, "--event", &input.event()]);
        let output = crate::running::run(command, input.text.as_bytes());
        let Heard::No(reason) = hear(input.agent, &input.event(), &output) else { panic!("{output:?}") };
        assert!(reason.contains("--token-file"), "{reason}");
    });
}

/// Stopped while it waits: the answer is still there, and nothing is left for a reviewer to decide.
#[test]
fn whoever_stops_it_gets_a_no_and_the_request_is_withdrawn() {
    let home = Home::new("s3cret");
    for name in ["claude-code/bash", "claude-code/permission_bash", "codex/permission_bash"] {
        let input = Input::named(name);
        let (child, server) = waiting(&home, &input);
        let id = child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert!(matches!(hear(input.agent, &input.event(), &output), Heard::No(_)), "{output:?}");
        withdrawn(&server);
    }
}

/// The agent itself is gone: nobody hears the answer, and no reviewer is left with it.
#[test]
fn when_nobody_listens_any_more_the_request_is_withdrawn() {
    let home = Home::new("s3cret");
    let (mut child, server) = waiting(&home, &Input::named("claude-code/bash"));
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(matches!(hear("claude-code", "PreToolUse", &output), Heard::Stopped(_)), "{output:?}");
    withdrawn(&server);
}

/// A hook that waits for a reviewer.
fn waiting(home: &Home, input: &Input) -> (Child, Scripted) {
    let server = going(|step, text| if step == "get" { text.replace(APPROVED, PENDING) } else { text });
    let child = home.hook(input, server.url(), "600s").spawn().unwrap();
    let child = feed(child, input.text.as_bytes());
    let until = Instant::now() + Duration::from_secs(30);
    while !server.asked().iter().any(|asked| asked.method == "GET") {
        assert!(Instant::now() < until, "it never waited");
        std::thread::sleep(Duration::from_millis(10));
    }
    (child, server)
}

fn withdrawn(server: &Scripted) {
    let asked = server.asked();
    assert!(asked.iter().any(|asked| asked.method == "DELETE"), "{asked:?}");
    assert!(!asked.iter().any(|asked| asked.target.ends_with("/consume")), "{asked:?}");
}
