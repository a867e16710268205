//! What a provisioner asks for, checked field by field with errors that name the field.

use super::super::answer::Refusal;
use super::super::body;
use super::super::store::Receiver;
use super::super::webhooks::{self, Target, Webhooks};
use crate::domain::json::{Limits, Member, Value};
use crate::domain::{Digest, Visible};
use serde_json::json;
use uuid::Uuid;

/// Bytes, depth and values of the body at most.
pub(super) const LIMITS: Limits = Limits { bytes: 16 * 1024, depth: 3, values: 16 };
/// The longest name, in bytes.
const NAME: usize = 64;

/// An instance that is asked for.
pub(super) struct Order {
    pub(super) name: Option<String>,
    pub(super) receiver: Option<(Receiver, Target)>,
    /// Of everything that is asked for.
    pub(super) digest: String,
}

impl Order {
    /// Reads and checks.
    pub(super) fn read(bytes: &[u8], webhooks: &Webhooks) -> Result<Self, Refusal> {
        let value = body::value(bytes, LIMITS)?;
        fields("", &value, &["instance_name", "delivery"])?;
        let name = text("", &value, "instance_name")?;
        if name.is_some_and(|name| !is_name(name)) {
            return Err(invalid("instance_name", "1 to 64 of A-Z a-z 0-9 . _ @ -"));
        }
        let receiver = value.get("delivery").map(|delivery| receiver(delivery, webhooks)).transpose()?;
        // The fields, not the bytes: blanks and the order of members are not what is asked for.
        let told = receiver.as_ref().map(|(receiver, _)| {
            use secrecy::ExposeSecret as _;
            json!([receiver.url, receiver.registration_id, receiver.signing_secret.expose_secret()])
        });
        let digest = Digest::of(json!([name, told]).to_string().as_bytes()).to_string();
        Ok(Self { name: name.map(str::to_owned), receiver, digest })
    }
}

fn receiver(value: &Value, webhooks: &Webhooks) -> Result<(Receiver, Target), Refusal> {
    if value.as_object().is_none() {
        return Err(invalid("delivery", "an object"));
    }
    let kind = text("delivery.", value, "type")?.ok_or_else(|| missing("delivery.type"))?;
    if kind != "webhook" {
        let detail = "delivery.type must be webhook: nothing else is delivered by here";
        return Err(Refusal::bad("unsupported_delivery_type", detail));
    }
    fields("delivery.", value, &["type", "url", "registration_id", "signing_secret"])?;
    let needed = |field: &'static str| {
        text("delivery.", value, field)?.ok_or_else(|| missing(&format!("delivery.{field}")))
    };
    let (url, registration, secret) = (needed("url")?, needed("registration_id")?, needed("signing_secret")?);
    let is_uuid = registration.len() == 36 && Uuid::try_parse(registration).is_ok();
    if !is_uuid {
        return Err(invalid("delivery.registration_id", "a UUID"));
    }
    if !webhooks::is_secret(secret) {
        return Err(invalid("delivery.signing_secret", "whsec_ and 32 random bytes in padded base64"));
    }
    let target = webhooks.target(url).map_err(|why| bad_url(&format!("delivery.url {why}")))?;
    let receiver = Receiver {
        url: url.to_owned(),
        host: target.host(),
        registration_id: registration.to_owned(),
        signing_secret: secret.to_owned().into(),
    };
    Ok((receiver, target))
}

/// The URL is none that a webhook may go to.
pub(super) fn bad_url(detail: &str) -> Refusal {
    Refusal::bad("invalid_webhook_url", detail)
}

fn is_name(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'@' | b'-');
    text.len() <= NAME && text.bytes().all(known)
}

fn fields(within: &str, value: &Value, known: &[&str]) -> Result<(), Refusal> {
    let members =
        value.as_object().ok_or_else(|| Refusal::bad("invalid_json", "the body must be a JSON object"))?;
    for Member { name, value, .. } in members {
        let shown = Visible::of(name).cut(64).plain();
        if !known.contains(&name.as_str()) {
            let detail = format!("the field \"{within}{shown}\" is not one of this call");
            return Err(Refusal::bad("unknown_field", detail));
        }
        if value.is_null() {
            return Err(invalid(&format!("{within}{shown}"), "left out, not null"));
        }
    }
    Ok(())
}

