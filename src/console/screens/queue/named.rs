//! The list by id instead of by row, for a way to work that has no rows: the plain mode names each action by a number.

use super::list::Cursor;
use super::{Queue, Row};
use crate::domain::Untrusted;

impl Queue {
    /// Puts the cursor on an action, whether its row shows or not; `false` where it does not wait for a decision.
    pub fn go_to(&mut self, id: &str) -> bool {
        let Some(slot) = self.entries.slot(id).filter(|_| self.waits(id)) else { return false };
        let Some(entry) = self.entries.get(slot) else { return false };
        self.cursor = Some(Cursor::Action(slot, (id.to_owned(), entry.headline.digest)));
        (self.started, self.moved) = (true, true);
        if let Some(at) = self.cursor_index() {
            self.scroll.show(at);
        }
        self.load();
        true
    }

    /// Whether it waits for a decision, and none is on its way.
    pub fn waits(&self, id: &str) -> bool {
        self.entries.slot(id).is_some() && !self.out.contains(id)
    }

    /// Rows in order, from this one on.
    pub fn rows_from(&self, first: usize) -> impl Iterator<Item = Row<'_>> {
        self.lines.iter().skip(first).filter_map(|line| self.row(*line))
    }

    /// The ids of what waits of the agents that are meant, in order, those included that are gathered under a row.
    pub fn ids_of(&self, is_meant: impl Fn(&Untrusted) -> bool) -> Vec<String> {
        let headlines =
            self.sorted.iter().filter_map(|slot| self.entries.get(*slot)).map(|entry| &entry.headline);
        headlines
            .filter(|headline| is_meant(&headline.agent()))
            .map(|headline| headline.id().to_owned())
            .collect()
    }

    /// Marks an action; `false` where it does not wait for a decision.
    pub fn mark(&mut self, id: &str) -> bool {
        let slot = self.entries.slot(id).filter(|_| self.waits(id));
        self.marks.extend(slot);
        slot.is_some()
    }
}
