//! Terminals that disagree: how wide a character is, and what is one. Each draws what the console orders onto a grid, as
//! the terminals of the world do: a line that is full goes on in the next, the last line scrolls, half of a wide
//! character that is drawn over is gone.

use super::bytes::{Order, is_mark};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How a terminal measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Widths {
    /// By what belongs together, as the console itself does: a flag, a face with its skin.
    Clusters,
    /// Each character by itself: a flag is two letters, a face and its skin are two faces.
    Characters,
    /// Nothing is wider than a column.
    Narrow,
    /// Nothing is wider than a column, and marks have one of their own.
    Single,
    /// All that is neither ASCII nor one of the console's own signs takes two.
    Wide,
}

impl Widths {
    pub(crate) const ALL: [Self; 5] =
        [Self::Clusters, Self::Characters, Self::Narrow, Self::Single, Self::Wide];

    fn of(self, c: char) -> usize {
        if c.is_ascii() || is_own(c) {
            return 1;
        }
        match self {
            Self::Clusters | Self::Characters => c.width().unwrap_or(0),
            Self::Narrow => usize::from(!is_mark(c)),
            Self::Single => 1,
            Self::Wide => 2 * usize::from(!is_mark(c)),
        }
    }
}

/// What frames and signs are made of: where a terminal draws these wider than a column, the console is run in ASCII.
pub(crate) fn is_own(c: char) -> bool {
    matches!(c, '─'..='╿' | '▀'..='▟' | '●' | '○' | '·' | '–' | '×' | '…' | '‹' | '›' | '⇥' | '\u{2400}'..='\u{243f}')
}

/// A place on the screen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Cell {
    #[default]
    Blank,
    /// A character, and what is drawn with it as one.
    Text(char, String),
    /// The right half of what stands before it.
    Half,
}

impl Cell {
    fn push_to(&self, text: &mut String) {
        match self {
            Self::Blank => text.push(' '),
            Self::Text(c, more) => {
                text.push(*c);
                text.push_str(more);
            }
            Self::Half => {}
        }
    }
}

fn first(cell: &Cell) -> Option<char> {
    match cell {
        Cell::Text(c, _) => Some(*c),
        Cell::Blank | Cell::Half => None,
    }
}

/// A screen.
#[derive(Debug, Clone)]
pub(crate) struct Terminal {
    widths: Widths,
    columns: usize,
    rows: Vec<Vec<Cell>>,
    at: (usize, usize),
    /// The line is full: what comes next goes on in the next line, where lines are wrapped.
    full: bool,
    wraps: bool,
    /// The first and the last row that scroll.
    region: (usize, usize),
}

impl Terminal {
    pub(crate) fn new(widths: Widths, (columns, rows): (u16, u16)) -> Self {
        let columns = usize::from(columns);
        let region = (0, usize::from(rows) - 1);
        let rows = vec![vec![Cell::Blank; columns]; usize::from(rows)];
        Self { widths, columns, rows, at: (0, 0), full: false, wraps: true, region }
    }

    /// The same screen on a terminal that measures otherwise: as long as all agree about everything that was drawn.
    pub(crate) fn measured(&self, widths: Widths) -> Self {
        Self { widths, ..self.clone() }
    }

    pub(crate) fn widths(&self) -> Widths {
        self.widths
    }

    /// Does as it is told.
    pub(crate) fn obey(&mut self, order: Order) {
        match order {
            Order::Draw(c) => self.draw(c),
            Order::Move(x, y) => self.go(x, y),
            Order::Column(x) => self.go(x, self.at.1),
            Order::By(columns, rows) => {
                let (x, y) = self.at;
                self.go(x.saturating_add_signed(columns), y.saturating_add_signed(rows));
            }
            Order::Erase(count) => self.erase(count.unwrap_or(self.columns)),
            Order::Region(rows) => {
                self.region = rows.unwrap_or((0, self.rows.len() - 1));
                self.go(0, 0);
            }
            Order::DeleteLines(count) => self.delete_lines(count),
            Order::Clear => self.rows.iter_mut().for_each(|row| row.fill(Cell::Blank)),
            Order::Mode(7, on) => self.wraps = on,
            Order::Mode(..)
            | Order::Style
            | Order::Bell
            | Order::Title
            | Order::AskReady
            | Order::AskWhole => {}
        }
    }

