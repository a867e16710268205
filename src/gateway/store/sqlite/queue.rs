//! The queue in SQL: asking, expiring, listing, events. Deciding is in `decide`, what an agent does with its own
//! action in `own`.

use super::super::{Asked, Change, Event, EventKind, NewAction, Page, Record, StoreError, Subject};
use super::agents;
use super::rows::{self, SELECT_RECORD, micros};
use super::writer::Tx;
use crate::domain::ActionState;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, named_params};
use std::sync::Arc;

/// A page or a batch of events ends early once its entries have this many bytes, so that no answer is huge.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// Puts the action into the queue, or finds the one that stands under the asking's key.
pub(super) fn ask(tx: &mut Tx<'_>, new: &NewAction, most: usize) -> Result<Asked, StoreError> {
    if agents::one(tx.db, &new.tenant, &new.agent)?.paused.is_some() {
        return Ok(Asked::Paused);
    }
    if let Some(record) = under_ask_key(tx, new)? {
        return Ok(Asked::Known(Box::new(record)));
    }
    let pending: i64 = tx
        .db
        .prepare_cached(
            "SELECT count(*) FROM action
             WHERE tenant = :tenant AND agent = :agent AND state = 'pending' AND expires_at > :now",
        )?
        .query_row(
            named_params! {":tenant": &*new.tenant, ":agent": &*new.agent, ":now": micros(tx.now)},
            |row| row.get(0),
        )?;
    if usize::try_from(pending).is_ok_and(|pending| pending >= most) {
        return Ok(Asked::TooMany);
    }
    tx.db
        .prepare_cached(
            "INSERT INTO action (id, tenant, thread, key, agent, ask_key, submission, sealed, digest,
                created_at, expires_at, state)
             VALUES (:id, :tenant, :thread, :key, :agent, :ask_key, :submission, :sealed, :digest,
                :created_at, :expires_at, 'pending')",
        )?
        .execute(named_params! {
            ":id": new.id, ":tenant": &*new.tenant, ":thread": new.thread, ":key": new.key,
            ":agent": &*new.agent, ":ask_key": new.ask_key, ":submission": new.submission,
            ":sealed": &*new.sealed, ":digest": new.digest, ":created_at": micros(new.created_at),
            ":expires_at": micros(new.expires_at),
        })?;
    let change = write_event(tx, EventKind::Created, &new.tenant, &new.thread, Some(&new.id), None)?;
    tx.announce(Change { deadline: Some(new.expires_at), ..change });
    let record = under_ask_key(tx, new)?.ok_or_else(|| StoreError::Damaged(new.id.clone()))?;
    Ok(Asked::Fresh(Box::new(record)))
}

fn under_ask_key(tx: &Tx<'_>, new: &NewAction) -> Result<Option<Record>, StoreError> {
    let sql =
        format!("{SELECT_RECORD} WHERE a.tenant = :tenant AND a.agent = :agent AND a.ask_key = :ask_key");
    let params = named_params! {":tenant": &*new.tenant, ":agent": &*new.agent, ":ask_key": new.ask_key};
    Ok(tx.db.prepare_cached(&sql)?.query_row(params, rows::record).optional()?)
}

/// Writes the outbox row of an event and returns what to announce.
pub(super) fn write_event(
    tx: &Tx<'_>,
    kind: EventKind,
    tenant: &str,
    thread: &str,
    action_id: Option<&str>,
    decision_id: Option<i64>,
) -> Result<Change, StoreError> {
    tx.db
        .prepare_cached(
            "INSERT INTO outbox (kind, tenant, thread, action_id, decision_id, at)
             VALUES (:kind, :tenant, :thread, :action_id, :decision_id, :at)",
        )?
        .execute(named_params! {
            ":kind": kind.stored(), ":tenant": tenant, ":thread": thread, ":action_id": action_id,
            ":decision_id": decision_id, ":at": micros(tx.now),
        })?;
    let seq = tx.db.last_insert_rowid();
    let told = action_id.is_some();
    Ok(Change { seq, tenant: tenant.into(), action_id: action_id.map(Arc::from), told, deadline: None })
}

