//! A text field of one line: what is typed into it, what is pasted, and how it looks. It knows nothing of what the text
//! is for.

use super::RoleLine;
use crate::domain::Visible;
use crossterm::event::{Event, KeyEvent};
use tui_input::backend::crossterm::EventHandler;
use tui_input::{Input, InputRequest};

/// A text field with a limit.
#[derive(Debug, Clone)]
pub struct TextField {
    input: Input,
    longest: usize,
}

impl TextField {
    /// An empty field that takes this many bytes.
    pub fn new(longest: usize) -> Self {
        Self { input: Input::default(), longest }
    }

    /// What stands in it.
    pub fn value(&self) -> &str {
        self.input.value()
    }

    /// Puts another text in its place, the cursor behind it.
    pub fn set(&mut self, text: &str) {
        self.input = Input::default();
        self.paste(text);
    }

    /// A key that is text, or edits it; `false` where the field is full.
    pub fn edit(&mut self, key: KeyEvent) -> bool {
        let before = self.input.clone();
        self.input.handle_event(&Event::Key(key));
        let fits = self.value().len() <= self.longest;
        if !fits {
            self.input = before;
        }
        fits
    }

    /// Pasted text: line breaks become blanks, other controls are dropped; `false` where not all of it fits.
    pub fn paste(&mut self, text: &str) -> bool {
        for c in text.chars() {
            let c = if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c };
            if c.is_control() {
                continue;
            }
            if self.value().len() + c.len_utf8() > self.longest {
                return false;
            }
            self.input.handle(InputRequest::InsertChar(c));
        }
        true
    }

    /// The label and behind it as much of the text as fits, scrolled to where the cursor is; and the cursor's column.
    /// What is typed is the reviewer's own, but a paste can hold anything.
    pub fn line(&self, mut label: RoleLine, columns: usize) -> (RoleLine, usize) {
        let before: String = self.value().chars().take(self.input.cursor()).collect();
        let cursor = Visible::of(&before).width();
        let room = columns.saturating_sub(label.width() + 1);
        let skip = cursor.saturating_sub(room);
        let column = (label.width() + cursor - skip).min(columns.saturating_sub(1));
        label.append(RoleLine::default().foreign(&Visible::of(self.value())).skip(skip).cut(room.max(1)));
        (label, column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::theme::Role;
    use crossterm::event::{KeyCode, KeyModifiers};

    #[test]
    fn what_does_not_fit_is_not_taken() {
        let mut field = TextField::new(3);
        let typed =
            |field: &mut TextField, c| field.edit(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
        assert!(typed(&mut field, 'a') && typed(&mut field, 'b'));
        assert!(!typed(&mut field, 'é') && field.value() == "ab");
        assert!(!field.paste("c\u{1b}d") && field.value() == "abc");
        field.set("x\ny");
        assert_eq!(field.value(), "x y");
    }

    #[test]
    fn the_cursor_stays_in_sight() {
        let mut field = TextField::new(100);
        field.set("0123456789");
        for (columns, text, cursor) in [(20, "> 0123456789", 12), (8, "> 56789", 7), (4, "> 9", 3)] {
            let (line, column) = field.line(RoleLine::of(Role::Text, "> "), columns);
            assert_eq!((line.text().as_str(), column), (text, cursor), "{columns}");
        }
    }
}
