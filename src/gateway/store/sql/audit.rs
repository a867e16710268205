//! The audit log in SQL: rows are added in the transaction of what they tell, or neither is there. The end of the log is
//! read at the first row of a transaction, since another gateway may have written, and written once, before the commit.
//! What a row says and how it is hashed is in `gateway::audit`.

use super::super::{Decided, DecisionCall, DecisionRow, RulesText, StoreError};
use super::db::{Db, Row, micros, params};
use super::writer::Tx;
use crate::domain::Digest;
use crate::gateway::audit::entry::{Entry, Facts, Happened, Kind};
use crate::gateway::audit::head::Head;
use crate::gateway::audit::key::SecretKey;
use crate::gateway::audit::note;
use crate::gateway::audit::verify::EVERY;
use jiff::Timestamp;
use std::sync::Arc;

/// The log as one transaction adds to it.
pub(super) struct Log {
    key: Arc<SecretKey>,
    /// `None` until there is a row to add.
    head: Option<Head>,
    /// Over how many rows the head is that the database has.
    stored: u64,
}

impl Log {
    /// Nothing has been added yet.
    pub(super) fn new(key: Arc<SecretKey>) -> Self {
        Self { key, head: None, stored: 0 }
    }

    /// Where it ends now, for [`undo`](Self::undo).
    pub(super) fn mark(&self) -> Option<Head> {
        self.head.clone()
    }

    /// The rows since then were rolled back.
    pub(super) fn undo(&mut self, mark: Option<Head>) {
        self.head = mark;
    }

    fn head(&mut self, db: &dyn Db) -> Result<&mut Head, StoreError> {
        if self.head.is_none() {
            let head = read_head(db)?;
            self.stored = head.size();
            self.head = Some(head);
        }
        self.head.as_mut().ok_or(StoreError::Closed)
    }

    /// Adds a row, and a checkpoint where it is time for one.
    fn append(&mut self, db: &dyn Db, at: Timestamp, what: &Happened<'_>) -> Result<(), StoreError> {
        let row = self.head(db)?.append(at, what);
        db.execute(
            "INSERT INTO audit (seq, tenant, kind, action_id, at, entry, hash)
             VALUES (:seq, :tenant, :kind, :action_id, :at, :entry, :hash)",
            params! {
                ":seq": number(row.seq), ":tenant": &row.tenant, ":kind": &row.kind, ":action_id": &row.action_id,
                ":at": row.at, ":entry": &row.entry, ":hash": &row.hash,
            },
        )?;
        if row.seq.is_multiple_of(EVERY) { self.checkpoint(db, at) } else { Ok(()) }
    }

    /// Signs the log as it ends now, where nobody has.
    fn checkpoint(&mut self, db: &dyn Db, at: Timestamp) -> Result<(), StoreError> {
        let key = Arc::clone(&self.key);
        let head = self.head(db)?;
        if head.size() == 0 {
            return Ok(());
        }
        let (size, note) = (number(head.size()), note::sign(&key, head));
        db.execute(
            "INSERT INTO checkpoint (size, note, at) VALUES (:size, :note, :at) ON CONFLICT DO NOTHING",
            params! {":size": size, ":note": &note, ":at": micros(at)},
        )?;
        Ok(())
    }

    /// Writes where it ends, before the commit; how many rows there are then, where any were added.
    pub(super) fn flush(&mut self, db: &dyn Db) -> Result<Option<u64>, StoreError> {
        let Some(head) = self.head.as_ref().filter(|head| head.size() > self.stored) else { return Ok(None) };
        let changed = db.execute(
            "UPDATE audit_head SET size = :size, hash = :hash, peaks = :peaks WHERE id = 1 AND size = :before",
            params! {
                ":size": number(head.size()), ":hash": &head.hash(), ":peaks": &head.peaks(),
                ":before": number(self.stored),
            },
        )?;
        if changed == 1 { Ok(Some(head.size())) } else { Err(unreadable("row")) }
    }
}

impl Tx<'_> {
    /// Adds a row to the audit log: what was done, whose it is, who did it, to which action, and what else is known.
    pub(super) fn audit(
        &mut self,
        kind: Kind,
        tenant: &str,
        by: &str,
        action_id: Option<&str>,
        facts: Facts,
    ) -> Result<(), StoreError> {
        self.log.append(self.db, self.now, &Happened { kind, tenant, by, action_id, facts })
    }
}

/// Signs the log as it ends now.
pub(super) fn checkpoint(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.log.checkpoint(tx.db, tx.now)
}

/// The call as it came, before anything is made of it.
pub(super) fn sent(tx: &mut Tx<'_>, call: &DecisionCall, action_id: Option<&str>) -> Result<(), StoreError> {
    let review = call.review.as_ref();
    let facts = Facts::default()
        .text("request_id", &call.request_id)
        .text("key", &call.key)
        .text("thread", &call.thread)
        .text("verdict", call.verdict.word())
        .maybe("digest", review.and_then(|review| review.digest.as_deref()))
        .maybe("reason", review.and_then(|review| review.reason.as_deref()))
        .text("body", &call.body);
    tx.audit(Kind::Sent, &call.tenant, &call.reviewer, action_id, facts)
}

