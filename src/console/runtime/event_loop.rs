//! The loop: one biased `select!` from events to messages, and frames no faster than the eye.
//!
//! Order of what waits: signals and the end of input, then keys, then outside messages in batches, then the timer. It
//! draws only when the program says that something changed, the first change at once, the rest at most every 16 ms;
//! between events it sleeps, without a tick.

use super::{Clock, EndOfInput, Input, Intake, Now, Program, Screen, Told, Typed};
use crossterm::event::{KeyCode, KeyModifiers};
use ratatui::layout::Size;
use std::io::Write;
use std::time::Duration;
use tokio::sync::mpsc;

/// The shortest time from one frame to the next.
const FRAME: Duration = Duration::from_millis(16);
/// How many outside messages are taken in before keys are looked at again.
const BATCH: usize = 256;

/// Where events come from.
#[derive(Debug)]
pub struct Sources<M> {
    /// Signals, hang-up, panics in the background: before everything else.
    pub urgent: mpsc::Receiver<Input>,
    /// What was read from the keyboard.
    pub keyboard: Typed,
    /// News from the caller's tasks. When all senders are gone, the loop goes on without.
    pub messages: mpsc::Receiver<M>,
}

/// How the loop ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// The program was finished.
    Finished,
    /// There was nothing left to read from.
    Ended(EndOfInput),
}

impl Exit {
    /// The process's exit code: 0, or what [`EndOfInput::exit_code`] says.
    pub fn code(&self) -> u8 {
        match self {
            Self::Finished => 0,
            Self::Ended(end) => end.exit_code(),
        }
    }
}

/// Runs the program until it is finished or its input ends. Effects are handed over in order, as they arise.
pub async fn drive<P: Program, W: Write>(
    program: &mut P,
    screen: &mut Screen<W>,
    mut sources: Sources<P::Message>,
    clock: &Clock,
    effects: impl FnMut(P::Effect),
) -> Exit {
    let mut shell = Shell { program, effects, clock, ended: None, flushed: None };
    let mut intake = Intake::default();
    let mut batch = Vec::with_capacity(BATCH);
    let (mut urgent_open, mut messages_open) = (true, true);
    let mut changed = true;
    // When the next frame may be drawn, and the next deadline be told.
    let (mut next_frame, mut next_told) = (Duration::ZERO, Duration::ZERO);
    let mut due: Option<Duration> = None;
    loop {
        if let Some(end) = shell.ended {
            return Exit::Ended(end);
        }
        if shell.program.finished() {
            return Exit::Finished;
        }
        shell.flush(&sources.keyboard);
        changed |= shell.program.dirty();
        let now = clock.now();
        if changed && next_frame <= now.tick {
            let repainted = if shell.program.repaint() { screen.repaint() } else { Ok(()) };
            if let Err(error) = repainted.and_then(|()| screen.draw(shell.program, now).map(drop)) {
                shell.end(EndOfInput::Error(format!("the terminal cannot be written to: {error}")));
                continue;
            }
            // From when the bytes began to go out: who answers them may be faster than this thread gets on.
            shell.program.painted(now);
            (changed, next_frame) = (false, now.tick + FRAME);
            continue;
        }
        // Held letters become keys only once everything that was read before them has been seen.
        if sources.keyboard.is_empty() && intake.deadline().is_some_and(|at| at <= now.tick) {
            shell.told(intake.passed(now.tick), &sources.keyboard);
            continue;
        }
        // A deadline that its message does not move must not keep the loop from its events.
        // What has become due stays due: asked now, a program that counts seconds would name the next one.
        if due.is_none_or(|at| at > now.tick) {
            due = shell.program.next_deadline(now).map(|at| at.max(next_told));
        }
        if due.is_some_and(|at| at <= now.tick) {
            (due, next_told) = (None, now.tick + FRAME);
            shell.update(P::input(Input::DeadlinePassed), now);
            continue;
        }
        let wake = [due, intake.deadline(), changed.then_some(next_frame)].into_iter().flatten().min();
        tokio::select! {
            biased;
            input = sources.urgent.recv(), if urgent_open => match input {
                None => urgent_open = false,
                Some(Input::End(end)) => shell.end(end),
                Some(Input::Resize(width, height)) => {
                    screen.resize(Size { width, height });
                    changed = true;
                    shell.update(P::input(Input::Resize(width, height)), clock.now());
                }
                Some(input) => shell.update(P::input(input), clock.now()),
            },
            raw = sources.keyboard.next() => match raw {
                None => shell.end(EndOfInput::Closed),
                Some(raw) => shell.told(intake.read(&raw.bytes, clock.at(raw.at).tick), &sources.keyboard),
            },
            count = sources.messages.recv_many(&mut batch, BATCH), if messages_open => {
                messages_open = count > 0;
                for message in batch.drain(..) {
                    shell.update(message, clock.now());
                }
            }
            () = tokio::time::sleep_until(clock.instant(wake.unwrap_or_default())), if wake.is_some() => {}
        }
    }
}

/// The program, and what its updates need.
struct Shell<'p, P: Program, F: FnMut(P::Effect)> {
    program: &'p mut P,
    effects: F,
    clock: &'p Clock,
    ended: Option<EndOfInput>,
    /// Up to when what was typed is thrown away.
    flushed: Option<Duration>,
}

impl<P: Program, F: FnMut(P::Effect)> Shell<'_, P, F> {
    fn update(&mut self, message: P::Message, now: Now) {
        self.program.update(message, now).into_iter().for_each(&mut self.effects);
    }

    /// Each at the time it began to come.
    fn told(&mut self, told: Vec<(Told, Duration)>, keyboard: &Typed) {
        for (told, tick) in told {
            let now = self.clock.at(self.clock.instant(tick));
            match told {
                Told::Reply(reply) => self.program.replied(reply, now),
                Told::Input(input) if self.is_stale(&input, tick) => {}
                Told::Input(input) => self.update(P::input(input), now),
            }
            self.flush(keyboard);
        }
    }

    /// Throws away what was typed up to now, if the program asks for it. What of it has been read still goes through the
    /// intake, so that the rest of a reply or a paste is known for what it is.
    fn flush(&mut self, keyboard: &Typed) {
        if self.program.flush_input() {
            keyboard.discard_unread();
            self.flushed = Some(self.clock.now().tick);
        }
    }

    /// Whether it was thrown away. ctrl-c always works, and the focus is a state of the window.
    fn is_stale(&self, input: &Input, tick: Duration) -> bool {
        let typed = match input {
            Input::Key(key) => (key.code, key.modifiers) != (KeyCode::Char('c'), KeyModifiers::CONTROL),
            Input::Paste(_) | Input::Mouse(_) => true,
            _ => false,
        };
        typed && self.flushed.is_some_and(|flushed| tick <= flushed)
    }

    fn end(&mut self, end: EndOfInput) {
        self.update(P::input(Input::End(end.clone())), self.clock.now());
        self.ended = Some(end);
    }
}

#[cfg(test)]
mod tests;
