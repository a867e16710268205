//! What the reviewer asks of the list: another order, other groups, a filter. The lines are made anew for it, and the
//! cursor stays on its action where that still shows.

use super::cursor::Cursor;
use super::groups::Groups;
use super::{Filter, Grouping, Order, Queue};
use crate::config::Filters;
use crate::console::widgets::Search;
use jiff::Timestamp;

impl Queue {
    /// The reviewer asked for other lines: the cursor goes to the first of them where its own row no longer shows. A range
    /// was one of the lines before.
    pub(super) fn relist_for_reviewer(&mut self) {
        self.range = None;
        self.relist();
        if self.cursor.is_none() && !self.lines.is_empty() {
            self.put_cursor(0);
        }
        match self.cursor_index() {
            Some(at) => self.scroll.show(at),
            None => self.scroll.top = 0,
        }
    }

    /// Puts everything in another order.
    pub fn set_order(&mut self, order: Order) {
        self.order = order;
        let mut sorted = std::mem::take(&mut self.sorted);
        sorted.sort_unstable_by(|one, other| self.compare(*one, *other));
        self.sorted = sorted;
        self.relist_for_reviewer();
    }

    /// Puts other things together.
    pub fn set_grouping(&mut self, grouping: Grouping) {
        self.grouping = grouping;
        self.groups = Groups::default();
        for slot in self.sorted.clone() {
            self.group(slot);
        }
        self.cursor = self.cursor.take().filter(|cursor| matches!(cursor, Cursor::Action(..)));
        self.relist_for_reviewer();
    }

    /// Where the filter is typed.
    pub fn search(&self) -> &Search {
        &self.search
    }

    /// Changes what is typed, and shows only what it keeps.
    pub fn change_search<T>(&mut self, change: impl FnOnce(&mut Search) -> T) -> T {
        let changed = change(&mut self.search);
        if self.search.text() != self.filter.text() {
            self.set_filter(Filter::parse(self.search.text(), &self.named));
        }
        changed
    }

    /// Filters that can be asked for by name.
    pub fn set_named_filters(&mut self, named: Filters) {
        self.named = named;
    }

    fn set_filter(&mut self, filter: Filter) {
        let now = self.now;
        let before = (&self.filter, self.hits.as_slice());
        self.hits = filter.hits(&self.entries, Some(before), now);
        self.filter = filter;
        self.relist_for_reviewer();
    }

    /// Time has passed: a filter that looks at times may keep others now.
    pub fn pass(&mut self) {
        let now = self.now;
        if self.filter.is_timed() {
            let hits = self.filter.hits(&self.entries, None, now);
            if hits != self.hits {
                self.hits = hits;
                self.relist();
            }
        }
    }

    /// What time it is.
    pub fn clock(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// The order in which they stand.
    pub fn order(&self) -> Order {
        self.order
    }

    /// What stands together.
    pub fn grouping(&self) -> Grouping {
        self.grouping
    }

    /// What is kept by the filter.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }
}
