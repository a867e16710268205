//! The audit log: one row for each thing that happened, each bound to the one before it, checkpoints over all of them
//! signed and put where nobody who can write the database can reach them.
//!
//! | file | what it owns |
//! |---|---|
//! | `entry`, `kind` | the exact text of a row; what can happen |
//! | `tree`, `head` | hashes, the Merkle tree, where the log ends |
//! | `key`, `note` | keys and signed checkpoints |
//! | `stored` | what a database gives of its log |
//! | `keeper`, `places` | what a running gateway does for its log; where checkpoints go |
//! | `sqlite`, `postgres` | the log in a database, read beside a gateway that runs |
//! | `verify` | whether a log holds, and where it does not |
//!
//! What it proves: that rows are as they were written, as far as a checkpoint reaches that is kept elsewhere. What it
//! does not: whoever owns the machine can rewrite the database together with its key.

pub mod entry;
pub mod head;
mod keeper;
pub mod key;
pub mod keyfile;
pub mod kind;
pub mod note;
pub mod places;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod sqlite;
pub mod stored;
pub mod tree;
pub mod verify;

pub(crate) use keeper::Keeper;
pub use places::Place;
