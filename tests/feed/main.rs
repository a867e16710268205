//! The gateway feed against servers that answer as a script says: in order, cut off, silent, hostile, wrong.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod listener;
mod listing;
mod others;
#[path = "../support/mod.rs"]
mod support;
mod trouble;
