//! Where everything stands, for a size and a focus: the same numbers for `update` (how far a page is) and for drawing.

use super::Pane;
use ratatui::layout::Rect;

/// The smallest terminal in which a decision is taken.
pub const SMALLEST: (u16, u16) = (40, 12);
/// From this width list and detail stand side by side.
const WIDE: u16 = 100;
/// From this height the outcomes have a pane of their own under the others.
const TALL: u16 = 20;
/// The frame around a bar.
const FRAME: u16 = 2;
/// The smallest pane for the outcomes.
const OUTCOMES: u16 = 5;

/// What an open bar needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asking {
    /// Rows inside its frame.
    pub rows: u16,
    /// Whether a table of what is marked stands over it.
    pub table: bool,
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
    /// The layout for a terminal of this size.
    pub fn of((width, height): (u16, u16), focus: Pane, asking: Option<Asking>) -> Self {
        if width < SMALLEST.0 || height < SMALLEST.1 {
            return Self { too_small: true, ..Self::default() };
        }
        let row = |y, height| Rect::new(0, y, width, height);
        let (top, keys) = (row(0, 1), row(height - 1, 1));
        let wide = width >= WIDE;
        // Wide and tall: the outcomes have a pane, and the bar takes its place so that nothing else moves.
        let bar = asking.map(|asking| asking.rows + FRAME);
        let below = match (wide && height >= TALL, bar) {
            (true, bar) => (height / 5).clamp(OUTCOMES, 8).max(bar.unwrap_or(0)),
            (false, Some(bar)) => bar,
            (false, None) => 1,
        };
        let main = row(1, height - 2 - below);
        let below = row(1 + main.height, below);
        let mut layout = Self { top, keys, ..Self::default() };
        let bar_is_open = asking.is_some();
        if bar_is_open {
            layout.bar = Some(below);
        } else if below.height > 1 {
            layout.outcomes = Some(below);
        } else if !wide && focus == Pane::Outcomes {
            // The pane shows the newest line itself.
            layout.newest = None;
        } else {
            layout.newest = Some(below);
        }
        if asking.is_some_and(|asking| asking.table) {
            layout.table = Some(main);
        } else if wide {
            let list = width * 46 / 100;
            layout.list = Some(Rect::new(0, main.y, list, main.height));
            layout.detail = Some(Rect::new(list, main.y, width - list, main.height));
            if focus == Pane::Outcomes && layout.outcomes.is_none() && !bar_is_open {
                layout.outcomes = layout.detail.take();
            }
        } else {
            match focus {
                Pane::List => layout.list = Some(main),
                Pane::Detail => layout.detail = Some(main),
                Pane::Outcomes if bar_is_open => layout.list = Some(main),
                Pane::Outcomes => layout.outcomes = Some(Rect { height: main.height + 1, ..main }),
            }
        }
        layout
    }
}

/// The inside of a frame.
pub fn inside(frame: Rect) -> Rect {
    let (width, height) = (frame.width.saturating_sub(2), frame.height.saturating_sub(2));
    Rect { x: frame.x + 1, y: frame.y + 1, width, height }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_gives_rectangles_that_fit_and_do_not_overlap() {
        for (width, height) in (1..200).step_by(3).flat_map(|w| (1..80).map(move |h| (w, h))) {
            for focus in [Pane::List, Pane::Detail, Pane::Outcomes] {
                let asking = |rows, table| Some(Asking { rows, table });
                for bar in [None, asking(3, false), asking(4, false), asking(2, true)] {
                    let layout = Layout::of((width, height), focus, bar);
                    assert_eq!(layout.too_small, width < 40 || height < 12);
                    if layout.too_small {
                        continue;
                    }
                    let Layout { list, detail, outcomes, newest, bar: asks, table, .. } = layout;
                    let optional = [list, detail, outcomes, newest, asks, table];
                    let always = [layout.top, layout.keys].into_iter();
                    let all: Vec<_> = always.chain(optional.into_iter().flatten()).collect();
                    let area: u32 = all.iter().map(|rect| rect.area()).sum();
                    assert!(area <= u32::from(width) * u32::from(height));
                    for (at, rect) in all.iter().enumerate() {
                        assert!(
                            rect.right() <= width && rect.bottom() <= height && !rect.is_empty(),
                            "{layout:?}"
                        );
                        assert!(all[..at].iter().all(|other| !rect.intersects(*other)), "{layout:?}");
                    }
                    assert_eq!(layout.bar.is_some(), bar.is_some());
                    assert!([list, detail, outcomes, table].iter().any(Option::is_some));
                }
            }
        }
    }
}
