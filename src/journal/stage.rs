//! The arrows of a decision's life: one pure table (design.md, *A decision's life*; reliability.md, section 4).
//!
//! What is not in the table is not allowed, and neither is an end that says more or less than is known: a decision that
//! may have landed never ends as *not sent*, *refused* or *quota*. Nothing here does I/O or reads a clock.

use super::progress::Progress;
use crate::domain::{Outcome, Resolution, Try};
use jiff::Timestamp;

/// How far a decision is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// In its grace time: it can be taken back.
    Held,
    /// To be sent: now, at [`next_at`](super::Entry::next_at), or when the link is back.
    Queued,
    /// A try is on its way, or has just been answered.
    Sending,
    /// It may have landed; the server is asked again in the background.
    Doubtful,
    /// It has an outcome. That may still be refined, or the reviewer may have it tried again.
    Ended,
    /// Taken back: it was never sent, or never reached the server.
    Dropped,
    /// Given back to the reviewer unsent, because its action had changed.
    Returned,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 7] =
        [Self::Held, Self::Queued, Self::Sending, Self::Doubtful, Self::Ended, Self::Dropped, Self::Returned];

    /// One word, on disk and for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Doubtful => "doubtful",
            Self::Ended => "ended",
            Self::Dropped => "dropped",
            Self::Returned => "returned",
        }
    }

    /// Reads [`word`](Self::word).
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.word() == word)
    }

    /// Whether something is still to be done for it by the program, not by the reviewer.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Held | Self::Queued | Self::Sending | Self::Doubtful)
    }
}

/// What happened to a decision.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "made once, moved once, written to disk")]
pub enum Step {
    /// Its grace time is over, or was cut short: it may be sent.
    Released,
    /// The reviewer took it back: while it was held, or after it was not sent.
    Dropped,
    /// Its action had changed before anything was sent; the reason, for the reviewer.
    Returned(String),
    /// A try starts: to be noted before its first byte leaves, once for each try.
    Sending {
        /// 1 for the first try of a call.
        try_number: u32,
        /// When.
        at: Timestamp,
    },
    /// The try was answered or given up on; whether it may have landed.
    Tried(Try, bool),
    /// The next try waits.
    Waiting {
        /// Until when.
        next_at: Timestamp,
    },
    /// It may have landed, and nobody says so yet: it is asked about again.
    Doubtful {
        /// When.
        next_at: Timestamp,
    },
    /// It has an outcome.
    Ended(Resolution),
    /// More is known of how it ended.
    Refined(Resolution),
    /// The reviewer has it sent again: same key, same request id, same bytes.
    Retried,
    /// The reviewer has seen how it ended.
    Acknowledged,
}

impl Step {
    /// What cannot be done to a decision where the step is not allowed: completes *it cannot be …*.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Dropped => "dropped",
            Self::Returned(_) => "returned",
            Self::Sending { .. } => "sent",
            Self::Tried(..) => "tried",
            Self::Waiting { .. } => "put off",
            Self::Doubtful { .. } => "doubted",
            Self::Ended(_) => "ended",
            Self::Refined(_) => "refined",
            Self::Retried => "sent again",
            Self::Acknowledged => "acknowledged",
        }
    }

    /// Whether only the process that holds the lock may take it: it is about sending.
    pub fn is_the_dispatchers(&self) -> bool {
        !matches!(self, Self::Released | Self::Dropped | Self::Retried | Self::Acknowledged)
    }
}

/// Where the step leads from what stands; `None` where it is not allowed.
pub fn next(now: &Progress, step: &Step) -> Option<Stage> {
    use Stage::{Doubtful, Dropped, Ended, Held, Queued, Returned, Sending};
    let outcome = now.resolution.as_ref().map(|resolution| &resolution.outcome);
    let (to, allowed) = match (now.stage, step) {
        (Held, Step::Released) => (Queued, true),
        (Held, Step::Dropped) => (Dropped, true),
        (Ended, Step::Dropped) => (Dropped, outcome == Some(&Outcome::NotSent)),
        // "Not sent" must be true.
        (Held | Queued, Step::Returned(_)) => (Returned, !now.maybe),
        (Queued | Sending | Doubtful, Step::Sending { .. }) => (Sending, true),
        (Sending, Step::Tried(..)) => (Sending, now.in_flight),
        // What has not been answered cannot be waited past: a crash then must find it as being sent.
        (Queued | Sending, Step::Waiting { .. }) => (Queued, !now.in_flight),
        (Doubtful, Step::Waiting { .. }) => (Doubtful, true),
        (Queued | Sending | Doubtful, Step::Doubtful { .. }) => (Doubtful, now.maybe || now.tries > 0),
        (Queued | Sending | Doubtful, Step::Ended(end)) => (Ended, is_true(now, &end.outcome)),
        (Ended, Step::Refined(end)) => {
            (Ended, outcome.is_some_and(|outcome| is_refinement(outcome, &end.outcome)))
        }
        (Ended, Step::Retried) => (Queued, outcome.is_some_and(may_be_sent_again)),
        (Ended | Returned, Step::Acknowledged) => (now.stage, true),
        _ => return None,
    };
    allowed.then_some(to)
}

/// Whether a decision of which this much is known can have ended so.
fn is_true(now: &Progress, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::NotSent => !now.maybe,
        Outcome::Refused | Outcome::Quota { .. } => !now.maybe && now.tries > 0,
        _ => now.maybe || now.tries > 0,
    }
}

/// Whether `to` says more of the same end. What is final never changes; what is known is never unsaid.
fn is_refinement(from: &Outcome, to: &Outcome) -> bool {
    use Outcome::{
        Accepted, Committed, Conflict, Counted, Failed, InProgress, Lapsed, Mine, NotSent, Quota, Refused,
        Same, Unconfirmed, Unknown,
    };
    match from {
        Committed | Same | Conflict | Refused | NotSent | Quota { .. } => false,
        Accepted => matches!(to, Committed | Failed | Counted(_)) || to == from,
        Mine => matches!(to, Committed | Failed) || to == from,
        // Until another reviewer decides, or none does in time.
        Counted(_) => matches!(to, Counted(_) | Committed | Mine | Same | Conflict | Lapsed | Failed),
        // Someone may have sent the key again since.
        Failed | Lapsed => {
            matches!(to, Accepted | Committed | Counted(_) | Mine | Same | Conflict | InProgress)
                || to == from
        }
        InProgress => !matches!(to, NotSent | Quota { .. } | Refused | Unconfirmed),
        Unknown => !matches!(to, NotSent | Quota { .. } | Refused | Unconfirmed),
        Unconfirmed => !matches!(to, NotSent | Quota { .. } | Refused),
    }
}

/// Whether the reviewer may have it sent again under the same key. A refused one is decided anew instead.
fn may_be_sent_again(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::NotSent
            | Outcome::Unconfirmed
            | Outcome::Failed
            | Outcome::Lapsed
            | Outcome::Quota { .. }
            | Outcome::InProgress
    )
}
