//! Which events of the terminal are keys that a person pressed. A pure machine: the time is passed in.
//!
//! Three things look like keys and are not (terminal.md, rule 6; design.md, *Traps that were checked*):
//!
//! - **A torn escape**: `Esc`, a pause, `[`, `A` is one arrow key that a slow link cut in two. After a lone `Esc`, `[` or
//!   `O` within 100 ms is swallowed, and with it the rest of the sequence: parameters and one final key.
//! - **A burst**: three or more letters within 15 ms were never typed; they are a paste from a terminal that does not
//!   bracket pastes, or a reply of the terminal. So a letter is held back for up to 15 ms, until it is clear.
//! - **Key releases**, where a terminal reports them.
//!
//! Replies that the terminal sends as OSC and DCS strings get their own rule here later; whatever of them comes as a
//! burst of letters is a paste already.

use super::Input;
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::time::Duration;

/// How long after a lone `Esc`, or after the last part, the next part of a torn sequence may come.
const TORN: Duration = Duration::from_millis(100);
/// Letters that come within this time of each other, three or more, are a paste.
const BURST: Duration = Duration::from_millis(15);
/// How many letters make a burst.
const BURST_LETTERS: usize = 3;

/// The filter between the terminal's events and the program. Times are ticks (see [`Now`](super::Now)).
#[derive(Debug, Default)]
pub struct InputFilter {
    torn: Torn,
    /// Letters that are held back.
    held: Vec<(KeyEvent, Duration)>,
    /// Whether what is held is a paste for certain.
    paste: bool,
}

/// How much of a torn escape sequence has come, and when its last part did.
#[derive(Debug, Default, Clone, Copy)]
enum Torn {
    #[default]
    No,
    Escape(Duration),
    Inside(Duration),
}

impl InputFilter {
    /// Takes in an event that was read at `at`, and returns what is certain by now, in order, each with the time it was
    /// read at.
    pub fn event(&mut self, event: Event, at: Duration) -> Vec<(Input, Duration)> {
        let mut out = self.passed(at);
        match event {
            Event::Key(key) if key.kind == KeyEventKind::Release => {}
            Event::Key(key) => self.key(key, at, &mut out),
            other => {
                self.release(&mut out);
                self.torn = Torn::No;
                out.push((other_input(other), at));
            }
        }
        out
    }

    /// When [`passed`](Self::passed) has something to say, unless an event comes before.
    pub fn deadline(&self) -> Option<Duration> {
        // A paste goes on while letters keep coming; a letter by itself is certain once no burst can begin with it.
        let from = if self.paste { self.held.last() } else { self.held.first() };
        from.map(|(_, at)| *at + BURST)
    }

    /// What has become certain by that time. Every event that was read before it must have been taken in already.
    pub fn passed(&mut self, at: Duration) -> Vec<(Input, Duration)> {
        let mut out = Vec::new();
        while self.deadline().is_some_and(|deadline| deadline <= at) {
            if self.paste {
                self.release(&mut out);
            } else {
                let (key, read) = self.held.remove(0);
                out.push((Input::Key(key), read));
            }
        }
        out
    }

    fn key(&mut self, key: KeyEvent, at: Duration, out: &mut Vec<(Input, Duration)>) {
        if self.is_torn_part(&key, at) {
            return;
        }
        if letter(&key).is_none() {
            self.release(out);
            if key.code == KeyCode::Esc && key.modifiers.is_empty() {
                self.torn = Torn::Escape(at);
            }
            out.push((Input::Key(key), at));
            return;
        }
        self.held.push((key, at));
        let first_of_three = self.held.len().checked_sub(BURST_LETTERS).map(|first| self.held[first].1);
        self.paste |= first_of_three.is_some_and(|first| at.saturating_sub(first) <= BURST);
    }

    fn is_torn_part(&mut self, key: &KeyEvent, at: Duration) -> bool {
        let soon = |since: Duration| at.saturating_sub(since) <= TORN;
        let plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        let (torn, swallowed) = match (self.torn, key.code) {
            (Torn::Escape(since), KeyCode::Char('[' | 'O')) if plain && soon(since) => {
                (Torn::Inside(at), true)
            }
            (Torn::Inside(since), KeyCode::Char('0'..='9' | ':' | ';' | '<' | '=' | '>' | '?'))
                if plain && soon(since) =>
            {
                (Torn::Inside(at), true)
            }
            (Torn::Inside(since), KeyCode::Char(_)) if plain && soon(since) => (Torn::No, true),
            _ => (Torn::No, false),
        };
        self.torn = torn;
        swallowed
    }

    /// Lets go of what is held: as one paste, or as keys.
    fn release(&mut self, out: &mut Vec<(Input, Duration)>) {
        let held = std::mem::take(&mut self.held);
        let paste = std::mem::take(&mut self.paste);
        match held.first() {
            Some((_, at)) if paste => {
                let text = held.iter().filter_map(|(key, _)| letter(key)).collect();
                out.push((Input::Paste(text), *at));
            }
            _ => out.extend(held.into_iter().map(|(key, at)| (Input::Key(key), at))),
        }
    }
}

/// The character that a key would be in a text, if it would be one. Enter and Tab count: a pasted line ends in one.
fn letter(key: &KeyEvent) -> Option<char> {
    if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
        return None;
    }
    match key.code {
        KeyCode::Char(c) => Some(c),
        KeyCode::Enter => Some('\n'),
        KeyCode::Tab => Some('\t'),
        _ => None,
    }
}

fn other_input(event: Event) -> Input {
    match event {
        Event::Key(key) => Input::Key(key),
        Event::Paste(text) => Input::Paste(text),
        Event::Resize(columns, rows) => Input::Resize(columns, rows),
        Event::FocusGained => Input::FocusGained,
        Event::FocusLost => Input::FocusLost,
        Event::Mouse(mouse) => Input::Mouse(mouse),
    }
}

#[cfg(test)]
mod tests;
