//! How far a decision is, and what each step changes in it. Pure; where a step may lead is in `stage`.

use super::stage::{Stage, Step, next};
use crate::domain::{Outcome, Resolution};
use jiff::Timestamp;

/// The part of an entry that changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// How far it is.
    pub stage: Stage,
    /// Whether it may have landed without anybody knowing.
    pub maybe: bool,
    /// Whether a try was started and has not been answered.
    pub in_flight: bool,
    /// When the first try started of those that may have reached the server.
    pub reached_at: Option<Timestamp>,
    /// Tries that were started.
    pub tries: u32,
    /// When it goes on by itself.
    pub next_at: Option<Timestamp>,
    /// How it ended.
    pub resolution: Option<Resolution>,
    /// Whether the reviewer has seen that.
    pub acknowledged: bool,
    /// Why it was not sent.
    pub returned: Option<String>,
}

impl Progress {
    /// Of a decision that was just made; `held` where it has a grace time.
    pub fn new(held: bool) -> Self {
        Self {
            stage: if held { Stage::Held } else { Stage::Queued },
            maybe: false,
            in_flight: false,
            reached_at: None,
            tries: 0,
            next_at: None,
            resolution: None,
            acknowledged: false,
            returned: None,
        }
    }

    /// What stands after the step; `None` where it is not allowed, and then nothing changes.
    pub fn after(&self, step: &Step) -> Option<Self> {
        let stage = next(self, step)?;
        let mut after = Self { stage, next_at: None, ..self.clone() };
        match step {
            Step::Released => {}
            Step::Dropped => after.resolution = None,
            Step::Returned(why) => after.returned = Some(why.clone()),
            Step::Sending { at, .. } => {
                // The one before was never answered.
                after.maybe |= self.in_flight;
                after.in_flight = true;
                after.reached_at = self.reached_at.or(Some(*at));
                after.tries = self.tries.saturating_add(1);
            }
            Step::Tried(_, may_have_landed) => {
                after.maybe |= may_have_landed;
                after.in_flight = false;
                // Answered, and none before it was lost: the server has nothing of it, or says what it has.
                after.reached_at = self.reached_at.filter(|_| after.maybe);
            }
            Step::Waiting { next_at } => after.next_at = Some(*next_at),
            Step::Doubtful { next_at } => {
                after.next_at = Some(*next_at);
                after.maybe = true;
                after.in_flight = false;
            }
            Step::Ended(end) | Step::Refined(end) => {
                let word = |resolution: &Resolution| resolution.outcome.word();
                let news = self.resolution.as_ref().map(word) != Some(word(end));
                after.acknowledged = self.acknowledged && !news;
                after.maybe = leaves_doubt(&end.outcome);
                after.reached_at = self.reached_at.filter(|_| !had_no_effect(&end.outcome));
                after.in_flight = false;
                after.resolution = Some(end.clone());
            }
            Step::Retried => {
                after.resolution = None;
                after.acknowledged = false;
            }
            Step::Acknowledged => after.acknowledged = true,
        }
        Some(after)
    }

    /// Whether no other decision may be recorded under its key: only what is known to have had no effect lets it go, and
    /// what is no decision yet, so that the same reviewer can still reject.
    pub fn holds_key(&self) -> bool {
        let outcome = self.resolution.as_ref().map(|resolution| &resolution.outcome);
        !matches!(
            (self.stage, outcome),
            (Stage::Dropped | Stage::Returned, _)
                | (
                    Stage::Ended,
                    Some(Outcome::Refused | Outcome::NotSent | Outcome::Lapsed | Outcome::Counted(_))
                )
        )
    }
}

/// Whether such an end says that the server has nothing of it.
fn had_no_effect(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::NotSent | Outcome::Refused | Outcome::Quota { .. } | Outcome::Lapsed)
}

/// Whether after such an end nobody knows if the decision landed. Any other end is the server's word on it.
fn leaves_doubt(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Unconfirmed | Outcome::InProgress | Outcome::Unknown)
}
