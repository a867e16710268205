//! What became of a decision: the words of screen.md, derived by pure functions from what is known, never more.
//!
//! This file must not guess. Where two things could be true it says the weaker one.

use super::{Untrusted, Verdict};
use jiff::Timestamp;
use std::time::Duration;

/// The state of the row that a server keeps for one (tenant, thread, key).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowStatus {
    /// Being carried out, or orphaned by a server that died.
    Pending,
    /// Carried out.
    Committed,
    /// Its processing failed; the key may be sent again.
    Failed,
}

impl RowStatus {
    /// The word of the wire: `PENDING`, `COMMITTED`, `FAILED`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Committed => "COMMITTED",
            Self::Failed => "FAILED",
        }
    }

    /// Reads the word of the wire, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Committed, Self::Failed]
            .into_iter()
            .find(|status| status.word().eq_ignore_ascii_case(text))
    }
}

/// How many approvals count of those that an action needs, while it is not decided: `1 of 2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Count {
    /// How many count.
    pub approvals: u32,
    /// How many it needs; more than count.
    pub needed: u32,
}

impl Count {
    /// Reads `1 of 2`. That all that are needed count would be a decision, and says nothing here.
    pub fn parse(text: &str) -> Option<Self> {
        let (approvals, needed) = text.split_once(" of ")?;
        // No sign and no blank.
        let number = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| digits)
        };
        let count = Self { approvals: number(approvals)?, needed: number(needed)? };
        (1..count.needed).contains(&count.approvals).then_some(count)
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.approvals, self.needed)
    }
}

/// The decision that stands, as far as a server says. Its texts are as hostile as an agent's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// What was decided.
    pub verdict: Option<Verdict>,
    /// Who decided it, as the server names them.
    pub reviewer: Option<Untrusted>,
    /// The `X-Request-Id` of the call that decided it.
    pub request_id: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// How far its processing is.
    pub status: Option<RowStatus>,
    /// How many approvals count, where it waits for another reviewer: then it is no decision yet.
    pub count: Option<Count>,
}

/// What became of one decision, in the words of screen.md.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// 202: the server took it; how its processing ends is not known yet.
    Accepted,
    /// Taken, and its processing ended well.
    Committed,
    /// Taken, and its processing failed.
    Failed,
    /// An earlier try of this very decision had landed.
    Mine,
    /// The server counts this approval, and the action waits for another reviewer: nothing is decided.
    Counted(Count),
    /// It counted, and counts no more: no other reviewer decided in time. Nothing of it stands.
    Lapsed,
    /// Another reviewer had decided the same.
    Same,
    /// The opposite decision stands: this one had no effect.
    Conflict,
    /// The server is still at it.
    InProgress,
    /// Already processed; the server does not say by whom.
    Unknown,
    /// The quota is used up; the time until which to wait, where the server said so.
    Quota {
        /// When it may be tried again.
        until: Option<Timestamp>,
    },
    /// The server refused it; it is not sent again by itself.
    Refused,
    /// Sent, and no answer can be had: it may have landed.
    Unconfirmed,
    /// Nothing reached the server.
    NotSent,
}

