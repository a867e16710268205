//! The action in full: facts, the payload whole, and the agent's words, as one text that scrolls; and how much of the
//! payload a reader has had on the screen.
//!
//! The payload is written out once for an action and laid out once for a width and for what is folded; drawing shows a
//! window of it. Coverage counts positions that do not depend on the width, so a resize neither loses nor invents any.
//! This folder does not decide what coverage is needed for: that is `app/guard`.

mod below;
pub(super) mod facts;
mod read;
pub(in crate::console) mod review;
pub(super) mod view;

use self::below::{Below, BodyLine};
use self::facts::{Beside, Facts};
pub(in crate::console) use self::review::Reviewed;
use crate::console::app::layout::{inside, readable};
use crate::console::widgets::payload::{Coverage, Folds};
use crate::console::widgets::{RoleLine, Scroll};
use crate::domain::difference::Differences;
use crate::domain::{Action, Digest};
use ratatui::layout::Rect;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

/// From this many lines there is room for every fact above the payload.
const ROOMY: usize = 14;
/// Columns of the gutter at the left of foreign lines.
const GUTTER: usize = 2;

/// What the lines were laid out for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct LaidOut {
    columns: usize,
    roomy: bool,
    folds: Folds,
}

/// The action in full, laid out for a width.
#[derive(Debug, Clone, Default)]
pub struct Detail {
    digest: Option<Digest>,
    /// `None` where what they hold has changed since.
    laid_out: Option<LaidOut>,
    /// What the lines that the window shows were laid out for.
    shown_as: Option<LaidOut>,
    folds: Folds,
    facts: Facts,
    below: Below,
    hidden: usize,
    /// Whether the pane is on the screen at all.
    shows: bool,
    coverage: Coverage,
    /// The lines of the payload that show something that no frame has shown, in order.
    unseen: Vec<Range<usize>>,
    /// How many closed folds hold back something that no frame has shown.
    unopened: usize,
    /// The actions whose whole payload has been on the screen.
    seen: HashSet<Digest>,
    /// How far it is, where it needs more than one reviewer.
    review: Option<Reviewed>,
    /// What has changed in an action since it was decided on, by the digest that it has now.
    changes: HashMap<Digest, Differences>,
    /// Which lines show.
    pub scroll: Scroll,
}

impl Detail {
    /// Takes in what the cursor is on and where the pane stands. Another action starts afresh, at its top and with its
    /// folds closed; another width, or other folds, keep the place.
    pub fn show(&mut self, action: Option<&Arc<Action>>, frame: Option<Rect>) {
        let digest = action.map(|action| action.digest);
        if self.digest != digest {
            let (seen, changes) = (std::mem::take(&mut self.seen), std::mem::take(&mut self.changes));
            let (review, scroll) = (self.review.take(), Scroll { top: 0, ..self.scroll });
            *self = Self { digest, seen, changes, review, scroll, ..Self::default() };
            if let Some(action) = action {
                self.below = Below::of(action);
                self.hidden = action.hidden_characters();
                for sign in self.below.payload().stream().own() {
                    self.coverage.add(sign);
                }
            }
        }
        self.shows = frame.is_some();
        let (Some(action), Some(frame)) = (action, frame.map(inside)) else { return };
        let (columns, rows) = (readable(frame.width), usize::from(frame.height));
        let wanted = LaidOut { columns, roomy: rows >= ROOMY, folds: self.folds };
        if self.laid_out != Some(wanted) {
            let place = self.shown_as.map(|_| self.place());
            let beside = Beside { changes: self.changes.get(&action.digest), review: self.review.as_ref() };
            self.facts = facts::facts(action, &beside, columns, wanted.roomy);
            self.below.lay_out(action, &self.facts, columns, self.folds);
            (self.laid_out, self.shown_as) = (Some(wanted), Some(wanted));
            self.scroll.top = place.map_or(0, |place| self.line_of(place));
            self.recount();
        }
        self.scroll.resize(rows, self.facts.lines.len() + self.below.len());
    }

    /// How far it is, where it needs more than one reviewer. To be told before [`show`](Self::show).
    pub(in crate::console) fn reviewed(&mut self, review: Option<Reviewed>) {
        if self.review != review {
            (self.review, self.laid_out) = (review, None);
        }
    }

    /// The action that now has this digest is other than the one that was decided on: what has changed is shown with it.
    pub fn changed(&mut self, digest: Digest, changes: Differences) {
        self.forget(&digest);
        self.changes.insert(digest, changes);
    }

    /// The line at the top, said in a way that outlives another layout.
    fn place(&self) -> Place {
        let payload = self.below.payload();
        match self.scroll.top.checked_sub(self.facts.lines.len()) {
            None => Place::Facts(self.scroll.top),
            Some(line) if line < payload.len() => Place::Payload(payload.positions(line).start),
            Some(line) => Place::Behind(line - payload.len()),
        }
    }

    fn line_of(&self, place: Place) -> usize {
        let payload = self.below.payload();
        match place {
            Place::Facts(line) => line.min(self.facts.lines.len()),
            Place::Payload(position) => self.facts.lines.len() + payload.line_at(position),
            Place::Behind(lines) => self.facts.lines.len() + payload.len() + lines,
        }
    }

    /// A line below the facts, and whether it is what somebody else wrote; `None` where there are no more.
    pub(in crate::console) fn below(&self, number: usize) -> Option<(bool, RoleLine)> {
        self.below.line(number).map(|line| match line {
            BodyLine::Foreign(line) => (true, line),
            BodyLine::Own(line) => (false, line),
        })
    }

    /// How many lines the payload takes, and how many all that is below the facts.
    pub(in crate::console) fn lines_below(&self) -> (usize, usize) {
        (self.below.payload().len(), self.below.len())
    }

    /// What has changed in this action since it was decided on.
    pub(in crate::console) fn changes(&self, digest: &Digest) -> Option<&Differences> {
        self.changes.get(digest)
    }

    /// How many characters of it would have been invisible, or could have acted on the terminal.
    pub(super) fn hidden(&self) -> usize {
        self.hidden
    }

    /// A line of the whole; `None` where there are no more.
    fn line(&self, number: usize) -> Option<BodyLine> {
        match self.facts.lines.get(number) {
            Some(line) => Some(BodyLine::Own(line.clone())),
            None => self.below.line(number - self.facts.lines.len()),
        }
    }
}

/// A place in the whole that does not depend on the width.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// A line of the facts.
    Facts(usize),
    /// A position in the payload.
    Payload(u32),
    /// This many lines behind the payload.
    Behind(usize),
}

#[cfg(test)]
mod tests;
