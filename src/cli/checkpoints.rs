//! Where `serve` puts checkpoints of its audit log besides its own directory.

use crate::gateway::audit::Place;
use anyhow::Context as _;
use std::path::PathBuf;

/// The socket on which the system's log listens.
const SYSLOG: &str = "/dev/log";

/// Flags of `serve`.
#[derive(Debug, clap::Args)]
pub(super) struct Checkpoints {
    /// Append signed checkpoints of the audit log to this file too: on another disk or machine, where whoever can write the
    /// database cannot write
    #[arg(long, value_name = "FILE")]
    checkpoint_file: Vec<PathBuf>,
    /// Send signed checkpoints of the audit log to the system's log too, a line each
    #[arg(long)]
    checkpoint_syslog: bool,
    /// Run this command for signed checkpoints of the audit log too; it gets one on standard input and has 10 s. Words are
    /// split as a shell does, but no shell is run unless you name one
    #[arg(long, value_name = "COMMAND")]
    checkpoint_command: Option<String>,
}

impl Checkpoints {
    /// The places that were named.
    ///
    /// # Errors
    /// Where the command is none.
    pub(super) fn places(self) -> anyhow::Result<Vec<Place>> {
        let mut places: Vec<_> = self.checkpoint_file.into_iter().map(Place::File).collect();
        if self.checkpoint_syslog {
            places.push(Place::Syslog(SYSLOG.into()));
        }
        if let Some(command) = &self.checkpoint_command {
            let words = shlex::split(command).filter(|words| !words.is_empty());
            let words = words.with_context(|| {
                format!("--checkpoint-command is no command: a quote in {command:?} does not end, or nothing is there")
            })?;
            places.push(Place::Command(words));
        }
        Ok(places)
    }
}