fn text<'v>(within: &str, value: &'v Value, field: &str) -> Result<Option<&'v str>, Refusal> {
    let read = |value: &'v Value| value.as_str().filter(|text| !text.is_empty());
    match value.get(field) {
        None => Ok(None),
        Some(value) => read(value)
            .map(Some)
            .ok_or_else(|| invalid(&format!("{within}{field}"), "a string that is not empty")),
    }
}

fn missing(field: &str) -> Refusal {
    Refusal::bad("missing_field", format!("the field {field:?} is missing"))
}

fn invalid(field: &str, expected: &str) -> Refusal {
    Refusal::bad("invalid_field", format!("the field {field:?} must be {expected}"))
}

#[cfg(test)]
mod tests {
    use super::super::super::webhooks::Policy;
    use super::*;

    const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn read(body: &str) -> Result<Order, String> {
        let webhooks = Webhooks::new(Policy::new(true, &[]));
        Order::read(body.as_bytes(), &webhooks).map_err(|refusal| refusal.code().to_owned())
    }

    fn delivery(change: impl FnOnce(&mut serde_json::Value)) -> String {
        let mut delivery = json!({"type": "webhook", "url": "https://a.example/x",
            "registration_id": "8246931c-4ce0-4c15-a94a-e9c078ad06e2", "signing_secret": SECRET});
        change(&mut delivery);
        json!({ "delivery": delivery }).to_string()
    }

    #[test]
    fn what_is_asked_for_is_known_by_its_fields() {
        let digest = |body: &str| read(body).map(|order| order.digest);
        assert_eq!(digest(r#"{"instance_name":"a"}"#), digest(r#" { "instance_name" : "\u0061" } "#));
        assert_ne!(digest(r#"{"instance_name":"a"}"#), digest(r#"{"instance_name":"b"}"#));
        assert_ne!(digest("{}"), digest(r#"{"instance_name":"null"}"#));
        assert_ne!(digest("{}"), digest(&delivery(|_| {})));
        let other = delivery(|delivery| delivery["url"] = "https://a.example/y".into());
        assert_ne!(digest(&other), digest(&delivery(|_| {})));
        let order = read(&delivery(|_| {})).unwrap();
        assert_eq!(order.receiver.unwrap().0.host, "a.example:443");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (body, code) in [
            ("", "invalid_json"),
            ("[]", "invalid_json"),
            (r#"{"x":1}"#, "unknown_field"),
            (r#"{"instance_name":null}"#, "invalid_field"),
            (r#"{"instance_name":""}"#, "invalid_field"),
            (r#"{"instance_name":7}"#, "invalid_field"),
            (r#"{"instance_name":"a/b"}"#, "invalid_field"),
            (r#"{"instance_name":"a b"}"#, "invalid_field"),
            (r#"{"instance_name":"a","instance_name":"a"}"#, "duplicate_key"),
            (r#"{"delivery":null}"#, "invalid_field"),
            (r#"{"delivery":"x"}"#, "invalid_field"),
            (r#"{"delivery":{}}"#, "missing_field"),
            (r#"{"delivery":{"type":"socket"}}"#, "unsupported_delivery_type"),
            (r#"{"delivery":{"type":"webhook"}}"#, "missing_field"),
        ] {
            assert_eq!(read(body).err().as_deref(), Some(code), "{body}");
        }
        let long = json!({"instance_name": "a".repeat(65)}).to_string();
        assert_eq!(read(&long).err().as_deref(), Some("invalid_field"));
        for (field, value, code) in [
            ("url", json!("http://a.example/"), "invalid_webhook_url"),
            ("url", json!("https://10.0.0.1/"), "invalid_webhook_url"),
            ("url", json!(1), "invalid_field"),
            ("registration_id", json!("r-1"), "invalid_field"),
            ("registration_id", json!("8246931c4ce04c15a94ae9c078ad06e2"), "invalid_field"),
            ("signing_secret", json!("whsec_c2hvcnQ="), "invalid_field"),
            ("headers", json!({}), "unknown_field"),
        ] {
            let body = delivery(|delivery| delivery[field] = value.clone());
            assert_eq!(read(&body).err().as_deref(), Some(code), "{field} {value}");
        }
        let huge = format!("{{\"instance_name\":\"{}\"}}", "a".repeat(20_000));
        assert_eq!(read(&huge).err().as_deref(), Some("too_large"));
    }
}
