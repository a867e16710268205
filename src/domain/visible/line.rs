//! [`Visible`]: text that may be drawn, on one line, folds as their labels; cut to a width, or in quotes.

use super::runs::{Run, runs};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// A run of visible text: as it stood in the source, or a sign that stands for what cannot be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The text to draw: printable characters only.
    pub text: String,
    /// Whether it is a sign of the console's, to be drawn in a marked style.
    pub marked: bool,
}

/// Text that may be drawn. It stays on one line, whatever it was made from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Visible {
    pieces: Vec<Piece>,
    hidden: usize,
    /// Whether it stands in quotes, which a cut must leave closed.
    quoted: bool,
}

impl Visible {
    /// Makes the text visible.
    pub fn of(text: &str) -> Self {
        let mut visible = Self::default();
        for run in runs(text) {
            visible.push(run.drawn(), !matches!(run, Run::Plain(_)));
            visible.hidden += run.hidden();
        }
        visible
    }

    /// What may be drawn of the beginning of a text, in at most `columns` columns; where something is left out the last
    /// column says so with `…`. Looks at no more of the text than that needs, and at no more than a few thousand
    /// characters, so that a row costs about the same whatever an agent sends.
    pub fn head(text: &str, columns: usize) -> Self {
        // Marks take no columns of their own, and folds hardly any, so there is a limit in characters too.
        let mut longest = columns.saturating_mul(4).saturating_add(64);
        let limit = longest.saturating_mul(16);
        loop {
            let Some((end, _)) = text.char_indices().nth(longest) else { return Self::of(text).cut(columns) };
            let mut visible = Self::default();
            let mut seen = runs(&text[..end]).peekable();
            while let Some(run) = seen.next() {
                // The last one may go on beyond what was looked at.
                if seen.peek().is_some() || matches!(run, Run::Plain(_)) {
                    visible.push(run.drawn(), !matches!(run, Run::Plain(_)));
                    visible.hidden += run.hidden();
                }
            }
            if visible.width() > columns || longest >= limit {
                visible.push("…", true);
                return visible.cut(columns);
            }
            longest = longest.saturating_mul(4);
        }
    }

    /// The text in double quotes, for words of others among the console's own: a quote or a backslash inside is a sign,
    /// so that nothing inside looks like the end.
    pub fn quoted(text: &str) -> Self {
        let mut visible = Self { quoted: true, ..Self::default() };
        visible.push("\"", false);
        for run in runs(text) {
            visible.hidden += run.hidden();
            let Run::Plain(text) = run else {
                visible.push(run.drawn(), true);
                continue;
            };
            for part in text.split_inclusive(['"', '\\']) {
                let plain = part.trim_end_matches(['"', '\\']);
                visible.push(plain, false);
                if plain.len() < part.len() {
                    visible.push("\\", true);
                    visible.push(&part[plain.len()..], true);
                }
            }
        }
        visible.push("\"", false);
        visible
    }

    /// The text as a name among the console's own words: bare where it is made of `[A-Za-z0-9._:/@-]` only, else
    /// [`quoted`](Self::quoted).
    pub fn name(text: &str) -> Self {
        let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/@-".contains(&byte);
        if !text.is_empty() && text.bytes().all(is_bare) { Self::of(text) } else { Self::quoted(text) }
    }

    /// Puts another one after it.
    pub fn append(&mut self, other: &Self) {
        for piece in &other.pieces {
            self.push(&piece.text, piece.marked);
        }
        self.hidden += other.hidden;
        self.quoted = false;
    }

    fn push(&mut self, text: &str, marked: bool) {
        match self.pieces.last_mut() {
            _ if text.is_empty() => {}
            Some(last) if last.marked == marked => last.text.push_str(text),
            _ => self.pieces.push(Piece { text: text.to_owned(), marked }),
        }
    }

    /// The runs, in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// How many characters of the source are not drawn as they are: they would have been invisible, could have acted on
    /// the terminal, are of another script than their word, would have run from right to left, or are folded.
    pub fn hidden(&self) -> usize {
        self.hidden
    }

    /// The whole as one string, for plain output. Distinct sources without folds give distinct strings.
    pub fn plain(&self) -> String {
        self.pieces.iter().map(|piece| piece.text.as_str()).collect()
    }

    /// Columns that it takes.
    pub fn width(&self) -> usize {
        self.pieces.iter().map(|piece| piece.text.width()).sum()
    }

    /// At most `columns` columns of it; where something is cut the last column says so with `…`, and quotes are closed
    /// after it.
    pub fn cut(&self, columns: usize) -> Self {
        if self.width() <= columns {
            return self.clone();
        }
        let end = usize::from(self.quoted && columns > 1);
        let (mut out, mut left) = (Self::default(), columns.saturating_sub(1 + end));
        'pieces: for piece in &self.pieces {
            for grapheme in piece.text.graphemes(true) {
                let Some(rest) = left.checked_sub(grapheme.width()) else { break 'pieces };
                left = rest;
                out.push(grapheme, piece.marked);
            }
        }
        if columns > 0 {
            out.push("…", true);
        }
        if end > 0 {
            out.push("\"", false);
        }
        (out.hidden, out.quoted) = (self.hidden, self.quoted);
        out
    }
}
