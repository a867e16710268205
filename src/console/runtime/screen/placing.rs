//! Where cells stand on terminals that disagree about widths: no character may push another from its place, and least of
//! all the console's own words (screen.md, *Showing what nobody can trust*).
//!
//! How many columns a character takes that is not ASCII is the terminal's opinion. So after each one the cursor is put
//! where the next cell belongs; what the character may cover besides its own cells is drawn again after it, from left to
//! right; and its cells are blanked before it, in case that it covers fewer. Line wrap is off (see the guard), so that
//! nothing reaches the next row. Only box drawing is trusted as far as its own neighbours go.

use crate::domain::visible::columns_of;
use crossterm::Command;
use crossterm::cursor::MoveTo;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect, Size};
use std::collections::BTreeMap;
use unicode_width::UnicodeWidthChar;

/// What a cell's symbol does to its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// One column everywhere.
    Ascii,
    /// One column wherever boxes can be drawn at all.
    Box,
    /// Nobody knows.
    Doubtful,
}

impl Kind {
    fn of(symbol: &str) -> Self {
        let mut characters = symbol.chars();
        match (characters.next(), characters.next()) {
            _ if symbol.is_ascii() => Self::Ascii,
            (Some('\u{2500}'..='\u{259f}'), None) => Self::Box,
            _ => Self::Doubtful,
        }
    }
}

/// Keeps what the screen shows, and turns changes of it into cells that stay in their places.
#[derive(Debug, Default)]
pub(super) struct Placing {
    shown: Buffer,
}

impl Placing {
    /// The screen has been cleared, and has this size.
    pub(super) fn cleared(&mut self, size: Size) {
        self.shown = Buffer::empty(Rect::from((Position::ORIGIN, size)));
    }

    /// What to draw for these changes, row by row from left to right. The symbols hold the cursor's moves; a drawer is
    /// expected to move the cursor by itself to each cell that does not stand one column after the one before it.
    pub(super) fn place<'a>(
        &mut self,
        changes: impl Iterator<Item = (u16, u16, &'a Cell)>,
    ) -> Vec<(u16, u16, Cell)> {
        // For each row the columns that changed, and those in which no cell began before.
        let mut rows: BTreeMap<u16, (Vec<bool>, Vec<bool>)> = BTreeMap::new();
        for (x, y, cell) in changes {
            if self.shown.cell((x, y)).is_none() {
                continue;
            }
            let (changed, _) = rows.entry(y).or_insert_with(|| {
                let hidden = self.hidden(y);
                (vec![false; hidden.len()], hidden)
            });
            changed[usize::from(x)] = true;
            // What a wide character hides is never told; when it shows again, it shows a blank of the same style.
            let mut cell = cell.clone();
            let end = x.saturating_add(width(cell.symbol())).min(self.shown.area.width);
            for x in x..end {
                self.shown[(x, y)] = cell.clone();
                cell.set_symbol(" ");
            }
        }
        let mut placed = Vec::new();
        for (y, (mut changed, was_hidden)) in rows {
            for ((changed, was), is) in changed.iter_mut().zip(was_hidden).zip(self.hidden(y)) {
                // The terminal may have something there that only it knows of.
                *changed |= was && !is;
            }
            self.row(y, &changed, &mut placed);
        }
        placed
    }

    /// Which columns of the row a wide character hides.
    fn hidden(&self, y: u16) -> Vec<bool> {
        let mut hidden = vec![true; usize::from(self.shown.area.width)];
        let mut x = 0;
        while let Some(cell) = self.shown.cell((x, y)) {
            hidden[usize::from(x)] = false;
            x = x.saturating_add(width(cell.symbol()));
        }
        hidden
    }

    fn row(&self, y: u16, changed: &[bool], placed: &mut Vec<(u16, u16, Cell)>) {
        // Up to which column a doubtful character may have covered what stood there, and a box what is ASCII.
        let (mut covered, mut boxed) = (0, 0);
        // The column of the cell before, where it was drawn, and how far the cursor may be beyond its end.
        let mut before: Option<(u16, Kind)> = None;
        let mut drift = 0;
        let mut x = 0;
        while let Some(cell) = self.shown.cell((x, y)) {
            let (kind, columns) = (Kind::of(cell.symbol()), width(cell.symbol()));
            let stale = x < covered || (x < boxed && kind == Kind::Ascii);
            if !changed[usize::from(x)] && !stale {
                before = None;
            } else {
                let adjacent = before.filter(|(column, _)| column + 1 == x).map(|(_, kind)| kind);
                let same_run = (adjacent, kind) == (Some(Kind::Box), Kind::Box);
                let mut symbol = String::new();
                if !same_run {
                    drift = 0;
                    if adjacent.is_some_and(|kind| kind != Kind::Ascii) {
                        move_to(&mut symbol, x, y);
                    }
                }
                match kind {
                    Kind::Ascii => {}
                    Kind::Box => {
                        drift += 1;
                        boxed = boxed.max(x.saturating_add(columns + drift));
                    }
                    Kind::Doubtful => {
                        symbol.extend(std::iter::repeat_n(' ', usize::from(columns)));
                        move_to(&mut symbol, x, y);
                        covered = covered.max(x.saturating_add(reach(cell.symbol())));
                    }
                }
                symbol.push_str(cell.symbol());
                let mut cell = cell.clone();
                cell.set_symbol(&symbol);
                placed.push((x, y, cell));
                before = Some((x, kind));
            }
            x = x.saturating_add(columns);
        }
    }
}

fn move_to(symbol: &mut String, x: u16, y: u16) {
    // Writing to a string cannot fail.
    let _ = MoveTo(x, y).write_ansi(symbol);
}

/// How many columns we give to it.
fn width(symbol: &str) -> u16 {
    u16::try_from(columns_of(symbol)).unwrap_or(u16::MAX).max(1)
}

/// How many columns a terminal may give to it: each of its characters one more than we do, and two at least.
fn reach(symbol: &str) -> u16 {
    let of = |c: char| if c.is_ascii() { 1 } else { c.width().map_or(2, |width| (width + 1).max(2)) };
    u16::try_from(symbol.chars().map(of).sum::<usize>()).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests;
