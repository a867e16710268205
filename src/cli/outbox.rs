//! `aegis-console outbox`: what the journal holds, what is still open first.
//!
//! It reads, and sends nothing. `--set-aside` is the one way in which a damaged journal is ever touched: it is moved, so
//! that a new one can begin, and what was in it is kept.

use crate::cli::connection::Connection;
use crate::cli::output;
use crate::cli::recorded;
use crate::domain::{Action, Verdict, Visible, timestamp};
use crate::journal::{self, Entry, Journal, Stage};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::path::PathBuf;
use std::process::ExitCode;

const AFTER_HELP: &str = "\
With --json, one object on standard output: journal (the file) and decisions, open ones first and oldest first, then \
the others, newest first. Each has id, request_id, key, thread, tenant, decision, server, action, stage (held, queued, \
sending, doubtful, ended, dropped, returned), outcome, http_status, detail, maybe (it may have landed), tries, next_at, \
returned (why it was not sent), reason, reviewer, decided_at, updated_at.

Exit codes:
  0  listed, or set aside
  1  the journal cannot be read, or not set aside
  2  wrong usage";

const HEAD: [&str; 7] = ["DECIDED", "DECISION", "STANDS", "TRIES", "KEY", "THREAD", "SERVER"];
const WIDEST: [usize; 7] = [20, 8, 24, 5, 48, 32, 48];

/// The arguments of `outbox`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// The journal [default: that of the server, in the XDG state directory]
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,

    /// How many decisions that are at an end to list beside the open ones
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,

    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,

    /// Move a damaged journal aside, so that a new one begins; nothing in it is changed
    #[arg(long, conflicts_with_all = ["json", "limit"])]
    set_aside: bool,

    #[command(flatten)]
    connection: Connection,
}

/// Runs the command.
///
/// # Errors
/// The journal cannot be opened, read or moved; the message says what to do.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    // No credential: nothing is asked of the server but its name.
    let path = recorded::path(args.journal.as_deref(), &recorded::nobody(args.connection.url())?)?;
    let name = Visible::of(&path.to_string_lossy()).plain();
    if args.set_aside {
        let moved = journal::set_aside(&path)?;
        let moved = Visible::of(&moved.to_string_lossy()).plain();
        output::line(&format!("{name} is now {moved}: what was in it is not sent; a new journal begins"));
        return Ok(ExitCode::SUCCESS);
    }
    let entries = match path.exists() {
        true => entries(&Journal::open(&path)?, args.limit)?,
        // Looking makes no file.
        false => Vec::new(),
    };
    if args.json {
        let decisions: Vec<_> = entries.iter().map(as_json).collect();
        output::line(&output::json(&json!({"journal": path.to_string_lossy(), "decisions": decisions})));
    } else if entries.is_empty() {
        output::line(&format!("{name} holds nothing."));
    } else {
        let rows: Vec<_> = entries.iter().map(row).collect();
        output::table(HEAD, WIDEST, &rows).iter().for_each(|line| output::line(line));
    }
    Ok(ExitCode::SUCCESS)
}

/// Open ones, oldest first; then the others, newest first.
fn entries(journal: &Journal, limit: usize) -> anyhow::Result<Vec<Entry>> {
    let mut entries = journal.open_entries()?;
    let open: HashSet<_> = entries.iter().map(|entry| entry.intent.id).collect();
    let recent = journal.recent(limit.saturating_add(open.len()))?;
    let others = recent.into_iter().filter(|entry| !open.contains(&entry.intent.id));
    entries.extend(others.take(limit));
    Ok(entries)
}

fn as_json(entry: &Entry) -> Value {
    let intent = &entry.intent;
    let resolution = entry.resolution.as_ref();
    let action = intent.sealed.as_ref().and_then(|sealed| Action::read(sealed.clone()).ok());
    json!({
        "id": intent.id,
        "request_id": intent.request_id,
        "key": intent.key,
        "thread": intent.thread_id,
        "tenant": intent.tenant_id,
        "decision": intent.verdict.word(),
        "server": intent.base_url,
        "action": action.map(|action| action.name.raw().to_owned()),
        "stage": entry.stage.word(),
        "outcome": resolution.map(|resolution| resolution.outcome.word()),
        "http_status": resolution.and_then(|resolution| resolution.http_status),
        "detail": resolution.and_then(|resolution| resolution.detail.as_ref().map(|detail| detail.raw().to_owned())),
        "maybe": entry.maybe,
        "tries": entry.tries,
        "next_at": entry.next_at.map(timestamp::format),
        "returned": entry.returned,
        "reason": intent.reason,
        "reviewer": intent.reviewer,
        "decided_at": timestamp::format(intent.decided_at),
        "updated_at": timestamp::format(entry.updated_at),
    })
}

fn row(entry: &Entry) -> [Visible; 7] {
    let intent = &entry.intent;
    [
        Visible::of(&intent.decided_at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()),
        Visible::of(Verdict::word(intent.verdict)),
        Visible::of(&stands(entry)),
        Visible::of(&entry.tries.to_string()),
        Visible::of(&intent.key),
        Visible::of(&intent.thread_id),
        Visible::of(&intent.base_url),
    ]
}

/// The words of screen.md.
fn stands(entry: &Entry) -> String {
    match (&entry.resolution, entry.stage) {
        (Some(resolution), _) => {
            let (label, word) = (resolution.outcome.label(resolution.http_status), resolution.outcome.word());
            if label == "202" { format!("202 {word}") } else { label }
        }
        (None, Stage::Doubtful) => "unconfirmed, asks again".into(),
        (None, stage) => stage.word().into(),
    }
}
