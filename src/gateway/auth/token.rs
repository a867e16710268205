//! How tokens are made, and the hash that is all that is kept of one.

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use std::sync::atomic::{AtomicU64, Ordering};

/// SHA-256 of a token.
pub(super) type Hash = [u8; 32];

/// What is kept of a token.
pub(super) fn hash(token: &str) -> Hash {
    Sha256::digest(token.as_bytes()).into()
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

fn hex(bytes: Hash) -> String {
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
}
