//! Marks: which entries of the list are to be decided together. Held by id and digest like the cursor; whoever leaves the
//! list loses its mark.

use super::list::Cursor;
use super::{Queue, RowKey};
use crate::console::app::guard::selection;
use crate::console::keymap::Intent;
use crate::domain::Action;
use std::sync::Arc;

impl Queue {
    /// Marks what the cursor is on, or takes its mark away, and goes on to the next row; `false` where it is on nothing.
    /// On a flood: all that is under its row.
    pub fn toggle_mark(&mut self) -> bool {
        match self.cursor.clone() {
            None => return false,
            Some(Cursor::Action((id, digest))) => {
                if self.marks.remove(&id).is_none() {
                    self.marks.insert(id, digest);
                }
            }
            Some(Cursor::Flood(agent)) => {
                let all: Vec<_> = self.flooded(&agent).iter().map(|action| selection(action)).collect();
                if all.iter().all(|(id, _)| self.marks.contains_key(id)) {
                    for (id, _) in &all {
                        self.marks.remove(id);
                    }
                } else {
                    self.marks.extend(all);
                }
            }
        }
        self.go(Intent::Down)
    }

    /// Marks all that the list shows in rows of their own; where all are marked already, takes every mark away.
    pub fn mark_all(&mut self) {
        let all: Vec<_> = self.order.iter().filter_map(|(_, key)| self.listed(key)).collect();
        if all.iter().all(|action| self.is_marked(action)) {
            self.marks.clear();
        } else {
            self.marks = all.into_iter().map(|action| selection(action)).collect();
        }
    }

    fn listed(&self, key: &RowKey) -> Option<&Arc<Action>> {
        match key {
            RowKey::Action(id) => self.entries.get(id).map(|entry| &entry.action),
            RowKey::Flood(_) => None,
        }
    }

    /// Takes every mark away.
    pub fn unmark_all(&mut self) {
        self.marks.clear();
    }

    /// How many are marked.
    pub fn marked(&self) -> usize {
        self.marks.len()
    }

    /// Whether it is marked, with these bytes.
    pub fn is_marked(&self, action: &Action) -> bool {
        self.marks.get(&action.id) == Some(&action.digest)
    }

    /// What is marked, in the order of the list.
    pub fn marked_actions(&self) -> Vec<Arc<Action>> {
        let marked = self.marks.keys().filter_map(|id| self.entries.get(id));
        let mut marked: Vec<_> =
            marked.map(|entry| &entry.action).filter(|action| self.is_marked(action)).cloned().collect();
        marked.sort_by(|one, other| (one.expires_at, &one.id).cmp(&(other.expires_at, &other.id)));
        marked
    }
}
