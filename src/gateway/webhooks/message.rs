//! What receivers are told: the challenge before there is an instance, and that a request has ended. Written from what is
//! stored, so that every try says the same.

use super::Challenge;
use crate::domain::json::{self, Limits};
use crate::domain::timestamp;
use crate::gateway::store::Delivery;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// Also the header `webhook-id`.
    pub(super) id: String,
    pub(super) body: String,
}

impl Message {
    /// The question whether a receiver expects this registration, and what it must say to it.
    pub(super) fn challenge(of: &Challenge<'_>, now: Timestamp) -> (Self, String) {
        let (id, challenge) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
        let body = json!({
            "id": id,
            "type": "webhook.verification",
            "registration_id": of.registration_id,
            "instance_id": of.instance_id,
            "created_at": timestamp::format(now),
            "challenge": challenge,
        });
        (Self { id, body: body.to_string() }, challenge)
    }

    /// That a request has ended: not how.
    pub(super) fn resolved(delivery: &Delivery) -> Self {
        let body = json!({
            "id": delivery.id,
            "type": "request.resolved",
            "instance_id": delivery.instance_id,
            "request_id": delivery.action_id,
            "created_at": timestamp::format(delivery.resolved_at),
        });
        Self { id: delivery.id.clone(), body: body.to_string() }
    }
}

/// Whether the answer is `{"challenge": …}` with that challenge, and nothing else.
pub(super) fn is_echo(body: &[u8], challenge: &str) -> bool {
    let limits = Limits { bytes: super::CHALLENGE_BYTES, depth: 2, values: 4 };
    let Ok(answer) = json::parse_unique(body, limits) else { return false };
    match answer.as_object() {
        Some([one]) => one.name == "challenge" && one.value.as_str() == Some(challenge),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_challenge_alone_is_its_echo() {
        assert!(is_echo(br#"{"challenge": "c-1"}"#, "c-1"));
        for no in [
            &br#"{"challenge": "c-2"}"#[..],
            br#"{"challenge": "c-1", "x": 1}"#,
            br#"{"challenge": "c-1", "challenge": "c-1"}"#,
            br#"["c-1"]"#,
            br#""c-1""#,
            br#"{"challenge": ["c-1"]}"#,
            br#"{"challenge": "c-1"} {}"#,
            b"",
            b"ok",
        ] {
            assert!(!is_echo(no, "c-1"), "{}", String::from_utf8_lossy(no));
        }
    }

    #[test]
    fn every_try_says_the_same() {
        let delivery = Delivery {
            id: "f4b96ac4-404d-4f6a-9a03-a0565edc4922".into(),
            tries: 1,
            instance_id: "b29a43a7-1949-4b9f-9d61-b7ae66f85d31".into(),
            action_id: "7ab8c8ec-7b2d-4fd6-9b52-752f9515eb71".into(),
            resolved_at: "2026-09-16T12:02:00Z".parse().unwrap(),
            url: "https://harness.example.com/aap/events".into(),
            host: "harness.example.com:443".into(),
            signing_secret: "whsec_".into(),
        };
        let first = Message::resolved(&delivery);
        assert_eq!(first, Message::resolved(&Delivery { tries: 7, ..delivery }));
        let body: serde_json::Value = serde_json::from_str(&first.body).unwrap();
        assert_eq!(body["id"], first.id.as_str());
        assert_eq!(body["type"], "request.resolved");
        assert_eq!(body["request_id"], "7ab8c8ec-7b2d-4fd6-9b52-752f9515eb71");
        assert_eq!(body.as_object().unwrap().len(), 5, "and not what was decided");
    }
}
