//! An action that cannot be read: shown as the text that it is, with the reason, and never to be approved.

use super::fields::Fields;
use super::{Action, UnreadableAction};
use crate::domain::findings;
use crate::domain::json;
use crate::domain::{Digest, Risk, Untrusted, timestamp};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Why an action cannot be read, and what can be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Why, in words that may quote the text.
    pub reason: Untrusted,
    /// Whether it can be rejected: its id, tenant, thread and key can still be told, each of them once. Where they
    /// cannot, there is nothing that a decision could name.
    pub can_be_rejected: bool,
}

impl Action {
    /// What can be shown of a text that is no action, for `reason`. `seen` stands in for the time at which it was asked,
    /// where that cannot be told; it never expires, where that cannot be told.
    ///
    /// The digest is over the bytes as they came. Bytes that are no UTF-8 are shown as `\u{fffd}`; the reason names the
    /// first of them.
    pub fn unreadable(source: &[u8], reason: &UnreadableAction, seen: Timestamp) -> Self {
        let digest = Digest::of(source);
        let sealed: Arc<str> = String::from_utf8_lossy(source).into();
        let outline = json::outline(source).ok();
        // A member that stands twice says nothing: readers differ on which of the two counts.
        let once = |name: &str| {
            let value = outline.as_ref()?;
            let members = value.as_object()?.iter().filter(|member| member.name == name);
            (members.count() == 1).then_some(Fields { value })
        };
        let text = |name| once(name)?.text(name).ok();
        let names = || {
            Some((
                once("id")?.id("id").ok()?,
                text("tenant_id")?,
                text("thread_id")?,
                once("idempotency_key")?.key("idempotency_key").ok()?,
            ))
        };
        let names = names();
        let can_be_rejected = names.is_some();
        let unnamed = || (format!("unreadable:{digest}"), String::new(), String::new(), String::new());
        let (id, tenant_id, thread_id, idempotency_key) = names.unwrap_or_else(unnamed);
        let time = |name| timestamp::parse(&text(name)?);
        let mut action = Self {
            digest,
            id,
            tenant_id: tenant_id.into(),
            thread_id: thread_id.into(),
            idempotency_key,
            agent: text("agent").unwrap_or_default().into(),
            name: text("action").unwrap_or_default().into(),
            server: None,
            summary: None,
            rationale: None,
            risk: Risk::Unreadable,
            sealed_risk: Risk::Unreadable,
            findings: Vec::new(),
            unreadable: Some(Unreadable { reason: Untrusted::from(reason.to_string()), can_be_rejected }),
            risk_reasons: Vec::new(),
            labels: Vec::new(),
            source: None,
            reviewers_needed: 1,
            grace: Duration::ZERO,
            created_at: time("created_at").unwrap_or(seen),
            expires_at: time("expires_at").unwrap_or(Timestamp::MAX),
            others: Vec::new(),
            payload: 0..sealed.len(),
            sealed,
        };
        for finding in findings::of_text(&action) {
            action.found(finding);
        }
        action
    }
}
