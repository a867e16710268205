//! The queue in SQL: asking, expiring, listing, events. Deciding is in `decide`, what an agent does with its own
//! action in `own`.

use super::super::{Asked, Change, Event, EventKind, NewAction, Page, Record, StoreError, Subject};
use super::db::{Db, Value, micros, params};
use super::janitor;
use super::rows::{self, SELECT_RECORD};
use super::writer::Tx;
use super::{agents, approvals, decide, deliveries, instances, presence};
use crate::domain::ActionState;
use crate::gateway::audit::entry::{Facts, Kind};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// A page or a batch of events ends early once its entries have this many bytes, so that no answer is huge.
const PAGE_BYTES: i64 = 8 * 1024 * 1024;

/// Puts the action into the queue, or finds the one that stands under the asking's key. Where a rule lets it run, it is
/// approved in the same transaction.
pub(super) fn ask(
    tx: &mut Tx<'_>,
    new: &NewAction,
    most: usize,
    validity: Duration,
) -> Result<Asked, StoreError> {
    if agents::one(tx.db, &new.tenant, &new.agent)?.paused.is_some() {
        return Ok(Asked::Paused);
    }
    // Here and not at the door alone: nothing may be left pending of an instance that was taken away meanwhile.
    if new.agent.contains('/') && instances::is_revoked(tx.db, &new.tenant, &new.agent)? {
        return Ok(Asked::Gone);
    }
    if let Some(record) = asked(tx.db, &new.tenant, &new.agent, &new.ask_key)? {
        return Ok(Asked::Known(Box::new(record)));
    }
    let pending: i64 = tx.db.cell(
        "SELECT count(*) FROM action
         WHERE tenant = :tenant AND agent = :agent AND state = 'pending' AND expires_at > :now",
        params! {":tenant": &new.tenant, ":agent": &new.agent, ":now": micros(tx.now)},
    )?;
    if usize::try_from(pending).is_ok_and(|pending| pending >= most) {
        return Ok(Asked::TooMany);
    }
    tx.db.execute(
        "INSERT INTO action (id, tenant, thread, key, agent, ask_key, submission, sealed, digest,
            created_at, expires_at, reviewers_needed, review_window, rule, state)
         VALUES (:id, :tenant, :thread, :key, :agent, :ask_key, :submission, :sealed, :digest,
            :created_at, :expires_at, :needed, :window, :rule, 'pending')",
        params! {
            ":id": &new.id, ":tenant": &new.tenant, ":thread": &new.thread, ":key": &new.key,
            ":agent": &new.agent, ":ask_key": &new.ask_key, ":submission": &new.submission,
            ":sealed": &new.sealed, ":digest": &new.digest, ":created_at": micros(new.created_at),
            ":expires_at": micros(new.expires_at), ":needed": i64::from(new.reviewers_needed),
            ":window": i64::try_from(new.review_window.as_secs()).unwrap_or(i64::MAX),
            ":rule": new.rule.as_ref().map(|rule| rule.name.as_str()),
        },
    )?;
    let facts = Facts::default()
        .text("digest", &new.digest)
        .text("thread", &new.thread)
        .text("key", &new.key)
        .text("ask_key", &new.ask_key)
        .time("expires_at", new.expires_at)
        .text("sealed", &new.sealed);
    tx.audit(Kind::Asked, &new.tenant, &new.agent, Some(&new.id), facts)?;
    let change = write_event(tx, EventKind::Created, &new.tenant, &new.thread, Some(&new.id), None)?;
    tx.announce(Change { deadline: Some(new.expires_at), ..change });
    let written = |tx: &Tx<'_>| {
        let found = asked(tx.db, &new.tenant, &new.agent, &new.ask_key)?;
        found.ok_or_else(|| StoreError::Damaged(new.id.clone()))
    };
    let mut record = written(tx)?;
    if let Some(rule) = &new.rule {
        decide::allow(tx, &new.tenant, &record, rule, validity)?;
        record = written(tx)?;
    }
    Ok(Asked::Fresh(Box::new(record)))
}

/// The action that was asked for under that key.
pub(super) fn asked(
    db: &dyn Db,
    tenant: &str,
    agent: &str,
    ask_key: &str,
) -> Result<Option<Record>, StoreError> {
    let sql =
        format!("{SELECT_RECORD} WHERE a.tenant = :tenant AND a.agent = :agent AND a.ask_key = :ask_key");
    let params = params! {":tenant": tenant, ":agent": agent, ":ask_key": ask_key};
    db.first(&sql, params)?.map(|row| rows::record(db, row)).transpose()
}

/// How many actions rules have let run since then.
pub(super) fn allowed_by_rule(db: &dyn Db, tenant: &str, since: Timestamp) -> Result<i64, StoreError> {
    db.cell(
        "SELECT count(*) FROM action WHERE tenant = :tenant AND created_at > :since AND rule IS NOT NULL",
        params! {":tenant": tenant, ":since": micros(since)},
    )
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
    let seq = tx.db.cell(
        "INSERT INTO outbox (kind, tenant, thread, action_id, decision_id, at)
         VALUES (:kind, :tenant, :thread, :action_id, :decision_id, :at) RETURNING seq",
        params! {
            ":kind": kind.stored(), ":tenant": tenant, ":thread": thread, ":action_id": action_id,
            ":decision_id": decision_id, ":at": micros(tx.now),
        },
    )?;
    let (told, tenant, action_id) = (action_id.is_some(), tenant.into(), action_id.map(Arc::from));
    Ok(Change { seq, tenant, action_id, kind: Some(kind), told, deadline: None })
}

