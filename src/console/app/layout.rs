//! Where everything stands, for a size and for what the reviewer has arranged: the same numbers for `update` (how far a
//! page is, what is under the pointer) and for drawing.
//!
//! | columns | what stands where |
//! |---|---|
//! | under 100, and every zoomed pane | one pane at a time |
//! | from 100 | list beside detail, the outcomes under both |
//! | from 160 | the outcomes under the list: the detail has the whole height to be read in |
//! | from 230 | list, detail and outcomes in columns |
//!
//! Under 20 rows the outcomes are their newest line, except in columns. A bar takes the place of the outcomes, so that
//! nothing else moves.

use super::Pane;
use crate::config::Percent;
use ratatui::layout::Rect;

/// The smallest terminal in which a decision is taken.
pub const SMALLEST: (u16, u16) = (40, 12);
/// Text is not stretched over more columns than an eye finds its way back from.
const READABLE: usize = 110;
/// How far the split goes, and in what steps.
const SPLITS: std::ops::RangeInclusive<u16> = Percent::RANGE;
const STEP: u16 = 5;
/// A pane beside another one is at least this wide.
const NARROWEST: u16 = 30;
/// From this width list and detail stand side by side.
const WIDE: u16 = 100;
/// From this width the outcomes stand under the list alone.
const BROAD: u16 = 160;
/// From this width the outcomes have a column of their own.
const COLUMNS: u16 = 230;
/// The share of that column, in percent.
const COLUMN: u16 = 28;
/// From this height the outcomes have a pane of their own under the others.
const TALL: u16 = 20;
/// The frame around a bar.
const FRAME: u16 = 2;
/// The smallest pane for the outcomes.
const OUTCOMES: u16 = 5;

/// Columns by which lines are shorter where each has its number in front of it.
const NUMBERS: u16 = 5;
/// Lines are laid out for at least so many columns, however narrow the terminal says it is.
const SHORTEST_LINE: u16 = 14;

/// What an open bar needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asking {
    /// Rows inside its frame.
    pub rows: u16,
    /// Whether a table of what is marked stands over it.
    pub table: bool,
}

/// How the reviewer has arranged the panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrangement {
    /// Whether the pane that keys go to has the space of all the others.
    pub zoomed: bool,
    /// The share of the list in the columns that it has together with the detail, in percent.
    pub split: u16,
}

impl Arrangement {
    /// Every pane in its place.
    pub fn new(split: u16) -> Self {
        Self { zoomed: false, split: split.clamp(*SPLITS.start(), *SPLITS.end()) }
    }

    /// Moves the split a step to the left or to the right; `false` where it goes no further.
    pub fn move_split(&mut self, right: bool) -> bool {
        let to = if right { self.split + STEP } else { self.split.saturating_sub(STEP) };
        let to = to.clamp(*SPLITS.start(), *SPLITS.end());
        std::mem::replace(&mut self.split, to) != to
    }
}

/// Where everything stands. What is `None` does not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Layout {
    /// The terminal is too small for anything to be decided.
    pub too_small: bool,
    /// The line at the top: who, where, link and counts.
    pub top: Rect,
    /// The list.
    pub list: Option<Rect>,
    /// The action in full.
    pub detail: Option<Rect>,
    /// The outcomes, with a frame.
    pub outcomes: Option<Rect>,
    /// The newest outcome in one line, where the pane does not show.
    pub newest: Option<Rect>,
    /// The bar that asks.
    pub bar: Option<Rect>,
    /// The table of what is marked, in place of list and detail.
    pub table: Option<Rect>,
    /// The key bar.
    pub keys: Rect,
}

impl Layout {
    /// Where nothing has a place: only the detail and the table of what is marked are laid out, so that their lines fit
    /// behind their numbers.
    pub fn line_by_line((width, height): (u16, u16)) -> Self {
        let width = width.saturating_sub(NUMBERS).max(SHORTEST_LINE);
        // A table is printed whole.
        let table = Rect::new(0, 0, width, u16::MAX);
        Self { detail: Some(Rect::new(0, 0, width, height)), table: Some(table), ..Self::default() }
    }

