//! An AEGIS server on a real socket that does what a script says and keeps a ledger, and the checker that proves from the
//! ledger whether what a client said of its decision is true.
//!
//! | file | what |
//! |---|---|
//! | `script` | what the server does with each decision call, and the settings of its other answers |
//! | `ledger` | every request, every execution, every row, as the server knows them |
//! | `serve` | sockets: reads requests and carries out the script |
//! | `answer`, `write` | the bytes of the answers, and what is left of them on the way |
//! | `checker` | is the client's word true, and could it have said more? |
#![allow(dead_code, unused_imports, reason = "each test binary uses a part of it")]

mod answer;
pub(crate) mod checker;
pub(crate) mod ledger;
pub(crate) mod script;
mod serve;
mod write;

pub(crate) use checker::{Claim, Lie, check};
pub(crate) use ledger::{Asked, Ledger, Row};
pub(crate) use script::{Act, Conflicts, Ending, Other, Reply, Script, StatusCall, Step};
pub(crate) use serve::AegisServer;

/// The key that everybody decides under.
pub(crate) const KEY: &str = "refund-7";
/// The request id of the other reviewer.
pub(crate) const OTHER: &str = "0b0b0b0b-0b0b-4b0b-8b0b-0b0b0b0b0b0b";
/// The other reviewer's name.
pub(crate) const BOB: &str = "bob";
/// The name under which the server knows whoever calls it.
pub(crate) const CALLER: &str = "dana";
