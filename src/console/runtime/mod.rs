//! The shell around the reviewer's screen: the only code that touches the terminal.
//!
//! It turns keys, signals, timers and outside news into messages, and states into bytes. It knows nothing of actions or
//! decisions: whatever it runs is a [`Program`].
//!
//! ```text
//! keyboard ─▶ input (thread) ─▶ filter ─┐
//! signals, hang-up, panics ─▶ urgent ───┼─▶ event_loop ─▶ Program ─▶ effects ─▶ the caller's tasks
//! the caller's tasks ─▶ messages ───────┘        └─▶ screen ─▶ one write a frame
//! ```

mod clock;
mod event_loop;
mod filter;
mod guard;
mod input;
mod program;
mod screen;
mod session;
mod signals;

pub use clock::Clock;
pub use event_loop::{Exit, Sources, drive};
pub use filter::InputFilter;
pub use input::{Keyboard, RawEvent};
pub use program::{EndOfInput, Input, Now, Program};
pub use screen::{FrameBackend, Screen};
pub use session::{TerminalError, check, run};
