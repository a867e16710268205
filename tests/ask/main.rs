//! `aegis-console ask` as a script runs it: the real binary at the real gateway, with a reviewer. Whatever is killed, and
//! whenever, nothing runs that was not approved, and nothing twice.

#![cfg(all(feature = "console", feature = "gateway"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/pty.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test binary uses some of it")]
mod pty;
#[path = "../support/reviewing.rs"]
mod reviewing;

mod answers;
mod clock;
mod commands;
mod killed;
mod terminal;
mod world;
