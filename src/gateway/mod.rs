//! The embedded server: agents ask (`ask`, AAP), reviewers list (`queue`, `events`) and decide (`decide`, AEGIS).
//!
//! Instances of agents are made for platforms that start them (`instances`), and their receivers told when what they asked
//! has ended (`webhooks`).
//!
//! Beside wire.md it lets reviewers pause an agent (`agents`), bounds what one agent may take (`bounds`), keeps a seat for
//! whoever comes (`seats`), and notices what was changed on the disk (`damage`).
//!
//! Thin handlers over a `Store`; who may do what is decided by role (`auth`, the table in `routes`), and what may come in at
//! all by `door`.
//! This file wires them together and owns the start and the stop.
//!
//! ```no_run
//! # async fn run() -> Result<(), aegis_console::gateway::GatewayError> {
//! use aegis_console::gateway::{Config, Gateway};
//! let listen = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
//! let gateway = Gateway::start(Config::new(listen, "/var/lib/aegis-console")).await?;
//! println!("agents ask at {}/aap", gateway.url());
//! gateway.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod agents;
mod answer;
mod ask;
pub mod audit;
mod auth;
mod backup;
mod body;
mod bounds;
mod calls;
mod damage;
mod data;
mod decide;
mod door;
mod events;
mod expiry;
mod exposure;
mod instances;
mod mac;
mod metrics;
mod openapi;
mod presence;
mod query;
mod queue;
mod retention;
mod routes;
mod rulebook;
mod rules;
mod seats;
mod server;
mod store;
mod tls;
mod tokens;
mod webhooks;
mod whoami;

use crate::document::Mistakes;
pub use ask::{Looked, Matched, Outcome, Trial, trial};
use audit::entry::Facts;
use audit::key::SecretKey;
use audit::{Keeper, Place, keyfile};
pub use auth::Role;
use auth::{Credentials, Mint};
use axum::Router;
pub use backup::{BackupError, Copied, backup};
use bounds::Usage;
pub use bounds::{BYTES_PER_SECOND, Bounds};
use damage::Damages;
use data::DataDir;
pub use data::DataError;
use door::Hosts;
use jiff::Timestamp;
use metrics::Metrics;
pub use retention::SHORTEST_KEEP;
use routes::router;
pub use routes::routes;
use rulebook::Rulebook;
pub use rules::{EXAMPLE as EXAMPLE_RULES, Rules};
use secrecy::SecretString;
use server::Stop;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::sql::SqlStore;
use store::sqlite;
use store::{Clock, Store, StoreError};
use tls::Tls;
pub use tls::{TlsError, TlsFiles};
pub use tokens::{TokenDesk, TokenError, TokenInfo, TokenOrder};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use webhooks::Webhooks;

/// Which database a gateway keeps everything in.
#[derive(Debug, Clone, Default)]
pub enum Database {
    /// SQLite, in the file `gateway.db` of the data directory: one gateway.
    #[default]
    Sqlite,
    /// PostgreSQL, by its URL, which may hold a password: any number of gateways. Needs the feature `postgres`.
    Postgres(SecretString),
}

impl Database {
    /// What it is called where it is counted.
    fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }
}

/// How a gateway is started.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens. Port 0 takes a free one. Beyond loopback only with `tls` or `behind_proxy`, and only where people
    /// and agents have tokens of their own.
    pub listen: SocketAddr,
    /// Where its own files are: the tokens, and the database where it is SQLite's.
    pub data: PathBuf,
    /// The database.
    pub database: Database,
    /// The certificate and key with which TLS is spoken; without them it is plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Others reach it through a proxy that ends TLS in front of it; then it is as one that listens beyond loopback.
    pub behind_proxy: bool,
    /// Lets the published client's self-hosted mode in: `Tenant-Id` and no credential. Anybody on this machine can then
    /// decide.
    pub tenant_mode: bool,
    /// Names by which it may be called beside the loopback ones and its own address, with a port or for any.
    pub allowed_hosts: Vec<String>,
    /// The tenant of its own credentials: `default` unless said otherwise.
    pub tenant: String,
    /// How long what has ended is kept, at least [`SHORTEST_KEEP`]; without it, for ever. The audit log is kept in any case.
    pub keep: Option<Duration>,
    /// How much one agent may take of it.
    pub bounds: Bounds,
    /// The file with its rules; `rules.toml` in its data directory, where it is there, unless one is named.
    pub rules: Option<PathBuf>,
    /// Hosts that webhooks may go to although their addresses are not public, with a port or for any.
    pub webhooks_to: Vec<String>,
    /// Where checkpoints of the audit log go beside the file `checkpoints` of the data directory.
    pub checkpoints: Vec<Place>,
}

