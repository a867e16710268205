//! The list by id instead of by row, for a way to work that has no rows: the plain mode names each action by a number.

use super::list::Cursor;
use super::{Queue, Row, RowKey};
use crate::console::app::guard::selection;
use crate::domain::{Action, Untrusted};
use std::sync::Arc;

impl Queue {
    /// Puts the cursor on an action; `false` where it does not wait for a decision.
    pub fn go_to(&mut self, id: &str) -> bool {
        let Some(entry) = self.entries.get(id).filter(|_| self.waits(id)) else { return false };
        self.cursor = Some(Cursor::Action(selection(&entry.action)));
        (self.started, self.moved) = (true, true);
        true
    }

    /// Whether it waits for a decision, and none is on its way.
    pub fn waits(&self, id: &str) -> bool {
        self.entries.contains_key(id) && !self.out.contains(id)
    }

    /// The action with this id in full, where it is known.
    pub fn in_full(&self, id: &str) -> Option<Arc<Action>> {
        self.entries.get(id).map(|entry| Arc::clone(&entry.action))
    }

    /// Rows in order, from this one on.
    pub fn rows_from(&self, first: usize) -> impl Iterator<Item = Row<'_>> {
        self.order.iter().skip(first).filter_map(|(_, key)| match key {
            RowKey::Action(id) => self.entries.get(id).map(Row::Action),
            RowKey::Flood(agent) => self.floods.get(agent).map(|flood| Row::Flood { agent, flood }),
        })
    }

    /// The ids of what waits of the agents that are meant, in order, those included that are gathered under a row.
    pub fn ids_of(&self, is_meant: impl Fn(&Untrusted) -> bool) -> Vec<String> {
        let meant = self.entries.iter().filter(|(id, entry)| is_meant(&entry.action.agent) && self.waits(id));
        let mut ids: Vec<_> = meant.map(|(id, entry)| (entry.action.expires_at, id.clone())).collect();
        ids.sort();
        ids.into_iter().map(|(_, id)| id).collect()
    }

    /// Marks an action; `false` where it does not wait for a decision.
    pub fn mark(&mut self, id: &str) -> bool {
        let Some(entry) = self.entries.get(id).filter(|_| self.waits(id)) else { return false };
        self.marks.insert(id.to_owned(), entry.action.digest);
        true
    }
}
