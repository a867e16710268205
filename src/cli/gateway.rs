//! `aegis-console gateway`: looking after a gateway's database. `serve` runs it; nothing here needs it to stand still.

use crate::cli::place::Place;
use crate::gateway;
use anyhow::bail;
use clap::Subcommand;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The arguments of `gateway`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Copy a SQLite database, while the gateway runs, into a new file that only you can read
    #[command(
        after_help = "The copy is all of one moment, and is checked before it gets its name; a file that is there is \
        never overwritten. To go back to it, stop the gateway and put it in the place of gateway.db, without gateway.db-wal \
        and gateway.db-shm. A PostgreSQL database is backed up with pg_dump. Exit code 0 where there is a copy, else 1."
    )]
    Backup {
        /// The new file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        place: Place,
    },
    /// Bring the database to the schema of this program, without starting a gateway
    #[command(
        after_help = "A gateway does the same at its start. A SQLite database must have no gateway running on it; \
        PostgreSQL's may. Exit code 0 where it has the newest schema now, else 1."
    )]
    Migrate {
        #[command(flatten)]
        place: Place,
    },
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Backup { file, place } => backup(&file, &place),
        Command::Migrate { place } => migrate(&place),
    }
}

fn backup(file: &Path, place: &Place) -> anyhow::Result<ExitCode> {
    if place.store().is_some() {
        bail!(
            "a PostgreSQL database is backed up by PostgreSQL's own tools: pg_dump --format=custom --file {} DATABASE",
            file.display()
        );
    }
    let copied = gateway::backup(&place.data()?, file)?;
    // Whoever closed standard output does not want to read it; the copy is there all the same.
    let _ = writeln!(
        std::io::stdout(),
        "{}: {} bytes, {} actions, {} rows of the audit log; the copy holds together",
        file.display(),
        copied.bytes,
        copied.actions,
        copied.audited
    );
    Ok(ExitCode::SUCCESS)
}

fn migrate(place: &Place) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (before, now) = runtime.block_on(gateway::migrate(&place.database(), &place.data()?))?;
    let _ = match before == now {
        true => writeln!(std::io::stdout(), "the schema is {now} already, the newest of this program"),
        false => writeln!(std::io::stdout(), "the schema was {before} and is {now} now"),
    };
    Ok(ExitCode::SUCCESS)
}