impl Config {
    /// A gateway there, on that data; everything else by default.
    pub fn new(listen: SocketAddr, data: impl Into<PathBuf>) -> Self {
        Self {
            listen,
            data: data.into(),
            database: Database::Sqlite,
            tls: None,
            behind_proxy: false,
            tenant_mode: false,
            allowed_hosts: Vec::new(),
            tenant: "default".into(),
            keep: None,
            bounds: Bounds::default(),
            rules: None,
            webhooks_to: Vec::new(),
            checkpoints: Vec::new(),
        }
    }
}

/// Why a gateway could not be started. Its data is as it was.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// Beyond loopback nothing is sent in the clear.
    #[error(
        "refuses to listen on {0}: tokens would cross the network in the clear; give --tls-cert and --tls-key, say \
         --behind-proxy where a proxy in front of it speaks TLS, or listen on 127.0.0.1 or [::1]"
    )]
    InTheClear(SocketAddr),
    /// Tenant mode is for this machine alone.
    #[error(
        "refuses tenant mode where others than this machine can reach it: anybody could approve anything"
    )]
    OpenToAll,
    /// Beyond this machine, everybody comes in by a token of their own.
    #[error(
        "refuses to be reached from other machines while nobody has a token of their own: make one with `aegis-console \
         token create` first (agent.token and reviewer.token are for this machine alone)"
    )]
    NoTokens,
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {why}; choose another address with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        why: std::io::Error,
    },
    /// The certificate or the key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The data directory cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The rules cannot be read.
    #[error("the rules cannot be used\n{0}")]
    Rules(#[from] Mistakes),
    /// The database cannot be used.
    #[error("{0}")]
    Store(String),
    /// There is no key for the audit log.
    #[error("{0}")]
    Audit(String),
}

/// What every handler shares.
pub(crate) struct Shared {
    store: Arc<dyn Store>,
    credentials: Credentials,
    hosts: Hosts,
    rulebook: Rulebook,
    tenant_mode: bool,
    bounds: Bounds,
    usage: Arc<Usage>,
    damages: Damages,
    metrics: Metrics,
    webhooks: Webhooks,
    /// Instances that are being made.
    making: instances::Making,
    /// Whether others than this machine can reach it.
    exposed: bool,
    clock: Clock,
    stop: Stop,
}

/// A gateway that runs. Dropped without [`shutdown`](Self::shutdown) it stops too, without waiting for anything.
pub struct Gateway {
    shared: Arc<Shared>,
    addr: SocketAddr,
    tls: Option<Arc<Tls>>,
    tenant: Arc<str>,
    mint: Mint,
    agent_token_file: PathBuf,
    reviewer_token_file: PathBuf,
    stop: watch::Sender<bool>,
    tasks: [JoinHandle<()>; 5],
    keeper: Keeper,
}

