//! A stream in lines of a width. Breaks between graphemes, anywhere: nothing is lost and nothing is moved. Signs are kept
//! in one piece where they fit, so that no part of one can be read as something else.

use super::pieces::{Piece, Pieces};
use super::stream::{Folds, Stream};
use crate::console::theme::Role;
use crate::domain::visible::columns_of;
use unicode_segmentation::UnicodeSegmentation;

/// Columns of a level.
const INDENT: usize = 2;

/// Where a line begins in the stream, and how far it is indented. It ends where the next one begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) start: u32,
    pub(super) margin: u16,
}

/// The lines of the stream, at least one.
pub(super) fn lines(stream: &Stream, columns: usize, folds: Folds) -> Vec<Line> {
    let mut page = Page { columns: columns.max(1), hanging: 0, margin: 0, used: 0, lines: Vec::new() };
    for piece in Pieces::of(stream, 0..stream.end(), folds) {
        match piece {
            Piece::Break { at, level, hanging } => {
                page.hanging = page.columns_of(hanging);
                page.begin(at, page.columns_of(level));
            }
            Piece::Text { range, role } => page.place(range.start, stream.str(&range), role),
        }
    }
    page.lines.shrink_to_fit();
    page.lines
}

struct Page {
    columns: usize,
    /// The margin of the lines that a line is wrapped into.
    hanging: usize,
    /// The margin of this line.
    margin: usize,
    /// Columns that are taken.
    used: usize,
    lines: Vec<Line>,
}

impl Page {
    /// However deep, half of the width is left for what stands there.
    fn columns_of(&self, level: u16) -> usize {
        (usize::from(level) * INDENT).min(self.columns / 2)
    }

    fn begin(&mut self, start: u32, margin: usize) {
        (self.margin, self.used) = (margin, margin);
        self.lines.push(Line { start, margin: u16::try_from(margin).unwrap_or(u16::MAX) });
    }

    fn place(&mut self, mut at: u32, mut text: &str, role: Role) {
        while !text.is_empty() {
            let taken = match role {
                Role::Marked => self.sign(at, text),
                _ => match plain_ascii(text) {
                    0 => self.graphemes(at, segment(text)),
                    plain => self.ascii(at, plain),
                },
            };
            at += length(&text[..taken]);
            text = &text[taken..];
        }
    }

    /// Bytes that are a column each.
    fn ascii(&mut self, at: u32, bytes: usize) -> usize {
        let mut placed = 0;
        while placed < bytes {
            if self.used >= self.columns {
                self.begin(at + u32::try_from(placed).unwrap_or(u32::MAX), self.hanging);
            }
            let taken = (bytes - placed).min(self.columns - self.used);
            self.used += taken;
            placed += taken;
        }
        bytes
    }

    fn graphemes(&mut self, at: u32, text: &str) -> usize {
        let mut at = at;
        for grapheme in text.graphemes(true) {
            if columns_of(grapheme) > self.columns - self.hanging {
                // A cluster without end: letters of some scripts join any number of others.
                for (offset, c) in grapheme.char_indices() {
                    let c = &grapheme[offset..offset + c.len_utf8()];
                    self.unit(at, c);
                    at += length(c);
                }
            } else {
                self.unit(at, grapheme);
                at += length(grapheme);
            }
        }
        text.len()
    }

    fn sign(&mut self, at: u32, text: &str) -> usize {
        let sign = match text.chars().next() {
            Some('‹') => &text[..text.find('›').map_or(text.len(), |end| end + '›'.len_utf8())],
            Some('\\') => &text[..text.char_indices().nth(2).map_or(text.len(), |(end, _)| end)],
            _ => &text[..text.graphemes(true).next().map_or(text.len(), str::len)],
        };
        if columns_of(sign) > self.columns - self.hanging {
            return self.graphemes(at, sign);
        }
        self.unit(at, sign);
        sign.len()
    }

    /// Something that stays in one piece.
    fn unit(&mut self, at: u32, text: &str) {
        let width = columns_of(text);
        if self.used + width > self.columns && self.used > self.margin {
            self.begin(at, self.hanging);
        }
        self.used += width;
    }
}

fn length(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}

/// How many of the first bytes are ASCII that nothing behind it can join.
fn plain_ascii(text: &str) -> usize {
    match text.bytes().position(|byte| !byte.is_ascii()) {
        None => text.len(),
        Some(first) => first.saturating_sub(1),
    }
}

/// The beginning of the text up to where [`plain_ascii`] can go on.
fn segment(text: &str) -> &str {
    let pair = text.as_bytes().windows(2).position(<[u8]>::is_ascii);
    &text[..pair.map_or(text.len(), |first| first + 1)]
}
