//! Where cells stand on terminals that disagree about widths: no character may push another from its place, and least of
//! all the console's own words (screen.md, *Showing what nobody can trust*).
//!
//! How many columns a character takes that is not ASCII is the terminal's opinion. So after each one the cursor is put
//! where the next cell belongs; what the character may cover besides its own cells is drawn again after it, from left to
//! right; and its cells are blanked before it, in case that it covers fewer. Line wrap is off (see the guard), so that
//! nothing reaches the next row. Only box drawing is trusted as far as its own neighbours go.
//!
//! This says what of a row must be drawn. How the cursor gets there is the encoder's to say.

use super::pen::{is_blank, look_alike};
use crate::domain::visible::columns_of;
use ratatui::buffer::Cell;
use unicode_width::UnicodeWidthChar;

/// What a cell's symbol does to its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One column everywhere.
    Ascii,
    /// One column wherever boxes can be drawn at all.
    Box,
    /// Nobody knows.
    Doubtful,
}

impl Kind {
    pub(super) fn of(symbol: &str) -> Self {
        let mut characters = symbol.chars();
        match (characters.next(), characters.next()) {
            _ if symbol.is_ascii() => Self::Ascii,
            (Some('\u{2500}'..='\u{259f}'), None) => Self::Box,
            _ => Self::Doubtful,
        }
    }
}

/// A cell that must be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) x: usize,
    pub(super) columns: usize,
    pub(super) kind: Kind,
    /// It goes on a run of boxes that the piece before it belongs to: the cursor is where the terminal left it.
    pub(super) joins: bool,
    /// Its cells must be blanked before it.
    pub(super) over: bool,
    /// It may take the cursor to the end of the row.
    pub(super) to_the_end: bool,
}

/// What must be drawn for the row that shows `was` to show `is`, from left to right.
pub(super) fn row(was: &[Cell], is: &[Cell]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    if was.iter().zip(is).all(|(was, is)| was == is) {
        return pieces;
    }
    let hidden = hidden(was);
    // Up to which column a doubtful character may have covered what stood there, and a box what is ASCII.
    let (mut covered, mut boxed) = (0, 0);
    // How far the cursor may be beyond the end of a run of boxes.
    let mut drift = 0;
    let mut x = 0;
    while let Some(cell) = is.get(x) {
        let (kind, columns) = (Kind::of(cell.symbol()), width(cell.symbol()));
        let stale = x < covered || (x < boxed && kind == Kind::Ascii);
        // Where no cell began before, the terminal may have something that only it knows of.
        let changed = hidden.get(x).copied().unwrap_or(true) || !look_alike(&was[x], cell);
        if changed || stale {
            let before = pieces.last().filter(|piece: &&Piece| piece.x + piece.columns == x);
            let joins = kind == Kind::Box && before.is_some_and(|piece| piece.kind == Kind::Box);
            let mut end = x + columns;
            match kind {
                Kind::Ascii => {}
                Kind::Box => {
                    drift = if joins { drift + 1 } else { 1 };
                    end += drift;
                    boxed = boxed.max(end);
                }
                Kind::Doubtful => {
                    end = x + reach(cell.symbol());
                    covered = covered.max(end);
                }
            }
            let blanked = blanked(cell);
            let over = stale
                || !(x..(x + columns).min(was.len()))
                    .all(|x| !hidden[x] && is_blank(&was[x]) && look_alike(&was[x], &blanked));
            // A run of boxes goes on where the terminal left it: what there is no room for falls on its last column.
            let end = if kind == Kind::Box { x + columns } else { end };
            pieces.push(Piece { x, columns, kind, joins, over, to_the_end: end >= is.len() });
        }
        x += columns;
    }
    pieces
}

/// A blank in the style of the cell.
fn blanked(cell: &Cell) -> Cell {
    let mut cell = cell.clone();
    cell.set_symbol(" ");
    cell
}

/// Which columns of the row a wide character hides.
fn hidden(cells: &[Cell]) -> Vec<bool> {
    let mut hidden = vec![true; cells.len()];
    let mut x = 0;
    while let Some(cell) = cells.get(x) {
        hidden[x] = false;
        x += width(cell.symbol());
    }
    hidden
}

/// How many columns we give to it.
pub(super) fn width(symbol: &str) -> usize {
    if symbol.len() == 1 { 1 } else { columns_of(symbol).max(1) }
}

/// How many columns a terminal may give to it: each of its characters one more than we do, and two at least.
fn reach(symbol: &str) -> usize {
    let of = |c: char| if c.is_ascii() { 1 } else { c.width().map_or(2, |width| (width + 1).max(2)) };
    symbol.chars().map(of).sum()
}

#[cfg(test)]
mod tests;
