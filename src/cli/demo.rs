//! `aegis-console demo`: console, gateway and agents in one process.

use std::process::ExitCode;

/// The arguments of `demo`.
#[derive(Debug, Default, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: Args) -> anyhow::Result<ExitCode> {
    anyhow::bail!("not built yet")
}
