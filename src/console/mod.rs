//! The reviewer's screen: a pure half (`app`, `keymap`, `screens`, `widgets`, `theme`), the `runtime` that touches the
//! terminal, and the `shell` that ties the two together; and `plain`, the same core line by line, without a screen.

pub mod app;
pub mod keymap;
pub mod plain;
pub mod runtime;
pub mod screens;
pub mod shell;
pub mod theme;
pub mod widgets;
