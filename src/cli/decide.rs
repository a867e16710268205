//! `aegis-console decide`: approve or reject without the screen: one action, or a batch.
//!
//! Two ways to name one: an action of a gateway's queue, decided on by its digest, and a bare key of an AEGIS server that
//! has no queue. It says what became of the decision in words or as JSON, and by its exit code. With `--batch` there are
//! many, and `cli/batch` carries them out.

pub(crate) mod report;
mod target;

pub(super) use target::read_payload;

use crate::cli::batch::{self, WrongLines};
use crate::cli::carry::Carrier;
use crate::cli::connection::Connection;
use crate::cli::recorded;
use crate::cli::tries::Tries;
use crate::client::{Builder, ClientError};
use crate::domain::{Digest, Verdict, action};
use anyhow::Context as _;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use uuid::Uuid;

const AFTER_HELP: &str = "\
With --json, one object on standard output: outcome, http_status, tries (number, status or error, started; took and \
waited in seconds), request_id, idempotency_key, standing (verdict, reviewer, decided_at, request_id; or null), detail.

A batch is JSON Lines: key, thread, decision (approve or reject), tenant and payload (an object) where they are needed. A \
decision is in the journal before it is sent. Killed and started again with the same batch and journal, it goes on: what \
has ended is not sent again, its outcome is printed from the journal; what is open, or reached no server, goes on under \
the same key, request id and bytes, but for what may have landed more than four and a half minutes ago: that is only \
asked about. With --json it prints {\"event\":\"intent\",\"key\":…} for each decision once it is on \
disk, and {\"event\":\"outcome\",\"key\":…,\"decision\":…,\"outcome\":…,\"request_id\":…} when it ends; both also name thread \
and tenant. A wrong line of a file is an error before anything is sent; of standard input it is an \
{\"event\":\"error\",\"line\":…,\"error\":…}, and the others go on. The same line twice is one decision.

Exit codes, of a batch the first of 2 4 9 5 6 7 8 10 3 that applies to one of its decisions, else 0:
  0  accepted, committed, mine: this decision stands
  1  anything else that went wrong
  2  wrong usage
  3  same: another reviewer had decided the same
  4  conflict: the opposite decision stands, this one had no effect
  5  refused: by the server, or because the action is not the one that --digest names
  6  unconfirmed, in_progress, unknown: it may have landed; ask again with --request-id
  7  not_sent: nothing reached the server
  8  quota
  9  failed, lapsed: taken, but its processing failed, or no other reviewer decided in time
  10 counted: this approval counts and decides nothing before another reviewer's";

/// The arguments of `decide`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// What to decide
    #[arg(value_parser = PossibleValuesParser::new(["approve", "reject"]).try_map(|word| word.parse::<Verdict>()),
        required_unless_present = "batch")]
    verdict: Option<Verdict>,

    /// The action's id in the gateway's queue
    #[arg(value_parser = action_id, required_unless_present_any = ["key", "batch"], requires = "digest",
        conflicts_with_all = ["key", "thread", "tenant", "payload"])]
    id: Option<String>,

    /// The digest of what was read and decided on; another one on the server, and nothing is sent
    #[arg(long, value_name = "sha256:…", requires = "id")]
    digest: Option<Digest>,

    /// Why; it reaches the agent as typed, where the way it asked can carry it
    #[arg(long, requires = "id")]
    reason: Option<String>,

    /// The idempotency key, for a server without a queue
    #[arg(long, requires = "thread")]
    key: Option<String>,

    /// The thread that the action belongs to
    #[arg(long, requires = "key")]
    thread: Option<String>,

    /// The tenant; needed where there is no API key
    #[arg(long, requires = "key")]
    tenant: Option<String>,

    /// The payload, a JSON object: as it is, from a file, or from standard input
    #[arg(long, value_name = "JSON|@FILE|-", requires = "key")]
    payload: Option<String>,

    /// Many decisions: a file of JSON Lines, or `-` for standard input, one decision a line
    #[arg(long, value_name = "FILE", conflicts_with_all = ["verdict", "id", "key", "request_id"])]
    batch: Option<PathBuf>,

    /// How many decisions of a batch are in flight at most
    #[arg(long, value_name = "N", default_value_t = 64, requires = "batch",
        value_parser = clap::value_parser!(u16).range(1..=64))]
    concurrency: u16,

    /// Where decisions are recorded before they are sent. One decision needs none unless this is given; a batch has one
    /// of its server's [default: in the XDG state directory]. Where an open console carries it out, they are handed to it
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,

    /// Print JSON instead of words
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    tries: Tries,

    /// The request id of an earlier decision, to ask again what became of it; where nobody says, it is sent again, which
    /// after five minutes may run it twice
    #[arg(long, value_name = "UUID")]
    request_id: Option<Uuid>,

    #[command(flatten)]
    connection: Connection,
}

impl Args {
    fn verdict(&self) -> anyhow::Result<Verdict> {
        self.verdict.context("say what to decide: approve or reject")
    }

    fn builder(&self) -> anyhow::Result<Builder> {
        Ok(self.tries.of(self.connection.client()?))
    }
}

/// Runs the command.
///
/// # Errors
/// What is neither an outcome nor wrong usage: a token file or a journal that cannot be used, an answer that cannot be
/// read.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let result = match &args.batch {
        Some(path) => many(args, path),
        None => one(args),
    };
    let error = match result {
        Ok(code) => return Ok(code),
        Err(error) => error,
    };
    match error.downcast_ref::<ClientError>() {
        Some(ClientError::MissingTenant) => {
            Ok(wrong_usage(&"--tenant is required where there is no API key (see --token-file)"))
        }
        // What cannot be sent as it was given is wrong usage, as if clap had found it.
        Some(error) if !matches!(error, ClientError::Setup(_) | ClientError::Transport(_)) => {
            Ok(wrong_usage(error))
        }
        None if error.is::<WrongLines>() => Ok(wrong_usage(&error)),
        _ => Err(error),
    }
}

fn one(args: &Args) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(target::decide(args))?;
    report.print(args.json);
    Ok(report.exit_code())
}

fn many(args: &Args, path: &Path) -> anyhow::Result<ExitCode> {
    let client = args.builder()?.build()?;
    let journal = recorded::open(&recorded::path(args.journal.as_deref(), &client)?, &client)?;
    let carrier = Carrier { client, journal, deadline: args.tries.deadline };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(batch::run(carrier, path, args.concurrency, args.json))
}

fn wrong_usage(message: &dyn std::fmt::Display) -> ExitCode {
    // Standard error may be closed; the exit code still tells.
    let _ = writeln!(std::io::stderr(), "aegis-console: {message:#}");
    ExitCode::from(2)
}

fn action_id(text: &str) -> Result<String, String> {
    // Dots alone would be another path.
    let fits = action::is_id(text) && !text.bytes().all(|byte| byte == b'.');
    if fits { Ok(text.to_owned()) } else { Err("an id is 1 to 128 of A-Z a-z 0-9 . _ : -".into()) }
}
