//! Forgetting: actions that ended long ago, with their decisions, approvals, calls and events; and decisions that nobody had
//! asked for. Never what waits, never the audit log, never a pause, never the newest event, whose id listeners go on from.

use super::db::{micros, params};
use super::writer::Tx;
use crate::gateway::store::StoreError;
use jiff::Timestamp;

/// An action that has ended, and about which nothing has happened since: not taken, reported, or decided again.
const OLD_ACTION: &str = "SELECT id FROM action
    WHERE ended_at < :before AND coalesce(consumed_at, 0) < :before AND coalesce(reported_at, 0) < :before
      AND NOT EXISTS (SELECT 1 FROM decision JOIN call ON call.decision_id = decision.id
                      WHERE decision.action_id = action.id AND call.at >= :before)
      AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.action_id = action.id
                      AND (outbox.at >= :before OR outbox.seq = (SELECT max(seq) FROM outbox)))
      AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.action_id = action.id AND coalesce(delivery.ended_at, :before) >= :before)
    ORDER BY ended_at, id LIMIT :limit";

/// A decision that nobody had asked for, and whose key nobody has sent since.
const OLD_DECISION: &str = "SELECT id FROM decision
    WHERE action_id IS NULL AND decided_at < :before
      AND NOT EXISTS (SELECT 1 FROM call WHERE call.decision_id = decision.id AND call.at >= :before)
      AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.decision_id = decision.id
                      AND outbox.seq = (SELECT max(seq) FROM outbox))
    ORDER BY decided_at, id LIMIT :limit";

/// Forgets at most `limit` actions, and as many decisions without one, that ended before then; gives how many.
pub(super) fn forget(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let old = params! {":before": micros(before), ":limit": limit};
    let mut gone = 0;
    for mut row in tx.db.query(OLD_ACTION, old)? {
        let id: String = row.take("id")?;
        let of_action = params! {":id": &id};
        for sql in [
            "DELETE FROM delivery WHERE action_id = :id",
            "DELETE FROM outbox WHERE action_id = :id",
            "DELETE FROM call WHERE decision_id IN (SELECT id FROM decision WHERE action_id = :id)",
            "DELETE FROM decision WHERE action_id = :id",
            "DELETE FROM approval WHERE action_id = :id",
            "DELETE FROM action WHERE id = :id",
        ] {
            tx.db.execute(sql, of_action)?;
        }
        gone += 1;
    }
    for mut row in tx.db.query(OLD_DECISION, old)? {
        let id: i64 = row.take("id")?;
        let of_decision = params! {":id": id};
        for sql in [
            "DELETE FROM outbox WHERE decision_id = :id",
            "DELETE FROM call WHERE decision_id = :id",
            "DELETE FROM decision WHERE id = :id",
        ] {
            tx.db.execute(sql, of_decision)?;
        }
        gone += 1;
    }
    Ok(gone)
}

#[cfg(test)]
mod tests;
