//! Approvals of an action that needs more than one reviewer, in SQL: which of them count, when they lapse, and what became
//! of each. Deciding itself is in `decide`; one approval alone decides nothing.

use super::super::record::Approval;
use super::super::{Change, Decided, DecisionCall, DecisionRow, EventKind, Record, StoreError};
use super::audit;
use super::db::{Db, Row, micros, params};
use super::queue::write_event;
use super::writer::Tx;
use crate::domain::{ActionState, RowStatus, Verdict};
use jiff::{SignedDuration, Timestamp};

/// What a reviewer's approval does.
pub(super) enum Turn {
    /// It is the last that is needed: the action is decided now.
    Decides,
    /// It is no decision; this is what its caller is told.
    Told(Box<Decided>),
}

/// Takes the approval into account. An action that one reviewer decides has no rows here.
pub(super) fn approve(tx: &mut Tx<'_>, call: &DecisionCall, action: &Record) -> Result<Turn, StoreError> {
    let needed = action.reviewers_needed;
    if needed <= 1 {
        return Ok(Turn::Decides);
    }
    let Some(digest) = call.review.as_ref().and_then(|review| review.digest.as_deref()) else {
        // An approval that does not say what was seen cannot be counted beside one that does.
        return Ok(Turn::Told(Box::new(Decided::DigestMissing)));
    };
    let waiting: Vec<_> =
        action.approvals.iter().filter(|approval| counts(action, approval, tx.now)).collect();
    if let Some(own) = waiting.iter().find(|approval| approval.reviewer == call.reviewer) {
        let counted = Some(format!("{} of {needed}", waiting.len()));
        let row = DecisionRow { counted, ..row(action, own, own.status) };
        return Ok(Turn::Told(Box::new(Decided::Duplicate(row))));
    }
    for lapsed in action.approvals.iter().filter(|approval| approval.status == RowStatus::Pending) {
        if !counts(action, lapsed, tx.now) {
            settle(tx, lapsed.id, RowStatus::Failed)?;
            audit::lapsed(tx, &call.tenant, &action.id, (&lapsed.reviewer, &lapsed.request_id))?;
        }
    }
    let decided_at = tx.now.max(action.created_at);
    let reason = call.review.as_ref().and_then(|review| review.reason.clone());
    let id: i64 = tx.db.cell(
        "INSERT INTO approval (tenant, action_id, status, reviewer, reason, request_id, decided_at, digest)
         VALUES (:tenant, :action_id, 'PENDING', :reviewer, :reason, :request_id, :decided_at, :digest) RETURNING id",
        params! {
            ":tenant": &call.tenant, ":action_id": &action.id, ":reviewer": &call.reviewer, ":reason": &reason,
            ":request_id": &call.request_id, ":decided_at": micros(decided_at), ":digest": digest,
        },
    )?;
    let count = i64::try_from(waiting.len()).unwrap_or(i64::MAX).saturating_add(1);
    if count >= needed {
        tx.db.execute(
            "UPDATE approval SET status = 'COMMITTED' WHERE action_id = :action_id AND status = 'PENDING'",
            params! {":action_id": &action.id},
        )?;
        return Ok(Turn::Decides);
    }
    let (reviewer, request_id) = (call.reviewer.clone(), call.request_id.clone());
    let own = Approval { id, status: RowStatus::Pending, reviewer, reason, request_id, decided_at };
    tell(tx, &call.tenant, &call.thread, &action.id, id)?;
    let row = row(action, &own, RowStatus::Pending);
    Ok(Turn::Told(Box::new(Decided::Counted { row, count, needed })))
}

/// Whether it still counts towards a decision.
fn counts(action: &Record, approval: &Approval, now: Timestamp) -> bool {
    approval.status == RowStatus::Pending && now < until(action.review_window, approval.decided_at)
}

/// When an approval lapses.
pub(super) fn until(window: i64, decided_at: Timestamp) -> Timestamp {
    decided_at.checked_add(SignedDuration::from_secs(window)).unwrap_or(Timestamp::MAX)
}

fn row(action: &Record, approval: &Approval, status: RowStatus) -> DecisionRow {
    DecisionRow {
        key: action.key.clone(),
        action_id: Some(action.id.clone()),
        status,
        verdict: Verdict::Approve,
        reviewer: approval.reviewer.clone(),
        reason: approval.reason.clone(),
        request_id: approval.request_id.clone(),
        decided_at: approval.decided_at,
        digest: Some(action.digest.clone()),
        counted: None,
    }
}

/// `1 of 2`.
fn counted(action: &Record) -> String {
    let waiting = action.approvals.iter().filter(|approval| approval.status == RowStatus::Pending);
    format!("{} of {}", waiting.count(), action.reviewers_needed)
}

fn settle(tx: &Tx<'_>, id: i64, status: RowStatus) -> Result<(), StoreError> {
    tx.db.execute(
        "UPDATE approval SET status = :status WHERE id = :id AND status = 'PENDING'",
        params! {":status": status.word(), ":id": id},
    )?;
    Ok(())
}

/// Those that waited count for nothing any more: the action has ended without being approved.
pub(super) fn drop_waiting(tx: &Tx<'_>, action_id: &str) -> Result<(), StoreError> {
    tx.db.execute(
        "UPDATE approval SET status = 'FAILED' WHERE action_id = :action_id AND status = 'PENDING'",
        params! {":action_id": action_id},
    )?;
    Ok(())
}

