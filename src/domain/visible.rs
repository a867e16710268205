//! Untrusted text, and the one function that makes it visible.
//!
//! [`Untrusted`] is text from an agent or a server: it has no `Display`, so nothing can draw it by accident.
//! [`Visible`] is what may be drawn: it escapes and never strips, and two different texts never look the same, because
//! the signs it escapes with are themselves escaped where the source has them. What is escaped is found by Unicode
//! property, never by a list made by hand (screen.md, *Showing what nobody can trust*).

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};
use std::fmt;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Text from an agent or a server. It can be compared, sent and kept, but not drawn: see [`Untrusted::visible`].
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Untrusted(String);

impl Untrusted {
    /// The text as it came, for the wire, for comparison and for the disk. Never for a screen, a log or an error.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// What may be drawn of it.
    pub fn visible(&self) -> Visible {
        Visible::of(&self.0)
    }

    /// What may be drawn of its beginning: see [`Visible::head`].
    pub fn head(&self, columns: usize) -> Visible {
        Visible::head(&self.0, columns)
    }
}

impl<T: Into<String>> From<T> for Untrusted {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Visible::of(&self.0).plain(), f)
    }
}

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
}

impl Visible {
    /// Makes the text visible.
    pub fn of(text: &str) -> Self {
        let mut visible = Self::default();
        let mut plain = 0;
        for (at, c) in text.char_indices() {
            let Some(sign) = sign(c) else { continue };
            visible.push(&text[plain..at], false);
            visible.push(&sign.text, true);
            visible.hidden += usize::from(sign.hidden);
            plain = at + c.len_utf8();
        }
        visible.push(&text[plain..], false);
        visible
    }

