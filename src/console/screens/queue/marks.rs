//! Marks: which entries of the list are to be decided together. Held by id and digest like the cursor; whoever leaves the
//! list loses its mark.

use super::Queue;
use crate::console::app::guard::selection;
use crate::console::keymap::Intent;
use crate::domain::Action;
use std::sync::Arc;

impl Queue {
    /// Marks what the cursor is on, or takes its mark away, and goes on to the next row; `false` where it is on nothing.
    pub fn toggle_mark(&mut self) -> bool {
        let Some((id, digest)) = self.cursor.clone() else { return false };
        if self.marks.remove(&id).is_none() {
            self.marks.insert(id, digest);
        }
        self.go(Intent::Down)
    }

    /// Marks all that the list shows; where all are marked already, takes every mark away.
    pub fn mark_all(&mut self) {
        if self.marks.len() == self.order.len() {
            self.marks.clear();
            return;
        }
        let listed = self.order.iter().filter_map(|(_, id)| self.entries.get(id));
        self.marks = listed.map(|entry| selection(&entry.action)).collect();
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
        let listed = self.order.iter().filter_map(|(_, id)| self.entries.get(id));
        listed.map(|entry| &entry.action).filter(|action| self.is_marked(action)).cloned().collect()
    }
}
