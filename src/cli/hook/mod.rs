//! `aegis-console hook`: answers the hooks of coding agents, and puts itself into their settings and out of them again.
//!
//! What a hook says and what it is told is [`crate::agent::hook`]'s; this only wires it to standard input and output.

mod answer;
mod install;

use super::provider::Provider;
use crate::agent::hook::{Agent, Event};
use crate::domain::timestamp::span;
use clap::builder::PossibleValue;
use std::process::ExitCode;
use std::time::Duration;

/// The arguments of `hook`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Answer one hook of Claude Code (PreToolUse or PermissionRequest): the event on standard input, the answer on
    /// standard output
    #[command(name = "claude-code", after_help = EXIT_CODES)]
    ClaudeCode(Asking),
    /// Answer one hook of Codex CLI (PreToolUse or PermissionRequest): the event on standard input, the answer on
    /// standard output
    #[command(after_help = EXIT_CODES)]
    Codex(Asking),
    /// Put the hook into an agent's settings: shows what would change, and asks
    #[command(
        after_help = "Everything else in the file stays as it is; a second time changes nothing, other flags change the \
        hook that is there. Exit code 0 where the hook is in the settings, else 1."
    )]
    Install(install::Install),
    /// Take the hook out of an agent's settings again: shows what would change, and asks
    Uninstall(install::Target),
}

const EXIT_CODES: &str = "It waits until a reviewer has decided, and says no in the agent's own words when anything fails: no \
    gateway, no token, no decision in time, an input that it cannot read. Exit code 0: the answer is on standard output. \
    Exit code 2: it could not be given as one, which stops the tool where the agent honours that; the reason is on standard \
    error.";

/// How one hook is answered.
#[derive(Debug, Clone, clap::Args)]
pub struct Asking {
    /// How long to wait for a decision: 30s, 9m, 24h. It must be less than the timeout that the agent gives the hook (600
    /// seconds unless its settings say otherwise), because a hook that is late lets the tool run
    #[arg(long, value_name = "TIME", default_value = Asking::TIMEOUT, value_parser = whole)]
    timeout: Duration,
    /// The event that the hook is installed for: in its form the no is given where the input cannot be read
    #[arg(long, value_name = "EVENT")]
    event: Option<Event>,
    #[command(flatten)]
    provider: Provider,
}

impl Asking {
    /// Half a minute less than the 600 seconds that both agents give a hook unless told otherwise.
    const TIMEOUT: &str = "570s";
}

fn whole(text: &str) -> Result<Duration, String> {
    let allowed = Duration::from_secs(2)..=Duration::from_secs(7 * 24 * 60 * 60);
    let time = span(text).filter(|time| allowed.contains(time));
    time.ok_or_else(|| "it must be like 30s, 9m or 24h, from 2s to 7d".into())
}

impl clap::ValueEnum for Event {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

/// Runs the command.
///
/// # Errors
/// None where a hook is answered: then there is an exit code for everything.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::ClaudeCode(asking) => Ok(answer::run(Agent::ClaudeCode, &asking)),
        Command::Codex(asking) => Ok(answer::run(Agent::Codex, &asking)),
        Command::Install(args) => install::install(&args),
        Command::Uninstall(target) => install::uninstall(&target),
    }
}
