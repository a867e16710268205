//! Tokens as they are stored: whom each stands for and how long. The token itself is kept nowhere, only its hash.

use crate::gateway::auth::Role;
use jiff::Timestamp;
use std::sync::Arc;

/// A token, without what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenRow {
    pub(crate) id: i64,
    pub(crate) tenant: Arc<str>,
    /// The name that goes on record.
    pub(crate) name: Arc<str>,
    pub(crate) role: Role,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: String,
    pub(crate) expires_at: Option<Timestamp>,
    /// When, and by whom.
    pub(crate) revoked: Option<(Timestamp, String)>,
}

/// A token to be stored.
#[derive(Debug, Clone)]
pub(crate) struct NewToken {
    pub(crate) tenant: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) role: Role,
    /// SHA-256 of the token, in hex.
    pub(crate) hash: String,
    /// From its making on.
    pub(crate) lifetime: Option<jiff::SignedDuration>,
    /// Who makes it.
    pub(crate) by: String,
}

/// What became of storing a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Made {
    /// It is stored.
    Done(TokenRow),
    /// Another name on record differs in upper and lower case alone.
    Alike(String),
    /// The tenant has as many as it may.
    TooMany,
}

/// Which tokens are revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Which {
    /// The one with this number, of whatever tenant where none is named.
    Id(Option<Arc<str>>, i64),
    /// All that stand for this name in the tenant.
    Name(Arc<str>, String),
}

/// Changes whenever a token is made or revoked: the last number, and how many are revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokensVersion(pub(crate) i64, pub(crate) i64);
