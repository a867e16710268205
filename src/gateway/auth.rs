//! Who calls: credentials, roles, and the answer to somebody who has none.
//!
//! Only hashes are kept, and every one of them is compared, in constant time. Loopback is no exception: any process and
//! any web page can reach it.

use super::answer::Refusal;
use axum::http::{HeaderMap, StatusCode, header};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

/// What a credential may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Asks, waits, consumes and withdraws its own.
    Agent,
    /// Lists and decides.
    Reviewer,
}

impl Role {
    fn word(self) -> &'static str {
        match self {
            Self::Agent => "an agent's",
            Self::Reviewer => "a reviewer's",
        }
    }
}

/// Whom a credential stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The name that goes on record.
    pub(crate) name: Arc<str>,
    pub(crate) tenant: Arc<str>,
    pub(crate) role: Role,
}

/// Every credential that is known, as its hash.
#[derive(Default)]
pub(crate) struct Credentials {
    known: RwLock<Vec<([u8; 32], Caller)>>,
}

impl Credentials {
    /// Takes a credential in.
    pub(crate) fn add(&self, token: &SecretString, role: Role, name: &str, tenant: &Arc<str>) {
        let caller = Caller { name: name.into(), tenant: Arc::clone(tenant), role };
        self.known
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push((hash(token.expose_secret()), caller));
    }

    /// The caller, who must have that role: 401 without a credential that is known, 403 with another role's.
    pub(crate) fn authorize(&self, headers: &HeaderMap, role: Role) -> Result<Caller, Refusal> {
        let caller = self.caller(bearer(headers)?).ok_or_else(|| {
            Refusal::unauthenticated("this gateway does not know the credential; look for its token files")
        })?;
        if caller.role == role {
            return Ok(caller);
        }
        let detail = format!("this call needs {} credential, not {}", role.word(), caller.role.word());
        Err(Refusal::new(StatusCode::FORBIDDEN, "wrong_role", detail))
    }

    /// Whose call this is, where its credential is known.
    pub(crate) fn who(&self, headers: &HeaderMap) -> Option<Caller> {
        bearer(headers).ok().and_then(|token| self.caller(token))
    }

    /// The names of the agents' credentials of a tenant.
    pub(crate) fn agents(&self, tenant: &str) -> Vec<String> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let ours = |caller: &&Caller| caller.role == Role::Agent && *caller.tenant == *tenant;
        known.iter().map(|(_, caller)| caller).filter(ours).map(|caller| caller.name.to_string()).collect()
    }

    fn caller(&self, token: &str) -> Option<Caller> {
        let presented = hash(token);
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut found = 0_u64;
        for (place, (stored, _)) in (1_u64..).zip(known.iter()) {
            let equal: Choice = presented.ct_eq(stored);
            found.conditional_assign(&place, equal);
        }
        let place = usize::try_from(found).ok()?.checked_sub(1)?;
        known.get(place).map(|(_, caller)| caller.clone())
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Whether the call brings an `Authorization` at all.
pub(crate) fn has_authorization(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION)
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

/// A fresh token: 256 random bits in hex.
pub(crate) fn fresh_token() -> Result<SecretString, getrandom::Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)?;
    Ok(hex(bytes))
}

/// Makes tokens for this process alone: each is the hash of a random secret, drawn at the start, and a number. So
/// making one cannot fail, and none can be told from the others.
pub(crate) struct Mint {
    secret: SecretString,
    made: AtomicU64,
}

impl Mint {
    /// Draws the secret.
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        Ok(Self { secret: fresh_token()?, made: AtomicU64::new(0) })
    }

    /// Another token.
    pub(crate) fn token(&self) -> SecretString {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        hex(hash(&format!("{}:{number}", self.secret.expose_secret())))
    }
}

fn hex(bytes: [u8; 32]) -> SecretString {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (header::AUTHORIZATION, value.parse().unwrap())).collect()
    }

    #[test]
    fn only_a_known_bearer_of_the_right_role_comes_in() {
        let (credentials, tenant) = (Credentials::default(), Arc::from("default"));
        let (agent, reviewer) = (fresh_token().unwrap(), fresh_token().unwrap());
        credentials.add(&agent, Role::Agent, "bot", &tenant);
        credentials.add(&reviewer, Role::Reviewer, "dana", &tenant);
        let status = |values: &[&str], role| {
            credentials
                .authorize(&headers(values), role)
                .map(|caller| caller.name)
                .map_err(|no| no.status.as_u16())
        };
        let (agent, reviewer) = (agent.expose_secret(), reviewer.expose_secret());
        let with = |token: &str| format!("Bearer {token}");
        assert_eq!(status(&[&with(reviewer)], Role::Reviewer), Ok("dana".into()));
        assert_eq!(status(&[&format!("bearer {agent}")], Role::Agent), Ok("bot".into()));
        assert_eq!(status(&[&with(agent)], Role::Reviewer), Err(403));
        assert_eq!(status(&[&with(reviewer)], Role::Agent), Err(403));
        let wrong = [
            String::new(),
            "Bearer".into(),
            with(""),
            with("x"),
            format!("Basic {agent}"),
            with(&agent[1..]),
        ];
        for value in &wrong {
            assert_eq!(status(&[value], Role::Agent), Err(401), "{value}");
        }
        assert_eq!(status(&[], Role::Agent), Err(401));
        assert_eq!(status(&[&with(agent), &with(agent)], Role::Agent), Err(401));
        let mint = Mint::new().unwrap();
        let minted = [mint.token(), mint.token()];
        let tokens = [agent, reviewer, minted[0].expose_secret(), minted[1].expose_secret()];
        assert_eq!(tokens.iter().collect::<std::collections::HashSet<_>>().len(), 4);
        assert!(tokens.iter().all(|token| token.len() == 64));
    }
}
