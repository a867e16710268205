//! Opening the file: its mode, the settings of a connection, the schema. Nothing here knows what the rows mean.

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// 3.7.0 to 3.51.2 can lose acknowledged commits when two connections write and checkpoint (the WAL-reset bug).
const OLDEST_SQLITE: i32 = 3_051_003;

/// Connections that only read.
const READERS: usize = 4;

/// What brings a database from version n (its place here) to n + 1.
const MIGRATIONS: [&str; 5] = [
    include_str!("../../../../assets/migrations/0001_queue_and_decisions.sql"),
    include_str!("../../../../assets/migrations/0002_pauses.sql"),
    include_str!("../../../../assets/migrations/0003_trust.sql"),
    include_str!("../../../../assets/migrations/0004_forgetting.sql"),
    include_str!("../../../../assets/migrations/0005_instances.sql"),
];

/// Why the database could not be opened. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("SQLite {0} can lose what it has acknowledged; build with 3.51.3 or newer")]
    TooOld(String),
    #[error("cannot create or open {}: {why}; the directory must be yours and writable", path.display())]
    File { path: PathBuf, why: std::io::Error },
    #[error("cannot use {} as the gateway's database: {why}; choose another directory, or move the file away", path.display())]
    Database { path: PathBuf, why: rusqlite::Error },
    #[error("SQLite cannot write {} ahead and sync it at every commit; choose a directory on a local disk", .0.display())]
    NotDurable(PathBuf),
    #[error("{} was written by a newer aegis-console (schema {found}, this one knows {known}); use that one", path.display())]
    Newer { path: PathBuf, found: i64, known: usize },
    #[error("cannot start the thread that writes: {0}")]
    Thread(std::io::Error),
}

/// The connection that writes, on a database of the newest schema; and the schema's version before and now.
pub(super) fn writer(path: &Path) -> Result<(Connection, (usize, usize)), OpenError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(OpenError::TooOld(rusqlite::version().to_owned()));
    }
    let file_error = |why| OpenError::File { path: path.to_owned(), why };
    // SQLite gives WAL and SHM the mode of the database, so the database gets its mode before SQLite sees it.
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    file.and_then(|file| file.set_permissions(Permissions::from_mode(0o600))).map_err(file_error)?;
    let database_error = |why| OpenError::Database { path: path.to_owned(), why };
    let mut connection = connect(path).map_err(database_error)?;
    if !is_durable(&connection).map_err(database_error)? {
        return Err(OpenError::NotDurable(path.to_owned()));
    }
    let versions = migrate(&mut connection, path)?;
    Ok((connection, versions))
}

/// Whether the file is a database of this program's schema. Changes nothing.
pub(crate) fn is_current(path: &Path) -> bool {
    let open = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let version =
        open.and_then(|connection| connection.query_row("PRAGMA user_version", [], |row| row.get(0)));
    version
        .is_ok_and(|version: i64| usize::try_from(version).is_ok_and(|version| version == MIGRATIONS.len()))
}

/// The connections that read.
pub(super) fn readers(path: &Path) -> Result<Vec<Connection>, OpenError> {
    let open = || {
        let connection = connect(path)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    };
    let all: Result<Vec<_>, rusqlite::Error> = (0..READERS).map(|_| open()).collect();
    all.map_err(|why| OpenError::Database { path: path.to_owned(), why })
}

fn connect(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    // Otherwise every new parameter has a statement compiled anew, for a partial index that it could make usable.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // Only macOS knows these; a plain fsync is not durable there.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    Ok(connection)
}

/// Whether SQLite has taken the settings that a 202 stands on: it does not say so where it cannot.
fn is_durable(connection: &Connection) -> Result<bool, rusqlite::Error> {
    let journal: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    let synchronous: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    Ok(journal == "wal" && synchronous == 2)
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(usize, usize), OpenError> {
    let error = |why| OpenError::Database { path: path.to_owned(), why };
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(error)?;
    let (done, known) = (usize::try_from(found).unwrap_or(usize::MAX), MIGRATIONS.len());
    if done > known {
        return Err(OpenError::Newer { path: path.to_owned(), found, known });
    }
    for (step, sql) in MIGRATIONS.iter().enumerate().skip(done) {
        let run = || {
            let tx = connection.transaction()?;
            tx.execute_batch(sql)?;
            tx.pragma_update(None, "user_version", i64::try_from(step + 1).unwrap_or(i64::MAX))?;
            tx.commit()
        };
        let mut run = run;
        run().map_err(error)?;
    }
    Ok((done, known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_commit_is_synced_and_nothing_less_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("db");
        let (writer, _) = writer(&file).unwrap();
        assert!(is_durable(&writer).unwrap());
        for reader in readers(&file).unwrap() {
            assert!(is_durable(&reader).unwrap());
            assert!(reader.execute("DELETE FROM action", []).is_err(), "it only reads");
        }
        writer.pragma_update(None, "synchronous", "NORMAL").unwrap();
        assert!(!is_durable(&writer).unwrap());
        assert!(!is_durable(&Connection::open_in_memory().unwrap()).unwrap());
    }
}
