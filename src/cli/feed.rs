//! `aegis-console feed`: brings what waits elsewhere to the gateway, and the reviewer's answer back. What a bridge does
//! is in `agent`; here it gets its address, its password and a place to say what happens.

use crate::agent::Gate;
use crate::agent::opencode::{Login, OnExpiry, OpenCode, Server};
use crate::cli::interrupt::interrupted;
use crate::cli::provider::Provider;
use crate::domain::timestamp;
use anyhow::Context as _;
use clap::ValueEnum;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How long one call to the gateway is tried before that is told; then it is tried anew.
const BUDGET: Duration = Duration::from_secs(5);
/// The password of OpenCode's server, by OpenCode's own names.
const PASSWORD_VARIABLE: &str = "OPENCODE_SERVER_PASSWORD";
const USER_VARIABLE: &str = "OPENCODE_SERVER_USERNAME";
const USER: &str = "opencode";

/// The arguments of `feed`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    from: From,
}

#[derive(Debug, clap::Subcommand)]
enum From {
    /// OpenCode: its pending permissions become actions, the reviewer's answer goes back to its server
    #[command(name = "opencode", after_help = AFTER_HELP)]
    OpenCode(OpenCodeArgs),
}

const AFTER_HELP: &str = "\
It says what happens on standard output, one line a thing, until it is interrupted; then what still waits is withdrawn \
here and goes on waiting in OpenCode. Killed and started again with the same --timeout it goes on where it was. OpenCode is only ever told `once` \
or `reject`, never `always`; a rejection there also rejects what else waits in the same session. A server with a password \
is given the one in OPENCODE_SERVER_PASSWORD (and the user in OPENCODE_SERVER_USERNAME, else opencode).

Exit codes:
  0  interrupted
  1  it could not begin
  2  wrong usage";

#[derive(Debug, clap::Args)]
struct OpenCodeArgs {
    /// OpenCode's server: https, or http on this machine
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:4096")]
    opencode: String,

    /// The project whose permissions are asked, where the server was started in another directory
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,

    /// How long a reviewer has: 30s, 10m, 24h
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = time)]
    timeout: String,

    /// What OpenCode is told where no reviewer decides in time
    #[arg(long, value_name = "WHAT", default_value = "reject")]
    on_expiry: Expiry,

    #[command(flatten)]
    provider: Provider,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Expiry {
    /// No
    Reject,
    /// Nothing: OpenCode goes on asking whoever sits before it
    Leave,
}

/// Runs the command.
///
/// # Errors
/// Where it cannot begin: an address, a credential or a project that cannot be used.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let From::OpenCode(args) = &args.from;
    let directory = args.directory.as_deref().map(std::fs::canonicalize).transpose();
    let directory = directory.context("the project of --directory cannot be found")?;
    let directory = directory.map(|path| path.into_os_string().into_string());
    let directory = directory.transpose().ok().context("the path of --directory is not UTF-8")?;
    let server = Server::new(&args.opencode, login(), directory.as_deref())
        .context("the server of --opencode cannot be asked")?;
    let gate = Gate::new(args.provider.client()?.retry_budget(BUDGET));
    let on_expiry = match args.on_expiry {
        Expiry::Reject => OnExpiry::Reject,
        Expiry::Leave => OnExpiry::Leave,
    };
    let tell = Arc::new(|line: &str| {
        // Nobody may be reading; the answers go on all the same.
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let stop = interrupted()?;
        OpenCode::new(server, gate, on_expiry, &args.timeout, tell).run(stop).await;
        anyhow::Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What OpenCode's server may ask for, never from a flag: those can be read by others.
fn login() -> Option<Login> {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let password = set(PASSWORD_VARIABLE)?.into();
    Some(Login { user: set(USER_VARIABLE).unwrap_or_else(|| USER.to_owned()), password })
}

fn time(text: &str) -> Result<String, String> {
    let within = Duration::from_secs(1)..=Duration::from_secs(30 * 24 * 60 * 60);
    match timestamp::span(text).filter(|time| within.contains(time)) {
        Some(_) => Ok(text.to_owned()),
        None => Err("like 30s, 10m, 24h or 7d, from 1s to 30d".into()),
    }
}
