//! A command that a person is asked about: what exactly would run, told as a payload; whether it is still that when the
//! yes has come; and its one run.
//!
//! Whoever says yes says it to what [`Seen`] holds. So it is looked at twice: before it is asked, and right before it runs.
//! Nothing here may ask, or decide that something may run.

mod changes;
mod child;
mod file;
mod payload;
mod program;
mod seen;

pub use child::{Ended, Relay, Running};
pub use file::{Content, FileSeen, HASHED_AT_MOST};
pub use seen::{SHOWN_AT_MOST, Seen, Shown, Untellable, Wanted};
