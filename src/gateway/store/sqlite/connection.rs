//! One SQLite connection, as the SQL of the store calls it.

use super::super::sql::db::{Cell, Db, Params, Row, Transactions, Value, storable};
use super::super::{Change, StoreError};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode};
use std::sync::Arc;

/// A connection.
pub(super) struct SqliteConnection(pub(super) Connection);

impl SqliteConnection {
    /// The statement, compiled once, with its parameters.
    fn prepare(&self, sql: &str, params: Params<'_>) -> Result<CachedStatement<'_>, StoreError> {
        storable(params)?;
        let mut statement = self.0.prepare_cached(sql)?;
        for (name, value) in params {
            // A name that the text does not hold is a mistake in this program.
            let place = statement.parameter_index(name)?;
            let place = place.ok_or_else(|| StoreError::Database(format!("no parameter {name}")))?;
            statement.raw_bind_parameter(place, ToSqlOutput::Borrowed(reference(value)))?;
        }
        Ok(statement)
    }
}

fn reference<'v>(value: &Value<'v>) -> ValueRef<'v> {
    match *value {
        Value::Null => ValueRef::Null,
        Value::Int(value) => ValueRef::Integer(value),
        Value::Text(text) => ValueRef::Text(text.as_bytes()),
    }
}

impl Db for SqliteConnection {
    fn query(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, StoreError> {
        let mut statement = self.prepare(sql, params)?;
        let columns: Arc<[String]> = statement.column_names().map(str::to_owned).collect();
        let (mut rows, mut found) = (Vec::new(), statement.raw_query());
        while let Some(row) = found.next()? {
            let cells = (0..columns.len()).map(|place| cell(row.get_ref(place)?));
            rows.push(Row::new(Arc::clone(&columns), cells.collect::<Result<_, StoreError>>()?));
        }
        Ok(rows)
    }

    fn execute(&self, sql: &str, params: Params<'_>) -> Result<u64, StoreError> {
        Ok(self.prepare(sql, params)?.raw_execute()? as u64)
    }
}

fn cell(value: ValueRef<'_>) -> Result<Cell, StoreError> {
    let unreadable = || StoreError::Database("a stored text is no text any more".into());
    match value {
        ValueRef::Null => Ok(Cell::Null),
        ValueRef::Integer(value) => Ok(Cell::Int(value)),
        ValueRef::Text(text) => {
            std::str::from_utf8(text).map(|text| Cell::Text(text.to_owned())).map_err(|_| unreadable())
        }
        ValueRef::Real(_) | ValueRef::Blob(_) => Err(unreadable()),
    }
}

impl Transactions for SqliteConnection {
    fn begin(&self) -> Result<(), StoreError> {
        self.execute("BEGIN IMMEDIATE", &[]).map(drop)
    }

    fn is_open(&self) -> bool {
        !self.0.is_autocommit()
    }

    fn commit(&self, _news: &[Change]) -> Result<(), StoreError> {
        let Err(error) = self.0.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([])) else {
            return Ok(());
        };
        // After a sync that failed nobody knows what is on the disk, and a second sync would not say.
        let unknown = error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure);
        if unknown {
            tracing::error!(%error, "the last commit could not be synced");
        }
        Err(if unknown { StoreError::Broken } else { error.into() })
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.to_string())
    }
}
