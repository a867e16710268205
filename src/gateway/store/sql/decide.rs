//! Deciding in SQL: the key is reserved, the decision recorded, the action moved on and the event written in one
//! transaction, or nothing is.

use super::super::{
    ByRule, Change, Decided, DecisionCall, DecisionRow, EventKind, Record, Review, StoreError,
};
use super::approvals::{self, Turn};
use super::audit;
use super::db::{Db, micros, params};
use super::deliveries;
use super::janitor;
use super::queue::{end, write_event};
use super::rows::{self, SELECT_DECISION};
use super::writer::Tx;
use crate::domain::{ActionState, RowStatus, Verdict};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// How many request ids are kept for one decision; later callers cannot ask by theirs.
const CALLS: i64 = 1024;

/// Carries one call out. The call is in the audit log before what it decides, and its answer after.
pub(super) fn decide(
    tx: &mut Tx<'_>,
    call: &DecisionCall,
    validity: Duration,
) -> Result<Decided, StoreError> {
    let named = call.review.as_ref().and_then(|review| review.action_id.as_deref());
    let by_key = rows::by_key(tx.db, &call.tenant, &call.key)?;
    let about = by_key.as_ref().map(|action| action.id.clone()).or(named.map(str::to_owned));
    audit::sent(tx, call, about.as_deref())?;
    let decided = judge(tx, call, by_key, validity)?;
    audit::answered(tx, call, about.as_deref(), &decided)?;
    Ok(decided)
}

/// What the call makes of the action that its key belongs to.
fn judge(
    tx: &mut Tx<'_>,
    call: &DecisionCall,
    by_key: Option<Record>,
    validity: Duration,
) -> Result<Decided, StoreError> {
    let named = call.review.as_ref().and_then(|review| review.action_id.as_deref());
    let action = match (by_key, named) {
        (Some(action), Some(named)) if action.id != named => return Ok(Decided::WrongKey),
        (Some(action), _) => action,
        (None, Some(named)) => match rows::by_id(tx.db, &call.tenant, named)? {
            // An action that is decided answers so under whatever key; one that is not must be called by its own.
            Some(action) if action.decision.is_some() => return duplicate(tx, call, Some(&action)),
            Some(_) => return Ok(Decided::WrongKey),
            None => return reserve(tx, call, None, None),
        },
        (None, None) => return reserve(tx, call, None, None),
    };
    if action.thread != call.thread {
        return Ok(Decided::WrongThread);
    }
    match action.state {
        ActionState::Approved | ActionState::Rejected => return duplicate(tx, call, Some(&action)),
        ActionState::Expired | ActionState::Cancelled => return Ok(Decided::Closed(action.state)),
        ActionState::Pending => {}
    }
    if action.expires_at <= tx.now {
        // The task that expires has not come to it yet; the deadline counts, not the task.
        let (id, thread, at) = (&action.id, &action.thread, action.expires_at);
        end(tx, (&call.tenant, "gateway"), id, thread, ActionState::Expired, at)?;
        return Ok(Decided::Closed(ActionState::Expired));
    }
    if is_own(&action.agent, &call.reviewer) {
        return Ok(Decided::OwnAction);
    }
    if let Err(damage) = action.intact() {
        return Ok(Decided::Damaged(action.id, damage));
    }
    if let Some(review) = &call.review {
        // The digest of the row is that of the stored bytes: that has just been computed.
        match &review.digest {
            None => return Ok(Decided::DigestMissing),
            Some(digest) if *digest != action.digest => return Ok(Decided::DigestDiffers),
            Some(_) => {}
        }
    }
    match call.verdict {
        Verdict::Approve => {
            if let Turn::Told(told) = approvals::approve(tx, call, &action)? {
                return Ok(*told);
            }
        }
        // Any rejection ends it.
        Verdict::Reject => approvals::drop_waiting(tx, &action.id)?,
    }
    reserve(tx, call, Some(&action), Some(validity))
}

