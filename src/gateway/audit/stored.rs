//! What a database gives of its audit log, to be read and judged: nothing in it is believed. The trait that every
//! database answers; who reads it can only read.

use super::head::{Head, NoHead, Row};

/// A row as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRow {
    /// Its number in the table.
    pub seq: i64,
    /// Its columns, or which of them cannot be read.
    pub row: Result<Row, String>,
}

/// A checkpoint as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredNote {
    /// The number of rows that its column names.
    pub size: i64,
    /// The note; `None` where it cannot be read.
    pub note: Option<String>,
}

/// Why the log cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// Nobody could look: no such file, no such server, not allowed.
    #[error("{0}")]
    OutOfReach(String),
    /// The database says itself that it is damaged.
    #[error("the database is damaged: {0}")]
    Damaged(String),
}

/// A database with an audit log in it, as of one moment.
pub trait Log {
    /// The first rows after that one, in order; none only where there are none.
    ///
    /// # Errors
    /// [`LogError`], as for all of these.
    fn rows(&mut self, after: i64) -> Result<Vec<StoredRow>, LogError>;

    /// The rows about an action, in order; of one tenant where one is named.
    ///
    /// # Errors
    /// [`LogError`].
    fn about(&mut self, action_id: &str, tenant: Option<&str>) -> Result<Vec<StoredRow>, LogError>;

    /// Some of the checkpoints over more than `after` and at most `until` rows, in order: all, where there are not more
    /// than there are rows between.
    ///
    /// # Errors
    /// [`LogError`].
    fn notes(&mut self, after: i64, until: i64) -> Result<Vec<StoredNote>, LogError>;

    /// Where the log says that it ends.
    ///
    /// # Errors
    /// [`LogError`].
    fn head(&mut self) -> Result<Result<Head, NoHead>, LogError>;

    /// Has the database look at its own pages.
    ///
    /// # Errors
    /// [`LogError::Damaged`], where it finds something.
    fn sound(&mut self) -> Result<(), LogError>;
}
