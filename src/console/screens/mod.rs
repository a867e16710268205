//! The screens: each a folder with its state (`mod`), what news and keys do to it, and how it looks (`view`).
//!
//! State is changed by `update` alone; a view reads the model and draws, and can change nothing.

pub mod command;
pub mod copy;
pub mod decide;
pub mod detail;
pub mod help;
pub mod outcomes;
mod overlay;
pub mod queue;
mod top;
pub mod view;

pub use view::view;
