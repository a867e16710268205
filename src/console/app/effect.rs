//! What `update` asks the shell to do: plain values that a test can compare.

use super::Announcement;
use super::guard::Selection;
use crate::dispatch::Order;
use crate::domain::Untrusted;
use uuid::Uuid;

/// Something that only the shell can do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Put these decisions on disk, all of them or none, then send them, approvals after their grace time; tell what
    /// becomes of each.
    Decide(Vec<Order>),
    /// Take back decisions that are held.
    Undo(Vec<Uuid>),
    /// Send these held decisions now.
    Release(Vec<Uuid>),
    /// Drop these held decisions.
    DropHeld(Vec<Uuid>),
    /// Send a decision that was given up on once more, under its key and request id.
    TryAgain(Uuid),
    /// Keep that the reviewer has taken note of a conflict.
    Acknowledge(Uuid),
    /// Pause this agent at the source, so that it asks and consumes nothing, or let it go on.
    Pause {
        /// The credential's name.
        agent: Untrusted,
        /// Whether it is to be paused.
        paused: bool,
    },
    /// Tell the source which action the reviewer looks at; `None` for none.
    Look(Option<Selection>),
    /// Ask the source for this action as it is now: the server says that it is not what was decided on.
    Refetch(String),
    /// The link to the source is up, or it is down.
    Link(bool),
    /// Tell the terminal something besides frames: ring, a title, a notification, the clipboard.
    Announce(Announcement),
    /// Forget every key that was pressed and not taken yet, here and in the terminal: a bar opens, and none of them was
    /// meant for it.
    FlushInput,
    /// Give the terminal back and stop the process, until it is continued.
    Suspend,
    /// Draw the whole screen again, whatever the terminal shows.
    Repaint,
}
