//! What the runtime runs: the [`Program`] trait and the vocabulary between it and the terminal. No I/O here.

use super::{PaneAt, Reply};
use crate::console::app::Announcement;
pub use crate::console::app::{EndOfInput, Now};
use crossterm::event::{KeyEvent, MouseEvent};
use std::time::Duration;

/// A screen program: a state, what changes it, and how it looks.
pub trait Program {
    /// A fact that has happened.
    type Message: Send + 'static;
    /// Something that the shell is asked to do.
    type Effect;

    /// Takes in one fact. For a key, `now` is when the key was read from the terminal, which may be before the frame
    /// that is on the screen by now: so a key is judged by the frame that it could have answered.
    fn update(&mut self, message: Self::Message, now: Now) -> Vec<Self::Effect>;

    /// Draws the state as it is.
    fn view(&self, frame: &mut ratatui::Frame<'_>, now: Now);

    /// The panes that [`view`](Self::view) draws now and the first line that each shows, so that lines which only move can
    /// be moved by the terminal. It is a hint: what is on the screen is what was viewed, whatever is said here.
    fn panes(&self) -> Vec<PaneAt> {
        Vec::new()
    }

    /// The bytes of the frame that was viewed last have been handed to the terminal; `now` is when that began.
    fn painted(&mut self, now: Now);

    /// The tick at which something changes by itself; `None` means that the process sleeps until news comes. Once it
    /// has come, [`Input::DeadlinePassed`] is delivered and the answer should lie in the future.
    fn next_deadline(&self, now: Now) -> Option<Duration>;

    /// Whether what is shown may have changed since the last view; asking takes the mark away.
    fn dirty(&mut self) -> bool;

    /// Whether there is something to show: the first frame waits a moment for it, so that it need not be sent twice.
    fn is_ready(&self) -> bool {
        true
    }

    /// Whether the program is over.
    fn finished(&self) -> bool;

    /// How the shell's events become messages.
    fn input(event: Input) -> Self::Message;

    /// Whether the terminal is to report the mouse. Where it does, it no longer selects text with it.
    fn mouse(&self) -> bool {
        false
    }

    /// Whether the next frame is to be sent whole, because something else may have written to the terminal (`ctrl-l`);
    /// asking takes the mark away.
    fn repaint(&mut self) -> bool {
        false
    }

    /// Whether everything that was typed before this moment is to be thrown away, in the terminal and on the way from
    /// it, because it cannot have been meant for what comes now (a bar that opens; screen.md, *Deciding* 2). Asking
    /// takes the mark away. Of what the console had read already, ctrl-c gets through, and the focus.
    fn flush_input(&mut self) -> bool {
        false
    }

    /// What the terminal is to be told besides frames, in order; asking takes it away.
    fn announcements(&mut self) -> Vec<Announcement> {
        Vec::new()
    }

    /// Whether the process is to be stopped, as ctrl-z does it; asking takes the mark away.
    fn suspend(&mut self) -> bool {
        false
    }

    /// Whether this letter decides nothing as things stand now, whatever it may turn out to be part of: then it is told
    /// at once, and not held back for the 15 ms that show a paste.
    fn takes_at_once(&self, key: &KeyEvent) -> bool {
        let _ = key;
        false
    }

    /// The terminal answered something; `now` is when the answer began to come.
    fn replied(&mut self, reply: Reply, now: Now) {
        let _ = (reply, now);
    }
}

/// An event of the terminal, or of the process that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A key was pressed, or repeats where the terminal tells the two apart (`kind`); never a release.
    Key(KeyEvent),
    /// Text was pasted, or came too fast to have been typed. It is never read as keys.
    Paste(String),
    /// The terminal has now this many columns and rows.
    Resize(u16, u16),
    /// The terminal's window has the focus.
    FocusGained,
    /// The terminal's window has lost the focus.
    FocusLost,
    /// The mouse did something.
    Mouse(MouseEvent),
    /// Somebody wants the process to be stopped; the loop's, not told to the program.
    StopRequested,
    /// The process goes on after it was stopped; the loop's, not told to the program.
    Continued,
    /// The time that [`Program::next_deadline`] named has come.
    DeadlinePassed,
    /// A task in the background panicked, with these words (printable, one line). The screen stands.
    TaskPanicked(String),
    /// Nothing more will come. The loop ends after this message; it is never a decision.
    End(EndOfInput),
}
