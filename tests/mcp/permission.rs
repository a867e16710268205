//! `permission_prompt`, as Claude Code calls it: what it asked for comes back byte for byte, once, or not at all.

use crate::client::{Client, Place};
use aegis_console::domain::{ActionState, Untrusted, Verdict};
use serde_json::json;

/// What serde_json would not give back: numbers, blanks, escapes, magic keys.
const INPUT: &str = r#"{ "command":"rm -rf \u0078/","description":"Clear x", "amount":1.10,"big":1e400, "id":9007199254740993, "n":123456789012345678901234567890, "$serde_json::private::Number":"9" }"#;

fn prompt(tool: &str, input: &str, call: &str) -> String {
    format!(r#"{{"tool_name":"{tool}","input":{input},"tool_use_id":"{call}","more":[1]}}"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_gives_back_exactly_what_was_shown_and_gives_it_once() {
    let place = Place::new().await;
    let mut client = place.client(&["--thread", "run-7"]);
    client.call("a", "permission_prompt", &prompt("Bash", INPUT, "toolu_1"));
    let entry = place.decide("Bash", Verdict::Approve, "go ahead").await;
    let action = &entry.action;
    assert_eq!(action.payload(), INPUT, "what the reviewer saw");
    assert_eq!(action.thread_id.raw(), "run-7");
    assert_eq!(
        action.summary.as_ref().map(Untrusted::raw),
        Some("rm -rf x/"),
        "not the model's words for it"
    );
    let source = r#""source":{"name":"mcp","reason":true,"covers":"one_call","silence":"not_run"}"#;
    assert!(
        action.sealed.contains(source) && action.sealed.contains("\"agent\":\"test 1\""),
        "{}",
        action.sealed
    );
    assert_eq!(client.text("a"), format!(r#"{{"behavior":"allow","updatedInput":{INPUT}}}"#));

    client.call("b", "permission_prompt", &prompt("Bash", INPUT, "toolu_1"));
    assert!(client.denied("b").contains("attempted before"), "the same call is not allowed twice");
    client.call("c", "permission_prompt", &prompt("Bash", INPUT, "toolu_2"));
    place.decide("Bash", Verdict::Reject, "not \"today\"\n").await;
    let said = client.denied("c");
    assert!(said.starts_with("A reviewer denied this call: not \"today\""), "{said}");
    place.gateway.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_denied_and_nobody_is_asked() {
    let place = Place::new().await;
    let mut client = place.client(&[]);
    let deep = format!(r#"{{"a":{}1{}}}"#, "[".repeat(70), "]".repeat(70));
    let bottomless = format!(r#"{{"a":{}1{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    let large = format!(r#"{{"content":"{}"}}"#, "x".repeat(300 * 1024));
    for (number, (arguments, words)) in [
        ("{}".to_owned(), "tool_name"),
        (r#"{"tool_name":"Bash"}"#.into(), "input"),
        (r#"{"tool_name":"","input":{}}"#.into(), "tool_name"),
        (r#"{"tool_name":["Bash"],"input":{}}"#.into(), "tool_name"),
        (prompt("Bash", "[]", "t"), "input"),
        (prompt("Bash", "null", "t"), "input"),
        (prompt("Bash", r#"{"a":1,"a":2}"#, "t"), "stands twice"),
        (prompt("Bash", r#"{"a":"\ud800"}"#, "t"), "surrogate"),
        (prompt("Bash", &deep, "t"), "deeper"),
        (prompt("Bash", &bottomless, "t"), "deeper"),
        (prompt("Bash", &large, "t"), "larger"),
        (r#"{"tool_name":"Bash","input":{},"input":{"a":1}}"#.into(), "stands twice"),
        (r#"{"tool_name":"Bash","input":{},"tool_use_id":7}"#.into(), "tool_use_id"),
        ("[]".into(), "object"),
        ("null".into(), "object"),
        (r#""Bash""#.into(), "object"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("call-{number}");
        client.call(&id, "permission_prompt", &arguments);
        let said = client.denied(&id);
        assert!(said.contains(words) && said.starts_with("Nobody was asked: "), "{words}: {said}");
    }
    client.is_well();
    assert!(place.reviewer.pending().await.is_empty());
    place.gateway.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_wants_to_hear_of_it_hears_that_the_wait_goes_on() {
    let place = Place::new().await;
    let mut client = place.client(&["--progress", "1s"]);
    client.send(&json!({"jsonrpc": "2.0", "id": "p", "method": "tools/call", "params": {
        "name": "permission_prompt",
        "arguments": {"tool_name": "Write", "input": {}},
        "_meta": {"progressToken": "token-1"}}}));
    let entry = place.waits("Write").await;
    let (mut count, mut waiting) = (0, 0);
    while waiting < 2 {
        let line = client.line();
        count += 1;
        assert_eq!(line["method"], "notifications/progress", "{line}");
        assert_eq!(line["params"]["progressToken"], "token-1");
        assert_eq!(line["params"]["progress"].as_f64(), Some(f64::from(count)), "it goes up");
        let words = line["params"]["message"].as_str().unwrap();
        // On a busy machine it is told before it has asked.
        if waiting == 0 && words.contains("trying to reach") {
            continue;
        }
        waiting += 1;
        assert!(words.contains("waiting for a reviewer") && words.contains(&entry.action.id), "{words}");
    }
    assert_eq!(place.now(&entry).await.state, ActionState::Pending);
    let entry = place.decide("Write", Verdict::Approve, "").await;
    assert_eq!(
        entry.action.thread_id.raw(),
        "session-1",
        "where the client names its session, that is the thread"
    );
    assert_eq!(client.text("p"), r#"{"behavior":"allow","updatedInput":{}}"#);
    place.gateway.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_calls_wait_at_once_and_each_gets_its_own_answer() {
    let place = Place::new().await;
    let mut client = place.client(&[]);
    for tool in ["one", "two", "three"] {
        client.call(tool, "permission_prompt", &prompt(tool, &format!(r#"{{"n":"{tool}"}}"#), tool));
        place.waits(tool).await;
    }
    for (tool, verdict) in [("two", Verdict::Reject), ("three", Verdict::Approve), ("one", Verdict::Approve)]
    {
        place.decide(tool, verdict, "").await;
        match verdict {
            Verdict::Approve => {
                let allowed = format!(r#"{{"behavior":"allow","updatedInput":{{"n":"{tool}"}}}}"#);
                assert_eq!(client.text(tool), allowed);
            }
            Verdict::Reject => assert_eq!(client.denied(tool), "A reviewer denied this call."),
        }
    }
    place.gateway.shutdown().await;
}

/// What Claude Code 2.1.332 sends: no handshake, and its own words with each request.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_the_newest_protocol_asks_without_a_handshake() {
    let place = Place::new().await;
    let token = place.gateway.agent_token_file().to_owned();
    let mut client = Client::bare(&place.gateway.url(), &token, &["--progress", "1s"]);
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "claude-code", "title": "Claude Code", "version": "2.1.332"},
        "io.modelcontextprotocol/clientCapabilities": {"roots": {"listChanged": true}},
        "claudecode/toolUseId": "toolu_1",
        "progressToken": 1});
    let ask = |id: &str, method: &str, mut params: serde_json::Value| {
        params["_meta"] = meta.clone();
        json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
    };
    client.send(&ask("probe", "server/discover", json!({})));
    let versions = client.result("probe")["supportedVersions"].clone();
    assert!(versions.as_array().unwrap().contains(&json!("2026-07-28")), "{versions}");
    client.send(&ask("list", "tools/list", json!({})));
    assert_eq!(client.result("list")["tools"].as_array().unwrap().len(), 3);
    let arguments = json!({"tool_name": "Bash", "input": {"command": "ls"}, "tool_use_id": "toolu_1"});
    client.send(&ask("call", "tools/call", json!({"name": "permission_prompt", "arguments": arguments})));
    place.waits("Bash").await;
    assert_eq!(client.line()["params"]["progressToken"], 1, "it hears that the wait goes on");
    let entry = place.decide("Bash", Verdict::Approve, "").await;
    assert!(entry.action.sealed.contains("\"agent\":\"claude-code 2.1.332\""), "{}", entry.action.sealed);
    assert_eq!(client.text("call"), r#"{"behavior":"allow","updatedInput":{"command":"ls"}}"#);
    place.gateway.shutdown().await;
}
