//! The keys of checkpoints, and their text forms: those of the Go package `note`. No files, no notes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// The byte that says Ed25519 in keys and in the hash of a key.
const ED25519: u8 = 1;

/// A key that signs. Its text form is that of the Go package `note`; it is secret.
pub struct SecretKey {
    name: String,
    key: SigningKey,
}

impl SecretKey {
    /// The key of that name.
    pub fn new(name: &str, seed: &[u8; 32]) -> Option<Self> {
        is_name(name).then(|| Self { name: name.to_owned(), key: SigningKey::from_bytes(seed) })
    }

    /// Reads `PRIVATE+KEY+name+hash+base64`.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, id, bytes) = fields(text.strip_prefix("PRIVATE+KEY+")?)?;
        let secret = Self::new(name, &bytes)?;
        (secret.public().id() == id).then_some(secret)
    }

    /// The text form. It must go nowhere but into the key file.
    pub(super) fn reveal(&self) -> String {
        let bytes = [&[ED25519], self.key.as_bytes().as_slice()].concat();
        format!("PRIVATE+KEY+{}+{}+{}", self.name, hex(self.public().id()), STANDARD.encode(bytes))
    }

    /// The key that checks its signatures.
    pub fn public(&self) -> PublicKey {
        PublicKey { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// Signs a text. The bytes are the hash of the key and the signature, as a note has them.
    pub(super) fn sign(&self, text: &str) -> Vec<u8> {
        [self.public().id().as_slice(), self.key.sign(text.as_bytes()).to_bytes().as_slice()].concat()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.name)
    }
}

/// A key that checks: `name+hash+base64`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    key: VerifyingKey,
}

impl PublicKey {
    /// Reads the text form.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, id, bytes) = fields(text)?;
        let key = VerifyingKey::from_bytes(&bytes).ok().filter(|key| !key.is_weak())?;
        let public = Self { name: name.to_owned(), key };
        (public.id() == id).then_some(public)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the signature is this key's, over that text. The strict check: no signature has a second form, and no key
    /// is one that signs everything.
    pub(super) fn holds(&self, text: &str, signature: &[u8; 64]) -> bool {
        self.key.verify_strict(text.as_bytes(), &Signature::from_bytes(signature)).is_ok()
    }

    /// The hash by which a signature names the key.
    pub(super) fn id(&self) -> [u8; 4] {
        let hash = Sha256::new().chain_update(&self.name).chain_update([b'\n', ED25519]);
        let hash: [u8; 32] = hash.chain_update(self.key.as_bytes()).finalize().into();
        [hash[0], hash[1], hash[2], hash[3]]
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&[ED25519], self.key.as_bytes().as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, hex(self.id()), STANDARD.encode(bytes))
    }
}

/// Names of keys: no blanks, no plus.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_graphic() && c != '+')
}

/// `name+hash+base64` of a key.
fn fields(text: &str) -> Option<(&str, [u8; 4], [u8; 32])> {
    let mut fields = text.trim_end().splitn(3, '+');
    let (name, id, bytes) = (fields.next()?, fields.next()?, fields.next()?);
    let id = u32::from_str_radix(id, 16).ok().filter(|number| format!("{number:08x}") == id)?;
    let bytes = STANDARD.decode(bytes).ok()?;
    let (kind, key) = bytes.split_first()?;
    (is_name(name) && *kind == ED25519).then_some((name, id.to_be_bytes(), key.try_into().ok()?))
}

/// The hash of a key as texts have it.
pub(super) fn hex(id: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(id))
}
