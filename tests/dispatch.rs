//! Carrying decisions out over the journal: in process with a server that keeps a ledger, on a paused clock, and over
//! real sockets.

#![cfg(feature = "console")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "dispatch/checking.rs"]
mod checking;
#[path = "dispatch/counting.rs"]
mod counting;
#[path = "dispatch/deciding.rs"]
mod deciding;
#[path = "dispatch/doubt.rs"]
mod doubt;
#[path = "dispatch/janitor.rs"]
mod janitor;
#[path = "dispatch/many.rs"]
mod many;
#[path = "dispatch/quiet.rs"]
mod quiet;
#[path = "dispatch/resuming.rs"]
mod resuming;
#[path = "dispatch/sharing.rs"]
mod sharing;
#[path = "dispatch/sockets.rs"]
mod sockets;
#[path = "dispatch/world.rs"]
mod world;

#[allow(dead_code, reason = "each test binary uses some of it")]
#[path = "support/fault_server.rs"]
mod fault_server;
