//! What PostgreSQL says went wrong, in words for the log. Never its details: they quote what was stored.

use super::super::StoreError;
use deadpool_postgres::PoolError;
use tokio_postgres::error::{DbError, Severity};

/// An error of a statement.
pub(super) fn of(error: &tokio_postgres::Error) -> StoreError {
    StoreError::Database(words(error))
}

/// The words of an error.
pub(crate) fn words(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("{} ({})", said.message(), said.code().code()),
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}

/// Whether the connection is of no use after it: it broke, or the server has thrown it out.
pub(super) fn ends_the_connection(error: &tokio_postgres::Error) -> bool {
    let broke = std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
    let severity = error.as_db_error().and_then(DbError::parsed_severity);
    error.is_closed() || broke || matches!(severity, Some(Severity::Fatal | Severity::Panic))
}

/// An error of the pool.
pub(super) fn of_pool(error: &PoolError) -> String {
    match error {
        PoolError::Backend(error) => words(error),
        error => error.to_string(),
    }
}
