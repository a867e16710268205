//! A gateway of a test's own, which can be killed and started again where it was, a reviewer at it, and `ask` in a run of
//! its own.

use crate::reviewing::Reviewer;
use aegis_console::client::AegisClient;
use aegis_console::domain::{Queued, Verdict};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What happens soon on an idle machine; this one may be busy.
pub(crate) const SOON: Duration = Duration::from_secs(30);

pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    gateway: Child,
    url: String,
    runtime: tokio::runtime::Runtime,
}

/// What `ask` came to.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    /// The object of `--json`: the last line.
    pub(crate) fn json(&self) -> Value {
        let last = self.out.lines().last().unwrap_or_else(|| panic!("{self:?}"));
        serde_json::from_str(last).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

/// An `ask` that runs; ended where a test ends early.
pub(crate) struct Asking(Option<Child>);

impl Asking {
    pub(crate) fn id(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(self.0.as_ref().unwrap())
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.id(), signal).unwrap();
    }

    /// Until it has stopped, as SIGSTOP stops a process.
    pub(crate) fn held(&self) {
        use rustix::process::{WaitOptions, waitpid};
        until("it has stopped", || {
            let status = waitpid(Some(self.id()), WaitOptions::NOHANG | WaitOptions::UNTRACED).unwrap();
            status.is_some_and(|(_, status)| status.stopped())
        });
    }

    /// Whether it still runs.
    pub(crate) fn waits(&mut self) -> bool {
        self.0.as_mut().unwrap().try_wait().unwrap().is_none()
    }

    /// Its end, which comes soon.
    pub(crate) fn done(mut self) -> Done {
        let begun = Instant::now();
        while self.waits() {
            assert!(begun.elapsed() < SOON, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
        let output = self.0.take().unwrap().wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Done { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// As `kill -9` does.
    pub(crate) fn kill(mut self) {
        let mut child = self.0.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (gateway, url) = serve(dir.path(), "127.0.0.1:0");
        let runtime = tokio::runtime::Runtime::new().unwrap();
        Self { dir, gateway, url, runtime }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// What a command has written there; nothing where it has not.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// `ask` in the test's directory, in the run `test`, and nothing from the outside.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
        let token = std::fs::read_to_string(self.path("data/agent.token")).unwrap();
        command.arg("ask").args(args).current_dir(self.dir.path()).env_clear();
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("AEGIS_RUN_ID", "test");
        command.env("AEGIS_AGENT_SERVER", &self.url).env("AEGIS_AGENT_TOKEN", token.trim());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn start(&self, args: &[&str]) -> Asking {
        Asking(Some(self.command(args).spawn().unwrap()))
    }

    pub(crate) fn spawn(&self, mut command: Command) -> Asking {
        Asking(Some(command.spawn().unwrap()))
    }

    pub(crate) fn ask(&self, args: &[&str]) -> Done {
        self.start(args).done()
    }

    /// Asks, decides once it waits, and what came of it.
    pub(crate) fn decided(&self, args: &[&str], verdict: Verdict, reason: &str) -> Done {
        let asking = self.start(args);
        self.decide(verdict, reason);
        asking.done()
    }

    fn reviewer(&self) -> Reviewer {
        let token = std::fs::read_to_string(self.path("data/reviewer.token")).unwrap();
        let client = AegisClient::builder().base_url(&self.url).api_key(token.trim().to_owned());
        Reviewer::new(client.build().unwrap())
    }

    /// What waits, once something does.
    pub(crate) fn waiting(&self) -> Queued {
        let begun = Instant::now();
        loop {
            if let Some(first) = self.pending().into_iter().next() {
                return first;
            }
            assert!(begun.elapsed() < SOON, "nothing waits");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn pending(&self) -> Vec<Queued> {
        self.runtime.block_on(async { self.reviewer().pending().await })
    }

    /// How many actions have been asked at all.
    pub(crate) fn asked(&self) -> usize {
        let token = std::fs::read_to_string(self.path("data/reviewer.token")).unwrap();
        let count = |state: &str| -> usize {
            let mut list = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
            list.args(["list", "--json", "--state", state, "--server", &self.url])
                .env("AEGIS_API_KEY", token.trim());
            let listed = list.output().unwrap();
            let pages = std::str::from_utf8(&listed.stdout).unwrap().lines().map(serde_json::from_str);
            pages.map(|page: Result<Value, _>| page.unwrap()["actions"].as_array().unwrap().len()).sum()
        };
        ["pending", "approved", "rejected", "expired", "cancelled"].map(count).iter().sum()
    }

    /// The payload of what waits.
    pub(crate) fn payload(&self) -> String {
        self.waiting().action.payload().to_owned()
    }

    pub(crate) fn decide(&self, verdict: Verdict, reason: &str) -> String {
        let waiting = self.waiting();
        self.runtime.block_on(async {
            let resolution = self.reviewer().decide(&waiting.action, verdict, reason).await;
            assert!(resolution.outcome.is_ours(), "{resolution:?}");
        });
        waiting.action.id.clone()
    }

    /// What became of an action: the state of its execution and the agent's note.
    pub(crate) fn outcome(&self, id: &str) -> (String, String) {
        let entry = self.runtime.block_on(async { self.reviewer().entry(id).await });
        let execution = entry.execution.unwrap();
        (
            format!("{:?}", execution.state),
            execution.note.map_or_else(String::new, |note| note.raw().to_owned()),
        )
    }

    /// As `kill -9` does.
    pub(crate) fn kill_gateway(&mut self) {
        self.gateway.kill().unwrap();
        self.gateway.wait().unwrap();
    }

    /// Where it was, on what it had.
    pub(crate) fn restart_gateway(&mut self) {
        let address = self.url.strip_prefix("http://").unwrap();
        self.gateway = serve(self.dir.path(), address).0;
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.gateway.kill();
        let _ = self.gateway.wait();
    }
}

fn serve(dir: &Path, listen: &str) -> (Child, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
    command.args(["serve", "--listen", listen, "--data"]).arg(dir.join("data")).stdin(Stdio::null());
    command.env_remove("AEGIS_CONSOLE_STORE").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut said = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
    let Some(url) = said.trim().strip_prefix("listening on ") else {
        let mut errors = String::new();
        child.stderr.as_mut().unwrap().read_to_string(&mut errors).unwrap();
        panic!("{said}{errors}");
    };
    let url = url.to_owned();
    (child, url)
}

/// Looks until it is so.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < SOON, "not so: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