/// What became of the call: the decision, where it made one, and the answer that it gets.
pub(super) fn answered(
    tx: &mut Tx<'_>,
    call: &DecisionCall,
    action_id: Option<&str>,
    decided: &Decided,
) -> Result<(), StoreError> {
    match decided {
        Decided::Accepted(row) => {
            tx.audit(Kind::Decided, &call.tenant, &row.reviewer, row.action_id.as_deref(), decision(row))?;
        }
        Decided::Counted { row, count, needed } => {
            let facts = decision(row).number("count", *count).number("needed", *needed);
            tx.audit(Kind::ApprovedByOne, &call.tenant, &row.reviewer, row.action_id.as_deref(), facts)?;
        }
        _ => {}
    }
    let (status, word) = decided.answer();
    let facts = Facts::default()
        .text("request_id", &call.request_id)
        .number("status", status.into())
        .text("answer", word)
        .maybe("standing", decided.standing());
    tx.audit(Kind::Answered, &call.tenant, "gateway", action_id, facts)
}

fn decision(row: &DecisionRow) -> Facts {
    Facts::default()
        .text("request_id", &row.request_id)
        .text("key", &row.key)
        .text("verdict", row.verdict.word())
        .maybe("digest", row.digest.as_deref())
        .maybe("reason", row.reason.as_deref())
        .time("decided_at", row.decided_at)
}

/// A rule let it run without a person: the decision, and by which rule.
pub(super) fn allowed(
    tx: &mut Tx<'_>,
    tenant: &str,
    row: &DecisionRow,
    rule: &str,
) -> Result<(), StoreError> {
    let facts = Facts::default().text("rule", rule).and(&decision(row));
    tx.audit(Kind::AllowedByRule, tenant, &row.reviewer, row.action_id.as_deref(), facts)
}

/// The rules are others now: once for each change, however many gateways have them and however often they start.
pub(super) fn rules_changed(tx: &mut Tx<'_>, rules: &RulesText) -> Result<(), StoreError> {
    let last = tx.db.first(
        "SELECT entry FROM audit WHERE kind = :kind ORDER BY seq DESC LIMIT 1",
        params! {":kind": Kind::RulesChanged.word()},
    )?;
    let last = last.map(|mut row| row.take::<String>("entry")).transpose()?;
    let last = last.and_then(|entry| Entry::read(&entry).ok()?.text("sha256").map(str::to_owned));
    let digest = Digest::of(rules.text.as_bytes()).to_string();
    // Where there were never any, it is no change that there are none.
    let before = last.unwrap_or_else(|| Digest::of(b"").to_string());
    if before == digest {
        return Ok(());
    }
    let facts = Facts::default()
        .text("file", &rules.file)
        .number("rules", i64::try_from(rules.count).unwrap_or(i64::MAX))
        .text("sha256", &digest)
        .text("before", &before)
        .text("text", &rules.text);
    tx.audit(Kind::RulesChanged, "", "file", None, facts)
}

/// One of several approvals counts no more: its window has passed.
pub(super) fn lapsed(
    tx: &mut Tx<'_>,
    tenant: &str,
    action_id: &str,
    (reviewer, request_id): (&str, &str),
) -> Result<(), StoreError> {
    let facts = Facts::default().text("reviewer", reviewer).text("request_id", request_id);
    tx.audit(Kind::Lapsed, tenant, "gateway", Some(action_id), facts)
}

/// Where the log ends.
pub(super) fn read_head(db: &dyn Db) -> Result<Head, StoreError> {
    let row = db.first("SELECT size, hash, peaks FROM audit_head WHERE id = 1", &[])?;
    let mut row: Row = row.ok_or_else(|| unreadable("row"))?;
    let (hash, peaks): (String, String) = (row.take("hash")?, row.take("peaks")?);
    Head::read(row.take("size")?, &hash, &peaks).map_err(|why| unreadable(why.0))
}

/// The checkpoint over the most rows, of those over at most `most`.
pub(super) fn last_note(db: &dyn Db, most: i64) -> Result<Option<(u64, String)>, StoreError> {
    let row = db.first(
        "SELECT size, note FROM checkpoint WHERE size <= :most ORDER BY size DESC LIMIT 1",
        params! {":most": most},
    )?;
    let read = |mut row: Row| Ok((u64::try_from(row.take::<i64>("size")?).unwrap_or(0), row.take("note")?));
    row.map(read).transpose()
}

fn number(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn unreadable(what: &str) -> StoreError {
    StoreError::Database(format!(
        "the audit log does not end where it says ({what}), and nothing is done that it does not tell; run \
         aegis-console audit verify"
    ))
}

#[cfg(test)]
mod tests;
