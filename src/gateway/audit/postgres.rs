//! The log in a PostgreSQL database, over a connection of its own that can only read, as of one moment.

use super::super::store::postgres;
use super::head::{Head, NoHead, Row};
use super::stored::{Log, LogError, StoredNote, StoredRow};
use secrecy::SecretString;
use tokio::runtime::Runtime;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

/// Rows in one piece.
const ROWS: i64 = 64;
/// Checkpoints in one piece.
const NOTES: i64 = 1024;

const COLUMNS: &str = "seq, tenant, kind, action_id, at, entry, hash";

/// The log in a database.
pub struct PostgresLog {
    runtime: Runtime,
    client: Client,
}

impl PostgresLog {
    /// Opens it for reading; not from a task.
    ///
    /// # Errors
    /// [`LogError`], where it cannot be read or has no log.
    pub fn open(url: &SecretString) -> Result<Self, LogError> {
        let out = |why: String| LogError::OutOfReach(format!("cannot read PostgreSQL: {why}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|why| out(why.to_string()))?;
        let client = runtime.block_on(async {
            let client = postgres::connect(url).await.map_err(|why| out(why.to_string()))?;
            let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0;
                SET LOCAL idle_in_transaction_session_timeout = 0";
            client.batch_execute(begin).await.map_err(|error| out(postgres::words(&error)))?;
            Ok::<_, LogError>(client)
        })?;
        Ok(Self { runtime, client })
    }

    fn query(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<tokio_postgres::Row>, LogError> {
        self.runtime.block_on(self.client.query(sql, params)).map_err(|error| said(&error))
    }

    fn rows_of(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<StoredRow>, LogError> {
        self.query(sql, params)?.iter().map(|row| read(row).map_err(|error| said(&error))).collect()
    }
}

impl Log for PostgresLog {
    fn rows(&mut self, after: i64) -> Result<Vec<StoredRow>, LogError> {
        let sql = format!("SELECT {COLUMNS} FROM audit WHERE seq > $1 ORDER BY seq LIMIT {ROWS}");
        self.rows_of(&sql, &[&after])
    }

    fn about(&mut self, action_id: &str, tenant: Option<&str>) -> Result<Vec<StoredRow>, LogError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM audit WHERE action_id = $1 AND ($2::text IS NULL OR tenant = $2) ORDER BY seq"
        );
        self.rows_of(&sql, &[&action_id, &tenant])
    }

    fn notes(&mut self, after: i64, until: i64) -> Result<Vec<StoredNote>, LogError> {
        let sql = format!(
            "SELECT size, note FROM checkpoint WHERE size > $1 AND size <= $2 ORDER BY size LIMIT {NOTES}"
        );
        let read =
            |row: &tokio_postgres::Row| Ok(StoredNote { size: row.try_get(0)?, note: Some(row.try_get(1)?) });
        let rows = self.query(&sql, &[&after, &until])?;
        rows.iter().map(|row| read(row).map_err(|error: tokio_postgres::Error| said(&error))).collect()
    }

    fn head(&mut self) -> Result<Result<Head, NoHead>, LogError> {
        let rows = self.query("SELECT size, hash, peaks FROM audit_head WHERE id = 1", &[])?;
        let Some(row) = rows.first() else { return Ok(Err(NoHead("row"))) };
        let read = || Ok::<_, tokio_postgres::Error>((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
        let (size, hash, peaks): (i64, String, String) = read().map_err(|error| said(&error))?;
        Ok(Head::read(size, &hash, &peaks))
    }

    /// A server looks after its own pages.
    fn sound(&mut self) -> Result<(), LogError> {
        Ok(())
    }
}

fn read(row: &tokio_postgres::Row) -> Result<StoredRow, tokio_postgres::Error> {
    let seq: i64 = row.try_get(0)?;
    let columns = Row {
        seq: u64::try_from(seq).unwrap_or_default(),
        tenant: row.try_get(1)?,
        kind: row.try_get(2)?,
        action_id: row.try_get(3)?,
        at: row.try_get(4)?,
        entry: row.try_get(5)?,
        hash: row.try_get(6)?,
    };
    Ok(StoredRow { seq, row: Ok(columns) })
}

/// Whether nobody could look, or the server says that what it has is damaged (class XX), or that there is no such table.
fn said(error: &tokio_postgres::Error) -> LogError {
    let words = postgres::words(error);
    match error.code().map(SqlState::code) {
        Some(code) if code.starts_with("XX") => LogError::Damaged(words),
        Some("42P01") => LogError::OutOfReach(format!(
            "the database has no audit log; start a gateway of this aegis-console on it once ({words})"
        )),
        _ => LogError::OutOfReach(format!("cannot read PostgreSQL: {words}")),
    }
}
