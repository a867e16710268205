//! The list of what waits for a decision: entries by id, their order, and a cursor that is held by id and digest.
//!
//! A new arrival never moves the row under the cursor; when that row goes, the cursor rests on nothing until the next
//! move. What an entry's change means for a decision is not known here.

mod marks;
pub(super) mod view;

#[cfg(test)]
mod tests;

use crate::console::app::guard::{Selection, selection};
use crate::console::app::layout::inside;
use crate::console::keymap::Intent;
use crate::console::widgets::{Scroll, scroll};
use crate::domain::{Action, ActionState, Digest, Queued};
use jiff::Timestamp;
use ratatui::layout::Rect;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What waits for a decision.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    entries: HashMap<String, Queued>,
    /// What is listed, in order: by deadline, then by id.
    order: Vec<(Timestamp, String)>,
    /// Entries that are not listed, because a decision on them is on its way.
    out: HashSet<String>,
    /// Whether a listing is complete, and the link has held since. Then nothing needs to be kept for the next one.
    listed: bool,
    /// Entries that were settled while a listing was not complete: an older page must not bring them back.
    settled: HashSet<String>,
    /// Entries that were told live while a listing was not complete, which that listing may not name.
    fresh: HashSet<String>,
    cursor: Option<Selection>,
    /// What is marked, by id and digest.
    marks: HashMap<String, Digest>,
    /// Where the cursor was when its row went.
    near: usize,
    /// Whether the cursor was ever on something: the first arrival gets it, no later one does.
    started: bool,
    /// Whether the reviewer has ever moved the cursor: until then the first rows of all are worth more than the line
    /// that the first of them came to stand on.
    moved: bool,
    scroll: Scroll,
}

/// What news of one entry came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Applied {
    /// It is new and waits.
    Arrived,
    /// Nothing that the list shows has changed.
    Unchanged,
    /// It waited and no longer does: the entry as it now stands.
    Settled(Box<Queued>),
    /// It bears the id of a known action, and other bytes: the known one stays.
    Differs,
}

impl Queue {
    /// Takes in news of one entry. `live` where it was told as it happened, not by a listing.
    pub fn apply(&mut self, entry: Queued, live: bool) -> Applied {
        let id = entry.action.id.clone();
        if live && !self.listed {
            self.fresh.insert(id.clone());
        }
        let Some(known) = self.entries.get_mut(&id) else {
            if entry.state != ActionState::Pending {
                self.remember_settled(&id);
                return Applied::Unchanged;
            }
            if self.settled.contains(&id) {
                return Applied::Unchanged;
            }
            if !self.out.contains(&id) {
                self.enlist(&entry.action);
            }
            self.entries.insert(id, entry);
            return Applied::Arrived;
        };
        if known.action.digest != entry.action.digest {
            return Applied::Differs;
        }
        known.merge(&entry);
        if known.state == ActionState::Pending {
            return Applied::Unchanged;
        }
        match self.forget(&id) {
            Some(entry) => Applied::Settled(Box::new(entry)),
            None => Applied::Unchanged,
        }
    }

    /// A listing is complete: returns the entries that waited and that it does not name.
    pub fn complete(&mut self, pending: &HashSet<String>) -> Vec<Queued> {
        let gone: Vec<_> = self
            .entries
            .keys()
            .filter(|id| !pending.contains(*id) && !self.fresh.contains(*id))
            .cloned()
            .collect();
        self.settled.clear();
        self.fresh.clear();
        self.listed = true;
        gone.iter().filter_map(|id| self.forget(id)).collect()
    }

    /// The link broke: what waits is as the next listing says, not as it was told before.
    pub fn unlinked(&mut self) {
        self.listed = false;
        self.fresh.clear();
    }

    fn remember_settled(&mut self, id: &str) {
        if !self.listed {
            self.settled.insert(id.to_owned());
        }
    }

    /// Entries whose time is over, taken out of the list. For sources without a server to say so.
    pub fn expire(&mut self, now: Timestamp) -> Vec<Queued> {
        let over = self.order.iter().take_while(|(expires_at, _)| *expires_at <= now);
        let ids: Vec<_> = over.map(|(_, id)| id.clone()).collect();
        ids.iter()
            .filter_map(|id| self.forget(id))
            .map(|entry| Queued { state: ActionState::Expired, ..entry })
            .collect()
    }

    fn forget(&mut self, id: &str) -> Option<Queued> {
        let action = Arc::clone(&self.entries.get(id)?.action);
        self.remember_settled(id);
        if !self.out.remove(id) {
            self.delist(&action);
        }
        self.entries.remove(id)
    }

