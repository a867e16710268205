//! A decision made here and how far it is, as the dispatcher tells it. The journal is the truth; this only shows it.

use crate::client::AttemptEvent;
use crate::dispatch::{Entry, News, Order, Stage};
use crate::domain::timestamp::between;
use crate::domain::{Decision, Execution, Outcome, Resolution, Review, Standing, Try, Untrusted};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// A decision made here.
#[derive(Debug, Clone, PartialEq)]
pub struct Ours {
    /// What was decided, on what.
    pub order: Order,
    /// How far it is.
    pub progress: Progress,
    /// What the agent then did.
    pub execution: Option<Execution>,
    /// Who else has approved it, where it needs more than one reviewer.
    pub review: Option<Arc<Review>>,
    /// Whether the reviewer has taken note of a conflict.
    pub noted: bool,
    /// The tries that were seen to end, until the whole of them is known with the outcome.
    tries: Vec<Try>,
    /// When the try started that is under way.
    pub under_way: Option<Timestamp>,
    /// When the sending began, on the clock that only grows.
    started: Duration,
    /// How long it took, once it ended.
    pub took: Option<Duration>,
}

/// How far a decision is.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// Handed to the journal, not known to be on disk yet.
    Recording,
    /// On disk, and not sent before its grace time is over.
    Held {
        /// When that is.
        until: Timestamp,
    },
    /// On disk; goes out when its turn comes, or when the link is back.
    Queued,
    /// On its way.
    Sending {
        /// The try that is under way or comes next; 0 before the first.
        number: u32,
        /// How many there are at most.
        of: u32,
        /// What the last try came to, in plain words.
        last: Option<Untrusted>,
        /// When the next try starts, while one is waited for.
        next: Option<Timestamp>,
        /// Whether the server is being asked what stands.
        looking: bool,
    },
    /// It may have landed; the server is asked again and again.
    Doubtful {
        /// When next.
        next: Timestamp,
        /// What is known so far.
        resolution: Resolution,
    },
    /// At an end, as far as it is known.
    Ended(Resolution),
    /// Taken back in its grace time; nothing was sent.
    Dropped,
    /// Not sent, because its action no longer stood as it was seen.
    Returned {
        /// What had changed.
        why: Untrusted,
    },
    /// Not taken: the journal could not keep it, so nothing was sent.
    NotTaken {
        /// What the journal said.
        why: Untrusted,
    },
    /// On disk, and nothing more can be done for it here, because the journal has failed since.
    Stopped {
        /// What the journal said.
        why: Untrusted,
    },
    /// There is no server to send it to.
    Nowhere,
}

impl Progress {
    const FIRST: Self = Self::Sending { number: 0, of: 0, last: None, next: None, looking: false };
}

impl Ours {
    /// A decision that was made just now.
    pub fn new(order: Order, goes_out: bool, tick: Duration) -> Self {
        let progress = if goes_out { Progress::Recording } else { Progress::Nowhere };
        Self::at(order, progress, false, tick)
    }

    /// A decision that the journal had kept.
    pub fn found(order: Order, entry: &Entry, tick: Duration) -> Self {
        let progress = match (entry.stage, &entry.resolution) {
            (Stage::Held, _) => Progress::Held { until: entry.intent.hold_until.unwrap_or(order.decided_at) },
            (Stage::Queued, _) => Progress::Queued,
            (Stage::Doubtful, Some(resolution)) => Progress::Doubtful {
                next: entry.next_at.unwrap_or(entry.updated_at),
                resolution: resolution.clone(),
            },
            (Stage::Ended, Some(resolution)) => Progress::Ended(resolution.clone()),
            (Stage::Dropped, _) => Progress::Dropped,
            (Stage::Returned, _) => {
                Progress::Returned { why: entry.returned.clone().unwrap_or_default().into() }
            }
            (Stage::Sending | Stage::Doubtful | Stage::Ended, _) => Progress::FIRST,
        };
        Self::at(order, progress, entry.acknowledged, tick)
    }

    fn at(order: Order, progress: Progress, noted: bool, tick: Duration) -> Self {
        let (execution, review, tries, under_way, took) = (None, None, Vec::new(), None, None);
        Self { order, progress, execution, review, noted, tries, under_way, started: tick, took }
    }

    /// Whether the server refused it because the action has other bytes than those it was decided on (wire.md, part 3).
    pub fn was_about_other_bytes(&self) -> bool {
        let status = match &self.progress {
            Progress::Ended(resolution) if resolution.outcome == Outcome::Refused => resolution.http_status,
            _ => None,
        };
        status == Some(412)
    }

