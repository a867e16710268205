//! The command line: what is typed into it, what it could become, and what was run before. What a command does is not
//! known here, and nothing is run.

mod complete;
pub(super) mod view;

pub use complete::Known;

use self::complete::Found;
use crate::console::widgets::TextField;
use crossterm::event::KeyEvent;
use uuid::Uuid;

/// A command has at most this many bytes: a reason may be among them.
const LONGEST: usize = 2_100;
/// So many commands are remembered.
const REMEMBERED: usize = 100;

/// The command line, open or not, and its memory.
#[derive(Debug, Clone, Default)]
pub struct CommandLine {
    /// What was run, oldest first.
    history: Vec<String>,
    open: Option<Open>,
}

/// The open line.
#[derive(Debug, Clone)]
struct Open {
    /// Of this line alone, so that a frame of another one is not taken for it.
    id: Uuid,
    field: TextField,
    /// Everything that could be run.
    known: Vec<Known>,
    /// What of it the text may mean, best first.
    found: Vec<Found>,
    /// Which of them was put into the line.
    choice: Option<usize>,
    /// Which line of the history stands there.
    recalled: Option<usize>,
}

impl CommandLine {
    /// Opens the line over what could be run.
    pub fn open(&mut self, id: Uuid, known: Vec<Known>) {
        let found = complete::find(&known, "");
        let field = TextField::new(LONGEST);
        self.open = Some(Open { id, field, known, found, choice: None, recalled: None });
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Closes it; what stood in it is remembered where it was to be run.
    pub fn close(&mut self, ran: bool) {
        let Some(open) = self.open.take().filter(|_| ran) else { return };
        let text = open.field.value().trim();
        if !text.is_empty() && self.history.last().is_none_or(|last| last != text) {
            self.history.push(text.to_owned());
            let over = self.history.len().saturating_sub(REMEMBERED);
            self.history.drain(..over);
        }
    }

    /// What stands in it, and whose line it is.
    pub fn says(&self) -> Option<(Uuid, &str)> {
        self.open.as_ref().map(|open| (open.id, open.field.value()))
    }

    /// A key that is text, or edits it; `false` where it is full.
    pub fn edit(&mut self, key: KeyEvent) -> bool {
        self.open.as_mut().is_none_or(|open| {
            let fits = open.field.edit(key);
            open.look_up();
            fits
        })
    }

    /// Pasted text: it is text, and runs nothing. `false` where not all of it fits.
    pub fn paste(&mut self, text: &str) -> bool {
        self.open.as_mut().is_none_or(|open| {
            let fits = open.field.paste(text);
            open.look_up();
            fits
        })
    }

    /// Puts the next of what the text may mean into the line, or the one before.
    pub fn choose(&mut self, forward: bool) {
        if let Some(open) = &mut self.open {
            open.choose(forward);
        }
    }

    /// The line before in the history, where nothing was typed; else the completion before. And forward.
    pub fn step(&mut self, forward: bool) {
        let Some(open) = &mut self.open else { return };
        let at = match (open.recalled, forward) {
            (Some(at), true) if at + 1 < self.history.len() => Some(at + 1),
            (Some(_), true) => None,
            (Some(at), false) => Some(at.saturating_sub(1)),
            (None, false) if open.field.value().is_empty() => self.history.len().checked_sub(1),
            (None, _) => return open.choose(forward),
        };
        if at.is_none() && open.recalled.is_none() {
            return;
        }
        open.field.set(at.and_then(|at| self.history.get(at)).map_or("", String::as_str));
        open.look_up();
        open.recalled = at;
    }
}

impl Open {
    /// The text is another: what it may mean is looked up again.
    fn look_up(&mut self) {
        self.found = complete::find(&self.known, self.field.value());
        (self.choice, self.recalled) = (None, None);
    }

    fn choose(&mut self, forward: bool) {
        let Some(last) = self.found.len().checked_sub(1) else { return };
        let next = match (self.choice, forward) {
            (None, true) => 0,
            (None, false) => last,
            (Some(at), true) => {
                if at == last {
                    0
                } else {
                    at + 1
                }
            }
            (Some(at), false) => at.checked_sub(1).unwrap_or(last),
        };
        let Some(known) = self.found.get(next).and_then(|found| self.known.get(found.at)) else { return };
        if known.takes.is_some() && self.field.value().starts_with(&format!("{} ", known.name)) {
            // What follows the name is the reviewer's own: there is nothing to complete.
            return;
        }
        let behind = if known.takes.is_some() { " " } else { "" };
        self.field.set(&format!("{}{behind}", known.name));
        self.choice = Some(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::{KeyCode, KeyModifiers};

    fn known(name: &str, takes: Option<&'static str>) -> Known {
        Known { name: name.into(), takes, key: None, help: String::new() }
    }

    fn open(line: &mut CommandLine) {
        let names = [("approve", None), ("reject", Some("[reason]")), ("mark", None), ("mark-all", None)];
        line.open(Uuid::nil(), names.map(|(name, takes)| known(name, takes)).to_vec());
    }

    fn typed(line: &mut CommandLine, text: &str) {
        for c in text.chars() {
            line.edit(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
        }
    }

    fn says(line: &CommandLine) -> &str {
        line.says().unwrap().1
    }

    #[test]
    fn choosing_puts_it_into_the_line_and_goes_round() {
        let mut line = CommandLine::default();
        open(&mut line);
        typed(&mut line, "mk");
        for (forward, text) in [(true, "mark"), (true, "mark-all"), (true, "mark"), (false, "mark-all")] {
            line.choose(forward);
            assert_eq!(says(&line), text);
        }
        typed(&mut line, "x");
        assert_eq!(says(&line), "mark-allx");
        line.choose(true);
        assert_eq!(says(&line), "mark-allx", "nothing matches");
    }

    #[test]
    fn what_takes_words_is_completed_with_a_blank_and_then_left_alone() {
        let mut line = CommandLine::default();
        open(&mut line);
        typed(&mut line, "rej");
        line.choose(true);
        typed(&mut line, "too much");
        line.choose(true);
        assert_eq!(says(&line), "reject too much");
    }

    #[test]
    fn what_was_run_comes_back_and_what_was_left_does_not() {
        let mut line = CommandLine::default();
        for (text, ran) in [("mark", true), ("approve", false), ("mark-all", true), ("mark-all", true)] {
            open(&mut line);
            typed(&mut line, text);
            line.close(ran);
        }
        open(&mut line);
        for (forward, text) in
            [(false, "mark-all"), (false, "mark"), (false, "mark"), (true, "mark-all"), (true, "")]
        {
            line.step(forward);
            assert_eq!(says(&line), text);
        }
        line.step(true);
        assert_eq!(says(&line), "approve", "in an empty line, down chooses");
    }

    #[test]
    fn what_is_pasted_is_text() {
        let mut line = CommandLine::default();
        open(&mut line);
        assert!(line.paste("approve\n\u{1b}[A"));
        assert_eq!(says(&line), "approve [A");
        assert!(!line.paste(&"x".repeat(LONGEST)));
    }
}
