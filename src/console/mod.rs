//! The reviewer's screen: a pure half (`app`, `keymap`, `screens`, `widgets`, `theme`) and the `runtime` that touches
//! the terminal.

pub mod runtime;
