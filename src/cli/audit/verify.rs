//! `aegis-console audit verify`: whether the log holds. What is checked and how is `gateway::audit::verify`'s.

use super::open;
use crate::cli::output;
use crate::cli::place::Place;
use crate::domain::{Visible, timestamp};
use crate::gateway::audit::key::PublicKey;
use crate::gateway::audit::keyfile;
use crate::gateway::audit::note::Note;
use crate::gateway::audit::stored::LogError;
use crate::gateway::audit::verify::{Elsewhere, Report, Trouble, What, verify};
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Reads every row once, and compares the rows with each other, with the record of where the log ends, with the signed \
checkpoints in the database and with those that were kept elsewhere. Without --checkpoint the file `checkpoints` of the \
gateway's directory is taken where it is there; that is no help against somebody who can write that directory.

Exit codes:
  0  the log holds
  1  it does not: what, and where, is said on standard output
  2  nobody could look: no such log, no key, no such file";

/// The largest file with checkpoints that is read.
const LARGEST: u64 = 256 * 1024 * 1024;

/// The arguments of `audit verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,
    /// A file with checkpoints that was kept elsewhere: notes one after another, or lines of the system's log; may be repeated
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// A file with the public keys of the gateways that wrote the log, kept elsewhere [default: audit.pub in the gateway's
    /// directory]; may be repeated
    #[arg(long, value_name = "FILE")]
    public_key: Vec<PathBuf>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let keys = keys(args)?;
    let elsewhere = elsewhere(args)?;
    let given = elsewhere.len();
    let opened = open(&args.place);
    let report = match opened {
        Ok(mut log) => verify(&mut *log, keys, elsewhere)?,
        Err(LogError::Damaged(why)) => {
            let troubles = vec![Trouble { row: 0, what: What::File(why) }];
            Report { troubles, ..Report::default() }
        }
        Err(error) => return Err(error.into()),
    };
    said(&report, given).iter().for_each(|line| output::line(&Visible::of(line).plain()));
    Ok(if report.troubles.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn keys(args: &Args) -> anyhow::Result<Vec<PublicKey>> {
    let mut files = args.public_key.clone();
    if files.is_empty() {
        files.push(args.place.data()?.join(keyfile::PUBLIC));
    }
    let mut keys = Vec::new();
    for file in files {
        let read = keyfile::public_keys(&file);
        keys.extend(
            read.context("without a public key nothing can be verified; name one with --public-key")?,
        );
    }
    Ok(keys)
}

fn elsewhere(args: &Args) -> anyhow::Result<Vec<Elsewhere>> {
    let mut all = Vec::new();
    for file in &args.checkpoint {
        all.extend(notes(file)?);
    }
    let own = args.place.data()?.join("checkpoints");
    if args.checkpoint.is_empty() && own.exists() {
        all.extend(notes(&own)?);
    }
    Ok(all)
}

fn notes(file: &Path) -> anyhow::Result<Vec<Elsewhere>> {
    let name = file.display();
    let cannot = || format!("cannot read the checkpoints in {name}");
    let size = std::fs::metadata(file).with_context(cannot)?.len();
    anyhow::ensure!(
        size <= LARGEST,
        "{name} is larger than {LARGEST} bytes; give the part that is of interest"
    );
    let text = String::from_utf8_lossy(&std::fs::read(file).with_context(cannot)?).into_owned();
    let found = Note::all(&text);
    let whole = found.iter().flatten().count();
    anyhow::ensure!(whole > 0, "{name} holds no checkpoint");
    if whole < found.len() {
        output::complain(&format!(
            "{name}: passed over {} pieces that are no checkpoints",
            found.len() - whole
        ));
    }
    let place = name.to_string();
    Ok(found.into_iter().flatten().map(|note| Elsewhere { place: place.clone(), note }).collect())
}

/// What the report says, a line each.
fn said(report: &Report, given: usize) -> Vec<String> {
    let rows = |count: u64| if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
    let mut lines = Vec::new();
    let (stored, elsewhere) = (report.stored, report.elsewhere);
    if report.troubles.is_empty() {
        let since = report.span.map(|(first, last)| {
            format!(", from {} to {}", timestamp::format(first), timestamp::format(last))
        });
        lines.push(format!("The audit log holds: {}{}.", rows(report.rows), since.unwrap_or_default()));
    } else {
        lines.push("THE AUDIT LOG DOES NOT HOLD.".to_owned());
        lines.extend(report.troubles.iter().map(|trouble| format!("  {trouble}")));
    }
    lines.push(format!(
        "Checkpoints in the database that hold: {}, the last over {}.",
        stored.0,
        rows(stored.1)
    ));
    lines.push(match (given, elsewhere) {
        (0, _) => {
            "Compared with no checkpoint from elsewhere: an older copy of the whole database would not be \
            noticed. Give one with --checkpoint."
                .to_owned()
        }
        (_, (held, size)) => {
            let open = report.rows.saturating_sub(size);
            let open = if open > 0 && report.troubles.is_empty() {
                format!(" The {} after that are vouched for by nothing that is kept elsewhere.", rows(open))
            } else {
                String::new()
            };
            format!(
                "Checkpoints from elsewhere that hold: {held} of {given}, the last over {}.{open}",
                rows(size)
            )
        }
    });
    lines
}
