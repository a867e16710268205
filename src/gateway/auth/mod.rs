//! Who calls: roles, and the caller of a request as the door has found it. Which route takes whom is in `routes`.
//!
//! Loopback is no exception: any process and any web page can reach it. What is known of credentials is in `known`, the
//! tokens of the database in `named`, how tokens are made in `token`.

mod attempts;
mod keep;
mod known;
mod named;
mod token;

use super::answer::Refusal;
pub(crate) use attempts::{Bucket, Rate};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use jiff::Timestamp;
pub(crate) use keep::keep;
pub(crate) use known::Credentials;
use secrecy::SecretString;
use std::sync::Arc;
pub(crate) use token::{Mint, fresh_token, named_token, stored};

/// What a credential may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Asks, waits, consumes and withdraws its own.
    Agent,
    /// Reads the queue and decides; pauses agents.
    Reviewer,
    /// Reads what a reviewer reads, and the audit log. Changes nothing.
    Auditor,
    /// Reads, pauses agents, makes and revokes tokens. Decides nothing.
    Admin,
    /// Makes instances of agents, each with a credential of its own. Asks nothing, reads nothing, decides nothing.
    Provisioner,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::Agent, Self::Reviewer, Self::Auditor, Self::Admin, Self::Provisioner];

    /// Its word, as it is stored and as commands take it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Reviewer => "reviewer",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
            Self::Provisioner => "provisioner",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }

    /// As a refusal names its credential.
    pub(crate) fn whose(self) -> &'static str {
        match self {
            Self::Agent => "an agent's",
            Self::Reviewer => "a reviewer's",
            Self::Auditor => "an auditor's",
            Self::Admin => "an admin's",
            Self::Provisioner => "a provisioner's",
        }
    }
}

/// Whom a credential stands for. Two credentials of one name in one tenant are one person, whatever their roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The name that goes on record.
    pub(crate) name: Arc<str>,
    pub(crate) tenant: Arc<str>,
    pub(crate) role: Role,
    /// Where it is a token of the database: which, and until when.
    pub(crate) held: Option<Held>,
}

/// A token of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) id: i64,
    pub(crate) expires_at: Option<Timestamp>,
}

/// Who calls, found once for each call, at the door: the caller, or why there is none.
#[derive(Debug, Clone)]
pub(crate) struct Identity(pub(crate) Result<Caller, Refusal>);

impl Identity {
    /// The caller, where the credential is known.
    pub(crate) fn caller(&self) -> Option<&Caller> {
        self.0.as_ref().ok()
    }
}

/// The caller of a call: 401 where there is none.
pub(crate) fn caller(extensions: &Extensions) -> Result<Caller, Refusal> {
    let found = extensions.get::<Identity>().map(|identity| identity.0.clone());
    found.unwrap_or_else(|| Err(Refusal::unauthenticated("nobody has asked who calls")))
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        caller(&parts.extensions)
    }
}

/// Whether the call brings an `Authorization` at all.
pub(crate) fn has_authorization(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION)
}

/// The credential of that instance, from the token of whoever calls.
pub(crate) fn instance_token(headers: &HeaderMap, instance: &str) -> Result<SecretString, Refusal> {
    let derived = token::derived(bearer(headers)?, instance);
    derived.ok_or_else(|| {
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "no credential could be made")
    })
}

/// The token of the one `Authorization: Bearer` header.
fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let missing = || {
        Refusal::unauthenticated(
            "send Authorization: Bearer with the token of this gateway; loopback is no exception",
        )
    };
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or_else(missing)?;
    if values.next().is_some() {
        return Err(Refusal::unauthenticated("more than one Authorization header"));
    }
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(missing)?;
    let token = token.trim();
    if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() { Ok(token) } else { Err(missing()) }
}
