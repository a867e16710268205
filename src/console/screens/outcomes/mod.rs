//! What became of decisions, and of actions that others settled: a history of one row each, newest first; a conflict that
//! nobody has taken note of stays near the top. It can be filtered, and a row can be opened.
//!
//! A row says what the dispatcher, the journal and the feed told, and never more.

mod account;
mod decision;
mod page;
mod rows;
mod sorted;
pub(in crate::console) mod view;
pub(in crate::console) mod words;

#[cfg(test)]
mod tests;

pub use decision::{Ours, Progress};
pub use page::Page;

use self::rows::Rows;
use self::sorted::Sorted;
use crate::console::app::layout::inside;
use crate::console::keymap::Intent;
use crate::console::widgets::search::Words;
use crate::console::widgets::{Scroll, Search, scroll};
use crate::dispatch::{News, Order};
use crate::domain::{Action, Decision, Execution, Outcome, Queued, Review};
use jiff::Timestamp;
use ratatui::layout::Rect;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// What became of decisions.
#[derive(Debug, Clone, Default)]
pub struct Outcomes {
    rows: Rows,
    /// What follows from the rows and the filter, unless `stale`.
    sorted: Sorted,
    stale: bool,
    cursor: Option<Uuid>,
    scroll: Scroll,
    search: Search,
    page: Option<Page>,
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

impl Row {
    fn of(ours: Ours) -> Self {
        let Order { id, decided_at: at, action, .. } = &ours.order;
        let (id, at, action) = (*id, *at, Arc::clone(action));
        Self { id, at, action, kind: Kind::Ours(Box::new(ours)) }
    }

    /// What a filter goes through, in small letters: verdict, outcome, action, agent, thread and reviewer.
    fn searched(&self) -> String {
        let (label, verdict, reviewer) = match &self.kind {
            Kind::Ours(ours) => {
                let reviewer = ours.standing().and_then(|standing| standing.reviewer.as_ref());
                let word = ours.outcome().map_or("", Outcome::word);
                let own = ours.order.reviewer.as_deref().unwrap_or_default();
                (
                    format!("{}\n{word}", ours.label()),
                    ours.order.verdict.word(),
                    [own, reviewer.map_or("", |name| name.raw())],
                )
            }
            Kind::Elsewhere(entry) => {
                let decision = entry.decision.as_ref();
                let verdict = decision.map_or("", |decision| decision.verdict.word());
                (
                    words::label(entry).into(),
                    verdict,
                    ["", decision.map_or("", |decision| decision.reviewer.raw())],
                )
            }
        };
        let action = &self.action;
        let foreign = [action.name.raw(), action.agent.raw(), action.thread_id.raw()];
        // A line for each, which no word can reach across.
        let fields = [label.as_str(), verdict].into_iter().chain(foreign).chain(reviewer);
        fields.collect::<Vec<_>>().join("\n").to_lowercase()
    }
}

impl Outcomes {
    /// A decision was made and goes out, or there is nowhere to send it.
    pub fn decided(&mut self, order: Order, goes_out: bool, tick: Duration) {
        self.stale = true;
        self.rows.push(Row::of(Ours::new(order, goes_out, tick)));
    }

    /// A decision was found in the journal.
    pub fn found(&mut self, ours: Ours) {
        if self.rows.get(ours.order.id).is_none() {
            self.stale = true;
            self.rows.push(Row::of(ours));
        }
    }

    /// Decisions of which the journal knows how they ended, before this console was opened. What is known already stays.
    pub fn remembered(&mut self, earlier: impl IntoIterator<Item = Ours>) {
        for ours in earlier {
            if self.rows.get(ours.order.id).is_none() {
                self.stale = true;
                self.rows.file(Row::of(ours));
            }
        }
    }

    /// An action was settled without a decision made here.
    pub fn settled(&mut self, id: Uuid, at: Timestamp, entry: Queued) {
        let action = Arc::clone(&entry.action);
        self.stale = true;
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
        self.stale = true;
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
        self.stale |= self.rows.change(action, |row| match &mut row.kind {
            Kind::Ours(ours) => ours.execution = Some(execution.clone()),
            Kind::Elsewhere(entry) => entry.execution = Some(execution.clone()),
        });
    }

