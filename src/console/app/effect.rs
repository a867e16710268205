//! What `update` asks the shell to do: plain values that a test can compare.

use crate::dispatch::Order;

/// Something that only the shell can do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Send this decision, and tell what becomes of it.
    Dispatch(Order),
    /// Ring the terminal once.
    Bell,
    /// Draw the whole screen again, whatever the terminal shows.
    Repaint,
}
