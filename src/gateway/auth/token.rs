//! How tokens are made, and the hash that is all that is kept of one.

use super::Role;
use crate::gateway::mac::mac;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use std::sync::atomic::{AtomicU64, Ordering};

/// SHA-256 of a token.
pub(super) type Hash = [u8; 32];

/// What is kept of a token.
pub(super) fn hash(token: &str) -> Hash {
    Sha256::digest(token.as_bytes()).into()
}

/// What is stored of a token: its hash in hex.
pub(crate) fn stored(token: &SecretString) -> String {
    hex(hash(token.expose_secret()))
}

/// What every token of the database begins with, so that who looks for leaked secrets finds one: `aegis_`, its role, `_`,
/// and 64 hex digits.
const PREFIX: &str = "aegis_";

/// What stands before the id of an instance where its credential is derived.
const INSTANCE: &str = "aegis-console/instance-credential/v1:";

/// A fresh token for the database: 256 random bits, and what shows that it is one.
pub(crate) fn named_token(role: Role) -> Result<SecretString, getrandom::Error> {
    let random = fresh_token()?;
    Ok(format!("{PREFIX}{}_{}", role.word(), random.expose_secret()).into())
}

/// The credential of an instance: derived from the token of whoever makes it and from its id. So it can be given again to
/// whoever brings that token again, and is kept nowhere.
///
/// The key is a hash of the token that is made for this alone, never the token itself: HMAC hashes a key longer than 64
/// bytes, as a provisioner's token is, so its plain SHA-256 would do in its place, and that is in the database. As it is, who
/// has the database can compute no credential.
pub(super) fn derived(maker: &str, instance: &str) -> Option<SecretString> {
    let key: Hash =
        Sha256::new().chain_update("aegis-console/instance-maker/v1:").chain_update(maker).finalize().into();
    let bytes = mac(&key, &[INSTANCE, instance])?;
    Some(format!("{PREFIX}{}_{}", Role::Agent.word(), hex(bytes)).into())
}

/// Whether it looks like a token of the database.
pub(super) fn is_named(token: &str) -> bool {
    let digits = token.strip_prefix(PREFIX).and_then(|rest| {
        let (role, digits) = rest.split_once('_')?;
        Role::parse(role).map(|_| digits)
    });
    digits.is_some_and(|digits| {
        digits.len() == 64 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// A fresh token: 256 random bits in hex.
pub(crate) fn fresh_token() -> Result<SecretString, getrandom::Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)?;
    Ok(hex(bytes).into())
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
        hex(hash(&format!("{}:{number}", self.secret.expose_secret()))).into()
    }
}

/// In lower case.
pub(super) fn hex(bytes: Hash) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tokens_are_alike() {
        let mint = Mint::new().unwrap();
        let tokens = [fresh_token().unwrap(), fresh_token().unwrap(), mint.token(), mint.token()];
        let tokens: std::collections::HashSet<_> =
            tokens.iter().map(secrecy::ExposeSecret::expose_secret).collect();
        assert_eq!(tokens.len(), 4);
        assert!(tokens.iter().all(|token| token.len() == 64));
    }

    #[test]
    fn an_instances_token_is_its_makers_and_its_own() {
        let of = |maker, id| derived(maker, id).unwrap().expose_secret().to_owned();
        assert!(is_named(&of("m", "1")));
        assert_eq!(of("m", "1"), of("m", "1"));
        assert_ne!(of("m", "1"), of("m", "2"));
        assert_ne!(of("m", "1"), of("n", "1"));
        assert_ne!(of(&"m".repeat(200), "1"), of(&"m".repeat(201), "1"));
    }

    #[test]
    fn what_the_database_has_of_a_maker_gives_no_credential() {
        let maker = named_token(Role::Provisioner).unwrap();
        let given = derived(maker.expose_secret(), "1").unwrap();
        let stored = hash(maker.expose_secret());
        let in_hex = super::stored(&maker);
        for key in [&stored[..], in_hex.as_bytes(), maker.expose_secret().as_bytes()] {
            let computed = hex(mac(key, &[INSTANCE, "1"]).unwrap());
            assert!(!given.expose_secret().ends_with(&computed));
        }
    }

    #[test]
    fn a_token_of_the_database_is_known_by_its_looks() {
        for role in Role::ALL {
            let token = named_token(role).unwrap();
            let token = token.expose_secret();
            assert!(token.starts_with(&format!("aegis_{}_", role.word())) && is_named(token), "{token}");
            for other in [&token[1..], &token[..token.len() - 1], &token.to_uppercase(), &format!("{token}0")]
            {
                assert!(!is_named(other), "{other}");
            }
        }
        assert!(!is_named(fresh_token().unwrap().expose_secret()));
        assert!(!is_named(&format!("aegis_root_{}", "0".repeat(64))));
    }
}
