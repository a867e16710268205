//! The signature of a webhook: Standard Webhooks, symmetric (`v1`). Reads the secret and hands it on to nobody.

use crate::gateway::mac::mac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

/// What every secret begins with.
const PREFIX: &str = "whsec_";
/// How many bytes a secret of AAP has.
const BYTES: usize = 32;

/// The key in a secret: what stands behind `whsec_`, in padded base64.
fn key(secret: &str) -> Option<Vec<u8>> {
    STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()
}

/// Whether it is a secret as AAP has them.
pub(crate) fn is_secret(text: &str) -> bool {
    key(text).is_some_and(|key| key.len() == BYTES)
}

/// The header `webhook-signature` for a try at that time, in seconds since 1970; `None` for what is no secret.
pub(super) fn signature(secret: &SecretString, id: &str, at: i64, body: &str) -> Option<String> {
    let key = key(secret.expose_secret())?;
    let digest = mac(&key, &[id, ".", &at.to_string(), ".", body])?;
    Some(format!("v1,{}", STANDARD.encode(digest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_standard_webhooks_publishes() {
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signed = |body| signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        let published = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signed(r#"{"test": 2432232314}"#).as_deref(), Some(published));
        assert_ne!(signed(r#"{"test":2432232314}"#).as_deref(), Some(published));
    }

    #[test]
    fn it_is_what_the_protocols_specification_publishes() {
        let secret = SecretString::from("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        assert!(is_secret(secret.expose_secret()));
        let id = "f4b96ac4-404d-4f6a-9a03-a0565edc4922";
        let body = r#"{
  "id": "f4b96ac4-404d-4f6a-9a03-a0565edc4922",
  "type": "request.resolved",
  "instance_id": "b29a43a7-1949-4b9f-9d61-b7ae66f85d31",
  "request_id": "7ab8c8ec-7b2d-4fd6-9b52-752f9515eb71",
  "created_at": "2026-09-16T12:02:00Z"
}"#;
        let published = "v1,zgT2qt+QiEEonu9tmZqEuKzoa83SGE9ZcCgUHzqSPZ8=";
        assert_eq!(signature(&secret, id, 1_789_560_121, body).as_deref(), Some(published));
        assert_ne!(
            signature(&secret, id, 1_789_560_122, body).as_deref(),
            Some(published),
            "each try has its own"
        );
    }

    #[test]
    fn a_secret_has_32_bytes_in_padded_base64() {
        for no in [
            "",
            "whsec_",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
            "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_-_ECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        ] {
            assert!(!is_secret(no), "{no}");
            assert_eq!(signature(&"nothing".into(), "i", 0, "b"), None);
        }
    }
}
