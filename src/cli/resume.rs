//! `aegis-console resume`: carry out what the journal still holds, without a screen.
//!
//! Each decision goes on under the same key, request id and bytes. What is for another server stays where it is: a
//! credential goes to the server that it is for.

use crate::cli::batch::{say_ended, say_returned};
use crate::cli::carry::standing::Standing;
use crate::cli::carry::{Carrier, Ended, GROUP, Job};
use crate::cli::connection::Connection;
use crate::cli::tries::Tries;
use crate::cli::{output, recorded};
use crate::dispatch::{Check as _, Checked};
use crate::domain::{Outcome, Visible};
use crate::journal::{Entry, Holder, Journal, Stage, Step};
use anyhow::Context as _;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::sync::mpsc;

const AFTER_HELP: &str = "\
Carries out, one go each: what is held, queued, sending or unconfirmed, and what was not sent or met a quota. What \
may have landed more than four and a half minutes ago is only asked about, because the server may carry it out again: \
`decide --request-id` or the console's `t` sends it. What was decided on an action of a gateway's queue and has not been \
sent yet goes out only if the action still stands as it was seen; else it is given back, and `outbox` says why. With --json it prints the outcome events of `decide --batch`, and \
{\"event\":\"returned\",…,\"error\":why} for what is given back.

Where another aegis-console, such as an open console, carries the journal out, it says so and waits for what is open \
there, each as long as --deadline says; what is held or was given up there is left to its reviewer.

Exit codes, the first that applies:
  1  the journal cannot be used
  2  wrong usage, or a decision that these credentials cannot send
  6  something may have landed, and the server does not say; or is for another server
  7  something did not reach the server
  8  quota
  0  all is at an end, whatever its outcome";

/// The codes of a decision that is not at an end.
const LEFT: [u8; 4] = [2, 6, 7, 8];
/// Decisions at an end that are looked at for what was not sent.
const LOOKED_AT: usize = 100_000;

/// The arguments of `resume`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// The journal [default: that of the server, in the XDG state directory]
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,

    /// How many decisions are in flight at most
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=64))]
    concurrency: u16,

    /// Print JSON instead of words
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    tries: Tries,

    #[command(flatten)]
    connection: Connection,
}

/// Runs the command.
///
/// # Errors
/// The journal cannot be used, or the connection's flags cannot.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let client = args.tries.of(args.connection.client()?).build()?;
    let path = recorded::path(args.journal.as_deref(), &client)?;
    if !path.exists() {
        // Looking makes no file.
        return Ok(nothing_left(args.json));
    }
    let journal = recorded::open(&path, &client)?;
    let carried_here = journal.is_dispatcher();
    // What another one carries out and has ended is its reviewer's.
    let mut left = if carried_here { left(&journal)? } else { journal.open_entries()? };
    left.retain(|entry| carried_here || entry.stage != Stage::Held);
    let url = recorded::base_url(&client);
    let (ours, others): (Vec<_>, Vec<_>) = left.into_iter().partition(|entry| entry.intent.base_url == url);
    if let Some(Holder { process, .. }) = journal.holder() {
        output::complain(&format!(
            "another aegis-console (process {process}) carries the journal out: it is waited for what is open"
        ));
    }
    if ours.is_empty() && others.is_empty() {
        return Ok(nothing_left(args.json));
    }
    let carrier = Carrier { client, journal, deadline: args.tries.deadline };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut codes = runtime.block_on(async {
        let jobs = if carried_here {
            let standing = give_back_what_changed(&carrier, ours, args.json).await?;
            let jobs: Result<Vec<_>, _> =
                standing.into_iter().map(|entry| Job::of(&carrier.journal, entry)).collect();
            jobs?.into_iter().flatten().collect()
        } else {
            ours.into_iter().map(|entry| Job::new(entry.intent)).collect()
        };
        carry_out(carrier, jobs, args).await
    })?;
    for entry in others {
        let url = Visible::of(&entry.intent.base_url).plain();
        output::complain(&format!("{} is for {url}: resume it with --server {url}", entry.intent.key));
        codes.insert(6);
    }
    Ok(ExitCode::from(LEFT.into_iter().find(|code| codes.contains(code)).unwrap_or_default()))
}

fn nothing_left(json: bool) -> ExitCode {
    if !json {
        output::line("Nothing is left.");
    }
    ExitCode::SUCCESS
}

/// What is open, oldest first, and what was not sent.
fn left(journal: &Journal) -> anyhow::Result<Vec<Entry>> {
    let mut left = journal.open_entries()?;
    let unsent = |entry: &Entry| {
        let outcome = entry.resolution.as_ref().map(|resolution| &resolution.outcome);
        entry.stage == Stage::Ended && matches!(outcome, Some(Outcome::NotSent | Outcome::Quota { .. }))
    };
    let recent = journal.recent(LOOKED_AT)?;
    left.extend(recent.into_iter().filter(unsent));
    left.sort_by_key(|entry| entry.intent.decided_at);
    Ok(left)
}

/// What was decided on a queue's action and never sent goes out only as it was seen: what remains of the entries.
async fn give_back_what_changed(
    carrier: &Carrier,
    entries: Vec<Entry>,
    json: bool,
) -> anyhow::Result<Vec<Entry>> {
    let waited = |entry: &Entry| {
        let unsent = matches!(entry.stage, Stage::Held | Stage::Queued) && !entry.maybe;
        unsent && entry.intent.sealed.is_some()
    };
    if !entries.iter().any(waited) {
        return Ok(entries);
    }
    let check = Standing::new(carrier.client.clone());
    let mut standing = Vec::with_capacity(entries.len());
    for entry in entries {
        let checked = if waited(&entry) { check.still_stands(&entry.intent).await } else { Checked::Stands };
        match checked {
            Checked::Changed(why) => {
                carrier.journal.note(entry.intent.id, Step::Returned(why.clone())).await?;
                say_returned(json, &entry.intent, &why);
            }
            // The gateway itself refuses what is not what was seen.
            Checked::Stands | Checked::Undecided | Checked::Unknown => standing.push(entry),
        }
    }
    Ok(standing)
}

async fn carry_out(carrier: Carrier, jobs: Vec<Job>, args: &Args) -> anyhow::Result<BTreeSet<u8>> {
    let (send, to_carry) = mpsc::channel(1);
    let (end, mut ended) = mpsc::channel(GROUP);
    let carrying = tokio::spawn(carrier.run(to_carry, args.concurrency, end));
    let feed = async move {
        let mut jobs = jobs.into_iter();
        loop {
            let group: Vec<_> = jobs.by_ref().take(GROUP).collect();
            if group.is_empty() || send.send(group).await.is_err() {
                return;
            }
        }
    };
    let print = async {
        let (mut codes, mut failed) = (BTreeSet::new(), None);
        while let Some(news) = ended.recv().await {
            match news {
                Ended::Resolved(intent, resolution) => {
                    codes.insert(say_ended(args.json, &intent, &resolution));
                }
                Ended::Returned(intent, why) => say_returned(args.json, &intent, &why),
                Ended::Unsendable(intent, error) => {
                    output::complain(&format!("{}: {error}", intent.key));
                    codes.insert(2);
                }
                Ended::NotRecorded(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(codes), Err)
    };
    let ((), printed) = tokio::join!(feed, print);
    carrying.await?;
    printed.context("resume again when that is mended")
}
