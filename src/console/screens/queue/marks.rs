//! Marks: which entries of the list are to be decided together. Held by entry like the cursor; whoever leaves the list
//! loses its mark.

use super::Queue;
use super::cursor::Cursor;
use super::entries::Slot;
use super::groups::Group;
use super::list::Line;
use super::order::GroupKey;
use crate::console::keymap::Intent;
use crate::domain::{Action, Headline};
use std::collections::HashSet;
use std::sync::Arc;

/// A range that grows with the cursor.
#[derive(Debug, Clone)]
pub(super) struct Range {
    /// The line where it began.
    from: Line,
    /// What was marked before.
    before: HashSet<Slot>,
}

impl Queue {
    /// Marks what the cursor is on, or takes its mark away, and goes on to the next row; `false` where it is on nothing.
    /// On a group: all that is under its row. Ends a range and keeps its marks.
    pub fn toggle_mark(&mut self) -> bool {
        if self.range.take().is_some() {
            return true;
        }
        match &self.cursor {
            None => return false,
            Some(Cursor::Action(slot, _)) => {
                let slot = *slot;
                if !self.marks.remove(&slot) {
                    self.marks.insert(slot);
                }
            }
            Some(Cursor::Group(id, _)) => {
                let all: Vec<_> = self.groups.get(*id).into_iter().flat_map(Group::slots).collect();
                if all.iter().all(|slot| self.marks.contains(slot)) {
                    self.marks.retain(|slot| !all.contains(slot));
                } else {
                    self.marks.extend(all);
                }
            }
        }
        self.go(Intent::Down)
    }

    /// Begins a range at the cursor, which marks what the cursor goes over; again: ends it and keeps the marks.
    pub fn toggle_range(&mut self) -> bool {
        if self.range.take().is_some() {
            return true;
        }
        let Some(at) = self.cursor_index() else { return false };
        self.range = Some(Range { from: self.lines[at], before: self.marks.clone() });
        self.mark_line(at, true);
        true
    }

    /// It leaves the list, and its mark goes with it: it does not come back with the end of a range either.
    pub(super) fn unmark(&mut self, slot: Slot) {
        self.marks.remove(&slot);
        if let Some(range) = &mut self.range {
            range.before.remove(&slot);
        }
    }

    /// Whether a range is open.
    pub fn is_ranging(&self) -> bool {
        self.range.is_some()
    }

    /// The cursor went from one line to another: what lies between is in the range or no longer.
    pub(super) fn range_went(&mut self, from: Option<usize>, to: usize) {
        let Some(range) = self.range.take() else { return };
        // Where the line that it began at has gone, so has the range; its marks stay.
        let (Some(first), Some(from)) = (self.index_of(range.from), from) else { return };
        for at in from.min(to)..=from.max(to) {
            let inside = (first.min(to)..=first.max(to)).contains(&at);
            let marked = inside
                || match self.lines[at] {
                    Line::Action(slot) => range.before.contains(&slot),
                    Line::Group(_) => false,
                };
            self.mark_line(at, marked);
        }
        self.range = Some(range);
    }

    /// A group's row is no action: what stands under it is marked by itself.
    fn mark_line(&mut self, at: usize, marked: bool) {
        if let Some(Line::Action(slot)) = self.lines.get(at) {
            if marked {
                self.marks.insert(*slot)
            } else {
                self.marks.remove(slot)
            };
        }
    }

    /// Marks all that the list shows in rows of their own; where all are marked already, takes every mark away.
    pub fn mark_all(&mut self) {
        self.range = None;
        let all = self
            .lines
            .iter()
            .filter_map(|line| if let Line::Action(slot) = line { Some(*slot) } else { None });
        let all: HashSet<_> = all.collect();
        if all.iter().all(|slot| self.marks.contains(slot)) {
            self.marks.clear();
        } else {
            self.marks = all;
        }
    }

    /// Takes every mark away; of an open range, only what it marked. `false` where there was none.
    pub fn unmark_all(&mut self) -> bool {
        match self.range.take() {
            Some(range) => self.marks = range.before,
            None if self.marks.is_empty() => return false,
            None => self.marks.clear(),
        }
        true
    }

    /// How many are marked.
    pub fn marked(&self) -> usize {
        self.marks.len()
    }

    /// What is marked, in the order of the list.
    pub fn marked_actions(&self) -> Vec<Arc<Action>> {
        self.actions(self.sorted.iter().copied().filter(|slot| self.marks.contains(slot)))
    }

    /// What stands under the row of a group, by deadline.
    pub fn grouped(&self, key: &GroupKey) -> Vec<Arc<Action>> {
        self.actions(self.groups.find(key).into_iter().flat_map(Group::slots))
    }

    /// All of what waits and is kept by the filter that is of this kind, whether it shows or stands under the row of a
    /// group, in the order of the list.
    pub fn those(&self, kind: impl Fn(&Headline) -> bool) -> Vec<Arc<Action>> {
        let is = |slot: &Slot| self.entries.get(*slot).is_some_and(|entry| kind(&entry.headline));
        self.actions(self.sorted.iter().copied().filter(|slot| self.hits[*slot as usize] && is(slot)))
    }

    fn actions(&self, slots: impl Iterator<Item = Slot>) -> Vec<Arc<Action>> {
        slots.filter_map(|slot| self.entries.get(slot)).map(|entry| self.read(&entry.headline)).collect()
    }
}
