//! The SQLite store: one writer thread that commits together what waits together, and readers of their own, so that
//! reads never wait for writes (WAL). What each method writes is in `decide`, `own`, `agents` and `queue`; this file only hands
//! the work over.

mod agents;
mod decide;
mod open;
mod own;
mod queue;
mod readers;
mod rows;
#[cfg(test)]
mod tests;
mod writer;

use super::{
    AgentRow, Answer, Asked, Change, Clock, Decided, DecisionCall, DecisionRow, Event, NewAction, Own, Owner,
    Page, PauseCall, Record, Report, Store, StoreError,
};
use crate::domain::ActionState;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
pub(crate) use open::OpenError;
use readers::Readers;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;
use writer::Writer;

/// How many changes a slow listener may fall behind before it has to read the rows.
const NEWS: usize = 1024;

/// The store on one SQLite file.
pub(crate) struct SqliteStore {
    writer: Writer,
    readers: Readers,
    news: broadcast::Sender<Change>,
    validity: Duration,
}

impl SqliteStore {
    /// Opens the file, creating it with mode 0600 where it is not there. `lock` is held until the last byte is written.
    /// `validity` is how long an approval may be consumed.
    pub(crate) fn open(
        file: &Path,
        lock: Option<File>,
        clock: Clock,
        validity: Duration,
    ) -> Result<Self, OpenError> {
        let (news, _) = broadcast::channel(NEWS);
        let connection = open::writer(file)?;
        let readers = Readers::new(open::readers(file)?);
        let writer = Writer::start(connection, lock, clock, news.clone()).map_err(OpenError::Thread)?;
        Ok(Self { writer, readers, news, validity })
    }
}

impl Store for SqliteStore {
    fn ask(&self, action: NewAction, most: usize) -> Answer<'_, Asked> {
        self.writer.run(move |tx| queue::ask(tx, &action, most)).boxed()
    }

    fn decide(&self, call: DecisionCall) -> Answer<'_, Decided> {
        let validity = self.validity;
        self.writer.run(move |tx| decide::decide(tx, &call, validity)).boxed()
    }

    fn withdraw(&self, owner: Owner, id: String) -> Answer<'_, Own> {
        self.writer.run(move |tx| own::withdraw(tx, &owner, &id)).boxed()
    }

    fn consume(&self, owner: Owner, id: String, key: String) -> Answer<'_, Own> {
        self.writer.run(move |tx| own::consume(tx, &owner, &id, &key)).boxed()
    }

    fn report(&self, owner: Owner, id: String, report: Report) -> Answer<'_, Own> {
        self.writer.run(move |tx| own::report(tx, &owner, &id, &report)).boxed()
    }

    fn pause(&self, call: PauseCall) -> Answer<'_, Option<AgentRow>> {
        self.writer.run(move |tx| agents::pause(tx, &call)).boxed()
    }

    fn agents(&self, tenant: Arc<str>, names: Vec<String>) -> Answer<'_, Vec<AgentRow>> {
        self.readers.run(move |db| agents::all(db, &tenant, names)).boxed()
    }

    fn expire(&self) -> Answer<'_, Option<Timestamp>> {
        self.writer.run(queue::expire).boxed()
    }

    fn record(&self, tenant: Arc<str>, id: String) -> Answer<'_, Option<Record>> {
        self.readers.run(move |db| rows::by_id(db, &tenant, &id)).boxed()
    }

    fn page(
        &self,
        tenant: Arc<str>,
        state: Option<ActionState>,
        after: i64,
        limit: usize,
    ) -> Answer<'_, Page> {
        self.readers.run(move |db| queue::page(db, &tenant, state, after, limit)).boxed()
    }

    fn standing(&self, tenant: Option<Arc<str>>, request_id: String) -> Answer<'_, Option<DecisionRow>> {
        self.readers.run(move |db| decide::standing(db, tenant.as_deref(), &request_id)).boxed()
    }

    fn events(&self, tenant: Arc<str>, after: i64, limit: usize) -> Answer<'_, Vec<Event>> {
        self.readers.run(move |db| queue::events(db, &tenant, after, limit)).boxed()
    }

    fn last_event(&self) -> Answer<'_, i64> {
        self.readers.run(queue::last_event).boxed()
    }

    fn ready(&self) -> Answer<'_, ()> {
        async {
            self.readers.run(|db| Ok(db.query_row("SELECT 1", [], |_| Ok(()))?)).await?;
            self.writer.run(|_| Ok(())).await
        }
        .boxed()
    }

    fn changes(&self) -> broadcast::Receiver<Change> {
        self.news.subscribe()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async {
            // The readers first: the last connection to close leaves no WAL behind.
            self.readers.close();
            self.writer.close().await;
        }
        .boxed()
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.to_string())
    }
}
