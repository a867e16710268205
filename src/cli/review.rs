//! `aegis-console review`: review what waits for a decision, on a full screen.

use std::process::ExitCode;

/// The arguments of `review`.
#[derive(Debug, Default, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: Args) -> anyhow::Result<ExitCode> {
    anyhow::bail!("not built yet")
}