fn tell(
    tx: &mut Tx<'_>,
    tenant: &str,
    thread: &str,
    action_id: &str,
    approval: i64,
) -> Result<(), StoreError> {
    let change: Change = write_event(tx, EventKind::Reviewed, tenant, thread, Some(action_id), None)?;
    tx.db.execute(
        "UPDATE outbox SET approval_id = :approval WHERE seq = :seq",
        params! {":approval": approval, ":seq": change.seq},
    )?;
    tx.announce(change);
    Ok(())
}

/// Lets those lapse whose window has passed, and finds when the next one does.
pub(super) fn lapse(tx: &mut Tx<'_>) -> Result<Option<Timestamp>, StoreError> {
    let waiting = tx.db.query(
        "SELECT p.id, p.decided_at, p.tenant, p.action_id, p.reviewer, p.request_id, a.thread, a.review_window FROM approval p
         JOIN action a ON a.id = p.action_id WHERE p.status = 'PENDING' ORDER BY p.decided_at",
        &[],
    )?;
    let mut next = None;
    for mut row in waiting {
        let ends = until(row.take("review_window")?, row.time("decided_at")?);
        if ends > tx.now {
            next = [next, Some(ends)].into_iter().flatten().min();
            continue;
        }
        let id = row.take("id")?;
        settle(tx, id, RowStatus::Failed)?;
        let (tenant, thread, action_id): (String, String, String) =
            (row.take("tenant")?, row.take("thread")?, row.take("action_id")?);
        let whose: (String, String) = (row.take("reviewer")?, row.take("request_id")?);
        audit::lapsed(tx, &tenant, &action_id, (&whose.0, &whose.1))?;
        tell(tx, &tenant, &thread, &action_id, id)?;
    }
    Ok(next)
}

/// Reads those of an action, in the order in which they came.
pub(super) fn of(db: &dyn Db, action_id: &str) -> Result<Vec<Approval>, StoreError> {
    let found = db.query(
        "SELECT id, status, reviewer, reason, request_id, decided_at FROM approval WHERE action_id = :action_id
         ORDER BY id",
        params! {":action_id": action_id},
    )?;
    found.into_iter().map(read).collect()
}

fn read(mut row: Row) -> Result<Approval, StoreError> {
    Ok(Approval {
        id: row.take("id")?,
        status: row.word("status", RowStatus::parse)?,
        reviewer: row.take("reviewer")?,
        reason: row.take("reason")?,
        request_id: row.take("request_id")?,
        decided_at: row.time("decided_at")?,
    })
}

/// The approval that this call, or another of its reviewer, has given to an action that was approved.
pub(super) fn counted_in(action: &Record, call: &DecisionCall) -> Option<DecisionRow> {
    let counted = |own: &&Approval| own.status == RowStatus::Committed && own.reviewer == call.reviewer;
    let own = action.approvals.iter().rfind(counted)?;
    (call.verdict == Verdict::Approve).then(|| row(action, own, RowStatus::Committed))
}

/// What became of the approval that was given by a call with this request id: the latest of them.
pub(super) fn standing(
    db: &dyn Db,
    tenant: Option<&str>,
    request_id: &str,
) -> Result<Option<(DecisionRow, Option<&'static str>)>, StoreError> {
    let sql = "SELECT tenant, action_id FROM approval WHERE request_id = :request_id";
    let found = match tenant {
        Some(tenant) => db.first(
            &format!("{sql} AND tenant = :tenant ORDER BY id DESC LIMIT 1"),
            params! {":request_id": request_id, ":tenant": tenant},
        )?,
        None => db.first(&format!("{sql} ORDER BY id DESC LIMIT 1"), params! {":request_id": request_id})?,
    };
    let Some(mut found) = found else { return Ok(None) };
    let (tenant, action_id): (String, String) = (found.take("tenant")?, found.take("action_id")?);
    let Some(action) = super::rows::by_id(db, &tenant, &action_id)? else { return Ok(None) };
    let own = action.approvals.iter().rev().find(|approval| approval.request_id == request_id);
    let Some(own) = own else { return Ok(None) };
    Ok(match (own.status, action.state) {
        (RowStatus::Committed, _) => Some((row(&action, own, RowStatus::Committed), None)),
        // Another's decision stands, and the call is told of that one.
        (_, ActionState::Approved | ActionState::Rejected) => {
            action.decision.clone().map(|decision| (decision, None))
        }
        (_, ActionState::Expired) => Some((
            row(&action, own, RowStatus::Failed),
            Some("expired: nobody else decided this action in time"),
        )),
        (_, ActionState::Cancelled) => {
            Some((row(&action, own, RowStatus::Failed), Some("withdrawn: the agent took this action back")))
        }
        (RowStatus::Pending, ActionState::Pending) => {
            let counted = Some(counted(&action));
            Some((DecisionRow { counted, ..row(&action, own, RowStatus::Pending) }, None))
        }
        (RowStatus::Failed, ActionState::Pending) => Some((
            row(&action, own, RowStatus::Failed),
            Some("lapsed: no other reviewer approved in time; the same call may be sent again"),
        )),
    })
}

#[cfg(test)]
mod tests;
