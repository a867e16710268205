//! `aegis-console audit`: read the gateway's audit log, beside a gateway that runs or without one. Nothing is written.

mod agentack;
mod export;
mod show;
mod verify;

use crate::cli::output;
use crate::cli::place::Place;
use crate::gateway::audit::sqlite::SqliteLog;
use crate::gateway::audit::stored::{Log, LogError};
use clap::Subcommand;
use secrecy::SecretString;
use std::process::ExitCode;

/// Nobody could look.
const COULD_NOT_LOOK: u8 = 2;

/// The arguments of `audit`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What became of an action: what was on the screen, who saw it, who decided what, and what came of it
    Show(show::Args),
    /// Whether the log is what was written, and where it is not
    Verify(verify::Args),
    /// Everything, a line for each thing that happened
    Export(export::Args),
}

/// Opens the log, as of now.
fn open(place: &Place) -> Result<Box<dyn Log>, LogError> {
    if let Some(url) = place.store() {
        return postgres(url);
    }
    let directory = place.data().map_err(|error| LogError::OutOfReach(error.to_string()))?;
    Ok(Box::new(SqliteLog::open(&directory.join("gateway.db"))?))
}

#[cfg(feature = "postgres")]
fn postgres(url: &SecretString) -> Result<Box<dyn Log>, LogError> {
    Ok(Box::new(crate::gateway::audit::postgres::PostgresLog::open(url)?))
}

#[cfg(not(feature = "postgres"))]
fn postgres(_: &SecretString) -> Result<Box<dyn Log>, LogError> {
    Err(LogError::OutOfReach("this program was built without PostgreSQL".into()))
}

/// Runs the command.
///
/// # Errors
/// None that is not an exit code of its own.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let done = match &args.command {
        Command::Show(args) => show::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Export(args) => export::run(args),
    };
    Ok(done.unwrap_or_else(|error| {
        output::complain(&format!("{error:#}"));
        ExitCode::from(COULD_NOT_LOOK)
    }))
}
