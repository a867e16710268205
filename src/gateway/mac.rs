//! HMAC-SHA256, for the two things here that need one: the signatures of webhooks, and the credentials of instances.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Over the parts, one behind the other; `None` where the key cannot be one, which no key is known to do.
pub(crate) fn mac(key: &[u8], parts: &[&str]) -> Option<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part.as_bytes());
    }
    Some(mac.finalize().into_bytes().into())
}
