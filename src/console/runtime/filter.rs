//! Which keys a person pressed, and which came too fast for that. A pure machine: the time is passed in.
//!
//! - **A burst**: three or more letters within 15 ms were never typed; they are a paste from a terminal that does not
//!   bracket pastes, or a reply of the terminal that comes as plain letters. So a letter is held back for up to 15 ms,
//!   until it is clear (design.md, *Traps that were checked*). One that decides nothing, whatever it turns out to be part
//!   of, is told at once, and counts all the same: of a burst the third and all after it are the paste.
//! - **Key releases**, where a terminal reports them, are nothing.

use super::Input;
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::time::Duration;

/// Letters that come within this time of each other, three or more, are a paste.
const BURST: Duration = Duration::from_millis(15);
/// How many letters make a burst.
const BURST_LETTERS: usize = 3;
/// So many letters of a burst are kept.
const LONGEST: usize = 1 << 18;

/// The filter between the terminal's events and the program. Times are ticks (see [`Now`](super::Now)).
#[derive(Debug, Default)]
pub struct InputFilter {
    /// Letters that are held back.
    held: Vec<(KeyEvent, Duration)>,
    /// When the last letters came that were told at once, up to one less than make a burst.
    told: Vec<Duration>,
    /// When the last of them came.
    last: Duration,
    /// Whether what is held is a paste for certain.
    paste: bool,
}

impl InputFilter {
    /// Takes in an event that was read at `at`, and returns what is certain by now, in order, each with the time it was
    /// read at.
    pub fn event(&mut self, event: Event, at: Duration) -> Vec<(Input, Duration)> {
        self.event_or(event, at, &|_| false)
    }

    /// The same, and `at_once` says which letters need not be held back.
    pub fn event_or(
        &mut self,
        event: Event,
        at: Duration,
        at_once: &dyn Fn(&KeyEvent) -> bool,
    ) -> Vec<(Input, Duration)> {
        let mut out = self.passed(at);
        match event {
            Event::Key(key) if key.kind == KeyEventKind::Release => {}
            Event::Key(key) => self.key(key, at, at_once, &mut out),
            other => {
                self.release(&mut out);
                out.push((other_input(other), at));
            }
        }
        out
    }

    /// When [`passed`](Self::passed) has something to say, unless an event comes before.
    pub fn deadline(&self) -> Option<Duration> {
        // A paste goes on while letters keep coming; a letter by itself is certain once no burst can begin with it.
        let (_, first) = self.held.first()?;
        Some(BURST + if self.paste { self.last } else { *first })
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

    fn key(
        &mut self,
        key: KeyEvent,
        at: Duration,
        at_once: &dyn Fn(&KeyEvent) -> bool,
        out: &mut Vec<(Input, Duration)>,
    ) {
        if letter(&key).is_none() {
            self.release(out);
            out.push((Input::Key(key), at));
            return;
        }
        self.told.retain(|told| at.saturating_sub(*told) <= BURST);
        if self.held.is_empty() && self.told.len() + 1 < BURST_LETTERS && at_once(&key) {
            self.told.push(at);
            out.push((Input::Key(key), at));
            return;
        }
        self.last = at;
        if self.held.len() < LONGEST {
            self.held.push((key, at));
        }
        // Those that were told come before those that are held.
        let near = |held: &&(KeyEvent, Duration)| at.saturating_sub(held.1) <= BURST;
        let held = self.held.iter().rev().take(BURST_LETTERS).take_while(near).count();
        self.paste |= self.told.len() + held >= BURST_LETTERS;
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

/// The character that a key would be in a text, if it would be one. Enter and Tab count: a pasted line ends in one, and
/// so does ctrl-j, which is what a line feed is read as.
fn letter(key: &KeyEvent) -> Option<char> {
    if key.code == KeyCode::Char('j') && key.modifiers == KeyModifiers::CONTROL {
        return Some('\n');
    }
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
