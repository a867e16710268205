//! Agents in SQL: who is paused, by whom and since when. A pause binds from its commit on: asking and consuming look
//! for it in their own transactions.

use super::super::{AgentRow, Change, EventKind, PauseCall, StoreError};
use super::db::{Db, micros, params};
use super::writer::Tx;
use crate::gateway::audit::entry::{Facts, Kind};
use std::collections::BTreeSet;

/// How the agent is now; one that was never paused is not.
pub(super) fn one(db: &dyn Db, tenant: &str, agent: &str) -> Result<AgentRow, StoreError> {
    let last = db.first(
        "SELECT paused, reviewer, at FROM pause WHERE tenant = :tenant AND agent = :agent ORDER BY id DESC LIMIT 1",
        params! {":tenant": tenant, ":agent": agent},
    )?;
    let mut paused = None;
    if let Some(mut row) = last
        && row.take("paused")?
    {
        paused = Some((row.take("reviewer")?, row.time("at")?));
    }
    Ok(AgentRow { name: agent.to_owned(), paused })
}

/// Every agent that has asked or was paused, and those of `names`; in the order of their names.
pub(super) fn all(db: &dyn Db, tenant: &str, names: Vec<String>) -> Result<Vec<AgentRow>, StoreError> {
    let mut names: BTreeSet<String> = names.into_iter().collect();
    for table in ["action", "pause"] {
        // From one name to the next by the index, however many rows each has.
        let next = format!("SELECT min(agent) FROM {table} WHERE tenant = :tenant AND agent > :last");
        let first = format!("SELECT min(agent) FROM {table} WHERE tenant = :tenant");
        let mut name: Option<String> = db.cell(&first, params! {":tenant": tenant})?;
        while let Some(last) = name {
            name = db.cell(&next, params! {":tenant": tenant, ":last": &last})?;
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
        tx.db.cell(sql, params! {":tenant": &call.tenant, ":agent": &call.agent})?
    };
    if !known {
        return Ok(None);
    }
    let now = one(tx.db, &call.tenant, &call.agent)?;
    if now.paused.is_some() == call.paused {
        return Ok(Some(now));
    }
    let pause_id: i64 = tx.db.cell(
        "INSERT INTO pause (tenant, agent, paused, reviewer, at) VALUES (:tenant, :agent, :paused, :reviewer, :at)
         RETURNING id",
        params! {
            ":tenant": &call.tenant, ":agent": &call.agent, ":paused": call.paused, ":reviewer": &call.reviewer,
            ":at": micros(tx.now),
        },
    )?;
    let (kind, told) = match call.paused {
        true => (EventKind::Paused, Kind::Paused),
        false => (EventKind::Resumed, Kind::Resumed),
    };
    tx.audit(told, &call.tenant, &call.reviewer, None, Facts::default().text("agent", &call.agent))?;
    let seq: i64 = tx.db.cell(
        "INSERT INTO outbox (kind, tenant, thread, pause_id, at) VALUES (:kind, :tenant, '', :pause_id, :at)
         RETURNING seq",
        params! {
            ":kind": kind.stored(), ":tenant": &call.tenant, ":pause_id": pause_id, ":at": micros(tx.now),
        },
    )?;
    let tenant = call.tenant.clone();
    tx.announce(Change { seq, tenant, action_id: None, kind: Some(kind), told: true, deadline: None });
    one(tx.db, &call.tenant, &call.agent).map(Some)
}
