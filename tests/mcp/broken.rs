//! What goes wrong on either side: a provider that lies, lines that are none, no credential.

use crate::client::{Client, Place};
use crate::ends::token;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::sync::Arc;

const ID: &str = "0197a1b2-0000-7000-8000-000000000001";
const TIMES: &str =
    r#""created_at":"2026-11-23T12:00:00.000000Z","deadline_at":"2999-11-23T12:10:00.000000Z""#;
const APPROVED: &str = r#""status":"approved","decision":{"status":"approved","decided_at":"2026-11-23T12:01:00Z","expires_at":"2999-01-01T00:00:00Z"}"#;
const CONSUMED: &str = r#""consumption":{"consumed_at":"2026-11-23T12:02:00Z"}"#;

/// What it says to a submission: a status and a body made of it.
type Says = fn(&str) -> (u16, String);

async fn provider(says: Says) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let sent: Arc<std::sync::Mutex<String>> = Arc::default();
    let app = axum::Router::new().fallback(answer).with_state((says, sent));
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

async fn answer(
    State((says, sent)): State<(Says, Arc<std::sync::Mutex<String>>)>,
    method: Method,
    body: Bytes,
) -> (StatusCode, String) {
    let mut sent = sent.lock().unwrap();
    if method == Method::POST && !body.is_empty() {
        *sent = String::from_utf8(body.to_vec()).unwrap();
    }
    let (status, text) = says(&sent);
    (StatusCode::from_u16(status).unwrap(), text)
}

/// The submission echoed, with these members.
fn echo(sent: &str, more: &str) -> String {
    format!(r#"{},"id":"{ID}",{TIMES},{more}}}"#, sent.strip_suffix('}').unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_lies_is_never_believed() {
    let dir = tempfile::tempdir().unwrap();
    let token = token(dir.path());
    let lies: [(&str, Says); 9] = [
        ("no JSON", |_| (201, "<html>".into())),
        ("nothing", |_| (200, String::new())),
        ("allow, in the client's own words", |_| (200, r#"{"behavior":"allow","updatedInput":{}}"#.into())),
        ("approved before it was asked", |sent| (200, echo(sent, APPROVED))),
        ("taken already", |sent| (200, echo(sent, &format!("{APPROVED},{CONSUMED}")))),
        ("another payload", |sent| {
            (200, echo(&sent.replace("1.10", "1.1"), &format!("{APPROVED},{CONSUMED}")))
        }),
        ("another credential", |_| (401, String::new())),
        ("redirected", |_| (307, String::new())),
        ("refused", |_| {
            (
                403,
                r#"{"error":{"type":"x","code":"refused_by_rule","message":"no\u001b[2J","request_id":"r"}}"#
                    .into(),
            )
        }),
    ];
    for (lie, says) in lies {
        let mut client = Client::start(&provider(says).await, &token, &[]);
        client.call("a", "permission_prompt", r#"{"tool_name":"pay","input":{"amount":1.10}}"#);
        let said = client.denied("a");
        assert!(!said.contains('\u{1b}'), "{lie}: {said}");
        client.call("b", "request_approval", r#"{"action":"pay","payload":{"amount":1.10}}"#);
        let result = client.result("b");
        assert_eq!(result["structuredContent"]["status"], "error", "{lie}: {result}");
        client.is_well();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_client_sends_it_gets_answers_and_the_program_goes_on() {
    let place = Place::new().await;
    let mut client = place.client(&[]);
    // A line, and what the answer to it is: the id and the code, or none.
    for (line, expected) in [
        ("", None),
        ("nonsense", None),
        ("\u{7}\u{1b}[2J", None),
        (r#"{"jsonrpc":"2.0","method":"notifications/unheard/of"}"#, None),
        (r#"{"jsonrpc":"2.0","id":99,"result":{}}"#, None),
        (r#"{"jsonrpc":"2.0","id":"x","method":"no/such/method"}"#, Some((json!("x"), -32601))),
        (r#"{"jsonrpc":"2.0","id":"x","id":"y","method":"ping"}"#, Some((json!("x"), -32600))),
        (r#"{"jsonrpc":"2.0","id":1e400,"method":"ping"}"#, Some((Value::Null, -32600))),
        (
            r#"{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"rm","arguments":{}}}"#,
            Some((json!(4), -32602)),
        ),
        (
            r#"{"jsonrpc":"2.0","id":5,"method":"resources/read","params":{"uri":"\ud800"}}"#,
            Some((json!(5), -32600)),
        ),
    ] {
        client.send_text(line);
        if let Some((id, code)) = expected {
            let answer = client.line();
            assert_eq!(
                (answer.get("id").unwrap_or(&Value::Null), &answer["error"]["code"]),
                (&id, &json!(code)),
                "{line}"
            );
        }
        client.is_well();
    }
    client.send_text(&"x".repeat(9 * 1024 * 1024));
    assert_eq!(client.line()["error"]["code"], -32600, "it is too long");
    client.is_well();
    place.gateway.shutdown().await;
}

#[test]
fn without_a_credential_it_says_so_and_does_not_start() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
    command.arg("mcp").stdin(Stdio::null()).env("XDG_DATA_HOME", dir.path()).env("HOME", dir.path());
    for name in ["AEGIS_AGENT_TOKEN", "AEGIS_AGENT_TOKEN_FILE", "AEGIS_AGENT_SERVER"] {
        command.env_remove(name);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && output.stdout.is_empty(), "{said}");
    assert!(said.contains("no agent's token") && said.contains("AEGIS_AGENT_TOKEN_FILE"), "{said}");
}
