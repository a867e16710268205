//! What receivers are to be told, in SQL: an outbox. A row is written in the transaction that ends a request, and taken by
//! one gateway at a time: whoever begins a try puts the next one a lease ahead, so that what a dead gateway had begun comes
//! up again by itself.

use super::super::{Delivery, StoreError, Taking, Tried};
use super::db::{Db, Row, micros, params};
use super::writer::Tx;
use crate::gateway::audit::entry::{Facts, Kind};
use jiff::Timestamp;
use uuid::Uuid;

/// Hosts that are looked at in one transaction.
const HOSTS: i64 = 256;
/// Why an instance is told nothing any more.
const EXPIRED: &str = "its credential has expired";

/// The request has ended: its instance's receiver is to be told, where it has one.
pub(super) fn resolved(tx: &Tx<'_>, action_id: &str, at: Timestamp) -> Result<(), StoreError> {
    tx.db.execute(
        "INSERT INTO delivery (id, instance_id, action_id, host, resolved_at, state, next_at)
         SELECT :id, i.id, a.id, i.host, :at, 'waiting', :now FROM action a
         JOIN instance i ON i.tenant = a.tenant AND i.agent = a.agent
         WHERE a.id = :action_id AND i.delivery = 'on'",
        params! {
            ":id": &Uuid::new_v4().to_string(), ":at": micros(at), ":now": micros(tx.now), ":action_id": action_id,
        },
    )?;
    Ok(())
}

/// When the next try is due, to none of the hosts that are full.
pub(super) fn due(db: &dyn Db, full: &[String], now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let next: Option<i64> = db.cell("SELECT min(next_at) FROM delivery WHERE state = 'waiting'", &[])?;
    let next = next.and_then(|micros| Timestamp::from_microsecond(micros).ok());
    if full.is_empty() || next.is_none_or(|next| next > now) {
        return Ok(next);
    }
    let mut next = None;
    let hosts = "SELECT host, min(next_at) AS first FROM delivery WHERE state = 'waiting' GROUP BY host";
    for mut row in db.query(hosts, &[])? {
        let (host, first): (String, Timestamp) = (row.take("host")?, row.time("first")?);
        if !full.contains(&host) {
            next = [next, Some(first)].into_iter().flatten().min();
        }
    }
    Ok(next)
}

/// Begins tries that are due. Host by host, those that have waited longest first, so that one host with a great many, or one
/// that does not answer, holds up no other.
pub(super) fn take(tx: &mut Tx<'_>, taking: &Taking) -> Result<Vec<Delivery>, StoreError> {
    lapse(tx)?;
    let hosts = tx.db.query(
        "SELECT host, min(next_at) AS first FROM delivery WHERE state = 'waiting' AND next_at <= :now
         GROUP BY host ORDER BY first, host LIMIT :hosts",
        params! {":now": micros(tx.now), ":hosts": HOSTS},
    )?;
    let lost_at = tx.now.checked_add(taking.lease).unwrap_or(Timestamp::MAX);
    let mut taken = Vec::new();
    for mut host in hosts {
        let host: String = host.take("host")?;
        let under_way =
            taking.under_way.iter().find(|(other, _)| *other == host).map_or(0, |(_, count)| *count);
        let room = taking.most_to_one.saturating_sub(under_way).min(taking.most.saturating_sub(taken.len()));
        if room == 0 {
            continue;
        }
        let due = tx.db.query(
            "SELECT d.id, d.tries, d.action_id, d.resolved_at, i.id AS instance_id, i.url, i.host, i.signing_secret
             FROM delivery d JOIN instance i ON i.id = d.instance_id
             WHERE d.host = :host AND d.state = 'waiting' AND d.next_at <= :now AND i.delivery = 'on'
             ORDER BY d.next_at, d.id LIMIT :room",
            params! {":host": &host, ":now": micros(tx.now), ":room": i64::try_from(room).unwrap_or(i64::MAX)},
        )?;
        for row in due {
            let delivery = begun(row)?;
            tx.db.execute(
                "UPDATE delivery SET tries = :tries, next_at = :lost_at WHERE id = :id",
                params! {":tries": delivery.tries, ":lost_at": micros(lost_at), ":id": &delivery.id},
            )?;
            taken.push(delivery);
        }
    }
    Ok(taken)
}

fn begun(mut row: Row) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        id: row.take("id")?,
        tries: row.take::<i64>("tries")?.saturating_add(1),
        instance_id: row.take("instance_id")?,
        action_id: row.take("action_id")?,
        resolved_at: row.time("resolved_at")?,
        url: row.take("url")?,
        host: row.take("host")?,
        signing_secret: row.take::<String>("signing_secret")?.into(),
    })
}

