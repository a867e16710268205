//! The thread that writes: it takes what waits, commits it together, and only then answers (group commit).
//!
//! Each job runs in a savepoint of its own, so that one that fails takes nothing of the others with it. A reply is given
//! after COMMIT has returned, which is after the sync. This file knows no table and no database.

use super::super::super::metrics::Commits;
use super::super::{Change, Clock, StoreError};
use super::audit::Log;
use super::db::{Db, Transactions};
use crate::failpoint;
use crate::gateway::audit::key::SecretKey;
use jiff::Timestamp;
use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

/// How many jobs wait at most; who comes later waits at the channel.
const WAITING: usize = 1024;
/// How many jobs one commit carries at most.
const BATCH: usize = 256;

/// What a job sees: the open transaction and the one time that counts for it.
pub(super) struct Tx<'c> {
    pub(super) db: &'c dyn Db,
    /// The same for everything in the transaction. A clock may be set back: who writes a time beside an earlier one
    /// takes the later of the two.
    pub(super) now: Timestamp,
    changes: &'c mut Vec<Change>,
    /// The audit log; [`Tx::audit`] adds to it.
    pub(super) log: &'c mut Log,
}

impl Tx<'_> {
    /// Announces the change once the transaction is committed.
    pub(super) fn announce(&mut self, change: Change) {
        self.changes.push(change);
    }
}

/// Gives the caller its answer; the argument says whether the transaction was committed.
type Reply = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// Does the work, where there is a transaction to do it in, and says whether to keep it.
type Job = Box<dyn FnOnce(Result<Tx<'_>, StoreError>) -> (bool, Reply) + Send>;

/// What the thread that writes needs besides its connection.
pub(in super::super) struct Means {
    /// Let go after the connection is closed.
    pub(in super::super) lock: Option<File>,
    pub(in super::super) clock: Clock,
    pub(in super::super) news: broadcast::Sender<Change>,
    /// Signs the checkpoints of the audit log.
    pub(in super::super) key: Arc<SecretKey>,
    /// Told how many rows the audit log has, after each commit that added some.
    pub(in super::super) log_size: watch::Sender<u64>,
}

/// The way to the thread that writes.
pub(in super::super) struct Writer {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    /// What commits are counted by.
    pub(super) commits: Commits,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread.
    pub(in super::super) fn start(
        connection: impl Transactions + Send + 'static,
        means: Means,
    ) -> std::io::Result<Self> {
        let (jobs, waiting) = mpsc::channel(WAITING);
        let commits = Commits::new();
        let Means { lock, clock, news, key, log_size } = means;
        let commits_made = commits.clone();
        let work = Loop { connection, clock, news, commits: commits_made, key, log_size, broken: false };
        let thread = std::thread::Builder::new().name("store-writer".into()).spawn(move || {
            work.run(waiting);
            drop(lock);
        })?;
        Ok(Self { jobs: Mutex::new(Some(jobs)), commits, thread: Mutex::new(Some(thread)) })
    }

    /// Runs the work in a transaction; the answer comes after the commit.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |tx| {
            let result = tx.and_then(|mut tx| work(&mut tx));
            let keep = result.is_ok();
            let reply = move |committed: Result<(), StoreError>| {
                // Nobody waits any more where the caller has gone.
                let _ = answer.send(result.and_then(|value| committed.map(|()| value)));
            };
            (keep, Box::new(reply) as Reply)
        });
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let jobs = jobs.ok_or(StoreError::Closed)?;
        jobs.send(job).await.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Takes no more jobs, ends those that wait, and closes the connection.
    pub(super) async fn close(&self) {
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It ends when the last job has; a panic in it has been reported by the panic hook.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

struct Loop<C> {
    connection: C,
    clock: Clock,
    news: broadcast::Sender<Change>,
    commits: Commits,
    key: Arc<SecretKey>,
    log_size: watch::Sender<u64>,
    broken: bool,
}

impl<C: Transactions> Loop<C> {
    fn run(mut self, mut waiting: mpsc::Receiver<Job>) {
        while let Some(first) = waiting.blocking_recv() {
            let mut batch = vec![first];
            while batch.len() < BATCH
                && let Ok(next) = waiting.try_recv()
            {
                batch.push(next);
            }
            self.commit(batch);
        }
    }

    fn commit(&mut self, batch: Vec<Job>) {
        let mut replies = Vec::with_capacity(batch.len());
        let mut changes = Vec::new();
        let (jobs, began) = (batch.len(), Instant::now());
        failpoint::reached("before", "stored");
        let result = self.transaction(batch, &mut replies, &mut changes);
        failpoint::reached("after", "stored");
        if result.is_ok() {
            self.commits.committed(jobs, began.elapsed());
            for change in changes {
                if let Some(kind) = change.kind {
                    self.commits.happened(kind);
                }
                // An error says that nobody listens.
                let _ = self.news.send(change);
            }
        }
        for reply in replies {
            reply(result.clone());
        }
    }

    /// One transaction over the whole batch.
    fn transaction(
        &mut self,
        batch: Vec<Job>,
        replies: &mut Vec<Reply>,
        changes: &mut Vec<Change>,
    ) -> Result<(), StoreError> {
        let now = (self.clock)();
        let db = &self.connection;
        let mut log = Log::new(Arc::clone(&self.key));
        let begun = match self.broken {
            true => Err(StoreError::Broken),
            false => db.begin(),
        };
        for job in batch {
            let (before, mark) = (changes.len(), log.mark());
            // A full disk makes SQLite end the transaction by itself, and nothing may run outside of one.
            let open = match &begun {
                Err(error) => Err(error.clone()),
                Ok(()) if !db.is_open() => Err(StoreError::Database("the transaction was ended".into())),
                Ok(()) => run(db, "SAVEPOINT job"),
            };
            let tx = open.map(|()| Tx { db, now, changes, log: &mut log });
            let (keep, reply) = job(tx);
            replies.push(reply);
            if !keep {
                changes.truncate(before);
                log.undo(mark);
            }
            let end = || {
                if !keep {
                    run(db, "ROLLBACK TO job")?;
                }
                run(db, "RELEASE job")
            };
            if db.is_open() && end().is_err() {
                // Then COMMIT fails, and with it every job of the batch.
                let _ = run(db, "ROLLBACK");
            }
        }
        begun?;
        failpoint::reached("during", "stored");
        // Where the end of the log cannot be written, nothing is committed.
        let flushed = if db.is_open() { log.flush(db) } else { Ok(None) };
        let committed = flushed.and_then(|size| db.commit(changes).map(|()| size));
        let error = match committed {
            Ok(size) => {
                size.map(|size| self.log_size.send_replace(size));
                return Ok(());
            }
            Err(error) => error,
        };
        // A transaction that cannot be undone is one that nobody may build on.
        let undone = !db.is_open() || run(db, "ROLLBACK").is_ok();
        self.broken = error == StoreError::Broken || !undone;
        tracing::error!(%error, broken = self.broken, "a commit failed");
        if self.broken { Err(StoreError::Broken) } else { Err(error) }
    }
}

/// Runs a statement without parameters.
fn run(db: &impl Db, sql: &str) -> Result<(), StoreError> {
    db.execute(sql, &[]).map(drop)
}
