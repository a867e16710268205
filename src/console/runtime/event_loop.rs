//! The loop: one biased `select!` from events to messages, and frames no faster than the eye.
//!
//! Order of what waits: signals and the end of input, then keys, then outside messages in batches, then the timer. It
//! draws only when the program says that something changed and the pace lets it; between events it sleeps, without a tick.

use super::announce::{self, Between, copy_by_tmux};
use super::pace::Pace;
use super::{Clock, EndOfInput, Input, Intake, Now, Output, Program, Reply, Screen, Told, Typed};
use super::{guard, signals, stop};
use crate::console::app::Announcement;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Size;
use std::io;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

/// How long answers are waited for before the terminal is given back: who has it next would take them for keys.
const LAST_ANSWERS: Duration = Duration::from_millis(250);
/// How long the process waits to be told that it goes on, after it was stopped.
const STOPPED: Duration = Duration::from_secs(1);
/// The shortest time from one deadline to the next.
const TICK: Duration = Duration::from_millis(16);
/// How long the first frame waits for something to show.
const FIRST: Duration = Duration::from_millis(60);
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
pub(super) async fn drive<P: Program, W: Output>(
    program: &mut P,
    screen: &mut Screen<W>,
    mut sources: Sources<P::Message>,
    pace: Pace,
    clock: &Clock,
    effects: impl FnMut(P::Effect),
) -> Exit {
    let mut shell = Shell {
        program,
        effects,
        clock,
        screen,
        pace,
        between: Between::of_process(),
        copying: None,
        mouse: false,
        title: Vec::new(),
        ended: None,
        flushed: None,
        keyed: false,
    };
    let mut intake = Intake::default();
    let mut batch = Vec::with_capacity(BATCH);
    let (mut urgent_open, mut messages_open) = (true, true);
    let (mut changed, mut first) = (true, true);
    // When the next deadline may be told.
    let mut next_told = Duration::ZERO;
    let mut due: Option<Duration> = None;
    loop {
        if let Some(end) = shell.ended {
            return Exit::Ended(end);
        }
        if shell.program.finished() {
            shell.await_answers(&mut sources.keyboard, &mut intake).await;
            return Exit::Finished;
        }
        shell.flush(&sources.keyboard);
        let announced = shell.announce();
        shell.written(announced);
        if shell.program.suspend() {
            shell.suspend(&mut sources, &mut intake).await;
            changed = true;
            continue;
        }
        changed |= shell.program.dirty();
        let now = clock.now();
        let next_frame = (changed && !shell.screen.is_blocked()).then(|| shell.pace.next(shell.keyed));
        // A first frame with nothing in it would only stand in the way of the one that has something.
        let waits = first && !shell.program.is_ready();
        let next_frame = next_frame.map(|at| if waits { at.max(FIRST) } else { at });
        if next_frame.is_some_and(|at| at <= now.tick) {
            let drawn = shell.draw(now);
            shell.written(drawn);
            (changed, first) = (false, false);
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
            (due, next_told) = (None, now.tick + TICK);
            shell.update(P::input(Input::DeadlinePassed), now);
            continue;
        }
        let wake = [due, intake.deadline(), next_frame].into_iter().flatten().min();
        tokio::select! {
            biased;
            input = sources.urgent.recv(), if urgent_open => match input {
                None => urgent_open = false,
                Some(Input::End(end)) => shell.end(end),
                Some(Input::Resize(width, height)) => {
                    shell.screen.resize(Size { width, height });
                    changed = true;
                    shell.update(P::input(Input::Resize(width, height)), clock.now());
                }
                Some(Input::StopRequested) => {
                    shell.suspend(&mut sources, &mut intake).await;
                    changed = true;
                }
                Some(Input::Continued) => {
                    shell.resume(&sources.keyboard, &mut intake);
                    changed = true;
                }
                Some(input) => shell.update(P::input(input), clock.now()),
            },
            raw = sources.keyboard.next() => match raw {
                None => shell.end(EndOfInput::Closed),
                Some(raw) => {
                    let at_once = |key: &KeyEvent| shell.program.takes_at_once(key);
                    let told = intake.read_or(&raw.bytes, clock.at(raw.at).tick, &at_once);
                    shell.told(told, &sources.keyboard);
                }
            },
            count = sources.messages.recv_many(&mut batch, BATCH), if messages_open => {
                messages_open = count > 0;
                for message in batch.drain(..) {
                    shell.update(message, clock.now());
                }
            }
            copied = finished(&mut shell.copying), if shell.copying.is_some() => {
                let said = copied.map_or(Ok(()), |bytes| shell.screen.say(&bytes));
                shell.written(said);
            }
            ready = shell.screen.writable(), if shell.screen.is_blocked() => {
                let written = ready.and_then(|()| shell.screen.write_on());
                shell.written(written);
            }
            () = tokio::time::sleep_until(clock.instant(wake.unwrap_or_default())), if wake.is_some() => {}
        }
    }
}

/// The program, and what its updates need.
struct Shell<'p, P: Program, W: Output, F: FnMut(P::Effect)> {
    program: &'p mut P,
    effects: F,
    clock: &'p Clock,
    screen: &'p mut Screen<W>,
    pace: Pace,
    between: Between,
    /// A copy that tmux is asked for; what is to be written where it fails.
    copying: Option<JoinHandle<Option<Vec<u8>>>>,
    /// Whether the terminal reports the mouse.
    mouse: bool,
    /// What says the title, as it was said last.
    title: Vec<u8>,
    ended: Option<EndOfInput>,
    /// Whether a key was told since the last frame.
    keyed: bool,
    /// Up to when what was typed is thrown away.
    flushed: Option<Duration>,
}

