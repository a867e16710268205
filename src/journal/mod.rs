//! What has been decided and what became of it, on disk before anything is sent.
//!
//! One SQLite file (WAL, `synchronous=FULL`, 0600) with one thread that writes. A decision is sent only after
//! [`Journal::record`] has resolved, and what a step allows is done only after [`Journal::note`] has; which step may
//! follow which is one pure table in [`stage`]. One process carries a journal's decisions out: whoever holds the lock
//! beside the file. The journal sends nothing, retries nothing, and never holds a credential.
//!
//! Once a write has failed it is closed for writing until the next start: after a sync that failed nobody knows what is
//! on the disk, and a second one would not say.

mod aside;
mod entry;
mod error;
mod file;
mod open;
mod place;
mod progress;
mod reading;
mod record;
mod rows;
pub mod stage;
mod work;
mod writer;

pub use aside::set_aside;
pub use entry::{Entry, Intent};
pub use error::JournalError;
pub use file::Holder;
pub use place::default_path;
pub use progress::Progress;
pub use stage::{Stage, Step};

use file::Identity;
use jiff::Timestamp;
use rusqlite::Connection;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;
use uuid::Uuid;
use work::Work;
use writer::{Job, Reply, Writer};

/// The journal. Clones are the same journal; when the last one goes, what was asked to be written is written, and the
/// lock is let go.
#[derive(Clone)]
pub struct Journal {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    dispatching: Arc<AtomicBool>,
    reader: Mutex<Option<Connection>>,
    jobs: Mutex<Option<Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    lock: Mutex<Option<File>>,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("path", &self.inner.path).finish_non_exhaustive()
    }
}

impl Journal {
    /// Opens the journal, creating it where there is none, and becomes its dispatcher where nobody else is. Blocks for
    /// as long as reading the whole file takes: it is checked first.
    ///
    /// # Errors
    ///
    /// What is wrong with the file and what to do. Its bytes are as they were then.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let (connection, reader) = open::open(path)?;
        let identity = Identity::of(path).map_err(|why| JournalError::io(path, &why))?;
        let dispatching = Arc::new(AtomicBool::new(false));
        let writer = Writer {
            connection,
            path: path.to_owned(),
            identity,
            dispatching: Arc::clone(&dispatching),
            failed: None,
            restarted_at: 0,
        };
        let (jobs, waiting) = channel();
        let thread = std::thread::Builder::new().name("journal-writer".into());
        let thread =
            thread.spawn(move || writer.run(&waiting)).map_err(|why| JournalError::io(path, &why))?;
        let journal = Self {
            inner: Arc::new(Inner {
                path: path.to_owned(),
                dispatching,
                reader: Mutex::new(Some(reader)),
                jobs: Mutex::new(Some(jobs)),
                thread: Mutex::new(Some(thread)),
                lock: Mutex::new(None),
            }),
        };
        journal.take_over()?;
        Ok(journal)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Whether this process carries the decisions out. Otherwise it may record, release, take back and acknowledge;
    /// the one that holds the lock does the rest.
    pub fn is_dispatcher(&self) -> bool {
        self.inner.dispatching.load(Ordering::Acquire)
    }

    /// Says for which server this process carries the decisions out, to those that record decisions meanwhile.
    pub fn carries_for(&self, server: &str) {
        if let Some(lock) = &*held(&self.inner.lock)
            && let Err(error) = file::mark(lock, Some(server))
        {
            // Then they find out by waiting.
            tracing::warn!(%error, "others are not told which server this journal is carried out for");
        }
    }

    /// The other process that carries the decisions out, where one does and has said so.
    pub fn holder(&self) -> Option<Holder> {
        if self.is_dispatcher() { None } else { file::holder(&self.inner.path) }
    }

    /// Becomes the dispatcher where the other has gone; everything that was being sent then may have landed. Blocks for
    /// one commit.
    pub fn try_become_dispatcher(&self) -> bool {
        self.take_over().unwrap_or(false)
    }

