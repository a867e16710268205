//! What became of decisions, and of actions that others settled: one row each, newest first; a conflict that nobody
//! has taken note of stays near the top.
//!
//! A row says what the dispatcher and the feed told, and never more.

pub(super) mod view;

#[cfg(test)]
mod tests;

use crate::client::AttemptEvent;
use crate::console::app::layout::inside;
use crate::console::keymap::Intent;
use crate::console::widgets::{Scroll, scroll};
use crate::dispatch::Order;
use crate::domain::{Action, Decision, Execution, Outcome, Queued, Resolution, Standing, Untrusted};
use jiff::Timestamp;
use ratatui::layout::Rect;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Rows that are kept; the oldest that need nobody go first.
const KEPT: usize = 1_000;

/// What became of decisions.
#[derive(Debug, Clone, Default)]
pub struct Outcomes {
    /// Newest first.
    rows: Vec<Row>,
    cursor: Option<Uuid>,
    scroll: Scroll,
}

/// One thing that became of an action.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Of the row: for a decision of ours, the id of its order.
    pub id: Uuid,
    /// When it was decided here, or settled elsewhere.
    pub at: Timestamp,
    /// The action.
    pub action: Arc<Action>,
    /// What it was.
    pub kind: Kind,
}

/// What a row is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A decision made here.
    Ours(Box<Ours>),
    /// Somebody else settled it, the agent withdrew it, or nobody did in time: the entry as it then stood.
    Elsewhere(Box<Queued>),
}

/// A decision made here.
#[derive(Debug, Clone, PartialEq)]
pub struct Ours {
    /// What was to be sent, kept for another try under the same key and request id.
    pub order: Order,
    /// How far it is.
    pub progress: Progress,
    /// What the agent then did.
    pub execution: Option<Execution>,
    /// Whether the reviewer has taken note of a conflict.
    pub noted: bool,
    /// When the sending began, on the clock that only grows.
    started: Duration,
    /// How long it took, once it ended.
    pub took: Option<Duration>,
}

/// How far a decision is.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
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
    /// At an end, as far as it is known.
    Ended(Resolution),
    /// There is no server to send it to.
    Nowhere,
}

impl Progress {
    const START: Self = Self::Sending { number: 0, of: 0, last: None, next: None, looking: false };
}

impl Ours {
    /// Whether the opposite stands and nobody has taken note.
    pub fn is_open_conflict(&self) -> bool {
        !self.noted && matches!(&self.progress, Progress::Ended(end) if end.outcome == Outcome::Conflict)
    }

    pub(in crate::console::screens) fn may_try_again(&self) -> bool {
        let Progress::Ended(end) = &self.progress else { return false };
        matches!(
            end.outcome,
            Outcome::NotSent
                | Outcome::Unconfirmed
                | Outcome::Failed
                | Outcome::Quota { .. }
                | Outcome::InProgress
        )
    }
}

/// Whether a decision that ended like this leaves its action waiting, as far as is known.
pub fn leaves_it_waiting(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::NotSent | Outcome::Refused | Outcome::Quota { .. } | Outcome::Failed)
}

/// Whether a decision that ended like this may have landed, or another stands instead: nobody knows.
fn is_doubtful(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Unconfirmed | Outcome::InProgress | Outcome::Unknown)
}

impl Outcomes {
    /// A decision was made and goes out, or there is nowhere to send it.
    pub fn decided(&mut self, order: Order, goes_out: bool, tick: Duration) {
        let progress = if goes_out { Progress::START } else { Progress::Nowhere };
        let (id, at, action) = (order.id, order.decided_at, Arc::clone(&order.action));
        let ours = Ours { order, progress, execution: None, noted: false, started: tick, took: None };
        self.push(Row { id, at, action, kind: Kind::Ours(Box::new(ours)) });
    }

    /// An action was settled without a decision made here.
    pub fn settled(&mut self, id: Uuid, at: Timestamp, entry: Queued) {
        let action = Arc::clone(&entry.action);
        self.push(Row { id, at, action, kind: Kind::Elsewhere(Box::new(entry)) });
    }

