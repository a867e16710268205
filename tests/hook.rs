//! `aegis-console hook` as Claude Code and Codex run it: every recorded input against every failure is a valid no in time, and
//! only an approval that was taken is a yes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "hook/failing.rs"]
mod failing;
#[path = "hook/input.rs"]
mod input;
#[path = "hook/installing.rs"]
mod installing;
#[path = "hook/reviewed.rs"]
mod reviewed;
#[path = "support/reviewing.rs"]
mod reviewing;
#[path = "hook/running.rs"]
mod running;
#[path = "support/scripted.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test binary uses some of it")]
mod scripted;
