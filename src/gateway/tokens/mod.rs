//! Tokens that people and agents come in with: what one may be, how one is made, and what is told of one. Over HTTP:
//! `http`; for the command line, whether a gateway runs or not: `desk`.

mod desk;
pub(crate) mod http;

use super::auth::{self, Role};
use super::data::DataError;
use super::store::{Made, NewToken, Store, StoreError, TokenRow};
use crate::domain::action::is_id;
use crate::domain::timestamp;
pub use desk::TokenDesk;
use jiff::SignedDuration;
use secrecy::SecretString;
use serde::Serialize;

/// The longest name, in bytes.
const NAME: usize = 64;
/// The longest life in days: ten years.
const LONGEST: u64 = 3653;

/// A token to be made.
#[derive(Debug, Clone)]
pub struct TokenOrder {
    /// The tenant that it belongs to.
    pub tenant: String,
    /// The name that goes on record.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// How long it is good, like `90d`; without one, until it is revoked.
    pub expires_in: Option<String>,
}

/// What is told of a token: never the token, nor its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenInfo {
    /// Its number, by which it is revoked.
    pub id: i64,
    /// The name that goes on record.
    pub name: String,
    /// `agent`, `reviewer`, `auditor`, `admin` or `provisioner`.
    pub role: &'static str,
    /// The tenant that it belongs to.
    pub tenant: String,
    /// When it was made.
    pub created_at: String,
    /// By whom: the name of an admin's token, or the user of a command line.
    pub created_by: String,
    /// Until when it is good.
    pub expires_at: Option<String>,
    /// Since when it is not.
    pub revoked_at: Option<String>,
    /// Who saw to that.
    pub revoked_by: Option<String>,
}

/// Why a token could not be made, told or revoked. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// No name.
    #[error("a name is 1 to 64 of A-Z a-z 0-9 . _ @ - and not digits alone")]
    Name,
    /// No tenant.
    #[error("a tenant is 1 to 128 of A-Z a-z 0-9 . _ : -")]
    Tenant,
    /// No length of time, or too long a one.
    #[error("how long a token is good is given like 12h or 90d, from 1s to 3653d")]
    Lifetime,
    /// Another name on record differs in upper and lower case alone.
    #[error(
        "the name {0} is on record: one that differs from it in upper and lower case alone would be taken for it"
    )]
    Alike(String),
    /// The tenant has as many as it may.
    #[error("this tenant has 10000 tokens, those that are revoked included, and no more are made")]
    TooMany,
    /// The system gives no random numbers.
    #[error("the system gives no random numbers for a token: {0}")]
    Random(getrandom::Error),
    /// The directory cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The database cannot be used.
    #[error("{0}")]
    Store(String),
}

impl From<StoreError> for TokenError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.to_string())
    }
}

/// Makes a token and stores its hash. The token is given here, once.
async fn make(
    store: &dyn Store,
    order: TokenOrder,
    by: String,
) -> Result<Result<(SecretString, TokenInfo), TokenError>, StoreError> {
    let checked = match new(&order, by) {
        Ok(checked) => checked,
        Err(error) => return Ok(Err(error)),
    };
    let (token, new) = checked;
    Ok(match store.create_token(new).await? {
        Made::Done(row) => Ok((token, TokenInfo::of(&row))),
        Made::Alike(name) => Err(TokenError::Alike(name)),
        Made::TooMany => Err(TokenError::TooMany),
    })
}

fn new(order: &TokenOrder, by: String) -> Result<(SecretString, NewToken), TokenError> {
    if !is_name(&order.name) {
        return Err(TokenError::Name);
    }
    if !is_id(&order.tenant) {
        return Err(TokenError::Tenant);
    }
    let lifetime = order.expires_in.as_deref().map(lifetime).transpose()?;
    let token = auth::named_token(order.role).map_err(TokenError::Random)?;
    let (tenant, name) = (order.tenant.as_str().into(), order.name.as_str().into());
    let hash = auth::stored(&token);
    Ok((token, NewToken { tenant, name, role: order.role, hash, lifetime, by }))
}

/// Digits alone would be taken for a token's number.
fn is_name(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'@' | b'-');
    (1..=NAME).contains(&text.len())
        && text.bytes().all(known)
        && !text.bytes().all(|byte| byte.is_ascii_digit())
}

fn lifetime(text: &str) -> Result<SignedDuration, TokenError> {
    let span = timestamp::span(text).map(|span| span.as_secs());
    let span = span.filter(|seconds| (1..=LONGEST * 24 * 60 * 60).contains(seconds));
    let seconds = span.and_then(|seconds| i64::try_from(seconds).ok()).ok_or(TokenError::Lifetime)?;
    Ok(SignedDuration::from_secs(seconds))
}

impl TokenInfo {
    fn of(row: &TokenRow) -> Self {
        let (revoked_at, revoked_by) = row.revoked.clone().unzip();
        Self {
            id: row.id,
            name: row.name.to_string(),
            role: row.role.word(),
            tenant: row.tenant.to_string(),
            created_at: timestamp::format(row.created_at),
            created_by: row.created_by.clone(),
            expires_at: row.expires_at.map(timestamp::format),
            revoked_at: revoked_at.map(timestamp::format),
            revoked_by,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_no_numbers() {
        for name in ["alice", "A", "bob@example.com", "ci-bot.2", "_", "7a", &"a".repeat(64)] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "7", "0042", "a b", "rule:x", "tenant:acme", "é", "a/b", "a\n", &"a".repeat(65)] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn a_lifetime_is_at_least_a_second_and_at_most_ten_years() {
        assert_eq!(lifetime("90d").unwrap(), SignedDuration::from_hours(90 * 24));
        assert!(lifetime("1s").is_ok() && lifetime("3653d").is_ok());
        for bad in ["", "90", "0s", "3654d", "999999999d", "-1d", "1y", "1 d", "1d "] {
            assert!(lifetime(bad).is_err(), "{bad}");
        }
    }
}
