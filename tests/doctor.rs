//! `aegis-console doctor` as a user runs it, beside a gateway that is well, one that is not there, and one that lies: what it
//! says, its exit code, and that nobody hears of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/reviewing.rs"]
#[allow(dead_code, reason = "nothing is decided here")]
mod reviewing;

use aegis_console::client::AegisClient;
use aegis_console::gateway::{Config, Gateway};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use reviewing::Reviewer;
use serde_json::Value;
use std::fs::{create_dir_all, set_permissions, write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A user's machine: a home, a directory to work in, a gateway's directory.
struct Machine {
    home: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        create_dir_all(home.path().join("work")).unwrap();
        Self { home }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.home.path().join(name)
    }

    fn put(&self, name: &str, text: &str, mode: u32) -> String {
        let path = self.path(name);
        create_dir_all(path.parent().unwrap()).unwrap();
        write(&path, text).unwrap();
        set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    async fn gateway(&self) -> Gateway {
        Gateway::start(Config::new(([127, 0, 0, 1], 0).into(), self.path("data"))).await.unwrap()
    }

    /// Runs it: the exit code and what it says, lines joined.
    fn doctor(&self, args: &[&str]) -> (i32, String) {
        let data = self.path("data");
        self.run(&[args, &["--data", data.to_str().unwrap()]].concat(), &[])
    }

    fn run(&self, args: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
        command.arg("doctor").args(args);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(variables.iter().copied());
        command.env("HOME", self.home.path()).current_dir(self.path("work")).stdin(Stdio::null());
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(!said.contains("aegis_agent_") && !said.contains("aegis_reviewer_"), "a token: {said}");
        (output.status.code().unwrap(), said)
    }
}

/// The lines about one thing, in order: how it stands, and its words with the advice behind them.
fn about(said: &str, check: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut within = false;
    for line in said.lines() {
        match line.strip_prefix("                ") {
            Some(advice) if within => found.last_mut().unwrap().1 += &format!(" > {advice}"),
            Some(_) => {}
            None => {
                let (state, rest) = line.split_once(' ').unwrap();
                within = rest.trim_start().starts_with(check);
                if within {
                    found.push((state.to_owned(), rest.trim_start()[check.len()..].trim().to_owned()));
                }
            }
        }
    }
    found
}

#[track_caller]
fn says(said: &str, check: &str, state: &str, words: &str) {
    let about = about(said, check);
    let fits = about.iter().any(|(is, text)| is == state && text.contains(words));
    assert!(fits, "{check} {state} {words:?}: {about:?}\n{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_all_is_well_it_says_as_whom_and_what_would_happen_and_nobody_is_asked() {
    let machine = Machine::new();
    let gateway = machine.gateway().await;
    let url = gateway.url();
    let (code, said) = machine.doctor(&["--server", &url]);
    assert_eq!(code, 0, "{said}");
    says(&said, "config", "ok", "can be read");
    says(&said, "data", "ok", "only you");
    says(&said, "journal", "ok", "no decision");
    says(&said, "server", "ok", "is there and ready, without TLS");
    says(&said, "clock", "ok", "");
    says(&said, "reviewer", "ok", "reviewer of the tenant default");
    says(&said, "agent", "ok", "agent of the tenant default");
    says(&said, "ways in", "ok", "hook install");
    says(
        &said,
        "now",
        "warn",
        "waits for a reviewer, at medium; no console is open; undecided after 10m: not run",
    );

    let mut console = tokio::net::TcpStream::connect(url.strip_prefix("http://").unwrap()).await.unwrap();
    let token = std::fs::read_to_string(machine.path("data/reviewer.token")).unwrap();
    let host = url.strip_prefix("http://").unwrap();
    let call = format!(
        "GET /api/v1/hitl/events HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\n\r\n",
        token.trim()
    );
    console.write_all(call.as_bytes()).await.unwrap();
    assert!(console.read(&mut [0; 64]).await.unwrap() > 0);
    machine.put(
        "data/rules.toml",
        "[[rule]]\nname = \"two\"\naction = \"deploy\"\nreviewers = 2\ntime = \"5m\"\n",
        0o600,
    );
    let (code, said) = machine.doctor(&["--server", &url, "--action", "deploy"]);
    assert_eq!(code, 0, "{said}");
    says(&said, "now", "ok", "deploy of agent, asked now with 10m to decide: waits for 2 reviewers");
    says(&said, "now", "ok", "1 console is open; undecided after 5m: not run");

    let (code, said) = machine.doctor(&["--server", &format!("{url}/"), "--json"]);
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &report["ok"]), (0, &true.into()), "{said}");
    let checks = report["checks"].as_array().unwrap();
    assert!(checks.iter().all(|check| check["state"].is_string() && check["words"].is_string()), "{said}");

    let client = AegisClient::builder().base_url(&url).api_key(gateway.reviewer("dana"));
    assert!(Reviewer::new(client.build().unwrap()).pending().await.is_empty(), "nobody was asked");
    gateway.shutdown().await;
}

