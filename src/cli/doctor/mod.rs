//! `aegis-console doctor`: what is set up, what is reachable, as whom, and what would happen to an action now.
//!
//! It looks and changes nothing: no request is asked that a reviewer would see, no file is written, no secret is printed.

mod files;
mod now;
mod report;
mod server;
mod ways;
mod who;

use super::config::Chosen;
use super::connection::{Connection, DEFAULT_SERVER, authorities};
use super::place::default_data;
use super::provider::{Provider, SERVER_VARIABLE};
use crate::agent::is_here;
use crate::client::Authorities;
use crate::domain::Visible;
use now::Now;
use report::{Report, State};
use server::Server;
use std::path::PathBuf;
use std::process::ExitCode;
use who::{agents_token, as_agent, as_reviewer, introduce, reviewers_token, shown};

/// How far two clocks may be apart. A request is waited for 10 s longer than it stands.
const APART: i64 = 10;

/// The arguments of `doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Each line begins with ok, warn or fail; below it stands what to do. Nothing is changed and nobody is asked: no reviewer sees \
that it ran. With --json one object: ok, and checks, each with check, state, words and advice (null where there is none).

Exit codes:
  0  nothing fails
  1  something does")]
pub struct Args {
    /// The gateway, for reviewers and agents alike [default: the server of the config, for agents that of
    /// AEGIS_AGENT_SERVER, else http://localhost:8000]
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// The reviewer's token [default: as the console finds it, else reviewer.token of the gateway's directory, where
    /// that was named or the gateway is on this machine]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The agent's token [default: as agents find it]
    #[arg(long, value_name = "FILE")]
    agent_token_file: Option<PathBuf>,
    /// A file in PEM with the authorities that may vouch for the gateway's certificate
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// The gateway's directory, where it runs on this machine [default: aegis-console in the XDG state directory]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The config file
    #[arg(long, value_name = "FILE", env = "AEGIS_CONSOLE_CONFIG")]
    config: Option<PathBuf>,
    /// The action that `now` is told of
    #[arg(long, value_name = "NAME", default_value = "some_action")]
    action: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// Nothing can be looked at at all.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(examine(args));
    report.print(args.json);
    Ok(if report.is_fine() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn examine(args: &Args) -> Report {
    let mut report = Report::default();
    let chosen = files::config(&mut report, args.config.as_deref());
    let config = chosen.as_ref().map(Chosen::config);
    let data = args.data.clone().map_or_else(default_data, Ok).ok();
    if let Some(data) = &data {
        files::data(&mut report, data);
    }
    let server = args.server.clone().or_else(|| config.and_then(|config| config.server.0.clone()));
    let journal = config.and_then(|config| config.journal.as_deref());
    let url = server.clone().unwrap_or_else(|| DEFAULT_SERVER.to_owned());
    files::journal(&mut report, journal, &url);

    let ca_file = args.ca_file.clone().or_else(|| config.and_then(|config| config.ca_file.clone()));
    let trusted = match authorities(ca_file.as_deref()) {
        Ok(trusted) => trusted,
        Err(error) => {
            report.not(State::Fail, "TLS", shown(&error), "name another file with --ca-file");
            return report;
        }
    };
    // What a gateway's directory holds says nothing of another gateway, and its tokens are none of that one's business.
    let is_its = |url: &str| args.data.is_some() || is_here(url).unwrap_or_default();
    let own = data.as_ref().filter(|_| is_its(&url)).map(|data| data.join("reviewer.token"));
    let own = own.filter(|path| path.exists());
    let token_file = args.token_file.clone().or_else(|| config.and_then(|config| config.token_file.clone()));
    let connection = Connection { server: Some(url.clone()), token_file, ca_file: None };
    let reviewer = reviewers_token(&mut report, &connection, own);
    let gateway = reach(&mut report, &url, &trusted).await;
    if let (Some(gateway), Some(token)) = (&gateway, &reviewer) {
        let who = introduce(&mut report, "reviewer", gateway, token).await;
        as_reviewer(&mut report, who.as_ref());
    }

    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let provider = Provider {
        server: args.server.clone().or_else(|| set(SERVER_VARIABLE)).or(server),
        token_file: args.agent_token_file.clone(),
        ca_file: None,
    };
    let elsewhere = provider.url().trim_end_matches('/') != url.trim_end_matches('/');
    let other = if elsewhere { reach(&mut report, provider.url(), &trusted).await } else { None };
    let asked = if elsewhere { other.as_ref() } else { gateway.as_ref() };
    let data = data.filter(|_| is_its(provider.url()));
    let agent = match (agents_token(&mut report, &provider, data.as_deref()), asked) {
        (Some(token), Some(gateway)) => introduce(&mut report, "agent", gateway, &token).await,
        _ => None,
    };
    let agent = as_agent(&mut report, agent);

    ways::look(&mut report);
    let listeners = match asked {
        Some(gateway) => gateway.listeners(reviewer.as_ref().filter(|_| !elsewhere)).await,
        None => None,
    };
    let rules = data.filter(|data| data.join("gateway.db").exists()).map(|data| data.join("rules.toml"));
    let now = Now { agent: agent.as_ref(), action: &args.action, rules: rules.as_deref(), listeners };
    now::tell(&mut report, &now);
    report
}

/// Whether the gateway is there, ready, and of one time with this machine.
async fn reach(report: &mut Report, url: &str, trusted: &Authorities) -> Option<Server> {
    let name = Visible::of(url).plain();
    let server = match Server::new(url, trusted) {
        Ok(server) => server,
        Err(words) => {
            report.not(State::Fail, "server", words, "");
            return None;
        }
    };
    let health = match server.get("/healthz", None).await {
        Ok(health) => health,
        Err(words) => {
            let advice = "start one (`aegis-console serve`), or name another with --server";
            report.not(State::Fail, "server", format!("{name} cannot be reached: {words}"), advice);
            return None;
        }
    };
    let how = if url.starts_with("https:") { "over TLS" } else { "without TLS, on this machine" };
    match (health.status, server.get("/readyz", None).await) {
        (200, Ok(ready)) if ready.status == 200 => {
            report.ok("server", format!("{name} is there and ready, {how}"));
        }
        (200, ready) => {
            let why = ready.map_or_else(
                |words| words,
                |got| got.detail().unwrap_or_else(|| format!("HTTP {}", got.status)),
            );
            report.not(
                State::Fail,
                "server",
                format!("{name} is there and not ready: {why}"),
                "see what the gateway logs",
            );
        }
        (status, _) => {
            let words = format!("{name} answers, but not as a gateway of this program does (HTTP {status})");
            let advice =
                "against another AEGIS server there is no queue: `aegis-console review --queue FILE`";
            report.not(State::Warn, "server", words, advice);
        }
    }
    match health.ahead.map(|ahead| ahead.as_secs()) {
        None => {}
        Some(ahead) if ahead.abs() <= APART => report.ok("clock", "is the server's, to a few seconds"),
        Some(ahead) => {
            let which = if ahead > 0 { "ahead of" } else { "behind" };
            let words = format!("is {} s {which} the server's", ahead.abs());
            report.not(State::Warn, "clock", words, "set the clocks: deadlines are counted on both");
        }
    }
    Some(server)
}
