//! The client as its users meet it: against scripted answers in process, on a paused clock, and over real sockets.

#![cfg(feature = "client")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "client/informational.rs"]
mod informational;
#[path = "client/published.rs"]
mod published;
#[path = "client/resolution.rs"]
mod resolution;
#[path = "client/retries.rs"]
mod retries;
#[path = "client/script.rs"]
mod script;
#[path = "client/shared.rs"]
mod shared;
#[path = "client/sockets.rs"]
mod sockets;
#[path = "client/wire.rs"]
mod wire;

#[path = "support/fault_server.rs"]
mod fault_server;
#[path = "support/flood.rs"]
#[allow(dead_code, reason = "each test binary uses some of it")]
mod flood;
