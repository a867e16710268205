//! SQL that is written once and run by either database: values in, rows out, parameters by name.
//!
//! Only what both speak is used in the texts: `:name` parameters, `RETURNING`, `ON CONFLICT DO NOTHING`, 64-bit numbers and
//! texts. Nothing here knows a table.

use super::super::{Change, StoreError};
use jiff::Timestamp;
use std::sync::Arc;

/// A parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'v> {
    Null,
    Int(i64),
    Text(&'v str),
}

/// Parameters by their names, which begin with a colon.
pub(crate) type Params<'p> = &'p [(&'static str, Value<'p>)];

/// Parameters for a statement: `params! {":id": id, ":at": micros(at)}`.
macro_rules! params {
    ($($name:literal: $value:expr),* $(,)?) => {
        &[$(($name, $crate::gateway::store::sql::db::Value::from($value))),*]
    };
}
pub(crate) use params;

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Int(value.into())
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(value: &'v str) -> Self {
        Self::Text(value)
    }
}

impl<'v> From<&'v String> for Value<'v> {
    fn from(value: &'v String) -> Self {
        Self::Text(value)
    }
}

impl<'v> From<&'v Arc<str>> for Value<'v> {
    fn from(value: &'v Arc<str>) -> Self {
        Self::Text(value)
    }
}

impl<'v> From<&'v Option<String>> for Value<'v> {
    fn from(value: &'v Option<String>) -> Self {
        value.as_deref().into()
    }
}

impl<'v, T: Into<Value<'v>>> From<Option<T>> for Value<'v> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The number under which a time is stored.
pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// What stands in a column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Cell {
    #[default]
    Null,
    Int(i64),
    Text(String),
}

/// A row; what is read from it is moved out, so that a large text is not copied.
#[derive(Debug)]
pub(crate) struct Row {
    columns: Arc<[String]>,
    cells: Vec<Cell>,
}

impl Row {
    /// A row of as many cells as columns.
    pub(crate) fn new(columns: Arc<[String]>, cells: Vec<Cell>) -> Self {
        Self { columns, cells }
    }

    /// Moves the cell of that column out.
    pub(crate) fn take<T: FromCell>(&mut self, column: &str) -> Result<T, StoreError> {
        let place = self.columns.iter().position(|name| name == column);
        let cell = place.and_then(|place| self.cells.get_mut(place)).map(std::mem::take);
        cell.and_then(T::from_cell).ok_or_else(|| unreadable(column))
    }

    /// Reads a word of a closed set.
    pub(crate) fn word<T>(
        &mut self,
        column: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, StoreError> {
        let text: String = self.take(column)?;
        parse(&text).ok_or_else(|| unreadable(column))
    }

    /// Reads a time that every such row has.
    pub(crate) fn time(&mut self, column: &str) -> Result<Timestamp, StoreError> {
        self.optional_time(column)?.ok_or_else(|| unreadable(column))
    }

    /// Reads a time.
    pub(crate) fn optional_time(&mut self, column: &str) -> Result<Option<Timestamp>, StoreError> {
        let micros: Option<i64> = self.take(column)?;
        micros.map(|micros| Timestamp::from_microsecond(micros).map_err(|_| unreadable(column))).transpose()
    }
}

fn unreadable(column: &str) -> StoreError {
    StoreError::Database(format!("the column {column} of a row holds something else than was stored there"))
}

/// What a cell can be read as.
pub(crate) trait FromCell: Sized {
    /// `None` where the cell holds something else.
    fn from_cell(cell: Cell) -> Option<Self>;
}

impl FromCell for i64 {
    fn from_cell(cell: Cell) -> Option<Self> {
        if let Cell::Int(value) = cell { Some(value) } else { None }
    }
}

impl FromCell for bool {
    fn from_cell(cell: Cell) -> Option<Self> {
        i64::from_cell(cell).map(|value| value != 0)
    }
}

impl FromCell for String {
    fn from_cell(cell: Cell) -> Option<Self> {
        if let Cell::Text(value) = cell { Some(value) } else { None }
    }
}

impl FromCell for Arc<str> {
    fn from_cell(cell: Cell) -> Option<Self> {
        String::from_cell(cell).map(Into::into)
    }
}

impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(cell: Cell) -> Option<Self> {
        if cell == Cell::Null { Some(None) } else { T::from_cell(cell).map(Some) }
    }
}

/// A connection that answers SQL.
pub(crate) trait Db {
    /// Every row of a statement that gives rows.
    fn query(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, StoreError>;

    /// How many rows a statement has changed.
    fn execute(&self, sql: &str, params: Params<'_>) -> Result<u64, StoreError>;

    /// The first row.
    fn first(&self, sql: &str, params: Params<'_>) -> Result<Option<Row>, StoreError> {
        Ok(self.query(sql, params)?.into_iter().next())
    }
}

impl dyn Db + '_ {
    /// The one cell of a statement that always gives one.
    pub(crate) fn cell<T: FromCell>(&self, sql: &str, params: Params<'_>) -> Result<T, StoreError> {
        let cell = self.first(sql, params)?.and_then(|row| row.cells.into_iter().next());
        cell.and_then(T::from_cell).ok_or_else(|| unreadable("of a single value"))
    }
}

/// A connection on which transactions are made.
pub(crate) trait Transactions: Db {
    /// Begins one that no other writer runs beside, on this machine or another.
    fn begin(&self) -> Result<(), StoreError>;

    /// Whether one is open. A database may end it by itself.
    fn is_open(&self) -> bool;

    /// Ends it; when this returns, it is on the disk. `news` is what other gateways are told of.
    fn commit(&self, news: &[Change]) -> Result<(), StoreError>;
}

/// Refuses what only one of the databases could store: both behave alike.
pub(crate) fn storable(params: Params<'_>) -> Result<(), StoreError> {
    let nul = |(_, value): &(&str, Value<'_>)| matches!(value, Value::Text(text) if text.contains('\0'));
    if params.iter().any(nul) { Err(StoreError::Nul) } else { Ok(()) }
}
