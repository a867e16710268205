//! What is asked of the journal: by a connection of its own that cannot write, so that nobody waits for a commit.

use super::entry::Entry;
use super::error::JournalError;
use super::{Journal, held, rows};
use crate::domain::Try;
use rusqlite::{Connection, params};
use uuid::Uuid;

impl Journal {
    /// Everything that is not at an end, oldest first.
    pub fn open_entries(&self) -> Result<Vec<Entry>, JournalError> {
        let which = "WHERE p.stage IN ('held', 'queued', 'sending', 'doubtful') ORDER BY p.seq";
        self.read(|db| rows::entries(db, which, []))
    }

    /// What has ended in a way that the server may still say more about (accepted, in progress, counted), oldest first.
    pub fn unsettled(&self) -> Result<Vec<Entry>, JournalError> {
        let which = "WHERE p.outcome IN ('accepted', 'in_progress', 'counted') ORDER BY p.seq";
        self.read(|db| rows::entries(db, which, []))
    }

    /// What waits for another reviewer, oldest first.
    pub fn counted(&self) -> Result<Vec<Entry>, JournalError> {
        self.read(|db| rows::entries(db, "WHERE p.outcome = 'counted' ORDER BY p.seq", []))
    }

    /// The newest first, ended or not.
    pub fn recent(&self, limit: usize) -> Result<Vec<Entry>, JournalError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|db| rows::entries(db, "ORDER BY i.seq DESC LIMIT ?", [limit]))
    }

    /// The decision of that id.
    pub fn entry(&self, id: Uuid) -> Result<Option<Entry>, JournalError> {
        self.read(|db| rows::first(db, "WHERE i.id = ?", [id.to_string()]))
    }

    /// The decision that is sent with that `X-Request-Id`, in any case.
    pub fn by_request_id(&self, request_id: &str) -> Result<Option<Entry>, JournalError> {
        let Ok(request_id) = request_id.parse::<Uuid>() else { return Ok(None) };
        self.read(|db| rows::first(db, "WHERE i.request_id = ?", [request_id.to_string()]))
    }

    /// The newest decision under that key, whatever its server.
    pub fn by_key(
        &self,
        tenant: Option<&str>,
        thread: &str,
        key: &str,
    ) -> Result<Option<Entry>, JournalError> {
        let which = "WHERE i.key = ? AND i.thread_id = ? AND i.tenant_id IS ? ORDER BY i.seq DESC LIMIT 1";
        self.read(|db| rows::first(db, which, params![key, thread, tenant]))
    }

    /// Every try of the decision that was answered or given up on, over all restarts.
    pub fn tries(&self, id: Uuid) -> Result<Vec<Try>, JournalError> {
        self.read(|db| rows::tries(db, id))
    }

    /// A number that is another one after another process has written (or this one has).
    pub fn data_version(&self) -> Result<i64, JournalError> {
        self.read(|db| db.query_row("PRAGMA data_version", [], |row| row.get(0)))
    }

    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, JournalError> {
        let reader = held(&self.inner.reader);
        let db = reader.as_ref().ok_or_else(|| self.gone())?;
        read(db).map_err(|why| JournalError::opening(&self.inner.path, &why))
    }
}
