//! A text cut into runs: what can be drawn as it is, signs, and folds. Pure, linear in the text, and lazy but for what
//! the words and the lines of a text that is not ASCII need to be looked at for.

use super::property::{ends_line, hidden_ascii, is_blank, is_hidden, is_mark, is_nothing, is_right_to_left};
use super::{bidi, script, sign};
use std::ops::Range;

/// Blanks side by side that are still drawn.
const BLANKS: usize = 32;
/// Line ends among blanks that are still drawn.
const LINE_ENDS: usize = 4;
/// Combining marks on one base that are still drawn.
const MARKS: usize = 4;

/// A stretch of a text and what is drawn for it. The sources of all runs, one after the other, are the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Run<'t> {
    /// Printable, drawn as it is.
    Plain(&'t str),
    /// What cannot be drawn, or must be seen to be another than it looks: a sign of the console's, to be drawn marked.
    Sign {
        /// The character that it stands for; several for tag characters, which are decoded.
        source: &'t str,
        /// What is drawn: printable characters only.
        text: String,
    },
    /// What is too long to be looked at: collapsed until it is opened ([`opened`]).
    Fold {
        /// What is folded.
        source: &'t str,
        /// What is drawn while it is collapsed, marked: `‹412 blanks›`, `‹+7 marks›`.
        label: String,
        /// What is in it.
        kind: FoldKind,
    },
}

/// What a fold hides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoldKind {
    /// Blanks and line ends, nothing else: who has seen the label has seen what is in it.
    Blanks,
    /// Blanks, and between them characters that draw nothing. The label counts both.
    BlanksAndHidden,
    /// Combining marks after the first four on one base.
    Marks,
}

/// Why a stretch of text is not drawn as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It would draw nothing, or act: controls, invisible and bidirectional characters.
    Hidden,
    /// Tag characters, which hide ASCII.
    Tags,
    /// Combining marks after the fourth, or without a base.
    Marks,
    /// Too many blanks or line ends side by side; [`FoldKind::BlanksAndHidden`] holds hidden characters too.
    Blanks,
    /// It runs from right to left beside what does not.
    RightToLeft,
    /// A letter of another script than its word.
    OtherScript,
}

impl<'t> Run<'t> {
    /// The stretch of the text.
    pub fn source(&self) -> &'t str {
        match self {
            Self::Plain(source) | Self::Sign { source, .. } | Self::Fold { source, .. } => source,
        }
    }

    /// What is drawn while nothing is opened.
    pub fn drawn(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Sign { text, .. } | Self::Fold { label: text, .. } => text,
        }
    }

    /// Why the text is not drawn as it is; `None` where it is, or where signs are made of it.
    pub fn cause(&self) -> Option<Cause> {
        match self {
            Self::Plain(_) => None,
            Self::Fold { kind: FoldKind::Marks, .. } => Some(Cause::Marks),
            Self::Fold { .. } => Some(Cause::Blanks),
            Self::Sign { source, .. } => {
                let c = source.chars().next()?;
                match c {
                    _ if sign::is_of_signs(c) => None,
                    _ if hidden_ascii(c).is_some() => Some(Cause::Tags),
                    _ if is_hidden(c) => Some(Cause::Hidden),
                    _ if is_mark(c) => Some(Cause::Marks),
                    _ if is_right_to_left(c) => Some(Cause::RightToLeft),
                    _ => Some(Cause::OtherScript),
                }
            }
        }
    }

    /// How many characters of the text are not drawn as they are, or not at all. Those that signs are made of are
    /// ordinary ones and count for nothing.
    pub fn hidden(&self) -> usize {
        self.cause().map_or(0, |_| self.source().chars().count())
    }
}

/// What may be drawn of a text that stands beside other text on its line (a field, a row, a title, a key): letters that
/// run from right to left are always escaped. Everything stays on one line.
pub fn runs(text: &str) -> Runs<'_> {
    Runs { right_to_left: true, ..cut(text) }
}

/// What may be drawn of a text that has lines of its own (a string of the payload, a rationale): letters that run from
/// right to left are drawn as they are, but for where an ASCII letter or a digit stands beside them on the line. A line
/// feed is a sign like any control; whoever lays the text out ends the line after it.
pub fn runs_of_block(text: &str) -> Runs<'_> {
    let runs = cut(text);
    if !text.contains(is_right_to_left) {
        return runs;
    }
    let mut escaped: Vec<_> = runs.clone().escaped.collect();
    escaped.extend(bidi::beside_ascii(runs.clone()));
    escaped.sort_unstable_by_key(|range| range.start);
    Runs { escaped: escaped.into_iter().peekable(), ..runs }
}

/// What is drawn of the source of a fold, or of any text, when nothing may stay out of sight: a sign for each character,
/// the ordinary blank too.
pub fn opened(source: &str) -> impl Iterator<Item = Run<'_>> {
    source
        .char_indices()
        .map(|(at, c)| Run::Sign { source: &source[at..at + c.len_utf8()], text: sign::always(c) })
}

fn cut(text: &str) -> Runs<'_> {
    let escaped = if text.is_ascii() { Vec::new() } else { script::odd_letters(text) };
    Runs {
        text,
        at: 0,
        escaped: escaped.into_iter().peekable(),
        right_to_left: false,
        marks: None,
        unfolded: 0,
    }
}

