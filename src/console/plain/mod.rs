//! The console line by line: no screen, no cursor, no keys. For screen readers, dumb terminals, serial lines and logs.
//!
//! Another shell and another view over the same core: what waits, what a decision asks for, what may decide and what
//! became of it are the model's, `update`'s and the guard's, as on the screen. What is new here is how things are named
//! (by numbers that never change what they mean), how they are said (one fact a line), and when (never in the middle of
//! a line that is being typed).
//!
//! | file | what it owns |
//! |---|---|
//! | `command` | what a line that was typed asks for |
//! | `names` | the numbers by which actions are named |
//! | `waiting` | what it needs to know of the list |
//! | `page` | lines that fit the width, and nothing of somebody else's at their beginning |
//! | `wording` | how things are said |
//! | `showing` | lists and actions, page by page |
//! | `asking` | what a decision asks for, and what an answer does |
//! | `news` | what has happened that is worth a line |
//! | `session` | [`Plain`]: lines and messages in, lines out; pure |
//! | `terminal` | the only file that reads and writes |

mod asking;
mod command;
mod names;
mod news;
mod page;
mod session;
mod showing;
mod terminal;
mod waiting;
mod wording;

pub use session::{Output, Plain};
pub use terminal::{is_person, run, size};
