//! What `update` asks the shell to do: plain values that a test can compare.

use crate::dispatch::Order;
use uuid::Uuid;

/// Something that only the shell can do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Put this decision on disk, then send it, an approval after its grace time; tell what becomes of it.
    Decide(Order),
    /// Take back a decision that is held.
    Undo(Uuid),
    /// Send these held decisions now.
    Release(Vec<Uuid>),
    /// Drop these held decisions.
    DropHeld(Vec<Uuid>),
    /// Send a decision that was given up on once more, under its key and request id.
    TryAgain(Uuid),
    /// Keep that the reviewer has taken note of a conflict.
    Acknowledge(Uuid),
    /// The link to the source is up, or it is down.
    Link(bool),
    /// Ring the terminal once.
    Bell,
    /// Draw the whole screen again, whatever the terminal shows.
    Repaint,
}
