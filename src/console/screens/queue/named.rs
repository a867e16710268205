//! The list by id instead of by row: for the command line, and for a way to work that has no rows, the plain mode, which
//! names each action by a number.

use super::cursor::Cursor;
use super::{Queue, Row};
use crate::console::widgets::Search;
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

    /// Puts the cursor on an action that waits, and sees to it that its row shows: its group is opened, and a filter that
    /// leaves it out is taken away, which is returned.
    pub fn reveal(&mut self, id: &str) -> bool {
        let Some(slot) = self.entries.slot(id).filter(|_| self.waits(id)) else { return false };
        let hidden = self.hits.get(slot as usize) != Some(&true);
        if hidden {
            self.change_search(Search::clear);
        }
        let group = self.entries.get(slot).and_then(|entry| entry.group);
        if let Some(group) = group.and_then(|group| self.groups.get_mut(group)).filter(|group| !group.open) {
            group.open = true;
            self.relist();
        }
        // A leap marks nothing of what it passes.
        self.range = None;
        self.go_to(id);
        hidden
    }

    /// The id of the one action that waits and whose id is this, or begins like this; else how many begin like this.
    ///
    /// # Errors
    /// The number of those that could be meant: none, or more than one.
    pub fn id_beginning(&self, beginning: &str) -> Result<String, usize> {
        if self.waits(beginning) {
            return Ok(beginning.to_owned());
        }
        let ids =
            self.sorted.iter().filter_map(|slot| self.entries.get(*slot)).map(|entry| entry.headline.id());
        let mut meant = ids.filter(|id| id.starts_with(beginning));
        match (meant.next(), meant.count()) {
            (Some(id), 0) => Ok(id.to_owned()),
            (first, more) => Err(usize::from(first.is_some()) + more),
        }
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
