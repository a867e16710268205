//! A foreign text written out: every fold opened, every character that cannot be drawn replaced by its sign. A position
//! in it means the same whatever the width and whatever is folded.
//!
//! This file must not know of columns.

use crate::console::theme::Role;
use crate::domain::visible::{self, Run, opened, runs, runs_of_block};
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// A text longer than this (in bytes) is folded, with its size.
const LONG: usize = 64 * 1024;

/// How far folds are open. `o` goes on to the next that makes a difference, and back to the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Folds {
    /// Each shows its sign only.
    #[default]
    Closed,
    /// Long texts and deep nesting are open; runs of blanks and piled marks are not, so that nobody is scrolled past what
    /// stands behind them.
    LargeOpen,
    /// Everything is drawn.
    Open,
}

/// What a fold folds away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FoldKind {
    /// A long text, or what is nested too deep.
    Large,
    /// A run of blanks: its sign says all there is to it.
    Blanks,
    /// Marks piled on one letter, or blanks with something hidden between them: its sign says how much, not what.
    Unseen,
}

impl From<&visible::FoldKind> for FoldKind {
    fn from(kind: &visible::FoldKind) -> Self {
        match kind {
            visible::FoldKind::Blanks => Self::Blanks,
            visible::FoldKind::BlanksAndHidden | visible::FoldKind::Marks => Self::Unseen,
        }
    }
}

/// How a text is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    /// Where the text has lines of its own: how deep they stand.
    pub(super) block: Option<usize>,
    /// Whether it stands in quotes.
    pub(super) quoted: bool,
}

/// What a reader may unfold: first its sign, then its body, as positions.
#[derive(Debug, Clone)]
pub(super) struct Fold {
    pub(super) start: u32,
    pub(super) body: u32,
    pub(super) end: u32,
    pub(super) kind: FoldKind,
    /// The breaks in its body.
    pub(super) breaks: Range<usize>,
    /// The first fold that is not nested in it.
    pub(super) next: usize,
}

impl Fold {
    pub(super) fn is_open(&self, folds: Folds) -> bool {
        match self.kind {
            FoldKind::Large => folds >= Folds::LargeOpen,
            FoldKind::Blanks | FoldKind::Unseen => folds >= Folds::Open,
        }
    }
}

/// Where a new line begins, and how deep: the first line, and those that it is wrapped into.
#[derive(Debug, Clone, Copy)]
pub(super) struct Break {
    pub(super) at: u32,
    pub(super) level: u16,
    pub(super) hanging: u16,
}

/// A fold that is being written.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenFold(usize);

/// A foreign text written out.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    text: String,
    /// Where each run ends, and its role.
    pub(super) spans: Vec<(u32, Role)>,
    pub(super) breaks: Vec<Break>,
    pub(super) folds: Vec<Fold>,
    asides: Vec<Range<u32>>,
}

impl Stream {
    /// Puts text after it that may be drawn as it is.
    pub(super) fn push(&mut self, role: Role, text: &str) {
        if text.is_empty() {
            return;
        }
        self.text.push_str(text);
        let end = self.end();
        match self.spans.last_mut() {
            Some((last, same)) if *same == role => *last = end,
            _ => self.spans.push((end, role)),
        }
    }

    /// What follows begins a line, this many levels deep; where that is wrapped, it goes on at `hanging` levels.
    pub(super) fn break_line(&mut self, level: usize, hanging: usize) {
        let narrow = |level: usize| u16::try_from(level).unwrap_or(u16::MAX);
        self.breaks.push(Break { at: self.end(), level: narrow(level), hanging: narrow(hanging) });
    }

    /// What follows up to [`Stream::close`] is folded behind this sign.
    pub(super) fn fold(&mut self, kind: FoldKind, sign: &str) -> OpenFold {
        let start = self.end();
        self.push(Role::Marked, sign);
        let (body, here) = (self.end(), self.breaks.len());
        self.folds.push(Fold { start, body, end: body, kind, breaks: here..here, next: 0 });
        OpenFold(self.folds.len() - 1)
    }

    pub(super) fn close(&mut self, open: OpenFold) {
        let (end, breaks, next) = (self.end(), self.breaks.len(), self.folds.len());
        if let Some(fold) = self.folds.get_mut(open.0) {
            (fold.end, fold.breaks.end, fold.next) = (end, breaks, next);
        }
    }

    /// Foreign text, folded where it is long. In a block a line feed is shown and then also ends the line, so that a
    /// script reads as a script; in quotes, what could be taken for their end, or for a sign, is escaped as in JSON.
    pub(super) fn text(&mut self, role: Role, text: &str, form: Form) {
        let fold = (text.len() > LONG).then(|| {
            let sign = format!("‹{} characters, {}›", grouped(text.chars().count()), size(text.len()));
            self.fold(FoldKind::Large, &sign)
        });
        self.plain_text(role, text, form);
        if let Some(fold) = fold {
            self.close(fold);
        }
    }