impl<P: Program, W: Output, F: FnMut(P::Effect)> Shell<'_, P, W, F> {
    fn draw(&mut self, now: Now) -> io::Result<()> {
        if self.program.repaint() {
            self.screen.repaint()?;
        }
        let asks = self.pace.asks(now.tick);
        let bytes = self.screen.draw(self.program, now, asks)?;
        self.pace.sent(now.tick, asks && bytes > 0);
        self.pace.blocked(self.screen.is_blocked());
        self.keyed = false;
        // From when the bytes began to go out: who answers them may be faster than this thread gets on.
        self.program.painted(now);
        Ok(())
    }

    /// Tells the terminal what is no frame.
    fn announce(&mut self) -> io::Result<()> {
        let mouse = self.program.mouse();
        if std::mem::replace(&mut self.mouse, mouse) != mouse {
            self.screen.say(guard::report_mouse(mouse))?;
        }
        for announcement in self.program.announcements() {
            let bytes = announce::bytes(&announcement, self.between);
            match announcement {
                Announcement::Copy(text) if self.between == Between::Tmux => {
                    self.copying = Some(spawn_blocking(move || (!copy_by_tmux(&text)).then_some(bytes)));
                    continue;
                }
                Announcement::Title(_) => {
                    self.screen.say(guard::keep_title())?;
                    self.title.clone_from(&bytes);
                }
                _ => {}
            }
            self.screen.say(&bytes)?;
        }
        Ok(())
    }

    /// Lets answers come that are still under way.
    async fn await_answers(&mut self, keyboard: &mut Typed, intake: &mut Intake) {
        let until = tokio::time::Instant::now() + LAST_ANSWERS;
        while self.pace.owes() {
            let Ok(Some(raw)) = tokio::time::timeout_at(until, keyboard.next()).await else { break };
            let at = self.clock.at(raw.at).tick;
            for (told, _) in intake.read(&raw.bytes, at) {
                if told == Told::Reply(Reply::Ready) {
                    self.pace.answered(at);
                }
            }
        }
        keyboard.discard_unread();
    }

    /// Gives the terminal back and stops the process; goes on when it is continued.
    async fn suspend(&mut self, sources: &mut Sources<P::Message>, intake: &mut Intake) {
        self.await_answers(&mut sources.keyboard, intake).await;
        guard::give_back();
        self.screen.drop_pending();
        if stop::stop_group() {
            while let Ok(Some(input)) = tokio::time::timeout(STOPPED, sources.urgent.recv()).await {
                match input {
                    Input::Continued => break,
                    Input::End(end) => return self.end(end),
                    _ => {}
                }
            }
        }
        self.resume(&sources.keyboard, intake);
    }

    /// Takes the terminal again: its size, its modes and everything on it may be others, and nothing that was typed
    /// before was meant for what shows now.
    fn resume(&mut self, keyboard: &Typed, intake: &mut Intake) {
        let taken = guard::take_again();
        self.screen.drop_pending();
        self.mouse = false;
        if let Some(size) = signals::size() {
            self.screen.resize(size);
            self.update(P::input(Input::Resize(size.width, size.height)), self.clock.now());
        }
        let taken = taken.and_then(|()| self.screen.repaint()).and_then(|()| match &self.title[..] {
            [] => Ok(()),
            title => self.screen.say(guard::keep_title()).and_then(|()| self.screen.say(title)),
        });
        self.written(taken);
        self.discard(keyboard);
        *intake = Intake::default();
    }

    fn written(&mut self, result: io::Result<()>) {
        if let Err(error) = result {
            self.end(EndOfInput::Error(format!("the terminal cannot be written to: {error}")));
        }
    }

    fn update(&mut self, message: P::Message, now: Now) {
        self.program.update(message, now).into_iter().for_each(&mut self.effects);
    }

    /// Each at the time it began to come.
    fn told(&mut self, told: Vec<(Told, Duration)>, keyboard: &Typed) {
        for (told, tick) in told {
            let now = self.clock.at(self.clock.instant(tick));
            match told {
                Told::Reply(reply) => self.replied(reply, now),
                Told::Input(input) if self.is_stale(&input, tick) => {}
                Told::Input(input) => {
                    self.keyed = true;
                    self.update(P::input(input), now);
                }
            }
            self.flush(keyboard);
        }
    }

    fn replied(&mut self, reply: Reply, now: Now) {
        match reply {
            Reply::Ready => self.pace.answered(self.clock.now().tick),
            Reply::Synchronized(can) => self.screen.synchronize(can),
            Reply::Other => {}
        }
        self.program.replied(reply, now);
    }

    /// Throws away what was typed up to now, if the program asks for it. What of it has been read still goes through the
    /// intake, so that the rest of a reply or a paste is known for what it is.
    fn flush(&mut self, keyboard: &Typed) {
        if self.program.flush_input() {
            self.discard(keyboard);
        }
    }

    fn discard(&mut self, keyboard: &Typed) {
        keyboard.discard_unread();
        self.pace.flushed();
        self.flushed = Some(self.clock.now().tick);
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

/// What is to be written once the copy is done, if anything.
async fn finished(copying: &mut Option<JoinHandle<Option<Vec<u8>>>>) -> Option<Vec<u8>> {
    let done = match copying {
        Some(running) => running.await,
        None => return None,
    };
    *copying = None;
    done.ok().flatten()
}

#[cfg(test)]
mod tests;
