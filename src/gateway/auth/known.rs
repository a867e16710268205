//! The credentials that are known, and finding the caller of a call among them.
//!
//! Only hashes are kept. The process's own are few, and every one of them is compared, in constant time.

use super::token::{Hash, hash};
use super::{Caller, Identity, Role, bearer};
use crate::gateway::answer::Refusal;
use axum::http::HeaderMap;
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::{Arc, PoisonError, RwLock};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

/// Every credential that is known, as its hash.
#[derive(Default)]
pub(crate) struct Credentials {
    known: RwLock<Vec<(Hash, Caller)>>,
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

    /// Who calls: nobody without a credential that is known.
    pub(crate) fn identify(&self, headers: &HeaderMap) -> Identity {
        Identity(bearer(headers).and_then(|token| {
            self.caller(token).ok_or_else(|| {
                Refusal::unauthenticated(
                    "this gateway does not know the credential; look for its token files",
                )
            })
        }))
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

#[cfg(test)]
mod tests {
    use super::super::fresh_token;
    use super::*;
    use axum::http::header;

    #[test]
    fn only_a_known_bearer_is_somebody() {
        let (credentials, tenant) = (Credentials::default(), Arc::from("default"));
        let (agent, reviewer) = (fresh_token().unwrap(), fresh_token().unwrap());
        credentials.add(&agent, Role::Agent, "bot", &tenant);
        credentials.add(&reviewer, Role::Reviewer, "dana", &tenant);
        let who = |values: &[&str]| {
            let headers =
                values.iter().map(|value| (header::AUTHORIZATION, value.parse().unwrap())).collect();
            let identity = credentials.identify(&headers);
            identity.0.map(|caller| (caller.name, caller.role)).map_err(|no| no.status.as_u16())
        };
        let (agent, reviewer) = (agent.expose_secret(), reviewer.expose_secret());
        let with = |token: &str| format!("Bearer {token}");
        assert_eq!(who(&[&with(reviewer)]), Ok(("dana".into(), Role::Reviewer)));
        assert_eq!(who(&[&format!("bearer {agent}")]), Ok(("bot".into(), Role::Agent)));
        let wrong = [
            String::new(),
            "Bearer".into(),
            with(""),
            with("x"),
            format!("Basic {agent}"),
            with(&agent[1..]),
        ];
        for value in &wrong {
            assert_eq!(who(&[value]), Err(401), "{value}");
        }
        assert_eq!(who(&[]), Err(401));
        assert_eq!(who(&[&with(agent), &with(agent)]), Err(401));
    }
}
