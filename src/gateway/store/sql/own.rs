//! What an agent does with an action of its own: withdraw it, take the approval once, say how it went.

use super::super::{Conflict, EventKind, Own, Owner, Record, Report, StoreError};
use super::agents;
use super::db::{micros, params};
use super::queue::{end, write_event};
use super::rows;
use super::writer::Tx;
use crate::domain::ActionState;
use crate::gateway::audit::entry::{Facts, Kind};

/// The agent's action as of now: what is past its deadline is expired first.
fn owned(tx: &mut Tx<'_>, owner: &Owner, id: &str) -> Result<Option<Record>, StoreError> {
    let find = |tx: &Tx<'_>| {
        let found = rows::by_id(tx.db, &owner.tenant, id)?;
        Ok::<_, StoreError>(found.filter(|record| record.agent == *owner.agent))
    };
    let Some(record) = find(tx)? else { return Ok(None) };
    if record.state != ActionState::Pending || record.expires_at > tx.now {
        return Ok(Some(record));
    }
    end(tx, (&owner.tenant, "gateway"), id, &record.thread, ActionState::Expired, record.expires_at)?;
    find(tx)
}

fn done(tx: &mut Tx<'_>, owner: &Owner, id: &str) -> Result<Own, StoreError> {
    owned(tx, owner, id)?
        .map(|record| Own::Done(Box::new(record)))
        .ok_or_else(|| StoreError::Damaged(id.to_owned()))
}

/// Withdraws; again is the same answer.
pub(super) fn withdraw(tx: &mut Tx<'_>, owner: &Owner, id: &str) -> Result<Own, StoreError> {
    let Some(record) = owned(tx, owner, id)? else { return Ok(Own::NotFound) };
    match record.state {
        ActionState::Pending => {
            let at = tx.now.max(record.created_at);
            end(tx, (&owner.tenant, &owner.agent), id, &record.thread, ActionState::Cancelled, at)?;
            done(tx, owner, id)
        }
        ActionState::Cancelled => Ok(Own::Done(Box::new(record))),
        _ => Ok(Own::Conflict(Conflict::AlreadyTerminal)),
    }
}

/// Takes the approval; the same key again is the same answer. A paused agent takes nothing, not a second time either.
pub(super) fn consume(tx: &mut Tx<'_>, owner: &Owner, id: &str, key: &str) -> Result<Own, StoreError> {
    if agents::one(tx.db, &owner.tenant, &owner.agent)?.paused.is_some() {
        return Ok(Own::Paused);
    }
    let Some(record) = owned(tx, owner, id)? else { return Ok(Own::NotFound) };
    match (&record.consumption, record.state, record.approval_expires_at) {
        (Some(consumption), ..) if consumption.key == key => return Ok(Own::Done(Box::new(record))),
        (Some(_), ..) => return Ok(Own::Conflict(Conflict::AlreadyConsumed)),
        (None, ActionState::Approved, Some(until)) if tx.now < until => {}
        (None, ActionState::Approved, _) => return Ok(Own::Conflict(Conflict::ApprovalExpired)),
        _ => return Ok(Own::Conflict(Conflict::NotApproved)),
    }
    if let Err(damage) = record.intact() {
        return Ok(Own::Damaged(damage));
    }
    let at = record.ended_at.map_or(tx.now, |decided_at| tx.now.max(decided_at));
    let until = record.approval_expires_at.unwrap_or(at);
    let facts = Facts::default().text("key", key).text("digest", &record.digest).time("until", until);
    tx.audit(Kind::Consumed, &owner.tenant, &owner.agent, Some(id), facts)?;
    tx.db.execute(
        "UPDATE action SET consume_key = :key, consumed_at = :at
         WHERE id = :id AND state = 'approved' AND consumed_at IS NULL",
        params! {":key": key, ":at": micros(at), ":id": id},
    )?;
    let change = write_event(tx, EventKind::Consumed, &owner.tenant, &record.thread, Some(id), None)?;
    tx.announce(change);
    done(tx, owner, id)
}

/// Records how it went; the same report again is the same answer.
pub(super) fn report(tx: &mut Tx<'_>, owner: &Owner, id: &str, report: &Report) -> Result<Own, StoreError> {
    let Some(record) = owned(tx, owner, id)? else { return Ok(Own::NotFound) };
    let Some(consumption) = &record.consumption else { return Ok(Own::Conflict(Conflict::NotConsumed)) };
    match &consumption.outcome {
        Some((earlier, _)) if earlier == report => return Ok(Own::Done(Box::new(record))),
        Some(_) => return Ok(Own::Conflict(Conflict::OtherOutcome)),
        None => {}
    }
    let at = tx.now.max(consumption.at);
    tx.db.execute(
        "UPDATE action SET outcome = :outcome, outcome_note = :note, reported_at = :at
         WHERE id = :id AND consumed_at IS NOT NULL AND reported_at IS NULL",
        params! {":outcome": report.word(), ":note": &report.note, ":at": micros(at), ":id": id},
    )?;
    let facts = Facts::default().text("outcome", report.word()).maybe("note", report.note.as_deref());
    tx.audit(Kind::Outcome, &owner.tenant, &owner.agent, Some(id), facts)?;
    let change = write_event(tx, EventKind::Executed, &owner.tenant, &record.thread, Some(id), None)?;
    tx.announce(change);
    done(tx, owner, id)
}
