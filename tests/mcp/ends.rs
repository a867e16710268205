//! How a wait ends without a decision: taken back, the client gone, the program stopped, the gateway killed.

use crate::client::{Client, Place, SOON, initialize, wait};
use aegis_console::client::AegisClient;
use aegis_console::domain::{ActionState, ExecutionState, Queued, Verdict};
use rustix::process::{Signal, kill_process};
use serde_json::json;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

const PROMPT: &str = r#"{"tool_name":"Bash","input":{"command":"ls"},"tool_use_id":"toolu_1"}"#;

async fn is_cancelled(place: &Place, entry: &Queued) {
    let begun = Instant::now();
    while place.now(entry).await.state != ActionState::Cancelled {
        assert!(begun.elapsed() < SOON, "it is not withdrawn");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_taken_back_is_withdrawn_and_gets_no_answer() {
    let place = Place::new().await;
    let mut client = place.client(&[]);
    client.call("a", "permission_prompt", PROMPT);
    client.call("b", "request_approval", r#"{"action":"stays","payload":{}}"#);
    let (entry, stays) = (place.waits("Bash").await, place.waits("stays").await);
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "a", "reason": "x"}});
    client.send(&cancel);
    is_cancelled(&place, &entry).await;
    client.is_well();
    assert_eq!(place.now(&stays).await.state, ActionState::Pending, "the other one waits on");
    client.call("c", "permission_prompt", PROMPT);
    assert!(client.denied("c").contains("withdrawn"), "and the same call is not asked again");
    place.gateway.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_leaves_nothing_behind() {
    let place = Place::new().await;
    for signal in [None, Some(Signal::TERM), Some(Signal::INT), Some(Signal::HUP)] {
        let mut client = place.client(&[]);
        client.call("a", "permission_prompt", PROMPT);
        let entry = place.waits("Bash").await;
        match signal {
            None => client.close(),
            Some(signal) => kill_process(client.id(), signal).unwrap(),
        }
        let denied = client.denied("a");
        assert!(denied.contains("withdrawn"), "{denied}");
        let (status, rest, said) = client.end();
        assert!(status.success() && rest.is_empty() && said.is_empty(), "{status} {rest:?} {said}");
        is_cancelled(&place, &entry).await;
    }
    place.gateway.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_and_goes_at_once_leaves_nothing_behind() {
    let place = Place::new().await;
    for _ in 0..5 {
        let mut client = place.client(&[]);
        client.call("a", "permission_prompt", PROMPT);
        client.close();
        client.denied("a");
        assert!(client.end().0.success());
        let begun = Instant::now();
        while !place.reviewer.pending().await.is_empty() {
            assert!(begun.elapsed() < SOON, "nobody is left to take an approval");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    place.gateway.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_killed_can_take_no_approval_any_more() {
    let place = Place::new().await;
    let mut client = place.client(&[]);
    client.call("a", "permission_prompt", PROMPT);
    place.waits("Bash").await;
    kill_process(client.id(), Signal::KILL).unwrap();
    assert!(!client.end().0.success());
    let entry = place.decide("Bash", Verdict::Approve, "").await;
    let execution = place.now(&entry).await.execution.unwrap();
    assert_eq!(execution.state, ExecutionState::Waiting, "nobody took it");
    place.gateway.shutdown().await;
}

#[test]
fn what_was_said_before_it_began_ends_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let token = token(dir.path());
    let mut client = Client::bare("http://127.0.0.1:9", &token, &[]);
    client.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}));
    client.send_text("nonsense");
    client.call("early", "permission_prompt", PROMPT);
    let early = client.line();
    assert!(early["error"]["code"].is_i64() && early["id"] == "early", "{early}");
    client.send(&initialize());
    assert_eq!(client.line()["result"]["serverInfo"]["name"], "aegis-console");
    client.is_well();
    client.close();
    assert!(client.end().0.success());

    let mut silent = Client::bare("http://127.0.0.1:9", &token, &[]);
    silent.close();
    let (status, rest, said) = silent.end();
    assert!(status.success() && rest.is_empty() && said.is_empty(), "{said}");
}

pub(crate) fn token(dir: &Path) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let token = dir.join("agent.token");
    std::fs::write(&token, "aegis_agent_0000000000000000000000000000000000000000000000000000000000000000")
        .unwrap();
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600)).unwrap();
    token
}

/// A gateway in a process of its own.
struct Served(Child);

impl Served {
    fn start(data: &Path, listen: &str) -> (Self, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
        command.args(["serve", "--listen", listen, "--data"]).arg(data).env_remove("AEGIS_CONSOLE_STORE");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim_end().strip_prefix("listening on ").unwrap().to_owned();
        (Self(child), url)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = wait(&mut self.0);
    }
}

fn reviewer(url: &str, data: &Path) -> crate::reviewing::Reviewer {
    let token = std::fs::read_to_string(data.join("reviewer.token")).unwrap();
    let client = AegisClient::builder().base_url(url).api_key(token.trim());
    crate::reviewing::Reviewer::new(client.build().unwrap())
}

async fn one_waits(reviewer: &crate::reviewing::Reviewer) -> Queued {
    let begun = Instant::now();
    loop {
        if let Some(entry) = reviewer.pending().await.pop() {
            return entry;
        }
        assert!(begun.elapsed() < SOON, "nothing waits");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_killed_and_comes_back_is_waited_for_and_one_that_does_not_is_a_no() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (served, url) = Served::start(&data, "127.0.0.1:0");
    let mut client = Client::start(&url, &data.join("agent.token"), &[]);
    client.call("a", "permission_prompt", PROMPT);
    one_waits(&reviewer(&url, &data)).await;
    drop(served);
    let (served, again) = Served::start(&data, url.strip_prefix("http://").unwrap());
    assert_eq!(again, url);
    let reviewer = reviewer(&url, &data);
    let entry = one_waits(&reviewer).await;
    reviewer.decide(&entry.action, Verdict::Approve, "").await;
    assert_eq!(client.text("a"), r#"{"behavior":"allow","updatedInput":{"command":"ls"}}"#);

    let mut client = Client::start(&url, &data.join("agent.token"), &["--timeout", "20s"]);
    client.call("b", "permission_prompt", r#"{"tool_name":"Write","input":{}}"#);
    one_waits(&reviewer).await;
    drop(served);
    assert!(client.denied("b").contains("was not run"));
    client.call("c", "request_approval", r#"{"action":"a","payload":{}}"#);
    let result = client.result("c");
    assert_eq!(result["structuredContent"]["status"], "error", "{result}");
    client.is_well();
}