impl Gateway {
    /// Starts a gateway; it listens when this returns.
    pub async fn start(config: Config) -> Result<Self, GatewayError> {
        let exposed = exposure::exposed(&config)?;
        let facts = started(&config);
        let tls = config.tls.map(Tls::open).transpose()?.map(Arc::new);
        // The port first: one that is in use leaves the data untouched.
        let address = config.listen;
        let listen_error = |why| GatewayError::Listen { address, why };
        let listener = TcpListener::bind(address).await.map_err(listen_error)?;
        let addr = listener.local_addr().map_err(listen_error)?;

        let tenant: Arc<str> = config.tenant.as_str().into();
        let clock: Clock = Arc::new(Timestamp::now);
        let data = DataDir::open(&config.data)?;
        // Before anything is made: with a mistake in them nothing starts.
        let rulebook = Rulebook::open(config.rules.as_deref(), &config.data)?;
        let credentials = Credentials::new(Arc::clone(&clock));
        if !exposed {
            credentials.add(&data.token("agent.token")?, Role::Agent, "agent", &tenant);
            credentials.add(&data.token("reviewer.token")?, Role::Reviewer, "reviewer", &tenant);
        }
        let (agent_token_file, reviewer_token_file) = (data.file("agent.token"), data.file("reviewer.token"));
        let mint = Mint::new().map_err(DataError::Random)?;
        let no_key = |error: keyfile::KeyError| GatewayError::Audit(error.to_string());
        let key = Arc::new(keyfile::secret(&config.data).map_err(no_key)?);
        let keys = keyfile::public_keys(&data.file(keyfile::PUBLIC)).map_err(no_key)?;
        let mut places = config.checkpoints.clone();
        places.insert(0, Place::File(data.file("checkpoints")));
        let store = open_store(&config.database, data, Arc::clone(&clock), key).await?;
        let store: Arc<dyn Store> = Arc::new(store);
        if exposed && let Err(error) = exposure::has_named_tokens(&*store, clock()).await {
            // Whoever makes one and starts again must not find the directory locked.
            store.close().await;
            return Err(error);
        }
        credentials.refresh(&*store).await.map_err(|error| GatewayError::Store(error.to_string()))?;

        let bounds = Bounds { connections: server::connections(config.bounds.connections), ..config.bounds };
        let (sender, stop) = Stop::new();
        let shared = Arc::new(Shared {
            metrics: Metrics::new(config.database.name(), store.commits()),
            store: Arc::clone(&store),
            credentials,
            hosts: Hosts::new(addr, &config.allowed_hosts),
            rulebook,
            tenant_mode: config.tenant_mode,
            bounds,
            usage: Arc::new(Usage::new(bounds)),
            damages: Damages::default(),
            // On this machine, where nobody else reaches the gateway either.
            webhooks: Webhooks::new(webhooks::Policy::new(!exposed, &config.webhooks_to)),
            making: instances::Making::default(),
            exposed,
            clock,
            stop: stop.clone(),
        });
        let facts = facts.text("listen", &addr.to_string());
        let keeper = async {
            let keeper = Keeper::start(Arc::clone(&store), &keys, places, facts, stop.clone()).await?;
            let rulebook = &shared.rulebook;
            store.rules_changed(rulebook.told(&rulebook.held())).await?;
            Ok::<_, StoreError>(keeper)
        };
        let keeper = match keeper.await {
            Ok(keeper) => keeper,
            Err(error) => {
                shared.store.close().await;
                return Err(GatewayError::Store(error.to_string()));
            }
        };
        let tasks = [
            tokio::spawn(server::serve(
                listener,
                router(&shared),
                bounds.connections,
                tls.clone(),
                shared.metrics.connections.clone(),
                stop.clone(),
            )),
            tokio::spawn(auth::keep(Arc::clone(&shared), stop.clone())),
            tokio::spawn(expiry::run(Arc::clone(&shared), stop.clone())),
            tokio::spawn(webhooks::run(Arc::clone(&shared), stop.clone())),
            tokio::spawn(retention::run(Arc::clone(&shared), config.keep, stop)),
        ];
        let stop = sender;
        Ok(Self {
            shared,
            addr,
            tls,
            tenant,
            mint,
            agent_token_file,
            reviewer_token_file,
            stop,
            tasks,
            keeper,
        })
    }

