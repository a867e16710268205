//! One decision to be carried out, and the body that says it (wire.md, part 3).

use crate::client::{AegisClient, DecisionCall};
use crate::domain::json::quote;
use crate::domain::{Action, Verdict, timestamp};
use crate::journal::{Entry, Intent};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// A decision that a reviewer made.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The decision's own id, known to this process only.
    pub id: Uuid,
    /// The `X-Request-Id` of every try.
    pub request_id: Uuid,
    /// What was decided on, as it was shown.
    pub action: Arc<Action>,
    /// What was decided.
    pub verdict: Verdict,
    /// What the reviewer wrote, as typed.
    pub reason: Option<String>,
    /// Who decided, where the console knows; the name on record is the credential's.
    pub reviewer: Option<String>,
    /// When.
    pub decided_at: Timestamp,
}

impl Order {
    /// The call that carries it out: the action's own key, tenant and thread, and [`body`](Self::body).
    pub fn call(&self, client: &AegisClient) -> DecisionCall {
        client
            .decide(self.verdict, self.action.idempotency_key.as_str())
            .tenant_id(self.action.tenant_id.raw())
            .thread_id(self.action.thread_id.raw())
            .request_id(self.request_id)
            .body(self.body())
    }

    /// How long it is held before it goes out, where the reviewer's own grace time is that long: an approval for as long
    /// as its action asks for at least. A rejection is never better for being late.
    pub fn held_for(&self, grace: Duration) -> Duration {
        if self.verdict == Verdict::Approve { grace.max(self.action.grace) } else { grace }
    }

    /// What the journal keeps of it: everything that a try needs, the bytes included, made once and for all.
    pub fn intent(&self, base_url: &str, hold_until: Option<Timestamp>) -> Intent {
        Intent {
            id: self.id,
            request_id: self.request_id,
            verdict: self.verdict,
            tenant_id: Some(self.action.tenant_id.raw().to_owned()),
            thread_id: self.action.thread_id.raw().to_owned(),
            key: self.action.idempotency_key.clone(),
            base_url: base_url.to_owned(),
            body: self.body(),
            sealed: Some(Arc::clone(&self.action.sealed)),
            digest: Some(self.action.digest),
            reason: self.reason.clone(),
            reviewer: self.reviewer.clone(),
            decided_at: self.decided_at,
            hold_until,
        }
    }

    /// The decision that the journal kept; `None` where it was made without an action, as in a batch.
    pub fn of(entry: &Entry) -> Option<Self> {
        let intent = &entry.intent;
        let sealed = intent.sealed.as_ref()?;
        let action = Action::read(Arc::clone(sealed))
            .unwrap_or_else(|error| Action::unreadable(sealed.as_bytes(), &error, intent.decided_at));
        Some(Self {
            id: intent.id,
            request_id: intent.request_id,
            action: Arc::new(action),
            verdict: intent.verdict,
            reason: intent.reason.clone(),
            reviewer: intent.reviewer.clone(),
            decided_at: intent.decided_at,
        })
    }

    /// The body of the call. The payload stands in it byte for byte as it was sealed.
    pub fn body(&self) -> String {
        let action = &self.action;
        // Of an action that cannot be read there is no payload to send; the digest says what was decided on.
        let payload = if action.unreadable.is_some() { "{}" } else { action.payload() };
        let mut review = format!("\"action_id\":{}", quote(&action.id));
        for (name, text) in [("reviewer", &self.reviewer), ("reason", &self.reason)] {
            if let Some(text) = text {
                review.push_str(&format!(",\"{name}\":{}", quote(text)));
            }
        }
        format!(
            r#"{{"tenant_id":{},"thread_id":{},"action":{},"payload":{},"review":{{{review},"digest":"{}","decided_at":"{}"}}}}"#,
            quote(action.tenant_id.raw()),
            quote(action.thread_id.raw()),
            quote(action.name.raw()),
            payload,
            action.digest,
            timestamp::format(self.decided_at),
        )
    }
}
