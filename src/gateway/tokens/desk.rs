//! Tokens for the command line: on the database itself, whether a gateway runs on it or not. A gateway that runs takes in
//! what was changed by itself.

use super::super::audit::keyfile;
use super::super::data::{DataDir, DataError};
use super::super::query::whole;
#[cfg(feature = "postgres")]
use super::super::store::postgres;
use super::super::store::sql::SqlStore;
use super::super::store::{Clock, Store as _, StoreError, Which, sqlite};
use super::super::{Database, ask};
use super::{TokenError, TokenInfo, TokenOrder, make};
use jiff::Timestamp;
use secrecy::SecretString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long a database that somebody else brings to the newest schema is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a database that is busy is asked again.
const TRIES: u32 = 6;

/// The tokens of one database.
pub struct TokenDesk {
    store: SqlStore,
}

impl TokenDesk {
    /// Opens the database, making it where it is not there. The directory is the gateway's own, whatever the database: the key
    /// that signs the audit log is in it.
    ///
    /// # Errors
    /// The directory or the database cannot be used, or a gateway of another version runs on it.
    pub async fn open(database: &Database, data: &Path) -> Result<Self, TokenError> {
        let clock: Clock = Arc::new(Timestamp::now);
        let validity = ask::APPROVAL_VALIDITY;
        let locked = match DataDir::open(data) {
            Ok(locked) => Some(locked),
            // A gateway runs on it, and makes what has to be there.
            Err(DataError::Locked(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let file = data.join("gateway.db");
        if locked.is_none() && matches!(database, Database::Sqlite) {
            wait(&file).await?;
        }
        let key = keyfile::secret(data).map_err(|error| TokenError::Store(error.to_string()))?;
        let key = Arc::new(key);
        let store = match database {
            Database::Sqlite => {
                let store_error = |error: sqlite::OpenError| TokenError::Store(error.to_string());
                if locked.is_some() {
                    sqlite::migrate(&file).map_err(store_error)?;
                }
                sqlite::open(&file, None, clock, validity, key).map_err(store_error)?
            }
            #[cfg(feature = "postgres")]
            Database::Postgres(url) => postgres::open(url, None, clock, validity, key).await?,
            #[cfg(not(feature = "postgres"))]
            Database::Postgres(_) => {
                return Err(TokenError::Store(super::super::without_postgres().to_string()));
            }
        };
        // The database is shared from here on.
        drop(locked);
        Ok(Self { store })
    }

    /// Makes a token. It is given here and never again.
    ///
    /// # Errors
    /// The order is no good, or the database cannot be written.
    pub async fn create(
        &self,
        order: TokenOrder,
        by: String,
    ) -> Result<(SecretString, TokenInfo), TokenError> {
        patiently(async || make(&self.store, order.clone(), by.clone()).await).await?
    }

    /// Every token, of that tenant or of all, in the order of making.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list(&self, tenant: Option<&str>) -> Result<Vec<TokenInfo>, TokenError> {
        let rows = self.store.tokens(tenant.map(Into::into)).await?;
        Ok(rows.iter().map(|(_, row)| TokenInfo::of(row)).collect())
    }

    /// Revokes the token of that number, or all of that name in the tenant (`default` unless named); gives those that were
    /// meant.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn revoke(
        &self,
        tenant: Option<&str>,
        which: &str,
        by: String,
    ) -> Result<Vec<TokenInfo>, TokenError> {
        let which = match whole(which) {
            Some(id) => Which::Id(tenant.map(Into::into), id),
            None => Which::Name(tenant.unwrap_or("default").into(), which.to_owned()),
        };
        let revoke = async || self.store.revoke_tokens(which.clone(), by.clone()).await;
        let rows = patiently(revoke).await?;
        Ok(rows.iter().map(TokenInfo::of).collect())
    }

    /// Closes the database.
    pub async fn close(self) {
        self.store.close().await;
    }
}

/// Tries again where a busy gateway has left no gap for this long: SQLite waits for its turn five seconds at a time.
async fn patiently<T>(work: impl AsyncFn() -> Result<T, StoreError>) -> Result<T, StoreError> {
    for _ in 1..TRIES {
        match work().await {
            Err(StoreError::Database(words)) if words.contains("locked") => {}
            done => return done,
        }
    }
    work().await
}

/// Waits until the database has the schema of this program: a gateway that starts just now makes it.
async fn wait(file: &Path) -> Result<(), TokenError> {
    let until = tokio::time::Instant::now() + PATIENCE;
    while !sqlite::is_current(file) {
        if tokio::time::Instant::now() >= until {
            let detail =
                "the gateway that runs there is of another version; start it again with this one first";
            return Err(TokenError::Store(format!("cannot use {}: {detail}", file.display())));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