    /// The address that it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The base URL: without a prefix for reviewers, with `/aap` for agents.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.addr)
    }

    /// Whether others than this machine can reach it: then the two token files are not admitted, and not even made.
    pub fn is_exposed(&self) -> bool {
        self.shared.exposed
    }

    /// Reads the certificate and the key again, for the connections that come from now on. Where they cannot be used,
    /// those that were stay in use. Without TLS there is nothing to do.
    pub fn reload_tls(&self) -> Result<(), TlsError> {
        self.tls.as_ref().map_or(Ok(()), |tls| tls.reload())
    }

    /// A reviewer's credential that lives in this process only. The name goes on record.
    pub fn reviewer(&self, name: &str) -> SecretString {
        self.credential(Role::Reviewer, name)
    }

    /// An agent's credential that lives in this process only.
    pub fn agent(&self, name: &str) -> SecretString {
        self.credential(Role::Agent, name)
    }

    /// A credential of that role that lives in this process only.
    pub fn credential(&self, role: Role, name: &str) -> SecretString {
        let token = self.mint.token();
        self.shared.credentials.add(&token, role, name, &self.tenant);
        token
    }

    /// The file with the rules, there or not.
    pub fn rules_file(&self) -> &Path {
        self.shared.rulebook.file()
    }

    /// How many rules are in force.
    pub fn rules(&self) -> usize {
        self.shared.rulebook.held().rules.len()
    }

    /// Reads the rules again, and says how many there are; what has been asked before keeps what it got then.
    ///
    /// # Errors
    /// Everything that is wrong in the file, or that the audit log cannot be told; the old rules stay in force.
    pub async fn reload_rules(&self) -> Result<usize, GatewayError> {
        let Shared { rulebook, store, .. } = &*self.shared;
        let held = rulebook.read()?;
        // Told before they are in force.
        let told = store.rules_changed(rulebook.told(&held)).await;
        told.map_err(|error| GatewayError::Store(error.to_string()))?;
        let count = held.rules.len();
        rulebook.put(held);
        Ok(count)
    }

    /// The file with the agents' token. Only this machine is let in by it.
    pub fn agent_token_file(&self) -> &Path {
        &self.agent_token_file
    }

    /// The file with the reviewers' token. Only this machine is let in by it.
    pub fn reviewer_token_file(&self) -> &Path {
        &self.reviewer_token_file
    }

    /// The routes as a service, with everything that stands at the door: for tests, and for embedding elsewhere.
    pub fn router(&self) -> Router {
        router(&self.shared)
    }

    /// Stops: waiting calls are answered, what has been taken is committed, the database is closed. Within 5 s.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        for task in &mut self.tasks {
            // A panic in a task has been reported by the panic hook.
            let _ = task.await;
        }
        self.keeper.stop().await;
        self.shared.store.close().await;
    }
}

/// What the audit log tells of a start.
fn started(config: &Config) -> Facts {
    Facts::default()
        .text("version", env!("CARGO_PKG_VERSION"))
        .text("database", config.database.name())
        .number("tenant_mode", config.tenant_mode.into())
}

/// Brings a database to the schema of this program without starting a gateway; gives the schema's version before and the one
/// now. A gateway does the same at its start. Of SQLite, no gateway may be running on the directory.
pub async fn migrate(database: &Database, data: &Path) -> Result<(usize, usize), GatewayError> {
    match database {
        Database::Sqlite => {
            let data = DataDir::open(data)?;
            sqlite::migrate(&data.file("gateway.db")).map_err(|error| GatewayError::Store(error.to_string()))
        }
        #[cfg(feature = "postgres")]
        Database::Postgres(url) => {
            let migrated = store::postgres::migrate(url).await;
            migrated.map_err(|error| GatewayError::Store(format!("cannot use PostgreSQL: {error}")))
        }
        #[cfg(not(feature = "postgres"))]
        Database::Postgres(_) => Err(without_postgres()),
    }
}

#[cfg(not(feature = "postgres"))]
fn without_postgres() -> GatewayError {
    GatewayError::Store(
        "this program was built without PostgreSQL; build it with the feature postgres".into(),
    )
}

async fn open_store(
    database: &Database,
    data: DataDir,
    clock: Clock,
    key: Arc<SecretKey>,
) -> Result<SqlStore, GatewayError> {
    let (file, lock, validity) = (data.file("gateway.db"), Some(data.lock), ask::APPROVAL_VALIDITY);
    match database {
        Database::Sqlite => sqlite::open(&file, lock, clock, validity, key)
            .map_err(|error| GatewayError::Store(error.to_string())),
        #[cfg(feature = "postgres")]
        Database::Postgres(url) => store::postgres::open(url, lock, clock, validity, key)
            .await
            .map_err(|error| GatewayError::Store(format!("cannot use PostgreSQL: {error}"))),
        #[cfg(not(feature = "postgres"))]
        Database::Postgres(_) => Err(without_postgres()),
    }
}
