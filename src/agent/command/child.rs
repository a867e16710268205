//! The one run of a command that may run: its output is this process's, its input only where that was told, and signals
//! reach it.
//!
//! Whether it may run was decided before.

use super::seen::{Seen, Wanted};
use futures_util::FutureExt as _;
use rustix::process::{Pid, Signal, kill_process};
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal as Listener, SignalKind, signal};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code.
    Exited(u8),
    /// By this signal.
    Killed(i32),
}

impl Ended {
    fn of(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Exited(u8::try_from(code & 0xff).unwrap_or(u8::MAX)),
            (None, signal) => Self::Killed(signal.unwrap_or_default()),
        }
    }

    /// Whether it did what it should, as shells see it.
    pub fn is_success(self) -> bool {
        self == Self::Exited(0)
    }

    /// The exit code that a shell gives it: 128 and the signal's number where one ended it.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Exited(code) => code,
            Self::Killed(signal) => u8::try_from(128_i32.saturating_add(signal)).unwrap_or(u8::MAX),
        }
    }

    /// `exit 2`, `killed by signal 9`.
    pub fn words(self) -> String {
        match self {
            Self::Exited(code) => format!("exit {code}"),
            Self::Killed(signal) => format!("killed by signal {signal}"),
        }
    }
}

/// Signals that reach this process from now on are kept for the command.
///
/// What comes before the command starts is [asked for](Relay::has_come). Once it runs, SIGTERM and SIGHUP are passed on. SIGINT
/// and SIGQUIT are a terminal's, which sends them to the command itself: here they only no longer end this process, which has
/// the command's end to report.
#[derive(Debug)]
pub struct Relay {
    terminate: Listener,
    hangup: Listener,
    interrupt: Listener,
    quit: Listener,
}

impl Relay {
    /// Begins to keep them.
    ///
    /// # Errors
    /// They cannot be listened for.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
        })
    }

    /// Whether one of them has come: then whoever runs this program does not want the command any more.
    pub async fn has_come(&mut self) -> bool {
        // Listeners hear of a signal when the runtime looks for events, which it does while a task yields.
        tokio::task::yield_now().await;
        let all = [&mut self.terminate, &mut self.hangup, &mut self.interrupt, &mut self.quit];
        all.into_iter().any(|listener| listener.recv().now_or_never().is_some())
    }

    /// Starts the command as it was seen, once.
    ///
    /// # Errors
    /// It could not be started: nothing of it has run.
    pub fn start(self, wanted: &Wanted, seen: &Seen) -> io::Result<Running> {
        Ok(Running { child: command(wanted, seen).spawn()?, relay: self })
    }
}

/// A command that runs. Dropped, it goes on by itself.
#[derive(Debug)]
pub struct Running {
    child: Child,
    relay: Relay,
}

impl Running {
    /// Waits for its end.
    ///
    /// # Errors
    /// How it ended cannot be had.
    pub async fn ended(mut self) -> io::Result<Ended> {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        loop {
            let signal = tokio::select! {
                status = self.child.wait() => return status.map(Ended::of),
                Some(()) = self.relay.terminate.recv() => Signal::TERM,
                Some(()) = self.relay.hangup.recv() => Signal::HUP,
            };
            if let Some(pid) = pid {
                // It may have ended just now, and then there is nobody to tell; its number is nobody else's before it has
                // been waited for.
                let _ = kill_process(pid, signal);
            }
        }
    }
}

fn command(wanted: &Wanted, seen: &Seen) -> Command {
    let mut command = Command::new(&seen.program.path);
    if let Some((name, arguments)) = wanted.argv.split_first() {
        // What it is called stays what was typed; the file is the one that was looked at.
        command.arg0(name).args(arguments);
    }
    if !wanted.stdin {
        command.stdin(Stdio::null());
    }
    if wanted.only_env {
        command.env_clear();
    }
    for (name, value) in &seen.env {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_in_words_and_as_a_code() {
        for (raw, code, words, success) in [
            (0, 0, "exit 0", true),
            (2 << 8, 2, "exit 2", false),
            (255 << 8, 255, "exit 255", false),
            (9, 137, "killed by signal 9", false),
            (15, 143, "killed by signal 15", false),
        ] {
            let ended = Ended::of(ExitStatus::from_raw(raw));
            assert_eq!(
                (ended.exit_code(), ended.words().as_str(), ended.is_success()),
                (code, words, success)
            );
        }
    }
}