    /// Takes in what the dispatcher tells.
    pub fn hear(&mut self, news: News, tick: Duration) {
        match news {
            News::Found(entry) => *self = Self::found(self.order.clone(), &entry, tick),
            News::Held { until } => self.progress = Progress::Held { until },
            News::Queued => self.progress = Progress::Queued,
            News::Attempt(attempt) => self.attempted(attempt, tick),
            News::Resolved(resolution) => {
                self.took = self.took.or(Some(tick.saturating_sub(self.started)));
                self.progress = Progress::Ended(resolution);
            }
            News::Doubtful { next, resolution } => self.progress = Progress::Doubtful { next, resolution },
            News::Dropped => self.progress = Progress::Dropped,
            News::Returned { why } => self.progress = Progress::Returned { why: why.into() },
            News::Stopped { why } => self.progress = Progress::Stopped { why: why.into() },
            News::NotRecorded { why } => self.progress = Progress::NotTaken { why: why.into() },
        }
    }

    /// A try started, ended, or waits. Late news of a decision that has ended changes nothing.
    fn attempted(&mut self, event: AttemptEvent, tick: Duration) {
        if matches!(self.progress, Progress::Recording | Progress::Held { .. } | Progress::Queued) {
            self.progress = Progress::FIRST;
            (self.started, self.took) = (tick, None);
        }
        let Progress::Sending { number, of, last, next, looking } = &mut self.progress else { return };
        match event {
            AttemptEvent::Started { number: this, of: most, at } => {
                (*number, *of, *next, *looking) = (this, most, None, false);
                self.under_way = Some(at);
            }
            AttemptEvent::Answered { number: this, http_status, error, took } => {
                if let Some(started) = self.under_way.take() {
                    let free = self.tries.last().and_then(|last| last.started.checked_add(last.took).ok());
                    let waited = free.map_or(Duration::ZERO, |free| between(free, started));
                    let error = error.clone();
                    self.tries.push(Try { number: this, http_status, error, started, took, waited });
                }
                *last = http_status.map(|status| status.to_string().into()).or(error.map(Untrusted::from));
            }
            AttemptEvent::Waiting { next_number, of: most, until } => {
                (*number, *of, *next, *looking) = (next_number, most, Some(until), false);
            }
            AttemptEvent::Looking => *looking = true,
        }
    }

    /// It goes out once more: from here on the time counts anew.
    pub fn sent_again(&mut self, tick: Duration) {
        self.progress = Progress::Queued;
        (self.started, self.took) = (tick, None);
    }

    /// How it ended, or what is known of it while it is in doubt.
    pub fn resolution(&self) -> Option<&Resolution> {
        match &self.progress {
            Progress::Ended(resolution) | Progress::Doubtful { resolution, .. } => Some(resolution),
            _ => None,
        }
    }

    /// The decision that stands, as far as it is known.
    pub fn standing(&self) -> Option<&Standing> {
        self.resolution()?.standing.as_ref()
    }

    /// Every try that has ended, in order.
    pub fn tries(&self) -> &[Try] {
        self.resolution().map(|end| &end.tries).filter(|tries| !tries.is_empty()).unwrap_or(&self.tries)
    }

    /// The word for how far it is (screen.md, *Outcomes: the words*).
    pub fn label(&self) -> String {
        let label = match &self.progress {
            Progress::Recording | Progress::Sending { .. } => "sending",
            Progress::Held { .. } => "held",
            Progress::Queued => "queued",
            Progress::Doubtful { .. } => "unconfirmed",
            Progress::Dropped => "undone",
            Progress::Returned { .. } => "returned",
            Progress::NotTaken { .. } => "not taken",
            Progress::Stopped { .. } => "stopped",
            Progress::Nowhere => "not sent",
            Progress::Ended(end) => return end.outcome.label(end.http_status),
        };
        label.to_owned()
    }

