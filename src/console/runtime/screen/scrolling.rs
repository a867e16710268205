//! Which lines have only moved: a pane that shows the same text some lines further on can be scrolled by the terminal.
//! Whether that is shorter is the frame's to say; nothing that a pane claims can make the screen show anything else.

use ratatui::layout::Rect;

/// The lines of a pane, as they were drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaneAt {
    /// Where the lines stand, without a frame around them.
    pub rect: Rect,
    /// The number of the first line that shows.
    pub top: usize,
}

/// Rows that can be scrolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scrolled {
    pub(super) top: usize,
    /// The row below the last one.
    pub(super) bottom: usize,
    /// How many rows up; less than nothing is down.
    pub(super) by: isize,
}

/// The panes that have been scrolled by less than they have rows, and what stayed where it is.
pub(super) fn scrolled(was: &[PaneAt], is: &[PaneAt], rows: usize) -> Vec<Scrolled> {
    let scrolled = |pane: &PaneAt| {
        let before = was.iter().find(|before| before.rect == pane.rect)?;
        let (top, bottom) = (usize::from(pane.rect.top()), usize::from(pane.rect.bottom()));
        let by = isize::try_from(pane.top).ok()?.checked_sub_unsigned(before.top)?;
        let fits = bottom <= rows && by != 0 && by.unsigned_abs() < usize::from(pane.rect.height);
        fits.then_some(Scrolled { top, bottom, by })
    };
    let mut all: Vec<Scrolled> = is.iter().filter_map(scrolled).collect();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pane_that_stayed_and_still_shows_a_line_has_scrolled() {
        let pane = |y, height, top| PaneAt { rect: Rect::new(3, y, 20, height), top };
        let scrolled = |was, is| scrolled(&[was], &[is], 10);
        let up = |by| vec![Scrolled { top: 2, bottom: 6, by }];
        assert_eq!(scrolled(pane(2, 4, 7), pane(2, 4, 8)), up(1));
        assert_eq!(scrolled(pane(2, 4, 7), pane(2, 4, 4)), up(-3));
        assert_eq!(scrolled(pane(2, 4, 7), pane(2, 4, 7)), []);
        assert_eq!(scrolled(pane(2, 4, 7), pane(2, 4, 11)), []);
        assert_eq!(scrolled(pane(2, 4, 7), pane(3, 4, 8)), []);
        assert_eq!(scrolled(pane(8, 4, 7), pane(8, 4, 8)), []);
    }
}
