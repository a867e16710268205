//! What is listed, in order, and the cursor on it: held by what it is on, never by a row number. A row that comes or goes
//! moves no other row on the screen.

use super::{Queue, Row, RowKey};
use crate::console::app::guard::{Selection, selection};
use crate::console::app::layout::inside;
use crate::console::keymap::Intent;
use crate::console::widgets::scroll;
use crate::domain::{Action, Queued, Untrusted};
use jiff::Timestamp;
use ratatui::layout::Rect;

/// What the cursor is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cursor {
    /// An action, by id and digest.
    Action(Selection),
    /// What one agent asked too fast.
    Flood(Untrusted),
}

impl Queue {
    /// It waits and is listed: by itself, or under the row of a flood.
    pub(super) fn enlist(&mut self, action: &Action) {
        self.waiting += 1;
        if self.floods.has(action) {
            let (flood, first) = self.floods.add(action);
            let (place, open) = (flood.place, flood.open);
            if first {
                self.insert((place, RowKey::Flood(action.agent.clone())));
            }
            if open {
                self.insert(key(action));
            }
        } else {
            self.insert(key(action));
        }
        if !self.started && !self.floods.has(action) {
            self.started = true;
            self.cursor = Some(Cursor::Action(selection(action)));
        }
    }

    /// It is no longer listed.
    pub(super) fn delist(&mut self, action: &Action) {
        self.waiting -= 1;
        self.marks.remove(&action.id);
        if !self.floods.has(action) {
            self.remove(&key(action));
            return;
        }
        let Some((flood, last)) = self.floods.remove(action) else { return };
        if flood.open {
            self.remove(&key(action));
        }
        if last {
            self.remove(&(flood.place, RowKey::Flood(action.agent.clone())));
        }
    }

    /// The rows under the cursor and above it keep their lines on the screen.
    fn insert(&mut self, key: (Timestamp, RowKey)) {
        let at = self.order.binary_search(&key).unwrap_or_else(|at| at);
        if self.moved && self.cursor_index().is_some_and(|cursor| at <= cursor) {
            self.scroll.top += 1;
        }
        self.order.insert(at, key);
        self.scroll.total = self.order.len();
    }

    fn remove(&mut self, key: &(Timestamp, RowKey)) {
        let Ok(at) = self.order.binary_search(key) else { return };
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
        self.scroll.total = self.order.len();
    }

    /// The entry under the cursor.
    pub fn selected(&self) -> Option<&Queued> {
        self.entries.get(&self.cursor()?.0)
    }

    /// The action that the cursor is on, by id and digest.
    pub fn cursor(&self) -> Option<&Selection> {
        match &self.cursor {
            Some(Cursor::Action(selection)) => Some(selection),
            _ => None,
        }
    }

    /// The agent on whose flood the cursor is.
    pub fn flood_cursor(&self) -> Option<&Untrusted> {
        match &self.cursor {
            Some(Cursor::Flood(agent)) => Some(agent),
            _ => None,
        }
    }

    fn cursor_index(&self) -> Option<usize> {
        let key = match self.cursor.as_ref()? {
            Cursor::Action((id, _)) => key(&self.entries.get(id)?.action),
            Cursor::Flood(agent) => (self.floods.get(agent)?.place, RowKey::Flood(agent.clone())),
        };
        self.order.binary_search(&key).ok()
    }

    /// How many wait and have no decision on its way.
    pub fn len(&self) -> usize {
        self.waiting
    }

    /// Whether nothing does.
    pub fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// Lists what one agent asked too fast one by one, or gathers it again; `false` where the cursor is on no flood.
    pub fn toggle_flood(&mut self) -> bool {
        let Some(agent) = self.flood_cursor().cloned() else { return false };
        let Some((ids, open)) = self.floods.toggle(&agent) else { return false };
        for (expires_at, id) in ids {
            let key = (expires_at, RowKey::Action(id));
            if open { self.insert(key) } else { self.remove(&key) }
        }
        true
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
        self.cursor = self.order.get(to).and_then(|(_, key)| match key {
            RowKey::Action(id) => Some(Cursor::Action(selection(&self.entries.get(id)?.action))),
            RowKey::Flood(agent) => Some(Cursor::Flood(agent.clone())),
        });
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
    pub fn rows(&self) -> impl Iterator<Item = (Row<'_>, bool)> {
        let shown = self.order.get(self.scroll.window()).unwrap_or_default();
        shown.iter().filter_map(|(_, key)| match key {
            RowKey::Action(id) => {
                let entry = self.entries.get(id)?;
                Some((Row::Action(entry), self.cursor().is_some_and(|(cursor, _)| cursor == id)))
            }
            RowKey::Flood(agent) => {
                let flood = self.floods.get(agent)?;
                Some((Row::Flood { agent, flood }, self.flood_cursor() == Some(agent)))
            }
        })
    }

    /// How many rows do not show: above and below.
    pub fn hidden(&self) -> (usize, usize) {
        (self.scroll.top.min(self.order.len()), self.scroll.below())
    }
}

/// Where an action stands in the order.
fn key(action: &Action) -> (Timestamp, RowKey) {
    (action.expires_at, RowKey::Action(action.id.clone()))
}
