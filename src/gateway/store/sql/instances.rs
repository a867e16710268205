//! Instances of agents in SQL: each is a row beside the token that is its credential, made together with it or not at all.

use super::super::{InstanceRow, NewInstance, NewToken, Provisioned, StoreError, Which};
use super::db::{Db, Row, micros, params};
use super::writer::Tx;
use super::{queue, tokens};
use crate::domain::ActionState;
use crate::gateway::audit::entry::{Facts, Kind};
use crate::gateway::auth::Role;
use secrecy::ExposeSecret as _;
use std::sync::Arc;

/// How many instances of one provisioner may be good at the same time.
const MOST_LIVE: i64 = 1_000;
/// How many instances a tenant may have, those that are revoked or past their time included.
const MOST: i64 = 10_000;

const SELECT: &str =
    "SELECT i.id, i.agent, i.digest, i.url, i.registration_id, i.delivery, t.hash, t.expires_at, t.revoked_at
    FROM instance i JOIN token t ON t.id = i.token_id";

/// The instance that was made under that key.
pub(super) fn made(
    db: &dyn Db,
    tenant: &str,
    provisioner: &str,
    key: &str,
) -> Result<Option<InstanceRow>, StoreError> {
    let sql = format!("{SELECT} WHERE i.tenant = :tenant AND i.provisioner = :provisioner AND i.key = :key");
    let params = params! {":tenant": tenant, ":provisioner": provisioner, ":key": key};
    db.first(&sql, params)?.map(row).transpose()
}

/// That instance of that provisioner.
pub(super) fn of(
    db: &dyn Db,
    tenant: &str,
    provisioner: &str,
    id: &str,
) -> Result<Option<InstanceRow>, StoreError> {
    let sql = format!("{SELECT} WHERE i.tenant = :tenant AND i.provisioner = :provisioner AND i.id = :id");
    let params = params! {":tenant": tenant, ":provisioner": provisioner, ":id": id};
    db.first(&sql, params)?.map(row).transpose()
}

/// Whether the credential of the instance of that name has been taken back.
pub(super) fn is_revoked(db: &dyn Db, tenant: &str, agent: &str) -> Result<bool, StoreError> {
    let revoked: i64 = db.cell(
        "SELECT count(*) FROM instance i JOIN token t ON t.id = i.token_id
         WHERE i.tenant = :tenant AND i.agent = :agent AND t.revoked_at IS NOT NULL",
        params! {":tenant": tenant, ":agent": agent},
    )?;
    Ok(revoked > 0)
}

/// Takes its credential back, and withdraws what it has pending. Deliveries end first, so that nobody is told of that.
pub(super) fn delete(
    tx: &mut Tx<'_>,
    tenant: &Arc<str>,
    provisioner: &str,
    id: &str,
) -> Result<bool, StoreError> {
    let Some(instance) = of(tx.db, tenant, provisioner, id)? else { return Ok(false) };
    end(tx, tenant, &instance.agent, provisioner)?;
    Ok(true)
}

/// A provisioner's token was taken back. Whoever has it can compute the credentials of the instances that it made, so they
/// are taken back with it; which of that name's tokens made which is not kept, so it is all of that name's.
pub(super) fn maker_revoked(
    tx: &mut Tx<'_>,
    tenant: &Arc<str>,
    provisioner: &str,
    by: &str,
) -> Result<(), StoreError> {
    let live = tx.db.query(
        "SELECT i.agent FROM instance i JOIN token t ON t.id = i.token_id
         WHERE i.tenant = :tenant AND i.provisioner = :provisioner AND t.revoked_at IS NULL ORDER BY t.id",
        params! {":tenant": tenant, ":provisioner": provisioner},
    )?;
    for mut row in live {
        end(tx, tenant, &row.take::<String>("agent")?, by)?;
    }
    Ok(())
}

fn end(tx: &mut Tx<'_>, tenant: &Arc<str>, agent: &str, by: &str) -> Result<(), StoreError> {
    tokens::revoke(tx, &Which::Name(Arc::clone(tenant), agent.to_owned()), by)?;
    let pending = tx.db.query(
        "SELECT id, thread, created_at FROM action WHERE tenant = :tenant AND agent = :agent AND state = 'pending'",
        params! {":tenant": tenant, ":agent": agent},
    )?;
    for mut row in pending {
        let (action, thread): (String, String) = (row.take("id")?, row.take("thread")?);
        let at = tx.now.max(row.time("created_at")?);
        queue::end(tx, (tenant, by), &action, &thread, ActionState::Cancelled, at)?;
    }
    Ok(())
}