/// Whether the reviewer asked for it: under their own name, or by an instance that they made.
fn is_own(agent: &str, reviewer: &str) -> bool {
    agent.strip_prefix(reviewer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A rule decides: the action has just been written, and is approved as a reviewer would approve it.
pub(super) fn allow(
    tx: &mut Tx<'_>,
    tenant: &Arc<str>,
    action: &Record,
    rule: &ByRule,
    validity: Duration,
) -> Result<(), StoreError> {
    let review =
        Review { action_id: Some(action.id.clone()), digest: Some(action.digest.clone()), reason: None };
    let call = DecisionCall {
        tenant: Arc::clone(tenant),
        thread: action.thread.clone(),
        key: action.key.clone(),
        request_id: rule.request_id.clone(),
        verdict: Verdict::Approve,
        // No credential's name can hold a colon.
        reviewer: format!("rule:{}", rule.name),
        body: String::new(),
        review: Some(review),
    };
    match reserve(tx, &call, Some(action), Some(validity))? {
        Decided::Accepted(row) => audit::allowed(tx, tenant, &row, &rule.name),
        // Somebody had decided under a key that did not exist.
        _ => Err(StoreError::Damaged(action.id.clone())),
    }
}

/// Reserves the key and decides; where the key is taken, says what stands.
fn reserve(
    tx: &mut Tx<'_>,
    call: &DecisionCall,
    action: Option<&Record>,
    validity: Option<Duration>,
) -> Result<Decided, StoreError> {
    let review = call.review.clone().unwrap_or_default();
    let decided_at = action.map_or(tx.now, |action| tx.now.max(action.created_at));
    let inserted = tx.db.first(
        "INSERT INTO decision (tenant, thread, key, action_id, status, verdict, reviewer, reason, request_id,
            decided_at, digest, calls)
         VALUES (:tenant, :thread, :key, :action_id, 'COMMITTED', :verdict, :reviewer, :reason, :request_id,
            :decided_at, :digest, 1)
         ON CONFLICT DO NOTHING RETURNING id",
        params! {
            ":tenant": &call.tenant, ":thread": &call.thread, ":key": &call.key,
            ":action_id": action.map(|action| action.id.as_str()), ":verdict": call.verdict.word(),
            ":reviewer": &call.reviewer, ":reason": &review.reason, ":request_id": &call.request_id,
            ":decided_at": micros(decided_at), ":digest": &review.digest,
        },
    )?;
    let action_id = action.map(|action| action.id.as_str());
    let decision_id = match inserted {
        Some(mut row) => Some(row.take("id")?),
        None => janitor::reopen(tx, call, action_id, &review, decided_at)?,
    };
    let Some(decision_id) = decision_id else { return duplicate(tx, call, action) };
    if let Some(action) = action {
        move_on(tx, call.verdict, action, decided_at, validity.unwrap_or_default())?;
        // The others have no receiver: no statement for nothing where decisions come by the thousand.
        if action.agent.contains('/') {
            deliveries::resolved(tx, &action.id, decided_at)?;
        }
    }
    let kind = match call.verdict {
        Verdict::Approve => EventKind::Approved,
        Verdict::Reject => EventKind::Rejected,
    };
    let change: Change = write_event(tx, kind, &call.tenant, &call.thread, action_id, Some(decision_id))?;
    tx.announce(change);
    insert_call(tx, call, decision_id)?;
    // What has just been written, without reading it again.
    Ok(Decided::Accepted(DecisionRow {
        key: call.key.clone(),
        action_id: action_id.map(str::to_owned),
        status: RowStatus::Committed,
        verdict: call.verdict,
        reviewer: call.reviewer.clone(),
        reason: review.reason,
        request_id: call.request_id.clone(),
        // As it is stored.
        decided_at: Timestamp::from_microsecond(micros(decided_at)).unwrap_or(decided_at),
        digest: review.digest,
        counted: None,
    }))
}

/// Compare-and-set: the action moves on only if it is what was looked at.
fn move_on(
    tx: &Tx<'_>,
    verdict: Verdict,
    action: &Record,
    decided_at: Timestamp,
    validity: Duration,
) -> Result<(), StoreError> {
    let (state, valid) = match verdict {
        Verdict::Approve => {
            let until = decided_at.checked_add(validity).unwrap_or(Timestamp::MAX);
            (ActionState::Approved, Some(micros(until)))
        }
        Verdict::Reject => (ActionState::Rejected, None),
    };
    let moved = tx.db.execute(
        "UPDATE action SET state = :state, ended_at = :decided_at, approval_expires_at = :valid
         WHERE id = :id AND state = 'pending' AND digest = :digest AND expires_at > :now",
        params! {
            ":state": state.word(), ":decided_at": micros(decided_at), ":valid": valid, ":id": &action.id,
            ":digest": &action.digest, ":now": micros(tx.now),
        },
    )?;
    if moved == 1 { Ok(()) } else { Err(StoreError::Damaged(action.id.clone())) }
}

fn duplicate(tx: &Tx<'_>, call: &DecisionCall, action: Option<&Record>) -> Result<Decided, StoreError> {
    let (decision_id, row) = standing_under(tx.db, call, action)?;
    note_call(tx, call, decision_id)?;
    let own = action.and_then(|action| approvals::counted_in(action, call));
    Ok(Decided::Duplicate(own.unwrap_or(row)))
}

/// The decision on the action, else the one under the key.
fn standing_under(
    db: &dyn Db,
    call: &DecisionCall,
    action: Option<&Record>,
) -> Result<(i64, DecisionRow), StoreError> {
    let found = match action {
        Some(action) => db.first(
            &format!("{SELECT_DECISION} WHERE d.action_id = :action"),
            params! {":action": &action.id},
        )?,
        None => db.first(
            &format!("{SELECT_DECISION} WHERE d.tenant = :tenant AND d.thread = :thread AND d.key = :key"),
            params! {":tenant": &call.tenant, ":thread": &call.thread, ":key": &call.key},
        )?,
    };
    let mut row = found.ok_or_else(|| StoreError::Database("a decision that stands is not there".into()))?;
    Ok((row.take("id")?, rows::decision(row)?))
}

/// Remembers that this request id was seen, so that its caller can ask what stands.
fn note_call(tx: &Tx<'_>, call: &DecisionCall, decision_id: i64) -> Result<(), StoreError> {
    let counted = tx.db.execute(
        "UPDATE decision SET calls = calls + 1 WHERE id = :id AND calls < :limit",
        params! {":id": decision_id, ":limit": CALLS},
    )?;
    if counted == 1 { insert_call(tx, call, decision_id) } else { Ok(()) }
}

fn insert_call(tx: &Tx<'_>, call: &DecisionCall, decision_id: i64) -> Result<(), StoreError> {
    tx.db.execute(
        "INSERT INTO call (tenant, request_id, decision_id, at) VALUES (:tenant, :request_id, :decision_id, :at)
         ON CONFLICT DO NOTHING",
        params! {
            ":tenant": &call.tenant, ":request_id": &call.request_id, ":decision_id": decision_id,
            ":at": micros(tx.now),
        },
    )?;
    Ok(())
}

/// The decision that stands where a call with that request id was made: the call's own before any other.
pub(super) fn standing(
    db: &dyn Db,
    tenant: Option<&str>,
    request_id: &str,
) -> Result<Option<(DecisionRow, Option<&'static str>)>, StoreError> {
    if let Some(approval) = approvals::standing(db, tenant, request_id)? {
        return Ok(Some(approval));
    }
    let called =
        format!("{SELECT_DECISION} JOIN call c ON c.decision_id = d.id WHERE c.request_id = :request_id");
    let best = "ORDER BY d.request_id = :request_id DESC, d.id DESC LIMIT 1";
    let found = match tenant {
        Some(tenant) => db.first(
            &format!("{called} AND c.tenant = :tenant {best}"),
            params! {":request_id": request_id, ":tenant": tenant},
        )?,
        None => db.first(&format!("{called} {best}"), params! {":request_id": request_id})?,
    };
    let row = found.map(rows::decision).transpose()?;
    Ok(row.map(|row| {
        let why = janitor::why(row.status);
        (row, why)
    }))
}