/// Ends a pending action without a decision, as of `at`; `by` is who does it.
pub(super) fn end(
    tx: &mut Tx<'_>,
    (tenant, by): (&str, &str),
    id: &str,
    thread: &str,
    state: ActionState,
    at: Timestamp,
) -> Result<(), StoreError> {
    let (kind, told) = match state {
        ActionState::Expired => (EventKind::Expired, Kind::Expired),
        _ => (EventKind::Cancelled, Kind::Withdrawn),
    };
    tx.db.execute(
        "UPDATE action SET state = :state, ended_at = :at WHERE id = :id AND state = 'pending'",
        params! {":state": state.word(), ":at": micros(at), ":id": id},
    )?;
    approvals::drop_waiting(tx, id)?;
    deliveries::resolved(tx, id, at)?;
    tx.audit(told, tenant, by, Some(id), Facts::default().time("ended_at", at))?;
    let change = write_event(tx, kind, tenant, thread, Some(id), None)?;
    tx.announce(change);
    Ok(())
}

/// Expires what is past its deadline, each as of its deadline, lets approvals lapse, gives up what is orphaned, and finds when
/// it is time again.
pub(super) fn expire(tx: &mut Tx<'_>) -> Result<Option<Timestamp>, StoreError> {
    let due = tx.db.query(
        "SELECT tenant, id, thread, expires_at FROM action
         WHERE state = 'pending' AND expires_at <= :now ORDER BY expires_at",
        params! {":now": micros(tx.now)},
    )?;
    for mut row in due {
        let (tenant, id, thread): (String, String, String) =
            (row.take("tenant")?, row.take("id")?, row.take("thread")?);
        end(tx, (&tenant, "gateway"), &id, &thread, ActionState::Expired, row.time("expires_at")?)?;
    }
    let next: Option<i64> = tx.db.cell("SELECT min(expires_at) FROM action WHERE state = 'pending'", &[])?;
    let next = next.and_then(|micros| Timestamp::from_microsecond(micros).ok());
    let others = [approvals::lapse(tx)?, janitor::run(tx)?, presence::lapse(tx)?, deliveries::expire(tx)?];
    Ok(others.into_iter().chain([next]).flatten().min())
}

/// A page, oldest first.
pub(super) fn page(
    db: &dyn Db,
    tenant: &str,
    state: Option<ActionState>,
    after: i64,
    limit: usize,
) -> Result<Page, StoreError> {
    // Two texts, not one with an OR, so that each walks its own index.
    let (by_state, state) = match state {
        Some(state) => ("AND a.state = :state", Some((":state", state.word().into()))),
        None => ("", None),
    };
    let find = |columns: &str, rest: &str, params: &[(&'static str, Value<'_>)]| {
        let sql = format!("{columns} WHERE a.tenant = :tenant {by_state} AND a.seq > :after {rest}");
        let mut all = vec![(":tenant", tenant.into()), (":after", after.into())];
        all.extend(state);
        all.extend_from_slice(params);
        db.query(&sql, &all)
    };
    // What they weigh first, so that no more is read than is sent.
    let wanted = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let weighed = find(
        "SELECT a.seq, octet_length(a.sealed) AS weight FROM action a",
        "ORDER BY a.seq LIMIT :wanted",
        &[(":wanted", wanted.into())],
    );
    let (mut last, mut entries, mut bytes, mut more) = (after, 0, 0, false);
    for mut row in weighed? {
        if entries == limit || bytes > PAGE_BYTES {
            more = true;
            break;
        }
        last = row.take("seq")?;
        bytes = bytes.saturating_add(row.take::<i64>("weight")?);
        entries += 1;
    }
    let records = find(SELECT_RECORD, "AND a.seq <= :last ORDER BY a.seq", &[(":last", last.into())])?;
    let records: Vec<Record> =
        records.into_iter().map(|row| rows::record(db, row)).collect::<Result<_, _>>()?;
    Ok(Page { records, next: more.then_some(last) })
}

/// The events of queued actions and of agents after that one, each with what it is about as that is now.
pub(super) fn events(db: &dyn Db, tenant: &str, after: i64, limit: usize) -> Result<Vec<Event>, StoreError> {
    let found = db.query(
        "SELECT o.seq, o.kind, o.action_id, p.agent FROM outbox o LEFT JOIN pause p ON p.id = o.pause_id
         WHERE o.tenant = :tenant AND o.seq > :after AND (o.action_id IS NOT NULL OR p.agent IS NOT NULL)
         ORDER BY o.seq LIMIT :limit",
        params! {":tenant": tenant, ":after": after, ":limit": i64::try_from(limit).unwrap_or(i64::MAX)},
    )?;
    let (mut events, mut bytes): (Vec<Event>, i64) = (Vec::new(), 0);
    for mut row in found {
        if bytes > PAGE_BYTES {
            break;
        }
        let subject = match row.take::<Option<String>>("action_id")? {
            Some(id) => {
                let record = rows::by_id(db, tenant, &id)?.ok_or(StoreError::Damaged(id))?;
                bytes = bytes.saturating_add(i64::try_from(record.sealed.len()).unwrap_or(i64::MAX));
                Subject::Action(Box::new(record))
            }
            None => Subject::Agent(agents::one(db, tenant, &row.take::<String>("agent")?)?),
        };
        events.push(Event { seq: row.take("seq")?, kind: row.word("kind", EventKind::parse)?, subject });
    }
    Ok(events)
}

/// The id of the last event.
pub(super) fn last_event(db: &dyn Db) -> Result<i64, StoreError> {
    Ok(db.cell::<Option<i64>>("SELECT max(seq) FROM outbox", &[])?.unwrap_or(0))
}
