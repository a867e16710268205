//! When the next frame may be sent. A pure machine: the time is passed in.
//!
//! - **A terminal that answers** has one frame in flight: with each frame goes a question (`CSI 5 n`), and the next one
//!   waits for the answer. Only that sees through every buffer on the way. Keys are taken meanwhile, so that the next
//!   frame shows where they have led.
//! - **One that does not**, within half a second, is given frames by the clock: as fast as the eye follows, slower while
//!   writing has to wait, and four a second at the end of an SSH connection. It is asked again now and then.
//! - **Answers bear no name.** They come in the order of the questions, so the terminal is ready when as many have come
//!   as were owed. Some never come; where others do and then no more, those are written off.
//!
//! Nothing here wakes anybody up while there is nothing to show.

use std::time::Duration;

/// The shortest time between frames that no key asked for, and between any where nothing answers.
const FRAME: Duration = Duration::from_millis(16);
/// The longest time between frames where nothing answers and writing has to wait.
const BLOCKED: Duration = Duration::from_millis(100);
/// The time between frames where nothing answers at the end of an SSH connection.
const FAR: Duration = Duration::from_millis(250);
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long at the most, by a terminal that has taken as long before.
const MOST_PATIENCE: Duration = Duration::from_secs(3);
/// After so long without a further answer none is on its way.
const SETTLED: Duration = Duration::from_secs(1);
/// When a terminal that did not answer is asked again; twice as late each time, up to the other.
const AGAIN: Duration = Duration::from_secs(2);
const AGAIN_AT_THE_LATEST: Duration = Duration::from_secs(60);
/// So many frames are sent before the first answer may have come: what a start takes.
const HEAD_START: u32 = 3;

/// Whether the terminal answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Terminal {
    /// It has not been seen to yet; so many frames may still be sent without.
    Untried(u32),
    Answers,
    Silent,
}

/// The machine. Times are ticks (see [`Now`](super::Now)) and never run backwards.
#[derive(Debug)]
pub(super) struct Pace {
    terminal: Terminal,
    far: bool,
    /// Questions without an answer, and when the last one went out.
    owed: u32,
    asked: Duration,
    /// The longest that answers take lately.
    round_trip: Duration,
    /// When the last answer came to a terminal that others are owed by.
    answered: Option<Duration>,
    /// When a silent terminal is asked again, and how long it is then left alone.
    again: (Duration, Duration),
    /// When the last frame went out.
    frame: Option<Duration>,
    /// The time between frames where nothing answers.
    interval: Duration,
}

impl Pace {
    /// For a terminal of which nothing is known; `far` is one at the end of an SSH connection.
    pub(super) fn new(far: bool) -> Self {
        Self {
            terminal: Terminal::Untried(HEAD_START),
            far,
            owed: 0,
            asked: Duration::ZERO,
            round_trip: Duration::ZERO,
            answered: None,
            again: (Duration::ZERO, AGAIN),
            frame: None,
            interval: if far { FAR } else { FRAME },
        }
    }

    /// The time at which the next frame may be sent; what lies in the past is now. `key` tells whether it shows what a
    /// key has done.
    pub(super) fn next(&self, key: bool) -> Duration {
        let Some(frame) = self.frame else { return Duration::ZERO };
        match self.terminal {
            Terminal::Untried(0) => self.asked + PATIENCE,
            Terminal::Untried(_) => frame + FRAME,
            Terminal::Answers if self.owed > 0 => self.asked + self.patience(),
            Terminal::Answers if key => frame,
            Terminal::Answers => frame + FRAME,
            Terminal::Silent => frame + self.interval,
        }
    }

    fn patience(&self) -> Duration {
        (3 * self.round_trip).clamp(PATIENCE, MOST_PATIENCE)
    }

    /// A frame goes out now, as it may. Whether it is to ask for an answer.
    pub(super) fn asks(&mut self, now: Duration) -> bool {
        let waited = self.owed > 0 && self.asked + self.patience() <= now;
        match self.terminal {
            Terminal::Untried(_) if self.owed == 0 => true,
            Terminal::Untried(_) | Terminal::Answers if waited => {
                self.terminal = Terminal::Silent;
                self.again = (now + AGAIN, AGAIN);
                false
            }
            Terminal::Untried(left) => {
                self.terminal = Terminal::Untried(left.saturating_sub(1));
                false
            }
            Terminal::Answers => true,
            Terminal::Silent if self.answered.is_some_and(|at| at + SETTLED <= now) => {
                // The rest got lost.
                (self.owed, self.answered) = (0, None);
                self.terminal = Terminal::Answers;
                true
            }
            Terminal::Silent => {
                let (at, gap) = self.again;
                let asks = at <= now && self.answered.is_none();
                if asks {
                    let gap = (2 * gap).min(AGAIN_AT_THE_LATEST);
                    self.again = (now + gap, gap);
                }
                asks
            }
        }
    }

    /// A frame went out at that time, with a question or without; nothing, if there was nothing to send.
    pub(super) fn sent(&mut self, at: Duration, asked: bool) {
        self.frame = Some(at);
        if asked {
            self.owed += 1;
            self.asked = at;
        }
    }

    /// Writing the last frame had to wait for the terminal, or it had not.
    pub(super) fn blocked(&mut self, blocked: bool) {
        let (least, most) = if self.far { (FAR, FAR) } else { (FRAME, BLOCKED) };
        self.interval = if blocked { 2 * self.interval } else { self.interval / 2 }.clamp(least, most);
    }

    /// An answer has come.
    pub(super) fn answered(&mut self, now: Duration) {
        // Nobody asked.
        let Some(owed) = self.owed.checked_sub(1) else { return };
        self.owed = owed;
        if owed == 0 {
            // It forgets slowly: one quick answer does not make a quick terminal.
            self.round_trip = now.saturating_sub(self.asked).max(self.round_trip * 3 / 4);
            (self.terminal, self.answered) = (Terminal::Answers, None);
        } else {
            self.answered = Some(now);
        }
    }

    /// Whether an answer may still come, from a terminal that gives any.
    pub(super) fn owes(&self) -> bool {
        self.owed > 0 && self.terminal != Terminal::Silent
    }

    /// Answers that had come and were not read may have been thrown away. Should one come all the same, it is taken for
    /// that of a later question: until the terminal is quiet again, two frames are on their way instead of one.
    pub(super) fn flushed(&mut self) {
        if self.terminal == Terminal::Answers {
            self.owed = 0;
        }
    }
}

#[cfg(test)]
mod tests;
