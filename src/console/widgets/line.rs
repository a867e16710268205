//! A line in roles: what the pure half of the console writes, before a theme gives it styles.
//!
//! Foreign text gets in only as [`Visible`]; the console's own words only as text with a role.

use crate::console::theme::{Role, Theme, Voice};
use crate::domain::Visible;
use crate::domain::visible::columns_of;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;

/// A line of text in runs, each with its role.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoleLine {
    spans: Vec<(Role, String)>,
}

impl RoleLine {
    /// A line of one run.
    pub fn of(role: Role, text: impl Into<String>) -> Self {
        Self::default().with(role, text)
    }

    /// The line with the console's own words after it.
    #[must_use]
    pub fn with(mut self, role: Role, text: impl Into<String>) -> Self {
        self.push(role, text);
        self
    }

    /// The line with foreign text after it.
    #[must_use]
    pub fn foreign(mut self, text: &Visible) -> Self {
        self.push_foreign(Role::Foreign, text);
        self
    }

    /// The line with another after it, where there is one.
    #[must_use]
    pub fn followed_by(mut self, other: Option<Self>) -> Self {
        if let Some(other) = other {
            self.append(other);
        }
        self
    }

    /// Puts the console's own words after it.
    pub fn push(&mut self, role: Role, text: impl Into<String>) {
        let text = text.into();
        match self.spans.last_mut() {
            _ if text.is_empty() => {}
            Some((last, run)) if *last == role => run.push_str(&text),
            _ => self.spans.push((role, text)),
        }
    }

    /// Puts foreign text after it: what could be drawn as it was in this role, the signs as marked.
    pub fn push_foreign(&mut self, role: Role, text: &Visible) {
        debug_assert_eq!(role.voice(), Voice::Foreign, "{role:?} is a role of the console's own words");
        for piece in text.pieces() {
            self.push(if piece.marked { Role::Marked } else { role }, piece.text.as_str());
        }
    }

    /// Puts another line after it.
    pub fn append(&mut self, other: Self) {
        for (role, text) in other.spans {
            self.push(role, text);
        }
    }

    /// The same line, with a word wherever it stands in runs of role `from`, in either case, in role `to`. `word` is in
    /// lower case.
    #[must_use]
    pub fn mark(self, word: &str, from: Role, to: Role) -> Self {
        let mut line = Self::default();
        for (role, text) in self.spans {
            // Where lower case has other lengths, places in it are none in the text.
            let lower = text.to_lowercase();
            if role != from || word.is_empty() || lower.len() != text.len() {
                line.push(role, text);
                continue;
            }
            let mut done = 0;
            for (at, found) in lower.match_indices(word) {
                let end = at + found.len();
                if text.is_char_boundary(at) && text.is_char_boundary(end) {
                    line.push(role, &text[done..at]);
                    line.push(to, &text[at..end]);
                    done = end;
                }
            }
            line.push(role, &text[done..]);
        }
        line
    }

