//! What the mouse does: it scrolls the pane under the pointer, selects a row, focuses a pane, and a second click on the
//! selected row opens it. Nothing else, ever: it decides nothing, confirms nothing, marks nothing and closes nothing. It
//! is off until it is asked for, because a terminal that reports the mouse no longer selects text with it.

use super::layout::inside;
use super::{Layout, Model, Pane};
use crate::console::keymap::Intent;
use crate::console::screens::decide::{Bar, Subject};
use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

/// Lines that one step of the wheel scrolls.
const STEP: usize = 3;

/// Whether the mouse is asked for, and what it may not do yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mouse {
    /// Whether the terminal is to report it.
    pub on: bool,
    /// The window has just come to the front: the click that brought it there was not meant for what is in it.
    just_came: bool,
}

impl Mouse {
    /// A mouse that does something, or one that does not.
    pub fn new(on: bool) -> Self {
        Self { on, just_came: false }
    }

    /// The window came to the front, or went away from it.
    pub fn focus(&mut self, focused: bool) {
        self.just_came = focused;
    }
}

/// The pane at a cell, and the line of its inside, where it is one.
fn hit(layout: &Layout, at: Position) -> Option<(Pane, Option<usize>)> {
    let panes = [(Pane::List, layout.list), (Pane::Detail, layout.detail), (Pane::Outcomes, layout.outcomes)];
    let (pane, frame) = panes
        .into_iter()
        .find_map(|(pane, frame)| Some((pane, frame?)).filter(|(_, frame)| frame.contains(at)))?;
    Some((pane, line(frame, at)))
}

fn line(frame: Rect, at: Position) -> Option<usize> {
    let inner = inside(frame);
    inner.contains(at).then(|| usize::from(at.y - inner.y))
}

/// Takes in what the mouse did.
pub(super) fn moved(model: &mut Model, event: MouseEvent) {
    if !model.mouse.on || model.layout.too_small || model.leaving {
        return;
    }
    let at = Position::new(event.column, event.row);
    match event.kind {
        MouseEventKind::ScrollDown => wheel(model, at, Intent::Down),
        MouseEventKind::ScrollUp => wheel(model, at, Intent::Up),
        MouseEventKind::Down(MouseButton::Left) => click(model, at),
        _ => {}
    }
}

fn wheel(model: &mut Model, at: Position, intent: Intent) {
    let layout = model.layout;
    for _ in 0..STEP {
        match (&mut model.help, &mut model.bar, hit(&layout, at)) {
            (Some(help), ..) => help.scroll.go(intent),
            _ if model.copy.is_some() || model.command.is_open() => return,
            (None, Some(Bar { subject: Subject::Marked(table), .. }), _) => table.scroll.go(intent),
            (None, _, Some((Pane::Detail, _))) => model.detail.scroll.go(intent),
            // While a bar asks, the cursor stays where it is.
            (None, Some(_), _) | (None, None, None) => return,
            (None, None, Some((Pane::List, _))) => model.queue.go(intent),
            (None, None, Some((Pane::Outcomes, _))) => model.outcomes.go(intent),
        };
    }
}

fn click(model: &mut Model, at: Position) {
    // Taken whatever else stands in its way: only the first click is the window's.
    let is_the_windows = std::mem::take(&mut model.mouse.just_came);
    if is_the_windows || model.bar.is_some() || model.is_covered() {
        return;
    }
    let Some((pane, line)) = hit(&model.layout, at) else { return };
    let had_the_keys = std::mem::replace(&mut model.focus, pane) == pane;
    match (pane, line) {
        (Pane::List, Some(line)) => {
            let was = selected_line(model);
            if was == Some(line) && had_the_keys && model.queue.cursor().is_some() {
                model.focus = Pane::Detail;
            } else {
                model.queue.point_at(line);
            }
        }
        (Pane::Outcomes, Some(line)) if model.outcomes.page().is_none() => {
            let was = model.outcomes.selected().map(|row| row.id);
            let row = model.outcomes.shown().get(line).map(|row| row.id);
            match row {
                Some(_) if was == row && had_the_keys => {
                    model.outcomes.open();
                }
                Some(id) => model.outcomes.point(id),
                None => {}
            }
        }
        _ => {}
    }
}

/// The line of the list that the cursor is on, where it shows.
fn selected_line(model: &Model) -> Option<usize> {
    model.queue.rows().position(|(_, is_selected)| is_selected)
}

#[cfg(test)]
mod tests {
    use super::super::layout::Arrangement;
    use super::*;

    #[test]
    fn every_cell_belongs_to_at_most_one_pane_and_lines_are_inside() {
        for size in [(40, 12), (72, 12), (120, 40), (200, 50), (300, 80)] {
            let layout = Layout::of(size, Pane::List, Arrangement::new(46), None);
            for (x, y) in (0..size.0).flat_map(|x| (0..size.1).map(move |y| (x, y))) {
                let at = Position::new(x, y);
                let frames = [layout.list, layout.detail, layout.outcomes].into_iter().flatten();
                let inside_one = frames.filter(|frame| frame.contains(at)).count();
                let hit = hit(&layout, at);
                assert_eq!(hit.is_some(), inside_one == 1, "{size:?} {at:?}");
                assert!(hit.and_then(|(_, line)| line).is_none_or(|line| line < usize::from(size.1)));
            }
        }
    }
}
