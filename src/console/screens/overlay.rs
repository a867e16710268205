//! A frame that stands for a while over the last rows of the panes, above the row that keys are named in: what a command
//! line offers, what can be copied. What it covers has not been read.

use super::view::frame_of;
use crate::console::app::Model;
use crate::console::widgets::RoleLine;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::widgets::Clear;

/// Rows that it has room for, of those that it would like to have.
pub(super) fn rows(above: Rect, wanted: u16) -> u16 {
    wanted.clamp(1, above.y.saturating_sub(6).max(1))
}

/// Draws the frame over the rows above this one; returns its inside.
pub(super) fn draw(
    frame: &mut Frame<'_>,
    above: Rect,
    rows: u16,
    model: &Model,
    title: &RoleLine,
    foot: &RoleLine,
) -> Rect {
    let area = Rect { y: above.y.saturating_sub(rows + 2), height: rows + 2, ..above };
    frame.render_widget(Clear, area);
    frame_of(frame, area, model, true, title, foot)
}
