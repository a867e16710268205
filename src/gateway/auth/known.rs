//! The credentials that are known, and finding the caller of a call among them.
//!
//! Only hashes are kept. The process's own are few, and every one of them is compared, in constant time. Those of the
//! database are read again where it says that they have changed: it is asked four times a second, and at once where a token
//! is presented that nobody knows, so that a new one is good at once. That second way is bounded; where the bound is used up,
//! the first way is left, and a new token is good a quarter of a second later.

use super::attempts::{Attempts, Bucket, Rate};
use super::named::{Lapsed, Named};
use super::token::{Hash, hash, is_named};
use super::{Caller, Identity, Role, bearer};
use crate::domain::timestamp;
use crate::gateway::answer::Refusal;
use crate::gateway::store::{Clock, Store, StoreError, TokensVersion};
use axum::http::{HeaderMap, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use tokio::sync::watch;

/// How many unknown tokens the database is asked about at once, and how many more each second.
const LOOKS: Rate = Rate { most: 20.0, per_second: 10.0 };
/// The longest sleep in one piece until a token expires: a clock may be set.
const NAP: Duration = Duration::from_secs(30);

/// Every credential that is known.
pub(crate) struct Credentials {
    clock: Clock,
    own: RwLock<Vec<(Hash, Caller)>>,
    named: RwLock<Arc<Named>>,
    /// Of what was read last. Held while it is read.
    version: tokio::sync::Mutex<Option<TokensVersion>>,
    /// Told whenever they have changed.
    changed: watch::Sender<()>,
    looks: Mutex<Bucket>,
    attempts: Attempts,
}

impl Credentials {
    /// None yet.
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            own: RwLock::default(),
            named: RwLock::default(),
            version: tokio::sync::Mutex::default(),
            changed: watch::Sender::new(()),
            looks: Mutex::new(Bucket::full(LOOKS, Instant::now())),
            attempts: Attempts::default(),
        }
    }

    /// Takes a credential of this process in.
    pub(crate) fn add(&self, token: &SecretString, role: Role, name: &str, tenant: &Arc<str>) {
        let caller = Caller { name: name.into(), tenant: Arc::clone(tenant), role, held: None };
        self.own.write().unwrap_or_else(PoisonError::into_inner).push((hash(token.expose_secret()), caller));
    }

    /// Who calls: nobody without a credential that is known and good. In process there is no peer.
    pub(crate) async fn identify(
        &self,
        headers: &HeaderMap,
        peer: Option<IpAddr>,
        store: &dyn Store,
    ) -> Identity {
        let token = match bearer(headers) {
            Ok(token) => token,
            Err(refusal) => return Identity(Err(refusal)),
        };
        let presented = hash(token);
        if let Some(caller) = self.own(&presented) {
            return Identity(Ok(caller));
        }
        let mut found = self.named().caller(&presented, (self.clock)());
        if found.is_none() && is_named(token) && self.may_look() {
            if let Err(error) = self.refresh(store).await {
                tracing::warn!(%error, "the tokens could not be read again");
            }
            found = self.named().caller(&presented, (self.clock)());
        }
        Identity(match found {
            Some(Ok(caller)) => Ok(caller),
            Some(Err(lapsed)) => Err(refusal(lapsed)),
            None => Err(self.unknown(peer)),
        })
    }

    /// What somebody is told whose credential nobody knows.
    fn unknown(&self, peer: Option<IpAddr>) -> Refusal {
        if peer.is_none_or(|peer| self.attempts.failed(peer, Instant::now())) {
            return Refusal::unauthenticated("this gateway does not know the credential");
        }
        let detail =
            "too many calls from there with credentials that nobody knows; those that are known are let in";
        Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too_many_failures", detail).retry_after(1)
    }

    /// Reads the tokens of the database again where they have changed.
    pub(crate) async fn refresh(&self, store: &dyn Store) -> Result<(), StoreError> {
        let mut known = self.version.lock().await;
        // Before the rows: where they change in between, they are read once more.
        let version = store.tokens_version().await?;
        if *known == Some(version) {
            return Ok(());
        }
        let named = Named::of(store.tokens(None).await?);
        *self.named.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(named);
        *known = Some(version);
        self.changed.send_replace(());
        Ok(())
    }

    /// Whether the caller's token is good still; that of this process always is.
    pub(crate) fn stands(&self, caller: &Caller) -> Result<(), Refusal> {
        let Some(held) = caller.held else { return Ok(()) };
        self.named().stands(held, (self.clock)()).map_err(refusal)
    }

    /// Ends when the caller's token is revoked or expires, with what they are told.
    pub(crate) async fn ended(&self, caller: &Caller) -> Refusal {
        let Some(held) = caller.held else { return std::future::pending().await };
        let mut changed = self.changed.subscribe();
        loop {
            if let Err(refusal) = self.stands(caller) {
                return refusal;
            }
            let left =
                held.expires_at.map_or(NAP, |until| timestamp::between((self.clock)(), until).min(NAP));
            tokio::select! {
                // Its sender is `self`.
                _ = changed.changed() => {}
                () = tokio::time::sleep(left.max(Duration::from_millis(1))) => {}
            }
        }
    }

    /// The names of the agents' credentials of a tenant that are good now.
    pub(crate) fn agents(&self, tenant: &str) -> Vec<String> {
        let ours = |caller: &&Caller| caller.role == Role::Agent && *caller.tenant == *tenant;
        let name = |caller: &Caller| caller.name.to_string();
        let own = self.own.read().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<_> = own.iter().map(|(_, caller)| caller).filter(ours).map(name).collect();
        names.extend(self.named().callers((self.clock)()).filter(ours).map(name));
        names
    }

    fn named(&self) -> Arc<Named> {
        Arc::clone(&self.named.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn may_look(&self) -> bool {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner).take(LOOKS, Instant::now())
    }

    fn own(&self, presented: &Hash) -> Option<Caller> {
        let known = self.own.read().unwrap_or_else(PoisonError::into_inner);
        let mut found = 0_u64;
        for (place, (stored, _)) in (1_u64..).zip(known.iter()) {
            let equal: Choice = presented.ct_eq(stored);
            found.conditional_assign(&place, equal);
        }
        let place = usize::try_from(found).ok()?.checked_sub(1)?;
        known.get(place).map(|(_, caller)| caller.clone())
    }
}

/// What somebody is told whose token is no good any more. Only who has the token learns that it ever was.
fn refusal(lapsed: Lapsed) -> Refusal {
    match lapsed {
        Lapsed::Expired => Refusal::challenge("token_expired", "this token has expired; ask for a new one"),
        Lapsed::Revoked => Refusal::challenge("token_revoked", "this token has been revoked"),
    }
}
