//! Where a gateway keeps what it knows: the two arguments by which every command that reads or writes it is told, and the
//! directory that is meant where none is named. Nothing is opened here.

use crate::gateway::Database;
use anyhow::Context as _;
use etcetera::BaseStrategy as _;
use secrecy::SecretString;
use std::path::PathBuf;

/// Where a gateway's own files and its database are.
#[derive(Debug, Clone, clap::Args)]
pub struct Place {
    /// The gateway's directory: its tokens, its keys, and the database where it is SQLite's [default: aegis-console in the
    /// XDG state directory]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// A PostgreSQL database instead of SQLite: postgres://USER:PASSWORD@HOST:5432/DATABASE. Any number of gateways may
    /// share one. Put it into the environment where it holds a password
    #[arg(long, value_name = "URL", env = "AEGIS_CONSOLE_STORE", hide_env_values = true)]
    store: Option<SecretString>,
}

impl Place {
    /// The directory.
    ///
    /// # Errors
    /// None is named, and there is no home directory for the usual one.
    pub fn data(&self) -> anyhow::Result<PathBuf> {
        self.data.clone().map_or_else(default_data, Ok)
    }

    /// The URL of the PostgreSQL database, where it is one.
    pub fn store(&self) -> Option<&SecretString> {
        self.store.as_ref()
    }

    /// The database.
    pub fn database(&self) -> Database {
        self.store.clone().map_or(Database::Sqlite, Database::Postgres)
    }
}

/// The data directory unless told otherwise: `aegis-console` in the XDG state directory.
///
/// # Errors
/// There is no home directory.
pub fn default_data() -> anyhow::Result<PathBuf> {
    let base = etcetera::base_strategy::Xdg::new()
        .context("there is no home directory to keep data in; name a directory with --data")?;
    let state = base.state_dir().context("there is no state directory; name a directory with --data")?;
    Ok(state.join("aegis-console"))
}
