//! One PostgreSQL connection, as the SQL of the store calls it: from a thread that may block, never from a task.

use super::super::sql::db::{Cell, Db, Params, Row, Transactions, Value, params, storable};
use super::super::{Change, StoreError};
use super::text;
use bytes::BytesMut;
use deadpool_postgres::{Object, Pool};
use std::cell::{Cell as Slot, RefCell};
use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// The channel on which every gateway of a database hears that there are new rows in the outbox (an empty payload), or that
/// somebody looks at something else (the payload is the tenant).
pub(super) const CHANNEL: &str = "aegis_console";

/// Statements as PostgreSQL has them: `$1` for the first name, and the names in that order. The texts are the store's own,
/// so there are not many.
#[derive(Debug, Clone, Default)]
pub(super) struct Texts(Arc<Mutex<HashMap<String, Arc<Text>>>>);

#[derive(Debug)]
struct Text {
    sql: String,
    names: Vec<String>,
}

impl Texts {
    fn of(&self, sql: &str) -> Arc<Text> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = known.get(sql) {
            return Arc::clone(text);
        }
        let text = Arc::new(numbered(sql));
        known.insert(sql.to_owned(), Arc::clone(&text));
        text
    }
}

/// Writes `$n` for each `:name`.
fn numbered(sql: &str) -> Text {
    let (mut out, mut names): (String, Vec<String>) = (String::with_capacity(sql.len()), Vec::new());
    let mut rest = sql;
    while let Some((before, after)) = rest.split_once(':') {
        out.push_str(before);
        let end = after.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(after.len());
        let (name, behind) = after.split_at(end);
        let place = names.iter().position(|known| known == name).unwrap_or_else(|| {
            names.push(name.to_owned());
            names.len() - 1
        });
        out.push_str(&format!("${}", place + 1));
        rest = behind;
    }
    out.push_str(rest);
    Text { sql: out, names }
}

/// A connection of the pool, taken when it is needed, and again after it broke.
pub(super) struct PostgresConnection {
    pool: Pool,
    texts: Texts,
    runtime: Handle,
    client: RefCell<Option<Object>>,
    open: Slot<bool>,
}

impl PostgresConnection {
    /// One that has not been taken yet.
    pub(super) fn new(pool: Pool, texts: Texts, runtime: Handle) -> Self {
        Self { pool, texts, runtime, client: RefCell::new(None), open: Slot::new(false) }
    }

    /// One that has been taken from the pool.
    pub(super) fn of(client: Object, pool: Pool, texts: Texts, runtime: Handle) -> Self {
        Self { client: RefCell::new(Some(client)), ..Self::new(pool, texts, runtime) }
    }

    fn rows(&self, sql: &str, params: Params<'_>) -> Result<(Vec<tokio_postgres::Row>, u64), StoreError> {
        storable(params)?;
        let text = self.texts.of(sql);
        let values: Vec<Value<'_>> = text
            .names
            .iter()
            .map(|name| {
                let given = params.iter().find(|(given, _)| given.strip_prefix(':') == Some(name));
                given
                    .map(|(_, value)| *value)
                    .ok_or_else(|| StoreError::Database(format!("no parameter {name}")))
            })
            .collect::<Result<_, _>>()?;
        let borrowed = self.client.borrow();
        let client =
            borrowed.as_ref().ok_or_else(|| StoreError::Database("there is no connection".into()))?;
        let run = async {
            let statement = client.prepare_cached(&text.sql).await?;
            let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
            if statement.columns().is_empty() {
                return Ok((Vec::new(), client.execute(&statement, &values).await?));
            }
            let rows = client.query(&statement, &values).await?;
            let count = rows.len() as u64;
            Ok((rows, count))
        };
        let error: tokio_postgres::Error = match self.runtime.block_on(run) {
            Ok(found) => return Ok(found),
            Err(error) => error,
        };
        let ended = client.is_closed() || text::ends_the_connection(&error);
        drop(borrowed);
        if ended {
            // And with it the transaction, whether it says so already or not.
            self.open.set(false);
            self.let_go();
        }
        Err(text::of(&error))
    }

    /// In whatever state the connection is now, it is not used again.
    fn let_go(&self) {
        if let Some(client) = self.client.take() {
            drop(Object::take(client));
        }
    }

    /// A statement without parameters or answer that is not prepared.
    fn plain(&self, sql: &str) -> Result<(), tokio_postgres::Error> {
        let client = self.client.borrow();
        let Some(client) = client.as_ref() else { return Ok(()) };
        self.runtime.block_on(client.batch_execute(sql))
    }
}

