//! Filtering as one types: the text field, what was typed before, and words that match as substrings. It knows nothing of
//! what is filtered.

use super::TextField;
use crossterm::event::KeyEvent;

/// A filter has at most this many bytes.
const LONGEST: usize = 200;
/// Earlier filters that are kept.
const KEPT: usize = 50;

/// A filter, and whether it is being typed.
#[derive(Debug, Clone)]
pub struct Search {
    field: TextField,
    typing: bool,
    /// Earlier filters, oldest first.
    history: Vec<String>,
    /// Which of them stands in the field.
    at: Option<usize>,
}

impl Default for Search {
    fn default() -> Self {
        Self { field: TextField::new(LONGEST), typing: false, history: Vec::new(), at: None }
    }
}

impl Search {
    /// What stands in the field.
    pub fn text(&self) -> &str {
        self.field.value()
    }

    /// The field.
    pub fn field(&self) -> &TextField {
        &self.field
    }

    /// Whether keys go into the field.
    pub fn is_typing(&self) -> bool {
        self.typing
    }

    /// Whether anything is filtered.
    pub fn is_active(&self) -> bool {
        !self.text().trim().is_empty()
    }

    /// From now on keys go into the field; what stands in it stays.
    pub fn begin(&mut self) {
        (self.typing, self.at) = (true, None);
    }

    /// Done with typing: the filter stays as it is.
    pub fn keep(&mut self) {
        self.typing = false;
        let text = self.text().to_owned();
        if self.is_active() {
            self.history.retain(|earlier| *earlier != text);
            self.history.push(text);
            let over = self.history.len().saturating_sub(KEPT);
            self.history.drain(..over);
        }
    }

    /// Nothing is filtered any more, and nothing is typed.
    pub fn clear(&mut self) {
        self.keep();
        self.field.set("");
    }

    /// A key that is text, or edits it; `false` where the field is full.
    pub fn edit(&mut self, key: KeyEvent) -> bool {
        self.at = None;
        self.field.edit(key)
    }

    /// Pasted text; `false` where not all of it fits.
    pub fn paste(&mut self, text: &str) -> bool {
        self.at = None;
        self.field.paste(text)
    }

    /// An earlier filter takes the place of what stands in the field, or a later one.
    pub fn step(&mut self, earlier: bool) {
        let at = match (self.at, earlier) {
            (None, true) => self.history.len().checked_sub(1),
            (None, false) => None,
            (Some(at), true) => Some(at.saturating_sub(1)),
            (Some(at), false) => Some(at + 1).filter(|at| *at < self.history.len()),
        };
        if at.is_some() || self.at.is_some() {
            let text = at.and_then(|at| self.history.get(at)).map_or("", String::as_str);
            self.field.set(text);
            self.at = at;
        }
    }
}

/// The words of a filter: each must stand somewhere, those with a `!` before them nowhere. Case does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    wanted: Vec<String>,
    unwanted: Vec<String>,
}

impl Words {
    /// Reads a filter. A `!` alone is one that is still being typed.
    pub fn of(text: &str) -> Self {
        let mut words = Self::default();
        for word in text.split_whitespace() {
            match word.strip_prefix('!') {
                Some("") => {}
                Some(word) => words.unwanted.push(word.to_lowercase()),
                None => words.wanted.push(word.to_lowercase()),
            }
        }
        words
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty() && self.unwanted.is_empty()
    }

    /// Whether this text, in small letters, is what is asked for.
    pub fn match_lowercase(&self, text: &str) -> bool {
        self.wanted.iter().all(|word| text.contains(word.as_str()))
            && !self.unwanted.iter().any(|word| text.contains(word.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_match_as_substrings_and_exclude() {
        for (filter, text, matches) in [
            ("", "anything", true),
            ("mail", "send_email alice", true),
            ("MAIL Alice", "send_email alice", true),
            ("mail bob", "send_email alice", false),
            ("!alice", "send_email alice", false),
            ("mail !bob", "send_email alice", true),
            ("!", "send_email", true),
            ("seml", "send_email", false),
        ] {
            assert_eq!(Words::of(filter).match_lowercase(text), matches, "{filter:?} on {text:?}");
        }
    }

    #[test]
    fn earlier_filters_come_back() {
        let mut search = Search::default();
        for text in ["one", "two", "one", "three"] {
            search.begin();
            search.field.set(text);
            search.keep();
        }
        search.clear();
        assert!(!search.is_active() && !search.is_typing());
        search.begin();
        search.step(false);
        assert_eq!(search.text(), "");
        let steps = [
            (true, "three"),
            (true, "one"),
            (true, "two"),
            (true, "two"),
            (false, "one"),
            (false, "three"),
            (false, ""),
        ];
        for (earlier, text) in steps {
            search.step(earlier);
            assert_eq!(search.text(), text);
        }
    }
}
