//! What a call ends with: the most that can be said, and never more, once nothing more is sent. It may still look.

use super::classify::Class;
use super::resolve::{View, resolve};
use super::run::{Run, until};
use crate::domain::{Outcome, RowStatus, Standing};
use std::time::Duration;

impl Run {
    /// After 202: how does its processing end?
    pub(super) async fn accepted(&mut self, standing: &Standing) -> Outcome {
        if let Some(count) = standing.count {
            // Whoever waits for another reviewer may wait for long: who wants to know comes back.
            return Outcome::Counted(count);
        }
        match standing.status {
            Some(RowStatus::Committed) => Outcome::Committed,
            Some(RowStatus::Failed) => Outcome::Failed,
            _ if self.call.manner.comes_back => Outcome::Accepted,
            _ => self.follow().await,
        }
    }

    /// 409: an approval of this reviewer's counts already. What says the opposite now has no effect.
    pub(super) fn counts(&self, standing: &Standing) -> Outcome {
        match (standing.verdict, standing.count) {
            (Some(verdict), _) if verdict != self.call.verdict => Outcome::Conflict,
            (_, Some(count)) => Outcome::Counted(count),
            (_, None) => Outcome::Unknown,
        }
    }

    /// 202 with another call's request id: the server repeats what it answered somebody else.
    pub(super) async fn replayed(&mut self, standing: &Standing) -> Outcome {
        match self.settle(standing).await {
            Outcome::Unknown => Outcome::Same,
            outcome => outcome,
        }
    }

    /// Whose decision stands, from the answer, else from the status.
    pub(super) async fn settle(&mut self, standing: &Standing) -> Outcome {
        let mut view = resolve(self.ours(), standing);
        if matches!(view, View::Processed | View::Nothing) {
            let standing = self.look().await;
            view = resolve(self.ours(), &standing);
        }
        match view {
            View::Settled(outcome) => outcome,
            View::Pending => self.watch(None).await.unwrap_or(Outcome::Unknown),
            View::Processed | View::Nothing => Outcome::Unknown,
        }
    }

    /// Nothing more is sent. What is the most that can be said?
    pub(super) async fn give_up(&mut self, class: Class, hint: Option<Duration>) -> Outcome {
        if self.maybe {
            // This look, too, is asked again of a server that is in trouble.
            if !self.pay(1) {
                return self.known_so_far(hint);
            }
            let standing = self.look().await;
            if standing != Standing::default() {
                self.succeeded();
            }
            return match resolve(self.ours(), &standing) {
                View::Settled(outcome) => outcome,
                View::Pending => self.watch(None).await.unwrap_or(Outcome::Unknown),
                View::Processed => Outcome::Unknown,
                View::Nothing => Outcome::Unconfirmed,
            };
        }
        match (class, self.http_status) {
            (Class::Throttled | Class::Quota, _) => Outcome::Quota { until: hint.and_then(until) },
            // An earlier try reached a server that put it off; that this one did not, changes nothing.
            (Class::NotSent, Some(429)) => Outcome::Quota { until: None },
            (Class::NotSent, None) => Outcome::NotSent,
            _ => Outcome::Refused,
        }
    }

    /// The call ends before its time, and so with the least that can be said.
    pub(super) fn known_so_far(&self, hint: Option<Duration>) -> Outcome {
        match self.http_status {
            _ if self.maybe => Outcome::Unconfirmed,
            Some(429) => Outcome::Quota { until: hint.and_then(until) },
            Some(_) => Outcome::Refused,
            None => Outcome::NotSent,
        }
    }
}
