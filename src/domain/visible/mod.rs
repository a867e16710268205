//! Untrusted text, and the one function that makes it visible.
//!
//! [`Untrusted`] is text from an agent or a server: it has no `Display`, so nothing can draw it by accident.
//! [`runs`] says what may be drawn of a text, run by run: what can be drawn as it is, signs for what cannot, and folds
//! for what is too long to be looked at. [`Visible`] is the same on one line. It escapes and never strips, and two
//! different texts never look the same once their folds are open ([`opened`]), because the signs it escapes with are
//! themselves escaped where the source has them. What is escaped is found by Unicode property, never by a list made by
//! hand (screen.md, *Showing what nobody can trust*).
//!
//! | file | what it owns |
//! |---|---|
//! | `property` | what a character is: hidden, blank, a mark, right-to-left, by Unicode property |
//! | `sign` | what is drawn in place of a character |
//! | `script` | letters of another script inside a word (UTS #39) |
//! | `bidi` | letters that a terminal would reorder among ASCII and digits (UAX #9) |
//! | `runs` | the text cut into runs |
//! | `line` | [`Visible`]: runs on one line, cut to a width, quoted |
//! | `untrusted` | the type that nothing can draw |

mod bidi;
mod line;
mod property;
mod runs;
mod script;
mod sign;
mod untrusted;

pub use line::{Piece, Visible};
pub use runs::{Cause, FoldKind, Run, Runs, opened, runs, runs_of_block};
pub use untrusted::Untrusted;

pub(in crate::domain) use property::is_blank;

#[cfg(test)]
mod tests;
