//! The rows that the store hands out, and what they say on the wire of the queue. No SQL, no HTTP.

use crate::domain::{
    Action, ActionState, Approval as Shown, Decision, Execution, ExecutionState, Queued, Review, RowStatus,
    Untrusted, Verdict,
};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

use super::Damage;

/// Everything about one action.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    /// The order of asking.
    pub(crate) seq: i64,
    pub(crate) id: String,
    pub(crate) thread: String,
    pub(crate) key: String,
    pub(crate) agent: String,
    /// The bytes that the agent sent.
    pub(crate) submission: String,
    pub(crate) sealed: Arc<str>,
    pub(crate) digest: String,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) state: ActionState,
    /// Decided, expired or withdrawn.
    pub(crate) ended_at: Option<Timestamp>,
    /// An approval not consumed by then is void.
    pub(crate) approval_expires_at: Option<Timestamp>,
    pub(crate) decision: Option<DecisionRow>,
    /// How many distinct reviewers must approve.
    pub(crate) reviewers_needed: i64,
    /// Within how many seconds of the first of them.
    pub(crate) review_window: i64,
    /// Where more than one is needed: every approval, also those that lapsed.
    pub(crate) approvals: Vec<Approval>,
    pub(crate) consumption: Option<Consumption>,
}

/// One reviewer's approval of an action that needs several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Approval {
    pub(crate) id: i64,
    /// `PENDING` while it counts towards a decision, `COMMITTED` where it was part of one, `FAILED` where it lapsed or the
    /// action ended otherwise.
    pub(crate) status: RowStatus,
    pub(crate) reviewer: String,
    pub(crate) reason: Option<String>,
    pub(crate) request_id: String,
    pub(crate) decided_at: Timestamp,
}

/// The approval was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Consumption {
    pub(crate) key: String,
    pub(crate) at: Timestamp,
    pub(crate) outcome: Option<(Report, Timestamp)>,
}

/// How it went, as the agent says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) succeeded: bool,
    pub(crate) note: Option<String>,
}

impl Report {
    /// The word of the wire.
    pub(crate) fn word(&self) -> &'static str {
        if self.succeeded { "succeeded" } else { "failed" }
    }
}

/// A decision on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DecisionRow {
    pub(crate) key: String,
    /// `None` where nobody had asked.
    pub(crate) action_id: Option<String>,
    pub(crate) status: RowStatus,
    pub(crate) verdict: Verdict,
    pub(crate) reviewer: String,
    pub(crate) reason: Option<String>,
    pub(crate) request_id: String,
    pub(crate) decided_at: Timestamp,
    pub(crate) digest: Option<String>,
    /// How many approvals count of those that are needed, `1 of 2`, where this is one of them and nothing is decided yet.
    pub(crate) counted: Option<String>,
}

/// What can happen to an action, or to an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventKind {
    Created,
    /// An approval counts, of several that are needed; or it has lapsed.
    Reviewed,
    Approved,
    Rejected,
    Consumed,
    Executed,
    Expired,
    Cancelled,
    /// The agent's credential was paused.
    Paused,
    /// It was resumed.
    Resumed,
}

impl EventKind {
    const ALL: [Self; 10] = [
        Self::Created,
        Self::Reviewed,
        Self::Approved,
        Self::Rejected,
        Self::Consumed,
        Self::Executed,
        Self::Expired,
        Self::Cancelled,
        Self::Paused,
        Self::Resumed,
    ];

    /// The word in the outbox; those of decisions are the AEGIS server's own.
    pub(crate) fn stored(self) -> &'static str {
        match self {
            Self::Created => "ActionCreated",
            Self::Reviewed => "ActionReviewed",
            Self::Approved => "ExecutionApproved",
            Self::Rejected => "ExecutionRejected",
            Self::Consumed => "ActionConsumed",
            Self::Executed => "ActionExecuted",
            Self::Expired => "ActionExpired",
            Self::Cancelled => "ActionCancelled",
            Self::Paused => "AgentPaused",
            Self::Resumed => "AgentResumed",
        }
    }

    /// Reads the word in the outbox.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.stored() == word)
    }

    /// The name of the server-sent event (wire.md, part 3); those of agents are this gateway's addition.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Created => "action.created",
            Self::Reviewed => "action.reviewed",
            Self::Approved | Self::Rejected => "action.decided",
            Self::Consumed => "action.consumed",
            Self::Executed => "action.executed",
            Self::Expired => "action.expired",
            Self::Cancelled => "action.cancelled",
            Self::Paused => "agent.paused",
            Self::Resumed => "agent.resumed",
        }
    }
}

