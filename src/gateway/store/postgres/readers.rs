//! Connections of the pool that read.

use super::super::StoreError;
use super::super::sql::{Read, Readers};
use super::connection::{PostgresConnection, Texts};
use super::text;
use deadpool_postgres::Pool;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

/// The pool.
pub(super) struct PostgresReaders {
    pub(super) pool: Pool,
    pub(super) texts: Texts,
}

impl Readers for PostgresReaders {
    fn run(&self, read: Read) -> BoxFuture<'_, ()> {
        async {
            let client = match self.pool.get().await {
                Ok(client) => client,
                Err(_) if self.pool.is_closed() => return read(Err(StoreError::Closed)),
                Err(error) => return read(Err(StoreError::Database(text::of_pool(&error)))),
            };
            let (pool, texts, runtime) = (self.pool.clone(), self.texts.clone(), Handle::current());
            let work = move || read(Ok(&PostgresConnection::of(client, pool, texts, runtime)));
            // Where it panics, its answer is gone, and that is what its caller is told.
            let _ = tokio::task::spawn_blocking(work).await;
        }
        .boxed()
    }

    fn close(&self) {
        self.pool.close();
    }
}
