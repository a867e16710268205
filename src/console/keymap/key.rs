//! One key and its name: `a`, `G`, `enter`, `ctrl-d`, `alt-left`, `f1`.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::fmt;

/// The names of keys that are not characters.
const NAMED: [(&str, KeyCode); 17] = [
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("backtab", KeyCode::BackTab),
    ("space", KeyCode::Char(' ')),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
    ("null", KeyCode::Null),
];

/// A key with its modifiers, as far as terminals agree on them: shift is part of the character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

impl Key {
    /// Reads the name of a key.
    pub fn parse(name: &str) -> Option<Self> {
        let (mut rest, mut modifiers) = (name, KeyModifiers::NONE);
        loop {
            let (modifier, after) = match rest.split_once('-') {
                Some(("ctrl", after)) if !after.is_empty() => (KeyModifiers::CONTROL, after),
                Some(("alt", after)) if !after.is_empty() => (KeyModifiers::ALT, after),
                _ => break,
            };
            modifiers |= modifier;
            rest = after;
        }
        let mut chars = rest.chars();
        let code = match (chars.next()?, chars.next()) {
            (c, None) => KeyCode::Char(c),
            _ => named(rest)?,
        };
        Some(Self { code, modifiers })
    }

    /// The key that was meant, where a name is near one.
    pub(super) fn nearest(name: &str) -> Option<String> {
        let (modifiers, rest) =
            name.rsplit_once('-').map_or(("", name), |(_, rest)| name.split_at(name.len() - rest.len()));
        let near = crate::document::nearest(rest, NAMED.iter().map(|(known, _)| *known))?;
        let near = format!("{modifiers}{near}");
        Self::parse(&near).is_some().then_some(near)
    }

    /// Whether it is a letter where text is typed.
    pub(super) fn is_text(self) -> bool {
        matches!(self.code, KeyCode::Char(_)) && self.modifiers.is_empty()
    }

    /// Whether it is the key that always quits.
    pub(super) fn is_ctrl_c(self) -> bool {
        self.code == KeyCode::Char('c') && self.modifiers == KeyModifiers::CONTROL
    }

    /// Whether a torn escape sequence (`ESC`, a pause, `[A`) can end in this key (terminal.md, rule 6).
    pub fn may_be_torn(self) -> bool {
        let letter = matches!(self.code, KeyCode::Char('A'..='D' | 'F' | 'H' | 'M' | 'P'..='S' | 'Z' | '~'));
        letter && self.modifiers.is_empty()
    }
}

fn named(name: &str) -> Option<KeyCode> {
    let lower = name.to_ascii_lowercase();
    let function = || lower.strip_prefix('f')?.parse().ok().filter(|n| (1..=12).contains(n)).map(KeyCode::F);
    NAMED.iter().find(|(known, _)| *known == lower).map(|(_, code)| *code).or_else(function)
}

impl From<&KeyEvent> for Key {
    fn from(event: &KeyEvent) -> Self {
        // Terminals report shift with a capital letter or without; the letter says it all.
        let modifiers = event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT);
        Self { code: event.code, modifiers }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (modifier, name) in [(KeyModifiers::CONTROL, "ctrl-"), (KeyModifiers::ALT, "alt-")] {
            if self.modifiers.contains(modifier) {
                f.write_str(name)?;
            }
        }
        match (NAMED.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => f.write_str(name),
            (None, KeyCode::Char(c)) => write!(f, "{c}"),
            (None, KeyCode::F(number)) => write!(f, "f{number}"),
            (None, other) => write!(f, "{other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for name in
            ["a", "G", "?", "-", "ctrl--", "enter", "ctrl-d", "alt-left", "ctrl-alt-x", "f12", "space", "ö"]
        {
            assert_eq!(Key::parse(name).map(|key| key.to_string()).as_deref(), Some(name));
        }
        for bad in ["", "ctrl-", "foo", "f13", "f0", "super-a"] {
            assert_eq!(Key::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn shift_is_part_of_the_letter() {
        let with = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
        let without = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::NONE);
        assert_eq!(Key::from(&with), Key::from(&without));
    }
}