    /// The layout for a terminal of this size.
    pub fn of((width, height): (u16, u16), focus: Pane, panes: Arrangement, asking: Option<Asking>) -> Self {
        if width < SMALLEST.0 || height < SMALLEST.1 {
            return Self { too_small: true, ..Self::default() };
        }
        let row = |y, height| Rect::new(0, y, width, height);
        let layout = Self { top: row(0, 1), keys: row(height - 1, 1), ..Self::default() };
        let all = row(1, height - 2);
        let bar = asking.map(|asking| asking.rows + FRAME);
        let table = asking.is_some_and(|asking| asking.table);
        if width >= COLUMNS && !panes.zoomed && !table {
            layout.in_columns(all, panes, bar)
        } else if width >= BROAD && height >= TALL && !panes.zoomed && !table {
            layout.under_the_list(all, panes, bar)
        } else if width >= WIDE && !panes.zoomed {
            layout.side_by_side(all, focus, panes, asking)
        } else {
            layout.one_at_a_time(all, focus, panes.zoomed, asking)
        }
    }

    /// Whether there is a split that could be moved.
    pub fn has_split(&self) -> bool {
        self.list.is_some() && self.detail.is_some()
    }

    fn in_columns(mut self, all: Rect, panes: Arrangement, bar: Option<u16>) -> Self {
        let (main, outcomes) = beside(all, all.width - all.width * COLUMN / 100);
        let (outcomes, bar) = above(outcomes, bar.unwrap_or(0));
        let (list, detail) = split(main, panes.split);
        (self.list, self.detail) = (Some(list), Some(detail));
        (self.outcomes, self.bar) = (shows(outcomes), shows(bar));
        self
    }

    fn under_the_list(mut self, all: Rect, panes: Arrangement, bar: Option<u16>) -> Self {
        let (left, detail) = split(all, panes.split);
        let (list, below) = above(left, (all.height / 4).clamp(OUTCOMES + 1, 14).max(bar.unwrap_or(0)));
        (self.list, self.detail) = (Some(list), Some(detail));
        let place = if bar.is_some() { &mut self.bar } else { &mut self.outcomes };
        *place = Some(below);
        self
    }

    fn side_by_side(mut self, all: Rect, focus: Pane, panes: Arrangement, asking: Option<Asking>) -> Self {
        let bar = asking.map(|asking| asking.rows + FRAME);
        let tall = all.height + 2 >= TALL;
        let (main, below) = above(
            all,
            match (tall, bar) {
                (true, bar) => ((all.height + 2) / 5).clamp(OUTCOMES, 8).max(bar.unwrap_or(0)),
                (false, bar) => bar.unwrap_or(1),
            },
        );
        let place = match (asking, tall) {
            (Some(_), _) => &mut self.bar,
            (None, true) => &mut self.outcomes,
            (None, false) => &mut self.newest,
        };
        *place = Some(below);
        if asking.is_some_and(|asking| asking.table) {
            self.table = Some(main);
            return self;
        }
        let (list, detail) = split(main, panes.split);
        (self.list, self.detail) = (Some(list), Some(detail));
        if focus == Pane::Outcomes && self.newest.is_some() {
            self.outcomes = self.detail.take();
        }
        self
    }

    fn one_at_a_time(mut self, all: Rect, focus: Pane, zoomed: bool, asking: Option<Asking>) -> Self {
        // The outcomes show their newest line themselves, and a zoomed pane is all there is to see.
        let newest = !zoomed && focus != Pane::Outcomes;
        let below = asking.map_or(u16::from(newest), |asking| asking.rows + FRAME);
        let (main, below) = above(all, below);
        let place = if asking.is_some() { &mut self.bar } else { &mut self.newest };
        *place = shows(below);
        let pane = match (asking, focus) {
            (Some(Asking { table: true, .. }), _) => &mut self.table,
            (_, Pane::List) | (Some(_), Pane::Outcomes) => &mut self.list,
            (_, Pane::Detail) => &mut self.detail,
            (None, Pane::Outcomes) => &mut self.outcomes,
        };
        *pane = Some(main);
        self
    }
}

/// The left part, this wide, and the rest.
fn beside(area: Rect, width: u16) -> (Rect, Rect) {
    let width = width.min(area.width);
    (Rect { width, ..area }, Rect { x: area.x + width, width: area.width - width, ..area })
}

/// List and detail.
fn split(area: Rect, percent: u16) -> (Rect, Rect) {
    let width = u32::from(area.width) * u32::from(percent) / 100;
    let width = u16::try_from(width).unwrap_or(area.width);
    beside(area, width.clamp(NARROWEST, area.width.saturating_sub(NARROWEST).max(NARROWEST)))
}

/// What stands over a part at the foot that is this high, and that part.
fn above(area: Rect, foot: u16) -> (Rect, Rect) {
    let height = area.height - foot.min(area.height);
    (Rect { height, ..area }, Rect { y: area.y + height, height: area.height - height, ..area })
}

