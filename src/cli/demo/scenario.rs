//! The demo as a whole: a real gateway on a free loopback port, agents and a second reviewer who use it over HTTP, and
//! the faulty line that the console is given. It owns all of them and ends all of them.

use super::actions::Deck;
use super::alice::{self, Alice};
use super::crew::{self, Agent};
use super::faults::{FaultyTransport, Schedule};
use crate::agent::{AapClient, Gate};
use crate::client::http::HttpTransport;
use crate::client::{AegisClient, Transport};
use crate::gateway::{Config, Gateway};
use anyhow::Context as _;
use fastrand::Rng;
use secrecy::SecretString;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinSet;

/// The name of the person at the screen.
pub const REVIEWER: &str = "you";

/// What can be chosen about a demo.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How many agents; at least one.
    pub agents: u32,
    /// New actions a minute, over all agents, after the opening.
    pub rate: u32,
    /// Where all chance comes from.
    pub seed: u64,
}

/// A running demo. Dropped, it stops; [`shutdown`](Self::shutdown) stops it in good order.
pub struct Scenario {
    options: Options,
    gateway: Gateway,
    transport: Arc<dyn Transport>,
    credential: SecretString,
    // Dropped with the scenario: the tasks stop, then the directory goes.
    tasks: JoinSet<()>,
    data: TempDir,
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scenario")
            .field("options", &self.options)
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}

impl Scenario {
    /// Starts everything; the first actions are there a moment later.
    ///
    /// # Errors
    /// Where no temporary directory can be made, no loopback port be had, or the gateway does not start.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let data = tempfile::Builder::new().prefix("aegis-console-demo-").tempdir();
        let data =
            data.context("the demo needs a temporary directory: set TMPDIR to one that can be written")?;
        let free_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let config = Config::new(free_port, data.path().join("gateway"));
        let gateway = Gateway::start(config).await.context("the demo's gateway did not start")?;
        let url = gateway.url();
        let credential = gateway.reviewer(REVIEWER);
        let alice = Alice::new(&url, &gateway.reviewer(alice::NAME))?;
        // One generator for each, so that what one of them draws does not depend on how fast another is.
        let mut seeds = Rng::with_seed(options.seed);
        let deck = Deck::new(seeds.u64(..))?;
        let agents = (0..options.agents.max(1) as usize).map(crew::name).map(|name| {
            let client = AapClient::new(&format!("{url}/aap"), gateway.agent(&name))?;
            Ok(Agent { gate: Gate::new(client), name })
        });
        let agents = agents.collect::<anyhow::Result<Vec<_>>>()?;
        let real = Arc::new(HttpTransport::new(&url.parse()?, Duration::from_secs(10))?);
        let schedule = Schedule::new(seeds.u64(..));
        let transport = Arc::new(FaultyTransport::new(real, alice.clone(), schedule));
        let mut tasks = JoinSet::new();
        tasks.spawn(alice.work(seeds.fork()));
        let rng = seeds.fork();
        tasks.spawn(async move {
            if let Err(error) = crew::work(agents, deck, options.rate, rng).await {
                tracing::error!(error = format!("{error:#}"), "the demo's agents stopped");
            }
        });
        Ok(Self { options, gateway, transport, credential, tasks, data })
    }

    /// Where the gateway listens.
    pub fn url(&self) -> String {
        self.gateway.url()
    }

    /// The credential of the person at the screen.
    pub fn credential(&self) -> SecretString {
        self.credential.clone()
    }

    /// The line on which things go wrong, for the console's client.
    pub fn transport(&self) -> Arc<dyn Transport> {
        Arc::clone(&self.transport)
    }

    /// The client that the console is given: this gateway, this credential, this line.
    ///
    /// # Errors
    /// As [`AegisClient::builder`]'s `build`.
    pub fn client(&self) -> anyhow::Result<AegisClient> {
        let builder = AegisClient::builder().base_url(self.url()).api_key(self.credential());
        Ok(builder.transport(self.transport()).build()?)
    }

    /// The gateway's data, gone after [`shutdown`](Self::shutdown).
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// What is real here and what is not, for the person at the screen.
    pub fn what_is_simulated(&self) -> String {
        let Options { agents, rate, seed } = self.options;
        let agents = if agents == 1 {
            "1 agent is a script".to_owned()
        } else {
            format!("{agents} agents are scripts")
        };
        format!(
            "This is a demo (seed {seed}). The gateway at {}, the HTTP between all parts, the digests and the outcomes are \
             real. The {agents} that ask for about {rate} actions a minute; nothing they ask for is ever carried out. \
             {} is a script too: she reviews beside you. Between this console and the gateway some answers are delayed, \
             refused or lost on purpose, and sometimes she decides just before you do. All data goes when you quit.",
            self.url(),
            alice::NAME,
        )
    }

    /// Stops agents, reviewer and gateway, and removes the data.
    ///
    /// # Errors
    /// Where the data cannot be removed; the message names the directory.
    pub async fn shutdown(mut self) -> anyhow::Result<()> {
        self.tasks.shutdown().await;
        self.gateway.shutdown().await;
        let path = self.data.path().to_owned();
        self.data.close().with_context(|| format!("the demo's data was left in {}", path.display()))
    }
}
