//! The hook as an agent runs it: the event on standard input, the answer on standard output, everything else counted as a no
//! that must not happen.

use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Between the hook's own deadline and the timeout that it is installed with.
pub(crate) const SPARE: Duration = Duration::from_secs(30);

/// One input, as an agent sends it.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    /// `claude-code` or `codex`.
    pub(crate) agent: &'static str,
    /// The file.
    pub(crate) name: String,
    pub(crate) text: String,
}

impl Input {
    /// Every recorded one.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for (agent, folder) in [("claude-code", "claude_code"), ("codex", "codex")] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hook").join(folder);
            let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            let read = |path: PathBuf| Self {
                agent,
                name: format!("{agent}/{}", path.file_stem().unwrap().to_str().unwrap()),
                text: std::fs::read_to_string(&path).unwrap(),
            };
            all.extend(files.map(read));
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        assert!(all.len() >= 27, "{}", all.len());
        all
    }

    /// One of them.
    pub(crate) fn named(name: &str) -> Self {
        Self::all().into_iter().find(|input| input.name == name).unwrap()
    }

    pub(crate) fn value(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(crate) fn event(&self) -> String {
        self.value()["hook_event_name"].as_str().unwrap().to_owned()
    }

    /// The same as another call of the same session.
    pub(crate) fn as_call(&self, id: &str) -> Self {
        let old = self.value()["tool_use_id"].as_str().unwrap().to_owned();
        Self { text: self.text.replace(&old, id), ..self.clone() }
    }
}

/// A directory that no credential of this machine is in, and a token.
pub(crate) struct Home {
    pub(crate) dir: tempfile::TempDir,
    token: PathBuf,
}

impl Home {
    pub(crate) fn new(token: &str) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("agent.token");
        std::fs::write(&file, token).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        Self { dir, token: file }
    }

    /// `hook` with that argument, in this home.
    pub(crate) fn bare(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AEGIS_"))
        {
            command.env_remove(name);
        }
        for name in ["CLAUDE_CONFIG_DIR", "CODEX_HOME"] {
            command.env_remove(name);
        }
        let home = self.dir.path();
        command.env("HOME", home).env("XDG_STATE_HOME", home.join("state")).current_dir(home);
        command.arg("hook").args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The hook of that agent at that gateway, as it is installed.
    pub(crate) fn hook(&self, input: &Input, url: &str, timeout: &str) -> Command {
        let mut command = self.bare(&[input.agent, "--event", &input.event(), "--timeout", timeout]);
        command.args(["--server", url, "--token-file"]).arg(&self.token);
        command
    }
}

/// What an agent would make of a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Heard {
    /// The tool runs.
    Yes,
    /// It does not, for that reason.
    No(String),
    /// No JSON, and exit code 2 with that on standard error.
    Stopped(String),
}

/// Runs it with that on standard input.
pub(crate) fn run(mut command: Command, input: &[u8]) -> Output {
    let child = feed(command.spawn().unwrap(), input);
    child.wait_with_output().unwrap()
}

/// Writes the input and closes it. A hook that has read enough may close it first.
pub(crate) fn feed(mut child: Child, input: &[u8]) -> Child {
    let _ = child.stdin.take().unwrap().write_all(input);
    child
}

/// Reads a run as the agent does, by its own documents; what an agent could take for anything else fails here.
pub(crate) fn hear(agent: &str, event: &str, output: &Output) -> Heard {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    if output.status.code() == Some(2) {
        assert!(out.is_empty() && !err.trim().is_empty(), "exit 2: {out:?} {err:?}");
        return Heard::Stopped(err);
    }
    assert_eq!(output.status.code(), Some(0), "{out} {err}");
    assert_eq!(out.lines().count(), 1, "once, whole: {out:?}");
    let value: Value = serde_json::from_str(&out).unwrap();
    if agent == "codex" && event == "PreToolUse" && value == serde_json::json!({}) {
        return Heard::Yes;
    }
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&value), ["hookSpecificOutput"], "{out}");
    let specific = &value["hookSpecificOutput"];
    assert_eq!(specific["hookEventName"], event, "{out}");
    let reason = |value: &Value| {
        let reason = value.as_str().unwrap().to_owned();
        assert!(!reason.trim().is_empty() && !reason.contains(|c: char| c.is_control()), "{out}");
        reason
    };
    if event == "PermissionRequest" {
        assert_eq!(keys(specific), ["decision", "hookEventName"], "{out}");
        let decision = &specific["decision"];
        return match decision["behavior"].as_str().unwrap() {
            "allow" if keys(decision) == ["behavior"] => Heard::Yes,
            "deny" if keys(decision) == ["behavior", "message"] => Heard::No(reason(&decision["message"])),
            _ => panic!("{out}"),
        };
    }
    let members = ["hookEventName", "permissionDecision", "permissionDecisionReason"];
    assert_eq!(keys(specific), members, "{out}");
    match specific["permissionDecision"].as_str().unwrap() {
        "allow" if agent == "claude-code" => Heard::Yes,
        "deny" => Heard::No(reason(&specific["permissionDecisionReason"])),
        _ => panic!("{out}"),
    }
}

/// Runs the hook on an input at that gateway; the agent's own timeout must not be reached.
pub(crate) fn ask(home: &Home, input: &Input, url: &str, seconds: u64) -> Heard {
    let began = Instant::now();
    let output = run(home.hook(input, url, &format!("{seconds}s")), input.text.as_bytes());
    assert!(began.elapsed() < Duration::from_secs(seconds) + SPARE, "{}: late", input.name);
    hear(input.agent, &input.event(), &output)
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Does the work for each, some at a time: most of a run is waiting.
pub(crate) fn each<T: Send>(items: Vec<T>, work: impl Fn(T) + Sync) {
    let items = Mutex::new(items.into_iter());
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                while let Some(item) = { items.lock().unwrap().next() } {
                    work(item);
                }
            });
        }
    });
}
