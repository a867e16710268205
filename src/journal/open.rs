//! Opening the database: what is in the file is judged before anything in it is changed.

use super::error::JournalError;
use super::file;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::{Duration, Instant};

/// 3.7.0 to 3.51.2 can lose acknowledged commits when two connections write and checkpoint (the WAL-reset bug).
const OLDEST_SQLITE: i32 = 3_051_003;

/// `PRAGMA application_id` of a journal: "AEGJ".
const APPLICATION: i64 = 0x4145_474A;

/// What brings a journal from version n (its place here) to n + 1.
const MIGRATIONS: [&str; 2] = [
    include_str!("../../assets/migrations/journal/0001_decisions.sql"),
    include_str!("../../assets/migrations/journal/0002_reached.sql"),
];

/// How long another program is waited for that has the file locked.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// The connection that writes and the one that reads, on a journal of the newest schema.
pub(super) fn open(path: &Path) -> Result<(Connection, Connection), JournalError> {
    let since = Instant::now();
    loop {
        match attempt(path) {
            // While another process makes the journal, or is the last to leave it, SQLite does not always wait.
            Err(JournalError::Busy(_)) if since.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(10));
            }
            result => return result,
        }
    }
}

fn attempt(path: &Path) -> Result<(Connection, Connection), JournalError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(JournalError::TooOld(rusqlite::version().to_owned()));
    }
    file::prepare(path)?;
    let error = |why| JournalError::opening(path, &why);
    let mut writer = connect(path).map_err(error)?;
    if writer.is_readonly("main").map_err(error)? {
        let why = "it is read-only".into();
        let advice = "make it writable, or choose another file with --journal";
        return Err(JournalError::File { path: path.to_owned(), why, advice });
    }
    judge(&writer, path)?;
    settle(&writer).and_then(|()| migrate(&mut writer)).map_err(error)?;
    let reader = connect(path).and_then(|reader| {
        settle(&reader)?;
        reader.pragma_update(None, "query_only", true)?;
        Ok(reader)
    });
    Ok((writer, reader.map_err(error)?))
}

/// A connection that will not write when it is closed.
fn connect(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // Otherwise every statement is planned anew for every value that is bound.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(32);
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(connection)
}

/// Reads the whole file, and refuses one that is damaged, another program's, or from the future.
fn judge(db: &Connection, path: &Path) -> Result<(), JournalError> {
    let error = |why| JournalError::opening(path, &why);
    // One look: another process may be making the journal right now.
    let db = db.unchecked_transaction().map_err(error)?;
    let number = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(error);
    let found = number("PRAGMA user_version")?;
    if number("PRAGMA application_id")? != APPLICATION {
        let fresh = found == 0 && number("SELECT count(*) FROM sqlite_schema")? == 0;
        return if fresh { Ok(()) } else { Err(JournalError::Foreign(path.to_owned())) };
    }
    if usize::try_from(found).map_or(true, |found| found > MIGRATIONS.len()) {
        return Err(JournalError::Newer { path: path.to_owned(), found, known: MIGRATIONS.len() });
    }
    let verdict: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(error)?;
    match verdict.as_str() {
        "ok" => Ok(()),
        // Its first line only says which database.
        _ => {
            let why = verdict.lines().last().unwrap_or_default().to_owned();
            Err(JournalError::Corrupt { path: path.to_owned(), why })
        }
    }
}

/// How it is written from here on.
fn settle(db: &Connection) -> Result<(), rusqlite::Error> {
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", true)?;
    // Only macOS knows these; a plain fsync is not durable there.
    db.pragma_update(None, "fullfsync", true)?;
    db.pragma_update(None, "checkpoint_fullfsync", true)?;
    // In KiB: what thousands of decisions touch in one commit stays in memory until then.
    db.pragma_update(None, "cache_size", -65_536)?;
    // A bulk of decisions may grow the log; it need not stay so.
    db.pragma_update_and_check(None, "journal_size_limit", 16 << 20, |_| Ok(()))?;
    // The writer does it, and looks at the result.
    db.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(())
}

fn migrate(db: &mut Connection) -> Result<(), rusqlite::Error> {
    let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    // Another process may have done it meanwhile.
    let done: i64 = tx.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    for (step, sql) in (1_i64..).zip(MIGRATIONS).filter(|(step, _)| *step > done) {
        tx.execute_batch(sql)?;
        tx.pragma_update(None, "application_id", APPLICATION)?;
        tx.pragma_update(None, "user_version", step)?;
    }
    tx.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a kill cannot show and a power cut would.
    #[test]
    fn commits_are_synced_and_checkpoints_are_the_writers() {
        let directory = tempfile::tempdir().unwrap();
        let (writer, reader) = open(&directory.path().join("journal.sqlite")).unwrap();
        let text = |db: &Connection, pragma: &str| {
            let value: rusqlite::types::Value =
                db.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0)).unwrap();
            format!("{value:?}")
        };
        for db in [&writer, &reader] {
            assert_eq!(text(db, "journal_mode"), "Text(\"wal\")");
            assert_eq!(text(db, "synchronous"), "Integer(2)");
            assert_eq!(text(db, "wal_autocheckpoint"), "Integer(0)");
            assert_eq!(text(db, "foreign_keys"), "Integer(1)");
            assert_eq!(text(db, "fullfsync"), "Integer(1)");
            assert_eq!(text(db, "checkpoint_fullfsync"), "Integer(1)");
        }
        assert!(reader.execute_batch("DELETE FROM intent").is_err());
        assert!(rusqlite::version_number() >= OLDEST_SQLITE);
    }
}
