//! From the terminal's bytes to events: where a key, a reply or a paste begins and where it ends. A pure machine: the
//! time is passed in, nothing is read, nothing waits.
//!
//! Keys and replies come down the same line and look alike, so what is not known to be a key is none
//! (terminal.md, rule 6; screen.md, *Deciding* 2):
//!
//! - **Replies** in strings (OSC, DCS, APC, PM, SOS) are swallowed up to their end, whatever stands in them; so are
//!   control sequences that no keyboard sends. They are told as [`Reply`], never as a key.
//! - **Nothing is waited for**: what has begun and does not end is dropped 200 ms after it began, or once bytes have
//!   stopped coming for 50 ms if that is later, and what follows is read afresh.
//! - **A paste** ends with its mark, if nothing follows it within 15 ms: a text that holds the mark itself stays one
//!   paste. Without the mark it ends after 200 ms without bytes.
//! - **`Esc`** by itself is certain 50 ms later. What comes then within 100 ms of it and looks like the rest of a
//!   sequence that a slow link tore is swallowed.
//! - **ctrl-c** is told at once wherever it stands, but for a paste whose bytes keep coming.

use crossterm::event::{Event, KeyCode, KeyEvent};
use std::time::Duration;

mod control;
mod key;
mod paste;
mod state;

use control::Meaning;
use key::{character_key, control_key, with_alt};
use paste::Paste;
use state::{Control, Opener, State, c1, opened};

/// How long a sequence or a paste may keep its reader waiting.
const PATIENCE: Duration = Duration::from_millis(200);
/// Bytes that come closer together than this belong together: no person types so fast.
const FLOW: Duration = Duration::from_millis(50);
/// How long after `Esc` the next byte of a sequence may come for the sequence to be read as what it is.
const ESCAPE: Duration = Duration::from_millis(50);
/// How long after `Esc` a character is one that was pressed together with alt.
const ALT: Duration = Duration::from_millis(5);
/// How long after `Esc` the rest of a torn sequence may come.
const TORN: Duration = Duration::from_millis(100);
/// What follows the end of a paste within this time is part of it.
const BURST: Duration = Duration::from_millis(15);

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
const CTRL_C: u8 = 0x03;

/// What the terminal sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// A person did something: a key, a paste, the mouse, the window's focus. Never a size.
    Event(Event),
    /// The terminal answered.
    Reply(Reply),
}

/// An answer of the terminal. Never a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// `CSI 0 n`, the answer to `CSI 5 n`: the terminal has taken in everything that was written before the question.
    Ready,
    /// The answer to `CSI ? 2026 $ p`: whether the terminal can be made to show a frame when it is complete.
    Synchronized(bool),
    /// Anything else: nothing that the console asked for.
    Other,
}

/// The machine. Times are ticks (see [`Now`](super::Now)) and never run backwards.
#[derive(Debug, Default)]
pub struct Decoder {
    state: State,
    /// When what is being read began: that is when its key counts as pressed.
    since: Duration,
    /// When the last byte came.
    last: Duration,
}

type Out = Vec<(Sent, Duration)>;

impl Decoder {
    /// Takes in bytes that were read at `at`, and returns what is certain by now, in order, each with the time at which
    /// it began to come.
    pub fn read(&mut self, bytes: &[u8], at: Duration) -> Vec<(Sent, Duration)> {
        let mut out = self.passed(at);
        for byte in bytes {
            self.byte(*byte, at, &mut out);
            self.last = at;
        }
        out
    }

    /// When [`passed`](Self::passed) has something to do, unless bytes come before.
    pub fn deadline(&self) -> Option<Duration> {
        match &self.state {
            State::Ground => None,
            State::Escape { .. } => Some(self.since + ESCAPE),
            State::Torn => Some(self.since + TORN),
            State::Paste(paste) => Some(self.last + if paste.has_ended() { BURST } else { PATIENCE }),
            _ => Some((self.since + PATIENCE).max(self.last + FLOW)),
        }
    }

    /// What has become certain by that time. Every byte that was read before it must have been taken in already.
    pub fn passed(&mut self, at: Duration) -> Vec<(Sent, Duration)> {
        let mut out = Vec::new();
        while self.deadline().is_some_and(|deadline| deadline <= at) {
            self.state = match std::mem::take(&mut self.state) {
                State::Escape { twice } => {
                    self.escapes(twice, &mut out);
                    State::Torn
                }
                State::Paste(paste) => {
                    out.push((Sent::Event(Event::Paste(paste.text())), self.since));
                    State::Ground
                }
                _ => State::Ground,
            };
        }
        out
    }

    fn byte(&mut self, byte: u8, at: Duration, out: &mut Out) {
        if byte == CTRL_C && self.may_be_interrupted(at) {
            self.interrupt(out);
            out.push((key(control_key(byte)), at));
            return;
        }
        self.state = match std::mem::take(&mut self.state) {
            State::Ground => self.ground(byte, at, false, out),
            State::Escape { twice } => self.escape(byte, at, twice, out),
            State::Torn => match opened(byte, false, true) {
                Some(state) => self.begin(at, state),
                None => self.ground(byte, at, false, out),
            },
            State::Character { bytes, alt } => self.character(bytes, byte, alt, at, out),
            State::Control(_) if byte == ESC => self.begin(at, State::Escape { twice: false }),
            State::Control(control) => self.control(control, byte, out),
            State::Mouse { left: 0 | 1 } => State::Ground,
            State::Mouse { left } => State::Mouse { left: left - 1 },
            State::String { bell, escape } => {
                if (escape && byte == b'\\') || (bell && byte == BEL) {
                    out.push((Sent::Reply(Reply::Other), self.since));
                    State::Ground
                } else {
                    State::String { bell, escape: byte == ESC }
                }
            }
            State::Paste(mut paste) => {
                paste.push(byte);
                State::Paste(paste)
            }
        };
    }

