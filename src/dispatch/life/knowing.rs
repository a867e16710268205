//! What is known of a decision: how far it is, how old, and what can be said of it.

use super::super::Link;
use super::super::plan::Situation;
use super::{FIRST_FOLLOW, Life};
use crate::domain::{Outcome, Resolution};
use crate::journal::Entry;
use std::time::Duration;
use tokio::time::Instant;

/// What the server's words begin with where an approval counts no more (wire.md, part 3).
const LAPSED: &str = "lapsed";

impl Life {
    pub(super) fn situation(&self) -> Situation<'_> {
        Situation {
            stage: self.now.stage,
            maybe: self.now.maybe,
            outcome: self.outcome(),
            redelivered: self.redelivered(),
            too_late: self.is_too_late(),
            undecided: self.undecided,
            age: self.age.elapsed(),
            wait: self.wait(),
            followed: self.ended_before.saturating_add(self.ended.elapsed()),
            link_up: *self.link.borrow() == Link::Up,
            unchecked: self.unchecked,
            insisted: self.insisted,
        }
    }

    pub(super) fn outcome(&self) -> Option<&Outcome> {
        self.now.resolution.as_ref().map(|resolution| &resolution.outcome)
    }

    /// Whether it waits for another reviewer.
    pub(super) fn is_counted(&self) -> bool {
        matches!(self.outcome(), Some(Outcome::Counted(_)))
    }

    /// The first pause before a look at what has ended so.
    pub(super) fn first_follow(&self) -> Duration {
        if self.is_counted() { self.shared.pace.counted_pauses.0 } else { FIRST_FOLLOW }
    }

    pub(super) fn redelivered(&self) -> u32 {
        self.now.tries.saturating_sub(self.shared.client.tries())
    }

    /// Whether it may have landed so long ago that its key may be open again.
    pub(super) fn is_too_late(&self) -> bool {
        self.now.maybe && self.fence.is_passed()
    }

    pub(super) fn wait(&self) -> Duration {
        self.due.saturating_duration_since(Instant::now())
    }

    pub(super) fn entry(&self) -> Entry {
        Entry {
            intent: self.intent.clone(),
            stage: self.now.stage,
            maybe: self.now.maybe,
            reached_at: self.now.reached_at,
            tries: self.now.tries,
            next_at: self.now.next_at,
            resolution: self.now.resolution.clone(),
            acknowledged: self.now.acknowledged,
            returned: self.now.returned.clone(),
            updated_at: crate::clock::now(),
        }
    }

    /// What a look has shown, with what was known before.
    pub(super) fn seen(&self, seen: Resolution) -> Resolution {
        let lapsed = self.is_counted() && seen.outcome == Outcome::Failed;
        let lapsed = lapsed && seen.detail.as_ref().is_some_and(|words| words.raw().starts_with(LAPSED));
        let before = self.known(if lapsed { Outcome::Lapsed } else { seen.outcome.clone() });
        Resolution {
            http_status: seen.http_status.or(before.http_status),
            standing: seen.standing.or(before.standing),
            detail: seen.detail.or(before.detail),
            ..before
        }
    }

    /// What is known, under that outcome.
    pub(super) fn known(&self, outcome: Outcome) -> Resolution {
        let last = self.last.as_ref();
        Resolution {
            outcome,
            http_status: last
                .and_then(|last| last.http_status)
                .or_else(|| self.tries.iter().rev().find_map(|one| one.http_status)),
            standing: last.and_then(|last| last.standing.clone()),
            detail: last.and_then(|last| last.detail.clone()),
            tries: self.tries.clone(),
            request_id: self.intent.request_id.to_string(),
            idempotency_key: self.intent.key.clone(),
        }
    }
}
