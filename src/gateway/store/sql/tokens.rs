//! Tokens in SQL. They are made and revoked by gateways and by the command line beside them; nothing is ever taken away,
//! so that who was who stays on record.

use super::super::{Made, NewToken, StoreError, TokenRow, TokensVersion, Which};
use super::db::{Db, Row, micros, params};
use super::writer::Tx;
use super::{deliveries, instances};
use crate::domain::timestamp;
use crate::gateway::audit::entry::{Facts, Kind};
use crate::gateway::auth::Role;
use jiff::Timestamp;

/// How many tokens a tenant may have, those that are revoked included.
const MOST: i64 = 10_000;

const COLUMNS: &str =
    "id, tenant, name, role, hash, created_at, created_by, expires_at, revoked_at, revoked_by";

/// Stores one.
pub(super) fn create(tx: &mut Tx<'_>, new: &NewToken) -> Result<Made, StoreError> {
    let alike = tx.db.first(
        "SELECT name FROM token WHERE tenant = :tenant AND lower(name) = :lower AND name <> :name LIMIT 1",
        params! {":tenant": &new.tenant, ":name": &new.name, ":lower": &new.name.to_ascii_lowercase()},
    )?;
    if let Some(mut other) = alike {
        return Ok(Made::Alike(other.take("name")?));
    }
    // Instances have a bound of their own: however many a provisioner makes, people get in.
    let count: i64 = tx.db.cell(
        "SELECT count(*) FROM token WHERE tenant = :tenant AND name NOT LIKE '%/%'",
        params! {":tenant": &new.tenant},
    )?;
    if count >= MOST {
        return Ok(Made::TooMany);
    }
    insert(tx, new).map(Made::Done)
}

/// Stores one whose name has been looked at.
pub(super) fn insert(tx: &mut Tx<'_>, new: &NewToken) -> Result<TokenRow, StoreError> {
    let expires_at = new.lifetime.map(|span| tx.now.checked_add(span).unwrap_or(Timestamp::MAX));
    let sql = format!(
        "INSERT INTO token (tenant, name, role, hash, created_at, created_by, expires_at)
         VALUES (:tenant, :name, :role, :hash, :at, :by, :expires_at) RETURNING {COLUMNS}"
    );
    let row = tx.db.first(
        &sql,
        params! {
            ":tenant": &new.tenant, ":name": &new.name, ":role": new.role.word(), ":hash": &new.hash,
            ":at": micros(tx.now), ":by": &new.by, ":expires_at": expires_at.map(micros),
        },
    )?;
    let row = row.ok_or_else(|| StoreError::Database("a token that was stored is not there".into()))?;
    let (_, row) = token(row)?;
    let facts = told(&row).maybe("expires_at", row.expires_at.map(timestamp::format).as_deref());
    tx.audit(Kind::TokenCreated, &row.tenant, &new.by, None, facts)?;
    Ok(row)
}

/// Revokes, and gives what was meant, with what was revoked already as it was.
pub(super) fn revoke(tx: &mut Tx<'_>, which: &Which, by: &str) -> Result<Vec<TokenRow>, StoreError> {
    let meant = match which {
        Which::Id(None, id) => {
            tx.db.query(&format!("SELECT {COLUMNS} FROM token WHERE id = :id"), params! {":id": *id})?
        }
        Which::Id(Some(tenant), id) => tx.db.query(
            &format!("SELECT {COLUMNS} FROM token WHERE id = :id AND tenant = :tenant"),
            params! {":id": *id, ":tenant": tenant},
        )?,
        Which::Name(tenant, name) => tx.db.query(
            &format!("SELECT {COLUMNS} FROM token WHERE tenant = :tenant AND name = :name ORDER BY id"),
            params! {":tenant": tenant, ":name": name},
        )?,
    };
    let mut revoke = |row: Row| {
        let (_, mut row) = token(row)?;
        if row.revoked.is_none() {
            let at = tx.now.max(row.created_at);
            tx.db.execute(
                "UPDATE token SET revoked_at = :at, revoked_by = :by WHERE id = :id AND revoked_at IS NULL",
                params! {":at": micros(at), ":by": by, ":id": row.id},
            )?;
            row.revoked = Some((at, by.to_owned()));
            tx.audit(Kind::TokenRevoked, &row.tenant, by, None, told(&row))?;
            deliveries::revoked(tx, row.id)?;
            if row.role == Role::Provisioner {
                instances::maker_revoked(tx, &row.tenant, &row.name, by)?;
            }
        }
        Ok(row)
    };
    meant.into_iter().map(&mut revoke).collect()
}

/// Whether that one is neither revoked nor past its time.
pub(super) fn stands(tx: &Tx<'_>, id: i64) -> Result<bool, StoreError> {
    let good: i64 = tx.db.cell(
        "SELECT count(*) FROM token
         WHERE id = :id AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now)",
        params! {":id": id, ":now": micros(tx.now)},
    )?;
    Ok(good > 0)
}

/// What the audit log says of one: never the token, nor its hash.
fn told(row: &TokenRow) -> Facts {
    Facts::default().number("token", row.id).text("name", &row.name).text("role", row.role.word())
}

/// Every token with its hash, of one tenant or of all, in the order of making. One of a role that this program does not know,
/// because a newer one has made it, is good for nothing here, and must not keep the others from being read: what is revoked
/// after it would stay good.
pub(super) fn all(db: &dyn Db, tenant: Option<&str>) -> Result<Vec<(String, TokenRow)>, StoreError> {
    let roles = Role::ALL.map(|role| format!("'{}'", role.word())).join(", ");
    let rows = match tenant {
        None => db.query(&format!("SELECT {COLUMNS} FROM token WHERE role IN ({roles}) ORDER BY id"), &[])?,
        Some(tenant) => db.query(
            &format!("SELECT {COLUMNS} FROM token WHERE tenant = :tenant AND role IN ({roles}) ORDER BY id"),
            params! {":tenant": tenant},
        )?,
    };
    rows.into_iter().map(token).collect()
}

/// Changes whenever a token is made or revoked.
pub(super) fn version(db: &dyn Db) -> Result<TokensVersion, StoreError> {
    let row = db.first(
        "SELECT coalesce(max(id), 0) AS made, (SELECT count(*) FROM token WHERE revoked_at IS NOT NULL) AS revoked
         FROM token",
        &[],
    )?;
    let mut row = row.ok_or_else(|| StoreError::Database("a count gave no row".into()))?;
    Ok(TokensVersion(row.take("made")?, row.take("revoked")?))
}

fn token(mut row: Row) -> Result<(String, TokenRow), StoreError> {
    let revoked = match row.optional_time("revoked_at")? {
        None => None,
        Some(at) => Some((at, row.take::<Option<String>>("revoked_by")?.unwrap_or_default())),
    };
    let token = TokenRow {
        id: row.take("id")?,
        tenant: row.take("tenant")?,
        name: row.take("name")?,
        role: row.word("role", Role::parse)?,
        created_at: row.time("created_at")?,
        created_by: row.take("created_by")?,
        expires_at: row.optional_time("expires_at")?,
        revoked,
    };
    Ok((row.take("hash")?, token))
}
