//! Who looks at which action now, in SQL. It holds for seconds: whoever looks says so again and again. The audit log is told
//! when a look began and how long it lasted.

use super::super::{Change, LookCall, Looking, StoreError};
use super::db::{Db, Row, micros, params};
use super::writer::Tx;
use crate::gateway::audit::entry::{Facts, Kind};
use jiff::Timestamp;
use std::sync::Arc;

/// Notes where the reviewer looks, or that they look nowhere; everybody of the tenant who looks, afterwards. `None` where
/// there is no such action with that digest.
pub(super) fn look(tx: &mut Tx<'_>, call: &LookCall) -> Result<Option<Vec<Looking>>, StoreError> {
    let (tenant, reviewer) = (&call.tenant, &call.reviewer);
    let before = of(tx.db, tenant, reviewer)?;
    let mut deadline = None;
    match &call.at {
        None => {
            if let Some(before) = before {
                leave(tx, tenant, &before)?;
            }
        }
        Some((action_id, digest)) => {
            let known = tx.db.first(
                "SELECT id FROM action WHERE tenant = :tenant AND id = :id AND digest = :digest",
                params! {":tenant": tenant, ":id": action_id, ":digest": digest},
            )?;
            if known.is_none() {
                return Ok(None);
            }
            let until = tx.now.checked_add(call.holds).unwrap_or(Timestamp::MAX);
            match before {
                Some(before) if before.action_id == *action_id && before.until > tx.now => {
                    tx.db.execute(
                        "UPDATE presence SET until = :until WHERE tenant = :tenant AND reviewer = :reviewer",
                        params! {":until": micros(until), ":tenant": tenant, ":reviewer": reviewer},
                    )?;
                }
                before => {
                    if let Some(before) = before {
                        leave(tx, tenant, &before)?;
                    }
                    begin(tx, call, action_id, digest, until)?;
                }
            }
            deadline = Some(until);
        }
    }
    tx.announce(Change { deadline, ..Change::look(Arc::clone(tenant)) });
    all(tx.db, tenant, tx.now).map(Some)
}

fn begin(
    tx: &mut Tx<'_>,
    call: &LookCall,
    action_id: &str,
    digest: &str,
    until: Timestamp,
) -> Result<(), StoreError> {
    tx.db.execute(
        "INSERT INTO presence (tenant, reviewer, action_id, since, until)
         VALUES (:tenant, :reviewer, :action_id, :since, :until)",
        params! {
            ":tenant": &call.tenant, ":reviewer": &call.reviewer, ":action_id": action_id, ":since": micros(tx.now),
            ":until": micros(until),
        },
    )?;
    tx.audit(
        Kind::Seen,
        &call.tenant,
        &call.reviewer,
        Some(action_id),
        Facts::default().text("digest", digest),
    )
}

/// The look is over: now, or when its time passed.
fn leave(tx: &mut Tx<'_>, tenant: &str, look: &Look) -> Result<(), StoreError> {
    tx.db.execute(
        "DELETE FROM presence WHERE tenant = :tenant AND reviewer = :reviewer",
        params! {":tenant": tenant, ":reviewer": &look.reviewer},
    )?;
    let ended = tx.now.min(look.until);
    let lasted = ended.as_millisecond().saturating_sub(look.since.as_millisecond());
    tx.audit(Kind::Left, tenant, &look.reviewer, Some(&look.action_id), Facts::default().number("ms", lasted))
}

/// Ends the looks whose time has passed, and finds when the next one's does.
pub(super) fn lapse(tx: &mut Tx<'_>) -> Result<Option<Timestamp>, StoreError> {
    let looks = tx.db.query("SELECT tenant, reviewer, action_id, since, until FROM presence", &[])?;
    let mut next = None;
    for mut row in looks {
        let tenant: Arc<str> = row.take("tenant")?;
        let look = read(row)?;
        if look.until > tx.now {
            next = [next, Some(look.until)].into_iter().flatten().min();
        } else {
            leave(tx, &tenant, &look)?;
            tx.announce(Change::look(tenant));
        }
    }
    Ok(next)
}

/// One reviewer's row, whose time may have passed.
struct Look {
    reviewer: String,
    action_id: String,
    since: Timestamp,
    until: Timestamp,
}

fn of(db: &dyn Db, tenant: &str, reviewer: &str) -> Result<Option<Look>, StoreError> {
    let found = db.first(
        "SELECT reviewer, action_id, since, until FROM presence WHERE tenant = :tenant AND reviewer = :reviewer",
        params! {":tenant": tenant, ":reviewer": reviewer},
    )?;
    found.map(read).transpose()
}

fn read(mut row: Row) -> Result<Look, StoreError> {
    Ok(Look {
        reviewer: row.take("reviewer")?,
        action_id: row.take("action_id")?,
        since: row.time("since")?,
        until: row.time("until")?,
    })
}

/// Everybody of the tenant who looks at something.
pub(super) fn all(db: &dyn Db, tenant: &str, now: Timestamp) -> Result<Vec<Looking>, StoreError> {
    let found = db.query(
        "SELECT reviewer, action_id FROM presence WHERE tenant = :tenant AND until > :now ORDER BY reviewer",
        params! {":tenant": tenant, ":now": micros(now)},
    )?;
    let read =
        |mut row: Row| Ok(Looking { reviewer: row.take("reviewer")?, action_id: row.take("action_id")? });
    found.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests;