    /// Another reviewer has approved, or an approval counts no more.
    pub fn reviewed(&mut self, action: &str, review: &Arc<Review>) {
        self.stale |= self.rows.change(action, |row| match &mut row.kind {
            Kind::Ours(ours) => ours.review = Some(Arc::clone(review)),
            Kind::Elsewhere(entry) => entry.review = Some(Arc::clone(review)),
        });
    }

    /// The action ended without a decision: what counted on it counts no more.
    pub fn lapsed(&mut self, action: &str) {
        self.stale |= self.rows.change(action, |row| {
            if let Kind::Ours(ours) = &mut row.kind {
                ours.lapsed();
            }
        });
    }

    /// Whether an approval made here counts on this action.
    pub fn counts(&self, action: &str) -> bool {
        self.newest_of(action).is_some_and(Ours::is_counted)
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

    /// The row that keys mean: the opened one, else the one under the cursor; where that was never moved a conflict that
    /// waits to be noted, else the first.
    pub fn selected(&self) -> Option<&Row> {
        if let Some(page) = &self.page {
            return self.rows.get(page.id);
        }
        let under = self.cursor.and_then(|id| self.rows.get(id)).filter(|row| self.shows(row));
        under.or_else(|| {
            let sorted = self.sorted();
            sorted.order.get(sorted.conflict().unwrap_or(0)).and_then(|place| self.rows.at(*place))
        })
    }

    fn position(&self) -> usize {
        let place = self.selected().and_then(|row| self.rows.place_of(row.id));
        let order = &self.sorted().order;
        place.and_then(|place| order.iter().position(|other| *other == place)).unwrap_or(0)
    }

    /// Moves the cursor by what the key means, or scrolls what is open; `false` where the intent does not move.
    pub fn go(&mut self, intent: Intent) -> bool {
        if let Some(page) = &mut self.page {
            return page.scroll.go(intent);
        }
        let Some(last) = self.sorted().order.len().checked_sub(1) else { return false };
        let Some(to) = scroll::moved(intent, self.position(), self.scroll.rows, last) else { return false };
        self.put_cursor(to);
        true
    }

    fn put_cursor(&mut self, to: usize) {
        let place = self.sorted().order.get(to).copied();
        self.cursor = place.and_then(|place| self.rows.at(place)).map(|row| row.id);
        self.scroll.show(to);
    }

    /// Opens the row under the cursor; `false` where there is none.
    pub fn open(&mut self) -> bool {
        let Some(id) = self.selected().map(|row| row.id) else { return false };
        self.cursor = Some(id);
        self.page.get_or_insert_with(|| Page::new(id));
        true
    }

    /// What is open.
    pub fn page(&self) -> Option<&Page> {
        self.page.as_ref()
    }

    /// Opens what is folded in the open row, or closes it again.
    pub fn toggle_folds(&mut self) {
        if let Some(page) = &mut self.page {
            page.toggle_folds();
        }
    }

    /// One step back: out of the open row, then out of the filter; `false` where there is nothing to leave.
    pub fn back(&mut self) -> bool {
        if self.page.take().is_some() {
            return true;
        }
        let filtered = self.search.is_active();
        if filtered {
            self.change_search(Search::clear);
        }
        filtered
    }

    /// Keys go to another pane.
    pub fn left(&mut self) {
        self.page = None;
        if self.search.is_typing() {
            self.search.keep();
        }
    }

    /// The filter.
    pub fn search(&self) -> &Search {
        &self.search
    }

    /// Changes the filter; the cursor stays on its row where that still shows.
    pub fn change_search<T>(&mut self, change: impl FnOnce(&mut Search) -> T) -> T {
        let changed = change(&mut self.search);
        self.stale = true;
        self.refresh();
        let position = self.position();
        self.scroll.resize(self.scroll.rows, self.sorted.order.len());
        self.scroll.show(position);
        changed
    }

    fn shows(&self, row: &Row) -> bool {
        !self.search.is_active() || Words::of(self.search.text()).match_lowercase(&row.searched())
    }

    fn sorted(&self) -> Cow<'_, Sorted> {
        if self.stale {
            Cow::Owned(Sorted::of(&self.rows, &Words::of(self.search.text())))
        } else {
            Cow::Borrowed(&self.sorted)
        }
    }

