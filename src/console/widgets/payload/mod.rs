//! What an agent sent, shown whole: written out once ([`Stream`]), laid out once for a width and for what is folded,
//! and drawn as a window.
//!
//! Every line knows which positions of the stream it shows, so that [`Coverage`] can tell what has been on screen. The
//! stream does not depend on the width: the same text is covered however wide the pane was when it was seen. This folder
//! draws nothing by itself and knows nothing of the model.

mod coverage;
mod json;
mod layout;
mod pieces;
mod preview;
mod stream;

pub use coverage::Coverage;
pub use stream::{Folds, Stream};

use self::layout::Line;
use self::pieces::{Piece, Pieces};
use self::stream::Form;
use super::RoleLine;
use crate::console::theme::Role;
use crate::domain::json::{Limits, parse};
use std::ops::Range;

/// A foreign text with its lines.
#[derive(Debug, Clone, Default)]
pub struct Sheet {
    stream: Stream,
    lines: Vec<Line>,
    laid_out: Option<(usize, Folds)>,
}

impl Sheet {
    /// A JSON text; where it cannot be read, it is shown as the text that it is.
    pub fn json(source: &str) -> Self {
        match parse(source.as_bytes(), Limits::SEALED) {
            Ok(value) => Self::of(json::stream(&value)),
            Err(_) => Self::words(source),
        }
    }

    /// Running text, line feeds shown and kept. It comes as it was sent and is made visible here.
    pub fn words(text: &str) -> Self {
        let mut stream = Stream::default();
        stream.break_line(0, 1);
        stream.text(Role::Foreign, text, Form { block: Some(0), quoted: false });
        Self::of(stream)
    }

    fn of(mut stream: Stream) -> Self {
        stream.finish();
        Self { stream, lines: Vec::new(), laid_out: None }
    }

    /// Breaks it into lines of at most `columns` columns; does nothing where that has been done already.
    pub fn lay_out(&mut self, columns: usize, folds: Folds) {
        if self.laid_out != Some((columns, folds)) {
            self.lines = layout::lines(&self.stream, columns, folds);
            self.laid_out = Some((columns, folds));
        }
    }

    /// How many lines it has.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether it has not been laid out yet.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// What the lines show.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// A line, built from the stream: a window of them costs the same whatever the whole is.
    pub fn line(&self, number: usize) -> RoleLine {
        let Some(line) = self.lines.get(number) else { return RoleLine::default() };
        let mut out = RoleLine::of(Role::Text, " ".repeat(usize::from(line.margin)));
        for piece in Pieces::of(&self.stream, self.positions(number), self.folds()) {
            if let Piece::Text { range, role } = piece {
                out.push(role, self.stream.str(&range));
            }
        }
        out
    }

    /// The positions of the stream that belong to a line: those that it shows, and those folded away in it.
    pub fn positions(&self, number: usize) -> Range<u32> {
        let start = |number: usize| self.lines.get(number).map_or(self.stream.end(), |line| line.start);
        start(number)..start(number + 1)
    }

    /// The line that a position belongs to.
    pub fn line_at(&self, position: u32) -> usize {
        self.lines.partition_point(|line| line.start <= position).saturating_sub(1)
    }

    /// The positions of these lines that count as seen once they have been on screen: all but what is folded away. A
    /// closed fold of blanks counts, because its sign says all that there is to it.
    pub fn covered(&self, lines: Range<usize>) -> Vec<Range<u32>> {
        let Some(last) = lines.end.checked_sub(1).filter(|last| *last >= lines.start) else {
            return Vec::new();
        };
        let range = self.positions(lines.start).start..self.positions(last).end;
        self.stream.without_closed(range, self.folds())
    }

    /// The positions that closed folds hold back: all that they fold away, where that is more than blanks.
    pub fn held_back(&self) -> impl Iterator<Item = Range<u32>> + '_ {
        self.stream.held_back(self.folds())
    }

    fn folds(&self) -> Folds {
        self.laid_out.map_or(Folds::Closed, |(_, folds)| folds)
    }
}

#[cfg(test)]
mod tests;
