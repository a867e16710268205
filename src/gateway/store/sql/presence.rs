//! Who looks at which action now, in SQL. It holds for seconds: whoever looks says so again and again.

use super::super::{Change, LookCall, Looking, StoreError};
use super::db::{Db, micros, params};
use super::writer::Tx;
use jiff::Timestamp;
use std::sync::Arc;

/// Notes where the reviewer looks, or that they look nowhere; everybody of the tenant who looks, afterwards. `None` where
/// there is no such action with that digest.
pub(super) fn look(tx: &mut Tx<'_>, call: &LookCall) -> Result<Option<Vec<Looking>>, StoreError> {
    let (tenant, reviewer) = (&call.tenant, &call.reviewer);
    let before = of(tx.db, tenant, reviewer)?;
    match &call.at {
        None => {
            tx.db.execute(
                "DELETE FROM presence WHERE tenant = :tenant AND reviewer = :reviewer",
                params! {":tenant": tenant, ":reviewer": reviewer},
            )?;
        }
        Some((action_id, digest)) => {
            let known = tx.db.first(
                "SELECT id FROM action WHERE tenant = :tenant AND id = :id AND digest = :digest",
                params! {":tenant": tenant, ":id": action_id, ":digest": digest},
            )?;
            if known.is_none() {
                return Ok(None);
            }
            let goes_on = before.as_ref().filter(|look| look.action_id == *action_id && look.until > tx.now);
            let since = goes_on.map_or(tx.now, |look| look.since);
            let until = tx.now.checked_add(call.holds).unwrap_or(Timestamp::MAX);
            tx.db.execute(
                "INSERT INTO presence (tenant, reviewer, action_id, since, until)
                 VALUES (:tenant, :reviewer, :action_id, :since, :until)
                 ON CONFLICT (tenant, reviewer)
                 DO UPDATE SET action_id = excluded.action_id, since = excluded.since, until = excluded.until",
                params! {
                    ":tenant": tenant, ":reviewer": reviewer, ":action_id": action_id, ":since": micros(since),
                    ":until": micros(until),
                },
            )?;
        }
    }
    tx.announce(Change::look(Arc::clone(tenant)));
    all(tx.db, tenant, tx.now).map(Some)
}

/// One reviewer's row, whose time may have passed.
struct Look {
    action_id: String,
    since: Timestamp,
    until: Timestamp,
}

fn of(db: &dyn Db, tenant: &str, reviewer: &str) -> Result<Option<Look>, StoreError> {
    let found = db.first(
        "SELECT action_id, since, until FROM presence WHERE tenant = :tenant AND reviewer = :reviewer",
        params! {":tenant": tenant, ":reviewer": reviewer},
    )?;
    let Some(mut row) = found else { return Ok(None) };
    Ok(Some(Look { action_id: row.take("action_id")?, since: row.time("since")?, until: row.time("until")? }))
}

/// Everybody of the tenant who looks at something.
pub(super) fn all(db: &dyn Db, tenant: &str, now: Timestamp) -> Result<Vec<Looking>, StoreError> {
    let found = db.query(
        "SELECT reviewer, action_id FROM presence WHERE tenant = :tenant AND until > :now ORDER BY reviewer",
        params! {":tenant": tenant, ":now": micros(now)},
    )?;
    let read = |mut row: super::db::Row| {
        Ok(Looking { reviewer: row.take("reviewer")?, action_id: row.take("action_id")? })
    };
    found.into_iter().map(read).collect()
}
