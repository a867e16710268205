//! `aegis-console list`: list actions without the screen.

use std::process::ExitCode;

/// The arguments of `list`.
#[derive(Debug, Default, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: Args) -> anyhow::Result<ExitCode> {
    anyhow::bail!("not built yet")
}