impl Db for PostgresConnection {
    fn query(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, StoreError> {
        let (rows, _) = self.rows(sql, params)?;
        let Some(first) = rows.first() else { return Ok(Vec::new()) };
        let columns: Arc<[String]> = first.columns().iter().map(|column| column.name().to_owned()).collect();
        let read = |row: &tokio_postgres::Row| {
            let cells = (0..columns.len()).map(|place| row.try_get(place).map(|Read(cell)| cell));
            let cells = cells.collect::<Result<_, _>>().map_err(|error| text::of(&error))?;
            Ok(Row::new(Arc::clone(&columns), cells))
        };
        rows.iter().map(read).collect()
    }

    fn execute(&self, sql: &str, params: Params<'_>) -> Result<u64, StoreError> {
        self.rows(sql, params).map(|(_, count)| count)
    }
}

impl Transactions for PostgresConnection {
    /// All writers of a database take turns, by a lock that ends with the transaction: so what was looked at stays as it
    /// is, and the rows of the outbox and of the audit log are committed in their order.
    fn begin(&self) -> Result<(), StoreError> {
        let lost = self.client.borrow().as_ref().is_none_or(|client| client.is_closed());
        if lost {
            // Given back first: a pool of one would wait for itself.
            drop(self.client.take());
            let client = self.runtime.block_on(self.pool.get());
            let client = client.map_err(|error| StoreError::Database(text::of_pool(&error)))?;
            self.client.replace(Some(client));
        }
        let lock = "BEGIN; SELECT pg_advisory_xact_lock(7262146, hashtext(current_schema()))";
        self.plain(lock).map_err(|error| {
            self.let_go();
            text::of(&error)
        })?;
        self.open.set(true);
        Ok(())
    }

    fn is_open(&self) -> bool {
        self.open.get()
    }

    fn commit(&self, news: &[Change]) -> Result<(), StoreError> {
        if !self.open.get() {
            return Err(StoreError::Database(
                "the connection broke, and the transaction ended with it".into(),
            ));
        }
        let events = news.iter().any(|change| !change.is_look()).then_some("");
        let looks = news.iter().filter(|change| change.is_look()).map(|change| &*change.tenant);
        // Each once: the same news twice in a transaction is told once.
        let mut told = Ok(());
        for payload in events.into_iter().chain(looks) {
            let sql = "SELECT pg_notify(:channel, :payload)";
            told = told.and_then(|()| {
                self.execute(sql, params! {":channel": CHANNEL, ":payload": payload}).map(drop)
            });
        }
        self.open.set(false);
        if let Err(error) = told {
            // No COMMIT has been sent.
            self.let_go();
            return Err(error);
        }
        // Where the transaction has been lost, to a statement that failed or altogether, PostgreSQL answers a COMMIT with no
        // error all the same. A savepoint is refused then, and with it what stands behind it in the text.
        self.plain("SAVEPOINT whole; COMMIT").map_err(|error| {
            // Who is thrown out may have been so after the commit.
            let said_no = error.as_db_error().is_some() && !text::ends_the_connection(&error);
            self.let_go();
            if said_no { text::of(&error) } else { StoreError::Unknown }
        })
    }
}

/// A cell, read from whatever type it has.
struct Read(Cell);

impl<'a> FromSql<'a> for Read {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(match *kind {
            Type::BOOL => Cell::Int(bool::from_sql(kind, raw)?.into()),
            Type::INT4 => Cell::Int(i32::from_sql(kind, raw)?.into()),
            Type::INT8 => Cell::Int(i64::from_sql(kind, raw)?),
            _ => Cell::Text(String::from_sql(kind, raw)?),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(Cell::Null))
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::BOOL | Type::INT4 | Type::INT8) || <String as FromSql>::accepts(kind)
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(value) if *kind == Type::INT4 => i32::try_from(*value)?.to_sql(kind, out),
            Self::Int(value) => value.to_sql(kind, out),
            Self::Text(text) => text.to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::INT4 | Type::INT8) || <&str as ToSql>::accepts(kind)
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_numbers_and_the_same_name_the_same_number() {
        let text = numbered("SELECT 'x' FROM t WHERE a = :one AND b = :two_more OR :one < c");
        assert_eq!(text.sql, "SELECT 'x' FROM t WHERE a = $1 AND b = $2 OR $1 < c");
        assert_eq!(text.names, ["one", "two_more"]);
        assert_eq!(numbered("SELECT 1").sql, "SELECT 1");
    }
}
