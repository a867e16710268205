//! Bringing a database to the schema that this program knows, one version after the other, each in a transaction; gateways
//! that start together take turns.

use super::super::StoreError;
use super::text;
use tokio_postgres::Client;

/// What brings a database from version n (its place here) to n + 1.
const MIGRATIONS: [&str; 3] = [
    include_str!("../../../../assets/migrations/postgres/0001_gateway.sql"),
    include_str!("../../../../assets/migrations/postgres/0002_forgetting.sql"),
    include_str!("../../../../assets/migrations/postgres/0003_instances.sql"),
];

/// Runs what has not run yet; gives the version before and the one now.
pub(super) async fn run(client: &mut Client) -> Result<(usize, usize), StoreError> {
    let error = |error| text::of(&error);
    let tx = client.transaction().await.map_err(error)?;
    tx.batch_execute("SELECT pg_advisory_xact_lock(7262147, hashtext(current_schema()))")
        .await
        .map_err(error)?;
    let encoding: String =
        tx.query_one("SHOW server_encoding", &[]).await.and_then(|row| row.try_get(0)).map_err(error)?;
    if encoding != "UTF8" {
        return Err(StoreError::Database(format!(
            "the encoding of the database is {encoding}; create one with UTF8"
        )));
    }
    tx.batch_execute("CREATE TABLE IF NOT EXISTS aegis_console_schema (version BIGINT PRIMARY KEY, at TIMESTAMPTZ NOT NULL DEFAULT now())")
        .await
        .map_err(error)?;
    let row = tx
        .query_one("SELECT coalesce(max(version), 0) FROM aegis_console_schema", &[])
        .await
        .map_err(error)?;
    let found: i64 = row.try_get(0).map_err(error)?;
    let (done, known) = (usize::try_from(found).unwrap_or(usize::MAX), MIGRATIONS.len());
    if done > known {
        return Err(StoreError::Newer { found, known });
    }
    for (step, sql) in MIGRATIONS.iter().enumerate().skip(done) {
        tx.batch_execute(sql).await.map_err(error)?;
        let version = i64::try_from(step + 1).unwrap_or(i64::MAX);
        tx.execute("INSERT INTO aegis_console_schema (version) VALUES ($1)", &[&version])
            .await
            .map_err(error)?;
    }
    tx.commit().await.map_err(error)?;
    Ok((done, known))
}
