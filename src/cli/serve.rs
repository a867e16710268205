//! `aegis-console serve`: run the gateway.

use std::process::ExitCode;

/// The arguments of `serve`.
#[derive(Debug, Default, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: Args) -> anyhow::Result<ExitCode> {
    anyhow::bail!("not built yet")
}
