//! The client against a server on which everything goes wrong that can: whatever happens, a decision has an effect once or
//! not at all, and the client's word for it is true.
//!
//! | file | what |
//! |---|---|
//! | `cases` | the fault table, as data |
//! | `table` | runs it in every setting, through the library |
//! | `paths` | every outcome, and every way to come to it, must be met in the table |
//! | `binary` | a part of it through `aegis-console decide --json` |
//! | `wrong` | clients that are wrong on purpose: the checker must catch each |
//! | `cuts` | answers and requests cut after every byte; the bytes of every try |
//! | `waits` | `Retry-After` |
//! | `races` | many reviewers, one action, our own gateway |
#![cfg(all(feature = "console", feature = "gateway"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "../support/aegis/mod.rs"]
mod aegis;
#[path = "../support/reviewing.rs"]
mod reviewing;

mod binary;
mod cases;
mod cuts;
mod paths;
mod races;
mod recorded;
mod table;
mod waits;
mod wrong;
