//! Flows: scripts of real keys through the real keymap, one snapshot each, at the sizes that people have. No sleeps, no
//! sockets: time and ids are the script's.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod announcing;
mod chance;
mod commanding;
mod copying;
mod deciding;
mod history;
mod lasting;
mod listing;
mod looking;
mod panes;
mod plain;
mod reading;
mod script;
mod several;
mod sources;
mod standing;
mod themes;