/// Ends a pending action without a decision, as of `at`.
pub(super) fn end(
    tx: &mut Tx<'_>,
    tenant: &str,
    id: &str,
    thread: &str,
    state: ActionState,
    at: Timestamp,
) -> Result<(), StoreError> {
    let kind = if state == ActionState::Expired { EventKind::Expired } else { EventKind::Cancelled };
    tx.db
        .prepare_cached(
            "UPDATE action SET state = :state, ended_at = :at WHERE id = :id AND state = 'pending'",
        )?
        .execute(named_params! {":state": state.word(), ":at": micros(at), ":id": id})?;
    let change = write_event(tx, kind, tenant, thread, Some(id), None)?;
    tx.announce(change);
    Ok(())
}

/// Expires what is past its deadline, each as of its deadline, and finds the next deadline.
pub(super) fn expire(tx: &mut Tx<'_>) -> Result<Option<Timestamp>, StoreError> {
    let due: Vec<(String, String, String, i64)> = tx
        .db
        .prepare_cached(
            "SELECT tenant, id, thread, expires_at FROM action
             WHERE state = 'pending' AND expires_at <= :now ORDER BY expires_at",
        )?
        .query_map(named_params! {":now": micros(tx.now)}, |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?
        .collect::<Result<_, _>>()?;
    for (tenant, id, thread, deadline) in due {
        let deadline = Timestamp::from_microsecond(deadline).unwrap_or(tx.now);
        end(tx, &tenant, &id, &thread, ActionState::Expired, deadline)?;
    }
    let next: Option<i64> = tx
        .db
        .prepare_cached("SELECT min(expires_at) FROM action WHERE state = 'pending'")?
        .query_row([], |row| row.get(0))?;
    Ok(next.and_then(|micros| Timestamp::from_microsecond(micros).ok()))
}

/// A page, oldest first.
pub(super) fn page(
    db: &Connection,
    tenant: &str,
    state: Option<ActionState>,
    after: i64,
    limit: usize,
) -> Result<Page, StoreError> {
    // Two texts, not one with an OR, so that each walks its own index.
    let by_state = if state.is_some() { "AND a.state = :state" } else { "AND :state IS NULL" };
    let sql =
        format!("{SELECT_RECORD} WHERE a.tenant = :tenant {by_state} AND a.seq > :after ORDER BY a.seq");
    let mut statement = db.prepare_cached(&sql)?;
    let state = state.map(ActionState::word);
    let mut found = statement.query(named_params! {":tenant": tenant, ":state": state, ":after": after})?;
    let (mut records, mut bytes): (Vec<Record>, usize) = (Vec::new(), 0);
    while let Some(row) = found.next()? {
        if records.len() == limit || bytes > PAGE_BYTES {
            let next = records.last().map(|record| record.seq);
            return Ok(Page { records, next });
        }
        let record = rows::record(row)?;
        bytes += record.sealed.len();
        records.push(record);
    }
    Ok(Page { records, next: None })
}

/// The events of queued actions and of agents after that one, each with what it is about as that is now.
pub(super) fn events(
    db: &Connection,
    tenant: &str,
    after: i64,
    limit: usize,
) -> Result<Vec<Event>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT o.seq, o.kind, o.action_id, p.agent FROM outbox o LEFT JOIN pause p ON p.id = o.pause_id
         WHERE o.tenant = :tenant AND o.seq > :after AND (o.action_id IS NOT NULL OR p.agent IS NOT NULL)
         ORDER BY o.seq",
    )?;
    let mut found = statement.query(named_params! {":tenant": tenant, ":after": after})?;
    let (mut events, mut bytes): (Vec<Event>, usize) = (Vec::new(), 0);
    while let Some(row) = found.next()? {
        if events.len() == limit || bytes > PAGE_BYTES {
            break;
        }
        let subject = match row.get::<_, Option<String>>("action_id")? {
            Some(id) => {
                let record = rows::by_id(db, tenant, &id)?.ok_or(StoreError::Damaged(id))?;
                bytes += record.sealed.len();
                Subject::Action(Box::new(record))
            }
            None => Subject::Agent(agents::one(db, tenant, &row.get::<_, String>("agent")?)?),
        };
        events.push(Event {
            seq: row.get("seq")?,
            kind: rows::word(row, "kind", EventKind::parse)?,
            subject,
        });
    }
    Ok(events)
}

/// The id of the last event.
pub(super) fn last_event(db: &Connection) -> Result<i64, StoreError> {
    let last = db.query_row("SELECT max(seq) FROM outbox", [], |row| row.get(0)).optional()?;
    Ok(last.flatten().unwrap_or(0))
}
