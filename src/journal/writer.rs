//! The thread that writes: it takes what waits, commits it together, and only then answers (group commit).
//!
//! With `synchronous=FULL` COMMIT returns after the sync. When the disk fails, nothing more is written, no sync is tried
//! a second time (it could succeed without having written anything), and every later job is refused.

use super::error::JournalError;
use super::file::Identity;
use super::open::PATIENCE;
use super::work::{self, Refusal, Work};
use crate::failpoint;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// How many jobs one commit carries at most.
const BATCH: usize = 1024;
/// Pages of the write-ahead log that are brought into the file in one go, between two commits.
const CHECKPOINT: i64 = 1000;
/// Pages of the log after which it is begun anew. Readers that follow one another closely would let it grow for ever.
const RESTART: i64 = 4 * CHECKPOINT;
/// How long readers are waited for then. A commit waits as long.
const READERS: Duration = Duration::from_millis(100);

/// Called once, after the commit or the refusal.
pub(super) type Reply = Box<dyn FnOnce(Result<(), JournalError>) + Send>;

/// A piece of work and who waits for it.
pub(super) struct Job {
    pub(super) work: Work,
    pub(super) reply: Reply,
}

/// The thread's own.
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    pub(super) identity: Identity,
    /// Whether this process carries the decisions out.
    pub(super) dispatching: Arc<AtomicBool>,
    /// What failed, once something has.
    pub(super) failed: Option<String>,
    /// How long the log was when it was last tried to begin it anew.
    pub(super) restarted_at: i64,
}

impl Writer {
    /// Works until nobody can send a job any more.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            failpoint::reached("before", "batch");
            let mut batch = vec![first];
            batch.extend(jobs.try_iter().take(BATCH - 1));
            let (works, replies): (Vec<_>, Vec<_>) =
                batch.into_iter().map(|job| (job.work, job.reply)).unzip();
            let results = self.commit(&works);
            for (reply, result) in replies.into_iter().zip(results) {
                reply(result);
            }
            self.checkpoint();
        }
    }

    /// One transaction over the whole batch; a result for each.
    fn commit(&mut self, works: &[Work]) -> Vec<Result<(), JournalError>> {
        let all = |error: &JournalError| vec![Err(error.clone()); works.len()];
        if let Some(why) = &self.failed {
            return all(&JournalError::Closed { path: self.path.clone(), why: why.clone() });
        }
        match self.transaction(works) {
            Ok(results) => results,
            // Nothing has been begun: it can be tried again.
            Err(error) if is_busy(&error) => all(&JournalError::Busy(self.path.clone())),
            Err(error) => all(&self.fail(&error)),
        }
    }

    fn transaction(&self, works: &[Work]) -> Result<Vec<Result<(), JournalError>>, rusqlite::Error> {
        let (db, now) = (&self.connection, crate::clock::now());
        let dispatching = self.dispatching.load(Ordering::Acquire);
        let words = || works.iter().flat_map(Work::words);
        words().for_each(|word| failpoint::reached("before", word));
        db.execute_batch("BEGIN IMMEDIATE")?;
        let mut results = Vec::with_capacity(works.len());
        for work in works {
            match work::run(db, work, dispatching, now) {
                Ok(()) => results.push(Ok(())),
                Err(Refusal::Wrong(error)) => results.push(Err(error)),
                Err(Refusal::Disk(error)) => return Err(error),
            }
        }
        words().for_each(|word| failpoint::reached("during", word));
        db.execute_batch("COMMIT")?;
        words().for_each(|word| failpoint::reached("after", word));
        // A file that was moved away or deleted took the commit with it, and no start would find it again.
        self.identity.check(&self.path)?;
        Ok(results)
    }

    /// Closes the journal for good: what is on the disk now is all that will be.
    fn fail(&mut self, error: &rusqlite::Error) -> JournalError {
        tracing::error!(%error, path = %self.path.display(), "the journal is closed");
        if !self.connection.is_autocommit() {
            // In memory only: the pages of an open transaction are not in the file yet.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        // Closing the last connection would write and sync once more.
        let _ = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        self.failed = Some(error.to_string());
        JournalError::writing(&self.path, error)
    }

    /// Brings the log into the file when it has grown. SQLite would do so by itself, but would not say when it failed.
    fn checkpoint(&mut self) {
        if self.failed.is_some() {
            return;
        }
        // The pages of the log, and how many of them are not in the file yet.
        let pragma = |mode: &str| {
            let pages = |row: &rusqlite::Row<'_>| {
                let (log, done) = (row.get::<_, i64>(1)?, row.get::<_, i64>(2)?);
                Ok((log, log - done))
            };
            self.connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], pages)
        };
        let result = match pragma("NOOP") {
            // Where a reader does not let go, it is tried again only when the log has grown a good deal more.
            Ok((log, _)) if log >= RESTART.max(self.restarted_at + CHECKPOINT) => {
                self.restarted_at = log;
                let restarted = self.connection.busy_timeout(READERS).and_then(|()| pragma("RESTART"));
                self.connection.busy_timeout(PATIENCE).and(restarted)
            }
            Ok((_, waiting)) if waiting >= CHECKPOINT => pragma("PASSIVE"),
            other => other,
        };
        if let Ok((log, _)) = result
            && log < self.restarted_at
        {
            self.restarted_at = 0;
        }
        // What was committed is safe in the log; what comes next would not be.
        if let Err(error) = result
            && !is_busy(&error)
        {
            self.fail(&error);
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

#[cfg(test)]
mod tests {
    use super::super::entry::Intent;
    use super::super::open;
    use super::*;
    use crate::domain::Verdict;
    use jiff::Timestamp;
    use uuid::Uuid;

    fn intent(body: usize) -> Intent {
        let id = Uuid::new_v4();
        Intent {
            id,
            request_id: id,
            verdict: Verdict::Approve,
            tenant_id: None,
            thread_id: "thread".into(),
            key: id.to_string(),
            base_url: "http://localhost:8000".into(),
            body: "x".repeat(body),
            sealed: None,
            digest: None,
            reason: None,
            reviewer: None,
            decided_at: Timestamp::UNIX_EPOCH,
            hold_until: None,
        }
    }

    #[test]
    fn a_full_disk_fails_the_whole_batch_and_closes_the_journal() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal.sqlite");
        let (connection, reader) = open::open(&path).unwrap();
        let identity = Identity::of(&path).unwrap();
        let dispatching = Arc::new(AtomicBool::new(true));
        let mut writer =
            Writer { connection, path: path.clone(), identity, dispatching, failed: None, restarted_at: 0 };
        let record = |body| Work::Record(vec![intent(body)]);
        let count =
            || reader.query_row("SELECT count(*) FROM intent", [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(writer.commit(&[record(10)]), [Ok(())]);
        writer.connection.pragma_update_and_check(None, "max_page_count", 40, |_| Ok(())).unwrap();
        // SQLite ends the transaction by itself at the second; what comes after must not run outside of one.
        let results = writer.commit(&[record(10), record(1 << 20), record(10)]);
        for result in &results {
            let error = result.as_ref().unwrap_err();
            assert!(matches!(error, JournalError::Failed { .. }), "{error:?}");
            assert!(error.to_string().ends_with("make room on the disk"), "{error}");
        }
        assert_eq!((results.len(), count()), (3, 1));
        writer.connection.pragma_update_and_check(None, "max_page_count", 1_000_000, |_| Ok(())).unwrap();
        assert!(matches!(writer.commit(&[record(10)])[..], [Err(JournalError::Closed { .. })]));
        assert_eq!(count(), 1);
    }
}
