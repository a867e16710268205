//! The reviewer's screen: a pure half (`app`, `keymap`, `screens`, `widgets`, `theme`), the `runtime` that touches the
//! terminal, and the `shell` that ties the two together.

pub mod app;
pub mod keymap;
pub mod runtime;
pub mod screens;
pub mod shell;
pub mod theme;
pub mod widgets;
