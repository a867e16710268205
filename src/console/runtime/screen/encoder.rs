//! From cells to bytes, as few as can be: the cheapest way for the cursor, only the attributes that differ, and blanks
//! by erasing where that is shorter. ESC is the one control character that it sends.
//!
//! What it knows of the terminal, the pen and the cursor's place, lasts from frame to frame; but a frame's first move
//! names row and column, so that whatever somebody else may have written puts nothing out of its place.

use super::pen::{Pen, is_erased};
use super::placing::{self, Kind, Piece};
use ratatui::buffer::Cell;
use std::io::Write;

/// Sending so many cells again rather than moving over them is tried.
const FEW: usize = 8;
/// The shortest run of blanks that is tried to be erased.
const MANY: usize = 4;

/// Where the cursor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// Nobody knows.
    Unknown,
    /// In this row.
    Row(usize),
    /// In this row behind a run of boxes, in this column if they are as wide as we think.
    Boxes(usize, usize),
    /// In this column and row.
    Exactly(usize, usize),
}

/// What is known of the terminal besides what it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hand {
    pub(super) pen: Option<Pen>,
    pub(super) at: At,
}

/// Collects the bytes of a frame.
#[derive(Debug, Clone)]
pub(super) struct Encoder {
    pub(super) hand: Hand,
    pub(super) bytes: Vec<u8>,
}

impl Encoder {
    /// Begins a frame: the cursor's place is not relied on.
    pub(super) fn new(hand: Hand) -> Self {
        Self { hand: Hand { at: At::Unknown, ..hand }, bytes: Vec::new() }
    }

    /// Everything is blank from here on, and every mode that a frame relies on is as it must be.
    pub(super) fn clear(&mut self) {
        self.bytes.extend_from_slice(b"\x1b[?7l\x1b[r\x1b[m\x1b[2J");
        self.hand = Hand { pen: Some(Pen::PLAIN), at: At::Unknown };
    }

    /// Row `y`, which shows `was`, will show `is`.
    pub(super) fn row(&mut self, y: usize, was: &[Cell], is: &[Cell]) {
        let pieces = placing::row(was, is);
        let mut at = 0;
        while let Some(piece) = pieces.get(at) {
            at += self.erase(y, is, &pieces[at..]).unwrap_or_else(|| {
                self.piece(y, is, piece);
                1
            });
        }
    }

    /// Scrolls the rows from `top` up to `bottom`: by so many up, or down where it is less than nothing. What comes in
    /// is blank. Lines are deleted and inserted rather than scrolled, which the Linux console knows too.
    pub(super) fn scroll(&mut self, top: usize, bottom: usize, by: isize) {
        self.take_for(&Cell::EMPTY);
        self.order(format_args!("{};{bottom}r", top + 1));
        self.hand.at = At::Unknown;
        self.go(0, top);
        let last = if by > 0 { 'M' } else { 'L' };
        match by.unsigned_abs() {
            1 => self.order(format_args!("{last}")),
            lines => self.order(format_args!("{lines}{last}")),
        }
        // Setting the region puts the cursor somewhere.
        self.order(format_args!("r"));
        self.hand.at = At::Unknown;
    }

    /// Puts the cursor there.
    pub(super) fn go(&mut self, x: usize, y: usize) {
        let mut best = Vec::new();
        let mut shorter = |way: Vec<u8>| {
            if best.is_empty() || way.len() < best.len() {
                best = way;
            }
        };
        match self.hand.at {
            At::Exactly(column, row) if (column, row) == (x, y) => return,
            At::Exactly(column, row) => {
                let mut way = Vec::new();
                step(&mut way, row, y, ['A', 'B']);
                let mut by_column = way.clone();
                step(&mut way, column, x, ['D', 'C']);
                shorter(way);
                if column != x {
                    to_column(&mut by_column, x);
                    shorter(by_column);
                }
            }
            At::Row(row) | At::Boxes(_, row) if row == y => {
                let mut way = Vec::new();
                to_column(&mut way, x);
                shorter(way);
            }
            _ => {}
        }
        let mut way = Vec::new();
        // Writing to memory cannot fail.
        let _ = match x {
            0 => write!(way, "\x1b[{}H", y + 1),
            _ => write!(way, "\x1b[{};{}H", y + 1, x + 1),
        };
        shorter(way);
        self.bytes.extend_from_slice(&best);
        self.hand.at = At::Exactly(x, y);
    }