impl Outcome {
    /// One word for programs, as `decide --json` prints it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Committed => "committed",
            Self::Failed => "failed",
            Self::Mine => "mine",
            Self::Counted(_) => "counted",
            Self::Lapsed => "lapsed",
            Self::Same => "same",
            Self::Conflict => "conflict",
            Self::InProgress => "in_progress",
            Self::Unknown => "unknown",
            Self::Quota { .. } => "quota",
            Self::Refused => "refused",
            Self::Unconfirmed => "unconfirmed",
            Self::NotSent => "not_sent",
        }
    }

    /// The column of the outcomes pane: a status where one was had, `409` with whose decision stands.
    pub fn label(&self, http_status: Option<u16>) -> String {
        match self {
            Self::Accepted | Self::Committed => "202".into(),
            Self::Failed => "failed".into(),
            Self::Mine => "409 mine".into(),
            // The reviewer's own, of before.
            Self::Counted(_) if http_status == Some(409) => "409 mine".into(),
            Self::Counted(_) => "202".into(),
            Self::Lapsed => "lapsed".into(),
            Self::Same => "409 same".into(),
            Self::Conflict => "409 CONFLICT".into(),
            Self::InProgress => "409 in progress".into(),
            Self::Unknown => "409 unknown".into(),
            Self::Quota { .. } => "429".into(),
            Self::Refused => http_status.map_or_else(|| "refused".into(), |status| status.to_string()),
            Self::Unconfirmed => "unconfirmed".into(),
            Self::NotSent => "not sent".into(),
        }
    }

    /// Whether this decision, and no other, is known to be what the server holds.
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Accepted | Self::Committed | Self::Mine)
    }

    /// Whether the reviewer should look: the decision had no effect, or nobody knows.
    pub fn needs_a_person(&self) -> bool {
        matches!(
            self,
            Self::Conflict
                | Self::Refused
                | Self::Unconfirmed
                | Self::NotSent
                | Self::Failed
                | Self::Lapsed
                | Self::Quota { .. }
        )
    }
}

/// One try at sending a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Try {
    /// 1 for the first.
    pub number: u32,
    /// The HTTP status, where a whole answer came.
    pub http_status: Option<u16>,
    /// What went wrong in plain words, where no answer came.
    pub error: Option<String>,
    /// When it started.
    pub started: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// How long was waited before it.
    pub waited: Duration,
}

/// How one decision ended, with everything that is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// What became of it.
    pub outcome: Outcome,
    /// The status of the last whole answer.
    pub http_status: Option<u16>,
    /// The decision that stands, as far as the server says.
    pub standing: Option<Standing>,
    /// The server's own words, as hostile as an agent's.
    pub detail: Option<Untrusted>,
    /// Every try, in order.
    pub tries: Vec<Try>,
    /// The `X-Request-Id` of every try.
    pub request_id: String,
    /// The `Idempotency-Key` of every try.
    pub idempotency_key: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_landing_counts_as_ours() {
        let ours: Vec<_> = [
            Outcome::Accepted,
            Outcome::Committed,
            Outcome::Failed,
            Outcome::Mine,
            Outcome::Counted(Count { approvals: 1, needed: 2 }),
            Outcome::Lapsed,
            Outcome::Same,
            Outcome::Conflict,
            Outcome::InProgress,
            Outcome::Unknown,
            Outcome::Quota { until: None },
            Outcome::Refused,
            Outcome::Unconfirmed,
            Outcome::NotSent,
        ]
        .into_iter()
        .filter(Outcome::is_ours)
        .map(|outcome| outcome.word())
        .collect();
        assert_eq!(ours, ["accepted", "committed", "mine"]);
    }

    #[test]
    fn a_count_is_two_numbers_and_nothing_else() {
        for (text, count) in [
            ("1 of 2", Some((1, 2))),
            ("2 of 3", Some((2, 3))),
            ("2 of 2", None),
            ("0 of 2", None),
            ("3 of 2", None),
            ("1 of 2 ", None),
            ("+1 of 2", None),
            ("1 of", None),
            ("one of 2", None),
            ("1 of 4294967296", None),
            ("counted 1 of 2", None),
            ("1 of 2 of 3", None),
        ] {
            let read = Count::parse(text).map(|count| (count.approvals, count.needed));
            assert_eq!(read, count, "{text:?}");
        }
        assert_eq!(Count { approvals: 1, needed: 2 }.to_string(), "1 of 2");
    }

    #[test]
    fn row_status_reads_its_own_word() {
        assert_eq!(RowStatus::parse("committed"), Some(RowStatus::Committed));
        assert_eq!(RowStatus::parse("DONE"), None);
    }
}
