//! The shell around the reviewer's screen: the only code that touches the terminal.
//!
//! It turns keys, signals, timers and outside news into messages, and states into bytes. It knows nothing of actions or
//! decisions: whatever it runs is a [`Program`].
//!
//! ```text
//! keyboard ─▶ input (thread) ─▶ intake ─┐
//! signals, hang-up, panics ─▶ urgent ───┼─▶ event_loop ─▶ Program ─▶ effects ─▶ the caller's tasks
//! the caller's tasks ─▶ messages ───────┘        └─▶ screen ─▶ one write a frame
//! ```
//!
//! When a frame may be sent is the pace's to say: one is in flight, and what has happened meanwhile shows in the next.
//!
//! The intake is the decoder (bytes to keys, replies, pastes) and the filter (what was too fast to have been pressed).

mod announce;
mod clock;
mod decoder;
mod event_loop;
mod filter;
mod guard;
mod input;
mod intake;
mod output;
mod pace;
mod program;
mod screen;
mod session;
mod signals;
mod stop;

pub use clock::Clock;
pub use decoder::{Decoder, Reply, Sent};
pub use event_loop::{Exit, Sources};
pub use filter::InputFilter;
pub use input::{Keyboard, RawBytes, Typed};
pub use intake::{Intake, Told};
pub use output::Output;
pub use program::{EndOfInput, Input, Now, Program};
pub use screen::{PaneAt, Screen};
pub use session::{TerminalError, check, run};
