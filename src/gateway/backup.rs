//! A copy of the SQLite database while a gateway writes to it: all of one moment, checked, and never over another file.
//!
//! `VACUUM INTO` reads one snapshot, so it ends however much is written meanwhile, which the backup API, restarted by every
//! write of another process, does not promise; and writers wait for it as little as for any reader.

use rusqlite::{Connection, OpenFlags};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Bytes of the copy.
    pub bytes: u64,
    /// Actions in it.
    pub actions: u64,
    /// Rows of the audit log in it.
    pub audited: u64,
}

/// Why there is no copy. Nothing was left behind, and nothing was overwritten.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is no database.
    #[error("there is no gateway's database at {}; name its directory with --data", .0.display())]
    Nothing(PathBuf),
    /// The database cannot be read.
    #[error("cannot read {}: {why}", path.display())]
    Source {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        why: rusqlite::Error,
    },
    /// There is a file of that name.
    #[error("{} is there already and is left as it is; choose another name", .0.display())]
    Exists(PathBuf),
    /// The copy cannot be written.
    #[error("cannot write {}: {why}", path.display())]
    Target {
        /// The copy.
        path: PathBuf,
        /// What the system or SQLite says.
        why: String,
    },
    /// The copy does not hold what it should.
    #[error(
        "the copy does not hold together ({why}), so it was taken away: the database itself may be damaged"
    )]
    Damaged {
        /// What was found first.
        why: String,
    },
}

/// Copies the database of that data directory into a new file, readable by its owner alone.
///
/// # Errors
/// See [`BackupError`].
pub fn backup(data: &Path, to: &Path) -> Result<Copied, BackupError> {
    let source = data.join("gateway.db");
    if !source.is_file() {
        return Err(BackupError::Nothing(source));
    }
    let target = |why: String| BackupError::Target { path: to.to_owned(), why };
    if to.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    // Under its own name only once it is whole.
    let mut name = to.file_name().ok_or_else(|| target("it is no name of a file".into()))?.to_owned();
    name.push(".partial");
    let path = to.with_file_name(name);
    let new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    new.map_err(|why| match why.kind() {
        // Another copy is being made, or was cut short.
        io::ErrorKind::AlreadyExists => BackupError::Exists(path.clone()),
        _ => target(why.to_string()),
    })?;
    let partial = Partial(path);
    copy(&source, &partial.0, to)?;
    let copied = check(&partial.0)?;
    File::open(&partial.0).and_then(|file| file.sync_all()).map_err(|why| target(why.to_string()))?;
    // A link, because a rename would put it over a file that has come meanwhile.
    std::fs::hard_link(&partial.0, to).map_err(|why| match why.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(to.to_owned()),
        _ => target(why.to_string()),
    })?;
    drop(partial);
    let directory = to.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory).and_then(|file| file.sync_all()).map_err(|why| target(why.to_string()))?;
    Ok(copied)
}

/// A copy that is not whole yet; dropped, its file is gone.
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        // Where it cannot be taken away, the next copy says that it is in the way.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn copy(source: &Path, partial: &Path, to: &Path) -> Result<(), BackupError> {
    let source_error = |why| BackupError::Source { path: source.to_owned(), why };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(source, flags).map_err(source_error)?;
    connection.busy_timeout(Duration::from_secs(10)).map_err(source_error)?;
    connection.query_row("SELECT count(*) FROM action", [], |_| Ok(())).map_err(source_error)?;
    let name = partial
        .to_str()
        .ok_or_else(|| BackupError::Target { path: to.to_owned(), why: "its name is no UTF-8".into() })?;
    let into = connection.execute("VACUUM INTO ?1", [name]);
    into.map(drop).map_err(|why| BackupError::Target { path: to.to_owned(), why: why.to_string() })
}

/// Reads the whole copy.
fn check(copy: &Path) -> Result<Copied, BackupError> {
    let damaged = |why: String| BackupError::Damaged { why };
    let read = || {
        let connection = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let verdict: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        let orphan: Option<String> = {
            let mut orphans = connection.prepare("PRAGMA foreign_key_check")?;
            let mut rows = orphans.query([])?;
            rows.next()?.map(|row| row.get(0)).transpose()?
        };
        let count =
            |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs);
        let actions = count("SELECT count(*) FROM action")?;
        let audited = count("SELECT count(*) FROM audit")?;
        Ok::<_, rusqlite::Error>((verdict, orphan, actions, audited))
    };
    let (verdict, orphan, actions, audited) = read().map_err(|error| damaged(error.to_string()))?;
    if verdict != "ok" {
        return Err(damaged(verdict));
    }
    if let Some(table) = orphan {
        return Err(damaged(format!("a row of the table {table} refers to one that is not there")));
    }
    let bytes = std::fs::metadata(copy).map_err(|error| damaged(error.to_string()))?.len();
    Ok(Copied { bytes, actions, audited })
}
