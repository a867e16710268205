//! The cursor: on an action by id and digest, or on a group; never on a row number. What it is on is read in full; the
//! window follows it.

use super::entries::Slot;
use super::groups::GroupId;
use super::list::Line;
use super::order::GroupKey;
use super::{Group, Grouping, Queue, Row};
use crate::console::app::guard::Selection;
use crate::console::app::layout::inside;
use crate::console::keymap::Intent;
use crate::console::widgets::scroll;
use crate::domain::json::{self, Value};
use crate::domain::{Action, Untrusted};
use ratatui::layout::Rect;
use std::sync::Arc;

/// What the cursor is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cursor {
    /// An action, by id and digest.
    Action(Slot, Selection),
    /// A group.
    Group(GroupId, GroupKey),
}

impl Cursor {
    pub(super) fn line(&self) -> Line {
        match self {
            Self::Action(slot, _) => Line::Action(*slot),
            Self::Group(id, _) => Line::Group(*id),
        }
    }
}

impl Queue {
    pub(super) fn put_cursor(&mut self, at: usize) {
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

    /// Takes in where the list stands, and whether another pane stands beside it, and reads what the cursor is on. Blank
    /// lines under the last row are allowed until the next move: the row under the cursor keeps its line.
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
                Row::Action { headline: &entry.headline, under, marked, review: entry.review.as_deref() }
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
