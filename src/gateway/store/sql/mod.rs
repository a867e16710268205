//! The store in SQL, written once for both databases: one writer that commits together what waits together, and readers of
//! their own, so that reads never wait for writes. What each method writes is in `decide`, `own`, `agents` and `queue`;
//! this file only hands the work over.

mod agents;
mod approvals;
mod audit;
pub(crate) mod db;
mod decide;
mod deliveries;
mod forget;
mod instances;
mod janitor;
mod own;
mod presence;
mod queue;
mod rows;
#[cfg(test)]
mod tests;
mod tokens;
pub(super) mod writer;

use super::super::metrics::Commits;
use super::{
    AgentRow, Answer, Asked, Change, Checkpoint, Decided, DecisionCall, DecisionRow, Delivery, Event,
    InstanceRow, LookCall, Looking, Made, NewAction, NewInstance, NewToken, Own, Owner, Page, PauseCall,
    Provisioned, Record, Report, RulesText, Store, StoreError, Taking, TokenRow, TokensVersion, Told, Tried,
    Which,
};
use crate::domain::ActionState;
use db::{Db, micros, params};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use writer::Writer;

/// How many changes a slow listener may fall behind before it has to read the rows.
pub(super) const NEWS: usize = 1024;

/// What reads, on a thread that may block.
pub(super) type Read = Box<dyn FnOnce(Result<&dyn Db, StoreError>) + Send>;

/// Connections that only read.
pub(super) trait Readers: Send + Sync {
    /// Runs it on one of them.
    fn run(&self, read: Read) -> BoxFuture<'_, ()>;

    /// Lets nobody in any more and closes what is free.
    fn close(&self);
}

/// The store on one database.
pub(crate) struct SqlStore {
    pub(super) writer: Writer,
    pub(super) readers: Box<dyn Readers>,
    pub(super) news: broadcast::Sender<Change>,
    pub(super) log_size: watch::Sender<u64>,
    /// How long an approval may be consumed.
    pub(super) validity: Duration,
    /// Ends what a database needs besides, where the store is closed.
    pub(super) besides: Option<tokio::task::AbortHandle>,
}

impl SqlStore {
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Db) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let work: Read = Box::new(move |db| {
            // Nobody waits any more where the caller has gone.
            let _ = answer.send(db.and_then(read));
        });
        self.readers.run(work).await;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

