//! The gateway from outside: every route and role, deciding exactly once, asking, the queue and its events.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod agents;
mod ask;
mod crowd;
mod decide;
mod door;
mod lasting;
mod queue;
mod support;
