//! `aegis-console audit export`: the whole log on standard output, row by row. As JSON Lines each line is the exact text
//! that was hashed; another format is made in a file of its own.

use super::{agentack, open};
use crate::cli::output;
use crate::cli::place::Place;
use crate::gateway::audit::stored::{Log, StoredRow};
use crate::gateway::audit::tree;
use clap::ValueEnum;
use std::io::{self, BufWriter, Write as _};
use std::process::ExitCode;

const AFTER_HELP: &str = "\
jsonl: the rows as they are, in order. The SHA-256 of a zero byte and a line is what the next line names as `prev`, and a \
leaf of the tree that checkpoints sign.
agentack: a trace for the PyPI package agentack (check it with `agentack check FILE`). Only actions that a person decided \
and that came to an end are in it, and those that a rule allowed; the others are counted on standard error.

Exit codes:
  0  exported
  1  a row does not hold; it was left out or the export ends before it: run audit verify
  2  nobody could look";

/// The arguments of `audit export`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,
    /// How it is written
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// Only what concerns this tenant
    #[arg(long)]
    tenant: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The rows themselves, a line each
    Jsonl,
    /// A trace for the agentack package
    Agentack,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut log = open(&args.place)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let whole = match args.format {
        Format::Jsonl => jsonl(&mut *log, args.tenant.as_deref(), &mut out),
        Format::Agentack => agentack::export(&mut *log, args.tenant.as_deref(), &mut out),
    };
    let whole = whole.and_then(|whole| Ok(out.flush().map(|()| whole)?));
    match whole {
        // Whoever reads it has read enough.
        Err(error) if error.downcast_ref::<io::Error>().is_some_and(closed) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error),
        Ok(true) => Ok(ExitCode::SUCCESS),
        Ok(false) => Ok(ExitCode::FAILURE),
    }
}

fn closed(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}

fn jsonl(log: &mut dyn Log, tenant: Option<&str>, out: &mut impl io::Write) -> anyhow::Result<bool> {
    let mut whole = true;
    each(log, |found| {
        match &found.row {
            Ok(row) if tenant.is_some_and(|tenant| tenant != row.tenant) => {}
            Ok(row) if tree::hex(&tree::leaf(row.entry.as_bytes())) == row.hash && plain(&row.entry) => {
                writeln!(out, "{}", row.entry)?;
            }
            _ => {
                output::complain(&format!(
                    "row {} does not hold and is left out; run audit verify",
                    found.seq
                ));
                whole = false;
            }
        }
        Ok(())
    })?;
    Ok(whole)
}

/// Entries are plain ASCII on one line; one that is not was not written by a gateway.
fn plain(entry: &str) -> bool {
    entry.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// Every row, in order.
pub(super) fn each(
    log: &mut dyn Log,
    mut row: impl FnMut(&StoredRow) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut after = i64::MIN;
    loop {
        let rows = log.rows(after)?;
        rows.iter().try_for_each(&mut row)?;
        match rows.last() {
            Some(last) if last.seq > after => after = last.seq,
            Some(_) => anyhow::bail!("the rows come in no order; run audit verify"),
            None => return Ok(()),
        }
    }
}
