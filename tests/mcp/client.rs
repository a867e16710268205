//! One client: the program as its child, and what it says line by line. And a gateway with a reviewer.

use crate::reviewing::Reviewer;
use aegis_console::client::AegisClient;
use aegis_console::domain::{Queued, Verdict};
use aegis_console::gateway::{Config, Gateway};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Soon, on a machine that has other things to do. A provider that cannot be reached is tried for 30 s.
pub(crate) const SOON: Duration = Duration::from_secs(90);

/// The program and its streams.
pub(crate) struct Client {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Client {
    /// Starts it at that server with that token, and begins as MCP does.
    pub(crate) fn start(server: &str, token: &Path, args: &[&str]) -> Self {
        let mut client = Self::bare(server, token, args);
        client.send(&initialize());
        let hello = client.line();
        assert_eq!(hello["result"]["protocolVersion"], "2025-06-18", "{hello}");
        client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        client
    }

    /// Starts it and says nothing.
    pub(crate) fn bare(server: &str, token: &Path, args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
        command.args(["mcp", "--server", server, "--token-file"]).arg(token).args(args);
        command.env("CLAUDE_CODE_SESSION_ID", "session-1");
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (say, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if say.send(line).is_err() {
                    break;
                }
            }
        });
        let stdin = child.stdin.take();
        Self { child, stdin, lines }
    }

    pub(crate) fn send(&mut self, message: &Value) {
        self.send_text(&message.to_string());
    }

    pub(crate) fn send_text(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(format!("{line}\n").as_bytes()).unwrap();
        stdin.flush().unwrap();
    }

    /// Calls a tool with arguments as text.
    pub(crate) fn call(&mut self, id: &str, tool: &str, arguments: &str) {
        self.send_text(&format!(
            r#"{{"jsonrpc":"2.0","id":"{id}","method":"tools/call","params":{{"name":"{tool}","arguments":{arguments}}}}}"#
        ));
    }

    /// The next line, which must be one of the protocol.
    pub(crate) fn line(&self) -> Value {
        let line = self.lines.recv_timeout(SOON).expect("it says nothing more");
        let line: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        assert_eq!(line["jsonrpc"], "2.0", "{line}");
        line
    }

    /// The answer to that call; progress is passed over, another answer is not.
    pub(crate) fn result(&self, id: &str) -> Value {
        loop {
            let line = self.line();
            if line.get("method").is_none() {
                assert_eq!(line["id"], id, "{line}");
                return line["result"].clone();
            }
            assert_eq!(line["method"], "notifications/progress", "{line}");
        }
    }

    /// The only content of a result.
    pub(crate) fn text(&self, id: &str) -> String {
        let result = self.result(id);
        let [content] = &result["content"].as_array().unwrap()[..] else { panic!("{result}") };
        assert_eq!(content["type"], "text", "{result}");
        content["text"].as_str().unwrap().to_owned()
    }

    /// What Claude Code is told: it must be a deny.
    pub(crate) fn denied(&self, id: &str) -> String {
        let text = self.text(id);
        let deny: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&deny["behavior"], deny.as_object().unwrap().len()), (&json!("deny"), 2), "{text}");
        deny["message"].as_str().unwrap().to_owned()
    }

    /// Whether it takes another call.
    pub(crate) fn is_well(&mut self) {
        self.send(&json!({"jsonrpc": "2.0", "id": "well", "method": "ping"}));
        assert_eq!(self.result("well"), json!({}));
    }

    pub(crate) fn close(&mut self) {
        self.stdin = None;
    }

    pub(crate) fn id(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// Waits for its end: the exit code, what else it said, and what went to standard error.
    pub(crate) fn end(mut self) -> (ExitStatus, Vec<Value>, String) {
        let status = wait(&mut self.child);
        let rest = self.lines.iter().map(|line| serde_json::from_str(&line).unwrap()).collect();
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (status, rest, said)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn wait(child: &mut Child) -> ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(begun.elapsed() < SOON, "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn initialize() -> Value {
    json!({"jsonrpc": "2.0", "id": "init", "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}})
}

/// Our gateway, and a reviewer.
pub(crate) struct Place {
    pub(crate) _data: tempfile::TempDir,
    pub(crate) gateway: Gateway,
    pub(crate) reviewer: Reviewer,
}

impl Place {
    pub(crate) async fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let gateway = Gateway::start(Config::new(([127, 0, 0, 1], 0).into(), data.path())).await.unwrap();
        let client = AegisClient::builder().base_url(gateway.url()).api_key(gateway.reviewer("dana"));
        let reviewer = Reviewer::new(client.build().unwrap());
        Self { _data: data, gateway, reviewer }
    }

    pub(crate) fn client(&self, args: &[&str]) -> Client {
        Client::start(&self.gateway.url(), self.gateway.agent_token_file(), args)
    }

    /// The one action that waits under that name, once it does.
    pub(crate) async fn waits(&self, action: &str) -> Queued {
        let begun = Instant::now();
        loop {
            let mut all = self.reviewer.pending().await;
            all.retain(|entry| entry.action.name.raw() == action);
            if let Some(entry) = all.pop() {
                assert!(all.is_empty(), "{action} waits twice");
                return entry;
            }
            assert!(begun.elapsed() < SOON, "{action} never waits");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn decide(&self, action: &str, verdict: Verdict, reason: &str) -> Queued {
        let entry = self.waits(action).await;
        let resolution = self.reviewer.decide(&entry.action, verdict, reason).await;
        assert!(resolution.outcome.is_ours(), "{resolution:?}");
        entry
    }

    /// The action as it stands.
    pub(crate) async fn now(&self, entry: &Queued) -> Queued {
        self.reviewer.entry(&entry.action.id).await
    }
}
