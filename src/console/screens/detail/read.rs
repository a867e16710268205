//! What has been read of the payload, what has not, and how keys move on through it.
//!
//! A position counts as seen once a frame that showed it has reached the terminal; see screen.md, *Deciding*, 4.

use super::Detail;
use crate::console::keymap::Intent;
use crate::console::widgets::payload::Folds;
use crate::domain::Digest;
use std::ops::Range;

impl Detail {
    /// A frame that drew this has reached the terminal: what its window showed of the payload has been seen. Must be
    /// called before anything else changes it, and not for a frame in which something else covered it.
    pub fn painted(&mut self) {
        if !self.shows {
            return;
        }
        let (window, facts) = (self.scroll.window(), self.facts.lines.len());
        self.printed(window.start.saturating_sub(facts)..window.end.saturating_sub(facts));
    }

    /// These lines below the facts have been printed: what they show of the payload has been seen.
    pub fn printed(&mut self, lines: Range<usize>) {
        let payload = self.below.payload();
        let lines = lines.start..lines.end.min(payload.len());
        let mut news = false;
        for range in payload.covered(lines) {
            news |= self.coverage.add(range);
        }
        if news {
            self.recount();
        }
    }

    /// How many lines of the payload, as it is laid out now, hold something that no frame has shown: lines that were
    /// never in the window, and lines with a closed fold of more than blanks. 0: all of it has been seen.
    pub fn unseen(&self) -> usize {
        self.unseen.iter().map(ExactSizeIterator::len).sum()
    }

    /// Whether the whole payload of the action with this digest has been on the screen, now or earlier.
    pub fn has_been_seen(&self, digest: &Digest) -> bool {
        self.seen.contains(digest)
    }

    /// What was seen of this action counts no more: it turned out to be another than the server has.
    pub fn forget(&mut self, digest: &Digest) {
        self.seen.remove(digest);
        if self.digest.as_ref() == Some(digest) {
            self.digest = None;
        }
    }

    /// Whether something is folded, or could be.
    pub fn has_folds(&self) -> bool {
        self.below.steps().len() > 1
    }

    /// How many of them are below the window.
    pub(super) fn unseen_below(&self) -> usize {
        let end = self.scroll.window().end.saturating_sub(self.facts.lines.len());
        self.unseen.iter().map(|lines| lines.end.saturating_sub(end.max(lines.start))).sum()
    }

    /// How many of them are above the window.
    pub(super) fn unseen_above(&self) -> usize {
        let start = self.scroll.window().start.saturating_sub(self.facts.lines.len());
        self.unseen.iter().map(|lines| lines.end.min(start).saturating_sub(lines.start)).sum()
    }

    /// How many closed folds hold back something of the payload that has not been seen: scrolling does not show it,
    /// [`Detail::toggle_folds`] does.
    pub fn unopened(&self) -> usize {
        self.unopened
    }

    /// Opens the folds: long texts and deep nesting first, then blanks and piled marks too; then closes them all. The
    /// lines follow with the next [`Detail::show`].
    pub fn toggle_folds(&mut self) {
        let steps = self.below.steps();
        self.folds = steps.iter().copied().find(|step| *step > self.folds).unwrap_or(Folds::Closed);
    }

    /// Moves by what the key means; `false` where the intent does not move. A page down goes on through what has not
    /// been seen: see [`Detail::read_on`].
    pub fn go(&mut self, intent: Intent) -> bool {
        if intent == Intent::PageDown { self.read_on(intent) } else { self.scroll.go(intent) }
    }

    /// Moves on by a page, past pages of which everything has been seen; from the last of them to the first line that
    /// has not been. Does `otherwise` where there is nothing like that: `Bottom` for End, `PageDown` for space.
    pub fn read_on(&mut self, otherwise: Intent) -> bool {
        let (facts, window) = (self.facts.lines.len(), self.scroll.window());
        let lines = || self.unseen.iter().cloned().flatten().map(|line| line + facts);
        let page = self.scroll.rows.max(2) - 1;
        match (lines().find(|line| *line >= window.end), lines().next()) {
            // The next page shows something new; one line stays, so that the reader keeps the thread.
            (Some(next), _) if next < window.end + page => self.scroll.go(Intent::PageDown),
            (Some(next), _) => self.to(next - 1),
            (None, Some(first)) if first < window.start => self.to(first),
            _ => self.scroll.go(otherwise),
        }
    }

    fn to(&mut self, line: usize) -> bool {
        self.scroll.top = line;
        self.scroll.resize(self.scroll.rows, self.scroll.total);
        true
    }

    /// Finds the lines that hold something unseen, after the lines or the coverage have changed.
    pub(super) fn recount(&mut self) {
        (self.unseen, self.unopened) = (Vec::new(), 0);
        let (Some(digest), payload) = (self.digest, self.below.payload()) else { return };
        if payload.is_empty() || self.seen.contains(&digest) {
            return;
        }
        for gap in self.coverage.gaps(payload.stream().end()) {
            let lines = payload.line_at(gap.start)..payload.line_at(gap.end - 1) + 1;
            match self.unseen.last_mut() {
                Some(last) if lines.start <= last.end => last.end = last.end.max(lines.end),
                _ => self.unseen.push(lines),
            }
        }
        self.unopened = payload.held_back().filter(|body| !self.coverage.contains(body)).count();
        if self.unseen.is_empty() {
            self.seen.insert(digest);
        }
    }
}