/// The runs of a text, in order: see [`runs`] and [`runs_of_block`].
#[derive(Debug, Clone)]
pub struct Runs<'t> {
    text: &'t str,
    at: usize,
    /// Letters that must be escaped for what stands around them, in order.
    escaped: std::iter::Peekable<std::vec::IntoIter<Range<usize>>>,
    /// Whether every letter that runs from right to left is escaped.
    right_to_left: bool,
    /// How many marks the last character has, where it can bear any.
    marks: Option<usize>,
    /// Up to here blanks have been counted and were too few for a fold.
    unfolded: usize,
}

impl<'t> Iterator for Runs<'t> {
    type Item = Run<'t>;

    fn next(&mut self) -> Option<Run<'t>> {
        let start = self.at;
        let plain = self.plain();
        if plain > start {
            return Some(Run::Plain(&self.text[start..plain]));
        }
        let c = self.text[start..].chars().next()?;
        let run = self.fold(c).unwrap_or_else(|| self.sign(c));
        if !matches!(run, Run::Fold { kind: FoldKind::Marks, .. }) {
            self.marks = None;
        }
        self.at = start + run.source().len();
        Some(run)
    }
}

impl<'t> Runs<'t> {
    /// Goes on over what can be drawn as it is, and returns its end.
    fn plain(&mut self) -> usize {
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            match byte {
                b'!'..=b'~' => {
                    self.marks = Some(0);
                    self.at += 1;
                    // Most of what is ever shown: no property is looked up, and a letter not even looked at twice.
                    while matches!(bytes.get(self.at), Some(b'!'..=b'~')) {
                        self.at += 1;
                    }
                }
                b' ' if !self.is_fold() => {
                    self.marks = None;
                    self.at += 1;
                }
                0x80.. => match self.text[self.at..].chars().next() {
                    Some(c) if self.is_plain(c) => self.at += c.len_utf8(),
                    _ => break,
                },
                _ => break,
            }
        }
        self.at
    }

    /// Whether a character that is not ASCII can be drawn as it is, where it stands.
    fn is_plain(&mut self, c: char) -> bool {
        while self.escaped.next_if(|range| range.start < self.at).is_some() {}
        let escaped = self.escaped.peek().is_some_and(|range| range.start == self.at);
        if escaped || sign::is_due(c) || self.right_to_left && is_right_to_left(c) {
            return false;
        }
        if is_mark(c) {
            // Without a base of its own a mark would be drawn on what is not the agent's.
            return match &mut self.marks {
                Some(count) if *count < MARKS => {
                    *count += 1;
                    true
                }
                _ => false,
            };
        }
        self.marks = Some(0);
        true
    }

    /// Whether a fold of blanks begins here.
    fn is_fold(&mut self) -> bool {
        self.at >= self.unfolded && self.blanks().is_some()
    }

    /// The fold that begins here.
    fn fold(&mut self, c: char) -> Option<Run<'t>> {
        if is_blank(c) {
            return if self.at >= self.unfolded { self.blanks() } else { None };
        }
        if !is_mark(c) || self.marks != Some(MARKS) || sign::is_due(c) {
            return None;
        }
        let rest = &self.text[self.at..];
        let length = rest.find(|c| !is_mark(c) || sign::is_due(c)).unwrap_or(rest.len());
        let source = &rest[..length];
        let label = format!("‹+{} marks›", source.chars().count());
        Some(Run::Fold { source, label, kind: FoldKind::Marks })
    }

    /// The fold of the blanks that begin here, where there are enough of them.
    fn blanks(&mut self) -> Option<Run<'t>> {
        let rest = &self.text[self.at..];
        let (mut end, mut blanks, mut hidden, mut line_ends) = (0, 0, 0, 0);
        let (mut unseen, mut last) = (0, ' ');
        for (at, c) in rest.char_indices() {
            if is_blank(c) {
                end = at + c.len_utf8();
                blanks += 1;
                hidden += std::mem::take(&mut unseen);
                line_ends += usize::from(ends_line(c) && (last, c) != ('\r', '\n'));
            } else if is_nothing(c) && hidden_ascii(c).is_none() {
                unseen += 1;
            } else {
                break;
            }
            last = c;
        }
        if blanks <= BLANKS && line_ends <= LINE_ENDS {
            self.unfolded = self.at + end;
            return None;
        }
        let (label, kind) = match hidden {
            0 => (format!("‹{blanks} blanks›"), FoldKind::Blanks),
            _ => (format!("‹{blanks} blanks, {hidden} hidden›"), FoldKind::BlanksAndHidden),
        };
        Some(Run::Fold { source: &rest[..end], label, kind })
    }

    /// The sign of what stands here.
    fn sign(&self, c: char) -> Run<'t> {
        let rest = &self.text[self.at..];
        if hidden_ascii(c).is_some() {
            let source = &rest[..rest.find(|c| hidden_ascii(c).is_none()).unwrap_or(rest.len())];
            return Run::Sign { source, text: sign::tags(source) };
        }
        Run::Sign { source: &rest[..c.len_utf8()], text: sign::always(c) }
    }
}
