//! A TOML text of the user's, read with the place of everything in it. Mistakes are gathered, so that one reading names
//! them all.
//!
//! The config, keymaps, themes and the gateway's rules are read with it; it knows of none of them.
//!
//! | file | what it owns |
//! |---|---|
//! | `file` | reading the text from the disk |
//! | `mistake` | what is wrong, where, with the line and a caret; nearest names |

pub mod file;
mod mistake;

pub use mistake::{Mistake, Mistakes, did_you_mean, nearest};

use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A text that is being read, and what was found wrong in it so far.
#[derive(Debug)]
pub struct Document<'a> {
    source: &'a str,
    text: &'a str,
    mistakes: Vec<Mistake>,
}

/// What stands behind a key: where the key is, its name, and its value.
#[derive(Debug)]
pub struct Entry<'t, 'a> {
    /// The name.
    pub name: &'t str,
    /// Where the name stands.
    pub at: Range<usize>,
    /// The value.
    pub value: &'t Spanned<DeValue<'a>>,
}

impl<'a> Document<'a> {
    /// Reads a text; `source` is what it is called in mistakes.
    pub fn parse(source: &'a str, text: &'a str) -> (Self, DeTable<'a>) {
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut document = Self { source, text, mistakes: Vec::new() };
        for error in errors {
            document.wrong(&error.span().unwrap_or_default(), error.message().replace('\n', ", "));
        }
        (document, table.into_inner())
    }

    /// Notes a mistake.
    pub fn wrong(&mut self, at: &Range<usize>, message: impl Into<String>) {
        self.mistakes.push(Mistake::at(self.source, self.text, at, message));
    }

    /// Notes what is wrong with the file as a whole.
    pub fn wrong_as_a_whole(&mut self, message: impl Into<String>) {
        self.mistakes.push(Mistake::of(self.source, message));
    }

    /// The number of the line in which this stands, from 1.
    pub fn line(&self, at: &Range<usize>) -> usize {
        self.text.get(..at.start).unwrap_or_default().matches('\n').count() + 1
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Where something was wrong.
    pub fn finish(mut self) -> Result<(), Mistakes> {
        self.mistakes.sort_by_key(Mistake::position);
        Mistakes::none_in(self.mistakes)
    }
}

/// What stands in a table, in the order of its lines.
pub fn entries<'t, 'a>(table: &'t DeTable<'a>) -> Vec<Entry<'t, 'a>> {
    let entry = |(name, value): (&'t Spanned<_>, _)| {
        let at = name.span();
        let name: &std::borrow::Cow<'a, str> = name.get_ref();
        Entry { name, at, value }
    };
    let mut entries: Vec<_> = table.iter().map(entry).collect();
    entries.sort_by_key(|entry| entry.at.start);
    entries
}

/// What a value is, in words: `true`, `the number 3`, `a table`.
pub fn in_words(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("\"{}\"", crate::domain::Visible::head(text, 40).plain()),
        DeValue::Integer(number) => format!("the number {number}"),
        DeValue::Float(number) => format!("the number {number}"),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(_) => "a date".into(),
        DeValue::Array(_) => "a list".into(),
        DeValue::Table(_) => "a table".into(),
    }
}
