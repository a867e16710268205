//! `aegis-console mcp`: a server of the Model Context Protocol for one client, on standard input and output.
//!
//! Standard output belongs to the protocol: whatever else is to be said goes to standard error.

use super::interrupt::interrupted;
use super::logs::Logs;
use super::provider::Provider;
use crate::agent::mcp::{Options, serve};
use crate::domain::action::is_id;
use crate::domain::timestamp::span;
use std::process::ExitCode;
use std::time::Duration;
use uuid::Uuid;

/// How long the last lines may take to be written to a client that has stopped.
const LAST: Duration = Duration::from_secs(1);
/// What the gateway takes.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The arguments of `mcp`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Tools: request_approval (for every client: ask a person, and wait), report_outcome (how it went), permission_prompt (for \
Claude Code: claude -p … --mcp-config FILE --permission-prompt-tool mcp__aegis__permission_prompt, where the server is \
named aegis in FILE). Only the status approved, or the behaviour allow, is a yes: whatever fails is a no.

Several calls may wait at once. A call that the client takes back is withdrawn; so is all that waits when the client closes \
standard input, or on SIGINT, SIGTERM and SIGHUP. Exit code 0 after such an end, 1 where it could not start. Standard output \
carries the protocol and nothing else.")]
pub struct Args {
    #[command(flatten)]
    provider: Provider,
    /// How long a person has to decide, at most: 90s, 30m, 2h. Then the answer is no
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = time)]
    timeout: Duration,
    /// How often a client that asked for it is told that the wait goes on
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = time)]
    progress: Duration,
    /// The thread that everything asked belongs to [default: the session of the Claude Code that started this, else one of
    /// this run]
    #[arg(long, value_name = "ID", value_parser = thread)]
    thread: Option<String>,
}

fn time(text: &str) -> Result<Duration, String> {
    let time = span(text).filter(|time| !time.is_zero() && *time <= LONGEST);
    time.ok_or_else(|| "a time is like 90s, 30m or 2h, up to 30d".into())
}

fn thread(text: &str) -> Result<String, String> {
    let id = is_id(text).then(|| text.to_owned());
    id.ok_or_else(|| "a thread is 1 to 128 of A-Z a-z 0-9 . _ : -".into())
}

/// The session of the Claude Code that started this process: its hooks name the same thread. Seen in 2.1.332.
fn session() -> Option<String> {
    std::env::var("CLAUDE_CODE_SESSION_ID").ok().filter(|id| is_id(id))
}

/// Runs the command.
///
/// # Errors
/// There is no usable credential or address, or the client does not speak the protocol.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    Logs::warnings();
    let client = args.provider.client()?;
    let options = Options {
        timeout: args.timeout,
        progress: args.progress,
        thread: args.thread.or_else(session).unwrap_or_else(|| format!("mcp-{}", Uuid::new_v4().simple())),
        directory: std::env::current_dir().ok().and_then(|path| path.to_str().map(str::to_owned)),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let served = runtime.block_on(async {
        let stop = interrupted()?;
        let (read, write) = (tokio::io::stdin(), tokio::io::stdout());
        serve(client, options, read, write, stop).await.map_err(anyhow::Error::from)
    });
    // A read of standard input cannot be given up: it must not hold up the end.
    runtime.shutdown_timeout(LAST);
    served.map(|()| ExitCode::SUCCESS)
}