impl Store for SqlStore {
    fn ask(&self, action: NewAction, most: usize) -> Answer<'_, Asked> {
        let validity = self.validity;
        self.writer.run(move |tx| queue::ask(tx, &action, most, validity)).boxed()
    }

    fn asked(&self, owner: Owner, ask_key: String) -> Answer<'_, Option<Record>> {
        self.read(move |db| queue::asked(db, &owner.tenant, &owner.agent, &ask_key)).boxed()
    }

    fn allowed_by_rule(&self, tenant: Arc<str>, since: Timestamp) -> Answer<'_, i64> {
        self.read(move |db| queue::allowed_by_rule(db, &tenant, since)).boxed()
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

    fn agent(&self, tenant: Arc<str>, name: Arc<str>) -> Answer<'_, AgentRow> {
        self.read(move |db| agents::one(db, &tenant, &name)).boxed()
    }

    fn agents(&self, tenant: Arc<str>, names: Vec<String>) -> Answer<'_, Vec<AgentRow>> {
        self.read(move |db| agents::all(db, &tenant, names)).boxed()
    }

    fn look(&self, call: LookCall) -> Answer<'_, Option<Vec<Looking>>> {
        self.writer.run(move |tx| presence::look(tx, &call)).boxed()
    }

    fn looking(&self, tenant: Arc<str>, now: Timestamp) -> Answer<'_, Vec<Looking>> {
        self.read(move |db| presence::all(db, &tenant, now)).boxed()
    }

    fn create_token(&self, new: NewToken) -> Answer<'_, Made> {
        self.writer.run(move |tx| tokens::create(tx, &new)).boxed()
    }

    fn revoke_tokens(&self, which: Which, by: String) -> Answer<'_, Vec<TokenRow>> {
        self.writer.run(move |tx| tokens::revoke(tx, &which, &by)).boxed()
    }

    fn tokens(&self, tenant: Option<Arc<str>>) -> Answer<'_, Vec<(String, TokenRow)>> {
        self.read(move |db| tokens::all(db, tenant.as_deref())).boxed()
    }

    fn tokens_version(&self) -> Answer<'_, TokensVersion> {
        self.read(tokens::version).boxed()
    }

    fn provision(&self, new: NewInstance) -> Answer<'_, Provisioned> {
        self.writer.run(move |tx| instances::provision(tx, &new)).boxed()
    }

    fn instance(
        &self,
        tenant: Arc<str>,
        provisioner: Arc<str>,
        key: String,
    ) -> Answer<'_, Option<InstanceRow>> {
        self.read(move |db| instances::made(db, &tenant, &provisioner, &key)).boxed()
    }

    fn instance_of(
        &self,
        tenant: Arc<str>,
        provisioner: Arc<str>,
        id: String,
    ) -> Answer<'_, Option<InstanceRow>> {
        self.read(move |db| instances::of(db, &tenant, &provisioner, &id)).boxed()
    }

    fn delete_instance(&self, tenant: Arc<str>, provisioner: Arc<str>, id: String) -> Answer<'_, bool> {
        self.writer.run(move |tx| instances::delete(tx, &tenant, &provisioner, &id)).boxed()
    }

    fn delivery_due(&self, full: Vec<String>, now: Timestamp) -> Answer<'_, Option<Timestamp>> {
        self.read(move |db| deliveries::due(db, &full, now)).boxed()
    }

    fn take_deliveries(&self, taking: Taking) -> Answer<'_, Vec<Delivery>> {
        self.writer.run(move |tx| deliveries::take(tx, &taking)).boxed()
    }

    fn settle_delivery(&self, id: String, tries: i64, tried: Tried) -> Answer<'_, ()> {
        self.writer.run(move |tx| deliveries::settle(tx, &id, tries, &tried)).boxed()
    }

    fn expire(&self) -> Answer<'_, Option<Timestamp>> {
        self.writer.run(queue::expire).boxed()
    }

    fn record(&self, tenant: Arc<str>, id: String) -> Answer<'_, Option<Record>> {
        self.read(move |db| rows::by_id(db, &tenant, &id)).boxed()
    }

    fn page(
        &self,
        tenant: Arc<str>,
        state: Option<ActionState>,
        after: i64,
        limit: usize,
    ) -> Answer<'_, Page> {
        self.read(move |db| queue::page(db, &tenant, state, after, limit)).boxed()
    }

    fn standing(
        &self,
        tenant: Option<Arc<str>>,
        request_id: String,
    ) -> Answer<'_, Option<(DecisionRow, Option<&'static str>)>> {
        self.read(move |db| decide::standing(db, tenant.as_deref(), &request_id)).boxed()
    }

    fn events(&self, tenant: Arc<str>, after: i64, limit: usize) -> Answer<'_, Vec<Event>> {
        self.read(move |db| queue::events(db, &tenant, after, limit)).boxed()
    }

    fn last_event(&self) -> Answer<'_, i64> {
        self.read(queue::last_event).boxed()
    }

    fn forget(&self, before: Timestamp, limit: i64) -> Answer<'_, u64> {
        self.writer.run(move |tx| forget::forget(tx, before, limit)).boxed()
    }

    fn pending(&self) -> Answer<'_, i64> {
        self.read(|db| db.cell("SELECT count(*) FROM action WHERE state = 'pending'", &[])).boxed()
    }

    fn has_named_tokens(&self, now: Timestamp) -> Answer<'_, bool> {
        let sql = "SELECT count(*) FROM token WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now)";
        self.read(move |db| Ok(db.cell::<i64>(sql, params! {":now": micros(now)})? > 0)).boxed()
    }

    fn commits(&self) -> &Commits {
        &self.writer.commits
    }

    fn tell(&self, told: Told) -> Answer<'_, ()> {
        let Told { kind, tenant, by, action_id, facts } = told;
        self.writer.run(move |tx| tx.audit(kind, &tenant, &by, action_id.as_deref(), facts)).boxed()
    }

    fn rules_changed(&self, rules: RulesText) -> Answer<'_, ()> {
        self.writer.run(move |tx| audit::rules_changed(tx, &rules)).boxed()
    }

    fn checkpoint(&self) -> Answer<'_, ()> {
        self.writer.run(audit::checkpoint).boxed()
    }

    fn last_checkpoint(&self, most: u64) -> Answer<'_, Option<Checkpoint>> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.read(move |db| {
            let found = audit::last_note(db, most)?;
            Ok(found.map(|(size, note)| Checkpoint { size, note }))
        })
        .boxed()
    }

    fn log_size(&self) -> Answer<'_, u64> {
        self.read(|db| Ok(audit::read_head(db)?.size())).boxed()
    }

    fn log_grew(&self) -> watch::Receiver<u64> {
        self.log_size.subscribe()
    }

    fn ready(&self) -> Answer<'_, ()> {
        async {
            self.read(|db| db.cell::<i64>("SELECT 1", &[]).map(drop)).await?;
            self.writer.run(|_| Ok(())).await
        }
        .boxed()
    }

    fn changes(&self) -> broadcast::Receiver<Change> {
        self.news.subscribe()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async {
            if let Some(besides) = &self.besides {
                besides.abort();
            }
            // The readers first: the last SQLite connection to close leaves no WAL behind.
            self.readers.close();
            self.writer.close().await;
        }
        .boxed()
    }
}

impl Drop for SqlStore {
    fn drop(&mut self) {
        if let Some(besides) = &self.besides {
            besides.abort();
        }
    }
}
