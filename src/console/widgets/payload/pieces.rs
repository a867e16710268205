//! What shows of a stream, in order: runs of text in one role, and the breaks between lines; signs of open folds and
//! bodies of closed ones are passed over.

use super::stream::{Break, Folds, Stream};
use crate::console::theme::Role;
use std::ops::Range;

/// A piece of what shows.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// Text in one role.
    Text { range: Range<u32>, role: Role },
    /// A line begins, `level` levels deep, and goes on at `hanging` where it is wrapped.
    Break { at: u32, level: u16, hanging: u16 },
}

/// The pieces of a range of positions that begins where a line begins.
pub(super) struct Pieces<'s> {
    stream: &'s Stream,
    folds: Folds,
    at: u32,
    end: u32,
    span: usize,
    fold: usize,
    next_break: usize,
}

impl<'s> Pieces<'s> {
    pub(super) fn of(stream: &'s Stream, range: Range<u32>, folds: Folds) -> Self {
        Self {
            stream,
            folds,
            at: range.start,
            end: range.end,
            span: stream.spans.partition_point(|(end, _)| *end <= range.start),
            fold: stream.fold_at(range.start),
            next_break: stream.breaks.partition_point(|at| at.at < range.start),
        }
    }

    /// The break that stands here, before the body of the next fold.
    fn take_break(&mut self, before: usize) -> Option<Break> {
        let found = self.stream.breaks.get(self.next_break)?;
        let here = found.at <= self.at && self.next_break < before;
        self.next_break += usize::from(here);
        here.then_some(*found)
    }
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let mut stop = loop {
            let fold = self.stream.folds.get(self.fold);
            if let Some(Break { at, level, hanging }) =
                self.take_break(fold.map_or(usize::MAX, |fold| fold.breaks.start))
            {
                return Some(Piece::Break { at, level, hanging });
            }
            let Some(fold) = fold else { break self.end };
            let open = fold.is_open(self.folds);
            if open && self.at >= fold.start {
                self.at = self.at.max(fold.body);
                self.fold += 1;
            } else if !open && self.at >= fold.body {
                self.at = self.at.max(fold.end);
                self.next_break = self.next_break.max(fold.breaks.end);
                self.fold = fold.next.max(self.fold + 1);
            } else {
                break if self.at < fold.start { fold.start } else { fold.body };
            }
        };
        if self.at >= self.end {
            return None;
        }
        stop = stop.min(self.end);
        if let Some(found) = self.stream.breaks.get(self.next_break).filter(|found| found.at > self.at) {
            stop = stop.min(found.at);
        }
        while self.stream.spans.get(self.span).is_some_and(|(end, _)| *end <= self.at) {
            self.span += 1;
        }
        let (end, role) = *self.stream.spans.get(self.span)?;
        let range = self.at..stop.min(end);
        self.at = range.end;
        Some(Piece::Text { range, role })
    }
}