    /// Foreign text, folded nowhere but where runs of it must be.
    pub(super) fn plain_text(&mut self, role: Role, text: &str, form: Form) {
        let mut at = 0;
        for run in if form.block.is_some() { runs_of_block(text) } else { runs(text) } {
            match &run {
                Run::Plain(text) => self.plain(role, text, form.quoted),
                Run::Sign { source, text: sign } => self.sign(source, sign, form, at + 1 == text.len()),
                Run::Fold { source, label, kind } => {
                    let fold = self.fold(kind.into(), label);
                    let mut inside = at;
                    for run in opened(source) {
                        self.sign(run.source(), run.drawn(), form, inside + 1 == text.len());
                        inside += run.source().len();
                    }
                    self.close(fold);
                }
            }
            at += run.source().len();
        }
    }

    /// Writes something that is the console's own reading and no part of what was sent.
    pub(super) fn aside(&mut self, write: impl FnOnce(&mut Self)) {
        let start = self.end();
        write(self);
        self.asides.push(start..self.end());
    }

    /// A sign; that of a line feed ends the line in a block, unless nothing stands behind it.
    fn sign(&mut self, source: &str, sign: &str, form: Form, is_last: bool) {
        self.push(Role::Marked, sign);
        if let Some(level) = form.block.filter(|_| source == "\n" && !is_last) {
            self.break_line(level, level + 1);
        }
    }

    /// Text as it is; in quotes, a quote or a backslash is escaped, together with the marks on it.
    fn plain(&mut self, role: Role, text: &str, quoted: bool) {
        let mut plain = 0;
        for (at, _) in text.match_indices(['"', '\\']).filter(|_| quoted) {
            let escaped = text[at..].graphemes(true).next().unwrap_or_default();
            self.push(role, &text[plain..at]);
            self.push(Role::Marked, "\\");
            self.push(Role::Marked, escaped);
            plain = at + escaped.len();
        }
        self.push(role, &text[plain..]);
    }

    /// Gives back the memory that only writing needed.
    pub(super) fn finish(&mut self) {
        self.text.shrink_to_fit();
        self.spans.shrink_to_fit();
        self.breaks.shrink_to_fit();
        self.folds.shrink_to_fit();
    }

    /// The position after the last. Texts end far below 4 GiB (see [`Limits`](crate::domain::json::Limits)).
    pub fn end(&self) -> u32 {
        u32::try_from(self.text.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn str(&self, range: &Range<u32>) -> &str {
        self.text.get(range.start as usize..range.end as usize).unwrap_or_default()
    }

    /// The positions of the console's own words: the signs of folds, and how it reads opaque values. Nobody needs to have
    /// seen them.
    pub fn own(&self) -> impl Iterator<Item = Range<u32>> + '_ {
        self.folds.iter().map(|fold| fold.start..fold.body).chain(self.asides.iter().cloned())
    }

    /// How far folds can be opened so that it makes a difference, beginning with [`Folds::Closed`].
    pub fn steps(&self) -> impl Iterator<Item = Folds> + '_ {
        let any = |large: bool| self.folds.iter().any(move |fold| (fold.kind == FoldKind::Large) == large);
        let steps = [(true, Folds::Closed), (any(true), Folds::LargeOpen), (any(false), Folds::Open)];
        steps.into_iter().filter(|(there, _)| *there).map(|(_, step)| step)
    }

    /// What closed folds hold back that is more than blanks.
    pub(super) fn held_back(&self, folds: Folds) -> impl Iterator<Item = Range<u32>> + '_ {
        let mut outside = 0;
        self.folds
            .iter()
            .filter(move |fold| {
                let counts = fold.start >= outside && !fold.is_open(folds);
                outside = if counts { fold.end } else { outside };
                counts && fold.kind != FoldKind::Blanks
            })
            .map(|fold| fold.body..fold.end)
    }

    /// The first fold whose sign ends behind a position at which a line begins (never inside the body of a closed one).
    pub(super) fn fold_at(&self, position: u32) -> usize {
        let after = self.folds.partition_point(|fold| fold.start <= position);
        match after.checked_sub(1).and_then(|last| self.folds.get(last)) {
            Some(last) if position < last.body => after - 1,
            _ => after,
        }
    }

    /// A range of positions without what closed folds hold back.
    pub(super) fn without_closed(&self, range: Range<u32>, folds: Folds) -> Vec<Range<u32>> {
        let (mut at, mut out) = (range.start, Vec::new());
        let mut next = self.fold_at(range.start);
        while let Some(fold) = self.folds.get(next).filter(|fold| fold.start < range.end) {
            if fold.is_open(folds) {
                next += 1;
                continue;
            }
            if fold.kind != FoldKind::Blanks && fold.end > at {
                out.push(at..fold.body.clamp(at, range.end));
                at = fold.end.min(range.end);
            }
            next = fold.next;
        }
        out.push(at..range.end);
        out.retain(|range| !range.is_empty());
        out
    }
}

/// A number with a comma between its thousands.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A size in the unit that says it in few digits.
pub(super) fn size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..0xA0_0000 => format!("{} KiB", grouped(bytes / 1024)),
        _ => format!("{} MiB", bytes >> 20),
    }
}
