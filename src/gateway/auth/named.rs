//! The tokens of the database as this gateway last read them: found by their hash, with whom they stand for.
//!
//! Found in a map, not by comparing every one: how long that takes can tell about the hash of what was presented, and
//! nothing about a token, because nobody can choose what SHA-256 gives, and 256 random bits are not found by their hash. What
//! was found is compared once more in constant time.

use super::token::{Hash, hex};
use super::{Caller, Held};
use crate::gateway::store::TokenRow;
use jiff::Timestamp;
use std::collections::HashMap;
use subtle::ConstantTimeEq as _;

/// Those tokens.
#[derive(Debug, Default)]
pub(super) struct Named {
    by_hash: HashMap<String, Caller>,
    /// Those that are not revoked.
    live: HashMap<i64, Option<Timestamp>>,
}

/// Why a token is no good any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lapsed {
    Expired,
    Revoked,
}

impl Named {
    /// The rows as the database has them.
    pub(super) fn of(rows: Vec<(String, TokenRow)>) -> Self {
        let mut named = Self::default();
        for (hash, row) in rows {
            if row.revoked.is_none() {
                named.live.insert(row.id, row.expires_at);
            }
            let held = Held { id: row.id, expires_at: row.expires_at };
            let caller = Caller { name: row.name, tenant: row.tenant, role: row.role, held: Some(held) };
            named.by_hash.insert(hash, caller);
        }
        named
    }

    /// Whom the token of that hash stands for now; `None` where there is no such token.
    pub(super) fn caller(&self, presented: &Hash, now: Timestamp) -> Option<Result<Caller, Lapsed>> {
        let presented = hex(*presented);
        let (stored, caller) = self.by_hash.get_key_value(&presented)?;
        if !bool::from(stored.as_bytes().ct_eq(presented.as_bytes())) {
            return None;
        }
        let stands = caller.held.map_or(Ok(()), |held| self.stands(held, now));
        Some(stands.map(|()| caller.clone()))
    }

    /// Whether that token is good now.
    pub(super) fn stands(&self, held: Held, now: Timestamp) -> Result<(), Lapsed> {
        match self.live.get(&held.id) {
            None => Err(Lapsed::Revoked),
            Some(Some(until)) if *until <= now => Err(Lapsed::Expired),
            Some(_) => Ok(()),
        }
    }

    /// Every caller whose token is good now.
    pub(super) fn callers(&self, now: Timestamp) -> impl Iterator<Item = &Caller> {
        self.by_hash
            .values()
            .filter(move |caller| caller.held.is_some_and(|held| self.stands(held, now).is_ok()))
    }
}