    fn go(&mut self, x: usize, y: usize) {
        self.at = (x.min(self.columns - 1), y.min(self.rows.len() - 1));
        self.full = false;
    }

    /// Half of what is erased in part is gone too.
    fn erase(&mut self, count: usize) {
        let (x, y) = self.at;
        for x in x..(x + count).min(self.columns) {
            self.put(x, y, Cell::Blank, 1);
        }
        self.full = false;
    }

    fn delete_lines(&mut self, count: isize) {
        let ((first, last), y) = (self.region, self.at.1);
        if !(first..=last).contains(&y) {
            return;
        }
        let blank = vec![Cell::Blank; self.columns];
        for _ in 0..count.unsigned_abs() {
            let (gone, come) = if count > 0 { (y, last) } else { (last, y) };
            self.rows.remove(gone);
            self.rows.insert(come, blank.clone());
        }
    }

    fn draw(&mut self, c: char) {
        let width = self.widths.of(c);
        // Nothing that is ASCII is drawn as one with what stands before it.
        if !c.is_ascii() && self.join(c, width) {
            return;
        }
        let (mut x, mut y) = self.at;
        if !self.wraps {
            // What has no room is drawn over what stands last.
            x = x.min(self.columns - width);
        } else if self.full || x + width > self.columns {
            (x, y, self.full) = (0, y + 1, false);
            if y == self.rows.len() {
                self.rows.remove(0);
                self.rows.push(vec![Cell::Blank; self.columns]);
                y -= 1;
            }
        }
        self.put(x, y, Cell::Text(c, String::new()), width);
        self.full = x + width >= self.columns;
        self.at = (if self.full { self.columns - 1 } else { x + width }, y);
    }

    /// Puts the character to the one before the cursor where they are drawn as one.
    fn join(&mut self, c: char, width: usize) -> bool {
        let (x, y) = self.at;
        let Some(mut before) = (if self.full { Some(x) } else { x.checked_sub(1) }) else {
            return width == 0;
        };
        if self.rows[y][before] == Cell::Half {
            before -= 1;
        }
        let Cell::Text(first, more) = &self.rows[y][before] else { return width == 0 };
        if width > 0 && self.widths != Widths::Clusters {
            return false;
        }
        let joined = format!("{first}{more}{c}");
        let one = self.widths == Widths::Clusters && joined.graphemes(true).count() == 1;
        if !one && width > 0 {
            return false;
        }
        let wide =
            if one { joined.width().clamp(1, 2) } else { 1 + usize::from(self.is_half(before + 1, y)) };
        if before + wide <= self.columns {
            let cell = Cell::Text(*first, format!("{more}{c}"));
            self.put(before, y, cell, wide);
            self.full = before + wide >= self.columns;
            self.at = (if self.full { self.columns - 1 } else { before + wide }, y);
        }
        true
    }

    fn is_half(&self, x: usize, y: usize) -> bool {
        self.rows[y].get(x) == Some(&Cell::Half)
    }

    fn put(&mut self, x: usize, y: usize, cell: Cell, width: usize) {
        for x in x..x + width {
            if self.is_half(x, y) {
                self.rows[y][x - 1] = Cell::Blank;
            }
            if self.is_half(x + 1, y) {
                self.rows[y][x + 1] = Cell::Blank;
            }
            self.rows[y][x] = Cell::Half;
        }
        self.rows[y][x] = cell;
    }

    /// What stands in these columns of a row; the right half of a character is nothing.
    pub(crate) fn text(&self, y: usize, columns: std::ops::Range<usize>) -> String {
        let mut text = String::new();
        self.rows[y][columns].iter().for_each(|cell| cell.push_to(&mut text));
        text
    }

    /// A whole row.
    pub(crate) fn row(&self, y: usize) -> String {
        self.text(y, 0..self.columns)
    }