/// Makes it, or finds the one that stands under the key.
pub(super) fn provision(tx: &mut Tx<'_>, new: &NewInstance) -> Result<Provisioned, StoreError> {
    let (tenant, maker) = (&new.tenant, &new.provisioner);
    // Here and not at the door alone: nothing may be made that taking the token back has not seen.
    if let Some(token) = new.maker
        && !tokens::stands(tx, token)?
    {
        return Ok(Provisioned::MakerGone);
    }
    if let Some(known) = made(tx.db, tenant, maker, &new.key)? {
        return Ok(Provisioned::Known(known));
    }
    let live: i64 = tx.db.cell(
        "SELECT count(*) FROM instance i JOIN token t ON t.id = i.token_id
         WHERE i.tenant = :tenant AND i.provisioner = :provisioner AND t.revoked_at IS NULL AND t.expires_at > :now",
        params! {":tenant": tenant, ":provisioner": maker, ":now": micros(tx.now)},
    )?;
    let all: i64 =
        tx.db.cell("SELECT count(*) FROM instance WHERE tenant = :tenant", params! {":tenant": tenant})?;
    if live >= MOST_LIVE || all >= MOST {
        return Ok(Provisioned::TooMany);
    }
    let agent = free_name(tx.db, new)?;
    let token = NewToken {
        tenant: tenant.clone(),
        name: agent.as_str().into(),
        role: Role::Agent,
        hash: new.hash.clone(),
        lifetime: Some(new.lifetime),
        by: maker.to_string(),
    };
    let token = tokens::insert(tx, &token)?;
    let receiver = new.receiver.as_ref();
    tx.db.execute(
        "INSERT INTO instance (id, tenant, provisioner, key, digest, agent, token_id, created_at, delivery, url, host,
            registration_id, signing_secret)
         VALUES (:id, :tenant, :provisioner, :key, :digest, :agent, :token_id, :at, :delivery, :url, :host,
            :registration_id, :secret)",
        params! {
            ":id": &new.id, ":tenant": tenant, ":provisioner": maker, ":key": &new.key, ":digest": &new.digest,
            ":agent": &agent, ":token_id": token.id, ":at": micros(tx.now),
            ":delivery": if receiver.is_some() { "on" } else { "none" },
            ":url": receiver.map(|receiver| receiver.url.as_str()),
            ":host": receiver.map(|receiver| receiver.host.as_str()),
            ":registration_id": receiver.map(|receiver| receiver.registration_id.as_str()),
            ":secret": receiver.map(|receiver| receiver.signing_secret.expose_secret()),
        },
    )?;
    // The host and no more of the URL: its path may be somebody's secret.
    let facts = Facts::default()
        .text("instance", &new.id)
        .text("agent", &agent)
        .number("token", token.id)
        .maybe("webhooks_to", receiver.map(|receiver| receiver.host.as_str()));
    tx.audit(Kind::InstanceCreated, tenant, maker, None, facts)?;
    let made = made(tx.db, tenant, maker, &new.key)?;
    made.map(Provisioned::Fresh)
        .ok_or_else(|| StoreError::Database("an instance that was stored is gone".into()))
}

/// `PROVISIONER/NAME`, which no other token's name can be: an instance never stands for anybody else. Where an earlier
/// instance was called so, with what tells them apart: what that one asked is none of this one's business.
fn free_name(db: &dyn Db, new: &NewInstance) -> Result<String, StoreError> {
    let plain = format!("{}/{}", new.provisioner, new.name);
    let taken: i64 = db.cell(
        "SELECT count(*) FROM token WHERE tenant = :tenant AND lower(name) = :lower",
        params! {":tenant": &new.tenant, ":lower": &plain.to_ascii_lowercase()},
    )?;
    Ok(if taken == 0 { plain } else { format!("{plain}-{}", new.distinction) })
}

fn row(mut row: Row) -> Result<InstanceRow, StoreError> {
    let (url, registration): (Option<String>, Option<String>) =
        (row.take("url")?, row.take("registration_id")?);
    Ok(InstanceRow {
        id: row.take("id")?,
        agent: row.take("agent")?,
        digest: row.take("digest")?,
        hash: row.take("hash")?,
        expires_at: row.optional_time("expires_at")?,
        revoked: row.optional_time("revoked_at")?.is_some(),
        receiver: url.zip(registration),
        delivers: row.take::<String>("delivery")? == "on",
    })
}

#[cfg(test)]
pub(super) mod tests;
