//! One entry of the queue: a sealed action and, beside it, what changes (wire.md, part 3). Both directions: the gateway
//! writes it, the console reads it and checks the digest for itself.

use super::action::{Action, UnreadableAction};
use super::json::{self, Limits, Value, quote};
use super::{Digest, Untrusted, Verdict, timestamp};
use jiff::Timestamp;
use std::sync::Arc;

mod review;

pub use review::{Approval, Review, rule_name};

/// Whether an action still waits for a decision. `Ord` is by finality: everything but `Pending` is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActionState {
    /// Waits for a decision.
    Pending,
    /// Approved.
    Approved,
    /// Rejected by a person.
    Rejected,
    /// Nobody decided in time; never recorded as a rejection.
    Expired,
    /// Withdrawn by the agent.
    Cancelled,
}

impl ActionState {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Approved, Self::Rejected, Self::Expired, Self::Cancelled];

    /// The word of the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the word of the wire.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// The decision on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What was decided.
    pub verdict: Verdict,
    /// The name of the reviewer's credential.
    pub reviewer: Untrusted,
    /// What the reviewer wrote.
    pub reason: Option<Untrusted>,
    /// The `X-Request-Id` of the call that decided.
    pub request_id: String,
    /// When.
    pub decided_at: Timestamp,
    /// The digest that was decided on, where the caller named one.
    pub digest: Option<Digest>,
}

/// How far the agent is with what was approved. `Ord` is by progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ExecutionState {
    /// Approved; the agent has not taken the approval yet.
    Waiting,
    /// The agent has taken it and should be at work.
    Consumed,
    /// The agent says that it went well.
    Succeeded,
    /// The agent says that it failed.
    Failed,
}

impl ExecutionState {
    /// Every state, in order.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Consumed, Self::Succeeded, Self::Failed];

    /// The word of the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Consumed => "consumed",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    /// Reads the word of the wire.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// What became of an approved action at its agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// How far it is.
    pub state: ExecutionState,
    /// The agent's words on it.
    pub note: Option<Untrusted>,
    /// Since when.
    pub at: Timestamp,
}

/// One entry of the queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Queued {
    /// What was asked, fixed for ever.
    pub action: Arc<Action>,
    /// Whether it still waits.
    pub state: ActionState,
    /// The decision on record.
    pub decision: Option<Decision>,
    /// What became of it at the agent.
    pub execution: Option<Execution>,
    /// How far it is, where it needs more than one reviewer. Servers that know of no such thing never say it.
    pub review: Option<Arc<Review>>,
}

impl Queued {
    /// A fresh action that waits.
    pub fn pending(action: Action) -> Self {
        let (decision, execution, review) = (None, None, None);
        Self { action: Arc::new(action), state: ActionState::Pending, decision, execution, review }
    }

    /// What can be shown of an entry that cannot be read, for `reason`: the text that it has for `sealed`, else all of it.
    /// `seen` is as in [`Action::unreadable`].
    pub fn unreadable(entry: &str, reason: &UnreadableAction, seen: Timestamp) -> Self {
        let value = json::parse(entry.as_bytes(), Limits::PAGE).ok();
        let members = value.as_ref().and_then(Value::as_object).unwrap_or_default();
        // Of two that have one name neither is believed.
        let once = |name: &str| {
            let mut found = members.iter().filter(|member| member.name == name);
            found.next().filter(|_| found.next().is_none())?.value.as_str()
        };
        let action = Action::unreadable(once("sealed").unwrap_or(entry).as_bytes(), reason, seen);
        let state = once("state").and_then(ActionState::parse).unwrap_or(ActionState::Pending);
        Self { state, ..Self::pending(action) }
    }

    /// Whether a rule has allowed it, so that no person was asked.
    pub fn is_allowed_by_rule(&self) -> bool {
        let decision = self.decision.as_ref().filter(|decision| decision.verdict == Verdict::Approve);
        decision.is_some_and(|decision| rule_name(&decision.reviewer).is_some())
    }

    /// Reads one entry and checks that the digest given is that of the sealed bytes given. `value` must come from a
    /// strict parse.
    pub fn read(value: &Value) -> Result<Self, UnreadableAction> {
        let sealed = value.get("sealed").ok_or(UnreadableAction::Missing("sealed"))?;
        let sealed =
            sealed.as_str().ok_or(UnreadableAction::Wrong { field: "sealed", expected: "a string" })?;
        let action = Action::read(sealed)?;
        if text(value, "digest").and_then(|digest| digest.parse().ok()) != Some(action.digest) {
            return Err(UnreadableAction::DigestDiffers);
        }
        let state = text(value, "state")
            .and_then(ActionState::parse)
            .ok_or(UnreadableAction::Wrong { field: "state", expected: "a state of an action" })?;
        let decision = present(value, "decision").map(read_decision).transpose()?;
        let execution = present(value, "execution").map(read_execution).transpose()?;
        let review = present(value, "review").map(Review::read).transpose()?.map(Arc::new);
        Ok(Self { action: Arc::new(action), state, decision, execution, review })
    }

