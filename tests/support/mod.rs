//! What the integration tests share. Each test file uses a part of it.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod flood;
pub mod person;
pub mod pty;
pub mod scripted;