    fn may_be_interrupted(&self, at: Duration) -> bool {
        !matches!(self.state, State::Paste(_)) || at.saturating_sub(self.last) >= FLOW
    }

    /// What ctrl-c leaves of what was being read: a reply or a paste goes on, so that nothing of it becomes a key.
    fn interrupt(&mut self, out: &mut Out) {
        match self.state {
            State::Escape { twice } => self.escapes(twice, out),
            State::Torn | State::Character { .. } => {}
            _ => return,
        }
        self.state = State::Ground;
    }

    /// `Esc` was pressed, once or twice.
    fn escapes(&self, twice: bool, out: &mut Out) {
        for _ in 0..=usize::from(twice) {
            out.push((key(KeyCode::Esc.into()), self.since));
        }
    }

    fn begin(&mut self, at: Duration, state: State) -> State {
        self.since = at;
        state
    }

    fn ground(&mut self, byte: u8, at: Duration, alt: bool, out: &mut Out) -> State {
        // A key that alt was pressed with began with its ESC.
        let began = if alt { self.since } else { at };
        match byte {
            ESC => return self.begin(at, State::Escape { twice: false }),
            0x00..=0x1f | 0x7f => out.push((key(with_alt(control_key(byte), alt)), began)),
            0x20..=0x7e => out.push((key(with_alt(character_key(char::from(byte)), alt)), began)),
            0xc2..=0xf4 => return self.begin(began, State::Character { bytes: vec![byte], alt }),
            // A control of eight bits (C1), or what belongs to no character.
            _ => {
                if let Some(state) = c1(byte) {
                    return self.begin(at, state);
                }
            }
        }
        State::Ground
    }

    fn escape(&mut self, byte: u8, at: Duration, twice: bool, out: &mut Out) -> State {
        if let Some(state) = opened(byte, twice, false) {
            return state;
        }
        match byte {
            ESC if !twice => return State::Escape { twice: true },
            // The end of a string whose beginning is long gone.
            b'\\' => return State::Ground,
            _ => {}
        }
        let together = byte != ESC && at.saturating_sub(self.last) <= ALT;
        if !together || twice {
            self.escapes(twice && !together, out);
        }
        self.ground(byte, at, together, out)
    }

    fn character(&mut self, mut bytes: Vec<u8>, byte: u8, alt: bool, at: Duration, out: &mut Out) -> State {
        if !(0x80..=0xbf).contains(&byte) {
            // Half a character is none.
            return self.ground(byte, at, false, out);
        }
        bytes.push(byte);
        let length = match bytes.first() {
            Some(0xf0..) => 4,
            Some(0xe0..) => 3,
            _ => 2,
        };
        if bytes.len() < length {
            return State::Character { bytes, alt };
        }
        match std::str::from_utf8(&bytes).ok().and_then(|text| text.chars().next()) {
            Some(c @ '\u{80}'..='\u{9f}') => u8::try_from(c).ok().and_then(c1).unwrap_or_default(),
            Some(c) => {
                out.push((key(with_alt(character_key(c), alt)), self.since));
                State::Ground
            }
            None => State::Ground,
        }
    }

    fn control(&mut self, mut control: Control, byte: u8, out: &mut Out) -> State {
        // The Linux console's function keys: `CSI [ A`.
        let console = control.opener == Opener::Csi && byte == b'[' && control.bytes.is_empty();
        match byte {
            0x20..=0x3f => control.push(byte),
            _ if console => control.push(byte),
            0x40..=0x7e => return self.meant(&control, byte, out),
            // Terminals leave out what cannot stand here, and so do we: a key cannot be born inside of a sequence.
            _ => {}
        }
        State::Control(control)
    }

    fn meant(&mut self, control: &Control, last: u8, out: &mut Out) -> State {
        let meaning = match control.opener {
            _ if control.is_too_long() => Meaning::Reply(Reply::Other),
            Opener::Csi => control::csi(&control.bytes, last),
            Opener::Ss3 => control::ss3(&control.bytes, last),
        };
        // Nobody types a reply with alt: the ESC before it is the key, and the reply came into its way.
        if control.alt && matches!(meaning, Meaning::Reply(_)) {
            out.push((key(KeyCode::Esc.into()), self.since));
        }
        let sent = match meaning {
            Meaning::PasteBegins => return State::Paste(Paste::default()),
            Meaning::MouseFollows => return State::Mouse { left: 3 },
            Meaning::Reply(reply) => Sent::Reply(reply),
            Meaning::Focus(true) => Sent::Event(Event::FocusGained),
            Meaning::Focus(false) => Sent::Event(Event::FocusLost),
            // Its `Esc` has been told already, and may have done something: the rest must not do more.
            Meaning::Key(_) | Meaning::Mouse(_) if control.torn => return State::Ground,
            Meaning::Key(event) => key(with_alt(event, control.alt)),
            Meaning::Mouse(event) => Sent::Event(Event::Mouse(event)),
        };
        out.push((sent, self.since));
        State::Ground
    }
}

fn key(event: KeyEvent) -> Sent {
    Sent::Event(Event::Key(event))
}

#[cfg(test)]
mod tests;
