//! The store on a PostgreSQL database, for a team: any number of gateways on one database. Its connections, migrations, and
//! hearing of what other gateways write. What is asked of it is in `sql`.

mod connection;
mod listen;
mod migrate;
mod readers;
mod text;

use super::sql::writer::{Means, Writer};
use super::sql::{NEWS, SqlStore};
use super::{Clock, StoreError};
use crate::gateway::audit::key::SecretKey;
use connection::{PostgresConnection, Texts};
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use readers::PostgresReaders;
use rustls_platform_verifier::ConfigVerifierExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{broadcast, watch};
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

pub(crate) use text::words;

type Connector = MakeRustlsConnect;

/// Connections: one writes, one is the listener's own, the others read.
const CONNECTIONS: usize = 6;
/// How long connecting, and waiting for a connection, may take.
const CONNECT_TIME: Duration = Duration::from_secs(5);

/// The settings of every session: each commit is on the disk before it is answered, and a gateway that hangs cannot hold
/// the others up for long.
const SESSION: &str = "-c synchronous_commit=on -c lock_timeout=15s -c statement_timeout=30s \
    -c idle_in_transaction_session_timeout=10s -c timezone=UTC";

/// Opens the database and brings it to the newest schema.
pub(crate) async fn open(
    url: &SecretString,
    lock: Option<File>,
    clock: Clock,
    validity: Duration,
    key: Arc<SecretKey>,
) -> Result<SqlStore, StoreError> {
    let (config, tls) = config(url)?;
    migrate_with(&config, &tls).await?;
    let pool = pool(&config, &tls)?;
    let (news, _) = broadcast::channel(NEWS);
    let (texts, runtime) = (Texts::default(), Handle::current());
    let client = pool.get().await.map_err(|error| StoreError::Database(text::of_pool(&error)))?;
    let last = client.query_one("SELECT coalesce(max(seq), 0) FROM outbox", &[]).await;
    let last: i64 = last.and_then(|row| row.try_get(0)).map_err(|error| text::of(&error))?;
    drop(client);
    let listener = tokio::spawn(listen::run(config, tls, last, news.clone()));
    let connection = PostgresConnection::new(pool.clone(), texts.clone(), runtime);
    let (log_size, _) = watch::channel(0);
    let means = Means { lock, clock, news: news.clone(), key, log_size: log_size.clone() };
    let writer = Writer::start(connection, means);
    let writer =
        writer.map_err(|error| StoreError::Database(format!("no thread can be started: {error}")))?;
    let readers = Box::new(PostgresReaders { pool, texts });
    Ok(SqlStore { writer, readers, news, log_size, validity, besides: Some(listener.abort_handle()) })
}

/// Brings the database to the newest schema; gives the version before and the one now.
pub(crate) async fn migrate(url: &SecretString) -> Result<(usize, usize), StoreError> {
    let (config, tls) = config(url)?;
    migrate_with(&config, &tls).await
}

/// A connection by itself, for whoever only reads; it ends with the client.
pub(crate) async fn connect(url: &SecretString) -> Result<tokio_postgres::Client, StoreError> {
    let (config, tls) = config(url)?;
    let connected = config.connect(tls).await;
    let (client, connection) = connected.map_err(|error| StoreError::Database(words(&error)))?;
    tokio::spawn(connection);
    Ok(client)
}

async fn migrate_with(config: &Config, tls: &Connector) -> Result<(usize, usize), StoreError> {
    let connected = config.connect(tls.clone()).await;
    let (mut client, connection) = connected.map_err(|error| StoreError::Database(words(&error)))?;
    // Ends with the client.
    let driver = tokio::spawn(connection);
    let migrated = migrate::run(&mut client).await;
    drop(client);
    driver.abort();
    migrated
}

fn config(url: &SecretString) -> Result<(Config, Connector), StoreError> {
    // What it says can quote the URL, which holds a password.
    let parsed: Result<Config, _> = url.expose_secret().parse();
    let mut config = parsed.map_err(|_| {
        StoreError::Database("the address is not like postgres://USER:PASSWORD@HOST:5432/DATABASE".into())
    })?;
    let options = match config.get_options() {
        Some(own) => format!("{SESSION} {own}"),
        None => SESSION.to_owned(),
    };
    config
        .options(options)
        .application_name("aegis-console")
        .connect_timeout(CONNECT_TIME)
        .keepalives_idle(Duration::from_secs(15));
    // Where another part of the process has installed one, that one is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let tls = rustls::ClientConfig::with_platform_verifier()
        .map_err(|error| StoreError::Database(format!("TLS cannot be set up: {error}")))?;
    Ok((config, MakeRustlsConnect::new(tls)))
}

fn pool(config: &Config, tls: &Connector) -> Result<Pool, StoreError> {
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(config.clone(), tls.clone(), recycling);
    let built = Pool::builder(manager)
        .max_size(CONNECTIONS)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(CONNECT_TIME))
        .create_timeout(Some(CONNECT_TIME))
        .build();
    built.map_err(|error| StoreError::Database(error.to_string()))
}
