//! `aegis-console serve`: run the gateway until it is told to stop.
//!
//! Says where it listens and where the tokens are, never a token itself.

use crate::cli::checkpoints::Checkpoints;
use crate::cli::logs::Logs;
use crate::cli::place::Place;
use crate::gateway::{Bounds, Config, Gateway, GatewayError, SHORTEST_KEEP, TlsFiles};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// The arguments of `serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Stops on SIGINT and SIGTERM; waiting calls are answered first. \
    On SIGHUP the rules, and the TLS certificate and key, are read again. Exit code 0 after such a stop, 1 where it could not start.")]
pub struct Args {
    /// Where to listen: an address and a port (0 takes a free one). Beyond loopback only with TLS or --behind-proxy, and
    /// only once somebody has a token of their own
    #[arg(long, value_name = "ADDRESS", default_value = DEFAULT_LISTEN)]
    listen: SocketAddr,
    #[command(flatten)]
    place: Place,
    /// The TLS certificate in PEM, after it those that lead to its authority: then https is spoken, and nothing else
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The private key of the certificate in PEM, readable by you alone
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Others reach this gateway through a proxy, which speaks TLS with them and sends each call on to it. Then everybody
    /// needs a token of their own, on this machine too. Name the hosts that they call with --allowed-host, where the
    /// proxy passes the Host header on
    #[arg(long)]
    behind_proxy: bool,
    /// The rules [default: rules.toml in the data directory, where it is there]
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Let the published client's self-hosted mode in: a Tenant-Id and no credential decides. On this machine only
    #[arg(long)]
    tenant_mode: bool,
    /// How many actions of one agent may wait for a decision; who asks for more is told to come later (429)
    #[arg(long, value_name = "N", default_value_t = Bounds::default().pending_per_agent)]
    pending_per_agent: usize,
    /// For how long what has ended is kept, in days (90d); at least 7d. Without it nothing is ever forgotten, and the audit
    /// log is not in any case
    #[arg(long, value_name = "DAYS", value_parser = days)]
    keep: Option<Duration>,
    /// A name by which the gateway may be called beside the loopback ones, with a port or for any; may be repeated
    #[arg(long, value_name = "HOST")]
    allowed_host: Vec<String>,
    /// A host that webhooks to agents' instances may go to although its addresses are not public, with a port or for any;
    /// may be repeated. The webhook is https all the same
    #[arg(long, value_name = "HOST")]
    webhooks_to: Vec<String>,
    #[command(flatten)]
    logs: Logs,
    #[command(flatten)]
    checkpoints: Checkpoints,
}

/// Where a gateway listens unless told otherwise: what the published client calls by default.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8000";

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    args.logs.start();
    let mut config = Config::new(args.listen, args.place.data()?);
    config.database = args.place.database();
    config.tls = args.tls_cert.zip(args.tls_key).map(|(certificate, key)| TlsFiles { certificate, key });
    config.behind_proxy = args.behind_proxy;
    config.rules = args.rules;
    config.tenant_mode = args.tenant_mode;
    config.allowed_hosts = args.allowed_host;
    config.webhooks_to = args.webhooks_to;
    config.checkpoints = args.checkpoints.places()?;
    config.keep = args.keep;
    config.bounds.pending_per_agent = args.pending_per_agent;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(config))
}

async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    // Before the start, so that a signal during it is not lost.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let tenant_mode = config.tenant_mode;
    let gateway = Gateway::start(config).await?;
    // Whoever closed standard output does not want to read it; the gateway runs all the same.
    let _ = announce(&gateway, tenant_mode);
    loop {
        tokio::select! {
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            _ = hangup.recv() => reload(&gateway).await,
        }
    }
    let _ = writeln!(std::io::stdout(), "stopping");
    gateway.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

/// A number of days, like `90d`.
fn days(text: &str) -> Result<Duration, String> {
    let days = text.strip_suffix('d').filter(|days| days.bytes().all(|byte| byte.is_ascii_digit()));
    let days: Option<u32> = days.and_then(|days| days.parse().ok());
    let keep = days.map(|days| Duration::from_secs(u64::from(days) * 24 * 60 * 60));
    let keep = keep.ok_or("a number of days is like 90d")?;
    if keep < SHORTEST_KEEP {
        return Err(
            "less than 7d is not kept: a key that was used must stay used for longer than it is sent again"
                .into(),
        );
    }
    Ok(keep)
}

/// What SIGHUP asks for. A mistake in a file stops nothing: what was in use stays in use.
async fn reload(gateway: &Gateway) {
    match gateway.reload_rules().await {
        // As at the start: nobody may be there to read it.
        Ok(count) => {
            let _ = writeln!(std::io::stdout(), "rules read again: {count} in force");
        }
        Err(error) => {
            match error {
                GatewayError::Rules(mistakes) => {
                    for mistake in mistakes.iter() {
                        tracing::error!(at = mistake.place(), "{}", mistake.message());
                    }
                }
                error => tracing::error!(%error, "the audit log cannot be told of the rules"),
            }
            tracing::error!("the rules were not read again; the earlier ones stay in force");
        }
    }
    if let Err(error) = gateway.reload_tls() {
        tracing::error!(%error, "the TLS certificate and key were not read again; the earlier ones stay in use");
    }
}

fn announce(gateway: &Gateway, tenant_mode: bool) -> std::io::Result<()> {
    let url = gateway.url();
    if tenant_mode {
        writeln!(
            std::io::stderr(),
            "WARNING: TENANT MODE. No credential is needed to decide: every process on this machine can approve anything."
        )?;
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on {url}")?;
    if gateway.is_exposed() {
        writeln!(out, "agents ask at     {url}/aap    everybody with a token of their own")?;
        writeln!(out, "reviewers decide  {url}")?;
    } else {
        writeln!(out, "agents ask at     {url}/aap    token: {}", gateway.agent_token_file().display())?;
        writeln!(out, "reviewers decide  {url}        token: {}", gateway.reviewer_token_file().display())?;
    }
    writeln!(out, "rules             {} in force, from {}", gateway.rules(), gateway.rules_file().display())?;
    writeln!(out, "stop with Ctrl-C")?;
    out.flush()
}
