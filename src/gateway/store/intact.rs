//! Whether a stored action is still what was stored. Everything that a decision or an executor relies on is compared with
//! the sealed bytes, computed and read anew: a file that was changed on the disk must never become another action on a
//! screen, or in an agent's hands.

use super::Record;
use crate::domain::Digest;
use crate::domain::json::{self, Kind, Limits, Value};
use crate::domain::timestamp;
use jiff::Timestamp;

/// What is wrong with a stored action, in words that end a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Damage(pub(crate) &'static str);

impl Record {
    /// Compares the row with its sealed bytes, and what the agent sent with what was sealed.
    pub(crate) fn intact(&self) -> Result<(), Damage> {
        if Digest::of(self.sealed.as_bytes()).to_string() != self.digest {
            return Err(Damage("its sealed bytes are not those of its digest"));
        }
        let sealed = json::parse_unique(self.sealed.as_bytes(), Limits::SEALED);
        let sealed = sealed.map_err(|_| Damage("its sealed bytes cannot be read"))?;
        self.row_agrees(&sealed)
            .then_some(())
            .ok_or(Damage("its row says something else than was sealed"))?;
        let sent = json::parse_unique(self.submission.as_bytes(), Limits::DOOR);
        let sent = sent.map_err(|_| Damage("what the agent sent cannot be read"))?;
        let same = |name: &str, within: &str| match (sealed.get(name), sent.get(within)) {
            (None, None) => true,
            (Some(a), Some(b)) => match (&a.kind, &b.kind) {
                (Kind::String(a), Kind::String(b)) => a == b,
                _ => a.text(&self.sealed) == b.text(&self.submission),
            },
            _ => false,
        };
        let sealed_as_sent =
            [("action", "tool"), ("server", "server"), ("payload", "arguments"), ("claims", "context")];
        if !sealed_as_sent.iter().all(|(name, within)| same(name, within)) {
            return Err(Damage("what the agent sent is not what was sealed"));
        }
        match self.decision.as_ref().and_then(|decision| decision.digest.as_ref()) {
            Some(decided) if *decided != self.digest => {
                Err(Damage("what was decided on is not what is stored"))
            }
            _ => Ok(()),
        }
    }

    fn row_agrees(&self, sealed: &Value) -> bool {
        let text = |name: &str| sealed.get(name).and_then(Value::as_str).unwrap_or_default();
        let time = |name: &str| timestamp::parse(text(name)).map(Timestamp::as_microsecond);
        text("id") == self.id
            && text("thread_id") == self.thread
            && text("idempotency_key") == self.key
            && text("agent") == self.agent
            && needed(sealed) == self.reviewers_needed
            && time("created_at") == Some(self.created_at.as_microsecond())
            && time("expires_at") == Some(self.expires_at.as_microsecond())
    }
}

/// How many reviewers the sealed text asks for: one, where it says nothing.
fn needed(sealed: &Value) -> i64 {
    match sealed.get("reviewers_needed").map(|value| &value.kind) {
        None => 1,
        Some(Kind::Number(number)) => number.parse().unwrap_or(0),
        Some(_) => 0,
    }
}
