//! What is listed, in order, and the cursor on it: held by what it is on, never by a row number. A row that comes or goes
//! moves no other row on the screen.
//!
//! Two orders are kept: `sorted` holds all that waits, `lines` what shows of it. One that comes or goes is put where it
//! belongs; a page of them, another filter, order or grouping makes the lines anew.

use super::Queue;
use super::cursor::Cursor;
use super::entries::Slot;
use super::groups::GroupId;
use super::order::{GroupKey, Rank, compare, group_of};
use std::cmp::Ordering;

/// A line of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Action(Slot),
    Group(GroupId),
}

impl Queue {
    /// It waits and is listed: by itself, or under the row of its group.
    pub(super) fn enlist(&mut self, slot: Slot) {
        if let Some(late) = &mut self.late {
            late.push(slot);
            return;
        }
        let at = self.sorted.binary_search_by(|other| self.compare(*other, slot)).unwrap_or_else(|at| at);
        self.sorted.insert(at, slot);
        self.hits.resize(self.entries.numbers(), false);
        self.hits[slot as usize] = self.filter.keeps(&self.entries, slot, self.now);
        self.group(slot);
        if self.hits[slot as usize] {
            self.show(slot);
        }
    }

    /// Lists what came together.
    pub(super) fn enlist_late(&mut self) {
        let Some(mut late) = self.late.replace(Vec::new()) else {
            self.late = None;
            return;
        };
        if late.is_empty() {
            return;
        }
        self.hits.resize(self.entries.numbers(), false);
        for slot in &late {
            self.hits[*slot as usize] = self.filter.keeps(&self.entries, *slot, self.now);
            self.group(*slot);
        }
        late.sort_unstable_by(|one, other| self.compare(*one, *other));
        let mut merged = Vec::with_capacity(self.sorted.len() + late.len());
        let mut rest = &self.sorted[..];
        for slot in late {
            // Few come to many: where each belongs is looked for, and what lies between goes over in one piece.
            let before = rest.partition_point(|other| self.compare(*other, slot) == Ordering::Less);
            merged.extend_from_slice(&rest[..before]);
            merged.push(slot);
            rest = &rest[before..];
        }
        merged.extend_from_slice(rest);
        self.sorted = merged;
        self.relist();
    }

    /// To the first row, where nobody has done anything yet: the first that came was not the first of the list.
    pub(super) fn begin_at_the_first(&mut self) {
        if !self.moved && !self.lines.is_empty() {
            self.put_cursor(0);
            self.scroll.top = 0;
        }
    }

    /// Its row, and that of its group where it is the first there.
    fn show(&mut self, slot: Slot) {
        let Some(entry) = self.entries.get(slot) else { return };
        match entry.group {
            None => self.insert(Line::Action(slot)),
            Some(id) => {
                let first = self.groups.add(id, slot, &entry.headline);
                if first {
                    self.insert(Line::Group(id));
                }
                if self.groups.get(id).is_some_and(|group| group.open) {
                    self.insert(Line::Action(slot));
                }
            }
        }
    }

    /// It is no longer listed.
    pub(super) fn delist(&mut self, slot: Slot) {
        self.enlist_late();
        self.unmark(slot);
        if let Ok(at) = self.sorted.binary_search_by(|other| self.compare(*other, slot)) {
            self.sorted.remove(at);
        }
        let Some(entry) = self.entries.get(slot).filter(|_| self.hits.get(slot as usize) == Some(&true))
        else {
            return;
        };
        let (group, expires) = (entry.group, entry.headline.expires_at);
        let open = group.and_then(|id| self.groups.get(id)).is_none_or(|group| group.open);
        if open {
            self.remove(Line::Action(slot));
        }
        if let Some(id) = group {
            // Looked for while it still has its place.
            let header = self.index_of(Line::Group(id));
            if self.groups.remove(id, slot, expires) {
                self.remove_at(header);
            }
        }
    }

    /// Under which row it stands.
    pub(super) fn group(&mut self, slot: Slot) {
        let Some(entry) = self.entries.get_mut(slot) else { return };
        let key = if entry.flooded {
            Some(GroupKey::Flood(entry.headline.agent()))
        } else {
            group_of(self.grouping, &entry.headline)
        };
        entry.group = key.map(|key| self.groups.id(key, &entry.headline));
    }

    pub(super) fn compare(&self, one: Slot, other: Slot) -> Ordering {
        match (self.entries.get(one), self.entries.get(other)) {
            (Some(one), Some(other)) => {
                compare(self.order, &Rank::of(&one.headline), &Rank::of(&other.headline))
            }
            _ => one.cmp(&other),
        }
    }

