//! `aegis-console decide`: approve or reject one action without the screen.
//!
//! Two ways in: an action of a gateway's queue, decided on by its digest, and a bare key of an AEGIS server that has no
//! queue. It says what became of the decision in words or as JSON, and by its exit code.

mod report;
mod target;

use crate::cli::connection::Connection;
use crate::client::{Builder, ClientError};
use crate::domain::{Digest, Verdict, action};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;
use uuid::Uuid;

const AFTER_HELP: &str = "\
With --json, one object on standard output: outcome, http_status, tries (number, status or error, started; took and \
waited in seconds), request_id, idempotency_key, standing (verdict, reviewer, decided_at, request_id; or null), detail.

Exit codes:
  0  accepted, committed, mine: this decision stands
  1  anything else that went wrong
  2  wrong usage
  3  same: another reviewer had decided the same
  4  conflict: the opposite decision stands, this one had no effect
  5  refused: by the server, or because the action is not the one that --digest names
  6  unconfirmed, in_progress, unknown: it may have landed; ask again with --request-id
  7  not_sent: nothing reached the server
  8  quota
  9  failed: taken, but its processing failed";

/// The arguments of `decide`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// What to decide
    #[arg(value_parser = PossibleValuesParser::new(["approve", "reject"]).try_map(|word| word.parse::<Verdict>()))]
    verdict: Verdict,

    /// The action's id in the gateway's queue
    #[arg(value_parser = action_id, required_unless_present = "key", requires = "digest",
        conflicts_with_all = ["key", "thread", "tenant", "payload"])]
    id: Option<String>,

    /// The digest of what was read and decided on; another one on the server, and nothing is sent
    #[arg(long, value_name = "sha256:…", requires = "id")]
    digest: Option<Digest>,

    /// Why; it reaches the agent as typed
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

    /// Print one JSON object instead of words
    #[arg(long)]
    json: bool,

    /// Seconds for one try, fractions allowed
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    timeout: Duration,

    /// How often to send it again after the first try
    #[arg(long, value_name = "N", default_value_t = 3)]
    max_retries: u32,

    /// Seconds for everything, fractions allowed
    #[arg(long, value_name = "SECONDS", default_value = "45", value_parser = seconds)]
    deadline: Duration,

    /// The request id of an earlier decision, to ask again what became of it
    #[arg(long, value_name = "UUID")]
    request_id: Option<Uuid>,

    #[command(flatten)]
    connection: Connection,
}

impl Args {
    fn builder(&self) -> anyhow::Result<Builder> {
        let builder = self.connection.client()?;
        Ok(builder.timeout(self.timeout).max_retries(self.max_retries).deadline(self.deadline))
    }
}

/// Runs the command.
///
/// # Errors
/// What is neither an outcome nor wrong usage: a token file that cannot be used, an answer that cannot be read.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match runtime.block_on(target::decide(args)) {
        Ok(report) => {
            report.print(args.json);
            Ok(report.exit_code())
        }
        Err(error) => match error.downcast_ref::<ClientError>() {
            Some(ClientError::Setup(_) | ClientError::Transport(_)) | None => Err(error),
            Some(ClientError::MissingTenant) => {
                Ok(wrong_usage(&"--tenant is required where there is no API key (see --token-file)"))
            }
            // What cannot be sent as it was given is wrong usage, as if clap had found it.
            Some(_) => Ok(wrong_usage(&error)),
        },
    }
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

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    // A year is for ever, and far from what a clock cannot add.
    let fits = |time: &Duration| !time.is_zero() && *time <= Duration::from_secs(366 * 86_400);
    seconds.filter(fits).ok_or_else(|| "give seconds, more than 0, such as 10 or 0.5".into())
}