    fn push(&mut self, row: Row) {
        self.rows.insert(0, row);
        if self.rows.len() > KEPT
            && let Some(oldest) = self.rows.iter().rposition(|row| match &row.kind {
                Kind::Ours(ours) => {
                    !ours.is_open_conflict()
                        && !matches!(ours.progress, Progress::Sending { .. })
                        && !ours.may_try_again()
                }
                Kind::Elsewhere(_) => true,
            })
        {
            self.rows.remove(oldest);
        }
    }

    fn ours_mut(&mut self, id: Uuid) -> Option<&mut Ours> {
        self.rows.iter_mut().find(|row| row.id == id).and_then(|row| match &mut row.kind {
            Kind::Ours(ours) => Some(ours.as_mut()),
            Kind::Elsewhere(_) => None,
        })
    }

    /// A try started, ended, or waits.
    pub fn attempted(&mut self, id: Uuid, event: AttemptEvent) {
        let Some(ours) = self.ours_mut(id) else { return };
        let Progress::Sending { number, of, last, next, looking } = &mut ours.progress else { return };
        match event {
            AttemptEvent::Started { number: this, of: most, .. } => {
                (*number, *of, *next, *looking) = (this, most, None, false);
            }
            AttemptEvent::Answered { http_status, error, .. } => {
                *last = http_status.map(|status| status.to_string().into()).or(error.map(Untrusted::from));
            }
            AttemptEvent::Waiting { next_number, of: most, until } => {
                (*number, *of, *next, *looking) = (next_number, most, Some(until), false);
            }
            AttemptEvent::Looking => *looking = true,
        }
    }

    /// A decision is at an end; returns the id of its action.
    pub fn ended(&mut self, id: Uuid, resolution: Resolution, tick: Duration) -> Option<String> {
        let ours = self.ours_mut(id)?;
        ours.took = Some(tick.saturating_sub(ours.started));
        ours.progress = Progress::Ended(resolution);
        Some(ours.order.action.id.clone())
    }

    /// The agent of an approved action went on.
    pub fn executed(&mut self, action: &str, execution: &Execution) {
        let ours = self.rows.iter_mut().filter(|row| row.action.id == action);
        for row in ours {
            match &mut row.kind {
                Kind::Ours(ours) => ours.execution = Some(execution.clone()),
                Kind::Elsewhere(entry) => entry.execution = Some(execution.clone()),
            }
        }
    }

    /// Whether the row of a decision made here on this action says what stands, or will: it is on its way, or its
    /// answer told. Then news of what stands is no surprise.
    pub fn covers(&self, action: &str) -> bool {
        self.newest_of(action).is_some_and(|ours| match &ours.progress {
            Progress::Sending { .. } => true,
            Progress::Ended(end) => !leaves_it_waiting(&end.outcome) && !is_doubtful(&end.outcome),
            Progress::Nowhere => false,
        })
    }

    /// The newest decision made here on this action.
    fn newest_of(&self, action: &str) -> Option<&Ours> {
        self.rows.iter().filter(|row| row.action.id == action).find_map(|row| match &row.kind {
            Kind::Ours(ours) => Some(ours.as_ref()),
            Kind::Elsewhere(_) => None,
        })
    }

