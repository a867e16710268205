//! `aegis-console mcp` as a client runs it: lines of JSON-RPC into the real program and out of it, against our gateway,
//! no gateway, and one that lies. Only one thing in the world means yes, and every call gets an answer that can be read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod approval;
mod broken;
mod client;
mod ends;
mod permission;
#[path = "../support/reviewing.rs"]
mod reviewing;