    /// Columns that it takes.
    pub fn width(&self) -> usize {
        self.spans.iter().map(|(_, text)| columns_of(text)).sum()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// At most `columns` columns of it; a cut is announced by `…`.
    #[must_use]
    pub fn cut(&self, columns: usize) -> Self {
        if self.width() <= columns {
            return self.clone();
        }
        let (mut out, mut left) = (Self::default(), columns.saturating_sub(1));
        'spans: for (role, text) in &self.spans {
            for grapheme in text.graphemes(true) {
                let Some(rest) = left.checked_sub(columns_of(grapheme)) else { break 'spans };
                left = rest;
                out.push(*role, grapheme);
            }
        }
        if columns > 0 {
            out.push(Role::Marked, "…");
        }
        out
    }

    /// What is left of it after its first `columns` columns.
    #[must_use]
    pub fn skip(&self, columns: usize) -> Self {
        let (mut out, mut left) = (Self::default(), columns);
        for (role, text) in &self.spans {
            for grapheme in text.graphemes(true) {
                if left == 0 {
                    out.push(*role, grapheme);
                }
                left = left.saturating_sub(columns_of(grapheme));
            }
        }
        out
    }

    /// Exactly `columns` columns of it: cut, or filled up with blanks.
    #[must_use]
    pub fn fit(&self, columns: usize) -> Self {
        let mut out = self.cut(columns);
        out.push(Role::Text, " ".repeat(columns.saturating_sub(out.width())));
        out
    }

    /// The line as often as it needs to be broken to fit `columns`; what follows the first is indented by `hanging`.
    /// Breaks between graphemes, anywhere: nothing is lost and nothing is moved.
    pub fn wrap(&self, columns: usize, hanging: usize) -> Vec<Self> {
        let columns = columns.max(1);
        let hanging = hanging.min(columns / 2);
        let (mut lines, mut line, mut used) = (Vec::new(), Self::default(), 0);
        for (role, text) in &self.spans {
            for grapheme in text.graphemes(true) {
                let width = columns_of(grapheme);
                if used + width > columns && used > hanging {
                    lines.push(std::mem::take(&mut line));
                    line.push(Role::Text, " ".repeat(hanging));
                    used = hanging;
                }
                line.push(*role, grapheme);
                used += width;
            }
        }
        lines.push(line);
        lines
    }

    /// The line broken between words where it can be. For the console's own words: blanks at a break are dropped, so it
    /// is no way to show what an agent sent.
    pub fn wrap_words(&self, columns: usize, hanging: usize) -> Vec<Self> {
        let (mut lines, mut line) = (Vec::new(), Self::default());
        let words =
            self.spans.iter().flat_map(|(role, text)| text.split_inclusive(' ').map(|word| (*role, word)));
        for (role, word) in words {
            if line.width() + columns_of(word.trim_end()) > columns && line.width() > hanging {
                lines
                    .push(std::mem::replace(&mut line, Self::of(Role::Text, " ".repeat(hanging))).trim_end());
            }
            line.push(role, word);
        }
        lines.push(line.trim_end());
        lines.iter().flat_map(|line| line.wrap(columns, hanging)).collect()
    }

    /// The line without the blanks at its end.
    fn trim_end(mut self) -> Self {
        while let Some((role, text)) = self.spans.pop() {
            let kept = text.trim_end_matches(' ');
            if !kept.is_empty() {
                self.push(role, kept);
                break;
            }
        }
        self
    }

    /// The text alone, for tests and plain output.
    pub fn text(&self) -> String {
        self.spans.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// The line in the styles of a theme, of which nothing shines through that lies under it: in a bold frame an agent's
    /// words would be as bold as the console's own.
    pub fn styled<'a>(&self, theme: &Theme) -> Line<'a> {
        let style = |role| Style::reset().patch(theme.style(role));
        Line::from_iter(self.spans.iter().map(|(role, text)| Span::styled(text.clone(), style(*role))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_loses_nothing_and_never_runs_over() {
        let line = RoleLine::of(Role::Text, "abc漢字def").foreign(&Visible::of("x\u{1b}y"));
        for columns in 2..20 {
            let lines = line.wrap(columns, 0);
            assert!(lines.iter().all(|line| line.width() <= columns), "{columns}");
            assert_eq!(lines.iter().map(RoleLine::text).collect::<String>(), line.text());
        }
    }

    #[test]
    fn a_line_takes_the_columns_that_the_screen_gives_it() {
        for text in ["abc", "漢字", "👍🏽🇩🇪", "e\u{301}", "ｶﾞﾊﾟﾞ", "ﾞ", "ก็็", "क्षि", "﷽"]
        {
            let line = RoleLine::of(Role::Text, text);
            let area = ratatui::layout::Rect::new(0, 0, 40, 1);
            let mut buffer = ratatui::buffer::Buffer::empty(area);
            let (x, _) = buffer.set_line(0, 0, &line.styled(&Theme::named()), 40);
            assert_eq!(line.width(), usize::from(x), "{text}");
        }
    }

    #[test]
    fn own_words_break_between_words() {
        let line = RoleLine::of(Role::KeyName, " q  ").with(Role::Text, "quit and leave everything");
        let lines: Vec<_> = line.wrap_words(14, 4).iter().map(RoleLine::text).collect();
        assert_eq!(lines, [" q  quit and", "    leave", "    everything"]);
        // A word that ends with the line takes no empty line with it for the blank after it.
        let line = RoleLine::of(Role::Text, "abcd efgh ijkl ");
        let lines: Vec<_> = line.wrap_words(9, 0).iter().map(RoleLine::text).collect();
        assert_eq!(lines, ["abcd efgh", "ijkl"]);
    }

    #[test]
    fn matched_letters_have_a_role_and_the_text_stays() {
        let line = RoleLine::of(Role::Foreign, "Refund refunds, FUND").with(Role::Marked, "fund");
        let marked = line.clone().mark("fund", Role::Foreign, Role::Match);
        assert_eq!(marked.text(), line.text());
        let roles: Vec<_> = marked.spans.iter().map(|(role, text)| (*role, text.as_str())).collect();
        let (plain, hit) = (Role::Foreign, Role::Match);
        let spans =
            [(plain, "Re"), (hit, "fund"), (plain, " re"), (hit, "fund"), (plain, "s, "), (hit, "FUND")];
        assert_eq!(roles[..6], spans);
        assert_eq!(roles[6..], [(Role::Marked, "fund")]);
    }

    #[test]
    fn fitting_cuts_with_a_sign_or_fills() {
        let line = RoleLine::of(Role::Text, "abcdef");
        assert_eq!(line.fit(4).text(), "abc…");
        assert_eq!(line.fit(8).text(), "abcdef  ");
        assert_eq!(line.fit(0).text(), "");
    }
}
