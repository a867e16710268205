//! A window on more lines than fit: pure numbers, kept in the model.

use crate::console::keymap::Intent;

/// Which lines of a longer text show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scroll {
    /// The first line that shows.
    pub top: usize,
    /// Lines that fit.
    pub rows: usize,
    /// Lines that there are.
    pub total: usize,
}

impl Scroll {
    /// Takes in new sizes and stays within them.
    pub fn resize(&mut self, rows: usize, total: usize) {
        (self.rows, self.total) = (rows, total);
        self.top = self.top.min(self.limit());
    }

    /// The furthest that `top` can go.
    fn limit(&self) -> usize {
        self.total.saturating_sub(self.rows)
    }

    /// Lines below what shows.
    pub fn below(&self) -> usize {
        self.total.saturating_sub(self.top + self.rows)
    }

    /// The lines that show.
    pub fn window(&self) -> std::ops::Range<usize> {
        self.top.min(self.total)..(self.top + self.rows).min(self.total)
    }

    /// Moves by what the key means; `false` where the intent does not move.
    pub fn go(&mut self, intent: Intent) -> bool {
        let Some(top) = moved(intent, self.top, self.rows, self.limit()) else { return false };
        self.top = top;
        true
    }

    /// Scrolls as little as needed for a line to show.
    pub fn show(&mut self, line: usize) {
        if line < self.top {
            self.top = line;
        } else if line >= self.top + self.rows {
            self.top = (line + 1).saturating_sub(self.rows);
        }
        self.top = self.top.min(self.limit());
    }
}

/// Where a position goes by an intent, between 0 and `last`; `None` where the intent does not move.
pub fn moved(intent: Intent, from: usize, rows: usize, last: usize) -> Option<usize> {
    let page = rows.max(2) - 1;
    let to = match intent {
        Intent::Down => from + 1,
        Intent::Up => from.saturating_sub(1),
        Intent::PageDown => from + page,
        Intent::PageUp => from.saturating_sub(page),
        Intent::HalfPageDown => from + rows.div_ceil(2),
        Intent::HalfPageUp => from.saturating_sub(rows.div_ceil(2)),
        Intent::Top => 0,
        Intent::Bottom => last,
        _ => return None,
    };
    Some(to.min(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_can_be_reached_and_none_beyond() {
        let mut scroll = Scroll::default();
        scroll.resize(5, 12);
        for (intent, top, below) in [
            (Intent::Down, 1, 6),
            (Intent::PageDown, 5, 2),
            (Intent::PageDown, 7, 0),
            (Intent::Down, 7, 0),
            (Intent::HalfPageUp, 4, 3),
            (Intent::Top, 0, 7),
            (Intent::Up, 0, 7),
            (Intent::Bottom, 7, 0),
        ] {
            assert!(scroll.go(intent));
            assert_eq!((scroll.top, scroll.below()), (top, below), "{intent:?}");
        }
        scroll.resize(20, 12);
        assert_eq!((scroll.top, scroll.window()), (0, 0..12));
        assert!(!scroll.go(Intent::Help));
    }
}
