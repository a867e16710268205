//! `aegis-console demo`: console, gateway and agents in one process, nothing to set up, nothing left behind.
//!
//! What the demo simulates is in its parts: [`actions`] are what the agents ask for, [`crew`] are the agents, [`alice`]
//! is the second reviewer, [`faults`] is the line between console and gateway, [`scenario`] holds them together. The
//! console and the gateway are the real ones.

mod actions;
mod alice;
mod crew;
mod faults;
mod scenario;

pub use scenario::{Options, REVIEWER, Scenario};

use super::config::Chosen;
use super::review::{self, Feed, Look, Session, WayOut};
use crate::console::runtime::Keyboard;
use crate::feed::Source;
use std::process::ExitCode;

/// The arguments of `demo`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// How many agents ask
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    agents: u32,
    /// How many new actions a minute, over all agents
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=6000))]
    rate: u32,
    /// Makes the same things happen again [default: drawn, and shown]
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    #[command(flatten)]
    look: Look,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args { agents, rate, seed, look } = args;
    let chosen = look.choose()?;
    // Before anything is started that nobody could look at.
    chosen.check(Keyboard::StandardInput)?;
    let seed = seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let scenario = Scenario::start(Options { agents, rate, seed }).await?;
        let watched = watch(&scenario, &chosen).await;
        scenario.shutdown().await.and(watched)
    })
}

/// Shows the console until the person has seen enough.
async fn watch(scenario: &Scenario, chosen: &Chosen) -> anyhow::Result<ExitCode> {
    let client = scenario.client()?;
    let session = Session {
        identity: format!("demo · {REVIEWER} · {}", scenario.url()),
        reviewer: Some(REVIEWER.into()),
        feed: Feed::Gateway(Source::new(&client)?),
        way_out: WayOut::new(client, Some(&scenario.data().join("journal.sqlite")), chosen)?,
        how_to_ask: vec!["The demo's agents ask for something every few seconds.".into()],
        simulated: Some(scenario.what_is_simulated()),
    };
    review::show(session, chosen).await
}
