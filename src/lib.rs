//! The map of this program: a terminal in which a person says yes or no to what AI agents want to do.
//!
//! Three faces over one domain; imports only point down (`tests/layers.rs`):
//!
//! | module | what it owns |
//! |---|---|
//! | `main.rs`, [`cli`] | one command line: parse, run one command, turn its error into an exit code |
//! | [`console`] | the reviewer's screen: `app`, `keymap`, `screens`, `widgets` are pure; `runtime` touches the terminal |
//! | [`config`] | what the user has set: file, environment, flags |
//! | [`document`] | a TOML file of the user's: where a mistake in it stands and what was meant |
//! | [`agent`] | the agents' side: ask, wait, consume, report (AAP); on it `command`, `hook`, `mcp`, `opencode` |
//! | [`gateway`] | the embedded AEGIS-compatible server: `decide` (AEGIS), `ask` and `instances` (AAP), `webhooks`, `queue`, `auth`, `store`, `audit` |
//! | [`journal`] | what has been decided and what became of it, on disk before anything is sent |
//! | [`dispatch`] | carries decisions out through the client and says what became of them |
//! | [`feed`] | where pending actions come from: a gateway (HTTP and events) or JSON Lines |
//! | [`client`] | the AEGIS client, usable by itself as a library |
//! | [`domain`] | actions, digests, verdicts, outcomes, untrusted text: pure |
//! | `clock` | the time of day |
//! | `failpoint` | places where a test ends the process or holds it up; none in a release |
//!
//! A newcomer finds a thing in one guess. What a key does: `assets/keymap.toml`; what it means: `console/keymap`; what
//! happens: `console/app/update.rs`; how it looks: `console/screens`; what goes over the wire: `client`; why it
//! retried: `client/retry.rs`; why 409: `gateway/decide.rs`.
//!
//! With `--no-default-features --features client` only `domain` and `client` are built.

#[cfg(feature = "console")]
pub mod agent;
#[cfg(all(feature = "console", feature = "gateway"))]
pub mod cli;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "client")]
pub mod clock;
#[cfg(feature = "console")]
pub mod config;
#[cfg(feature = "console")]
pub mod console;
#[cfg(feature = "console")]
pub mod dispatch;
#[cfg(any(feature = "console", feature = "gateway"))]
pub mod document;
pub mod domain;
#[cfg(any(feature = "console", feature = "gateway"))]
pub mod failpoint;
#[cfg(feature = "console")]
pub mod feed;
#[cfg(feature = "gateway")]
pub mod gateway;
#[cfg(feature = "console")]
pub mod journal;
