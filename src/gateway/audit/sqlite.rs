//! The log in a SQLite file, over a connection of its own that can only read, as of the moment when it was opened: a gateway
//! may go on writing. What is found is handed on as it is.

use super::head::{Head, NoHead, Row};
use super::stored::{Log, LogError, StoredNote, StoredRow};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, Params, named_params};
use std::path::Path;
use std::time::Duration;

/// Rows in one piece.
const ROWS: i64 = 256;
/// A piece ends early once its rows have this many bytes.
const BYTES: usize = 8 * 1024 * 1024;
/// Checkpoints in one piece.
const NOTES: i64 = 1024;
/// The version of the schema from which on there is a log.
const SINCE: i64 = 3;

const COLUMNS: &str = "seq, tenant, kind, action_id, at, entry, hash";

/// The log in a file.
pub struct SqliteLog {
    db: Connection,
}

impl SqliteLog {
    /// Opens it for reading.
    ///
    /// # Errors
    /// [`LogError`], where it cannot be read or has no log.
    pub fn open(path: &Path) -> Result<Self, LogError> {
        let name = path.display();
        let found = std::fs::metadata(path).map_err(|why| {
            LogError::OutOfReach(format!(
                "cannot read {name}: {why}; name the gateway's directory with --data"
            ))
        })?;
        if found.len() == 0 {
            return Err(LogError::Damaged(format!("{name} is empty")));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || {
            let db = Connection::open_with_flags(path, flags)?;
            db.busy_timeout(Duration::from_secs(5))?;
            db.pragma_update(None, "query_only", true)?;
            db.pragma_update(None, "trusted_schema", false)?;
            db.execute_batch("BEGIN")?;
            let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            Ok((db, version))
        };
        match open().map_err(|error| said(&error))? {
            (_, version) if version < SINCE => Err(LogError::OutOfReach(format!(
                "{name} has no audit log: an older aegis-console wrote it; start this one's gateway on it once"
            ))),
            (db, _) => Ok(Self { db }),
        }
    }

    fn rows_of(&self, sql: &str, params: impl Params) -> rusqlite::Result<Vec<StoredRow>> {
        let mut statement = self.db.prepare_cached(sql)?;
        let mut found = statement.query(params)?;
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while let Some(row) = found.next()? {
            let seq = row.get("seq")?;
            let row = read(seq, row)?;
            bytes += row.as_ref().map_or(0, |row| row.entry.len());
            rows.push(StoredRow { seq, row });
            if bytes > BYTES {
                break;
            }
        }
        Ok(rows)
    }

    fn notes_of(&self, after: i64, until: i64) -> rusqlite::Result<Vec<StoredNote>> {
        let mut statement = self.db.prepare_cached(
            "SELECT size, note FROM checkpoint WHERE size > :after AND size <= :until ORDER BY size LIMIT :limit",
        )?;
        let params = named_params! {":after": after, ":until": until, ":limit": NOTES};
        let mut found = statement.query(params)?;
        let mut notes = Vec::new();
        while let Some(row) = found.next()? {
            let note = text(row.get_ref("note")?);
            notes.push(StoredNote { size: row.get("size")?, note });
        }
        Ok(notes)
    }

    fn head_of(&self) -> rusqlite::Result<Result<Head, NoHead>> {
        let mut statement =
            self.db.prepare_cached("SELECT size, hash, peaks FROM audit_head WHERE id = 1")?;
        let mut found = statement.query([])?;
        let Some(row) = found.next()? else { return Ok(Err(NoHead("row"))) };
        let (hash, peaks) = (text(row.get_ref("hash")?), text(row.get_ref("peaks")?));
        let ValueRef::Integer(size) = row.get_ref("size")? else { return Ok(Err(NoHead("size"))) };
        let (Some(hash), Some(peaks)) = (hash, peaks) else { return Ok(Err(NoHead("hash"))) };
        Ok(Head::read(size, &hash, &peaks))
    }

    fn check(&self, table: &str) -> rusqlite::Result<String> {
        self.db.query_row(&format!("PRAGMA integrity_check({table})"), [], |row| row.get(0))
    }
}

impl Log for SqliteLog {
    fn rows(&mut self, after: i64) -> Result<Vec<StoredRow>, LogError> {
        let sql = format!("SELECT {COLUMNS} FROM audit WHERE seq > :after ORDER BY seq LIMIT :limit");
        let rows = self.rows_of(&sql, named_params! {":after": after, ":limit": ROWS});
        rows.map_err(|error| said(&error))
    }

    fn about(&mut self, action_id: &str, tenant: Option<&str>) -> Result<Vec<StoredRow>, LogError> {
        // Without a tenant all of the index is walked, but nothing else.
        let sql = format!(
            "SELECT {COLUMNS} FROM audit WHERE seq IN (
                 SELECT seq FROM audit INDEXED BY audit_by_action
                 WHERE action_id = :id AND (:tenant IS NULL OR tenant = :tenant))
             ORDER BY seq"
        );
        let rows = self.rows_of(&sql, named_params! {":id": action_id, ":tenant": tenant});
        rows.map_err(|error| said(&error))
    }

    fn notes(&mut self, after: i64, until: i64) -> Result<Vec<StoredNote>, LogError> {
        self.notes_of(after, until).map_err(|error| said(&error))
    }

    fn head(&mut self) -> Result<Result<Head, NoHead>, LogError> {
        self.head_of().map_err(|error| said(&error))
    }

    fn sound(&mut self) -> Result<(), LogError> {
        for table in ["audit", "audit_head", "checkpoint"] {
            match self.check(table).map_err(|error| said(&error))?.as_str() {
                "ok" => {}
                damage => return Err(LogError::Damaged(damage.to_owned())),
            }
        }
        Ok(())
    }
}

/// The columns of a row, or the name of the first that cannot be read.
fn read(seq: i64, row: &rusqlite::Row<'_>) -> rusqlite::Result<Result<Row, String>> {
    let need = |name: &'static str| Ok::<_, rusqlite::Error>(text(row.get_ref(name)?).ok_or(name.to_owned()));
    let action_id = match row.get_ref("action_id")? {
        ValueRef::Null => Ok(None),
        value => text(value).map(Some).ok_or("action_id".to_owned()),
    };
    let at = match row.get_ref("at")? {
        ValueRef::Integer(at) => Ok(at),
        _ => Err("at".to_owned()),
    };
    let (tenant, kind, entry, hash) = (need("tenant")?, need("kind")?, need("entry")?, need("hash")?);
    let seq = u64::try_from(seq).map_err(|_| "seq".to_owned());
    let columns = || {
        let (entry, hash) = (entry?, hash?);
        Ok(Row { seq: seq?, tenant: tenant?, kind: kind?, action_id: action_id?, at: at?, entry, hash })
    };
    Ok(columns())
}

fn text(value: ValueRef<'_>) -> Option<String> {
    let bytes = value.as_str().ok()?;
    Some(bytes.to_owned())
}

/// Whether nobody could look, or the file is not what SQLite wrote.
fn said(error: &rusqlite::Error) -> LogError {
    let reach = [
        ErrorCode::PermissionDenied,
        ErrorCode::DatabaseBusy,
        ErrorCode::DatabaseLocked,
        ErrorCode::OutOfMemory,
        ErrorCode::SystemIoFailure,
        ErrorCode::CannotOpen,
        ErrorCode::AuthorizationForStatementDenied,
        ErrorCode::ReadOnly,
    ];
    match error.sqlite_error_code() {
        Some(code) if reach.contains(&code) => {
            LogError::OutOfReach(format!("cannot read the database: {error}"))
        }
        _ => LogError::Damaged(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