    /// How it ended, once it did.
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.progress {
            Progress::Ended(end) => Some(&end.outcome),
            _ => None,
        }
    }

    /// Whether the opposite stands and nobody has taken note.
    pub fn is_open_conflict(&self) -> bool {
        !self.noted && self.outcome() == Some(&Outcome::Conflict)
    }

    /// Whether it can still be taken back.
    pub fn is_held(&self) -> bool {
        matches!(self.progress, Progress::Held { .. })
    }

    /// Whether it is on disk and waits for its turn or for the link.
    pub fn is_queued(&self) -> bool {
        matches!(self.progress, Progress::Queued)
    }

    /// Whether it is on its way now.
    pub fn is_sending(&self) -> bool {
        matches!(self.progress, Progress::Recording | Progress::Sending { .. })
    }

    /// Whether nobody knows if it landed.
    pub fn is_unconfirmed(&self) -> bool {
        matches!(self.progress, Progress::Doubtful { .. }) || self.outcome() == Some(&Outcome::Unconfirmed)
    }

    /// Whether it counts, and waits for another reviewer.
    pub fn is_counted(&self) -> bool {
        matches!(self.outcome(), Some(Outcome::Counted(_)))
    }

    /// Its action ended without another reviewer's decision: it counts no more.
    pub fn lapsed(&mut self) {
        if let Progress::Ended(end) = &mut self.progress
            && matches!(end.outcome, Outcome::Counted(_))
        {
            end.outcome = Outcome::Lapsed;
        }
    }

    /// Whether the reviewer may send it once more, under the same key.
    pub fn may_try_again(&self) -> bool {
        matches!(
            self.outcome(),
            Some(
                Outcome::NotSent
                    | Outcome::Unconfirmed
                    | Outcome::Failed
                    | Outcome::Lapsed
                    | Outcome::Quota { .. }
                    | Outcome::InProgress
            )
        )
    }

    /// Whether, as far as is known, its action still waits for a decision.
    pub fn leaves_it_waiting(&self) -> bool {
        match &self.progress {
            Progress::Dropped | Progress::Returned { .. } | Progress::NotTaken { .. } => true,
            Progress::Ended(end) => matches!(
                end.outcome,
                Outcome::NotSent
                    | Outcome::Refused
                    | Outcome::Quota { .. }
                    | Outcome::Failed
                    | Outcome::Counted(_)
                    | Outcome::Lapsed
            ),
            _ => false,
        }
    }

    fn counted(&mut self) -> Option<&mut Resolution> {
        match &mut self.progress {
            Progress::Ended(end) => Some(end),
            _ => None,
        }
    }

    /// Whether nobody knows if this decision or another stands.
    fn doubt(&mut self) -> Option<&mut Resolution> {
        match &mut self.progress {
            Progress::Doubtful { resolution, .. } => Some(resolution),
            Progress::Ended(end)
                if matches!(end.outcome, Outcome::Unconfirmed | Outcome::InProgress | Outcome::Unknown) =>
            {
                Some(end)
            }
            _ => None,
        }
    }

    /// Whether the row says what stands, or will: it is on its way, or its answer told. Then news of what stands is no
    /// surprise.
    pub fn covers(&self) -> bool {
        match &self.progress {
            Progress::Recording | Progress::Held { .. } | Progress::Queued | Progress::Sending { .. } => true,
            // What another reviewer makes of it is told by its own answer too.
            Progress::Ended(Resolution { outcome: Outcome::Counted(_), .. }) => true,
            Progress::Ended(end) => {
                let doubt =
                    [Outcome::Unconfirmed, Outcome::InProgress, Outcome::Unknown].contains(&end.outcome);
                !doubt && !self.leaves_it_waiting()
            }
            _ => false,
        }
    }

    /// The queue tells which decision stands on its action. Where it was not known here, now it is: returns what it
    /// came to.
    pub fn learned(&mut self, decision: &Decision) -> Option<Outcome> {
        let verdict = self.order.verdict;
        let counted = self.is_counted();
        if counted && decision.verdict == verdict {
            // Whether ours is a part of it, the server is being asked.
            return None;
        }
        let end = if counted { self.counted()? } else { self.doubt()? };
        end.outcome = if decision.verdict != verdict {
            Outcome::Conflict
        } else if decision.request_id.eq_ignore_ascii_case(&end.request_id) {
            Outcome::Mine
        } else {
            Outcome::Same
        };
        end.standing = Some(Standing {
            verdict: Some(decision.verdict),
            reviewer: Some(decision.reviewer.clone()),
            request_id: Some(decision.request_id.clone()),
            decided_at: Some(decision.decided_at),
            status: end.standing.as_ref().and_then(|standing| standing.status),
            count: None,
        });
        let (outcome, resolution) = (end.outcome.clone(), end.clone());
        self.progress = Progress::Ended(resolution);
        Some(outcome)
    }

    /// Whether the row may be forgotten when there are too many.
    pub fn is_over(&self) -> bool {
        let over = matches!(
            self.progress,
            Progress::Ended(_)
                | Progress::Dropped
                | Progress::Returned { .. }
                | Progress::NotTaken { .. }
                | Progress::Nowhere
        );
        over && !self.is_open_conflict() && !self.may_try_again() && !self.is_counted()
    }
}
