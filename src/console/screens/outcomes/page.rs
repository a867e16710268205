//! An outcome that is open: everything that is known of it, then the sealed action in full, as one text that scrolls.
//!
//! The action is laid out by a detail of this page alone, so it looks as it did when it was decided on; what shows here
//! never counts as read for a decision.

use super::account::account;
use super::words::Words;
use super::{Kind, Row};
use crate::console::app::layout::{inside, readable};
use crate::console::screens::detail::Detail;
use crate::console::widgets::{RoleLine, Scroll};
use ratatui::layout::Rect;
use uuid::Uuid;

/// Room for every fact of the action, however low the pane is: the page scrolls.
const ROOM: u16 = 40;

/// The open page.
#[derive(Debug, Clone)]
pub struct Page {
    /// The row that is open.
    pub id: Uuid,
    /// What the console says of it.
    own: Vec<RoleLine>,
    /// The action below.
    detail: Detail,
    /// The columns that all is laid out for.
    columns: usize,
    /// Which lines show.
    pub scroll: Scroll,
}

/// A line of the page.
pub(super) enum PageLine<'a> {
    /// The console's own words, and values that it names.
    Own(&'a RoleLine),
    /// This line of the action.
    Action(&'a Detail, usize),
}

impl Page {
    /// A page that has not been laid out.
    pub(super) fn new(id: Uuid) -> Self {
        Self { id, own: Vec::new(), detail: Detail::default(), columns: 0, scroll: Scroll::default() }
    }

    /// Brings it in line with what is known of the row; another width keeps the place in the action.
    pub(super) fn lay_out(&mut self, row: &Row, frame: Rect, words: &Words<'_>) {
        let inner = inside(frame);
        let columns = readable(inner.width);
        // Where the top was in the action, which must not move when more becomes known above it.
        let top = self.scroll.top.checked_sub(self.own.len()).filter(|_| !self.own.is_empty());
        self.own = account(row, words, columns);
        self.detail.scroll.top = top.unwrap_or(0);
        let place = Rect::new(0, 0, inner.width + 2, ROOM);
        self.detail.show(Some(&row.action), Some(place));
        if let Some(top) = top {
            let kept = if self.columns == columns { top } else { self.detail.scroll.top };
            self.scroll.top = self.own.len() + kept;
        }
        self.columns = columns;
        self.scroll.resize(usize::from(inner.height), self.own.len() + self.detail.scroll.total);
    }

    pub(super) fn toggle_folds(&mut self) {
        self.detail.toggle_folds();
        // Other lines from here on: they are not the same place by their number.
        self.columns = 0;
    }

    /// Whether something is folded, or could be.
    pub fn has_folds(&self) -> bool {
        self.detail.has_folds()
    }

    pub(super) fn line(&self, number: usize) -> PageLine<'_> {
        match self.own.get(number) {
            Some(line) => PageLine::Own(line),
            None => PageLine::Action(&self.detail, number - self.own.len()),
        }
    }
}

impl Row {
    /// The word in the title of its page.
    pub(super) fn verb(&self) -> &'static str {
        match &self.kind {
            Kind::Ours(ours) => ours.order.verdict.word(),
            Kind::Elsewhere(_) => "-",
        }
    }
}