    /// The queue tells which decision stands on an action. Where the newest one made here ended without knowing, now it
    /// is known: returns what it came to.
    pub fn learned(&mut self, action: &str, decision: &Decision) -> Option<Outcome> {
        let id = self.newest_of(action)?.order.id;
        let ours = self.ours_mut(id)?;
        let Progress::Ended(end) = &mut ours.progress else { return None };
        if !is_doubtful(&end.outcome) {
            return None;
        }
        end.outcome = if decision.verdict != ours.order.verdict {
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
        });
        Some(end.outcome.clone())
    }

    /// Takes note of the conflict under the cursor; `false` where there is none.
    pub fn acknowledge(&mut self) -> bool {
        let Some(id) = self.selected().map(|row| row.id) else { return false };
        let Some(ours) = self.ours_mut(id).filter(|ours| ours.is_open_conflict()) else { return false };
        ours.noted = true;
        true
    }

    /// The decision under the cursor goes out once more, under its key and request id; `None` where it cannot, because
    /// it is at an end, on its way, or was followed by another decision on the same action.
    pub fn try_again(&mut self, tick: Duration) -> Option<Order> {
        let row = self.selected()?;
        let (id, action) = (row.id, row.action.id.clone());
        let newest =
            self.rows.iter().find(|row| row.action.id == action && matches!(row.kind, Kind::Ours(_)))?;
        if newest.id != id {
            return None;
        }
        let ours = self.ours_mut(id).filter(|ours| ours.may_try_again())?;
        ours.progress = Progress::START;
        (ours.started, ours.took) = (tick, None);
        Some(ours.order.clone())
    }

    /// The rows in the order in which they show: newest first; but where nobody has taken note of a conflict, the newest
    /// decision made here, then such conflicts, then the rest. So a conflict stays in sight and hides no outcome.
    fn ordered(&self) -> Vec<&Row> {
        let open = |row: &&Row| matches!(&row.kind, Kind::Ours(ours) if ours.is_open_conflict());
        let (mut first, mut rest): (Vec<_>, Vec<_>) = self.rows.iter().partition(open);
        let latest = self.rows.iter().find(|row| matches!(row.kind, Kind::Ours(_)));
        if !first.is_empty()
            && let Some(latest) = latest.filter(|latest| !open(latest))
        {
            rest.retain(|row| row.id != latest.id);
            first.insert(0, latest);
        }
        first.extend(rest);
        first
    }

    /// The row under the cursor: where it was never moved a conflict that waits to be noted, else the first.
    pub fn selected(&self) -> Option<&Row> {
        let rows = self.ordered();
        rows.get(self.position(&rows)).copied()
    }

    fn position(&self, rows: &[&Row]) -> usize {
        let open = |row: &&Row| matches!(&row.kind, Kind::Ours(ours) if ours.is_open_conflict());
        let at = rows.iter().position(|row| Some(row.id) == self.cursor);
        at.or_else(|| rows.iter().position(open)).unwrap_or(0)
    }

    /// Moves the cursor by what the key means; `false` where the intent does not move.
    pub fn go(&mut self, intent: Intent) -> bool {
        let rows = self.ordered();
        let Some(last) = rows.len().checked_sub(1) else { return false };
        let from = self.position(&rows);
        let Some(to) = scroll::moved(intent, from, self.scroll.rows, last) else { return false };
        self.cursor = rows.get(to).map(|row| row.id);
        self.scroll.show(to);
        true
    }

    /// Takes in where the pane stands.
    pub fn resize(&mut self, frame: Option<Rect>) {
        if let Some(frame) = frame {
            self.scroll.resize(usize::from(inside(frame).height), self.rows.len());
            if self.cursor.is_some() {
                // What comes in above must not push the row that keys mean out of sight.
                self.scroll.show(self.position(&self.ordered()));
            }
        }
    }

    /// The rows that show.
    pub fn shown(&self) -> Vec<&Row> {
        let rows = self.ordered();
        rows.get(self.scroll.window()).map(<[_]>::to_vec).unwrap_or_default()
    }

    /// The row that shows where there is room for one: the first.
    pub fn newest(&self) -> Option<&Row> {
        self.ordered().first().copied()
    }

    /// How many rows do not show below.
    pub fn below(&self) -> usize {
        self.scroll.below()
    }

    fn count(&self, which: impl Fn(&Ours) -> bool) -> usize {
        let is = |row: &&Row| matches!(&row.kind, Kind::Ours(ours) if which(ours));
        self.rows.iter().filter(is).count()
    }

    /// Decisions on their way.
    pub fn sending(&self) -> usize {
        self.count(|ours| matches!(ours.progress, Progress::Sending { .. }))
    }

    /// Conflicts that nobody has taken note of.
    pub fn conflicts(&self) -> usize {
        self.count(Ours::is_open_conflict)
    }

    /// Decisions of which nobody knows whether they landed.
    pub fn unconfirmed(&self) -> usize {
        self.count(
            |ours| matches!(&ours.progress, Progress::Ended(end) if end.outcome == Outcome::Unconfirmed),
        )
    }
}
