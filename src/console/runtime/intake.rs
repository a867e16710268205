//! The whole way from the terminal's bytes to what the program is told: the decoder, then the filter. A pure machine:
//! the time is passed in, so that any bytes, cut anywhere, at any times, can be tried.

use super::decoder::Sent;
use super::{Decoder, Input, InputFilter, Reply};
use crossterm::event::KeyEvent;
use std::time::Duration;

/// What came of the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// For the program: a key, a paste, the mouse, the focus.
    Input(Input),
    /// An answer of the terminal.
    Reply(Reply),
}

/// The machine. Times are ticks (see [`Now`](super::Now)) and never run backwards.
#[derive(Debug, Default)]
pub struct Intake {
    decoder: Decoder,
    filter: InputFilter,
}

impl Intake {
    /// Takes in bytes that were read at `at`, and returns what is certain by now, each with the time at which it began
    /// to come. That may be earlier than `at`, and for a ctrl-c inside of a reply later than for what follows.
    pub fn read(&mut self, bytes: &[u8], at: Duration) -> Vec<(Told, Duration)> {
        self.read_or(bytes, at, &|_| false)
    }

    /// The same, and `at_once` says which letters decide nothing as things stand now, and need not be held back.
    pub fn read_or(
        &mut self,
        bytes: &[u8],
        at: Duration,
        at_once: &dyn Fn(&KeyEvent) -> bool,
    ) -> Vec<(Told, Duration)> {
        let mut out = self.passed(at);
        let sent = self.decoder.read(bytes, at);
        self.filtered(sent, at_once, &mut out);
        out
    }

    /// When [`passed`](Self::passed) has something to do, unless bytes come before.
    pub fn deadline(&self) -> Option<Duration> {
        [self.decoder.deadline(), self.filter.deadline()].into_iter().flatten().min()
    }

    /// What has become certain by that time. Every byte that was read before it must have been taken in already.
    pub fn passed(&mut self, at: Duration) -> Vec<(Told, Duration)> {
        let mut out = Vec::new();
        let sent = self.decoder.passed(at);
        self.filtered(sent, &|_| false, &mut out);
        out.extend(self.filter.passed(at).into_iter().map(|(input, at)| (Told::Input(input), at)));
        out
    }

    fn filtered(
        &mut self,
        sent: Vec<(Sent, Duration)>,
        at_once: &dyn Fn(&KeyEvent) -> bool,
        out: &mut Vec<(Told, Duration)>,
    ) {
        // What is told first may change what the next letter does: only the first is judged by how things stand.
        let mut first = true;
        for (sent, at) in sent {
            match sent {
                Sent::Reply(reply) => out.push((Told::Reply(reply), at)),
                Sent::Event(event) => {
                    let at_once = |key: &KeyEvent| first && at_once(key);
                    let told = self.filter.event_or(event, at, &at_once);
                    out.extend(told.into_iter().map(|(input, at)| (Told::Input(input), at)));
                    first = false;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
