//! The store on one SQLite file: its connections, and opening them. What they are asked is in `sql`.

mod connection;
mod open;
mod readers;

use super::Clock;
use super::sql::writer::{Means, Writer};
use super::sql::{NEWS, SqlStore};
use crate::gateway::audit::key::SecretKey;
use connection::SqliteConnection;
pub(crate) use open::{OpenError, is_current};
use readers::SqliteReaders;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, watch};

/// Opens the file, creating it with mode 0600 where it is not there. `lock` is held until the last byte is written.
/// `validity` is how long an approval may be consumed, `key` signs the audit log.
pub(crate) fn open(
    file: &Path,
    lock: Option<File>,
    clock: Clock,
    validity: Duration,
    key: Arc<SecretKey>,
) -> Result<SqlStore, OpenError> {
    let (news, _) = broadcast::channel(NEWS);
    let connection = SqliteConnection(open::writer(file)?.0);
    let readers = open::readers(file)?.into_iter().map(SqliteConnection).collect();
    let readers = Box::new(SqliteReaders::new(readers));
    let (log_size, _) = watch::channel(0);
    let means = Means { lock, clock, news: news.clone(), key, log_size: log_size.clone() };
    let writer = Writer::start(connection, means).map_err(OpenError::Thread)?;
    Ok(SqlStore { writer, readers, news, log_size, validity, besides: None })
}

/// Brings the file to the newest schema; gives the version before and the one now.
pub(crate) fn migrate(file: &Path) -> Result<(usize, usize), OpenError> {
    open::writer(file).map(|(_, versions)| versions)
}
