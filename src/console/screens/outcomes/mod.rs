//! What became of decisions, and of actions that others settled: one row each, newest first; a conflict that nobody
//! has taken note of stays near the top.
//!
//! A row says what the dispatcher and the feed told, and never more.

mod decision;
mod rows;
pub(in crate::console) mod view;

#[cfg(test)]
mod tests;

pub use decision::{Ours, Progress};

use self::rows::Rows;
use crate::console::app::layout::inside;
use crate::console::keymap::Intent;
use crate::console::widgets::{Scroll, scroll};
use crate::dispatch::{News, Order};
use crate::domain::{Action, Decision, Execution, Outcome, Queued};
use jiff::Timestamp;
use ratatui::layout::Rect;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// What became of decisions.
#[derive(Debug, Clone, Default)]
pub struct Outcomes {
    rows: Rows,
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

impl Outcomes {
    /// A decision was made and goes out, or there is nowhere to send it.
    pub fn decided(&mut self, order: Order, goes_out: bool, tick: Duration) {
        self.keep(Ours::new(order, goes_out, tick));
    }

    /// A decision was found in the journal.
    pub fn found(&mut self, ours: Ours) {
        if self.ours_mut(ours.order.id).is_none() {
            self.keep(ours);
        }
    }

    fn keep(&mut self, ours: Ours) {
        let Order { id, decided_at: at, action, .. } = &ours.order;
        let (id, at, action) = (*id, *at, Arc::clone(action));
        self.rows.push(Row { id, at, action, kind: Kind::Ours(Box::new(ours)) });
    }

    /// An action was settled without a decision made here.
    pub fn settled(&mut self, id: Uuid, at: Timestamp, entry: Queued) {
        let action = Arc::clone(&entry.action);
        self.rows.push(Row { id, at, action, kind: Kind::Elsewhere(Box::new(entry)) });
    }

    /// Every row, newest first.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter()
    }

    /// The row with this id.
    pub fn row(&self, id: Uuid) -> Option<&Row> {
        self.rows.get(id)
    }

    /// The newest row of this action.
    pub fn newest_row_of(&self, action: &str) -> Option<&Row> {
        self.rows.of_action(action).next()
    }

    /// Puts the cursor on this row.
    pub fn point(&mut self, id: Uuid) {
        self.cursor = Some(id);
    }

    fn ours_mut(&mut self, id: Uuid) -> Option<&mut Ours> {
        self.rows.get_mut(id).and_then(|row| match &mut row.kind {
            Kind::Ours(ours) => Some(ours.as_mut()),
            Kind::Elsewhere(_) => None,
        })
    }

    /// Takes in what the dispatcher tells of a decision; returns it as it then is.
    pub fn hear(&mut self, id: Uuid, news: News, tick: Duration) -> Option<&Ours> {
        let ours = self.ours_mut(id)?;
        ours.hear(news, tick);
        Some(ours)
    }

    /// The agent of an approved action went on.
    pub fn executed(&mut self, action: &str, execution: &Execution) {
        self.rows.change(action, |row| match &mut row.kind {
            Kind::Ours(ours) => ours.execution = Some(execution.clone()),
            Kind::Elsewhere(entry) => entry.execution = Some(execution.clone()),
        });
    }

    /// Whether the row of a decision made here on this action says what stands, or will: it is on its way, or its
    /// answer told. Then news of what stands is no surprise.
    pub fn covers(&self, action: &str) -> bool {
        self.newest_of(action).is_some_and(Ours::covers)
    }

    /// The newest decision made here on this action.
    fn newest_of(&self, action: &str) -> Option<&Ours> {
        self.rows.of_action(action).find_map(|row| match &row.kind {
            Kind::Ours(ours) => Some(ours.as_ref()),
            Kind::Elsewhere(_) => None,
        })
    }

    /// The queue tells which decision stands on an action. Where the newest one made here ended without knowing, now it
    /// is known: returns what it came to.
    pub fn learned(&mut self, action: &str, decision: &Decision) -> Option<Outcome> {
        let id = self.newest_of(action)?.order.id;
        self.ours_mut(id)?.learned(decision)
    }

    /// Takes note of the conflict under the cursor and returns its id; `None` where there is none.
    pub fn acknowledge(&mut self) -> Option<Uuid> {
        let id = self.selected()?.id;
        let ours = self.ours_mut(id).filter(|ours| ours.is_open_conflict())?;
        ours.noted = true;
        Some(id)
    }

    /// The decision under the cursor goes out once more, under its key and request id; `None` where it cannot, because
    /// it is at an end, on its way, or was followed by another decision on the same action.
    pub fn try_again(&mut self, tick: Duration) -> Option<Order> {
        let row = self.selected()?;
        let (id, action) = (row.id, row.action.id.clone());
        if self.newest_of(&action)?.order.id != id {
            return None;
        }
        let ours = self.ours_mut(id).filter(|ours| ours.may_try_again())?;
        ours.sent_again(tick);
        Some(ours.order.clone())
    }

    /// What `u` takes back: the decision under the cursor of this pane where it is held, else the newest held, with all
    /// that were made in the same stroke.
    pub fn to_undo(&self, from_here: bool) -> Vec<Uuid> {
        let held = |row: &&Row| matches!(&row.kind, Kind::Ours(ours) if ours.is_held());
        if let Some(row) = self.selected().filter(|_| from_here).filter(|row| held(row)) {
            return vec![row.id];
        }
        let Some(newest) = self.rows.iter().find(held) else { return Vec::new() };
        self.rows.iter().filter(held).filter(|row| row.at == newest.at).map(|row| row.id).collect()
    }

    /// Every decision that can still be taken back, oldest first.
    pub fn held_ids(&self) -> Vec<Uuid> {
        let held = |row: &&Row| matches!(&row.kind, Kind::Ours(ours) if ours.is_held());
        self.rows.iter().rev().filter(held).map(|row| row.id).collect()
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

    /// The number of the first row that shows.
    pub fn top(&self) -> usize {
        self.scroll.top
    }

    /// How many rows do not show below.
    pub fn below(&self) -> usize {
        self.scroll.below()
    }

    fn count(&self, which: impl Fn(&Ours) -> bool) -> usize {
        let is = |row: &&Row| matches!(&row.kind, Kind::Ours(ours) if which(ours));
        self.rows.iter().filter(is).count()
    }

    /// Decisions that can still be taken back.
    pub fn held(&self) -> usize {
        self.count(Ours::is_held)
    }

    /// Decisions that are on disk and wait for their turn or for the link.
    pub fn queued(&self) -> usize {
        self.count(Ours::is_queued)
    }

    /// Decisions on their way.
    pub fn sending(&self) -> usize {
        self.count(Ours::is_sending)
    }

    /// Conflicts that nobody has taken note of.
    pub fn conflicts(&self) -> usize {
        self.count(Ours::is_open_conflict)
    }

    /// Decisions that may have landed and that the server is asked about again and again.
    pub fn asking(&self) -> usize {
        self.count(|ours| matches!(ours.progress, Progress::Doubtful { .. }))
    }

    /// Decisions of which nobody knows whether they landed.
    pub fn unconfirmed(&self) -> usize {
        self.count(Ours::is_unconfirmed)
    }
}