/// Whose credential is past its time can read no decision, so its receiver need not be woken.
fn lapse(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let lapsed = tx.db.query(
        "SELECT DISTINCT i.id FROM delivery d JOIN instance i ON i.id = d.instance_id JOIN token t ON t.id = i.token_id
         WHERE d.state = 'waiting' AND d.next_at <= :now AND t.expires_at <= :now",
        params! {":now": micros(tx.now)},
    )?;
    for mut row in lapsed {
        end(tx, &row.take::<String>("id")?, EXPIRED)?;
    }
    Ok(())
}

/// Nobody whose credential is past its time is told anything any more, and their secret is kept no longer, whether anything
/// waits for them or not. Gives when the next is past it.
pub(super) fn expire(tx: &mut Tx<'_>) -> Result<Option<Timestamp>, StoreError> {
    let expired = tx.db.query(
        "SELECT i.id FROM instance i JOIN token t ON t.id = i.token_id
         WHERE i.delivery = 'on' AND t.expires_at <= :now",
        params! {":now": micros(tx.now)},
    )?;
    for mut row in expired {
        end(tx, &row.take::<String>("id")?, EXPIRED)?;
    }
    let next: Option<i64> = tx.db.cell(
        "SELECT min(t.expires_at) FROM instance i JOIN token t ON t.id = i.token_id WHERE i.delivery = 'on'",
        &[],
    )?;
    Ok(next.and_then(|micros| Timestamp::from_microsecond(micros).ok()))
}

/// A try has ended. Where it had counted as lost already and another has begun, only having been told counts.
pub(super) fn settle(tx: &mut Tx<'_>, id: &str, tries: i64, tried: &Tried) -> Result<(), StoreError> {
    let found = tx.db.first(
        "SELECT d.tries, d.instance_id, d.action_id, i.tenant FROM delivery d JOIN instance i ON i.id = d.instance_id
         WHERE d.id = :id AND d.state = 'waiting'",
        params! {":id": id},
    )?;
    let Some(mut row) = found else { return Ok(()) };
    if row.take::<i64>("tries")? != tries && *tried != Tried::Delivered {
        return Ok(());
    }
    match tried {
        Tried::Delivered => {
            tx.db.execute(
                "UPDATE delivery SET state = 'delivered', ended_at = :now WHERE id = :id",
                params! {":now": micros(tx.now), ":id": id},
            )?;
        }
        Tried::Again(at) => {
            tx.db.execute(
                "UPDATE delivery SET next_at = :at WHERE id = :id",
                params! {":at": micros(*at), ":id": id},
            )?;
        }
        Tried::GivenUp(why) => {
            let (tenant, action): (String, String) = (row.take("tenant")?, row.take("action_id")?);
            give_up(tx, (&tenant, &action), id, tries, why)?;
        }
        Tried::Gone => end(tx, &row.take::<String>("instance_id")?, "its receiver is gone (410)")?,
    }
    Ok(())
}

fn give_up(
    tx: &mut Tx<'_>,
    (tenant, action): (&str, &str),
    id: &str,
    tries: i64,
    why: &str,
) -> Result<(), StoreError> {
    tx.db.execute(
        "UPDATE delivery SET state = 'given_up', ended_at = :now WHERE id = :id AND state = 'waiting'",
        params! {":now": micros(tx.now), ":id": id},
    )?;
    let facts = Facts::default().text("delivery", id).number("tries", tries).text("why", why);
    tx.audit(Kind::WebhookGivenUp, tenant, "gateway", Some(action), facts)
}

/// Nothing is delivered to the instance any more, and its secret is kept no longer.
fn end(tx: &mut Tx<'_>, instance: &str, why: &str) -> Result<(), StoreError> {
    tx.db.execute(
        "UPDATE instance SET delivery = 'ended', signing_secret = NULL WHERE id = :id AND delivery = 'on'",
        params! {":id": instance},
    )?;
    let waiting = tx.db.query(
        "SELECT d.id, d.tries, d.action_id, i.tenant FROM delivery d JOIN instance i ON i.id = d.instance_id
         WHERE d.instance_id = :id AND d.state = 'waiting'",
        params! {":id": instance},
    )?;
    for mut row in waiting {
        let (id, tenant, action): (String, String, String) =
            (row.take("id")?, row.take("tenant")?, row.take("action_id")?);
        let tries = row.take("tries")?;
        give_up(tx, (&tenant, &action), &id, tries, why)?;
    }
    Ok(())
}

/// A token is taken back: where it is an instance's, its receiver is told nothing any more.
pub(super) fn revoked(tx: &mut Tx<'_>, token: i64) -> Result<(), StoreError> {
    let found = tx.db.first(
        "SELECT id FROM instance WHERE token_id = :token AND delivery = 'on'",
        params! {":token": token},
    )?;
    match found {
        Some(mut row) => end(tx, &row.take::<String>("id")?, "its credential was revoked"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
