//! What is listed, in order, and the cursor on it: held by what it is on, never by a row number. A row that comes or goes
//! moves no other row on the screen.
//!
//! Two orders are kept: `sorted` holds all that waits, `lines` what shows of it. One that comes or goes is put where it
//! belongs; a page of them, another filter, order or grouping makes the lines anew.

use super::entries::Slot;
use super::groups::{GroupId, Groups};
use super::order::{GroupKey, Rank, compare, group_of};
use super::{Filter, Group, Grouping, Order, Queue, Row};
use crate::config::Filters;
use crate::console::app::guard::Selection;
use crate::console::app::layout::inside;
use crate::console::keymap::Intent;
use crate::console::widgets::{Search, scroll};
use crate::domain::json::{self, Value};
use crate::domain::{Action, Untrusted};
use jiff::Timestamp;
use ratatui::layout::Rect;
use std::cmp::Ordering;
use std::sync::Arc;

/// A line of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Action(Slot),
    Group(GroupId),
}

/// What the cursor is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cursor {
    /// An action, by id and digest.
    Action(Slot, Selection),
    /// A group.
    Group(GroupId, GroupKey),
}

impl Cursor {
    fn line(&self) -> Line {
        match self {
            Self::Action(slot, _) => Line::Action(*slot),
            Self::Group(id, _) => Line::Group(*id),
        }
    }
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
    fn group(&mut self, slot: Slot) {
        let Some(entry) = self.entries.get_mut(slot) else { return };
        let key = if entry.flooded {
            Some(GroupKey::Flood(entry.headline.agent()))
        } else {
            group_of(self.grouping, &entry.headline)
        };
        entry.group = key.map(|key| self.groups.id(key, &entry.headline));
    }

