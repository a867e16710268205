//! What PostgreSQL says went wrong, in words for the log. Never its details: they quote what was stored.

use super::super::StoreError;
use deadpool_postgres::PoolError;

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

/// An error of the pool.
pub(super) fn of_pool(error: &PoolError) -> String {
    match error {
        PoolError::Backend(error) => words(error),
        error => error.to_string(),
    }
}