    /// Reads a page, `{"actions": […], "next": …}`. Entries that cannot be read come as their errors, so that one bad
    /// action hides no other.
    pub fn read_page(bytes: &[u8]) -> Result<Page, UnreadableAction> {
        let value = json::parse_unique(bytes, Limits::PAGE)?;
        let actions = value.get("actions").and_then(Value::as_array);
        let actions = actions.ok_or(UnreadableAction::Wrong { field: "actions", expected: "an array" })?;
        Ok(Page {
            actions: actions.iter().map(Self::read).collect(),
            next: text(&value, "next").map(str::to_owned),
        })
    }

    /// Writes the entry as the wire has it.
    pub fn write(&self) -> String {
        let nullable = |json: Option<String>| json.unwrap_or_else(|| "null".into());
        let review = self.review.as_ref().map(|review| format!(",\"review\":{}", review.write()));
        format!(
            r#"{{"sealed":{},"digest":"{}","state":"{}","decision":{},"execution":{}{}}}"#,
            quote(&self.action.sealed),
            self.action.digest,
            self.state.word(),
            nullable(self.decision.as_ref().map(write_decision)),
            nullable(self.execution.as_ref().map(write_execution)),
            review.unwrap_or_default(),
        )
    }

    /// Takes in what another copy of the same entry says, and returns whether anything is new. Nothing ever goes back:
    /// a state that is final stays, and an execution only goes on, so that pages and events may come in any order. But
    /// approvals may lapse: of how far it is, what was told last stands.
    pub fn merge(&mut self, newer: &Self) -> bool {
        let mut changed = false;
        if self.state == ActionState::Pending && newer.state != ActionState::Pending {
            (self.state, changed) = (newer.state, true);
        }
        if self.decision.is_none() && newer.decision.is_some() {
            (self.decision, changed) = (newer.decision.clone(), true);
        }
        let progress = |execution: &Option<Execution>| execution.as_ref().map(|execution| execution.state);
        if progress(&self.execution) < progress(&newer.execution) {
            (self.execution, changed) = (newer.execution.clone(), true);
        }
        if newer.review.is_some() && self.review != newer.review {
            (self.review, changed) = (newer.review.clone(), true);
        }
        changed
    }
}

/// A page of the queue, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The entries, each by itself.
    pub actions: Vec<Result<Queued, UnreadableAction>>,
    /// The cursor of the next page; `None` on the last.
    pub next: Option<String>,
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str)
}

fn present<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    value.get(name).filter(|value| !value.is_null())
}

fn time(value: &Value, name: &'static str) -> Result<Timestamp, UnreadableAction> {
    text(value, name)
        .and_then(timestamp::parse)
        .ok_or(UnreadableAction::Wrong { field: name, expected: "an RFC 3339 time in UTC" })
}

fn read_decision(value: &Value) -> Result<Decision, UnreadableAction> {
    let verdict = text(value, "verdict").and_then(|word| word.parse().ok());
    Ok(Decision {
        verdict: verdict
            .ok_or(UnreadableAction::Wrong { field: "verdict", expected: "approve or reject" })?,
        reviewer: text(value, "reviewer").unwrap_or_default().into(),
        reason: text(value, "reason").map(Untrusted::from),
        request_id: text(value, "request_id").unwrap_or_default().to_owned(),
        decided_at: time(value, "decided_at")?,
        digest: text(value, "digest").and_then(|digest| digest.parse().ok()),
    })
}

fn write_decision(decision: &Decision) -> String {
    serde_json::json!({
        "verdict": decision.verdict.word(),
        "reviewer": decision.reviewer.raw(),
        "reason": decision.reason.as_ref().map(Untrusted::raw),
        "request_id": decision.request_id,
        "decided_at": timestamp::format(decision.decided_at),
        "digest": decision.digest.map(|digest| digest.to_string()),
    })
    .to_string()
}

fn read_execution(value: &Value) -> Result<Execution, UnreadableAction> {
    let state = text(value, "state").and_then(ExecutionState::parse);
    Ok(Execution {
        state: state
            .ok_or(UnreadableAction::Wrong { field: "execution", expected: "a state of an execution" })?,
        note: text(value, "note").map(Untrusted::from),
        at: time(value, "at")?,
    })
}

fn write_execution(execution: &Execution) -> String {
    serde_json::json!({
        "state": execution.state.word(),
        "note": execution.note.as_ref().map(Untrusted::raw),
        "at": timestamp::format(execution.at),
    })
    .to_string()
}

#[cfg(test)]
mod tests;