    /// Whether this character stands there.
    pub(crate) fn is(&self, x: usize, y: usize, c: char) -> bool {
        first(&self.rows[y][x]) == Some(c)
    }

    /// What stands in one place.
    pub(crate) fn cell(&self, x: usize, y: usize) -> String {
        self.text(y, x..x + 1)
    }

    pub(crate) fn size(&self) -> (usize, usize) {
        (self.columns, self.rows.len())
    }

    /// The first place, in reading order, where what everybody agrees on (ASCII and the console's own signs) stands here
    /// and does not stand there.
    pub(crate) fn differs(&self, other: &Self) -> Option<(usize, usize)> {
        let agreed = |cell: &Cell| matches!(cell, Cell::Text(c, _) if c.is_ascii_graphic() || is_own(*c));
        let place = |y: usize| (0..self.columns).map(move |x| (x, y));
        (0..self.rows.len()).flat_map(place).find(|&(x, y)| {
            let (here, there) = (&self.rows[y][x], &other.rows[y][x]);
            agreed(here) && first(here) != first(there)
        })
    }

    /// Everything, line by line.
    pub(crate) fn screen(&self) -> String {
        (0..self.rows.len()).map(|y| self.row(y).trim_end().to_owned() + "\n").collect()
    }

    /// Whether the screen shows the text somewhere on one line.
    pub(crate) fn shows(&self, text: &str) -> bool {
        (0..self.rows.len()).any(|y| self.row(y).contains(text))
    }
}

#[cfg(test)]
mod tests {
    use super::super::bytes::Reader;
    use super::*;

    fn drawn(widths: Widths, bytes: &str) -> String {
        let mut terminal = Terminal::new(widths, (8, 2));
        let orders = Reader::default().read(bytes.as_bytes()).unwrap();
        orders.into_iter().for_each(|order| terminal.obey(order));
        terminal.screen()
    }

    #[test]
    fn they_disagree_as_terminals_do() {
        let family = "a漢🇩🇪e\u{301}z";
        assert_eq!(drawn(Widths::Clusters, family), "a漢🇩🇪e\u{301}z\n\n");
        assert_eq!(Terminal::new(Widths::Clusters, (8, 2)).size(), (8, 2));
        let column = |widths| {
            let mut terminal = Terminal::new(widths, (20, 2));
            let orders = Reader::default().read(family.as_bytes()).unwrap();
            orders.into_iter().for_each(|order| terminal.obey(order));
            (0..20).find(|x| terminal.cell(*x, 0) == "z").unwrap()
        };
        assert_eq!(Widths::ALL.map(column), [6, 6, 5, 6, 8]);
    }

    #[test]
    fn a_full_line_goes_on_and_the_last_one_scrolls() {
        assert_eq!(drawn(Widths::Wide, "\x1b[1;8Hé"), "\né\n");
        assert_eq!(drawn(Widths::Clusters, "first\x1b[2H12345678x"), "12345678\nx\n");
        assert_eq!(drawn(Widths::Wide, "\x1b[?7lx\x1b[1;8Hé"), "x     é\n\n");
        assert_eq!(drawn(Widths::Clusters, "\x1b[1H漢字\x1b[1;2Hx"), " x字\n\n");
    }

    #[test]
    fn what_is_erased_is_blank_and_what_scrolls_moves() {
        assert_eq!(drawn(Widths::Clusters, "12345678\x1b[1;3H\x1b[4Xx"), "12x   78\n\n");
        assert_eq!(drawn(Widths::Clusters, "漢字12\x1b[1;2H\x1b[K"), "\n\n");
        assert_eq!(drawn(Widths::Clusters, "one\x1b[2Htwo\x1b[1;2r\x1b[1H\x1b[M\x1b[rx"), "xwo\n\n");
        assert_eq!(drawn(Widths::Clusters, "one\x1b[2Htwo\x1b[1;2r\x1b[1H\x1b[L\x1b[r\x1b[Bx"), "\nxne\n");
        assert_eq!(drawn(Widths::Clusters, "one\x1b[Gx\x1b[2Cy\x1b[B\x1b[2Dz"), "xney\n  z\n");
    }
}
