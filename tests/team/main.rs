//! Gateways as processes of their own, as a team runs them: killed with SIGKILL under load, on SQLite and on PostgreSQL; three
//! of them on one database; and a database that goes away. Whatever happens, the answers that were given and the database
//! must say the same.
//!
//! PostgreSQL is the server that `AEGIS_CONSOLE_TEST_POSTGRES` names; where it names none, those tests say that they are
//! left out. `KILL_ROUNDS` and `KILL_SEED` make the kills more, and others.

#![cfg(all(feature = "client", feature = "gateway", feature = "console", feature = "postgres"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod cut;
#[path = "../support/database.rs"]
#[allow(dead_code, reason = "these tests use a part of it")]
mod database;
mod killed;
mod ledger;
mod member;
mod proxy;
mod three;

/// A database of the test's own, or a word that the test is left out.
async fn postgres(what: &str) -> Option<database::Fresh> {
    match database::server() {
        Some(server) => Some(database::Fresh::database(server).await),
        None => {
            eprintln!("##### SKIPPED: {what}: AEGIS_CONSOLE_TEST_POSTGRES names no server");
            None
        }
    }
}
