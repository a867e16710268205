//! A mistake in a file of the user's: where it stands and what was meant, with the line and a caret under it.
//!
//! A value that may be a secret is never quoted. What is quoted is made visible: any file can be named by accident.

use crate::domain::Visible;
use crate::domain::visible::columns_of;
use std::fmt;
use std::ops::Range;

/// Longer lines are cut, so that the caret stays in sight.
const LONGEST: usize = 100;

/// What is wrong in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    source: String,
    at: Option<Place>,
    message: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    line: usize,
    column: usize,
    text: String,
    /// Columns before the caret, and under it.
    caret: (usize, usize),
}

impl Mistake {
    /// A mistake in this part of a text that came from `source`.
    pub fn at(source: &str, text: &str, span: &Range<usize>, message: impl Into<String>) -> Self {
        let at = Some(Place::of(text, span));
        Self { source: Visible::of(source).plain(), at, message: message.into() }
    }

    /// A mistake in something that has no lines: a flag, a variable, a file as a whole.
    pub fn of(source: &str, message: impl Into<String>) -> Self {
        Self { source: Visible::of(source).plain(), at: None, message: message.into() }
    }

    /// What is wrong, without where.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The file, with line and column where it has them: `rules.toml:3:1`.
    pub fn place(&self) -> String {
        match &self.at {
            Some(place) => format!("{}:{}:{}", self.source, place.line, place.column),
            None => self.source.clone(),
        }
    }

    /// The line and the column, from 1.
    pub fn position(&self) -> Option<(usize, usize)> {
        self.at.as_ref().map(|place| (place.line, place.column))
    }
}

impl Place {
    fn of(text: &str, span: &Range<usize>) -> Self {
        // A span that starts within a character would be a fault of the parser; it must not end the program.
        let floor = |mut at: usize| {
            at = at.min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let (mut from, mut to) = (floor(span.start), floor(span.end.max(span.start)));
        if from > 0 && from == text.len() && text.ends_with('\n') {
            // What is missing at the end is missed behind the last line that holds something.
            from = text.trim_end().len();
            to = from;
        }
        let start = text[..from].rfind('\n').map_or(0, |at| at + 1);
        let end = text[from..].find('\n').map_or(text.len(), |at| from + at);
        let line = text[..start].matches('\n').count() + 1;
        let (before, under, after) = (&text[start..from], &text[from..to.min(end)], &text[to.min(end)..end]);
        let column = before.chars().count() + 1;
        let whole = &text[start..end];
        if let Some(secret) = may_hold_a_secret(whole) {
            let text = format!("{} …", Visible::of(&whole[..secret]).plain());
            let caret = (columns_of(&Visible::of(before).plain()).min(columns_of(&text)), 1);
            return Self { line, column, text, caret };
        }
        let [before, under, after] = [before, under, after].map(|text| Visible::of(text).plain());
        let caret = (columns_of(&before), columns_of(&under).max(1));
        let text = format!("{before}{under}{after}");
        let (text, caret) = if caret.0 + caret.1 > LONGEST {
            (cut(&format!("…{under}{after}")), (1, caret.1.min(LONGEST - 1)))
        } else {
            (cut(text.trim_end()), caret)
        };
        Self { line, column, text, caret }
    }
}

/// At most [`LONGEST`] columns; a cut has its sign.
fn cut(text: &str) -> String {
    let (mut out, mut columns) = (String::new(), 0);
    for c in text.chars() {
        columns += columns_of(c.encode_utf8(&mut [0; 4]));
        if columns > LONGEST {
            out.push('…');
            break;
        }
        out.push(c);
    }
    out
}

/// Up to where a line can be shown that names something like a secret: the `=`.
fn may_hold_a_secret(line: &str) -> Option<usize> {
    let (name, value) = line.split_once('=')?;
    if value.split_once("://").is_some_and(|(_, rest)| rest.contains('@')) {
        return Some(name.len() + 1);
    }
    let lower = name.to_lowercase();
    let names = ["token", "secret", "passw", "apikey", "api_key", "api-key", "credential"];
    let is_path = lower.contains("file");
    (!is_path && names.iter().any(|part| lower.contains(part))).then_some(name.len() + 1)
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place(), self.message)?;
        let Some(place) = &self.at else { return Ok(()) };
        let number = place.line.to_string();
        let (before, under) = place.caret;
        writeln!(f)?;
        writeln!(f, "  {number} | {}", place.text)?;
        write!(f, "  {:blank$} | {:before$}{}", "", "", "^".repeat(under), blank = number.len())
    }
}

