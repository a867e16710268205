//! Connections that only read, handed out one call at a time, so that a read never waits for a write.

use super::super::StoreError;
use super::super::sql::{Read, Readers};
use super::connection::SqliteConnection;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// The connections that are free, and the queue for them.
pub(super) struct SqliteReaders {
    idle: Arc<Mutex<Vec<SqliteConnection>>>,
    free: Arc<Semaphore>,
}

impl SqliteReaders {
    /// Takes the connections in.
    pub(super) fn new(connections: Vec<SqliteConnection>) -> Self {
        let free = Arc::new(Semaphore::new(connections.len()));
        Self { idle: Arc::new(Mutex::new(connections)), free }
    }
}

impl Readers for SqliteReaders {
    fn run(&self, read: Read) -> BoxFuture<'_, ()> {
        async {
            let Ok(free) = Arc::clone(&self.free).acquire_owned().await else {
                return read(Err(StoreError::Closed));
            };
            let idle = Arc::clone(&self.idle);
            let work = move || {
                // Held in here: the connection is back before the next caller is let in, even if this one has gone.
                let _free = free;
                let take = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let Some(connection) = take else { return read(Err(StoreError::Closed)) };
                read(Ok(&connection));
                idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            };
            // Where it panics, its answer is gone, and that is what its caller is told.
            let _ = tokio::task::spawn_blocking(work).await;
        }
        .boxed()
    }

    fn close(&self) {
        self.free.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
