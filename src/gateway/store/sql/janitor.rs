//! Decisions that were begun and never ended: those of a server that reserves the key first and died before it carried the
//! decision out. This gateway does both in one transaction and leaves none; a database may hold them all the same.
//!
//! While such a row stands at PENDING, its key is taken. After [`ORPHANED`] it is FAILED, and the key may be used again: by
//! either verdict, since nothing came of the first.

use super::super::{DecisionCall, Review, StoreError};
use super::db::{micros, params};
use super::writer::Tx;
use crate::domain::RowStatus;
use jiff::{SignedDuration, Timestamp};

/// How long a decision may be on its way; who takes longer is dead.
const ORPHANED: SignedDuration = SignedDuration::from_mins(5);

/// Gives up what is orphaned, and says when the next would be. Gateways that do it at once take turns, so that each row is
/// given up once.
pub(super) fn run(tx: &Tx<'_>) -> Result<Option<Timestamp>, StoreError> {
    let limit = tx.now.checked_sub(ORPHANED).unwrap_or(Timestamp::MIN);
    let orphans = tx.db.query(
        "UPDATE decision SET status = 'FAILED' WHERE status = 'PENDING' AND decided_at <= :limit
         RETURNING request_id, decided_at",
        params! {":limit": micros(limit)},
    )?;
    for mut orphan in orphans {
        let (request_id, since): (String, Timestamp) =
            (orphan.take("request_id")?, orphan.time("decided_at")?);
        tracing::warn!(request_id, %since, "a decision was never carried out; its key may be used again");
    }
    let next: Option<i64> =
        tx.db.cell("SELECT min(decided_at) FROM decision WHERE status = 'PENDING'", &[])?;
    let next = next.and_then(|micros| Timestamp::from_microsecond(micros).ok());
    Ok(next.and_then(|since| since.checked_add(ORPHANED).ok()))
}

/// Takes the key of a decision that failed for this call; `None` where another stands under it. One that has an event has
/// been carried out, whatever its row says: its key is not given away.
pub(super) fn reopen(
    tx: &Tx<'_>,
    call: &DecisionCall,
    action_id: Option<&str>,
    review: &Review,
    decided_at: Timestamp,
) -> Result<Option<i64>, StoreError> {
    let reopened = tx.db.first(
        "UPDATE decision SET status = 'COMMITTED', verdict = :verdict, reviewer = :reviewer, reason = :reason,
            request_id = :request_id, decided_at = :decided_at, digest = :digest, calls = calls + 1
         WHERE tenant = :tenant AND thread = :thread AND key = :key AND status = 'FAILED'
            AND action_id IS NOT DISTINCT FROM :action_id
            AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.decision_id = decision.id)
         RETURNING id",
        params! {
            ":tenant": &call.tenant, ":thread": &call.thread, ":key": &call.key, ":action_id": action_id,
            ":verdict": call.verdict.word(), ":reviewer": &call.reviewer, ":reason": &review.reason,
            ":request_id": &call.request_id, ":decided_at": micros(decided_at), ":digest": &review.digest,
        },
    )?;
    reopened.map(|mut row| row.take("id")).transpose()
}

/// What there is to say of a decision that does not stand.
pub(super) fn why(status: RowStatus) -> Option<&'static str> {
    match status {
        RowStatus::Committed => None,
        RowStatus::Pending => Some("begun, and not carried out yet"),
        RowStatus::Failed => {
            Some("never carried out: nothing was decided; the same call may be sent again with the same key")
        }
    }
}

#[cfg(test)]
mod tests;