#[test]
fn a_gateway_that_is_not_there_is_told_with_what_to_do() {
    let machine = Machine::new();
    let (code, said) = machine.doctor(&["--server", "http://127.0.0.1:9"]);
    assert_eq!(code, 1, "{said}");
    says(&said, "server", "fail", "http://127.0.0.1:9 cannot be reached");
    says(&said, "server", "fail", "> start one");
    says(&said, "reviewer", "warn", "no reviewer's credential");
    says(&said, "agent", "warn", "no agent's credential");
    says(&said, "now", "warn", "it is not run");
    let token = machine.put("token", &format!("aegis_agent_{}", "0".repeat(64)), 0o600);
    for url in ["http://gate.example", "nonsense", "http://u:p4ss@127.0.0.1:9"] {
        let (code, said) = machine.doctor(&["--server", url, "--agent-token-file", &token]);
        assert!(code == 1 && !said.contains("p4ss"), "{said}");
        assert!(about(&said, "server").iter().any(|(state, _)| state == "fail"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_is_another_s_or_nobody_s_is_told() {
    let machine = Machine::new();
    let gateway = machine.gateway().await;
    let url = gateway.url();
    let [agent, reviewer] = ["agent", "reviewer"]
        .map(|name| machine.path(&format!("data/{name}.token")).to_str().unwrap().to_owned());
    let (code, said) =
        machine.doctor(&["--server", &url, "--token-file", &agent, "--agent-token-file", &reviewer]);
    assert_eq!(code, 1, "{said}");
    says(&said, "reviewer", "fail", "agent of the tenant default: it cannot review");
    says(&said, "agent", "fail", "reviewer of the tenant default: it cannot ask");
    says(&said, "now", "warn", "it is not run");

    let unknown = machine.put("unknown", &format!("aegis_agent_{}", "0".repeat(64)), 0o600);
    let (code, said) =
        machine.doctor(&["--server", &url, "--token-file", &unknown, "--agent-token-file", &unknown]);
    assert_eq!(code, 1, "{said}");
    says(&said, "reviewer", "fail", "does not know the token");
    says(&said, "agent", "fail", "does not know the token");

    let open = machine.put("open", "aegis_agent_0", 0o644);
    let (code, said) = machine.doctor(&["--server", &url, "--agent-token-file", &open]);
    assert_eq!(code, 1, "{said}");
    says(&said, "agent", "fail", "others can read");

    let client = AegisClient::builder().base_url(&url).api_key(gateway.reviewer("dana")).build().unwrap();
    aegis_console::feed::Source::new(&client).unwrap().pause("agent", true).await.unwrap();
    let (code, said) = machine.doctor(&["--server", &url]);
    assert_eq!(code, 0, "{said}");
    says(&said, "agent", "warn", "paused");
    says(&said, "now", "warn", "refused at once, the agent is paused");
    gateway.shutdown().await;
}

#[test]
fn what_is_wrong_on_the_disk_is_told() {
    let machine = Machine::new();
    let config = machine.put("config.toml", "them = \"light\"\n", 0o600);
    machine.put("data/agent.token", "aegis_agent_0", 0o600);
    set_permissions(machine.path("data"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let gone = machine.path("gone/aegis-console");
    let hook = format!("{} hook claude-code --event PreToolUse", gone.display());
    let hook =
        serde_json::json!({"hooks": {"PreToolUse": [{"hooks": [{"type": "command", "command": hook}]}]}});
    machine.put("work/.claude/settings.json", &hook.to_string(), 0o600);
    let server = serde_json::json!({"mcpServers": {"aegis": {
        "command": env!("CARGO_BIN_EXE_aegis-console"), "args": ["mcp"], "env": {"AEGIS_AGENT_TOKEN": "aegis_agent_secret"}}}});
    machine.put("work/.mcp.json", &server.to_string(), 0o600);
    machine.put(".codex/hooks.json", "{", 0o600);
    let (code, said) = machine.doctor(&["--server", "http://127.0.0.1:9", "--config", &config]);
    assert_eq!(code, 1, "{said}");
    says(&said, "config", "fail", "did you mean theme");
    says(&said, "data", "fail", "(mode 755) > run `chmod go= ");
    says(&said, "ways in", "fail", &format!("starts {}, which is not there", gone.display()));
    says(&said, "ways in", "ok", "mcp in .mcp.json");
    says(&said, "ways in", "warn", "hooks.json is no JSON");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lies_is_quoted_so_that_nothing_in_it_acts() {
    async fn lies(uri: Uri) -> (StatusCode, [(header::HeaderName, &'static str); 1], String) {
        let date = (header::DATE, "Sun, 06 Nov 1994 08:49:37 GMT");
        match uri.path() {
            "/healthz" => (StatusCode::OK, [date], "\u{1b}[2J".into()),
            "/readyz" => (StatusCode::SERVICE_UNAVAILABLE, [date], r#"{"detail":"a\u001b[2Jb"}"#.into()),
            "/metrics" => (StatusCode::OK, [date], "aegis_gateway_listeners \u{1b}7\n".into()),
            _ => {
                (StatusCode::OK, [date], r#"{"name":"\u001b[2Jme","role":"agent","tenant":"\u202e"}"#.into())
            }
        }
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(lies)).await });
    let machine = Machine::new();
    let token = machine.put("token", &format!("aegis_agent_{}", "0".repeat(64)), 0o600);
    let (code, said) =
        machine.doctor(&["--server", &url, "--token-file", &token, "--agent-token-file", &token]);
    assert_eq!(code, 1, "{said}");
    assert!(!said.chars().any(|c| c.is_control() && c != '\n' || c == '\u{202e}'), "{said:?}");
    says(&said, "server", "fail", "not ready: a");
    says(&said, "clock", "warn", "ahead of the server's");
    says(&said, "reviewer", "fail", "it cannot review");
    says(&said, "now", "ok", "whether a console is open is not told");
    assert!(Path::new(&token).exists());
}

/// Whoever runs the agents' server may not be whoever runs the reviewers'.
#[tokio::test(flavor = "multi_thread")]
async fn each_token_goes_to_its_own_server() {
    let heard = Arc::new(Mutex::new(Vec::<(String, String)>::new()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = format!("http://{}", listener.local_addr().unwrap());
    let hears = Arc::clone(&heard);
    let answer = move |uri: Uri, headers: HeaderMap| async move {
        let token = headers.get(header::AUTHORIZATION).map(|token| token.to_str().unwrap().to_owned());
        hears.lock().unwrap().push((uri.path().to_owned(), token.unwrap_or_default()));
        r#"{"name":"bot","role":"agent","tenant":"default"}"#
    };
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });

    let machine = Machine::new();
    let gateway = machine.gateway().await;
    let token = |name: &str| std::fs::read_to_string(machine.path(name)).unwrap().trim().to_owned();
    let config = machine.put("config.toml", &format!("[review]\nserver = \"{}\"\n", gateway.url()), 0o600);
    let theirs = machine.put("theirs", &format!("aegis_agent_{}", "0".repeat(64)), 0o600);
    let data = machine.path("data");
    let args = ["--config", &config, "--agent-token-file", &theirs, "--data", data.to_str().unwrap()];
    let (_, said) = machine.run(&args, &[("AEGIS_AGENT_SERVER", &other)]);
    says(&said, "reviewer", "ok", "reviewer of the tenant default");
    says(&said, "agent", "ok", "bot, agent");
    let heard = heard.lock().unwrap().clone();
    let paths: Vec<_> = heard.iter().map(|(path, _)| path.as_str()).collect();
    assert!(paths.contains(&"/api/v1/whoami") && paths.contains(&"/metrics"), "{paths:?}");
    let expected = format!("Bearer {}", token("theirs"));
    assert!(heard.iter().all(|(_, token)| token.is_empty() || *token == expected), "{paths:?}");
    gateway.shutdown().await;
}

/// What lies in the usual directory is this machine's gateway's, unless somebody says otherwise.
#[test]
fn the_usual_directory_is_not_that_of_a_server_elsewhere() {
    let machine = Machine::new();
    let state = machine.path("state");
    let variables = [("XDG_STATE_HOME", state.to_str().unwrap())];
    for name in ["agent", "reviewer"] {
        let file = format!("state/aegis-console/{name}.token");
        machine.put(&file, &format!("aegis_{name}_{}", "0".repeat(64)), 0o600);
    }
    set_permissions(machine.path("state/aegis-console"), std::fs::Permissions::from_mode(0o700)).unwrap();
    let (_, said) = machine.run(&["--server", "http://127.0.0.1:9"], &variables);
    says(&said, "agent", "ok", "asks http://127.0.0.1:9/aap with the token of");
    assert!(about(&said, "reviewer").is_empty(), "{said}");
    let (code, said) = machine.run(&["--server", "https://gate.invalid"], &variables);
    assert_eq!(code, 1, "{said}");
    says(&said, "reviewer", "warn", "no reviewer's credential");
    says(
        &said,
        "agent",
        "warn",
        "no agent's credential here > there is no agent's token for a gateway on another",
    );
}