    /// Where a line stands: the row on the outer level, its group, and whether it stands under it.
    fn place(&self, line: Line) -> Option<(Rank<'_>, Option<GroupId>, Option<Slot>)> {
        match line {
            Line::Group(id) => Some((self.groups.get(id)?.place.rank(), Some(id), None)),
            Line::Action(slot) => {
                let entry = self.entries.get(slot)?;
                match entry.group {
                    None => Some((Rank::of(&entry.headline), None, None)),
                    Some(id) => Some((self.groups.get(id)?.place.rank(), Some(id), Some(slot))),
                }
            }
        }
    }

    fn compare_lines(&self, one: Line, other: Line) -> Ordering {
        let (Some((outer, group, slot)), Some((outer2, group2, slot2))) =
            (self.place(one), self.place(other))
        else {
            return Ordering::Equal;
        };
        let within = || match (slot, slot2) {
            (Some(one), Some(other)) => self.compare(one, other),
            (one, other) => one.is_some().cmp(&other.is_some()),
        };
        compare(self.order, &outer, &outer2).then(group.cmp(&group2)).then_with(within)
    }

    pub(super) fn index_of(&self, line: Line) -> Option<usize> {
        let at = self.lines.binary_search_by(|other| self.compare_lines(*other, line)).ok()?;
        (self.lines[at] == line).then_some(at)
    }

    /// The rows under the cursor and above it keep their lines on the screen.
    fn insert(&mut self, line: Line) {
        let at =
            self.lines.binary_search_by(|other| self.compare_lines(*other, line)).unwrap_or_else(|at| at);
        match self.cursor_index() {
            Some(cursor) if self.moved && at <= cursor => self.scroll.top += 1,
            // What took the place of the row that went is still a step away.
            None if at < self.near => self.near += 1,
            _ => {}
        }
        self.lines.insert(at, line);
        self.scroll.total = self.lines.len();
        if !self.started && matches!(line, Line::Action(_)) {
            self.put_cursor(at);
        }
    }

    fn remove(&mut self, line: Line) {
        self.remove_at(self.index_of(line));
    }

    fn remove_at(&mut self, at: Option<usize>) {
        let Some(at) = at else { return };
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
        self.lines.remove(at);
        self.scroll.total = self.lines.len();
    }

    /// Makes the lines anew: for another filter, order or grouping, or for many that came at once. What the cursor is on
    /// keeps its line on the screen where it still shows; else the cursor is on nothing.
    pub(super) fn relist(&mut self) {
        // Looked for one by one: the lines may stand in an order that no longer holds.
        let cursor = self.cursor.as_ref().map(Cursor::line);
        let was = cursor.and_then(|cursor| self.lines.iter().position(|line| *line == cursor));
        let from_top = was.map(|at| at.saturating_sub(self.scroll.top));
        self.groups.empty();
        let mut outer = Vec::with_capacity(self.sorted.len());
        let mut inner: Vec<Vec<Line>> = Vec::new();
        for slot in &self.sorted {
            let Some(entry) = self.entries.get(*slot).filter(|_| self.hits[*slot as usize]) else { continue };
            let Some(id) = entry.group else {
                outer.push(Line::Action(*slot));
                continue;
            };
            if self.groups.add(id, *slot, &entry.headline) {
                outer.push(Line::Group(id));
            }
            if self.groups.get(id).is_some_and(|group| group.open) {
                let at = id as usize;
                inner.resize_with(inner.len().max(at + 1), Vec::new);
                inner[at].push(Line::Action(*slot));
            }
        }
        if inner.is_empty() {
            self.lines = outer;
        } else {
            self.lines.clear();
            for line in outer {
                self.lines.push(line);
                if let Line::Group(id) = line
                    && let Some(members) = inner.get_mut(id as usize)
                {
                    self.lines.append(members);
                }
            }
        }
        self.scroll.total = self.lines.len();
        match (self.cursor_index(), from_top) {
            (Some(at), Some(from_top)) => self.scroll.top = at.saturating_sub(from_top),
            (Some(at), None) => self.scroll.show(at),
            (None, _) => {
                self.cursor = None;
                self.near = self.near.min(self.lines.len().saturating_sub(1));
            }
        }
        if !self.started && !self.lines.is_empty() {
            self.put_cursor(0);
        }
    }

    /// How many wait and have no decision on its way.
    pub fn len(&self) -> usize {
        self.sorted.len() + self.late.as_ref().map_or(0, Vec::len)
    }

    /// Whether nothing does.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many of them the filter keeps.
    pub fn kept(&self) -> usize {
        if self.filter.is_empty() {
            self.len()
        } else {
            self.sorted.iter().filter(|slot| self.hits[**slot as usize]).count()
        }
    }
}