    /// Takes an entry out of the list while a decision on it is on its way; also one that is not known yet, because
    /// the decision was found in the journal.
    pub fn take_out(&mut self, id: &str) {
        if self.out.insert(id.to_owned())
            && let Some(action) = self.entries.get(id).map(|entry| Arc::clone(&entry.action))
        {
            self.delist(&action);
        }
    }

    /// Puts an entry back in the list: the decision on it came to nothing, and it still waits.
    pub fn put_back(&mut self, id: &str) {
        if self.out.remove(id)
            && let Some(action) = self.entries.get(id).map(|entry| Arc::clone(&entry.action))
        {
            self.enlist(&action);
        }
    }

    /// The rows under the cursor and above it keep their lines on the screen.
    fn enlist(&mut self, action: &Action) {
        let key = (action.expires_at, action.id.clone());
        let at = self.order.binary_search(&key).unwrap_or_else(|at| at);
        if self.moved && self.cursor_index().is_some_and(|cursor| at <= cursor) {
            self.scroll.top += 1;
        }
        self.order.insert(at, key);
        self.scroll.total = self.order.len();
        if !self.started {
            self.started = true;
            self.cursor = Some(selection(action));
        }
    }

    fn delist(&mut self, action: &Action) {
        let Ok(at) = self.order.binary_search(&(action.expires_at, action.id.clone())) else { return };
        match self.cursor_index() {
            Some(cursor) if cursor == at => {
                self.cursor = None;
                self.near = at;
            }
            Some(cursor) if at < cursor => self.scroll.top = self.scroll.top.saturating_sub(1),
            Some(_) => {}
            None if at < self.near => self.near -= 1,
            None => {}
        }
        self.order.remove(at);
        self.marks.remove(&action.id);
        self.scroll.total = self.order.len();
    }

    /// The entry under the cursor.
    pub fn selected(&self) -> Option<&Queued> {
        self.entries.get(&self.cursor.as_ref()?.0)
    }

    /// What the cursor is on, by id and digest.
    pub fn cursor(&self) -> Option<&Selection> {
        self.cursor.as_ref()
    }

    fn cursor_index(&self) -> Option<usize> {
        let action = &self.selected()?.action;
        self.order.binary_search(&(action.expires_at, action.id.clone())).ok()
    }

    /// Whether the entry is known to wait, listed or with a decision on its way.
    pub fn is_pending(&self, id: &str) -> bool {
        self.entries.contains_key(id)
    }

    /// How many are listed.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether nothing is listed.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Moves the cursor by what the key means; `false` where the intent does not move.
    pub fn go(&mut self, intent: Intent) -> bool {
        let Some(last) = self.order.len().checked_sub(1) else { return false };
        let resting = self.cursor_index().is_none();
        let from = self.cursor_index().unwrap_or(self.near.min(last));
        let to = match intent {
            // The row that took the place of the one that went is one step away, in both directions.
            Intent::Down if resting => Some(from),
            Intent::Up if resting => Some(from.saturating_sub(1)),
            _ => scroll::moved(intent, from, self.scroll.rows, last),
        };
        let Some(to) = to else { return false };
        self.cursor =
            self.order.get(to).and_then(|(_, id)| self.entries.get(id)).map(|entry| selection(&entry.action));
        (self.started, self.moved) = (true, true);
        self.scroll.show(to);
        true
    }

    /// Takes in where the list stands. Blank lines under the last row are allowed until the next move: the row under
    /// the cursor keeps its line.
    pub fn resize(&mut self, frame: Option<Rect>) {
        let Some(frame) = frame else { return };
        let rows = usize::from(inside(frame).height);
        let shrunk = rows != self.scroll.rows;
        self.scroll.rows = rows;
        self.scroll.total = self.order.len();
        match self.cursor_index() {
            Some(cursor) if shrunk || cursor < self.scroll.top || cursor >= self.scroll.top + rows => {
                self.scroll.show(cursor);
            }
            Some(_) => {}
            None => self.scroll.resize(rows, self.order.len()),
        }
    }

    /// The rows that show, each with whether the cursor is on it.
    pub fn rows(&self) -> impl Iterator<Item = (&Queued, bool)> {
        let cursor = self.cursor.as_ref().map(|(id, _)| id.as_str());
        let shown = self.order.get(self.scroll.window()).unwrap_or_default();
        shown
            .iter()
            .filter_map(|(_, id)| self.entries.get(id))
            .map(move |entry| (entry, cursor == Some(entry.action.id.as_str())))
    }

    /// How many rows do not show: above and below.
    pub fn hidden(&self) -> (usize, usize) {
        (self.scroll.top.min(self.order.len()), self.scroll.below())
    }
}