    fn refresh(&mut self) {
        if self.stale {
            self.sorted = Sorted::of(&self.rows, &Words::of(self.search.text()));
            self.stale = false;
        }
    }

    /// Takes in where the pane stands.
    pub fn resize(&mut self, frame: Option<Rect>) {
        self.refresh();
        if self.page.as_ref().is_some_and(|page| self.rows.get(page.id).is_none()) {
            self.page = None;
        }
        if let Some(frame) = frame.filter(|_| self.page.is_none()) {
            self.scroll.resize(usize::from(inside(frame).height), self.sorted.order.len());
            if self.cursor.is_some() {
                // What comes in above must not push the row that keys mean out of sight.
                self.scroll.show(self.position());
            }
        }
    }

    /// Brings what is open in line with where it stands and with what is known by now.
    pub(in crate::console) fn lay_out(&mut self, frame: Option<Rect>, words: &words::Words<'_>) {
        let (Some(page), Some(frame)) = (&mut self.page, frame) else { return };
        if let Some(row) = self.rows.get(page.id) {
            page.lay_out(row, frame, words);
        }
    }

    /// The rows that show.
    pub fn shown(&self) -> Vec<&Row> {
        let sorted = self.sorted();
        let places = sorted.order.get(self.scroll.window()).unwrap_or_default();
        places.iter().filter_map(|place| self.rows.at(*place)).collect()
    }

    /// The row that shows where there is room for one: the newest decision made here while a conflict waits to be noted,
    /// else the newest of all.
    pub fn newest(&self) -> Option<&Row> {
        let ours = |row: &&Row| matches!(row.kind, Kind::Ours(_));
        // What rules allow is counted at the top, and would push everything else away.
        let persons = |row: &&Row| !matches!(&row.kind, Kind::Elsewhere(entry) if entry.is_allowed_by_rule());
        let mut all = self.rows.iter();
        if self.conflicts() > 0 { all.find(ours) } else { all.find(persons) }
    }

    /// The number of the first row that shows, or of the first line of what is open.
    pub fn top(&self) -> usize {
        self.page.as_ref().map_or(self.scroll.top, |page| page.scroll.top)
    }

    /// How many rows do not show: above and below.
    pub fn hidden(&self) -> (usize, usize) {
        (self.scroll.window().start, self.scroll.below())
    }

    /// How many rows the filter lets through, and how many there are.
    pub fn counted(&self) -> (usize, usize) {
        (self.sorted().order.len(), self.rows.len())
    }

    /// How many rows went because there were too many.
    pub fn forgotten(&self) -> usize {
        self.rows.forgotten()
    }

    /// Decisions that can still be taken back.
    pub fn held(&self) -> usize {
        self.sorted().held
    }

    /// Decisions that are on disk and wait for their turn or for the link.
    pub fn queued(&self) -> usize {
        self.sorted().queued
    }

    /// Decisions on their way.
    pub fn sending(&self) -> usize {
        self.sorted().sending
    }

    /// Approvals that count and wait for another reviewer.
    pub fn counted_ones(&self) -> usize {
        self.sorted().counted
    }

    /// Conflicts that nobody has taken note of.
    pub fn conflicts(&self) -> usize {
        self.sorted().conflicts
    }

    /// Decisions that may have landed and that the server is asked about again and again.
    pub fn asking(&self) -> usize {
        self.sorted().asking
    }

    /// Decisions of which nobody knows whether they landed.
    pub fn unconfirmed(&self) -> usize {
        self.sorted().unconfirmed
    }
}