    fn compare(&self, one: Slot, other: Slot) -> Ordering {
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

    fn put_cursor(&mut self, at: usize) {
        self.started = true;
        self.cursor = self.lines.get(at).and_then(|line| match line {
            Line::Action(slot) => {
                let headline = &self.entries.get(*slot)?.headline;
                Some(Cursor::Action(*slot, (headline.id().to_owned(), headline.digest)))
            }
            Line::Group(id) => Some(Cursor::Group(*id, self.groups.get(*id)?.key.clone())),
        });
    }

    /// The action under the cursor.
    pub fn selected(&self) -> Option<&Arc<Action>> {
        self.loaded.as_ref().filter(|_| self.cursor().is_some())
    }

    /// Reads what the cursor is on, where it is on something else than before.
    pub(super) fn load(&mut self) {
        let Some(Cursor::Action(slot, (id, digest))) = &self.cursor else {
            self.loaded = None;
            return;
        };
        let same = |loaded: &Arc<Action>| loaded.digest == *digest && loaded.id == *id;
        if !self.loaded.as_ref().is_some_and(same) {
            self.loaded = self.entries.get(*slot).map(|entry| self.read(&entry.headline));
        }
    }

    /// Reads the names of the members that may differ, of the groups that show.
    fn name_members(&mut self) {
        if self.grouping != Grouping::Alike {
            return;
        }
        for line in self.lines.get(self.scroll.window()).unwrap_or_default() {
            let Line::Group(id) = line else { continue };
            let Some(group) = self.groups.get(*id).filter(|group| group.names.is_none()) else { continue };
            let first = group.slots().next().and_then(|slot| self.entries.get(slot));
            let Some(action) = first.map(|entry| entry.headline.action()) else { continue };
            let payload = json::outline(action.payload().as_bytes()).ok();
            let members = payload.as_ref().and_then(Value::as_object).unwrap_or_default();
            let names = members.iter().map(|member| Untrusted::from(member.name.as_str())).collect();
            if let Some(group) = self.groups.get_mut(*id) {
                group.names = Some(names);
            }
        }
    }

    /// The action that the cursor is on, by id and digest.
    pub fn cursor(&self) -> Option<&Selection> {
        match &self.cursor {
            Some(Cursor::Action(_, selection)) => Some(selection),
            _ => None,
        }
    }

    /// The group that the cursor is on.
    pub fn group_cursor(&self) -> Option<&GroupKey> {
        match &self.cursor {
            Some(Cursor::Group(_, key)) => Some(key),
            _ => None,
        }
    }

    pub(super) fn cursor_index(&self) -> Option<usize> {
        self.index_of(self.cursor.as_ref()?.line())
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

    /// Lists the actions of the group that the cursor is on one by one, or gathers them again; `false` where it is on no
    /// group. From one of a group's actions, the group is closed and the cursor goes to its row.
    pub fn toggle_group(&mut self) -> bool {
        let id = match self.cursor {
            Some(Cursor::Group(id, _)) => Some(id),
            Some(Cursor::Action(slot, _)) => self.entries.get(slot).and_then(|entry| entry.group),
            None => None,
        };
        let Some(at) = id.and_then(|id| self.index_of(Line::Group(id))) else { return false };
        self.put_cursor(at);
        if let Some(group) = id.and_then(|id| self.groups.get_mut(id)) {
            group.open = !group.open;
        }
        self.range = None;
        self.relist();
        if let Some(at) = self.cursor_index() {
            self.scroll.show(at);
        }
        true
    }

    /// Whether the cursor is on the row of a group, or on one of its actions.
    pub fn can_fold(&self) -> bool {
        match self.cursor {
            Some(Cursor::Group(..)) => true,
            Some(Cursor::Action(slot, _)) => {
                self.entries.get(slot).is_some_and(|entry| entry.group.is_some())
            }
            None => false,
        }
    }

    /// Moves the cursor by what the key means; `false` where the intent does not move.
    pub fn go(&mut self, intent: Intent) -> bool {
        let Some(last) = self.lines.len().checked_sub(1) else { return false };
        let was = self.cursor_index();
        let from = was.unwrap_or(self.near.min(last));
        let to = match intent {
            // The row that took the place of the one that went is one step away, in both directions.
            Intent::Down if was.is_none() => Some(from),
            Intent::Up if was.is_none() => Some(from.saturating_sub(1)),
            _ => scroll::moved(intent, from, self.scroll.rows, last),
        };
        let Some(to) = to else { return false };
        self.go_to_line(to);
        true
    }

    /// Puts the cursor on a row that shows, counted from the first one that does; `false` where there is none.
    pub fn point_at(&mut self, row: usize) -> bool {
        let to = self.scroll.top + row;
        let there = row < self.scroll.rows && to < self.lines.len();
        if there {
            self.go_to_line(to);
        }
        there
    }

    fn go_to_line(&mut self, to: usize) {
        let from = self.cursor_index();
        self.put_cursor(to);
        self.moved = true;
        let (before, rows) = (self.scroll.top, self.scroll.rows);
        self.scroll.show(to);
        // A terminal scrolls whole lines. With another pane beside the list, a line that is scrolled costs a page: so the
        // page is turned by half, and the lines after that cost nothing.
        if self.beside && self.scroll.top == before + 1 {
            self.scroll.top = (before + rows / 2).min(to);
            self.scroll.show(to);
        } else if self.beside && self.scroll.top + 1 == before {
            self.scroll.top = before.saturating_sub(rows / 2);
            self.scroll.show(to);
        }
        self.range_went(from, to);
    }

    /// The reviewer has begun to work: what is under the cursor stays under it, whatever comes.
    pub fn touched(&mut self) {
        self.moved = true;
    }

    /// Takes in where the list stands, and whether another pane stands beside it, and reads what the cursor is on. Blank lines under the last row are allowed until
    /// the next move: the row under the cursor keeps its line.
    pub fn resize(&mut self, frame: Option<Rect>, beside: bool) {
        self.beside = beside;
        self.load();
        self.name_members();
        let Some(frame) = frame else { return };
        let rows = usize::from(inside(frame).height);
        let other_size = rows != self.scroll.rows;
        self.scroll.rows = rows;
        self.scroll.total = self.lines.len();
        match self.cursor_index() {
            Some(cursor) if other_size || cursor < self.scroll.top || cursor >= self.scroll.top + rows => {
                self.scroll.show(cursor);
            }
            Some(_) => {}
            None => self.scroll.resize(rows, self.lines.len()),
        }
    }

    /// The rows that show, each with whether the cursor is on it.
    pub fn rows(&self) -> impl Iterator<Item = (Row<'_>, bool)> {
        let shown = self.lines.get(self.scroll.window()).unwrap_or_default();
        let cursor = self.cursor.as_ref().map(Cursor::line);
        shown.iter().filter_map(move |line| Some((self.row(*line)?, cursor == Some(*line))))
    }

    pub(super) fn row(&self, line: Line) -> Option<Row<'_>> {
        Some(match line {
            Line::Action(slot) => {
                let entry = self.entries.get(slot)?;
                let (under, marked) = (entry.group.is_some(), self.marks.contains(&slot));
                Row::Action { headline: &entry.headline, under, marked }
            }
            Line::Group(id) => Row::Group(self.groups.get(id)?),
        })
    }

    /// The first row that shows, and how many do not: above and below.
    pub fn hidden(&self) -> (usize, usize) {
        (self.scroll.top.min(self.lines.len()), self.scroll.below())
    }

    /// The group of that key.
    pub fn group_of(&self, key: &GroupKey) -> Option<&Group> {
        self.groups.find(key)
    }
}