/// How an agent is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AgentRow {
    /// The name of its credential.
    pub(crate) name: String,
    /// Where it is paused: by whom and since when.
    pub(crate) paused: Option<(String, Timestamp)>,
}

/// Who looks at which action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Looking {
    pub(crate) reviewer: String,
    pub(crate) action_id: String,
}

/// News that something was committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// The id of the event.
    pub(crate) seq: i64,
    pub(crate) tenant: Arc<str>,
    /// `None` where nobody had asked for what was decided, and where it is about an agent.
    pub(crate) action_id: Option<Arc<str>>,
    /// What happened; `None` where a newer gateway on the same database calls it by a word that this one does not know.
    pub(crate) kind: Option<EventKind>,
    /// Whether the stream of events tells it: not what nobody had asked for.
    pub(crate) told: bool,
    /// The deadline, where the action is new.
    pub(crate) deadline: Option<Timestamp>,
}

impl Change {
    /// News that somebody of the tenant looks at something else: no event, so without a number.
    pub(crate) fn look(tenant: Arc<str>) -> Self {
        Self { seq: 0, tenant, action_id: None, kind: None, told: false, deadline: None }
    }

    /// Whether it is such news.
    pub(crate) fn is_look(&self) -> bool {
        self.seq == 0
    }
}

impl Record {
    /// The entry as the queue shows it. Damage on the disk is an error here, never another action on a screen.
    pub(crate) fn queued(&self) -> Result<Queued, Damage> {
        self.intact()?;
        let action = Action::read(self.sealed.clone());
        let action = action.map_err(|_| Damage("its sealed bytes are no action"))?;
        Ok(Queued {
            action: Arc::new(action),
            state: self.state,
            decision: self.decision.as_ref().map(DecisionRow::shown),
            execution: self.execution(),
            review: self.review().map(Arc::new),
        })
    }

    /// How far it is, where it needs several reviewers: the approvals that count, or that decided it. What a first
    /// reviewer wrote is told once it is decided, so that nobody follows them.
    fn review(&self) -> Option<Review> {
        let needed = u32::try_from(self.reviewers_needed).ok().filter(|needed| *needed > 1)?;
        let pending = self.state == ActionState::Pending;
        let counts = if pending { RowStatus::Pending } else { RowStatus::Committed };
        let counted = self.approvals.iter().filter(|approval| approval.status == counts);
        let approvals: Vec<_> = counted
            .map(|approval| Shown {
                reviewer: approval.reviewer.as_str().into(),
                decided_at: approval.decided_at,
                reason: approval.reason.as_deref().filter(|_| !pending).map(Untrusted::from),
            })
            .collect();
        let window = SignedDuration::from_secs(self.review_window);
        let first = approvals.first().filter(|_| pending);
        let until = first.and_then(|first| first.decided_at.checked_add(window).ok());
        Some(Review { needed, approvals, until })
    }

    fn execution(&self) -> Option<Execution> {
        if self.state != ActionState::Approved {
            return None;
        }
        let (state, note, at) = match &self.consumption {
            None => (ExecutionState::Waiting, None, self.ended_at?),
            Some(Consumption { at, outcome: None, .. }) => (ExecutionState::Consumed, None, *at),
            Some(Consumption { outcome: Some((report, at)), .. }) => {
                let state = if report.succeeded { ExecutionState::Succeeded } else { ExecutionState::Failed };
                (state, report.note.as_deref().map(Untrusted::from), *at)
            }
        };
        Some(Execution { state, note, at })
    }
}

impl DecisionRow {
    fn shown(&self) -> Decision {
        Decision {
            verdict: self.verdict,
            reviewer: self.reviewer.as_str().into(),
            reason: self.reason.as_deref().map(Untrusted::from),
            request_id: self.request_id.clone(),
            decided_at: self.decided_at,
            digest: self.digest.as_deref().and_then(|digest| digest.parse().ok()),
        }
    }
}
