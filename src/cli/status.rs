//! `aegis-console status`: ask the server what became of an earlier decision, by its request id.
//!
//! It asks once and sends nothing. What the server does not say is not made up: a request id that it does not know may
//! still be on its way.

use crate::cli::connection::Connection;
use crate::cli::decide::report::{clock, standing};
use crate::cli::output;
use crate::cli::tries::seconds;
use crate::client::{ClientError, StatusAnswer};
use crate::domain::{RowStatus, Untrusted};
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

const AFTER_HELP: &str = "\
With --json, one object on standard output: http_status, status (COMMITTED, PENDING, FAILED or null), mine (whether the \
decision that stands is this very one; null where the server does not say), standing (verdict, reviewer, decided_at, \
request_id; or null), request_id (the one asked for), idempotency_key, action_id, detail.

Exit codes:
  0  a decision stands: committed
  1  anything else that went wrong
  2  wrong usage
  5  refused: the server does not answer this with these credentials
  6  not known: pending, or the server does not know the request id or does not say
  7  no answer
  9  failed: taken, but its processing failed";

/// Columns that a server's words get on a line.
const WIDTH: usize = 300;

/// The arguments of `status`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// The X-Request-Id of the decision
    request_id: String,

    /// The thread that it was sent with, for servers that want it
    #[arg(long)]
    thread: Option<String>,

    /// The tenant; needed where there is no API key
    #[arg(long)]
    tenant: Option<String>,

    /// Print one JSON object instead of words
    #[arg(long)]
    json: bool,

    /// Seconds to wait for the answer, fractions allowed
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    timeout: Duration,

    #[command(flatten)]
    connection: Connection,
}

/// Runs the command.
///
/// # Errors
/// A token file that cannot be used, or a client that cannot be set up.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut builder = args.connection.client()?.timeout(args.timeout);
    if let Some(tenant) = &args.tenant {
        builder = builder.tenant_id(tenant);
    }
    if let Some(thread) = &args.thread {
        builder = builder.thread_id(thread);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let asked = async { builder.build()?.status(&args.request_id).await };
    match runtime.block_on(asked) {
        Ok(answer) => {
            print(args, &answer);
            Ok(ExitCode::from(code(&answer)))
        }
        Err(error) => {
            let code = match &error {
                ClientError::Transport(_) => 7,
                ClientError::Setup(_) => return Err(error.into()),
                // What cannot be sent as it was given is wrong usage, as if clap had found it.
                _ => 2,
            };
            // Standard error may be closed; the exit code still tells.
            let _ = writeln!(std::io::stderr(), "aegis-console: {}: {error}", args.connection.url());
            Ok(ExitCode::from(code))
        }
    }
}

fn print(args: &Args, answer: &StatusAnswer) {
    if args.json {
        output::line(&output::json(&as_json(args, answer)));
    } else {
        words(args, answer).iter().for_each(|line| output::line(line));
    }
}

/// Whether the decision that stands is the one that was asked for.
fn mine(args: &Args, answer: &StatusAnswer) -> Option<bool> {
    let standing = answer.standing.request_id.as_ref()?;
    Some(standing.eq_ignore_ascii_case(&args.request_id))
}

/// A status other than 200 says nothing about a decision, whatever its body claims.
fn known(answer: &StatusAnswer) -> bool {
    answer.http_status == 200
}

fn as_json(args: &Args, answer: &StatusAnswer) -> Value {
    let known = known(answer);
    let text = |text: &Option<Untrusted>| text.as_ref().map(|text| text.raw().to_owned());
    json!({
        "http_status": answer.http_status,
        "status": answer.standing.status.filter(|_| known).map(RowStatus::word),
        "mine": mine(args, answer).filter(|_| known),
        "standing": known.then(|| standing(&answer.standing)),
        "request_id": args.request_id,
        "idempotency_key": text(&answer.idempotency_key),
        "action_id": text(&answer.action_id),
        "detail": text(&answer.detail),
    })
}

fn words(args: &Args, answer: &StatusAnswer) -> Vec<String> {
    let url = args.connection.url();
    let mut lines = Vec::new();
    if known(answer) {
        let row = &answer.standing;
        let mut line = row.status.map_or("no status", RowStatus::word).to_owned();
        if let Some(verdict) = row.verdict {
            let who = row.reviewer.as_ref();
            let who = who.map_or_else(|| "somebody".to_owned(), |name| name.visible().cut(64).plain());
            line.push_str(&format!(" · {who} {} it", verdict.past()));
        }
        if let Some(at) = row.decided_at {
            line.push_str(&format!(" at {}", clock(at)));
        }
        line.push_str(match mine(args, answer) {
            Some(true) => " · by this very call",
            Some(false) => " · by another call",
            None => " · the server does not say by which call",
        });
        lines.push(line);
    } else {
        lines.push(match answer.http_status {
            404 => format!("{url} does not know this request id; it may still be on its way"),
            401 | 403 => format!("{url} does not let this credential ask ({})", answer.http_status),
            status => format!("{url} answered {status}"),
        });
    }
    if let Some(detail) = &answer.detail {
        lines.push(format!("the server says: {}", detail.visible().cut(WIDTH).plain()));
    }
    lines
}

/// The exit codes, as `--help` lists them.
fn code(answer: &StatusAnswer) -> u8 {
    match (answer.http_status, answer.standing.status) {
        (200, Some(RowStatus::Committed)) => 0,
        (200, Some(RowStatus::Failed)) => 9,
        (200 | 404 | 408 | 425 | 429 | 500.., _) => 6,
        _ => 5,
    }
}