    fn piece(&mut self, y: usize, is: &[Cell], piece: &Piece) {
        let cell = &is[piece.x];
        match (piece.kind, self.hand.at) {
            (Kind::Box, At::Boxes(x, row)) if piece.joins && (x, row) == (piece.x, y) => {}
            _ => self.reach(piece.x, y, is),
        }
        self.take_for(cell);
        if piece.kind == Kind::Doubtful && piece.over {
            self.bytes.extend(std::iter::repeat_n(b' ', piece.columns));
            self.passed(piece.x + piece.columns, y, is.len());
            self.go(piece.x, y);
        }
        self.bytes.extend_from_slice(cell.symbol().as_bytes());
        let end = piece.x + piece.columns;
        match piece.kind {
            Kind::Ascii => self.passed(end, y, is.len()),
            _ if piece.to_the_end => self.hand.at = At::Unknown,
            Kind::Box => self.hand.at = At::Boxes(end, y),
            Kind::Doubtful => self.hand.at = At::Row(y),
        }
    }

    /// ASCII was drawn up to this column.
    fn passed(&mut self, x: usize, y: usize, columns: usize) {
        self.hand.at = if x < columns { At::Exactly(x, y) } else { At::Row(y) };
    }

    /// Goes to a column of the row: by an order, or by sending again what stands between.
    fn reach(&mut self, x: usize, y: usize, is: &[Cell]) {
        let At::Exactly(from, row) = self.hand.at else { return self.go(x, y) };
        let between = if row == y { is.get(from..x).unwrap_or_default() } else { &[] };
        let again = !between.is_empty()
            && between.len() <= FEW
            && between.iter().all(|cell| cell.symbol().len() == 1);
        if !again {
            return self.go(x, y);
        }
        let trial = |way: &dyn Fn(&mut Self)| {
            let mut trial = Self { hand: self.hand, bytes: Vec::new() };
            way(&mut trial);
            trial.take_for(&is[x]);
            trial.bytes.len()
        };
        let send = |trial: &mut Self| {
            for cell in between {
                trial.take_for(cell);
                trial.bytes.extend_from_slice(cell.symbol().as_bytes());
            }
        };
        if trial(&send) <= trial(&|trial| trial.go(x, y)) {
            send(self);
            self.hand.at = At::Exactly(x, y);
        } else {
            self.go(x, y);
        }
    }

    /// Erases the blanks that these pieces begin with, if that is shorter than drawing them; how many pieces that was.
    fn erase(&mut self, y: usize, is: &[Cell], pieces: &[Piece]) -> Option<usize> {
        let from = pieces.first()?.x;
        let blanks = is[from..].iter().take_while(|cell| is_erased(cell)).count();
        let count = pieces.iter().take_while(|piece| piece.x < from + blanks).count();
        if count < MANY {
            return None;
        }
        let (erased, rest) = pieces.split_at(count);
        let to_the_end = from + blanks == is.len();
        let columns = erased.last()?.x + 1 - from;
        let mut drawn = Self { hand: self.hand, bytes: Vec::new() };
        let mut short = drawn.clone();
        erased.iter().for_each(|piece| drawn.piece(y, is, piece));
        short.reach(from, y, is);
        short.take_for(&is[from]);
        match to_the_end {
            true => short.order(format_args!("K")),
            false => short.order(format_args!("{columns}X")),
        }
        let (shorter, hand) = (short.bytes.clone(), short.hand);
        // Drawing has brought the cursor on, and erasing has not.
        if let Some(next) = rest.first() {
            for way in [&mut drawn, &mut short] {
                way.reach(next.x, y, is);
                way.take_for(&is[next.x]);
            }
        }
        if short.bytes.len() >= drawn.bytes.len() {
            return None;
        }
        self.bytes.extend_from_slice(&shorter);
        self.hand = hand;
        Some(count)
    }

    /// Takes a pen that the cell can be drawn with.
    fn take_for(&mut self, cell: &Cell) {
        self.take(self.hand.pen.unwrap_or(Pen::PLAIN).for_cell(cell));
    }

    fn take(&mut self, pen: Pen) {
        pen.take(self.hand.pen, &mut self.bytes);
        self.hand.pen = Some(pen);
    }

    fn order(&mut self, order: std::fmt::Arguments<'_>) {
        // Writing to memory cannot fail.
        let _ = write!(self.bytes, "\x1b[{order}");
    }
}

/// Moves by so many, to either side.
fn step(way: &mut Vec<u8>, from: usize, to: usize, [back, on]: [char; 2]) {
    let last = if to < from { back } else { on };
    let _ = match from.abs_diff(to) {
        0 => return,
        1 => write!(way, "\x1b[{last}"),
        many => write!(way, "\x1b[{many}{last}"),
    };
}

fn to_column(way: &mut Vec<u8>, x: usize) {
    let _ = match x {
        0 => write!(way, "\x1b[G"),
        _ => write!(way, "\x1b[{}G", x + 1),
    };
}
