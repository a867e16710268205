//! What has happened, and what `update` may know besides the model.

use crate::dispatch::{DispatchEvent, Entry, Order};
use crate::domain::Untrusted;
use crate::feed::FeedEvent;
use crossterm::event::{KeyEvent, MouseEvent};
use jiff::Timestamp;
use std::time::Duration;
use uuid::Uuid;

/// A fact that the shell tells the model.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// A key was pressed, or repeats.
    KeyPressed(KeyEvent),
    /// Text was pasted, or came so fast that nobody typed it.
    Pasted(String),
    /// The mouse did something.
    Mouse(MouseEvent),
    /// The terminal has another size: columns and rows.
    Resized(u16, u16),
    /// The terminal came to the front, or went away from it.
    FocusChanged(bool),
    /// No key will ever come again.
    InputEnded(EndOfInput),
    /// News about what waits for a decision.
    Feed(FeedEvent),
    /// News about a decision that is being sent.
    Dispatch(DispatchEvent),
    /// Decisions that the journal knows from earlier sessions, each with how it ended.
    Remembered(Vec<(Order, Entry)>),
    /// Another process carries out what is decided here, or it no longer does.
    CarriedElsewhere(bool),
    /// The instant that [`next_deadline`](super::deadline::next_deadline) gave has come.
    DeadlineReached,
    /// The source did not do what it was asked for, in these words.
    SourceRefused(Untrusted),
    /// The source keeps nothing of who looks at what.
    PresenceRefused,
    /// A background task broke; the screen goes on.
    TaskFailed(String),
}

impl Message {
    /// Whether somebody sits there: a program tells all else.
    pub fn is_the_reviewers(&self) -> bool {
        matches!(
            self,
            Self::KeyPressed(_)
                | Self::Pasted(_)
                | Self::Mouse(_)
                | Self::Resized(..)
                | Self::FocusChanged(true)
        )
    }
}

/// Why no key will come again. None of these is ever a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndOfInput {
    /// The terminal went away (SIGHUP, or its line hung up).
    Hangup,
    /// The process was asked to end (SIGTERM).
    Terminate,
    /// The source of input was closed.
    Closed,
    /// The terminal could not be read or written, in these words.
    Error(String),
}

impl EndOfInput {
    /// The exit code: 128 and the signal's number, else 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Hangup => 129,
            Self::Terminate => 143,
            Self::Closed | Self::Error(_) => 1,
        }
    }
}

/// One instant on two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// The time of day, for showing and for comparing with times from elsewhere. It may jump.
    pub wall: Timestamp,
    /// The time since the start, for waiting. It only grows.
    pub tick: Duration,
}

/// What `update` may know besides the model.
pub struct Context<'a> {
    /// When the message came.
    pub now: Now,
    /// A fresh random id for each call.
    pub id: &'a mut dyn FnMut() -> Uuid,
    /// Four fresh random letters for each call, no two of them the same.
    pub letters: &'a mut dyn FnMut() -> String,
}