    /// What may be drawn of the beginning of a text, in at most `columns` columns; where something is left out the last
    /// column says so with `…`. Looks at no more of the text than that needs, so that a row costs the same whatever an
    /// agent sends.
    pub fn head(text: &str, columns: usize) -> Self {
        // Marks take no columns of their own, so there is a limit in characters too.
        let longest = columns.saturating_mul(4).saturating_add(64);
        match text.char_indices().nth(longest) {
            None => Self::of(text).cut(columns),
            Some((end, _)) => {
                let mut visible = Self::of(&text[..end]);
                visible.push("…", true);
                visible.cut(columns)
            }
        }
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

    /// How many characters of the source would have been invisible, or could have acted on the terminal.
    pub fn hidden(&self) -> usize {
        self.hidden
    }

    /// The whole as one string, for plain output. Distinct sources give distinct strings.
    pub fn plain(&self) -> String {
        self.pieces.iter().map(|piece| piece.text.as_str()).collect()
    }

    /// Columns that it takes.
    pub fn width(&self) -> usize {
        self.pieces.iter().map(|piece| piece.text.width()).sum()
    }

    /// At most `columns` columns of it; where something is cut the last column says so with `…`.
    pub fn cut(&self, columns: usize) -> Self {
        if self.width() <= columns {
            return self.clone();
        }
        let (mut out, mut left) = (Self::default(), columns.saturating_sub(1));
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
        out.hidden = self.hidden;
        out
    }
}

/// What stands for a character that cannot be drawn as it is.
struct Sign {
    text: String,
    /// `false` where the character is an ordinary one that the signs are made of.
    hidden: bool,
}

fn sign(c: char) -> Option<Sign> {
    let hidden = |text: String| Some(Sign { text, hidden: true });
    let code = u32::from(c);
    match c {
        ' '..='~' => None,
        '\t' => hidden("⇥".into()),
        '\0'..='\u{1f}' => hidden(char::from_u32(0x2400 + code).map_or_else(|| escape(code), String::from)),
        '\u{7f}' => hidden("␡".into()),
        // The signs themselves, so that a source cannot fake them.
        '‹' | '›' | '⇥' | '…' | '\u{2400}'..='\u{243f}' => {
            Some(Sign { text: escape(code), hidden: false })
        }
        _ if is_invisible(c) => hidden(escape(code)),
        _ => None,
    }
}

fn escape(code: u32) -> String {
    format!("‹U+{code:04X}›")
}

/// Whether the character draws nothing, or something that terminals and readers disagree about: controls, format and
/// default-ignorable characters (bidirectional controls and tags among them), separators other than the blank,
/// private-use and unassigned code points.
fn is_invisible(c: char) -> bool {
    use GeneralCategory as Category;
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    matches!(
        category,
        Category::Control
            | Category::Format
            | Category::PrivateUse
            | Category::Unassigned
            | Category::Surrogate
            | Category::LineSeparator
            | Category::ParagraphSeparator
            | Category::SpaceSeparator
    ) || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(text: &str) -> String {
        Visible::of(text).plain()
    }

    #[test]
    fn what_can_act_or_hide_is_shown() {
        assert_eq!(plain("a\u{1b}[31mb\tc\nd\0\u{7f}"), "a␛[31mb⇥c␊d␀␡");
        assert_eq!(
            plain("x\u{202e}y\u{200b}z\u{85}\u{a0}\u{e0061}\u{e000}\u{2028}"),
            "x‹U+202E›y‹U+200B›z‹U+0085›‹U+00A0›‹U+E0061›‹U+E000›‹U+2028›"
        );
        assert_eq!(plain("naïve 漢字 Ω"), "naïve 漢字 Ω");
        assert_eq!(Visible::of("a\u{1b}\u{202e}b").hidden(), 2);
    }

    #[test]
    fn a_source_cannot_fake_a_sign() {
        assert_ne!(plain("\u{1b}"), plain("␛"));
        assert_ne!(plain("\u{202e}"), plain("‹U+202E›"));
        assert_eq!(Visible::of("‹U+202E›").hidden(), 0);
    }

    #[test]
    fn a_cut_is_announced_and_never_too_wide() {
        let visible = Visible::of("漢字漢字\u{1b}");
        assert_eq!(visible.width(), 9);
        assert_eq!(visible.cut(9).plain(), "漢字漢字␛");
        assert_eq!(visible.cut(4).plain(), "漢…");
        assert_eq!(visible.cut(1).plain(), "…");
        assert_eq!(visible.cut(0).plain(), "");
    }

    #[test]
    fn a_head_is_the_cut_of_the_whole_and_never_silent() {
        for text in ["", "abc", "漢字漢字\u{1b}", &"x\u{202e}".repeat(500)] {
            for columns in [0, 1, 4, 9, 80] {
                assert_eq!(
                    Visible::head(text, columns).plain(),
                    Visible::of(text).cut(columns).plain(),
                    "{text}"
                );
            }
        }
        let marks = format!("a{}b", "\u{301}".repeat(10_000));
        let head = Visible::head(&marks, 20);
        assert!(head.plain().ends_with('…') && head.plain().len() < 1_000);
    }

    /// Undoes [`Visible::plain`].
    fn source(plain: &str) -> Option<String> {
        let mut out = String::new();
        let mut rest = plain;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            out.push(match c {
                '⇥' => '\t',
                '␡' => '\u{7f}',
                '\u{2400}'..='\u{241f}' => char::from_u32(u32::from(c) - 0x2400)?,
                '‹' => {
                    let end = rest.find('›')?;
                    let code = u32::from_str_radix(rest[..end].strip_prefix("U+")?, 16).ok()?;
                    rest = &rest[end + '›'.len_utf8()..];
                    char::from_u32(code)?
                }
                c => c,
            });
        }
        Some(out)
    }

    proptest! {
        #[test]
        fn it_can_be_undone(text in any::<String>()) {
            prop_assert_eq!(source(&plain(&text)), Some(text));
        }

        #[test]
        fn nothing_that_acts_comes_out(text in any::<String>()) {
            prop_assert!(!plain(&text).chars().any(|c| c.is_control() || is_invisible(c) && c != ' '));
        }
    }
}