    /// Takes the lock where it is free, and marks what the one before was sending.
    fn take_over(&self) -> Result<bool, JournalError> {
        let mut lock = held(&self.inner.lock);
        if lock.is_some() {
            return Ok(true);
        }
        let Some(file) = file::lock(&self.inner.path)? else { return Ok(false) };
        let (answer, answered) = channel();
        self.submit(
            Work::TakeOver,
            Box::new(move |result| {
                // Nobody waits any more.
                let _ = answer.send(result);
            }),
        );
        answered.recv().unwrap_or_else(|_| Err(self.gone()))?;
        // Without it an emptied file would pass for a new one; that is no reason not to work.
        let _ = file::mark(&file, None);
        *lock = Some(file);
        self.inner.dispatching.store(true, Ordering::Release);
        Ok(true)
    }

    /// Records decisions, all or none, in one commit. They wait to be written from the moment of the call, also where
    /// the future is dropped; it resolves after the sync.
    ///
    /// An id or request id must be new. A key may be decided again only after the decision before it is known to have
    /// had no effect: refused, not sent, dropped or returned.
    pub fn record(
        &self,
        intents: Vec<Intent>,
    ) -> impl Future<Output = Result<(), JournalError>> + Send + use<> {
        self.write(Work::Record(intents))
    }

    /// Notes a step of one decision, as [`note_many`](Self::note_many) does.
    pub fn note(
        &self,
        id: Uuid,
        step: Step,
    ) -> impl Future<Output = Result<(), JournalError>> + Send + use<> {
        self.note_many(vec![(id, step)])
    }

    /// Notes steps, all or none, in one commit. They are written in the order of the calls, also where the future is
    /// dropped; it resolves after the sync. A step that is not allowed changes nothing and closes nothing.
    pub fn note_many(
        &self,
        steps: Vec<(Uuid, Step)>,
    ) -> impl Future<Output = Result<(), JournalError>> + Send + use<> {
        self.write(Work::Note(steps))
    }

    /// Forgets what was last written of before then and leaves nothing to be said or done: decisions known to stand,
    /// taken back, or acknowledged. Their keys can be decided again here; a server may still remember them.
    /// A portion at a time, so that nobody has to wait for it.
    pub fn prune(&self, before: Timestamp) -> impl Future<Output = Result<(), JournalError>> + Send + use<> {
        let journal = self.clone();
        async move {
            loop {
                journal.write(Work::Prune(before)).await?;
                if journal.read(|db| rows::prunable(db, before, 1))?.is_empty() {
                    return Ok(());
                }
            }
        }
    }

    fn write(&self, work: Work) -> impl Future<Output = Result<(), JournalError>> + Send + use<> {
        let (answer, answered) = oneshot::channel();
        self.submit(
            work,
            Box::new(move |result| {
                // Nobody waits any more; it is written all the same.
                let _ = answer.send(result);
            }),
        );
        let gone = self.gone();
        async move { answered.await.unwrap_or(Err(gone)) }
    }

    fn submit(&self, work: Work, reply: Reply) {
        crate::failpoint::reached("before", "asked");
        if let Some(jobs) = &*held(&self.inner.jobs) {
            // Where the thread has gone, the reply goes with the job, and whoever waits is told.
            let _ = jobs.send(Job { work, reply });
        }
    }

    /// The thread has gone: it panicked.
    fn gone(&self) -> JournalError {
        JournalError::Closed { path: self.inner.path.clone(), why: "the thread that writes has ended".into() }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // First, so that the connection that writes is the last to close: it knows whether closing may write.
        drop(held(&self.reader).take());
        drop(held(&self.jobs).take());
        if let Some(thread) = held(&self.thread).take() {
            // A panic in it has been reported by the panic hook.
            let _ = thread.join();
        }
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
