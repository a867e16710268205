//! Agents in SQL: who is paused, by whom and since when. A pause binds from its commit on: asking and consuming look
//! for it in their own transactions.

use super::super::{AgentRow, Change, EventKind, PauseCall, StoreError};
use super::rows::{self, micros};
use super::writer::Tx;
use rusqlite::{Connection, OptionalExtension as _, named_params};
use std::collections::BTreeSet;

/// How the agent is now; one that was never paused is not.
pub(super) fn one(db: &Connection, tenant: &str, agent: &str) -> Result<AgentRow, StoreError> {
    let last = db
        .prepare_cached(
            "SELECT paused, reviewer, at FROM pause WHERE tenant = :tenant AND agent = :agent ORDER BY id DESC LIMIT 1",
        )?
        .query_row(named_params! {":tenant": tenant, ":agent": agent}, |row| {
            let paused: bool = row.get("paused")?;
            let by = (row.get::<_, String>("reviewer")?, rows::time(row, "at")?);
            Ok(paused.then_some(by))
        })
        .optional()?;
    Ok(AgentRow { name: agent.to_owned(), paused: last.flatten() })
}

/// Every agent that has asked or was paused, and those of `names`; in the order of their names.
pub(super) fn all(db: &Connection, tenant: &str, names: Vec<String>) -> Result<Vec<AgentRow>, StoreError> {
    let mut names: BTreeSet<String> = names.into_iter().collect();
    for table in ["action", "pause"] {
        // From one name to the next by the index, however many rows each has.
        let next = format!("SELECT min(agent) FROM {table} WHERE tenant = :tenant AND agent > :last");
        let first = format!("SELECT min(agent) FROM {table} WHERE tenant = :tenant");
        let found = |row: &rusqlite::Row<'_>| row.get::<_, Option<String>>(0);
        let mut name = db.prepare_cached(&first)?.query_row(named_params! {":tenant": tenant}, found)?;
        let mut step = db.prepare_cached(&next)?;
        while let Some(last) = name {
            name = step.query_row(named_params! {":tenant": tenant, ":last": last}, found)?;
            names.insert(last);
        }
    }
    names.iter().map(|name| one(db, tenant, name)).collect()
}

/// Pauses or resumes; `None` where there is no such agent. What is so already stays as it is, and nothing is told.
pub(super) fn pause(tx: &mut Tx<'_>, call: &PauseCall) -> Result<Option<AgentRow>, StoreError> {
    let known = call.has_credential || {
        let sql = "SELECT EXISTS (SELECT 1 FROM action WHERE tenant = :tenant AND agent = :agent)
            OR EXISTS (SELECT 1 FROM pause WHERE tenant = :tenant AND agent = :agent)";
        let params = named_params! {":tenant": &*call.tenant, ":agent": call.agent};
        tx.db.prepare_cached(sql)?.query_row(params, |row| row.get(0))?
    };
    if !known {
        return Ok(None);
    }
    let now = one(tx.db, &call.tenant, &call.agent)?;
    if now.paused.is_some() == call.paused {
        return Ok(Some(now));
    }
    tx.db
        .prepare_cached(
            "INSERT INTO pause (tenant, agent, paused, reviewer, at) VALUES (:tenant, :agent, :paused, :reviewer, :at)",
        )?
        .execute(named_params! {
            ":tenant": &*call.tenant, ":agent": call.agent, ":paused": call.paused, ":reviewer": &*call.reviewer,
            ":at": micros(tx.now),
        })?;
    let pause_id = tx.db.last_insert_rowid();
    let kind = if call.paused { EventKind::Paused } else { EventKind::Resumed };
    tx.db
        .prepare_cached(
            "INSERT INTO outbox (kind, tenant, thread, pause_id, at) VALUES (:kind, :tenant, '', :pause_id, :at)",
        )?
        .execute(named_params! {
            ":kind": kind.stored(), ":tenant": &*call.tenant, ":pause_id": pause_id, ":at": micros(tx.now),
        })?;
    let seq = tx.db.last_insert_rowid();
    let tenant = call.tenant.clone();
    tx.announce(Change { seq, tenant, action_id: None, told: true, deadline: None });
    one(tx.db, &call.tenant, &call.agent).map(Some)
}
