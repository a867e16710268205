//! One gateway of a team: the real binary on a free port.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The token of reviewers, and the one of agents: the same in every gateway of a test.
pub(crate) const REVIEWER: &str = "1111111111111111111111111111111111111111111111111111111111111111";
pub(crate) const AGENT: &str = "2222222222222222222222222222222222222222222222222222222222222222";

/// A process that may not have said yet where it listens.
pub(crate) struct Starting {
    child: Child,
    errors: PathBuf,
}

/// A gateway that listens. Killed when it is dropped.
pub(crate) struct Member {
    child: Child,
    pub(crate) url: String,
    errors: PathBuf,
}

/// Starts one on that data, and on PostgreSQL where a URL is given.
pub(crate) fn spawn(data: &Path, store: Option<&str>, abort_at: Option<&str>) -> Starting {
    if !data.exists() {
        std::fs::DirBuilder::new().mode(0o700).create(data).unwrap();
        for (name, token) in [("reviewer.token", REVIEWER), ("agent.token", AGENT)] {
            let mut options = std::fs::OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(0o600).open(data.join(name)).unwrap();
            std::io::Write::write_all(&mut file, format!("{token}\n").as_bytes()).unwrap();
        }
    }
    let errors = data.with_extension("errors");
    let log = std::fs::OpenOptions::new().create(true).append(true).open(&errors).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_aegis-console"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).stdin(Stdio::null());
    command.env_remove("AEGIS_CONSOLE_STORE").stdout(Stdio::piped()).stderr(log);
    if let Some(url) = store {
        command.env("AEGIS_CONSOLE_STORE", url);
    }
    if let Some(place) = abort_at {
        command.env(aegis_console::failpoint::VARIABLE, place);
    }
    Starting { child: command.spawn().unwrap(), errors }
}

impl Starting {
    /// Waits until it listens; `None` where it has ended before.
    pub(crate) fn listening(mut self) -> Option<Member> {
        let mut said = String::new();
        BufReader::new(self.child.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
        let Some(url) = said.trim().strip_prefix("listening on ") else {
            self.child.wait().unwrap();
            return None;
        };
        Some(Member { child: self.child, url: url.to_owned(), errors: self.errors })
    }
}

impl Member {
    /// Ends it as a power cut would, for it.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("{}: {}", self.url, std::fs::read_to_string(&self.errors).unwrap_or_default());
        }
    }
}