/// Every mistake that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// What was found, or that nothing was.
    ///
    /// # Errors
    /// Where there are any.
    pub fn none_in(found: Vec<Mistake>) -> Result<(), Self> {
        if found.is_empty() { Ok(()) } else { Err(Self(found)) }
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.0.iter()
    }
}

impl From<Mistake> for Mistakes {
    fn from(mistake: Mistake) -> Self {
        Self(vec![mistake])
    }
}

impl IntoIterator for Mistakes {
    type Item = Mistake;
    type IntoIter = std::vec::IntoIter<Mistake>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, mistake) in self.0.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

/// The known name that is nearest to what was written, where one is near enough to have been meant.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    // One slip of the fingers is near in a short name too, where jaro finds little in common.
    let likeness = |name: &str| match strsim::osa_distance(&written, name) {
        0 | 1 => 0.95,
        _ => strsim::jaro(&written, name),
    };
    let near = known.into_iter().map(|name| (likeness(name), name));
    let (likeness, name) = near.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    // One letter is like anything that has it.
    (likeness > 0.7 && written.len() > 1).then_some(name)
}

/// `: did you mean "…"?`, where a known name is near enough.
pub fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(written, known).map(|name| format!(": did you mean \"{name}\"?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_shown_with_a_caret_under_what_is_wrong() {
        let text = "a = 1\n\tb漢 = \"x\u{1b}[2J\"\nc = 3\n";
        let at = text.find("\"x").unwrap();
        let mistake = Mistake::at("f.toml", text, &(at..at + 7), "no");
        assert_eq!(mistake.to_string(), "f.toml:2:7: no\n  2 | ⇥b漢 = \"x␛[2J\"\n    |        ^^^^^^^");
        assert_eq!(mistake.position(), Some((2, 7)));
    }

    #[test]
    fn any_span_is_some_place() {
        let text = "ä = 1\n\n";
        for from in 0..12 {
            for to in 0..12 {
                assert!(Mistake::at("f", text, &(from..to), "no").position().is_some());
            }
        }
        assert_eq!(Mistake::at("f", "a =\n\n", &(5..5), "no").position(), Some((1, 4)));
        assert_eq!(Mistake::at("f", "", &(0..0), "no").position(), Some((1, 1)));
    }

    #[test]
    fn what_may_be_a_secret_is_not_quoted() {
        for name in ["token", "api_key", "reviewer-token", "PASSWORD", "secret"] {
            let text = format!("{name} = \"hunter2\"");
            for span in [0..name.len(), name.len() + 3..text.len()] {
                let shown = Mistake::at("f", &text, &span, "no").to_string();
                assert!(!shown.contains("hunter2") && shown.contains(&format!("{name} = …")), "{shown}");
            }
        }
        assert!(Mistake::at("f", "token_file = 3", &(13..14), "no").to_string().contains("= 3"));
    }

    #[test]
    fn long_lines_are_cut_around_the_caret() {
        let text = format!("a = \"{}\" oops", "x".repeat(300));
        let at = text.find("oops").unwrap();
        let shown = Mistake::at("f", &text, &(at..at + 4), "no").to_string();
        assert!(shown.ends_with("  1 | …oops\n    |  ^^^^"), "{shown}");
        assert!(Mistake::at("f", &text, &(0..1), "no").to_string().contains('…'));
    }

    #[test]
    fn the_nearest_name_is_one_that_could_have_been_meant() {
        let known = ["theme", "keymap", "grace"];
        assert_eq!(nearest("them", known), Some("theme"));
        assert_eq!(nearest("Themes", known), Some("theme"));
        assert_eq!(nearest("zzz", known), None);
        assert_eq!(nearest("t", known), None);
    }
}
