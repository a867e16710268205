//! The pure half of the console: `update(&mut Model, Message, &mut Context) -> Effects`.
//!
//! No I/O, no clock, no chance: time and ids come in by the [`Context`]. Three vocabularies, never mixed: a message is a
//! past-tense fact, an intent is what a key means, an effect asks the shell to do something.

pub mod announce;
pub mod command;
pub mod copy;
pub mod deadline;
pub mod effect;
pub mod guard;
pub mod layout;
pub mod message;
pub mod model;
pub mod mouse;
pub mod named;
pub mod news;
pub mod presence;
pub mod typing;
pub mod update;

pub use announce::{Announcement, NotifyBy};
pub use effect::Effect;
pub use layout::Layout;
pub use message::{Context, EndOfInput, Message, Now};
pub use model::{Model, Pane, Settings};
pub use update::update;
