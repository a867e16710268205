//! How far an action is that needs several reviewers: who has approved, and until when that counts (wire.md, part 3).
//!
//! Bounded when it is read, because lists hold it for every row. What an approval means for a decision is not known here.

use super::{present, text, time};
use crate::domain::action::UnreadableAction;
use crate::domain::json::{Kind, Value};
use crate::domain::{Untrusted, timestamp};
use jiff::Timestamp;

/// Approvals that may be told. More are not believed.
const MOST: usize = 1_000;
/// Bytes of a reviewer's name.
const NAME: usize = 256;
/// Bytes of a reason.
const REASON: usize = 16 * 1024;

/// How far an action is that needs several reviewers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// How many must approve; more than one.
    pub needed: u32,
    /// The approvals that count, oldest first.
    pub approvals: Vec<Approval>,
    /// When the first of them counts no more.
    pub until: Option<Timestamp>,
}

/// An approval that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The name of the reviewer's credential.
    pub reviewer: Untrusted,
    /// When.
    pub decided_at: Timestamp,
    /// What the reviewer wrote; a gateway keeps it to itself until the action is decided.
    pub reason: Option<Untrusted>,
}

impl Review {
    /// How many approvals count.
    pub fn count(&self) -> u32 {
        u32::try_from(self.approvals.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn read(value: &Value) -> Result<Self, UnreadableAction> {
        let needed = match value.get("needed").map(|needed| &needed.kind) {
            Some(Kind::Number(text)) => text.parse().ok().filter(|needed| *needed >= 2),
            _ => None,
        };
        let wrong = |field, expected| UnreadableAction::Wrong { field, expected };
        let approvals = value.get("approvals").and_then(Value::as_array);
        let approvals = approvals.filter(|approvals| approvals.len() <= MOST);
        let approvals = approvals.ok_or(wrong("approvals", "an array of at most 1000 approvals"))?;
        Ok(Self {
            needed: needed.ok_or(wrong("needed", "a whole number from 2"))?,
            approvals: approvals.iter().map(read_approval).collect::<Result<_, _>>()?,
            until: present(value, "until").map(|_| time(value, "until")).transpose()?,
        })
    }

    pub(super) fn write(&self) -> String {
        let approval = |approval: &Approval| {
            let mut value = serde_json::json!({
                "reviewer": approval.reviewer.raw(),
                "decided_at": timestamp::format(approval.decided_at),
            });
            if let Some(reason) = &approval.reason {
                value["reason"] = reason.raw().into();
            }
            value
        };
        serde_json::json!({
            "needed": self.needed,
            "approvals": self.approvals.iter().map(approval).collect::<Vec<_>>(),
            "until": self.until.map(timestamp::format),
        })
        .to_string()
    }
}

fn read_approval(value: &Value) -> Result<Approval, UnreadableAction> {
    let reviewer = text(value, "reviewer").filter(|name| (1..=NAME).contains(&name.len()));
    let reason = text(value, "reason");
    if reason.is_some_and(|reason| reason.len() > REASON) {
        return Err(UnreadableAction::Wrong { field: "reason", expected: "16 KiB at most" });
    }
    Ok(Approval {
        reviewer: reviewer
            .ok_or(UnreadableAction::Wrong { field: "reviewer", expected: "1 to 256 bytes" })?
            .into(),
        decided_at: time(value, "decided_at")?,
        reason: reason.map(Untrusted::from),
    })
}

/// The name of the rule that decided, where no person did: `decision.reviewer` is `rule:NAME` then. The names of
/// credentials cannot hold a colon.
pub fn rule_name(reviewer: &Untrusted) -> Option<Untrusted> {
    reviewer.raw().strip_prefix("rule:").map(Untrusted::from)
}