fn shows(area: Rect) -> Option<Rect> {
    (!area.is_empty()).then_some(area)
}

/// The columns of a pane that text is laid out for.
pub fn readable(width: u16) -> usize {
    usize::from(width).min(READABLE)
}

/// The inside of a frame.
pub fn inside(frame: Rect) -> Rect {
    let (width, height) = (frame.width.saturating_sub(2), frame.height.saturating_sub(2));
    Rect { x: frame.x + 1, y: frame.y + 1, width, height }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPLIT: u16 = 46;
    const SPLITS: [u16; 3] = [20, SPLIT, 80];

    fn every_arrangement() -> impl Iterator<Item = (Pane, Arrangement, Option<Asking>)> {
        let asking = |rows, table| Some(Asking { rows, table });
        let bars = [None, asking(3, false), asking(4, false), asking(2, true)];
        let focus = [Pane::List, Pane::Detail, Pane::Outcomes].into_iter();
        let panes = focus.flat_map(|focus| {
            SPLITS
                .into_iter()
                .flat_map(move |split| [false, true].map(|zoomed| (focus, Arrangement { zoomed, split })))
        });
        panes.flat_map(move |(focus, panes)| bars.map(|bar| (focus, panes, bar)))
    }

    #[test]
    fn every_size_gives_rectangles_that_fit_and_do_not_overlap() {
        let edges = [39, 40, 99, 100, 159, 160, 229, 230, 300];
        let sizes = (1..=300).step_by(7).chain(edges).flat_map(|w| (1..=120).map(move |h| (w, h)));
        for ((width, height), (focus, panes, bar)) in
            sizes.flat_map(|size| every_arrangement().map(move |arranged| (size, arranged)))
        {
            let layout = Layout::of((width, height), focus, panes, bar);
            assert_eq!(layout.too_small, width < 40 || height < 12);
            if layout.too_small {
                continue;
            }
            let Layout { list, detail, outcomes, newest, bar: asks, table, .. } = layout;
            let optional = [list, detail, outcomes, newest, asks, table];
            let always = [layout.top, layout.keys].into_iter();
            let all: Vec<_> = always.chain(optional.into_iter().flatten()).collect();
            let area: u32 = all.iter().map(|rect| rect.area()).sum();
            assert_eq!(area, u32::from(width) * u32::from(height), "nothing is left blank: {layout:?}");
            for (at, rect) in all.iter().enumerate() {
                assert!(rect.right() <= width && rect.bottom() <= height && !rect.is_empty(), "{layout:?}");
                assert!(all[..at].iter().all(|other| !rect.intersects(*other)), "{layout:?}");
            }
            assert_eq!(layout.bar.is_some(), bar.is_some());
            assert!([list, detail, outcomes, table].iter().any(Option::is_some));
            for pane in [list, detail, outcomes].into_iter().flatten() {
                assert!(pane.width >= NARROWEST && pane.height >= 3, "{width}x{height} {layout:?}");
            }
            // Keys never go to a pane that does not show, but for a bar's table.
            let focused = match focus {
                Pane::List => list,
                Pane::Detail => detail,
                Pane::Outcomes => outcomes,
            };
            assert!(focused.is_some() || bar.is_some(), "{layout:?}");
            if panes.zoomed && bar.is_none() {
                assert_eq!(focused, Some(Rect::new(0, 1, width, height - 2)));
            }
        }
    }

    #[test]
    fn a_bar_moves_neither_the_list_nor_the_detail_of_a_tall_terminal() {
        let asking = Some(Asking { rows: 4, table: false });
        for (width, height) in [(100, 30), (120, 40), (160, 30), (200, 60), (300, 80), (230, 20)] {
            for split in SPLITS {
                let [without, with] = [None, asking]
                    .map(|bar| Layout::of((width, height), Pane::List, Arrangement::new(split), bar));
                assert_eq!((without.list, without.detail), (with.list, with.detail), "{width}x{height}");
            }
        }
    }

    #[test]
    fn the_split_stays_within_its_bounds() {
        let mut panes = Arrangement::new(SPLIT);
        while panes.move_split(true) {}
        assert_eq!(panes.split, 80);
        assert!(panes.move_split(false));
        assert_eq!(panes.split, 75);
        while panes.move_split(false) {}
        assert_eq!((panes.split, Arrangement::new(0).split, Arrangement::new(100).split), (20, 20, 80));
    }
}
