//! The gateway from outside: every route and role, deciding exactly once, asking, the queue and its events.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod agents;
mod ask;
#[path = "../support/authority.rs"]
#[allow(unreachable_pub)]
mod authority;
mod compare;
mod crowd;
#[path = "../support/database.rs"]
mod database;
mod decide;
mod door;
mod exactly_once;
mod exposure;
mod instances;
mod keeping;
mod lasting;
mod metrics;
mod openapi;
mod presence;
mod queue;
mod reviewers;
mod roles;
mod rules;
mod stopping;
mod strict;
mod support;
mod tls;
mod tokens;
